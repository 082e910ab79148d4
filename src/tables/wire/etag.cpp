#include "tables/wire/etag.h"

#include "tables/operations.h"

namespace mandate::tables::wire {
namespace {

void skip_blanks(std::string_view& text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
}

/// Takes "…" off the front, escapes undone; nullopt when there is none.
std::optional<std::string> take_tag(std::string_view& text) {
  if (!text.starts_with('"')) return std::nullopt;
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      out += text[++i];
    } else if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return out;
    } else {
      out += text[i];
    }
  }
  return std::nullopt;
}

}  // namespace

std::string etag_of(std::string_view version) {
  std::string out = "\"";
  for (char c : version) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

Result<std::optional<std::string>> expected_version(std::string_view if_match) {
  skip_blanks(if_match);
  while (if_match.ends_with(' ') || if_match.ends_with('\t')) if_match.remove_suffix(1);
  if (if_match.empty() || if_match == "*") return std::optional<std::string>();
  std::optional<std::string> tag = take_tag(if_match);
  if (!tag || !if_match.empty()) return Error(Code::bad_request, "Invalid 'if-match' header.");
  return tag;
}

Result<TagList> read_tags(std::string_view text, Tags how) {
  const Error bad(Code::bad_request, "A list of entity tags is malformed.");
  TagList out;
  skip_blanks(text);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  if (text == "*") {
    out.any = true;
    return out;
  }
  while (!text.empty()) {
    const bool weak = text.starts_with("W/");
    if (weak) text.remove_prefix(2);
    auto tag = take_tag(text);
    if (!tag) return bad;
    const auto stamp = stamp_of(*tag);
    const bool counts = !weak || how == Tags::weak;
    if (counts && stamp) out.stamps.push_back(*stamp);
    if (counts && !stamp) out.foreign.push_back(*std::move(tag));
    skip_blanks(text);
    if (text.empty()) break;
    if (!text.starts_with(',')) return bad;
    while (text.starts_with(',') || text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);  // empty elements are nothing
  }
  return out;
}

bool none_match_hits(std::string_view list, std::string_view version) {
  skip_blanks(list);
  if (list.starts_with('*')) return true;
  while (!list.empty()) {
    if (list.starts_with("W/")) list.remove_prefix(2);
    const auto tag = take_tag(list);
    if (!tag) return false;
    if (*tag == version) return true;
    skip_blanks(list);
    if (!list.starts_with(',')) return false;
    list.remove_prefix(1);
    skip_blanks(list);
  }
  return false;
}

}  // namespace mandate::tables::wire
