#include "base/url.h"

#include <simdjson.h>

#include <charconv>

namespace mandate {
namespace {
int nibble(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}
bool alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool digit(char c) { return c >= '0' && c <= '9'; }
}  // namespace

std::string percent_decode(std::string_view text, bool plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && nibble(text[i + 1]) >= 0 && nibble(text[i + 2]) >= 0) {
      out += static_cast<char>(nibble(text[i + 1]) << 4 | nibble(text[i + 2]));
      i += 2;
    } else {
      out += plus && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

void append_percent_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (char c : text) {
    if (alpha(c) || digit(c) || c == '-' || c == '.' || c == '_' || c == '~') out += c;
    else out += '%', out += kHex[static_cast<unsigned char>(c) >> 4], out += kHex[c & 15];
  }
}

std::string percent_encode(std::string_view text) {
  std::string out;
  append_percent_encoded(out, text);
  return out;
}

std::vector<std::pair<std::string, std::string>> parse_form(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view piece = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (piece.empty()) continue;
    const std::size_t equals = std::min(piece.find('='), piece.size());
    out.emplace_back(percent_decode(piece.substr(0, equals), true),
                     equals < piece.size() ? percent_decode(piece.substr(equals + 1), true) : std::string());
  }
  return out;
}

std::string Url::origin() const {
  std::string out = scheme + "://" + host;
  const bool standard = !port || (scheme == "https" && *port == 443) || (scheme == "http" && *port == 80);
  if (!standard) out += ':' + std::to_string(*port);
  return out;
}

std::optional<Url> parse_url(std::string_view text) {
  for (char c : text)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F || c == '\\') return std::nullopt;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || !alpha(text[0])) return std::nullopt;
  for (char c : text.substr(0, colon))
    if (!alpha(c) && !digit(c) && c != '+' && c != '-' && c != '.') return std::nullopt;
  Url url;
  url.scheme = ascii_lower(text.substr(0, colon));
  text.remove_prefix(colon + 1);
  if (const std::size_t hash = text.find('#'); hash != std::string_view::npos)
    url.fragment = text.substr(hash + 1), url.has_fragment = true, text = text.substr(0, hash);
  if (const std::size_t mark = text.find('?'); mark != std::string_view::npos)
    url.query = text.substr(mark + 1), url.has_query = true, text = text.substr(0, mark);
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    const std::size_t slash = std::min(text.find('/'), text.size());
    std::string_view authority = text.substr(0, slash);
    text.remove_prefix(slash);
    if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos)
      url.userinfo = authority.substr(0, at), authority.remove_prefix(at + 1);
    std::size_t host_end = authority.rfind(':');
    if (authority.starts_with('[')) {
      const std::size_t bracket = authority.find(']');
      if (bracket == std::string_view::npos) return std::nullopt;
      host_end = bracket + 1 < authority.size() ? bracket + 1 : std::string_view::npos;
      if (host_end != std::string_view::npos && authority[host_end] != ':') return std::nullopt;
    }
    if (host_end != std::string_view::npos) {
      const std::string_view port = authority.substr(host_end + 1);
      int number = 0;
      const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
      if (!port.empty()) {
        if (error != std::errc() || end != port.data() + port.size() || number < 1 || number > 65535) return std::nullopt;
        url.port = number;
      }
      authority = authority.substr(0, host_end);
    }
    url.host = ascii_lower(authority);
  }
  url.path = text;
  return url;
}

void append_query(std::string& url, std::string_view name, std::string_view value) {
  url += url.find('?') == std::string::npos ? '?' : url.ends_with('?') || url.ends_with('&') ? '\0' : '&';
  if (url.back() == '\0') url.pop_back();
  append_percent_encoded(url, name);
  url += '=';
  append_percent_encoded(url, value);
}

std::string ascii_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

bool iequals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string without_password(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string(url);
  const std::string_view query = url.substr(std::min(url.find('?'), url.size()));
  url.remove_suffix(query.size());
  std::string out(url.substr(0, scheme + 3));
  std::string_view rest = url.substr(scheme + 3);
  // A password with an unescaped "/" is no valid URL; it is shown as little.
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    out += rest.substr(0, std::min(rest.find(':'), at));
    rest.remove_prefix(at);
  }
  out += rest;
  char before = '?';
  for (const std::string& piece : split(query.empty() ? query : query.substr(1), '&')) {
    const std::string name = ascii_lower(percent_decode(std::string_view(piece).substr(0, piece.find('='))));
    if (name == "password" || name == "sslpassword") continue;
    out += std::exchange(before, '&') + piece;
  }
  return out;
}

bool valid_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

std::string html_escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

}  // namespace mandate
