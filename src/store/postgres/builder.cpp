#include "store/postgres/builder.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "store/columns.h"
#include "store/postgres/schema.h"

namespace mandate::store::postgres {
namespace {

constexpr std::chrono::seconds kFirstPause{1}, kLongestPause{300};

std::chrono::seconds pause_after(int failures) { return std::min(kFirstPause * (1 << std::min(failures, 10)), kLongestPause); }

}  // namespace

Builder::Builder(Core& core)
    : core_(core), waiting_(core.indexes_waiting), wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), thread_([this] { work(); }) {}

Builder::~Builder() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_, &one, sizeof one);
  thread_.join();
  ::close(wake_);
}

void Builder::add(const std::string& tenant, const std::string& table, std::vector<IndexSpec> indexes) {
  {
    const std::lock_guard lock(mutex_);
    Wanted& wanted = wanted_[{tenant, table}];
    for (IndexSpec& spec : indexes) {
      const std::string name = index_name(table, spec);
      const bool known = std::ranges::any_of(wanted.indexes, [&](const IndexSpec& each) { return index_name(table, each) == name; });
      if (!known) wanted.indexes.push_back(std::move(spec));
    }
    waiting_.set(static_cast<double>(wanted_.size()));
  }
  changed_.notify_all();
}

std::vector<IndexSpec> Builder::forget(const std::string& tenant, const std::string& table) {
  const std::lock_guard lock(mutex_);
  const auto there = wanted_.extract({tenant, table});
  waiting_.set(static_cast<double>(wanted_.size()));
  return there ? std::move(there.mapped().indexes) : std::vector<IndexSpec>{};
}

std::optional<Builder::Place> Builder::next(Wanted& wanted) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (over_) return std::nullopt;
    if (wanted_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto first = std::ranges::min_element(wanted_, {}, [](const auto& each) { return each.second.due; });
    if (first->second.due > std::chrono::steady_clock::now()) {
      const auto due = first->second.due;
      changed_.wait_until(lock, due);
      continue;
    }
    wanted = first->second;
    return first->first;
  }
}

// One that cannot be made keeps none of the others.
void Builder::work() {
  Wanted wanted;
  while (const std::optional<Place> place = next(wanted)) {
    const auto& [tenant, table] = *place;
    const auto begun = std::chrono::steady_clock::now();
    std::vector<IndexSpec> done;
    std::size_t count = 0;
    Result<void> postponed;
    for (const IndexSpec& spec : wanted.indexes) {
      if (!is_wanted(*place, spec)) continue;
      const Result<void> made = make_index_behind(core_, tenant, table, spec, wake_);
      if (!made.ok() && passes(made.error())) {
        postponed = made;
        continue;
      }
      if (made.ok()) ++count;
      else core_.log().error("store.indexes_failed", {{"tenant", tenant}, {"table", table}, {"detail", made.error().detail}});
      done.push_back(spec);
    }
    if (count)
      core_.log().info("store.indexes_made", {{"tenant", tenant}, {"table", table}, {"indexes", count},
                                              {"ms", std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun).count()}});
    settle(*place, done, postponed);
    wanted = {};
  }
}

bool Builder::is_wanted(const Place& place, const IndexSpec& spec) {
  const std::lock_guard lock(mutex_);
  const auto there = wanted_.find(place);
  return !over_ && there != wanted_.end() &&
         std::ranges::any_of(there->second.indexes, [&](const IndexSpec& each) { return index_name(place.second, each) == index_name(place.second, spec); });
}

void Builder::settle(const Place& place, const std::vector<IndexSpec>& done, const Result<void>& postponed) {
  const std::lock_guard lock(mutex_);
  if (over_) return;
  const auto there = wanted_.find(place);
  if (there == wanted_.end()) return;  // not wanted any more
  // Those that came meanwhile are still to be made.
  std::erase_if(there->second.indexes, [&](const IndexSpec& each) {
    return std::ranges::any_of(done, [&](const IndexSpec& one) { return index_name(place.second, one) == index_name(place.second, each); });
  });
  if (!postponed.ok()) {
    const std::chrono::seconds pause = pause_after(there->second.failures++);
    there->second.due = std::chrono::steady_clock::now() + pause;
    core_.log().warn("store.indexes_postponed", {{"tenant", place.first}, {"table", place.second}, {"seconds", pause.count()}, {"detail", postponed.error().detail}});
  } else {
    there->second.failures = 0;
    there->second.due = {};
  }
  if (there->second.indexes.empty()) wanted_.erase(there);
  waiting_.set(static_cast<double>(wanted_.size()));
}

}  // namespace mandate::store::postgres
