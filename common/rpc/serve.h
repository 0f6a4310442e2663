// common/rpc/serve.h
//
// What happens to every call, in one straight line. Knows no gRPC: server.cc brings the bytes and
// takes the answer.
#ifndef FADU_COMMON_RPC_SERVE_H_
#define FADU_COMMON_RPC_SERVE_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/rpc/executor.h"
#include "common/rpc/identity.h"
#include "common/rpc/metrics.h"
#include "common/rpc/server.h"
#include "common/rpc/service.h"

namespace fadu::rpc {

// What Serve needs of its server. Outlives every call that is not finished.
struct ServeParts {
  const ServerOptions options;
  const Verifier& verifier;
  const Clock& clock;
  IdSource& ids;
  Metrics& metrics;
  Executor executor{options.running, options.waiting};
  // Recording calls in flight; shared_ptr: gauges may read it after the server is gone.
  const std::shared_ptr<std::atomic<int>> recording = std::make_shared<std::atomic<int>>(0);
  std::atomic<bool> draining{false};
};

// A method as one server serves it: what would otherwise be looked up for each call.
struct Endpoint {
  Endpoint(const Method& served, const ServerOptions& options, Metrics& metrics);
  const Method& method;
  const std::string name;  // "fadu.common.v1.RecordService/GetRecord", for logs and metrics
  const google::protobuf::Message& request;  // an empty one
  CallMeter& meter;
};

// What a call brought along, before anything of it is believed: values of metadata as they came,
// empty where there was none.
struct Arrival {
  std::string authorization;
  std::string actor;
  std::string request_id;
  std::string traceparent;
  std::string language;                          // accept-language
  absl::Time deadline = absl::InfiniteFuture();  // of the machine's clock; infinite: none given
  // Parses the request; false when the bytes are no such message. Called at most once, before
  // Serve returns.
  std::function<bool(google::protobuf::Message&)> read;
};

// The answer to a call.
struct Reply {
  absl::Status status;                                  // as Outward left it
  std::shared_ptr<google::protobuf::Message> response;  // only when OK; shared with the handler
  std::string request_id;
  std::string language;  // "zh" or "en"
};

// Sends the answer; called exactly once, from any thread.
using Send = std::function<void(Reply)>;

// Serves one call: who? may they? time left? well-formed? admitted? then the handler, the status,
// a log line and the metrics. The handler's context and request live as long as its `Done`.
//
// A handler that throws is INTERNAL. So is one that lets its last `Done` go uncalled. A second
// call of `Done` is logged once and ignored.
void Serve(ServeParts& parts, const Endpoint& endpoint, const Arrival& arrival, Send send);

}  // namespace fadu::rpc

#endif  // FADU_COMMON_RPC_SERVE_H_
