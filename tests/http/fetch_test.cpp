// OB-1 … OB-5: where our own requests go, and what they bring back.
#include "http/fetch.h"

#include "http/outbound/address_rules.h"
#include "http/outbound/resolver.h"
#include "tests/http/server_test_base.h"
#include "tests/support/test_loop.h"

namespace mandate::http::test {
namespace {

using mandate::test::run;
using mandate::test::TestLoop;

std::string hint_of(auto result) { return result.ok() ? "ok" : result.error().hint; }

TEST(AddressRules, OnlyAddressesOfThePublicInternetAreCalled) {
  const auto verdict = [](std::string_view host) {
    return hint_of(outbound::check_url("https://" + std::string(host) + "/", {}));
  };
  for (const char* host :
       {"127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "169.254.169.254", "172.16.0.1",
        "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.7",
        "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "[::]", "[::1]",
        "[::ffff:127.0.0.1]", "[::ffff:8.8.8.8]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::808:808]",
        "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2002:808:808::]", "[2001::1]", "[2001:db8::1]", "[fc00::1]", "[fd12::1]",
        "[fe80::1]", "[fec0::1]", "[ff02::1]", "[100::1]", "[3fff::1]", "[4000::1]",
        // other spellings of 127.0.0.1 and of a public address
        "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "127.1", "127.0.1", "017700000001", "1.1.1.1.",
        "134744072", "0x08080808", "8.8.2056"})
    EXPECT_EQ(verdict(host), "blocked_address") << host;
  for (const char* host : {"8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "[2606:4700::1111]", "[2a00:1450::1]",
                           "example.com", "a1.example", "xn--bcher-kva.example"})
    EXPECT_EQ(verdict(host), "ok") << host;
}

TEST(AddressRules, UrlsOfOtherFormsAreRefused) {
  for (const char* url : {"", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "//example.com/",
                          "http:///x", "http://user@example.com/", "http://user:pw@example.com/", "http://@example.com/",
                          "http://example.com:22/", "http://example.com:25/", "http://exa mple.com/",
                          "http://example.com\\@evil/", "http://ex\xc3\xa4mple.com/", "http://[::1/", "http://a..b@/"})
    EXPECT_FALSE(outbound::check_url(url, {}).ok()) << url;
  EXPECT_TRUE(outbound::check_url("http://example.com:8080/x?y#z", {}).ok());
  EXPECT_TRUE(outbound::check_url("http://127.0.0.1:25/", {"127.0.0.1:25"}).ok());
  EXPECT_FALSE(outbound::check_url("http://127.0.0.1:26/", {"127.0.0.1:25"}).ok());
}

class FetchTest : public ServerTest {
 protected:
  FetchTest() {
    router->get("/moved", [](Request&) -> Task<Response> { co_return Response::redirect(302, "http://169.254.169.254/"); });
    router->get("/large", [](Request&) -> Task<Response> { co_return Response::text(200, std::string(2 << 20, 'a')); });
    router->get("/refused", [](Request&) -> Task<Response> { co_return Response::text(403, "canary"); });
  }
  FetchRequest to(std::string path) {
    FetchRequest request;
    request.url = "http://127.0.0.1:" + std::to_string(server->port()) + path;
    return request;
  }
  std::unique_ptr<Fetch> allowed() { return make_fetch({"127.0.0.1:" + std::to_string(server->port()), "localhost"}); }
};

TEST_F(FetchTest, BringsStatusHeadersAndBody) {
  start();
  TestLoop loop;
  const auto fetch = allowed();
  FetchRequest request = to("/echo?x=1");
  request.method = Method::post;
  request.body = "hello";
  request.headers.set("Content-Type", "text/plain");
  const auto answer = run(loop, fetch->send(request));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ((*answer).status, 200);
  EXPECT_EQ((*answer).body, "hello");
  EXPECT_EQ((*answer).headers.get("content-type"), "text/plain; charset=utf-8");
}

TEST_F(FetchTest, SendsNothingOfItsOwnAccord) {
  start();
  ::setenv("http_proxy", "http://127.0.0.1:1/", 1);
  TestLoop loop;
  const auto answer = run(loop, allowed()->send(to("/headers")));
  ::unsetenv("http_proxy");
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ((*answer).body, "host=127.0.0.1:" + std::to_string(server->port()) + ";accept=*/*;user-agent=mandate;");
}

TEST_F(FetchTest, ResolvesNamesOnceAndCallsThem) {
  start();
  TestLoop loop;
  const auto fetch = allowed();
  FetchRequest request;
  request.url = "http://localhost:" + std::to_string(server->port()) + "/hello";
  const auto answer = run(loop, fetch->send(request));
  ASSERT_TRUE(answer.ok()) << hint_of(answer);
  EXPECT_EQ((*answer).body, R"({"hello":1})");
}

TEST_F(FetchTest, LoopbackIsBlockedUnlessAllowed) {
  start();
  TestLoop loop;
  const auto fetch = make_fetch({});
  EXPECT_EQ(hint_of(run(loop, fetch->send(to("/hello")))), "blocked_address");
  FetchRequest by_name;
  by_name.url = "http://localhost:" + std::to_string(server->port()) + "/hello";
  EXPECT_EQ(hint_of(run(loop, fetch->send(by_name))), "blocked_address");
  EXPECT_EQ(hint_of(run(loop, fetch->check("http://localhost/"))), "blocked_address");
  EXPECT_EQ(hint_of(run(loop, fetch->check("http://93.184.216.34/"))), "ok");
}

TEST_F(FetchTest, RedirectsAreNotFollowed) {
  start();
  TestLoop loop;
  const auto answer = run(loop, allowed()->send(to("/moved")));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ((*answer).status, 302);
}

TEST_F(FetchTest, LargeAnswersAreCut) {
  start();
  TestLoop loop;
  const auto fetch = allowed();
  const auto answer = run(loop, fetch->send(to("/large")));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::upstream_error);
  FetchRequest generous = to("/large");
  generous.answer_limit = 4 << 20;
  EXPECT_TRUE(run(loop, fetch->send(generous)).ok());
}

TEST_F(FetchTest, ADeadlineEndsTheWait) {
  start();
  TestLoop loop;
  const auto fetch = allowed();
  FetchRequest request = to("/slow");
  request.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
  const auto answer = run(loop, fetch->send(request));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::timeout);
}

TEST_F(FetchTest, NobodyThereIsAnUpstreamError) {
  start();
  TestLoop loop;
  const auto fetch = make_fetch({"127.0.0.1"});
  FetchRequest request;
  request.url = "http://127.0.0.1:1/";
  const auto answer = run(loop, fetch->send(request));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::upstream_error);
}

TEST_F(FetchTest, ManyAtOnceAndOnTheServersOwnLoop) {
  auto fetch = std::make_shared<std::unique_ptr<Fetch>>();
  router->get("/relay", [this, fetch](Request&) -> Task<Response> {
    FetchRequest request = to("/hello");
    Task<Fetched> sending = (*fetch)->send(request);
    Result<Fetched> answer = co_await sending;
    CO_TRY(Fetched fetched, std::move(answer));
    co_return Response::text(200, fetched.body);
  });
  start();
  *fetch = allowed();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<RawClient>(server->port()));
    clients.back()->send("GET /relay HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  }
  for (auto& client : clients) EXPECT_TRUE(client->receive().ends_with(R"({"hello":1})"));
}

TEST_F(FetchTest, CertificatesAreChecked) {
  const auto directory = std::filesystem::temp_directory_path() / ("mandate_fetch_" + random.hex(6));
  ASSERT_TRUE(ensure_dev_certificate(directory.string(), clock, random).ok());
  options.certificate_file = (directory / "server.pem").string();
  options.key_file = (directory / "server.key").string();
  start();
  TestLoop loop;
  FetchRequest request;
  request.url = "https://localhost:" + std::to_string(server->port()) + "/hello";
  const auto trusting = make_fetch({"localhost", "127.0.0.1"}, (directory / "ca.pem").string());
  const auto answer = run(loop, trusting->send(request));
  ASSERT_TRUE(answer.ok()) << hint_of(answer);
  EXPECT_EQ((*answer).body, R"({"hello":1})");
  const auto doubting = make_fetch({"localhost"});
  const auto refused = run(loop, doubting->send(request));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::upstream_error);
  std::filesystem::remove_all(directory);
}

TEST(Resolver, AChangingAnswerIsTakenOnce) {
  TestLoop loop;
  std::atomic<int> asked{0};
  outbound::Resolver resolver([&asked](const std::string&) {
    outbound::Address address;
    address.bytes[15] = static_cast<std::uint8_t>(++asked);
    return std::vector<outbound::Address>{address};
  });
  const auto first = run(loop, resolver.resolve("a.example", kNoDeadline));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ((*first)[0].bytes[15], 1);
  EXPECT_EQ(asked, 1);
}

TEST(Resolver, ASilentServerCostsOnlyTheDeadline) {
  TestLoop loop;
  std::mutex mutex;
  std::unique_lock held(mutex);
  outbound::Resolver resolver([&mutex](const std::string&) {
    const std::lock_guard wait(mutex);
    return std::vector<outbound::Address>{};
  });
  const auto answer = run(loop, resolver.resolve("a.example", std::chrono::steady_clock::now() + std::chrono::milliseconds(50)));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::timeout);
  held.unlock();
}

}  // namespace
}  // namespace mandate::http::test
