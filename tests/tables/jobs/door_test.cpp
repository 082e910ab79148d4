#include "tables/jobs/door.h"

#include "tests/tables/world.h"

namespace mandate::tables::jobs {
namespace {

constexpr std::string_view kSystemKey = "system-key-of-the-service";

class JobDoor : public tables::test::World {
 protected:
  JobDoor() {
    service.jobs["cleanup"].name = "Cleanup";
    service.system_key_sealed = tenants.vault().seal(kSystemKey, tenant::sealed::service("default", "system_key"));
    publish();
    jobs::mount(router, {tenants, bearers, desk, store.clock(), store.log(), store.metrics()});
  }
  std::string cron_token(std::string_view scope = "cleanup", std::string_view uid = "cron", std::string_view service = "default", std::int64_t lives = 60,
                         std::string_view key = kSystemKey) {
    JsonObject claims{{"exp", store.clock().now_seconds() + lives}, {"uid", uid}, {"urn:microsoft:appid", service}, {"urn:microsoft:scope", scope}};
    return *jose::sign_jwt(identity::zumo_key(key), claims);
  }
  int post(const tables::test::Headers& headers, std::string_view job = "CLEANUP") {
    last = send(http::Method::post, "/jobs/" + std::string(job), headers);
    return last.status;
  }
  tables::test::Reply last;
  Desk desk{store.clock(), random};
};

TEST_F(JobDoor, OpensForTheMasterKeyAndAnswersAtOnce) {
  EXPECT_EQ(post({{"X-ZUMO-MASTER", std::string(tables::test::kMasterKey)}}), 200);
  EXPECT_EQ(last.body, "");
  const auto runs = mandate::test::run(loop, history(store.store(), "default", "cleanup", 10));
  ASSERT_EQ(runs->size(), 1U);
  EXPECT_EQ(runs->front().text("state"), "waiting");
  EXPECT_EQ(post({{"X-ZUMO-MASTER", std::string(tables::test::kMasterKey)}}), 409);
  EXPECT_EQ(*text_member(last.object(), "error"), "Error: The job has a run that has not ended.");
}

TEST_F(JobDoor, OpensForASchedulersTokenOfThisJob) { EXPECT_EQ(post({{"X-ZUMO-AUTH", cron_token()}}), 200); }

TEST_F(JobDoor, StaysShutForEverybodyElse) {
  const std::string master(tables::test::kMasterKey);
  for (const tables::test::Headers& headers :
       {tables::test::Headers{}, {{"X-ZUMO-APPLICATION", std::string(tables::test::kApplicationKey)}}, {{"X-ZUMO-MASTER", "wrong"}},
        {{"X-ZUMO-AUTH", token_of("ana")}}, {{"X-ZUMO-AUTH", cron_token("other")}}, {{"X-ZUMO-AUTH", cron_token("cleanup", "ana")}},
        {{"X-ZUMO-AUTH", cron_token("cleanup", "cron", "else")}}, {{"X-ZUMO-AUTH", cron_token("cleanup", "cron", "default", 0)}},
        {{"X-ZUMO-AUTH", cron_token("cleanup", "cron", "default", 60, "another key")}}, {{"X-ZUMO-AUTH", "nonsense"}, {"X-ZUMO-MASTER", master}}}) {
    EXPECT_EQ(post(headers), 401);
    EXPECT_TRUE(text_member(last.object(), "error")->starts_with("Error: ")) << last.body;
  }
  // A user's key does not become a scheduler's.
  EXPECT_EQ(post({{"X-ZUMO-AUTH", cron_token("cleanup", "cron", "default", 60, tables::test::kMasterKey)}}), 401);
}

TEST_F(JobDoor, KnowsNoOtherJobs) {
  EXPECT_EQ(post({{"X-ZUMO-MASTER", std::string(tables::test::kMasterKey)}}, "nothing"), 404);
  EXPECT_EQ(*text_member(last.object(), "error"), "Error: Not Found");
  EXPECT_EQ(post({}, "nothing"), 401);
}

}  // namespace
}  // namespace mandate::tables::jobs
