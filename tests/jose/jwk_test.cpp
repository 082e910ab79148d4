#include "jose/jwk.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "jose/jws.h"
#include "tests/jose/object.h"

namespace mandate::jose {
namespace {

TEST(Jwk, AGeneratedKeyNamesItselfByItsThumbprintAndSurvivesPem) {
  for (const Alg alg : {Alg::RS256, Alg::ES256, Alg::ES384, Alg::ES512, Alg::EdDSA}) {
    const Key key = Key::generate(alg).value();
    EXPECT_EQ(key.kid(), key.thumbprint());
    EXPECT_EQ(key.kid().size(), 43U);
    const Key back = Key::from_pem(key.private_pem(), alg, "k1").value();
    EXPECT_TRUE(back.has_private());
    EXPECT_EQ(back.thumbprint(), key.thumbprint());
    const Key open = Key::from_pem(key.public_pem(), alg).value();
    EXPECT_FALSE(open.has_private());
    EXPECT_EQ(open.private_pem(), "");
    EXPECT_EQ(open.thumbprint(), key.thumbprint());
  }
}

TEST(Jwk, ThePublicFormHasPublicMembersOnlyAndASecretHasNone) {
  for (const Alg alg : {Alg::RS256, Alg::ES256, Alg::EdDSA}) {
    const JsonObject jwk = Key::generate(alg, "k")->public_jwk();
    for (const char* secret : {"d", "p", "q", "dp", "dq", "qi", "k", "oth"})
      EXPECT_FALSE(jwk.contains(secret)) << name(alg) << secret;
    EXPECT_EQ(jwk.at("use"), "sig");
    EXPECT_EQ(view(jwk.at("alg").as_string()), name(alg));
    EXPECT_EQ(jwk.at("kid"), "k");
  }
  const Key secret = Key::hmac(Alg::HS256, "secret");
  EXPECT_TRUE(secret.public_jwk().empty());
  EXPECT_TRUE(jwks({secret}).at("keys").as_array().empty());
}

TEST(Jwk, ASetIsWrittenWithCertificatesAndReadBack) {
  const Key rsa = Key::generate(Alg::RS256, "r").value(), ec = Key::generate(Alg::ES256, "e").value();
  const std::string der = self_signed_certificate(rsa, "tenant.example", 1'700'000'000).value();
  const JsonObject set = jwks({rsa, ec}, {der, ""});
  const JsonObject& first = set.at("keys").as_array()[0].as_object();
  EXPECT_EQ(view(first.at("x5c").as_array()[0].as_string()), base64(der));
  EXPECT_EQ(first.at("x5t").as_string().size(), 27U);
  EXPECT_FALSE(set.at("keys").as_array()[1].as_object().contains("x5c"));
  const auto read = keys_of_jwks(set).value();
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].thumbprint(), rsa.thumbprint());
  EXPECT_EQ(read[1].alg(), Alg::ES256);
  EXPECT_EQ(Key::from_pem(certificate_pem(der), Alg::RS256)->thumbprint(), rsa.thumbprint());
  EXPECT_EQ(self_signed_certificate(rsa, "tenant.example", 1'700'000'000).value(), der) << "same key, same time, same bytes";
}

TEST(Jwk, ACertificateOfAnEllipticKeyCarriesTheSameKey) {
  for (const Alg alg : {Alg::ES256, Alg::EdDSA}) {
    const Key key = Key::generate(alg).value();
    const std::string der =
        self_signed_certificate(key, "a-host-name-so-long-that-it-does-not-fit-into-a-common-name-of-64.example", 0).value();
    EXPECT_EQ(Key::from_pem(certificate_pem(der), alg)->thumbprint(), key.thumbprint());
  }
}

TEST(Jwk, KeysASetCannotUseAreLeftOut) {
  const JsonObject set = object(
      R"({"keys":[{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA","kid":"a"},{"kty":"RSA","use":"enc","n":"AQAB","e":"AQAB","kid":"b"},
    {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"c"},{"kty":"new","kid":"d"}]})");
  const auto keys = keys_of_jwks(set).value();
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(keys[0].kid(), "c");
  EXPECT_FALSE(keys_of_jwks(object(R"({"keys":{}})")).ok());
  EXPECT_FALSE(keys_of_jwks(object("{}")).ok());
}

TEST(Jwk, WeakCrookedAndMisnamedKeysAreRefused) {
  const std::string n = std::string(view(Key::generate(Alg::RS256)->public_jwk().at("n").as_string()));
  const std::string ec =
      R"("crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")";
  const std::vector<std::string> bad = {
      R"({"kty":"RSA","alg":"RS256","e":"AQAB","n":")" + n.substr(0, 171) + "\"}",
      R"({"kty":"RSA","alg":"RS256","e":"AQ","n":")" + n + "\"}",
      R"({"kty":"RSA","alg":"RS256","e":"Ag","n":")" + n + "\"}",
      R"({"kty":"RSA","alg":"RS256","e":"AQAB"})",
      R"({"kty":"RSA","alg":"RS256","n":")" + n + "\"}",
      R"({"kty":"RSA","alg":"RS256","e":")" + n + R"(","n":")" + n + "\"}",
      R"({"kty":"RSA","alg":"RS256","e":"AQAB","n":")" + n + "=\"}",
      R"({"kty":"RSA","alg":"RSA1_5","e":"AQAB","n":")" + n + "\"}",
      R"({"kty":"RSA","alg":"RS256","e":"AQAB","n":"A)" + std::string(200'000, 'A') + "\"}",
      R"({"kty":"EC","alg":"ES256","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1"})",
      R"({"kty":"EC","alg":"ES256","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})",
      R"({"kty":"EC","alg":"ES384",)" + ec + "}",
      R"({"kty":"EC","alg":"ES521",)" + ec + "}",
      R"({"kty":"OKP","alg":"ES256",)" + ec + "}",
      R"({"kty":"EC","alg":"ES256","use":"enc",)" + ec + "}",
      R"({"kty":"EC","alg":"ES256","key_ops":["encrypt"],)" + ec + "}",
      R"({"kty":"EC","alg":"ES256","d":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE",)" + ec + "}",
      R"({"kty":"EC",)" + ec + "}",
      R"({"kty":"oct","alg":"HS256","k":"c2hvcnQ"})",
      R"({"kty":"oct","alg":"HS256","k":""})",
      R"({"kty":"oct","alg":"A256KW","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"})",
      R"({"kty":"oct","alg":"none","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"})",
      R"({"kty":"OKP","alg":"EdDSA","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg"})",
      R"({"kty":"OKP","alg":"EdDSA","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2B"})"};
  for (const std::string& jwk : bad) {
    const auto key = Key::from_jwk(object(jwk));
    EXPECT_FALSE(key.ok()) << jwk.substr(0, 120);
    if (!key.ok()) EXPECT_EQ(key.error().code, Code::invalid_request);
  }
}

TEST(Jwk, APrivateJwkSignsAndItsAlgMustBeTheExpectedOne) {
  const JsonObject jwk = object(
      R"({"kty":"EC","alg":"ES256","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"})");
  EXPECT_TRUE(Key::from_jwk(jwk)->has_private());
  EXPECT_TRUE(Key::from_jwk(jwk, Alg::ES256).ok());
  EXPECT_FALSE(Key::from_jwk(jwk, Alg::ES384).ok());
}

TEST(Jwk, PemOfTheWrongKindOrEncryptedIsRefusedWithoutAsking) {
  const Key ec = Key::generate(Alg::ES256).value();
  EXPECT_FALSE(Key::from_pem(ec.private_pem(), Alg::RS256).ok());
  EXPECT_FALSE(Key::from_pem(ec.private_pem(), Alg::ES384).ok());
  EXPECT_FALSE(Key::from_pem(ec.private_pem(), Alg::HS256).ok());
  EXPECT_FALSE(Key::from_pem("", Alg::RS256).ok());
  EXPECT_FALSE(
      Key::from_pem(
          "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIBHDBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIAAAAAAAAAAACAggA\n-----END "
          "ENCRYPTED PRIVATE KEY-----\n",
          Alg::ES256)
          .ok());
}

}  // namespace
}  // namespace mandate::jose
