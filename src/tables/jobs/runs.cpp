#include "tables/jobs/runs.h"

#include "base/crypto.h"
#include "base/text.h"

namespace mandate::tables::jobs {
namespace {

constexpr const char *kRuns = "job_runs", *kTimes = "job_times";
constexpr std::size_t kMostError = 4000;

std::string slot_of(const NewRun& run) { return run.service + "/" + run.job; }

store::Mutation row(const std::string& id, const NewRun& run, std::string slot, std::string_view state, Millis now, Millis ended, std::string why) {
  return store::insert(kRuns, {{"id", id}, {"service", run.service}, {"job", run.job}, {"slot", std::move(slot)}, {"reason", run.reason},
                               {"state", std::string(state)}, {"due_at", run.due}, {"made_at", now}, {"started_at", std::int64_t{0}},
                               {"ended_at", ended}, {"node", std::string()}, {"error", std::move(why)}});
}

store::ExprPtr in_state(const std::string& id, std::string_view state) {
  return store::both(store::equals("id", id), store::equals("state", std::string(state)));
}

store::ExprPtr time_of(const Time& time) {
  return store::both(store::equals("service", time.service), store::equals("job", time.job));
}

}  // namespace

std::string new_run_id(Millis now, Random& random) {
  std::string out(12, '0');
  constexpr std::string_view kHex = "0123456789abcdef";
  for (std::size_t i = out.size(); i-- > 0; now >>= 4) out[i] = kHex[static_cast<std::size_t>(now & 15)];
  return out + random.hex(6);
}

store::Mutation file_run(const std::string& id, const NewRun& run, Millis now) {
  return row(id, run, slot_of(run), state::kWaiting, now, 0, {});
}

store::Mutation note_skipped(const std::string& id, const NewRun& run, Millis now, std::string why) {
  return row(id, run, id, state::kSkipped, now, now, std::move(why));
}

store::Mutation begin_run(const std::string& id, const std::string& node, Millis now) {
  store::Mutation out = store::update(kRuns, in_state(id, state::kWaiting), {{"state", std::string(state::kRunning)}, {"node", node}, {"started_at", now}});
  out.expect = store::Mutation::Expect::one;
  out.otherwise = Code::not_found;
  return out;
}

store::Mutation end_run(const std::string& id, const std::string& node, std::string_view state, std::string error, Millis now) {
  error.resize(cut(error, kMostError).size());
  return store::update(kRuns, store::both(in_state(id, state::kRunning), store::equals("node", node)),
                       {{"state", std::string(state)}, {"slot", id}, {"ended_at", now}, {"error", std::move(error)}});
}

std::vector<store::Mutation> abandon(const std::vector<store::Row>& running, const std::string& node, const std::set<std::string>& under_way, Millis now) {
  std::vector<store::Mutation> out;
  for (const store::Row& run : running) {
    const std::string id(run.text("id"));
    const bool ours = run.text("node") == node;
    if (ours && under_way.contains(id)) continue;
    const std::string why = ours ? "It did not begin, or how it ended could not be written: the store failed." : "The server that ran it stopped, or lost touch with the others.";
    out.push_back(end_run(id, std::string(run.text("node")), state::kAbandoned, why, now));
  }
  return out;
}

store::Mutation sweep_runs(Millis now) {
  const store::ExprPtr ended = store::column("ended_at", store::Type::integer);
  const store::ExprPtr over = store::make(store::Op::gt, {ended, store::literal(std::int64_t{0}, store::Type::integer)});
  const store::ExprPtr old = store::make(store::Op::lt, {ended, store::literal(now - kKeptDays * 86'400'000, store::Type::integer)});
  return store::remove(kRuns, store::both(over, old));
}

Task<std::vector<store::Row>> runs_in(store::Store& store, std::string state, std::int64_t most) {
  store::Plan plan;
  plan.table = kRuns;
  plan.where = store::equals("state", state);
  plan.order.push_back({store::column("id", store::Type::text), false});
  plan.limit = most;
  Task<std::vector<store::Row>> reading = store::rows(store, std::move(plan));
  Result<std::vector<store::Row>> found = co_await reading;
  co_return found;
}

Task<std::vector<store::Row>> history(store::Store& store, std::string service, std::string job, std::int64_t most) {
  store::Plan plan;
  plan.table = kRuns;
  plan.where = store::equals("service", service);
  if (!job.empty()) plan.where = store::both(plan.where, store::equals("job", job));
  plan.order.push_back({store::column("id", store::Type::text), true});
  plan.limit = most;
  Task<std::vector<store::Row>> reading = store::rows(store, std::move(plan));
  Result<std::vector<store::Row>> found = co_await reading;
  co_return found;
}

JsonObject shown(const store::Row& run) {
  JsonObject out{{"id", run.text("id")}, {"job", run.text("job")}, {"reason", run.text("reason")}, {"state", run.text("state")}, {"due", iso8601(run.integer("due_at"))}};
  const Millis started = run.integer("started_at"), ended = run.integer("ended_at");
  if (started) out["started"] = iso8601(started);
  if (ended) out["ended"] = iso8601(ended);
  if (started && ended) out["seconds"] = static_cast<double>(ended - started) / 1000;
  if (!run.text("error").empty()) out["error"] = run.text("error");
  return out;
}

Task<std::vector<Time>> times(store::Store& store) {
  store::Plan plan;
  plan.table = kTimes;
  Task<std::vector<store::Row>> reading = store::rows(store, std::move(plan));
  CO_TRY(const std::vector<store::Row> rows, co_await reading);
  std::vector<Time> out;
  for (const store::Row& row : rows)
    out.push_back({std::string(row.text("service")), std::string(row.text("job")), std::string(row.text("schedule")), row.integer("next_at")});
  co_return out;
}

store::Mutation set_time(const Time& time) {
  return store::upsert(kTimes, {"service", "job"}, {{"service", time.service}, {"job", time.job}, {"schedule", time.schedule}, {"next_at", time.next_at}});
}

store::Mutation move_time(const Time& from, Millis next_at) {
  store::ExprPtr same = store::both(time_of(from), store::both(store::equals("schedule", from.schedule), store::equals("next_at", from.next_at)));
  store::Mutation out = store::update(kTimes, std::move(same), {{"next_at", next_at}});
  out.expect = store::Mutation::Expect::one;
  out.otherwise = Code::not_found;
  return out;
}

store::Mutation remove_time(const Time& time) { return store::remove(kTimes, time_of(time)); }

std::vector<store::Bunch> forgetting(const std::string& service) {
  const store::ExprPtr own = store::equals("service", service);
  return {{kRuns, {"id"}, own}, {kTimes, {"service", "job"}, own}};
}

}  // namespace mandate::tables::jobs
