#include "oauth/token/grant_tally.h"

namespace mandate::oauth {

std::vector<tenant::Event> GrantTally::count(const std::string& tenant, const std::string& client_id,
                                             const std::string& target, std::string_view grant_type,
                                             Millis now) {
  constexpr Millis kEvery = 1000;
  std::map<std::pair<std::string, std::string>, std::int64_t> due;
  {
    const std::lock_guard lock(mutex_);
    Pending& pending = tenants_[tenant];
    ++pending.counts[{client_id, target}];
    if (now - pending.written_at < kEvery) return {};
    pending.written_at = now;
    due.swap(pending.counts);
  }
  std::vector<tenant::Event> out;
  for (const auto& [who, times] : due) {
    tenant::Event event;
    event.type = "grant.ok";
    event.client_id = who.first;
    event.target = who.second;
    event.details["grant_type"] = grant_type;
    event.details["count"] = times;
    out.push_back(std::move(event));
  }
  return out;
}

}  // namespace mandate::oauth
