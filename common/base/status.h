// common/base/status.h
//
// Failures: absl::Status that carries a reason for programs, metadata for texts, and the fields
// that are wrong. Status is the only error in Fadu; no exception leaves the function that
// caught it.
#ifndef FADU_COMMON_BASE_STATUS_H_
#define FADU_COMMON_BASE_STATUS_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/optimization.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fadu {

// One field that is wrong, for google.rpc.BadRequest.
struct FieldViolation {
  std::string field;        // dotted path from the request's root
  std::string description;  // Chinese, one clause: 不能为空
};

// What travels inside an absl::Status beside code and message.
struct ErrorDetail {
  std::string domain;  // "fadu.common.v1": the package of the reason's enum
  std::string reason;  // "REASON_ETAG_MISMATCH"
  std::map<std::string, std::string> metadata;
  std::vector<FieldViolation> violations;
};

using Metadata = std::map<std::string, std::string>;

// A failure with a detail. `message` is English, for an operator; it must not hold personal data.
absl::Status MakeError(absl::StatusCode code, ErrorDetail detail, absl::string_view message);

// The detail of a failure; an empty one when it carries none.
ErrorDetail DetailOf(const absl::Status& status);

// The reason alone: "REASON_ETAG_MISMATCH", or "" when there is none.
std::string ReasonOf(const absl::Status& status);

// The same failure with one more metadata value; OK stays OK.
absl::Status WithMetadata(const absl::Status& status, absl::string_view key,
                          absl::string_view value);

// What only our own mistake can cause, never input. Logs the message; aborts when the program
// runs with FADU_BUG_ABORT=1 in the environment (tests do), else returns INTERNAL.
absl::Status Bug(const char* file, int line, absl::string_view message);
#define FADU_BUG(message) ::fadu::Bug(__FILE__, __LINE__, (message))

}  // namespace fadu

#define FADU_STATUS_CONCAT_INNER_(a, b) a##b
#define FADU_STATUS_CONCAT_(a, b) FADU_STATUS_CONCAT_INNER_(a, b)

#define FADU_RETURN_IF_ERROR_IMPL_(tmp, expr)                                   \
  do {                                                                          \
    if (::absl::Status tmp = (expr); ABSL_PREDICT_FALSE(!tmp.ok())) return tmp; \
  } while (false)

// Returns from the function when `expr` is not OK. May stand in a lambda inside `expr`.
#define FADU_RETURN_IF_ERROR(expr) \
  FADU_RETURN_IF_ERROR_IMPL_(FADU_STATUS_CONCAT_(fadu_status_, __COUNTER__), expr)

#define FADU_ASSIGN_OR_RETURN_IMPL_(tmp, lhs, expr)       \
  auto tmp = (expr);                                      \
  if (ABSL_PREDICT_FALSE(!tmp.ok())) return tmp.status(); \
  lhs = *std::move(tmp)

// Assigns the value of a StatusOr to `lhs`, or returns its failure.
#define FADU_ASSIGN_OR_RETURN(lhs, expr) \
  FADU_ASSIGN_OR_RETURN_IMPL_(FADU_STATUS_CONCAT_(fadu_statusor_, __COUNTER__), lhs, expr)

#endif  // FADU_COMMON_BASE_STATUS_H_
