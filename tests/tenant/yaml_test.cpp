#include <gtest/gtest.h>

#include "base/yaml.h"

namespace mandate {
namespace {

std::string read(std::string_view text) {
  const Result<Json> value = parse_yaml(text);
  return value.ok() ? to_json(*value) : "refused: " + value.error().hint;
}

TEST(Yaml, ReadsWhatPeopleWrite) {
  EXPECT_EQ(read("a: 1\nb: [x, 'y', \"z\"]\nc:\n  d: true\n  e: null\n  f: 1.5\n"), R"({"a":1,"b":["x","y","z"],"c":{"d":true,"e":null,"f":1.5}})");
  EXPECT_EQ(read("text: |\n  one\n  two\n"), R"({"text":"one\ntwo\n"})");
  EXPECT_EQ(read("- a: 1\n  b: 2\n- {}\n- []\n"), R"([{"a":1,"b":2},{},[]])");
  EXPECT_EQ(read(""), "null");
}

TEST(Yaml, OnlyWhatIsPlainlyANumberIsOne) {
  EXPECT_EQ(read("[0123, yes, no, on, 2024-01-01, 0x1F, .5, 1_000, .inf, 1e3, -7, 1.2.3, '7']"),
            R"(["0123","yes","no","on","2024-01-01","0x1F",".5","1_000",".inf",1000,-7,"1.2.3","7"])");
}

TEST(Yaml, RefusesWhatWouldSurprise) {
  for (const char* text : {"a: 1\na: 2\n", "a: [1\n", "--- 1\n--- 2\n", "a: !!python/object x\n", "? [a]\n: 1\n", "1: x\n", "<<: {a: 1}\n", "a: \x01\n", "\xff: 1"})
    EXPECT_TRUE(read(text).starts_with("refused: ")) << text << " → " << read(text);
  EXPECT_EQ(read("a: 1\nb: 2\na: 3\n"), "refused: line 3, column 1: 'a' is there twice");
}

TEST(Yaml, AliasesCountWithAllTheyStandFor) {
  EXPECT_EQ(read("a: &x {b: 1}\nc: *x\n"), R"({"a":{"b":1},"c":{"b":1}})");
  std::string laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = std::to_string(i - 1), now = std::to_string(i);
    laughs += "a" + now + ": &a" + now + " [";
    for (int j = 0; j < 10; ++j) laughs += "*a" + last + (j < 9 ? "," : "]\n");
  }
  EXPECT_NE(read(laughs).find("too many values"), std::string::npos);
  std::string fat = "a: &a \"" + std::string(200'000, 'x') + "\"\nb:\n";
  for (int i = 0; i < 1000; ++i) fat += "  - *a\n";
  EXPECT_NE(read(fat).find("too many values"), std::string::npos);
  EXPECT_NE(read("a: &a [*a]\n").find("refused"), std::string::npos);
}

TEST(Yaml, DepthAndSizeHaveLimits) {
  EXPECT_TRUE(read(std::string(63, '[') + std::string(63, ']')).starts_with("[["));
  EXPECT_NE(read(std::string(65, '[') + std::string(65, ']')).find("nested too deep"), std::string::npos);
  EXPECT_TRUE(read(std::string(5000, '[')).starts_with("refused"));
  EXPECT_EQ(parse_yaml(std::string(2 << 20, ' ')).error().code, Code::payload_too_large);
}

TEST(Yaml, WhatIsWrittenReadsBackTheSame) {
  const JsonObject tree{{"plain", "text"}, {"number as text", "12"}, {"yes", "true"}, {"null", nullptr}, {"n", 5}, {"d", 1.5}, {"t", true},
                        {"empty", ""}, {"list", JsonArray{"a", JsonObject{{"b", 1}, {"c", JsonArray{1, JsonArray{2}}}}, JsonArray(), JsonObject()}},
                        {"script", "function a() {\n  return `${x}`; // #\n}\n"}, {"no end", "a\nb"}, {"two ends", "a\n\n"}, {"lead", " a\nb"},
                        {"colon", "a: b"}, {"hash", "a #b"}, {"dash", "- a"}, {"star", "*"}, {"quote", "\"'"}, {"esc", "\x1b[1m\x7f"},
                        {"breaks", "a\xC2\x85" "b\xE2\x80\xA8" "c\nd"}, {"url", "https://*.example.com/cb?x=1#y"}, {"key: odd #", 1}, {"tab", "a\tb\n\tc"},
                        {"umlaut", "\xC3\xA4\xF0\x9F\x98\x80"}, {"tilde", "~"}, {"trail", "x "}, {"cr", "a\r\nb"}};
  const std::string text = to_yaml(tree);
  const Result<Json> back = parse_yaml(text);
  ASSERT_TRUE(back.ok()) << back.error().hint << "\n" << text;
  EXPECT_EQ(*back, Json(tree)) << text;
  EXPECT_EQ(to_yaml(*back), text);
}

}  // namespace
}  // namespace mandate
