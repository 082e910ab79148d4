// Vectors of RFC 7515 appendix A, RFC 8037 appendix A and of the wire specifications.
#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/crypto.h"
#include "jose/jwt.h"
#include "tests/jose/object.h"

namespace mandate::jose {
namespace {

constexpr std::string_view kJoe = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

TEST(Rfc7515, A1HmacSha256SignsToTheSameBytes) {
  const Key key =
      Key::from_jwk(
          object(R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})"),
          Alg::HS256)
          .value();
  EXPECT_EQ(sign_compact(key, "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}", kJoe).value(),
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

TEST(Rfc7515, A2RsaPkcs1Verifies) {
  const Key key =
      Key::from_jwk(
          object(
              R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"})"),
          Alg::RS256)
          .value();
  const std::string token =
      "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
      "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
      "O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4"
      "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-"
      "eOkHWEsqtFZESc6BfI7noOPqv"
      "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
  const auto parts = parse_compact(token);
  ASSERT_TRUE(parts.ok());
  EXPECT_EQ(parts->payload, kJoe);
  EXPECT_TRUE(verify(*parts, key));
}

TEST(Rfc7515, A3EcdsaP256VerifiesAndOurOwnSignatureToo) {
  const Key key =
      Key::from_jwk(
          object(
              R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"})"),
          Alg::ES256)
          .value();
  const std::string token =
      "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
      "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
  EXPECT_TRUE(verify(parse_compact(token).value(), key));
  const std::string own = sign_compact(key, R"({"alg":"ES256"})", kJoe).value();
  EXPECT_TRUE(verify(parse_compact(own).value(), key));
}

TEST(Rfc7515, A4EcdsaP521Verifies) {
  const std::string token =
      "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA."
      "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_"
      "7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8Kp"
      "EHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn";
  const auto key = Key::from_jwk(
      object(
          R"({"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"})"),
      Alg::ES512);
  ASSERT_TRUE(key.ok()) << key.error().detail;
  EXPECT_TRUE(verify(parse_compact(token).value(), *key));
}

TEST(Rfc7515, A5TheUnsecuredTokenHasNoValidForm) {
  const std::string token =
      "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";
  EXPECT_FALSE(parse_compact(token).ok());
  const auto dressed = parse_compact(token + "AAAA");
  ASSERT_TRUE(dressed.ok());
  EXPECT_FALSE(verify(*dressed, Key::hmac(Alg::HS256, "secret")));
}

constexpr std::string_view kEd25519 =
    R"({"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";

TEST(Rfc8037, A3TheThumbprintOfTheEd25519Key) {
  EXPECT_EQ(Key::from_jwk(object(kEd25519), Alg::EdDSA)->thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

TEST(Rfc8037, A4Ed25519SignsToTheSameBytesAndVerifies) {
  const Key key = Key::from_jwk(object(kEd25519), Alg::EdDSA).value();
  const std::string expected =
      "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-"
      "09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
  EXPECT_EQ(sign_compact(key, R"({"alg":"EdDSA"})", "Example of Ed25519 signing").value(), expected);
  EXPECT_TRUE(verify(parse_compact(expected).value(), key));
}

std::string signature_of(std::string_view token) { return std::string(token.substr(token.rfind('.') + 1)); }

TEST(IdentityWire43, TheLegacyIdTokenIsSignedWithTheDecodedSecretOrWithItsText) {
  constexpr std::string_view secret = "Yx9kqv3o0Jm1b2c3d4e5f6A7B8C9D0E1F2G3H4I5J6K7L8M9N0P1Q2R3S4T5U6V7";
  constexpr std::string_view header = R"({"typ":"JWT","alg":"HS256"})";
  constexpr std::string_view claims =
      R"({"iss":"https://tenant.example/","sub":"github|123","aud":"CLIENT_A","iat":1700000000,"exp":1700036000})";
  const Key decoded = Key::hmac(Alg::HS256, base64url_decode(secret).value());
  EXPECT_EQ(signature_of(sign_compact(decoded, header, claims).value()), "-5pEe35n5bCDksC50L-1eZp8q_vXQbxNuevXseOnHRo");
  EXPECT_EQ(signature_of(sign_compact(Key::hmac(Alg::HS256, secret), header, claims).value()),
            "jMZbpaIQ_-QKB-TXWwuCCyvtvv_0DucigOXssSfV9J0");
}

Key zumo_key() { return Key::hmac(Alg::HS256, sha256("mandate-test-master-keyJWTSig")); }
constexpr std::string_view kZumoHeader = R"({"typ":"JWT","alg":"HS256","kid":"0"})";

TEST(IdentityWire28, TheKeyIsTheRawDigestOfMasterKeyAndSuffix) {
  EXPECT_EQ(to_hex(sha256("mandate-test-master-keyJWTSig")), "304801ba9966ff74e80c3a2d3b33b73fb6c3ae482b86561641e2483d4b2ba902");
}

TEST(IdentityWire28, BothFormsOfTheWamsTokenAreSignedAsPublished) {
  EXPECT_EQ(
      signature_of(
          sign_compact(
              zumo_key(), kZumoHeader,
              R"({"iss":"https://tenant.example/","sub":"github|123","aud":"WAMS_CLIENT","uid":"github|123","iat":1700000000,"exp":4102444800})")
              .value()),
      "4L48DGCdbVqiCYeNIKAPZ9Dagjvqzl9iNnvXfwpnnJw");
  EXPECT_EQ(
      signature_of(
          sign_compact(
              zumo_key(), kZumoHeader,
              R"({"iss":"urn:microsoft:windows-azure:zumo","aud":"urn:microsoft:windows-azure:zumo","ver":"2","uid":"github|123","sub":"github|123","iat":1700000000,"exp":4102444800})")
              .value()),
      "9TTKBm6SJIBaENKiuy6jCCWuu6TJRpEbxjg9IYlwtvo");
}

TEST(MobileBackendWire41, TheUserTokenOfTheOldRuntimeIsMadeAndRead) {
  const std::string token =
      "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IjAifQ."
      "eyJleHAiOjQxMDI0NDQ4MDAsImlzcyI6InVybjptaWNyb3NvZnQ6d2luZG93cy1henVyZTp6dW1vIiwi"
      "dmVyIjoyLCJhdWQiOiJGYWNlYm9vayIsInVpZCI6IkZhY2Vib29rOjEyMyJ9.bB3mtTPGOXpLwJ7PeTQilZEy582ayng2K6HUT0lsqiI";
  EXPECT_EQ(
      sign_compact(zumo_key(), R"({"alg":"HS256","typ":"JWT","kid":"0"})",
                   R"({"exp":4102444800,"iss":"urn:microsoft:windows-azure:zumo","ver":2,"aud":"Facebook","uid":"Facebook:123"})")
          .value(),
      token);
  EXPECT_TRUE(verify(parse_compact(token).value(), zumo_key()));
}

}  // namespace
}  // namespace mandate::jose
