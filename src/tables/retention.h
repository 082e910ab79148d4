// Rows marked as deleted are kept until clients that were away have heard of it, and then removed for good.
#pragma once

#include <map>
#include <string>

#include "base/log.h"
#include "base/metrics.h"
#include "tenant/tenants.h"

namespace mandate::tables {

/// Days that a table keeps rows marked as deleted; 0 = for ever. Where it does not say: 30, or as long as a token of the
/// service's login lives, so that nobody who is still logged in misses a delete.
std::int64_t kept_days(const tenant::Service& service, const tenant::Table& table);

/// What one piece of a purge came to.
struct Purged {
  std::int64_t rows = 0;
  Millis until = 0;   ///< every row marked up to this stamp is gone
  bool more = false;  ///< `before` is not reached yet
};
inline constexpr std::int64_t kPurgePiece = 500;
/// Removes rows marked as deleted with a stamp above `after` and not above `before`, at most a piece of them, in one
/// transaction. A row that came back meanwhile stays. Nothing when the table is not there.
Task<Purged> purge_piece(store::Store& store, std::string physical, Millis after, Millis before);

/// The purge that the house does by itself. On one loop.
///
/// A row's stamp moves when it is deleted and then stands, so a row passes the limit once: each look reads only the rows
/// that passed it since the look before. Once a day, and on a server that takes over, it begins from the start. A read that
/// takes too long is tried again over less of the time; a table that fails has its next turn in an hour, others go on.
class Retention {
 public:
  static constexpr Millis kEvery = 3'600'000, kAnew = 86'400'000;
  static constexpr Millis kMostStep = 36'500 * kAnew, kLeastStep = 60'000;
  static constexpr int kPiecesAtOnce = 10;

  Retention(const Clock& clock, Log& log, Metrics& metrics);
  /// What is due for this tenant; some pieces of it, the rest with the next visit.
  Task<void> visit(tenant::Here here);

 private:
  struct Place {
    Millis until = 0, looked_at = 0, anew_at = 0;
    bool more = false;
    Millis step = kMostStep;  ///< of stamps that one piece looks through
  };
  const Clock& clock_;
  Log& log_;
  Counter& removed_;
  std::map<std::pair<store::Store*, std::string>, Place> places_;
};

}  // namespace mandate::tables
