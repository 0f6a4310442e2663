// services/governance/domain/area.h
#ifndef FADU_SERVICES_GOVERNANCE_DOMAIN_AREA_H_
#define FADU_SERVICES_GOVERNANCE_DOMAIN_AREA_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace fadu::governance {

// The area of a governance record: a village or a town; else INVALID_ARGUMENT /
// REASON_FIELD_INVALID.
absl::Status CheckArea(absl::string_view area_code);

// INVALID_ARGUMENT / REASON_GOVERNANCE_DATES, saying in Chinese what is wrong.
absl::Status WrongDates(absl::string_view problem);

}  // namespace fadu::governance

#endif  // FADU_SERVICES_GOVERNANCE_DOMAIN_AREA_H_
