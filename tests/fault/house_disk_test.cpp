// RL-4, RL-5 at the doors: while the disk refuses, whatever has to be written gets 503 and Retry-After, what only reads goes
// on, and no answer says that something was done which was not.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>

#include "base/url.h"
#include "server/house.h"
#include "tests/fault/disk.h"
#include "tests/support/temp_store.h"
#include "tests/support/test_loop.h"

namespace mandate::server {
namespace {

using test::Disk;
using test::run;

class HouseOnADisk : public testing::Test {
 protected:
  HouseOnADisk() { open(); }
  ~HouseOnADisk() override { close(); }

  void open() {
    HouseOptions options;
    options.data_dir = directory.path();
    options.master_key = std::string(32, 'k');
    options.store_vfs = disk.vfs();
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
  }
  void close() {
    house->stop();
    for (int i = 0; i < 3; ++i) (void)run(loop, sleep_for(std::chrono::milliseconds(1)));
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
    request.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
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
  static std::string member(const http::Response& response, const char* name) {
    auto parsed = parse_json(response.body);
    return parsed.ok() && parsed->is_object() ? std::string(text_member(parsed->get_object(), name).value_or("")) : "";
  }
  void expect_refused(const http::Response& response, const char* what) {
    EXPECT_EQ(response.status, 503) << what << ": " << response.body;
    EXPECT_NE(response.headers.get("Retry-After"), "") << what;
    EXPECT_EQ(response.body.find("sqlite"), std::string::npos) << what << " tells too much: " << response.body;
  }
  /// All that must be written is refused, all that is only read is answered.
  void expect_only_reading(const std::string& refresh_token) {
    expect_refused(post("/tables/anyone", R"({"id":"second"})"), "an insert");
    expect_refused(send(*house->routes(), http::Method::patch, "/tables/anyone/first",
                        {{"Content-Type", "application/json"}, {"ZUMO-API-VERSION", "2.0.0"}}, R"({"n":2})"),
                   "an update");
    expect_refused(send(*house->routes(), http::Method::delete_, "/tables/anyone/first", {{"ZUMO-API-VERSION", "2.0.0"}}, ""),
                   "a delete");
    expect_refused(post("/tables/anyone", R"({"id":"third","column_made_now":1})"), "an insert that adds a column");
    expect_refused(login(), "a login");
    expect_refused(post("/oauth/revoke", R"({"client_id":"todo","token":")" + refresh_token + "\"}"), "a revocation");
    expect_refused(post("/dbconnections/signup", R"({"client_id":"todo","connection":"Username-Password-Authentication",)"
                                                 R"("email":"new@example.org","password":"a long enough passphrase"})"),
                   "a sign-up");
    EXPECT_EQ(get("/tables/anyone/first").status, 200);
    EXPECT_EQ(get("/tables/anyone").status, 200);
    EXPECT_EQ(get("/.well-known/jwks.json").status, 200);
    EXPECT_EQ(get("/health").status, 200);
  }

  test::TestLoop loop;
  Disk disk;
  test::TempDir directory;
  ManualClock clock;
  SeededRandom random;
  Log log{clock, Level::error, [](std::string_view) {}};
  Metrics metrics;
  std::unique_ptr<House> house;
};

TEST_F(HouseOnADisk, AFailedSyncMakesItReadOnlyAndNotReadyUntilItStartsAgain) {
  ASSERT_EQ(post("/tables/anyone", R"({"id":"first","n":1})").status, 201);
  const http::Response in = login();
  ASSERT_EQ(in.status, 200) << in.body;
  EXPECT_TRUE(house->ready());
  disk.fail(1, {Disk::What::sync, SQLITE_IOERR_FSYNC});
  expect_refused(post("/tables/anyone", R"({"id":"second"})"), "the insert whose sync failed");
  EXPECT_FALSE(house->ready());
  expect_only_reading(member(in, "refresh_token"));
  EXPECT_EQ(get("/tables/anyone/second").status, 404) << "a refused insert is there";

  close();
  open();
  EXPECT_TRUE(house->ready());
  EXPECT_EQ(get("/tables/anyone/first").status, 200);
  EXPECT_EQ(post("/tables/anyone", R"({"id":"after"})").status, 201);
  const http::Response again = post("/oauth/token", R"({"grant_type":"refresh_token","client_id":"todo","refresh_token":")" +
                                                        member(in, "refresh_token") + "\"}");
  EXPECT_EQ(again.status, 200) << "the revocation that got 503 happened: " << again.body;
}

TEST_F(HouseOnADisk, AFullDiskRefusesWritesAndRecoversWithoutARestart) {
  ASSERT_EQ(post("/tables/anyone", R"({"id":"first","n":1})").status, 201);
  const http::Response in = login();
  ASSERT_EQ(in.status, 200) << in.body;
  disk.fail(1, {Disk::What::write, SQLITE_FULL, true, true});
  expect_only_reading(member(in, "refresh_token"));
  EXPECT_TRUE(house->ready()) << "a full disk ends by itself";
  disk.lift();
  EXPECT_EQ(post("/tables/anyone", R"({"id":"second"})").status, 201);
  EXPECT_EQ(login().status, 200);
  const http::Response gone = post("/oauth/revoke", R"({"client_id":"todo","token":")" + member(in, "refresh_token") + "\"}");
  EXPECT_EQ(gone.status, 200) << gone.body;
}

}  // namespace
}  // namespace mandate::server
