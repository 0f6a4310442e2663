// common/rpc/metrics.h
//
// Prometheus: one registry and one exposer per process, RED metrics per RPC by gRFC A66 names.
#ifndef FADU_COMMON_RPC_METRICS_H_
#define FADU_COMMON_RPC_METRICS_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace fadu::rpc {

// The calls of one method of a server: grpc_server_call_started_total,
// grpc_server_call_duration_seconds{grpc_method, grpc_status} and, by service and status,
// fadu_calls_failed_total. Thread-safe.
class CallMeter {
 public:
  virtual ~CallMeter() = default;
  virtual void Started() = 0;
  virtual void Finished(absl::StatusCode code, absl::Duration duration) = 0;
};

// Thread-safe. Labels are of bounded sets only: never an area, a name or an id.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  // The meter of a method, fully qualified without leading slash; lives as long as Metrics. From
  // here on its series are there at zero, and those of the service's failures, so that rate() sees
  // the first call and the first failure too.
  CallMeter& Meter(absl::string_view service, absl::string_view method);
  // A finished attempt to a peer: grpc_client_attempt_duration_seconds.
  void ClientCallFinished(absl::string_view method, absl::StatusCode code, absl::Duration duration);
  // An answered HTTP request: http_server_request_duration_seconds{http_route, http_status}.
  // `route` is of a bounded set (a method, or a kind of path), never the path itself.
  void HttpRequestFinished(absl::string_view route, int status, absl::Duration duration);
  // A gauge read at each scrape: fadu_db_pool_in_use{service="mediation"}. Registered once; the
  // reader must stay valid as long as Metrics.
  void Gauge(absl::string_view name, absl::string_view help,
             std::map<std::string, std::string> labels, std::function<double()> read);
  // A counter that somebody else keeps, read at each scrape like a gauge; it never falls.
  void CounterOf(absl::string_view name, absl::string_view help,
                 std::map<std::string, std::string> labels, std::function<double()> read);
  // A counter: created at 0 on first mention.
  void Count(absl::string_view name, absl::string_view help,
             std::map<std::string, std::string> labels, double by = 1);

  // Serves /metrics on `address` ("127.0.0.1:0" picks a port). Returns the port.
  // FAILED_PRECONDITION when the address cannot be bound.
  absl::StatusOr<int> Expose(absl::string_view address);
  // The text exposition, as /metrics would give it.
  std::string Scrape() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fadu::rpc

#endif  // FADU_COMMON_RPC_METRICS_H_
