// The audit of grants that are asked for in floods: at a calm pace a row each, in a flood one row a second
// with a count.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "tenant/audit.h"

namespace mandate::oauth {

/// Thread-safe. What a flood counted in its last second is written with the next grant of the tenant.
class GrantTally {
 public:
  /// Counts one grant; gives the events to write now, none when the last writing was less than a second ago.
  std::vector<tenant::Event> count(const std::string& tenant, const std::string& client_id,
                                   const std::string& target, std::string_view grant_type, Millis now);

 private:
  struct Pending {
    Millis written_at = 0;
    std::map<std::pair<std::string, std::string>, std::int64_t>
        counts;  ///< by client and target: as many as are configured
  };
  std::mutex mutex_;
  std::map<std::string, Pending, std::less<>> tenants_;
};

}  // namespace mandate::oauth
