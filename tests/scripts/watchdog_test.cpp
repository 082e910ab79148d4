#include "scripts/watchdog.h"

#include <gtest/gtest.h>

namespace mandate::scripts {
namespace {

using namespace std::chrono_literals;
const Pulse::Time kStart = Pulse::Time() + 1h;

TEST(Watchdog, AWorkerThatAnswersIsLeftAlone) {
  const Watchdog dog{.limit = 1200ms};
  Pulse pulse;
  pulse.hear(kStart);
  EXPECT_EQ(dog.look(pulse, true, kStart + 50ms), Verdict::fine);
  EXPECT_EQ(dog.look(pulse, true, kStart + 100ms), Verdict::ask);
  pulse.hear(kStart + 900ms);
  EXPECT_EQ(dog.look(pulse, true, kStart + 950ms), Verdict::fine);
}

TEST(Watchdog, OneThatHoldsItsThreadIsEndedWithinTwelveTenthsOfTheLimit) {
  const Watchdog dog{.limit = 1200ms};
  Pulse pulse;
  pulse.hear(kStart);
  auto now = kStart;
  Verdict verdict = Verdict::fine;
  for (; verdict != Verdict::end_worker && now < kStart + 10s; now += dog.interval()) verdict = dog.look(pulse, true, now);
  EXPECT_EQ(verdict, Verdict::end_worker);
  EXPECT_LE(now - kStart, 1200ms + 4 * dog.interval());
}

TEST(Watchdog, AProcessThatDoesNotEndItsWorkerIsKilled) {
  const Watchdog dog{.limit = 100ms, .obey = 1000ms};
  Pulse pulse;
  pulse.told = true;
  pulse.ending = kStart;
  EXPECT_EQ(dog.look(pulse, true, kStart + 999ms), Verdict::fine);
  EXPECT_EQ(dog.look(pulse, true, kStart + 1001ms), Verdict::kill_process);
}

TEST(Watchdog, AnIdleWorkerIsNotAsked) {
  const Watchdog dog;
  Pulse pulse;
  pulse.hear(kStart);
  EXPECT_EQ(dog.look(pulse, false, kStart + 1h), Verdict::fine);
}

TEST(Watchdog, AStartingWorkerHasLonger) {
  const Watchdog dog{.limit = 100ms, .start_limit = 5000ms};
  Pulse pulse;
  pulse.heard = kStart;
  EXPECT_EQ(dog.look(pulse, true, kStart + 200ms), Verdict::ask);
  EXPECT_EQ(dog.look(pulse, true, kStart + 4s), Verdict::fine);
  EXPECT_EQ(dog.look(pulse, true, kStart + 6s), Verdict::end_worker);
}

}  // namespace
}  // namespace mandate::scripts
