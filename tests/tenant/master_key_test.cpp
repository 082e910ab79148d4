#include "tenant/master_key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_store.h"

namespace mandate::tenant {
namespace {

namespace fs = std::filesystem;

struct MasterKey : ::testing::Test {
  test::TempDir dir;
  SeededRandom random;
  std::string data = dir.path() + "/var", file = dir.path() + "/mandate.key";
  void SetUp() override { ASSERT_TRUE(ensure_private_directory(data).ok()); }
  Result<std::string> load() { return load_or_create_master_key(file, data, random); }
  mode_t mode(const std::string& path) {
    struct stat info {};
    ::stat(path.c_str(), &info);
    return info.st_mode & 0777;
  }
};

TEST_F(MasterKey, IsMadeOnceForItsOwnerOnly) {
  const auto first = load();
  ASSERT_TRUE(first.ok()) << first.error().hint;
  EXPECT_EQ(first->size(), 32U);
  EXPECT_EQ(mode(file), 0600U);
  EXPECT_EQ(*load(), *first);
}

TEST_F(MasterKey, ThatOthersMayReadIsRefused) {  // KS-2
  ASSERT_TRUE(load().ok());
  for (const mode_t bad : {0640, 0604, 0644, 0660, 0610}) {
    ::chmod(file.c_str(), bad);
    const auto refused = load();
    ASSERT_FALSE(refused.ok()) << std::oct << bad;
    EXPECT_NE(refused.error().hint.find("chmod 600"), std::string::npos);
  }
}

TEST_F(MasterKey, InsideTheDataDirectoryIsRefused) {
  for (const std::string& place : {data + "/mandate.key", data + "/../var/x/mandate.key"}) EXPECT_FALSE(load_or_create_master_key(place, data, random).ok()) << place;
  EXPECT_TRUE(load_or_create_master_key(data + "-keys/mandate.key", data, random).ok());
}

TEST_F(MasterKey, IsNotMadeAnewWhileThereIsDataSealedWithTheOldOne) {
  std::ofstream(data + "/demo.db") << "data";
  const auto refused = load();
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().hint.find("is missing"), std::string::npos);
}

TEST_F(MasterKey, OfAnotherShapeIsRefused) {
  for (const char* text : {"", "short", "not base64url at all, not at all, not at all"}) {
    std::ofstream(file) << text;
    ::chmod(file.c_str(), 0600);
    EXPECT_FALSE(load().ok()) << text;
  }
  fs::remove(file);
  fs::create_symlink(data, file);
  EXPECT_FALSE(load().ok());
}

TEST_F(MasterKey, LiesBesideTheDataByDefault) {
  EXPECT_EQ(default_master_key_file("./var"), "mandate.key");
  EXPECT_EQ(default_master_key_file("/srv/mandate/data/"), "/srv/mandate/mandate.key");
}

TEST_F(MasterKey, ADataDirectoryOpenToOthersIsRefused) {
  EXPECT_EQ(mode(data), 0700U);
  ::chmod(data.c_str(), 0750);
  EXPECT_FALSE(ensure_private_directory(data).ok());
  std::ofstream(file) << "x";
  EXPECT_FALSE(ensure_private_directory(file).ok());
}

}  // namespace
}  // namespace mandate::tenant
