// DA-8: what is over a limit is refused before the database hears of it; the engine's own counters are the witness.
#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

class Statements : public World {
 protected:
  Statements() { EXPECT_EQ(post("/tables/Items", R"({"id":"a","n":1,"text":"x"})").status, 201); }

  /// Reads answered and mutations committed by the engine since it was opened.
  std::string counted() {
    std::string out, text = store.metrics().prometheus_text();
    for (const char* name :
         {"\nmandate_store_reads_total ", "\nmandate_store_mutations_total ", "\nmandate_store_commits_total "}) {
      const std::size_t at = text.find(name);
      EXPECT_NE(at, std::string::npos) << name;
      out += text.substr(at, text.find('\n', at + 1) - at);
    }
    return out;
  }
  void expect_reaches(const std::string& target, int status = 200) {
    const std::string before = counted();
    EXPECT_EQ(get(target).status, status) << target.substr(0, 120);
    EXPECT_NE(counted(), before) << "the witness saw nothing: " << target.substr(0, 120);
  }
  void expect_refused(const std::string& target) {
    const std::string before = counted();
    EXPECT_EQ(get(target).status, 400) << target.substr(0, 120);
    EXPECT_EQ(counted(), before) << "a statement reached the database: " << target.substr(0, 120);
  }
  /// "n eq 0 or n eq 1 or …", `count` comparisons.
  static std::string chain(int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += (i ? " or n eq " : "n eq ") + std::to_string(i);
    return out;
  }
};

TEST_F(Statements, OfPagesEndAtTheirLimits) {
  expect_reaches("/tables/Items?$top=1000");
  expect_refused("/tables/Items?$top=-1");
  expect_refused("/tables/Items?$top=1e9");
  expect_reaches("/tables/Items?$skip=1000000");
  expect_refused("/tables/Items?$skip=1000001");
  expect_refused("/tables/Items?$skip=-1");
}

TEST_F(Statements, OfFiltersEndAtTheirLimits) {
  expect_reaches(filter("Items", chain(10)));
  expect_refused(filter("Items", chain(3000)));
  expect_reaches(filter("Items", std::string(20, '(') + "n eq 1" + std::string(20, ')')));
  expect_refused(filter("Items", std::string(2000, '(') + "n eq 1" + std::string(2000, ')')));
  expect_refused(filter("Items", "text eq '" + std::string(20'000, 'x') + "'"));
  std::string nested = "text";
  for (int i = 0; i < 100; ++i) nested = "tolower(" + nested + ")";
  expect_refused(filter("Items", nested + " eq 'x'"));
}

TEST_F(Statements, AreNotMadeOfWhatDoesNotParse) {
  for (const char* text : {"n eq", "n eq 1 or", "1 eq 1; drop table Items", "n eq 1)", "nosuch(n) eq 1", "n eq 'unclosed"})
    expect_refused(filter("Items", text));
  expect_refused("/tables/Items?$orderby=" + percent_encode("n; drop table Items"));
  expect_refused("/tables/Items?$orderby=" + percent_encode("n sideways"));
}

TEST_F(Statements, OfTheWrongCallersAreNotMade) {
  tenant::Table& closed = add_table("Closed");
  closed.permissions = {"admin", "admin", "admin", "admin", "admin"};
  publish();
  (void)get("/tables/Items/a");  // what a first request after a change reads is read now
  for (const http::Method method : {http::Method::get, http::Method::post}) {
    const std::string before = counted();
    EXPECT_EQ(send(method, "/tables/Closed", v2({{"Content-Type", "application/json"}}),
                   method == http::Method::post ? "{\"id\":\"x\"}" : "")
                  .status,
              401);
    EXPECT_EQ(counted(), before) << "a statement was made for a caller who may not";
  }
}

}  // namespace
}  // namespace mandate::tables::test
