// A database that cannot serve, seen at the doors of a house: 503 with Retry-After at the request's deadline and no hang,
// what needs no database goes on, and all is well again without a restart.
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <fstream>

#include "server/house.h"
#include "tests/fault/small_disk.h"
#include "tests/support/postgres_server.h"
#include "tests/support/temp_store.h"
#include "tests/support/test_loop.h"

namespace mandate::server {
namespace {

using test::run;
using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

class HouseOnPostgres : public testing::Test {
 protected:
  ~HouseOnPostgres() override { close(); }

  void open(const std::string& url) {
    HouseOptions options;
    options.data_dir = directory.path();
    options.master_key = std::string(32, 'k');
    options.store_url = url;
    options.postgres.read_connections = options.postgres.write_connections = 1;
    options.postgres.statement_limit = milliseconds(2000);
    options.password_cost = {8192, 1};
    options.workers = 1;
    house = std::make_unique<House>(options, clock, random, log, metrics);
    auto opened = run(loop, house->open());
    ASSERT_TRUE(opened.ok()) << opened.error().hint << opened.error().detail;
    std::ifstream in(std::string(MANDATE_SOURCE_DIR) + "/tests/wire/tenant.yaml");
    const std::string file(std::istreambuf_iterator<char>(in), {});
    const auto applied =
        send(*house->owner_routes(), http::Method::post, "/admin/apply", {{"Content-Type", "application/yaml"}}, file);
    ASSERT_EQ(applied.status, 200) << applied.body;
    ASSERT_EQ(post("/tables/anyone", R"({"id":"first","n":1})").status, 201);
    ASSERT_EQ(login().status, 200);
  }
  void close() {
    if (!house) return;
    house->stop();
    for (int i = 0; i < 3; ++i) (void)run(loop, sleep_for(milliseconds(1)));
    house.reset();
  }

  http::Response send(const http::Router& router, http::Method method, const std::string& path,
                      const std::vector<std::pair<std::string, std::string>>& headers, const std::string& body) {
    http::Request request;
    request.method = method;
    request.target = request.path = path;
    request.host = "localhost";
    request.secure = request.local_admin = true;
    request.peer = "192.0.2.7";
    request.deadline = Steady::now() + patience;
    request.body = body;
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    auto answered = run(loop, router.answer(request));
    return answered.ok() ? std::move(*answered) : http::Response(0);
  }
  http::Response post(const std::string& path, const std::string& body) {
    return send(*house->routes(), http::Method::post, path, {{"Content-Type", "application/json"}, {"ZUMO-API-VERSION", "2.0.0"}},
                body);
  }
  http::Response get(const std::string& path) {
    return send(*house->routes(), http::Method::get, path, {{"ZUMO-API-VERSION", "2.0.0"}}, "");
  }
  http::Response login() {
    return post("/oauth/ro",
                R"({"client_id":"todo","connection":"Username-Password-Authentication","username":"ana@example.org",)"
                R"("password":"correct horse battery staple","scope":"openid offline_access","device":"phone"})");
  }
  template <class Asking>
  void expect_refused(const char* what, const Asking& asking) {
    const auto begin = Steady::now();
    const http::Response response = asking();
    EXPECT_EQ(response.status, 503) << what << ": " << response.body;
    EXPECT_NE(response.headers.get("Retry-After"), "") << what;
    EXPECT_EQ(response.body.find("postgres"), std::string::npos) << what << " tells too much: " << response.body;
    EXPECT_LE(Steady::now() - begin, longest) << what;
  }

  seconds patience{30};         ///< of each request
  milliseconds longest{1500};  ///< what a refusal may take
  test::TestLoop loop;
  test::TempDir directory;
  ManualClock clock;
  SystemRandom random;
  Log log{clock, Level::error, [](std::string_view) {}};
  Metrics metrics;
  std::unique_ptr<House> house;
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
