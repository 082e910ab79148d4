#include "store/postgres/table.h"

#include <strings.h>

#include "base/crypto.h"

namespace mandate::store::postgres {
namespace {

constexpr std::size_t kLongestName = 63, kKeptOfLonger = 40;

std::string doubled(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out + quote;
}

}  // namespace

const Column* Table::find(std::string_view column) const {
  for (const Column& c : columns)
    if (c.name.size() == column.size() && ::strncasecmp(c.name.data(), column.data(), column.size()) == 0) return &c;
  return nullptr;
}

std::string identifier(std::string_view name) {
  if (name.size() <= kLongestName) return doubled(name, '"');
  std::size_t end = kKeptOfLonger;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  return doubled(std::string(name.substr(0, end)) + '~' + token_hash(name).substr(0, 20), '"');
}

std::string literal_sql(std::string_view text) { return doubled(text, '\''); }

}  // namespace mandate::store::postgres
