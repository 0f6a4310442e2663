#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/scoring/domain/engine.h"
#include "services/scoring/domain/scoring_test_support.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;
using ::testing::Contains;
using ::testing::Not;

int64_t E4(const std::string& text) { return Points::Parse(text)->units(); }

std::vector<std::string> CodesOf(const assessment::Rubric& rubric) {
  std::vector<std::string> codes;
  for (const auto& finding : CheckRubric(rubric, TestTypes())) codes.push_back(finding.code());
  return codes;
}

assessment::Rubric Sound() {
  assessment::Rubric rubric = OneLine("3");
  auto& form = *rubric.mutable_lines(0)->add_clauses()->mutable_shortfall();
  form.set_measure("count(educationEvents)");
  form.set_required(3);
  form.set_per_missing_e4(E4("1"));
  form.set_what("活动");
  for (auto& tier : *rubric.mutable_tiers()) tier.set_from_e4(tier.from_e4() / 100);
  return rubric;
}

TEST(CheckRubric, ASoundRubricHasNoFindings) { EXPECT_TRUE(CodesOf(Sound()).empty()); }

TEST(CheckRubric, AMeasureThatDoesNotParseIsAnErrorAtItsPlace) {
  assessment::Rubric rubric = Sound();
  rubric.mutable_lines(0)->mutable_clauses(0)->mutable_shortfall()->set_measure("count(nothing)");
  const auto findings = CheckRubric(rubric, TestTypes());
  ASSERT_FALSE(findings.empty());
  EXPECT_EQ(findings[0].code(), "MEASURE_INVALID");
  EXPECT_EQ(findings[0].severity(), assessment::Finding::SEVERITY_ERROR);
  EXPECT_EQ(findings[0].path(), "lines[0].clauses[0].measure");
}

// KJ-01: three points, at most 2.5 can be lost.
TEST(CheckRubric, AFloorThatCannotBeReachedIsReported) {
  assessment::Rubric rubric = Sound();
  rubric.mutable_lines(0)->mutable_clauses(0)->set_cap_e4(E4("2.5"));
  EXPECT_THAT(CodesOf(rubric), Contains("CAP_UNREACHABLE"));
}

// SX-05: losses beyond the maximum are free.
TEST(CheckRubric, LossesBeyondTheMaximumAreReported) {
  assessment::Rubric rubric = Sound();
  rubric.mutable_lines(0)->mutable_clauses(0)->mutable_shortfall()->set_per_missing_e4(E4("2"));
  EXPECT_THAT(CodesOf(rubric), Contains("OVER_REACHABLE"));
}

TEST(CheckRubric, TiersMustDescendToZero) {
  assessment::Rubric rubric = Sound();
  rubric.mutable_tiers(3)->set_from_e4(E4("0.1"));
  EXPECT_THAT(CodesOf(rubric), Contains("TIERS_GAP"));
  rubric = Sound();
  rubric.mutable_tiers(1)->set_from_e4(rubric.tiers(0).from_e4());
  EXPECT_THAT(CodesOf(rubric), Contains("TIERS_ORDER"));
}

TEST(CheckRubric, ATierAboveTheTotalIsReported) {
  assessment::Rubric rubric = Sound();
  rubric.mutable_tiers(0)->set_from_e4(E4("4"));
  EXPECT_THAT(CodesOf(rubric), Contains("TIER_UNREACHABLE"));
}

TEST(CheckRubric, ARateWithoutStepMeaningOrEmptyPolicyIsAnError) {
  assessment::Rubric rubric = Sound();
  auto& form = *rubric.mutable_lines(0)->mutable_clauses(0)->mutable_rate_step();
  form.set_measure("count(disputes where outcome = SETTLED) / count(disputes)");
  form.set_step_percent_e4(E4("1"));
  form.set_per_step_e4(E4("1"));
  EXPECT_THAT(CodesOf(rubric), Contains("STEP_ROUNDING_MISSING"));
  EXPECT_THAT(CodesOf(rubric), Contains("EMPTY_POLICY_MISSING"));
}

TEST(CheckRubric, ARateNeedsARatioAndAShortfallACount) {
  assessment::Rubric rubric = Sound();
  rubric.mutable_lines(0)->mutable_clauses(0)->mutable_shortfall()->set_measure(
      "count(disputes) / count(disputes)");
  EXPECT_THAT(CodesOf(rubric), Contains("RATIO_NOT_ALLOWED"));
  rubric.mutable_lines(0)->mutable_clauses(0)->mutable_rate_step()->set_measure("count(disputes)");
  EXPECT_THAT(CodesOf(rubric), Contains("RATIO_REQUIRED"));
}

TEST(CheckRubric, TheSameMeasureOnTwoLinesIsReported) {
  assessment::Rubric rubric = Sound();
  *rubric.add_lines() = rubric.lines(0);
  rubric.mutable_lines(1)->set_id("2");
  EXPECT_THAT(CodesOf(rubric), Contains("DOUBLE_COUNT"));
  EXPECT_THAT(CodesOf(rubric), Not(Contains("DUPLICATE_LINE_ID")));
}

TEST(CheckRubric, LineIdsAreUnique) {
  assessment::Rubric rubric = Sound();
  *rubric.add_lines() = rubric.lines(0);
  EXPECT_THAT(CodesOf(rubric), Contains("DUPLICATE_LINE_ID"));
}

TEST(CheckRubric, AMarkCannotExceedItsLine) {
  assessment::Rubric rubric = Sound();
  rubric.mutable_lines(0)->mutable_clauses(0)->mutable_judged()->set_max_e4(E4("4"));
  EXPECT_THAT(CodesOf(rubric), Contains("JUDGED_RANGE"));
}

TEST(CheckRubric, TheTotalIsTheSumOfItsLines) {
  assessment::Rubric rubric = Sound();
  rubric.set_total_e4(E4("100"));
  EXPECT_THAT(CodesOf(rubric), Contains("TOTAL_MISMATCH"));
}

}  // namespace
}  // namespace fadu::scoring
