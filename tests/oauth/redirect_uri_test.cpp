// OA-1 and identity-wire 0.3 #10.
#include "oauth/redirect_uri.h"

#include <gtest/gtest.h>

namespace mandate::oauth {
namespace {

constexpr std::string_view kThisIssuer = "https://login.example/";

tenant::Client web(std::vector<std::string> callbacks) {
  tenant::Client client;
  client.client_id = "app";
  client.app_type = "regular_web";
  client.callbacks = std::move(callbacks);
  return client;
}

tenant::Client native(std::vector<std::string> callbacks) {
  tenant::Client client = web(std::move(callbacks));
  client.app_type = "native";
  return client;
}

bool allowed(const tenant::Client& client, std::string_view uri) {
  return redirect_uri_allowed(client, kThisIssuer, uri);
}

TEST(RedirectUri, IsTakenWhenItIsARegisteredOne) {
  const auto client = web({"https://app.example/cb", "https://app.example:8443/cb?x=1"});
  EXPECT_TRUE(allowed(client, "https://app.example/cb"));
  EXPECT_TRUE(allowed(client, "https://app.example:8443/cb?x=1"));
}

TEST(RedirectUri, IsRefusedForEveryMutationOfARegisteredOne) {
  const auto client = web({"https://app.example/cb"});
  const std::string_view mutations[] = {
      "",
      " ",
      "https://app.example/cb/",
      "https://app.example/cB",
      "https://app.example/CB",
      "https://APP.example/cb",
      "HTTPS://app.example/cb",
      "https://app.EXAMPLE/cb",
      "http://app.example/cb",
      "https://app.example:443/cb",
      "https://app.example:8443/cb",
      "https://app.example:/cb",
      "https://app.example./cb",
      "https://app.example/cb?",
      "https://app.example/cb?x=1",
      "https://app.example/cb?redirect_uri=https://evil.example",
      "https://app.example/cb#",
      "https://app.example/cb#x",
      "https://app.example/cb%20",
      "https://app.example/cb%00",
      "https://app.example/cb%2f",
      "https://app.example/%63b",
      "https://app.example/c%62",
      "https://app.example//cb",
      "https://app.example/./cb",
      "https://app.example/x/../cb",
      "https://app.example/cb/..",
      "https://app.example/cb/../cb",
      "https://app.example/cb/%2e%2e/cb",
      "https://app.example/cb;x",
      "https://app.example/cb\\",
      "https://app.example\\cb",
      "https:\\\\app.example\\cb",
      "https:/app.example/cb",
      "https:app.example/cb",
      "//app.example/cb",
      "app.example/cb",
      "/cb",
      "https://user@app.example/cb",
      "https://user:pass@app.example/cb",
      "https://app.example@evil.example/cb",
      "https://app.example:x@evil.example/cb",
      "https://evil.example@@app.example/cb",
      "https://evil.example/cb",
      "https://evil.example/https://app.example/cb",
      "https://evil.example?https://app.example/cb",
      "https://evil.example#https://app.example/cb",
      "https://evil.example\\@app.example/cb",
      "https://app.example.evil.example/cb",
      "https://evilapp.example/cb",
      "https://x.app.example/cb",
      "https://app.examplecb",
      "https://app.example",
      "https://app.example/",
      "https://app.example/c",
      "https://app.example/cbx",
      "https://app.example/cb\n",
      "https://app.example/cb\r\nLocation: https://evil.example",
      "https://app.example/cb\t",
      "\thttps://app.example/cb",
      " https://app.example/cb",
      "https://app.example/cb ",
      "https://app.ex\xC3\xA4mple/cb",
      "https://\xD0\xB0pp.example/cb",
      "https://xn--pp-6kc.example/cb",
      "https://app.example\xE3\x80\x82"
      "evil/cb",
      "https://127.0.0.1/cb",
      "https://[::1]/cb",
      "https://[::ffff:7f00:1]/cb",
      "https://2130706433/cb",
      "javascript:alert(1)//https://app.example/cb",
      "data:text/html,https://app.example/cb",
      "https://app.example/cb,https://evil.example",
      "https://app.example/cb https://evil.example",
      "https://*.example/cb",
      "*",
      "null",
      "https://login.example/mobile",
      "https://login.example/win8",
  };
  EXPECT_GE(std::size(mutations), 60U);
  for (std::string_view uri : mutations) EXPECT_FALSE(allowed(client, uri)) << uri;
  EXPECT_FALSE(allowed(client, std::string_view("https://app.example/cb\0", 23)));
  EXPECT_FALSE(allowed(client, "https://app.example/" + std::string(3000, 'a')));
}

TEST(RedirectUri, MayStandForOneLabelWhereAStarIsRegistered) {
  const auto client = web({"https://*.example.org/cb"});
  EXPECT_TRUE(allowed(client, "https://a.example.org/cb"));
  EXPECT_TRUE(allowed(client, "https://a-1.example.org/cb"));
  for (std::string_view uri :
       {"https://example.org/cb", "https://.example.org/cb", "https://a.b.example.org/cb",
        "https://-a.example.org/cb", "https://a-.example.org/cb", "https://*.example.org/cb",
        "https://evil.example/.example.org/cb", "https://evil@a.example.org/cb",
        "https://a.example.org.evil/cb", "https://a.example.org:1/cb", "https://a.example.org/cb/",
        "http://a.example.org/cb", "https://a%2eexample.org/cb", "https://a/example.org/cb",
        "https://a.EXAMPLE.org/cb", "https://a.example.org/CB", "https://a"})
    EXPECT_FALSE(allowed(client, uri)) << uri;
}

TEST(RedirectUri, OfANativeClientMayChooseItsLoopbackPort) {
  const auto client = native({"http://127.0.0.1/cb", "http://[::1]:4000/cb?a=b", "http://localhost:3000/cb"});
  for (std::string_view uri : {"http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb",
                               "http://[::1]/cb?a=b", "http://[::1]:7/cb?a=b"})
    EXPECT_TRUE(allowed(client, uri)) << uri;
  for (std::string_view uri :
       {"http://127.0.0.1:/cb", "http://127.0.0.1:123456/cb", "http://127.0.0.1:1@evil.example/cb",
        "http://127.0.0.1.evil.example/cb", "http://127.0.0.1:80.evil.example/cb", "https://127.0.0.1:1/cb",
        "http://127.0.0.1:1/cb/", "http://127.0.0.1:1/", "http://127.0.0.1:1", "http://127.0.0.2:1/cb",
        "http://127.1:1/cb", "http://localhost:3001/cb", "http://[::1]:7/cb", "http://[::2]:7/cb?a=b"})
    EXPECT_FALSE(allowed(client, uri)) << uri;
  auto not_native = web({"http://127.0.0.1/cb"});
  EXPECT_FALSE(allowed(not_native, "http://127.0.0.1:1/cb"));
}

TEST(RedirectUri, MobileAndWin8AreCallbacksOfEveryNativeClient) {
  const auto client = native({});
  EXPECT_TRUE(allowed(client, "https://login.example/mobile"));
  EXPECT_TRUE(allowed(client, "https://login.example/win8"));
  for (std::string_view uri :
       {"https://login.example/mobile/", "https://login.example/mobilex", "https://evil.example/mobile",
        "http://login.example/mobile", "https://login.example/mobile?x", "https://login.example/other"})
    EXPECT_FALSE(allowed(client, uri)) << uri;
}

TEST(RedirectUri, OfALegacyClientMayDifferInTheCaseOfSchemeAndHostOnly) {
  auto client = native({"a0App://github.Login.example/authorize"});
  EXPECT_FALSE(allowed(client, "a0app://github.login.example/authorize"));
  client.oidc_conformant = false;
  EXPECT_TRUE(allowed(client, "a0app://github.login.example/authorize"));
  EXPECT_FALSE(allowed(client, "a0app://github.login.example/Authorize"));
  client.callbacks = {"a0app://*.login.example/authorize"};
  EXPECT_TRUE(allowed(client, "a0app://GitHub.login.example/authorize"));
  EXPECT_FALSE(allowed(client, "a0app://login.example/authorize"));
}

TEST(RedirectUri, DefaultsToTheFirstWithoutAWildcard) {
  EXPECT_EQ(default_redirect_uri(web({"https://*.a/cb", "https://b/cb", "https://c/cb"})), "https://b/cb");
  EXPECT_EQ(default_redirect_uri(web({"https://*.a/cb"})), "");
}

}  // namespace
}  // namespace mandate::oauth
