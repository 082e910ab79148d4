#include "identity/credentials.h"

#include <gtest/gtest.h>

namespace mandate::identity {
namespace {

constexpr std::string_view kMaster = "mandate-test-master-key", kVector = "7h8rSxCl2trHDDYa0YosTVFXx2NPbx1JtJaBC1P8gTw=";

TEST(Credentials, TheVectorOfTheWireContractIsWrittenAndRead) {
  EXPECT_EQ(encrypt_credentials(kMaster, R"({"accessToken":"abc"})"), kVector);
  const auto read = decrypt_credentials(kMaster, kVector);
  ASSERT_TRUE(read);
  EXPECT_EQ(to_json(*read), R"({"accessToken":"abc"})");
}

TEST(Credentials, WhatAnotherKeyWroteOrNobodyDidIsNothing) {
  EXPECT_FALSE(decrypt_credentials("another key", kVector));
  for (const std::string_view text : {"", "x", "AAAA", "7h8rSxCl2trHDDYa0YosTVFXx2NPbx1JtJaBC1P8gT", "AAAAAAAAAAAAAAAAAAAAAA=="}) EXPECT_FALSE(decrypt_credentials(kMaster, text)) << text;
}

TEST(Credentials, ScriptsSeeThemUnderTheProvidersKeyWithTheUserId) {
  const JsonObject claims{{"ver", 2}, {kCredentialsClaim, kVector}};
  EXPECT_EQ(to_json(*identities_in(claims, "Facebook:123", kMaster)), R"({"facebook":{"userId":"Facebook:123","accessToken":"abc"}})");
  EXPECT_EQ(to_json(*identities_in(claims, "MicrosoftAccount:9", kMaster)), R"({"microsoft":{"userId":"MicrosoftAccount:9","accessToken":"abc"}})");
  EXPECT_FALSE(identities_in({{"ver", 2}}, "Custom:1", kMaster));
  const JsonObject first{{"ver", 1}, {kCredentialsClaim, JsonObject{{"facebook", "x"}}}};
  EXPECT_EQ(to_json(*identities_in(first, "Facebook:123", kMaster)), R"({"facebook":"x"})");
}

}  // namespace
}  // namespace mandate::identity
