#include "services/assessment/domain/mark.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/status.h"

namespace fadu::assessment {
namespace {

using ::testing::HasSubstr;

constexpr char kVillage[] = "421221106200";

v1::Rubric Rubric() {
  v1::Rubric rubric;
  rubric.set_code("r");
  rubric.set_version("1");
  rubric.set_year(2024);
  v1::Line& judged = *rubric.add_lines();
  judged.set_id("1.1");
  judged.set_max_e4(100000);
  judged.add_clauses()->mutable_check();
  v1::Judged& clause = *judged.add_clauses()->mutable_judged();
  clause.set_min_e4(10000);
  clause.set_max_e4(100000);
  clause.set_step_e4(5000);
  v1::Line& rate = *rubric.add_lines();
  rate.set_id("1.2");
  rate.set_max_e4(80000);
  rate.add_clauses()->mutable_rate_step()->set_when_empty(v1::WHEN_EMPTY_MANUAL);
  rate.add_clauses()->mutable_rate_step()->set_when_empty(v1::WHEN_EMPTY_FULL);
  return rubric;
}

v1::Mark MarkOf(const std::string& line, int clause) {
  v1::Mark mark;
  mark.set_area_code(kVillage);
  mark.set_line_id(line);
  mark.set_clause(clause);
  return mark;
}

std::string ReasonOfMark(absl::string_view line, int clause, absl::string_view points) {
  const absl::StatusOr<MarkLimits> limits = LimitsOf(Rubric(), line, clause);
  if (!limits.ok()) return ReasonOf(limits.status());
  return ReasonOf(CheckPoints(*limits, *Points::Parse(points)));
}

std::string ProblemOf(const v1::Rubric& rubric, const v1::Mark& mark) {
  const absl::Status status = CheckPlace(rubric, mark);
  if (status.ok()) return "";
  const auto& metadata = DetailOf(status).metadata;
  return metadata.at("field") + ": " + metadata.at("problem");
}

TEST(Mark, LiesWithinTheRangeOfItsClauseEndsIncluded) {
  EXPECT_EQ(ReasonOfMark("1.1", 1, "1"), "");
  EXPECT_EQ(ReasonOfMark("1.1", 1, "10"), "");
  EXPECT_EQ(ReasonOfMark("1.1", 1, "0.5"), "REASON_MARK_OUT_OF_RANGE");
  EXPECT_EQ(ReasonOfMark("1.1", 1, "10.5"), "REASON_MARK_OUT_OF_RANGE");
}

TEST(Mark, IsAMultipleOfItsStep) {
  EXPECT_EQ(ReasonOfMark("1.1", 1, "7.5"), "");
  EXPECT_EQ(ReasonOfMark("1.1", 1, "7.25"), "REASON_MARK_OUT_OF_RANGE");
}

TEST(Mark, NamesItsLimitsWhenRefused) {
  const absl::Status refused = CheckPoints(*LimitsOf(Rubric(), "1.1", 1), *Points::Parse("11"));
  EXPECT_THAT(DetailOf(refused).metadata,
              ::testing::IsSupersetOf({std::pair<const std::string, std::string>("points", "11"),
                                       {"min", "1"},
                                       {"max", "10"},
                                       {"step", "0.5"}}));
}

TEST(Mark, IsRefusedWhereTheClauseIsComputed) {
  EXPECT_EQ(ReasonOfMark("1.1", 0, "1"), "REASON_LINE_NOT_JUDGED");
  EXPECT_EQ(ReasonOfMark("1.2", 1, "1"), "REASON_LINE_NOT_JUDGED");
}

TEST(Mark, IsRefusedForUnknownLinesAndClauses) {
  EXPECT_EQ(ReasonOfMark("9.9", 0, "1"), "REASON_LINE_NOT_JUDGED");
  EXPECT_EQ(ReasonOfMark("1.1", 2, "1"), "REASON_LINE_NOT_JUDGED");
  EXPECT_EQ(ReasonOfMark("1.1", -1, "1"), "REASON_LINE_NOT_JUDGED");
}

// L06, when_empty manual: nothing happened, a person says what that is worth.
TEST(Mark, OfAnEmptyRateGoesFromZeroToTheLinesMaximum) {
  EXPECT_EQ(ReasonOfMark("1.2", 0, "0"), "");
  EXPECT_EQ(ReasonOfMark("1.2", 0, "7.3333"), "");
  EXPECT_EQ(ReasonOfMark("1.2", 0, "8.0001"), "REASON_MARK_OUT_OF_RANGE");
}

// L08: "视情节扣2至4分" leaves the amount to a person, "严重扣5分" does not.
TEST(Mark, OfAStateWithDiscretionKeepsToTheRangesOfTheStates) {
  v1::Rubric rubric = Rubric();
  v1::Tiered& form = *rubric.mutable_lines(1)->add_clauses()->mutable_tiered();
  v1::ScoreState& serious = *form.add_states();
  serious.set_amount_e4(50000);
  v1::ScoreState& some = *form.add_states();
  some.set_amount_e4(20000);
  some.set_to_e4(40000);
  const absl::StatusOr<MarkLimits> limits = LimitsOf(rubric, "1.2", 2);
  ASSERT_TRUE(limits.ok());
  EXPECT_TRUE(CheckPoints(*limits, *Points::Parse("2")).ok());
  EXPECT_TRUE(CheckPoints(*limits, *Points::Parse("4")).ok());
  EXPECT_FALSE(CheckPoints(*limits, *Points::Parse("5")).ok());
}

TEST(MarkPlace, OfAPlainClauseHasNoItemNoAssessorNoPeriod) {
  v1::Mark mark = MarkOf("1.1", 1);
  EXPECT_EQ(ProblemOf(Rubric(), mark), "");
  mark.set_item("卷宗1");
  EXPECT_THAT(ProblemOf(Rubric(), mark), HasSubstr("item"));
  mark.clear_item();
  mark.set_assessor("镇");
  EXPECT_THAT(ProblemOf(Rubric(), mark), HasSubstr("assessor"));
  mark.clear_assessor();
  mark.set_period("H1");
  EXPECT_EQ(ProblemOf(Rubric(), mark), "period: 该项全年评一次，不分期间");
}

TEST(MarkPlace, NamesItsCaseWhereEachCaseIsJudged) {
  v1::Rubric rubric = Rubric();
  rubric.mutable_lines(0)->mutable_clauses(1)->mutable_judged()->set_per_case(true);
  v1::Mark mark = MarkOf("1.1", 1);
  EXPECT_THAT(ProblemOf(rubric, mark), HasSubstr("item"));
  mark.set_item("（2024）1号");
  EXPECT_EQ(ProblemOf(rubric, mark), "");
}

TEST(MarkPlace, NamesOneOfTheAssessors) {
  v1::Rubric rubric = Rubric();
  v1::Judged& form = *rubric.mutable_lines(0)->mutable_clauses(1)->mutable_judged();
  form.add_assessors()->set_name("镇");
  form.add_assessors()->set_name("县");
  v1::Mark mark = MarkOf("1.1", 1);
  mark.set_assessor("市");
  EXPECT_EQ(ProblemOf(rubric, mark), "assessor: 应为评分方之一：镇、县");
  mark.set_assessor("县");
  EXPECT_EQ(ProblemOf(rubric, mark), "");
}

TEST(MarkPlace, NamesAPeriodWhereTheGroupAboveIsScoredInParts) {
  v1::Rubric rubric = Rubric();
  v1::Group& halves = *rubric.add_groups();
  halves.set_id("h");
  halves.add_periods()->set_each(v1::WINDOW_HALF_YEAR);
  v1::Group& inner = *rubric.add_groups();
  inner.set_id("i");
  inner.set_parent("h");
  rubric.mutable_lines(0)->set_group("i");
  v1::Mark mark = MarkOf("1.1", 1);
  EXPECT_EQ(ProblemOf(rubric, mark), "period: 该项分期间评定，可用：H1 H2");
  mark.set_period("H2");
  EXPECT_EQ(ProblemOf(rubric, mark), "");
}

TEST(MarkPlace, IsOfTheLevelThatTheRubricScores) {
  v1::Rubric rubric = Rubric();
  v1::Mark mark = MarkOf("1.1", 1);
  mark.set_area_code("421221106");
  EXPECT_THAT(ProblemOf(rubric, mark), HasSubstr("12位"));
  rubric.set_subject(v1::SUBJECT_TOWN);
  EXPECT_EQ(ProblemOf(rubric, mark), "");
}

v1::Mark Given(const std::string& scorer, int64_t points_e4) {
  v1::Mark mark = MarkOf("1.1", 1);
  mark.set_scorer(scorer);
  mark.set_points_e4(points_e4);
  return mark;
}

TEST(SecondReviewer, AgreesByGivingTheSamePoints) {
  MarkLimits limits;
  limits.second = true;
  const v1::Mark agreed = Replace(Given("a", 30000), Given("b", 30000), limits);
  EXPECT_EQ(agreed.scorer(), "a");
  EXPECT_EQ(agreed.second_scorer(), "b");
}

TEST(SecondReviewer, IsAnotherPerson) {
  MarkLimits limits;
  limits.second = true;
  EXPECT_EQ(Replace(Given("a", 30000), Given("a", 30000), limits).second_scorer(), "");
}

TEST(SecondReviewer, AgreesAnewWhenThePointsChange) {
  MarkLimits limits;
  limits.second = true;
  v1::Mark agreed = Given("a", 30000);
  agreed.set_second_scorer("b");
  const v1::Mark changed = Replace(agreed, Given("b", 20000), limits);
  EXPECT_EQ(changed.scorer(), "b");
  EXPECT_EQ(changed.second_scorer(), "");
}

TEST(SecondReviewer, IsNobodyWhereOneIsEnough) {
  EXPECT_EQ(Replace(Given("a", 30000), Given("b", 30000), MarkLimits()).scorer(), "b");
}

}  // namespace
}  // namespace fadu::assessment
