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
  EXPECT_EQ(again.updated, 0);
  EXPECT_EQ(again.same, 1);
  EXPECT_EQ(get("/tables/items/a").body, before);
}

TEST_F(Importing, CellsOfEveryTypeAreSeenToBeTheSame) {
  tenant::Table& typed = add_table("Typed");
  typed.columns = {{.name = "done", .type = "boolean"}, {.name = "n", .type = "integer"}, {.name = "due", .type = "datetime"}, {.name = "day", .type = "date"},
                   {.name = "key", .type = "guid"}, {.name = "bytes", .type = "binary"}, {.name = "doc", .type = "json"}, {.name = "at", .type = "point"}, {.name = "real", .type = "number"}};
  typed.soft_delete = true;
  publish();
  Import how;
  how.texts = true;
  const std::string rows = row(R"("done":"1","n":"9007199254740993","due":"2014-05-06 09:08:09.123 +02:00","day":"2014-05-06","key":"{01234567-89AB-CDEF-0123-456789ABCDEF}","bytes":"0x616263",
                                  "doc":"{\"b\": [1, 2.50]}","at":"{\"type\":\"Point\",\"coordinates\":[7.5,51]}","real":"0.1","deleted":"0","extra":null)");
  EXPECT_EQ(good("typed", rows, how).inserted, 1);
  const Imported again = good("typed", rows, how);
  EXPECT_EQ(again.same, 1);
  EXPECT_EQ(again.updated, 0);
}

TEST_F(Importing, ARowOfTheSameTimeWithOtherCellsGetsANewTime) {
  good("items", row(R"("text":"milk","version":")" + kRowVersion + "\""));
  const Imported done = good("items", row(R"("text":"cream","version":")" + kRowVersion + "\""));
  EXPECT_EQ(done.updated, 1);
  const Reply reply = get("/tables/items/a");
  EXPECT_EQ(reply.text("text"), "cream");
  EXPECT_GT(reply.text("updatedAt"), std::string("2020")) << "else pulls would miss it";
  Headers headers = v2();
  headers.emplace_back("If-Match", "\"" + kRowVersion + "\"");
  EXPECT_EQ(patch("/tables/items/a", R"({"text":"butter"})", headers).status, 412) << "that version was of another state";
}

TEST_F(Importing, ANewerStateOfTheFileIsTaken) {
  good("items", R"([{"id":"a","text":"milk","updatedAt":"2014-05-06"}])");
  EXPECT_EQ(good("items", R"([{"id":"a","text":"cream","updatedAt":"2015-05-06"}])").updated, 1);
  EXPECT_EQ(get("/tables/items/a").text("text"), "cream");
  EXPECT_EQ(get("/tables/items/a").text("updatedAt"), "2015-05-06T00:00:00.000Z");
  EXPECT_EQ(good("items", R"([{"id":"a","text":"milk","updatedAt":"2014-05-06"}])").kept, 1);
}

TEST_F(Importing, WithoutATimeInTheFileWhatIsHereStays) {
  const std::string rows = R"([{"id":"a","text":"milk"},{"id":"b","text":"bread"}])";
  EXPECT_EQ(good("items", rows).inserted, 2);
  EXPECT_EQ(good("items", rows).same, 2);
  ASSERT_EQ(patch("/tables/items/a", R"({"text":"cream"})").status, 200);
  const Imported again = good("items", rows);
  EXPECT_EQ(again.kept, 1);
  EXPECT_EQ(again.same, 1);
  EXPECT_EQ(get("/tables/items/a").text("text"), "cream");
  Import how;
  how.replace = true;
  EXPECT_EQ(good("items", rows, how).updated, 1);
  EXPECT_EQ(get("/tables/items/a").text("text"), "milk");
}

TEST_F(Importing, RowsThatClientsMadeBeforeAreNotTakenFromThem) {
  tenant::Table& old = add_table("Old");
  old.integer_id = true;
  old.dialect = "v1";
  publish();
  ASSERT_EQ(post("/tables/old", R"({"text":"mine"})", v1()).status, 201);
  const Imported done = good("old", R"([{"id":1,"text":"theirs"},{"id":2,"text":"second"}])");
  EXPECT_EQ(done.kept, 1);
  EXPECT_EQ(done.inserted, 1);
  EXPECT_EQ(get("/tables/old/1", v1()).text("text"), "mine");
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

TEST_F(Importing, NewTimesUndoNoChangesOfClients) {
  Import how;
  how.restamp = true;
  const std::string rows = row(R"("text":"milk")");
  good("items", rows, how);
  EXPECT_EQ(good("items", rows, how).same, 1) << "its time is new already";
  ASSERT_EQ(patch("/tables/items/a", R"({"text":"cream"})").status, 200);
  EXPECT_EQ(good("items", rows, how).kept, 1);
  EXPECT_EQ(get("/tables/items/a").text("text"), "cream");
  how.replace = true;
  EXPECT_EQ(good("items", rows, how).updated, 1);
  EXPECT_EQ(get("/tables/items/a").text("text"), "milk");
}

TEST_F(Importing, NewTimesAreForRowsThatCameWithTheirOldOnesToo) {
  const std::string rows = row(R"("text":"milk")");
  good("items", rows);
  Import how;
  how.restamp = true;
  EXPECT_EQ(good("items", rows, how).updated, 1);
  EXPECT_GT(get("/tables/items/a").text("updatedAt"), std::string("2020"));
}

TEST_F(Importing, ATimeOfThisMinuteBecomesAStamp) {
  const Millis now = store.clock().now_ms();
  good("items", R"([{"id":"a","updatedAt":")" + iso8601(now - 1000) + R"("},{"id":"b","updatedAt":")" + iso8601(now - 120'000) + "\"}]");
  EXPECT_GE(get("/tables/items/a").text("updatedAt"), iso8601(now)) << "pulls of other nodes may be past it";
  EXPECT_EQ(get("/tables/items/b").text("updatedAt"), iso8601(now - 120'000));
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
  EXPECT_EQ(done.kept, 1);
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
  const Imported timed = good("items", R"([{"id":"c","n":1,"updatedAt":"2015-01-01"},{"id":"c","n":2,"updatedAt":"2014-01-01"},{"id":"c","n":3,"updatedAt":"2016-01-01"}])");
  EXPECT_EQ(timed.kept, 1) << "but for one that the file itself calls older";
  EXPECT_EQ(get("/tables/items/c").object().at("n"), Json(3));
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
  EXPECT_EQ(lines(*import("old", R"([{"id":9007199254740992}])")), "1") << "no ids would be left";
  EXPECT_EQ(post("/tables/old", R"({"text":"after"})", v1()).object().at("id"), Json(43));
}

TEST_F(Importing, InV1OnlyNamesWithUnderscoresAreOurs) {
  tenant::Table& old = add_table("Words");
  old.dialect = "v1";
  publish();
  good("words", R"([{"id":"a","version":"1.2","deleted":"perhaps","createdAt":"own","__updatedAt":"2014-05-06T07:08:09.123Z"}])");
  const Reply reply = get("/tables/words/a?__systemProperties=updatedAt", v1());
  EXPECT_EQ(reply.text("version"), "1.2");
  EXPECT_EQ(reply.text("deleted"), "perhaps");
  EXPECT_EQ(reply.text("createdAt"), "own");
  EXPECT_EQ(reply.text("__updatedAt"), kThen);
}

TEST_F(Importing, InV1TextOfIndexedColumnsHas450Characters) {
  tenant::Table& old = add_table("Looked");
  old.dialect = "v1";
  old.columns = {{.name = "name", .index = true}};
  publish();
  EXPECT_EQ(lines(*import("looked", R"([{"id":"a","name":")" + std::string(451, 'x') + "\"}]")), "1");
  EXPECT_EQ(good("looked", R"([{"id":"a","name":")" + std::string(450, 'x') + "\"}]").inserted, 1);
}

TEST_F(Importing, JsonIsAsLongAsItsRowMayBeAndWhole) {
  tenant::Table& typed = add_table("Papers");
  typed.columns = {{.name = "doc", .type = "json"}};
  publish();
  Import how;
  how.texts = how.skip_bad = true;
  const std::string longer(400'000, 'x');
  const Imported done = *import("papers", R"([{"id":"a","doc":"{\"t\":\")" + longer + R"(\"}"},{"id":"b","doc":"{\"t\":"},{"id":"c","doc":" [1"},{"id":"d","doc":"just words"}])", how);
  EXPECT_EQ(lines(done), "2 3");
  EXPECT_EQ(done.inserted, 2);
  EXPECT_NE(get("/tables/papers/a").body.find(R"("doc":{"t":"xxx)"), std::string::npos);
  EXPECT_EQ(get("/tables/papers/d").object().at("doc"), Json("just words"));
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
  Import how;
  how.replace = true;
  EXPECT_EQ(lines(*import("mine", R"([{"id":"a","userId":null,"text":"z"}])", how)), "1") << "nobody's row is taken from its owner";
  EXPECT_EQ(good("mine", R"([{"id":"a","text":"z"}])", how).updated, 1);
  EXPECT_EQ(ids("/tables/mine", as("Custom:ana")), "a");
}

TEST_F(Importing, MessagesHaveNothingThatATerminalObeys) {
  tenant::Table& typed = add_table("Typed");
  typed.columns = {{.name = "n", .type = "integer"}};
  typed.dynamic_schema = false;
  publish();
  const std::string why = import("typed", "[{\"id\":\"a\",\"n\":\"\xC2\x9B[2J\x7F\"}]")->faults.at(0).why;
  EXPECT_EQ(why.find('\x7F'), std::string::npos) << why;
  EXPECT_EQ(why.find("\xC2\x9B"), std::string::npos) << why;
  std::string name;
  for (int i = 0; i < 100; ++i) name += "\xC3\xA9";
  const auto refused = import("items", "[{\"id\":\"a\",\"x" + name + "\":1}]");
  ASSERT_FALSE(refused.ok());
  EXPECT_TRUE(parse_json("\"" + refused.error().hint + "\"").ok()) << "whole characters only";
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

class FailingImport : public Importing {
 protected:
  store::FaultStore faulty{store.store()};
};
class CutImport : public FailingImport, public testing::WithParamInterface<store::FaultStore::When> {};

TEST_P(CutImport, TheSameCommandAgainBringsEveryRowWhicheverCallFailed) {
  std::string rows = "[";
  for (int i = 0; i < 250; ++i) rows += (i ? "," : "") + std::string(R"({"id":"r)") + std::to_string(i) + R"(","updatedAt":"2014-05-06","version":"MQ==","n":)" + std::to_string(i) + "}";
  rows += "]";
  int nth = 1;
  bool told = false;
  for (bool passed = false; !passed; ++nth) {
    ASSERT_LT(nth, 40) << "it never passes";
    const std::string table = "Broken" + std::to_string(nth);
    add_table(table);
    publish();
    tenants.here.store = &faulty;
    faulty.fail(nth, Error(Code::read_only), GetParam());
    const auto first = import(table, rows);
    passed = !faulty.fired();
    EXPECT_EQ(first.ok() && !first->failure, passed) << nth;
    // Between the two transactions there is something to say.
    if (first.ok() && first->failure) {
      EXPECT_EQ(first->inserted, 200) << nth;
      EXPECT_EQ(first->failed_line, 201) << nth;
    }
    told = told || (first.ok() && first->failure);
    faulty.fail(0);
    const Imported again = good(table, rows);
    EXPECT_EQ(again.inserted + again.updated + again.same, 250) << nth;
    EXPECT_EQ(again.kept, 0) << nth;
    Headers headers = v2();
    headers.emplace_back("If-Match", "\"MQ==\"");
    for (const std::string_view id : {"/r0", "/r249"}) EXPECT_EQ(patch("/tables/" + table + std::string(id), R"({"n":7})", headers).status, 200) << nth;
  }
  EXPECT_GT(nth, 5);
  EXPECT_TRUE(told);
}

TEST_F(FailingImport, IdsInTheirOrderMakeNobodyForgetTheTable) {
  tenant::Table& old = add_table("Old");
  old.integer_id = true;
  old.dialect = "v1";
  publish();
  tenants.here.store = &faulty;
  for (const std::string_view id : {"5", "6"}) good("old", R"([{"id":)" + std::string(id) + R"(,"n":0}])");
  faulty.fail(0);
  good("old", R"([{"id":7,"n":0}])");
  EXPECT_EQ(faulty.calls(), 5) << "the next id is read and written, the row looked for twice and written: the columns are known";
}

TEST_F(FailingImport, ARowThatTheStoreDoesNotTakeIsTheFaultOfItsLine) {
  add_table("Full");
  publish();
  tenants.here.store = &faulty;
  Import how;
  how.skip_bad = true;
  for (const std::string_view id : {"x", "y"}) good("full", R"([{"id":")" + std::string(id) + R"(","n":0}])");  // the table is made, and known
  for (int nth = 1;; ++nth) {
    faulty.fail(nth, Error(Code::payload_too_large, "A value is too large."));
    const auto done = import("full", R"([{"id":"r)" + std::to_string(nth) + R"(","n":1}])", how);
    ASSERT_TRUE(faulty.fired()) << "no row was refused";
    if (done.ok() && done->faults.size() == 1) {
      EXPECT_EQ(done->faults[0].why, "A value is too large.");
      return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Moments, CutImport, testing::Values(store::FaultStore::When::before, store::FaultStore::When::after),
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
