// Timeouts of many peers with one timer: every timeout of one kind is equally long, so each kind is a queue in order.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>

#include "base/loop.h"

namespace mandate::http {

/// Entering and leaving is a few pointers; the timer is set only when something can end sooner than it fires.
/// One loop.
class Deadlines {
 public:
  enum Kind : std::uint8_t { header, tls, idle, body, request, write, linger, kKinds, none = kKinds };
  using Time = std::chrono::steady_clock::time_point;

  class Entry {
   public:
    virtual void on_deadline(Kind kind) = 0;
    Kind waiting_for() const { return kind_; }

   protected:
    ~Entry() = default;

   private:
    friend class Deadlines;
    Entry *previous_ = nullptr, *next_ = nullptr;
    Time at_{};
    Kind kind_ = none;
  };

  Deadlines(Loop& loop, const std::array<std::chrono::milliseconds, kKinds>& lengths) : loop_(loop), lengths_(lengths) {}
  /// Starts the timeout anew; an entry waits for one thing at a time.
  void enter(Entry& entry, Kind kind, Time now);
  void leave(Entry& entry);

 private:
  struct Queue {
    Entry *first = nullptr, *last = nullptr;
  };
  void arm(Time at, Time now);
  void fire();

  Loop& loop_;
  std::array<std::chrono::milliseconds, kKinds> lengths_;
  std::array<Queue, kKinds> queues_{};
  std::unique_ptr<Loop::Timer> timer_;
  Time armed_ = Time::max();
};

}  // namespace mandate::http
