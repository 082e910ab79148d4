// The words between mandated and a script child: small binary heads before JSON texts, many at a time over socketpairs.
//
//   frame = length u32 · type u8 · flags u8 · sequence u16 · realm u32 · call u32 · text      (little-endian; length of the text)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mandate::scripts {

enum class FrameType : std::uint8_t {
  // from the child
  result = 1,   ///< what the call ended with; flag 1: nothing of it is left running
  invoke = 2,   ///< {"method","arguments"}: answered by `answer` with the same sequence
  console = 3,  ///< {"level","text"}
  failed = 4,   ///< {"kind","message","stack"}: the call is over
  ended = 5,    ///< what went on after the answer has ended too
  gone = 6,     ///< {"reason","running"}: the realm's Worker ended; `running` is the call that held its thread
  pong = 7,
  checked = 8,  ///< flag 1: the text compiles; else as `failed`
  hello = 9,    ///< {"node"}: the process is up
  holding = 10, ///< the main thread's answer to `who`; `call` is it, 0 for none
  // to the child
  script = 20,  ///< {"name","source","kind"}; sequence is the slot that calls name
  call = 21,    ///< the context; sequence is the script's slot; flag 1: with the files that were sent last
  answer = 22,  ///< flag 1: a value; else {"code","message","statusCode"}
  cancel = 23,
  terminate = 24,
  ping = 25,
  check = 26,   ///< {"name","source"}
  open = 27,    ///< to the main thread: a Worker for the realm; sequence is its descriptor
  who = 28,     ///< to the main thread: whose code holds the realm's thread?
  bundle = 29,  ///< the files of later calls: length of the index u32 · {"version","files":{path:[offset,bytes]}} · the files
  environment = 30,  ///< what process.env and mobileservice-config give from now on
};

struct Frame {
  FrameType type{};
  std::uint8_t flags = 0;
  std::uint16_t sequence = 0;
  std::uint32_t realm = 0, call = 0;
  std::string_view text;
};

inline constexpr std::size_t kFrameHead = 16;

/// Appends one frame. `text` must be shorter than 2^32 bytes.
void append_frame(std::string& out, const Frame& frame);

/// Cuts a stream into frames. Trusts nothing of it: a text above the limit or an unknown type is Code::corrupt, and the
/// stream is then good for nothing more.
class FrameReader {
 public:
  explicit FrameReader(std::size_t text_limit) : limit_(text_limit) {}
  void feed(std::string_view bytes);
  /// The next whole frame; nullopt when more bytes are needed. Its text is valid until the next feed().
  Result<std::optional<Frame>> next();

 private:
  std::size_t limit_, at_ = 0;
  std::string buffer_;
};

}  // namespace mandate::scripts
