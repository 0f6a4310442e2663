// Each construct of the measure language, worked out by hand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/testing/status_matchers.h"
#include "services/scoring/domain/measure_test_support.h"

namespace fadu::scoring {
namespace {

namespace fixture = ::fadu::measurefixture::v1;
namespace mediation = ::fadu::mediation::v1;
namespace registry = ::fadu::registry::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string NameOf(size_t place) {
  return absl::StrCat("counties/421221/entries/", RecordId(place));
}

// ---- distinct -----------------------------------------------------------------------------------

TEST(Distinct, CountsEachValueOnce) {
  Ledger ledger;
  for (const char* channel : {"微博", "公众号", "微博", ""}) {
    Entry entry = On("2024-05-01");
    entry.set_channel(channel);
    ledger.Add(entry);
  }
  EXPECT_EQ(ledger.Text("distinct(entries.channel)"), "2");
}

TEST(Distinct, OfAFieldWithSeveralValuesCountsThemAll) {
  Ledger ledger;
  Entry first = On("2024-05-01");
  first.add_topics("宪法");
  first.add_topics("民法典");
  Entry second = On("2023-05-02", kElsewhere);
  second.add_topics("民法典");
  second.add_topics("反诈");
  ledger.Add(first);
  ledger.Add(second);
  EXPECT_EQ(ledger.Text("distinct(entries.topics)"), "2");
  EXPECT_EQ(ledger.Text("distinct(entries.topics in last year)"), "2");
  // Both years: the words of two blocks are one set.
  EXPECT_EQ(ledger.Text("distinct(entries.topics in 2023-01-01..2024-12-31)"), "3");
}

TEST(Distinct, ListsTheRecordsThatSayOne) {
  Ledger ledger;
  Entry entry = On("2024-05-01");
  ledger.Add(entry);
  entry.set_kind("讲座");
  const size_t with = ledger.Add(entry);
  EXPECT_THAT(ledger.Eval("distinct(entries.kind)", {kCountyArea}).records,
              ElementsAre(NameOf(with)));
}

TEST(Distinct, CountsNumbersDatesAndVocabulariesToo) {
  Ledger ledger;
  for (const int people : {1, 1, 2}) {
    Entry entry = On("2024-05-01");
    entry.set_people(people);
    entry.set_outcome(fixture::OUTCOME_DONE);
    entry.set_closed_date("2024-06-01");
    ledger.Add(entry);
  }
  EXPECT_EQ(ledger.Text("distinct(entries.people)"), "2");
  EXPECT_EQ(ledger.Text("distinct(entries.outcome)"), "1");
  EXPECT_EQ(ledger.Text("distinct(entries.closed_date)"), "1");
  EXPECT_EQ(ledger.Text("distinct(entries.area_code)"), "1");
}

// ---- sums, averages, extremes -------------------------------------------------------------------

Ledger Amounts(std::initializer_list<int64_t> amounts_e4) {
  Ledger ledger;
  for (const int64_t amount : amounts_e4) {
    Entry entry = On("2024-05-01");
    entry.set_amount_e4(amount);
    entry.set_people(amount / 10000);
    ledger.Add(entry);
  }
  return ledger;
}

// 1.25 + 2.5 + 3 = 6.75; ÷ 3 = 2.25.
TEST(Sum, OfDecimalsIsExact) {
  const Ledger ledger = Amounts({12500, 25000, 30000});
  const auto sum = ledger.Value("sum(entries.amount_e4)");
  EXPECT_EQ(sum.text(), "6.75");
  EXPECT_EQ(sum.numerator(), 67500);
  EXPECT_EQ(sum.denominator(), 10000);
  EXPECT_EQ(ledger.Text("average(entries.amount_e4)"), "2.25");
  EXPECT_EQ(ledger.Text("min(entries.amount_e4)"), "1.25");
  EXPECT_EQ(ledger.Text("max(entries.amount_e4)"), "3");
}

TEST(Sum, OfDecimalsThatIsWholeHasNoDenominator) {
  const auto sum = Amounts({15000, 25000}).Value("sum(entries.amount_e4)");
  EXPECT_EQ(sum.numerator(), 4);
  EXPECT_EQ(sum.denominator(), 1);
}

// 1 + 2 + 2 over three records is 1.666…
TEST(Average, IsAFractionReadWithTwoDecimals) {
  const auto average = Amounts({10000, 20000, 20000}).Value("average(entries.people)");
  EXPECT_EQ(average.numerator(), 5);
  EXPECT_EQ(average.denominator(), 3);
  EXPECT_FALSE(average.is_ratio());
  EXPECT_EQ(average.text(), "1.67");
}

TEST(Average, OverNothingHasNoValue) {
  for (const char* function : {"average", "min", "max"}) {
    const auto value = Ledger().Value(absl::StrCat(function, "(entries.people)"));
    EXPECT_FALSE(HasValue(value));
    EXPECT_EQ(value.absence(), v1::ABSENCE_NO_RECORD);
    EXPECT_EQ(value.text(), "无（没有记录）");
  }
  EXPECT_EQ(Ledger().Text("sum(entries.people)"), "0");
}

// ---- arithmetic ---------------------------------------------------------------------------------

TEST(Arithmetic, CountsAreAddedAndTakenAway) {
  Ledger ledger;
  for (int i = 0; i < 3; ++i) ledger.Add(On("2024-05-01"));
  Entry done = On("2024-05-01");
  done.set_outcome(fixture::OUTCOME_DONE);
  ledger.Add(done);
  EXPECT_EQ(ledger.Text("count(entries) + count(entries where outcome = DONE)"), "5");
  EXPECT_EQ(ledger.Text("count(entries where outcome = DONE) - count(entries)"), "-3");
  EXPECT_EQ(ledger.Text("count(entries) - count(entries) - 2 + 1"), "-1");
  EXPECT_EQ(ledger.Text("count(entries) - (count(entries) - 2)"), "2");
}

// (3 done + 1 failed) ÷ 5 = 80 %.
TEST(Arithmetic, ARatioMayHaveASumAboveIt) {
  Ledger ledger;
  for (const auto outcome : {fixture::OUTCOME_DONE, fixture::OUTCOME_DONE, fixture::OUTCOME_DONE,
                             fixture::OUTCOME_FAILED, fixture::OUTCOME_REFUSED}) {
    Entry entry = On("2024-05-01");
    entry.set_outcome(outcome);
    ledger.Add(entry);
  }
  const auto value = ledger.Value(
      "(count(entries where outcome = DONE) + count(entries where outcome = FAILED)) / "
      "count(entries)");
  EXPECT_EQ(value.text(), "80%");
  EXPECT_EQ(value.numerator(), 4);
  EXPECT_EQ(value.denominator(), 5);
}

// 25 ÷ 100 − 10 ÷ 100 = 15 percentage points.
TEST(Arithmetic, TheDifferenceOfRatiosIsInPercentagePoints) {
  const auto value = Ledger().Value("25 / 100 - 1 / 10");
  EXPECT_EQ(value.kind(), v1::MEASURE_KIND_POINTS);
  EXPECT_TRUE(value.is_ratio());
  EXPECT_EQ(value.text(), "15个百分点");
}

TEST(Arithmetic, ARatioOfSumsKeepsItsParts) {
  Ledger ledger;
  Entry entry = On("2024-05-01");
  entry.set_items(110);
  entry.set_out_of(220);
  ledger.Add(entry);
  const auto value = ledger.Value("sum(entries.items) / sum(entries.out_of)");
  EXPECT_EQ(value.numerator(), 110);
  EXPECT_EQ(value.denominator(), 220);
}

TEST(Arithmetic, PerIsANumberAndNotARate) {
  Ledger ledger;
  for (const int people : {30, 45}) {
    Entry entry = On("2024-05-01");
    entry.set_people(people);
    ledger.Add(entry);
  }
  EXPECT_EQ(ledger.Text("sum(entries.people) per count(entries)"), "37.5");
  EXPECT_EQ(ledger.Text("sum(entries.people) per 10"), "7.5");
  // 75 people for each ten entries of two: 75 × 10 ÷ 2.
  EXPECT_EQ(ledger.Text("sum(entries.people) per 10 count(entries)"), "375");
  EXPECT_EQ(ledger.Text("sum(entries.people) per 0.5"), "150");
  EXPECT_EQ(ledger.Text("count(entries) per count(entries where people > 100)"), "无（分母为零）");
}

TEST(Arithmetic, WhatLeaves64BitsSaysSo) {
  Ledger ledger;
  for (int i = 0; i < 3; ++i) {
    Entry entry = On("2024-05-01");
    entry.set_people(std::numeric_limits<int64_t>::max());
    ledger.Add(entry);
  }
  const auto value = ledger.Value("sum(entries.people)");
  EXPECT_EQ(value.absence(), v1::ABSENCE_OUT_OF_RANGE);
  EXPECT_EQ(value.text(), "无（数值过大）");
  EXPECT_EQ(value.denominator(), 0);
  // The average of the three is in range, though their sum is not.
  EXPECT_EQ(ledger.Text("average(entries.people)"), "9223372036854775807");
  // The product of three denominators above 2^64 leaves 128 bits.
  EXPECT_EQ(ledger.Text("1 / sum(entries.people) + 1 / (sum(entries.people) + 1) + "
                        "1 / (sum(entries.people) + 2)"),
            "无（数值过大）");
}

TEST(Arithmetic, AMissingPartMakesTheWholeMissing) {
  EXPECT_EQ(Ledger().Text("average(entries.people) + count(entries)"), "无（没有记录）");
  EXPECT_EQ(Ledger().Text("count(entries) / count(entries) - 1 / 2"), "无（分母为零）");
}

// ---- records counted ----------------------------------------------------------------------------

TEST(Records, OfARatioAreToldForBothParts) {
  Ledger ledger;
  Entry done = On("2024-05-01");
  done.set_outcome(fixture::OUTCOME_DONE);
  const size_t a = ledger.Add(done);
  const size_t b = ledger.Add(On("2024-05-02"));
  ledger.Add(On("2023-05-02"));
  const Evaluation evaluation =
      ledger.Eval("count(entries where outcome = DONE) / count(entries)", {kCountyArea});
  EXPECT_THAT(evaluation.records, ElementsAre(NameOf(a)));
  EXPECT_THAT(evaluation.denominator_records, ElementsAre(NameOf(a), NameOf(b)));
}

TEST(Records, OfASumAreToldOnce) {
  Ledger ledger;
  const size_t a = ledger.Add(On("2024-05-01"));
  EXPECT_THAT(ledger.Eval("count(entries) + count(entries in Q2)", {kCountyArea}).records,
              ElementsAre(NameOf(a)));
}

TEST(Records, AreLeftOutWhenNobodyAsks) {
  Ledger ledger;
  ledger.Add(On("2024-05-01"));
  EvalScope scope{kCountyArea};
  scope.records = false;
  const Evaluation evaluation = ledger.Eval("count(entries) / count(entries)", scope);
  EXPECT_THAT(evaluation.records, IsEmpty());
  EXPECT_THAT(evaluation.denominator_records, IsEmpty());
  EXPECT_EQ(evaluation.value.text(), "100%");
}

// ---- periods ------------------------------------------------------------------------------------

TEST(Periods, AYearIsGivenByTheScope) {
  Ledger ledger;
  for (const char* day : {"2022-06-30", "2023-06-30", "2023-09-30", "2024-06-30"}) {
    ledger.Add(On(day));
  }
  EXPECT_EQ(ledger.Text("count(entries)"), "1");
  EXPECT_EQ(ledger.Text("count(entries in last year)"), "2");
  EXPECT_EQ(ledger.Text("count(entries in last Q2)"), "1");
  EXPECT_EQ(ledger.Text("count(entries in last M09)"), "1");
  EvalScope scope{kCountyArea, 2023};
  EXPECT_EQ(ledger.Eval("count(entries)", scope).value.text(), "2");
  EXPECT_EQ(ledger.Eval("count(entries in last year)", scope).value.text(), "1");
}

TEST(Periods, DaysAreAsTheyAreWritten) {
  Ledger ledger;
  for (const char* day : {"2023-12-31", "2024-01-01", "2024-03-31", "2024-04-01"}) {
    ledger.Add(On(day));
  }
  EXPECT_EQ(ledger.Text("count(entries in 2023-12-31..2024-03-31)"), "3");
  EXPECT_EQ(ledger.Text("count(entries in 2024-04-01..2024-04-01)"), "1");
}

TEST(Periods, AWindowCutsThem) {
  Ledger ledger;
  for (const char* day : {"2024-03-31", "2024-04-01", "2024-07-01"}) ledger.Add(On(day));
  EvalScope scope{kCountyArea};
  scope.within = DayRange{absl::CivilDay(2024, 4, 1), absl::CivilDay(2024, 6, 30)};
  EXPECT_EQ(ledger.Eval("count(entries)", scope).value.text(), "1");
  EXPECT_EQ(ledger.Eval("count(entries in Q1)", scope).value.text(), "0");
}

// Found in 2023, accepted in 2024: the block of another year is looked into.
TEST(Periods, AnotherDateCountsWhateverTheYearOfTheRecord) {
  Ledger ledger;
  mediation::Dispute dispute;
  dispute.set_area_code(kFirst);
  dispute.set_found_date("2023-12-30");
  dispute.set_accepted_date("2024-01-04");
  ledger.Add(dispute);
  EXPECT_EQ(ledger.Text("count(disputes)"), "0");
  EXPECT_EQ(ledger.Text("count(disputes by accepted_date)"), "1");
  EXPECT_EQ(ledger.Text("count(disputes by accepted_date in Q1)"), "1");
  EXPECT_EQ(ledger.Text("count(disputes by concluded_date)"), "0");
}

TEST(Periods, AMeasureOfAYearThatIsNotOverIsProvisional) {
  Ledger ledger;
  ledger.context.as_of = absl::CivilDay(2024, 8, 1);
  EXPECT_TRUE(ledger.Value("count(entries)").provisional());
  EXPECT_TRUE(ledger.Value("count(entries) / count(entries in Q1)").provisional());
  EXPECT_FALSE(ledger.Value("count(entries in Q2)").provisional());
  ledger.context.as_of = absl::CivilDay(2024, 12, 31);
  EXPECT_FALSE(ledger.Value("count(entries)").provisional());
}

// ---- stocks -------------------------------------------------------------------------------------

registry::Person Serves(const std::string& start, const std::string& end,
                        registry::PersonRole role = registry::PERSON_ROLE_LAW_SAVVY,
                        const std::string& area = kFirst) {
  registry::Person person;
  person.set_area_code(area);
  person.set_start_date(start);
  person.set_end_date(end);
  person.set_role(role);
  return person;
}

// New in the year are two, left one; at the end of 2023 there were two, of 2024 three.
Ledger People() {
  Ledger ledger;
  ledger.Add(Serves("2021-03-01", ""));
  ledger.Add(Serves("2022-05-01", "2024-06-30"));
  ledger.Add(Serves("2024-01-15", ""));
  ledger.Add(Serves("2024-12-31", ""));
  ledger.Add(Serves("2025-01-01", ""));
  return ledger;
}

TEST(Stock, IsWhatHoldsOnTheLastDayAndNotWhatBeganInTheYear) {
  const Ledger people = People();
  EXPECT_EQ(people.Text("count(people)"), "2");
  EXPECT_EQ(people.Text("count(people by end_date)"), "1");
  EXPECT_EQ(people.Text("count(people as of year until end_date)"), "3");
  EXPECT_EQ(people.Text("count(people as of last year until end_date)"), "2");
  EXPECT_EQ(people.Text("count(people as of Q1 until end_date)"), "3");
  EXPECT_EQ(people.Text("count(people as of 2021-02-28 until end_date)"), "0");
  EXPECT_EQ(people.Text("count(people as of 2021-03-01 until end_date)"), "1");
}

// in_force(end) = in_force(start) + begun − ended: 3 = 2 + 2 − 1.
TEST(Stock, AtTheEndIsThatAtTheBeginningAndTheFlows) {
  EXPECT_EQ(People().Text("count(people as of year until end_date) - "
                          "count(people as of last year until end_date) - count(people) + "
                          "count(people by end_date)"),
            "0");
}

TEST(Stock, EndsOnTheDayOfUntilAndAfterTheDayOfThrough) {
  const Ledger people = People();
  EXPECT_EQ(people.Text("count(people as of M06 until end_date)"), "2");
  EXPECT_EQ(people.Text("count(people as of M06 through end_date)"), "3");
  EXPECT_EQ(people.Text("count(people as of 2024-06-29 until end_date)"), "3");
  EXPECT_EQ(people.Text("count(people as of 2024-07-01 through end_date)"), "2");
}

TEST(Stock, WithoutAnEndLastsForEver) { EXPECT_EQ(People().Text("count(people as of year)"), "4"); }

TEST(Stock, MayBeginOnAnotherDate) {
  Ledger ledger;
  Entry entry = On("2023-05-01");
  entry.set_received_date("2024-02-01");
  entry.set_end_date("2024-09-01");
  ledger.Add(entry);
  EXPECT_EQ(ledger.Text("count(entries by received_date as of last year until end_date)"), "0");
  EXPECT_EQ(ledger.Text("count(entries by received_date as of H1 until end_date)"), "1");
  EXPECT_EQ(ledger.Text("count(entries by received_date as of year until end_date)"), "0");
}

TEST(Stock, IsNeverTakenAfterTheLastDayKnown) {
  Ledger people = People();
  people.context.as_of = absl::CivilDay(2024, 6, 1);
  // The one who leaves on 30 June still serves; who begins on 31 December does not yet.
  EXPECT_EQ(people.Text("count(people as of year until end_date)"), "3");
  EXPECT_TRUE(people.Value("count(people as of year until end_date)").provisional());
}

TEST(Stock, OfAWindowIsThatOfItsLastDay) {
  EvalScope scope{kCountyArea};
  scope.within = DayRange{absl::CivilDay(2024, 1, 1), absl::CivilDay(2024, 6, 30)};
  EXPECT_EQ(People().Eval("count(people as of year until end_date)", scope).value.text(), "2");
}

// ---- lateness -----------------------------------------------------------------------------------

mediation::Dispute Timed(const std::string& found, const std::string& accepted) {
  mediation::Dispute dispute;
  dispute.set_area_code(kFirst);
  dispute.set_found_date(found);
  dispute.set_accepted_date(accepted);
  return dispute;
}

// Twenty working days after 30 September 2024 end on 1 November (the National Day holidays lie
// between, 12 October is worked).
TEST(Lateness, CountsWorkingDaysOfTheCalendar) {
  Ledger ledger;
  ledger.Add(Timed("2024-09-30", "2024-11-01"));
  const size_t late = ledger.Add(Timed("2024-09-30", "2024-11-04"));
  const char within[] = "disputes to accepted_date within 20 workdays";
  const Evaluation evaluation = ledger.Eval(absl::StrCat("late(", within, ")"), {kCountyArea});
  EXPECT_EQ(evaluation.value.text(), "1");
  EXPECT_THAT(evaluation.records,
              ElementsAre(absl::StrCat("counties/421221/disputes/", RecordId(late))));
  const auto ontime = ledger.Value(absl::StrCat("ontime(", within, ")"));
  EXPECT_EQ(ontime.text(), "50%");
  EXPECT_EQ(ontime.denominator(), 2);
  // From Friday to Monday is one working day over.
  EXPECT_EQ(ledger.Text(absl::StrCat("max(", within, ")")), "1");
}

// 1 September 2024 and thirty days: 1 October, a holiday, so 8 October.
TEST(Lateness, ADeadlineInCalendarDaysMovesOffARestDay) {
  Ledger ledger;
  ledger.Add(Timed("2024-09-01", "2024-10-08"));
  ledger.Add(Timed("2024-09-01", "2024-10-09"));
  EXPECT_EQ(ledger.Text("late(disputes to accepted_date within 30 days)"), "1");
  EXPECT_EQ(ledger.Text("late(disputes to accepted_date within 30 plaindays)"), "2");
  // Over 1 October by 7 and 8 days; over 8 October by 0 and 1.
  EXPECT_EQ(ledger.Text("sum(disputes to accepted_date within 30 plaindays)"), "15");
  EXPECT_EQ(ledger.Text("sum(disputes to accepted_date within 30 days)"), "1");
  EXPECT_EQ(ledger.Text("average(disputes to accepted_date within 30 plaindays)"), "7.5");
}

TEST(Lateness, WhatIsOpenIsLateOnceItIsDue) {
  Ledger ledger;
  ledger.Add(Timed("2024-07-01", ""));  // due 11 July
  ledger.Add(Timed("2024-07-25", ""));  // due 4 August
  ledger.context.as_of = absl::CivilDay(2024, 8, 1);
  const std::string within = "(disputes to accepted_date within 10 plaindays)";
  EXPECT_EQ(ledger.Text("late" + within), "1");
  // What is not due yet is not judged.
  EXPECT_EQ(ledger.Value("ontime" + within).denominator(), 1);
  EXPECT_EQ(ledger.Text("max" + within), "21");
  ledger.context.as_of = absl::CivilDay(2024, 8, 4);
  EXPECT_EQ(ledger.Text("late" + within), "1");
  ledger.context.as_of = absl::CivilDay(2024, 8, 5);
  EXPECT_EQ(ledger.Text("late" + within), "2");
}

TEST(Lateness, MayBeAgainstADateTheRecordSays) {
  Ledger ledger;
  for (const auto& [due, closed] :
       {std::pair("2024-05-10", "2024-05-10"), std::pair("2024-05-10", "2024-05-13"),
        std::pair("", "2024-05-13")}) {
    Entry entry = On("2024-05-01");
    entry.set_due_date(due);
    entry.set_closed_date(closed);
    ledger.Add(entry);
  }
  EXPECT_EQ(ledger.Text("late(entries to closed_date due due_date)"), "1");
  EXPECT_EQ(ledger.Text("ontime(entries to closed_date due due_date)"), "50%");
  EXPECT_EQ(ledger.Text("max(entries to closed_date due due_date)"), "3");
  // Friday to Monday, and Saturday the 11th was worked.
  EXPECT_EQ(ledger.Text("max(entries to closed_date due due_date workdays)"), "2");
}

TEST(Lateness, DaysBetweenTwoDatesAreMeasuredWhereBothAreThere) {
  Ledger ledger;
  ledger.Add(Timed("2024-05-01", "2024-05-04"));
  ledger.Add(Timed("2024-05-01", "2024-05-12"));
  ledger.Add(Timed("2024-05-01", ""));
  const auto average = ledger.Value("average(disputes to accepted_date)");
  EXPECT_EQ(average.text(), "7");
  EXPECT_EQ(average.kind(), v1::MEASURE_KIND_DAYS);
  EXPECT_EQ(ledger.Text("max(disputes from found_date to accepted_date)"), "11");
  EXPECT_EQ(ledger.Text("min(disputes from found_date to accepted_date)"), "3");
  // 1 to 5 May is a holiday, 11 May a working Saturday: 6 to 11 May.
  EXPECT_EQ(ledger.Text("max(disputes to accepted_date workdays)"), "6");
}

TEST(Lateness, OverNothingDueHasNoRate) {
  EXPECT_EQ(Ledger().Text("ontime(disputes to accepted_date within 5 days)"), "无（分母为零）");
  EXPECT_EQ(Ledger().Text("late(disputes to accepted_date within 5 days)"), "0");
}

// No notice for the holidays of 2030 is known.
TEST(Lateness, InAYearWithoutACalendarIsProvisional) {
  Ledger ledger;
  ledger.Add(Timed("2030-01-07", "2030-01-08"));
  EvalScope scope{kCountyArea, 2030};
  const auto value = ledger.Eval("late(disputes to accepted_date within 5 workdays)", scope).value;
  EXPECT_TRUE(value.provisional());
  EXPECT_THAT(value.notes(), SizeIs(1));
}

// ---- coverage -----------------------------------------------------------------------------------

TEST(Coverage, IsOverTheVillagesOfTheAreaTree) {
  Ledger ledger;
  ledger.Add(On("2024-05-01", kFirst));
  ledger.Add(On("2024-06-01", kFirst));
  ledger.Add(On("2024-06-01", kTownArea));  // the town's own covers no village
  ledger.Add(On("2023-06-01", kSecond));
  const auto county = ledger.Value("coverage(entries of villages)");
  EXPECT_EQ(county.text(), "25%");
  EXPECT_EQ(county.numerator(), 1);
  EXPECT_EQ(county.denominator(), 4);
  EXPECT_THAT(county.missing(), ElementsAre("潘家湾社区", "肖家洲村", "印山村"));
  EXPECT_EQ(county.missing_count(), 3);
  EXPECT_EQ(ledger.Text("coverage(entries of villages)", kTownArea), "33.33%");
  EXPECT_EQ(ledger.Text("coverage(entries of villages)", kFirst), "100%");
  EXPECT_EQ(ledger.Text("coverage(entries of villages)", kSecond), "0%");
}

TEST(Coverage, KnowsCommunitiesRuralVillagesAndTowns) {
  Ledger ledger;
  ledger.Add(On("2024-05-01", kCommunity));
  ledger.Add(On("2024-05-01", kFirst));
  EXPECT_EQ(ledger.Text("coverage(entries of communities)"), "100%");
  EXPECT_EQ(ledger.Value("coverage(entries of ruralvillages)").denominator(), 3);
  const auto towns = ledger.Value("coverage(entries of towns)");
  EXPECT_EQ(towns.text(), "50%");
  EXPECT_THAT(towns.missing(), ElementsAre("陆溪镇"));
  EXPECT_EQ(ledger.Text("size(villages)"), "4");
  EXPECT_EQ(ledger.Text("size(towns)"), "2");
  EXPECT_EQ(ledger.Text("size(communities)", kOtherTown), "0");
}

TEST(Coverage, MayAskForSeveralRecordsEach) {
  Ledger ledger;
  for (const char* area : {kFirst, kFirst, kSecond}) ledger.Add(On("2024-05-01", area));
  const auto value = ledger.Value("coverage(entries of ruralvillages at least 2)");
  EXPECT_EQ(value.numerator(), 1);
  EXPECT_THAT(value.missing(), ElementsAre("肖家洲村", "印山村"));
}

TEST(Coverage, MayFollowTheVillagesThatARecordNames) {
  Ledger ledger;
  Entry entry = On("2024-05-01", kTownArea);
  entry.add_village_codes(kFirst);
  entry.add_village_codes(kFirst);
  entry.add_village_codes(kElsewhere);
  entry.add_village_codes("421222106200");
  ledger.Add(entry);
  EXPECT_EQ(ledger.Text("coverage(entries.village_codes of villages)"), "50%");
  // A record counts once for each village, however often it names it.
  EXPECT_EQ(ledger.Text("coverage(entries.village_codes of villages at least 2)"), "0%");
  EXPECT_EQ(ledger.Text("coverage(entries.village_codes of towns)"), "100%");
}

registry::Organisation Organisation(registry::OrganisationKind kind, const std::string& name,
                                    const std::string& established = "2020-01-01") {
  registry::Organisation organisation;
  organisation.set_area_code(kTownArea);
  organisation.set_established_date(established);
  organisation.set_name(name);
  organisation.set_kind(kind);
  return organisation;
}

TEST(Coverage, IsOverTheOrganisationsThatExistThen) {
  Ledger ledger;
  const size_t primary = ledger.Add(Organisation(registry::ORGANISATION_KIND_SCHOOL, "一小"));
  ledger.Add(Organisation(registry::ORGANISATION_KIND_SCHOOL, "二小"));
  ledger.Add(Organisation(registry::ORGANISATION_KIND_SCHOOL, "三小", "2025-02-01"));
  ledger.Add(Organisation(registry::ORGANISATION_KIND_ENTERPRISE, "某厂"));
  Entry entry = On("2024-05-01", kTownArea);
  entry.add_organisation_ids(RecordId(primary));
  entry.add_organisation_ids("00000000-0000-7000-8000-999999999999");
  ledger.Add(entry);
  const std::string text =
      "coverage(entries.organisation_ids of organisations where kind = SCHOOL)";
  const auto value = ledger.Value(text);
  EXPECT_EQ(value.text(), "50%");
  EXPECT_THAT(value.missing(), ElementsAre("二小"));
  const Evaluation evaluation = ledger.Eval(text, {kCountyArea});
  EXPECT_THAT(evaluation.records, SizeIs(1));
  EXPECT_THAT(evaluation.denominator_records, SizeIs(2));
}

TEST(Coverage, OfNothingHasNoValue) {
  EXPECT_EQ(Ledger().Text("coverage(entries.organisation_ids of organisations)"), "无（分母为零）");
  EXPECT_EQ(Ledger().Text("coverage(entries of villages)", "421299"), "无（分母为零）");
}

TEST(Coverage, OfAStockIsThatOfTheDay) {
  Ledger ledger;
  ledger.Add(Serves("2022-01-01", "2024-03-01", registry::PERSON_ROLE_LEGAL_ADVISER, kFirst));
  ledger.Add(Serves("2022-01-01", "", registry::PERSON_ROLE_LEGAL_ADVISER, kSecond));
  const char text[] =
      "coverage(people where role = LEGAL_ADVISER as of year until end_date of villages)";
  EXPECT_EQ(ledger.Value(text).numerator(), 1);
}

// ---- registered figures -------------------------------------------------------------------------

registry::Denominator Figure(const std::string& area, int64_t value,
                             const std::string& as_of = "2024-06-30", int year = 2024,
                             const std::string& source = "统计年鉴") {
  registry::Denominator figure;
  figure.set_area_code(area);
  figure.set_as_of_date(as_of);
  figure.set_year(year);
  figure.set_kind(registry::DENOMINATOR_KIND_HOUSEHOLDS);
  figure.set_value(value);
  figure.set_source(source);
  return figure;
}

TEST(Denominator, IsTheAreasOwnFigureWithItsDayAndSource) {
  Ledger ledger;
  ledger.Add(Figure(kTownArea, 5000));
  ledger.Add(Figure(kFirst, 400));
  const auto value = ledger.Value("denominator(HOUSEHOLDS)", kTownArea);
  EXPECT_EQ(value.text(), "5000");
  EXPECT_THAT(value.notes(), ElementsAre("户数5000（截至2024-06-30，来源：统计年鉴）"));
  EXPECT_EQ(ledger.Text("denominator(户数)", kFirst), "400");
}

TEST(Denominator, IsTheSumOfThoseBeneathWhenTheAreaHasNone) {
  Ledger ledger;
  ledger.Add(Figure(kFirst, 400, "2024-06-30"));
  ledger.Add(Figure(kSecond, 300, "2024-05-31", 2024, "村统计台账"));
  ledger.Add(Figure(kCommunity, 1000));
  ledger.Add(Figure(kElsewhere, 200));
  const auto value = ledger.Value("denominator(HOUSEHOLDS)");
  EXPECT_EQ(value.text(), "1900");
  EXPECT_THAT(
      value.notes(),
      ElementsAre("户数1900（4处合计，截至2024-05-31至2024-06-30，来源：村统计台账、统计年鉴）"));
}

TEST(Denominator, ThatIsNotCompleteIsMissing) {
  Ledger ledger;
  ledger.Add(Figure(kFirst, 400));
  ledger.Add(Figure(kCommunity, 1000));
  const auto value = ledger.Value("count(entries) / denominator(HOUSEHOLDS)");
  EXPECT_EQ(value.absence(), v1::ABSENCE_NO_FIGURE);
  EXPECT_EQ(value.text(), "无（缺少登记的数值）");
  EXPECT_THAT(value.missing(), ElementsAre("肖家洲村", "印山村"));
}

TEST(Denominator, TheNewestOfTheYearCounts) {
  Ledger ledger;
  ledger.Add(Figure(kFirst, 410, "2024-06-30"));
  ledger.Add(Figure(kFirst, 400, "2023-12-31"));  // of the year before, but for 2024
  ledger.Add(Figure(kFirst, 390, "2023-06-30", 2023));
  EXPECT_EQ(ledger.Text("denominator(HOUSEHOLDS)", kFirst), "410");
  EXPECT_EQ(ledger.Eval("denominator(HOUSEHOLDS)", {kFirst, 2023}).value.text(), "390");
}

TEST(Denominator, UnconfirmedCountsOnlyWhenAskedFor) {
  Ledger ledger;
  ledger.Add(Figure(kFirst, 400), /*confirmed=*/false);
  EXPECT_EQ(ledger.Text("denominator(HOUSEHOLDS)", kFirst), "无（缺少登记的数值）");
  EvalScope scope{kFirst};
  scope.include_unconfirmed = true;
  EXPECT_EQ(ledger.Eval("denominator(HOUSEHOLDS)", scope).value.text(), "400");
}

// 2 of 400 households.
TEST(Coverage, MayBeOverARegisteredFigure) {
  Ledger ledger;
  const size_t figure = ledger.Add(Figure(kFirst, 400));
  for (const char* kind : {"甲", "乙", "乙"}) {
    Entry entry = On("2024-05-01");
    entry.set_kind(kind);
    ledger.Add(entry);
  }
  const auto value = ledger.Value("coverage(entries.kind of HOUSEHOLDS)", kFirst);
  EXPECT_EQ(value.text(), "0.5%");
  EXPECT_EQ(value.numerator(), 2);
  EXPECT_EQ(value.denominator(), 400);
  EXPECT_THAT(value.notes(), SizeIs(1));
  // Without a field each record is one.
  EXPECT_EQ(ledger.Value("coverage(entries of 户数)", kFirst).numerator(), 3);
  EXPECT_THAT(ledger.Eval("coverage(entries of 户数)", {kFirst}).denominator_records,
              ElementsAre(absl::StrCat("counties/421221/denominators/", RecordId(figure))));
}

// ---- text ---------------------------------------------------------------------------------------

TEST(FormatValue, HasExactlyTheDecimalsAskedFor) {
  const auto ratio = Ledger().Value("140 / 151");
  // 92.7152…
  EXPECT_EQ(FormatValue(ratio, 2, Rounding::kHalfUp), "92.72%");
  EXPECT_EQ(FormatValue(ratio, 2, Rounding::kCut), "92.71%");
  EXPECT_EQ(FormatValue(ratio, 0, Rounding::kHalfUp), "93%");
  EXPECT_EQ(FormatValue(ratio, 6, Rounding::kCut), "92.715231%");
  const auto half = Ledger().Value("1 / 2");
  EXPECT_EQ(FormatValue(half, 2, Rounding::kHalfUp), "50.00%");
  // −7.005 percentage points: halves go away from zero.
  const auto points = Ledger().Value("2000 / 20000 - 3401 / 20000");
  EXPECT_EQ(FormatValue(points, 2, Rounding::kHalfUp), "-7.01");
  EXPECT_EQ(FormatValue(points, 2, Rounding::kCut), "-7.00");
  EXPECT_EQ(FormatValue(Ledger().Value("1 per 3"), 4, Rounding::kHalfUp), "0.3333");
  EXPECT_EQ(FormatValue(Ledger().Value("count(entries)"), 1, Rounding::kHalfUp), "0.0");
  EXPECT_EQ(FormatValue(Ledger().Value("average(entries.people)"), 1, Rounding::kHalfUp), "");
}

TEST(FormatValue, NothingIsNotNegative) {
  const auto value = Ledger().Value("1 / 1000000 - 2 / 1000000");
  EXPECT_EQ(FormatValue(value, 2, Rounding::kCut), "0.00");
}

TEST(MeasureInEnglish, SaysTheSame) {
  const auto measure = ParseMeasure("count(entries) / count(entries)", MeasureTypes());
  ASSERT_THAT(measure, IsOk());
  const auto value = Evaluate(*measure, Ledger().Build(), {kCountyArea, 2024}, "en").value;
  EXPECT_EQ(value.text(), "none (denominator is zero)");
  EXPECT_EQ(value.label(), "entry ÷ entry");
}

}  // namespace
}  // namespace fadu::scoring
