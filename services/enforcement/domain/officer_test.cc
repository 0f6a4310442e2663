#include "services/enforcement/domain/officer.h"

#include <gtest/gtest.h>

#include "common/base/status.h"

namespace fadu::enforcement {
namespace {

const absl::CivilDay kToday(2024, 12, 31);

v1::EnforcementOfficer Officer() {
  v1::EnforcementOfficer officer;
  officer.set_area_code("421221106");
  officer.set_posted_date("2022-03-01");
  officer.set_unit("示例镇综合执法中心");
  officer.set_staff_kind(v1::STAFF_KIND_CIVIL_SERVANT);
  officer.set_name("示例甲");
  return officer;
}

std::string ReasonFor(v1::EnforcementOfficer officer) {
  return ReasonOf(DecideOfficer(officer, kToday));
}

TEST(EnforcementOfficer, IsACandidateUntilBothExamsArePassed) {
  v1::EnforcementOfficer officer = Officer();
  ASSERT_TRUE(DecideOfficer(officer, kToday).ok());
  EXPECT_EQ(officer.state(), v1::OFFICER_STATE_CANDIDATE);
  officer.set_general_exam_date("2022-05-10");
  ASSERT_TRUE(DecideOfficer(officer, kToday).ok());
  EXPECT_EQ(officer.state(), v1::OFFICER_STATE_CANDIDATE);
  officer.set_special_exam_date("2022-05-20");
  ASSERT_TRUE(DecideOfficer(officer, kToday).ok());
  EXPECT_EQ(officer.state(), v1::OFFICER_STATE_QUALIFIED);
  officer.set_left_date("2024-12-31");
  ASSERT_TRUE(DecideOfficer(officer, kToday).ok());
  EXPECT_EQ(officer.state(), v1::OFFICER_STATE_LEFT);
}

// 国办发〔2024〕54号, 河南条例 Art 20: these assist under command.
TEST(EnforcementOfficer, Invariant39OnlyFormalStaffPassesExams) {
  for (const v1::StaffKind kind : {v1::STAFF_KIND_WORKER, v1::STAFF_KIND_CONTRACT,
                                   v1::STAFF_KIND_TEMPORARY, v1::STAFF_KIND_AUXILIARY}) {
    v1::EnforcementOfficer officer = Officer();
    officer.set_staff_kind(kind);
    EXPECT_EQ(ReasonFor(officer), "") << "may be recorded as staff";
    officer.set_general_exam_date("2022-05-10");
    EXPECT_EQ(ReasonFor(officer), "REASON_STAFF_INELIGIBLE");
  }
  v1::EnforcementOfficer officer = Officer();
  officer.set_staff_kind(v1::STAFF_KIND_PUBLIC_INSTITUTION);
  officer.set_special_exam_date("2022-05-10");
  EXPECT_EQ(ReasonFor(officer), "");
}

TEST(EnforcementOfficer, DatesFollowEachOtherUpToToday) {
  v1::EnforcementOfficer officer = Officer();
  officer.set_left_date("2022-02-28");
  EXPECT_EQ(ReasonFor(officer), "REASON_OFFICER_DATES");
  officer.set_left_date("2025-01-01");
  EXPECT_EQ(ReasonFor(officer), "REASON_OFFICER_DATES");
  officer = Officer();
  officer.set_posted_date("2025-01-01");
  EXPECT_EQ(ReasonFor(officer), "REASON_OFFICER_DATES");
  officer = Officer();
  officer.set_special_exam_date("2025-01-01");
  EXPECT_EQ(ReasonFor(officer), "REASON_OFFICER_DATES");
}

TEST(EnforcementOfficer, BelongsToATownOrVillage) {
  v1::EnforcementOfficer officer = Officer();
  officer.set_area_code("421221");
  EXPECT_EQ(ReasonFor(officer), "REASON_FIELD_INVALID");
}

TEST(OfficerTraining, WasHeldByToday) {
  v1::OfficerTraining training;
  training.set_area_code("421221106");
  training.set_held_date("2024-12-31");
  EXPECT_TRUE(DecideTraining(training, kToday).ok());
  training.set_held_date("2025-01-01");
  EXPECT_EQ(ReasonOf(DecideTraining(training, kToday)), "REASON_OFFICER_DATES");
}

}  // namespace
}  // namespace fadu::enforcement
