// What is unique stays so while requests of an older configuration are under way.
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
  ASSERT_TRUE(run(loop, tables.drop(tenants.here, "default", "items")).ok());
  EXPECT_EQ(add("one"), 201);
  EXPECT_EQ(add("one"), 409);
}

}  // namespace
}  // namespace mandate::tables::test
