// The enforcement service through its RPCs, over a real database: what one record demands of
// another.

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/host/service_test_support.h"
#include "common/testing/status_matchers.h"
#include "fadu/enforcement/v1/certificate.pb.h"
#include "fadu/enforcement/v1/officer.pb.h"
#include "fadu/enforcement/v1/training.pb.h"
#include "services/enforcement/module.h"

namespace fadu::enforcement {
namespace {

namespace common = ::fadu::common::v1;
using host::RecordIn;
using ::testing::SizeIs;

constexpr char kTown[] = "421221106";
// 28 June 2024, 10:00 in Beijing.
const absl::Time kNow = absl::FromCivil(absl::CivilHour(2024, 6, 28, 10), LegalTimeZone());

class EnforcementTest : public ::testing::Test {
 protected:
  // The id in a record's name.
  static std::string IdOf(const absl::StatusOr<fadu::common::v1::Record>& answer) {
    EXPECT_THAT(answer, IsOk());
    return answer.ok() ? answer->name().substr(answer->name().rfind('/') + 1) : "";
  }

  std::string QualifiedOfficer(const std::string& area = kTown) {
    v1::EnforcementOfficer officer;
    officer.set_area_code(area);
    officer.set_posted_date("2022-03-01");
    officer.set_unit("示例镇综合执法中心");
    officer.set_staff_kind(v1::STAFF_KIND_CIVIL_SERVANT);
    officer.set_general_exam_date("2022-09-10");
    officer.set_special_exam_date("2022-09-20");
    officer.set_name("示例甲");
    return IdOf(service_.Create(officer));
  }

  absl::StatusOr<fadu::common::v1::Record> Train(const std::string& officer_id) {
    v1::OfficerTraining training;
    training.set_area_code(kTown);
    training.set_held_date("2022-08-01");
    training.set_officer_id(officer_id);
    training.set_kind(v1::TRAINING_KIND_PRE_POST);
    training.set_hours(60);
    return service_.Create(training);
  }

  static v1::EnforcementCertificate CertificateOf(const std::string& officer_id,
                                                  const std::string& number) {
    v1::EnforcementCertificate certificate;
    certificate.set_area_code(kTown);
    certificate.set_issue_date("2022-11-01");
    certificate.set_expire_date("2027-10-31");
    certificate.set_number(number);
    certificate.set_officer_id(officer_id);
    certificate.add_fields(v1::ENFORCEMENT_FIELD_COMPREHENSIVE);
    certificate.set_issuer("示例县人民政府");
    return certificate;
  }

  host::ServiceUnderTest service_{MakeModule(), kNow};
};

TEST_F(EnforcementTest, ACertificateFollowsTrainingAndExams) {
  const std::string officer = QualifiedOfficer();
  EXPECT_THAT(service_.Create(CertificateOf(officer, "示例001")),
              HasReason("REASON_NOT_QUALIFIED"));
  ASSERT_THAT(Train(officer), IsOk());
  const auto made = service_.Create(CertificateOf(officer, "示例001"));
  EXPECT_EQ(RecordIn<v1::EnforcementCertificate>(made).state(), v1::CERTIFICATE_STATE_VALID);
  EXPECT_THAT(service_.List("enforcementCertificates", "state = VALID"), SizeIs(1));
}

TEST_F(EnforcementTest, ANumberIsGivenOnceInTheCounty) {
  const std::string first = QualifiedOfficer();
  const std::string second = QualifiedOfficer();
  ASSERT_THAT(Train(first), IsOk());
  ASSERT_THAT(Train(second), IsOk());
  ASSERT_THAT(service_.Create(CertificateOf(first, "示例\"001")), IsOk());
  EXPECT_THAT(service_.Create(CertificateOf(second, "示例\"001")),
              HasReason("REASON_CERTIFICATE_NUMBER_TAKEN"));
  EXPECT_THAT(service_.Create(CertificateOf(second, "示例002")), IsOk());
}

TEST_F(EnforcementTest, AnOfficerWithATrainingIsNotTakenAway) {
  const std::string officer = QualifiedOfficer();
  const auto training = Train(officer);
  ASSERT_THAT(training, IsOk());
  const std::string name = absl::StrCat("counties/421221/enforcementOfficers/", officer);
  EXPECT_THAT(service_.Delete(name), HasReason("REASON_OFFICER_REFERENCED"));
  ASSERT_THAT(service_.Delete(training->name()), IsOk());
  EXPECT_THAT(service_.Delete(name), IsOk());
  EXPECT_THAT(Train(officer), HasReason("REASON_OFFICER_UNKNOWN"));
}

TEST_F(EnforcementTest, AnOfficerOfAnotherTownIsUnknown) {
  service_.As(fadu::common::v1::ROLE_COUNTY_REVIEWER, "421221");
  const std::string elsewhere = QualifiedOfficer("421221103");
  EXPECT_THAT(Train(elsewhere), HasReason("REASON_OFFICER_UNKNOWN"));
  EXPECT_THAT(service_.Create(CertificateOf(elsewhere, "示例001")),
              HasReason("REASON_OFFICER_UNKNOWN"));
}

TEST_F(EnforcementTest, ARenewalIsANewRecordAndLeavesTheOldOneAlone) {
  const std::string officer = QualifiedOfficer();
  ASSERT_THAT(Train(officer), IsOk());
  const auto old = service_.Create(CertificateOf(officer, "示例001"));
  v1::EnforcementCertificate renewal = CertificateOf(officer, "示例002");
  renewal.set_issue_date("2024-06-03");
  renewal.set_expire_date("2029-06-02");
  EXPECT_THAT(service_.Create(renewal), HasReason("REASON_CERTIFICATE_HELD"));
  renewal.set_renews_id(IdOf(old));
  EXPECT_THAT(service_.Create(renewal), IsOk());
  EXPECT_EQ(service_.Get(old->name())->revision(), 1);
  v1::EnforcementCertificate longer = CertificateOf(officer, "示例001");
  longer.set_expire_date("2027-10-30");
  EXPECT_THAT(service_.Update(old->name(), longer, {"expire_date"}),
              HasReason("REASON_CERTIFICATE_FIXED"));
}

TEST_F(EnforcementTest, ASuspensionEndsAndACancellationDoesNot) {
  const std::string officer = QualifiedOfficer();
  ASSERT_THAT(Train(officer), IsOk());
  const auto made = service_.Create(CertificateOf(officer, "示例001"));
  v1::EnforcementCertificate change;
  change.set_suspended_date("2024-05-06");
  change.set_end_reason(v1::END_REASON_MISUSE);
  const auto suspended = service_.Update(made->name(), change, {"suspended_date", "end_reason"});
  EXPECT_EQ(RecordIn<v1::EnforcementCertificate>(suspended).state(),
            v1::CERTIFICATE_STATE_SUSPENDED);
  const auto again =
      service_.Update(made->name(), v1::EnforcementCertificate(), {"suspended_date", "end_reason"});
  EXPECT_EQ(RecordIn<v1::EnforcementCertificate>(again).state(), v1::CERTIFICATE_STATE_VALID);
  change.Clear();
  change.set_end_date("2024-06-03");
  change.set_end_reason(v1::END_REASON_LEFT_POST);
  ASSERT_THAT(service_.Update(made->name(), change, {"end_date", "end_reason"}), IsOk());
  EXPECT_THAT(
      service_.Update(made->name(), v1::EnforcementCertificate(), {"end_date", "end_reason"}),
      HasReason("REASON_CERTIFICATE_STATE"));
}

// Invariant 39 holds as long as the certificate does.
TEST_F(EnforcementTest, Invariant39WhatACertificateRestsOnStays) {
  const std::string officer = QualifiedOfficer();
  const auto training = Train(officer);
  ASSERT_THAT(service_.Create(CertificateOf(officer, "示例001")), IsOk());
  EXPECT_THAT(service_.Delete(training->name()), HasReason("REASON_NOT_QUALIFIED"));
  v1::OfficerTraining later;
  later.set_held_date("2024-01-10");
  EXPECT_THAT(service_.Update(training->name(), later, {"held_date"}),
              HasReason("REASON_NOT_QUALIFIED"));
  const std::string name = absl::StrCat("counties/421221/enforcementOfficers/", officer);
  v1::EnforcementOfficer change;
  change.set_staff_kind(v1::STAFF_KIND_AUXILIARY);
  EXPECT_THAT(
      service_.Update(name, change, {"staff_kind", "general_exam_date", "special_exam_date"}),
      HasReason("REASON_STAFF_INELIGIBLE"));
  change.set_left_date("2024-06-01");
  EXPECT_THAT(service_.Update(name, change, {"left_date"}), IsOk());
}

TEST_F(EnforcementTest, ACertificateComesBackBesideNoOther) {
  const std::string officer = QualifiedOfficer();
  ASSERT_THAT(Train(officer), IsOk());
  const auto first = service_.Create(CertificateOf(officer, "示例001"));
  v1::EnforcementCertificate change;
  change.set_suspended_date("2022-11-01");
  change.set_end_reason(v1::END_REASON_LOST);
  ASSERT_THAT(service_.Update(first->name(), change, {"suspended_date", "end_reason"}), IsOk());
  const auto second = service_.Create(CertificateOf(officer, "示例002"));
  ASSERT_THAT(second, IsOk());
  EXPECT_THAT(service_.Update(first->name(), v1::EnforcementCertificate(),
                              {"suspended_date", "end_reason"}),
              HasReason("REASON_CERTIFICATE_HELD"));
  ASSERT_THAT(service_.Delete(second->name()), IsOk());
  ASSERT_THAT(service_.Update(first->name(), v1::EnforcementCertificate(),
                              {"suspended_date", "end_reason"}),
              IsOk());
  common::UndeleteRecordRequest undelete;
  undelete.set_name(second->name());
  undelete.set_request_id(service_.NewRequestId());
  EXPECT_THAT(service_.Call<common::Record>("UndeleteRecord", undelete),
              HasReason("REASON_CERTIFICATE_HELD"));
}

}  // namespace
}  // namespace fadu::enforcement
