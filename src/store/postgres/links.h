// The connections of one loop for one purpose: dials what is missing, away from the loop, and slows down while it fails.
#pragma once

#include "store/postgres/core.h"
#include "store/postgres/link.h"

namespace mandate::store::postgres {

/// A link and, when it writes, its stream.
struct Joined {
  std::shared_ptr<Link> link;
  std::string stream;
  std::int64_t committed = 0;  ///< transactions of the stream
  bool busy = false;           ///< a transaction is under way (writes)
};

/// Use on its loop only, from start() on.
class Links : public std::enable_shared_from_this<Links> {
 public:
  Links(Loop& loop, Core& core, std::size_t count, bool writing) : loop_(loop), core_(core), count_(count), writing_(writing) {}
  ~Links() { close(); }

  /// `joined` is called whenever one is there to be used.
  void start(std::function<void()> joined);
  void close();
  std::vector<std::shared_ptr<Joined>>& all() { return all_; }
  /// Drops the links whose answer is overdue (the server hangs, or the network is cut), and renews idle ones that are worn.
  void look_after(std::chrono::milliseconds limit);
  /// Why the last dialling failed; empty while it works.
  const std::string& trouble() const { return trouble_; }

 private:
  void dial();
  void adopt(Result<Core::Writing> dialled);
  void left(const Joined* who);

  /// Where a finished dialling reports; shut before the loop goes.
  struct Door {
    std::mutex mutex;
    Loop* loop;
  };

  Loop& loop_;
  Core& core_;
  std::shared_ptr<Door> door_ = std::make_shared<Door>();
  std::size_t count_;
  bool writing_;
  bool closed_ = false;
  std::function<void()> joined_;
  std::vector<std::shared_ptr<Joined>> all_;
  std::size_t dialling_ = 0;
  std::chrono::milliseconds pause_{0};
  std::unique_ptr<Loop::Timer> later_;
  std::string trouble_;
};

}  // namespace mandate::store::postgres
