#include "tables/importing/versions.h"

#include "tables/schema.h"

namespace mandate::tables::importing {
namespace {

/// September 2001 and November 2286. SQL Server's rowversions, which are as long as our versions, count the changes of a database
/// from 2000 or so; other servers have eight bytes of chance.
constexpr Millis kFirstOfOurs = 1'000'000'000'000, kBehindOurs = 10'000'000'000'000;

bool foreign(Millis stamp) { return stamp < kFirstOfOurs || stamp >= kBehindOurs; }

bool foreign(std::string_view version) {
  const auto stamp = stamp_of(version);
  return !stamp || foreign(*stamp);
}

}  // namespace

store::Mutation remember(std::string physical, std::string id, std::string version, Millis stamp) {
  std::vector<store::Cell> cells{{"name", std::move(physical)}, {"id", std::move(id)}, {"version", std::move(version)}, {"stamp", stamp}};
  return store::upsert(std::string(kVersions), {"name", "id"}, std::move(cells));
}

store::Bunch forgetting(std::string physical) { return {std::string(kVersions), {"name", "id"}, store::equals("name", std::move(physical))}; }

bool expects_foreign(const Act& act) {
  if (act.operation == Operation::read || act.operation == Operation::insert || act.id.empty()) return false;
  if (act.expected_version && foreign(*act.expected_version)) return true;
  const auto& match = act.preconditions.match;
  return match && (!match->foreign.empty() || std::ranges::any_of(match->stamps, [](Millis stamp) { return foreign(stamp); }));
}

Task<Act> with_our_versions(Act act) {
  store::Plan plan;
  plan.table = kVersions;
  plan.where = store::both(store::equals("name", physical_name(act.context.service->name, act.context.table->name)), store::equals("id", act.id));
  plan.deadline = act.context.deadline;
  Task<std::optional<store::Row>> look = act.context.here.store->get(std::move(plan));
  CO_TRY(const std::optional<store::Row> row, co_await look);
  if (!row) co_return act;
  const std::string_view known = row->text("version");
  const Millis stamp = row->integer("stamp");
  if (act.expected_version == known) act.expected_version = wire_version(stamp);
  if (!act.preconditions.match) co_return act;
  TagList& match = *act.preconditions.match;
  for (Millis& each : match.stamps)
    if (foreign(each) && wire_version(each) == known) each = stamp;
  if (std::ranges::find(match.foreign, known) != match.foreign.end()) match.stamps.push_back(stamp);
  match.foreign.clear();
  co_return act;
}

}  // namespace mandate::tables::importing
