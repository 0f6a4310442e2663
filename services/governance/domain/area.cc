#include "services/governance/domain/area.h"

#include <string>

#include "common/base/area_code.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"
#include "fadu/governance/v1/reason.pb.h"

namespace fadu::governance {

absl::Status CheckArea(absl::string_view area_code) {
  const AreaLevel level = LevelOf(area_code);
  if (level == AreaLevel::kVillage || level == AreaLevel::kTown) return absl::OkStatus();
  constexpr char kProblem[] = "应为村（社区）12位或乡镇9位区划代码";
  return Fail(absl::StatusCode::kInvalidArgument, ::fadu::common::v1::REASON_FIELD_INVALID,
              "governance is recorded for a village or a town",
              {{"field", "area_code"}, {"problem", kProblem}}, {{"area_code", kProblem}});
}

absl::Status WrongDates(absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_GOVERNANCE_DATES, "dates out of order",
              {{"problem", std::string(problem)}});
}

}  // namespace fadu::governance
