#include "base/base64.h"

#include <array>
#include <cstdint>

namespace mandate {
namespace {

constexpr std::string_view kUrl = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kStd = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> reverse(bool both) {
  std::array<std::int8_t, 256> table{};
  for (auto& x : table) x = -1;
  for (std::size_t i = 0; i < 64; ++i) table[static_cast<unsigned char>(kUrl[i])] = static_cast<std::int8_t>(i);
  if (both) table['+'] = 62, table['/'] = 63;
  return table;
}
constexpr auto kReverseUrl = reverse(false);
constexpr auto kReverseAny = reverse(true);

void encode(std::string& out, std::string_view bytes, std::string_view alphabet, bool pad) {
  const std::size_t start = out.size();
  out.resize(start + (bytes.size() + 2) / 3 * 4);
  char* to = out.data() + start;
  auto at = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])); };
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t n = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    *to++ = alphabet[n >> 18], *to++ = alphabet[n >> 12 & 63], *to++ = alphabet[n >> 6 & 63], *to++ = alphabet[n & 63];
  }
  if (const std::size_t rest = bytes.size() - i; rest) {
    const std::uint32_t n = at(i) << 16 | (rest == 2 ? at(i + 1) << 8 : 0);
    *to++ = alphabet[n >> 18], *to++ = alphabet[n >> 12 & 63];
    if (rest == 2) *to++ = alphabet[n >> 6 & 63];
    else if (pad) *to++ = '=';
    if (pad) *to++ = '=';
  }
  out.resize(static_cast<std::size_t>(to - out.data()));
}

std::optional<std::string> decode(std::string_view text, const std::array<std::int8_t, 256>& table) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out(text.size() * 3 / 4, '\0');
  char* to = out.data();
  // Four letters at once; a letter outside the alphabet makes the whole negative.
  auto at = [&](std::size_t i) { return static_cast<std::int32_t>(table[static_cast<unsigned char>(text[i])]); };
  std::size_t i = 0;
  for (; i + 4 <= text.size(); i += 4) {
    const std::int32_t a = at(i), b = at(i + 1), c = at(i + 2), d = at(i + 3);
    if ((a | b | c | d) < 0) return std::nullopt;
    const std::int32_t n = a << 18 | b << 12 | c << 6 | d;
    *to++ = static_cast<char>(n >> 16), *to++ = static_cast<char>(n >> 8), *to++ = static_cast<char>(n);
  }
  std::uint32_t bits = 0;
  int count = 0;
  for (; i < text.size(); ++i) {
    const std::int32_t v = at(i);
    if (v < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(v);
    count += 6;
    if (count >= 8) count -= 8, *to++ = static_cast<char>(bits >> count & 0xFF);
  }
  if (bits & ((1U << count) - 1)) return std::nullopt;  // a second spelling of the same bytes (TK-11)
  return out;
}

}  // namespace

void append_base64url(std::string& out, std::string_view bytes) { encode(out, bytes, kUrl, false); }

std::string base64url(std::string_view bytes) {
  std::string out;
  encode(out, bytes, kUrl, false);
  return out;
}

std::optional<std::string> base64url_decode(std::string_view text) { return decode(text, kReverseUrl); }

std::string base64(std::string_view bytes) {
  std::string out;
  encode(out, bytes, kStd, true);
  return out;
}

std::optional<std::string> base64_any_decode(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  return decode(text, kReverseAny);
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (unsigned char byte : bytes) out += kHex[byte >> 4], out += kHex[byte & 15];
  return out;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2) return std::nullopt;
  auto nibble = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = nibble(text[i]), low = nibble(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high << 4 | low);
  }
  return out;
}

}  // namespace mandate
