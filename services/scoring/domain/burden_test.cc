#include "services/scoring/domain/burden.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fadu/education/v1/education_event.pb.h"
#include "fadu/mediation/v1/dispute.pb.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;
using ::testing::ElementsAre;

const RecordTypes& Types() {
  static const RecordTypes* const types =
      RecordTypes::FromDescriptors({fadu::mediation::v1::Dispute::descriptor(),
                                    fadu::education::v1::EducationEvent::descriptor()})
          ->release();
  return *types;
}

assessment::Rubric Rubric() {
  assessment::Rubric rubric;
  assessment::Line& first = *rubric.add_lines();
  first.set_id("1");
  first.add_evidence("活动照片");
  assessment::Incident& incident = *first.add_clauses()->mutable_incident();
  incident.set_measure("count(disputes where outcome = SETTLED by accepted_date)");
  assessment::Line& second = *rubric.add_lines();
  second.set_id("2");
  second.add_evidence("活动照片");
  second.add_evidence("台账");
  second.add_clauses()->mutable_judged();
  second.add_clauses()->mutable_check()->set_measure("ruling(heavy)");
  assessment::Threshold& gate = *second.add_clauses()->mutable_threshold();
  gate.set_measure("figure(people)");
  return rubric;
}

TEST(Burden, IsTheFieldsThatMeasuresRead) {
  const auto lines = BurdenOf(Rubric(), Types());
  ASSERT_TRUE(lines.ok());
  EXPECT_THAT((*lines)[0].fields, ElementsAre("disputes.accepted_date", "disputes.area_code",
                                              "disputes.found_date", "disputes.outcome"));
}

TEST(Burden, CountsMarksRulingsAndOutsideFigures) {
  const auto lines = BurdenOf(Rubric(), Types());
  ASSERT_TRUE(lines.ok());
  EXPECT_EQ((*lines)[1].marks, 1);
  EXPECT_THAT((*lines)[1].rulings, ElementsAre("heavy"));
  EXPECT_THAT((*lines)[1].outside, ElementsAre("people"));
}

// One photograph serves two lines.
TEST(Burden, CountsOnceWhatTwoLinesAsk) {
  const auto lines = BurdenOf(Rubric(), Types());
  ASSERT_TRUE(lines.ok());
  EXPECT_EQ(TotalBurden(*lines).files.size(), 2U);
}

TEST(Burden, OfARubricThatDoesNotParseIsRefused) {
  assessment::Rubric rubric = Rubric();
  rubric.mutable_lines(0)->mutable_clauses(0)->mutable_incident()->set_measure("count(");
  EXPECT_FALSE(BurdenOf(rubric, Types()).ok());
}

}  // namespace
}  // namespace fadu::scoring
