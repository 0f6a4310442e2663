// Measures that look from one record to the next, from year to year, and from unit to unit.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/status.h"
#include "services/scoring/domain/measure_test_support.h"

namespace fadu::scoring {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

EvalScope In(const std::string& area, int year) {
  EvalScope scope;
  scope.area_code = area;
  scope.year = year;
  return scope;
}

// From 31 January to 1 March 2024, a leap year, are 30 days; from there to 10 March 9.
TEST(Gap, IsTheLongestTimeFromOneRecordToTheNext) {
  Ledger ledger;
  for (const char* day : {"2024-03-10", "2024-01-31", "2024-03-01"}) ledger.Add(On(day));
  EXPECT_EQ(ledger.Text("gap(entries)"), "30");
  EXPECT_EQ(ledger.Text("gap(entries in Q1)"), "30");
  EXPECT_EQ(ledger.Text("gap(entries in M03)"), "9");
}

TEST(Gap, OfFewerThanTwoRecordsIsNone) {
  Ledger ledger;
  ledger.Add(On("2024-03-10"));
  EXPECT_FALSE(HasValue(ledger.Value("gap(entries)")));
}

TEST(Gap, BetweenTwoOnOneDayIsZero) {
  Ledger ledger;
  ledger.Add(On("2024-03-10"));
  ledger.Add(On("2024-03-10"));
  EXPECT_EQ(ledger.Text("gap(entries)"), "0");
}

TEST(Least, IsThatOfTheUnitWithTheFewest) {
  Ledger ledger;
  for (const char* area : {kFirst, kFirst, kSecond, kElsewhere}) {
    ledger.Add(On("2024-05-01", area));
  }
  EXPECT_EQ(ledger.Text("least(entries of ruralvillages)"), "1");
  const auto all = ledger.Value("least(entries of villages)");
  EXPECT_EQ(all.text(), "0");
  EXPECT_THAT(all.notes(), ElementsAre("最少：潘家湾社区"));
}

TEST(Least, OfNoUnitsIsNone) {
  EXPECT_FALSE(HasValue(Ledger().Value("least(entries of villages)", "421299")));
}

Entry Named(const std::string& day, const std::string& kind, bool passed) {
  Entry entry = On(day);
  entry.set_kind(kind);
  entry.set_passed(passed);
  return entry;
}

// 甲 passed and later did not; 乙 did not and later passed.
TEST(Latest, TakesTheNewestRecordOfEachValueAlone) {
  Ledger ledger;
  ledger.Add(Named("2024-01-01", "甲", true));
  ledger.Add(Named("2024-02-01", "甲", false));
  ledger.Add(Named("2024-01-01", "乙", false));
  const size_t newest = ledger.Add(Named("2024-02-01", "乙", true));
  const Evaluation found =
      ledger.Eval("latest(entries.kind where passed = true)", In(kCountyArea, 2024));
  EXPECT_EQ(found.value.text(), "1");
  ASSERT_EQ(found.records.size(), 1U);
  EXPECT_THAT(found.records[0], HasSubstr(RecordId(newest)));
}

TEST(Latest, OfOneDayIsTheOneWithTheGreaterId) {
  Ledger ledger;
  ledger.Add(Named("2024-02-01", "甲", false));
  ledger.Add(Named("2024-02-01", "甲", true));
  EXPECT_EQ(ledger.Text("latest(entries.kind where passed = true)"), "1");
}

TEST(Years, AreThoseInARowUpToThisOne) {
  Ledger ledger;
  for (const char* day : {"2024-01-01", "2023-05-01", "2022-05-01", "2022-06-01", "2020-01-01"}) {
    ledger.Add(On(day));
  }
  EXPECT_EQ(ledger.Text("years(entries)"), "3");
  EXPECT_EQ(ledger.Text("years(entries at least 2)"), "0");
  EXPECT_EQ(ledger.Eval("years(entries at least 2)", In(kFirst, 2022)).value.text(), "1");
}

// 2, 1, 0 and 0 of four villages; the mean is the county's, asked from a village too.
TEST(Mean, IsOverAllAreasOfTheCounty) {
  Ledger ledger;
  for (const char* area : {kFirst, kFirst, kSecond}) ledger.Add(On("2024-05-01", area));
  EXPECT_EQ(ledger.Text("mean(count(entries) of villages)"), "0.75");
  EXPECT_EQ(ledger.Text("mean(count(entries) of villages)", kFirst), "0.75");
  EXPECT_EQ(ledger.Text("count(entries) - mean(count(entries) of villages)", kFirst), "1.25");
}

// Two thirds and one half; the third village has nothing to divide by.
TEST(Mean, LeavesOutAndNamesWhatHasNoValue) {
  Ledger ledger;
  for (const bool passed : {true, true, false}) {
    Entry entry = On("2024-05-01", kFirst);
    entry.set_passed(passed);
    ledger.Add(entry);
  }
  for (const bool passed : {true, false}) {
    Entry entry = On("2024-05-01", kSecond);
    entry.set_passed(passed);
    ledger.Add(entry);
  }
  const auto mean =
      ledger.Value("mean(count(entries where passed = true) / count(entries) of ruralvillages)");
  EXPECT_EQ(mean.numerator() * 12, mean.denominator() * 7);  // (2/3 + 1/2) ÷ 2
  EXPECT_THAT(mean.missing(), ElementsAre("印山村"));
}

TEST(Mean, IsProvisionalUntilEveryAreaIsFrozen) {
  Ledger ledger;
  EXPECT_TRUE(ledger.Value("mean(count(entries) of towns)").provisional());
  ledger.context.frozen = {kTownArea};
  EXPECT_TRUE(ledger.Value("mean(count(entries) of towns)").provisional());
  ledger.context.frozen = {kCountyArea};
  EXPECT_FALSE(ledger.Value("mean(count(entries) of towns)").provisional());
}

TEST(Rolling, MonthsEndWithTheLastDayKnown) {
  Ledger ledger;
  for (const char* day : {"2023-08-31", "2023-09-01", "2024-08-31", "2024-09-01"}) {
    ledger.Add(On(day));
  }
  ledger.context.as_of = absl::CivilDay(2024, 8, 31);
  EXPECT_EQ(ledger.Text("count(entries in rolling 12)"), "2");
  EXPECT_TRUE(ledger.Value("count(entries in rolling 12)").provisional());
  ledger.context.as_of = absl::CivilDay(2024, 12, 31);
  EXPECT_EQ(ledger.Text("count(entries in rolling 12)"), "2");  // 31 August and 1 September 2024
  EXPECT_FALSE(ledger.Value("count(entries in rolling 12)").provisional());
}

// A month before 31 March is the last day of February.
TEST(Rolling, MonthsBeginAfterTheSameDayOrTheLastOfAShorterMonth) {
  const DayRange days = MonthsUntil(absl::CivilDay(2024, 3, 31), 1);
  EXPECT_EQ(days.first, absl::CivilDay(2024, 3, 1));
  EXPECT_EQ(MonthsUntil(absl::CivilDay(2024, 12, 31), 12).first, absl::CivilDay(2024, 1, 1));
  EXPECT_EQ(MonthsUntil(absl::CivilDay(2024, 5, 15), 1).first, absl::CivilDay(2024, 4, 16));
}

TEST(HistoryText, IsCanonicalAndParsesToItself) {
  for (const char* text :
       {"gap(entries in Q1)", "least(entries where passed = true of villages)",
        "latest(entries.kind where passed = true)", "years(entries)", "years(entries at least 2)",
        "mean(count(entries) / size(towns) of villages)", "count(entries in rolling 12)"}) {
    const auto measure = ParseMeasure(text, MeasureTypes());
    ASSERT_TRUE(measure.ok()) << text << measure.status();
    EXPECT_EQ(ToString(*measure), text);
    EXPECT_TRUE(ParseMeasure(ToString(*measure), MeasureTypes()).ok());
    EXPECT_FALSE(LabelOf(*measure, "zh").empty());
    EXPECT_FALSE(LabelOf(*measure, "en").empty());
  }
}

struct Wrong {
  const char* text;
  const char* problem;
};

TEST(HistoryText, WhatDoesNotFitIsRefused) {
  const Wrong cases[] = {
      {"gap(entries.kind)", "gap 不需要字段"},
      {"latest(entries)", "latest 需要字段"},
      {"least(entries of 户数)", "不能以登记的基数为单位"},
      {"least(entries)", "least 需要以什么为分母"},
      {"mean(count(entries))", "mean 需要对哪些区划取平均"},
      {"mean(count(entries) of organisations)", "mean 需要一组区划"},
      {"years(entries at 2)", "at 之后应为 least"},
      {"count(entries in rolling 0)", "rolling 之后的月数应为 1 至 120"},
      {"count(entries as of rolling 3)", "期间应为"},
  };
  for (const Wrong& wrong : cases) {
    const auto measure = ParseMeasure(wrong.text, MeasureTypes());
    ASSERT_FALSE(measure.ok()) << wrong.text;
    EXPECT_THAT(DetailOf(measure.status()).metadata.at("problem"), HasSubstr(wrong.problem))
        << wrong.text;
  }
}

}  // namespace
}  // namespace fadu::scoring
