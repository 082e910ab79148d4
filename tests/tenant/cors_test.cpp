#include <gtest/gtest.h>

#include "tenant/cors.h"
#include "tenant/tenants.h"

namespace mandate::tenant {
namespace {

Client app() {
  Client client;
  client.client_id = "app";
  client.callbacks = {"https://app.example/callback?x=1", "https://*.wild.example/cb", "http://localhost:3000/cb", "com.example.app://cb"};
  client.allowed_origins = {"https://other.example:8443"};
  client.web_origins = {"https://web.example"};
  return client;
}

Tenant house() {
  Tenant tenant;
  tenant.clients.emplace("app", app());
  Client off;
  off.enabled = false;
  off.callbacks = {"https://off.example/"};
  tenant.clients.emplace("off", off);
  return tenant;
}

struct Asked {
  explicit Asked(std::string_view origin) {
    if (!origin.empty()) request.headers.add("Origin", origin);
    request.host = "tenant.example";
    request.secure = true;
  }
  http::Request request;
};

bool any_cors(const http::Response& response) {
  for (const auto& field : response.headers.all())
    if (field.name.starts_with("Access-Control-")) return true;
  return false;
}

TEST(Cors, KnowsTheOriginsOfCallbacksAndLists) {
  const Client client = app();
  for (const char* origin : {"https://app.example", "https://APP.example", "https://app.example:443", "https://a.wild.example",
                             "http://localhost:3000", "https://other.example:8443"})
    EXPECT_TRUE(origin_allowed(client, origin, false)) << origin;
  EXPECT_FALSE(origin_allowed(client, "https://web.example", false));
  EXPECT_TRUE(origin_allowed(client, "https://web.example", true));
}

// SE-10: what looks like a registered origin and is none.
TEST(Cors, GivesAMutatedOriginNoHeaderAtAll) {
  const Tenant tenant = house();
  const Client client = app();
  for (const char* origin :
       {"null", "NULL", "", "*", "app.example", "//app.example", "http://app.example", "https://app.example:444", "https://app.example:80",
        "https://app.example.evil.example", "https://evilapp.example", "https://evil-app.example", "https://app.example.", "https://xapp.example",
        "https://app.exampl", "https://app.examplee", "https://app.example/", "https://app.example/callback", "https://app.example?x",
        "https://app.example#x", "https://user@app.example", "https://app.example@evil.example", "https://evil.example/https://app.example",
        "https://app.example evil", "https://app.example,https://evil.example", "https://app.example\\.evil.example", "https://app.example%2eevil",
        "https://wild.example", "https://.wild.example", "https://a.b.wild.example", "https://evilwild.example", "https://a.wild.example.evil",
        "https://*.wild.example", "http://a.wild.example", "https://a.wild.example:8443", "https://a/b.wild.example", "http://localhost",
        "http://localhost:3001", "https://localhost:3000", "http://127.0.0.1:3000", "https://other.example", "https://other.example:443",
        "https://off.example", "javascript:alert(1)", "data:text/html,x", "file://", "chrome-extension://abc", "com.example.app://evil",
        "https://[::1]", "https://xn--pp-bja.example", "ftp://app.example"}) {
    const Asked asked(origin);
    for (const Client* known : {&client, static_cast<const Client*>(nullptr)})
      for (const bool credentials : {false, true}) {
        http::Response response(200);
        add_cors(response, asked.request, tenant, known, credentials);
        EXPECT_FALSE(any_cors(response)) << origin;
        EXPECT_FALSE(any_cors(preflight(asked.request, tenant, credentials))) << origin;
      }
    if (*origin) EXPECT_TRUE(foreign_origin(asked.request, client)) << origin;
  }
}

TEST(Cors, AnswersAKnownOriginWithItAndVary) {
  const Tenant tenant = house();
  const Client client = app();
  const Asked asked("https://app.example");
  http::Response response(200);
  add_cors(response, asked.request, tenant, &client);
  EXPECT_EQ(response.headers.get("Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_EQ(response.headers.get("Vary"), "Origin");
  EXPECT_FALSE(response.headers.has("Access-Control-Allow-Credentials"));
  EXPECT_NE(response.headers.get("Access-Control-Expose-Headers").find("X-RateLimit-Reset"), std::string_view::npos);
  add_cors(response, asked.request, tenant, &client, true);
  EXPECT_EQ(response.headers.get("Access-Control-Allow-Credentials"), "true");
}

TEST(Cors, AnotherClientsOriginIsNoneOfThisClients) {
  Tenant tenant = house();
  Client second;
  second.callbacks = {"https://second.example/"};
  tenant.clients.emplace("second", second);
  const Asked asked("https://second.example");
  http::Response response(200);
  add_cors(response, asked.request, tenant, tenant.client("app"));
  EXPECT_FALSE(any_cors(response));
  EXPECT_TRUE(any_cors(preflight(asked.request, tenant))) << "no client is known at preflight";
}

TEST(Cors, PreflightNamesMethodsAndHeaders) {
  const http::Response response = preflight(Asked("https://app.example").request, house());
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(response.headers.get("Access-Control-Max-Age"), "600");
  EXPECT_NE(response.headers.get("Access-Control-Allow-Headers").find("Auth0-Client"), std::string_view::npos);
  EXPECT_NE(response.headers.get("Access-Control-Allow-Methods").find("PATCH"), std::string_view::npos);
}

TEST(Cors, KeepsWhatVaryNamedBefore) {
  http::Response response(200);
  response.headers.set("Vary", "Accept-Encoding");
  add_cors(response, Asked("").request, house(), nullptr);
  EXPECT_EQ(response.headers.get("Vary"), "Accept-Encoding, Origin");
}

TEST(Cors, ARequestWithoutOriginOrFromOurOwnPageIsNotForeign) {
  EXPECT_FALSE(foreign_origin(Asked("").request, app()));
  EXPECT_FALSE(foreign_origin(Asked("https://tenant.example").request, app()));
  EXPECT_TRUE(foreign_origin(Asked("http://tenant.example").request, app()));
}

TEST(Cors, AWildcardIsOneLabel) {
  EXPECT_TRUE(host_matches("*.a.example", "x-1.A.example"));
  EXPECT_FALSE(host_matches("*.a.example", "x.y.a.example"));
  EXPECT_FALSE(host_matches("*.a.example", ".a.example"));
  EXPECT_FALSE(host_matches("*.a.example", "a.example"));
  EXPECT_TRUE(host_matches("a.example", "A.EXAMPLE"));
}

TEST(Issuer, IsTheHostAskedUnlessTheTenantSaysOtherwise) {
  Tenant tenant;
  http::Request request;
  request.secure = true;
  request.host = "localhost:8443";
  EXPECT_EQ(issuer_of(tenant, request), "https://localhost:8443/");
  tenant.hosts = {"login.example"};
  EXPECT_EQ(issuer_of(tenant, request), "https://localhost:8443/");
  request.host = "login.example:8443";
  EXPECT_EQ(issuer_of(tenant, request), "https://login.example:8443/");
  request.host = "evil.example";  // SE-7
  EXPECT_EQ(issuer_of(tenant, request), "https://login.example/");
  tenant.issuer_host = "id.example:444";
  EXPECT_EQ(issuer_of(tenant, request), "https://id.example:444/");
}

}  // namespace
}  // namespace mandate::tenant
