#include "push/tags.h"

#include <gtest/gtest.h>

#include <set>

namespace mandate::push {
namespace {

bool chosen(std::string_view text, std::set<std::string> device) {
  const auto expression = TagExpression::parse(text);
  EXPECT_TRUE(expression.ok()) << text << (expression.ok() ? "" : expression.error().hint);
  if (!expression.ok()) return false;
  bool has[kMostExpressionTags] = {};
  for (std::size_t i = 0; i < expression->tags().size(); ++i) has[i] = device.contains(expression->tags()[i]);
  return expression->matches(has);
}

std::string refusal(std::string_view text) {
  const auto expression = TagExpression::parse(text);
  return expression.ok() ? "" : expression.error().hint;
}

TEST(TagExpression, ChoosesByAndOrNotAndBrackets) {
  EXPECT_TRUE(chosen("a", {"a"}));
  EXPECT_FALSE(chosen("a", {"b"}));
  EXPECT_TRUE(chosen("a && !(b || c)", {"a", "d"}));
  EXPECT_FALSE(chosen("a && !(b || c)", {"a", "c"}));
  EXPECT_TRUE(chosen("a || b && c", {"a"}));           // && binds more tightly
  EXPECT_FALSE(chosen("(a || b) && c", {"a"}));
  EXPECT_TRUE(chosen("!a", {}));
  EXPECT_TRUE(chosen("  !!a  ", {"a"}));
}

TEST(TagExpression, NothingMeansEverybody) {
  EXPECT_TRUE(chosen("", {}));
  EXPECT_TRUE(chosen(" \t", {"a"}));
}

TEST(TagExpression, AnIdMayHaveASingleBar) {
  EXPECT_TRUE(chosen("_UserId:github|7||x", {"_UserId:github|7"}));
  EXPECT_TRUE(chosen("$InstallationId:{0b-1}", {"$InstallationId:{0b-1}"}));
}

TEST(TagExpression, MistakesAreToldWithTheirPlace) {
  EXPECT_NE(refusal("a &&").find("no tag at index 4"), std::string::npos);
  EXPECT_NE(refusal("(a").find("no closing bracket"), std::string::npos);
  EXPECT_NE(refusal("a b").find("index 2"), std::string::npos);
  EXPECT_NE(refusal("a & b").find("index 2"), std::string::npos);
  EXPECT_NE(refusal(std::string(200, '(') + "a").find("too many brackets"), std::string::npos);
  EXPECT_NE(refusal("'a'"), "");
}

TEST(TagExpression, HasTheLimitsOfNotificationHubs) {
  std::string ors = "t0", mixed = "t0";
  for (int i = 1; i < 20; ++i) ors += " || t" + std::to_string(i);
  EXPECT_EQ(refusal(ors), "");
  EXPECT_NE(refusal(ors + " || t20"), "");
  for (int i = 1; i < 6; ++i) mixed += " && t" + std::to_string(i);
  EXPECT_EQ(refusal(mixed), "");
  EXPECT_NE(refusal(mixed + " && t6"), "");
}

TEST(TagExpression, AListMeansAnyOfThem) {
  const auto any = TagExpression::any_of({"a b", "c", "c"});
  ASSERT_TRUE(any.ok());
  ASSERT_EQ(any->tags().size(), 2U);
  const bool second[] = {false, true}, none[] = {false, false};
  EXPECT_TRUE(any->matches(second));
  EXPECT_FALSE(any->matches(none));
  EXPECT_TRUE(TagExpression::any_of({})->matches_strangers());
  EXPECT_EQ(TagExpression::text_of({"a", "_UserId:github|7"}), "a || _UserId:github|7");
  EXPECT_EQ(TagExpression::text_of({"a b"}), std::nullopt);
  EXPECT_EQ(TagExpression::text_of({"a||b"}), std::nullopt);
}

TEST(Tags, AnotherUsersTagIsRefused) {
  EXPECT_TRUE(check_tags({"_UserId:ana", "news"}, "ana", "").ok());
  EXPECT_FALSE(check_tags({"_UserId:ben"}, "ana", "").ok());
  EXPECT_FALSE(check_tags({"_userid:ben"}, "ana", "").ok());
  EXPECT_FALSE(check_tags({"$UserId:ben"}, "ana", "").ok());
  EXPECT_FALSE(check_tags({"_UserId:"}, "", "").ok());
  EXPECT_FALSE(check_tags({"$InstallationId:{other}"}, "ana", "mine").ok());
  EXPECT_EQ(*check_tags({"$InstallationId:{mine}", "x", "x"}, "", "mine"), std::vector<std::string>{"x"});
}

TEST(Tags, HaveTheCharactersAndLimitsOfNotificationHubs) {
  EXPECT_TRUE(check_tags({"A_z@9#.:-"}, "", "").ok());
  for (const char* bad : {"", "a b", "a|b", "a&&b", "\xc3\xa4", "a!"}) EXPECT_FALSE(check_tags({bad}, "", "").ok()) << bad;
  EXPECT_FALSE(check_tags({std::string(121, 'a')}, "", "").ok());
  std::vector<std::string> many;
  for (int i = 0; i < 61; ++i) many.push_back("t" + std::to_string(i));
  EXPECT_FALSE(check_tags(many, "", "").ok());
}

}  // namespace
}  // namespace mandate::push
