#include "identity/bearer.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/crypto.h"
#include "identity/mount.h"
#include "tests/support/temp_store.h"
#include "tests/support/test_loop.h"

namespace mandate::identity {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;
constexpr std::string_view kMaster = "mandate-test-master-key";

struct World {
  SeededRandom random;
  tenant::Vault vault{"0123456789abcdef0123456789abcdef", random};
  std::shared_ptr<tenant::Tenant> tenant = std::make_shared<tenant::Tenant>();

  World() {
    tenant->name = "t";
    tenant->hosts = {"tenant.example"};
    tenant->issuer_host = "tenant.example";
    service("default", kMaster);
    tenant::Client target;
    target.client_id = "todo-backend";
    target.addons["wams"] = JsonObject();
    tenant->clients["todo-backend"] = target;
    tenant::Client app;
    app.client_id = "todo";
    tenant->clients["todo"] = app;
    tenant->signing_keys.push_back({jose::Key::generate(jose::Alg::ES256, "e1").value(), "", "current"});
  }
  tenant::Service& service(const std::string& name, std::string_view master) {
    tenant::Service& s = tenant->services[name];
    s.name = name;
    s.master_key_sealed = vault.seal(master, tenant::sealed::service(name, "master_key"));
    s.application_key_sealed = vault.seal("app-key", tenant::sealed::service(name, "application_key"));
    return s;
  }
  ServiceKeys keys(const std::string& name = "default") { return open_service_keys(*tenant, tenant->services.at(name), vault).value(); }
  Result<Bearer> read(std::string_view token, const std::string& name = "default") {
    const ServiceKeys opened = keys(name);
    return read_bearer({*tenant, opened, "https://tenant.example/", "https://tenant.example"}, token, kNow);
  }
};

std::string zumo(std::string_view claims, std::string_view header = R"({"alg":"HS256","typ":"JWT","kid":"0"})", std::string_view master = kMaster) {
  return jose::sign_compact(zumo_key(master), header, claims).value();
}
std::string text_of(const Result<Bearer>& r) {
  EXPECT_FALSE(r.ok());
  if (r.ok()) return "accepted";
  EXPECT_EQ(r.error().code, Code::unauthorized);
  return r.error().hint;
}

TEST(Bearer, TheTokenOfTheOldRuntimeNamesItsUser) {
  World w;
  const auto b = w.read("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IjAifQ.eyJleHAiOjQxMDI0NDQ4MDAsImlzcyI6InVybjptaWNyb3NvZnQ6d2luZG93cy1henVyZTp6dW1vIiwidmVyIjoyLCJhdWQiOiJGYWNlYm9vayIsInVpZCI6IkZhY2Vib29rOjEyMyJ9.bB3mtTPGOXpLwJ7PeTQilZEy582ayng2K6HUT0lsqiI");
  ASSERT_TRUE(b.ok()) << b.error().hint;
  EXPECT_EQ(b->principal.user_id, "Facebook:123");
  EXPECT_EQ(b->principal.provider, "Facebook");
  EXPECT_EQ(b->principal.level, Level::authenticated);
  EXPECT_FALSE(b->ours);
  EXPECT_TRUE(w.read(zumo(R"({"exp":1700000001,"uid":"github|1"})", R"({"alg":"HS256","kid":0})")).ok()) << "kid was a number before 2014, typ may be absent";
  EXPECT_EQ(w.read(zumo(R"({"exp":1700000001,"uid":"github|1","sub":"x","iss":"anyone","aud":"anything"})"))->principal.user_id, "github|1");
}

TEST(Bearer, AKeyThatARotationReplacedCountsUntilItsTimeIsOver) {
  World w;
  tenant::Service& s = w.tenant->services.at("default");
  const auto sealed = [&](std::string_view key, std::string_view field) { return w.vault.seal(key, tenant::sealed::service("default", field)); };
  s.retired_keys = {{"master_key", sealed("the master before", "master_key"), kNow * 1000 + 5000},
                    {"application_key", sealed("the app before", "application_key"), kNow * 1000 + 9000},
                    {"v2_signing_key", sealed("the V2 key before, of many letters", "v2_signing_key"), kNow * 1000 + 7000}};
  const auto at = [&](Millis now) { return open_service_keys(*w.tenant, s, w.vault, now).value(); };
  const std::string token = zumo(R"({"exp":1700000100,"uid":"github|1"})", R"({"alg":"HS256"})", "the master before");
  const auto good = [&](const ServiceKeys& keys) { return read_bearer({*w.tenant, keys, "https://tenant.example/", "https://tenant.example"}, token, kNow).ok(); };
  EXPECT_TRUE(good(at(kNow * 1000)));
  EXPECT_EQ(at(kNow * 1000).until, kNow * 1000 + 5000);
  EXPECT_EQ(at(kNow * 1000).retired_master_keys.size(), 1U);
  EXPECT_EQ(at(kNow * 1000).v2.size(), 3U) << "one for each HMAC";
  EXPECT_FALSE(good(at(kNow * 1000 + 5000)));
  EXPECT_EQ(at(kNow * 1000 + 5000).until, kNow * 1000 + 7000);
  EXPECT_EQ(at(kNow * 1000 + 9000).until, 0);
  EXPECT_FALSE(good(w.keys())) << "without a time none of them counts";
}

TEST(Bearer, RefusalsHaveTheOldRuntimesWordsAndOrder) {
  World w;
  EXPECT_EQ(text_of(w.read("")), "Invalid token format. Token must not be empty.");
  EXPECT_EQ(text_of(w.read("abc")), "Invalid token format. Expected Envelope.Claims.Signature.");
  EXPECT_EQ(text_of(w.read("a.b.c.d")), "Invalid token format. Expected Envelope.Claims.Signature.");
  EXPECT_EQ(text_of(w.read(".b.c")), "Invalid token format. Envelope must not be empty.");
  EXPECT_EQ(text_of(w.read("a..c")), "Invalid token format. Claims must not be empty.");
  EXPECT_EQ(text_of(w.read("a.b.")), "Invalid token format. Signature must not be empty.");
  EXPECT_EQ(text_of(w.read(zumo("{}", R"({"alg":"none","typ":"XYZ"})"))), "The authentication token type is invalid.");
  EXPECT_EQ(text_of(w.read(zumo("{}", R"({"alg":"none","typ":"JWT"})"))), "The authentication token alg is not supported.");
  EXPECT_EQ(text_of(w.read(zumo("{}"))), "The authentication token requires expiration claim.");
  for (const char* exp : {"\"1800000000\"", "null", "true", "-1", "1.5", "9007199254740993"})
    EXPECT_EQ(text_of(w.read(zumo(std::string(R"({"uid":"x","exp":)") + exp + "}"))), "The authentication token requires expiration claim.") << exp;
  EXPECT_EQ(text_of(w.read(zumo(R"({"uid":"x","exp":1700000000})", R"({"alg":"HS256"})", "another key"))), "The authentication token has expired.") << "times come before the signature";
  EXPECT_EQ(text_of(w.read(zumo(R"({"uid":"x","exp":1800000000,"iat":1700000301})"))), "The authentication token is not valid until after its IssuedAt.");
  EXPECT_EQ(text_of(w.read(zumo(R"({"uid":"x","exp":1800000000,"nbf":1700000301})"))), "The authentication token is not valid until after its NotBefore.");
  EXPECT_EQ(text_of(w.read(zumo(R"({"uid":"x","exp":1800000000})", R"({"alg":"HS256"})", "another key"))), "The authentication token has an invalid signature.");
  EXPECT_TRUE(w.read(zumo(R"({"uid":"x","exp":1700000001,"iat":1700000300,"nbf":1700000300})")).ok());
  EXPECT_FALSE(w.read(zumo(R"({"exp":1800000000})")).ok()) << "nobody in particular owns no rows";
}

TEST(Bearer, TheMasterKeyTakenAsUtf8TextIsAnotherKey) {
  World w;
  std::string wrong;  // the trap of 4.1: the digest's bytes written as UTF-8
  for (const unsigned char c : sha256("mandate-test-master-keyJWTSig")) {
    if (c < 0x80) wrong += static_cast<char>(c);
    else wrong += static_cast<char>(0xC0 | c >> 6), wrong += static_cast<char>(0x80 | (c & 0x3F));
  }
  const std::string token = jose::sign_compact(jose::Key::hmac(jose::Alg::HS256, wrong), R"({"alg":"HS256"})", R"({"uid":"x","exp":1800000000})").value();
  EXPECT_FALSE(w.read(token).ok());
}

TEST(Bearer, ARotatedMasterKeyVerifiesWhileItIsThePreviousOne) {
  World w;
  const std::string old = zumo(R"({"uid":"x","exp":1800000000})");
  tenant::Service& s = w.service("default", "new master key");
  EXPECT_EQ(text_of(w.read(old)), "The authentication token has an invalid signature.");
  s.previous_master_key_sealed = w.vault.seal(kMaster, tenant::sealed::service("default", "previous_master_key"));
  EXPECT_TRUE(w.read(old).ok());
  EXPECT_TRUE(w.read(zumo(R"({"uid":"x","exp":1800000000})", R"({"alg":"HS256"})", "new master key")).ok());
  EXPECT_EQ(open_service_keys(*w.tenant, s, w.vault)->previous_master_key.reveal(), kMaster);
}

TEST(Bearer, ATokenOfOneServiceIsWorthNothingAtAnother) {
  World w;
  w.service("other", "the other master key");
  const std::string for_default = zumo(R"({"uid":"x","exp":1800000000})");
  EXPECT_TRUE(w.read(for_default).ok());
  EXPECT_FALSE(w.read(for_default, "other").ok());
  const auto own = [&](std::string_view aud) {
    JsonObject claims = parse_json(R"({"iss":"https://tenant.example/","sub":"github|1","exp":1800000000})")->get_object();
    claims["aud"] = aud;
    return jose::sign_jwt(w.tenant->signing_keys[0].key, claims).value();
  };
  EXPECT_TRUE(w.read(own("todo-backend")).ok());
  EXPECT_FALSE(w.read(own("todo-backend"), "other").ok()) << "that client's add-on points to the default service";
  EXPECT_FALSE(w.read(own("todo")).ok()) << "a login token of the app is no token for its backend";
  w.tenant->clients["todo-backend"].addons["wams"]["service"] = "other";
  EXPECT_FALSE(w.read(own("todo-backend")).ok());
  EXPECT_TRUE(w.read(own("todo-backend"), "other").ok());
  w.tenant->apis["https://tenant.example"].identifier = "https://tenant.example";
  EXPECT_TRUE(w.read(own("https://tenant.example")).ok()) << "an API whose identifier is the service's address";
}

TEST(Bearer, V2TokensAreCheckedForIssuerAndAudienceAndTakeTheirKeyAsHexOrText) {
  World w;
  const std::string hex = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
  w.tenant->services["default"].v2_signing_keys_sealed = {w.vault.seal(hex, tenant::sealed::service("default", "v2_signing_key")),
                                                          w.vault.seal("some text secret", tenant::sealed::service("default", "v2_signing_key"))};
  const auto token = [](jose::Alg alg, std::string_view secret, std::string_view claims) {
    return jose::sign_compact(jose::Key::hmac(alg, secret), "{\"alg\":\"" + std::string(jose::name(alg)) + "\"}", claims).value();
  };
  const std::string good = R"({"iss":"https://tenant.example/","aud":"https://tenant.example/","sub":"sid:0123456789abcdef0123456789abcdef","ver":"3","exp":1800000000})";
  const std::string bytes = from_hex(hex).value();
  for (const jose::Alg alg : {jose::Alg::HS256, jose::Alg::HS384, jose::Alg::HS512}) {
    EXPECT_TRUE(w.read(token(alg, bytes, good)).ok());
    EXPECT_TRUE(w.read(token(alg, "some text secret", good)).ok());
    EXPECT_FALSE(w.read(token(alg, hex, good)).ok()) << "hex is not taken as text";
  }
  EXPECT_EQ(w.read(token(jose::Alg::HS256, bytes, good))->principal.user_id, "sid:0123456789abcdef0123456789abcdef");
  EXPECT_TRUE(w.read(token(jose::Alg::HS256, bytes, R"({"iss":"urn:microsoft:windows-azure:zumo","aud":["urn:microsoft:windows-azure:zumo"],"sub":"a","exp":1800000000})")).ok());
  EXPECT_FALSE(w.read(token(jose::Alg::HS256, bytes, R"({"iss":"https://evil.example/","aud":"https://tenant.example/","sub":"a","exp":1800000000})")).ok());
  EXPECT_FALSE(w.read(token(jose::Alg::HS256, bytes, R"({"iss":"https://tenant.example/","aud":"https://evil.example/","sub":"a","exp":1800000000})")).ok());
  EXPECT_FALSE(w.read(token(jose::Alg::HS256, bytes, R"({"iss":"https://tenant.example/","aud":"https://tenant.example/","exp":1800000000})")).ok());
}

TEST(Bearer, OurOwnTokensAreVerifiedByTheTenantsKeysOnly) {
  World w;
  const std::string claims = R"({"iss":"https://tenant.example/","aud":"todo-backend","sub":"github|7","azp":"todo","exp":1800000000})";
  const auto b = w.read(jose::sign_jwt(w.tenant->signing_keys[0].key, parse_json(claims)->get_object(), "at+jwt").value());
  ASSERT_TRUE(b.ok()) << b.error().hint;
  EXPECT_EQ(b->principal.user_id, "github|7");
  EXPECT_EQ(b->principal.client_id, "todo");
  EXPECT_TRUE(b->ours);
  const jose::Key stranger = jose::Key::generate(jose::Alg::ES256, "e1").value();
  EXPECT_FALSE(w.read(jose::sign_jwt(stranger, parse_json(claims)->get_object()).value()).ok()) << "same kid, another key";
  EXPECT_FALSE(w.read(jose::sign_compact(jose::Key::hmac(jose::Alg::HS256, w.tenant->signing_keys[0].key.public_pem()), R"({"alg":"HS256","kid":"e1"})", claims).value()).ok());
  const std::string machine = R"({"iss":"https://tenant.example/","aud":"todo-backend","sub":"job@clients","client_id":"job","exp":1800000000})";
  const auto m = w.read(jose::sign_jwt(w.tenant->signing_keys[0].key, parse_json(machine)->get_object(), "at+jwt").value());
  ASSERT_TRUE(m.ok());
  EXPECT_EQ(m->principal.level, Level::application);
  EXPECT_EQ(m->principal.user_id, "");
}

TEST(Bearer, TheUserIdCanTakeTheOldServicesForm) {
  EXPECT_EQ(service_user_id("{user_id}", "facebook|123"), "facebook|123");
  EXPECT_EQ(service_user_id("{provider}:{id}", "facebook|123"), "Facebook:123");
  EXPECT_EQ(service_user_id("{provider}:{id}", "google-oauth2|9"), "Google:9");
  EXPECT_EQ(service_user_id("{provider}:{id}", "windowslive|9"), "MicrosoftAccount:9");
  EXPECT_EQ(service_user_id("{provider}:{id}", "github|9|x"), "github:9|x");
  EXPECT_EQ(service_user_id("{provider}:{id}", "plain"), "plain");
  EXPECT_EQ(service_user_id("{provider}:{id}", "oidc|google|9"), "Google:9");
  EXPECT_EQ(service_user_id("{provider}:{id}", "oauth2|facebook|9|2"), "Facebook:9|2");
  EXPECT_EQ(service_user_id("{provider}:{id}", "oidc|9"), "oidc:9");
  EXPECT_EQ(service_user_id("sid", "oidc|google|9").size(), 36U);
  EXPECT_NE(service_user_id("sid", "oidc|google|9"), service_user_id("sid", "oidc|google|8"));
}

class BearersTest : public ::testing::Test {
 protected:
  BearersTest() { temp.clock().set(kNow * 1000); }
  Result<Principal> identify(std::initializer_list<std::pair<std::string_view, std::string_view>> headers) {
    http::Request request;
    request.host = "tenant.example";
    request.secure = true;
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    const tenant::Here here{world.tenant, &temp.store()};
    return test::run(loop, bearers.identify(here, world.tenant->services.at("default"), request));
  }
  tenant::Here here() { return {world.tenant, &temp.store()}; }

  test::TestLoop loop;
  World world;
  test::TempStore temp{{identity::kMigrations}};
  Users users{temp.clock(), world.random};
  Bearers bearers{world.vault, users, temp.clock()};
};

TEST_F(BearersTest, KeysProveLevelsAndABadTokenIsRefusedWhateverTheKeys) {
  EXPECT_EQ(identify({})->level, Level::anonymous);
  EXPECT_EQ(identify({{"X-ZUMO-APPLICATION", "app-key"}})->level, Level::application);
  EXPECT_EQ(identify({{"X-ZUMO-APPLICATION", "app-kez"}})->level, Level::anonymous);
  EXPECT_EQ(identify({{"X-ZUMO-MASTER", std::string(kMaster)}})->level, Level::admin);
  EXPECT_EQ(identify({{"X-ZUMO-MASTER", "wrong"}, {"X-ZUMO-APPLICATION", "app-key"}})->level, Level::application);
  const std::string token = zumo(R"({"uid":"Custom:1","exp":1800000000})");
  EXPECT_EQ(identify({{"X-ZUMO-AUTH", token}, {"X-ZUMO-APPLICATION", "app-key"}})->level, Level::authenticated);
  const auto admin = identify({{"X-ZUMO-AUTH", token}, {"X-ZUMO-MASTER", std::string(kMaster)}});
  EXPECT_EQ(admin->level, Level::admin);
  EXPECT_EQ(admin->user_id, "Custom:1");
  EXPECT_EQ(identify({{"X-ZUMO-AUTH", token + "x"}, {"X-ZUMO-MASTER", std::string(kMaster)}}).error().code, Code::unauthorized);
  EXPECT_EQ(identify({{"Authorization", "Bearer " + token}})->user_id, "Custom:1");
  EXPECT_EQ(identify({{"X-ZUMO-AUTH", ""}})->level, Level::anonymous) << "an empty header is an absent one";
}

TEST_F(BearersTest, ARememberedTokenDiesAtItsEndAndWithTheConfiguration) {
  const std::string token = zumo(R"({"uid":"x","exp":1700000100})");
  EXPECT_TRUE(identify({{"X-ZUMO-AUTH", token}}).ok());
  temp.clock().advance(std::chrono::seconds(99));
  EXPECT_TRUE(identify({{"X-ZUMO-AUTH", token}}).ok());
  temp.clock().advance(std::chrono::seconds(1));
  EXPECT_EQ(identify({{"X-ZUMO-AUTH", token}}).error().hint, "The authentication token has expired.");

  const std::string longer = zumo(R"({"uid":"x","exp":1800000000})");
  EXPECT_TRUE(identify({{"X-ZUMO-AUTH", longer}}).ok());
  world.tenant = std::make_shared<tenant::Tenant>(*world.tenant);  // as a change of configuration publishes it
  world.service("default", "rotated");
  EXPECT_FALSE(identify({{"X-ZUMO-AUTH", longer}}).ok());
}

TEST_F(BearersTest, OurTokensDieWithTheirUserAndTheirEpoch) {
  User user;
  user.email = "ana@example.org";
  const User ana = test::run(loop, users.create(here(), "db", user)).value();
  JsonObject claims = parse_json(R"({"iss":"urn:microsoft:windows-azure:zumo","exp":1800000000})")->get_object();
  claims["uid"] = claims["sub"] = ana.user_id;
  claims[kEpochClaim] = "0." + std::to_string(ana.epoch);
  const std::string token = zumo(to_json(claims));
  EXPECT_TRUE(identify({{"X-ZUMO-AUTH", token}}).ok());
  EXPECT_TRUE(test::run(loop, users.raise_epoch(here(), ana.user_id)).ok());
  EXPECT_FALSE(identify({{"X-ZUMO-AUTH", token}}).ok()) << "the very next request";

  claims[kEpochClaim] = "0.1000";
  const std::string fresh = zumo(to_json(claims));
  EXPECT_TRUE(identify({{"X-ZUMO-AUTH", fresh}}).ok());
  EXPECT_TRUE(test::run(loop, users.set_blocked(here(), ana.user_id, true)).ok());
  EXPECT_FALSE(identify({{"X-ZUMO-AUTH", fresh}}).ok());
  EXPECT_TRUE(test::run(loop, users.set_blocked(here(), ana.user_id, false)).ok());
  world.tenant = std::make_shared<tenant::Tenant>(*world.tenant);
  world.tenant->epoch = 1;
  EXPECT_FALSE(identify({{"X-ZUMO-AUTH", fresh}}).ok()) << "the tenant's epoch was raised";
}

TEST_F(BearersTest, AccessAndIdTokensOfOursDieWithANewPasswordToo) {
  User user;
  user.email = "ana@example.org";
  const User ana = test::run(loop, users.create(here(), "db", user)).value();
  const auto own = [&](std::string_view typ, std::string_view epoch) {
    JsonObject claims = parse_json(R"({"iss":"https://tenant.example/","aud":"todo-backend","azp":"todo","exp":1800000000)" + std::string(epoch) + "}")->get_object();
    claims["sub"] = ana.user_id;
    return "Bearer " + jose::sign_jwt(world.tenant->signing_keys[0].key, claims, typ).value();
  };
  const std::string access = own("at+jwt", ""), id = own("JWT", "");
  EXPECT_TRUE(identify({{"Authorization", access}}).ok());
  EXPECT_TRUE(identify({{"Authorization", id}}).ok());
  EXPECT_TRUE(test::run(loop, users.raise_epoch(here(), ana.user_id)).ok());
  EXPECT_FALSE(identify({{"Authorization", access}}).ok()) << "the very next request";
  EXPECT_FALSE(identify({{"Authorization", id}}).ok());
  EXPECT_TRUE(identify({{"Authorization", own("at+jwt", R"(,"user_epoch":1)")}}).ok());
  EXPECT_TRUE(identify({{"Authorization", own("JWT", R"(,"urn:mandate:epoch":"0.1")")}}).ok());
  world.tenant = std::make_shared<tenant::Tenant>(*world.tenant);
  world.tenant->epoch = 1;
  EXPECT_FALSE(identify({{"Authorization", own("at+jwt", R"(,"user_epoch":1)")}}).ok()) << "of before a restore";
  EXPECT_TRUE(identify({{"Authorization", own("at+jwt", R"(,"user_epoch":1,"tenant_epoch":1)")}}).ok());
}

}  // namespace
}  // namespace mandate::identity
