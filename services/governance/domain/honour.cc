#include "services/governance/domain/honour.h"

#include "common/base/civil_day.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "common/schema/village_or_town.h"
#include "fadu/governance/v1/reason.pb.h"
#include "services/governance/domain/dates.h"

namespace fadu::governance {

absl::Status DecideHonour(const v1::Honour& honour, absl::CivilDay today) {
  FADU_RETURN_IF_ERROR(CheckVillageOrTown(honour.area_code()));
  if (honour.award_date() > FormatDay(today)) return WrongDates("表彰日期在今天之后");
  if (honour.document_number().empty() && honour.announced_at().empty()) {
    return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_HONOUR_EVIDENCE,
                "an honour without evidence");
  }
  return absl::OkStatus();
}

}  // namespace fadu::governance
