// People and identities: AC-1, AC-2, AC-12.
#include "tests/identity/identity_test_base.h"

namespace mandate::identity {
namespace {

struct UsersTest : IdentityTest {
  Profile github_profile(std::string id, std::string email, bool verified) {
    Profile profile;
    profile.connection = profile.strategy = "github";
    profile.upstream_id = id;
    profile.upstream_id_value = std::stoll(id);
    profile.email = std::move(email);
    profile.email_verified = verified;
    return profile;
  }
  User arrives(Profile profile) {
    auto user = run(loop, users.upsert_from_profile(here(), std::move(profile)));
    EXPECT_TRUE(user.ok()) << user.error().detail;
    return *user;
  }
};

TEST_F(UsersTest, ADatabaseUserIsFoundByEverySpellingOfItsNames) {
  User fields;
  fields.email = "Ann@Example.org";
  fields.username = "Annie";
  const auto made = run(loop, users.create(here(), std::string(kDirectory), fields));
  ASSERT_TRUE(made.ok());
  EXPECT_TRUE(made->user_id.starts_with("auth0|"));
  EXPECT_EQ(made->user_id.size(), 30U);
  for (const std::string name : {"ann@example.org", "ANN@EXAMPLE.ORG", "annie", "ANNIE"}) {
    const auto found = run(loop, users.find_by_login(here(), std::string(kDirectory), name));
    ASSERT_TRUE(found.ok() && *found) << name;
    EXPECT_EQ((*found)->user_id, made->user_id);
    EXPECT_EQ((*found)->email, "Ann@Example.org") << "mail goes to the stored spelling";
  }
  EXPECT_EQ(to_json((*run(loop, users.find(here(), made->user_id)))->identities), to_json(made->identities));
}

TEST_F(UsersTest, TheSameAddressTwiceIsRefusedInAnySpellingAndAsAUserName) {
  User first;
  first.email = "ann@example.org";
  ASSERT_TRUE(run(loop, users.create(here(), std::string(kDirectory), first)).ok());
  User second;
  second.email = "ANN@example.org";
  EXPECT_EQ(run(loop, users.create(here(), std::string(kDirectory), second)).error().code, Code::user_exists);
  second.email = "bob@example.org";
  second.username = "Ann@example.org";
  EXPECT_EQ(run(loop, users.create(here(), std::string(kDirectory), second)).error().code, Code::user_exists);
  EXPECT_EQ(count("users"), 1U) << "a refused sign-up leaves nothing";
  EXPECT_EQ(count("identities"), 1U);
}

TEST_F(UsersTest, AGitHubPersonIsOneUserHoweverOftenTheyCome) {
  const User first = arrives(github_profile("123", "ann@example.org", true));
  EXPECT_EQ(first.user_id, "github|123");
  EXPECT_EQ(to_json(first.identities), R"([{"user_id":123,"provider":"github","connection":"github","isSocial":true}])");
  clock.advance(std::chrono::hours(1));
  const User again = arrives(github_profile("123", "ann@new.example", true));
  EXPECT_EQ(again.user_id, first.user_id);
  EXPECT_EQ(again.email, "ann@new.example");
  EXPECT_GT(again.updated_at, first.updated_at);
  EXPECT_EQ(count("users"), 1U);
}

TEST_F(UsersTest, ARefreshDoesNotUndoABlock) {
  const User user = arrives(github_profile("123", "ann@example.org", true));
  ASSERT_TRUE(run(loop, users.set_blocked(here(), user.user_id, true)).ok());
  const User again = arrives(github_profile("123", "ann@example.org", true));
  EXPECT_TRUE(again.blocked);
  EXPECT_EQ(again.epoch, 1);
}

// AC-1, in both orders and for every mix of verified and not.
TEST_F(UsersTest, AnEqualAddressNeverLinksOnItsOwn) {
  int id = 1;
  for (const bool local_verified : {false, true})
    for (const bool upstream_verified : {false, true})
      for (const bool local_first : {false, true}) {
        const std::string email = "p" + std::to_string(++id) + "@example.org";
        User local;
        local.email = email;
        local.email_verified = local_verified;
        std::string local_id, upstream_id;
        if (local_first) local_id = run(loop, users.create(here(), std::string(kDirectory), local))->user_id;
        upstream_id = arrives(github_profile(std::to_string(id), email, upstream_verified)).user_id;
        if (!local_first) local_id = run(loop, users.create(here(), std::string(kDirectory), local))->user_id;
        EXPECT_NE(local_id, upstream_id);
        EXPECT_EQ((*run(loop, users.find(here(), local_id)))->identities.size(), 1U);
        EXPECT_EQ((*run(loop, users.find(here(), upstream_id)))->identities.size(), 1U);
      }
}

// AC-2: who registered the victim's address beforehand holds an account of his own and nothing of the victim's.
TEST_F(UsersTest, APreRegisteredAddressGivesTheAttackerNoHold) {
  const auto attacker = sign_up("victim@example.org", "attackers own password");
  ASSERT_TRUE(attacker.ok());
  EXPECT_FALSE(attacker->email_verified);
  const User victim = arrives(github_profile("77", "victim@example.org", true));
  const auto comes_in = log_in("victim@example.org", "attackers own password");
  ASSERT_TRUE(comes_in.ok());
  EXPECT_NE(comes_in->user_id, victim.user_id);
  EXPECT_TRUE((*run(loop, users.find(here(), victim.user_id)))->password_hash.empty());
}

// AC-12.
TEST_F(UsersTest, WhoComesBackAfterRemovalIsSomebodyNew) {
  const User first = arrives(github_profile("123", "ann@example.org", true));
  ASSERT_TRUE(run(loop, users.remove(here(), first.user_id)).ok());
  EXPECT_FALSE(*run(loop, users.find(here(), first.user_id)));
  const User second = arrives(github_profile("123", "ann@example.org", true));
  EXPECT_NE(second.user_id, first.user_id);
  ASSERT_TRUE(run(loop, users.remove(here(), second.user_id)).ok());
  const User third = arrives(github_profile("123", "ann@example.org", true));
  EXPECT_NE(third.user_id, first.user_id);
  EXPECT_NE(third.user_id, second.user_id);

  const auto local = sign_up("bob@example.org");
  ASSERT_TRUE(local.ok());
  ASSERT_TRUE(run(loop, users.remove(here(), local->user_id)).ok());
  const auto local_again = sign_up("bob@example.org");
  ASSERT_TRUE(local_again.ok());
  EXPECT_NE(local_again->user_id, local->user_id);
}

TEST_F(UsersTest, TwoConnectionsOfOneKindAreTwoSetsOfPeople) {
  Profile other = github_profile("123", "eve@example.org", true);
  other.connection = "github-corp";
  EXPECT_EQ(arrives(github_profile("123", "ann@example.org", true)).user_id, "github|123");
  EXPECT_EQ(arrives(other).user_id, "github|github-corp|123");
  Profile tricky = other;
  tricky.connection = "oauth2-x";
  tricky.strategy = "oauth2";
  tricky.upstream_id = "a|b";
  EXPECT_EQ(arrives(tricky).user_id, "oauth2|oauth2-x|a%7Cb");
}

TEST_F(UsersTest, ABlockAndANewPasswordRaiseTheEpochAnUnblockDoesNot) {
  const auto user = sign_up("ann@example.org");
  ASSERT_TRUE(user.ok());
  const auto epoch = [&] { return (*run(loop, users.find(here(), user->user_id)))->epoch; };
  EXPECT_EQ(epoch(), 0);
  ASSERT_TRUE(run(loop, users.set_blocked(here(), user->user_id, true)).ok());
  EXPECT_EQ(epoch(), 1);
  ASSERT_TRUE(run(loop, users.set_blocked(here(), user->user_id, false)).ok());
  EXPECT_EQ(epoch(), 1);
  ASSERT_TRUE(run(loop, users.set_password_hash(here(), user->user_id, "x", false)).ok());
  EXPECT_EQ(epoch(), 2);
  EXPECT_EQ(run(loop, users.set_blocked(here(), "auth0|nobody", true)).error().code, Code::not_found);
}

TEST_F(UsersTest, LoginsAreCounted) {
  const auto user = sign_up("ann@example.org");
  ASSERT_TRUE(run(loop, users.note_login(here(), user->user_id)).ok());
  ASSERT_TRUE(run(loop, users.note_login(here(), user->user_id)).ok());
  const auto found = *run(loop, users.find(here(), user->user_id));
  EXPECT_EQ(found->logins_count, 2);
  EXPECT_EQ(found->last_login, clock.now_ms());
}

TEST_F(UsersTest, APersonWhoWasFoundBeforeIsFoundAsEachCommitLeftThem) {
  User fields;
  fields.email = "ann@example.org";
  const User made = *run(loop, users.create(here(), std::string(kDirectory), fields));
  const auto found = [&] { return *run(loop, users.find(here(), made.user_id)); };
  EXPECT_EQ(found()->epoch, 0);
  EXPECT_EQ(found()->epoch, 0) << "remembered";
  ASSERT_TRUE(run(loop, users.raise_epoch(here(), made.user_id)).ok());
  EXPECT_EQ(found()->epoch, 1);
  ASSERT_TRUE(run(loop, users.set_blocked(here(), made.user_id, true)).ok());
  EXPECT_TRUE(found()->blocked);
  EXPECT_TRUE((*run(loop, users.standing(here(), made.user_id)))->blocked);
  ASSERT_TRUE(run(loop, users.remove(here(), made.user_id)).ok());
  EXPECT_FALSE(found()) << "gone is gone";
  EXPECT_FALSE(*run(loop, users.standing(here(), made.user_id)));
}

}  // namespace
}  // namespace mandate::identity
