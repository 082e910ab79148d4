// What a node remembers of a grant saves reads and changes no answer (TK-12, TK-10), on every engine.
#include "tests/oauth/token/two_nodes.h"

namespace mandate::oauth {
namespace {

struct RefreshMemory : TwoNodes {};

TEST_P(RefreshMemory, ARefreshIsOneRoundTripWhereTheTokenWasGivenAndTwoElsewhere) {
  std::string current = log_in();
  for (int i = 0; i < 3; ++i) {
    const double before = first->round_trips();
    const auto answer = first->token(refresh(current));
    ASSERT_EQ(answer.status, 200) << answer.body;
    current = successor(answer);
    EXPECT_EQ(first->asked(), 1);
    if (!url.empty()) EXPECT_EQ(first->round_trips() - before, 1);
  }
  for (const int trips : {2, 1, 1}) {
    const double before = second->round_trips();
    const auto answer = second->token(refresh(current));
    ASSERT_EQ(answer.status, 200) << answer.body;
    current = successor(answer);
    EXPECT_EQ(second->asked(), trips);
    if (!url.empty()) EXPECT_EQ(second->round_trips() - before, trips);
  }
  EXPECT_EQ(first->counter("mandate_oauth_refreshes_total{way=\"remembered\"}"), 3);
  EXPECT_EQ(second->counter("mandate_oauth_refreshes_total{way=\"carried\"}"), 1);
}

TEST_P(RefreshMemory, ATokenThatIsNotRotatedIsUsedInOneRoundTripToo) {
  const std::string token = log_in("todo");
  EXPECT_EQ(first->token(refresh(token, "todo")).status, 200);
  EXPECT_EQ(first->asked(), 1);
  for (const int trips : {2, 1}) {
    EXPECT_EQ(second->token(refresh(token, "todo")).status, 200);
    EXPECT_EQ(second->asked(), trips);
  }
}

TEST_P(RefreshMemory, RevokedOnAnotherNodeIsRefused) {
  const std::string token = log_in();
  EXPECT_EQ(second->post("/oauth/revoke", {{"client_id", "spa"}, {"token", token}}).status, 200);
  for (int i = 0; i < 2; ++i) {
    const auto answer = first->token(refresh(token));
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(text(body(answer), "error_description"), "Unknown or invalid refresh token.");
    EXPECT_EQ(last_reason(), "invalid_grant: unknown");
  }
}

TEST_P(RefreshMemory, RotatedOnAnotherNodeAndShownLaterIsReuseAndTheFamilyDies) {
  const std::string old = log_in();
  const std::string current = successor(second->token(refresh(old)));
  clock.advance(std::chrono::seconds(11));
  EXPECT_EQ(error(first->token(refresh(old))), "invalid_grant");
  EXPECT_EQ(last_reason(), "invalid_grant: reuse");
  EXPECT_EQ(error(second->token(refresh(current))), "invalid_grant");
}

TEST_P(RefreshMemory, ReuseIsReuseAlsoWhenItAsksForTooMuch) {
  const std::string old = log_in();
  const std::string current = successor(second->token(refresh(old)));
  clock.advance(std::chrono::seconds(11));
  Form more = refresh(old);
  more.emplace_back("scope", "openid everything");
  EXPECT_EQ(error(first->token(more)), "invalid_grant");
  EXPECT_EQ(error(second->token(refresh(current))), "invalid_grant");
}

TEST_P(RefreshMemory, TheSameRequestAtAnotherNodeWithinTheLeewayGetsTheSameSuccessor) {
  const std::string old = log_in();
  const std::string given = successor(second->token(refresh(old)));
  clock.advance(std::chrono::seconds(9));
  const auto again = first->token(refresh(old));
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(successor(again), given);
  const auto once_more = first->token(refresh(old));
  EXPECT_EQ(successor(once_more), given);
  EXPECT_EQ(first->token(refresh(given)).status, 200);
}

TEST_P(RefreshMemory, ExpiredIsExpired) {
  configure([](tenant::Tenant& t) { t.clients.at("spa").refresh_idle_seconds = 100; });
  const std::string token = log_in();
  clock.advance(std::chrono::seconds(101));
  for (Node* node : {first.get(), second.get()}) {
    EXPECT_EQ(error(node->token(refresh(token))), "invalid_grant");
    EXPECT_EQ(last_reason(), "invalid_grant: expired");
  }
  Form more = refresh(token);
  more.emplace_back("scope", "openid everything");
  EXPECT_EQ(error(first->token(more)), "invalid_grant");
}

TEST_P(RefreshMemory, AnotherClientsTokenIsUnknownAndStaysGood) {
  const std::string token = log_in();
  Form stolen = refresh(token, "other");
  stolen.emplace_back("client_secret", "other-secret");
  for (Node* node : {first.get(), second.get()}) {
    EXPECT_EQ(error(node->token(stolen)), "invalid_grant");
    EXPECT_EQ(last_reason(), "invalid_grant: another client's");
  }
  EXPECT_EQ(first->token(refresh(token)).status, 200);
}

TEST_P(RefreshMemory, ARestoredTenantsGrantsAreVoid) {
  const std::string token = log_in();
  configure([](tenant::Tenant& t) { ++t.epoch; });
  for (Node* node : {first.get(), second.get()}) {
    const auto answer = node->token(refresh(token));
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(text(body(answer), "error_description"), "The grant was revoked.");
  }
}

TEST_P(RefreshMemory, TwoNodesAtOnceGiveOneSuccessor) {
  std::string current = log_in();
  for (int round = 0; round < 20; ++round) {
    // One of the nodes remembers it, in turns; each gets it twice.
    std::vector<std::unique_ptr<Sent>> all;
    std::set<std::string> successors;
    int done = 0;
    for (int i = 0; i < 4; ++i) {
      all.push_back(prepare(http::Method::post, "/oauth/token", form(refresh(current))));
      Node& node = (i + round) % 2 ? *second : *first;
      spawn(node.router.answer(all.back()->request), [&](Result<http::Response> answer) {
        ++done;
        ASSERT_TRUE(answer.ok());
        if (answer->status == 200) successors.insert(successor(*answer));
        else EXPECT_EQ(error(*answer), "invalid_grant");
      });
    }
    loop.run_until([&] { return done == 4; });
    ASSERT_EQ(successors.size(), 1U);
    current = *successors.begin();
  }
  EXPECT_EQ(first->token(refresh(current)).status, 200);
}

TEST_P(RefreshMemory, TheIdTokenTellsOfTheSessionWhileItLives) {
  const std::string token = log_in();
  const auto during = body(first->token(refresh(token)));
  EXPECT_FALSE(text(claims(text(during, "id_token")), "sid").empty());
  EXPECT_TRUE(claims(text(during, "id_token")).contains("auth_time"));
  write(store::remove("sessions", store::equals("user_id", ana.user_id)));
  const auto afterwards = body(first->token(refresh(text(during, "refresh_token"))));
  EXPECT_TRUE(text(claims(text(afterwards, "id_token")), "sid").empty());
  // That it is over is remembered as well.
  first->asked();
  EXPECT_EQ(first->token(refresh(text(afterwards, "refresh_token"))).status, 200);
  EXPECT_EQ(first->asked(), 1);
}

TEST_P(RefreshMemory, ASessionThatWasNotSeenForTooLongIsNotToldOf) {
  configure([](tenant::Tenant& t) { t.idle_session_lifetime_seconds = 1000; });
  std::string current = log_in();
  clock.advance(std::chrono::seconds(1000));
  for (int i = 0; i < 2; ++i) {
    const auto answer = body(first->token(refresh(current)));
    EXPECT_TRUE(text(claims(text(answer, "id_token")), "sid").empty());
    current = text(answer, "refresh_token");
  }
  configure([](tenant::Tenant& t) { t.idle_session_lifetime_seconds = 2000; });
  EXPECT_FALSE(text(claims(text(body(first->token(refresh(current))), "id_token")), "sid").empty());
}

TEST_P(RefreshMemory, ALockedAccountGetsNothingAndLosesNothing) {
  const std::string token = log_in();
  const std::string subject = identity::account_subject(kDirectory, ana.user_id);
  const Millis until = users.lock_time() + 60'000;
  write(store::insert("lockouts", {{"subject", subject},
                                   {"failures", std::int64_t{10}},
                                   {"rounds", std::int64_t{1}},
                                   {"first_at", std::int64_t{0}},
                                   {"last_at", until},
                                   {"locked_until", until}}));
  for (Node* node : {first.get(), second.get()})
    EXPECT_EQ(text(body(node->token(refresh(token))), "error_description"), "user is blocked.");
  write(store::remove("lockouts", store::equals("subject", subject)));
  EXPECT_EQ(first->token(refresh(token)).status, 200);
}

TEST_P(RefreshMemory, ARowThatAnOlderNodeWroteCarriesNothingAndIsGood) {
  const std::string token = log_in();
  write(store::update("oauth_refresh_tokens", nullptr, {{"carried", std::monostate()}}));
  const auto answer = second->token(refresh(token));
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_FALSE(text(claims(text(body(answer), "id_token")), "sid").empty());
  EXPECT_EQ(second->counter("mandate_oauth_refreshes_total{way=\"read\"}"), 1);
  second->asked();
  EXPECT_EQ(second->token(refresh(successor(answer))).status, 200);
  EXPECT_EQ(second->asked(), 1);
}

TEST_P(RefreshMemory, WhatCouldNotBeWrittenIsNoUse) {
  const std::string token = log_in();
  first->counted->fail(1);
  EXPECT_EQ(first->token(refresh(token)).status, 503);
  EXPECT_EQ(first->token(refresh(token)).status, 200);
}

INSTANTIATE_TEST_SUITE_P(Engines, RefreshMemory, testing::Values("sqlite", "postgres"),
                         [](const testing::TestParamInfo<std::string>& engine) { return engine.param; });

}  // namespace
}  // namespace mandate::oauth
