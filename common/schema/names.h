// common/schema/names.h
//
// Resource names: counties/{county}/{collection}/{uuid} and areas/{code}. Division codes stand
// bare, as people write them.
#ifndef FADU_COMMON_SCHEMA_NAMES_H_
#define FADU_COMMON_SCHEMA_NAMES_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/id.h"

namespace fadu {

struct RecordName {
  std::string county;      // six digits
  std::string collection;  // disputes
  Uuid id;
  std::string ToString() const;
};

// INVALID_ARGUMENT / REASON_FIELD_INVALID (field `name`) when it is not a record's name.
absl::StatusOr<RecordName> ParseRecordName(absl::string_view name);

// "counties/421221" → "421221". INVALID_ARGUMENT / REASON_FIELD_INVALID (field `parent`).
absl::StatusOr<std::string> ParseCountyName(absl::string_view name);

}  // namespace fadu

#endif  // FADU_COMMON_SCHEMA_NAMES_H_
