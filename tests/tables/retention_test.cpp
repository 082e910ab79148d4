#include "tables/retention.h"

#include "store/fault.h"
#include "tables/odata/parser.h"
#include "tables/schema.h"
#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

constexpr auto kDay = std::chrono::hours(24);

class Kept : public World {
 protected:
  void put(const std::string& id) { ASSERT_EQ(send(http::Method::post, "/tables/items", kV2, R"({"id":")" + id + R"("})").status, 201); }
  void drop(const std::string& id) { ASSERT_LT(send(http::Method::delete_, "/tables/items/" + id, kV2).status, 300); }
  void visit() {
    const Result<void> done = mandate::test::run(loop, retention.visit(tenants.here));
    ASSERT_TRUE(done.ok()) << done.error().detail;
  }
  void later(std::chrono::hours by) { store.clock().advance(by); }
  std::size_t rows() { return send(http::Method::get, "/tables/items?__includeDeleted=true&$top=1000&$select=id", kV2).json().as_array().size(); }

  const Headers kV2{{"ZUMO-API-VERSION", "2.0.0"}, {"Content-Type", "application/json"}};
  Retention retention{store.clock(), store.log(), store.metrics()};
};

TEST_F(Kept, ADeletedRowIsThereForThirtyDaysAndThenGone) {
  put("a"), put("b");
  drop("a");
  later(kDay * 30 - std::chrono::hours(2));
  visit();
  EXPECT_EQ(rows(), 2U);
  later(std::chrono::hours(3));
  visit();
  EXPECT_EQ(rows(), 1U);
  EXPECT_EQ(send(http::Method::get, "/tables/items/b", kV2).status, 200);
}

TEST_F(Kept, ARowThatCameBackStays) {
  put("a");
  drop("a");
  later(kDay * 29);
  ASSERT_EQ(send(http::Method::post, "/tables/items/a", kV2).status, 201);
  later(kDay * 40);
  visit();
  EXPECT_EQ(rows(), 1U);
  drop("a");
  later(kDay * 29);
  visit();
  EXPECT_EQ(rows(), 1U) << "counted from the last delete";
  later(kDay * 2);
  visit();
  EXPECT_EQ(rows(), 0U);
}

TEST_F(Kept, ATableMayKeepThemLongerOrForEver) {
  put("a");
  drop("a");
  service.tables["items"].sync.keep_deleted_days = 0;
  publish();
  later(kDay * 400);
  visit();
  EXPECT_EQ(rows(), 1U);
  service.tables["items"].sync.keep_deleted_days = 500;
  publish();
  visit();
  EXPECT_EQ(rows(), 1U);
  service.tables["items"].sync.keep_deleted_days = 7;
  publish();
  later(std::chrono::hours(2));
  visit();
  EXPECT_EQ(rows(), 0U);
}

TEST_F(Kept, AsLongAsATokenLivesWhenNobodySaysOtherwise) {
  EXPECT_EQ(kept_days(service, service.tables["items"]), 30);
  service.login.enabled = true;
  service.login.token_lifetime = 45 * 86'400 + 1;
  EXPECT_EQ(kept_days(service, service.tables["items"]), 46);
  service.login.token_lifetime = 3600;
  EXPECT_EQ(kept_days(service, service.tables["items"]), 30);
}

TEST_F(Kept, ManyAreRemovedPieceByPiece) {
  constexpr int kRows = 1200;
  OperationContext context;
  context.here = tenants.here;
  context.service = &tenants.here->services.at("default");
  context.table = context.service->table("items");
  context.principal.level = identity::Level::admin;
  for (int i = 0; i < kRows; ++i) {
    JsonObject item{{"id", "r" + std::to_string(i)}};
    ASSERT_TRUE(mandate::test::run(loop, tables.insert(context, std::move(item))).ok());
  }
  odata::Query all;
  all.filter = *odata::parse_filter("id ne ''", {}, odata::Grammar::v2);
  ASSERT_TRUE(mandate::test::run(loop, tables.remove_matching(context, std::move(all))).ok());
  put("stays");
  later(kDay * 31);
  put("new");
  const Millis before = store.clock().now_ms() - 30 * 86'400'000LL;
  Purged piece{.more = true};
  std::vector<std::int64_t> pieces;
  while (piece.more) {
    const auto purged = mandate::test::run(loop, purge_piece(store.store(), physical_name("default", "items"), piece.until, before));
    ASSERT_TRUE(purged.ok());
    piece = *purged;
    pieces.push_back(piece.rows);
  }
  EXPECT_EQ(pieces, (std::vector<std::int64_t>{500, 500, 200}));
  EXPECT_EQ(rows(), 2U);
}

TEST_F(Kept, ATableThatFailsHoldsUpNoOther) {
  add_table("Another").soft_delete = true;
  publish();
  ASSERT_EQ(send(http::Method::post, "/tables/another", kV2, R"({"id":"x"})").status, 201);
  ASSERT_LT(send(http::Method::delete_, "/tables/another/x", kV2).status, 300);
  put("a");
  drop("a");
  later(kDay * 31);
  const auto others = [&] { return send(http::Method::get, "/tables/another?__includeDeleted=true", kV2).json().as_array().size(); };
  const tenant::Here whole = tenants.here;
  store::FaultStore faulty(store.store());
  tenants.here.store = &faulty;
  faulty.fail(2, Error(Code::server_error, ""));
  visit();
  tenants.here = whole;
  EXPECT_EQ(rows(), 0U);
  EXPECT_EQ(others(), 1U) << "its turn comes again";
  later(std::chrono::hours(1));
  tenants.here.store = &faulty;
  faulty.fail(2, Error(Code::timeout, ""));
  visit();
  tenants.here = whole;
  EXPECT_EQ(others(), 0U) << "what took too long is read in smaller steps";
}

TEST_F(Kept, ATableThatWasNeverUsedIsNoError) {
  add_table("Never").soft_delete = true;
  publish();
  later(kDay * 31);
  visit();
}

}  // namespace
}  // namespace mandate::tables::test
