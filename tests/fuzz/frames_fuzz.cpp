// The stream from a script child: whatever a compromised Node could write on its socket.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "scripts/frames.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mandate::scripts;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  FrameReader whole(1 << 16), pieces(1 << 16);
  std::string from_whole, from_pieces;
  const auto drain = [](FrameReader& reader, std::string& into) {
    for (;;) {
      auto frame = reader.next();
      if (!frame.ok()) return false;
      if (!frame->has_value()) return true;
      append_frame(into, **frame);
    }
  };
  whole.feed(bytes);
  const bool good = drain(whole, from_whole);
  bool good_pieces = true;
  for (std::size_t at = 0; at < size && good_pieces; at += 7) {
    pieces.feed(bytes.substr(at, 7));
    good_pieces = drain(pieces, from_pieces);
  }
  // The cut of the stream must not matter, and what is read is written back as it came.
  if (good != good_pieces || from_whole != from_pieces || !bytes.starts_with(from_whole)) std::abort();
  return 0;
}
