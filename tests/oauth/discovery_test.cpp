// identity-wire 1.23, TK-14.
#include "tests/oauth/oauth_world.h"

namespace mandate::oauth {
namespace {

struct Discovery : OAuthTest {};

TEST_F(Discovery, NamesOnlyDoorsThatExist) {
  for (const char* path : {"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"}) {
    const auto answer = get(path);
    ASSERT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.get("Access-Control-Allow-Origin"), "*");
    EXPECT_TRUE(answer.headers.get("Cache-Control").starts_with("public"));
    const JsonObject document = body(answer);
    EXPECT_EQ(text(document, "issuer"), kIssuer);
    for (const auto& member : document) {
      const std::string_view name = member.key();
      if (!name.ends_with("_endpoint") && name != "jwks_uri") continue;
      const std::string url(view(member.value().get_string()));
      ASSERT_TRUE(url.starts_with(kIssuer)) << url;
      auto sent = prepare(http::Method::get, url);
      const auto match = router.match(sent->request);
      EXPECT_TRUE(match.handler != nullptr || !match.allow.empty()) << url;
    }
    for (const char* name : {"response_types_supported", "grant_types_supported", "scopes_supported",
                             "id_token_signing_alg_values_supported", "token_endpoint_auth_methods_supported",
                             "code_challenge_methods_supported"})
      EXPECT_TRUE(document.contains(name)) << name;
  }
}

TEST_F(Discovery, ListsPublicKeysRsaFirstWithItsCertificate) {
  const JsonObject document = body(get("/.well-known/jwks.json"));
  const JsonArray& keys = document.at("keys").get_array();
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(text(keys[0].get_object(), "kty"), "RSA");
  EXPECT_EQ(text(keys[0].get_object(), "use"), "sig");
  EXPECT_EQ(keys[0].get_object().at("x5c").get_array().size(), 1U);
  EXPECT_EQ(text(keys[1].get_object(), "kty"), "EC");
  for (const Json& key : keys)
    for (const char* secret : {"d", "p", "q", "dp", "dq", "qi", "k"})
      EXPECT_FALSE(key.get_object().contains(secret));
}

TEST_F(Discovery, HandsOutTheCertificateInEveryOldForm) {
  EXPECT_TRUE(get("/pem").body.starts_with("-----BEGIN CERTIFICATE-----"));
  EXPECT_TRUE(get("/rawpem").headers.get("Content-Type").starts_with("text/plain"));
  EXPECT_EQ(get("/cer").body.front(), '\x30');
  config().signing_keys.clear();
  EXPECT_EQ(get("/pem").status, 404);
}

}  // namespace
}  // namespace mandate::oauth
