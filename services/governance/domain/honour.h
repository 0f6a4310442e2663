// services/governance/domain/honour.h
#ifndef FADU_SERVICES_GOVERNANCE_DOMAIN_HONOUR_H_
#define FADU_SERVICES_GOVERNANCE_DOMAIN_HONOUR_H_

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "fadu/governance/v1/honour.pb.h"

namespace fadu::governance {

// Decides whether an honour may be recorded on `today`. It is an asserted figure: whoever checks it
// must find where it was given.
//
// INVALID_ARGUMENT / REASON_FIELD_INVALID       the area is neither a village nor a town
// INVALID_ARGUMENT / REASON_GOVERNANCE_DATES    given after `today`
// INVALID_ARGUMENT / REASON_HONOUR_EVIDENCE     neither a document number nor an announcement
absl::Status DecideHonour(const v1::Honour& honour, absl::CivilDay today);

}  // namespace fadu::governance

#endif  // FADU_SERVICES_GOVERNANCE_DOMAIN_HONOUR_H_
