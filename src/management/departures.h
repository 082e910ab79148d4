// What a deleted service leaves is removed: its tables, its devices and their messages, its jobs' runs and times, its lines of log,
// the versions of its code. See tenant/departed.h for the note by which nobody forgets it.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>

#include "base/log.h"
#include "base/random.h"
#include "store/lease.h"
#include "tables/operations.h"
#include "tenant/directory.h"

namespace mandate::management {

/// Thread-safe; one for the house. Of all who would remove the same service's rows, here and on other nodes, one does at a time:
/// a service of that name which was made meanwhile must not lose its own.
class Departures {
 public:
  /// After this long nobody works with a configuration that still has the service: what was written late goes with a second look.
  static constexpr std::chrono::minutes kLate{10};
  static constexpr std::chrono::seconds kLease{10};

  /// `node`: another name with every start.
  Departures(tenant::TenantDirectory& tenants, tables::Tables& tables, std::string node, const Clock& clock, Log& log)
      : tenants_(tenants), tables_(tables), node_(std::move(node)), clock_(clock), log_(log) {}

  /// Removes all rows of a service that was deleted, piece by piece; the note stays. Goes on where it was broken off. Nothing when
  /// there is no note; where a service of that name is there all the same, only the note goes.
  Task<void> clear(tenant::Here here, std::string service);
  /// The same, and the note too: afterwards a service of that name may be made. conflict while another is at it.
  Task<void> finish(tenant::Here here, std::string service);
  /// Upkeep: clears what is seen for the first time (who deleted it may have died), and finishes after kLate.
  Task<void> visit(tenant::Here here);

 private:
  using Key = std::pair<store::Store*, std::string>;
  class Turn;
  class Steps;
  Task<void> work(tenant::Here here, std::string service, bool last);
  Task<void> remove_all(tenant::Here here, std::string service, bool last, store::Lease* lease);
  Task<void> remove_code(tenant::Here here, std::string service, bool last, store::Lease* lease);

  tenant::TenantDirectory& tenants_;
  tables::Tables& tables_;
  const std::string node_;
  const Clock& clock_;
  Log& log_;
  std::mutex mutex_;                       ///< of the two below
  std::set<Key> at_work_;
  std::map<Key, store::Lease> leases_;     ///< used by who is in at_work_
  std::map<Key, std::pair<std::uint64_t, std::chrono::steady_clock::time_point>> seen_;  ///< notes by revision; of the upkeep's loop
};

}  // namespace mandate::management
