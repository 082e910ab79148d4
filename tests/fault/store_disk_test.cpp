// RL-2, RL-4, RL-5 at the store: the power fails between any two calls to the disk, and the disk refuses any
// call. What was acknowledged is there afterwards, nothing happens by halves, what was consumed stays
// consumed, and the file is sound.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>
#include <set>

#include "store/single_use.h"
#include "tests/fault/disk.h"
#include "tests/support/temp_store.h"
#include "tests/support/test_loop.h"

namespace mandate::store {
namespace {

using test::Disk;
using test::run;
using test::TempStore;

/// How far to go beyond what a commit's CI has time for.
int knob(const char* name, int otherwise) {
  const char* set = std::getenv(name);
  return set ? std::atoi(set) : otherwise;
}

/// An acknowledged act and the moment it was acknowledged.
struct Told {
  char what;  ///< W: row in both tables, P: code filed, T: code taken
  std::int64_t id;
  std::size_t at;
};

/// Acts like the rooms do and keeps what it was told.
class Acts {
 public:
  Acts(test::TestLoop& loop, const Disk& disk) : loop_(loop), disk_(disk) {}

  Result<void> make_tables(Store& store) {
    for (const char* table : {"left", "right"})
      CHECK_OK(run(loop_, store.ensure_table(table, {{"id", Type::integer, true}, {"text", Type::text}})));
    return {};
  }
  Result<void> one(Store& store, std::int64_t id) { return run(loop_, act(store, id)); }
  void together(Store& store, std::int64_t from, int count) {
    int done = 0;
    for (int i = 0; i < count; ++i) spawn(act(store, from + i), [&done](Result<void>) { ++done; });
    loop_.run_until([&] { return done == count; });
  }
  /// What must be true of a store after a cut at `moment` (or now).
  void expect_kept(Store& store, std::size_t moment = SIZE_MAX) {
    const auto left = ids(store, "left"), right = ids(store, "right");
    EXPECT_EQ(left, right) << "a batch happened by halves";
    std::set<std::int64_t> taken;
    for (const Told& told : told_)
      if (told.at <= moment && told.what == 'T') taken.insert(told.id);
    for (const Told& told : told_) {
      if (told.at > moment) continue;
      if (told.what == 'W') EXPECT_TRUE(left.contains(told.id)) << "lost row " << told.id;
      if (told.what == 'T') EXPECT_FALSE(there(store, told.id)) << "taken and there again: " << told.id;
      if (told.what == 'P' && told.id % 2 && !taken.contains(told.id))
        EXPECT_TRUE(there(store, told.id)) << "lost code " << told.id;
    }
    auto report = run(loop_, store.check());
    ASSERT_TRUE(report.ok()) << report.error().detail;
    EXPECT_EQ(*report, "");
  }
  std::size_t acknowledged() const { return told_.size(); }

 private:
  Task<void> act(Store& store, std::int64_t id) {
    Batch batch;
    batch.add(insert("left", {{"id", id}, {"text", std::string(300, 'l')}}));
    batch.add(insert("right", {{"id", id}, {"text", std::string(300, 'r')}}));
    Task<Outcome> writing = store.mutate(std::move(batch));
    Result<Outcome> written = co_await writing;
    CO_CHECK(std::move(written));
    told_.push_back({'W', id, disk_.now()});
    SingleUse code{std::to_string(id), {}, INT64_MAX};
    Task<void> filing = put(store, "code", std::move(code));
    Result<void> filed = co_await filing;
    CO_CHECK(std::move(filed));
    told_.push_back({'P', id, disk_.now()});
    if (id % 2) co_return ok();
    Task<JsonObject> taking = take(store, "code", std::to_string(id), "", 0, Code::invalid_grant);
    Result<JsonObject> taken = co_await taking;
    CO_CHECK(std::move(taken));
    told_.push_back({'T', id, disk_.now()});
    co_return ok();
  }
  std::set<std::int64_t> ids(Store& store, const std::string& table) {
    Plan plan;
    plan.table = table;
    plan.select = {"id"};
    std::set<std::int64_t> out;
    auto listed = run(loop_, store.list(plan, [&](const RowView& row) { return out.insert(row.integer(0)), true; }));
    // Until the tables are made there is nothing to list.
    if (!listed.ok()) EXPECT_NE(listed.error().code, Code::corrupt) << listed.error().detail;
    return out;
  }
  bool there(Store& store, std::int64_t id) {
    auto found = run(loop_, peek(store, "code", std::to_string(id), "", 0));
    EXPECT_TRUE(found.ok()) << found.error().detail;
    return found.ok() && found->has_value();
  }

  test::TestLoop& loop_;
  const Disk& disk_;
  std::vector<Told> told_;
};

struct StoreDisk : testing::Test {
  test::TestLoop loop;
  Disk disk;
  std::mt19937 chance{2026};
  SystemClock clock;
  Log log{clock, Level::error, [](std::string_view) {}};
  Metrics metrics;

  /// Opens what a cut leaves, on a sound disk, and asks `acts` whether it is right; then once more.
  void expect_sound_after_cut(const Disk& cut, Acts& acts, std::size_t moment, Disk::Unsynced unsynced) {
    test::TempDir dir;
    for (const auto& [name, bytes] : cut.after_cut(moment, unsynced, chance)) {
      std::ofstream(dir.path() + "/" + name, std::ios::binary) << bytes;
      std::filesystem::permissions(dir.path() + "/" + name,
                                   std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    }
    const Disk sound;  // its syncs cost nothing
    for (bool again : {false, true}) {
      auto opened = open_sqlite({.path = dir.path() + "/mandate.db", .clock = &clock, .vfs = sound.vfs()}, log, metrics);
      ASSERT_TRUE(opened.ok()) << opened.error().hint << opened.error().detail;
      auto migrated = (*opened)->migrate(kMigrations);
      ASSERT_TRUE(migrated.ok()) << migrated.error().detail;
      acts.expect_kept(**opened, moment);
      if (!again) ASSERT_TRUE(acts.make_tables(**opened).ok());
    }
  }
};

TEST_F(StoreDisk, WhatWasAcknowledgedSurvivesAPowerCutBetweenAnyTwoCalls) {
  Acts acts(loop, disk);
  {
    TempStore temp({}, {.checkpoint_pages = 12, .vfs = disk.vfs()});
    ASSERT_TRUE(acts.make_tables(temp.store()).ok());
    for (std::int64_t id = 0; id < 20; ++id) ASSERT_TRUE(acts.one(temp.store(), id).ok());
    acts.together(temp.store(), 20, 10);
    temp.reopen();
    for (std::int64_t id = 30; id < 40; ++id) ASSERT_TRUE(acts.one(temp.store(), id).ok());
  }
  const std::size_t moments = disk.now();
  ASSERT_GT(moments, 300U);
  const int cuts = knob("MANDATE_POWER_CUTS", 100);
  const double step = std::max(1.0, static_cast<double>(moments) * 3 / cuts);
  int made = 0;
  for (double at = 1; at <= static_cast<double>(moments); at += step) {
    for (auto unsynced : {Disk::Unsynced::lost, Disk::Unsynced::kept, Disk::Unsynced::torn}) {
      // The three of a step are cut at different moments, so that more of them are seen.
      const auto moment = std::min(moments, static_cast<std::size_t>(at + step * static_cast<int>(unsynced) / 3));
      SCOPED_TRACE("cut at call " + std::to_string(moment) + " of " + std::to_string(moments) + ", unsynced " +
                   std::to_string(static_cast<int>(unsynced)));
      expect_sound_after_cut(disk, acts, moment, unsynced);
      ++made;
      if (HasFailure()) return;
    }
  }
  RecordProperty("power_cuts", made);
  RecordProperty("acknowledged", static_cast<int>(acts.acknowledged()));
}

/// A sync fails, the process dies, the next one finds in the kernel's cache what is not on the disk, goes on behind it, and
/// then the power fails: the kernel had taken the pages for written, so no later sync has brought them there.
TEST_F(StoreDisk, WhatIsAcknowledgedAfterAFailedSyncAndADeathSurvivesAPowerCut) {
  const int stride = std::max(1, knob("MANDATE_DISK_FAULT_STRIDE", 2));
  for (int nth = 1; nth < 20; nth += stride) {
    SCOPED_TRACE("failing sync " + std::to_string(nth));
    Disk first, second;
    Acts acts(loop, first), later(loop, second);
    test::TempDir dir;
    std::size_t death = 0;
    {
      TempStore temp({}, {.checkpoint_pages = 12, .vfs = first.vfs()});
      ASSERT_TRUE(acts.make_tables(temp.store()).ok());
      first.fail(nth, {Disk::What::sync, SQLITE_IOERR_FSYNC});
      for (std::int64_t id = 0; id < 8; ++id) (void)acts.one(temp.store(), id);
      ASSERT_TRUE(first.fired());
      // The files as the next process reads them, while this one has not closed anything.
      death = first.now();
      for (const char* suffix : {"", "-wal"}) {
        const std::string to = dir.path() + "/mandate.db" + suffix;
        std::filesystem::copy_file(temp.path() + suffix, to);
      }
    }
    second.begin_with(first.after_cut(death, Disk::Unsynced::lost, chance));
    {
      auto opened = open_sqlite({.path = dir.path() + "/mandate.db", .clock = &clock, .vfs = second.vfs()}, log, metrics);
      ASSERT_TRUE(opened.ok()) << opened.error().detail;
      for (std::int64_t id = 100; id < 104; ++id) ASSERT_TRUE(later.one(**opened, id).ok());
      expect_sound_after_cut(second, later, second.now(), Disk::Unsynced::lost);
      expect_sound_after_cut(second, later, second.now(), Disk::Unsynced::torn);
    }
    if (HasFailure()) break;
  }
}

struct Refusal {
  const char* name;
  Disk::Fault fault;
  bool lasts;  ///< the store stays read-only until it is opened again
};

class StoreDiskRefuses : public StoreDisk, public testing::WithParamInterface<Refusal> {};

TEST_P(StoreDiskRefuses, TheCallFailsCleanlyWhicheverItIsAndNothingAcknowledgedIsLost) {
  const int stride = std::max(1, knob("MANDATE_DISK_FAULT_STRIDE", 31));
  int fired = 0;
  for (int nth = 1;; nth += stride) {
    SCOPED_TRACE("refusing call " + std::to_string(nth));
    Disk here;
    Acts acts(loop, here);
    std::size_t end = 0;
    bool over = false;
    {
      TempStore temp({}, {.checkpoint_pages = 6, .vfs = here.vfs()});
      ASSERT_TRUE(acts.make_tables(temp.store()).ok());
      for (std::int64_t id = 0; id < 3; ++id) ASSERT_TRUE(acts.one(temp.store(), id).ok());
      here.fail(nth, GetParam().fault);
      bool refused = false;
      for (std::int64_t id = 10; id < 22; ++id) {
        const Result<void> done = acts.one(temp.store(), id);
        if (!done.ok()) {
          EXPECT_EQ(done.error().code, Code::read_only) << done.error().detail;
          EXPECT_TRUE(here.fired());
        } else if (GetParam().lasts) {
          EXPECT_FALSE(refused) << "a write was acknowledged after the disk had refused one";
        }
        refused |= !done.ok();
      }
      acts.expect_kept(temp.store());  // it goes on reading
      over = !here.fired();
      here.lift();
      fired += !over;
      EXPECT_EQ(temp.store().writable(), over || !GetParam().lasts);
      EXPECT_EQ(acts.one(temp.store(), 30).ok(), temp.store().writable()) << "without a restart";
      temp.reopen();
      EXPECT_TRUE(temp.store().writable());
      for (std::int64_t id = 40; id < 43; ++id) EXPECT_TRUE(acts.one(temp.store(), id).ok());
      acts.expect_kept(temp.store());
      end = here.now();
    }
    for (auto unsynced : {Disk::Unsynced::lost, Disk::Unsynced::torn}) expect_sound_after_cut(here, acts, end, unsynced);
    if (over || HasFailure()) break;
  }
  EXPECT_GE(fired, 1) << "the faults hit nothing";
}

using What = Disk::What;
INSTANTIATE_TEST_SUITE_P(Disks, StoreDiskRefuses,
                         testing::Values(Refusal{"EioFromWrite", {What::write, SQLITE_IOERR_WRITE}, true},
                                         Refusal{"EioFromHalfAWrite", {What::write, SQLITE_IOERR_WRITE, true}, true},
                                         Refusal{"EioFromSync", {What::sync, SQLITE_IOERR_FSYNC}, true},
                                         Refusal{"EioFromAllThatFollows", {What::any, SQLITE_IOERR_WRITE, false, true}, true},
                                         Refusal{"NoSpaceOnce", {What::write, SQLITE_FULL}, false},
                                         Refusal{"NoSpaceAfterHalfAWrite", {What::write, SQLITE_FULL, true}, false},
                                         Refusal{"NoSpaceForAllThatFollows", {What::write, SQLITE_FULL, true, true}, false}),
                         [](const auto& refusal) { return refusal.param.name; });

}  // namespace
}  // namespace mandate::store
