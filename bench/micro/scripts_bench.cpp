// Script calls alone: hooks a second with 1, 32 and 128 under way, and the processor time that mandated and the child
// spend on each (engine.md §3). On a machine shared with others the processor times are the figures that hold.
#include <benchmark/benchmark.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/clock.h"
#include "scripts/host.h"
#include "tests/support/test_loop.h"

namespace mandate::scripts {
namespace {

constexpr std::string_view kContext =
    R"({"operation":"insert","table":"TodoItem","undelete":false,"includeDeleted":false,"systemProperties":[],"item":{"text":"a row of the bench","complete":false},"parameters":{},"user":{"level":"authenticated","identities":null,"userId":"auth0|5f7c8ec7c33c6c004bbafe82"}})";
constexpr std::string_view kScript = "function insert(item, user, request) { item.userId = user.userId; request.execute(); }";

/// Nanoseconds of processor time of every child of this process, all threads.
double children_ns() {
  double sum = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream list(task.path() / "children");
    for (int pid; list >> pid;) {
      std::error_code gone;
      for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", gone)) {
        double ns = 0;
        std::ifstream(thread.path() / "schedstat") >> ns;
        sum += ns;
      }
    }
  }
  return sum;
}

double own_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

class Silent final : public Binding {
  Task<Json> invoke(std::string_view, Json) override { co_return Json(JsonObject{}); }
  void console(std::string_view, std::string_view) override {}
};

struct Bench {
  Bench() : log(clock, Level::error, [](std::string_view) {}), host(make_host({.limits = {}, .run_as = {}}, log, metrics)) {}
  ~Bench() { host->stop(); }

  /// `total` calls, `wide` of them under way at any time.
  void run(std::size_t total, std::size_t wide) {
    std::size_t begun = 0, ended = 0;
    std::function<void()> next = [&] {
      if (begun == total) return;
      ++begun;
      Call call;
      call.realm = "bench/default";
      call.source = kScript;
      call.name = "/table/TodoItem.insert.js";
      call.context = kContext;
      spawn(host->run(std::move(call), binding), [&](Result<Json> result) {
        if (!result.ok()) ::_exit(1);
        ++ended;
        next();
      });
    };
    for (std::size_t i = 0; i < wide; ++i) next();
    loop.run_until([&] { return ended == total; });
  }

  test::TestLoop loop;
  SystemClock clock;
  Log log;
  Metrics metrics;
  std::shared_ptr<Binding> binding = std::make_shared<Silent>();
  std::unique_ptr<Host> host;
};

void Hooks(benchmark::State& state) {
  Bench bench;
  const auto wide = static_cast<std::size_t>(state.range(0));
  bench.run(4000, wide);  // the engine's compilers have seen it
  constexpr std::size_t kBatch = 2000;
  const double children = children_ns(), own = own_ns();
  for (auto _ : state) bench.run(kBatch, wide);
  const double hooks = static_cast<double>(state.iterations()) * static_cast<double>(kBatch);
  state.SetItemsProcessed(static_cast<std::int64_t>(hooks));
  state.counters["parent_us"] = (own_ns() - own) / hooks / 1000;
  state.counters["child_us"] = (children_ns() - children) / hooks / 1000;
}
BENCHMARK(Hooks)->Arg(1)->Arg(32)->Arg(128)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mandate::scripts
