// $skiptoken is sealed, and good for the caller and the query it was made for (security DA-9).
#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

class PageTokens : public World {
 protected:
  void SetUp() override {
    for (std::string id : {"a", "b", "c"}) post("/tables/items", R"({"id":")" + id + R"(","n":1})");
  }
  /// The query of the link after a page of one row: "$filter=…&$skip=1&$top=1&$skiptoken=…".
  std::string next_of(const std::string& query, const Headers& headers) {
    const std::string link = get("/tables/items?" + query, headers).header("Link");
    const std::size_t from = link.find('?');
    EXPECT_NE(from, std::string::npos) << query << " has no next page";
    return link.substr(from + 1, link.rfind("; rel=next") - from - 1);
  }
  int status(const std::string& query, const Headers& headers) { return get("/tables/items?" + query, headers).status; }
  Headers user(std::string_view id) { return v2({{"X-ZUMO-AUTH", token_of(id)}}); }
};

TEST_F(PageTokens, AreRefusedWithAnyOneCharacterChanged) {
  const std::string next = next_of("$top=1", v2());
  const std::size_t token = next.find("$skiptoken=") + 11;
  ASSERT_EQ(status(next, v2()), 200);
  for (std::size_t i = token; i < next.size(); ++i) {
    std::string forged = next;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(status(forged, v2()), 400) << "character " << i - token;
  }
  EXPECT_EQ(status(next.substr(0, next.size() - 4), v2()), 400);
  EXPECT_EQ(status("$skiptoken=", v2()), 200) << "an empty one says nothing";
  EXPECT_EQ(status("$skiptoken=" + std::string(5000, 'A'), v2()), 400);
}

TEST_F(PageTokens, OfOneUserAreNothingToAnother) {
  const std::string next = next_of("$top=1", user("Facebook:1"));
  EXPECT_EQ(status(next, user("Facebook:1")), 200);
  EXPECT_EQ(status(next, user("Facebook:2")), 400);
  EXPECT_EQ(status(next, v2()), 400);
  EXPECT_EQ(status(next, v2({{"X-ZUMO-MASTER", std::string(kMasterKey)}})), 400);
}

TEST_F(PageTokens, AreGoodForTheRowsAndTheOrderTheyWereMadeFor) {
  const std::string next = next_of("$top=1&$filter=n%20eq%201&$orderby=updatedAt", v2());
  const std::string token = next.substr(next.find("$skiptoken="));
  EXPECT_EQ(ids("/tables/items?" + next), "b");
  EXPECT_EQ(ids("/tables/items?$filter=n%20eq%201&$orderby=updatedAt&$select=id&$top=2&" + token), "b c") << "what is shown of a row may change";
  EXPECT_EQ(status("$filter=n%20eq%202&$orderby=updatedAt&" + token, v2()), 400);
  EXPECT_EQ(status("$filter=n%20eq%201&$orderby=updatedAt%20desc&" + token, v2()), 400);
  EXPECT_EQ(status("$orderby=updatedAt&" + token, v2()), 400);
  EXPECT_EQ(status("$filter=n%20eq%201&$orderby=updatedAt&__includeDeleted=true&" + token, v2()), 400);
  add_table("Others");
  publish();
  EXPECT_EQ(get("/tables/others?$filter=n%20eq%201&$orderby=updatedAt&" + token, v2()).status, 400);
}

TEST_F(PageTokens, LastADay) {
  const std::string next = next_of("$top=1", v2());
  store.clock().advance(std::chrono::hours(24));
  EXPECT_EQ(status(next, v2()), 200);
  store.clock().advance(std::chrono::milliseconds(1));
  const Reply late = get("/tables/items?" + next, v2());
  EXPECT_EQ(late.status, 400);
  EXPECT_NE(late.body.find("too old"), std::string::npos) << late.body;
}

}  // namespace
}  // namespace mandate::tables::test
