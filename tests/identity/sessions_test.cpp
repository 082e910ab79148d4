// Sessions: SE-1, lifetimes, and what ends them.
#include "tests/identity/identity_test_base.h"

namespace mandate::identity {
namespace {

struct SessionsTest : IdentityTest {
  User ann;
  std::string jar;

  void SetUp() override { ann = *sign_up("ann@example.org"); }
  http::Request with_cookie() {
    http::Request request = request_from();
    if (!jar.empty()) request.headers.add("Cookie", jar);
    return request;
  }
  Session begin() {
    std::string cookie;
    const http::Request request = with_cookie();
    const auto session = run(loop, sessions.begin(here(), request, ann, std::string(kDirectory), {"pwd"}, cookie));
    EXPECT_TRUE(session.ok());
    set_cookie = cookie;
    jar = cookie.substr(0, cookie.find(';'));
    return *session;
  }
  std::optional<Session> current() {
    const http::Request request = with_cookie();
    return *run(loop, sessions.current(here(), request));
  }
  std::string set_cookie;
};

TEST_F(SessionsTest, TheCookieIsForThisHostOnlyAndTellsNothing) {
  const Session session = begin();
  EXPECT_TRUE(set_cookie.starts_with("__Host-mandate="));
  for (const std::string_view part : {"; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Max-Age=604800"})
    EXPECT_NE(set_cookie.find(part), std::string::npos) << part;
  EXPECT_EQ(set_cookie.find("Domain"), std::string::npos);
  EXPECT_EQ(set_cookie.find(session.id), std::string::npos);
  store::Plan plan;
  plan.table = "sessions";
  const auto row = *run(loop, temp.store().get(plan));
  const std::string secret = jar.substr(jar.find('=') + 1);
  EXPECT_GE(secret.size(), 43U);
  for (std::size_t i = 0; i < row->size(); ++i)
    if (const auto* text = std::get_if<std::string>(&row->cell(i))) EXPECT_EQ(text->find(secret), std::string::npos) << row->name(i);
}

TEST_F(SessionsTest, TheSessionIsFoundByItsCookieAndByItsName) {
  const Session session = begin();
  ASSERT_TRUE(current());
  EXPECT_EQ(current()->id, session.id);
  EXPECT_EQ(current()->user_id, ann.user_id);
  EXPECT_EQ(current()->amr, std::vector<std::string>{"pwd"});
  EXPECT_TRUE(*run(loop, sessions.find(here(), session.id)));
  EXPECT_FALSE(*run(loop, sessions.find(here(), "other")));
  jar = "__Host-mandate=guess";
  EXPECT_FALSE(current());
}

TEST_F(SessionsTest, ANewLoginIsANewSessionAndTheOldOneDies) {
  const Session first = begin();
  const std::string first_jar = jar;
  const Session second = begin();
  EXPECT_NE(first.id, second.id);
  EXPECT_NE(first_jar, jar);
  jar = first_jar;
  EXPECT_FALSE(current());
}

TEST_F(SessionsTest, WhoIsIdleTooLongIsLoggedOut) {
  begin();
  for (int day = 0; day < 2; ++day) {
    clock.advance(std::chrono::hours(71));
    EXPECT_TRUE(current()) << "being seen keeps it alive";
  }
  clock.advance(std::chrono::hours(72));
  EXPECT_FALSE(current());
}

TEST_F(SessionsTest, NoSessionOutlivesItsEnd) {
  begin();
  for (int day = 0; day < 6; ++day) {
    clock.advance(std::chrono::hours(24));
    ASSERT_TRUE(current()) << day;
  }
  clock.advance(std::chrono::hours(24));
  EXPECT_FALSE(current());
}

TEST_F(SessionsTest, ABlockANewPasswordAndARemovalEndIt) {
  begin();
  ASSERT_TRUE(run(loop, users.set_blocked(here(), ann.user_id, true)).ok());
  EXPECT_FALSE(current());
  ASSERT_TRUE(run(loop, users.set_blocked(here(), ann.user_id, false)).ok());
  EXPECT_FALSE(current()) << "an unblock brings no old session back";
  ann = **run(loop, users.find(here(), ann.user_id));
  begin();
  EXPECT_TRUE(current());
  ASSERT_TRUE(run(loop, users.set_password_hash(here(), ann.user_id, "x", false)).ok());
  EXPECT_FALSE(current());
  ann = **run(loop, users.find(here(), ann.user_id));
  begin();
  ASSERT_TRUE(run(loop, users.remove(here(), ann.user_id)).ok());
  EXPECT_FALSE(current());
}

TEST_F(SessionsTest, ANewEpochOfTheTenantEndsAll) {
  begin();
  tenants.config.epoch = 1;
  EXPECT_FALSE(current());
}

TEST_F(SessionsTest, LogoutEndsItOnTheServerToo) {
  begin();
  std::string cookie;
  const http::Request request = with_cookie();
  ASSERT_TRUE(run(loop, sessions.end(here(), request, cookie)).ok());
  EXPECT_NE(cookie.find("Max-Age=0"), std::string::npos);
  EXPECT_FALSE(current()) << "the old cookie is worth nothing";
  EXPECT_EQ(count("sessions"), 0U);
}

TEST_F(SessionsTest, ClientsAreRememberedOnce) {
  const Session session = begin();
  ASSERT_TRUE(run(loop, sessions.note_client(here(), session, "todo")).ok());
  ASSERT_TRUE(run(loop, sessions.note_client(here(), *current(), "todo")).ok());
  ASSERT_TRUE(run(loop, sessions.note_client(here(), *current(), "other")).ok());
  EXPECT_EQ(current()->clients, (std::vector<std::string>{"todo", "other"}));
}

TEST_F(SessionsTest, PlainHttpHasACookieOfItsOwnThatTlsDoesNotRead) {
  http::Request plain = request_from();
  plain.secure = false;
  std::string cookie;
  ASSERT_TRUE(run(loop, sessions.begin(here(), plain, ann, std::string(kDirectory), {"pwd"}, cookie)).ok());
  EXPECT_TRUE(cookie.starts_with("mandate="));
  EXPECT_EQ(cookie.find("Secure"), std::string::npos);
  jar = cookie.substr(0, cookie.find(';'));
  EXPECT_FALSE(current()) << "a cookie planted over plain HTTP is not looked at over TLS";
}

TEST_F(SessionsTest, DeadSessionsAreSweptByNewOnes) {
  begin();
  clock.advance(std::chrono::hours(24 * 8));
  jar.clear();
  begin();
  EXPECT_EQ(count("sessions"), 1U);
}

}  // namespace
}  // namespace mandate::identity
