// What one request may cost the others: time on the loop and on the writer, bytes of an answer (DA-8, RL-15).
#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

using std::chrono::milliseconds;

/// f(f(f(column))), so many times.
std::string nested(std::string_view function, int times, std::string_view column) {
  std::string out;
  for (int i = 0; i < times; ++i) out += std::string(function) + "(";
  return out + std::string(column) + std::string(static_cast<std::size_t>(times), ')');
}

/// Reads and writes that are ended after a tenth of a second.
class Limits : public World {
 protected:
  Limits() : World({.statement_limit = milliseconds(100)}) {}

  void fill(int rows, std::size_t bytes) {
    for (int i = 0; i < rows; ++i)
      ASSERT_EQ(post("/tables/items", R"({"id":"r)" + std::to_string(100 + i) + R"(","text":")" + std::string(bytes, 'x') + "\"}").status, 201);
  }
  /// Takes far longer than the limit on rows of 200 KB.
  static std::string costly() { return filter("items", nested("toupper", 32, "text") + " eq 'never'"); }
};

TEST_F(Limits, AFilterThatIsCostlyInBytesHoldsNoLoopAndEndsAtItsTimeLimit) {
  fill(40, 200'000);
  for (std::string_view query : {"$filter=", "$orderby="}) {
    const std::string target = query == "$filter=" ? costly() : "/tables/items?$orderby=" + percent_encode(nested("toupper", 32, "text"));
    std::optional<Reply> reply;
    const auto start = std::chrono::steady_clock::now();
    begin(http::Method::get, target, [&](Reply r) { reply = std::move(r); });
    EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(500)) << "the loop was held";
    EXPECT_EQ(get("/tables/items/r100").status, 200);
    loop.run_until([&] { return reply.has_value(); });
    EXPECT_EQ(reply->status, 503);
    EXPECT_FALSE(reply->header("Retry-After").empty());
    EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(3000));
  }
}

TEST_F(Limits, TextThatAFilterMakesDoesNotGrowWithoutBound) {
  fill(1, 200'000);
  std::string grown = "text";
  for (int i = 0; i < 6; ++i) grown = "concat(" + grown + "," + grown + ")";
  EXPECT_EQ(get(filter("items", grown + " eq 'x'")).status, 413);
  EXPECT_EQ(get(filter("items", "replace(text,'x','" + std::string(100, 'y') + "') eq 'x'")).status, 413);
  EXPECT_EQ(ids(filter("items", "length(concat(text,text)) eq 400000")), "r100");
}

TEST_F(Limits, FunctionsNestThirtyTwoDeep) {
  post("/tables/items", R"({"id":"a","text":"A"})");
  EXPECT_EQ(ids(filter("items", nested("tolower", 32, "text") + " eq 'a'")), "a");
  EXPECT_EQ(get(filter("items", nested("tolower", 33, "text") + " eq 'a'")).status, 400);
  EXPECT_EQ(get(filter("items", nested("(tolower", 17, nested("trim(", 16, "text") + std::string(16, ')')) + std::string(17, ')') + " eq 'a'")).status, 400);
}

TEST_F(Limits, AnOrChainOfAnOldSdkIsTakenHoweverItIsBracketed) {
  post("/tables/items", R"({"id":"a","b":true,"n":3})");
  std::string flat = "b", left = "n eq 0", members = "(n eq 0";
  for (int i = 1; i < 999; ++i) flat += " or b";
  for (int i = 1; i < 240; ++i) left = "(" + left + ") or (n eq " + std::to_string(i % 9) + ")";
  for (int i = 1; i < 480; ++i) members += " or n eq " + std::to_string(i % 9);
  EXPECT_EQ(ids(filter("items", flat)), "a");
  EXPECT_EQ(ids(filter("items", left)), "a");
  EXPECT_EQ(ids(filter("items", members + ")")), "a");
  EXPECT_EQ(ids(filter("items", "not (" + flat + ")")), "");
  std::string alternating = "b";
  for (int i = 0; i < 245; ++i) alternating = "(b " + std::string(i % 2 ? "or" : "and") + " b " + (i % 2 ? "or" : "and") + " b and (" + alternating + "))";
  EXPECT_NE(get(filter("items", alternating)).status, 500);
}

TEST_F(Limits, AFilterMayFillATargetOf16KiB) {
  post("/tables/items", R"({"id":"a","text":"A"})");
  const std::string text = "text eq '" + std::string((16 << 10) - 10, 'a') + "'";
  ASSERT_EQ(text.size(), 16U << 10);
  EXPECT_EQ(ids(filter("items", text)), "");
  EXPECT_EQ(get(filter("items", text + " ")).status, 400);
}

TEST_F(Limits, ADeleteByACostlyFilterKeepsNobodyWaitingAndDeletesNothing) {
  fill(40, 200'000);
  std::optional<Reply> deleted, inserted;
  bool insert_was_first = false;
  begin(http::Method::delete_, costly(), [&](Reply r) { deleted = std::move(r); });
  begin(http::Method::post, "/tables/items", [&](Reply r) { inserted = std::move(r), insert_was_first = !deleted; }, R"({"id":"new"})");
  loop.run_until([&] { return deleted && inserted; });
  EXPECT_TRUE(insert_was_first);
  EXPECT_EQ(inserted->status, 201);
  EXPECT_EQ(deleted->status, 503);
  EXPECT_EQ(get("/tables/items?$top=0&$inlinecount=allpages").object().at("count"), 41);
}

class DeletesByFilter : public World {
 protected:
  void fill(int rows) {
    std::vector<Task<Reply>> tasks;
    for (int i = 0; i < rows; ++i) tasks.push_back(exchange(http::Method::post, "/tables/items", v2(), R"({"id":"r)" + std::to_string(1000 + i) + R"(","n":1})"));
    for (const Reply& reply : send_together(std::move(tasks))) ASSERT_EQ(reply.status, 201);
  }
};

TEST_F(DeletesByFilter, GiveEachRowAStampOfItsOwn) {
  fill(4);
  EXPECT_EQ(del(filter("items", "n eq 1")).status, 204);
  std::set<std::string> times, versions;
  const Json rows = get("/tables/items?__includeDeleted=true").json();
  for (const Json& row : rows.as_array()) {
    EXPECT_EQ(row.at("deleted"), true);
    times.emplace(view(row.at("updatedAt").as_string()));
    versions.emplace(view(row.at("version").as_string()));
  }
  EXPECT_EQ(times.size(), 4U);
  EXPECT_EQ(versions.size(), 4U);
}

TEST_F(DeletesByFilter, TakeEveryRowHoweverManyThereAre) {
  fill(1100);
  post("/tables/items", R"({"id":"other","n":2})");
  EXPECT_EQ(del(filter("items", "n eq 1")).status, 204);
  EXPECT_EQ(ids("/tables/items"), "other");
}

TEST_F(DeletesByFilter, LookAgainAtARowThatChangedMeanwhile) {
  fill(6);
  std::vector<Task<Reply>> tasks;
  tasks.push_back(exchange(http::Method::patch, "/tables/items/r1001", v2(), R"({"n":2})"));
  tasks.push_back(exchange(http::Method::patch, "/tables/items/r1003", v2(), R"({"n":1})"));
  tasks.push_back(exchange(http::Method::delete_, filter("items", "n eq 1"), v2(), ""));
  const std::vector<Reply> replies = send_together(std::move(tasks));
  EXPECT_EQ(replies[0].status, 200);
  EXPECT_EQ(replies[1].status, 200);
  EXPECT_EQ(replies[2].status, 204);
  EXPECT_EQ(ids("/tables/items"), "r1001");
}

TEST_F(DeletesByFilter, TakeOnlyTheCallersRows) {
  tenant::Table& mine = add_table("Mine");
  mine.user_id_column = "userId";
  mine.soft_delete = true;
  publish();
  for (const char* user : {"Custom:ana", "Custom:ben"}) post("/tables/mine", R"({"n":1})", as(user));
  EXPECT_EQ(del(filter("mine", "n eq 1"), as("Custom:ana")).status, 204);
  EXPECT_EQ(get("/tables/mine", as("Custom:ana")).json().as_array().size(), 0U);
  EXPECT_EQ(get("/tables/mine", as("Custom:ben")).json().as_array().size(), 1U);
}

/// Pages of 10,000 bytes.
class Pages : public World {
 protected:
  Pages() : World(store::SqliteOptions{}, 10'000) {
    for (int i = 0; i < 12; ++i) post("/tables/items", R"({"id":"r)" + std::to_string(100 + i) + R"(","text":")" + std::string(3000, 'x') + "\"}");
  }
};

TEST_F(Pages, AreCutAtTheirLimitAndTheLinkLosesNothing) {
  std::string seen;
  int pages = 0;
  for (std::string next = "/tables/items?$top=1000&$inlinecount=allpages"; !next.empty() && pages < 20; ++pages) {
    const Reply page = get(next);
    ASSERT_EQ(page.status, 200);
    EXPECT_LT(page.body.size(), 11'000U);
    const JsonObject body = page.object();
    EXPECT_EQ(body.at("count"), 12);
    for (const Json& row : body.at("results").as_array()) seen += std::string(view(row.at("id").as_string())) + " ";
    const std::string link = page.header("Link");
    next = link.empty() ? "" : link.substr(std::string("http://app.example").size(), link.find(';') - std::string("http://app.example").size());
  }
  EXPECT_EQ(seen, "r100 r101 r102 r103 r104 r105 r106 r107 r108 r109 r110 r111 ");
  EXPECT_GE(pages, 4);
}

TEST_F(Pages, OfTextThatGrowsInJsonAreCutToo) {
  std::string controls;
  for (int i = 0; i < 1500; ++i) controls += "\\u0001";
  add_table("Odd");
  publish();
  for (int i = 0; i < 5; ++i) post("/tables/odd", R"({"text":")" + controls + "\"}");
  const Reply page = get("/tables/odd");
  EXPECT_EQ(page.json().as_array().size(), 1U);
  EXPECT_FALSE(page.header("Link").empty());
}

TEST_F(Pages, HoldASingleRowThatIsLargerThanTheyAre) {
  add_table("Big");
  publish();
  for (const char* id : {"a", "b"}) post("/tables/big", R"({"id":")" + std::string(id) + R"(","text":")" + std::string(20'000, 'x') + "\"}");
  const Reply first = get("/tables/big");
  EXPECT_EQ(first.json().as_array().size(), 1U);
  EXPECT_NE(first.header("Link").find("$skip=1&"), std::string::npos);
  EXPECT_EQ(ids("/tables/big?$skip=1&$top=50"), "b");
  EXPECT_EQ(get("/tables/big/a").status, 200);
  EXPECT_EQ(get("/tables/big?$top=1", v1()).status, 200);
}

TEST_F(Pages, AreRefusedInV1WhichCannotGoOn) {
  const Reply reply = get("/tables/items", v1());
  EXPECT_EQ(reply.status, 413);
  EXPECT_EQ(reply.object().at("code"), 413);
  EXPECT_EQ(get("/tables/items?$top=3", v1()).json().as_array().size(), 3U);
}

}  // namespace
}  // namespace mandate::tables::test
