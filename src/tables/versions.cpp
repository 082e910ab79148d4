#include "base/base64.h"
#include "tables/operations.h"

namespace mandate::tables {

std::string wire_version(Millis stamp) {
  std::string bytes(8, '\0');
  for (int i = 7; i >= 0; --i, stamp >>= 8) bytes[static_cast<std::size_t>(i)] = static_cast<char>(stamp & 0xFF);
  return base64(bytes);
}

std::optional<Millis> stamp_of(std::string_view version) {
  const auto bytes = base64_any_decode(version);
  if (!bytes || bytes->size() != 8) return std::nullopt;
  std::uint64_t stamp = 0;
  for (const char c : *bytes) stamp = stamp << 8 | static_cast<unsigned char>(c);
  return static_cast<Millis>(stamp);
}

}  // namespace mandate::tables
