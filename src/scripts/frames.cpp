#include "scripts/frames.h"

namespace mandate::scripts {
namespace {

template <std::unsigned_integral I>
char* put(char* at, I value) {
  for (std::size_t i = 0; i < sizeof(I); ++i) *at++ = static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
  return at;
}
template <std::unsigned_integral I>
I get(std::string_view bytes, std::size_t at) {
  I value = 0;
  for (std::size_t i = 0; i < sizeof(I); ++i) value |= static_cast<I>(static_cast<I>(static_cast<unsigned char>(bytes[at + i])) << (8 * i));
  return value;
}

bool known(std::uint8_t type) { return (type >= 1 && type <= 10) || (type >= 20 && type <= 30); }

}  // namespace

void append_frame(std::string& out, const Frame& frame) {
  char head[kFrameHead];
  char* at = put(head, static_cast<std::uint32_t>(frame.text.size()));
  at = put(at, static_cast<std::uint8_t>(frame.type));
  at = put(at, frame.flags);
  at = put(at, frame.sequence);
  at = put(at, frame.realm);
  put(at, frame.call);
  out.append(head, sizeof head).append(frame.text);
}

void FrameReader::feed(std::string_view bytes) {
  // What was handed out is dropped now, not in next(), so that its text stays valid until here.
  buffer_.erase(0, at_);
  at_ = 0;
  buffer_.append(bytes);
}

Result<std::optional<Frame>> FrameReader::next() {
  const std::string_view rest = std::string_view(buffer_).substr(at_);
  if (rest.size() < kFrameHead) return std::optional<Frame>();
  const auto length = get<std::uint32_t>(rest, 0);
  const auto type = get<std::uint8_t>(rest, 4);
  if (length > limit_) return Error(Code::corrupt, "", "frame of " + std::to_string(length) + " bytes");
  if (!known(type)) return Error(Code::corrupt, "", "frame of unknown type " + std::to_string(type));
  if (rest.size() < kFrameHead + length) return std::optional<Frame>();
  at_ += kFrameHead + length;
  return std::optional<Frame>(Frame{static_cast<FrameType>(type), get<std::uint8_t>(rest, 5), get<std::uint16_t>(rest, 6),
                                    get<std::uint32_t>(rest, 8), get<std::uint32_t>(rest, 12), rest.substr(kFrameHead, length)});
}

}  // namespace mandate::scripts
