// The store alone: point reads, lists, durable inserts; and fdatasync/s of the same disk in the same run, because bars
// for durable writes are ratios to it (engine.md §2).
#include <benchmark/benchmark.h>
#include <fcntl.h>

#include "base/json.h"
#include "base/random.h"
#include "tests/support/temp_store.h"
#include "tests/support/test_loop.h"

namespace mandate::store {
namespace {

using test::run;
constexpr int kRows = 20'000;

struct Bench {
  test::TestLoop loop;
  test::TempStore temp;
  SeededRandom random;
  Millis tick = 1'700'000'000'000;

  Bench() {
    (void)run(loop, temp.store().ensure_table("item", {{"id", Type::text, true}, {"owner", Type::text, false, true},
                                                       {"text", Type::text}, {"complete", Type::boolean}, {"at", Type::integer}}));
  }
  std::string id() { return random.uuid7(tick++); }
  Mutation item(std::string id) {
    return insert("item", {{"id", std::move(id)}, {"owner", "github|" + std::to_string(tick % 400)},
                           {"text", "a sentence of about the length that people write into their lists"},
                           {"complete", tick % 2 == 0}, {"at", Stamp{}}});
  }
  std::vector<std::string> fill() {
    std::vector<std::string> ids;
    Batch batch;
    for (int i = 0; i < kRows; ++i) batch.add(item(ids.emplace_back(id())));
    (void)run(loop, temp.store().mutate(std::move(batch)));
    return ids;
  }
  /// Ends the loop's tick without waiting for anything.
  void end_tick() {
    bool done = false;
    loop.post([&] { done = true; });
    loop.run_until([&] { return done; });
  }
};

void append_row(std::string& out, const Row& row) {
  out += "{\"id\":";
  append_json_string(out, row.text("id"));
  out += ",\"text\":";
  append_json_string(out, row.text("text"));
  out += row.boolean("complete") ? ",\"complete\":true}" : ",\"complete\":false}";
}

/// range(0) point reads a tick, each to JSON.
void PointReads(benchmark::State& state) {
  Bench bench;
  const auto ids = bench.fill();
  std::size_t next = 0;
  std::string out;
  for (auto _ : state) {
    for (int i = 0; i < state.range(0); ++i) {
      Plan plan;
      plan.table = "item";
      plan.select = {"id", "text", "complete"};
      plan.where = equals("id", ids[next = (next + 7919) % ids.size()]);
      spawn(bench.temp.store().get(std::move(plan)), [&](Result<std::optional<Row>> row) {
        out.clear();
        append_row(out, **row);
        benchmark::DoNotOptimize(out);
      });
    }
    bench.end_tick();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(PointReads)->Arg(1)->Arg(20)->UseRealTime();

/// The newest 50 of one owner, filtered and ordered, to JSON.
void ListOf50(benchmark::State& state) {
  Bench bench;
  bench.fill();
  std::string out;
  for (auto _ : state) {
    Plan plan;
    plan.table = "item";
    plan.owner = Owner{"owner", "github|7"};
    plan.where = make(Op::ge, {column("at", Type::integer), literal(std::int64_t{0})});
    plan.order = {{column("at"), true}, {column("id"), false}};
    plan.limit = 50;
    out.clear();
    spawn(bench.temp.store().list(std::move(plan),
                                  [&](const RowView& row) {
                                    out += "{\"id\":";
                                    append_json_string(out, row.text(0));
                                    out += ",\"text\":";
                                    append_json_string(out, row.text(2));
                                    out += '}';
                                    return true;
                                  }),
          [](Result<Store::Listed> listed) { benchmark::DoNotOptimize(listed->rows); });
    bench.end_tick();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ListOf50)->UseRealTime();

/// Single-row inserts, each durable when answered, range(0) of them in flight.
void DurableInserts(benchmark::State& state) {
  Bench bench;
  std::int64_t answered = 0, started = 0;
  std::function<void()> another = [&] {
    ++started;
    Batch batch;
    batch.add(bench.item(bench.id()));
    spawn(bench.temp.store().mutate(std::move(batch)), [&](Result<Outcome> done) {
      if (!done.ok()) state.SkipWithError("an insert failed");
      ++answered;
    });
  };
  for (auto _ : state) {
    // One iteration is one answer; the window stays full.
    while (started - answered < state.range(0)) another();
    const std::int64_t seen = answered;
    bench.loop.run_until([&] { return answered > seen; });
  }
  bench.loop.run_until([&] { return answered == started; });
  state.counters["rows"] = benchmark::Counter(static_cast<double>(answered), benchmark::Counter::kIsRate);
}
BENCHMARK(DurableInserts)->Arg(1)->Arg(64)->Arg(512)->UseRealTime();

/// What the disk gives: append 4 KiB, fdatasync.
void Fdatasync(benchmark::State& state) {
  test::TempDir dir;
  const int fd = ::open((dir.path() + "/file").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  const std::string page(4096, 'x');
  off_t at = 0;
  for (auto _ : state) {
    [[maybe_unused]] auto n = ::pwrite(fd, page.data(), page.size(), at);
    at = (at + 4096) % (64 << 20);
    ::fdatasync(fd);
  }
  ::close(fd);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Fdatasync)->UseRealTime();

}  // namespace
}  // namespace mandate::store
