#include "common/base/clock.h"

#include <gtest/gtest.h>

#include "absl/time/clock.h"
#include "common/testing/fake_clock.h"

namespace fadu {
namespace {

absl::Time At(absl::string_view text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error)) << error;
  return time;
}

TEST(Clock, OfTheMachineTellsTheTime) {
  const absl::Time before = absl::Now();
  const absl::Time told = SystemClock().Now();
  EXPECT_LE(before, told);
  EXPECT_LE(told, absl::Now());
}

// Beijing is eight hours ahead of UTC the whole year: a day ends there at 16:00 UTC.
TEST(DayOf, ChangesAtMidnightInTheLegalTimeZone) {
  EXPECT_EQ(DayOf(At("2026-12-10T15:59:59.999999Z")), absl::CivilDay(2026, 12, 10));
  EXPECT_EQ(DayOf(At("2026-12-10T16:00:00Z")), absl::CivilDay(2026, 12, 11));
  EXPECT_EQ(DayOf(At("2026-12-31T16:00:00Z")), absl::CivilDay(2027, 1, 1));
}

TEST(DayOf, KnowsNoSummerTime) {
  EXPECT_EQ(DayOf(At("2026-07-10T15:59:59Z")), absl::CivilDay(2026, 7, 10));
  EXPECT_EQ(DayOf(At("2026-07-10T16:00:00Z")), absl::CivilDay(2026, 7, 11));
}

TEST(FakeClock, StandsUntilItIsTold) {
  FakeClock clock;
  EXPECT_EQ(clock.Now(), At("2026-11-24T13:00:00+08:00"));
  EXPECT_EQ(clock.Now(), At("2026-11-24T13:00:00+08:00"));
  clock.Advance(absl::Minutes(5));
  EXPECT_EQ(clock.Now(), At("2026-11-24T13:05:00+08:00"));
  clock.Set(At("2026-01-04T09:00:00+08:00"));
  EXPECT_EQ(clock.Now(), At("2026-01-04T09:00:00+08:00"));
}

}  // namespace
}  // namespace fadu
