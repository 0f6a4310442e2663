// The engine's arithmetic and properties. Lines of published rubrics, worked out by hand, are the
// scenarios of tests/golden/rubrics.

#include "services/scoring/domain/line.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/testing/status_matchers.h"
#include "services/scoring/domain/scoring_test_support.h"
#include "services/scoring/domain/sheet.h"

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
  RunContext run(*compiled, inputs);
  return ScoreLine(ContextOf(run, kVillage, "zh"), 0);
}

std::string PointsOf(const LineOutcome& outcome) {
  return outcome.points.RoundTo(4, Rounding::kHalfUp).ToString();
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

// Three clauses of a third each: 3 × (1 ÷ 3 × 1) is one point exactly. Rounded clause by clause to
// four places it would be 0.9999 and show as 9.0001 of 10 with four places.
TEST(Line, FractionsAreRoundedOnceAtItsEnd) {
  assessment::Rubric rubric =
      RateStep("10", "100", "100", "0.5", assessment::STEP_ROUNDING_PRO_RATA);
  rubric.set_places(4);
  auto& line = *rubric.mutable_lines(0);
  *line.add_clauses() = line.clauses(0);
  *line.add_clauses() = line.clauses(0);
  // One of three settled: two thirds short, 0.3333… each.
  const LineOutcome outcome = Score(rubric, Facts().Disputes(1, 2));
  EXPECT_EQ(outcome.clauses[0].raw, Fraction::Of(10000, 3));
  EXPECT_EQ(PointsOf(outcome), "9");
}

TEST(Judged, WithoutAMarkItIsNotYetJudgedAndCountsNothing) {
  assessment::Rubric rubric = OneLine("9");
  auto& form = *rubric.mutable_lines(0)->add_clauses()->mutable_judged();
  form.set_max_e4(E4("9"));
  const LineOutcome waiting = Score(rubric, Facts());
  EXPECT_EQ(waiting.status, v1::LINE_STATUS_NOT_YET_JUDGED);
  EXPECT_EQ(waiting.points, Fraction());
  EXPECT_EQ(PointsOf(Score(rubric, Facts(), {MarkOf("7.5")})), "7.5");
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
    const Fraction base = Score(rubric, Facts().Disputes(settled, other)).points;
    EXPECT_GE(Score(rubric, Facts().Disputes(settled + 1, other)).points, base);
    if (settled + other > 0) {
      EXPECT_LE(Score(rubric, Facts().Disputes(settled, other + 1)).points, base);
    }
  }
}

}  // namespace
}  // namespace fadu::scoring
