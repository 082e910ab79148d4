// RL-20 on PostgreSQL: what one node does, the other knows in time, also when every notification is lost; what may be
// done once is done once; what is counted is counted together.
#include "identity/lockout.h"
#include "oauth/revocations.h"
#include "store/single_use.h"
#include "tests/fault/nodes.h"

namespace mandate::nodes {
namespace {

class PostgresNodes : public TwoNodes {
 protected:
  /// A third node without doors: its store and the rooms' own words.
  struct Backroom {
    explicit Backroom(const std::string& url) {
      store::PostgresOptions options;
      options.url = url;
      options.clock = &clock;
      options.random = &random;
      auto opened = store::open_postgres(options, log, metrics);
      if (!opened.ok()) throw std::runtime_error(opened.error().hint);
      cluster = *std::move(opened);
      demo = cluster->tenant("demo");
    }
    ManualClock clock;
    SystemRandom random;
    Log log{clock, Level::error, [](std::string_view) {}};
    Metrics metrics;
    std::unique_ptr<store::PostgresCluster> cluster;
    std::unique_ptr<store::Store> demo;
  };
  static Form worker(std::string id, std::string secret) {
    return {{"grant_type", "client_credentials"}, {"client_id", std::move(id)}, {"client_secret", std::move(secret)}, {"audience", "https://orders.example"}};
  }
  /// Both are asked before either has answered.
  std::pair<http::Response, http::Response> at_once(const std::string& path, const Form& fields) {
    const auto to_a = Node::asked(http::Method::post, path, fields), to_b = Node::asked(http::Method::post, path, fields);
    std::optional<Result<http::Response>> one, other;
    spawn(a->house->routes()->answer(to_a->request), [&](Result<http::Response> r) { one.emplace(std::move(r)); });
    spawn(b->house->routes()->answer(to_b->request), [&](Result<http::Response> r) { other.emplace(std::move(r)); });
    loop.run_until([&] { return one && other; });
    return {std::move(**one), std::move(**other)};
  }
  std::string user_id(const std::string& access_token) { return Node::member(a->get("/userinfo", access_token), "user_id"); }
};

TEST_P(PostgresNodes, AClientMadeOnOneNodeMaySignInOnTheOtherWithinTwoSeconds) {
  std::string text = with_client(file(), "newcomer: {app_type: non_interactive, token_endpoint_auth_method: client_secret_post,"
                                         " client_secret: newcomer-secret-newcomer-secret-newcomer, grant_types: [client_credentials]}");
  const std::string grants = "client_grants:\n";
  text.insert(text.find(grants) + grants.size(), "  - {client_id: newcomer, audience: \"https://orders.example\", scope: [\"orders:read\"]}\n");
  const Form form = worker("newcomer", "newcomer-secret-newcomer-secret-newcomer");
  EXPECT_NE(b->post("/oauth/token", form).status, 200);
  const http::Response applied = a->apply(text);
  ASSERT_EQ(applied.status, 200) << applied.body;
  until(2s, [&] { return b->post("/oauth/token", form).status == 200; });
}

TEST_P(PostgresNodes, ATenantMadeOnOneNodeAnswersOnTheOtherWithinTwoSeconds) {
  const std::string path = "/.well-known/openid-configuration";
  EXPECT_EQ(b->get(path, {}, "second.example").status, 421);
  ASSERT_EQ(a->apply("tenant: second\nsettings:\n  hosts: [second.example]\n").status, 200);
  until(2s, [&] { return b->get(path, {}, "second.example").status == 200; });
  EXPECT_EQ(Node::member(b->get(path, {}, "second.example"), "issuer"), "https://second.example/");
  EXPECT_EQ(a->get("/.well-known/jwks.json", {}, "second.example").body, b->get("/.well-known/jwks.json", {}, "second.example").body);
}

TEST_P(PostgresNodes, ATenantMadeOnBothAtOnceIsOneTenant) {
  std::optional<Result<http::Response>> answers[2];
  http::Request requests[2];
  const std::string text = "tenant: both\nsettings:\n  hosts: [both.example]\n";
  for (int i = 0; i < 2; ++i) {
    requests[i].method = http::Method::post;
    requests[i].target = requests[i].path = "/admin/apply";
    requests[i].host = "localhost";
    requests[i].local_admin = true;
    requests[i].body = text;
    requests[i].headers.add("Content-Type", "application/yaml");
    spawn((i ? b : a)->house->owner_routes()->answer(requests[i]), [&, i](Result<http::Response> r) { answers[i].emplace(std::move(r)); });
  }
  loop.run_until([&] { return answers[0] && answers[1]; });
  for (const auto& answer : answers) EXPECT_TRUE((*answer)->status == 200 || (*answer)->status == 409) << (*answer)->body;
  until(2s, [&] {
    const http::Response one = a->get("/.well-known/jwks.json", {}, "both.example"), other = b->get("/.well-known/jwks.json", {}, "both.example");
    return one.status == 200 && one.body == other.body;
  });
}

TEST_P(PostgresNodes, ABlockedPersonIsRefusedOnEveryNodeWithinASecond) {
  const std::string token = Node::member(a->post("/oauth/ro", login()), "access_token");
  for (Node* node : {a.get(), b.get()})
    for (int twice = 0; twice < 2; ++twice) EXPECT_EQ(node->get("/userinfo", token).status, 200) << "and is remembered now";
  Backroom elsewhere(database);
  const identity::Users users(elsewhere.clock, elsewhere.random);
  const std::string id = user_id(token);
  ASSERT_TRUE(test::run(loop, users.set_blocked({nullptr, elsewhere.demo.get()}, id, true)).ok());
  until(1s, [&] { return a->get("/userinfo", token).status == 401 && b->get("/userinfo", token).status == 401; });
}

TEST_P(PostgresNodes, ATokenRevokedOnOneNodeIsRefusedOnTheOtherWithinASecond) {
  const http::Response got = a->post("/oauth/token", {{"grant_type", "http://auth0.com/oauth/grant-type/password-realm"}, {"realm", "Username-Password-Authentication"},
                                                      {"client_id", "reader"}, {"username", "ana@example.org"},
                                                      {"password", "correct horse battery staple"}, {"audience", "https://demo.example"}});
  const std::string token = Node::member(got, "access_token");
  ASSERT_FALSE(token.empty()) << got.body;
  for (int twice = 0; twice < 2; ++twice) EXPECT_EQ(b->get("/tables/anyone", token).status, 200);
  ASSERT_EQ(a->post("/oauth/revoke", {{"client_id", "reader"}, {"token", token}}).status, 200);
  until(1s, [&] { return b->get("/tables/anyone", token).status == 401; });
}

TEST_P(PostgresNodes, ANewSigningKeyIsKnownBeforeItSignsAndAStolenOneIsOutWithinASecond) {
  const Form form = worker("worker", "worker-secret-worker-secret-worker-secret");
  const auto introspected = [&](Node& node, const std::string& token) {
    return node.post("/oauth/introspect", {{"client_id", "worker"}, {"client_secret", "worker-secret-worker-secret-worker-secret"}, {"token", token}}).body;
  };
  const std::string before = Node::member(a->post("/oauth/token", form), "access_token");
  ASSERT_NE(introspected(*b, before).find("\"active\":true"), std::string::npos);
  ASSERT_EQ(a->own("/admin/keys/rotate", "{}", "application/json").status, 200);
  const std::string after = Node::member(a->post("/oauth/token", form), "access_token");
  // At once: the other node has known the key since it was the next one.
  EXPECT_NE(introspected(*b, after).find("\"active\":true"), std::string::npos);
  EXPECT_NE(introspected(*b, before).find("\"active\":true"), std::string::npos);
  until(1s, [&] { return a->get("/.well-known/jwks.json").body == b->get("/.well-known/jwks.json").body; });
  ASSERT_EQ(a->own("/admin/keys/rotate", R"({"revoke":true})", "application/json").status, 200);
  until(1s, [&] { return introspected(*b, after).find("\"active\":false") != std::string::npos; });
}

TEST_P(PostgresNodes, OfTwoNodesThatTakeAThingAtOnceOneGetsIt) {
  Backroom one(database), other(database);
  for (int round = 0; round < 40; ++round) {
    const std::string handle = "code " + std::to_string(round);
    ASSERT_TRUE(test::run(loop, store::put(*one.demo, "code", {handle, {}, one.clock.now_ms() + 60'000})).ok());
    int taken = 0, refused = 0;
    for (int i = 0; i < 4; ++i)
      spawn(store::take(i % 2 ? *one.demo : *other.demo, "code", handle, "", one.clock.now_ms(), Code::invalid_grant), [&](Result<JsonObject> got) {
        if (!got.ok()) EXPECT_EQ(got.error().code, Code::invalid_grant) << got.error().detail;
        ++(got.ok() ? taken : refused);
      });
    loop.run_until([&] { return taken + refused == 4; });
    EXPECT_EQ(taken, 1) << round;
  }
}

TEST_P(PostgresNodes, ARefreshTokenOfOneNodeIsRotatedOnTheOther) {
  const http::Response got = a->post("/oauth/token", {{"grant_type", "http://auth0.com/oauth/grant-type/password-realm"}, {"realm", "Username-Password-Authentication"},
                                                      {"client_id", "rotating"}, {"username", "ana@example.org"},
                                                      {"password", "correct horse battery staple"}, {"scope", "openid offline_access"}});
  const std::string first = Node::member(got, "refresh_token");
  ASSERT_FALSE(first.empty()) << got.body;
  // Both at once: the same request within the leeway gets the same successor, or one of them is told to try again.
  const auto [one, other] = at_once("/oauth/token", refresh("rotating", first));
  const std::string second = Node::member(one.status == 200 ? one : other, "refresh_token");
  ASSERT_FALSE(second.empty()) << one.body << other.body;
  if (one.status == 200 && other.status == 200) EXPECT_EQ(Node::member(one, "refresh_token"), Node::member(other, "refresh_token"));
  const http::Response next = b->post("/oauth/token", refresh("rotating", second));
  ASSERT_EQ(next.status, 200) << next.body;
  const std::string third = Node::member(next, "refresh_token");
  // The first again, after its leeway: somebody has a copy, and the whole family ends, everywhere at once.
  for (Node* node : {a.get(), b.get()}) node->clock.advance(60s);
  EXPECT_EQ(Node::member(a->post("/oauth/token", refresh("rotating", first)), "error"), "invalid_grant");
  EXPECT_EQ(Node::member(b->post("/oauth/token", refresh("rotating", third)), "error"), "invalid_grant");
}

TEST_P(PostgresNodes, AColumnMadeOnOneNodeIsThereOnTheOther) {
  ASSERT_EQ(a->post_json("/tables/anyone", R"({"id":"1","text":"first"})").status, 201);
  const auto known = [](Node& node) { return node.get("/tables/anyone?$filter=fresh%20eq%20'new'"); };
  ASSERT_EQ(b->get("/tables/anyone").status, 200) << "the shape is remembered now";
  ASSERT_EQ(a->post_json("/tables/anyone", R"({"id":"2","fresh":"new"})").status, 201);
  // What is not known is looked up when it is written; what is asked for may be a second late.
  EXPECT_EQ(b->post_json("/tables/anyone", R"({"id":"3","fresh":"new"})").status, 201);
  until(1s, [&] {
    const http::Response found = known(*b);
    return found.status == 200 && found.body.find("\"2\"") != std::string::npos && found.body.find("\"3\"") != std::string::npos;
  });
}

TEST_P(PostgresNodes, WrongPasswordsOnAllNodesCloseOneLock) {
  constexpr int kMost = static_cast<int>(identity::kAccountRule.most_failures);
  for (int i = 0; i < kMost; ++i) EXPECT_EQ((i % 2 ? a : b)->post("/oauth/ro", login("wrong")).status, 401) << i;
  for (Node* node : {a.get(), b.get()}) {
    const http::Response refused = node->post("/oauth/ro", login());
    EXPECT_EQ(Node::member(refused, "error"), "too_many_attempts") << refused.status << refused.body;
  }
}

TEST_P(PostgresNodes, NoFailureIsLostWhenNodesCountAtOnce) {
  Backroom one(database), other(database);
  const identity::LockoutRule rule{.most_failures = 1000};
  const Millis now = one.clock.now_ms();
  int counted = 0, refused = 0;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 6; ++i)
      spawn(identity::count_failure(i % 2 ? *one.demo : *other.demo, "somebody", rule, now, {}, {}), [&](Result<bool> done) {
        if (!done.ok()) EXPECT_EQ(done.error().code, Code::overloaded) << done.error().detail;
        ++(done.ok() ? counted : refused);
      });
    loop.run_until([&] { return counted + refused == 6 * (round + 1); });
  }
  store::Plan plan;
  plan.table = "lockouts";
  plan.where = store::equals("subject", "somebody");
  const auto row = test::run(loop, one.demo->get(plan));
  ASSERT_TRUE(row.ok() && *row);
  EXPECT_EQ((*row)->integer("failures"), counted);
  EXPECT_EQ(refused, 0);
}

INSTANTIATE_TEST_SUITE_P(Notifications, PostgresNodes, testing::Bool(),
                         [](const testing::TestParamInfo<bool>& arrive) { return arrive.param ? "arrive" : "are_lost"; });

/// The house's own work runs on these.
class PostgresNodesAtWork : public TwoNodes {
 protected:
  PostgresNodesAtWork() : TwoNodes({.url = {}, .notifications = true, .ro_per_minute = 20, .delegations_per_minute = 10}) {
    for (Node* node : {a.get(), b.get()}) node->house->start_upkeep(loop);
  }
};

TEST_P(PostgresNodesAtWork, ALimitUsedUpOnOneNodeIsUsedUpOnTheOtherWithinASecond) {
  // Both have begun to listen: the gauge tells that a round is behind them.
  loop.run_until([&] { return a->metric("mandate_upkeep_leads") + b->metric("mandate_upkeep_leads") == 1; });
  const Form nobody{{"client_id", "todo"}};
  for (int i = 0; i < 20; ++i) EXPECT_EQ(a->post("/oauth/ro", nobody).status, 400) << i;
  EXPECT_EQ(a->post("/oauth/ro", nobody).status, 429);
  until(1s, [&] { return b->post("/oauth/ro", nobody).status == 429; });
}

TEST_P(PostgresNodesAtWork, OneNodeDoesTheUpkeepAndAnotherTakesOverWhenItIsGone) {
  loop.run_until([&] { return a->metric("mandate_upkeep_leads") + b->metric("mandate_upkeep_leads") == 1; });
  const bool first = a->metric("mandate_upkeep_leads") == 1;
  Node &leader = first ? *a : *b, &follower = first ? *b : *a;
  const auto moment = [&] { (void)test::run(loop, sleep_for(2500ms)); };
  moment();
  EXPECT_EQ(follower.metric("mandate_upkeep_leads"), 0);
  leader.stop();
  follower.clock.advance(12s);
  moment();
  EXPECT_EQ(follower.metric("mandate_upkeep_leads"), 0) << "before the lease and a quarter are over";
  follower.clock.advance(1s);
  loop.run_until([&] { return follower.metric("mandate_upkeep_leads") == 1; });
}

INSTANTIATE_TEST_SUITE_P(Notifications, PostgresNodesAtWork, testing::Bool(),
                         [](const testing::TestParamInfo<bool>& arrive) { return arrive.param ? "arrive" : "are_lost"; });

}  // namespace
}  // namespace mandate::nodes
