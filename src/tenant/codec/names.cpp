#include "tenant/codec/names.h"

#include "base/url.h"

namespace mandate::tenant {

namespace {

constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz", kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", kDigits = "0123456789";

bool only(std::string_view text, std::initializer_list<std::string_view> alphabets) {
  for (const char c : text) {
    bool found = false;
    for (const std::string_view alphabet : alphabets) found = found || alphabet.find(c) != std::string_view::npos;
    if (!found) return false;
  }
  return true;
}

std::string sized(std::string_view text, std::size_t most) {
  if (text.empty()) return "must not be empty";
  if (text.size() > most) return "is longer than " + std::to_string(most) + " characters";
  return {};
}

bool loopback(std::string_view host) {
  if (host == "localhost" || host.ends_with(".localhost") || host == "[::1]") return true;
  // Dotted quads of 127.0.0.0/8 only: a name such as 127.evil.example is not one.
  return host.starts_with("127.") && only(host, {kDigits, "."}) && split(host, '.').size() == 4;
}

bool ascii_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

/// Wildcards of a host: none, one whole first label before at least two more, or something we refuse.
std::string wildcard_problem(std::string_view host, bool subdomain_wildcard) {
  const std::size_t star = host.find('*');
  if (star == std::string_view::npos) return {};
  const bool subdomain = host.starts_with("*.") && host.find('*', 1) == std::string_view::npos && split(host, '.').size() >= 3;
  if (!subdomain) return "has a wildcard that is not one whole sub-domain of a named site (https://*.example.com)";
  return subdomain_wildcard ? "" : "has a wildcard host; only clients with oidc_conformant: false may have one";
}

}  // namespace

std::string tenant_name_problem(std::string_view name) {
  if (std::string text = sized(name, 63); !text.empty()) return text;
  if (!only(name, {kLower, kDigits, "-"}) || name.front() == '-' || name.back() == '-')
    return "may contain a-z, 0-9 and '-' inside";
  return name == "system" ? "is reserved" : "";
}

std::string client_id_problem(std::string_view id) {
  if (std::string text = sized(id, 64); !text.empty()) return text;
  return only(id, {kLower, kUpper, kDigits, "-_."}) ? "" : "may contain letters, digits, '-', '_' and '.'";
}

std::string connection_name_problem(std::string_view name) {
  if (std::string text = sized(name, 128); !text.empty()) return text;
  return only(name, {kLower, kUpper, kDigits, "-_"}) ? "" : "may contain letters, digits, '-' and '_'";
}

std::string service_name_problem(std::string_view name) {
  if (std::string text = sized(name, 63); !text.empty()) return text;
  return only(name, {kLower, kDigits, "-"}) ? "" : "may contain a-z, 0-9 and '-'";
}

std::string table_name_problem(std::string_view name) {
  if (std::string text = sized(name, 64); !text.empty()) return text;
  if (!only(name.substr(0, 1), {kLower, kUpper})) return "must begin with a letter";
  return only(name, {kLower, kUpper, kDigits, "_"}) ? "" : "may contain letters, digits and '_'";
}

std::string column_name_problem(std::string_view name) {
  if (std::string text = table_name_problem(name); !text.empty()) return text;
  for (const std::string_view own : {"id", "createdAt", "updatedAt", "version", "deleted"})
    if (iequals(name, own)) return "is a column every table has";
  return {};
}

std::string audience_problem(std::string_view identifier) {
  if (std::string text = sized(identifier, 255); !text.empty()) return text;
  return ascii_printable(identifier) ? "" : "may contain printable ASCII without blanks";
}

std::string host_problem(std::string_view host) {
  if (std::string text = sized(host, 255); !text.empty()) return text;
  if (host.find("://") != std::string_view::npos || host.find('/') != std::string_view::npos)
    return "must be a host name with an optional port, without scheme and path";
  const std::optional<Url> url = parse_url("https://" + std::string(host));
  if (!url || url->host.empty() || !url->userinfo.empty() || url->has_query || url->has_fragment) return "is no host name";
  if (host != ascii_lower(host)) return "must be lower case";
  if (host.starts_with('[')) return {};
  return only(url->host, {kLower, kDigits, "-."}) && url->host.front() != '.' ? "" : "is no host name";
}

std::string redirect_problem(std::string_view text, bool subdomain_wildcard) {
  if (std::string problem = sized(text, 2000); !problem.empty()) return problem;
  if (!ascii_printable(text)) return "has characters that must be percent-encoded";
  const std::optional<Url> url = parse_url(text);
  if (!url) return "is no absolute URL";
  for (const std::string_view scheme : {"javascript", "data", "vbscript", "file", "blob", "about", "view-source", "filesystem", "ws",
                                        "wss", "ftp", "mailto", "tel", "jar", "chrome", "resource"})
    if (url->scheme == scheme) return "has the scheme " + std::string(scheme) + ":, which no answer may be sent to";
  if (url->has_fragment) return "has a fragment (#…)";
  if (!url->userinfo.empty() || text.find('@') < text.find('?')) return "has a user name or an '@' before the query";
  const bool web = url->scheme == "https" || url->scheme == "http";
  if (web && url->host.empty()) return "has no host";
  if (url->scheme == "http" && !loopback(url->host)) return "is http; only loopback addresses may be, others need https";
  for (const std::string& segment : split(url->path, '/'))
    if (const std::string plain = percent_decode(segment); plain == "." || plain == "..") return "has '.' or '..' in its path";
  return wildcard_problem(url->host, subdomain_wildcard || !web);
}

std::string prefix_problem(std::string_view path) {
  if (!path.starts_with('/') || path.ends_with('/') || path.size() > 200) return "must begin with '/' and end without, as /legacy/todo";
  if (path.find("//") != std::string_view::npos) return "has an empty part";
  const std::vector<std::string> segments = split(path.substr(1), '/');
  for (const std::string& segment : segments)
    if (segment.starts_with('.') || !only(segment, {kLower, kUpper, kDigits, "-_."}) || segment.empty())
      return "has a segment other than letters, digits, '-', '_' and '.'";
  // Below these the doors themselves would be asked first.
  for (const std::string_view door : {"s", "tables", "v1", "v2", "v3", "v4", "api", "jobs", "push", "login", "admin"})
    if (segments.front() == door) return "begins as an address of the server does";
  return {};
}

std::string origin_problem(std::string_view text) {
  if (std::string problem = redirect_problem(text, true); !problem.empty()) return problem;
  const std::optional<Url> url = parse_url(text);
  if (url->host.empty()) return "has no host";
  return url->path.empty() && !url->has_query ? "" : "must end after host and port: an origin has no path";
}

}  // namespace mandate::tenant
