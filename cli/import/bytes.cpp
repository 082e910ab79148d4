#include "import/bytes.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace mandate::cli {
namespace {

constexpr std::size_t kBuffer = 64 << 10;

class Text final : public Bytes {
 public:
  explicit Text(std::string_view text) : rest_(text) {}
  Result<std::size_t> read(char* into, std::size_t most) override {
    const std::size_t taken = std::min(most, rest_.size());
    std::copy_n(rest_.data(), taken, into);
    rest_.remove_prefix(taken);
    return taken;
  }

 private:
  std::string_view rest_;
};

class File final : public Bytes {
 public:
  File(int file, std::string path) : file_(file), path_(std::move(path)) {}
  ~File() override { ::close(file_); }
  File(const File&) = delete;
  Result<std::size_t> read(char* into, std::size_t most) override {
    for (;;) {
      const ssize_t got = ::read(file_, into, most);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) return Error(Code::bad_request, path_ + ": " + std::strerror(errno));
    }
  }

 private:
  int file_;
  std::string path_;
};

void append_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6), put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12), put(0x80 | (c >> 6 & 0x3F)), put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18), put(0x80 | (c >> 12 & 0x3F)), put(0x80 | (c >> 6 & 0x3F)), put(0x80 | (c & 0x3F));
  }
}

}  // namespace

std::unique_ptr<Bytes> bytes_of(std::string_view text) { return std::make_unique<Text>(text); }

Result<std::unique_ptr<Bytes>> open_bytes(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return Error(Code::bad_request, path + ": " + std::strerror(errno));
  return std::unique_ptr<Bytes>(std::make_unique<File>(file, path));
}

Utf8::Utf8(std::unique_ptr<Bytes> from) : from_(std::move(from)), buffer_(kBuffer, '\0') {}

int Utf8::fail(Error error) {
  status_ = std::move(error);
  return kEnd;
}

int Utf8::raw() {
  if (at_ == size_) {
    if (!status_.ok()) return kEnd;
    const auto got = from_->read(buffer_.data(), buffer_.size());
    if (!got.ok()) return fail(got.error());
    if (*got == 0) return kEnd;
    at_ = 0, size_ = *got;
  }
  ++bytes_;
  return static_cast<unsigned char>(buffer_[at_++]);
}

/// Looks for a mark. What is none is given out as it was read.
int Utf8::begin() {
  form_ = Form::plain;
  const int first = raw();
  if (first == kEnd) return kEnd;
  if (first != 0xEF && first != 0xFE && first != 0xFF) return first;
  pending_ += static_cast<char>(first);
  const int second = raw();
  if (second != kEnd) pending_ += static_cast<char>(second);
  if (first == 0xFF && second == 0xFE) form_ = Form::little;
  if (first == 0xFE && second == 0xFF) form_ = Form::big;
  if (first == 0xEF && second == 0xBB) {
    const int third = raw();
    if (third == 0xBF) pending_.clear();
    else if (third != kEnd) pending_ += static_cast<char>(third);
  }
  if (form_ != Form::plain) pending_.clear();
  given_ = 0;
  return decoded();
}

int Utf8::unit() {
  const int first = raw();
  if (first == kEnd) return kEnd;
  const int second = raw();
  if (second == kEnd) return fail(Error(Code::bad_request, "the file ends within a character of UTF-16"));
  return form_ == Form::little ? first | second << 8 : first << 8 | second;
}

int Utf8::decoded() {
  if (given_ < pending_.size()) return static_cast<unsigned char>(pending_[given_++]);
  if (form_ == Form::plain) return raw();
  pending_.clear();
  given_ = 0;
  const int high = unit();
  if (high == kEnd) return kEnd;
  auto character = static_cast<std::uint32_t>(high);
  if (high >= 0xD800 && high < 0xE000) {
    const int low = high < 0xDC00 ? unit() : kEnd;
    if (low < 0xDC00 || low >= 0xE000) return fail(Error(Code::bad_request, "the file is no well-formed UTF-16"));
    character = 0x10000 + (static_cast<std::uint32_t>(high & 0x3FF) << 10) + static_cast<std::uint32_t>(low & 0x3FF);
  }
  append_utf8(pending_, character);
  return static_cast<unsigned char>(pending_[given_++]);
}

int Utf8::next() {
  if (peeked_ != -2) return std::exchange(peeked_, -2);
  if (!status_.ok()) return kEnd;
  return form_ == Form::unknown ? begin() : decoded();
}

int Utf8::peek() {
  if (peeked_ == -2) peeked_ = next();
  return peeked_;
}

}  // namespace mandate::cli
