// A node and its clients: a cluster of its own, a few loops on threads of their own, and on them clients that insert,
// compare and set, take what may be taken once, and act in batches, at a bounded rate. All of it goes into a History.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <optional>
#include <thread>

#include "store/postgres/postgres.h"
#include "tests/fault/history.h"
#include "tests/support/test_loop.h"

namespace mandate::test {

/// Tokens of all nodes, so that several try to take the same one. Thread-safe.
class Tokens {
 public:
  void add(std::string token);
  /// One of the latest.
  std::optional<std::string> some(std::size_t chance) const;

 private:
  mutable std::mutex mutex_;
  std::deque<std::string> latest_;
};

/// What all nodes of a test share. `rows` are inserts of one row, `pairs` of two in a batch.
struct Shared {
  History rows, pairs, tokens, registers;
  Tokens pool;
};

struct NodeOptions {
  std::string name = "a";
  std::size_t loops = 2, clients = 6;  ///< clients of each loop
  double writes_a_second = 100;
  std::chrono::milliseconds deadline{20'000};  ///< of every operation
  store::PostgresOptions postgres = {};
};

/// Makes the tables and the registers, once for each database.
void prepare_tables(const std::string& url);

class Node {
 public:
  /// Throws std::runtime_error when the cluster cannot be opened.
  Node(const std::string& url, Shared& shared, NodeOptions options = {});
  ~Node();
  /// Ends the load; waits for every client's last answer.
  void stop();

  /// Acknowledged writes so far.
  int acknowledged() const { return acknowledged_; }
  /// Waits until so many more were acknowledged; false after `limit`.
  bool writes(int more, std::chrono::seconds limit = std::chrono::seconds(30)) const;
  /// A counter of the engine's.
  double counter(std::string_view name) const;
  struct Figures {
    std::chrono::milliseconds longest_gap{0};  ///< between two acknowledgements, from `since` on
    std::chrono::milliseconds slowest{0};      ///< operation that began after `since`, with any answer
    int refused = 0, unknown = 0, acknowledged = 0;
    std::map<std::string, int> codes;  ///< of answers that leave it open
  };
  Figures figures(std::chrono::steady_clock::time_point since) const;

 private:
  struct Answered {
    std::chrono::steady_clock::time_point began, ended;
    End end;
    std::string code;
  };
  End answered(const std::string& code, bool ok, std::chrono::steady_clock::time_point began);
  void run_loop(std::size_t index);
  Task<void> client(std::uint64_t seed);
  Task<End> write(store::Batch batch);
  Task<void> insert_row();
  Task<void> compare_and_set(std::size_t chance);
  Task<void> put_token();
  Task<void> take_token(std::size_t chance);
  Task<void> insert_pair(std::size_t chance);
  std::string fresh(const char* what) { return options_.name + "-" + what + "-" + std::to_string(++sequence_); }

  NodeOptions options_;
  Shared& shared_;
  SystemClock clock_;
  SystemRandom random_;
  Log log_{clock_, Level::error, [](std::string_view) {}};
  Metrics metrics_;
  std::unique_ptr<store::PostgresCluster> cluster_;
  std::unique_ptr<store::Store> store_;
  std::atomic<bool> over_{false};
  std::atomic<int> acknowledged_{0}, sequence_{0};
  mutable std::mutex mutex_;
  std::vector<Answered> answers_;
  std::vector<std::thread> threads_;
};

/// What a node that is gone had sent may still be at work: waits until nobody else is connected.
void wait_for_the_last_transaction(const std::string& url);

/// Looks at the database as it is now and at what was said of it; every anomaly in a line, empty = none.
std::string anomalies(const std::string& url, const Shared& shared);

}  // namespace mandate::test
