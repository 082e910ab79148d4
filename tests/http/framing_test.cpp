// HT-1 … HT-5, HT-7: what may be on the wire, and what ends the connection.
#include "tests/http/server_test_base.h"

namespace mandate::http::test {
namespace {

using namespace std::string_literals;

constexpr std::string_view kNext = "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

struct Case {
  const char* what;
  int status;
  std::string bytes;
};

std::string post(std::string_view fields, std::string_view body = {}) {
  return "POST /echo HTTP/1.1\r\nHost: localhost\r\n" + std::string(fields) + "\r\n" + std::string(body);
}
std::string get(std::string_view target, std::string_view fields = "Host: localhost\r\n") {
  return "GET " + std::string(target) + " HTTP/1.1\r\n" + std::string(fields) + "\r\n";
}

class Framing : public ServerTest {
 protected:
  /// Each case alone on a connection with a good request behind it: one answer, then the end.
  void refuse_all(const std::vector<Case>& cases) {
    start();
    for (const Case& each : cases) {
      const std::string answer = exchange(each.bytes + std::string(kNext));
      EXPECT_EQ(status_of(answer), each.status) << each.what << "\n" << answer;
      EXPECT_EQ(answers_in(answer), 1) << each.what << "\n" << answer;
      EXPECT_NE(answer.find("Connection: close"), std::string::npos) << each.what;
      EXPECT_NE(answer.find("X-Content-Type-Options: nosniff"), std::string::npos) << each.what;
    }
    EXPECT_EQ(status_of(exchange(kNext)), 200);
  }
};

TEST_F(Framing, TransferEncodingOtherThanOneChunkedEndsTheConnection) {
  refuse_all({
      {"unknown coding", 501, post("Transfer-Encoding: gzip\r\n", "0\r\n\r\n")},
      {"identity", 501, post("Transfer-Encoding: identity\r\n")},
      {"list ending in chunked", 400, post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")},
      {"chunked twice in a list", 400, post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")},
      {"chunked not last", 400, post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n")},
      {"two fields", 400, post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
      {"prefixed word", 400, post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")},
      {"quoted", 400, post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n")},
      {"empty", 400, post("Transfer-Encoding: \r\n")},
      {"with a length", 400, post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
      {"with a length behind", 400, post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")},
      {"vertical tab", 400, post("Transfer-Encoding: \x0b" "chunked\r\n", "0\r\n\r\n")},
      {"HTTP/1.0", 400, "POST /echo HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
  });
}

TEST_F(Framing, ContentLengthIsDigitsAndGivenOnce) {
  refuse_all({
      {"empty", 400, post("Content-Length: \r\n")},
      {"plus", 400, post("Content-Length: +5\r\n", "hello")},
      {"minus", 400, post("Content-Length: -5\r\n", "hello")},
      {"hex", 400, post("Content-Length: 0x5\r\n", "hello")},
      {"list", 400, post("Content-Length: 5, 5\r\n", "hello")},
      {"fraction", 400, post("Content-Length: 5.0\r\n", "hello")},
      {"blank inside", 400, post("Content-Length: 1 0\r\n", "hello")},
      {"overflow", 400, post("Content-Length: 99999999999999999999999\r\n", "hello")},
      {"wraps around 2^64", 400, post("Content-Length: 18446744073709551621\r\n", "hello")},
      {"two values", 400, post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello")},
      {"larger than the route takes", 413, post("Content-Length: 1048577\r\n", "hello")},
  });
}

TEST_F(Framing, ChunksAreStrict) {
  const std::string te = "Transfer-Encoding: chunked\r\n";
  refuse_all({
      {"no size", 400, post(te, "\r\nhello\r\n0\r\n\r\n")},
      {"bad digit", 400, post(te, "g\r\nhello\r\n0\r\n\r\n")},
      {"0x", 400, post(te, "0x5\r\nhello\r\n0\r\n\r\n")},
      {"minus", 400, post(te, "-5\r\nhello\r\n0\r\n\r\n")},
      {"blank before", 400, post(te, " 5\r\nhello\r\n0\r\n\r\n")},
      {"blank behind", 400, post(te, "5 \r\nhello\r\n0\r\n\r\n")},
      {"bare LF behind the size", 400, post(te, "5\nhello\r\n0\r\n\r\n")},
      {"bare CR behind the size", 400, post(te, "5\rhello\r\n0\r\n\r\n")},
      {"too short", 400, post(te, "6\r\nhello\r\n0\r\n\r\n")},
      {"too long", 400, post(te, "4\r\nhello\r\n0\r\n\r\n")},
      {"bare LF behind the data", 400, post(te, "5\r\nhello\n0\r\n\r\n")},
      {"LF in an extension", 400, post(te, "5;a=b\nc\r\nhello\r\n0\r\n\r\n")},
      {"CR in an extension", 400, post(te, "5;a=b\rc\r\nhello\r\n0\r\n\r\n")},
      {"NUL in an extension", 400, post(te, "5;a=\0\r\nhello\r\n0\r\n\r\n"s)},
      {"extension of 257 bytes", 400, post(te, "5;" + std::string(257, 'a') + "\r\nhello\r\n0\r\n\r\n")},
      {"extension of a mebibyte", 400, post(te, "5;" + std::string(1 << 20, 'a') + "\r\nhello\r\n0\r\n\r\n")},
      {"bare LF in the trailer", 400, post(te, "0\r\nA: b\n\r\n")},
      {"folded trailer", 400, post(te, "0\r\nA: b\r\n c\r\n\r\n")},
      {"trailer of 3 KiB", 400, post(te, "0\r\nA: " + std::string(3000, 'b') + "\r\n\r\n")},
      {"size of nine digits", 400, post(te, "000000005\r\nhello\r\n0\r\n\r\n")},
      {"huge size", 413, post(te, "ffffffff\r\nhello\r\n0\r\n\r\n")},
  });
}

TEST_F(Framing, TheHeadIsStrict) {
  refuse_all({
      {"bare LF behind the request line", 400, "GET /hello HTTP/1.1\nHost: localhost\r\n\r\n"},
      {"bare LF behind a field", 400, get("/hello", "Host: localhost\nA: b\r\n")},
      {"only bare LF", 400, "GET /hello HTTP/1.1\nHost: localhost\n\n"},
      {"bare CR in a value", 400, get("/hello", "Host: localhost\r\nA: b\rc\r\n")},
      {"bare CR as line end", 400, "GET /hello HTTP/1.1\rHost: localhost\r\r"},
      {"NUL in a value", 400, get("/hello", "Host: localhost\r\nA: b\0c\r\n"s)},
      {"NUL in a name", 400, get("/hello", "Host: localhost\r\nA\0: b\r\n"s)},
      {"DEL in a value", 400, get("/hello", "Host: localhost\r\nA: b\x7f\r\n")},
      {"blank before the colon", 400, get("/hello", "Host: localhost\r\nA : b\r\n")},
      {"tab before the colon", 400, get("/hello", "Host: localhost\r\nA\t: b\r\n")},
      {"folded line", 400, get("/hello", "Host: localhost\r\nA: b\r\n c\r\n")},
      {"folded first line", 400, get("/hello", " Host: localhost\r\n")},
      {"empty name", 400, get("/hello", "Host: localhost\r\n: b\r\n")},
      {"no colon", 400, get("/hello", "Host: localhost\r\nAb\r\n")},
      {"name with a bracket", 400, get("/hello", "Host: localhost\r\nA(b: c\r\n")},
      {"name beyond ASCII", 400, get("/hello", "Host: localhost\r\nA\xc3\xa4: c\r\n")},
      {"two blanks", 400, "GET  /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"},
      {"tab between", 400, "GET\t/hello\tHTTP/1.1\r\nHost: localhost\r\n\r\n"},
      {"blank at the end", 400, "GET /hello HTTP/1.1 \r\nHost: localhost\r\n\r\n"},
      {"no version", 400, "GET /hello\r\nHost: localhost\r\n\r\n"},
      {"small letters", 400, "GET /hello http/1.1\r\nHost: localhost\r\n\r\n"},
      {"other protocol", 400, "GET /hello ICY/1.1\r\nHost: localhost\r\n\r\n"},
      {"HTTP/2 preface", 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"HTTP/1.2", 505, "GET /hello HTTP/1.2\r\nHost: localhost\r\n\r\n"},
      {"HTTP/0.9", 505, "GET /hello HTTP/0.9\r\nHost: localhost\r\n\r\n"},
      {"two empty lines first", 400, "\r\n\r\nGET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"},
      {"method is no token", 400, "G@T /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"},
      {"unknown method", 501, "BREW /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"},
      {"small method", 501, "get /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"},
      {"TRACE", 405, "TRACE /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"},
      {"CONNECT", 405, "CONNECT localhost:443 HTTP/1.1\r\nHost: localhost\r\n\r\n"},
      {"other expectation", 417, post("Content-Length: 5\r\nExpect: 200-ok\r\n", "hello")},
      {"compressed body", 415, post("Content-Encoding: gzip\r\nContent-Length: 5\r\n", "hello")},
      {"override to nonsense", 501, post("X-HTTP-Method-Override: BREW\r\n")},
      {"101 fields", 431, get("/hello", "Host: localhost\r\n" + [] {
         std::string fields;
         for (int i = 0; i < 100; ++i) fields += "A: b\r\n";
         return fields;
       }())},
      {"17 KiB of fields", 431, get("/hello", "Host: localhost\r\nA: " + std::string(17 << 10, 'a') + "\r\n")},
      {"51 cookies", 431, get("/hello", "Host: localhost\r\nCookie: a=b" + [] {
         std::string more;
         for (int i = 0; i < 50; ++i) more += "; a=b";
         return more;
       }() + "\r\n")},
      {"9 KiB target", 414, get("/" + std::string(9 << 10, 'a'))},
      {"endless first line", 414, std::string(17 << 10, 'a')},
  });
}

TEST_F(Framing, ARouteSaysHowLongATargetItTakes) {
  RouteOptions wide;
  wide.target_limit = 16 << 10;
  router->add(Method::get, "/wide", [](Request& r) -> Task<Response> { co_return Response::text(200, std::to_string(r.target.size())); }, wide);
  start();
  const auto asked = [&](const std::string& path, std::size_t size) {
    RawClient client(server->port());
    client.send("GET " + path + "?" + std::string(size - path.size() - 1, 'a') + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    return status_of(client.receive());
  };
  EXPECT_EQ(asked("/hello", 8 << 10), 200);
  EXPECT_EQ(asked("/hello", (8 << 10) + 1), 414);
  EXPECT_EQ(asked("/nowhere", (8 << 10) + 1), 414);
  EXPECT_EQ(asked("/wide", (16 << 10) - 16), 200);
  EXPECT_EQ(asked("/wide", (16 << 10) + 1), 414);
}

TEST_F(Framing, HostAndTargetAreStrict) {
  refuse_all({
      {"no host", 400, get("/hello", "")},
      {"two hosts", 400, get("/hello", "Host: localhost\r\nHost: localhost\r\n")},
      {"empty host", 400, get("/hello", "Host: \r\n")},
      {"blank inside", 400, get("/hello", "Host: local host\r\n")},
      {"userinfo", 400, get("/hello", "Host: a@localhost\r\n")},
      {"port is no number", 400, get("/hello", "Host: localhost:x\r\n")},
      {"port 0", 400, get("/hello", "Host: localhost:0\r\n")},
      {"port too large", 400, get("/hello", "Host: localhost:65536\r\n")},
      {"empty port", 400, get("/hello", "Host: localhost:\r\n")},
      {"path in the host", 400, get("/hello", "Host: localhost/x\r\n")},
      {"list", 400, get("/hello", "Host: localhost, evil\r\n")},
      {"bad IPv6", 400, get("/hello", "Host: [::g]\r\n")},
      {"other authority in the target", 400, get("http://evil/hello")},
      {"userinfo in the target", 400, get("http://a@localhost/hello")},
      {"other scheme", 400, get("ftp://localhost/hello")},
      {"no slash", 400, get("hello")},
      {"star with GET", 400, get("*")},
      {"fragment", 400, get("/hello#x")},
      {"beyond ASCII", 400, get("/hell\xc3\xb6")},
      {"control byte", 400, get("/hello\x01")},
      {"encoded slash", 400, get("/item/a%2fb")},
      {"encoded slash, capitals", 400, get("/item/a%2Fb")},
      {"encoded NUL", 400, get("/item/a%00b")},
      {"overlong UTF-8", 400, get("/item/%c0%ae")},
      {"overlong slash", 400, get("/item/%c0%af")},
      {"surrogate", 400, get("/item/%ed%a0%80")},
      {"lone percent", 400, get("/item/a%")},
      {"bad percent", 400, get("/item/a%zz")},
  });
}

TEST_F(Framing, DotSegmentsAndDoubledSlashesAreJustUnknownPaths) {
  start();
  for (const char* path : {"/item/..", "/item/%2e%2e", "/item/.", "/item/../hello", "/item//x", "/item/a/b", "/hello;x"})
    EXPECT_EQ(status_of(exchange(get(path, "Host: localhost\r\nConnection: close\r\n"))), 404) << path;
}

TEST_F(Framing, WhatIsRightGoesThrough) {
  start();
  const auto body = [&](const std::string& bytes) {
    const std::string answer = exchange(bytes);
    EXPECT_EQ(status_of(answer), 200) << bytes << answer;
    return answer.substr(answer.find("\r\n\r\n") + 4);
  };
  EXPECT_EQ(body("\r\nGET /item/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"), "a");
  EXPECT_EQ(body(get("http://LOCALHOST/item/a", "Host: localhost\r\nConnection: close\r\n")), "a");
  EXPECT_EQ(body(get("//item/a/", "Host: localhost\r\nConnection: close\r\n")), "a");
  EXPECT_EQ(body(get("/item/%C3%A4%25", "Host: [::1]:80\r\nConnection: close\r\n")), "\xc3\xa4%");
  EXPECT_EQ(body("GET /item/a HTTP/1.0\r\n\r\n"), "a");
  EXPECT_EQ(body(post("Connection: close\r\nContent-Length: 5\r\n", "hello")), "hello");
  EXPECT_EQ(body(post("Connection: close\r\nTransfer-Encoding: CHUNKED\r\n", "5;a=b\r\nhello\r\n00006\r\n world\r\n0\r\n\r\n")),
            "hello world");
}

TEST_F(Framing, TrailersAreDiscarded) {
  start();
  const std::string answer = exchange(
      "POST /headers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
      "1\r\nx\r\n0\r\nAuthorization: Bearer a\r\nX-ZUMO-MASTER: b\r\nHost: evil\r\n\r\n");
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_EQ(answer.find("authorization"), std::string::npos);
  EXPECT_EQ(answer.find("evil"), std::string::npos);
}

TEST_F(Framing, AMessageInSingleBytesIsTheSameMessage) {
  start();
  RawClient client(server->port());
  for (char c : post("Transfer-Encoding: chunked\r\nConnection: close\r\n", "5;x\r\nhello\r\n0\r\nA: b\r\n\r\n"))
    client.send({&c, 1});
  const std::string answer = client.receive();
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_TRUE(answer.ends_with("\r\n\r\nhello")) << answer;
}

}  // namespace
}  // namespace mandate::http::test
