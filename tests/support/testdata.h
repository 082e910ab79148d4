// Where test data from elsewhere lives: $MANDATE_TESTDATA, or ../shared/testdata beside the checkout.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

namespace mandate::test {

/// The folder of that name; when it is missing, a failure in CI and one visible line elsewhere.
inline std::optional<std::filesystem::path> testdata(const std::string& folder) {
  const char* given = std::getenv("MANDATE_TESTDATA");
  const auto root = given ? std::filesystem::path(given) : std::filesystem::path(MANDATE_SOURCE_DIR).parent_path() / "shared" / "testdata";
  if (std::filesystem::is_directory(root / folder)) return root / folder;
  if (std::getenv("CI")) ADD_FAILURE() << "test data missing: " << (root / folder);
  else std::printf("TEST DATA MISSING, nothing checked: %s (set MANDATE_TESTDATA)\n", (root / folder).c_str());
  return std::nullopt;
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace mandate::test
