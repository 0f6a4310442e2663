// common/rpc/channel.h
//
// The way to another service: a channel that calls any method by descriptor name, and the peers of
// a service by name, in this process or over TCP by configuration.
#ifndef FADU_COMMON_RPC_CHANNEL_H_
#define FADU_COMMON_RPC_CHANNEL_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/call.h"
#include "common/base/clock.h"
#include "common/rpc/identity.h"
#include "common/rpc/metrics.h"

namespace fadu::rpc {

struct CallOptions {
  absl::Time deadline;      // required; of the machine's clock, as all deadlines of calls
  std::string bearer;       // identity of the caller
  std::string actor;        // bearer of the user for whom a service calls; may be empty
  std::string traceparent;  // empty: a new one is made
  std::string request_id;   // of the call, for the logs; empty: a new one is made
  std::string language = "zh";
};

// The answer to a call over bytes.
struct BytesReply {
  absl::Status status;
  std::string bytes;    // the serialised answer; only when OK
  std::string details;  // of a failure: the serialised google.rpc.Status that was sent, if any was
};

// A channel to one server. Thread-safe.
class Channel {
 public:
  // host:port, plaintext. Loopback only unless TLS is configured (later); others are refused by
  // the server at start, not here.
  static std::shared_ptr<Channel> ToAddress(absl::string_view target);
  virtual ~Channel() = default;

  // Calls `method` ("/fadu.common.v1.RecordService/GetRecord") and waits. The failure of the other
  // side comes back as it was: code, reason, metadata, violations. UNAVAILABLE /
  // REASON_UNAVAILABLE when nobody answers; DEADLINE_EXCEEDED / REASON_DEADLINE_EXCEEDED.
  virtual absl::Status Call(absl::string_view method, const google::protobuf::Message& request,
                            google::protobuf::Message* response, const CallOptions& options) = 0;

  // The same without waiting; `done` runs on a thread of the channel, or here when the call cannot
  // be made. It must not block, nor drop the last reference to the channel. `request` is copied;
  // `response` must live until `done` ran.
  virtual void CallAsync(absl::string_view method, const google::protobuf::Message& request,
                         google::protobuf::Message* response, const CallOptions& options,
                         std::function<void(absl::Status)> done) = 0;

  // The same for a request that is serialised already; nothing is parsed. UNIMPLEMENTED for a
  // channel that carries messages only (fakes in tests).
  virtual void CallBytesAsync(absl::string_view method, absl::string_view request,
                              const CallOptions& options, std::function<void(BytesReply)> done);
};

// A service's peers by name. Signs the service's own identity for each call; the user's identity,
// when there is one, goes along as `x-fadu-actor`. Thread-safe after the last Add.
class Peers {
 public:
  Peers(std::unique_ptr<Signer> signer, const Clock& clock, Metrics* metrics);
  ~Peers();
  // `service` such as "scoring".
  void Add(absl::string_view service, std::shared_ptr<Channel> channel);
  bool Has(absl::string_view service) const;

  // Calls a peer for a call that is being served: its remaining deadline and trace go along.
  // FAILED_PRECONDITION / REASON_UNAVAILABLE when there is no such peer.
  absl::Status Call(const CallContext& call, absl::string_view service, absl::string_view method,
                    const google::protobuf::Message& request, google::protobuf::Message* response);
  // Calls a peer on the service's own account, from a background task.
  absl::Status Call(absl::Time deadline, absl::string_view service, absl::string_view method,
                    const google::protobuf::Message& request, google::protobuf::Message* response);
  // Passes on what somebody else asks, in their name alone: `options` go as they are, and nothing
  // is signed, so that it gives no right that the caller lacks. `done` as for CallBytesAsync.
  void Forward(absl::string_view service, absl::string_view method, absl::string_view request,
               const CallOptions& options, std::function<void(BytesReply)> done);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fadu::rpc

#endif  // FADU_COMMON_RPC_CHANNEL_H_
