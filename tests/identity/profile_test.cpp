// identity-wire 4.1 and 4.2: what apps see of a person, and what they never see.
#include "identity/profile.h"

#include <gtest/gtest.h>

namespace mandate::identity {
namespace {

User ann() {
  User user;
  user.user_id = "github|123";
  user.connection = "github";
  user.email = "ann@example.org";
  user.email_verified = true;
  user.name = "Ann Example";
  user.nickname = "ann";
  user.given_name = "Ann";
  user.family_name = "Example";
  user.password_hash = "$argon2id$never";
  user.created_at = 1404671629005;
  user.updated_at = 1443642229499;
  user.last_login = 5;
  user.logins_count = 7;
  user.blocked = false;
  user.identities = {JsonObject{{"user_id", 123}, {"provider", "github"}, {"connection", "github"}, {"isSocial", true}}};
  user.extra["blog"] = "https://ann.example";
  user.extra["email"] = "mallory@example.org";
  user.extra["last_ip"] = "192.0.2.1";
  return user;
}

TEST(Profile, TheLegacyProfileHasTheFieldsOldSdksRead) {
  const JsonObject profile = legacy_profile(ann());
  EXPECT_EQ(text_member(profile, "user_id"), "github|123");
  EXPECT_EQ(text_member(profile, "created_at"), "2014-07-06T18:33:49.005Z");
  EXPECT_EQ(text_member(profile, "updated_at"), "2015-09-30T19:43:49.499Z");
  EXPECT_EQ(to_json(profile.at("identities")), R"([{"user_id":123,"provider":"github","connection":"github","isSocial":true}])");
  EXPECT_EQ(to_json(profile.at("user_metadata")), "{}");
  EXPECT_EQ(text_member(profile, "blog"), "https://ann.example");
  EXPECT_TRUE(text_member(profile, "picture")->starts_with("https://s.gravatar.com/avatar/"));
}

TEST(Profile, ExtrasNeverShadowAndSecretsNeverShow) {
  const std::string text = to_json(legacy_profile(ann()));
  EXPECT_EQ(text.find("mallory"), std::string::npos);
  for (const std::string_view hidden : {"argon2id", "last_ip", "last_login", "logins_count", "blocked", "password"})
    EXPECT_EQ(text.find(hidden), std::string::npos) << hidden;
}

TEST(Profile, OnlyTheAttributesNamedWhenSomeAreNamed) {
  EXPECT_EQ(to_json(legacy_profile(ann(), {"name", "email"})), R"({"name":"Ann Example","email":"ann@example.org"})");
}

TEST(Profile, NameNicknameAndPictureAreAlwaysThere) {
  User bare;
  bare.user_id = "auth0|58457fe6b27a";
  bare.email = "bob.b@example.org";
  const JsonObject profile = legacy_profile(bare);
  EXPECT_EQ(text_member(profile, "name"), "bob.b@example.org");
  EXPECT_EQ(text_member(profile, "nickname"), "bob.b");
  // MD5 of the lower-case address, as gravatar has it.
  EXPECT_TRUE(picture_of(bare).starts_with("https://s.gravatar.com/avatar/"));
  bare.email.clear();
  EXPECT_EQ(nickname_of(bare), "58457fe6b27a");
  EXPECT_FALSE(picture_of(bare).empty());
}

TEST(Profile, ClaimsFollowScopes) {
  EXPECT_EQ(to_json(standard_claims(ann(), {"openid"})), R"({"sub":"github|123"})");
  EXPECT_EQ(to_json(standard_claims(ann(), {"email"})), R"({"email":"ann@example.org","email_verified":true})");
  const JsonObject profile = standard_claims(ann(), {"profile"});
  EXPECT_EQ(text_member(profile, "family_name"), "Example");
  EXPECT_FALSE(profile.contains("email"));
  EXPECT_FALSE(profile.contains("identities"));
}

TEST(Profile, OnlyWebLinksBecomePictures) {
  EXPECT_EQ(safe_link("https://avatars.example/u/1"), "https://avatars.example/u/1");
  for (const std::string_view bad : {"javascript:alert(1)", "data:text/html,x", "//evil.example/x", "x", ""}) EXPECT_EQ(safe_link(bad), "") << bad;
}

}  // namespace
}  // namespace mandate::identity
