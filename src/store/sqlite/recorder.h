// Which rows were touched, for a move that follows a database while it is written.
#pragma once

#include "store/move.h"
#include "store/sqlite/handle.h"

namespace mandate::store::sqlite {

/// Hears of every row that its connection writes, also of those whose transaction is undone later: they are only looked at
/// again. The one thing it does not hear of is a row that is given another number; no room does that. Use on the writer's thread.
class Recorder {
 public:
  explicit Recorder(sqlite3* db);
  ~Recorder();
  Recorder(const Recorder&) = delete;

  /// A DELETE without a condition tells of none of its rows unless it is kept from taking them all at once; what keeps it
  /// from that keeps DROP TABLE from its work, too.
  void row_by_row(bool yes);
  void dropped(const std::string& table) { changes_.dropped.insert(table); }
  /// What was touched since it was asked last.
  StillView::Changes take() { return std::exchange(changes_, {}); }

 private:
  sqlite3* db_;
  StillView::Changes changes_;
};

}  // namespace mandate::store::sqlite
