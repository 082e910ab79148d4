#include "identity/recent_users.h"

#include "base/loop.h"

namespace mandate::identity {

std::optional<RecentUsers::Version> RecentUsers::version(store::Store& store) {
  if (!Loop::current()) return std::nullopt;
  const std::atomic<std::uint64_t>* users = store.changes("users");
  const std::atomic<std::uint64_t>* identities = store.changes("identities");
  if (!users || !identities) return std::nullopt;
  return Version{users->load(std::memory_order_acquire), identities->load(std::memory_order_acquire)};
}

std::shared_ptr<const User> RecentUsers::find(const store::Store& store, const std::string& user_id,
                                              Version version) const {
  const PerLoop& mine = loops_[Loop::current()->index() % loops_.size()];
  const auto house = mine.find(&store);
  if (house == mine.end() || house->second.version != version) return nullptr;
  const auto found = house->second.people.find(user_id);
  return found == house->second.people.end() ? nullptr : found->second;
}

void RecentUsers::keep(const store::Store& store, Version version, User user) {
  House& house = loops_[Loop::current()->index() % loops_.size()][&store];
  if (house.version != version || house.people.size() >= kMost) house.people.clear();
  house.version = version;
  std::string user_id = user.user_id;
  house.people.insert_or_assign(std::move(user_id), std::make_shared<const User>(std::move(user)));
}

}  // namespace mandate::identity
