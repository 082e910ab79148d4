#include "tables/code/folder.h"

#include <gtest/gtest.h>

#include "tables/code/manifest.h"
#include "tables/code/pack.h"

namespace mandate::tables::code {
namespace {

std::string hint(std::string_view text) {
  const Result<Files> parsed = parse_folder(text);
  return parsed.ok() ? "ok" : parsed.error().hint;
}
std::string with(const std::string& path, const std::string& content = "x") {
  return "mandate-folder/1\n" + std::to_string(content.size()) + " " + path + "\n" + content;
}

TEST(Folder, ComesBackAsItWasWritten) {
  const Files files{{"api/a.js", "exports.get = 1;\n"}, {"empty.txt", ""}, {"a b/ü.bin", std::string("\0\n\xFF", 3)}};
  const Result<Files> again = parse_folder(write_folder(files));
  ASSERT_TRUE(again.ok()) << again.error().hint;
  EXPECT_EQ(*again, files);
  EXPECT_TRUE(parse_folder("mandate-folder/1\n")->empty());
}

TEST(Folder, RefusesPathsThatLeaveItOrFoolWhoReadsThem) {
  EXPECT_EQ(hint(with("../x.js")), "../x.js: leaves the folder");
  EXPECT_EQ(hint(with("a/../../x.js")), "a/../../x.js: leaves the folder");
  EXPECT_EQ(hint(with("./x.js")), "./x.js: leaves the folder");
  for (const char* path : {".git/hooks/post-checkout", "api/.env", "node_modules/.package-lock.json", "..x"})
    EXPECT_EQ(hint(with(path)), std::string(path) + ": is hidden: nothing whose name begins with a dot is of the folder");
  for (const char* path : {" a.js", "api /b.js", "api/b.js "}) EXPECT_EQ(hint(with(path)), std::string(path) + ": has a blank at the end of a name");
  EXPECT_EQ(hint(with("api/a.")), "ok");
  EXPECT_EQ(hint(with("/etc/passwd")), "/etc/passwd: is an absolute path");
  EXPECT_EQ(hint(with("a\\b.js")), "a\\b.js: has a backslash in its name");
  EXPECT_EQ(hint(with("a//b.js")), "a//b.js: has an empty part in its path");
  EXPECT_EQ(hint(with(std::string("a\0b.js", 6))), "a?b.js: has a control character in its name");
  EXPECT_EQ(hint(with("a\xFF.js")), "a path: is not UTF-8");
  EXPECT_EQ(hint(with("")), ": has no name");
  EXPECT_EQ(hint(with(std::string(501, 'a'))), std::string(200, 'a') + ": is longer than 500 characters");
  EXPECT_EQ(hint(with("node_modules/fast/build/Release/fast.node")), "node_modules/fast/build/Release/fast.node: is a native module: they do not run here");
}

TEST(Folder, RefusesTwoFilesInOnePlace) {
  EXPECT_EQ(hint("mandate-folder/1\n1 a.js\nx1 a.js\ny"), "a.js: is there twice");
  EXPECT_EQ(hint("mandate-folder/1\n1 a\nx1 a/b.js\ny"), "a/b.js: is below a file");
}

TEST(Folder, RefusesWhatIsCutOff) {
  EXPECT_EQ(hint(""), "This is no folder.");
  for (const char* text : {"mandate-folder/1\n5 a.js\nxx", "mandate-folder/1\n5", "mandate-folder/1\nx a.js\n", "mandate-folder/1\n1\na", "mandate-folder/1\n-1 a.js\nx",
                           "mandate-folder/1\n99999999999999999999999 a.js\nx"})
    EXPECT_EQ(hint(text), "The folder is cut off or damaged.") << text;
}

TEST(Folder, BoundsAFileAndTheWhole) {
  EXPECT_EQ(hint(with("big.js", std::string(kMostFileBytes + 1, ' '))), "big.js: is larger than 4 MiB");
  Files many;
  for (int i = 0; i < 9; ++i) many["f" + std::to_string(i)] = std::string(kMostFileBytes, ' ');
  EXPECT_EQ(hint(write_folder(many)), "The folder is larger than 32 MiB.");
  Files small;
  for (std::size_t i = 0; i <= kMostFiles; ++i) small["f" + std::to_string(i)];
  EXPECT_EQ(hint(write_folder(small)), "The folder has more than 10000 files.");
}

TEST(Pack, BringsBackTheBytesAndNothingElse) {
  for (const std::string& content : {std::string(), std::string("\0\1\2", 3), std::string(100'000, 'a')}) {
    const std::string packed = pack(content);
    EXPECT_EQ(*unpack(packed, static_cast<std::int64_t>(content.size())), content);
    EXPECT_FALSE(unpack(packed, static_cast<std::int64_t>(content.size()) + 1).ok());
  }
  EXPECT_LT(pack(std::string(100'000, 'a')).size(), 1000U);
  EXPECT_FALSE(unpack("not base64!", 3).ok());
  EXPECT_FALSE(unpack("", -1).ok());
}

TEST(Manifest, ChangesItsHashWithAnyFileAndComesBackFromText) {
  Manifest one;
  one.files = {{"a.js", {"h1", 10}}, {"b.js", {"h2", 20}}};
  Manifest other = one;
  EXPECT_EQ(one.hash(), other.hash());
  other.files["b.js"].hash = "h3";
  other.files["c.js"] = {"h1", 10};
  other.files.erase("a.js");
  EXPECT_NE(one.hash(), other.hash());
  EXPECT_EQ(one.bytes(), 30);
  EXPECT_EQ(Manifest::from_text(one.to_text())->files, one.files);
  EXPECT_FALSE(Manifest::from_text("[[1]]").ok());
  EXPECT_FALSE(Manifest::from_text("{}").ok());
  const ManifestDiff what = diff(one, other);
  EXPECT_EQ(what.added, std::vector<std::string>{"c.js"});
  EXPECT_EQ(what.changed, std::vector<std::string>{"b.js"});
  EXPECT_EQ(what.removed, std::vector<std::string>{"a.js"});
}

TEST(Manifest, SparesScriptsWhatNobodyRequires) {
  EXPECT_TRUE(for_scripts("node_modules/a/index.js"));
  EXPECT_TRUE(for_scripts("node_modules/a/data.json"));
  EXPECT_FALSE(for_scripts("node_modules/a/README.md"));
  EXPECT_FALSE(for_scripts("node_modules/a/index.d.ts"));
  EXPECT_TRUE(for_scripts("shared/README.md"));
}

}  // namespace
}  // namespace mandate::tables::code
