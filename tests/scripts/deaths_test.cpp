// A process that ends takes down only who is to blame and who may have had an effect (engine.md §3).
#include <signal.h>

#include <filesystem>

#include "scripts/child.h"
#include "tests/scripts/support.h"
#include "tests/scripts/support_processes.h"

namespace mandate::scripts::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr const char* kQuick = "function insert(i, u, request) { request.respond(200) }";
constexpr const char* kWaits = "function insert(i, u, request) { setTimeout(function () { request.respond(200) }, 50) }";

class Deaths : public ::testing::Test {
 protected:
  Deaths() : folder(fs::temp_directory_path() / ("mandate-deaths-" + std::to_string(::getpid()))) {
    fs::create_directories(folder);
    fs::create_symlink(find_program("node"), folder / "node");
    bench.emplace(Limits{.wall = 50'000ms, .cpu = 600ms}, (folder / "node").string());
  }
  ~Deaths() override {
    bench.reset();
    fs::remove_all(folder);
  }
  /// A warm process with a Worker in it, and a warm spare.
  void warm() {
    ASSERT_TRUE(bench->run(kQuick, kInsert).ok());
    working = children().front();
    bench->loop.run_until([&] { return bench->metric("mandate_scripts_children") == 2; });
  }
  /// Starts a call and gives where its result will be.
  std::shared_ptr<std::optional<Result<Json>>> begin(const std::string& source, std::string realm, std::shared_ptr<Binding> binding = std::make_shared<FakeBinding>()) {
    auto out = std::make_shared<std::optional<Result<Json>>>();
    spawn(bench->host->run(bench->call(source, kInsert, std::move(realm)), std::move(binding)), [out](Result<Json> r) { out->emplace(std::move(r)); });
    return out;
  }

  fs::path folder;
  std::optional<Bench> bench;
  int working = 0;
};

// No further process can be started here, so whoever is answered was answered by the spare that stood ready.
TEST_F(Deaths, NeighboursGoOnInTheWarmSpareWithoutWaitingForAnotherProcess) {
  warm();
  const auto begun = begin(kWaits, "a");
  const auto waiting = begin(kQuick, "b");
  fs::remove(folder / "node");
  ::kill(working, SIGKILL);
  bench->loop.run_until([&] { return begun->has_value() && waiting->has_value(); });
  EXPECT_TRUE((*begun)->ok()) << (*begun)->error().detail;
  EXPECT_TRUE((*waiting)->ok());
  EXPECT_TRUE(bench->run(kQuick, kInsert).ok());
}

TEST_F(Deaths, ACallThatMayHaveHadAnEffectIsNotRunAgain) {
  warm();
  auto binding = std::make_shared<FakeBinding>();
  const auto touched = begin("function insert(i, u, request) { tables.current.insert({ a: 1 }, { success: function () { setTimeout(function () { request.respond(200) }, 30000) } }) }", "a", binding);
  bench->loop.run_until([&] { return !binding->asked.empty(); });
  const auto begun = begin(kWaits, "b");
  ::kill(working, SIGKILL);
  bench->loop.run_until([&] { return touched->has_value() && begun->has_value(); });
  ASSERT_FALSE((*touched)->ok());
  EXPECT_EQ((*touched)->error().code, Code::server_error);
  EXPECT_THAT((*touched)->error().detail, ::testing::StartsWith("the script's process died"));
  EXPECT_EQ(binding->asked.size(), 1U);
  EXPECT_TRUE((*begun)->ok());
}

TEST_F(Deaths, WhoeverEndsAProcessTwiceIsToBlameAndNobodyElse) {
  warm();
  for (int round = 0; round < 3; ++round) {
    std::vector<std::shared_ptr<std::optional<Result<Json>>>> good;
    const auto bad = begin("function insert() { Array(2 ** 27).fill(1) }", "r");
    for (int i = 0; i < 5; ++i) good.push_back(begin(kWaits, "r")), good.push_back(begin(kWaits, "other"));
    bench->loop.run_until([&] { return bad->has_value() && std::ranges::all_of(good, [](const auto& each) { return each->has_value(); }); });
    EXPECT_FALSE((*bad)->ok());
    for (const auto& each : good) EXPECT_TRUE((*each)->ok()) << (*each)->error().detail;
  }
  EXPECT_LE(bench->metric("mandate_scripts_children"), 2);
}

// A process has a line for each Worker it will ever have; when they are spent, another process takes over.
TEST_F(Deaths, EndingWorkerAfterWorkerUsesUpNothing) {
  Bench small(Limits{.wall = 50'000ms, .heap_mb = 16});
  for (int i = 0; i < 34; ++i)
    EXPECT_EQ(small.outcome("function insert() { var a = []; for (;;) a.push(new Array(100000).fill(a)) }", kInsert).substr(0, 13), "server_error:") << i;
  EXPECT_TRUE(small.run(kQuick, kInsert).ok());
  EXPECT_LE(small.metric("mandate_scripts_children"), 2);
}

TEST_F(Deaths, MoreTenantsThanAProcessHasWorkersAreServedInTurn) {
  warm();
  for (int i = 0; i < 34; ++i) EXPECT_TRUE(bench->run(kQuick, kInsert, std::make_shared<FakeBinding>(), "tenant-" + std::to_string(i)).ok()) << i;
}

// An instant death leaves no sign; the second in a row makes suspects of all, and then each is tried alone.
TEST_F(Deaths, AProcessThatIsKilledAgainAndAgainStillAnswersTheOthers) {
  warm();
  std::vector<std::shared_ptr<std::optional<Result<Json>>>> good;
  for (int i = 0; i < 4; ++i) good.push_back(begin(kWaits, "r"));
  for (int kills = 0; kills < 2; ++kills) {
    const double before = bench->metric("mandate_scripts_children_died_total");
    ::kill(children().front(), SIGKILL);
    bench->loop.run_until([&] { return bench->metric("mandate_scripts_children_died_total") > before; });
  }
  bench->loop.run_until([&] { return std::ranges::all_of(good, [](const auto& each) { return each->has_value(); }); });
  for (const auto& each : good) EXPECT_TRUE((*each)->ok()) << (*each)->error().detail;
}

}  // namespace
}  // namespace mandate::scripts::test
