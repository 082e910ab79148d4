// Where our own requests may go (OB-1, OB-3).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/url.h"
#include "http/wire/trusted_proxies.h"

namespace mandate::http::outbound {

/// An address as a resolver gave it; `v6` tells ::ffff:1.2.3.4 from 1.2.3.4.
struct Address {
  wire::AddressBytes bytes{};
  bool v6 = false;
  bool operator==(const Address&) const = default;
};

/// True for addresses of the public Internet: no loopback, private, shared, link-local, metadata, documentation,
/// benchmark, multicast or reserved range, and no IPv6 form that carries an IPv4 address (mapped, NAT64, 6to4, Teredo).
bool is_public(const Address& address);

/// A URL taken apart and found fit to be called.
struct Target {
  Url url;
  std::string host;  ///< without brackets
  int port = 0;
  bool allowed_private = false;
  bool literal = false;  ///< the host is an address
};

/// http or https, a host, no userinfo, port 80, 443 or from 1024 up; numbers posing as addresses in other forms than the
/// dotted quad are blocked. `allowed_hosts` lifts the rules on port and address.
/// Errors: bad_request, hint "blocked_address" or what is wrong with the URL.
Result<Target> check_url(std::string_view url, const std::vector<std::string>& allowed_hosts);

}  // namespace mandate::http::outbound
