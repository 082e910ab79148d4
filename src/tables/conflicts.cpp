#include "tables/conflicts.h"

#include "base/url.h"

namespace mandate::tables {
namespace {

/// The member of any spelling; null when it is not there.
const Json* member_of(const JsonObject& item, std::string_view name) {
  for (const auto& member : item)
    if (iequals(std::string_view(member.key().data(), member.key().size()), name)) return &member.value();
  return nullptr;
}

/// Whether a is later, or larger, than b.
bool newer(const Json& a, const Json& b) {
  if (a.is_null()) return false;
  if (b.is_null()) return true;
  if (a.is_number() && b.is_number()) return a.to_number<double>() > b.to_number<double>();
  if (!a.is_string() || !b.is_string()) return false;
  const std::string_view left = view(a.get_string()), right = view(b.get_string());
  const auto when = parse_iso8601(left), then = parse_iso8601(right);
  return when && then ? *when > *then : left > right;
}

}  // namespace

bool has_policy(const Act& act) {
  if (!act.context.table || act.context.table->sync.conflicts == "report" || act.id.empty()) return false;
  if (act.operation != Operation::update && act.operation != Operation::remove) return false;
  return act.expected_version || (act.preconditions.match && !act.preconditions.match->any);
}

bool settles(const Act& act, const Answer& stale) {
  if (act.made_of && stale.version != wire_version(*act.made_of)) return false;
  return !act.preconditions.none_match || !act.preconditions.none_match->names(stamp_of(stale.version).value_or(0));
}

bool asks_script(const Act& act) {
  return has_policy(act) && act.context.table->sync.conflicts == "script" && act.context.table->scripts.contains(tenant::kConflict);
}

Winner winner_of(const Act& act, const JsonObject& row) {
  const tenant::TableSync& sync = act.context.table->sync;
  if (sync.conflicts == "client") return Winner::client;
  if (sync.conflicts != "newest" || act.operation != Operation::update) return Winner::server;
  const Json* sent = member_of(act.item, sync.newest_by);
  const Json* there = member_of(row, sync.newest_by);
  return sent && newer(*sent, there ? *there : Json(nullptr)) ? Winner::client : Winner::server;
}

Act unconditional(Act act) {
  act.expected_version.reset();
  act.preconditions.match.reset();
  act.preconditions.unmodified_since.reset();  // means nothing beside the tags it stands in for
  return act;
}

Act over(Act act, std::string version) {
  act.preconditions.match.reset();
  act.expected_version = std::move(version);
  return act;
}

Answer kept_answer(Answer stale) {
  stale.kind = Answer::Kind::row;
  return stale;
}

}  // namespace mandate::tables
