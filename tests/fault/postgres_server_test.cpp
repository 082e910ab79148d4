// The private PostgreSQL itself: what the suites stand on must start, die and come back as they ask, and go away.
#include "tests/support/postgres_server.h"

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/support/database_under_test.h"

namespace mandate {
namespace {

using test::PostgresServer;
using test::PostgresServerOptions;

class Connection {
 public:
  explicit Connection(const std::string& url) : pg_(PQconnectdb(url.c_str())) {}
  ~Connection() { PQfinish(pg_); }
  Connection(const Connection&) = delete;

  /// The first value of the first row; the server's words when it refuses.
  std::string operator()(const std::string& sql) {
    PGresult* result = PQexec(pg_, sql.c_str());
    const ExecStatusType status = PQresultStatus(result);
    std::string told = status == PGRES_TUPLES_OK && PQntuples(result) > 0        ? PQgetvalue(result, 0, 0)
                       : status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ? ""
                                                                                 : PQerrorMessage(pg_);
    PQclear(result);
    return told;
  }
  PGconn* raw() { return pg_; }

 private:
  PGconn* pg_;
};

std::string once(const std::string& url, const std::string& sql) { return Connection(url)(sql); }

/// Waits for what another process does by itself.
template <class F>
bool comes_true(F&& condition) {
  for (const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
       std::chrono::steady_clock::now() < until;) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

/// Processes that name the directory in their command line.
int processes_of(const std::string& directory) {
  int found = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "cmdline");
    const std::string line{std::istreambuf_iterator<char>(file), {}};
    if (line.find(directory) != std::string::npos) ++found;
  }
  return found;
}

TEST(PostgresServer, answers_a_new_database_s_owner_who_is_no_superuser) {
  PostgresServer& server = test::shared_postgres();
  const std::string url = server.create_database();
  Connection owner(url);
  EXPECT_EQ(owner("select 1"), "1");
  EXPECT_EQ(owner("select rolsuper from pg_roles where rolname = current_user"), "f");
  EXPECT_EQ(owner("show server_encoding"), "UTF8");
  EXPECT_EQ(owner("select datcollate from pg_database where datname = current_database()"), "C.UTF-8");
  EXPECT_EQ(owner("create collation dictionary (provider = icu, locale = 'und', deterministic = false)"), "");
  EXPECT_EQ(owner("create schema \"mandate:one\""), "");
  EXPECT_NE(server.create_database(), url);
  EXPECT_EQ(once(server.url(), "show fsync"), "off");
  server.drop_database(url);
  EXPECT_NE(owner("select 1"), "1");
  EXPECT_EQ(PQstatus(Connection(url).raw()), CONNECTION_BAD);
}

TEST(PostgresServer, lets_nobody_in_without_the_password) {
  PostgresServer& server = test::shared_postgres();
  for (const std::string& host : {std::string("127.0.0.1"), server.directory()}) {
    const std::string where =
        "host=" + host + " port=" + std::to_string(server.port()) + " user=postgres dbname=postgres password=";
    Connection stranger(where + "guess");
    EXPECT_EQ(PQstatus(stranger.raw()), CONNECTION_BAD) << host;
    Connection known(where + server.password());
    EXPECT_EQ(PQstatus(known.raw()), CONNECTION_OK) << host;
  }
}

TEST(PostgresServer, speaks_tls_when_asked_and_takes_the_settings_it_was_given) {
  PostgresServerOptions options;
  options.tls = true;
  options.fsync = true;
  options.settings = {"max_connections = 20", "application_name = 'it''s'"};
  PostgresServer server(options);
  Connection checked(server.url() + "?sslmode=verify-full&sslrootcert=" + server.certificate());
  EXPECT_EQ(checked("select version from pg_stat_ssl where pid = pg_backend_pid()"), "TLSv1.3");
  EXPECT_EQ(checked("show max_connections"), "20");
  EXPECT_EQ(checked("show fsync"), "on");
  server.configure("statement_timeout = '1234ms'");
  EXPECT_TRUE(comes_true([&] { return once(server.url(), "show statement_timeout") == "1234ms"; }));
}

TEST(PostgresServer, keeps_what_was_committed_when_it_is_killed_and_started_again) {
  PostgresServer server;
  const std::string url = server.create_database();
  Connection before(url);
  ASSERT_EQ(before("create table kept as select 42 as n"), "");
  server.kill9();
  EXPECT_NE(before("select 1"), "1");
  EXPECT_EQ(PQstatus(Connection(url).raw()), CONNECTION_BAD);
  server.start();
  EXPECT_EQ(once(url, "select n from kept"), "42");
  server.stop(PostgresServer::Stop::immediate);
  server.start();
  server.stop();
  server.start();
  EXPECT_EQ(once(url, "select n from kept"), "42");
  EXPECT_THROW(server.start(), std::runtime_error);
}

TEST(PostgresServer, has_a_standby_that_takes_over_with_everything_that_was_acknowledged) {
  PostgresServerOptions synchronous;
  synchronous.settings = {"synchronous_standby_names = 'second'"};
  PostgresServer primary(synchronous);
  const std::string url = primary.create_database();
  auto standby = primary.standby("second");
  const std::string there = standby->url(url.substr(url.rfind('/') + 1));
  EXPECT_TRUE(comes_true([&] { return once(primary.url(), "select sync_state from pg_stat_replication") == "sync"; }));
  EXPECT_EQ(once(url, "create table kept as select 42 as n"), "");
  EXPECT_NE(once(there, "create table refused (n int)"), "");
  primary.kill9();
  standby->promote();
  EXPECT_EQ(once(there, "select n from kept"), "42");
  EXPECT_EQ(once(there, "insert into kept values (43)"), "");
  EXPECT_EQ(once(there, "select current_user"), "postgres");
}

TEST(PostgresServer, pauses_and_goes_on) {
  PostgresServer server;
  Connection connection(server.url());
  server.pause();
  ASSERT_TRUE(PQsendQuery(connection.raw(), "select 7"));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // long enough for an answer, were it not paused
  ASSERT_TRUE(PQconsumeInput(connection.raw()));
  EXPECT_TRUE(PQisBusy(connection.raw()));
  server.resume();
  PGresult* result = PQgetResult(connection.raw());
  EXPECT_STREQ(PQgetvalue(result, 0, 0), "7");
  PQclear(result);
}

TEST(PostgresServer, leaves_nothing_behind) {
  std::string directory;
  {
    PostgresServer server;
    directory = server.directory();
    EXPECT_GT(processes_of(directory), 0);
    EXPECT_TRUE(std::filesystem::exists(directory));
  }
  EXPECT_EQ(processes_of(directory), 0);
  EXPECT_FALSE(std::filesystem::exists(directory));
}

TEST(PostgresServer, leaves_nothing_behind_when_the_test_itself_is_killed) {
  int told[2];
  ASSERT_EQ(::pipe(told), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    PostgresServer server;
    const std::string directory = server.directory();
    if (::write(told[1], directory.data(), directory.size()) < 0) ::_exit(1);
    for (;;) ::pause();
  }
  char bytes[256];
  const ssize_t n = ::read(told[0], bytes, sizeof bytes);
  ::close(told[0]);
  ::close(told[1]);
  ASSERT_GT(n, 0);
  const std::string directory(bytes, static_cast<std::size_t>(n));
  EXPECT_TRUE(std::filesystem::exists(directory));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(comes_true([&] { return !std::filesystem::exists(directory) && processes_of(directory) == 0; }));
}

TEST(PostgresServer, says_why_it_does_not_start) {
  PostgresServerOptions wrong;
  wrong.settings = {"no_such_parameter = 1"};
  try {
    PostgresServer server(wrong);
    FAIL() << "it started";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("no_such_parameter"), std::string::npos) << error.what();
  }
}

TEST(DatabaseUnderTest, is_a_new_one_of_the_engine_that_the_run_is_about) {
  const char* given = std::getenv("MANDATE_STORE_UNDER_TEST");
  const std::string before = given ? given : "";
  ::setenv("MANDATE_STORE_UNDER_TEST", "postgres", 1);
  std::string url;
  {
    const test::DatabaseUnderTest one, other;
    url = one.url();
    EXPECT_NE(url, other.url());
    EXPECT_EQ(once(url, "select 1"), "1");
  }
  EXPECT_EQ(PQstatus(Connection(url).raw()), CONNECTION_BAD);
  ::setenv("MANDATE_STORE_UNDER_TEST", "oracle", 1);
  EXPECT_THROW(test::DatabaseUnderTest(), std::runtime_error);
  ::setenv("MANDATE_STORE_UNDER_TEST", "sqlite", 1);
  EXPECT_EQ(test::DatabaseUnderTest().url(), "");
  ::setenv("MANDATE_STORE_UNDER_TEST", before.c_str(), 1);
}

}  // namespace
}  // namespace mandate
