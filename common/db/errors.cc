#include "common/db/errors.h"

#include "absl/strings/match.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"

namespace fadu::db {
namespace {

namespace v1 = ::fadu::common::v1;

// Citus names constraints of shards: case_no_key_102068.
std::string WithoutShard(absl::string_view constraint) {
  const size_t last = constraint.find_last_not_of("0123456789");
  if (last != absl::string_view::npos && last + 1 < constraint.size() && constraint[last] == '_') {
    constraint = constraint.substr(0, last);
  }
  return std::string(constraint);
}

// What of the driver's text may stand in the log: its first line, and nothing where that quotes
// values. DETAIL lines quote rows, LINE lines quote statements.
absl::string_view Loggable(ErrorClass error_class, absl::string_view detail) {
  switch (error_class) {
    case ErrorClass::kUnique:
    case ErrorClass::kConstraint:
    case ErrorClass::kData:
      return "";
    case ErrorClass::kRetry:
    case ErrorClass::kTimeout:
    case ErrorClass::kOutcomeUnknown:
    case ErrorClass::kResource:
    case ErrorClass::kBug:
      return detail.substr(0, detail.find('\n'));
  }
  return "";
}

}  // namespace

ErrorClass ClassOf(absl::string_view sqlstate) {
  if (sqlstate == "40001" || sqlstate == "40P01" || sqlstate == "55P03") return ErrorClass::kRetry;
  if (sqlstate == "23505") return ErrorClass::kUnique;
  if (absl::StartsWith(sqlstate, "23")) return ErrorClass::kConstraint;
  if (absl::StartsWith(sqlstate, "22")) return ErrorClass::kData;
  if (sqlstate == "57014") return ErrorClass::kTimeout;
  if (sqlstate.empty() || absl::StartsWith(sqlstate, "08") || absl::StartsWith(sqlstate, "57P") ||
      sqlstate == "XX000") {
    return ErrorClass::kOutcomeUnknown;
  }
  if (absl::StartsWith(sqlstate, "53")) return ErrorClass::kResource;
  return ErrorClass::kBug;
}

absl::Status ErrorOf(absl::string_view sqlstate, absl::string_view constraint,
                     absl::string_view statement, absl::string_view detail) {
  const ErrorClass error_class = ClassOf(sqlstate);
  const LogLevel level = error_class == ErrorClass::kBug ? LogLevel::kError : LogLevel::kWarning;
  Log(level, "database error",
      {{"statement", statement},
       {"sqlstate", sqlstate},
       {"constraint", constraint},
       {"detail", Loggable(error_class, detail)}});
  Metadata metadata;
  if (!constraint.empty()) {
    metadata["constraint"] = WithoutShard(constraint);
    metadata["what"] = metadata["constraint"];
  }
  switch (error_class) {
    case ErrorClass::kRetry:
      return Fail(absl::StatusCode::kAborted, v1::REASON_CONFLICT, "lost a race");
    case ErrorClass::kUnique:
      return Fail(absl::StatusCode::kAlreadyExists, v1::REASON_ALREADY_EXISTS,
                  "a unique key is taken", metadata);
    case ErrorClass::kConstraint:
    case ErrorClass::kData:
      return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_DATA_REFUSED,
                  "the database refused the data", metadata);
    case ErrorClass::kTimeout:
      return Fail(absl::StatusCode::kDeadlineExceeded, v1::REASON_DEADLINE_EXCEEDED,
                  "the statement took longer than the call had");
    case ErrorClass::kOutcomeUnknown:
      return Fail(absl::StatusCode::kUnavailable, v1::REASON_UNAVAILABLE,
                  "the database does not answer", {{"outcome", "unknown"}});
    case ErrorClass::kResource:
      return Fail(absl::StatusCode::kResourceExhausted, v1::REASON_OVERLOADED,
                  "the database is out of a resource");
    case ErrorClass::kBug:
      return Fail(absl::StatusCode::kInternal, v1::REASON_INTERNAL, "a statement of ours failed");
  }
  return absl::InternalError("unreachable");
}

}  // namespace fadu::db
