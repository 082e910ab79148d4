#include "tables/ids.h"

#include <charconv>

#include "base/url.h"

namespace mandate::tables {

bool valid_id(std::string_view id) {
  if (id.empty() || id == "." || id == ".." || !valid_utf8(id)) return false;
  std::size_t characters = 0;
  for (std::size_t i = 0; i < id.size(); ++i) {
    const auto c = static_cast<unsigned char>(id[i]);
    if ((c & 0xC0) != 0x80) ++characters;
    if (c < 0x20 || c == 0x7F) return false;
    if (c == 0xC2 && static_cast<unsigned char>(id[i + 1]) < 0xA0) return false;  // U+0080 … U+009F
    if (std::string_view("\"+?\\/`").find(id[i]) != std::string_view::npos) return false;
  }
  return characters <= 255;
}

bool valid_datasync_id(std::string_view id) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  if (id.empty() || id.size() > 127 || !plain(id.front())) return false;
  return std::ranges::all_of(id, [&](char c) { return plain(c) || std::string_view("_.-:|").find(c) != std::string_view::npos; });
}

Result<store::Value> id_of_url(const Schema& schema, std::string_view id) {
  if (!schema.integer_id) {
    if (!valid_id(id)) return Error(Code::bad_request, "The value specified for 'id' is not valid.");
    return store::Value(std::string(id));
  }
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  if (id.empty() || error != std::errc{} || end != id.data() + id.size())
    return Error(Code::bad_request, "The value specified for 'id' must be a number.");
  return store::Value(number);
}

Result<std::optional<std::string>> chosen_id(const Schema& schema, Dialect dialect, const Json* member) {
  if (!member || member->is_null()) return std::optional<std::string>();
  if (schema.integer_id) {
    const bool nothing = (member->is_string() && member->get_string().empty()) || (member->is_int64() && member->get_int64() == 0) ||
                         (member->is_double() && member->get_double() == 0);
    if (nothing) return std::optional<std::string>();
    return Error(Code::bad_request, "A value cannot be specified for property 'id'");
  }
  if (!member->is_string()) return Error(Code::bad_request, "The value specified for property 'id' is expected to be a string.");
  const std::string_view id = view(member->get_string());
  if (id.empty()) return std::optional<std::string>();
  if (!valid_id(id)) return Error(Code::bad_request, "An id must be 1 to 255 characters without \" + ? \\ / ` and control characters.");
  if (is_datasync(dialect) && !valid_datasync_id(id))
    return Error(Code::bad_request, "An id must begin with a letter or digit, followed by at most 126 letters, digits and _ . - : |");
  return std::optional<std::string>(id);
}

Error no_such_item(std::string_view id) {
  return Error(Code::not_found, "An item with id '" + std::string(id) + "' does not exist.");
}

}  // namespace mandate::tables
