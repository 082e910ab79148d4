#include "store/sqlite/readers.h"

namespace mandate::store::sqlite {
namespace {

/// Ends the tick when the loop lets go of it: also when the loop dies before its tick ends.
struct Ticket {
  std::weak_ptr<LoopState> state;
  explicit Ticket(std::weak_ptr<LoopState> s) : state(std::move(s)) {}
  Ticket(const Ticket&) = delete;
  ~Ticket() {
    if (auto alive = state.lock()) alive->end_tick();
  }
};

}  // namespace

void LoopState::flush_at_end_of_tick() {
  if (std::exchange(scheduled_, true)) return;
  loop->at_end_of_tick([ticket = std::make_shared<Ticket>(weak_from_this())]() mutable { ticket.reset(); });
}

void LoopState::end_tick() {
  scheduled_ = false;
  if (reader) reader->end_snapshot();
  if (jobs.empty()) return;
  const auto batch = std::exchange(jobs, {});
  const Result<void> pushed = writer->push(batch);
  if (pushed.ok()) return;
  for (const JobPtr& job : batch) {
    job->result.emplace(pushed.error());
    job->finish();
  }
}

LoopState* Readers::here() {
  Loop* loop = Loop::current();
  if (!loop) return nullptr;
  const std::size_t index = loop->index();
  if (index < by_index_.size())
    if (LoopState* state = by_index_[index].load(std::memory_order_acquire); state && state->loop == loop) return state;
  return add(loop);
}

LoopState* Readers::add(Loop* loop) {
  const std::lock_guard lock(mutex_);
  auto& state = by_loop_[loop];
  if (!state) {
    state = std::make_shared<LoopState>();
    state->loop = loop;
    state->writer = &writer_;
  }
  if (loop->index() < by_index_.size()) by_index_[loop->index()].store(state.get(), std::memory_order_release);
  return state.get();
}

Result<Reader*> Readers::reader(LoopState& state) {
  if (!state.reader) {
    TRY(state.reader, Reader::open(place_, writer_.commits()));
    state.reader->share_snapshot();
  }
  state.flush_at_end_of_tick();
  return state.reader.get();
}

Result<std::unique_ptr<Reader>> Readers::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!spare_.empty()) {
      auto reader = std::move(spare_.back());
      spare_.pop_back();
      return reader;
    }
  }
  return Reader::open(place_, writer_.commits());
}

void Readers::give_back(std::unique_ptr<Reader> reader) {
  const std::lock_guard lock(mutex_);
  if (spare_.size() < 4) spare_.push_back(std::move(reader));
}

}  // namespace mandate::store::sqlite
