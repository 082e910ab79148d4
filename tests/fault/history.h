// What was asked of a store and what came of it, and whether there is an order of it that a single careful machine could
// have answered (RL-24): checkers for single use, versioned registers and insert sets.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace mandate::test {

/// `unknown`: no answer, or one that leaves open whether it happened.
enum class End { ok, refused, unknown };

struct Operation {
  enum class What { insert, put, take, write, read };
  using Moment = std::chrono::steady_clock::time_point;

  What what = What::insert;
  std::string key;           ///< of the row, the token or the register
  std::string value = {};    ///< write: the new one, of no other write; read: what was found
  std::int64_t version = 0;  ///< write: the one it expects, it makes the next; read: what was found
  End end = End::unknown;
  Moment began = {}, ended = Moment::max();
};

/// Thread-safe.
class History {
 public:
  /// Stamps the beginning. Until finish() it is an operation without an answer.
  std::size_t begin(Operation operation);
  void finish(std::size_t id, End end);
  /// Of a read, with what it found.
  void finish(std::size_t id, std::int64_t version, std::string value);
  std::vector<Operation> all() const;

 private:
  mutable std::mutex mutex_;
  std::vector<Operation> operations_;
};

/// Each anomaly in a line; empty when there is none. Operations of other sorts are not looked at.
using Anomalies = std::vector<std::string>;

/// `left`: the tokens that are still there at the end.
Anomalies check_single_use(const std::vector<Operation>& operations, const std::set<std::string>& left);

struct Versioned {
  std::int64_t version = 0;
  std::string value = {};
};
/// Registers begin with version 0 and an empty value. `last`: what they hold at the end.
Anomalies check_registers(const std::vector<Operation>& operations, const std::map<std::string, Versioned>& last);

/// `found`: the keys that are there at the end, as often as they are.
Anomalies check_inserts(const std::vector<Operation>& operations, const std::vector<std::string>& found);

}  // namespace mandate::test
