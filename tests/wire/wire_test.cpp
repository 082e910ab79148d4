// Every transcript of tests/wire, in-process and over a socket, on every engine: SQLite today.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "base/base64.h"
#include "base/url.h"
#include "http/server.h"
#include "tests/support/test_loop.h"
#include "tests/wire/fixture.h"
#include "tests/wire/transcript.h"

namespace mandate::wire {
namespace {


http::Method method_of(std::string_view word) {
  using http::Method;
  for (Method m : {Method::get, Method::head, Method::post, Method::put, Method::patch, Method::delete_, Method::options})
    if (http::name(m) == word) return m;
  return Method::other;
}

std::string_view guessed_type(const std::string& body) {
  return body.empty() ? "" : body[0] == '{' || body[0] == '[' ? "application/json" : "application/x-www-form-urlencoded";
}

struct Ready {
  std::string target, body, host;  ///< host: when the transcript names one
  std::vector<Field> headers;
};
Ready prepare(const Exchange& exchange, const Captures& captures) {
  Ready out{fill(exchange.target, captures), fill(exchange.body, captures), {}, {}};
  bool typed = false;
  for (const auto& [name, value] : exchange.headers) {
    if (iequals(name, "Host")) {
      out.host = fill(value, captures);
      continue;
    }
    out.headers.emplace_back(name, fill(value, captures));
    typed = typed || iequals(name, "Content-Type");
  }
  if (!typed && !out.body.empty()) out.headers.emplace_back("Content-Type", guessed_type(out.body));
  return out;
}

/// Plays `transcript` through `ask`; a failure names the line and how the answer differs.
void play(const Transcript& transcript, ManualClock& clock, const std::function<Answer(const Exchange&, const Ready&)>& ask) {
  Captures captures;
  for (const Step& step : transcript.steps) {
    if (const auto* pause = std::get_if<Pause>(&step)) {
      clock.advance(pause->by);
      continue;
    }
    const auto& exchange = std::get<Exchange>(step);
    const Ready ready = prepare(exchange, captures);
    const Answer answer = ask(exchange, ready);
    const std::string difference = differs(exchange, answer, captures);
    ASSERT_EQ(difference, "") << "line " << exchange.line << ": " << exchange.method << ' ' << ready.target.substr(0, 200);
    // Whatever a transcript is about: no answer of a mobile service has a date in another form (acceptance check 8).
    if (ready.target.find("/tables/") != std::string::npos || ready.target.starts_with("/api/"))
      ASSERT_EQ(odd_date(answer.body), "") << "line " << exchange.line << ": " << answer.body.substr(0, 600);
  }
}

Transcript load(const std::string& name) {
  auto parsed = parse(read_file(kFolder / name));
  EXPECT_TRUE(parsed.ok()) << name << ": " << parsed.error().hint;
  return parsed.ok() ? std::move(*parsed) : Transcript{};
}

/// Transcripts of custom APIs are played with the code of a service in place; others are spared it.
bool needs_app(const std::string& name) { return name.starts_with("tables/app/"); }
bool needs_code(const std::string& name) { return name.starts_with("tables/api/") || needs_app(name); }

class Wire : public ::testing::TestWithParam<std::string> {};

TEST_P(Wire, InProcess) {
  const Transcript transcript = load(GetParam());
  test::TestLoop loop;
  Fixture fixture;
  auto opened = test::run(loop, fixture.house->open());
  ASSERT_TRUE(opened.ok()) << opened.error().hint << opened.error().detail;
  http::Request owner = fixture.owner_request();
  auto applied = test::run(loop, fixture.house->owner_routes()->answer(owner));
  ASSERT_TRUE(applied.ok() && applied->status == 200) << (applied.ok() ? applied->body : applied.error().detail);
  if (needs_code(GetParam())) {
    http::Request deploy = fixture.deploy_request(needs_app(GetParam()));
    auto deployed = test::run(loop, fixture.house->owner_routes()->answer(deploy));
    ASSERT_TRUE(deployed.ok() && deployed->status == 200) << (deployed.ok() ? deployed->body : deployed.error().detail);
  }
  play(transcript, fixture.clock, [&](const Exchange& exchange, const Ready& ready) {
    http::Request request;
    request.method = method_of(exchange.method);
    request.target = ready.target;
    const std::size_t mark = std::min(ready.target.find('?'), ready.target.size());
    request.path = percent_decode(std::string_view(ready.target).substr(0, mark));
    request.query = std::string_view(ready.target).substr(std::min(mark + 1, ready.target.size()));
    request.host = kHost;
    request.secure = true;
    request.peer = "192.0.2.7";
    request.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    request.body = ready.body;
    if (!ready.host.empty()) request.host = ascii_lower(ready.host);  // as the reader of heads does
    for (const auto& [name, value] : ready.headers) {
      request.headers.add(name, value);
      if (name == "X-Forwarded-Proto") request.secure = value == "https";  // as the listener does behind a trusted proxy
    }
    auto answered = test::run(loop, fixture.house->routes()->answer(request));
    Answer answer;
    if (!answered.ok()) return answer;
    answer.status = answered->status, answer.body = answered->body;
    for (const auto& field : answered->headers.all()) answer.headers.emplace_back(field.name, field.value);
    return answer;
  });
  fixture.house->stop();
  for (int i = 0; i < 3; ++i) (void)test::run(loop, sleep_for(std::chrono::milliseconds(1)));
}

/// A blocking HTTP/1.1 client on a keep-alive connection; just enough to read what mandated writes.
class Wireline {
 public:
  explicit Wireline(int port) { connect(port); }
  ~Wireline() { ::close(fd_); }
  bool connected() const { return connected_; }

  Answer ask(const Exchange& exchange, const Ready& ready, int port) {
    std::string out = exchange.method + " " + ready.target + " HTTP/1.1\r\nHost: " +
                      (ready.host.empty() ? "localhost:" + std::to_string(port) : ready.host) + "\r\n";
    for (const auto& [name, value] : ready.headers) out += name + ": " + value + "\r\n";
    if (!ready.body.empty() || exchange.method == "POST") out += "Content-Length: " + std::to_string(ready.body.size()) + "\r\n";
    out += "\r\n" + ready.body;
    EXPECT_EQ(::send(fd_, out.data(), out.size(), MSG_NOSIGNAL), static_cast<ssize_t>(out.size()));
    Answer answer;
    std::size_t head;
    while ((head = buffer_.find("\r\n\r\n")) == std::string::npos)
      if (!more()) return answer;
    std::string_view rest = std::string_view(buffer_).substr(0, head);
    answer.status = std::atoi(std::string(rest.substr(9, 3)).c_str());
    std::size_t length = 0;
    for (std::size_t at = rest.find("\r\n"); at != std::string_view::npos;) {
      rest.remove_prefix(at + 2);
      at = rest.find("\r\n");
      const std::string_view line = rest.substr(0, at);
      const std::size_t colon = std::min(line.find(": "), line.size());
      answer.headers.emplace_back(line.substr(0, colon), line.substr(std::min(colon + 2, line.size())));
      if (iequals(line.substr(0, colon), "Content-Length")) length = static_cast<std::size_t>(std::atoll(answer.headers.back().second.c_str()));
    }
    if (exchange.method == "HEAD" || answer.status == 204 || answer.status == 304) length = 0;
    while (buffer_.size() < head + 4 + length)
      if (!more()) break;
    answer.body = buffer_.substr(head + 4, length);
    buffer_.erase(0, head + 4 + length);
    if (answer.header("Connection") == "close") {
      ::close(fd_);
      connect(port);
    }
    return answer;
  }

 private:
  void connect(int port) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET, to.sin_port = htons(static_cast<std::uint16_t>(port)), to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    const timeval limit{30, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  bool more() {
    char bytes[16384];
    const ssize_t n = ::recv(fd_, bytes, sizeof bytes, 0);
    if (n <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(n));
    return true;
  }
  int fd_ = -1;
  bool connected_ = false;
  std::string buffer_;
};

TEST_P(Wire, OverASocket) {
  const Transcript transcript = load(GetParam());
  Fixture fixture;
  http::ServerOptions options;
  options.trusted_proxies = {"127.0.0.1"};
  options.before_accepting = [&]() -> Task<void> {
    Task<void> opening = fixture.house->open();
    CO_CHECK(co_await opening);
    http::Request owner = fixture.owner_request();
    const auto routes = fixture.house->owner_routes();
    Task<http::Response> applying = routes->answer(owner);
    CO_TRY(const http::Response applied, co_await applying);
    if (applied.status != 200) co_return Error(Code::server_error, applied.body);
    if (!needs_code(GetParam())) co_return ok();
    http::Request deploy = fixture.deploy_request(needs_app(GetParam()));
    Task<http::Response> deploying = routes->answer(deploy);
    CO_TRY(const http::Response deployed, co_await deploying);
    if (deployed.status != 200) co_return Error(Code::server_error, deployed.body);
    co_return ok();
  };
  options.after_draining = [&] { fixture.house->stop(); };
  auto server = http::make_server(options, fixture.house->routes(), fixture.house->owner_routes(), fixture.clock, fixture.random,
                                  fixture.log, fixture.metrics);
  auto started = server->start();
  ASSERT_TRUE(started.ok()) << started.error().hint << started.error().detail;
  {
    Wireline line(server->port());
    ASSERT_TRUE(line.connected());
    play(transcript, fixture.clock, [&](const Exchange& exchange, const Ready& ready) { return line.ask(exchange, ready, server->port()); });
  }
  server->drain();
  server->wait();
}

std::vector<std::string> transcripts() {
  std::vector<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(kFolder))
    if (entry.path().extension() == ".http") out.push_back(fs::relative(entry.path(), kFolder).string());
  std::sort(out.begin(), out.end());
  return out;
}

INSTANTIATE_TEST_SUITE_P(Transcripts, Wire, ::testing::ValuesIn(transcripts()), [](const auto& info) {
  std::string name = info.param.substr(0, info.param.size() - 5);
  std::replace_if(name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
});

TEST(Transcript, ReadsRequestsAnswersAndPauses) {
  auto parsed = parse("# A title\n> GET /x\n> Accept: y\n< 200 text/plain\n< ! ETag\n< hello {{who}}\n+ 2m\n> POST /y\n> a=1\n> &b=2\n< 204\n");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->title, "A title");
  ASSERT_EQ(parsed->steps.size(), 3U);
  EXPECT_EQ(std::get<Exchange>(parsed->steps[2]).body, "a=1&b=2");
  EXPECT_FALSE(parse("> GET /x\n").ok());
  EXPECT_FALSE(parse("< 200\n").ok());
}

TEST(Transcript, SeesDatesOfAnotherForm) {
  EXPECT_EQ(odd_date(R"({"a":"2012-02-29T01:02:03.000Z","b":["2012-02-29","12:00"],"c":"at 2012-02-29T01:02"})"), "");
  for (const char* odd : {"2012-02-29T01:02:03Z", "2012-02-29T01:02:03.12Z", "2012-02-29T01:02:03.1234567Z", "2012-02-29T01:02:03.000+00:00", "2012-02-29T01:02"})
    EXPECT_EQ(odd_date(std::string(R"({"a":1,"b":")") + odd + R"("})"), odd);
}

TEST(Transcript, SaysHowAnAnswerDiffers) {
  Captures captures;
  Exchange expected;
  expected.status = 200, expected.body_given = true, expected.expected_body = R"({"a":"{{x}}","b":1})";
  EXPECT_EQ(differs(expected, {200, {}, R"({"a":"one","b":1})"}, captures), "");
  EXPECT_EQ(captures["x"], "one");
  EXPECT_NE(differs(expected, {200, {}, R"({"a":"two","b":1})"}, captures), "");
  EXPECT_NE(differs(expected, {200, {}, R"({"a":"one","b":1,"c":2})"}, captures), "");
  EXPECT_NE(differs(expected, {500, {}, ""}, captures), "");
}

}  // namespace
}  // namespace mandate::wire
