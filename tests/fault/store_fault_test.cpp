// Failing the Nth call for N = 1, 2, 3 … until the act passes: the right answer or a clean error, never half of each.
#include <gtest/gtest.h>

#include "store/fault.h"
#include "store/single_use.h"
#include "tests/support/temp_store.h"
#include "tests/support/test_loop.h"

namespace mandate::store {
namespace {

using test::run;

/// What most acts of the house do: look, then consume and act in one batch.
Task<void> redeem(Store& store, Millis now) {
  Task<std::optional<JsonObject>> looking = peek(store, "code", "h", "", now);
  CO_TRY(const std::optional<JsonObject> found, co_await looking);
  if (!found) co_return Error(Code::invalid_grant);
  Batch batch;
  batch.add(take_single_use("code", "h", "", now, Code::invalid_grant));
  batch.add(insert("effect", {{"id", "token"}}));
  Task<Outcome> acting = store.mutate(std::move(batch));
  Result<Outcome> done = co_await acting;
  CO_CHECK(std::move(done));
  co_return ok();
}

class StoreFault : public testing::TestWithParam<FaultStore::When> {};

TEST_P(StoreFault, AnActEndsWhollyOrNotAtAllWhicheverCallFails) {
  int nth = 1;
  for (bool passed = false; !passed; ++nth) {
    ASSERT_LT(nth, 10) << "it never passes";
    test::TestLoop loop;
    test::TempStore temp;
    FaultStore faulty(temp.store());
    const Millis now = temp.clock().now_ms();
    ASSERT_TRUE(run(loop, faulty.ensure_table("effect", {{"id", Type::text, true}})).ok());
    ASSERT_TRUE(run(loop, put(faulty, "code", {"h", {}, now + 1000})).ok());
    faulty.fail(nth, Error(Code::read_only), GetParam());
    auto result = run(loop, redeem(faulty, now));
    passed = !faulty.fired();
    EXPECT_EQ(result.ok(), passed);
    if (!result.ok()) EXPECT_EQ(result.error().code, Code::read_only);
    Plan plan;
    plan.table = "effect";
    const bool effect = run(loop, temp.store().get(plan))->has_value();
    const bool spent = !run(loop, peek(temp.store(), "code", "h", "", now))->has_value();
    EXPECT_EQ(effect, spent) << "half of it, failing call " << nth;
    if (passed) EXPECT_TRUE(effect);
  }
  EXPECT_EQ(nth - 1, 3) << "two calls can fail, the third try passes";
}

INSTANTIATE_TEST_SUITE_P(Moments, StoreFault, testing::Values(FaultStore::When::before, FaultStore::When::after),
                         [](const auto& moment) { return moment.param == FaultStore::When::before ? "before" : "after"; });

}  // namespace
}  // namespace mandate::store
