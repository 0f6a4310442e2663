#include "common/base/working_calendar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/testing/status_matchers.h"

namespace fadu {
namespace {

using ::testing::HasSubstr;

absl::CivilDay D(absl::string_view text) {
  const absl::StatusOr<absl::CivilDay> day = ParseDay(text);
  EXPECT_THAT(day, IsOk()) << text;
  return day.value_or(absl::CivilDay());
}

const WorkingCalendar& Shipped() { return WorkingCalendar::Shipped(); }

Deadline Due(const DeadlineRule& rule, absl::string_view start,
             const std::vector<DayRange>& pauses = {}) {
  const absl::StatusOr<Deadline> deadline = DueOn(rule, D(start), pauses, Shipped());
  EXPECT_THAT(deadline, IsOk());
  return deadline.value_or(Deadline());
}

constexpr DeadlineRule WorkingDays(int amount) { return {amount, DayUnit::kWorkingDays, true}; }
constexpr DeadlineRule CalendarDays(int amount, bool roll = true) {
  return {amount, DayUnit::kCalendarDays, roll};
}

void ExpectRefused(absl::string_view data, absl::string_view line) {
  const absl::StatusOr<WorkingCalendar> calendar = WorkingCalendar::Parse(data);
  EXPECT_THAT(calendar, StatusIs(absl::StatusCode::kInvalidArgument)) << data;
  EXPECT_THAT(std::string(calendar.status().message()), HasSubstr(std::string(line))) << data;
}

// The notices' table: domain §14.3.

TEST(ShippedCalendar, CountsTheWorkingDaysOfEachYear) {
  EXPECT_EQ(Shipped().WorkingDaysIn(2024), 251);
  EXPECT_EQ(Shipped().WorkingDaysIn(2025), 248);
  EXPECT_EQ(Shipped().WorkingDaysIn(2026), 248);
}

TEST(ShippedCalendar, RestsOnEveryDayOffOfTheNotices) {
  const std::vector<std::pair<const char*, const char*>> off = {
      {"2024-01-01", "2024-01-01"}, {"2024-02-10", "2024-02-17"}, {"2024-04-04", "2024-04-06"},
      {"2024-05-01", "2024-05-05"}, {"2024-06-08", "2024-06-10"}, {"2024-09-15", "2024-09-17"},
      {"2024-10-01", "2024-10-07"}, {"2025-01-01", "2025-01-01"}, {"2025-01-28", "2025-02-04"},
      {"2025-04-04", "2025-04-06"}, {"2025-05-01", "2025-05-05"}, {"2025-05-31", "2025-06-02"},
      {"2025-10-01", "2025-10-08"}, {"2026-01-01", "2026-01-03"}, {"2026-02-15", "2026-02-23"},
      {"2026-04-04", "2026-04-06"}, {"2026-05-01", "2026-05-05"}, {"2026-06-19", "2026-06-21"},
      {"2026-09-25", "2026-09-27"}, {"2026-10-01", "2026-10-07"}};
  for (const auto& [first, last] : off) {
    for (absl::CivilDay day = D(first); day <= D(last); ++day) {
      EXPECT_FALSE(Shipped().IsWorkingDay(day)) << FormatDay(day);
    }
  }
}

TEST(ShippedCalendar, WorksOnEveryMakeUpDayOfTheNotices) {
  for (const char* day : {"2024-02-04", "2024-02-18", "2024-04-07", "2024-04-28", "2024-05-11",
                          "2024-09-14", "2024-09-29", "2024-10-12", "2025-01-26", "2025-02-08",
                          "2025-04-27", "2025-09-28", "2025-10-11", "2026-01-04", "2026-02-14",
                          "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"}) {
    EXPECT_TRUE(Shipped().IsWorkingDay(D(day))) << day;
  }
}

TEST(ShippedCalendar, WorksOnWeekdaysAndRestsOnWeekendsElsewhere) {
  EXPECT_TRUE(Shipped().IsWorkingDay(D("2026-11-24")));   // Tuesday
  EXPECT_FALSE(Shipped().IsWorkingDay(D("2026-11-28")));  // Saturday
  EXPECT_FALSE(Shipped().IsWorkingDay(D("2026-11-29")));  // Sunday
  EXPECT_TRUE(Shipped().IsWorkingDay(D("2026-11-30")));   // Monday
}

TEST(ShippedCalendar, CoversTheYearsOfItsNotices) {
  EXPECT_FALSE(Shipped().IsCovered(D("2023-12-31")));
  EXPECT_TRUE(Shipped().IsCovered(D("2024-01-01")));
  EXPECT_TRUE(Shipped().IsCovered(D("2026-12-31")));
  EXPECT_FALSE(Shipped().IsCovered(D("2027-01-01")));
}

// 2028: 1 May is a Monday, 1 October a Sunday.
TEST(WorkingCalendar, WithoutANoticeRestsOnWeekendsAndFixedHolidays) {
  EXPECT_FALSE(Shipped().IsWorkingDay(D("2027-01-01")));
  for (const char* day : {"2028-01-01", "2028-05-01", "2028-05-02", "2028-10-01", "2028-10-02",
                          "2028-10-03", "2028-05-06"}) {
    EXPECT_FALSE(Shipped().IsWorkingDay(D(day))) << day;
  }
  for (const char* day : {"2028-01-03", "2028-05-03", "2028-10-04"}) {
    EXPECT_TRUE(Shipped().IsWorkingDay(D(day))) << day;
  }
}

// A notice names all days off of its year, the fixed ones too.
TEST(WorkingCalendar, BelievesTheNoticeOfACoveredYearAlone) {
  const absl::StatusOr<WorkingCalendar> calendar = WorkingCalendar::Parse("year\t2028\tn\n");
  ASSERT_THAT(calendar, IsOk());
  EXPECT_TRUE(calendar->IsWorkingDay(D("2028-05-01")));
}

// SHA-256 of nothing begins with e3b0c44298fc1c14 (FIPS 180-4).
TEST(WorkingCalendar, IsNamedByTheDigestOfItsData) {
  const absl::StatusOr<WorkingCalendar> empty = WorkingCalendar::Parse("");
  ASSERT_THAT(empty, IsOk());
  EXPECT_EQ(empty->version(), "e3b0c44298fc1c14");
  EXPECT_EQ(Shipped().version().size(), 16u);
  EXPECT_NE(Shipped().version(), empty->version());
}

TEST(WorkingCalendar, ReadsRulesInAnyOrderWithComments) {
  const absl::StatusOr<WorkingCalendar> calendar = WorkingCalendar::Parse(
      "# a comment\n"
      "\n"
      "off\t2024-02-12\t2024-02-13\n"
      "work\t2024-02-18  # a Sunday\n"
      "year\t2024\ta notice\n");
  ASSERT_THAT(calendar, IsOk());
  EXPECT_FALSE(calendar->IsWorkingDay(D("2024-02-12")));
  EXPECT_FALSE(calendar->IsWorkingDay(D("2024-02-13")));
  EXPECT_TRUE(calendar->IsWorkingDay(D("2024-02-14")));
  EXPECT_TRUE(calendar->IsWorkingDay(D("2024-02-18")));
}

TEST(WorkingCalendar, RefusesADayOfAYearWithoutAYearLine) {
  ExpectRefused("year\t2024\tn\noff\t2025-01-01\n", "line 2");
  ExpectRefused("year\t2024\tn\n# c\noff\t2024-12-31\t2025-01-01\n", "line 3");
}

TEST(WorkingCalendar, RefusesADayThatIsBothOffAndWork) {
  ExpectRefused("year\t2024\tn\noff\t2024-02-04\nwork\t2024-02-04\n", "line 3");
  ExpectRefused("year\t2024\tn\nwork\t2024-02-04\noff\t2024-02-01\t2024-02-05\n", "line 3");
}

TEST(WorkingCalendar, RefusesWhatDoesNotParse) {
  ExpectRefused("holiday\t2024-02-04\n", "line 1");
  ExpectRefused("year\t2024\n", "line 1");
  ExpectRefused("year\tx\tn\n", "line 1");
  ExpectRefused("year\t2024\tn\noff\n", "line 2");
  ExpectRefused("year\t2024\tn\noff\t2024-02-30\n", "line 2");
  ExpectRefused("year\t2024\tn\noff\t2024-02-05\t2024-02-04\n", "line 2");
  ExpectRefused("year\t2024\tn\nwork\t2024-02-04\t2024-02-05\n", "line 2");
  ExpectRefused("year\t2024\tn\noff 2024-02-05\n", "line 2");
}

// Test vectors of domain §14.3.
TEST(DueOn, CountsWorkingDaysOverHolidaysAndMakeUpDays) {
  EXPECT_EQ(Due(WorkingDays(20), "2024-09-30").due_on, D("2024-11-01"));
  EXPECT_EQ(Due(WorkingDays(5), "2025-01-24").due_on, D("2025-02-07"));
  EXPECT_EQ(Due(WorkingDays(7), "2025-09-26").due_on, D("2025-10-13"));
  EXPECT_EQ(Due(WorkingDays(5), "2026-02-13").due_on, D("2026-02-27"));
  EXPECT_EQ(Due(WorkingDays(20), "2026-02-13").due_on, D("2026-03-19"));
  EXPECT_EQ(Due(WorkingDays(7), "2026-09-18").due_on, D("2026-09-29"));
}

// 民法典第201条: the start day is not counted. 2 March 2026 is a Monday.
TEST(DueOn, DoesNotCountTheStartDay) {
  EXPECT_EQ(Due(WorkingDays(1), "2026-03-02").due_on, D("2026-03-03"));
  EXPECT_EQ(Due(CalendarDays(1), "2026-03-02").due_on, D("2026-03-03"));
  EXPECT_EQ(Due(CalendarDays(0), "2026-03-02").due_on, D("2026-03-02"));
}

TEST(DueOn, CountsEveryCalendarDay) {
  EXPECT_EQ(Due(CalendarDays(10), "2026-03-02").due_on, D("2026-03-12"));
  EXPECT_EQ(Due(CalendarDays(1), "2024-02-28").due_on, D("2024-02-29"));
}

// 民法典第203条, 民事诉讼法第85条. 7 March 2026 is a Saturday; 20 February lies in 春节 (15–23).
TEST(DueOn, RollsACalendarPeriodFromARestDayToTheNextWorkingDay) {
  EXPECT_EQ(Due(CalendarDays(5), "2026-03-02").due_on, D("2026-03-09"));
  EXPECT_EQ(Due(CalendarDays(15), "2026-02-05").due_on, D("2026-02-24"));
}

TEST(DueOn, DoesNotRollAPeriodThatEndsOnAMakeUpSaturday) {
  EXPECT_EQ(Due(CalendarDays(5), "2026-02-23").due_on, D("2026-02-28"));
}

TEST(DueOn, RollsOnlyWhenTheRuleSaysSo) {
  EXPECT_EQ(Due(CalendarDays(5, false), "2026-03-02").due_on, D("2026-03-07"));
}

// 2 March 2026 is a Monday, and March has no holiday.
TEST(DueOn, LeavesOutPausedDays) {
  const DayRange pause{D("2026-03-04"), D("2026-03-05")};
  EXPECT_EQ(Due(WorkingDays(5), "2026-03-02").due_on, D("2026-03-09"));
  EXPECT_EQ(Due(WorkingDays(5), "2026-03-02", {pause}).due_on, D("2026-03-11"));
  EXPECT_EQ(Due(CalendarDays(10), "2026-03-02", {pause}).due_on, D("2026-03-16"));
  EXPECT_EQ(Due(CalendarDays(10, false), "2026-03-02", {pause}).due_on, D("2026-03-14"));
}

TEST(DueOn, LeavesOutADayOfTwoPausesOnce) {
  EXPECT_EQ(Due(WorkingDays(5), "2026-03-02",
                {{D("2026-03-05"), D("2026-03-06")}, {D("2026-03-04"), D("2026-03-05")}})
                .due_on,
            D("2026-03-12"));
}

TEST(DueOn, IgnoresPausesOutsideTheRunningPeriod) {
  EXPECT_EQ(Due(WorkingDays(5), "2026-03-02",
                {{D("2026-02-01"), D("2026-03-02")}, {D("2026-03-10"), D("2026-04-30")}})
                .due_on,
            D("2026-03-09"));
}

// The weekend is rest, the Monday after it is paused.
TEST(DueOn, NeverEndsInsideAPause) {
  const DayRange pause{D("2026-03-09"), D("2026-03-09")};
  EXPECT_EQ(Due(CalendarDays(5), "2026-03-02", {pause}).due_on, D("2026-03-10"));
  EXPECT_EQ(Due(WorkingDays(5), "2026-03-02", {pause}).due_on, D("2026-03-10"));
  EXPECT_EQ(Due(CalendarDays(0, false), "2026-03-09", {pause}).due_on, D("2026-03-10"));
}

// From Saturday the 7th past a pause of Monday to Friday: the 14th is a Saturday again.
TEST(DueOn, DoesNotRollOutOfAPauseOntoARestDay) {
  EXPECT_EQ(Due(CalendarDays(5), "2026-03-02", {{D("2026-03-09"), D("2026-03-13")}}).due_on,
            D("2026-03-16"));
}

// 28 December 2026 is a Monday; 1 January 2027 a Friday and a holiday.
TEST(DueOn, IsProvisionalWhenItNeedsAYearWithoutNotice) {
  const Deadline deadline = Due(WorkingDays(5), "2026-12-28");
  EXPECT_EQ(deadline.due_on, D("2027-01-05"));
  EXPECT_TRUE(deadline.provisional);
  EXPECT_TRUE(Due(CalendarDays(10), "2026-12-28").provisional);
  // The days before the first covered year count too.
  EXPECT_EQ(Due(WorkingDays(1), "2023-12-29").due_on, D("2024-01-02"));
  EXPECT_TRUE(Due(WorkingDays(1), "2023-12-29").provisional);
}

TEST(DueOn, IsNotProvisionalWhenItNeedsNoSuchYear) {
  EXPECT_FALSE(Due(WorkingDays(3), "2026-12-28").provisional);
  EXPECT_FALSE(Due(CalendarDays(3), "2026-12-28").provisional);
  // No notice can move the end of a period that does not roll.
  EXPECT_FALSE(Due(CalendarDays(10, false), "2026-12-28").provisional);
}

TEST(DueOn, NamesTheCalendarItUsed) {
  EXPECT_EQ(Due(WorkingDays(5), "2026-03-02").calendar_version, Shipped().version());
}

TEST(DueOn, RefusesANegativeAmountAndAPauseThatEndsBeforeItBegins) {
  EXPECT_THAT(DueOn(WorkingDays(-1), D("2026-03-02"), {}, Shipped()),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(
      DueOn(WorkingDays(5), D("2026-03-02"), {{D("2026-03-05"), D("2026-03-04")}}, Shipped()),
      StatusIs(absl::StatusCode::kInvalidArgument));
}

// From 1 February 2024 thirty days lead to Saturday, 2 March, and so to Monday the 4th; from 31
// January to Friday the 1st. Ten working days after Friday, 23 February end on Friday, 8 March.
TEST(LastMissedStart, IsTheLastDayWhosePeriodEndedBeforeToday) {
  EXPECT_EQ(LastMissedStart(CalendarDays(30), D("2024-03-02"), Shipped()), D("2024-01-31"));
  EXPECT_EQ(LastMissedStart(CalendarDays(30), D("2024-03-04"), Shipped()), D("2024-01-31"));
  EXPECT_EQ(LastMissedStart(CalendarDays(30), D("2024-03-05"), Shipped()), D("2024-02-03"));
  EXPECT_EQ(LastMissedStart(WorkingDays(10), D("2024-03-09"), Shipped()), D("2024-02-25"));
  EXPECT_EQ(LastMissedStart(WorkingDays(10), D("2024-03-08"), Shipped()), D("2024-02-22"));
}

TEST(LastMissedStart, IsYesterdayForALastDayItself) {
  EXPECT_EQ(LastMissedStart(CalendarDays(0, false), D("2024-03-02"), Shipped()), D("2024-03-01"));
}

// The vectors above, the other way round.
TEST(WorkingDaysBetween, CountsAfterTheFirstUpToTheLast) {
  EXPECT_EQ(WorkingDaysBetween(D("2024-09-30"), D("2024-11-01"), Shipped()), 20);
  EXPECT_EQ(WorkingDaysBetween(D("2025-01-24"), D("2025-02-07"), Shipped()), 5);
  EXPECT_EQ(WorkingDaysBetween(D("2026-02-13"), D("2026-03-19"), Shipped()), 20);
}

TEST(WorkingDaysBetween, IsZeroWhenTheLastIsNotAfterTheFirst) {
  EXPECT_EQ(WorkingDaysBetween(D("2026-03-02"), D("2026-03-02"), Shipped()), 0);
  EXPECT_EQ(WorkingDaysBetween(D("2026-03-09"), D("2026-03-02"), Shipped()), 0);
}

}  // namespace
}  // namespace fadu
