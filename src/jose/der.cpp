#include "jose/der.h"

namespace mandate::jose {
namespace {

void append_integer(std::string& out, std::string_view number) {
  while (number.size() > 1 && number[0] == 0) number.remove_prefix(1);
  const bool sign_bit = (static_cast<unsigned char>(number[0]) & 0x80) != 0;
  out += '\x02';
  out += static_cast<char>(number.size() + (sign_bit ? 1 : 0));
  if (sign_bit) out += '\0';
  out += number;
}

bool take_integer(std::string_view& der, std::string& out, std::size_t coordinate) {
  if (der.size() < 2 || der[0] != 0x02) return false;
  const std::size_t length = static_cast<unsigned char>(der[1]);
  if (length >= 0x80 || length == 0 || der.size() < 2 + length) return false;
  std::string_view number = der.substr(2, length);
  der.remove_prefix(2 + length);
  while (number.size() > 1 && number[0] == 0) number.remove_prefix(1);
  if (number.size() > coordinate) return false;
  out.append(coordinate - number.size(), '\0');
  out += number;
  return true;
}

}  // namespace

std::string ecdsa_to_der(std::string_view raw) {
  std::string body;
  body.reserve(raw.size() + 8);
  append_integer(body, raw.substr(0, raw.size() / 2));
  append_integer(body, raw.substr(raw.size() / 2));
  std::string der = "\x30";
  if (body.size() >= 0x80) der += '\x81';
  der += static_cast<char>(body.size());
  return der + body;
}

std::optional<std::string> ecdsa_from_der(std::string_view der, std::size_t coordinate) {
  if (der.size() < 2 || der[0] != 0x30) return std::nullopt;
  std::size_t head = 2, length = static_cast<unsigned char>(der[1]);
  if (length == 0x81 && der.size() > 2) head = 3, length = static_cast<unsigned char>(der[2]);
  if (der.size() != head + length) return std::nullopt;
  der.remove_prefix(head);
  std::string out;
  out.reserve(2 * coordinate);
  if (!take_integer(der, out, coordinate) || !take_integer(der, out, coordinate) || !der.empty()) return std::nullopt;
  return out;
}

}  // namespace mandate::jose
