// services/gateway/gateway.h
//
// What happens to an HTTP request: which RPC is meant, who asks, may they so often, then the call
// to the service that owns it, and its answer or failure as HTTP. Knows descriptors and no methods.
#ifndef FADU_SERVICES_GATEWAY_GATEWAY_H_
#define FADU_SERVICES_GATEWAY_GATEWAY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/rpc/channel.h"
#include "common/rpc/identity.h"
#include "common/rpc/metrics.h"
#include "google/rpc/status.pb.h"
#include "services/gateway/domain/catalogue.h"
#include "services/gateway/domain/rate_limit.h"
#include "services/gateway/http.h"
#include "services/gateway/static_files.h"

namespace fadu::gateway {

struct GatewayOptions {
  std::vector<std::string> services;  // those that are called
  size_t max_body_bytes = 4 << 20;
  absl::Duration max_time = absl::Seconds(30);  // of one call
  RateRule user_rate{20, absl::Seconds(1)};     // each method
  RateRule client_rate{200, absl::Seconds(1)};  // each method, for departments
  // A proxy in front says in X-Forwarded-For who is behind it.
  bool behind_proxy = false;
  std::string static_folder;  // empty: none
};

// What the gateway works with. Everything outlives it.
struct GatewayParts {
  rpc::Peers& peers;
  const rpc::Verifier& verifier;
  const Clock& clock;
  IdSource& ids;
  rpc::Metrics& metrics;
};

// Thread-safe.
class Gateway final : public HttpHandler {
 public:
  // FAILED_PRECONDITION when the static files cannot be read, INTERNAL for a contract whose paths
  // are wrong.
  static absl::StatusOr<std::unique_ptr<Gateway>> Make(GatewayOptions options, GatewayParts parts);
  ~Gateway() override;

  BodyPlan Plan(const HttpHead& head) override;
  void Serve(HttpRequest request, std::shared_ptr<HttpReply> reply) override;
  HttpResponse Refuse(const HttpHead* head, int status, absl::string_view problem) override;

 private:
  struct Exchange;
  using ExchangePtr = std::shared_ptr<Exchange>;
  Gateway(GatewayOptions options, GatewayParts parts);

  void Route(const ExchangePtr& exchange);
  void ServeConnect(const ExchangePtr& exchange, const Rpc& rpc);
  void ServeRest(const ExchangePtr& exchange);
  void ServeOther(const ExchangePtr& exchange);
  // Who asks, and may they now? The failure, else OK with the exchange's bearer and actor set.
  absl::Status Admit(Exchange& exchange, const Rpc& rpc);
  // Calls the service that owns the request; empty `service`: as the request says.
  void Call(const ExchangePtr& exchange, const Rpc& rpc, std::string request);
  absl::StatusOr<std::string> ServiceOf(const Exchange& exchange, const Rpc& rpc,
                                        const google::protobuf::Message& request) const;
  void Answer(const ExchangePtr& exchange, const Rpc& rpc, const rpc::BytesReply& reply);
  void Fail(const ExchangePtr& exchange, const absl::Status& status);
  void FailWith(const ExchangePtr& exchange, int http, const google::rpc::Status& status);
  // Headers that every answer has, the log line, the metrics; then it leaves.
  void Finish(const ExchangePtr& exchange, HttpResponse response);

  const GatewayOptions options_;
  const GatewayParts parts_;
  std::unique_ptr<Catalogue> catalogue_;
  StaticFiles files_;
  RateLimiter limiter_;
};

}  // namespace fadu::gateway

#endif  // FADU_SERVICES_GATEWAY_GATEWAY_H_
