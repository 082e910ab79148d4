// What an older version may do with data that a newer one has changed (RL-14).
#include "store/migrate.h"
#include "tests/conformance/store_fixture.h"

namespace mandate::store {
namespace {

class StoreMigrate : public StoreConformance {
 protected:
  static constexpr Migration kNote{"test", "0001_note", "CREATE TABLE note (id TEXT NOT NULL PRIMARY KEY, text TEXT);"};
  static constexpr Migration kRank{"test", "0002_rank_additive", "ALTER TABLE note ADD COLUMN rank BIGINT DEFAULT 5; CREATE INDEX note_rank ON note (rank);"};
  static constexpr Migration kMore{"test", "0003_more", "ALTER TABLE note ADD COLUMN more BIGINT;"};
  Result<void> migrate(std::vector<Migration> steps) { return tried_->migratable().migrate(steps); }
};

TEST_P(StoreMigrate, WhatANewerVersionOnlyAddedDoesNotKeepAnOlderOneAway) {
  ASSERT_TRUE(migrate({kNote}).ok());
  must(insert("note", {{"id", "old"}, {"text", "x"}}));
  ASSERT_TRUE(migrate({kNote, kRank}).ok());
  tried_->reopen();
  const auto older = migrate({kNote});
  ASSERT_TRUE(older.ok()) << older.error().hint;
  must(insert("note", {{"id", "new"}, {"text", "y"}}));
  EXPECT_EQ(get("note", equals("id", "old"))->text("text"), "x");
  ASSERT_TRUE(migrate({kNote, kRank}).ok()) << "and back: the step is not done again";
  EXPECT_EQ(get("note", equals("id", "new"))->integer("rank"), 5);
}

TEST_P(StoreMigrate, WhatANewerVersionChangedOtherwiseDoesAndTheHintNamesIt) {
  ASSERT_TRUE(migrate({kNote, kRank, kMore}).ok());
  tried_->reopen();
  for (const auto& known : {std::vector<Migration>{kNote}, {kNote, kRank}}) {
    const auto older = migrate(known);
    ASSERT_FALSE(older.ok());
    EXPECT_EQ(older.error().code, Code::conflict);
    EXPECT_NE(older.error().hint.find("newer version: it knows the step test/0003_more"), std::string::npos) << older.error().hint;
  }
}

ON_EVERY_ENGINE(StoreMigrate);

}  // namespace
}  // namespace mandate::store
