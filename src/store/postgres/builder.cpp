#include "store/postgres/builder.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "store/columns.h"
#include "store/postgres/schema.h"

namespace mandate::store::postgres {
namespace {

constexpr std::chrono::seconds kFirstPause{1}, kLongestPause{300};

/// Anything else fails the next time, too.
bool passes(const Error& error) {
  return error.code == Code::overloaded || error.code == Code::timeout || error.code == Code::read_only || error.code == Code::temporarily_unavailable;
}

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

void Builder::forget(const std::string& tenant, const std::string& table) {
  const std::lock_guard lock(mutex_);
  wanted_.erase({tenant, table});
  waiting_.set(static_cast<double>(wanted_.size()));
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

void Builder::work() {
  Wanted wanted;
  while (const std::optional<Place> place = next(wanted)) {
    const auto begun = std::chrono::steady_clock::now();
    const Result<void> made = make_indexes_behind(core_, place->first, place->second, wanted.indexes, wake_);
    if (made.ok())
      core_.log().info("store.indexes_made", {{"tenant", place->first}, {"table", place->second}, {"indexes", wanted.indexes.size()},
                                              {"ms", std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun).count()}});
    settle(*place, std::move(wanted), made);
    wanted = {};
  }
}

void Builder::settle(const Place& place, Wanted wanted, const Result<void>& made) {
  const std::lock_guard lock(mutex_);
  if (over_) return;
  const auto there = wanted_.find(place);
  if (there == wanted_.end()) return;  // not wanted any more
  if (!made.ok() && passes(made.error())) {
    const std::chrono::seconds pause = pause_after(there->second.failures++);
    there->second.due = std::chrono::steady_clock::now() + pause;
    core_.log().warn("store.indexes_postponed", {{"tenant", place.first}, {"table", place.second}, {"seconds", pause.count()}, {"detail", made.error().detail}});
    return;
  }
  if (!made.ok()) core_.log().error("store.indexes_failed", {{"tenant", place.first}, {"table", place.second}, {"detail", made.error().detail}});
  // Those that came meanwhile are still to be made.
  std::erase_if(there->second.indexes, [&](const IndexSpec& each) {
    return std::ranges::any_of(wanted.indexes, [&](const IndexSpec& done) { return index_name(place.second, done) == index_name(place.second, each); });
  });
  there->second.failures = 0;
  there->second.due = {};
  if (there->second.indexes.empty()) wanted_.erase(there);
  waiting_.set(static_cast<double>(wanted_.size()));
}

}  // namespace mandate::store::postgres
