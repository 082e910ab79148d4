// Start, TLS beside plain, certificates, several loops, drain.
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "tests/http/server_test_base.h"

namespace mandate::http::test {
namespace {

constexpr std::string_view kHello = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr std::string_view kClose = "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// A TLS client that believes in our development CA only.
class TlsClient {
 public:
  TlsClient(int port, const std::string& ca_file, int max_version = TLS1_3_VERSION, SSL_SESSION* resume = nullptr)
      : raw_(port), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_load_verify_locations(context_, ca_file.c_str(), nullptr);
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_, max_version);
    SSL_CTX_set_cipher_list(context_, "ALL:@SECLEVEL=0");
    ssl_ = SSL_new(context_);
    SSL_set_tlsext_host_name(ssl_, "localhost");
    SSL_set1_host(ssl_, "localhost");
    static const unsigned char kOffer[] = "\x02h2\x08http/1.1";
    SSL_set_alpn_protos(ssl_, kOffer, sizeof kOffer - 1);
    if (resume) SSL_set_session(ssl_, resume);
    SSL_set_fd(ssl_, raw_.fd());
    connected_ = SSL_connect(ssl_) == 1;
  }
  ~TlsClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  bool connected() const { return connected_; }
  SSL* ssl() { return ssl_; }
  void send(std::string_view text) { SSL_write(ssl_, text.data(), static_cast<int>(text.size())); }
  std::string receive(const std::function<bool(const std::string&)>& enough = {}) {
    std::string got;
    char buffer[4096];
    while (!(enough && enough(got))) {
      const int n = SSL_read(ssl_, buffer, sizeof buffer);
      if (n <= 0) break;
      got.append(buffer, static_cast<std::size_t>(n));
    }
    return got;
  }

 private:
  RawClient raw_;
  SSL_CTX* context_;
  SSL* ssl_;
  bool connected_;
};

class Lifecycle : public ServerTest {
 protected:
  Lifecycle() : directory((std::filesystem::temp_directory_path() / ("mandate_tls_" + random.hex(6))).string()) {}
  ~Lifecycle() override { std::filesystem::remove_all(directory); }
  void with_tls() {
    ASSERT_TRUE(ensure_dev_certificate(directory, clock, random).ok());
    options.certificate_file = directory + "/server.pem";
    options.key_file = directory + "/server.key";
  }
  std::string ca() const { return directory + "/ca.pem"; }
  std::string directory;
};

TEST_F(Lifecycle, OnePortSpeaksPlainAndTls) {
  with_tls();
  start();
  EXPECT_EQ(status_of(exchange(kClose)), 200);
  TlsClient client(server->port(), ca());
  ASSERT_TRUE(client.connected());
  const unsigned char* protocol = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(client.ssl(), &protocol, &length);
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(protocol), length), "http/1.1");
  client.send("GET /who HTTP/1.1\r\nHost: localhost:443\r\n\r\n" + std::string(kClose));
  const std::string got = client.receive();
  EXPECT_EQ(answers_in(got), 2);
  EXPECT_NE(got.find("127.0.0.1 https://localhost "), std::string::npos) << got;
}

TEST_F(Lifecycle, LargeBodiesGoThroughTls) {
  with_tls();
  start();
  TlsClient client(server->port(), ca());
  ASSERT_TRUE(client.connected());
  const std::string body(300'000, 'x');
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 300000\r\n\r\n" + body);
  EXPECT_TRUE(client.receive().ends_with("\r\n\r\n" + body));
}

TEST_F(Lifecycle, OldTlsIsRefusedAndTicketsResume) {
  with_tls();
  start();
  EXPECT_FALSE(TlsClient(server->port(), ca(), TLS1_1_VERSION).connected());
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient first(server->port(), ca(), version);
    ASSERT_TRUE(first.connected());
    first.send(kClose);
    (void)first.receive();
    SSL_SESSION* session = SSL_get1_session(first.ssl());
    TlsClient second(server->port(), ca(), version, session);
    EXPECT_TRUE(second.connected());
    EXPECT_EQ(SSL_session_reused(second.ssl()), 1) << version;
    SSL_SESSION_free(session);
  }
}

TEST_F(Lifecycle, AHalfHandshakeIsCutOff) {
  with_tls();
  options.limits.tls_timeout = std::chrono::milliseconds(80);
  start();
  RawClient client(server->port());
  client.send("\x16\x03\x01");
  (void)client.receive();
  EXPECT_TRUE(client.closed());
}

TEST_F(Lifecycle, TheCertificateIsReplacedAndABadOneIsNot) {
  with_tls();
  start();
  const auto serial = [&] {
    TlsClient client(server->port(), ca());
    EXPECT_TRUE(client.connected());
    X509* certificate = SSL_get1_peer_certificate(client.ssl());
    if (!certificate) return std::string();
    BIGNUM* number = ASN1_INTEGER_to_BN(X509_get_serialNumber(certificate), nullptr);
    char* text = BN_bn2hex(number);
    std::string out(text);
    OPENSSL_free(text);
    BN_free(number);
    X509_free(certificate);
    return out;
  };
  const std::string before = serial();
  std::filesystem::resize_file(options.certificate_file, 100);
  EXPECT_FALSE(server->reload_certificate().ok());
  EXPECT_EQ(serial(), before);
  std::filesystem::remove_all(directory);
  ASSERT_TRUE(ensure_dev_certificate(directory, clock, random).ok());
  ASSERT_TRUE(server->reload_certificate().ok());
  EXPECT_NE(serial(), before);
}

TEST_F(Lifecycle, TheDevelopmentCertificateIsMadeOnceAndItsKeyIsPrivate) {
  with_tls();
  struct stat info {};
  ASSERT_EQ(::stat(options.key_file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  const auto written = std::filesystem::last_write_time(options.certificate_file);
  ASSERT_TRUE(ensure_dev_certificate(directory, clock, random).ok());
  EXPECT_EQ(std::filesystem::last_write_time(options.certificate_file), written);
  std::FILE* file = std::fopen(options.certificate_file.c_str(), "r");
  X509* certificate = PEM_read_X509(file, nullptr, nullptr, nullptr);
  std::fclose(file);
  EXPECT_EQ(X509_check_host(certificate, "localhost", 0, 0, nullptr), 1);
  const int index = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1);
  const ASN1_OCTET_STRING* names = X509_EXTENSION_get_data(X509_get_ext(certificate, index));
  EXPECT_NE(std::string_view(reinterpret_cast<const char*>(names->data), static_cast<std::size_t>(names->length)).find("*.localhost"),
            std::string_view::npos);
  for (const char* ip : {"127.0.0.1", "::1"}) EXPECT_EQ(X509_check_ip_asc(certificate, ip, 0), 1) << ip;
  EXPECT_EQ(X509_check_host(certificate, "example.com", 0, 0, nullptr), 0);
  X509_free(certificate);
}

TEST_F(Lifecycle, SeveralLoopsShareOnePort) {
  options.loops = 3;
  start();
  EXPECT_EQ(server->loops().size(), 3U);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(status_of(exchange(kClose)), 200);
}

TEST_F(Lifecycle, ATakenAddressIsAConflict) {
  start();
  for (std::size_t loops : {1, 2}) {
    ServerOptions same = options;
    same.port = server->port();
    same.loops = loops;
    auto second = make_server(same, router, nullptr, clock, random, log, metrics);
    Result<void> started = second->start();
    ASSERT_FALSE(started.ok());
    EXPECT_EQ(started.error().code, Code::conflict);
  }
}

TEST_F(Lifecycle, ADrainFinishesWhatIsInFlightAndRefusesWhatIsNew) {
  options.metrics_port = 0;
  options.loops = 2;
  start();
  RawClient busy(server->port()), idle(server->port());
  idle.send(kHello);
  EXPECT_EQ(status_of(idle.receive([](const std::string& got) { return got.ends_with("}"); })), 200);
  busy.send("GET /slow HTTP/1.1\r\nHost: localhost\r\nX-Said: done\r\n\r\n");
  gate.await_entered(1);
  server->drain();
  EXPECT_TRUE(server->draining());
  EXPECT_EQ(idle.receive(), "");
  EXPECT_TRUE(idle.closed());
  // Each loop closes its own listener, the last one a moment later.
  const auto soon = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (RawClient(server->port()).connected() && std::chrono::steady_clock::now() < soon) std::this_thread::yield();
  EXPECT_FALSE(RawClient(server->port()).connected());
  RawClient probe(server->metrics_port());
  probe.send("GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(status_of(probe.receive()), 503);
  gate.open();
  const std::string answer = busy.receive();
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("done"));
  server->wait();
}

TEST_F(Lifecycle, DuringTheDrainDelayNewRequestsAreStillAnswered) {
  options.drain_delay = std::chrono::milliseconds(300);
  start();
  server->drain();
  RawClient late(server->port());
  ASSERT_TRUE(late.connected());
  late.send(kHello);
  const std::string answer = late.receive();
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  server->wait();
}

TEST_F(Lifecycle, TheDrainLimitEndsWhatDoesNotEnd) {
  options.drain_limit = std::chrono::milliseconds(100);
  start();
  RawClient stuck(server->port());
  stuck.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
  RawClient other(server->port());
  other.send(kHello);
  (void)other.receive([](const std::string& got) { return got.ends_with("}"); });
  server->drain();
  server->wait();
  server.reset();
  (void)stuck.receive();
  EXPECT_TRUE(stuck.closed());
}

TEST_F(Lifecycle, DrainsUnderLoadLoseNothing) {
  for (int round = 0; round < 3; ++round) {
    options.drain_delay = std::chrono::milliseconds(30);
    start();
    std::atomic<int> failed{0}, answered{0};
    std::atomic<bool> refused{false};
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; ++i)
      callers.emplace_back([&] {
        while (!refused) {
          RawClient client(server->port());
          if (!client.connected()) {
            refused = true;
            break;
          }
          client.send(kClose);
          ++(status_of(client.receive()) == 200 ? answered : failed);
        }
      });
    while (answered < 20) std::this_thread::yield();
    server->drain();
    server->wait();
    refused = true;
    for (auto& caller : callers) caller.join();
    EXPECT_EQ(failed, 0);
  }
}

}  // namespace
}  // namespace mandate::http::test
