#include "http/wire/chunked.h"

#include <algorithm>

#include "http/wire/characters.h"

namespace mandate::http::wire {
namespace {
constexpr std::size_t kExtensionBytes = 256, kTrailerBytes = 2 << 10;
}

ChunkedReader::Step ChunkedReader::read(std::string_view& bytes, std::string& body, std::size_t limit) {
  while (!bytes.empty()) {
    if (state_ == State::data) {
      const std::size_t take = std::min<std::uint64_t>(size_, bytes.size());
      body.append(bytes.substr(0, take));
      bytes.remove_prefix(take);
      size_ -= take;
      if (size_ == 0) state_ = State::data_cr;
      continue;
    }
    const char c = bytes.front();
    bytes.remove_prefix(1);
    switch (state_) {
      case State::size: {
        if (const int digit = hex_digit(c); digit >= 0) {
          if (++digits_ > 8) return Step::refused;
          size_ = size_ << 4 | static_cast<std::uint64_t>(digit);
          if (size_ > limit || body.size() + size_ > limit) return Step::too_large;
        } else if (digits_ == 0) {
          return Step::refused;
        } else if (c == '\r') {
          state_ = State::size_lf;
        } else if (c == ';') {
          state_ = State::extension;
        } else {
          return Step::refused;
        }
        break;
      }
      case State::extension:
        if (c == '\r') state_ = State::size_lf;
        else if (!is_field_value({&c, 1}) || ++extension_ > kExtensionBytes) return Step::refused;
        break;
      case State::size_lf:
        if (c != '\n') return Step::refused;
        state_ = size_ ? State::data : State::trailer_start;
        digits_ = 0, extension_ = 0;
        break;
      case State::data_cr:
        if (c != '\r') return Step::refused;
        state_ = State::data_lf;
        break;
      case State::data_lf:
        if (c != '\n') return Step::refused;
        state_ = State::size;
        break;
      case State::trailer_start:
        if (c == '\r') {
          state_ = State::end_lf;
          break;
        }
        if (!kTokenCharacters[static_cast<unsigned char>(c)]) return Step::refused;
        state_ = State::trailer;
        [[fallthrough]];
      case State::trailer:
        if (++trailer_ > kTrailerBytes) return Step::refused;
        if (c == '\r') state_ = State::trailer_lf;
        else if (!is_field_value({&c, 1})) return Step::refused;
        break;
      case State::trailer_lf:
        if (c != '\n') return Step::refused;
        state_ = State::trailer_start;
        break;
      case State::end_lf: return c == '\n' ? Step::done : Step::refused;
      case State::data: break;
    }
  }
  return Step::more;
}

}  // namespace mandate::http::wire
