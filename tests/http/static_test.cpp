#include "http/static.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace mandate::http {
namespace {

constexpr EmbeddedFile kFiles[] = {{"index.html", "<p>hi</p>"}, {"a/style.css", "p{}"}};

TEST(StaticFiles, AnswerWithTypeAndTag) {
  const StaticFiles files = StaticFiles::of_embedded(kFiles);
  const Response page = files.answer({}, "index.html");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.headers.get("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(page.body, "<p>hi</p>");
  EXPECT_EQ(files.answer({}, "a/style.css", "public, max-age=60").headers.get("Cache-Control"), "public, max-age=60");
  EXPECT_EQ(files.answer({}, "missing").status, 404);
}

TEST(StaticFiles, AMatchingTagIs304) {
  const StaticFiles files = StaticFiles::of_embedded(kFiles);
  const std::string tag(files.answer({}, "index.html").headers.get("ETag"));
  for (const std::string& list : {tag, "W/" + tag, "\"x\", " + tag, std::string("*")}) {
    Request request;
    request.headers.add("If-None-Match", list);
    const Response response = files.answer(request, "index.html");
    EXPECT_EQ(response.status, 304) << list;
    EXPECT_EQ(response.body, "");
    EXPECT_EQ(response.headers.get("ETag"), tag);
  }
  Request other;
  other.headers.add("If-None-Match", "\"x\"");
  EXPECT_EQ(files.answer(other, "index.html").status, 200);
}

TEST(StaticFiles, NoTextOfAClientReachesTheFileSystem) {
  namespace fs = std::filesystem;
  const fs::path root = fs::temp_directory_path() / ("mandate_static_" + std::to_string(::getpid()));
  fs::create_directories(root / "pub" / "sub");
  std::ofstream(root / "secret") << "secret";
  std::ofstream(root / "pub" / "sub" / "a.txt") << "a";
  std::ofstream(root / "pub" / ".hidden") << "hidden";
  fs::create_symlink(root / "secret", root / "pub" / "link");
  const auto files = StaticFiles::of_directory((root / "pub").string());
  ASSERT_TRUE(files.ok());
  EXPECT_EQ((*files).answer({}, "sub/a.txt").body, "a");
  for (const char* name : {"../secret", "sub/../../secret", ".hidden", "link", "/sub/a.txt", "sub", "", "sub/a.txt/", "./sub/a.txt"})
    EXPECT_EQ((*files).answer({}, name).status, 404) << name;
  EXPECT_FALSE(StaticFiles::of_directory((root / "pub").string(), 0).ok());
  EXPECT_FALSE(StaticFiles::of_directory((root / "nowhere").string()).ok());
  fs::remove_all(root);
}

}  // namespace
}  // namespace mandate::http
