// The body of POST /tables/$batch.
#include <algorithm>

#include "tables/wire/batch.h"

using namespace mandate;
using namespace mandate::tables::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = read_batch({reinterpret_cast<const char*>(data), size}, "/s/a/tables/", "https://app.example");
  if (!read.ok()) return 0;
  for (const BatchedRequest& request : *read) {
    if (!request.of.empty()) {  // its address is known once the one it is about was made
      if (!request.segments.empty() || std::ranges::find(request.after, request.of) == request.after.end()) __builtin_trap();
      continue;
    }
    if (!request.path.starts_with("/s/a/tables/") || request.segments.empty() || request.segments.size() > 2) __builtin_trap();
    for (const std::string& segment : request.segments)
      if (segment.find('/') != std::string::npos || segment.find('\0') != std::string::npos) __builtin_trap();
  }
  return 0;
}
