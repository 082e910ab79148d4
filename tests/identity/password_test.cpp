// Passwords: AC-3, AC-4, AC-9, RL-6, RL-9.
#include "identity/password_policy.h"
#include "tests/identity/identity_test_base.h"

namespace mandate::identity {
namespace {

struct PasswordTest : IdentityTest {
  Code outcome(std::string name, std::string password, std::string peer = "192.0.2.7") {
    const auto user = log_in(std::move(name), std::move(password), std::move(peer));
    return user.ok() ? Code::not_found : user.error().code;
  }
  bool comes_in(std::string name = "ann@example.org", std::string peer = "192.0.2.7") {
    return log_in(std::move(name), std::string(kGoodPassword), std::move(peer)).ok();
  }
  void wrong(int times, std::string name = "ann@example.org", std::string peer = "192.0.2.7") {
    for (int i = 0; i < times; ++i) outcome(name, "wrong password " + std::to_string(i), peer);
  }
};

TEST_F(PasswordTest, TheRightPasswordComesInByAddressInAnySpelling) {
  ASSERT_TRUE(sign_up("Ann@example.org").ok());
  EXPECT_TRUE(comes_in("ann@example.org"));
  EXPECT_TRUE(comes_in(" ANN@EXAMPLE.ORG "));
  EXPECT_EQ(outcome("ann@example.org", "wrong password"), Code::invalid_user_password);
  const auto types = audit_types();
  EXPECT_EQ(types, (std::vector<std::string>{"signup.ok", "login.ok", "login.ok", "login.failed"}));
}

TEST_F(PasswordTest, TheStoredHashIsArgon2idAtTheCostThePolicyAsks) {
  passwords = std::make_unique<Passwords>(users, pool, clock, random, temp.metrics());
  const auto user = sign_up("ann@example.org");
  ASSERT_TRUE(user.ok());
  EXPECT_TRUE(user->password_hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << user->password_hash;
  EXPECT_TRUE(comes_in());
}

TEST_F(PasswordTest, ACheaperHashIsMadeDearerAtLoginAndADearerOneIsKept) {
  const auto user = sign_up("ann@example.org");
  ASSERT_TRUE(user->password_hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
  passwords = std::make_unique<Passwords>(users, pool, clock, random, temp.metrics(), PasswordCost{.memory_bytes = 128 * 1024, .passes = 2});
  ASSERT_TRUE(comes_in());
  const auto kept = [&] { return (*run(loop, users.find(here(), user->user_id)))->password_hash; };
  EXPECT_TRUE(kept().starts_with("$argon2id$v=19$m=128,t=2,p=1$"));
  EXPECT_EQ((*run(loop, users.find(here(), user->user_id)))->epoch, 0) << "the same password: nobody is thrown out";
  passwords = std::make_unique<Passwords>(users, pool, clock, random, temp.metrics(), cost);
  ASSERT_TRUE(comes_in());
  EXPECT_TRUE(kept().starts_with("$argon2id$v=19$m=128,t=2,p=1$"));
}

// AC-3: the same error, the same hashing work.
TEST_F(PasswordTest, AnUnknownAccountIsAnsweredLikeAWrongPassword) {
  ASSERT_TRUE(sign_up("ann@example.org").ok());
  const auto known = log_in("ann@example.org", "wrong password");
  const auto unknown = log_in("nobody@example.org", "wrong password");
  const auto broken = log_in("no\u200Bbody@example.org", "wrong password");
  for (const auto* answer : {&known, &unknown, &broken}) {
    EXPECT_EQ(answer->error().code, Code::invalid_user_password);
    EXPECT_EQ(answer->error().hint, "Wrong email or password.");
  }
  // Three checks, three hashes (and one for the sign-up): nobody was answered without the work.
  EXPECT_NE(temp.metrics().prometheus_text().find("mandate_identity_password_hash_seconds_count 4"), std::string::npos);
}

TEST_F(PasswordTest, EveryByteOfALongPasswordCounts) {
  std::string long_one;
  for (int i = 0; long_one.size() < 200; ++i) long_one += "word" + std::to_string(i) + " ";
  ASSERT_TRUE(sign_up("ann@example.org", long_one).ok());
  EXPECT_TRUE(log_in("ann@example.org", long_one).ok());
  EXPECT_EQ(outcome("ann@example.org", long_one.substr(0, 72)), Code::invalid_user_password);
  EXPECT_EQ(outcome("ann@example.org", std::string(1 << 20, 'x')), Code::invalid_user_password);
}

TEST_F(PasswordTest, ABlockedPersonIsToldSoOnlyWithTheRightPassword) {
  const auto user = sign_up("ann@example.org");
  ASSERT_TRUE(run(loop, users.set_blocked(here(), user->user_id, true)).ok());
  EXPECT_EQ(outcome("ann@example.org", "wrong password"), Code::invalid_user_password);
  const auto refused = log_in("ann@example.org", std::string(kGoodPassword));
  EXPECT_EQ(refused.error().code, Code::unauthorized);
  EXPECT_EQ(refused.error().hint, "user is blocked");
}

// AC-4.
TEST_F(PasswordTest, TenWrongPasswordsOverAllAliasesLockTheAccount) {
  User fields;
  fields.email = "ann@example.org";
  fields.username = "annie";
  fields.password_hash = *run(loop, passwords->hash(Secret(std::string(kGoodPassword)), kNoDeadline));
  ASSERT_TRUE(run(loop, users.create(here(), std::string(kDirectory), fields)).ok());
  const std::string aliases[] = {"ann@example.org", "ANN@example.org", "annie", "Annie", " annie"};
  for (int i = 0; i < 9; ++i) EXPECT_EQ(outcome(aliases[i % 5], "wrong password"), Code::invalid_user_password) << i;
  EXPECT_EQ(outcome("annie", "wrong password"), Code::invalid_user_password) << "the tenth closes the lock and does not tell";
  EXPECT_EQ(outcome("annie", "wrong password"), Code::too_many_attempts);
  EXPECT_EQ(outcome("ann@example.org", std::string(kGoodPassword)), Code::too_many_attempts) << "the right one is refused like a wrong one";
  EXPECT_EQ(outcome("ann@example.org", std::string(kGoodPassword), "198.51.100.9"), Code::too_many_attempts) << "wherever it comes from";
  const auto types = audit_types();
  EXPECT_EQ(std::count(types.begin(), types.end(), "account.locked"), 1);
}

TEST_F(PasswordTest, WhetherAnAccountIsLockedIsAFactForOthers) {
  const auto user = sign_up("ann@example.org");
  wrong(9);
  EXPECT_FALSE(*run(loop, passwords->is_locked(here(), *user)));
  wrong(1);
  EXPECT_TRUE(*run(loop, passwords->is_locked(here(), *user)));
  clock.advance(std::chrono::minutes(16));
  EXPECT_FALSE(*run(loop, passwords->is_locked(here(), *user)));
}

TEST_F(PasswordTest, NineWrongOnesAndARightOneBeginTheCountAnew) {
  ASSERT_TRUE(sign_up("ann@example.org").ok());
  for (int round = 0; round < 3; ++round) {
    wrong(9);
    EXPECT_TRUE(comes_in()) << round;
  }
}

TEST_F(PasswordTest, TheLockOpensAfterItsTimeAndLastsLongerEachRound) {
  ASSERT_TRUE(sign_up("ann@example.org").ok());
  wrong(10);
  clock.advance(std::chrono::minutes(14));
  EXPECT_FALSE(comes_in());
  clock.advance(std::chrono::minutes(2));
  wrong(10);
  clock.advance(std::chrono::minutes(29));
  EXPECT_FALSE(comes_in()) << "the second lock is twice as long";
  clock.advance(std::chrono::minutes(2));
  EXPECT_TRUE(comes_in());
}

TEST_F(PasswordTest, TheLockSurvivesARestart) {
  ASSERT_TRUE(sign_up("ann@example.org").ok());
  wrong(10);
  temp.reopen();
  OneTenant again(temp.store(), random);
  passwords = std::make_unique<Passwords>(users, pool, clock, random, temp.metrics(), cost);
  const http::Request request = request_from();
  const auto user = run(loop, passwords->login(*again.by_name("demo"), directory(), "ann@example.org", Secret(std::string(kGoodPassword)), request));
  EXPECT_EQ(user.error().code, Code::too_many_attempts);
}

TEST_F(PasswordTest, AnUnknownAccountLocksTooSoThatLocksTellNothing) {
  wrong(10, "nobody@example.org");
  EXPECT_EQ(outcome("nobody@example.org", "wrong password"), Code::too_many_attempts);
}

TEST_F(PasswordTest, SprayingFromOneAddressIsStopped) {
  ASSERT_TRUE(sign_up("ann@example.org").ok());
  for (int i = 0; i < 100; ++i) wrong(1, "p" + std::to_string(i) + "@example.org", "203.0.113.5");
  EXPECT_EQ(outcome("ann@example.org", std::string(kGoodPassword), "203.0.113.5"), Code::too_many_attempts);
  EXPECT_TRUE(comes_in("ann@example.org", "203.0.113.6")) << "others are not touched";
}

TEST_F(PasswordTest, AddressesOfOneIpv6NetworkAreOne) {
  EXPECT_EQ(address_subject("2001:db8:1:2::1"), address_subject("2001:db8:1:2:ffff::9"));
  EXPECT_NE(address_subject("2001:db8:1:2::1"), address_subject("2001:db8:1:3::1"));
  EXPECT_NE(address_subject("192.0.2.1"), address_subject("192.0.2.2"));
}

// AC-4, in parallel: of fifty guesses at once no more than ten are told that they are wrong, and all answers are honest.
TEST_F(PasswordTest, FiftyGuessesAtOnceAreNoMoreThanTen) {
  ASSERT_TRUE(sign_up("ann@example.org").ok());
  const http::Request request = request_from();
  int wrongs = 0, locked_outs = 0, others = 0, left = 50;
  for (int i = 0; i < 50; ++i)
    spawn(passwords->login(here(), directory(), "ann@example.org", Secret("guess number " + std::to_string(i)), request), [&](Result<User> answer) {
      --left;
      if (answer.ok()) ++others;
      else if (answer.error().code == Code::invalid_user_password) ++wrongs;
      else if (answer.error().code == Code::too_many_attempts) ++locked_outs;
      else ++others;
    });
  loop.run_until([&] { return left == 0; });
  EXPECT_EQ(wrongs, 10);
  EXPECT_EQ(locked_outs, 40);
  EXPECT_EQ(others, 0);
  EXPECT_FALSE(comes_in());
}

TEST_F(PasswordTest, ManyRightLoginsAtOnceAllSucceed) {
  ASSERT_TRUE(sign_up("ann@example.org").ok());
  const http::Request request = request_from();
  int in = 0, left = 40;
  for (int i = 0; i < 40; ++i)
    spawn(passwords->login(here(), directory(), "ann@example.org", Secret(std::string(kGoodPassword)), request), [&](Result<User> answer) {
      --left;
      in += answer.ok();
    });
  loop.run_until([&] { return left == 0; });
  EXPECT_EQ(in, 40);
}

// RL-6: a wall clock that jumps opens no lock; a lock written under a clock that was years ahead ends all the same.
struct WallClock final : Clock {
  Millis wall = 1'700'000'000'000;
  std::chrono::steady_clock::time_point tick{std::chrono::hours(1)};
  Millis now_ms() const override { return wall; }
  std::chrono::steady_clock::time_point steady() const override { return tick; }
};

TEST_F(PasswordTest, JumpsOfTheWallClockNeitherOpenNorMakeALock) {
  WallClock odd;
  odd.tick = std::chrono::steady_clock::now() + std::chrono::hours(1);
  ASSERT_TRUE(sign_up("ann@example.org").ok());
  passwords = std::make_unique<Passwords>(users, pool, odd, random, temp.metrics(), cost);
  wrong(10);
  odd.wall += 10LL * 365 * 86'400'000;
  EXPECT_FALSE(comes_in());
  odd.wall -= 11LL * 365 * 86'400'000;
  EXPECT_FALSE(comes_in());
  odd.tick += std::chrono::minutes(16);
  EXPECT_TRUE(comes_in());
}

TEST_F(PasswordTest, ALockFromAClockYearsAheadEnds) {
  ASSERT_TRUE(sign_up("ann@example.org").ok());
  WallClock ahead;
  ahead.tick = std::chrono::steady_clock::now() + std::chrono::hours(1);
  ahead.wall += 10LL * 365 * 86'400'000;
  passwords = std::make_unique<Passwords>(users, pool, ahead, random, temp.metrics(), cost);
  wrong(10);
  passwords = std::make_unique<Passwords>(users, pool, clock, random, temp.metrics(), cost);
  EXPECT_FALSE(comes_in()) << "still locked after the clock was put right";
  clock.advance(std::chrono::hours(25));
  EXPECT_TRUE(comes_in());
}

// RL-9.
TEST_F(PasswordTest, AFullPoolRefusesAtOnceAndCountsNothing) {
  ASSERT_TRUE(sign_up("ann@example.org").ok());
  CpuPool none(0, 0);
  passwords = std::make_unique<Passwords>(users, none, clock, random, temp.metrics(), cost);
  for (int i = 0; i < 12; ++i) EXPECT_EQ(outcome("ann@example.org", "wrong password"), Code::overloaded);
  passwords = std::make_unique<Passwords>(users, pool, clock, random, temp.metrics(), cost);
  EXPECT_TRUE(comes_in());
}

// AC-9.
TEST(PasswordPolicy, RefusesWhatAttackersTryFirst) {
  const std::vector<std::string> about{"ann.example@example.org", "Annie Oakley Example"};
  const auto fault = [&](std::string_view password) { return password_fault(password, about); };
  EXPECT_EQ(fault("short"), PasswordFault::too_short);
  EXPECT_EQ(fault("1234567"), PasswordFault::too_short);
  EXPECT_EQ(fault("\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"), PasswordFault::too_short) << "characters, not bytes";
  EXPECT_EQ(fault(std::string(257, 'x') + "y"), PasswordFault::too_long);
  EXPECT_EQ(fault(std::string_view("abc\0defghi", 10)), PasswordFault::bad_characters);
  EXPECT_EQ(fault("abcdefg\xff\xfe"), PasswordFault::bad_characters);
  for (const std::string_view common : {"password", "PASSWORD", "Password1!", "P@ssw0rd", "password2024", "12345678", "87654321", "abcdefgh",
                                        "zzzzzzzzzz", "qwertyuiop", "iloveyou!!", "Welcome123", "1q2w3e4r", "trustno1"})
    EXPECT_EQ(fault(common), PasswordFault::common) << common;
  EXPECT_EQ(fault("Ann.Example@example.org"), PasswordFault::user_data);
  EXPECT_EQ(fault("ann.example"), PasswordFault::user_data);
  EXPECT_EQ(fault("annie oakley example"), PasswordFault::user_data);
  for (const std::string_view good : {"correct horse battery staple", "tr0ub4dor&3", "gr\u00fcn-wie-gras", "x7#Kp2$mQ"}) EXPECT_EQ(fault(good), std::nullopt) << good;
  EXPECT_EQ(fault("a phrase of exactly two hundred and fifty six bytes " + std::string(203, 'x') + "y"), std::nullopt);
}

TEST_F(PasswordTest, SignUpRefusesWhatIsNotAnAccount) {
  const auto code = [&](std::string email, std::string password = std::string(kGoodPassword)) {
    const auto made = sign_up(std::move(email), std::move(password));
    return made.ok() ? Code::not_found : made.error().code;
  };
  for (const std::string email : {"", "ann", "@example.org", "ann@", "a@b@c", "ann@.org", "ann@example..org", "ann example@example.org", "<ann@example.org>"})
    EXPECT_EQ(code(email), Code::invalid_request) << email;
  EXPECT_EQ(code("ann@example.org", "password"), Code::invalid_password);
  EXPECT_EQ(count("users"), 0U);
  tenants.config.connections[std::string(kDirectory)].options["disable_signup"] = true;
  EXPECT_EQ(code("ann@example.org"), Code::public_signup_disabled);
}

TEST_F(PasswordTest, ATakenAddressIsNotConfirmedUnlessTheTenantWants) {
  ASSERT_TRUE(sign_up("ann@example.org").ok());
  EXPECT_EQ(sign_up("ann@example.org").error().code, Code::invalid_signup);
  EXPECT_EQ(sign_up("ann@example.org").error().hint, "Invalid sign up");
  tenants.config.flags.insert("enable_public_signup_user_exists_error");
  EXPECT_EQ(sign_up("ann@example.org").error().code, Code::user_exists);
}

}  // namespace
}  // namespace mandate::identity
