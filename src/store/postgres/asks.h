// What waits for the database: one read, or one batch, and the coroutine that asked.
#pragma once

#include <coroutine>
#include <memory>
#include <optional>

#include "store/postgres/link.h"

namespace mandate::store::postgres {

/// Lives on one loop.
struct Ask {
  std::string tenant;
  Deadline until = kNoDeadline;
  std::optional<Error> error;
  bool stale = false;  ///< refused because a table is not what it was thought to be: ask again with what it is now
  bool done = false;
  std::coroutine_handle<> waiting;

  void finish() {
    if (std::exchange(done, true)) return;
    if (auto h = std::exchange(waiting, {})) h.resume();
  }
  void refuse(Error e) {
    if (done) return;
    error = std::move(e);
    finish();
  }
};

/// The asks of a loop that have an end.
class Timed {
 public:
  void add(std::weak_ptr<Ask> ask) { asks_.push_back(std::move(ask)); }
  /// Those whose time is over; they and those that are done are let go of.
  std::vector<std::shared_ptr<Ask>> overdue(std::chrono::steady_clock::time_point now) {
    std::vector<std::shared_ptr<Ask>> out;
    std::erase_if(asks_, [&](const std::weak_ptr<Ask>& weak) {
      std::shared_ptr<Ask> ask = weak.lock();
      if (!ask || ask->done) return true;
      if (ask->until > now) return false;
      out.push_back(std::move(ask));
      return true;
    });
    return out;
  }

 private:
  std::vector<std::weak_ptr<Ask>> asks_;
};

struct ReadAsk : Ask {
  StatementPtr statement;
  Parameters parameters;
  StatementPtr many;  ///< null: does not share a statement with others
  bool hurried = false;  ///< its time ends before the connection's own limit does: it goes with a limit of its own
  bool alone = false;    ///< shares a round trip with no other
  std::optional<Row> found;  ///< for gets
  /// For lists: rows as they come.
  std::function<bool(const PGresult*, int row)> each;
};
using ReadAskPtr = std::shared_ptr<ReadAsk>;

struct WriteAsk : Ask {
  struct Step {
    StatementPtr statement;
    Parameters parameters;
  };
  Batch batch;
  std::vector<Step> steps;    ///< one for each mutation
  StatementPtr many;          ///< for a batch that is one insert: shares a statement with others of its shape
  std::string first_lock;     ///< tenant and table whose stamp it takes first; empty = none
  bool apart = false;         ///< not with others in one statement any more
  bool alone = false;         ///< not with others in one transaction any more
  int tries = 0;
  Outcome outcome;
};
using WriteAskPtr = std::shared_ptr<WriteAsk>;

/// co_await it: until the ask is done. Safe to destroy while waiting (a request that is dropped); the ask goes on.
class Waiting {
 public:
  explicit Waiting(std::shared_ptr<Ask> ask) : ask_(std::move(ask)) {}
  Waiting(const Waiting&) = delete;
  ~Waiting() { ask_->waiting = {}; }
  bool await_ready() const { return ask_->done; }
  void await_suspend(std::coroutine_handle<> h) { ask_->waiting = h; }
  void await_resume() const {}

 private:
  std::shared_ptr<Ask> ask_;
};

}  // namespace mandate::store::postgres
