// services/gateway/domain/answer.h
//
// Failures as HTTP: one table for the 16 codes, and the two bodies in which they are told.
#ifndef FADU_SERVICES_GATEWAY_DOMAIN_ANSWER_H_
#define FADU_SERVICES_GATEWAY_DOMAIN_ANSWER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/rpc/status.pb.h"

namespace fadu::gateway {

// The HTTP status of a code, as google/rpc/code.proto has it: 400 INVALID_ARGUMENT … 504
// DEADLINE_EXCEEDED. OK is 200 and no failure is.
int HttpStatusOf(absl::StatusCode code);

// The HTTP status of a failure: what its reason says where HTTP has a word of its own (404, 405,
// 408, 413, 415, 429), else that of its code.
int HttpStatusOf(const absl::Status& status);

// The code as Connect writes it: "invalid_argument".
absl::string_view ConnectCodeOf(absl::StatusCode code);

// {"code":3,"message":…,"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo",…}]}:
// google.rpc.Status as proto3 JSON. A detail of a type that is not linked in is left out.
std::string StatusJson(const google::rpc::Status& status);

// {"code":"invalid_argument","message":…,"details":[{"type":…,"value":base64,"debug":{…}}]}.
std::string ConnectErrorJson(const google::rpc::Status& status);

// What a page shows: the text of LocalizedMessage; the message where there is none.
std::string TextOf(const google::rpc::Status& status);

}  // namespace fadu::gateway

#endif  // FADU_SERVICES_GATEWAY_DOMAIN_ANSWER_H_
