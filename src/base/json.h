// JSON: trees are boost::json values, text in is read strictly through simdjson, text out is written by us.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mandate {

using Json = boost::json::value;
using JsonObject = boost::json::object;
using JsonArray = boost::json::array;

/// Limits of security-and-reliability 0.2.
struct JsonLimits {
  std::size_t bytes = 1 << 20;
  std::size_t depth = 64;
  std::size_t members = 1000;  ///< per object
  std::size_t values = 100'000;
  std::size_t string_bytes = 256 * 1024;
};

/// Reads exactly one JSON text. Refused with invalid_request: syntax, trailing text, BOM, invalid UTF-8, lone surrogates,
/// numbers out of double range, the same member name twice in one object (also by escapes), anything over the limits;
/// payload_too_large for `bytes`. Never recurses deeper than `depth`. (IN-1, IN-2)
Result<Json> parse_json(std::string_view text, const JsonLimits& limits = {});

/// Appends compact JSON. Doubles that are whole and below 2^53 are written without fraction, others shortest; never NaN
/// or Infinity (written as null). "<", ">" and U+2028/9 pass as they are: escape for HTML at the page.
void append_json(std::string& out, const Json& value);
std::string to_json(const Json& value);
/// A quoted, escaped JSON string.
void append_json_string(std::string& out, std::string_view text);
void append_json_number(std::string& out, double value);

/// The member as text, when it is there and a string.
std::optional<std::string_view> text_member(const JsonObject& object, std::string_view name);
/// The member as a whole number, when it is one (also a double without fraction within 2^53).
std::optional<std::int64_t> integer_member(const JsonObject& object, std::string_view name);
std::optional<bool> bool_member(const JsonObject& object, std::string_view name);

inline std::string_view view(const boost::json::string& s) { return {s.data(), s.size()}; }

}  // namespace mandate
