#include "tables/wire/page_token.h"

#include <charconv>

#include "base/crypto.h"
#include "base/url.h"

namespace mandate::tables::wire {
namespace {

constexpr std::size_t kLongest = 4096;

Error not_ours() { return {Code::bad_request, "The value of '$skiptoken' is not one of ours."}; }

void append_field(std::string& out, std::string_view field) {
  out += std::to_string(field.size());
  out += ':';
  out += field;
}

}  // namespace

std::string page_scope(const Turn& turn, const identity::Principal& caller) {
  std::string out = "page token\n";
  append_field(out, turn.here->name);
  append_field(out, turn.service->name);
  append_field(out, turn.table->name);
  out += static_cast<char>('1' + static_cast<int>(turn.dialect));
  out += caller.level == identity::Level::admin ? 'a' : 'u';
  append_field(out, caller.user_id);
  for (const auto& [name, value] : turn.parameters) {
    const bool decides = iequals(name, "$filter") || iequals(name, "$orderby") || iequals(name, "__includedeleted");
    if (!decides) continue;
    append_field(out, ascii_lower(name));
    append_field(out, value);
  }
  return sha256(out);
}

std::string page_keys(const std::vector<store::Value>& last) {
  JsonArray keys;
  for (const store::Value& key : last) {
    if (const auto* text = std::get_if<std::string>(&key)) keys.emplace_back(*text);
    else if (const auto* whole = std::get_if<std::int64_t>(&key)) keys.emplace_back(*whole);
  }
  return to_json(Json(std::move(keys)));
}

Result<std::vector<store::Value>> read_page_keys(std::string_view text) {
  const Result<Json> parsed = parse_json(text);
  if (!parsed.ok() || !parsed->is_array() || parsed->get_array().empty()) return not_ours();
  std::vector<store::Value> out;
  for (const Json& key : parsed->get_array()) {
    if (key.is_string()) out.emplace_back(std::string(view(key.get_string())));
    else if (key.is_int64()) out.emplace_back(key.get_int64());
    else return not_ours();
  }
  return out;
}

std::string seal_page(const tenant::Vault& vault, std::string_view scope, const std::vector<store::Value>& last, Millis now) {
  return vault.seal(std::to_string(now) + page_keys(last), scope);
}

Result<std::vector<store::Value>> open_page(const tenant::Vault& vault, std::string_view scope, std::string_view token, Millis now) {
  if (token.size() > kLongest) return not_ours();
  const Result<Secret> opened = vault.unseal(token, scope);
  if (!opened.ok()) return not_ours();
  const std::string_view text = opened->reveal();
  Millis made = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), made);
  if (error != std::errc()) return not_ours();
  if (now - made > kPageTokenLifetime) return Error(Code::bad_request, "The value of '$skiptoken' is too old. Ask for the list from its beginning.");
  return read_page_keys(text.substr(static_cast<std::size_t>(end - text.data())));
}

}  // namespace mandate::tables::wire
