#include "import/csv.h"

#include <gtest/gtest.h>

#include "import/guess.h"

namespace mandate::cli {
namespace {

/// Records as "a|b" with quoted fields in '…'; an error as "line 3: why".
std::string read(std::string_view text, CsvShape shape = {}) {
  Csv csv(bytes_of(text), shape);
  std::string out;
  std::vector<CsvField> record;
  for (;;) {
    const auto more = csv.next(record);
    if (!more.ok()) return out + "line " + std::to_string(csv.line()) + ": " + more.error().hint;
    if (!*more) return out;
    for (std::size_t i = 0; i < record.size(); ++i) {
      if (i) out += '|';
      out += record[i].quoted ? "'" + record[i].text + "'" : record[i].text;
    }
    out += ';';
  }
}

TEST(CsvRecords, AreSeparatedByAnyLineEndAndTheLastNeedsNone) {
  EXPECT_EQ(read("a,b\r\n1,2\n3,4\r5,6"), "a|b;1|2;3|4;5|6;");
  EXPECT_EQ(read("a\n\n\r\nb\n"), "a;b;");
  EXPECT_EQ(read("a,\n,"), "a|;|;");
  EXPECT_EQ(read(""), "");
}

TEST(CsvRecords, QuotedFieldsHoldDelimitersQuotesAndLineEnds) {
  EXPECT_EQ(read("\"a,b\",\"say \"\"hi\"\"\",\"two\r\nlines\"\nc"), "'a,b'|'say \"hi\"'|'two\r\nlines';c;");
  EXPECT_EQ(read("\"\",\n"), "''|;") << "an empty text is not nothing";
}

TEST(CsvRecords, BeginWhereTheirFirstCharacterStands) {
  Csv csv(bytes_of("a\n\"x\r\ny\nz\"\n\nb\n"), {});
  std::vector<CsvField> record;
  std::string lines;
  while (*csv.next(record)) lines += std::to_string(csv.line()) + " ";
  EXPECT_EQ(lines, "1 2 6 ");
}

TEST(CsvRecords, WhatIsWrongIsToldWithItsLine) {
  EXPECT_EQ(read("a\nb \"c\"\n"), "a;line 2: a quote stands within a field that does not begin with one");
  EXPECT_EQ(read("a\n\"b\"c\n"), "a;line 2: a quote ends before its field does; a quote within one is written twice");
  EXPECT_EQ(read("a\n\"b\n\n"), "a;line 2: a quote is not closed");
  EXPECT_EQ(read("a\n\xff\n"), "a;line 2: the record is not UTF-8: convert the file first, as with iconv");
  EXPECT_NE(read("a\n\"" + std::string(5 << 20, 'x')).find("longer than 4 MB"), std::string::npos);
  EXPECT_NE(read(std::string(5000, ',')).find("fields"), std::string::npos);
}

TEST(CsvRecords, MarksAreTakenOffAndUtf16IsUnderstood) {
  EXPECT_EQ(read("\xEF\xBB\xBF" "a,b\n"), "a|b;");
  EXPECT_EQ(read(std::string_view("\xFF\xFE" "a\0,\0\xE9\0\n\0\x3D\xD8\x00\xDE", 14)), "a|é;😀;");
  EXPECT_EQ(read(std::string_view("\xFE\xFF\0a\0,\0b", 8)), "a|b;");
  EXPECT_NE(read(std::string_view("\xFF\xFE\x3D\xD8" "a\0", 6)).find("UTF-16"), std::string::npos);
  EXPECT_NE(read(std::string_view("\xFF\xFE" "a", 3)).find("UTF-16"), std::string::npos);
  EXPECT_NE(read("\xEF" "a").find("UTF-8"), std::string::npos) << "no mark";
}

TEST(CsvRecords, QuotesMeanNothingToBcp) {
  EXPECT_EQ(read("a\t\"b\tc\"d\r\n\"\n", {'\t', false}), "a|\"b|c\"d;\";");
}

TEST(CsvRecords, TheDelimiterIsTheOneThatTheHeaderHas) {
  EXPECT_EQ(delimiter_of("id,text"), ',');
  EXPECT_EQ(delimiter_of("id;a,b;c\nx,y,z,w"), ';');
  EXPECT_EQ(delimiter_of("id\t\"a,b,c,d\"\tx"), '\t');
  EXPECT_EQ(delimiter_of("id|b|c"), '|');
  EXPECT_EQ(delimiter_of("id"), ',');
}

TEST(ColumnGuess, HoldsForEveryValue) {
  const auto type = [](std::initializer_list<std::string_view> values) {
    Guess guess;
    for (const std::string_view value : values) guess.see(value);
    return std::string(guess.type());
  };
  EXPECT_EQ(type({"1", "-2.5", "1e3"}), "number");
  EXPECT_EQ(type({"1", "007"}), "string") << "a number would lose its zeros";
  EXPECT_EQ(type({"12345678901234567890"}), "string") << "a number would lose its end";
  EXPECT_EQ(type({"0", "1"}), "number");
  EXPECT_EQ(type({"true", "FALSE"}), "boolean");
  EXPECT_EQ(type({"2014-05-06T07:08:09Z", "2014-05-06 07:08:09.1234567 +00:00"}), "datetime");
  EXPECT_EQ(type({"2014-05-06 09:08:09.123456+02", "2014-05-06 01:38:09-05:30"}), "datetime") << "as PostgreSQL writes them";
  EXPECT_EQ(type({"2014-05-06"}), "string");
  EXPECT_EQ(type({"", "1"}), "string");
  EXPECT_EQ(type({}), "string");
}

}  // namespace
}  // namespace mandate::cli
