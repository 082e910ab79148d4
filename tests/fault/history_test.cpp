// The checkers find what they are for: each sort of anomaly, planted, and nothing in a history that is in order.
#include "tests/fault/history.h"

#include <gtest/gtest.h>

namespace mandate::test {
namespace {

using What = Operation::What;

Operation::Moment at(int ms) { return Operation::Moment(std::chrono::milliseconds(ms)); }

Operation op(What what, std::string key, End end, int began = 0, int ended = 1) {
  Operation o{what, std::move(key)};
  o.end = end;
  o.began = at(began);
  if (end != End::unknown) o.ended = at(ended);
  return o;
}
Operation versioned(What what, std::int64_t version, std::string value, End end, int began, int ended) {
  Operation o = op(what, "r", end, began, ended);
  o.version = version;
  o.value = std::move(value);
  return o;
}
Operation wrote(std::int64_t over, std::string value, int began, int ended) {
  return versioned(What::write, over, std::move(value), End::ok, began, ended);
}
Operation found(std::int64_t version, std::string value, int began, int ended) {
  return versioned(What::read, version, std::move(value), End::ok, began, ended);
}

std::string told(const Anomalies& anomalies) {
  std::string out;
  for (const std::string& line : anomalies) out += line + "\n";
  return out;
}

TEST(History, AnOperationWithoutAnAnswerMayHappenAtAnyLaterTime) {
  History history;
  const auto asked = history.begin({What::insert, "a"});
  EXPECT_EQ(history.all()[asked].end, End::unknown);
  history.finish(asked, End::unknown);
  EXPECT_EQ(history.all()[asked].ended, Operation::Moment::max());
  history.finish(asked, End::ok);
  EXPECT_LE(history.all()[asked].began, history.all()[asked].ended);
  const auto read = history.begin({What::read, "r"});
  history.finish(read, 3, "x");
  EXPECT_EQ(history.all()[read].version, 3);
}

TEST(CheckSingleUse, LetsPassWhatIsInOrder) {
  EXPECT_EQ(told(check_single_use(
                {op(What::put, "a", End::ok), op(What::take, "a", End::ok, 2, 5), op(What::take, "a", End::refused, 3, 4),
                 op(What::put, "b", End::ok), op(What::put, "c", End::unknown), op(What::put, "d", End::refused),
                 op(What::put, "e", End::ok), op(What::take, "e", End::unknown, 2), op(What::take, "e", End::refused, 3, 4),
                 op(What::put, "f", End::unknown), op(What::take, "f", End::ok, 2, 3)},
                {"b"})),
            "");
}

TEST(CheckSingleUse, FindsWhatWasTakenTwice) {
  const std::vector<Operation> twice{op(What::put, "a", End::ok), op(What::take, "a", End::ok, 2, 3),
                                     op(What::take, "a", End::ok, 4, 5)};
  EXPECT_EQ(told(check_single_use(twice, {})), "token a: taken 2 times\n");
}

TEST(CheckSingleUse, FindsWhatIsThereAfterItWasTakenOrRefused) {
  EXPECT_EQ(told(check_single_use({op(What::put, "a", End::ok), op(What::take, "a", End::ok, 2, 3)}, {"a"})),
            "token a: taken and still there\n");
  EXPECT_EQ(told(check_single_use({op(What::put, "a", End::refused)}, {"a"})), "token a: there without having been filed\n");
  EXPECT_EQ(told(check_single_use({op(What::take, "a", End::ok)}, {})), "token a: there without having been filed\n");
}

TEST(CheckSingleUse, FindsWhatIsGoneWithoutATaker) {
  EXPECT_EQ(told(check_single_use({op(What::put, "a", End::ok)}, {})), "token a: filed, taken by nobody and gone\n");
  EXPECT_EQ(told(check_single_use(
                {op(What::put, "a", End::ok), op(What::take, "a", End::refused, 2, 3), op(What::take, "a", End::ok, 4, 5)}, {})),
            "token a: refused when nobody else had asked for it\n");
}

TEST(CheckRegisters, LetsPassWhatIsInOrder) {
  EXPECT_EQ(told(check_registers(
                {found(0, "", 0, 1), wrote(0, "x", 1, 4), found(0, "", 2, 3), found(1, "x", 2, 3),
                 versioned(What::write, 0, "late", End::refused, 5, 6), versioned(What::write, 1, "y", End::unknown, 5, 0),
                 found(1, "x", 6, 7), found(2, "y", 8, 9), wrote(2, "z", 9, 10)},
                {{"r", {3, "z"}}})),
            "");
}

TEST(CheckRegisters, FindsALostUpdate) {
  EXPECT_EQ(
      told(check_registers({wrote(0, "x", 0, 3), wrote(0, "y", 1, 4)}, {{"r", {1, "y"}}})),
      "register r: a lost update, version 1 was acknowledged 2 times\nregister r: the acknowledged x is not what it ends with\n");
}

TEST(CheckRegisters, FindsReadsThatGoBack) {
  EXPECT_EQ(told(check_registers({wrote(0, "x", 0, 1), found(0, "", 2, 3)}, {{"r", {1, "x"}}})),
            "register r: a read found version 0 when 1 was known\n");
  EXPECT_EQ(told(check_registers({versioned(What::write, 0, "x", End::unknown, 0, 0), found(1, "x", 1, 2), found(0, "", 3, 4)},
                                 {{"r", {1, "x"}}})),
            "register r: a read found version 0 when 1 was known\n");
}

TEST(CheckRegisters, FindsValuesFromNowhere) {
  EXPECT_EQ(told(check_registers({found(1, "x", 0, 1), wrote(0, "x", 2, 3)}, {{"r", {1, "x"}}})),
            "register r: a read found version 1 = 'x' that nobody had written\n"
            "register r: a write was acknowledged over version 0 when 1 was known\n");
  EXPECT_EQ(told(check_registers({versioned(What::write, 0, "x", End::refused, 0, 1)}, {{"r", {1, "x"}}})),
            "register r: it ends with the value of a refused write, x\n");
}

TEST(CheckRegisters, FindsAnAcknowledgedWriteThatIsLost) {
  EXPECT_EQ(told(check_registers({wrote(0, "x", 0, 1), wrote(1, "y", 2, 3)}, {{"r", {1, "x"}}})),
            "register r: lost, it ends with version 1 and 2 was acknowledged\n");
  EXPECT_EQ(told(check_registers({found(0, "", 0, 1)}, {})), "register r: gone\n");
}

TEST(CheckInserts, LetsPassWhatIsInOrder) {
  EXPECT_EQ(told(check_inserts(
                {op(What::insert, "a", End::ok), op(What::insert, "b", End::refused), op(What::insert, "c", End::unknown),
                 op(What::insert, "d", End::unknown), op(What::insert, "a", End::refused)},
                {"a", "c"})),
            "");
}

TEST(CheckInserts, FindsWhatIsLostDoubledRefusedOrOfNobody) {
  EXPECT_EQ(told(check_inserts({op(What::insert, "a", End::ok)}, {})), "row a: acknowledged and lost\n");
  EXPECT_EQ(told(check_inserts({op(What::insert, "a", End::ok)}, {"a", "a"})), "row a: there 2 times\n");
  EXPECT_EQ(told(check_inserts({op(What::insert, "a", End::refused)}, {"a"})), "row a: refused and there\n");
  EXPECT_EQ(told(check_inserts({}, {"a"})), "row a: inserted by nobody\n");
  EXPECT_EQ(told(check_inserts({op(What::insert, "a", End::ok), op(What::insert, "a", End::ok)}, {"a"})),
            "row a: acknowledged 2 times\n");
}

}  // namespace
}  // namespace mandate::test
