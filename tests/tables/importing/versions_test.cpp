// What clients that were offline during the move send: the versions of the server before.
#include "tables/importing/versions.h"

#include "tests/tables/importing/importing.h"

namespace mandate::tables::test {
namespace {

using http::Method;

/// A write of one row in the version that the client has.
struct Way {
  std::string_view name;
  Method method;
  std::string_view path;     ///< of the table
  std::string_view dialect;  ///< empty: V1
  std::string_view type, body;
  bool undeletes = false;
};

constexpr std::string_view kJson = "application/json", kPatch = "application/json-patch+json";
constexpr std::string_view kCream = R"({"text":"cream"})", kSteps = R"([{"op":"replace","path":"/text","value":"cream"}])";
constexpr Way kWays[] = {
    {"V1 PATCH", Method::patch, "/v1/tables/items", "", kJson, kCream},
    {"V1 DELETE", Method::delete_, "/v1/tables/items", "", "", ""},
    {"V2 PATCH", Method::patch, "/tables/items", "2.0.0", kJson, kCream},
    {"V2 DELETE", Method::delete_, "/tables/items", "2.0.0", "", ""},
    {"V2 undelete", Method::post, "/tables/items", "2.0.0", "", "", true},
    {"V3 PUT", Method::put, "/v3/tables/items", "3.0.0", kJson, kCream},
    {"V3 PATCH", Method::patch, "/v3/tables/items", "3.0.0", kJson, kCream},
    {"V3 patch document", Method::patch, "/v3/tables/items", "3.0.0", kPatch, kSteps},
    {"V3 DELETE", Method::delete_, "/v3/tables/items", "3.0.0", "", ""},
    {"V4 PUT", Method::put, "/v4/tables/items", "", kJson, kCream},
    {"V4 DELETE", Method::delete_, "/v4/tables/items", "", "", ""},
};
/// A rowversion, a number as npm azure-mobile-apps counts, eight bytes of chance, a guid.
const std::string kVersions[] = {kRowVersion, "MQ==", base64("\x7f\x01\x02\x03\x04\x05\x06\x07"), base64("ABCDEFGHIJKLMNOP")};

class ImportedVersions : public Importing {
 protected:
  void policy(std::string_view name) {
    service.tables["items"].sync.conflicts = name;
    service.tables["items"].sync.newest_by = name == "newest" ? "at" : "";
    publish();
  }
  /// A row of its own: one that came with its old time does not come with it again over a newer one.
  std::string bring(const Way& way, std::string_view version) {
    const std::string id = "r" + std::to_string(next_++);
    good("items", R"([{"id":")" + id + R"(","updatedAt":"2014-05-06","text":"milk","deleted":)" + (way.undeletes ? "true" : "false") + R"(,"version":")" + std::string(version) + "\"}]");
    return id;
  }
  Reply go(const Way& way, const std::string& id, std::string_view version) {
    Headers headers = way.path.starts_with("/v1") ? v1() : Headers();
    if (!way.dialect.empty()) headers.emplace_back("ZUMO-API-VERSION", way.dialect);
    if (!way.type.empty()) headers.emplace_back("Content-Type", way.type);
    headers.emplace_back("If-Match", "\"" + std::string(version) + "\"");
    return send(way.method, std::string(way.path) + "/" + id, headers, way.body);
  }
  bool is_done(const Way& way, const std::string& id) {
    const Reply now = get("/tables/items/" + id);
    if (way.method == Method::delete_) return now.status == 404;
    return now.status == 200 && now.text("text") == (way.undeletes ? "milk" : "cream");
  }

 private:
  int next_ = 0;
};

TEST_F(ImportedVersions, AreNoConflictUntilTheRowChanges) {
  good("items", row(R"("text":"milk","version":")" + kRowVersion + "\""));
  Headers headers = v2();
  headers.emplace_back("If-Match", "\"" + kRowVersion + "\"");
  EXPECT_EQ(patch("/tables/items/a", R"({"text":"cream"})", headers).status, 200);
  EXPECT_EQ(patch("/tables/items/a", R"({"text":"butter"})", headers).status, 412);
  EXPECT_EQ(get("/tables/items/a").text("text"), "cream");
  EXPECT_EQ(del("/tables/items/a", headers).status, 412);
}

TEST_F(ImportedVersions, CountOnEveryWayUnderEveryPolicy) {
  for (const std::string_view name : {"report", "client", "server", "newest", "script"}) {
    policy(name);
    for (const Way& way : kWays) {
      SCOPED_TRACE(std::string(name) + ", " + std::string(way.name));
      const std::string id = bring(way, kRowVersion);
      const Reply reply = go(way, id, kRowVersion);
      EXPECT_LT(reply.status, 300) << reply.body;
      EXPECT_TRUE(is_done(way, id)) << get("/tables/items/" + id).body;
    }
  }
}

TEST_F(ImportedVersions, MayBeOfAnyServer) {
  for (const std::string& version : kVersions)
    for (const Way& way : kWays) {
      SCOPED_TRACE(version + ", " + std::string(way.name));
      const std::string id = bring(way, version);
      EXPECT_LT(go(way, id, version).status, 300);
      EXPECT_TRUE(is_done(way, id));
    }
}

TEST_F(ImportedVersions, OfOtherRowsAndOfChangedOnesAreConflicts) {
  for (const std::string& version : kVersions)
    for (const Way& way : kWays) {
      SCOPED_TRACE(version + ", " + std::string(way.name));
      const std::string id = bring(way, version);
      EXPECT_EQ(go(way, id, version == kRowVersion ? "AAAAAAAAB9I=" : kRowVersion).status, 412);
      if (way.undeletes) continue;
      ASSERT_EQ(patch("/tables/items/" + id, R"({"text":"theirs"})").status, 200);
      EXPECT_EQ(go(way, id, version).status, 412);
      EXPECT_EQ(get("/tables/items/" + id).text("text"), "theirs");
    }
}

TEST_F(ImportedVersions, LeaveWhatAPolicyDecidesToIt) {
  policy("server");
  for (const Way& way : kWays) {
    if (way.undeletes) continue;
    SCOPED_TRACE(way.name);
    const std::string id = bring(way, kRowVersion);
    ASSERT_EQ(patch("/tables/items/" + id, R"({"text":"theirs"})").status, 200);
    EXPECT_LT(go(way, id, kRowVersion).status, 300);
    EXPECT_EQ(get("/tables/items/" + id).text("text"), "theirs");
  }
  policy("client");
  for (const Way& way : kWays) {
    if (way.undeletes) continue;
    SCOPED_TRACE(way.name);
    const std::string id = bring(way, kRowVersion);
    ASSERT_EQ(patch("/tables/items/" + id, R"({"text":"theirs"})").status, 200);
    EXPECT_LT(go(way, id, kRowVersion).status, 300);
    EXPECT_TRUE(is_done(way, id));
  }
}

TEST_F(ImportedVersions, CountInBatchesAndBesideOtherTags) {
  const std::string id = bring(kWays[0], "MQ=="), other = bring(kWays[0], kRowVersion);
  const std::string body = R"({"requests":[{"id":"1","method":"PUT","url":"items/)" + id + R"(","headers":{"If-Match":"\"MQ==\""},"body":)" + std::string(kCream) +
                           R"(},{"id":"2","method":"DELETE","url":"items/)" + other + R"(","headers":{"If-Match":"\"none\", \")" + kRowVersion + R"(\""}}]})";
  const Reply reply = send(Method::post, "/v4/tables/$batch", {{"Content-Type", "application/json"}}, body);
  EXPECT_NE(reply.body.find(R"("id":"1","status":200)"), std::string::npos) << reply.body;
  EXPECT_NE(reply.body.find(R"("id":"2","status":204)"), std::string::npos) << reply.body;
  EXPECT_EQ(get("/tables/items/" + id).text("text"), "cream");
}

TEST_F(ImportedVersions, AreForgottenWithNewTimes) {
  Import how;
  how.restamp = true;
  good("items", row(R"("text":"milk","version":")" + kRowVersion + "\""), how);
  Headers headers = v2();
  headers.emplace_back("If-Match", "\"" + kRowVersion + "\"");
  EXPECT_EQ(patch("/tables/items/a", R"({"text":"cream"})", headers).status, 412);
}

}  // namespace
}  // namespace mandate::tables::test
