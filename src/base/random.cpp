#include "base/random.h"

#include <openssl/rand.h>

#include <array>
#include <cstring>
#include <stdexcept>

#include "base/base64.h"

namespace mandate {
namespace {
constexpr std::string_view kHex = "0123456789abcdef";

struct Pool {
  std::array<unsigned char, 4096> bytes;
  std::size_t left = 0;
};
}  // namespace

std::string Random::bytes(std::size_t count) {
  std::string out(count, '\0');
  fill({reinterpret_cast<unsigned char*>(out.data()), count});
  return out;
}

std::string Random::token(std::size_t count) { return base64url(bytes(count)); }

std::string Random::alphanumeric(std::size_t count) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string out;
  out.reserve(count);
  while (out.size() < count) {
    for (unsigned char byte : bytes(count - out.size() + 8)) {
      if (byte < 248 && out.size() < count) out += kAlphabet[byte % 62];  // 248 = 4 × 62: no bias
    }
  }
  return out;
}

std::string Random::hex(std::size_t count) {
  std::string out;
  for (unsigned char byte : bytes(count)) out += kHex[byte >> 4], out += kHex[byte & 15];
  return out;
}

std::string Random::uuid7(std::int64_t now_ms) {
  std::array<unsigned char, 16> b;
  fill(b);
  for (int i = 0; i < 6; ++i) b[static_cast<std::size_t>(i)] = static_cast<unsigned char>(now_ms >> (40 - 8 * i));
  b[6] = static_cast<unsigned char>((b[6] & 0x0F) | 0x70);
  b[8] = static_cast<unsigned char>((b[8] & 0x3F) | 0x80);
  std::string out;
  out.reserve(36);
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += kHex[b[i] >> 4], out += kHex[b[i] & 15];
  }
  return out;
}

void SystemRandom::fill(std::span<unsigned char> out) {
  static thread_local Pool pool;
  while (!out.empty()) {
    if (pool.left == 0) {
      if (RAND_bytes(pool.bytes.data(), static_cast<int>(pool.bytes.size())) != 1)
        throw std::runtime_error("RAND_bytes failed");
      pool.left = pool.bytes.size();
    }
    const std::size_t n = std::min(out.size(), pool.left);
    unsigned char* from = pool.bytes.data() + pool.bytes.size() - pool.left;
    std::memcpy(out.data(), from, n);
    std::memset(from, 0, n);  // bytes given out are not kept
    pool.left -= n;
    out = out.subspan(n);
  }
}

void SeededRandom::fill(std::span<unsigned char> out) {
  const std::lock_guard lock(mutex_);
  for (auto& byte : out) {  // splitmix64
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    byte = static_cast<unsigned char>(z >> 56);
  }
}

}  // namespace mandate
