// Token exchange (RFC 8693, identity-wire 3.1) and explain.
#include "base/url.h"
#include "tests/delegation/world.h"

namespace mandate::delegation {
namespace {

class TokenExchange : public World {
 protected:
  Result<Json> trade(const std::string& token, std::string_view type, const std::string& more) {
    return exchange("todo", "subject_token=" + token + "&subject_token_type=" + percent_encode("urn:ietf:params:oauth:token-type:" + std::string(type)) + "&" + more);
  }
};

TEST_F(TokenExchange, AClientIdIsAnAudienceAndTheBackendsTokenAType) {
  const auto body = trade(id_token("todo"), "id_token", "audience=todo-backend&requested_token_type=urn%3Amandate%3Atoken-type%3Azumo");
  ASSERT_TRUE(body.ok()) << body.error().hint << body.error().detail;
  EXPECT_EQ(body->at("issued_token_type"), "urn:mandate:token-type:zumo");
  EXPECT_EQ(body->at("token_type"), "N_A");
  EXPECT_EQ(body->at("expires_in"), 36'000);
  EXPECT_EQ(claims(view(body->at("access_token").as_string())).at("ver"), "2");
}

TEST_F(TokenExchange, AnIdTokenForAnotherClientTellsItsTypeAndScope) {
  const auto body = trade(refresh_token("todo", {"openid", "profile"}), "refresh_token",
                          "audience=notes&requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aid_token&scope=openid+name+x:y");
  ASSERT_TRUE(body.ok()) << body.error().hint << body.error().detail;
  EXPECT_EQ(body->at("issued_token_type"), "urn:ietf:params:oauth:token-type:id_token");
  EXPECT_EQ(claims(view(body->at("access_token").as_string())).at("aud"), "notes");
}

TEST_F(TokenExchange, TheGateAndThePolicyAreTheSameAsAtTheOldDoor) {
  EXPECT_EQ(exchange("other", "subject_token=" + id_token("other") + "&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aid_token&audience=todo-backend").error().code, Code::invalid_target);
  EXPECT_EQ(trade(id_token("todo"), "id_token", "audience=a&audience=b").error().code, Code::invalid_target);
  EXPECT_EQ(trade(id_token("todo"), "id_token", "audience=todo-backend&requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token").error().code, Code::invalid_target);
  EXPECT_EQ(trade("nonsense", "access_token", "audience=todo-backend").error().code, Code::invalid_grant);
  client("todo").grant_types.erase(client("todo").grant_types.find(tenant::grant::kTokenExchange));
  publish();
  EXPECT_EQ(trade(id_token("todo"), "id_token", "audience=todo-backend").error().code, Code::unauthorized_client);
}

TEST_F(TokenExchange, ExplainNamesEachCheckWithItsVerdict) {
  const auto ask = [&](const char* client_id, const char* target, const char* user) {
    return test::run(loop, explain(deps(), here(), client_id, target, user)).value();
  };
  const auto verdict = [](const Json& report, std::string_view check) {
    for (const Json& line : report.at("checks").as_array())
      if (view(line.at("check").as_string()) == check) return line.at("ok").as_bool();
    ADD_FAILURE() << check << " is not in " << to_json(report);
    return false;
  };
  const Json good = ask("todo", "todo-backend", "ana@example.org");
  EXPECT_TRUE(good.at("allowed").as_bool()) << to_json(good);
  EXPECT_EQ(good.at("api_type"), "wams");
  EXPECT_EQ(good.at("lifetime_in_seconds"), 36'000);
  const Json refused = ask("other", "todo-backend", ana.user_id.c_str());
  EXPECT_FALSE(refused.at("allowed").as_bool());
  EXPECT_TRUE(verdict(refused, "client"));
  EXPECT_TRUE(verdict(refused, "user"));
  EXPECT_FALSE(verdict(refused, "permission"));
  EXPECT_FALSE(verdict(ask("todo", "nowhere", "ana@example.org"), "target"));
  EXPECT_FALSE(verdict(ask("nobody", "todo-backend", ""), "client"));
  EXPECT_FALSE(verdict(ask("todo", "todo-backend", "nobody@example.org"), "user"));
  config->flags.clear();
  client("todo").grant_types.clear();
  publish();
  EXPECT_FALSE(verdict(ask("todo", "todo-backend", "ana@example.org"), "grant types"));
  EXPECT_TRUE(audit("delegation.ok").empty()) << "explaining does nothing";
}

}  // namespace
}  // namespace mandate::delegation
