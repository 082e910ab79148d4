// Whose word about the client is believed (HT-8).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mandate::http::wire {

/// An address in 16 bytes; IPv4 as ::ffff:a.b.c.d.
using AddressBytes = std::array<std::uint8_t, 16>;

/// nullopt unless `text` is an IPv4 dotted quad or an IPv6 address (also in brackets, no zone).
std::optional<AddressBytes> parse_address(std::string_view text);
/// Dotted quad for IPv4 and its mapped form, RFC 5952 otherwise.
std::string format_address(const AddressBytes& address);

/// A network: address/bits, or one address.
struct Network {
  AddressBytes address{};
  int bits = 128;
  bool contains(const AddressBytes& other) const;
};
std::optional<Network> parse_network(std::string_view text);

class TrustedProxies {
 public:
  TrustedProxies() = default;
  /// Entries that are no address and no network are left out and returned in `refused` when given.
  explicit TrustedProxies(const std::vector<std::string>& networks, std::vector<std::string>* refused = nullptr);
  bool empty() const { return networks_.empty(); }
  bool contains(std::string_view address) const;
  /// The right-most hop of X-Forwarded-For that is not one of ours; `peer` when there is none.
  std::string client(std::string_view forwarded_for, std::string_view peer) const;

 private:
  std::vector<Network> networks_;
};

}  // namespace mandate::http::wire
