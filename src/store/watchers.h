// Who wants to hear of commits, loop by loop.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include "base/loop.h"
#include "store/store.h"

namespace mandate::store {

/// Thread-safe.
class Watchers {
 public:
  using Callback = std::function<void(std::string_view)>;
  std::unique_ptr<Store::Watch> add(std::vector<std::string> tables, Callback changed);
  /// For each loop the calls that `tables` ask for; to be made on that loop. Null stands for threads without one.
  std::map<Loop*, std::function<void()>> calls_for(const std::set<std::string>& tables);

  /// Of a table; made when first asked for, kept for good.
  const std::atomic<std::uint64_t>& changes(std::string_view table);
  /// To be called after a commit and before anybody hears of it.
  void count(const std::set<std::string>& tables);

 private:
  /// Shared with posted calls, so that a watch that ended in between hears nothing.
  struct One {
    std::vector<std::string> tables;
    Callback changed;
    Loop* loop = Loop::current();
    bool over = false;  ///< only touched on its loop
  };
  struct List {
    std::mutex mutex;
    std::vector<std::shared_ptr<One>> all;
  };
  class Handle;
  std::shared_ptr<List> list_ = std::make_shared<List>();
  std::mutex counts_mutex_;
  std::map<std::string, std::atomic<std::uint64_t>, std::less<>> counts_;
};

}  // namespace mandate::store
