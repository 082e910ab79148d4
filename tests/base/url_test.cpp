#include "base/url.h"

#include <gtest/gtest.h>

namespace mandate {
namespace {

TEST(WithoutPassword, TheUserTheHostsAndTheOtherParametersStay) {
  EXPECT_EQ(without_password("postgres://u:secret@h1,h2:5/db?sslmode=require"), "postgres://u@h1,h2:5/db?sslmode=require");
  EXPECT_EQ(without_password("postgres://h:5432/db"), "postgres://h:5432/db");
  EXPECT_EQ(without_password("postgres:///db"), "postgres:///db");
  EXPECT_EQ(without_password("sqlite:/var/lib/data"), "sqlite:/var/lib/data");
}

TEST(WithoutPassword, ParametersThatLibpqTakesForOneAreLeftOutHoweverTheyAreSpelt) {
  EXPECT_EQ(without_password("postgres://h/db?password=secret"), "postgres://h/db");
  EXPECT_EQ(without_password("postgres://h/db?a=1&pass%77ord=secret&sslpassword=secret&b=2"), "postgres://h/db?a=1&b=2");
}

TEST(WithoutPassword, OneThatSpoilsItsUrlIsNotShownEither) {
  for (const char* url : {"postgres://u:se@cret@h/db", "postgres://u:se/cret@h/db", "postgres://u:se:cret@h"})
    EXPECT_EQ(without_password(url).find("cret"), std::string::npos) << url;
}

}  // namespace
}  // namespace mandate
