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
  return rubric;
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
