// IN-3: one spelling for one account, and no spelling that only looks like another's.
#include <gtest/gtest.h>

#include "identity/users.h"

namespace mandate::identity {
namespace {

std::string canonical(std::string_view text) {
  auto made = canonical_login(text);
  return made.ok() ? *made : "refused";
}

TEST(CanonicalLogin, SpellingsOfOneAccountMeet) {
  EXPECT_EQ(canonical("Ann@Example.ORG"), "ann@example.org");
  EXPECT_EQ(canonical("  ann@example.org "), "ann@example.org");
  // NFD e + acute and NFC é.
  EXPECT_EQ(canonical("Rene\u0301@example.org"), canonical("Ren\u00e9@example.org"));
  // The Kelvin sign is K by canonical equivalence: one account, not a second one that looks like it.
  EXPECT_EQ(canonical("\u212Aim@example.org"), canonical("kim@example.org"));
}

TEST(CanonicalLogin, FoldingIsAsciiOnlySoLookAlikesStayApart) {
  EXPECT_NE(canonical("adm\u0131n@example.org"), canonical("admin@example.org"));  // dotless i
  EXPECT_EQ(canonical("adm\u0131n@example.org"), "adm\u0131n@example.org");
  EXPECT_NE(canonical("\u0130da@example.org"), canonical("ida@example.org"));      // dotted capital I
  EXPECT_EQ(canonical("\u00c9va@example.org"), "\u00c9va@example.org");            // É is not folded
}

TEST(CanonicalLogin, LettersThatOnlyLookLikeOthersAreRefused) {
  for (const std::string_view text : {"\uFF41dmin@example.org", "a\u017Fk@example.org", "\uFB01n@example.org", "admin\uFF20example.org",
                                      "\u24D0nn@example.org", "ann\u00B2@example.org"})
    EXPECT_EQ(canonical(text), "refused") << text;
}

TEST(CanonicalLogin, WhatCannotBeSeenIsRefused) {
  for (const std::string_view text : {"ad\u200Bmin@example.org", "ad\u200Dmin@example.org", "ad\u00ADmin@example.org", "\uFEFFann@example.org",
                                      "ad\u202Emin@example.org", "ann\u2060@example.org", "a nn@example.org", "ann\u3000@example.org",
                                      "ann\u00A0@example.org", "ann@exam\nple.org", "ann\uE000@example.org", "ann\uFE0F@example.org"})
    EXPECT_EQ(canonical(text), "refused") << text;
  EXPECT_EQ(canonical(std::string_view("ann\0@example.org", 16)), "refused");
}

TEST(CanonicalLogin, ScriptsAreNotMixedWithinAWord) {
  EXPECT_EQ(canonical("\u0430dmin@example.org"), "refused");   // Cyrillic а, Latin dmin
  EXPECT_EQ(canonical("ann@ex\u0430mple.org"), "refused");
  EXPECT_EQ(canonical("\u03BFnly@example.org"), "refused");    // Greek omicron
  EXPECT_EQ(canonical("иван@example.org"), "иван@example.org");
  EXPECT_EQ(canonical("иван@пример.example"), "иван@пример.example");
  EXPECT_EQ(canonical("田中さくら@example.jp"), "田中さくら@example.jp");
  EXPECT_EQ(canonical("ann-2.x+tag@example.org"), "ann-2.x+tag@example.org");
}

TEST(CanonicalLogin, NothingEmptyEndlessOrBroken) {
  EXPECT_EQ(canonical(""), "refused");
  EXPECT_EQ(canonical("   "), "refused");
  EXPECT_EQ(canonical(std::string(321, 'a')), "refused");
  EXPECT_EQ(canonical("ann\xC3@example.org"), "refused");
  EXPECT_EQ(canonical("ann\xED\xA0\x80@example.org"), "refused");
}

}  // namespace
}  // namespace mandate::identity
