// common/schema/rules.h
//
// The limits that the contract states, checked in one place for server, CLI and importer.
#ifndef FADU_COMMON_SCHEMA_RULES_H_
#define FADU_COMMON_SCHEMA_RULES_H_

#include <vector>

#include <google/protobuf/io/zero_copy_stream.h>
#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/base/status.h"

namespace fadu {

// Every field of `message`, at any depth (32 at most), that breaks its Rules: missing, too long,
// too many, out of range, not of its format, an enum value unknown or UNSPECIFIED where required,
// text that is not UTF-8 or holds U+0000. Any payloads are not entered. Descriptions are Chinese
// clauses ("不能为空"); at most 100.
std::vector<FieldViolation> FindViolations(const google::protobuf::Message& message);

// OK, or INVALID_ARGUMENT / REASON_FIELD_INVALID with all violations; metadata `field` and
// `problem` are those of the first. `prefix` stands before every path ("record").
absl::Status CheckRules(const google::protobuf::Message& message, absl::string_view prefix = "");

// Parses all of `input`; false when it is no such message, or nested more than 32 deep.
bool ParseBounded(google::protobuf::io::ZeroCopyInputStream& input,
                  google::protobuf::Message& message);
bool ParseBounded(absl::string_view bytes, google::protobuf::Message& message);

// OK, or INVALID_ARGUMENT / REASON_FIELD_INVALID naming the place of a field that this program does
// not know: it would be stored past every rule, and what it holds past every class. A field of
// another type than the contract's is one. For what callers sent, not for what is stored. Any
// payloads are not entered.
absl::Status CheckKnown(const google::protobuf::Message& message, absl::string_view prefix = "");

}  // namespace fadu

#endif  // FADU_COMMON_SCHEMA_RULES_H_
