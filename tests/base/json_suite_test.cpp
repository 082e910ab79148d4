// JSONTestSuite (nst/JSONTestSuite) against parse_json: IN-1, IN-2.
#include "base/json.h"
#include "tests/support/testdata.h"

namespace mandate {
namespace {

TEST(JsonSuite, EveryBrokenTextIsRefusedAndEveryGoodOneReadButForDuplicateNames) {
  const auto folder = test::testdata("json-test-suite");
  if (!folder) return;
  int good = 0, broken = 0, free = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*folder / "test_parsing")) {
    const std::string name = entry.path().filename().string();
    const auto result = parse_json(test::read_file(entry.path()));
    if (name.starts_with("y_object_duplicated_key")) {
      EXPECT_FALSE(result.ok()) << name << ": IN-2 refuses a name given twice";
    } else if (name.starts_with("y_")) {
      EXPECT_TRUE(result.ok()) << name;
      ++good;
    } else if (name.starts_with("n_")) {
      EXPECT_FALSE(result.ok()) << name;
      ++broken;
    } else {
      ++free;  // either verdict; it must only come back
    }
  }
  std::printf("JSONTestSuite: %d good, %d broken, %d free\n", good, broken, free);
  EXPECT_GE(good, 90);
  EXPECT_GE(broken, 180);
}

TEST(JsonSuite, WhatWasReadIsWrittenAndReadAgainTheSame) {
  const auto folder = test::testdata("json-test-suite");
  if (!folder) return;
  for (const auto& entry : std::filesystem::directory_iterator(*folder / "test_parsing")) {
    const auto first = parse_json(test::read_file(entry.path()));
    if (!first.ok()) continue;
    const auto second = parse_json(to_json(*first));
    ASSERT_TRUE(second.ok()) << entry.path();
    EXPECT_EQ(to_json(*first), to_json(*second)) << entry.path();
  }
}

TEST(JsonSuite, TenMegabytesOfBracketsAreRefusedWithoutRecursion) {
  JsonLimits limits;
  limits.bytes = 16 << 20;
  EXPECT_FALSE(parse_json(std::string(10 << 20, '['), limits).ok());
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_FALSE(parse_json(objects, limits).ok());
}

TEST(JsonSuite, ADepthOf64IsReadAnd65IsRefused) {
  EXPECT_TRUE(parse_json(std::string(64, '[') + std::string(64, ']')).ok());
  EXPECT_FALSE(parse_json(std::string(65, '[') + std::string(65, ']')).ok());
}

TEST(JsonSuite, ANameGivenTwiceIsRefusedAlsoWhenOneIsEscaped) {
  EXPECT_FALSE(parse_json(R"({"userId":1,"userId":2})").ok());
  EXPECT_FALSE(parse_json(R"({"userId":1,"user\u0049d":2})").ok());
  EXPECT_TRUE(parse_json(R"({"id":1,"Id":2})").ok()) << "case is the business of the table";
}

TEST(JsonSuite, NumbersOutsideADoubleAndLoneSurrogatesAreRefused) {
  for (const char* text : {"1e400", "-1e400", "[1e999999]", "NaN", "Infinity", "\"\\ud800\"", "\"\\udc00\\ud800\"",
                           "\xEF\xBB\xBF{}", "\"\xC0\xAF\"", "{} {}"})
    EXPECT_FALSE(parse_json(text).ok()) << text;
}

TEST(JsonSuite, WholeNumbersBeyond64BitsAreReadAsJavaScriptReadsThem) {
  const auto read = parse_json(
      R"({"n":123456789012345680000,"low":-123456789012345680000,"text":"\\\"123456789012345680000","edge":18446744073709551615,"past":18446744073709551616})");
  ASSERT_TRUE(read.ok());
  const JsonObject& object = read->get_object();
  EXPECT_EQ(object.at("n").get_double(), 123456789012345680000.0);
  EXPECT_EQ(object.at("low").get_double(), -123456789012345680000.0);
  EXPECT_EQ(text_member(object, "text"), "\\\"123456789012345680000");
  EXPECT_EQ(object.at("past").get_double(), 18446744073709551616.0);
  for (const char* text : {"00123456789012345680000", "-", "[123456789012345680000-1]", "{\"n\":123456789012345680000",
                           "123456789012345680000 1", "+123456789012345680000", "\"123456789012345680000\\"})
    EXPECT_FALSE(parse_json(text).ok()) << text;
}

}  // namespace
}  // namespace mandate
