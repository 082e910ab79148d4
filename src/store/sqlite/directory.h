// The files on disk: made private, refused when open to others, held by one process.
#pragma once

#include <string>

#include "base/result.h"

namespace mandate::store::sqlite {

/// Holds path + ".lock" until destroyed; the kernel lets go of it when the process dies, however it dies.
class Lock {
 public:
  Lock() = default;
  explicit Lock(int fd) : fd_(fd) {}
  Lock(Lock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Lock& operator=(Lock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Lock();

 private:
  int fd_ = -1;
};

/// Makes directory (0700) and file (0600) where missing and takes the lock. Errors as open_sqlite.
Result<Lock> claim(const std::string& path);

}  // namespace mandate::store::sqlite
