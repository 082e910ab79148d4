// The reads of one loop: those of a tick go out together, gets of one shape in one statement (engine.md §2).
#pragma once

#include "store/postgres/asks.h"
#include "store/postgres/links.h"

namespace mandate::store::postgres {

/// Use on its loop only.
class Reads : public std::enable_shared_from_this<Reads> {
 public:
  Reads(Loop& loop, Core& core);

  void start();
  void close();
  /// Code::overloaded when too many wait.
  Result<void> push(ReadAskPtr ask);
  /// Sends what the tick gathered, as far as the connections have room.
  void flush();
  /// Ends the asks whose time is over.
  void look_at_time(std::chrono::steady_clock::time_point now);
  bool idle() const { return queue_.empty() && under_way_ == 0; }
  Links& links() { return *links_; }

 private:
  struct Group;
  Joined* free_link();
  std::unique_ptr<Trip> next_trip();
  /// `first`: the call of the first group; what comes before prepares.
  void back(const std::vector<std::shared_ptr<Group>>& groups, std::size_t first, Trip& trip);
  void deliver(Group& group, Call& call);
  void refused(Group& group, const Call& call);

  Core& core_;
  std::shared_ptr<Links> links_;
  std::deque<ReadAskPtr> queue_;
  Timed timed_;
  std::size_t under_way_ = 0;
  StatementPtr limit_;
};

}  // namespace mandate::store::postgres
