// Functions and the collation that plain SQL lacks (mobile-backend-wire 3.3), registered on every connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/result.h"

struct sqlite3;

namespace mandate::store::sqlite {

/// The collation's name: case-insensitive, accent-sensitive dictionary order.
inline constexpr const char* kDictionary = "MANDATE_DICT";

/// What the functions and the collation of one connection cost. To SQLite's machine a call is one step, however long its
/// texts are; so calls pay here by bytes, and who owns the connection says when it is enough. For the connection's thread.
class Meter {
 public:
  /// Told the bytes since it was asked last; true when the statement under way must end.
  using Enough = bool (*)(void* owner, std::int64_t bytes);

  /// `guesses`: once it is enough, the collation answers anything, since the owner throws the result away. Never on a
  /// connection that writes: the answers would go into its indexes.
  void watch(Enough enough, void* owner, bool guesses) { enough_ = enough, owner_ = owner, guesses_ = guesses; }
  /// False when it was enough: the call must fail with SQLITE_INTERRUPT.
  bool pay(std::size_t bytes) {
    owed_ += static_cast<std::int64_t>(bytes);
    if (owed_ >= kStride && !over_ && enough_) over_ = enough_(owner_, std::exchange(owed_, 0));
    return !over_;
  }
  bool over() const { return over_; }
  bool guesses() const { return over_ && guesses_; }
  /// For the next statement.
  void reset() { owed_ = 0, over_ = false; }

 private:
  static constexpr std::int64_t kStride = 16 << 10;  ///< bytes between two questions
  Enough enough_ = nullptr;
  void* owner_ = nullptr;
  std::int64_t owed_ = 0;
  bool over_ = false, guesses_ = false;
};

/// Of a connection that add_functions was called for; lives as long as the connection.
Meter& meter_of(sqlite3* db);

/// Registers MANDATE_DICT and the mandate_* functions. All are deterministic and give NULL for NULL.
Result<void> add_functions(sqlite3* db);

}  // namespace mandate::store::sqlite
