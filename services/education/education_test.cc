// The education service through its RPCs, over a real database.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/host/service_test_support.h"
#include "common/testing/status_matchers.h"
#include "fadu/common/v1/review_state.pb.h"
#include "fadu/education/v1/education_event.pb.h"
#include "fadu/education/v1/exam.pb.h"
#include "services/education/module.h"

namespace fadu::education {
namespace {

namespace common = ::fadu::common::v1;
using host::RecordIn;
using ::testing::SizeIs;

constexpr char kTown[] = "421221106";

v1::Exam Planned() {
  v1::Exam exam;
  exam.set_area_code(kTown);
  exam.set_held_date("2024-11-20");
  exam.set_title("年度法律知识考试（示例）");
  exam.set_purpose(v1::EXAM_PURPOSE_ANNUAL);
  exam.add_audiences(v1::EXAM_AUDIENCE_STATE_EMPLOYEES);
  exam.set_organiser("示例镇司法所");
  exam.set_organiser_level(v1::ORGANISER_LEVEL_OWN);
  exam.set_roster_count(3);
  for (const char* name : {"示例甲", "示例乙", "示例丙"}) exam.add_roster()->set_name(name);
  return exam;
}

class EducationTest : public ::testing::Test {
 protected:
  // 19 November 2024, the eve of the exam.
  host::ServiceUnderTest service_{
      MakeModule(), absl::FromCivil(absl::CivilHour(2024, 11, 19, 10), LegalTimeZone())};
};

TEST_F(EducationTest, AnExamGoesFromItsPlanToItsMakeUp) {
  service_.As(common::ROLE_TOWN_CLERK, kTown);
  const auto made = service_.Create(Planned());
  ASSERT_THAT(made, IsOk());
  EXPECT_EQ(made->review_state(), common::REVIEW_STATE_SUBMITTED);
  service_.As(common::ROLE_TOWN_REVIEWER, kTown);
  ASSERT_THAT(service_.Review(made->name(), common::REVIEW_ACTION_CONFIRM), IsOk());

  v1::Exam change = Planned();
  const auto step = [&](const std::vector<std::string>& fields) {
    return RecordIn<v1::Exam>(service_.Update(made->name(), change, fields));
  };
  change.set_frozen_date("2024-11-18");
  EXPECT_EQ(step({"frozen_date"}).state(), v1::EXAM_STATE_FROZEN);
  change.set_roster_count(2);
  EXPECT_THAT(service_.Update(made->name(), change, {"roster_count"}),
              HasReason("REASON_EXAM_FROZEN"));

  service_.clock().Advance(absl::Hours(24 * 20));  // 9 December
  service_.As(common::ROLE_TOWN_REVIEWER, kTown);
  change = Planned();
  change.set_closed_date("2024-11-20");
  change.set_sat_count(3);
  for (v1::Examinee& one : *change.mutable_roster()) one.set_sat(true);
  EXPECT_EQ(step({"closed_date", "sat_count", "roster"}).state(), v1::EXAM_STATE_CLOSED);
  change.set_scored_date("2024-11-25");
  change.set_passed_count(2);
  change.mutable_roster(0)->set_passed(true);
  change.mutable_roster(1)->set_passed(true);
  EXPECT_EQ(step({"scored_date", "passed_count", "roster"}).state(), v1::EXAM_STATE_SCORED);
  change.set_makeup_date("2024-12-05");
  change.set_makeup_sat_count(1);
  change.set_makeup_passed_count(1);
  const v1::Exam exam = step({"makeup_date", "makeup_sat_count", "makeup_passed_count"});
  EXPECT_EQ(exam.state(), v1::EXAM_STATE_MADE_UP);
  EXPECT_EQ(exam.required_count(), 3);
  EXPECT_EQ(exam.passed_count(), 2);
}

TEST_F(EducationTest, TheRosterIsMaskedInAnswers) {
  const auto made = service_.Create(Planned());
  ASSERT_THAT(made, IsOk());
  EXPECT_EQ(RecordIn<v1::Exam>(service_.Get(made->name())).roster(0).name(), "示**");
}

TEST_F(EducationTest, ExamsAreListedByWhatWasCounted) {
  ASSERT_THAT(service_.Create(Planned()), IsOk());
  EXPECT_THAT(service_.List("exams", "audiences:STATE_EMPLOYEES AND required_count = 3"),
              SizeIs(1));
  EXPECT_THAT(service_.List("exams", "state = SCORED"), SizeIs(0));
}

// A date that does not exist once reached the law of events and was taken for a bug of ours.
TEST_F(EducationTest, AnEventsDateIsCheckedBeforeItsLawInAnUpdateToo) {
  v1::EducationEvent event;
  event.set_area_code(kTown);
  event.set_held_date("2024-11-18");
  event.set_title("法治宣传（示例）");
  event.add_venues(v1::VENUE_VILLAGE);
  event.add_forms(v1::FORM_LEAFLET);
  const auto made = service_.Create(event);
  ASSERT_THAT(made, IsOk());
  event.set_held_date("2024-11-31");
  EXPECT_THAT(service_.Update(made->name(), event, {"held_date"}),
              HasReason("REASON_FIELD_INVALID"));
}

}  // namespace
}  // namespace fadu::education
