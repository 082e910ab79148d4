// A file as a stream of UTF-8, read piece by piece.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mandate::cli {

/// Blocking.
class Bytes {
 public:
  virtual ~Bytes() = default;
  /// At most `most` bytes; 0 at the end.
  virtual Result<std::size_t> read(char* into, std::size_t most) = 0;
};

/// `text` outlives it.
std::unique_ptr<Bytes> bytes_of(std::string_view text);
/// bad_request with the file's name and what the system says.
Result<std::unique_ptr<Bytes>> open_bytes(const std::string& path);

/// One byte after the other, always of UTF-8: a byte order mark is taken off, and UTF-16 that begins with one (as `bcp -w` and Excel
/// write it) is turned into UTF-8. That UTF-8 is well-formed is not looked at here.
class Utf8 {
 public:
  explicit Utf8(std::unique_ptr<Bytes> from);

  static constexpr int kEnd = -1;
  /// The next byte, 0 to 255, or kEnd; after a failure also kEnd.
  int next();
  int peek();
  /// What ended the stream before its end: the file could not be read, or is no UTF-16.
  Result<void> status() const { return status_; }
  /// Of the file, so far.
  std::uint64_t bytes() const { return bytes_; }

 private:
  int raw();
  int begin();
  int decoded();
  int unit();
  int fail(Error error);

  std::unique_ptr<Bytes> from_;
  std::string buffer_, pending_;  ///< pending: decoded, or read ahead to look for a mark
  std::size_t at_ = 0, size_ = 0, given_ = 0;
  std::uint64_t bytes_ = 0;
  enum class Form { unknown, plain, little, big } form_ = Form::unknown;
  int peeked_ = -2;
  Result<void> status_;
};

}  // namespace mandate::cli
