// One connection in pipeline mode on one loop: round trips of prepared statements, many under way at once.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_set>

#include "base/loop.h"
#include "store/postgres/compile.h"
#include "store/postgres/session.h"

namespace mandate::store::postgres {

/// One statement and what came of it.
struct Call {
  StatementPtr statement;
  Parameters parameters;
  /// When set, rows are handed over one by one as they come; false = the rest is let go by.
  std::function<bool(const PGresult*, int row)> each;
  Answer result;                ///< null when it was not reached
  std::string state, message;   ///< of its refusal
};

/// Statements that share one Sync: after the first that fails the others are not run.
struct Trip {
  std::vector<Call> calls;
  std::optional<std::size_t> failed;
  bool lost = false;  ///< the connection went before everything was answered
  std::chrono::steady_clock::time_point sent;
  /// Called once, on the loop.
  std::function<void(Trip&)> back;
};

/// Use on its loop only.
class Link : public std::enable_shared_from_this<Link> {
 public:
  /// Takes a connection that is idle. `when_lost` is called once, when it broke.
  Link(Loop& loop, Connection connection) : loop_(loop), connection_(std::move(connection)) {}
  ~Link();
  Result<void> start(std::function<void()> when_lost);

  void send(std::unique_ptr<Trip> trip);
  std::size_t under_way() const { return trips_.size(); }
  /// Its process in the database has met so many tables that it has grown fat with them (20 kB each, ADR 0010).
  bool worn() const { return tables_.size() > kMostTables; }
  /// When the oldest trip under way set out; kNoDeadline when there is none.
  std::chrono::steady_clock::time_point oldest() const { return trips_.empty() ? kNoDeadline : trips_.front()->sent; }
  /// Gives up what is under way: it comes back lost.
  void close();
  bool open() const { return connection_ != nullptr; }

 private:
  static constexpr std::size_t kMostTables = 3000;
  enum class What { nothing, prepare, call, sync };
  struct Awaited {
    What what;
    std::size_t call = 0;
    std::string statement = {};
  };

  bool say(Trip& trip);
  void forget_statements();
  void flush();
  void hear();
  void take(Answer answer);
  void end_of_one();
  void finish_trip();

  Loop& loop_;
  Connection connection_;
  std::function<void()> when_lost_;
  std::unique_ptr<Loop::Timer> readable_, writable_;
  std::deque<std::unique_ptr<Trip>> trips_;
  std::deque<Awaited> awaited_;
  std::unordered_set<std::string> prepared_;
  std::unordered_set<std::uint64_t> tables_;  ///< those met, by description
  Parameters::View view_;
  bool hearing_ = false;
};

}  // namespace mandate::store::postgres
