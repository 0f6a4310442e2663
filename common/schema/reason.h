// common/schema/reason.h
//
// Failures from the reasons of a contract: Fail(code, v1::REASON_…, "english", {metadata}).
#ifndef FADU_COMMON_SCHEMA_REASON_H_
#define FADU_COMMON_SCHEMA_REASON_H_

#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/generated_enum_reflection.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/base/status.h"

namespace fadu {

// A failure whose reason is an enumerator of a service's (or the common) Reason enum.
template <typename ReasonEnum>
absl::Status Fail(absl::StatusCode code, ReasonEnum reason, absl::string_view message,
                  Metadata metadata = {}, std::vector<FieldViolation> violations = {}) {
  const auto* descriptor = google::protobuf::GetEnumDescriptor<ReasonEnum>();
  return MakeError(
      code,
      ErrorDetail{descriptor->file()->package(), descriptor->FindValueByNumber(reason)->name(),
                  std::move(metadata), std::move(violations)},
      message);
}

// The text for people in `language` ("zh" or "en"), made from the reason's label and the
// metadata; the message itself when the reason is unknown. Looks in the generated pool.
std::string LocalizedText(const absl::Status& status, absl::string_view language);

}  // namespace fadu

#endif  // FADU_COMMON_SCHEMA_REASON_H_
