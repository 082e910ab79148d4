#include "tables/script_log.h"

namespace mandate::tables {
namespace {
constexpr std::size_t kBatch = 200;
constexpr std::size_t kTrimEvery = 500;
}  // namespace

ScriptLog::ScriptLog(const Clock& clock, Log& log, Metrics& metrics)
    : clock_(clock), log_(log), lines_(metrics.counter("mandate_tables_script_lines_total", "Lines written by scripts.")),
      dropped_(metrics.counter("mandate_tables_script_lines_dropped_total", "Lines of scripts that were not kept because the store was behind.")) {}

std::int64_t ScriptLog::next_sequence() {
  // Later than what an earlier run wrote, and never twice.
  last_sequence_ = std::max(last_sequence_ + 1, clock_.now_ms() * 1000);
  return last_sequence_;
}

void ScriptLog::add(store::Store& store, ScriptLine line) {
  lines_.add();
  line.at = clock_.now_ms();
  const Level level = line.level == "error" ? Level::error : line.level == "warn" ? Level::warn : Level::info;
  log_.write(level, "script", {{"service", line.service}, {"source", line.source}, {"text", line.text}});
  {
    const std::lock_guard lock(mutex_);
    Waiting& waiting = waiting_[&store];
    if (waiting.lines.size() >= kMostWaiting) return dropped_.add();
    waiting.lines.push_back(std::move(line));
    if (waiting.writing) return;
    waiting.writing = true;
  }
  spawn(write(store), [this](Result<void> result) {
    if (!result.ok()) log_.warn("script_log.not_kept", {{"detail", result.error().detail}});
  });
}

bool ScriptLog::idle() const {
  const std::lock_guard lock(mutex_);
  return std::ranges::none_of(waiting_, [](const auto& each) { return each.second.writing; });
}

Task<void> ScriptLog::write(store::Store& store) {
  for (;;) {
    store::Batch batch;
    bool full = false;
    {
      const std::lock_guard lock(mutex_);
      Waiting& waiting = waiting_[&store];
      if (waiting.lines.empty()) {
        waiting.writing = false;
        co_return ok();
      }
      while (!waiting.lines.empty() && batch.mutations.size() < kBatch) {
        ScriptLine line = std::move(waiting.lines.front());
        waiting.lines.pop_front();
        batch.add(store::insert("script_logs", {{"seq", next_sequence()}, {"at", line.at}, {"service", std::move(line.service)}, {"source", std::move(line.source)},
                                                {"level", std::move(line.level)}, {"text", std::move(line.text)}}));
      }
      waiting.since_trim += batch.mutations.size();
      if (waiting.since_trim >= kTrimEvery) {
        waiting.since_trim = 0;
        full = true;
      }
    }
    const std::size_t count = batch.mutations.size();
    Result<store::Outcome> done = co_await store.mutate(std::move(batch));
    if (!done.ok()) dropped_.add(static_cast<double>(count));
    if (full) {
      Result<void> trimmed = co_await trim(store);
      if (!trimmed.ok()) log_.warn("script_log.not_trimmed", {{"detail", trimmed.error().detail}});
    }
  }
}

Task<void> ScriptLog::trim(store::Store& store) {
  store::Plan plan;
  plan.table = "script_logs";
  plan.select = {"seq"};
  plan.order = {{store::column("seq"), true}};
  plan.offset = kMostKept;
  plan.limit = 1;
  CO_TRY(std::optional<store::Row> oldest, co_await store.get(std::move(plan)));
  if (!oldest) co_return ok();
  store::Batch batch;
  batch.add(store::remove("script_logs", store::make(store::Op::le, {store::column("seq"), store::literal((*oldest)["seq"])})));
  CO_CHECK(co_await store.mutate(std::move(batch)));
  co_return ok();
}

Task<std::vector<ScriptLine>> ScriptLog::last(store::Store& store, std::string service, std::string source, std::int64_t limit) {
  store::Plan plan;
  plan.table = "script_logs";
  if (!service.empty()) plan.where = store::equals("service", service);
  if (!source.empty()) plan.where = store::both(plan.where, store::equals("source", source));
  plan.order = {{store::column("seq"), true}};
  plan.limit = limit;
  CO_TRY(std::vector<store::Row> rows, co_await store::rows(store, std::move(plan)));
  std::vector<ScriptLine> out;
  for (auto row = rows.rbegin(); row != rows.rend(); ++row)
    out.push_back({row->integer("at"), std::string(row->text("service")), std::string(row->text("source")), std::string(row->text("level")), std::string(row->text("text"))});
  co_return out;
}

}  // namespace mandate::tables
