// common/schema/village_or_town.h
//
// Where the records of villages and towns may lie; one rule for every type that has it.
#ifndef FADU_COMMON_SCHEMA_VILLAGE_OR_TOWN_H_
#define FADU_COMMON_SCHEMA_VILLAGE_OR_TOWN_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace fadu {

// OK for the code of a village (12 digits) or a town (9); else INVALID_ARGUMENT /
// REASON_FIELD_INVALID with a violation of `area_code`.
absl::Status CheckVillageOrTown(absl::string_view area_code);

}  // namespace fadu

#endif  // FADU_COMMON_SCHEMA_VILLAGE_OR_TOWN_H_
