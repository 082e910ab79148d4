// Grants whose refresh tokens this process gave out a while ago, so that their next use needs no read.
#pragma once

#include <array>
#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "base/metrics.h"
#include "oauth/remembered_grant.h"

namespace mandate::oauth {

/// Bounded by bytes, the longest unused go first. Knows tokens by a hash only. Nothing here says that a grant still lives: who
/// uses an entry lets the transaction ask (remembered_grant.h). Thread-safe; one for all loops and tenants of a process.
class GrantMemory {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{8} << 20;
  explicit GrantMemory(Metrics& metrics, std::size_t most_bytes = kMostBytes);

  struct Entry {
    explicit Entry(RememberedGrant g) : grant(std::move(g)) {}
    const RememberedGrant grant;
    std::atomic<bool> spent = false;  ///< this process has used the token up while somebody held the entry
  };
  using EntryPtr = std::shared_ptr<Entry>;

  /// Null when not known.
  EntryPtr find(std::string_view tenant, std::string_view token);
  void keep(std::string_view tenant, std::string_view token, RememberedGrant grant);
  /// The token was used up: the entry goes, and who holds it is told.
  void spend(std::string_view tenant, std::string_view token);
  /// The entry goes, unless another has taken its place.
  void forget(std::string_view tenant, std::string_view token, const EntryPtr& entry);
  /// What all entries take, about.
  std::size_t bytes() const;

 private:
  struct Node {
    std::string key;
    EntryPtr entry;
    std::size_t bytes = 0;
  };
  /// Loops meet at one only by chance.
  struct Part {
    mutable std::mutex mutex;
    std::list<Node> nodes;  ///< the latest used first
    std::unordered_map<std::string_view, std::list<Node>::iterator> by_key;
    std::size_t bytes = 0;
  };
  Part& part_of(std::string_view key);
  void drop(Part& part, std::list<Node>::iterator node);

  std::array<Part, 16> parts_;
  std::size_t most_of_a_part_;
  Gauge& gauge_;
};

}  // namespace mandate::oauth
