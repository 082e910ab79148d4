// Decides when a Worker holds its thread for too long, from what is heard of it. Pure: time comes in.
#pragma once

#include <chrono>

namespace mandate::scripts {

/// What is known of one Worker.
struct Pulse {
  using Time = std::chrono::steady_clock::time_point;
  Time heard{};       ///< when the last frame of it came
  Time pinged{};      ///< when it was asked for a sign; cleared when heard
  Time ending{};      ///< when it was told to end
  bool asked = false, told = false, up = false;

  void hear(Time now) {
    heard = now;
    asked = false;
    up = true;
  }
};

enum class Verdict { fine, ask, end_worker, kill_process };

/// `limit`: how long a script may hold the thread. A Worker that is starting gets `start_limit`; a process that does not
/// end a Worker within `obey` is killed. Updates the pulse as if the verdict is carried out.
struct Watchdog {
  std::chrono::milliseconds limit{2'000}, start_limit{10'000}, obey{1'000};

  /// How often to look, so that an end comes within 1.2 × limit (RL-19).
  std::chrono::milliseconds interval() const { return std::max(std::chrono::milliseconds(10), std::min(std::chrono::milliseconds(200), limit / 12)); }
  Verdict look(Pulse& pulse, bool busy, Pulse::Time now) const;
};

}  // namespace mandate::scripts
