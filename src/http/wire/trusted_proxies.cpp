#include "http/wire/trusted_proxies.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>

#include "http/wire/characters.h"

namespace mandate::http::wire {
namespace {
constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

bool is_mapped(const AddressBytes& address) { return std::memcmp(address.data(), kMapped.data(), kMapped.size()) == 0; }
}  // namespace

std::optional<AddressBytes> parse_address(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  if (text.empty() || text.size() > INET6_ADDRSTRLEN) return std::nullopt;
  const std::string terminated(text);
  AddressBytes address{};
  if (text.find(':') == std::string_view::npos) {
    std::memcpy(address.data(), kMapped.data(), kMapped.size());
    if (::inet_pton(AF_INET, terminated.c_str(), address.data() + kMapped.size()) != 1) return std::nullopt;
  } else if (::inet_pton(AF_INET6, terminated.c_str(), address.data()) != 1) {
    return std::nullopt;
  }
  return address;
}

std::string format_address(const AddressBytes& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (is_mapped(address)) ::inet_ntop(AF_INET, address.data() + kMapped.size(), text, sizeof text);
  else ::inet_ntop(AF_INET6, address.data(), text, sizeof text);
  return text;
}

bool Network::contains(const AddressBytes& other) const {
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (std::memcmp(address.data(), other.data(), whole) != 0) return false;
  if (bits % 8 == 0) return true;
  const int mask = 0xFF << (8 - bits % 8);
  return ((address[whole] ^ other[whole]) & mask) == 0;
}

std::optional<Network> parse_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view host = text.substr(0, slash);
  const auto address = parse_address(host);
  if (!address) return std::nullopt;
  Network network{*address, 128};
  if (slash == std::string_view::npos) return network;
  const std::string_view bits = text.substr(slash + 1);
  const int widest = host.find(':') == std::string_view::npos ? 32 : 128;
  const auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), network.bits);
  if (error != std::errc() || end != bits.data() + bits.size() || network.bits < 0 || network.bits > widest)
    return std::nullopt;
  network.bits += 128 - widest;
  return network;
}

TrustedProxies::TrustedProxies(const std::vector<std::string>& networks, std::vector<std::string>* refused) {
  for (const std::string& text : networks) {
    if (const auto network = parse_network(text)) networks_.push_back(*network);
    else if (refused) refused->push_back(text);
  }
}

bool TrustedProxies::contains(std::string_view address) const {
  if (networks_.empty()) return false;
  const auto bytes = parse_address(address);
  if (!bytes) return false;
  for (const Network& network : networks_)
    if (network.contains(*bytes)) return true;
  return false;
}

std::string TrustedProxies::client(std::string_view forwarded_for, std::string_view peer) const {
  while (!forwarded_for.empty()) {
    const std::size_t comma = forwarded_for.rfind(',');
    const std::string_view hop =
        trim(comma == std::string_view::npos ? forwarded_for : forwarded_for.substr(comma + 1));
    forwarded_for = comma == std::string_view::npos ? std::string_view() : forwarded_for.substr(0, comma);
    const auto address = parse_address(hop);
    if (!address) break;  // not an address: whoever wrote it, nothing left of it can be believed
    if (!contains(hop)) return format_address(*address);
  }
  return std::string(peer);
}

}  // namespace mandate::http::wire
