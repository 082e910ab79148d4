// Runs of jobs as the store keeps them. A job has one run at most that has not ended; the next is refused meanwhile.
//
//   waiting → running → succeeded | failed | timed_out | abandoned (its server died or lost the duty)
//   skipped: a time came while the run before had not ended
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/random.h"
#include "store/lease.h"
#include "store/pieces.h"

namespace mandate::tables::jobs {

inline constexpr std::int64_t kKeptDays = 14;

namespace state {
inline constexpr std::string_view kWaiting = "waiting", kRunning = "running", kSucceeded = "succeeded", kFailed = "failed",
                                  kTimedOut = "timed_out", kAbandoned = "abandoned", kSkipped = "skipped";
}  // namespace state

/// A run to be filed. `due`: the time it is for; `reason`: "schedule" or "asked".
struct NewRun {
  std::string service, job;  ///< job: its name in lower case
  std::string reason = "asked";
  Millis due = 0;
};

/// Ids are in the order of time.
std::string new_run_id(Millis now, Random& random);

/// The insert; Code::conflict when the job has a run that has not ended.
store::Mutation file_run(const std::string& id, const NewRun& run, Millis now);
/// The insert of a run that never was, for the history.
store::Mutation note_skipped(const std::string& id, const NewRun& run, Millis now, std::string why);
/// Fails its batch with not_found unless the run was waiting.
store::Mutation begin_run(const std::string& id, const std::string& node, Millis now);
/// Touches nothing when another has ended it.
store::Mutation end_run(const std::string& id, const std::string& node, std::string_view state, std::string error, Millis now);
/// Ends what others than `node` left running, and what `node` is said to run and does not: `under_way` are the ids of what it does.
std::vector<store::Mutation> abandon(const std::vector<store::Row>& running, const std::string& node, const std::set<std::string>& under_way, Millis now);
/// Removes runs that ended longer ago than kKeptDays.
store::Mutation sweep_runs(Millis now);

/// Runs in a state, the oldest first; at most `most`.
Task<std::vector<store::Row>> runs_in(store::Store& store, std::string state, std::int64_t most);
/// Runs of a service, the newest first; of one job when it is named.
Task<std::vector<store::Row>> history(store::Store& store, std::string service, std::string job, std::int64_t most);
/// {"id","job","reason","state","due","started"?,"ended"?,"seconds"?,"error"?}
JsonObject shown(const store::Row& run);

/// When each job is due next: table job_times.
struct Time {
  std::string service, job, schedule;
  Millis next_at = 0;  ///< 0: never again
};
Task<std::vector<Time>> times(store::Store& store);
store::Mutation set_time(const Time& time);
/// The same for a time that still is `from`; the batch fails with not_found otherwise.
store::Mutation move_time(const Time& from, Millis next_at);
store::Mutation remove_time(const Time& time);

/// The runs and times of a service that goes.
std::vector<store::Bunch> forgetting(const std::string& service);

}  // namespace mandate::tables::jobs
