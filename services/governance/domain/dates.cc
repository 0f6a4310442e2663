#include "services/governance/domain/dates.h"

#include <string>

#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/governance/v1/reason.pb.h"

namespace fadu::governance {

absl::Status WrongDates(absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_GOVERNANCE_DATES, "dates out of order",
              {{"problem", std::string(problem)}});
}

}  // namespace fadu::governance
