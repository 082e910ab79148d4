#include "tables/conflicts.h"

#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

class Conflicts : public World {
 protected:
  void policy(const std::string& name, const std::string& newest_by = {}) {
    service.tables["items"].sync.conflicts = name;
    service.tables["items"].sync.newest_by = newest_by;
    publish();
  }
  /// A row that somebody else has changed since version `old` of it was read.
  void changed_row(std::string_view first = R"({"id":"a","text":"first","at":"2026-01-01T10:00:00Z"})",
                   std::string_view theirs = R"({"text":"theirs","at":"2026-01-02T10:00:00Z"})") {
    const Reply made = send(http::Method::post, "/tables/items", headers(), first);
    ASSERT_EQ(made.status, 201) << made.body;
    old = made.text("version");
    ASSERT_EQ(send(http::Method::patch, "/tables/items/a", headers(), theirs).status, 200);
  }
  Headers headers(std::string_view version = {}) const {
    Headers out{{"ZUMO-API-VERSION", "2.0.0"}, {"Content-Type", "application/json"}};
    if (!version.empty()) out.emplace_back("If-Match", "\"" + std::string(version) + "\"");
    return out;
  }
  Reply ours(std::string_view body) { return send(http::Method::patch, "/tables/items/a", headers(old), body); }
  std::string text() { return send(http::Method::get, "/tables/items/a", headers()).text("text"); }
  std::string old;
};

TEST_F(Conflicts, AreReportedWhereTheTableSaysNothing) {
  changed_row();
  const Reply reply = ours(R"({"text":"ours"})");
  EXPECT_EQ(reply.status, 412);
  EXPECT_EQ(reply.text("text"), "theirs");
  EXPECT_EQ(text(), "theirs");
}

TEST_F(Conflicts, ClientWins) {
  policy("client");
  changed_row();
  const Reply reply = ours(R"({"text":"ours"})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.text("text"), "ours");
  EXPECT_EQ(text(), "ours");
  EXPECT_LT(send(http::Method::delete_, "/tables/items/a", headers(old)).status, 300);
  EXPECT_EQ(send(http::Method::get, "/tables/items/a", headers()).status, 404);
}

TEST_F(Conflicts, ServerWinsAndTheClientGetsItsRow) {
  policy("server");
  changed_row();
  const Reply reply = ours(R"({"text":"ours"})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.text("text"), "theirs");
  EXPECT_NE(reply.text("version"), old);
  EXPECT_LT(send(http::Method::delete_, "/tables/items/a", headers(old)).status, 300);
  EXPECT_EQ(text(), "theirs") << "a delete loses as well";
  // With the version it was given the client may write.
  old = reply.text("version");
  EXPECT_EQ(ours(R"({"text":"now"})").text("text"), "now");
}

TEST_F(Conflicts, TheNewestWinsByTheColumnThatClientsWrite) {
  policy("newest", "At");
  changed_row();
  EXPECT_EQ(ours(R"({"text":"older","at":"2026-01-01T23:00:00Z"})").text("text"), "theirs");
  EXPECT_EQ(ours(R"({"text":"same","at":"2026-01-02T12:00:00+02:00"})").text("text"), "theirs");
  EXPECT_EQ(ours(R"({"text":"silent"})").text("text"), "theirs");
  EXPECT_EQ(ours(R"({"text":"newer","at":"2026-01-03T00:00:00Z"})").text("text"), "newer");
  EXPECT_EQ(text(), "newer");
}

TEST_F(Conflicts, NewestAlsoCountsNumbers) {
  policy("newest", "at");
  changed_row(R"({"id":"a","text":"first","at":9})", R"({"text":"theirs","at":10})");
  EXPECT_EQ(ours(R"({"text":"older","at":9})").text("text"), "theirs");
  EXPECT_EQ(ours(R"({"text":"newer","at":11})").text("text"), "newer");
}

TEST_F(Conflicts, ARowThatIsGoneIsNoConflict) {
  policy("client");
  changed_row();
  ASSERT_LT(send(http::Method::delete_, "/tables/items/a", headers()).status, 300);
  EXPECT_EQ(ours(R"({"text":"ours"})").status, 404);
}

TEST_F(Conflicts, TheSameHoldsForV4) {
  policy("client");
  changed_row();
  const Headers v4{{"Content-Type", "application/json"}, {"If-Match", "\"" + old + "\""}};
  const Reply reply = send(http::Method::put, "/v4/tables/items/a", v4, R"({"id":"a","text":"ours","at":"2026-01-01T10:00:00Z"})");
  EXPECT_EQ(reply.status, 200) << reply.body;
  policy("server");
  const Reply kept = send(http::Method::put, "/v4/tables/items/a", v4, R"({"id":"a","text":"again","at":"2026-01-01T10:00:00Z"})");
  EXPECT_EQ(kept.status, 200) << kept.body;
  EXPECT_EQ(kept.text("text"), "ours");
}

}  // namespace
}  // namespace mandate::tables::test
