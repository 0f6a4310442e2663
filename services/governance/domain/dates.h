// services/governance/domain/dates.h
#ifndef FADU_SERVICES_GOVERNANCE_DOMAIN_DATES_H_
#define FADU_SERVICES_GOVERNANCE_DOMAIN_DATES_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace fadu::governance {

// INVALID_ARGUMENT / REASON_GOVERNANCE_DATES, saying in Chinese what is wrong.
absl::Status WrongDates(absl::string_view problem);

}  // namespace fadu::governance

#endif  // FADU_SERVICES_GOVERNANCE_DOMAIN_DATES_H_
