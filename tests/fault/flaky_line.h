// A line over loopback between a node and its database that a test can break: a TCP proxy with bad manners.
#pragma once

#include <atomic>
#include <list>
#include <mutex>
#include <thread>

namespace mandate::test {

/// Has a thread. Thread-safe.
class FlakyLine {
 public:
  /// To 127.0.0.1:`port`.
  explicit FlakyLine(int port);
  ~FlakyLine();
  FlakyLine(const FlakyLine&) = delete;

  int port() const { return port_; }

  enum class Break {
    reset,    ///< at once
    half,     ///< half of what the node says next gets through, then a reset
    swallow,  ///< what the node says next is done, its answer is lost, then a reset
    garble,   ///< what the node says next is done, its answer comes as noise
  };
  /// Every connection that is open now, each at the next thing the node says on it.
  void break_all(Break how);
  /// While it holds, nothing passes in either direction and nobody is told.
  void stall(bool yes) {
    stalled_ = yes;
    wake();
  }
  /// While it holds, every connection is reset, also those that are tried.
  void cut(bool yes) {
    cut_ = yes;
    wake();
  }
  /// Connections that were broken by what the test asked for.
  int broken() const { return broken_; }

 private:
  struct Pair {
    int node, server;
    enum class State { whole, reset, half, swallow, garble, silent, noisy } state = State::whole;
  };
  void work();
  void wake();
  void accept();
  bool from_node(Pair& pair);
  bool from_server(Pair& pair);
  void drop(Pair& pair);

  int to_, port_ = 0, listener_ = -1, wake_ = -1;
  std::atomic<bool> over_{false}, stalled_{false}, cut_{false};
  std::atomic<int> broken_{0};
  std::mutex mutex_;
  std::list<Pair> pairs_;
  std::thread thread_;
};

}  // namespace mandate::test
