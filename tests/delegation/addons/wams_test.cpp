#include "delegation/addons/wams_key.h"
#include "identity/bearer.h"
#include "identity/credentials.h"
#include "tests/delegation/world.h"

namespace mandate::delegation {
namespace {

using Wams = World;

TEST(WamsToken, BothFormsAreThePublishedOnesToTheLastByte) {
  const jose::Key key = identity::zumo_key(kMaster);
  const WamsToken token{"https://tenant.example/", "WAMS_CLIENT", "github|123", 1'700'000'000, 4'102'444'800};
  const auto signature = [&](const JsonObject& settings) {
    const std::string text = jose::sign_compact(key, kWamsHeader, to_json(wams_claims(settings, token))).value();
    return text.substr(text.rfind('.') + 1);
  };
  EXPECT_EQ(signature({{"claims", "auth0"}}), "4L48DGCdbVqiCYeNIKAPZ9Dagjvqzl9iNnvXfwpnnJw");
  EXPECT_EQ(signature({{"claims", "zumo"}}), "9TTKBm6SJIBaENKiuy6jCCWuu6TJRpEbxjg9IYlwtvo");
  EXPECT_EQ(signature({}), signature({{"claims", "zumo"}}));
}

TEST(WamsToken, CredentialsAreEncryptedAsTheOldRuntimeReadsThem) {
  EXPECT_EQ(identity::encrypt_credentials(kMaster, R"({"accessToken":"abc"})"), "7h8rSxCl2trHDDYa0YosTVFXx2NPbx1JtJaBC1P8gTw=");
}

TEST_F(Wams, ItsOwnMasterKeyAndLifetimeComeFirst) {
  JsonObject& settings = client("todo-backend").addons["wams"];
  settings["masterkey"] = tenants.vault_.seal("its own key", tenant::sealed::addon("todo-backend", "wams", "masterkey"));
  settings["lifetime_in_seconds"] = 600;
  settings["uid_format"] = "{provider}:{id}";
  publish();
  const JsonObject body = json(delegate(id_token("todo"), "todo-backend"));
  EXPECT_EQ(body.at("expires_in"), 600);
  const std::string_view token = *text_member(body, "id_token");
  EXPECT_TRUE(jose::verify(*jose::parse_compact(token), identity::zumo_key("its own key")));
  const JsonObject c = claims(token);
  EXPECT_EQ(view(c.at("sub").as_string()), ana.user_id);
  EXPECT_EQ(view(c.at("uid").as_string()), "auth0:" + ana.user_id.substr(6));
  EXPECT_FALSE(c.contains("urn:microsoft:credentials"));
}

TEST_F(Wams, AChangeOfTheMasterKeyHoldsFromTheNextCallOn) {
  EXPECT_EQ(delegate(id_token("todo"), "todo-backend").status, 200);
  service("default", "rotated");
  publish();
  const std::string token(*text_member(json(delegate(id_token("todo"), "todo-backend")), "id_token"));
  EXPECT_TRUE(jose::verify(*jose::parse_compact(token), identity::zumo_key("rotated")));
}

TEST_F(Wams, IdentitiesAreIncludedOnlyWhenSwitchedOn) {
  client("todo-backend").addons["wams"]["include_identities"] = true;
  publish();
  EXPECT_TRUE(claims(*text_member(json(delegate(id_token("todo"), "todo-backend")), "id_token")).contains("urn:microsoft:credentials"));
}

TEST_F(Wams, TheServiceItselfTakesTheTokenUntilThePersonIsBlocked) {
  const std::string token(*text_member(json(delegate(id_token("todo"), "todo-backend")), "id_token"));
  identity::Bearers bearers(tenants.vault_, users, temp.clock());
  http::Request request;
  request.host = "tenant.example";
  request.secure = true;
  request.headers.add("X-ZUMO-AUTH", token);
  const tenant::Here now = here();
  const auto ask = [&] { return test::run(loop, bearers.identify(now, now->services.at("default"), request)); };
  const auto principal = ask();
  ASSERT_TRUE(principal.ok()) << principal.error().hint;
  EXPECT_EQ(principal->user_id, ana.user_id);
  EXPECT_EQ(principal->client_id, "todo");
  EXPECT_TRUE(test::run(loop, users.set_blocked(here(), ana.user_id, true)).ok());
  EXPECT_EQ(ask().error().code, Code::unauthorized);
}

}  // namespace
}  // namespace mandate::delegation
