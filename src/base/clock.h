// Time is a guest: it comes in by constructor, so that a test can make a token twice and get the same bytes.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mandate {

/// Milliseconds since 1970-01-01T00:00:00Z.
using Millis = std::int64_t;

/// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall clock, for what is written into tokens and rows.
  virtual Millis now_ms() const = 0;
  /// Never goes back; for limits and deadlines.
  virtual std::chrono::steady_clock::time_point steady() const = 0;

  std::int64_t now_seconds() const { return now_ms() / 1000; }
};

class SystemClock final : public Clock {
 public:
  Millis now_ms() const override;
  std::chrono::steady_clock::time_point steady() const override { return std::chrono::steady_clock::now(); }
};

/// A clock for tests: stands still until told.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Millis start = 1'700'000'000'000) : now_(start) {}
  Millis now_ms() const override { return now_.load(); }
  std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::time_point(std::chrono::milliseconds(now_.load()));
  }
  void advance(std::chrono::milliseconds by) { now_ += by.count(); }
  void set(Millis to) { now_ = to; }

 private:
  std::atomic<Millis> now_;
};

/// When a wait must end. Taken from the request and handed down to every wait.
using Deadline = std::chrono::steady_clock::time_point;
inline constexpr Deadline kNoDeadline = Deadline::max();

/// yyyy-MM-ddTHH:mm:ss.fffZ, the only date form that leaves the house (mobile-backend-wire 0.4 #1, identity-wire 0.3 #15).
std::string iso8601(Millis ms);
void append_iso8601(std::string& out, Millis ms);

/// Reads ISO 8601 with date, optional time, optional fraction of 1-9 digits, and Z, an offset or nothing (= UTC).
/// nullopt when it is anything else. Fractions beyond milliseconds are cut.
std::optional<Millis> parse_iso8601(std::string_view text);

}  // namespace mandate
