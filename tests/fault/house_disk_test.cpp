// RL-4, RL-5 at the doors: while the disk refuses, whatever has to be written gets 503 and Retry-After, what only reads goes
// on, and no answer says that something was done which was not.
#include <sqlite3.h>

#include "tests/fault/disk.h"
#include "tests/fault/one_house.h"

namespace mandate::server {
namespace {

using test::Disk;

class HouseOnADisk : public test::OneHouse {
 protected:
  HouseOnADisk() { open(); }
  ~HouseOnADisk() override { close(); }  // before its disk goes

  void open() {
    HouseOptions options;
    options.store_vfs = disk.vfs();
    OneHouse::open(std::move(options));
  }
  static void expect_refused(const http::Response& response, const char* what) { OneHouse::expect_refused(response, what, "sqlite"); }
  /// All that must be written is refused, all that is only read is answered.
  void expect_only_reading(const std::string& refresh_token) {
    expect_refused(post("/tables/anyone", R"({"id":"second"})"), "an insert");
    expect_refused(ask(http::Method::patch, "/tables/anyone/first", R"({"n":2})"), "an update");
    expect_refused(ask(http::Method::delete_, "/tables/anyone/first"), "a delete");
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

  Disk disk;
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
