#include "jose/jwt.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace mandate::jose {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;
const std::vector<std::string> kAudience = {"api"};

const Key& key() {
  static const Key k = Key::hmac(Alg::HS256, "0123456789abcdef0123456789abcdef", "k1");
  return k;
}

Expectation expected() {
  Expectation e;
  e.issuer = "https://tenant.example/";
  e.audiences = kAudience;
  e.now = kNow;
  return e;
}

Result<Claims> check(std::string_view payload, const Expectation& e = expected(), std::string_view typ = "JWT") {
  const std::string header = R"({"alg":"HS256","typ":")" + std::string(typ) + R"(","kid":"k1"})";
  const std::string token = sign_compact(key(), header, payload).value();
  return verify_jwt(token, key(), e);
}

std::string with(std::string_view members) {
  return R"({"iss":"https://tenant.example/","aud":"api")" + std::string(members) + "}";
}

TEST(Jwt, AGoodTokenGivesItsClaims) {
  const auto claims = check(with(R"(,"sub":"github|1","exp":1700000100,"iat":1699999990,"nbf":1699999990)"));
  ASSERT_TRUE(claims.ok()) << claims.error().detail;
  EXPECT_EQ(claims->sub(), "github|1");
  EXPECT_EQ(claims->exp(), 1'700'000'100);
  EXPECT_EQ(claims->iat(), 1'699'999'990);
  EXPECT_TRUE(claims->has_aud("api"));
  EXPECT_FALSE(claims->has_aud("ap"));
}

TEST(Jwt, DatesMustBeWholeNumbersInReach) {
  for (const char* name : {"exp", "nbf", "iat"})
    for (const char* value : {"\"1700000100\"", "null", "true", "[1700000100]", "{}", "-1", "1700000100.5", "1e400",
                              "9007199254740993", "18446744073709551615", "\"\""}) {
      const std::string rest = std::string(name) == "exp" ? "" : R"(,"exp":1700000100)";
      const auto claims = check(with(",\"" + std::string(name) + "\":" + value + rest));
      EXPECT_FALSE(claims.ok()) << name << " " << value;
      if (!claims.ok()) EXPECT_EQ(claims.error().code, Code::invalid_token);
    }
}

TEST(Jwt, ExpIsRequiredAndLeewayIsAMinute) {
  EXPECT_FALSE(check(with("")).ok());
  EXPECT_TRUE(check(with(R"(,"exp":1699999941)")).ok());
  EXPECT_FALSE(check(with(R"(,"exp":1699999940)")).ok());
  EXPECT_TRUE(check(with(R"(,"exp":1700000100,"nbf":1700000060)")).ok());
  EXPECT_FALSE(check(with(R"(,"exp":1700000100,"nbf":1700000061)")).ok());
  EXPECT_TRUE(check(with(R"(,"exp":1700000100,"iat":1700000060)")).ok());
  EXPECT_FALSE(check(with(R"(,"exp":1700000100,"iat":1700000061)")).ok());
  Expectation strict = expected();
  strict.leeway = 0;
  EXPECT_FALSE(check(with(R"(,"exp":1700000000)"), strict).ok());
  EXPECT_TRUE(check(with(R"(,"exp":1700000001)"), strict).ok());
}

TEST(Jwt, AudienceMustNameUsExactly) {
  const std::string head = R"({"iss":"https://tenant.example/","exp":1700000100)";
  for (const char* bad : {"", R"(,"aud":[])", R"(,"aud":"")", R"(,"aud":"ap")", R"(,"aud":"api2")", R"(,"aud":"API")",
                          R"(,"aud":"api ")", R"(,"aud":["x","y"])", R"(,"aud":[["api"]])", R"(,"aud":["api",1])",
                          R"(,"aud":null)", R"(,"aud":1)", R"(,"aud":{"api":1})"})
    EXPECT_FALSE(check(head + bad + "}").ok()) << bad;
  EXPECT_TRUE(check(head + R"(,"aud":["x","api"]})").ok());
}

TEST(Jwt, AnExpectationLeftEmptyRefusesInsteadOfNotChecking) {
  Expectation nobody = expected();
  nobody.audiences = {};
  EXPECT_FALSE(check(with(R"(,"exp":1700000100)"), nobody).ok());
  static const std::vector<std::string> kEmpty = {""};
  nobody.audiences = kEmpty;
  EXPECT_FALSE(check(R"({"iss":"https://tenant.example/","aud":"","exp":1700000100})", nobody).ok());
  Expectation no_issuer = expected();
  no_issuer.issuer = "";
  EXPECT_FALSE(check(with(R"(,"exp":1700000100)"), no_issuer).ok());
  EXPECT_FALSE(check(R"({"iss":"","aud":"api","exp":1700000100})", no_issuer).ok());
  no_issuer.any_issuer = true;
  EXPECT_TRUE(check(with(R"(,"exp":1700000100)"), no_issuer).ok());
}

TEST(Jwt, IssuerIsComparedToTheLastSlash) {
  for (const char* iss : {"https://tenant.example", "https://tenant.example//", "https://TENANT.example/",
                          "https://other.example/", "http://tenant.example/"})
    EXPECT_FALSE(check(R"({"aud":"api","exp":1700000100,"iss":")" + std::string(iss) + "\"}").ok()) << iss;
}

TEST(Jwt, TypIsComparedWithoutCaseAndPrefix) {
  Expectation at = expected();
  at.typ = "at+jwt";
  EXPECT_TRUE(check(with(R"(,"exp":1700000100)"), at, "at+jwt").ok());
  EXPECT_TRUE(check(with(R"(,"exp":1700000100)"), at, "application/AT+JWT").ok());
  EXPECT_FALSE(check(with(R"(,"exp":1700000100)"), at, "JWT").ok());
}

TEST(Jwt, AnUnknownKidAndAPayloadThatIsNoObjectAreRefused) {
  const std::string token = sign_jwt(key(), parse_json(with(R"(,"exp":1700000100)"))->get_object()).value();
  EXPECT_FALSE(verify_jwt(token, [](std::string_view, std::optional<Alg>) { return nullptr; }, expected()).ok());
  for (const char* payload : {"[]", "1", "", "{", "{}x", R"({"exp":1700000100,"exp":1800000000})"})
    EXPECT_FALSE(check(payload).ok()) << payload;
}

TEST(Jwt, SignJwtWritesAlgTypKidInThisOrder) {
  const std::string token = sign_jwt(key(), parse_json(R"({"sub":"x","exp":1})")->get_object(), "at+jwt").value();
  EXPECT_EQ(base64url_decode(token.substr(0, token.find('.'))).value(), R"({"alg":"HS256","typ":"at+jwt","kid":"k1"})");
  const Key anonymous = Key::hmac(Alg::HS256, "x");
  const std::string plain = sign_jwt(anonymous, JsonObject()).value();
  EXPECT_EQ(base64url_decode(plain.substr(0, plain.find('.'))).value(), R"({"alg":"HS256","typ":"JWT"})");
}

}  // namespace
}  // namespace mandate::jose
