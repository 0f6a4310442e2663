// services/gateway/domain/json.h
//
// Messages as proto3 JSON, strictly: an unknown field, a field that stands twice, a wrong type are
// refused with the field's path. protobuf's own parser takes the last of two equal keys, loses the
// path inside Any, and resolves every type anew for each call (some 50 µs for a record).
#ifndef FADU_SERVICES_GATEWAY_DOMAIN_JSON_H_
#define FADU_SERVICES_GATEWAY_DOMAIN_JSON_H_

#include <string>

#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fadu::gateway {

// Objects and arrays inside each other.
inline constexpr int kMaxJsonDepth = 32;

// Reads all of `text` into `message`, which is empty. A field is named in lowerCamelCase or as in
// the proto; an enumerator by name, by its code (SETTLED for OUTCOME_SETTLED) or number; an Any
// says its type under "@type", of the generated pool, or is of `any_type` where it does not say
// one.
//
// INVALID_ARGUMENT / REASON_JSON_INVALID (position, problem): not JSON, not UTF-8, nested over 32.
// INVALID_ARGUMENT / REASON_FIELD_INVALID with one violation: unknown, twice, or a value that the
// field cannot hold. The path is in proto names, as of the limits that services check:
// record.parties[1].phone; it begins with `path`, where `message` is part of another one.
absl::Status JsonToMessage(absl::string_view text, google::protobuf::Message& message,
                           const google::protobuf::Descriptor* any_type = nullptr,
                           absl::string_view path = "");

// Sets a field from a URL: `path` names it from `message` on, through singular messages
// (update_mask, filter.area); a repeated one gets one item more. REASON_FIELD_INVALID as above.
absl::Status SetField(google::protobuf::Message& message, absl::string_view path,
                      absl::string_view text);

// Canonical proto3 JSON without white space: lowerCamelCase, 64-bit integers as strings, nothing
// for a field that is not set. `<`, `>`, `&` are escaped, so that no answer is markup.
// INTERNAL for an Any whose type is not linked in.
absl::StatusOr<std::string> MessageToJson(const google::protobuf::Message& message);

// Appends `text` as a JSON string, quotes included. What is not UTF-8 becomes U+FFFD.
void AppendJsonString(absl::string_view text, std::string& out);

}  // namespace fadu::gateway

#endif  // FADU_SERVICES_GATEWAY_DOMAIN_JSON_H_
