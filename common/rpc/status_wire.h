// common/rpc/status_wire.h
//
// absl::Status and what travels: a gRPC status with google.rpc.Status in its details.
#ifndef FADU_COMMON_RPC_STATUS_WIRE_H_
#define FADU_COMMON_RPC_STATUS_WIRE_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace fadu::rpc {

// What may leave of a failure: a code that Fadu sends, and always a reason. INTERNAL, and what is
// our bug by its code, becomes "internal error, request <id>" with nothing else; its real message
// is for the log. OK stays OK.
absl::Status Outward(const absl::Status& status, absl::string_view request_id);

// A failure that went through Outward as gRPC sends it: ErrorInfo, BadRequest when there are
// violations, LocalizedMessage in `language` ("zh" or "en"), RetryInfo when busy. Cut so that it
// fits into 8 KiB of metadata, which is what clients accept.
grpc::Status ToWire(const absl::Status& status, absl::string_view language);

// What came back: code, message, reason, metadata, violations as they were sent. Failures of
// gRPC's own, which carry no detail, get the reason that fits.
absl::Status FromWire(const grpc::Status& status);

}  // namespace fadu::rpc

#endif  // FADU_COMMON_RPC_STATUS_WIRE_H_
