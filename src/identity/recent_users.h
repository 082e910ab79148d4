// People read a moment ago, kept for as long as the engine says that nobody's row has changed.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "identity/users.h"

namespace mandate::identity {

/// One for all tenants; every loop has its own part of it, so no lock is taken. Off a loop, or with an engine
/// that cannot count its commits, nothing is kept.
class RecentUsers {
 public:
  /// Where the tables of people stood; taken before they are read.
  struct Version {
    std::uint64_t users = 0, identities = 0;
    bool operator==(const Version&) const = default;
  };
  /// Absent: nothing may be kept here.
  static std::optional<Version> version(store::Store& store);

  /// Null when not known at that version.
  std::shared_ptr<const User> find(const store::Store& store, const std::string& user_id,
                                   Version version) const;
  void keep(const store::Store& store, Version version, User user);

 private:
  static constexpr std::size_t kMost = 1024;  ///< a loop and store; then all are forgotten
  struct House {
    Version version;
    std::unordered_map<std::string, std::shared_ptr<const User>> people;
  };
  using PerLoop = std::unordered_map<const store::Store*, House>;
  std::array<PerLoop, 64> loops_;
};

}  // namespace mandate::identity
