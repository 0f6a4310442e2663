// common/rpc/server.h
//
// The server of one service. Every call goes through rpc::Serve (serve.cc): identity, access,
// rules, deadline, handler, status, log line, metrics; one straight line.
#ifndef FADU_COMMON_RPC_SERVER_H_
#define FADU_COMMON_RPC_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/rpc/channel.h"
#include "common/rpc/identity.h"
#include "common/rpc/metrics.h"
#include "common/rpc/service.h"

namespace fadu::rpc {

// What callers may cost.
struct ServerLimits {
  int message_bytes = 4 << 20;                  // of one request
  int metadata_bytes = 8 << 10;                 // of one call, the bearer token included
  int streams = 100;                            // calls at once on one connection
  absl::Duration deadline = absl::Seconds(30);  // longer ones are clamped; jobs may raise it
  int64_t buffer_bytes = 256 << 20;             // of requests and answers on their way
  absl::Duration connection_idle = absl::Minutes(15);
  absl::Duration connection_age = absl::Minutes(30);
};

struct ServerOptions {
  std::string name;                    // "mediation"; health name too
  std::string listen = "127.0.0.1:0";  // empty: in process only
  int running = 8;                     // handlers that may block, at once
  int waiting = 256;                   // calls that may wait for one, until their deadline
  int recording = 4096;                // recording calls in flight
  bool reflection = false;
  ServerLimits limits;
};

class Server {
 public:
  // FAILED_PRECONDITION in one sentence: a service is not complete, the address is taken (ports are
  // never shared), or a listener that is not loopback has no TLS.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options,
                                                       const std::vector<const Service*>& services,
                                                       const Verifier& verifier, const Clock& clock,
                                                       IdSource& ids, Metrics& metrics);
  virtual ~Server() = default;

  // The port bound; 0 when in process only.
  virtual int port() const = 0;
  // A channel that needs no port.
  virtual std::shared_ptr<Channel> InProcess() = 0;
  // Health says NOT_SERVING, new calls are refused, running ones get `grace`, then are cancelled.
  virtual void Drain(absl::Duration grace) = 0;
};

// OK for a loopback address of the form host:port; FAILED_PRECONDITION in one sentence otherwise,
// as there is no TLS.
absl::Status CheckListen(absl::string_view listen);

}  // namespace fadu::rpc

#endif  // FADU_COMMON_RPC_SERVER_H_
