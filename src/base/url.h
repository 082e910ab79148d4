// URLs and form encoding as strangers send them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace mandate {

/// Percent-decodes; `plus` turns '+' into a blank. A malformed '%' stays as it is (identity-wire 0.3 #4).
std::string percent_decode(std::string_view text, bool plus = false);
/// Encodes everything but RFC 3986 unreserved characters.
std::string percent_encode(std::string_view text);
void append_percent_encoded(std::string& out, std::string_view text);

/// name=value pairs in order, decoded, of a query or a form body. Empty pieces are left out.
std::vector<std::pair<std::string, std::string>> parse_form(std::string_view text);

/// An absolute URL cut into its parts, unchanged but for lower-cased scheme and host.
struct Url {
  std::string scheme, userinfo, host, path, query, fragment;
  std::optional<int> port;
  bool has_query = false, has_fragment = false;

  /// scheme://host[:port], without a default port: the Origin of RFC 6454 §6.1.
  std::string origin() const;
};
/// nullopt for anything that is not scheme:… with a valid scheme; control characters, blanks and backslashes refused.
std::optional<Url> parse_url(std::string_view text);

/// `url` with `name=value` appended to its query or fragment, percent-encoded.
void append_query(std::string& url, std::string_view name, std::string_view value);

/// A URL for people: without the password of its user and without parameters that libpq takes for one. What is no URL
/// comes back as it is.
std::string without_password(std::string_view url);

/// ASCII-only lower case, without a locale.
std::string ascii_lower(std::string_view text);
bool iequals(std::string_view a, std::string_view b);

/// The pieces between single blanks (scopes), empty ones left out.
std::vector<std::string> split(std::string_view text, char separator);

/// True for well-formed UTF-8 (RFC 3629).
bool valid_utf8(std::string_view text);

/// Text made safe between HTML tags and inside quoted attributes.
std::string html_escape(std::string_view text);

}  // namespace mandate
