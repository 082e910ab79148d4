// Indexes that come to a table and go, rows found through another table, rows held while a batch is done.
#include "store/columns.h"
#include "tests/conformance/store_fixture.h"

namespace mandate::store {
namespace {

class StoreIndexes : public StoreConformance {
 protected:
  void things() {
    table("things", {{"id", Type::text, true}, {"a", Type::text}, {"b", Type::integer}, {"list", Type::text}});
    must(insert("things", {{"id", std::string("1")}, {"a", std::string("x")}, {"b", std::int64_t(1)}, {"list", std::string("l1")}}));
    must(insert("things", {{"id", std::string("2")}, {"a", std::string("x")}, {"b", std::int64_t(2)}, {"list", std::string("l2")}}));
    must(insert("things", {{"id", std::string("3")}, {"a", std::string("y")}}));
  }
  Result<void> indexes(std::vector<IndexSpec> specs) { return wait(store().ensure_indexes("things", std::move(specs))); }
  Result<Outcome> add(std::string id, Value a, Value b) { return write(insert("things", {{"id", std::move(id)}, {"a", std::move(a)}, {"b", std::move(b)}})); }
  std::string found(ExprPtr where) {
    Plan plan;
    plan.table = "things";
    plan.where = std::move(where);
    plan.order = {{column("id", Type::text), false}};
    std::string out;
    auto listed = wait(store().list(plan, [&](const RowView& row) {
      out += row.text(0);
      return true;
    }));
    EXPECT_TRUE(listed.ok()) << listed.error().detail;
    return out;
  }
};

TEST_P(StoreIndexes, AUniqueOneOverSeveralColumnsIsKept) {
  things();
  ASSERT_TRUE(indexes({{{"a", "b"}, true, {}}, {{"a"}, false, {true}}}).ok());
  ASSERT_TRUE(indexes({{{"A", "b"}, true, {}}, {{"a"}, false, {true}}}).ok()) << "the same once more";
  const auto twice = add("4", std::string("x"), std::int64_t(2));
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(twice.error().code, Code::conflict);
  EXPECT_TRUE(add("5", std::string("X"), std::int64_t(2)).ok()) << "byte for byte";
  EXPECT_TRUE(add("6", std::string("y"), Value{}).ok()) << "a null is like no other";
  const auto changed = write(update("things", equals("id", std::string("1")), {{"b", std::int64_t(2)}}));
  ASSERT_FALSE(changed.ok());
  EXPECT_EQ(changed.error().code, Code::conflict);
  tried_->reopen();
  EXPECT_FALSE(add("4", std::string("x"), std::int64_t(2)).ok());
}

TEST_P(StoreIndexes, RowsThatAreNotUniqueRefuseItAndNothingChanges) {
  things();
  ASSERT_TRUE(indexes({{{"b"}, true, {}}}).ok());
  const auto refused = indexes({{{"list"}, true, {}}, {{"a"}, true, {}}});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_EQ(refused.error().hint, "a");
  EXPECT_FALSE(add("4", std::string("z"), std::int64_t(2)).ok()) << "what was unique still is";
  EXPECT_TRUE(write(insert("things", {{"id", std::string("5")}, {"list", std::string("l1")}})).ok()) << "and nothing else";
}

TEST_P(StoreIndexes, OneThatIsNotWantedAnyMoreGoes) {
  things();
  ASSERT_TRUE(indexes({{{"b"}, true, {}}}).ok());
  EXPECT_FALSE(add("4", std::string("z"), std::int64_t(2)).ok());
  ASSERT_TRUE(indexes({}).ok());
  EXPECT_TRUE(add("4", std::string("z"), std::int64_t(2)).ok());
  EXPECT_FALSE(add("4", std::string("z"), std::int64_t(9)).ok()) << "the table's own stay";
}

TEST_P(StoreIndexes, OthersStayWhereThatIsSaid) {
  things();
  ASSERT_TRUE(indexes({{{"b"}, true, {}}}).ok());
  ASSERT_TRUE(indexes({{{"list"}, true, {}}, others_stay()}).ok());
  EXPECT_FALSE(add("4", std::string("z"), std::int64_t(2)).ok()) << "what was unique still is";
  EXPECT_FALSE(write(insert("things", {{"id", std::string("5")}, {"list", std::string("l1")}})).ok()) << "and the other is, too";
  ASSERT_TRUE(indexes({others_stay()}).ok());
  EXPECT_FALSE(add("4", std::string("z"), std::int64_t(2)).ok());
}

TEST_P(StoreIndexes, AColumnIsFoundHoweverItIsSpelt) {
  table("things", {{"id", Type::text, true}, {"userName", Type::text}, {"a", Type::text}, {"b", Type::integer}});
  ASSERT_TRUE(indexes({{{"USERNAME"}, true, {}}, {{"username", "A"}, false, {true, false}}}).ok());
  must(insert("things", {{"id", std::string("1")}, {"userName", std::string("ana")}}));
  const auto twice = write(insert("things", {{"id", std::string("2")}, {"userName", std::string("ana")}}));
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(twice.error().code, Code::conflict);
  EXPECT_TRUE(indexes({{{"userName"}, true, {}}, {{"userName", "a"}, false, {true, false}}}).ok()) << "the same once more";
}

TEST_P(StoreIndexes, RowsAreFoundByWhatAnotherTableSaysOfTheirs) {
  things();
  table("lists", {{"id", Type::text, true}, {"owner", Type::text}, {"size", Type::real}});
  must(insert("lists", {{"id", std::string("l1")}, {"owner", std::string("Ana")}, {"size", 1.5}}));
  must(insert("lists", {{"id", std::string("l2")}, {"owner", std::string("Ben")}, {"size", 2.5}}));
  const auto of = [](ExprPtr condition) { return among(column("list", Type::text), "lists", column("id", Type::text), std::move(condition)); };
  const ExprPtr owner = column("owner", Type::text), size = column("size", Type::real);
  EXPECT_EQ(found(of(make(Op::eq, {owner, literal(std::string("Ana"))}))), "1");
  EXPECT_EQ(found(of(make(Op::eq, {owner, literal(std::string("Ben"))}))), "2") << "another value, the same statement";
  EXPECT_EQ(found(of(make(Op::gt, {size, literal(1.0)}))), "12");
  EXPECT_EQ(found(make(Op::or_, {make(Op::not_, {of(make(Op::gt, {size, literal(2.0)}))}), make(Op::eq, {column("list"), literal(Value{})})})), "13");
  EXPECT_EQ(found(both(equals("a", std::string("x")), of(make(Op::lt, {size, literal(2.0)})))), "1");
  auto removed = write(remove("things", of(make(Op::eq, {owner, literal(std::string("Ana"))}))));
  ASSERT_TRUE(removed.ok()) << removed.error().detail;
  EXPECT_EQ(removed->front().count, 1);
  Mutation check = store::check("things", of(make(Op::eq, {owner, literal(std::string("Ben"))})), Mutation::Expect::one, Code::forbidden);
  EXPECT_TRUE(write(check).ok());
}

TEST_P(StoreIndexes, ARowThatIsHeldCountsAsAnyOther) {
  things();
  Mutation held = check("things", equals("id", std::string("1")), Mutation::Expect::one, Code::bad_request);
  held.hold = true;
  EXPECT_TRUE(write_all({held, insert("things", {{"id", std::string("4")}})}).ok());
  Mutation none = check("things", equals("id", std::string("9")), Mutation::Expect::one, Code::bad_request);
  none.hold = true;
  const auto undone = write_all({insert("things", {{"id", std::string("5")}}), none});
  ASSERT_FALSE(undone.ok());
  EXPECT_EQ(undone.error().code, Code::bad_request);
  EXPECT_EQ(found(equals("id", std::string("5"))), "");
}

ON_EVERY_ENGINE(StoreIndexes);

}  // namespace
}  // namespace mandate::store
