#include "services/scoring/domain/measure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/status.h"
#include "common/testing/status_matchers.h"
#include "services/scoring/domain/scoring_test_support.h"

namespace fadu::scoring {
namespace {

namespace mediation = ::fadu::mediation::v1;

v1::MeasureValue Value(const std::string& text, const Facts& facts,
                       const std::string& area = "421221106", bool unconfirmed = false) {
  const auto measure = ParseMeasure(text, TestTypes());
  EXPECT_THAT(measure, IsOk()) << text;
  if (!measure.ok()) return {};
  EvalScope scope;
  scope.area_code = area;
  scope.year = 2024;
  scope.include_unconfirmed = unconfirmed;
  return Evaluate(*measure, facts.Build(), scope, "zh").value;
}

// The founding report: 摸排382起，调处成功375起, which is 98.17 % of those found.
TEST(Measure, TheFoundingReportsRateComesOut) {
  const Facts facts = Facts().Disputes(375, 7);
  EXPECT_EQ(Value("count(disputes)", facts).text(), "382");
  EXPECT_EQ(Value("count(disputes where outcome = SETTLED)", facts).text(), "375");
  const auto rate = Value("count(disputes where outcome = SETTLED) / count(disputes)", facts);
  EXPECT_EQ(rate.text(), "98.17%");
  EXPECT_EQ(rate.numerator(), 375);
  EXPECT_EQ(rate.denominator(), 382);
}

TEST(Measure, ARatioOverNothingIsNamedNotComputed) {
  const auto rate = Value("count(disputes where outcome = SETTLED) / count(disputes)", Facts());
  EXPECT_EQ(rate.text(), "无（分母为零）");
  EXPECT_EQ(rate.denominator(), 0);
}

TEST(Measure, OnlyConfirmedRecordsCountUnlessAskedFor) {
  const Facts facts = Facts().Event("2024-05-01").Event("2024-05-02").Unconfirmed();
  EXPECT_EQ(Value("count(educationEvents)", facts).numerator(), 1);
  EXPECT_EQ(Value("count(educationEvents)", facts, "421221106", true).numerator(), 2);
}

TEST(Measure, AnAreaIsItsWholeSubtreeAndNothingElse) {
  const Facts facts = Facts()
                          .Event("2024-05-01", 1, "421221106200")
                          .Event("2024-05-01", 1, "421221106201")
                          .Event("2024-05-01", 1, "421221107200")
                          .Event("2024-05-01", 1, "421221106");
  EXPECT_EQ(Value("count(educationEvents)", facts, "421221106").numerator(), 3);
  EXPECT_EQ(Value("count(educationEvents)", facts, "421221106200").numerator(), 1);
  EXPECT_EQ(Value("count(educationEvents)", facts, "421221").numerator(), 4);
}

TEST(Measure, AQuarterHoldsItsFirstAndLastDay) {
  const Facts facts =
      Facts().Event("2024-03-31").Event("2024-04-01").Event("2024-06-30").Event("2024-07-01");
  EXPECT_EQ(Value("count(educationEvents in Q1)", facts).numerator(), 1);
  EXPECT_EQ(Value("count(educationEvents in Q2)", facts).numerator(), 2);
  EXPECT_EQ(Value("count(educationEvents in H2)", facts).numerator(), 1);
  EXPECT_EQ(Value("count(educationEvents in M06)", facts).numerator(), 1);
}

TEST(Measure, AnotherYearDoesNotCount) {
  const Facts facts =
      Facts().Event("2023-12-31").Event("2024-01-01").Event("2024-12-31").Event("2025-01-01");
  EXPECT_EQ(Value("count(educationEvents)", facts).numerator(), 2);
}

TEST(Measure, ASumAddsAFieldOfWhatTheFilterLeaves) {
  const Facts facts =
      Facts().Event("2024-05-01", 30).Event("2024-06-01", 45).Event("2024-09-01", 100);
  EXPECT_EQ(Value("sum(educationEvents.participants)", facts).text(), "175");
  EXPECT_EQ(Value("sum(educationEvents.participants where participants < 50)", facts).text(), "75");
}

TEST(Measure, ByAnotherDateCountsOnThatDate) {
  const Facts facts = Facts()
                          .Dispute("2024-03-30", mediation::OUTCOME_UNSPECIFIED, "2024-04-02")
                          .Dispute("2024-03-30", mediation::OUTCOME_UNSPECIFIED);
  EXPECT_EQ(Value("count(disputes in Q1)", facts).numerator(), 2);
  EXPECT_EQ(Value("count(disputes by accepted_date in Q2)", facts).numerator(), 1);
}

TEST(Measure, ALabelIsWhatPeopleRead) {
  EXPECT_EQ(Value("count(disputes) as \"摸排发现\"", Facts()).label(), "摸排发现");
  EXPECT_EQ(Value("count(disputes where outcome = SETTLED in Q1)", Facts()).label(),
            "矛盾纠纷（处理结果为调解成功，一季度）");
}

TEST(Measure, CanonicalTextParsesToItself) {
  for (const char* text :
       {"count(disputes)",
        "count(disputes  where outcome=SETTLED AND (category = LABOUR OR category=OTHER) in Q1 )",
        "sum(educationEvents.participants where NOT venues:SCHOOL by held_date in M03) / "
        "count(educationEvents) as \"人均\"",
        "count(educationEvents where laws:\"中华人民共和国宪法\")"}) {
    const auto measure = ParseMeasure(text, TestTypes());
    ASSERT_THAT(measure, IsOk()) << text;
    const std::string canonical = ToString(*measure);
    const auto again = ParseMeasure(canonical, TestTypes());
    ASSERT_THAT(again, IsOk()) << canonical;
    EXPECT_EQ(ToString(*again), canonical);
  }
}

struct Wrong {
  const char* text;
  const char* position;
};
class WrongMeasure : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongMeasure, IsRefusedWhereItGoesWrong) {
  const auto measure = ParseMeasure(GetParam().text, TestTypes());
  ASSERT_THAT(measure, HasReason("REASON_MEASURE_INVALID"));
  EXPECT_EQ(DetailOf(measure.status()).metadata.at("position"), GetParam().position);
  EXPECT_FALSE(DetailOf(measure.status()).metadata.at("problem").empty());
}

INSTANTIATE_TEST_SUITE_P(
    Each, WrongMeasure,
    ::testing::Values(Wrong{"", "1"}, Wrong{"avg(disputes)", "1"}, Wrong{"count disputes", "7"},
                      Wrong{"count(dispute)", "7"}, Wrong{"count(disputes.people_count)", "7"},
                      Wrong{"sum(disputes)", "13"}, Wrong{"sum(disputes.title)", "14"},
                      Wrong{"count(disputes in Q5)", "19"},
                      Wrong{"count(disputes where 结果 = SETTLED)", "22"},
                      Wrong{"count(disputes) extra", "17"}, Wrong{"count(disputes", "15"}));

}  // namespace
}  // namespace fadu::scoring
