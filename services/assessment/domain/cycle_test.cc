#include "services/assessment/domain/cycle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/status.h"

namespace fadu::assessment {
namespace {

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

std::string ReasonOfMark(absl::string_view line, int clause, absl::string_view points) {
  const absl::StatusOr<MarkLimits> limits = LimitsOf(Rubric(), line, clause);
  if (!limits.ok()) return ReasonOf(limits.status());
  return ReasonOf(CheckPoints(*limits, *Points::Parse(points)));
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

TEST(Rubric, BeginsAsADraftOfItsWholeYear) {
  const v1::RubricVersion draft = NewRubricVersion("421221", Rubric(), "rubric: r");
  EXPECT_EQ(draft.state(), v1::RUBRIC_STATE_DRAFT);
  EXPECT_EQ(draft.effective_date(), "2024-01-01");
  EXPECT_EQ(draft.source(), "rubric: r");
  EXPECT_EQ(draft.source_digest().size(), 66U);
  EXPECT_TRUE(DecideRubric(nullptr, draft).ok());
}

// Invariant 51.
TEST(Rubric, IsImmutableOncePublished) {
  v1::RubricVersion published = NewRubricVersion("421221", Rubric(), "");
  const v1::RubricVersion draft = published;
  published.set_state(v1::RUBRIC_STATE_PUBLISHED);
  EXPECT_TRUE(DecideRubric(&draft, published).ok());
  EXPECT_EQ(ReasonOf(DecideRubric(&published, draft)), "REASON_RUBRIC_STATE");
  v1::RubricVersion changed = published;
  changed.mutable_rubric()->set_title("另一份");
  EXPECT_EQ(ReasonOf(DecideRubric(&published, changed)), "REASON_RUBRIC_STATE");
  EXPECT_EQ(ReasonOf(DecideRubric(nullptr, published)), "REASON_RUBRIC_STATE");
}

TEST(Rubric, CarriesACycleOfItsYearWhenPublished) {
  v1::RubricVersion rubric = NewRubricVersion("421221", Rubric(), "");
  EXPECT_EQ(ReasonOf(CheckCarries(rubric, 2024)), "REASON_RUBRIC_STATE");
  rubric.set_state(v1::RUBRIC_STATE_PUBLISHED);
  EXPECT_TRUE(CheckCarries(rubric, 2024).ok());
  EXPECT_EQ(ReasonOf(CheckCarries(rubric, 2025)), "REASON_FIELD_INVALID");
}

TEST(Cycle, IsTheCalendarYear) {
  const v1::Cycle cycle = NewCycle("421221", 2024, "id");
  EXPECT_EQ(cycle.start_date(), "2024-01-01");
  EXPECT_EQ(cycle.end_date(), "2024-12-31");
  EXPECT_TRUE(CheckOpen(cycle).ok());
}

TEST(Cycle, IsNotReopened) {
  const v1::Cycle open = NewCycle("421221", 2024, "id");
  v1::Cycle closed = open;
  closed.set_state(v1::CYCLE_STATE_CLOSED);
  EXPECT_TRUE(DecideCycle(nullptr, open).ok());
  EXPECT_TRUE(DecideCycle(&open, closed).ok());
  EXPECT_EQ(ReasonOf(DecideCycle(&closed, open)), "REASON_CYCLE_CLOSED");
  EXPECT_EQ(ReasonOf(CheckOpen(closed)), "REASON_CYCLE_CLOSED");
}

}  // namespace
}  // namespace fadu::assessment
