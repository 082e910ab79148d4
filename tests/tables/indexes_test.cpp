// What is unique stays so while requests of an older configuration are under way.
#include "store/fault.h"
#include "tables/catalogue.h"
#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

class Indexes : public World {
 protected:
  Indexes() {
    tenant::TableColumn name;
    name.name = "name";
    name.type = "string";
    service.tables["items"].columns = {name};
    publish();
    EXPECT_EQ(post("/tables/items", R"({"name":"one"})").status, 201);
  }
  void unique(bool is) { service.tables["items"].columns[0].unique = is; }
  /// Deletes the rows of a list but the first.
  void keep_first(const std::string& query = "") {
    const std::vector<std::string> all = split(ids("/tables/items" + query), ' ');
    for (std::size_t i = 1; i < all.size(); ++i) EXPECT_LT(del("/tables/items/" + all[i]).status, 300);
  }
  int add(std::string_view name, std::string_view more = {}) {
    return post("/tables/items", R"({"name":")" + std::string(name) + '"' + std::string(more) + '}').status;
  }
};

TEST_F(Indexes, ARequestOfAnOlderConfigurationDropsNothing) {
  const tenant::Here older = tenants.here;
  unique(true);
  publish();
  EXPECT_EQ(add("one"), 409);
  const tenant::Here newer = tenants.here;
  tenants.here = older;
  EXPECT_EQ(add("two", R"(,"another":1)"), 201);
  EXPECT_EQ(add("two"), 409) << "whoever asks: the index is there";
  tenants.here = newer;
  EXPECT_EQ(add("one"), 409);
  EXPECT_EQ(add("two"), 409);
}

TEST_F(Indexes, ARequestBetweenPreparationAndConfigurationDropsNothing) {
  unique(true);
  ASSERT_TRUE(run(loop, tables.prepare_table(tenants.here, service, service.tables["items"])).ok());
  EXPECT_EQ(add("two", R"(,"another":1)"), 201) << "a new column: the table is looked at anew";
  publish();
  EXPECT_EQ(add("one"), 409);
}

TEST_F(Indexes, AnOlderRequestMakesNothingThatTheNewerConfigurationDoesNotWant) {
  unique(true);
  publish();
  const tenant::Here older = tenants.here;
  unique(false);
  publish();
  EXPECT_EQ(add("two"), 201);
  tenants.here = older;
  EXPECT_EQ(add("three", R"(,"another":1)"), 201);
  EXPECT_EQ(add("three"), 201);
}

TEST_F(Indexes, ATableThatComesBackHasThemAgain) {
  unique(true);
  publish();
  EXPECT_EQ(add("one"), 409);
  ASSERT_TRUE(run(loop, tables.drop_service(tenants.here, "default", {"items"})).ok());
  EXPECT_EQ(add("one"), 201);
  EXPECT_EQ(add("one"), 409);
}

// Somebody held the table, the server was busy: that says nothing about the rows.
TEST_F(Indexes, WhatFailsForAPassingReasonIsTriedAgain) {
  store::FaultStore faulty(store.store());
  service.tables["items"].soft_delete = false;  // what is deleted is gone, with its values
  unique(true);
  publish();
  tenants.here.store = &faulty;
  for (int tries = 0; tries < 3; ++tries) {
    if (tries) store.clock().advance(std::chrono::seconds(1 << (tries - 1)));
    // Reading the shape takes two calls, the index is the third; later on it is the first.
    faulty.fail(tries == 0 ? 3 : 1, Error(Code::timeout, "The server is busy."));
    EXPECT_EQ(add("two"), 201) << "served all the same " << tries;
    EXPECT_TRUE(faulty.fired());
    faulty.fail(1);
    EXPECT_EQ(post("/tables/items", R"({"id":"x)" + std::to_string(tries) + "\"}").status, 503) << "not before its time: the write is the first call";
    faulty.fail(0);
  }
  keep_first("?$filter=name%20eq%20'two'");
  store.clock().advance(std::chrono::minutes(10));
  EXPECT_EQ(add("three"), 201);
  EXPECT_EQ(add("three"), 409) << "made as soon as it could be";
}

// A database that cannot index such a value will not be able to in a minute.
TEST_F(Indexes, WhatFailsForGoodIsNotTriedAgain) {
  store::FaultStore faulty(store.store());
  unique(true);
  publish();
  tenants.here.store = &faulty;
  for (const Code code : {Code::payload_too_large, Code::server_error}) {
    publish();
    tenants.here.store = &faulty;
    faulty.fail(3, Error(code, ""));
    EXPECT_EQ(add("two"), 201);
    EXPECT_TRUE(faulty.fired());
    store.clock().advance(std::chrono::hours(1));
    faulty.fail(0);
    EXPECT_EQ(add("two"), 201) << "not made";
  }
}

TEST_F(Indexes, WhatIsNotUniqueAnyMoreIsSoAlsoWhenTheTableWasInUseAtThatMoment) {
  store::FaultStore faulty(store.store());
  unique(true);
  publish();
  EXPECT_EQ(add("one"), 409);
  unique(false);
  publish();
  tenants.here.store = &faulty;
  // Reading the shape takes one call.
  faulty.fail(2, Error(Code::timeout, "The server is busy."));
  EXPECT_FALSE(run(loop, tables.settle_table(tenants.here, service, service.tables["items"])).ok());
  ASSERT_TRUE(faulty.fired());
  EXPECT_EQ(add("one"), 409);
  store.clock().advance(std::chrono::seconds(1));
  faulty.fail(1, Error(Code::timeout, "The server is busy."));
  EXPECT_EQ(add("one"), 409) << "again";
  EXPECT_TRUE(faulty.fired());
  publish();
  tenants.here.store = &faulty;
  store.clock().advance(std::chrono::minutes(10));
  EXPECT_EQ(send(http::Method::get, "/tables/items").status, 200) << "another configuration, the same wish";
  EXPECT_EQ(send(http::Method::get, "/tables/items").status, 200);
  EXPECT_EQ(add("one"), 201);
}

TEST_F(Indexes, NothingOrdinaryIsMadeForAConfigurationThatMayBeRefused) {
  store::FaultStore faulty(store.store());
  service.tables["items"].columns[0].index = true;
  tenants.here.store = &faulty;
  faulty.fail(3);
  EXPECT_TRUE(run(loop, tables.prepare_table(tenants.here, service, service.tables["items"])).ok());
  EXPECT_EQ(faulty.calls(), 2) << "it looks at the columns, twice";
}

TEST_F(Indexes, RowsThatAreNotUniqueAreTheEndOfItForTheRevision) {
  EXPECT_EQ(add("one"), 201);
  service.tables["items"].soft_delete = false;
  unique(true);
  publish();
  EXPECT_EQ(add("one"), 201);
  store.clock().advance(std::chrono::hours(1));
  keep_first();
  EXPECT_EQ(add("one"), 201) << "nobody asked for it again";
  keep_first();
  publish();
  EXPECT_EQ(add("one"), 409);
}

}  // namespace
}  // namespace mandate::tables::test
