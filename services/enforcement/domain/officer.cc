#include "services/enforcement/domain/officer.h"

#include <string>

#include "common/base/civil_day.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "common/schema/village_or_town.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/enforcement/v1/reason.pb.h"

namespace fadu::enforcement {
namespace {

absl::Status Dates(absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_OFFICER_DATES, "dates out of order",
              {{"problem", std::string(problem)}});
}

}  // namespace

v1::OfficerState StateOf(const v1::EnforcementOfficer& officer) {
  if (!officer.left_date().empty()) return v1::OFFICER_STATE_LEFT;
  const bool passed = !officer.general_exam_date().empty() && !officer.special_exam_date().empty();
  return passed ? v1::OFFICER_STATE_QUALIFIED : v1::OFFICER_STATE_CANDIDATE;
}

bool MayBeQualified(v1::StaffKind kind) {
  return kind == v1::STAFF_KIND_CIVIL_SERVANT || kind == v1::STAFF_KIND_PUBLIC_INSTITUTION;
}

// ISO dates compare as texts; Rules have checked their form.
absl::Status DecideOfficer(v1::EnforcementOfficer& officer, absl::CivilDay today) {
  FADU_RETURN_IF_ERROR(CheckVillageOrTown(officer.area_code()));
  const std::string now = FormatDay(today);
  if (officer.posted_date() > now) return Dates("上岗日期在今天之后");
  if (officer.general_exam_date() > now || officer.special_exam_date() > now) {
    return Dates("考试合格日期在今天之后");
  }
  if (!officer.left_date().empty()) {
    if (officer.left_date() < officer.posted_date()) return Dates("离岗日期早于上岗日期");
    if (officer.left_date() > now) return Dates("离岗日期在今天之后");
  }
  const bool examined =
      !officer.general_exam_date().empty() || !officer.special_exam_date().empty();
  if (examined && !MayBeQualified(officer.staff_kind())) {
    const auto& label = v1::StaffKind_descriptor()
                            ->FindValueByNumber(officer.staff_kind())
                            ->options()
                            .GetExtension(::fadu::common::v1::label);
    return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_STAFF_INELIGIBLE,
                "only formal staff can be qualified", {{"staff", label.zh()}});
  }
  officer.set_state(StateOf(officer));
  return absl::OkStatus();
}

absl::Status DecideTraining(const v1::OfficerTraining& training, absl::CivilDay today) {
  FADU_RETURN_IF_ERROR(CheckVillageOrTown(training.area_code()));
  return training.held_date() > FormatDay(today) ? Dates("培训日期在今天之后") : absl::OkStatus();
}

}  // namespace fadu::enforcement
