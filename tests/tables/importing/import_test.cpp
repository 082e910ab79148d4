#include "tables/importing/import.h"

#include "store/fault.h"
#include "tables/importing/cells.h"
#include "tests/tables/importing/importing.h"

namespace mandate::tables::test {
namespace {

TEST_F(Importing, KeepsIdsAndTimes) {
  const Imported done = good("items", row(R"("text":"milk","deleted":false)"));
  EXPECT_EQ(done.inserted, 1);
  EXPECT_EQ(done.columns, std::vector<std::string>{"text"});
  const Reply reply = get("/tables/items/a");
  EXPECT_EQ(reply.text("text"), "milk");
  EXPECT_EQ(reply.text("createdAt"), "2013-01-02T03:04:05.006Z");
  EXPECT_EQ(reply.text("updatedAt"), kThen);
}

TEST_F(Importing, TheSameRowsAgainAreTheSameRows) {
  const std::string rows = row(R"("text":"milk")");
  good("items", rows);
  const std::string before = get("/tables/items/a").body;
  const Imported again = good("items", rows);
  EXPECT_EQ(again.inserted, 0);
  EXPECT_EQ(again.updated, 1);
  EXPECT_EQ(get("/tables/items/a").body, before);
}

TEST_F(Importing, ARowThatIsNewerHereStaysUnlessItIsToBeReplaced) {
  const std::string rows = row(R"("text":"milk")");
  good("items", rows);
  ASSERT_EQ(patch("/tables/items/a", R"({"text":"cream","extra":1})").status, 200);
  const std::string changed = get("/tables/items/a").text("updatedAt");
  EXPECT_EQ(good("items", rows).kept, 1);
  EXPECT_EQ(get("/tables/items/a").text("text"), "cream");
  Import how;
  how.replace = true;
  EXPECT_EQ(good("items", rows, how).updated, 1);
  const Reply reply = get("/tables/items/a");
  EXPECT_EQ(reply.text("text"), "milk");
  EXPECT_EQ(reply.object().at("extra"), Json(1)) << "what the file does not have stays";
  EXPECT_GT(reply.text("updatedAt"), changed) << "clients that pull must hear of it";
}

TEST_F(Importing, NewTimesOnRequest) {
  Import how;
  how.restamp = true;
  good("items", row(R"("text":"milk")"), how);
  EXPECT_GT(get("/tables/items/a").text("updatedAt"), std::string("2020"));
  EXPECT_EQ(get("/tables/items/a").text("createdAt"), "2013-01-02T03:04:05.006Z");
}

TEST_F(Importing, EveryRowBeforeABadOneIsInAndNoneBehindIt) {
  const Imported done = *import("items", R"([{"id":"a","n":1},{"id":"b","n":2},{"id":"c/d","n":3},{"id":"e","n":4},{"id":"f?","n":5}])");
  EXPECT_TRUE(done.stopped);
  EXPECT_EQ(lines(done), "3");
  EXPECT_EQ(ids("/tables/items?$orderby=id"), "a b");
}

TEST_F(Importing, BadRowsAreLeftOutOnRequestAndTold) {
  Import how;
  how.skip_bad = true;
  const Imported done = *import("items", R"([{"id":"a","n":1},{"id":"b","n":"two"},{"text":"x"},{"id":"d","updatedAt":"2999-01-01"},{"id":"e","n":5}])", how);
  EXPECT_FALSE(done.stopped);
  EXPECT_EQ(lines(done), "2 3 4");
  EXPECT_NE(done.faults[0].why.find("'n'"), std::string::npos) << done.faults[0].why;
  EXPECT_EQ(ids("/tables/items?$orderby=id"), "a e");
}

TEST_F(Importing, ADryRunWritesNothing) {
  good("items", R"([{"id":"a","updatedAt":"2014-01-01"}])");
  Import how;
  how.dry_run = true;
  const Imported done = *import("items", R"([{"id":"a","due":"x"},{"id":"b","due":"y"},{"id":"c","due":7}])", how);
  EXPECT_EQ(done.inserted, 2);
  EXPECT_EQ(done.updated, 1);
  EXPECT_EQ(done.columns, std::vector<std::string>{"due"});
  EXPECT_EQ(ids("/tables/items"), "a");
  EXPECT_EQ(get("/tables/items/a").object().if_contains("due"), nullptr);
}

TEST_F(Importing, ADryRunTellsWhatNewRowsLack) {
  tenant::Table& strict = add_table("Strict");
  strict.columns = {{.name = "name", .required = true}};
  publish();
  Import how;
  how.dry_run = how.skip_bad = how.new_ids = true;
  const Imported done = *import("strict", R"([{"id":"a"},{"name":"x"},{"other":1}])", how);
  EXPECT_EQ(lines(done), "1 3");
  EXPECT_EQ(done.inserted, 1);
}

TEST_F(Importing, TheSameIdTwiceIsTheLaterRow) {
  const Imported done = good("items", R"([{"id":"a","n":1},{"id":"b","n":2},{"id":"a","n":3},{"id":"a","n":4}])");
  EXPECT_EQ(done.inserted, 2);
  EXPECT_EQ(done.updated, 2);
  EXPECT_EQ(get("/tables/items/a").object().at("n"), Json(4));
}

TEST_F(Importing, ATakenValueIsTheFaultOfItsRowAlone) {
  tenant::Table& people = add_table("People");
  people.columns = {{.name = "email", .unique = true}, {.name = "name", .required = true}};
  publish();
  std::string rows = "[";
  for (int i = 0; i < 450; ++i) rows += (i ? "," : "") + std::string(R"({"id":"p)") + std::to_string(1000 + i) + R"(","name":"x","email":"e)" + std::to_string(i == 317 ? 5 : i) + "\"}";
  Import how;
  how.skip_bad = true;
  const Imported done = *import("people", rows + "]", how);
  EXPECT_EQ(lines(done), "318");
  EXPECT_EQ(done.faults.front().why, "An item with the same 'email' exists already.");
  EXPECT_EQ(done.inserted, 449);
  const Imported stopped = *import("people", R"([{"id":"q1","name":"x","email":"new"},{"id":"q2","name":"x","email":"e7"},{"id":"q3","name":"x","email":"other"}])");
  EXPECT_EQ(lines(stopped), "2");
  EXPECT_EQ(stopped.inserted, 1);
  EXPECT_EQ(lines(*import("people", R"([{"id":"r","email":"r"}])")), "1") << "name is required";
}

TEST_F(Importing, IdsOfIntegerTablesGoOnBehindTheLargest) {
  tenant::Table& old = add_table("Old");
  old.integer_id = true;
  old.dialect = "v1";
  publish();
  ASSERT_EQ(post("/tables/old", R"({"text":"first"})", v1()).status, 201);
  Import how;
  how.texts = true;
  good("old", R"([{"id":"7","text":"seven","createdAt":"own"},{"id":"41","text":"x"}])", how);
  EXPECT_EQ(post("/tables/old", R"({"text":"next"})", v1()).object().at("id"), Json(42));
  EXPECT_EQ(get("/tables/old/7", v1()).text("createdAt"), "own") << "V1 has no such system property in these tables";
  EXPECT_EQ(lines(*import("old", R"([{"id":0}])")), "1");
}

TEST_F(Importing, TextBecomesWhatItsColumnHolds) {
  tenant::Table& typed = add_table("Typed");
  typed.columns = {{.name = "done", .type = "boolean"}, {.name = "n", .type = "integer"}, {.name = "due", .type = "datetime"}, {.name = "day", .type = "date"},
                   {.name = "key", .type = "guid"}, {.name = "bytes", .type = "binary"}, {.name = "doc", .type = "json"}, {.name = "plain"}};
  publish();
  Import how;
  how.texts = true;
  good("typed", R"([{"id":"a","done":"1","n":" 42 ","due":"2014-05-06 09:08:09.1239999 +02:00","day":"2014-05-06 00:00:00.000",
                     "key":"{01234567-89AB-CDEF-0123-456789ABCDEF}","bytes":"0x616263","doc":"{\"a\":[1]}","plain":"007"}])", how);
  const JsonObject row = get("/tables/typed/a").object();
  EXPECT_EQ(row.at("done"), Json(true));
  EXPECT_EQ(row.at("n"), Json(42));
  EXPECT_EQ(row.at("due"), Json("2014-05-06T07:08:09.123Z"));
  EXPECT_EQ(row.at("day"), Json("2014-05-06"));
  EXPECT_EQ(row.at("key"), Json("01234567-89ab-cdef-0123-456789abcdef"));
  EXPECT_EQ(row.at("bytes"), Json("YWJj"));
  EXPECT_EQ(row.at("plain"), Json("007"));
}

TEST_F(Importing, TextAsPostgresWritesItToo) {
  tenant::Table& typed = add_table("Typed");
  typed.columns = {{.name = "done", .type = "boolean"}, {.name = "bytes", .type = "binary"}};
  publish();
  Import how;
  how.texts = true;
  good("typed", R"([{"id":"a","done":"t","bytes":"\\x616263","updatedAt":"2014-05-06 09:08:09.123456+02"},{"id":"b","done":"f"}])", how);
  const JsonObject row = get("/tables/typed/a").object();
  EXPECT_EQ(row.at("done"), Json(true));
  EXPECT_EQ(row.at("bytes"), Json("YWJj"));
  EXPECT_EQ(row.at("updatedAt"), Json(kThen));
  EXPECT_EQ(get("/tables/typed/b").object().at("done"), Json(false));
}

TEST_F(Importing, WhatTheTableCannotGrowIsRefusedByName) {
  tenant::Table& fixed = add_table("Fixed");
  fixed.dynamic_schema = false;
  fixed.columns = {{.name = "text"}};
  publish();
  const auto refused = import("fixed", R"([{"id":"a","text":"x","colour":"red"}])");
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().hint.find("'colour'"), std::string::npos);
  const auto blank = import("items", R"([{"id":"a","Due Date":"x"}])");
  ASSERT_FALSE(blank.ok());
  EXPECT_NE(blank.error().hint.find("'Due Date'"), std::string::npos);
  EXPECT_EQ(good("fixed", R"([{"id":"a","text":"x","colour":null}])").inserted, 1) << "a null needs no column";
}

TEST_F(Importing, RowsOfAPerUserTableNeedTheirOwner) {
  tenant::Table& mine = add_table("Mine");
  mine.user_id_column = "userId";
  publish();
  EXPECT_EQ(lines(*import("mine", R"([{"id":"a","text":"x"}])")), "1");
  good("mine", R"([{"id":"a","userId":"Custom:ana","text":"x"},{"id":"b","userId":"Custom:bo","text":"y"}])");
  EXPECT_EQ(ids("/tables/mine", as("Custom:ana")), "a");
}

TEST_F(Importing, DeletedRowsStayDeleted) {
  good("items", R"([{"id":"a","deleted":true,"updatedAt":"2014-05-06"},{"id":"b","__deleted":0}])");
  EXPECT_EQ(ids("/tables/items"), "b");
  EXPECT_EQ(ids("/tables/items?__includeDeleted=true&$orderby=id"), "a b");
  add_table("Hard");
  publish();
  EXPECT_EQ(lines(*import("hard", R"([{"id":"a","deleted":true}])")), "1");
}

TEST_F(Importing, RowsWithoutAnIdGetOneOnlyOnRequest) {
  EXPECT_EQ(lines(*import("items", R"([{"n":1}])")), "1");
  Import how;
  how.new_ids = true;
  EXPECT_EQ(good("items", R"([{"n":1},{"id":"","n":2},{"id":null,"n":3}])", how).inserted, 3);
}

class FailingImport : public Importing, public testing::WithParamInterface<store::FaultStore::When> {
 protected:
  store::FaultStore faulty{store.store()};
};

TEST_P(FailingImport, TheSameCommandAgainBringsEveryRowWhicheverCallFailed) {
  std::string rows = "[";
  for (int i = 0; i < 250; ++i) rows += (i ? "," : "") + std::string(R"({"id":"r)") + std::to_string(i) + R"(","updatedAt":"2014-05-06","version":"MQ==","n":)" + std::to_string(i) + "}";
  rows += "]";
  int nth = 1;
  for (bool passed = false; !passed; ++nth) {
    ASSERT_LT(nth, 40) << "it never passes";
    const std::string table = "Broken" + std::to_string(nth);
    add_table(table);
    publish();
    tenants.here.store = &faulty;
    faulty.fail(nth, Error(Code::read_only), GetParam());
    const auto first = import(table, rows);
    passed = !faulty.fired();
    EXPECT_EQ(first.ok(), passed) << nth;
    faulty.fail(0);
    const Imported again = good(table, rows);
    EXPECT_EQ(again.inserted + again.updated, 250) << nth;
    EXPECT_EQ(again.kept, 0) << nth;
    Headers headers = v2();
    headers.emplace_back("If-Match", "\"MQ==\"");
    for (const std::string_view id : {"/r0", "/r249"}) EXPECT_EQ(patch("/tables/" + table + std::string(id), R"({"n":7})", headers).status, 200) << nth;
  }
  EXPECT_GT(nth, 5);
}

INSTANTIATE_TEST_SUITE_P(Moments, FailingImport, testing::Values(store::FaultStore::When::before, store::FaultStore::When::after),
                         [](const auto& moment) { return moment.param == store::FaultStore::When::before ? "before" : "after"; });

TEST(ImportedCells, MomentsAreReadInTheFormsOfOldServers) {
  const auto at = [](std::string_view text) { return importing::moment_of(text).value_or(-1); };
  constexpr Millis kMoment = 1'399'360'089'123;  // 2014-05-06T07:08:09.123Z
  for (const std::string_view text : {"2014-05-06T07:08:09.123Z", "2014-05-06 07:08:09.123", "2014-05-06 07:08:09.1230000 +00:00", "2014-05-06 09:08:09.1230000 +02:00",
                                      " 2014-05-06T07:08:09.1234567Z", "2014-05-06 09:08:09.123456+02", "2014-05-06 01:38:09.123-05:30", "/Date(1399360089123)/"})
    EXPECT_EQ(at(text), kMoment) << text;
  for (const std::string_view text : {"", "2014", "06.05.2014 07:08", "2014-05-06 07:08:09 PM", "2014-13-06", "2014-05-06 07:08:09 +2", "2014-05-06+02"}) EXPECT_EQ(at(text), -1) << text;
}

TEST(ImportedCells, ARowversionIsTheVersionThatClientsWereShown) {
  EXPECT_EQ(importing::version_of("0x00000000000007D1"), kRowVersion);
  EXPECT_EQ(importing::version_of("AAAAAAAAB9E="), "AAAAAAAAB9E=");
  EXPECT_EQ(importing::version_of(R"(\x00000000000007d1)"), kRowVersion);
  EXPECT_EQ(importing::version_of("0x4142434445464748494A4B4C4D4E4F50"), "QUJDREVGR0hJSktMTU5PUA==");
  EXPECT_EQ(importing::version_of("0x07"), "0x07");
  EXPECT_EQ(importing::version_of(true), std::nullopt);
  EXPECT_EQ(importing::version_of(boost::json::string(200, 'x')), std::nullopt);
}

}  // namespace
}  // namespace mandate::tables::test
