#include "base/plain.h"

#include <gtest/gtest.h>

namespace mandate {
namespace {

TEST(PlainText, IsAsItWasWhereATerminalObeysNothing) {
  for (const std::string_view text : {"", "milk", "Gr\xC3\xBC\xC3\x9F" "e, \xE2\x82\xAC \xE2\x80\x9Cquoted\xE2\x80\x9D", "\xF0\x9F\xA5\x9B", "\xC2\xA0"}) EXPECT_EQ(plain(text), text);
}

TEST(PlainText, WritesOutWhatATerminalObeys) {
  EXPECT_EQ(plain("a\x1B[2Jb\nc\r\t"), "a\\u001b[2Jb\\u000ac\\u000d\\u0009");
  EXPECT_EQ(plain("\x7F\xC2\x9B" "2J"), "\\u007f\\u009b2J");
  EXPECT_EQ(plain("\xE2\x80\xAE" "abc\xE2\x81\xA9"), "\\u202eabc\\u2069");
}

TEST(PlainText, ReadsNotBehindTheEnd) {
  EXPECT_EQ(plain("\xC2"), "\xC2");
  EXPECT_EQ(plain("\xE2\x80"), "\xE2\x80");
}

}  // namespace
}  // namespace mandate
