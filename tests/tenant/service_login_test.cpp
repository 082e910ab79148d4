// The member `login` of a service in the tenant's file.
#include <gtest/gtest.h>

#include "tenant/codec/codec.h"

namespace mandate::tenant {
namespace {

JsonObject object(std::string_view text) { return parse_json(text)->as_object(); }

std::string complaint(std::string_view text) {
  Problems problems;
  const JsonObject body = object(text);
  (void)read_service_login(body, "login", problems);
  return problems.empty() ? "" : problems.error().hint;
}

TEST(ServiceLogin, IsReadAndWrittenWithoutALoss) {
  const JsonObject body = object(R"({"connections":["corp"],"providers":{"aad":"corp"},"token":"own","signing_alg":"RS256","user_id_format":"{provider}:{id}",
    "token_lifetime":3600,"refresh_lifetime":86400,"keep_provider_tokens":false,"client_flow":false,"legacy_callbacks":true,
    "external_redirects":["myapp","https://app.example/after"],"package_sid":"ms-app://s-1-15-2-1"})");
  Problems problems;
  const ServiceLogin login = read_service_login(body, "login", problems);
  EXPECT_TRUE(problems.empty()) << problems.error().hint;
  EXPECT_EQ(to_json(write_service_login(login)), to_json(body));
  EXPECT_EQ(to_json(write_service_login(ServiceLogin{})), "{}");
}

TEST(ServiceLogin, AMistakeIsNamedAtItsPlace) {
  for (const auto& [text, where] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {R"({"token":"v9"})", "login.token"},
           {R"({"signing_alg":"HS256"})", "login.signing_alg"},
           {R"({"user_id_format":"{id}"})", "login.user_id_format"},
           {R"({"token_lifetime":99999999})", "login.token_lifetime"},
           {R"({"providers":{"AAD":"corp"}})", "login.providers.AAD"},
           {R"({"providers":{"aad":"a b"}})", "login.providers.aad"},
           {R"x({"external_redirects":["javascript:alert(1)"]})x", "login.external_redirects[0]"},
           {R"({"external_redirects":["javascript"]})", "login.external_redirects[0]"},
           {R"({"external_redirects":["http://app.example/x"]})", "login.external_redirects[0]"},
           {R"({"external_redirects":["my app"]})", "login.external_redirects[0]"},
           {R"({"package_sid":"https://evil.example"})", "login.package_sid"},
           {R"({"unknown":1})", "login.unknown"}})
    EXPECT_NE(complaint(text).find(where), std::string::npos) << text << complaint(text);
}

TEST(ServiceLogin, TheServiceStandsForAClientThatHasNothingElse) {
  Service service;
  service.name = "shop";
  service.login.connections = {"corp"};
  const Client client = client_of(service);
  EXPECT_EQ(client.client_id, "urn:mandate:service:shop");
  EXPECT_EQ(client.connections, service.login.connections);
  EXPECT_EQ(client.grant_types.size(), 1U);
  EXPECT_TRUE(client.callbacks.empty());
}

TEST(ServiceLogin, AnOidcConnectionNeedsItsIssuer) {
  const auto wrong = [](std::string_view text) {
    Problems problems;
    (void)read_connection("corp", object(text), "connections.corp", problems);
    return problems.empty() ? std::string() : problems.error().hint;
  };
  EXPECT_EQ(wrong(R"({"strategy":"oidc","options":{"issuer":"https://id.example","client_id":"x"}})"), "");
  EXPECT_EQ(wrong(R"({"strategy":"oidc","options":{"issuer":"http://127.0.0.1:8080/realm","client_id":"x"}})"), "");
  EXPECT_NE(wrong(R"({"strategy":"oidc","options":{"client_id":"x"}})").find("options.issuer"), std::string::npos);
  EXPECT_NE(wrong(R"({"strategy":"oidc","options":{"issuer":"http://id.example","client_id":"x"}})").find("options.issuer"), std::string::npos);
  EXPECT_NE(wrong(R"({"strategy":"oidc","options":{"issuer":"https://id.example"}})").find("options.client_id"), std::string::npos);
}

}  // namespace
}  // namespace mandate::tenant
