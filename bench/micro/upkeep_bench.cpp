// What upkeep costs a house in which nobody does anything: share of a core of the whole process, by tenants and engine.
//   bench_upkeep [--benchmark_filter=sqlite/10000]
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <cstdio>

#include "server/edition.h"
#include "server/upkeep.h"
#include "store/postgres/postgres.h"
#include "tests/support/postgres_server.h"
#include "tests/support/temp_store.h"
#include "tests/support/test_loop.h"

namespace mandate::server {
namespace {

using namespace std::chrono_literals;
constexpr std::chrono::seconds kWatched{20};

class BareTenants final : public tenant::Tenants {
 public:
  std::map<std::string, tenant::Here, std::less<>> all;
  Result<tenant::Here> by_host(std::string_view) const override { return Error(Code::misdirected_request); }
  Result<tenant::Here> by_name(std::string_view name) const override { return all.find(name)->second; }
  std::vector<std::string> names() const override {
    std::vector<std::string> out;
    for (const auto& [name, here] : all) out.push_back(name);
    return out;
  }
  const tenant::Vault& vault() const override { return vault_; }

 private:
  SeededRandom random_{1};
  tenant::Vault vault_{std::string(32, 'k'), random_};
};

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void measure(benchmark::State& state, bool postgres) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  const auto many = static_cast<std::size_t>(state.range(0));
  test::TestLoop loop;
  const test::TempDir dir;
  SystemClock clock;
  SystemRandom random;
  Log log(clock, Level::warn);
  Metrics metrics;
  tenant::RateLimiter limiter(clock);
  std::string url;
  std::unique_ptr<store::PostgresCluster> cluster;
  std::vector<std::unique_ptr<store::Store>> stores;
  BareTenants tenants;
  const auto migrations = every_migration();
  if (postgres) {
    store::PostgresOptions options;
    options.url = url = test::shared_postgres().create_database(), options.clock = &clock, options.random = &random;
    auto opened = store::open_postgres(options, log, metrics);
    if (!opened.ok() || !(*opened)->migrate(migrations).ok()) return state.SkipWithError("the database cannot be opened");
    cluster = *std::move(opened);
  }
  for (std::size_t i = 0; i <= many; ++i) {
    const std::string name = i == many ? "system" : "tenant-" + std::to_string(100'000 + i);
    if (postgres) {
      stores.push_back(cluster->tenant(name));
    } else {
      store::SqliteOptions options;
      options.path = dir.path() + "/" + name + ".db", options.clock = &clock;
      auto opened = store::open_sqlite(options, log, metrics);
      if (!opened.ok() || !(*opened)->migrate(migrations).ok()) return state.SkipWithError(("file " + std::to_string(i) + " cannot be opened").c_str());
      stores.push_back(*std::move(opened));
    }
    if (i < many) tenants.all[name].store = stores.back().get();
  }
  std::atomic<int> busy{0};
  for (auto _ : state) {
    Upkeep upkeep({loop, tenants, *stores.back(), limiter, "bench", clock, log, metrics, busy});
    upkeep.start();
    (void)test::run(loop, sleep_for(3s));
    const double before = cpu_seconds();
    (void)test::run(loop, sleep_for(kWatched));
    state.counters["core_percent"] = (cpu_seconds() - before) / static_cast<double>(kWatched.count()) * 100;
    upkeep.leave();
    loop.run_until([&] { return busy == 0; });
  }
  stores.clear();
  cluster.reset();
  if (postgres) test::shared_postgres().drop_database(url);
}

// A tenant's file takes 4 descriptors and 3 threads.
BENCHMARK_CAPTURE(measure, sqlite, false)->Arg(1)->Arg(1000)->Arg(3000)->Iterations(1)->Unit(benchmark::kSecond);
BENCHMARK_CAPTURE(measure, postgres, true)->Arg(1)->Arg(1000)->Arg(10'000)->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace mandate::server
