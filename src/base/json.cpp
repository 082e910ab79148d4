#include "base/json.h"

#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <cstring>

namespace mandate {
namespace {

namespace dom = simdjson::dom;

struct Counter {
  const JsonLimits& limits;
  std::size_t values = 0, depth = 0;
};

/// One level down; back up at the end of the scope.
struct Level {
  explicit Level(Counter& c) : counter(c) { ++counter.depth; }
  ~Level() { --counter.depth; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;
  bool too_deep() const { return counter.depth > counter.limits.depth; }
  Counter& counter;
};

Error refuse(std::string hint) { return Error(Code::invalid_request, std::move(hint)); }

// Fills the place where the value is to stand. Refuses what is deeper than asked for at once, so this recursion is bounded.
Result<void> convert(dom::element element, Counter& counter, Json& out) {
  if (++counter.values > counter.limits.values) return refuse("The JSON has too many values.");
  switch (element.type()) {
    case dom::element_type::NULL_VALUE: out = nullptr; return {};
    case dom::element_type::BOOL: out = bool(element.get_bool().value_unsafe()); return {};
    case dom::element_type::INT64: out = std::int64_t(element.get_int64().value_unsafe()); return {};
    case dom::element_type::UINT64: out = std::uint64_t(element.get_uint64().value_unsafe()); return {};
    case dom::element_type::DOUBLE: out = double(element.get_double().value_unsafe()); return {};
    case dom::element_type::STRING: {
      const std::string_view text = element.get_string().value_unsafe();
      if (text.size() > counter.limits.string_bytes) return refuse("A JSON string is too long.");
      out.emplace_string().assign(text);
      return {};
    }
    case dom::element_type::ARRAY: {
      const Level level(counter);
      if (level.too_deep()) return refuse("The JSON is nested too deeply.");
      const dom::array children = element.get_array().value_unsafe();  // named: a range-for would let the temporary go
      JsonArray& array = out.emplace_array();
      array.reserve(std::min(children.size(), counter.limits.values));
      for (dom::element child : children) CHECK_OK(convert(child, counter, array.emplace_back(nullptr)));
      return {};
    }
    case dom::element_type::OBJECT: {
      const Level level(counter);
      if (level.too_deep()) return refuse("The JSON is nested too deeply.");
      const dom::object members = element.get_object().value_unsafe();
      if (members.size() > counter.limits.members) return refuse("A JSON object has too many members.");
      JsonObject& object = out.emplace_object();
      object.reserve(members.size());
      for (dom::key_value_pair pair : members) {
        if (pair.key.size() > counter.limits.string_bytes) return refuse("A JSON name is too long.");
        const auto [member, fresh] = object.emplace(pair.key, nullptr);
        if (!fresh) return refuse("A JSON member name occurs twice.");
        CHECK_OK(convert(pair.value, counter, member->value()));
      }
      return {};
    }
  }
  return refuse("The body is not valid JSON.");
}

/// Whether one of eight bytes is below 0x20, a quote or a backslash: the three tests of every byte at once. (A byte with the
/// high bit set is none of them, and `~word` keeps the borrow of a subtraction from calling it one.)
bool any_escaped(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U, kHigh = 0x8080808080808080U;
  const std::uint64_t quote = word ^ (kOnes * '"'), backslash = word ^ (kOnes * '\\');
  const std::uint64_t below = (word - kOnes * 0x20) & ~word, is_quote = (quote - kOnes) & ~quote, is_backslash = (backslash - kOnes) & ~backslash;
  return ((below | is_quote | is_backslash) & kHigh) != 0;
}

/// The first byte at or after `i` that is not written as it is.
std::size_t next_escaped(std::string_view text, std::size_t i) {
  for (std::uint64_t word = 0; i + sizeof word <= text.size(); i += sizeof word) {
    std::memcpy(&word, text.data() + i, sizeof word);
    if (any_escaped(word)) break;
  }
  for (; i < text.size(); ++i)
    if (const auto c = static_cast<unsigned char>(text[i]); c < 0x20 || c == '"' || c == '\\') break;
  return i;
}

bool fits_64_bits(std::string_view number) {
  const char *from = number.data(), *to = from + number.size();
  std::int64_t whole;
  std::uint64_t positive;
  return std::from_chars(from, to, whole).ec == std::errc() || std::from_chars(from, to, positive).ec == std::errc();
}

/// The text with whole numbers beyond 64 bits spelt as doubles. JavaScript writes 2^64 and up to 1e21 with all
/// its digits; simdjson takes them for mistakes. Only for texts that it refused.
std::string with_wide_integers(std::string_view text) {
  constexpr std::size_t kDigits = 19;  // 2^63 has as many
  std::string out;
  out.reserve(text.size() + 64);
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '"') {
      std::size_t end = i + 1;
      while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
      end = std::min(end + 1, text.size());
      out.append(text.substr(i, end - i));
      i = end;
      continue;
    }
    if (text[i] != '-' && (text[i] < '0' || text[i] > '9')) {
      out += text[i++];
      continue;
    }
    const std::size_t end = std::min(text.find_first_not_of("0123456789.eE+-", i), text.size());
    const std::string_view number = text.substr(i, end - i);
    out += number;
    if (number.size() >= kDigits && number.find_first_of(".eE") == std::string_view::npos && !fits_64_bits(number)) out += "e0";
    i = end;
  }
  return out;
}

}  // namespace

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes) return Error(Code::payload_too_large, "The body is too large.");
  if (text.starts_with("\xEF\xBB\xBF")) return refuse("The JSON starts with a byte order mark.");
  // One parser a thread: its buffers are the expensive part, so they stay until a text needs more, or one was large.
  // Its depth stays too; `convert` keeps to the one asked for.
  constexpr std::size_t kKept = 64 * 1024;
  static thread_local dom::parser parser;
  const bool oversized = parser.capacity() > kKept && text.size() <= kKept;
  if (parser.max_depth() < limits.depth + 1 || parser.capacity() < text.size() || oversized) {
    const std::size_t depth = std::max(parser.max_depth(), limits.depth + 1);
    if (parser.allocate(std::max<std::size_t>(text.size(), 4096), depth)) return refuse("The JSON is too large.");
  }
  simdjson::padded_string padded(text);
  dom::element root;
  auto error = parser.parse(padded).get(root);
  if (error == simdjson::NUMBER_ERROR) {
    padded = simdjson::padded_string(with_wide_integers(text));
    error = parser.parse(padded).get(root);
  }
  if (error) {
    return error == simdjson::DEPTH_ERROR ? refuse("The JSON is nested too deeply.") : refuse("The body is not valid JSON.");
  }
  Counter counter{limits};
  Json out;
  CHECK_OK(convert(root, counter, out));
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  std::size_t start = 0;
  for (std::size_t i = next_escaped(text, 0); i < text.size(); i = next_escaped(text, start)) {
    out.append(text.substr(start, i - start));
    start = i + 1;
    switch (const auto c = static_cast<unsigned char>(text[i]); c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default: out += "\\u00", out += kHex[c >> 4], out += kHex[c & 15];
    }
  }
  out.append(text.substr(start));
  out += '"';
}

void append_json_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char buffer[40];
  std::to_chars_result end{};
  if (value == std::floor(value) && std::abs(value) < 9007199254740992.0)
    end = std::to_chars(buffer, buffer + sizeof buffer, static_cast<std::int64_t>(value));
  else
    end = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, end.ptr);
}

void append_json(std::string& out, const Json& value) {
  char buffer[24];
  switch (value.kind()) {
    case boost::json::kind::null: out += "null"; break;
    case boost::json::kind::bool_: out += value.get_bool() ? "true" : "false"; break;
    case boost::json::kind::int64:
      out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value.get_int64()).ptr);
      break;
    case boost::json::kind::uint64:
      out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value.get_uint64()).ptr);
      break;
    case boost::json::kind::double_: append_json_number(out, value.get_double()); break;
    case boost::json::kind::string: append_json_string(out, view(value.get_string())); break;
    case boost::json::kind::array: {
      out += '[';
      bool first = true;
      for (const Json& child : value.get_array()) {
        if (!std::exchange(first, false)) out += ',';
        append_json(out, child);
      }
      out += ']';
      break;
    }
    case boost::json::kind::object: {
      out += '{';
      bool first = true;
      for (const auto& member : value.get_object()) {
        if (!std::exchange(first, false)) out += ',';
        append_json_string(out, {member.key().data(), member.key().size()});
        out += ':';
        append_json(out, member.value());
      }
      out += '}';
      break;
    }
  }
}

std::string to_json(const Json& value) {
  std::string out;
  append_json(out, value);
  return out;
}

std::optional<std::string_view> text_member(const JsonObject& object, std::string_view name) {
  const Json* value = object.if_contains(name);
  if (!value || !value->is_string()) return std::nullopt;
  return view(value->get_string());
}

std::optional<std::int64_t> integer_member(const JsonObject& object, std::string_view name) {
  const Json* value = object.if_contains(name);
  if (!value) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  if (value->is_double()) {
    const double d = value->get_double();
    if (d == std::floor(d) && std::abs(d) < 9007199254740992.0) return static_cast<std::int64_t>(d);
  }
  return std::nullopt;
}

std::optional<bool> bool_member(const JsonObject& object, std::string_view name) {
  const Json* value = object.if_contains(name);
  if (!value || !value->is_bool()) return std::nullopt;
  return value->get_bool();
}

}  // namespace mandate
