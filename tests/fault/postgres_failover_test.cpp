// RL-12, RL-24: the database dies, hangs or is replaced under 200 writes a second of two nodes. Nothing that was
// acknowledged is lost, nothing happens twice, and writing goes on as soon as there is something to write to.
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <cstdio>

#include "tests/fault/load.h"
#include "tests/support/postgres_server.h"

namespace mandate::test {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

milliseconds since(Steady::time_point moment) { return std::chrono::duration_cast<milliseconds>(Steady::now() - moment); }

std::string answer(const std::string& url, const char* sql) {
  const std::unique_ptr<PGconn, void (*)(PGconn*)> c(PQconnectdb(url.c_str()), PQfinish);
  const std::unique_ptr<PGresult, void (*)(PGresult*)> r(PQexec(c.get(), sql), PQclear);
  return PQntuples(r.get()) > 0 ? PQgetvalue(r.get(), 0, 0) : "";
}

std::string in_words(const Node::Figures& f) {
  std::string out = std::to_string(f.acknowledged) + " acknowledged, " + std::to_string(f.refused) + " refused, " +
                    std::to_string(f.unknown) + " left open";
  for (const auto& [code, times] : f.codes) out += ", " + code + " " + std::to_string(times);
  return out + "; slowest " + std::to_string(f.slowest.count()) + " ms";
}

/// A primary that acknowledges what its standby has too, and the URL of both.
class TwoServers : public testing::Test {
 protected:
  TwoServers() {
    PostgresServerOptions options;
    options.fsync = true;
    options.settings = {"synchronous_standby_names = 'second'"};
    primary = std::make_unique<PostgresServer>(options);
    const std::string first = primary->create_database();
    PostgresServerOptions as_well;
    as_well.fsync = true;
    standby = primary->standby("second", as_well);
    for (const auto end = Steady::now() + seconds(30);
         answer(primary->url(), "select sync_state from pg_stat_replication") != "sync";) {
      if (Steady::now() > end) throw std::runtime_error("the standby does not follow");
      std::this_thread::sleep_for(milliseconds(20));
    }
    const std::size_t slash = first.rfind('/');
    both = first.substr(0, slash) + ",127.0.0.1:" + std::to_string(standby->port()) + first.substr(slash) +
           "?target_session_attrs=read-write";
    prepare_tables(both);
  }

  std::unique_ptr<PostgresServer> primary, standby;
  std::string both;
  Shared shared;
};

TEST_F(TwoServers, NothingAcknowledgedIsLostWhenThePrimaryDiesAndTheOutageIsThatOfThePromotion) {
  auto a = std::make_unique<Node>(both, shared, NodeOptions{.name = "a"});
  auto b = std::make_unique<Node>(both, shared, NodeOptions{.name = "b"});
  const auto begin = Steady::now();
  ASSERT_TRUE(a->writes(150) && b->writes(150));
  const double rate = (a->acknowledged() + b->acknowledged()) / std::chrono::duration<double>(Steady::now() - begin).count();
  const auto killed = Steady::now();
  primary->kill9();
  standby->promote();
  const milliseconds promotion = since(killed);
  EXPECT_TRUE(a->writes(150) && b->writes(150)) << "no writes any more";
  a->stop(), b->stop();
  for (const Node* node : {a.get(), b.get()}) {
    const Node::Figures f = node->figures(killed);
    std::printf("# promotion %lld ms, longest time without a write %lld ms, at %.0f writes/s; %s; in doubt %.0f\n",
                static_cast<long long>(promotion.count()), static_cast<long long>(f.longest_gap.count()), rate,
                in_words(f).c_str(), node->counter("mandate_store_commits_in_doubt_total"));
    EXPECT_LE(f.longest_gap, promotion + seconds(2));
  }
  a.reset(), b.reset();
  EXPECT_EQ(anomalies(both, shared), "");
}

TEST_F(TwoServers, NoWriteIsAcknowledgedThatOnlyADyingPrimaryHas) {
  NodeOptions options;
  options.deadline = seconds(3);
  auto a = std::make_unique<Node>(both, shared, options);
  ASSERT_TRUE(a->writes(50));
  standby->pause();
  const auto alone = Steady::now() + milliseconds(100);
  // Longer than a statement may take: a commit that waits for the standby is not ended by that.
  std::this_thread::sleep_for(seconds(7));
  EXPECT_EQ(a->figures(alone).acknowledged, 0) << "acknowledged, and no other server has it";
  std::printf("# without the standby: %s\n", in_words(a->figures(alone)).c_str());
  primary->kill9();
  standby->resume();
  standby->promote();
  EXPECT_TRUE(a->writes(50));
  a->stop();
  a.reset();
  EXPECT_EQ(anomalies(both, shared), "");
}

TEST(OneServer, AServerThatHangsKeepsNobodyLongerThanItsDeadlineAndGoesOnAfterwards) {
  PostgresServer server;
  const std::string url = server.create_database();
  prepare_tables(url);
  Shared shared;
  auto a = std::make_unique<Node>(url, shared, NodeOptions{.name = "a", .deadline = milliseconds(1000)});
  auto b = std::make_unique<Node>(url, shared, NodeOptions{.name = "b", .deadline = milliseconds(1000)});
  ASSERT_TRUE(a->writes(100) && b->writes(100));
  const auto paused = Steady::now();
  server.pause();
  std::this_thread::sleep_for(seconds(3));
  server.resume();
  const auto resumed = Steady::now();
  EXPECT_TRUE(a->writes(100) && b->writes(100));
  a->stop(), b->stop();
  for (const Node* node : {a.get(), b.get()}) {
    const Node::Figures f = node->figures(paused);
    std::printf("# 3 s without the server: longest time without a write %lld ms; %s\n",
                static_cast<long long>(f.longest_gap.count()), in_words(f).c_str());
    EXPECT_LE(f.slowest, milliseconds(1500));
    EXPECT_LE(f.longest_gap, resumed - paused + seconds(2));
    for (const auto& [code, times] : f.codes) EXPECT_TRUE(code == "timeout" || code == "overloaded") << code;
  }
  a.reset(), b.reset();
  EXPECT_EQ(anomalies(url, shared), "");
}

TEST(OneServer, AServerThatIsKilledAndStartedAgainHasWhatItAcknowledged) {
  PostgresServerOptions options;
  options.fsync = true;
  PostgresServer server(options);
  const std::string url = server.create_database();
  prepare_tables(url);
  Shared shared;
  auto a = std::make_unique<Node>(url, shared, NodeOptions{.name = "a"});
  auto b = std::make_unique<Node>(url, shared, NodeOptions{.name = "b"});
  for (int kill = 0; kill < 3; ++kill) {
    ASSERT_TRUE(a->writes(50) && b->writes(50));
    server.kill9();
    server.start();
  }
  ASSERT_TRUE(a->writes(50) && b->writes(50));
  a.reset(), b.reset();
  EXPECT_EQ(anomalies(url, shared), "");
}

}  // namespace
}  // namespace mandate::test
