// common/rpc/wire_status.h
//
// A failure as every protocol sends it: google.rpc.Status. Knows no gRPC.
#ifndef FADU_COMMON_RPC_WIRE_STATUS_H_
#define FADU_COMMON_RPC_WIRE_STATUS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/rpc/status.pb.h"

namespace fadu::rpc {

// A failure that may leave (see Outward in status_wire.h): ErrorInfo, LocalizedMessage in
// `language`
// ("zh" or "en"), RetryInfo when busy, BadRequest when there are violations. Cut so that it fits
// into 8 KiB of metadata. Of OK: an empty message.
google::rpc::Status ToStatusProto(const absl::Status& status, absl::string_view language);

}  // namespace fadu::rpc

#endif  // FADU_COMMON_RPC_WIRE_STATUS_H_
