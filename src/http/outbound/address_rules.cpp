#include "http/outbound/address_rules.h"

#include <array>

#include "http/wire/target.h"

namespace mandate::http::outbound {
namespace {

std::vector<wire::Network> networks(std::initializer_list<std::string_view> list) {
  std::vector<wire::Network> out;
  for (std::string_view text : list) out.push_back(*wire::parse_network(text));
  return out;
}

/// IANA's special-purpose registry, IPv4.
const std::vector<wire::Network>& special_v4() {
  static const auto list = networks({"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
                                     "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24",
                                     "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
                                     "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
                                     "240.0.0.0/4"});
  return list;
}

/// What is special inside 2000::/3, the only part of IPv6 that is given out.
const std::vector<wire::Network>& special_v6() {
  static const auto list = networks({"2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"});
  return list;
}

bool within(const std::vector<wire::Network>& list, const wire::AddressBytes& bytes) {
  for (const wire::Network& network : list)
    if (network.contains(bytes)) return true;
  return false;
}

/// The last label is a number: old resolvers read 2130706433, 0x7f.1 and 0177.0.0.1 as addresses.
bool ends_in_number(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  const std::string_view last = host.substr(host.rfind('.') == std::string_view::npos ? 0 : host.rfind('.') + 1);
  if (last.starts_with("0x")) return last.find_first_not_of("0123456789abcdef", 2) == std::string_view::npos;
  return !last.empty() && last.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

bool is_public(const Address& address) {
  if (!address.v6) return !within(special_v4(), address.bytes);
  return (address.bytes[0] & 0xE0) == 0x20 && !within(special_v6(), address.bytes);
}

Result<Target> check_url(std::string_view text, const std::vector<std::string>& allowed_hosts) {
  auto url = parse_url(text);
  if (!url || (url->scheme != "http" && url->scheme != "https"))
    return Error(Code::bad_request, "The URL must start with http:// or https://.");
  if (!url->userinfo.empty() || text.find('@') < text.find('/', url->scheme.size() + 3))
    return Error(Code::bad_request, "The URL must not carry a user.");
  if (url->host.empty() || !wire::valid_host(url->host)) return Error(Code::bad_request, "The URL's host is not valid.");
  Target target;
  target.port = url->port.value_or(url->scheme == "https" ? 443 : 80);
  target.host = url->host.starts_with('[') ? url->host.substr(1, url->host.size() - 2) : url->host;
  const std::string with_port = url->host + ":" + std::to_string(target.port);
  for (const std::string& allowed : allowed_hosts)
    target.allowed_private |= iequals(allowed, url->host) || iequals(allowed, with_port);
  const auto literal = wire::parse_address(url->host);
  target.literal = literal.has_value();
  if (!target.allowed_private) {
    if (target.port < 1024 && target.port != 80 && target.port != 443)
      return Error(Code::bad_request, "The URL's port is not allowed.");
    const bool v6 = url->host.starts_with('[');
    if (literal ? !is_public({*literal, v6}) : ends_in_number(url->host)) return Error(Code::bad_request, "blocked_address");
  }
  target.url = std::move(*url);
  return target;
}

}  // namespace mandate::http::outbound
