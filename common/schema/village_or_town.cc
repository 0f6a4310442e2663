#include "common/schema/village_or_town.h"

#include "common/base/area_code.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"

namespace fadu {

absl::Status CheckVillageOrTown(absl::string_view area_code) {
  if (IsAreaCode(area_code)) {
    const AreaLevel level = LevelOf(area_code);
    if (level == AreaLevel::kVillage || level == AreaLevel::kTown) return absl::OkStatus();
  }
  constexpr char kProblem[] = "应为村（社区）12位或乡镇9位区划代码";
  return Fail(absl::StatusCode::kInvalidArgument, common::v1::REASON_FIELD_INVALID,
              "the record is of a village or a town",
              {{"field", "area_code"}, {"problem", kProblem}}, {{"area_code", kProblem}});
}

}  // namespace fadu
