// A database that cannot serve, seen at the doors of a house: 503 with Retry-After at the request's deadline and no hang,
// what needs no database goes on, and all is well again without a restart.
#include <libpq-fe.h>

#include "tests/fault/one_house.h"
#include "tests/fault/small_disk.h"
#include "tests/support/postgres_server.h"

namespace mandate::server {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

class HouseOnPostgres : public test::OneHouse {
 protected:
  void open(const std::string& url) {
    HouseOptions options;
    options.store_url = url;
    options.postgres.read_connections = options.postgres.write_connections = 1;
    options.postgres.statement_limit = milliseconds(2000);
    OneHouse::open(std::move(options));
    ASSERT_EQ(post("/tables/anyone", R"({"id":"first","n":1})").status, 201);
    ASSERT_EQ(login().status, 200);
  }
  template <class Asking>
  void expect_refused(const char* what, const Asking& asking) {
    const auto begin = Steady::now();
    const http::Response response = asking();
    OneHouse::expect_refused(response, what, "postgres");
    EXPECT_LE(Steady::now() - begin, longest) << what;
  }

  milliseconds longest{1500};  ///< what a refusal may take
};

TEST_F(HouseOnPostgres, WhoFindsThePoolUsedUpIsTold503AtTheRequestsDeadline) {
  const std::string url = test::shared_postgres().create_database();
  open(url);
  const std::unique_ptr<PGconn, void (*)(PGconn*)> outsider(PQconnectdb(url.c_str()), PQfinish);
  const auto say = [&](const char* sql) {
    const std::unique_ptr<PGresult, void (*)(PGresult*)> r(PQexec(outsider.get(), sql), PQclear);
    ASSERT_EQ(PQresultStatus(r.get()), PGRES_COMMAND_OK) << PQerrorMessage(outsider.get());
  };
  const std::unique_ptr<PGresult, void (*)(PGresult*)> where(
      PQexec(outsider.get(),
             "SELECT format('LOCK TABLE %I.%I IN ACCESS EXCLUSIVE MODE', schemaname, tablename) FROM pg_tables"
             " WHERE tablename LIKE '%anyone%' ORDER BY 1"),
      PQclear);
  ASSERT_GT(PQntuples(where.get()), 0);
  say("BEGIN");
  for (int i = 0; i < PQntuples(where.get()); ++i) say(PQgetvalue(where.get(), i, 0));
  patience = seconds(1);
  expect_refused("a list", [&] { return get("/tables/anyone"); });
  expect_refused("a read", [&] { return get("/tables/anyone/first"); });
  expect_refused("an insert", [&] { return post("/tables/anyone", R"({"id":"second"})"); });
  EXPECT_EQ(get("/.well-known/jwks.json").status, 200);
  EXPECT_EQ(get("/health").status, 200);
  say("COMMIT");
  patience = seconds(30);
  EXPECT_EQ(get("/tables/anyone/first").status, 200);
  EXPECT_EQ(post("/tables/anyone", R"({"id":"third"})").status, 201);
  EXPECT_EQ(login().status, 200);
}

TEST_F(HouseOnPostgres, AServerThatHangsIs503AndTheNextAnswerComesWhenItIsBack) {
  test::PostgresServer server;
  open(server.create_database());
  server.pause();
  patience = seconds(1);
  longest = milliseconds(4000);  // some look-ups of the rooms go by the engine's own limit, 2 s and one more
  expect_refused("a read", [&] { return get("/tables/anyone/first"); });
  expect_refused("an insert", [&] { return post("/tables/anyone", R"({"id":"second"})"); });
  expect_refused("a login", [&] { return login(); });
  EXPECT_EQ(get("/.well-known/jwks.json").status, 200) << "what needs no database goes on";
  server.resume();
  patience = seconds(30);
  EXPECT_EQ(get("/tables/anyone/first").status, 200);
  EXPECT_EQ(login().status, 200);
  close();
}

TEST_F(HouseOnPostgres, AFullDiskRefusesWritesAndRecoversWithoutARestart) {
  test::PostgresServer server;
  test::SmallDisk disk(server);
  open(disk.url());
  disk.fill();
  // Until no page has room left.
  http::Response answered;
  for (int i = 0; i < 3000 && answered.status != 503; ++i)
    answered = post("/tables/anyone", R"({"id":"more-)" + std::to_string(i) + R"(","t":")" + random.token(1500) + "\"}");
  EXPECT_EQ(answered.status, 503);
  expect_refused("an insert", [&] { return post("/tables/anyone", R"({"id":"large","t":")" + random.token(1500) + "\"}"); });
  EXPECT_EQ(get("/tables/anyone/first").status, 200);
  EXPECT_EQ(get("/.well-known/jwks.json").status, 200);
  EXPECT_TRUE(house->ready()) << "a full disk ends by itself";
  disk.free();
  const auto begin = Steady::now();
  while (post("/tables/anyone", R"({"id":"after","t":")" + random.token(1500) + "\"}").status != 201 &&
         Steady::now() - begin < seconds(10)) {
  }
  EXPECT_LE(Steady::now() - begin, seconds(5));
  EXPECT_EQ(login().status, 200);
  close();
}

}  // namespace
}  // namespace mandate::server
