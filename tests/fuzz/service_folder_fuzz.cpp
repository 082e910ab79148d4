// A service's folder as the owner's socket gets it, and the settings that are in it.
#include "tables/code/derive.h"

using namespace mandate;
using namespace mandate::tables::code;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto files = parse_folder({reinterpret_cast<const char*>(data), size});
  if (!files.ok()) return 0;
  if (*parse_folder(write_folder(*files)) != *files) __builtin_trap();
  const auto derived = derive(*files);
  if (derived.ok()) (void)desire(*derived, *files, {}, "demo", "default", 1, "h");
  return 0;
}
