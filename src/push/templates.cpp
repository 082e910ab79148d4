#include "push/templates.h"

#include "base/url.h"

namespace mandate::push {
namespace {

constexpr std::int64_t kMostCut = 10'000;

const Json* find(const JsonObject& object, std::string_view name) {
  if (const Json* exact = object.if_contains(name)) return exact;
  for (const auto& member : object)
    if (iequals(std::string_view(member.key().data(), member.key().size()), name)) return &member.value();
  return nullptr;
}

const Json* find(const Properties& properties, std::string_view name) {
  const Json* value = find(properties.message, name);
  return value ? value : find(properties.device, name);
}

std::string text_of(const Json* value) {
  if (!value || value->is_null()) return {};
  if (value->is_string()) return std::string(view(value->get_string()));
  return to_json(*value);
}

/// The first `most` characters of UTF-8 text, not bytes.
std::string_view first(std::string_view text, std::int64_t most) {
  std::size_t at = 0;
  while (at < text.size() && most > 0) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
    --most;
  }
  return text.substr(0, at);
}

std::string cut(const std::string& text, std::int64_t most, bool dots) {
  const std::string_view kept = first(text, most);
  if (kept.size() == text.size()) return text;
  if (!dots) return std::string(kept);
  if (most <= 3) return std::string(static_cast<std::size_t>(most), '.');
  return std::string(first(text, most - 3)) + "...";
}

bool in_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'; }

struct Expression {
  char sort = 0;  ///< $ . % # or ' for text
  std::string_view name;
  std::int64_t most = -1;
};

void skip(std::string_view text, std::size_t& at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
}

/// An expression at `at`, which moves behind it; nullopt when there is none.
std::optional<Expression> expression_at(std::string_view text, std::size_t& at) {
  if (at + 1 >= text.size() || text[at + 1] != '(' || std::string_view("$.%#").find(text[at]) == std::string_view::npos) return std::nullopt;
  Expression out;
  out.sort = text[at];
  std::size_t here = at + 2;
  skip(text, here);
  const std::size_t from = here;
  while (here < text.size() && in_name(text[here])) ++here;
  out.name = text.substr(from, here - from);
  skip(text, here);
  if (out.name.empty()) return std::nullopt;
  if (here < text.size() && text[here] == ',') {
    ++here;
    skip(text, here);
    const auto [end, error] = std::from_chars(text.data() + here, text.data() + text.size(), out.most);
    if (error != std::errc() || out.most < 0 || out.most > kMostCut) return std::nullopt;
    here = static_cast<std::size_t>(end - text.data());
    skip(text, here);
  }
  const bool needs = out.sort == '.', may = needs || out.sort == '$';
  if (here >= text.size() || text[here] != ')' || (needs && out.most < 0) || (!may && out.most >= 0)) return std::nullopt;
  at = here + 1;
  return out;
}

std::string value_of(const Expression& expression, const Properties& properties) {
  if (expression.sort == '\'') return std::string(expression.name);
  const std::string text = text_of(find(properties, expression.name));
  if (expression.sort == '%') return percent_encode(text);
  if (expression.most >= 0) return cut(text, expression.most, expression.sort == '.');
  return text;
}

/// "{" … "}" at `at`, which moves behind it; nullopt when it is something else, JSON for example.
std::optional<std::string> concatenation_at(std::string_view text, std::size_t& at, const Properties& properties) {
  if (at >= text.size() || text[at] != '{') return std::nullopt;
  std::string out;
  std::size_t here = at + 1;
  while (true) {
    skip(text, here);
    if (here < text.size() && (text[here] == '\'' || text[here] == '"')) {
      const std::size_t end = text.find(text[here], here + 1);
      if (end == std::string_view::npos) return std::nullopt;
      out += text.substr(here + 1, end - here - 1);
      here = end + 1;
    } else if (const auto expression = expression_at(text, here)) {
      out += value_of(*expression, properties);
    } else {
      return std::nullopt;
    }
    skip(text, here);
    if (here >= text.size()) return std::nullopt;
    const char next = text[here++];
    if (next == '}') break;
    if (next != '+') return std::nullopt;
  }
  at = here;
  return out;
}

void append_xml(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&apos;"; break;
      default:
        if (static_cast<unsigned char>(c) >= ' ' || c == '\t' || c == '\n' || c == '\r') out += c;
    }
  }
}

std::string replace(std::string_view text, const Properties& properties, bool xml) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (const auto expression = expression_at(text, at)) {
      const std::string value = value_of(*expression, properties);
      if (xml) append_xml(out, value);
      else out += value;
    } else if (const auto joined = concatenation_at(text, at, properties)) {
      if (xml) append_xml(out, *joined);
      else out += *joined;
    } else {
      out += text[at++];
    }
  }
  return out;
}

/// In place; the tree was parsed with bounded depth.
void replace_in(Json& value, const Properties& properties) {
  if (value.is_array()) {
    for (Json& each : value.get_array()) replace_in(each, properties);
  } else if (value.is_object()) {
    for (auto& member : value.get_object()) replace_in(member.value(), properties);
  } else if (value.is_string()) {
    const std::string text(view(value.get_string()));
    std::size_t at = 0;
    const auto whole = expression_at(text, at);
    if (whole && at == text.size() && whole->sort == '#') {
      const Json* found = find(properties, whole->name);
      // A number that came as text is one here.
      const Result<Json> number = found && found->is_string() ? parse_json(view(found->get_string())) : Result<Json>(Error(Code::bad_request));
      value = !found ? Json("") : number.ok() && (number->is_number() || number->is_bool()) ? *number : *found;
    } else {
      value = replace(text, properties, false);
    }
  }
}

bool is_json(Platform platform) { return platform == Platform::apns || platform == Platform::gcm || platform == Platform::webpush; }

Result<Json> tree_of(std::string_view body) {
  Result<Json> tree = parse_json(body);
  if (!tree.ok() || !tree->is_object()) return Error(Code::bad_request, "The template's body must be a JSON object.");
  return tree;
}

}  // namespace

Result<void> check_template(Platform platform, std::string_view body) {
  if (!valid_utf8(body)) return Error(Code::bad_request, "The template's body must be UTF-8.");
  if (is_json(platform)) CHECK_OK(tree_of(body));
  return {};
}

Result<std::string> render(Platform platform, std::string_view body, const Properties& properties) {
  if (!is_json(platform)) {
    const std::size_t start = body.find_first_not_of(" \t\r\n");
    return replace(body, properties, start != std::string_view::npos && body[start] == '<');
  }
  TRY(Json tree, tree_of(body));
  replace_in(tree, properties);
  return to_json(tree);
}

std::string render_text(std::string_view text, const Properties& properties) { return replace(text, properties, false); }

}  // namespace mandate::push
