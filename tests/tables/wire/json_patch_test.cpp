// RFC 6902, with what a table adds: members without case, absent ones that are null.
#include <gtest/gtest.h>

#include "tables/wire/json_patch.h"

namespace mandate::tables::wire {
namespace {

std::string patched(std::string_view document, std::string_view patch) {
  JsonObject item = parse_json(document)->get_object();
  const auto done = apply_patch(item, parse_json(patch)->get_array());
  if (!done.ok()) return std::string(name(done.error().code));
  return to_json(Json(std::move(item)));
}

TEST(JsonPatch, DoesTheSixOperations) {
  EXPECT_EQ(patched(R"({"a":1})", R"([{"op":"add","path":"/b","value":2}])"), R"({"a":1,"b":2})");
  EXPECT_EQ(patched(R"({"a":1})", R"([{"op":"replace","path":"/a","value":[1]}])"), R"({"a":[1]})");
  EXPECT_EQ(patched(R"({"a":1,"b":2})", R"([{"op":"remove","path":"/b"}])"), R"({"a":1})");
  EXPECT_EQ(patched(R"({"a":1})", R"([{"op":"copy","from":"/a","path":"/b"}])"), R"({"a":1,"b":1})");
  EXPECT_EQ(patched(R"({"a":1})", R"([{"op":"move","from":"/a","path":"/b"}])"), R"({"b":1})");
  EXPECT_EQ(patched(R"({"a":1})", R"([{"op":"test","path":"/a","value":1}])"), R"({"a":1})");
  EXPECT_EQ(patched(R"({"a":1})", R"([{"op":"test","path":"/a","value":2}])"), "conflict");
}

TEST(JsonPatch, GoesIntoArraysAndObjects) {
  EXPECT_EQ(patched(R"({"j":{"a":[1,3]}})", R"([{"op":"add","path":"/j/a/1","value":2},{"op":"add","path":"/j/a/-","value":4}])"), R"({"j":{"a":[1,2,3,4]}})");
  EXPECT_EQ(patched(R"({"j":{"a":[1,3]}})", R"([{"op":"remove","path":"/j/a/0"},{"op":"replace","path":"/j/a/0","value":9}])"), R"({"j":{"a":[9]}})");
  EXPECT_EQ(patched(R"({"a~b":{"c/d":1}})", R"([{"op":"replace","path":"/a~0b/c~1d","value":2}])"), R"({"a~b":{"c/d":2}})");
}

TEST(JsonPatch, FindsMembersWithoutCaseAndTakesAbsentOnesForNull) {
  EXPECT_EQ(patched(R"({"Text":1})", R"([{"op":"replace","path":"/text","value":2}])"), R"({"Text":2})");
  EXPECT_EQ(patched(R"({"a":1})", R"([{"op":"test","path":"/b","value":null},{"op":"replace","path":"/b","value":2},{"op":"remove","path":"/c"}])"), R"({"a":1,"b":2})");
}

TEST(JsonPatch, TestsNumbersByTheirValueAndMembersInAnyOrder) {
  EXPECT_EQ(patched(R"({"a":5.0})", R"([{"op":"test","path":"/a","value":5}])"), R"({"a":5})");
  EXPECT_EQ(patched(R"({"a":{"b":1,"c":[2.0]}})", R"([{"op":"test","path":"/a","value":{"c":[2],"b":1.0}}])"), R"({"a":{"b":1,"c":[2]}})");
  EXPECT_EQ(patched(R"({"a":"5"})", R"([{"op":"test","path":"/a","value":5}])"), "conflict");
}

TEST(JsonPatch, IsDoneWhollyOrNotAtAll) {
  JsonObject item{{"a", 1}};
  EXPECT_FALSE(apply_patch(item, parse_json(R"([{"op":"replace","path":"/a","value":2},{"op":"remove","path":"/x/y"}])")->get_array()).ok());
  EXPECT_EQ(item.at("a"), 1);
}

TEST(JsonPatch, RefusesWhatIsNoPatch) {
  for (const char* patch : {R"([1])", R"([{}])", R"([{"op":"add","path":"/b"}])", R"([{"op":"add","value":1}])", R"([{"op":"bake","path":"/b","value":1}])",
                            R"([{"op":"add","path":"b","value":1}])", R"([{"op":"add","path":"","value":{}}])", R"([{"op":"add","path":"/b/c","value":1}])",
                            R"([{"op":"add","path":"/~2","value":1}])", R"([{"op":"move","path":"/b"}])", R"([{"op":"move","from":"/a","path":"/a/b"}])",
                            R"([{"op":"copy","from":"/x/y","path":"/b"}])", R"([{"op":"replace","path":"/l/01","value":1}])",
                            R"([{"op":"replace","path":"/l/2","value":1}])", R"([{"op":"add","path":"/l/4","value":1}])"})
    EXPECT_EQ(patched(R"({"a":{},"l":[1,2]})", patch), "bad_request") << patch;
}

TEST(JsonPatch, DoesNotLetADocumentGrowWithoutEnd) {
  std::string patch = "[";
  for (int i = 0; i < 40; ++i) patch += std::string(i ? "," : "") + R"({"op":"copy","from":"","path":"/x)" + std::to_string(i) + "\"}";
  EXPECT_EQ(patched(R"({"a":"some text"})", patch + "]"), "bad_request");
  std::string deep = "[", path = "/a";
  for (int i = 0; i < 40; ++i, path += "/a") deep += std::string(i ? "," : "") + R"({"op":"copy","from":"/a","path":")" + path + "/a\"}";
  EXPECT_EQ(patched(R"({"a":{}})", deep + "]"), "bad_request");
}

}  // namespace
}  // namespace mandate::tables::wire
