// Chance is a guest: it comes in by constructor.
#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <string>

namespace mandate {

/// A source of bytes fit for keys. Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<unsigned char> out) = 0;

  std::string bytes(std::size_t count);
  /// `count` random bytes as base64url without padding; 32 bytes give 43 characters.
  std::string token(std::size_t count = 32);
  /// `count` characters of [A-Za-z0-9] without bias: the alphabet of the legacy tokens (identity-wire 4.4).
  std::string alphanumeric(std::size_t count);
  /// Lower-case hex of `count` bytes.
  std::string hex(std::size_t count);
  /// UUIDv7 of `now_ms`, lower case with dashes: time-ordered, so that inserts land at the end of the index.
  std::string uuid7(std::int64_t now_ms);
};

/// The kernel's generator through OpenSSL, buffered per thread.
class SystemRandom final : public Random {
 public:
  void fill(std::span<unsigned char> out) override;
};

/// For tests: the same seed gives the same bytes.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed = 1) : state_(seed) {}
  void fill(std::span<unsigned char> out) override;

 private:
  std::mutex mutex_;
  std::uint64_t state_;
};

}  // namespace mandate
