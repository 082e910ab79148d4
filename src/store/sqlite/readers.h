// A reader for every loop, one for threads without a loop, and a few for scans in the pool.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <mutex>

#include "base/loop.h"
#include "store/sqlite/job.h"
#include "store/sqlite/reader.h"
#include "store/sqlite/writer.h"

namespace mandate::store::sqlite {

/// What one loop keeps: its reader and the jobs of this tick. Touched on that loop only.
struct LoopState : std::enable_shared_from_this<LoopState> {
  Loop* loop = nullptr;
  Writer* writer = nullptr;
  std::unique_ptr<Reader> reader;
  std::vector<JobPtr> jobs;

  /// Once a tick: lets go of the snapshot, hands the tick's jobs to the writer as one piece.
  void flush_at_end_of_tick();
  void end_tick();

 private:
  bool scheduled_ = false;
};

/// Thread-safe.
class Readers {
 public:
  Readers(Place place, Writer& writer) : place_(std::move(place)), writer_(writer) {}

  /// Of the loop running here; null on other threads.
  LoopState* here();
  Result<Reader*> reader(LoopState& state);

  /// Runs `read` with a reader that is lent for the time of the call; for threads without a loop.
  template <class F>
  auto lend(F read) -> decltype(read(std::declval<Reader&>())) {
    TRY(std::unique_ptr<Reader> reader, take());
    auto result = read(*reader);
    give_back(std::move(reader));
    return result;
  }

 private:
  Result<std::unique_ptr<Reader>> take();
  void give_back(std::unique_ptr<Reader> reader);
  LoopState* add(Loop* loop);

  Place place_;
  Writer& writer_;
  std::array<std::atomic<LoopState*>, 128> by_index_{};
  std::mutex mutex_;
  std::map<Loop*, std::shared_ptr<LoopState>> by_loop_;
  std::vector<std::unique_ptr<Reader>> spare_;
};

}  // namespace mandate::store::sqlite
