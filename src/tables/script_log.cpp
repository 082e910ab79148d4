#include "tables/script_log.h"

namespace mandate::tables {
namespace {
constexpr std::size_t kBatch = 200;
constexpr std::size_t kTrimEvery = 500;
constexpr int kTries = 4;
constexpr std::int64_t kPlaces = 1000;
}  // namespace

ScriptLog::ScriptLog(const Clock& clock, Log& log, Metrics& metrics, std::uint64_t place)
    : clock_(clock), place_(static_cast<std::int64_t>(place % kPlaces)), log_(log), lines_(metrics.counter("mandate_tables_script_lines_total", "Lines written by scripts.")),
      dropped_(metrics.counter("mandate_tables_script_lines_dropped_total", "Lines of scripts that were not kept because the store was behind.")) {}

std::int64_t ScriptLog::next_sequence() {
  // Later than what an earlier run wrote, and never twice.
  last_sequence_ = std::max(last_sequence_ + 1, clock_.now_ms() * kPlaces + place_);
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
    std::vector<ScriptLine> lines;
    bool full = false;
    {
      const std::lock_guard lock(mutex_);
      Waiting& waiting = waiting_[&store];
      if (waiting.lines.empty()) {
        waiting.writing = false;
        co_return ok();
      }
      while (!waiting.lines.empty() && lines.size() < kBatch) {
        lines.push_back(std::move(waiting.lines.front()));
        waiting.lines.pop_front();
      }
      waiting.since_trim += lines.size();
      if (waiting.since_trim >= kTrimEvery) {
        waiting.since_trim = 0;
        full = true;
      }
    }
    const std::size_t count = lines.size();
    const Result<void> kept = co_await keep(store, std::move(lines));
    if (!kept.ok()) dropped_.add(static_cast<double>(count));
    if (full) {
      Result<void> trimmed = co_await trim(store);
      if (!trimmed.ok()) log_.warn("script_log.not_trimmed", {{"detail", trimmed.error().detail}});
    }
  }
}

Task<void> ScriptLog::keep(store::Store& store, std::vector<ScriptLine> lines) {
  for (int tries = 1;; ++tries) {
    store::Batch batch;
    {
      const std::lock_guard lock(mutex_);
      for (const ScriptLine& line : lines)
        batch.add(store::insert("script_logs", {{"seq", next_sequence()}, {"at", line.at}, {"service", line.service}, {"source", line.source},
                                                {"level", line.level}, {"text", line.text}}));
    }
    const Result<store::Outcome> done = co_await store.mutate(std::move(batch));
    if (done.ok()) co_return ok();
    // Another node took one of the numbers.
    if (done.error().code != Code::conflict || tries == kTries) co_return done.error();
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

store::Bunch ScriptLog::forgetting(const std::string& service) { return {"script_logs", {"seq"}, store::equals("service", service)}; }

}  // namespace mandate::tables
