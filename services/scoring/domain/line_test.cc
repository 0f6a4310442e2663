// The rule forms on lines of real published rubrics, worked by hand (rubric-lines: KJ-06, LC-02,
// SX-05, SY-21), and the engine's properties.

#include "services/scoring/domain/line.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/testing/status_matchers.h"
#include "services/scoring/domain/scoring_test_support.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;
constexpr char kRate[] = "count(disputes where outcome = SETTLED) / count(disputes)";

int64_t E4(const std::string& text) { return Points::Parse(text)->units(); }

LineOutcome Score(const assessment::Rubric& rubric, const Facts& facts,
                  std::vector<assessment::Mark> marks = {}) {
  RunInputs inputs = InputsOf(rubric, facts);
  inputs.marks = std::move(marks);
  const auto compiled = CompiledRubric::Compile(inputs.rubric, TestTypes());
  EXPECT_THAT(compiled, IsOk());
  return ScoreLine(*compiled, 0, inputs, kVillage, "zh");
}

std::string PointsOf(const LineOutcome& outcome) {
  return Points::FromUnits(outcome.score.points_e4()).ToString();
}

assessment::Rubric Shortfall(const std::string& max, int required, assessment::Window window,
                             const std::string& per_missing, const std::string& cap = "") {
  assessment::Rubric rubric = OneLine(max);
  auto& clause = *rubric.mutable_lines(0)->add_clauses();
  auto& form = *clause.mutable_shortfall();
  form.set_measure("count(educationEvents)");
  form.set_required(required);
  form.set_window(window);
  form.set_per_missing_e4(E4(per_missing));
  form.set_what("法治讲座");
  form.set_unit("次");
  if (!cap.empty()) clause.set_cap_e4(E4(cap));
  return rubric;
}

assessment::Rubric RateStep(const std::string& max, const std::string& target,
                            const std::string& step, const std::string& per_step,
                            assessment::StepRounding rounding,
                            assessment::WhenEmpty when_empty = assessment::WHEN_EMPTY_FULL) {
  assessment::Rubric rubric = OneLine(max);
  auto& form = *rubric.mutable_lines(0)->add_clauses()->mutable_rate_step();
  form.set_measure(kRate);
  form.set_target_percent_e4(E4(target));
  form.set_step_percent_e4(E4(step));
  form.set_per_step_e4(E4(per_step));
  form.set_step_rounding(rounding);
  form.set_when_empty(when_empty);
  form.set_what("化解率");
  return rubric;
}

assessment::Mark MarkOf(const std::string& points) {
  assessment::Mark mark;
  mark.set_area_code(kVillage);
  mark.set_line_id("1");
  mark.set_points_e4(E4(points));
  mark.set_reason("理由");
  mark.set_marked_date("2024-12-20");
  return mark;
}

// KJ-06: six study sessions, 0.3 for each missing, at most 1.2. One held: 1.5 due, 1.2 taken.
TEST(Shortfall, KJ06TakesNoMoreThanItsSubCap) {
  const LineOutcome outcome = Score(Shortfall("1.5", 6, assessment::WINDOW_YEAR, "0.3", "1.2"),
                                    Facts().Event("2024-05-01"));
  EXPECT_EQ(outcome.clauses[0].raw, *Points::Parse("1.5"));
  EXPECT_EQ(outcome.clauses[0].applied, *Points::Parse("1.2"));
  EXPECT_EQ(PointsOf(outcome), "0.3");
}

// 每季度1次 is not 全年4次: four in December satisfy only the second.
TEST(Shortfall, EachQuarterIsNotFourInTheYear) {
  const Facts december =
      Facts().Event("2024-12-01").Event("2024-12-02").Event("2024-12-03").Event("2024-12-04");
  EXPECT_EQ(PointsOf(Score(Shortfall("1", 4, assessment::WINDOW_YEAR, "0.25"), december)), "1");
  EXPECT_EQ(PointsOf(Score(Shortfall("1", 1, assessment::WINDOW_QUARTER, "0.25"), december)),
            "0.25");
}

TEST(Shortfall, MoreThanRequiredEarnsNothing) {
  Facts facts;
  for (int month = 1; month <= 9; ++month) facts.Event(absl::StrCat("2024-0", month, "-05"));
  EXPECT_EQ(PointsOf(Score(Shortfall("1", 4, assessment::WINDOW_YEAR, "0.25"), facts)), "1");
}

TEST(Shortfall, NeverFallsBelowZero) {
  EXPECT_EQ(PointsOf(Score(Shortfall("4", 3, assessment::WINDOW_YEAR, "2"), Facts())), "0");
}

// Rule forms, L06: 57 of 100 against 60 %, 2 for each point: 6.
TEST(RateStep, ThreePointsShortLosesSix) {
  const LineOutcome outcome = Score(
      RateStep("10", "60", "1", "2", assessment::STEP_ROUNDING_STARTED), Facts().Disputes(57, 43));
  EXPECT_EQ(outcome.clauses[0].raw, Points::FromWhole(6));
  EXPECT_EQ(PointsOf(outcome), "4");
}

// Rule forms, L18: 92.3 % of 26 against 95, 0.5 a point: 1.35 in proportion, 1.5 when a step begun
// is a step. 24 ÷ 26 lacks 95 − 92.307… = 2.6923…: × 0.5 = 1.34615…
TEST(RateStep, StepMeaningIsWhatTheRubricSays) {
  const Facts facts = Facts().Disputes(24, 2);
  EXPECT_EQ(Score(RateStep("10", "95", "1", "0.5", assessment::STEP_ROUNDING_STARTED), facts)
                .clauses[0]
                .raw,
            *Points::Parse("1.5"));
  EXPECT_EQ(Score(RateStep("10", "95", "1", "0.5", assessment::STEP_ROUNDING_COMPLETED), facts)
                .clauses[0]
                .raw,
            *Points::Parse("1"));
  const LineOutcome pro_rata =
      Score(RateStep("10", "95", "1", "0.5", assessment::STEP_ROUNDING_PRO_RATA), facts);
  EXPECT_EQ(pro_rata.clauses[0].raw, *Points::Parse("1.3462"));
  EXPECT_EQ(PointsOf(pro_rata), "8.65");
}

// 1899 of 2000 is 94.95 %: shown as 95.0 it would look reached; it is not.
TEST(RateStep, ARateIsNeverRoundedBeforeItIsCompared) {
  Facts facts = Facts().Disputes(1899, 101);
  const LineOutcome outcome =
      Score(RateStep("10", "95", "1", "1", assessment::STEP_ROUNDING_STARTED), facts);
  EXPECT_FALSE(outcome.clauses[0].met);
  EXPECT_EQ(PointsOf(outcome), "9");
}

TEST(RateStep, ExactlyOnTheTargetLosesNothing) {
  EXPECT_EQ(PointsOf(Score(RateStep("10", "95", "1", "1", assessment::STEP_ROUNDING_STARTED),
                           Facts().Disputes(19, 1))),
            "10");
}

TEST(RateStep, AnEmptyDenominatorIsWhatTheRubricSays) {
  const auto with = [](assessment::WhenEmpty policy) {
    return Score(RateStep("10", "95", "1", "1", assessment::STEP_ROUNDING_STARTED, policy),
                 Facts());
  };
  EXPECT_EQ(PointsOf(with(assessment::WHEN_EMPTY_FULL)), "10");
  EXPECT_EQ(PointsOf(with(assessment::WHEN_EMPTY_ZERO)), "0");
  EXPECT_EQ(with(assessment::WHEN_EMPTY_NOT_APPLICABLE).score.status(),
            v1::LINE_STATUS_NOT_APPLICABLE);
  EXPECT_EQ(with(assessment::WHEN_EMPTY_MANUAL).score.status(), v1::LINE_STATUS_NOT_YET_JUDGED);
}

TEST(Check, TakesItsAmountWhenTheConditionFails) {
  assessment::Rubric rubric = OneLine("2");
  auto& form = *rubric.mutable_lines(0)->add_clauses()->mutable_check();
  form.set_measure("count(educationEvents)");
  form.set_comparison(assessment::COMPARISON_AT_LEAST);
  form.set_threshold_e4(E4("1"));
  form.set_amount_e4(E4("1"));
  form.set_requirement("开展活动");
  EXPECT_EQ(PointsOf(Score(rubric, Facts())), "1");
  EXPECT_EQ(PointsOf(Score(rubric, Facts().Event("2024-02-29"))), "2");
}

TEST(Check, EarnsInAnEarningLine) {
  assessment::Rubric rubric = OneLine("3");
  rubric.mutable_lines(0)->set_direction(assessment::DIRECTION_EARN);
  auto& form = *rubric.mutable_lines(0)->add_clauses()->mutable_check();
  form.set_measure("count(educationEvents)");
  form.set_comparison(assessment::COMPARISON_MORE_THAN);
  form.set_threshold_e4(E4("1"));
  form.set_amount_e4(E4("3"));
  EXPECT_EQ(PointsOf(Score(rubric, Facts().Event("2024-01-05"))), "0");
  EXPECT_EQ(PointsOf(Score(rubric, Facts().Event("2024-01-05").Event("2024-01-06"))), "3");
}

TEST(Judged, WithoutAMarkItIsNotYetJudgedAndCountsNothing) {
  assessment::Rubric rubric = OneLine("9");
  auto& form = *rubric.mutable_lines(0)->add_clauses()->mutable_judged();
  form.set_max_e4(E4("9"));
  const LineOutcome waiting = Score(rubric, Facts());
  EXPECT_EQ(waiting.score.status(), v1::LINE_STATUS_NOT_YET_JUDGED);
  EXPECT_EQ(waiting.score.points_e4(), 0);
  EXPECT_EQ(PointsOf(Score(rubric, Facts(), {MarkOf("7.5")})), "7.5");
}

TEST(Judged, BesideComputedClausesItTakesWhatItDoesNotGive) {
  assessment::Rubric rubric = Shortfall("10", 2, assessment::WINDOW_YEAR, "1");
  auto& form = *rubric.mutable_lines(0)->add_clauses()->mutable_judged();
  form.set_max_e4(E4("5"));
  assessment::Mark mark = MarkOf("3");
  mark.set_clause(1);
  // One event missing takes 1, the mark of 3 out of 5 takes 2.
  EXPECT_EQ(PointsOf(Score(rubric, Facts().Event("2024-05-05"), {mark})), "7");
}

TEST(Run, TotalsTiersAndRollUpsAreSums) {
  const assessment::Rubric rubric = Shortfall("90", 1, assessment::WINDOW_YEAR, "15");
  const auto result = ComputeRun(InputsOf(rubric, Facts().Event("2024-05-05")), TestTypes());
  ASSERT_THAT(result, IsOk());
  ASSERT_EQ(result->villages_size(), 2);
  EXPECT_EQ(result->villages(0).tier(), "优秀");  // 90 is included in 90 以上
  EXPECT_EQ(result->villages(1).tier(), "合格");
  EXPECT_EQ(result->county().sum_e4(), E4("165"));
  EXPECT_EQ(result->county().mean_e4(), E4("82.5"));
  EXPECT_EQ(result->towns(0).area_code(), "421221106");
}

TEST(Run, TheOrderOfFactsChangesNoByte) {
  Facts facts = Facts().Disputes(30, 4);
  for (int month = 1; month <= 9; ++month) facts.Event(absl::StrCat("2024-0", month, "-11"), month);
  const assessment::Rubric rubric =
      RateStep("10", "95", "1", "0.5", assessment::STEP_ROUNDING_PRO_RATA);
  RunInputs inputs = InputsOf(rubric, facts);
  const std::string expected = ResultBytes(*ComputeRun(inputs, TestTypes()));
  std::mt19937_64 random(7);
  for (int i = 0; i < 20; ++i) {
    std::vector<FactView> shuffled = facts.facts();
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    inputs.facts = FactSet::Build(std::move(shuffled));
    EXPECT_EQ(ResultBytes(*ComputeRun(inputs, TestTypes())), expected);
  }
}

// more good evidence never lowers, more bad never raises.
TEST(Run, GoodFactsNeverLowerAndBadFactsNeverRaise) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 200; ++i) {
    const int settled = static_cast<int>(random() % 20);
    const int other = static_cast<int>(random() % 20);
    const auto rounding = static_cast<assessment::StepRounding>(1 + random() % 3);
    const assessment::Rubric rubric =
        RateStep("10", "95", "1", "0.25", rounding, assessment::WHEN_EMPTY_ZERO);
    const int64_t base = Score(rubric, Facts().Disputes(settled, other)).score.points_e4();
    EXPECT_GE(Score(rubric, Facts().Disputes(settled + 1, other)).score.points_e4(), base);
    if (settled + other > 0) {
      EXPECT_LE(Score(rubric, Facts().Disputes(settled, other + 1)).score.points_e4(), base);
    }
  }
}

}  // namespace
}  // namespace fadu::scoring
