#include <gtest/gtest.h>

#include "tenant/codec/names.h"

namespace mandate::tenant {
namespace {

// OA-2: refused in any letter case, when a client is made and when it is changed (one function serves both).
TEST(RedirectUris, DangerousOnesAreRefused) {
  for (const char* url :
       {"", "javascript:alert(1)", "JavaScript:alert(1)", "jAvAsCrIpT://app.example/%0aalert(1)", " javascript:alert(1)", "java\tscript:alert(1)",
        "data:text/html,x", "DATA:text/html;base64,x", "vbscript:x", "file:///etc/passwd", "blob:https://app.example/x", "about:blank",
        "view-source:https://app.example", "ws://localhost/", "https://app.example/#frag", "https://app.example/cb#", "https://user@app.example/",
        "https://user:pw@app.example/", "https://app.example@evil.example/", "https://@app.example/", "https://*/", "https://*.com/",
        "https://a*.example.com/", "https://*.*.example.com/", "https://x.*.example.com/", "HTTP://app.example/", "http://app.example/",
        "http://127.evil.example/", "http://localhost.evil.example/", "http://10.0.0.1/", "https:///path", "https://", "//app.example/cb", "/cb",
        "cb", "https://app.example/a b", "https://app.example/\\evil", "https://app.example/../x", "https://app.example/%2e%2e/x",
        "https://app.example/./x", "https://app.ex\xC3\xA4mple/", "https://app.example/\xE2\x80\xAE", "https://app.example:0/", "https://app.example:99999/",
        "https://[::1/", "https://app.example/\n", "mailto:a@app.example"}) {
    EXPECT_NE(redirect_problem(url, true), "") << url;
    EXPECT_NE(redirect_problem(url, false), "") << url;
  }
  EXPECT_NE(redirect_problem("https://app.example/" + std::string(2000, 'a'), false), "");
}

TEST(RedirectUris, GoodOnesPass) {
  for (const char* url : {"https://app.example/cb", "https://app.example", "https://app.example:8443/cb?x=1&y=@", "HTTPS://APP.example/cb", "http://localhost/cb",
                          "http://LOCALHOST:3000/cb", "http://todo.localhost:3000/", "http://127.0.0.1:5000/", "http://[::1]:5000/", "com.example.app:/cb",
                          "com.example.app://tenant/ios/cb", "a0todo://*.example.com/authorize", "ms-app://s-1-15-2-1/"})
    EXPECT_EQ(redirect_problem(url, false), "") << url;
}

TEST(RedirectUris, AWildcardSubdomainIsForLegacyClients) {
  EXPECT_EQ(redirect_problem("https://*.example.com/cb", true), "");
  EXPECT_NE(redirect_problem("https://*.example.com/cb", false), "");
}

TEST(Origins, HaveNothingAfterThePort) {
  EXPECT_EQ(origin_problem("https://app.example:8443"), "");
  EXPECT_EQ(origin_problem("https://*.app.example"), "");
  EXPECT_EQ(origin_problem("http://localhost:3000"), "");
  for (const char* origin : {"https://app.example/", "https://app.example?x", "app.example", "null", "*", "http://app.example", "com.example.app:/x"})
    EXPECT_NE(origin_problem(origin), "") << origin;
}

TEST(Names, FollowTheirRules) {
  EXPECT_EQ(tenant_name_problem("demo-1"), "");
  for (const char* name : {"", "Demo", "-demo", "demo-", "a/b", "..", "system", "de mo", "dem\xC3\xB6"}) EXPECT_NE(tenant_name_problem(name), "") << name;
  EXPECT_EQ(client_id_problem("Todo_App.1-x"), "");
  for (const char* name : {"", "a b", "a/b", "*", "a\x1f", "a\"b"}) EXPECT_NE(client_id_problem(name), "") << name;
  EXPECT_EQ(table_name_problem("TodoItem_2"), "");
  for (const char* name : {"", "_x", "2x", "a-b", "a.b", "a;drop", "a b", "__x"}) EXPECT_NE(table_name_problem(name), "") << name;
  for (const char* name : {"id", "ID", "createdAt", "version", "DELETED", "x y"}) EXPECT_NE(column_name_problem(name), "") << name;
  EXPECT_EQ(host_problem("localhost:8443"), "");
  EXPECT_EQ(host_problem("[::1]:80"), "");
  for (const char* host : {"", "https://a", "a/b", "A.example", "a b", "u@a", "a?b", "a:b", "*.a.example"}) EXPECT_NE(host_problem(host), "") << host;
}

}  // namespace
}  // namespace mandate::tenant
