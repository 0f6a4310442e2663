#include "services/enforcement/domain/certificate.h"

#include <functional>

#include <gtest/gtest.h>

#include "common/base/civil_day.h"
#include "common/base/status.h"

namespace fadu::enforcement {
namespace {

const absl::CivilDay kToday(2024, 12, 31);

v1::EnforcementCertificate Certificate(const std::string& issued = "2022-11-01",
                                       const std::string& expires = "2027-10-31") {
  v1::EnforcementCertificate certificate;
  certificate.set_area_code("421221106");
  certificate.set_issue_date(issued);
  certificate.set_expire_date(expires);
  certificate.set_number("示例001");
  certificate.set_officer_id("018f0000-0000-7000-8000-000000000001");
  certificate.add_fields(v1::ENFORCEMENT_FIELD_COMPREHENSIVE);
  certificate.set_issuer("示例县人民政府");
  return certificate;
}

std::string ReasonFor(v1::EnforcementCertificate certificate,
                      const v1::EnforcementCertificate* before = nullptr) {
  return ReasonOf(DecideCertificate(before, certificate, kToday));
}

absl::CivilDay D(const char* text) { return *ParseDay(text); }

// 湖南: issued 2022-11-01, valid to 2027-10-31.
TEST(EnforcementCertificate, Invariant38IsValidForAtMostFiveYears) {
  EXPECT_EQ(ReasonFor(Certificate("2022-11-01", "2027-10-31")), "");
  EXPECT_EQ(ReasonFor(Certificate("2022-11-01", "2027-11-01")), "REASON_CERTIFICATE_TERM");
  EXPECT_EQ(ReasonFor(Certificate("2022-11-01", "2022-11-01")), "REASON_CERTIFICATE_TERM");
  // From a leap day: 2029 has none.
  EXPECT_EQ(ReasonFor(Certificate("2024-02-29", "2029-02-28")), "");
  EXPECT_EQ(ReasonFor(Certificate("2024-02-29", "2029-03-01")), "REASON_CERTIFICATE_TERM");
}

TEST(EnforcementCertificate, Invariant38ExpiresWithoutAnybodysAct) {
  const v1::EnforcementCertificate certificate = Certificate();
  EXPECT_FALSE(IsValidOn(certificate, D("2022-10-31")));
  EXPECT_TRUE(IsValidOn(certificate, D("2022-11-01")));
  EXPECT_TRUE(IsValidOn(certificate, D("2027-10-31")));
  EXPECT_FALSE(IsValidOn(certificate, D("2027-11-01")));
}

TEST(EnforcementCertificate, Invariant38NothingThatItSaysChanges) {
  const v1::EnforcementCertificate before = Certificate();
  const std::vector<std::function<void(v1::EnforcementCertificate&)>> edits = {
      [](auto& c) { c.set_number("示例002"); },
      [](auto& c) { c.set_officer_id("018f0000-0000-7000-8000-000000000002"); },
      [](auto& c) { c.set_issue_date("2022-11-02"); },
      [](auto& c) { c.set_expire_date("2027-10-30"); },
      [](auto& c) { c.set_renews_id("018f0000-0000-7000-8000-000000000003"); }};
  for (const auto& edit : edits) {
    v1::EnforcementCertificate after = before;
    edit(after);
    EXPECT_EQ(ReasonFor(after, &before), "REASON_CERTIFICATE_FIXED");
  }
  v1::EnforcementCertificate checked = before;
  checked.set_check_date("2024-06-30");
  EXPECT_EQ(ReasonFor(checked, &before), "");
}

v1::EnforcementCertificate In(v1::CertificateState state) {
  v1::EnforcementCertificate certificate = Certificate();
  if (state == v1::CERTIFICATE_STATE_VALID) return certificate;
  certificate.set_end_reason(v1::END_REASON_MISUSE);
  if (state == v1::CERTIFICATE_STATE_SUSPENDED) {
    certificate.set_suspended_date("2024-03-01");
    return certificate;
  }
  certificate.set_end_date("2024-04-01");
  certificate.set_revoked(state == v1::CERTIFICATE_STATE_REVOKED);
  return certificate;
}

TEST(EnforcementCertificate, MovesAsItsTableSays) {
  const v1::CertificateState states[] = {
      v1::CERTIFICATE_STATE_VALID, v1::CERTIFICATE_STATE_SUSPENDED, v1::CERTIFICATE_STATE_REVOKED,
      v1::CERTIFICATE_STATE_CANCELLED};
  const bool allowed[4][4] = {{true, true, true, true},
                              {true, true, true, true},
                              {false, false, true, false},
                              {false, false, false, true}};
  for (int from = 0; from < 4; ++from) {
    for (int to = 0; to < 4; ++to) {
      const v1::EnforcementCertificate before = In(states[from]);
      EXPECT_EQ(ReasonFor(In(states[to]), &before),
                allowed[from][to] ? "" : "REASON_CERTIFICATE_STATE")
          << from << " to " << to;
    }
    EXPECT_EQ(ReasonFor(In(states[from])), from == 0 ? "" : "REASON_CERTIFICATE_STATE");
  }
}

TEST(EnforcementCertificate, AStopNeedsItsReasonAndAReasonItsStop) {
  v1::EnforcementCertificate certificate = In(v1::CERTIFICATE_STATE_SUSPENDED);
  certificate.clear_end_reason();
  EXPECT_EQ(ReasonFor(certificate), "REASON_OFFICER_DATES");
  certificate = Certificate();
  certificate.set_end_reason(v1::END_REASON_LOST);
  EXPECT_EQ(ReasonFor(certificate), "REASON_OFFICER_DATES");
  certificate = Certificate();
  certificate.set_revoked(true);
  EXPECT_EQ(ReasonFor(certificate), "REASON_OFFICER_DATES");
}

TEST(EnforcementCertificate, ASuspendedOneGivesNoPower) {
  EXPECT_TRUE(IsValidOn(In(v1::CERTIFICATE_STATE_SUSPENDED), D("2024-02-29")));
  EXPECT_FALSE(IsValidOn(In(v1::CERTIFICATE_STATE_SUSPENDED), D("2024-03-01")));
  EXPECT_FALSE(IsValidOn(In(v1::CERTIFICATE_STATE_REVOKED), D("2024-04-01")));
}

// ---- issuing ------------------------------------------------------------------------------------

struct Holder {
  v1::EnforcementOfficer officer;
  std::vector<v1::OfficerTraining> trainings;
  std::vector<v1::EnforcementCertificate> others;
};

Holder Ready() {
  Holder holder;
  holder.officer.set_posted_date("2022-03-01");
  holder.officer.set_staff_kind(v1::STAFF_KIND_CIVIL_SERVANT);
  holder.officer.set_general_exam_date("2022-09-10");
  holder.officer.set_special_exam_date("2022-09-20");
  v1::OfficerTraining training;
  training.set_held_date("2022-08-01");
  holder.trainings.push_back(training);
  return holder;
}

std::string IssueReason(const Holder& holder, const v1::EnforcementCertificate* renewed = nullptr) {
  return ReasonOf(
      DecideIssue(Certificate(), holder.officer, holder.trainings, holder.others, renewed));
}

TEST(CertificateIssue, Invariant39NeedsTrainingAndBothExams) {
  EXPECT_EQ(IssueReason(Ready()), "");
  Holder holder = Ready();
  holder.officer.clear_general_exam_date();
  EXPECT_EQ(IssueReason(holder), "REASON_NOT_QUALIFIED");
  holder = Ready();
  holder.officer.set_special_exam_date("2022-11-02");  // a day after the issue
  EXPECT_EQ(IssueReason(holder), "REASON_NOT_QUALIFIED");
  holder = Ready();
  holder.trainings.clear();
  EXPECT_EQ(IssueReason(holder), "REASON_NOT_QUALIFIED");
  holder = Ready();
  holder.trainings[0].set_held_date("2022-11-02");
  EXPECT_EQ(IssueReason(holder), "REASON_NOT_QUALIFIED");
}

TEST(CertificateIssue, Invariant39RefusesIneligibleStaff) {
  Holder holder = Ready();
  holder.officer.set_staff_kind(v1::STAFF_KIND_AUXILIARY);
  EXPECT_EQ(IssueReason(holder), "REASON_STAFF_INELIGIBLE");
}

TEST(CertificateIssue, NeedsAnOfficerInPost) {
  Holder holder = Ready();
  holder.officer.set_left_date("2022-11-01");
  EXPECT_EQ(IssueReason(holder), "REASON_NOT_QUALIFIED");
  holder = Ready();
  holder.officer.set_posted_date("2022-11-02");
  EXPECT_EQ(IssueReason(holder), "REASON_NOT_QUALIFIED");
}

TEST(CertificateIssue, OnlyARenewalJoinsAnotherValidOne) {
  Holder holder = Ready();
  v1::EnforcementCertificate old = Certificate("2018-01-01", "2022-12-31");
  old.set_number("示例旧证");
  holder.others.push_back(old);
  EXPECT_EQ(IssueReason(holder), "REASON_CERTIFICATE_HELD");
  EXPECT_EQ(IssueReason(holder, &old), "");
  holder.others[0].set_expire_date("2022-10-31");  // ran out the day before
  EXPECT_EQ(IssueReason(holder), "");
}

}  // namespace
}  // namespace fadu::enforcement
