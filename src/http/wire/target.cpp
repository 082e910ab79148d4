#include "http/wire/target.h"

#include "base/url.h"
#include "http/wire/characters.h"
#include "http/wire/trusted_proxies.h"

namespace mandate::http::wire {

bool decode_path(std::string_view path, std::string& out) {
  if (path.find('%') == std::string_view::npos) return out.assign(path), true;
  out.clear();
  bool decoded = false;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      out += path[i];
      continue;
    }
    if (i + 2 >= path.size()) return false;
    const int high = hex_digit(path[i + 1]), low = hex_digit(path[i + 2]);
    if (high < 0 || low < 0) return false;
    const int byte = high << 4 | low;
    if (byte == '/' || byte == 0) return false;
    out += static_cast<char>(byte);
    decoded = true;
    i += 2;
  }
  return !decoded || valid_utf8(out);  // undecoded bytes are visible ASCII already
}

bool valid_host(std::string_view host) {
  std::string_view port;
  if (host.starts_with('[')) {
    const std::size_t bracket = host.find(']');
    if (bracket == std::string_view::npos) return false;
    if (host.find(':') > bracket || !parse_address(host.substr(0, bracket + 1))) return false;
    port = host.substr(bracket + 1);
  } else {
    const std::size_t colon = std::min(host.find(':'), host.size());
    const std::string_view name = host.substr(0, colon);
    if (name.empty() || name.size() > 253) return false;
    for (char c : name)
      if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_'))
        return false;
    port = host.substr(colon);
  }
  if (port.empty()) return true;
  port.remove_prefix(1);
  if (host[host.size() - port.size() - 1] != ':' || port.empty() || port.size() > 5) return false;
  int number = 0;
  for (char c : port) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + (c - '0');
  }
  return number >= 1 && number <= 65535;
}

void normal_host(std::string_view host, bool secure, std::string& out) {
  const std::string_view standard = secure ? ":443" : ":80";
  if (host.ends_with(standard)) host.remove_suffix(standard.size());
  out.assign(host);
  for (char& c : out)
    c = static_cast<char>(c + (c >= 'A' && c <= 'Z' ? 32 : 0));
}

bool split_absolute(std::string_view target, std::string_view& authority, std::string_view& rest) {
  const std::size_t scheme = target.find("://");
  if (scheme == std::string_view::npos) return false;
  if (!iequals(target.substr(0, scheme), "http") && !iequals(target.substr(0, scheme), "https")) return false;
  target.remove_prefix(scheme + 3);
  const std::size_t end = std::min(target.find_first_of("/?"), target.size());
  authority = target.substr(0, end);
  rest = target.substr(end);
  return true;
}

}  // namespace mandate::http::wire
