#include "base/cpu_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <semaphore>

namespace mandate {
namespace {

TEST(CpuPool, RefusesAtOnceWhatWouldWaitTooLongGoingByWhatJobsTook) {
  using namespace std::chrono;
  std::atomic<int> done{0};
  {
    CpuPool pool(1, 1000, milliseconds(400));
    const auto job = [&done] {
      for (const auto end = steady_clock::now() + milliseconds(20); steady_clock::now() < end;) continue;
      ++done;
      done.notify_all();
    };
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(pool.submit(job).ok());
      for (int seen = done; seen <= i; seen = done) done.wait(seen);
    }
    int taken = 0, refused = 0;
    const auto begin = steady_clock::now();
    for (int i = 0; i < 200; ++i) {
      const Result<void> queued = pool.submit(job);
      queued.ok() ? ++taken : ++refused;
      if (!queued.ok()) EXPECT_EQ(queued.error().code, Code::overloaded);
    }
    EXPECT_LT(steady_clock::now() - begin, seconds(2)) << "refusing took long";
    EXPECT_GE(taken, 1);
    EXPECT_LE(taken, 22 + 5) << "400 ms of jobs of 20 ms are 20, and a few are done meanwhile";
    EXPECT_GT(refused, 100);
  }
}

TEST(CpuPool, WithoutAWaitOnlyTheNumberCounts) {
  std::binary_semaphore open{0};
  CpuPool pool(1, 3);
  ASSERT_TRUE(pool.submit([&open] { open.acquire(); }).ok());
  int taken = 0;
  for (int i = 0; i < 20; ++i) taken += pool.submit([] {}).ok();
  EXPECT_GE(taken, 2);
  EXPECT_LE(taken, 3);
  open.release();
}

}  // namespace
}  // namespace mandate
