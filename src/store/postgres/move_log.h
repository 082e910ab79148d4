// Which rows are written while a database is copied away. Triggers put their keys into a log, in a schema of its own,
// "<schema>/move"; it is there for the time of a move and no longer.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "store/postgres/core.h"

namespace mandate::store::postgres {

struct LoggedTable {
  int number = 0;
  std::string where;             ///< quoted, with its schema
  bool shared = false;           ///< a room's
  std::vector<std::string> key;  ///< columns
  std::vector<Kind> kinds;       ///< theirs
};

/// For one move and one thread that may wait, but for a thread of its own: it says every few seconds that the move is alive. When
/// that word fails for a minute the triggers write nothing any more, so a move that was killed costs no more than a look
/// in a table of one row; and who said nothing for so long may not go on (check()).
class MoveLog {
 public:
  explicit MoveLog(Core& core);
  ~MoveLog() { rest(); }
  MoveLog(const MoveLog&) = delete;

  /// Takes away what another move left and makes the schema. False when this server cannot do it; `why` is told.
  Result<bool> begin(PGconn* connection, std::string& why);
  /// From now on the table is followed. `within` a transaction under way, else in one that waits for the table's writers.
  /// False: there is no such table any more.
  Result<bool> add(PGconn* connection, const LoggedTable& table, bool within);
  /// temporarily_unavailable when the log may miss something.
  Result<void> check(PGconn* connection);
  /// Every row that was touched and is seen by the transaction under way, once; with its commit they are out of the log.
  Result<void> take(PGconn* connection,
                    const std::function<Result<void>(int number, std::string tenant, std::vector<Value> key)>& each,
                    const std::function<const LoggedTable*(int number)>& table);
  /// After the commit: leaves no long way through what is gone.
  void tidy(PGconn* connection);
  /// Triggers, functions, schema: gone. Waits for those who use the tables, but lets them pass.
  Result<void> end(PGconn* connection);

 private:
  Result<void> make(PGconn* connection);
  Result<void> insistently(PGconn* connection, const std::string& statements) const;
  std::string function_sql(const LoggedTable& table) const;
  void keep_alive();
  Result<bool> renew(PGconn* connection);
  void rest();

  Core& core_;
  const std::string schema_, id_;  ///< quoted; of this move
  std::size_t longest_key_ = 1;
  std::int64_t taken_ = 0;
  std::string until_;  ///< what everybody can see, as the server writes it
  std::atomic<bool> lapsed_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  bool over_ = false;
  std::thread keeper_;
};

}  // namespace mandate::store::postgres
