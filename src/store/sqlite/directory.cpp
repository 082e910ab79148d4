#include "store/sqlite/directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace mandate::store::sqlite {
namespace {

Error cannot_write(const std::string& path) {
  const int reason = errno;
  return Error(Code::read_only, "Cannot write to the data directory: " + path + ": " + std::strerror(reason) + ".");
}

/// KS-2: nobody but the owner.
Result<void> check_private(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return errno == ENOENT ? Result<void>{} : cannot_write(path);
  if ((info.st_mode & 0077) == 0) return {};
  return Error(Code::forbidden, path + " is open to other users: chmod " + (S_ISDIR(info.st_mode) ? "0700 " : "0600 ") + path + ".");
}

/// Opens or makes the file with mode 0600 whatever the umask says.
Result<int> open_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return cannot_write(path);
  return fd;
}

}  // namespace

Lock::~Lock() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Lock> claim(const std::string& path) {
  const std::string directory = std::filesystem::absolute(path).parent_path().string();
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return cannot_write(directory);
  CHECK_OK(check_private(directory));
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) CHECK_OK(check_private(path + suffix));
  TRY(const int fd, open_file(path + ".lock"));
  Lock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0)
    return Error(Code::conflict, "The data directory " + directory + " is in use by another process.");
  TRY(const int file, open_file(path));
  ::close(file);
  return lock;
}

}  // namespace mandate::store::sqlite
