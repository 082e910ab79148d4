// Parameters of an endpoint, from wherever the client put them: query, form body or JSON body (identity-wire 0.3 #1-#4).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "http/request.h"

namespace mandate::http {

/// name → value; an empty value counts as absent. The same name twice, or in query and body, is remembered so that the
/// endpoint can refuse it for the names it knows (IN-5).
class Params {
 public:
  /// From the query only.
  static Params of_query(std::string_view query);
  /// From query and body. A form, JSON (also without a Content-Type), or nothing; another type is unsupported_media_type.
  /// JSON members that are not text: numbers and booleans become text, others stay readable in `json()`.
  static Result<Params> of(const Request& request);

  /// Empty when absent.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const { return !get(name).empty(); }
  /// Every value given for a repeatable name (RFC 8707 resource, RFC 8693 audience).
  std::vector<std::string_view> all(std::string_view name) const;
  /// invalid_request when one of `names` was given twice, or as an array or object.
  Result<void> refuse_repeated(std::initializer_list<std::string_view> names) const;
  const std::map<std::string, std::vector<std::string>, std::less<>>& everything() const { return values_; }
  const JsonObject* json() const { return json_ ? &*json_ : nullptr; }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::map<std::string, bool, std::less<>> structured_;
  std::optional<JsonObject> json_;
};

/// The value of a cookie; empty when absent.
std::string_view cookie(const Request& request, std::string_view name);

struct SetCookie {
  std::string name, value, path = "/";
  std::optional<std::int64_t> max_age = std::nullopt;  ///< seconds; 0 deletes
  bool secure = true, http_only = true;
  std::string_view same_site = "Lax";
};
std::string to_string(const SetCookie& cookie);

}  // namespace mandate::http
