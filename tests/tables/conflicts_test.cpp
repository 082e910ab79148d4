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

// The policy is about the version that the client changed; what else the client asks for is not the table's to settle.
TEST_F(Conflicts, IfNoneMatchIsRefusedWhoeverWinsOverIfMatch) {
  for (const std::string_view winner : {"client", "server", "newest"}) {
    policy(std::string(winner), winner == "newest" ? "at" : "");
    service.tables["items"].soft_delete = false;
    publish();
    send(http::Method::delete_, "/tables/items/a", headers());
    changed_row();
    const std::string now = send(http::Method::get, "/tables/items/a", headers()).text("version");
    const auto put = [&](std::string_view match, const Headers& more, http::Method method = http::Method::put) {
      Headers all = more;
      all.emplace_back("If-Match", "\"" + std::string(match) + "\"");
      return send(method, "/v4/tables/items/a", all, method == http::Method::put ? R"({"id":"a","text":"ours","at":"2026-01-03T00:00:00Z"})" : "");
    };
    for (const std::string& named : {"\"" + now + "\"", std::string("*"), "\"AAAAAAAAAAA=\", \"" + now + "\""})
      for (const http::Method method : {http::Method::put, http::Method::delete_}) {
        const Reply stale = put(old, {{"If-None-Match", named}}, method);
        EXPECT_EQ(stale.status, 412) << winner << " " << named;
        EXPECT_EQ(stale.text("text"), "theirs");
        EXPECT_EQ(put(now, {{"If-None-Match", named}}, method).status, 412) << "If-Match holds, and that is all it does";
      }
    EXPECT_EQ(text(), "theirs");
    const Reply settled = put(old, {{"If-None-Match", "\"" + old + "\""}});
    EXPECT_EQ(settled.status, 200) << winner << ": a tag that the row does not have is no reason";
    EXPECT_EQ(settled.text("text"), winner == "server" ? "theirs" : "ours");
  }
}

/// JSON Patch, which only V3 has.
class PatchConflicts : public Conflicts {
 protected:
  static Headers patching(std::string_view version = {}) {
    Headers out{{"Content-Type", "application/json-patch+json"}};
    if (!version.empty()) out.emplace_back("If-Match", "\"" + std::string(version) + "\"");
    return out;
  }
  Reply ours(std::string_view patch) { return send(http::Method::patch, "/v3/tables/items/a", patching(old), patch); }
};

TEST_F(PatchConflicts, OfAJsonPatchTheRowAsItIsPatchedCompetes) {
  policy("client");
  changed_row();
  const Reply won = ours(R"([{"op":"replace","path":"/text","value":"ours"}])");
  EXPECT_EQ(won.status, 200) << won.body;
  EXPECT_EQ(won.text("text"), "ours");
  EXPECT_EQ(won.text("at"), "2026-01-02T10:00:00.000Z") << "what the patch does not speak of";
  EXPECT_EQ(text(), "ours");
  EXPECT_EQ(ours(R"([{"op":"test","path":"/text","value":"first"},{"op":"remove","path":"/text"}])").status, 409);
  EXPECT_EQ(ours(R"([{"op":"replace","path":"/n/o/where","value":1}])").status, 400);
  EXPECT_EQ(text(), "ours");

  policy("server");
  const Reply kept = ours(R"([{"op":"replace","path":"/text","value":"again"}])");
  EXPECT_EQ(kept.status, 200);
  EXPECT_EQ(kept.text("text"), "ours");
}

TEST_F(PatchConflicts, TheNewestWins) {
  policy("newest", "at");
  changed_row();
  const auto patch = [](std::string_view text, std::string_view at) {
    return R"([{"op":"replace","path":"/text","value":")" + std::string(text) + R"("},{"op":"replace","path":"/at","value":")" + std::string(at) + R"("}])";
  };
  EXPECT_EQ(ours(patch("older", "2026-01-01T23:00:00Z")).text("text"), "theirs");
  EXPECT_EQ(ours(R"([{"op":"replace","path":"/text","value":"silent"}])").text("text"), "theirs");
  EXPECT_EQ(ours(patch("newer", "2026-01-03T00:00:00Z")).text("text"), "newer");
  EXPECT_EQ(text(), "newer");
}

TEST_F(PatchConflicts, APatchWithoutAVersionIsDoneAnewWhateverThePolicy) {
  for (const char* name : {"server", "client", "newest", "script"}) {
    policy(name, "at");
    const std::string row = "/v3/tables/items/" + std::string(name);
    send(http::Method::post, "/v3/tables/items", headers(), R"({"id":")" + std::string(name) + R"(","n":0,"text":"x"})");
    std::vector<Task<Reply>> many;
    for (const char* patch : {R"([{"op":"replace","path":"/n","value":1}])", R"([{"op":"replace","path":"/text","value":"y"}])"})
      many.push_back(exchange(http::Method::patch, row, patching(), patch));
    for (const Reply& reply : send_together(std::move(many))) EXPECT_EQ(reply.status, 200) << name << reply.body;
    EXPECT_EQ(get(row, {}).object().at("n"), 1) << name;
    EXPECT_EQ(get(row, {}).text("text"), "y") << name;
  }
}

TEST_F(PatchConflicts, OfManyPatchesOfOldVersionsNoneIsLostWhereTheClientWins) {
  policy("client");
  changed_row(R"({"id":"a","text":"first","n0":0,"n1":0,"n2":0})", R"({"text":"theirs"})");
  std::vector<Task<Reply>> many;
  for (int i = 0; i < 3; ++i)
    many.push_back(exchange(http::Method::patch, "/v3/tables/items/a", patching(old), R"([{"op":"replace","path":"/n)" + std::to_string(i) + R"(","value":1}])"));
  const std::vector<Reply> replies = send_together(std::move(many));
  const JsonObject row = get("/v3/tables/items/a", {}).object();
  for (std::size_t i = 0; i < replies.size(); ++i) {
    EXPECT_TRUE(replies[i].status == 200 || replies[i].status == 412) << replies[i].body;
    EXPECT_EQ(row.at("n" + std::to_string(i)), replies[i].status == 200 ? 1 : 0);
  }
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
