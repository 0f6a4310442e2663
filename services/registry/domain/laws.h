// services/registry/domain/laws.h
//
// What must hold of the registry's records beyond the limits of their fields.
#ifndef FADU_SERVICES_REGISTRY_DOMAIN_LAWS_H_
#define FADU_SERVICES_REGISTRY_DOMAIN_LAWS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "fadu/registry/v1/records.pb.h"

namespace fadu::registry {

// 18 characters of GB 32100-2015 with the right check character.
bool IsUscc(absl::string_view code);

// INVALID_ARGUMENT / REASON_USCC_INVALID.
absl::Status CheckOrganisation(const v1::Organisation& organisation);

// INVALID_ARGUMENT / REASON_PERSON_DATES: the end is before the start.
absl::Status CheckPerson(const v1::Person& person);

// INVALID_ARGUMENT / REASON_DENOMINATOR_YEAR: a figure of the last day of a year serves the next,
// one made up after a year serves that year; further off is a slip of the pen.
absl::Status CheckDenominator(const v1::Denominator& denominator);

}  // namespace fadu::registry

#endif  // FADU_SERVICES_REGISTRY_DOMAIN_LAWS_H_
