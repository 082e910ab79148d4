#include "http/deadlines.h"

namespace mandate::http {
namespace {
constexpr std::chrono::milliseconds kGrain{10};
}

void Deadlines::enter(Entry& entry, Kind kind, Time now) {
  leave(entry);
  Queue& queue = queues_[kind];
  entry.kind_ = kind;
  entry.at_ = now + lengths_[kind];
  entry.previous_ = queue.last;
  entry.next_ = nullptr;
  (queue.last ? queue.last->next_ : queue.first) = &entry;
  queue.last = &entry;
  if (entry.at_ < armed_) arm(entry.at_, now);
}

void Deadlines::leave(Entry& entry) {
  if (entry.kind_ == none) return;
  Queue& queue = queues_[entry.kind_];
  (entry.previous_ ? entry.previous_->next_ : queue.first) = entry.next_;
  (entry.next_ ? entry.next_->previous_ : queue.last) = entry.previous_;
  entry.kind_ = none;
  entry.previous_ = entry.next_ = nullptr;
}

void Deadlines::arm(Time at, Time now) {
  armed_ = at;
  const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(at - now);
  timer_ = loop_.after(std::max(wait, std::chrono::milliseconds(0)) + kGrain, [this] { fire(); });
}

void Deadlines::fire() {
  const Time now = std::chrono::steady_clock::now();
  armed_ = Time::min();  // nobody arms while we are at it
  for (Queue& queue : queues_) {
    while (queue.first && queue.first->at_ <= now) {
      Entry& due = *queue.first;
      const Kind kind = due.kind_;
      leave(due);
      due.on_deadline(kind);
    }
  }
  Time next = Time::max();
  for (const Queue& queue : queues_)
    if (queue.first) next = std::min(next, queue.first->at_);
  armed_ = Time::max();
  if (next != Time::max()) arm(next, now);
  else timer_.reset();
}

}  // namespace mandate::http
