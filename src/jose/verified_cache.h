// Tokens that were found good a moment ago, so that the same bearer is not verified on every request (engine.md §4).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace mandate::jose {

/// What was learnt from a token (T), found again by the token's bytes and the place it was shown at. Bounded: when full,
/// everything not used since the last turn is forgotten. One per loop; not thread-safe.
template <class T>
class VerifiedCache {
 public:
  /// `most`: entries kept, at least half of them the latest used.
  explicit VerifiedCache(std::size_t most = 8192) : half_(most / 2 + 1) {}

  /// Null when unknown, when `now` (seconds) has reached the token's end, or when anything in `scope` or `epoch` is not what
  /// it was: `scope` names tenant and service (TK-3, DG-13), `epoch` is whatever revokes (TK-10).
  std::shared_ptr<const T> find(std::string_view scope, std::string_view token, std::uint64_t epoch, std::int64_t now) {
    make_key(scope, token);
    auto found = young_.find(key_);
    if (found == young_.end()) {
      auto older = old_.extract(key_);
      if (older.empty()) return nullptr;
      if (young_.size() >= half_) turn();
      found = young_.insert(std::move(older)).position;
    }
    if (found->second.epoch != epoch || now >= found->second.end) {
      young_.erase(found);
      return nullptr;
    }
    return found->second.value;
  }

  /// `end`: seconds, the token's exp.
  std::shared_ptr<const T> put(std::string_view scope, std::string_view token, std::uint64_t epoch, std::int64_t end, T value) {
    auto shared = std::make_shared<const T>(std::move(value));
    if (young_.size() >= half_) turn();
    make_key(scope, token);
    young_.insert_or_assign(key_, Entry{shared, epoch, end});
    return shared;
  }

  std::size_t size() const { return young_.size() + old_.size(); }
  void clear() { young_.clear(), old_.clear(); }

 private:
  struct Entry {
    std::shared_ptr<const T> value;
    std::uint64_t epoch;
    std::int64_t end;
  };
  using Map = std::unordered_map<std::string, Entry>;
  void turn() {
    old_ = std::move(young_);
    young_ = Map();
  }
  void make_key(std::string_view scope, std::string_view token) {
    key_.assign(scope);
    key_ += '\0';
    key_ += token;
  }
  std::size_t half_;
  Map young_, old_;
  std::string key_;  // kept for its memory
};

}  // namespace mandate::jose
