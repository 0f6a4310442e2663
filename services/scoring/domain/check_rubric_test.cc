#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

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
  EXPECT_EQ(findings[0].path(), "lines[0].clauses[0].shortfall.measure");
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

// A rubric of one line of 3 points with the clause given as text.
assessment::Rubric WithClause(const std::string& clause, const std::string& rest = "") {
  assessment::Rubric rubric = Sound();
  rubric.mutable_lines(0)->clear_clauses();
  assessment::Rubric more;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      absl::StrCat("lines { clauses { ", clause, " } } ", rest), &more));
  *rubric.mutable_lines(0)->add_clauses() = more.lines(0).clauses(0);
  *rubric.mutable_classes() = more.classes();
  *rubric.mutable_gates() = more.gates();
  return rubric;
}

const char kEvents[] = "measure: 'count(educationEvents)'";
const char kRatio[] = "measure: 'count(disputes) / count(disputes)'";

TEST(CheckRubric, AConditionIsAMeasureOrATree) {
  EXPECT_THAT(CodesOf(WithClause("check { amount_e4: 1 requirement: 'x' }")),
              Contains("CONDITION_MISSING"));
  EXPECT_THAT(
      CodesOf(WithClause(absl::StrCat("check { amount_e4: 1 requirement: 'x' ", kEvents, " }"))),
      Contains("COMPARISON_MISSING"));
  EXPECT_THAT(CodesOf(WithClause("check { amount_e4: 1 all { comparison: COMPARISON_EQUAL } }")),
              Contains("MEASURE_MISSING"));
  std::string deep = absl::StrCat("all { ", kEvents, " }");
  for (int i = 0; i < 6; ++i) deep = absl::StrCat("all { ", deep, " }");
  EXPECT_THAT(CodesOf(WithClause(absl::StrCat("check { amount_e4: 1 ", deep, " }"))),
              Contains("CONDITION_DEEP"));
}

TEST(CheckRubric, WhatCannotChangeAnythingIsReported) {
  EXPECT_THAT(CodesOf(WithClause(absl::StrCat("check { amount_e4: 1 ", kEvents,
                                              " comparison: COMPARISON_AT_LEAST }"))),
              Contains("NOBODY_CAN_LOSE"));
  EXPECT_THAT(CodesOf(WithClause(absl::StrCat("check { amount_e4: 1 ", kEvents,
                                              " comparison: COMPARISON_LESS_THAN }"))),
              Contains("NOBODY_CAN_REACH"));
}

TEST(CheckRubric, AnEmptyPolicyIsNeededWithARatioAndOnlyThere) {
  const std::string gate =
      "threshold { what: 'x' amount_e4: 1 comparison: COMPARISON_AT_LEAST threshold_e4: 1 ";
  EXPECT_THAT(CodesOf(WithClause(absl::StrCat(gate, kRatio, " }"))),
              Contains("EMPTY_POLICY_MISSING"));
  EXPECT_THAT(CodesOf(WithClause(absl::StrCat(gate, kEvents, " } when_empty: WHEN_EMPTY_FULL"))),
              Contains("EMPTY_POLICY_UNUSED"));
}

TEST(CheckRubric, AChecklistNamesItsPartsOrTheirNumber) {
  EXPECT_THAT(CodesOf(WithClause("checklist { what: 'x' per_missing_e4: 1 }")),
              Contains("PARTS_OR_NUMBER"));
  EXPECT_THAT(CodesOf(WithClause(
                  absl::StrCat("checklist { what: 'x' parts { name: 'a' ", kEvents, " } }"))),
              Contains("AMOUNT_TWICE_OR_NONE"));
  EXPECT_THAT(
      CodesOf(WithClause(absl::StrCat("checklist { what: 'x' per_missing_e4: 1 parts { name: 'a' ",
                                      kEvents, " } parts { name: 'a' ", kEvents, " } }"))),
      Contains("PART_DUPLICATE"));
}

TEST(CheckRubric, OneThingIsToldByAFieldOfCountedRecords) {
  const std::string incident = "incident { what: 'x' per_e4: 1 ";
  EXPECT_THAT(CodesOf(WithClause(absl::StrCat(incident, kEvents, " } same: 'nothing'"))),
              Contains("FIELD_UNKNOWN"));
  EXPECT_THAT(CodesOf(WithClause(absl::StrCat(
                  incident, "measure: 'sum(educationEvents.participants)' } same: 'campaign'"))),
              Contains("COUNT_REQUIRED"));
  EXPECT_THAT(CodesOf(WithClause(absl::StrCat(
                  "check { amount_e4: 1 ", kEvents,
                  " comparison: COMPARISON_AT_LEAST threshold_e4: 1 } same: 'campaign'"))),
              Contains("NO_RECORDS"));
}

TEST(CheckRubric, AThresholdByClassNamesClassesOfTheRubric) {
  const std::string gate = absl::StrCat(
      "threshold { what: 'x' amount_e4: 1 comparison: COMPARISON_AT_LEAST threshold_e4: 1 ",
      kEvents, " by_class { class: '甲' value_e4: 2 } }");
  EXPECT_THAT(CodesOf(WithClause(gate)), Contains("CLASS_UNKNOWN"));
  EXPECT_THAT(CodesOf(WithClause(gate, "classes { name: '甲' }")), Not(Contains("CLASS_UNKNOWN")));
  EXPECT_THAT(CodesOf(WithClause(gate, "classes { name: '甲' } classes { name: '乙' }")),
              Contains("CLASS_TAKES_ALL"));
}

TEST(CheckRubric, BracketsAscendWithOneOwnerForEveryValue) {
  const auto codes = [](const std::string& tiers) {
    return CodesOf(WithClause(absl::StrCat("tiered { what: 'x' ", kEvents, " ", tiers, " }")));
  };
  EXPECT_THAT(codes("tiers { to_e4: 60 amount_e4: 2 } tiers { over_e4: 60 amount_e4: 30000 }"),
              ::testing::IsEmpty());
  EXPECT_THAT(codes("tiers { to_e4: 60 amount_e4: 2 } tiers { from_e4: 60 amount_e4: 1 }"),
              Contains("BRACKETS_OVERLAP"));
  EXPECT_THAT(codes("tiers { under_e4: 60 amount_e4: 2 } tiers { over_e4: 60 amount_e4: 1 }"),
              Contains("BRACKETS_GAP"));
  EXPECT_THAT(codes("tiers { to_e4: 50 amount_e4: 2 } tiers { over_e4: 60 amount_e4: 1 }"),
              Contains("BRACKETS_GAP"));
  EXPECT_THAT(codes("tiers { amount_e4: 2 } tiers { amount_e4: 1 }"), Contains("BRACKETS_OVERLAP"));
  EXPECT_THAT(codes("tiers { over_e4: 8 amount_e4: 2 } tiers { over_e4: 6 amount_e4: 1 }"),
              Contains("BRACKET_EMPTY"));
  EXPECT_THAT(codes("tiers { from_e4: 1 over_e4: 1 amount_e4: 2 }"), Contains("BRACKET_ENDS"));
  EXPECT_THAT(codes(""), Contains("TIERS_OR_STATES"));
}

TEST(CheckRubric, LatenessHasOneDueAndAPrice) {
  const auto codes = [](const std::string& form) {
    return CodesOf(WithClause(absl::StrCat("lateness { what: 'x' ", form, " }")));
  };
  EXPECT_THAT(codes(absl::StrCat(kEvents, " flat_e4: 1")), Contains("DUE_MISSING"));
  EXPECT_THAT(codes(absl::StrCat(kEvents, " due: '2024-05-31' each: WINDOW_MONTH flat_e4: 1")),
              Contains("DUE_MISSING"));
  EXPECT_THAT(codes(absl::StrCat(kEvents, " due: '2024-05-31'")), Contains("AMOUNT_ZERO"));
  EXPECT_THAT(codes(absl::StrCat(kEvents, " due: '2025-05-31' flat_e4: 1")),
              Contains("DUE_OUTSIDE_YEAR"));
  EXPECT_THAT(codes(absl::StrCat(kEvents, " due: '2024-05-31' per_late_e4: 1")),
              Contains("LATE_UNIT_MISSING"));
  EXPECT_THAT(codes(absl::StrCat(kEvents, " each: WINDOW_WEEK due_day: 8 flat_e4: 1")),
              Contains("DUE_DAY"));
  EXPECT_THAT(codes("measure: 'count(disputes)' start: 'found_date' flat_e4: 1"),
              Contains("WITHIN_MISSING"));
  EXPECT_THAT(codes("measure: 'count(disputes)' done: 'state' due: '2024-05-31' flat_e4: 1"),
              Contains("FIELD_UNKNOWN"));
  EXPECT_THAT(codes(absl::StrCat(kRatio, " due: '2024-05-31' flat_e4: 1")),
              Contains("COUNT_REQUIRED"));
}

TEST(CheckRubric, AnEarningLineHasSomethingToEarn) {
  assessment::Rubric rubric =
      WithClause(absl::StrCat("incident { what: 'x' per_e4: 1 ", kEvents, " }"));
  rubric.mutable_lines(0)->set_direction(assessment::DIRECTION_EARN);
  EXPECT_THAT(CodesOf(rubric), Contains("LOSS_IN_EARNING_LINE"));
}

TEST(CheckRubric, WhatMakesALineWorthNothingIsNamed) {
  assessment::Rubric rubric = Sound();
  rubric.mutable_lines(0)->add_zero_when()->set_measure("count(disputes)");
  EXPECT_THAT(CodesOf(rubric), Contains("REQUIREMENT_MISSING"));
}

TEST(CheckRubric, GatesNameTiersAndHaveIdsOfTheirOwn) {
  assessment::Rubric rubric = Sound();
  for (int i = 0; i < 2; ++i) {
    auto& gate = *rubric.add_gates();
    gate.set_id("V1");
    gate.set_at_most("特优");
    gate.mutable_when()->set_measure("count(disputes)");
  }
  EXPECT_THAT(CodesOf(rubric), Contains("TIER_UNKNOWN"));
  EXPECT_THAT(CodesOf(rubric), Contains("DUPLICATE_GATE_ID"));
}

// 0.25 rounded to one place would be 0.3 of 0.25.
TEST(CheckRubric, RoundingCanExpressEveryMaximum) {
  assessment::Rubric rubric = Sound();
  rubric.set_places(1);
  rubric.mutable_lines(0)->set_max_e4(E4("0.25"));
  EXPECT_THAT(CodesOf(rubric), Contains("PLACES_TOO_FEW"));
}

TEST(CheckRubric, TheTotalIsTheSumOfItsLines) {
  assessment::Rubric rubric = Sound();
  rubric.set_total_e4(E4("100"));
  EXPECT_THAT(CodesOf(rubric), Contains("TOTAL_MISMATCH"));
}

}  // namespace
}  // namespace fadu::scoring
