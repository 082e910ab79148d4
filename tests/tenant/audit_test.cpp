// KS-6: every event once, chained; a change, a cut and an insertion are all reported.
#include "tenant/audit.h"

#include <gtest/gtest.h>

#include "tenant/objects.h"
#include "tests/support/temp_store.h"
#include "tests/support/test_loop.h"

namespace mandate::tenant {
namespace {

using test::run;

struct AuditTest : testing::Test {
  test::TestLoop loop;
  test::TempStore temp{{kMigrations}};
  http::Request request;
  Here here{nullptr, &temp.store()};

  void SetUp() override {
    request.peer = "192.0.2.7";
    request.id = "req-1";
  }
  void file(std::string type, std::string reason = {}) {
    Event event;
    event.type = std::move(type);
    event.client_id = "todo";
    event.user_id = "github|1";
    event.reason = std::move(reason);
    event.details["ip_country"] = "CH";
    ASSERT_TRUE(run(loop, audit(here, std::move(event), request, temp.clock())).ok());
  }
  static Event an_event() {
    Event event;
    event.type = "login.ok";
    return event;
  }
  void seal() { ASSERT_TRUE(run(loop, seal_audit(temp.store())).ok()); }
  std::string verify() {
    auto found = run(loop, verify_audit(temp.store()));
    return found.ok() ? *found : "error: " + found.error().detail;
  }
  std::vector<store::Row> all() {
    store::Plan plan;
    plan.table = "audit";
    plan.order.push_back({store::column("at"), false});
    auto rows = run(loop, store::rows(temp.store(), std::move(plan)));
    EXPECT_TRUE(rows.ok());
    return *rows;
  }
  /// Rows under the newest seal.
  std::int64_t sealed() {
    store::Plan plan;
    plan.table = "audit_seals";
    plan.order.push_back({store::column("after"), true});
    auto row = run(loop, temp.store().get(std::move(plan)));
    return row.ok() && *row ? (**row).integer("rows") : 0;
  }
  void change(store::Mutation m) {
    store::Batch batch;
    batch.add(std::move(m));
    ASSERT_TRUE(run(loop, temp.store().mutate(std::move(batch))).ok());
  }
  void file_and_seal(int count) {
    for (int i = 0; i < count; ++i) file("login.ok");
    seal();
    ASSERT_EQ(verify(), "");
  }
};

TEST_F(AuditTest, AnEventIsKeptWithWhoWhereAndWhich) {
  file("login.failed", "invalid_user_password");
  const auto rows = all();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].text("type"), "login.failed");
  EXPECT_EQ(rows[0].text("client_id"), "todo");
  EXPECT_EQ(rows[0].text("user_id"), "github|1");
  EXPECT_EQ(rows[0].text("reason"), "invalid_user_password");
  EXPECT_EQ(rows[0].text("ip"), "192.0.2.7");
  EXPECT_EQ(rows[0].text("request_id"), "req-1");
  EXPECT_EQ(rows[0].integer("time"), temp.clock().now_ms());
  EXPECT_EQ(rows[0].text("details"), R"({"ip_country":"CH"})");
}

TEST_F(AuditTest, AnEmptyLogIsWhole) {
  seal();
  EXPECT_EQ(verify(), "");
}

TEST_F(AuditTest, TheChainGrowsAcrossSealingsAndRestarts) {
  file_and_seal(3);
  temp.reopen();
  here.store = &temp.store();
  file_and_seal(2);
  EXPECT_EQ(all().size(), 5U);
  EXPECT_EQ(sealed(), 5);
}

TEST_F(AuditTest, MoreEventsThanFitOnePieceAreAllSealed) {
  store::Batch batch;
  for (int i = 0; i < 1203; ++i) batch.add(audit_row(an_event(), request, 1));
  ASSERT_TRUE(run(loop, temp.store().mutate(std::move(batch))).ok());
  seal();
  EXPECT_EQ(verify(), "");
  EXPECT_EQ(sealed(), 1203);
}

TEST_F(AuditTest, OfTwoSealingsAtOnceOneStands) {
  for (int i = 0; i < 5; ++i) file("login.ok");
  int ended = 0;
  for (int i = 0; i < 2; ++i)
    spawn(seal_audit(temp.store()), [&ended](Result<void> done) {
      EXPECT_TRUE(done.ok());
      ++ended;
    });
  loop.run_until([&] { return ended == 2; });
  EXPECT_EQ(sealed(), 5);
  EXPECT_EQ(verify(), "");
}

TEST_F(AuditTest, ASealCutOutIsReported) {
  for (int i = 0; i < 3; ++i) file_and_seal(2);
  change(store::remove("audit_seals", store::equals("rows", std::int64_t{4})));
  EXPECT_NE(verify().find("a seal was cut out"), std::string::npos) << verify();
}

TEST_F(AuditTest, AForgedSealIsReported) {
  file_and_seal(2);
  change(store::update("audit_seals", store::equals("rows", std::int64_t{2}), {{"hash", "0000"}}));
  EXPECT_NE(verify().find("was changed"), std::string::npos) << verify();
}

TEST_F(AuditTest, AChangedRowIsNamed) {
  file_and_seal(5);
  const auto at = all()[2].integer("at");
  change(store::update("audit", store::equals("at", at), {{"user_id", "github|2"}}));
  EXPECT_NE(verify().find("row " + std::to_string(at)), std::string::npos) << verify();
}

TEST_F(AuditTest, ARowCutOutIsReportedAtItsSuccessor) {
  file_and_seal(5);
  const auto rows = all();
  change(store::remove("audit", store::equals("at", rows[1].integer("at"))));
  EXPECT_NE(verify().find("row " + std::to_string(rows[2].integer("at"))), std::string::npos) << verify();
}

TEST_F(AuditTest, ARowCutFromTheEndIsReported) {
  file_and_seal(5);
  change(store::remove("audit", store::equals("at", all().back().integer("at"))));
  EXPECT_NE(verify().find("cut off"), std::string::npos) << verify();
}

TEST_F(AuditTest, ARowPutInIsReported) {
  file_and_seal(2);
  temp.clock().advance(std::chrono::hours(1));
  file_and_seal(2);
  store::Mutation forged = audit_row(an_event(), request, 1);
  forged.set[0].value = all()[1].integer("at") + 1;
  change(std::move(forged));
  EXPECT_NE(verify().find("put in"), std::string::npos) << verify();
}

TEST_F(AuditTest, WhatStrangersWroteIsKeptShort) {
  Event event;
  event.type = "grant.refused";
  event.client_id = std::string(100'000, 'a');
  event.target = std::string(511, 'a') + "\u00e9 and so on";
  event.details["grant_type"] = std::string(100'000, 'b');
  event.details["count"] = 7;
  ASSERT_TRUE(run(loop, audit(here, std::move(event), request, temp.clock())).ok());
  const store::Row row = all().at(0);
  EXPECT_EQ(row.text("client_id").size(), 512U);
  EXPECT_EQ(row.text("target"), std::string(511, 'a')) << "not cut inside a character";
  const JsonObject details = parse_json(row.text("details"))->get_object();
  EXPECT_EQ(details.at("grant_type").as_string().size(), 512U);
  EXPECT_EQ(details.at("count"), 7);
}

}  // namespace
}  // namespace mandate::tenant
