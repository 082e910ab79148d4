#include "jose/verified_cache.h"

#include <gtest/gtest.h>

namespace mandate::jose {
namespace {

TEST(VerifiedCache, ATokenIsFoundUntilItEnds) {
  VerifiedCache<int> cache;
  cache.put("t", "token", 1, 100, 7);
  ASSERT_TRUE(cache.find("t", "token", 1, 99));
  EXPECT_EQ(*cache.find("t", "token", 1, 99), 7);
  EXPECT_FALSE(cache.find("t", "token", 1, 100));
  EXPECT_FALSE(cache.find("t", "token", 1, 99)) << "what has ended does not come back";
}

TEST(VerifiedCache, AnotherEpochAnotherScopeOrAnotherByteFindsNothing) {
  VerifiedCache<int> cache;
  cache.put("t", "token", 1, 100, 7);
  EXPECT_FALSE(cache.find("u", "token", 1, 1));
  EXPECT_FALSE(cache.find("t", "tokeN", 1, 1));
  EXPECT_FALSE(cache.find("t", "token", 2, 1));
  EXPECT_FALSE(cache.find("t", "token", 1, 1)) << "a raised epoch is for ever";
}

TEST(VerifiedCache, ItStaysBoundedAndKeepsWhatIsUsed) {
  VerifiedCache<int> cache(100);
  cache.put("t", "favourite", 1, 1000, 1);
  for (int i = 0; i < 10'000; ++i) {
    cache.put("t", std::to_string(i), 1, 1000, i);
    ASSERT_TRUE(cache.find("t", "favourite", 1, 1)) << i;
    ASSERT_LE(cache.size(), 110U);
  }
  EXPECT_FALSE(cache.find("t", "1", 1, 1));
  EXPECT_TRUE(cache.find("t", "9999", 1, 1));
}

}  // namespace
}  // namespace mandate::jose
