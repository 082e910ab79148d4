#include <gtest/gtest.h>

#include "tenant/tenants.h"

namespace mandate::tenant {
namespace {

TEST(Vault, OpensWhatItSealed) {
  SeededRandom random;
  const Vault vault("key", random);
  const std::string sealed = vault.seal("the secret", sealed::client_secret("todo"));
  EXPECT_EQ(sealed.find("secret"), std::string::npos);
  const Result<Secret> opened = vault.unseal(sealed, sealed::client_secret("todo"));
  ASSERT_TRUE(opened.ok());
  EXPECT_TRUE(secret_equal(*opened, "the secret"));
}

TEST(Vault, DoesNotOpenAtAnotherPlaceOrWithAnotherKey) {
  SeededRandom random;
  const Vault vault("key", random), other("another key", random);
  const std::string sealed = vault.seal("x", sealed::addon("a", "wams", "masterkey"));
  EXPECT_EQ(vault.unseal(sealed, sealed::addon("b", "wams", "masterkey")).error().code, Code::corrupt);
  EXPECT_EQ(other.unseal(sealed, sealed::addon("a", "wams", "masterkey")).error().code, Code::corrupt);
  EXPECT_EQ(vault.unseal("not base64url!", sealed::addon("a", "wams", "masterkey")).error().code, Code::corrupt);
}

TEST(Vault, NoByteOfASealedTextCanBeChanged) {
  SeededRandom random;
  const Vault vault("key", random);
  const std::string sealed = vault.seal("x", "place");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(vault.unseal(changed, "place").ok()) << i;
  }
}

TEST(Vault, PlacesWithSimilarNamesDiffer) {
  EXPECT_NE(sealed::addon("a", "b", "c"), sealed::addon("ab", "", "c"));
  EXPECT_NE(sealed::connection("a", "b"), sealed::service("a", "b"));
}

}  // namespace
}  // namespace mandate::tenant
