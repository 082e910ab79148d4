// What the other nodes changed: asked for every moment, and at once when a notification comes (RL-20). A lost notification
// costs the moment, nothing else.
#pragma once

#include <thread>

#include "store/postgres/core.h"

namespace mandate::store::postgres {

/// Has a thread and a connection of its own.
class Feed {
 public:
  explicit Feed(Core& core);
  ~Feed();

  /// Where the streams stand now: what came before is not news. Blocks; before the thread starts.
  Result<void> begin(PGconn* connection);
  void start();

 private:
  void work();
  Result<void> ask(PGconn* connection);
  void sweep(PGconn* connection);
  Patience patience() const;
  /// Until a notification, the next moment, or the end. False at the end.
  bool wait(PGconn* connection, std::chrono::milliseconds longest);

  Core& core_;
  std::map<std::string, std::int64_t> known_;  ///< how far each stream was read
  int wake_;                                   ///< eventfd: the end
  std::atomic<bool> over_{false};
  std::thread thread_;
};

}  // namespace mandate::store::postgres
