// The floors hold: every #include of src/ points to its own room or a lower floor, and heavy headers stay where they belong.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>

namespace {
namespace fs = std::filesystem;

const std::map<std::string, int> kFloor = {
    {"base", 0},       {"http", 1},     {"jose", 1},       {"store", 1},   {"scripts", 1},
    {"tenant", 2},     {"identity", 3}, {"oauth", 4},      {"tables", 4},  {"push", 4},
    {"delegation", 5}, {"realtime", 5}, {"management", 6}, {"console", 6}, {"server", 7},
};

struct Include {
  fs::path file;
  int line;
  std::string target;
};

std::vector<Include> includes(const fs::path& root) {
  std::vector<Include> out;
  const std::regex pattern(R"re(^\s*#\s*include\s*[<"]([^>"]+)[>"])re");
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const auto ext = entry.path().extension();
    if (ext != ".h" && ext != ".cpp") continue;
    std::ifstream in(entry.path());
    std::string text;
    std::smatch match;
    for (int line = 1; std::getline(in, text); ++line)
      if (text.find("include") != std::string::npos && std::regex_search(text, match, pattern))
        out.push_back({entry.path(), line, match[1]});
  }
  return out;
}

std::string room_of(const fs::path& file, const fs::path& root) { return fs::relative(file, root).begin()->string(); }
std::string at(const Include& i) { return i.file.string() + ":" + std::to_string(i.line) + ": " + i.target; }

const fs::path kSrc = fs::path(MANDATE_SOURCE_DIR) / "src";

TEST(Floors, EveryIncludePointsToItsOwnRoomOrALowerFloor) {
  for (const Include& include : includes(kSrc)) {
    const std::string from = room_of(include.file, kSrc);
    const std::string to = include.target.substr(0, include.target.find('/'));
    if (!kFloor.contains(to) || !fs::exists(kSrc / include.target)) continue;
    ASSERT_TRUE(kFloor.contains(from)) << from << " is no room of architecture.md";
    EXPECT_TRUE(from == to || kFloor.at(to) < kFloor.at(from)) << at(include) << " — " << from << " must not know " << to;
  }
}

TEST(Floors, OnlyTheWiringKnowsTheServer) {
  for (const Include& include : includes(kSrc))
    if (include.target.starts_with("server/")) EXPECT_EQ(room_of(include.file, kSrc), "server") << at(include);
}

TEST(Floors, HeavyHeadersStayOutOfHeaders) {
  const std::regex heavy("^(boost/asio|boost/beast|spdlog/|CLI/|toml\\+\\+|prometheus/|curl/|yaml-cpp/)");
  for (const Include& include : includes(kSrc))
    if (include.file.extension() == ".h")
      EXPECT_FALSE(std::regex_search(include.target, heavy) && !include.file.filename().string().starts_with("asio_"))
          << at(include);
}

TEST(Floors, AsioIsSeenByAtMostSixTranslationUnits) {
  std::set<std::string> units;
  for (const Include& include : includes(kSrc))
    if (include.target.starts_with("boost/asio")) {
      EXPECT_EQ(room_of(include.file, kSrc), "http") << at(include);
      units.insert(include.file.string());
    }
  EXPECT_LE(units.size(), 6U);
}

TEST(Floors, EveryRoomHasAReadmeAtItsDoor) {
  for (const auto& entry : fs::directory_iterator(kSrc))
    if (entry.is_directory()) EXPECT_TRUE(fs::exists(entry.path() / "README.md")) << entry.path();
}

TEST(Floors, SecretsAreNotComparedWithEqualSigns) {
  // TK-9. Secret has no operator==; this catches a reveal() on either side of one.
  const std::regex compare(R"(reveal\(\)\s*[!=]=|[!=]=\s*\S*reveal\(\))");
  for (const auto& entry : fs::recursive_directory_iterator(kSrc)) {
    if (entry.path().extension() != ".cpp" && entry.path().extension() != ".h") continue;
    std::ifstream in(entry.path());
    std::string text;
    for (int line = 1; std::getline(in, text); ++line)
      EXPECT_FALSE(text.find("reveal") != std::string::npos && std::regex_search(text, compare)) << entry.path() << ":" << line;
  }
}

}  // namespace
