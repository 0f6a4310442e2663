#include "services/enforcement/domain/certificate.h"

#include <algorithm>
#include <string>

#include "absl/strings/string_view.h"
#include "common/base/civil_day.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "common/schema/village_or_town.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/enforcement/v1/reason.pb.h"
#include "services/enforcement/domain/officer.h"

namespace fadu::enforcement {
namespace {

absl::Status Dates(absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_OFFICER_DATES,
              "dates out of order or incomplete", {{"problem", std::string(problem)}});
}

absl::Status NotQualified(absl::string_view problem) {
  return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_NOT_QUALIFIED,
              "training or exams are missing", {{"problem", std::string(problem)}});
}

std::string LabelOf(v1::CertificateState state) {
  return v1::CertificateState_descriptor()
      ->FindValueByNumber(state)
      ->options()
      .GetExtension(::fadu::common::v1::label)
      .zh();
}

// The last day of a term that begins on `issued`: 2022-11-01 → 2027-10-31. A term that begins on
// 29 February ends on the last of February.
absl::CivilDay LatestExpiry(absl::CivilDay issued) {
  const absl::CivilDay same(issued.year() + kValidYears, issued.month(), issued.day());
  const bool exists = same.month() == issued.month();
  return exists
             ? same - 1
             : absl::CivilDay(absl::CivilMonth(issued.year() + kValidYears, issued.month()) + 1) -
                   1;
}

absl::Status CheckTerm(const v1::EnforcementCertificate& certificate) {
  FADU_ASSIGN_OR_RETURN(const absl::CivilDay issued, ParseDay(certificate.issue_date()));
  FADU_ASSIGN_OR_RETURN(const absl::CivilDay expires, ParseDay(certificate.expire_date()));
  const absl::CivilDay latest = LatestExpiry(issued);
  if (expires > issued && expires <= latest) return absl::OkStatus();
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_CERTIFICATE_TERM,
              "valid for at most five years",
              {{"issued", certificate.issue_date()}, {"latest", FormatDay(latest)}});
}

absl::Status CheckDates(const v1::EnforcementCertificate& certificate, absl::CivilDay today) {
  const std::string now = FormatDay(today);
  const std::string& issued = certificate.issue_date();
  if (issued > now) return Dates("发证日期在今天之后");
  for (const auto& [date, late, early] :
       {std::tuple(certificate.check_date(), "年审日期在今天之后", "年审日期早于发证日期"),
        std::tuple(certificate.suspended_date(), "暂扣日期在今天之后", "暂扣日期早于发证日期"),
        std::tuple(certificate.end_date(), "吊销、注销日期在今天之后",
                   "吊销、注销日期早于发证日期")}) {
    if (date.empty()) continue;
    if (date > now) return Dates(late);
    if (date < issued) return Dates(early);
  }
  const bool stopped = !certificate.suspended_date().empty() || !certificate.end_date().empty();
  if (stopped != (certificate.end_reason() != v1::END_REASON_UNSPECIFIED)) {
    return Dates("暂扣、吊销或注销日期与原因须同时填写");
  }
  if (certificate.revoked() && certificate.end_date().empty()) {
    return Dates("吊销须填写日期");
  }
  return absl::OkStatus();
}

absl::Status CheckFixed(const v1::EnforcementCertificate& before,
                        const v1::EnforcementCertificate& after) {
  const char* changed = before.number() != after.number()             ? "证号"
                        : before.officer_id() != after.officer_id()   ? "执法人员"
                        : before.issue_date() != after.issue_date()   ? "发证日期"
                        : before.expire_date() != after.expire_date() ? "有效期"
                        : before.renews_id() != after.renews_id()     ? "换发自"
                                                                      : nullptr;
  if (changed == nullptr) return absl::OkStatus();
  return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_CERTIFICATE_FIXED,
              "what a certificate says never changes", {{"field", changed}});
}

}  // namespace

v1::CertificateState StateOf(const v1::EnforcementCertificate& certificate) {
  if (!certificate.end_date().empty()) {
    return certificate.revoked() ? v1::CERTIFICATE_STATE_REVOKED : v1::CERTIFICATE_STATE_CANCELLED;
  }
  return certificate.suspended_date().empty() ? v1::CERTIFICATE_STATE_VALID
                                              : v1::CERTIFICATE_STATE_SUSPENDED;
}

bool IsValidOn(const v1::EnforcementCertificate& certificate, absl::CivilDay day) {
  const std::string text = FormatDay(day);
  const auto stopped = [&](const std::string& since) { return !since.empty() && since <= text; };
  return certificate.issue_date() <= text && text <= certificate.expire_date() &&
         !stopped(certificate.suspended_date()) && !stopped(certificate.end_date());
}

bool MayMove(v1::CertificateState from, v1::CertificateState to) {
  switch (from) {
    case v1::CERTIFICATE_STATE_VALID:
    case v1::CERTIFICATE_STATE_SUSPENDED:
      return true;
    default:
      return from == to;
  }
}

absl::Status DecideCertificate(const v1::EnforcementCertificate* before,
                               v1::EnforcementCertificate& after, absl::CivilDay today) {
  FADU_RETURN_IF_ERROR(CheckVillageOrTown(after.area_code()));
  FADU_RETURN_IF_ERROR(CheckTerm(after));
  FADU_RETURN_IF_ERROR(CheckDates(after, today));
  after.set_state(StateOf(after));
  const v1::CertificateState from =
      before == nullptr ? v1::CERTIFICATE_STATE_VALID : StateOf(*before);
  if (before != nullptr) FADU_RETURN_IF_ERROR(CheckFixed(*before, after));
  const bool allowed = before == nullptr ? after.state() == v1::CERTIFICATE_STATE_VALID
                                         : MayMove(from, after.state());
  if (allowed) return absl::OkStatus();
  return Fail(
      absl::StatusCode::kFailedPrecondition, v1::REASON_CERTIFICATE_STATE,
      "the move is not in the state table",
      {{"from", before == nullptr ? "新登记" : LabelOf(from)}, {"to", LabelOf(after.state())}});
}

absl::Status DecideIssue(const v1::EnforcementCertificate& certificate,
                         const v1::EnforcementOfficer& officer,
                         const std::vector<v1::OfficerTraining>& trainings,
                         const std::vector<v1::EnforcementCertificate>& others,
                         const v1::EnforcementCertificate* renewed) {
  const std::string& issued = certificate.issue_date();
  if (!MayBeQualified(officer.staff_kind())) {
    const auto& label = v1::StaffKind_descriptor()
                            ->FindValueByNumber(officer.staff_kind())
                            ->options()
                            .GetExtension(::fadu::common::v1::label);
    return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_STAFF_INELIGIBLE,
                "only formal staff can be qualified", {{"staff", label.zh()}});
  }
  if (officer.posted_date() > issued) return NotQualified("发证日期早于上岗日期");
  if (!officer.left_date().empty() && officer.left_date() <= issued) {
    return NotQualified("发证时已离岗");
  }
  const auto by_then = [&](const std::string& date) { return !date.empty() && date <= issued; };
  if (!by_then(officer.general_exam_date())) return NotQualified("通用法律知识考试未合格");
  if (!by_then(officer.special_exam_date())) return NotQualified("专门法律知识考试未合格");
  const bool trained =
      std::any_of(trainings.begin(), trainings.end(),
                  [&](const v1::OfficerTraining& one) { return by_then(one.held_date()); });
  if (!trained) return NotQualified("没有发证前的培训记录");
  FADU_ASSIGN_OR_RETURN(const absl::CivilDay day, ParseDay(issued));
  return CheckHeldAlone(others, renewed == nullptr ? "" : renewed->number(), day);
}

absl::Status CheckHeldAlone(const std::vector<v1::EnforcementCertificate>& others,
                            absl::string_view renewed, absl::CivilDay day) {
  for (const v1::EnforcementCertificate& other : others) {
    if (other.number() == renewed || !IsValidOn(other, day)) continue;
    return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_CERTIFICATE_HELD,
                "the officer holds another certificate",
                {{"date", FormatDay(day)}, {"number", other.number()}});
  }
  return absl::OkStatus();
}

}  // namespace fadu::enforcement
