// The writes of one loop: batches that wait while a connection is at work go out together in one transaction and one
// round trip. A batch that cannot be done is found and done for itself, so that only that one fails; a commit whose answer
// was lost is asked for before anything else is said about it (RL-12).
#pragma once

#include "store/postgres/asks.h"
#include "store/postgres/links.h"

namespace mandate::store::postgres {

/// Use on its loop only.
class Writes : public std::enable_shared_from_this<Writes> {
 public:
  Writes(Loop& loop, Core& core);

  void start();
  void close();
  /// Code::overloaded when too many wait.
  Result<void> push(WriteAskPtr ask);
  void flush();
  void look_at_time(std::chrono::steady_clock::time_point now);
  bool idle() const { return queue_.empty() && under_way_ == 0 && doubts_.empty(); }
  Links& links() { return *links_; }

 private:
  /// Asks that share their calls: one batch, or inserts of one shape.
  struct Unit {
    std::vector<WriteAskPtr> asks;
    std::size_t place = 0;  ///< in the order of arrival
    std::size_t first_call = 0;
    bool merged = false;
  };
  struct Group {
    std::vector<Unit> units;
    std::string stream;
    std::int64_t number = 0;
    std::chrono::steady_clock::time_point start;
    std::size_t commit_call = 0;
  };
  /// A commit whose answer was lost.
  struct Doubt {
    std::shared_ptr<Group> group;
    std::shared_ptr<std::vector<Call>> calls;
    bool asked = false;
  };

  Joined* free_link();
  std::shared_ptr<Group> next_group();
  void send(Joined& link, const std::shared_ptr<Group>& group);
  void add_calls(Trip& trip, Group& group);
  void back(const std::shared_ptr<Joined>& link, const std::shared_ptr<Group>& group, Trip& trip);
  void committed(Group& group, std::vector<Call>& calls);
  void deliver(Unit& unit, std::vector<Call>& calls);
  void failed(Group& group, Trip& trip);
  void again(Group& group);
  void ask_about(Joined& link, std::size_t doubt);
  void resolved(const Doubt& doubt, std::int64_t last);

  Core& core_;
  std::shared_ptr<Links> links_;
  std::deque<WriteAskPtr> queue_;
  Timed timed_;
  std::vector<std::shared_ptr<Doubt>> doubts_;
  std::size_t under_way_ = 0;
  StatementPtr begin_, commit_, rollback_, count_, announce_, fence_;
};

}  // namespace mandate::store::postgres
