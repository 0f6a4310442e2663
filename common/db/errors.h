// common/db/errors.h
//
// What a SQLSTATE means for us (S-17). Driver text stops here: it goes to the log, never on.
#ifndef FADU_COMMON_DB_ERRORS_H_
#define FADU_COMMON_DB_ERRORS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace fadu::db {

enum class ErrorClass {
  kRetry,           // 40001, 40P01, 55P03: try the transaction again
  kUnique,          // 23505
  kConstraint,      // the other 23xxx
  kData,            // 22xxx: the value does not fit
  kTimeout,         // 57014
  kOutcomeUnknown,  // 08xxx, 57Pxx, XX000, no SQLSTATE: the connection is gone
  kResource,        // 53xxx: disk full, too many connections, out of memory
  kBug,             // 42xxx and the rest: our mistake, or a missing migration
};

ErrorClass ClassOf(absl::string_view sqlstate);

// The failure for a SQLSTATE, with metadata `constraint` (a trailing shard number stripped:
// case_no_key_102068 → case_no_key) where there is one. `detail` is never returned; its first line
// is logged, unless the class is one whose texts quote values.
//   kRetry ABORTED/REASON_CONFLICT · kUnique ALREADY_EXISTS/REASON_ALREADY_EXISTS · kConstraint,
//   kData INVALID_ARGUMENT/REASON_DATA_REFUSED · kTimeout
//   DEADLINE_EXCEEDED/REASON_DEADLINE_EXCEEDED · kOutcomeUnknown UNAVAILABLE/REASON_UNAVAILABLE
//   (outcome=unknown) · kResource RESOURCE_EXHAUSTED/REASON_OVERLOADED · kBug
//   INTERNAL/REASON_INTERNAL
absl::Status ErrorOf(absl::string_view sqlstate, absl::string_view constraint,
                     absl::string_view statement, absl::string_view detail);

}  // namespace fadu::db

#endif  // FADU_COMMON_DB_ERRORS_H_
