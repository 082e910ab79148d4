#include "base/text.h"

#include <gtest/gtest.h>

namespace mandate {
namespace {

TEST(Cut, EndsBetweenTwoCharacters) {
  EXPECT_EQ(cut("abc", 3), "abc");
  EXPECT_EQ(cut("abcd", 3), "abc");
  EXPECT_EQ(cut("ab\u20ac", 4), "ab");
  EXPECT_EQ(cut("ab\u20acd", 5), "ab\u20ac");
  EXPECT_EQ(cut("\U0001F600", 3), "");
  EXPECT_EQ(cut("", 0), "");
}

}  // namespace
}  // namespace mandate
