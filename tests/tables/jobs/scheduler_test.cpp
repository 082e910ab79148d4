#include "tables/jobs/scheduler.h"

#include "store/fault.h"
#include "tests/tables/world.h"

namespace mandate::tables::jobs {
namespace {

using mandate::test::run;

constexpr Millis kMinute = 60'000, kHour = 60 * kMinute;

/// Scripts that end when they are told to.
class ToldScripts final : public Scripts {
 public:
  struct Run {
    std::string job;
    std::function<bool()> ours;
    std::shared_ptr<Signal<int>> end = std::make_shared<Signal<int>>();
  };
  std::vector<Run> begun;
  bool at_once = true;
  std::optional<Error> failure;

  Task<void> run(tenant::Here, const tenant::Service*, const tenant::Job* job, std::function<bool()> ours) override {
    begun.push_back({job->name, std::move(ours)});
    if (!at_once) {
      const std::shared_ptr<Signal<int>> end = begun.back().end;
      Signal<int>& waiting = *end;
      const Result<int> told = co_await waiting;
      CO_CHECK(told);
    }
    if (failure) co_return *failure;
    co_return ok();
  }
};

class SeveralTenants final : public tenant::Tenants {
 public:
  SeveralTenants(Random& random, std::vector<tenant::Here> all) : all_(std::move(all)), vault_(std::string(32, 'k'), random) {}
  Result<tenant::Here> by_host(std::string_view) const override { return all_.front(); }
  Result<tenant::Here> by_name(std::string_view name) const override {
    for (const tenant::Here& here : all_)
      if (here->name == name) return here;
    return Error(Code::not_found);
  }
  std::vector<std::string> names() const override {
    std::vector<std::string> out;
    for (const tenant::Here& here : all_) out.push_back(here->name);
    return out;
  }
  const tenant::Vault& vault() const override { return vault_; }

 private:
  std::vector<tenant::Here> all_;
  tenant::Vault vault_;
};

class Jobs : public tables::test::World {
 protected:
  Jobs() {
    job("cleanup").interval_unit = "hour";
    job("cleanup").interval_period = 1;
    job("asked");
    publish();
    clock().set(1'767'225'600'000);  // 2026-01-01
  }
  tenant::Job& job(const std::string& name) {
    tenant::Job& out = service.jobs[name];
    out.name = name;
    return out;
  }
  ManualClock& clock() { return store.clock(); }
  Scheduler::Parts parts(Scripts& with, std::string node) {
    return {loop, tenants, store.store(), with, std::move(node), clock(), random, store.log(), store.metrics(), busy};
  }
  void round(Scheduler& of) {
    const Result<void> done = run(loop, of.round());
    EXPECT_TRUE(done.ok()) << done.error().hint << done.error().detail;
  }
  void round() { round(scheduler); }
  void after(Millis ms) {
    clock().advance(std::chrono::milliseconds(ms));
    round();
    round();  // ends are written with the next
  }
  Result<std::string> ask(const std::string& name) { return run(loop, desk.ask(store.store(), "default", service.jobs.at(name))); }
  /// The states of a job's runs, the newest first.
  std::string states(const std::string& name) {
    std::string out;
    const auto rows = run(loop, history(store.store(), "default", name, 50));
    for (const store::Row& row : *rows) out += (out.empty() ? "" : " ") + std::string(row.text("state"));
    return out;
  }
  /// How many runs five missed times come to; the next is met as ever.
  std::size_t runs_of_missed(const std::string& policy) {
    job("cleanup").missed = policy;
    publish();
    round();
    clock().advance(std::chrono::milliseconds(5 * kHour + 10 * kMinute));
    for (int i = 0; i < 20; ++i) round();
    const std::size_t runs = scripts.begun.size();
    clock().set(*parse_iso8601(due_next()));
    for (int i = 0; i < 3; ++i) round();
    EXPECT_EQ(scripts.begun.size(), runs + 1);
    return runs;
  }
  std::string due_next() {
    const auto kept = run(loop, times(store.store()));
    return kept->empty() ? "" : iso8601(kept->front().next_at);
  }

  std::atomic<int> busy{0};
  ToldScripts scripts;
  Desk desk{clock(), random};
  Scheduler scheduler{parts(scripts, "node-1")};
};

TEST_F(Jobs, RunAtTheirTimesAndNotBefore) {
  round();
  EXPECT_EQ(due_next(), "2026-01-01T01:00:00.000Z");
  after(kHour - 1);
  EXPECT_EQ(scripts.begun.size(), 0U);
  after(1);
  EXPECT_EQ(scripts.begun.size(), 1U);
  EXPECT_EQ(states("cleanup"), "succeeded");
  after(kMinute);
  EXPECT_EQ(scripts.begun.size(), 1U);
  EXPECT_EQ(due_next(), "2026-01-01T02:00:00.000Z");
}

TEST_F(Jobs, RunWhenAskedButNotTwiceAtOnce) {
  scripts.at_once = false;
  ASSERT_TRUE(ask("asked").ok());
  EXPECT_EQ(ask("asked").error().code, Code::conflict);
  round();
  EXPECT_EQ(states("asked"), "running");
  EXPECT_EQ(ask("asked").error().code, Code::conflict);
  scripts.begun.front().end->set_here(0);
  round();
  EXPECT_EQ(states("asked"), "succeeded");
  EXPECT_TRUE(ask("asked").ok());
}

TEST_F(Jobs, LeaveTheirErrorInTheHistory) {
  scripts.failure = Error(Code::server_error, "", "Error: no\n    at cleanup (/scheduler/cleanup.js:1:1)");
  ASSERT_TRUE(ask("asked").ok());
  after(1);
  const auto failed = run(loop, history(store.store(), "default", "asked", 1));
  EXPECT_EQ(failed->front().text("state"), "failed");
  EXPECT_EQ(*text_member(shown(failed->front()), "error"), scripts.failure->detail);
  scripts.failure = Error(Code::timeout, "too long");
  ASSERT_TRUE(ask("asked").ok());
  after(1);
  EXPECT_EQ(states("asked"), "timed_out failed");
}

TEST_F(Jobs, AnErrorsTextIsCutBetweenTwoCharacters) {
  scripts.failure = Error(Code::server_error, "", std::string(3999, 'a') + "\u20ac and more");
  ASSERT_TRUE(ask("asked").ok());
  after(1);
  const auto failed = run(loop, history(store.store(), "default", "asked", 1));
  EXPECT_EQ(failed->front().text("error"), std::string(3999, 'a'));
}

TEST_F(Jobs, OneWhoseErrorTheStoreRefusesEndsAllTheSame) {
  store::FaultStore picky(store.store());
  tenants.here.store = &picky;
  scripts.failure = Error(Code::server_error, "", "what no store takes");
  ASSERT_TRUE(ask("asked").ok());
  round();
  picky.fail(1, Error(Code::invalid_request, "A value is out of range."));
  round();
  EXPECT_TRUE(picky.fired());
  const auto failed = run(loop, history(store.store(), "default", "asked", 1));
  EXPECT_EQ(failed->front().text("state"), "failed");
  EXPECT_EQ(failed->front().text("error"), "The text of its error cannot be kept.");
  EXPECT_TRUE(ask("asked").ok());
}

TEST_F(Jobs, ATenantWhoseStoreFailsHoldsNoOtherUp) {
  mandate::test::TempStore others({identity::kMigrations, kMigrations});
  store::FaultStore broken(others.store());
  auto config = std::make_shared<tenant::Tenant>(*tenants.here);
  config->name = "broken";
  const SeveralTenants both(random, {{config, &broken}, tenants.here});
  Scheduler of_both({loop, both, store.store(), scripts, "node-1", clock(), random, store.log(), store.metrics(), busy});
  ASSERT_TRUE(run(loop, desk.ask(others.store(), "default", service.jobs.at("asked"))).ok());
  ASSERT_TRUE(ask("asked").ok());
  round(of_both);
  ASSERT_EQ(scripts.begun.size(), 2U);
  broken.fail(1, Error(Code::overloaded, "The server is busy."));
  round(of_both);
  EXPECT_TRUE(broken.fired());
  EXPECT_EQ(states("asked"), "succeeded");
  const auto state = [&] { return std::string(run(loop, history(others.store(), "default", "asked", 1))->front().text("state")); };
  EXPECT_EQ(state(), "running");
  round(of_both);
  EXPECT_EQ(state(), "succeeded") << "it is written as soon as the store takes it";
}

TEST_F(Jobs, ATimeThatComesDuringARunIsSkippedAndNoted) {
  scripts.at_once = false;
  round();
  after(kHour);
  ASSERT_EQ(scripts.begun.size(), 1U);
  for (int minute = 0; minute < 60; ++minute) after(kMinute);
  EXPECT_EQ(scripts.begun.size(), 1U);
  EXPECT_EQ(states("cleanup"), "skipped running");
  scripts.begun.front().end->set_here(0);
  round();
  EXPECT_EQ(states("cleanup"), "skipped succeeded");
}

TEST_F(Jobs, MissedTimesAreRunOnceUnlessTheJobSaysOtherwise) { EXPECT_EQ(runs_of_missed("once"), 1U); }
TEST_F(Jobs, MissedTimesMayBeLetGo) { EXPECT_EQ(runs_of_missed("skip"), 0U); }
TEST_F(Jobs, MissedTimesMayEachBeMadeUpFor) { EXPECT_EQ(runs_of_missed("all"), 5U); }

TEST_F(Jobs, WhatIsMadeUpForIsNotOlderThanADay) {
  job("cleanup").missed = "all";
  publish();
  round();
  clock().advance(std::chrono::milliseconds(72 * kHour));
  for (int i = 0; i < 80; ++i) round();
  EXPECT_GE(scripts.begun.size(), 23U);
  EXPECT_LE(scripts.begun.size(), 25U);
}

TEST_F(Jobs, AChangedScheduleBeginsAnewAndADisabledOneEnds) {
  round();
  job("cleanup").interval_unit = "day";
  publish();
  round();
  EXPECT_EQ(due_next(), "2026-01-02T00:00:00.000Z");
  job("cleanup").enabled = false;
  publish();
  round();
  EXPECT_EQ(due_next(), "");
  after(48 * kHour);
  EXPECT_EQ(scripts.begun.size(), 0U);
  EXPECT_TRUE(ask("cleanup").ok()) << "a disabled job still runs when asked";
}

TEST_F(Jobs, OneServerOfSeveralRunsThem) {
  ToldScripts others;
  Scheduler second(parts(others, "node-2"));
  round();
  round(second);
  ASSERT_TRUE(ask("asked").ok());
  round(second);
  EXPECT_EQ(others.begun.size(), 0U);
  round();
  EXPECT_EQ(scripts.begun.size(), 1U);
}

TEST_F(Jobs, ARunOfAServiceThatWasDeletedDoesNotWorkOnInTheNextOfItsName) {
  scripts.at_once = false;
  ASSERT_TRUE(ask("asked").ok());
  round();
  ASSERT_EQ(scripts.begun.size(), 1U);
  const auto seal = [&](std::string_view key, std::string_view field) { return tenants.vault().seal(key, tenant::sealed::service("default", field)); };
  service.master_key_sealed = seal("another", "master_key");
  publish();
  EXPECT_TRUE(scripts.begun.front().ours()) << "one of its keys was changed, that is all";
  service.application_key_sealed = seal(test::kApplicationKey, "application_key");
  service.master_key_sealed = seal(test::kMasterKey, "master_key");
  publish();
  EXPECT_FALSE(scripts.begun.front().ours()) << "it has the same keys, and was made anew with them";
  scripts.begun.front().end->set_here(0);
  round();
}

TEST_F(Jobs, WhatADeadServerLeftRunningIsAbandonedAndItsScriptRefused) {
  scripts.at_once = false;
  ToldScripts others;
  Scheduler second(parts(others, "node-2"));
  ASSERT_TRUE(ask("asked").ok());
  round();
  ASSERT_EQ(scripts.begun.size(), 1U);
  EXPECT_TRUE(scripts.begun.front().ours());
  round(second);  // sees the lease as it stands
  clock().advance(std::chrono::seconds(20));
  EXPECT_FALSE(scripts.begun.front().ours()) << "before another can have the duty";
  round(second);
  EXPECT_EQ(states("asked"), "abandoned");
  ASSERT_TRUE(ask("asked").ok());
  round(second);
  EXPECT_EQ(others.begun.size(), 1U);
  scripts.begun.front().end->set_here(0);  // the old run ends at last: nobody believes it
  round();
  round(second);
  EXPECT_EQ(states("asked"), "succeeded abandoned");
}

TEST_F(Jobs, OneThatWasMarkedAsRunningAndNotBegunIsAbandoned) {
  store::FaultStore lossy(store.store());
  tenants.here.store = &lossy;
  round();
  ASSERT_TRUE(ask("asked").ok());
  lossy.fail(3, Error(Code::timeout, "The server is busy."), store::FaultStore::When::after);  // times, waiting runs, the mark
  round();
  ASSERT_TRUE(lossy.fired());
  EXPECT_EQ(states("asked"), "running");
  EXPECT_EQ(scripts.begun.size(), 0U);
  round();
  EXPECT_EQ(states("asked"), "abandoned");
  scripts.at_once = false;
  ASSERT_TRUE(ask("asked").ok());
  round();
  after(2 * kHour);
  EXPECT_EQ(states("asked"), "running abandoned") << "what is under way is left alone";
  for (const ToldScripts::Run& each : scripts.begun) each.end->set_here(0);
}

TEST_F(Jobs, AServerThatLeavesEndsItsRunsAndGivesTheDutyAway) {
  scripts.at_once = false;
  ToldScripts others;
  Scheduler second(parts(others, "node-2"));
  ASSERT_TRUE(ask("asked").ok());
  round();
  scheduler.leave();
  EXPECT_EQ(busy, 1);
  ASSERT_TRUE(ask("cleanup").ok());
  round();
  EXPECT_EQ(scripts.begun.size(), 1U) << "no more are begun";
  round(second);
  EXPECT_EQ(others.begun.size(), 0U) << "the duty is still the other's";
  scripts.begun.front().end->set_here(0);
  round();
  round();
  round(second);
  EXPECT_EQ(others.begun.size(), 1U);
  EXPECT_EQ(states("asked"), "succeeded");
  EXPECT_EQ(busy, 0) << "a shutdown need not wait any longer";
}

TEST_F(Jobs, AJobThatIsGoneFailsInsteadOfWaiting) {
  ASSERT_TRUE(ask("asked").ok());
  service.jobs.erase("asked");
  publish();
  round();
  EXPECT_EQ(states("asked"), "failed");
}

TEST_F(Jobs, ThoseThatComeBackAfterWeeksBeginAnew) {
  round();
  ASSERT_TRUE(ask("asked").ok());
  const auto before = std::exchange(service.jobs, {});
  publish();
  after(kMinute);
  EXPECT_EQ(due_next(), "");
  EXPECT_EQ(states("asked"), "failed") << "nor does a run wait for a job of its name";
  service.jobs = before;
  clock().advance(std::chrono::milliseconds(21 * 24 * kHour));
  publish();
  round();
  round();
  EXPECT_EQ(scripts.begun.size(), 0U);
  EXPECT_EQ(due_next(), "2026-01-22T01:00:00.000Z");
}

TEST_F(Jobs, ThoseOfATenantThatWasShutBeginAnewToo) {
  round();
  const tenant::Here open = tenants.here;
  auto shut = std::make_shared<tenant::Tenant>(*open);
  shut->enabled = false;
  shut->revision = ++revision;
  tenants.here = {shut, open.store};
  ASSERT_TRUE(ask("asked").ok());
  after(5 * kHour);
  EXPECT_EQ(due_next(), "");
  EXPECT_EQ(states("asked"), "waiting");
  publish();
  after(0);
  EXPECT_EQ(scripts.begun.size(), 1U);
  EXPECT_EQ(states("asked"), "succeeded");
  EXPECT_EQ(states("cleanup"), "");
}

TEST_F(Jobs, RunsOfTwoWeeksAreKept) {
  ASSERT_TRUE(ask("asked").ok());
  after(1);
  after(13 * 24 * kHour);
  EXPECT_EQ(states("asked"), "succeeded");
  after(25 * kHour);
  EXPECT_EQ(states("asked"), "");
}

}  // namespace
}  // namespace mandate::tables::jobs
