// Whatever parse_json reads it can also print, copy and read again.
#include <cstdlib>

#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto first = mandate::parse_json(text);
  if (!first.ok()) return 0;
  const mandate::Json copy = *first;
  const std::string printed = mandate::to_json(copy);
  mandate::JsonLimits wide;
  wide.bytes = 64 << 20;
  const auto again = mandate::parse_json(printed, wide);
  if (!again.ok() || mandate::to_json(*again) != printed) std::abort();
  return 0;
}
