#include "services/gateway/module.h"

#include <memory>
#include <utility>

#include "common/base/status.h"
#include "common/rpc/identity.h"
#include "services/gateway/gateway.h"
#include "services/gateway/http_server.h"

namespace fadu::gateway {
namespace {

constexpr char kName[] = "gateway";

HttpServerOptions ServerOptions(const fadu::config::v1::GatewayConfig& config) {
  HttpServerOptions options;
  if (!config.listen().empty()) options.listen = config.listen();
  if (config.threads() > 0) options.threads = config.threads();
  if (config.max_connections() > 0) options.max_connections = config.max_connections();
  if (config.header_seconds() > 0) options.head_time = absl::Seconds(config.header_seconds());
  if (config.body_seconds() > 0) options.body_time = absl::Seconds(config.body_seconds());
  return options;
}

GatewayOptions OptionsOf(const ModuleOptions& module) {
  GatewayOptions options;
  options.services = module.services;
  options.behind_proxy = module.config.behind_proxy();
  options.static_folder = module.config.static_folder();
  if (module.config.user_calls_per_second() > 0) {
    options.user_rate.calls = module.config.user_calls_per_second();
  }
  if (module.config.client_calls_per_second() > 0) {
    options.client_rate.calls = module.config.client_calls_per_second();
  }
  return options;
}

class GatewayModule final : public host::RunningModule {
 public:
  static absl::StatusOr<std::unique_ptr<host::RunningModule>> Start(
      const ModuleOptions& options, const host::ModuleContext& context) {
    auto module = std::make_unique<GatewayModule>();
    module->drain_ = options.drain;
    FADU_ASSIGN_OR_RETURN(module->verifier_, rpc::Verifier::Load(context.keys_folder));
    FADU_ASSIGN_OR_RETURN(module->gateway_,
                          Gateway::Make(OptionsOf(options),
                                        GatewayParts{context.peers, *module->verifier_,
                                                     context.clock, context.ids, context.metrics}));
    FADU_ASSIGN_OR_RETURN(module->server_,
                          HttpServer::Listen(ServerOptions(options.config), *module->gateway_));
    HttpServer* server = module->server_.get();
    const auto gauge = [&](absl::string_view name, absl::string_view help, auto read) {
      context.metrics.Gauge(name, help, {},
                            [server, read] { return static_cast<double>(read(server->state())); });
    };
    gauge("fadu_http_connections", "Open HTTP connections.",
          [](const HttpServerState& state) { return state.connections; });
    gauge("fadu_http_streams", "Event streams that go on.",
          [](const HttpServerState& state) { return state.streams; });
    gauge("fadu_http_held_bytes", "Bytes of request bodies held.",
          [](const HttpServerState& state) { return state.held_bytes; });
    return module;
  }

  std::vector<const rpc::Service*> services() const override { return {}; }
  int http_port() const override { return server_->port(); }
  void StartBackground() override { server_->Start(); }
  void StopBackground() override { server_->Drain(drain_); }

 private:
  absl::Duration drain_;
  std::unique_ptr<rpc::Verifier> verifier_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<HttpServer> server_;  // last: it serves through the gateway
};

}  // namespace

host::Module MakeModule(ModuleOptions options) {
  host::Module module;
  module.name = kName;
  module.peers = options.services;
  module.start = [options = std::move(options)](const host::ModuleContext& context) {
    return GatewayModule::Start(options, context);
  };
  return module;
}

}  // namespace fadu::gateway
