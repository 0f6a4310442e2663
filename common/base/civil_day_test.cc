#include "common/base/civil_day.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/testing/status_matchers.h"

namespace fadu {
namespace {

TEST(CivilDay, ReadsADayThatExists) {
  EXPECT_THAT(ParseDay("2026-11-24"), IsOkAndHolds(absl::CivilDay(2026, 11, 24)));
  EXPECT_THAT(ParseDay("1900-01-01"), IsOkAndHolds(absl::CivilDay(1900, 1, 1)));
  EXPECT_THAT(ParseDay("2999-12-31"), IsOkAndHolds(absl::CivilDay(2999, 12, 31)));
}

// Gregorian rule: every fourth year, but of the centuries only every fourth.
TEST(CivilDay, KnowsLeapYears) {
  EXPECT_THAT(ParseDay("2024-02-29"), IsOk());
  EXPECT_THAT(ParseDay("2000-02-29"), IsOk());
  EXPECT_THAT(ParseDay("2026-02-29"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ParseDay("2100-02-29"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(CivilDay, RefusesADayThatDoesNotExist) {
  for (const char* text : {"2026-00-10", "2026-13-01", "2026-01-00", "2026-04-31", "2026-12-32",
                           "1899-12-31", "3000-01-01", "0000-01-01"}) {
    EXPECT_THAT(ParseDay(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

TEST(CivilDay, RefusesEveryOtherForm) {
  for (const char* text :
       {"", "2026-1-24", "2026-11-4", "20261124", "2026/11/24", "2026-11-24 ", " 2026-11-24",
        "+026-11-24", "2026-+1-24", "2026-11-24T00:00:00Z", "2026-11-2x", "26-11-24"}) {
    EXPECT_THAT(ParseDay(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

TEST(CivilDay, IsWrittenWithLeadingZeros) {
  EXPECT_EQ(FormatDay(absl::CivilDay(2026, 1, 4)), "2026-01-04");
  EXPECT_EQ(FormatDay(absl::CivilDay(2026, 11, 24)), "2026-11-24");
}

TEST(DayRange, IncludesItsFirstAndLastDay) {
  const DayRange range{absl::CivilDay(2026, 3, 4), absl::CivilDay(2026, 3, 6)};
  EXPECT_FALSE(range.Contains(absl::CivilDay(2026, 3, 3)));
  EXPECT_TRUE(range.Contains(absl::CivilDay(2026, 3, 4)));
  EXPECT_TRUE(range.Contains(absl::CivilDay(2026, 3, 6)));
  EXPECT_FALSE(range.Contains(absl::CivilDay(2026, 3, 7)));
}

TEST(DayRange, OfAYearRunsFromJanuaryToDecember) {
  EXPECT_EQ(YearRange(2026), (DayRange{absl::CivilDay(2026, 1, 1), absl::CivilDay(2026, 12, 31)}));
}

}  // namespace
}  // namespace fadu
