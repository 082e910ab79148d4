#include "base/task.h"

#include <gtest/gtest.h>

#include "base/cpu_pool.h"
#include "tests/support/test_loop.h"

namespace mandate {
namespace {

Task<int> add(int a, int b) { co_return a + b; }
Task<int> refuse() { co_return Error(Code::invalid_grant, "no"); }
Task<int> chain() {
  CO_TRY(int x, co_await add(1, 2));
  CO_TRY(int y, co_await refuse());
  co_return x + y;
}
Task<int> deep(int n) {
  if (n == 0) co_return 0;
  CO_TRY(int below, co_await deep(n - 1));
  co_return below + 1;
}
Task<int> bug() {
  throw std::logic_error("a bug");
  co_return 0;
}

TEST(Task, ReturnsAValueThroughAwaits) {
  test::TestLoop loop;
  EXPECT_EQ(*test::run(loop, add(2, 3)), 5);
  EXPECT_EQ(*test::run(loop, deep(200)), 200);
}

TEST(Task, AnErrorPassesThroughCoTry) {
  test::TestLoop loop;
  auto result = test::run(loop, chain());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Code::invalid_grant);
  EXPECT_EQ(result.error().hint, "no");
}

TEST(Task, AnExceptionBecomesAServerErrorAtTheTop) {
  test::TestLoop loop;
  auto result = test::run(loop, bug());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Code::server_error);
  EXPECT_EQ(result.error().detail, "a bug");
}

TEST(CpuPool, RunsOnAnotherThreadAndComesBackToTheLoop) {
  test::TestLoop loop;
  CpuPool pool(1, 4);
  const auto here = std::this_thread::get_id();
  std::thread::id there, back;
  auto work = [&]() -> Result<int> { return there = std::this_thread::get_id(), 7; };
  auto outer = [&]() -> Task<int> {
    std::function<Result<int>()> job = work;
    CO_TRY(int n, co_await pool.run(job));
    back = std::this_thread::get_id();
    co_return n;
  };
  EXPECT_EQ(*test::run(loop, outer()), 7);
  EXPECT_NE(there, here);
  EXPECT_EQ(back, here);
}

TEST(CpuPool, RefusesAboveItsQueue) {
  CpuPool pool(1, 1);
  std::mutex gate;
  gate.lock();
  std::atomic<bool> started = false;
  ASSERT_TRUE(pool.submit([&] { started = true, gate.lock(), gate.unlock(); }).ok());
  while (!started) std::this_thread::yield();
  ASSERT_TRUE(pool.submit([] {}).ok());
  auto third = pool.submit([] {});
  ASSERT_FALSE(third.ok());
  EXPECT_EQ(third.error().code, Code::overloaded);
  gate.unlock();
}

TEST(Sleep, ComesBackAfterItsTime) {
  test::TestLoop loop;
  const auto before = std::chrono::steady_clock::now();
  EXPECT_TRUE(test::run(loop, sleep_for(std::chrono::milliseconds(20))).ok());
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(20));
}

}  // namespace
}  // namespace mandate
