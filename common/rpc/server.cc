#include "common/rpc/server.h"

#include <list>
#include <mutex>
#include <utility>

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/server_builder_option.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/rpc/gate.h"
#include "common/rpc/grpc_channel.h"
#include "common/rpc/serve.h"
#include "common/rpc/status_wire.h"

namespace fadu::rpc {
namespace {

constexpr int kMaxMetadataBytes = 8 << 10;
constexpr int kMaxStreamsPerConnection = 100;

// One value of metadata; empty when it is absent. Two become one with a comma between, as HTTP has
// it, which no token and no id is.
std::string ValueOf(const grpc::CallbackServerContext& context, const char* key) {
  std::vector<absl::string_view> values;
  const auto [first, last] = context.client_metadata().equal_range(key);
  for (auto it = first; it != last; ++it) values.emplace_back(it->second.data(), it->second.size());
  return absl::StrJoin(values, ",");
}

Arrival ArrivalOf(const grpc::CallbackServerContext& context, const grpc::ByteBuffer& request) {
  Arrival arrival;
  arrival.authorization = ValueOf(context, "authorization");
  arrival.actor = ValueOf(context, "x-fadu-actor");
  arrival.request_id = ValueOf(context, "x-request-id");
  arrival.traceparent = ValueOf(context, "traceparent");
  arrival.language = ValueOf(context, "accept-language");
  if (context.deadline() != std::chrono::system_clock::time_point::max()) {
    arrival.deadline = absl::FromChrono(context.deadline());
  }
  arrival.read = [&request](google::protobuf::Message& message) {
    grpc::ByteBuffer bytes(request);  // shares the slices
    return grpc::GenericDeserialize<grpc::ProtoBufferReader, google::protobuf::Message>(&bytes,
                                                                                        &message)
        .ok();
  };
  return arrival;
}

// One call as gRPC sees it. gRPC calls OnDone when the answer has left or the caller is gone.
class Reactor final : public grpc::ServerUnaryReactor {
 public:
  explicit Reactor(Gate& calls) : calls_(calls), entered_(calls.Enter()) {}
  void OnDone() override {
    if (entered_) calls_.Leave();
    delete this;
  }

 private:
  Gate& calls_;
  const bool entered_;
};

// What protoc's plugin would generate for one service, for any service: each method a raw callback
// over bytes.
class Host final : public grpc::Service {
 public:
  Host(ServeParts& parts, Gate& calls, const rpc::Service& service) {
    for (const Method& method : service.methods()) {
      // gRPC keeps the pointers, so the lists keep what they point to.
      const Endpoint& endpoint = endpoints_.emplace_back(method, parts.options, parts.metrics);
      paths_.push_back(absl::StrCat("/", endpoint.name));
      AddMethod(new grpc::internal::RpcServiceMethod(
          paths_.back().c_str(), grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
      const auto receive = [&parts, &calls, &endpoint](grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request,
                                                       grpc::ByteBuffer* response) {
        auto* reactor = new Reactor(calls);
        Serve(parts, endpoint, ArrivalOf(*context, *request),
              [context, reactor, response](const Reply& reply) {
                Answer(*context, *reactor, *response, reply);
              });
        return reactor;
      };
      MarkMethodRawCallback(
          static_cast<int>(paths_.size()) - 1,
          new grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>(receive));
    }
  }

 private:
  // `context`, `reactor` and `response` are gRPC's and gone once Finish was called.
  static void Answer(grpc::CallbackServerContext& context, grpc::ServerUnaryReactor& reactor,
                     grpc::ByteBuffer& response, const Reply& reply) {
    context.AddTrailingMetadata("x-request-id", reply.request_id);
    if (!reply.status.ok()) return reactor.Finish(ToWire(reply.status, reply.language));
    bool own = false;
    reactor.Finish(grpc::GenericSerialize<grpc::ProtoBufferWriter, google::protobuf::Message>(
        *reply.response, &response, &own));
  }

  std::list<Endpoint> endpoints_;
  std::list<std::string> paths_;
};

// Reflection on or off, for one server. Linking grpc++_reflection switches it on for every server
// of the process, so that it has to be taken out where it is not wanted.
class Reflection final : public grpc::ServerBuilderOption {
 public:
  explicit Reflection(bool on) : on_(on) {}
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    const std::string name = grpc::reflection::ProtoServerReflectionPlugin().name();
    std::erase_if(*plugins, [&name](const auto& plugin) { return plugin->name() == name; });
    if (on_) plugins->push_back(std::make_unique<grpc::reflection::ProtoServerReflectionPlugin>());
  }

 private:
  const bool on_;
};

// The host of "host:port" or "[host]:port"; empty when it is neither.
absl::string_view HostOf(absl::string_view address) {
  const size_t colon = address.rfind(':');
  int port = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(address.substr(colon + 1), &port)) {
    return absl::string_view();
  }
  return address.substr(0, colon);
}

bool IsLoopback(absl::string_view host) {
  if (host == "localhost" || host == "[::1]") return true;
  const std::vector<absl::string_view> parts = absl::StrSplit(host, '.');
  if (parts.size() != 4 || parts[0] != "127") return false;
  for (const absl::string_view part : parts) {
    int number = 0;
    if (!absl::SimpleAtoi(part, &number) || number < 0 || number > 255) return false;
  }
  return true;
}

class RealServer final : public Server {
 public:
  RealServer(const ServerOptions& options, const Verifier& verifier, const Clock& clock,
             IdSource& ids, Metrics& metrics)
      : parts_{options, verifier, clock, ids, metrics} {}

  ~RealServer() override { RealServer::Drain(absl::ZeroDuration()); }

  absl::Status Listen(const std::vector<const Service*>& services) {
    grpc::EnableDefaultHealthCheckService(true);
    const ServerOptions& options = parts_.options;
    grpc::ServerBuilder builder;
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
    builder.SetMaxReceiveMessageSize(options.max_message_bytes);
    builder.SetOption(std::make_unique<Reflection>(options.reflection));
    if (!options.listen.empty()) {
      builder.AddListeningPort(options.listen, grpc::InsecureServerCredentials(), &port_);
    }
    for (const Service* service : services) {
      hosts_.push_back(std::make_unique<Host>(parts_, calls_, *service));
      builder.RegisterService(hosts_.back().get());
    }
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || (port_ == 0 && !options.listen.empty())) {
      return absl::FailedPreconditionError(
          absl::StrCat("cannot listen on ", options.listen, ": taken or not an address of ours"));
    }
    Measure();
    grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService();
    health->SetServingStatus("", true);
    health->SetServingStatus(options.name, true);
    for (const Service* service : services) {
      health->SetServingStatus(service->descriptor()->full_name(), true);
    }
    return absl::OkStatus();
  }

  int port() const override { return port_; }

  std::shared_ptr<Channel> InProcess() override {
    return NewGrpcChannel(server_->InProcessChannel(ChannelArgumentsOf()), doors_);
  }

  void Drain(absl::Duration grace) override {
    std::call_once(drained_, [this, grace] {
      if (server_ == nullptr) return;
      server_->GetHealthCheckService()->SetServingStatus(false);
      parts_.draining = true;
      const absl::Time until = absl::Now() + grace;
      parts_.executor.Close(until);
      calls_.Close(until);
      doors_->Close(absl::InfiniteFuture());
      server_->Shutdown(absl::ToChronoTime(until));
    });
  }

 private:
  // How full the server is.
  void Measure() {
    const ServerOptions& options = parts_.options;
    const auto gauges = [&](const char* kind, int limit, std::function<double()> held) {
      const std::map<std::string, std::string> labels = {{"service", options.name}, {"kind", kind}};
      parts_.metrics.Gauge("fadu_calls_held", "Calls that run, wait to run, or record.", labels,
                           std::move(held));
      parts_.metrics.Gauge("fadu_calls_limit", "Calls there may be of each kind.", labels,
                           [limit] { return static_cast<double>(limit); });
    };
    const auto load = parts_.executor.load();
    gauges("running", options.running, [load] { return load->running.load(); });
    gauges("waiting", options.waiting, [load] { return load->waiting.load(); });
    gauges("recording", options.recording,
           [recording = parts_.recording] { return recording->load(); });
  }

  // In this order: the executor must outlive the gRPC server, whose calls it runs.
  ServeParts parts_;
  // The calls that began before draining. gRPC's Shutdown() lets running calls finish over TCP but
  // cancels them at once in process, so that the server waits for them before it.
  Gate calls_;
  // shared_ptr: in-process channels may outlive the server.
  const std::shared_ptr<Gate> doors_ = std::make_shared<Gate>();
  std::vector<std::unique_ptr<Host>> hosts_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  std::once_flag drained_;
};

}  // namespace

absl::Status CheckListen(absl::string_view listen) {
  if (listen.empty() || IsLoopback(HostOf(listen))) return absl::OkStatus();
  if (HostOf(listen).empty()) {
    return absl::FailedPreconditionError(absl::StrCat(listen, " is not host:port"));
  }
  return absl::FailedPreconditionError(
      absl::StrCat(listen, " is not a loopback address, and there is no TLS"));
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options,
                                                      const std::vector<const Service*>& services,
                                                      const Verifier& verifier, const Clock& clock,
                                                      IdSource& ids, Metrics& metrics) {
  for (const Service* service : services) {
    if (absl::Status status = service->CheckComplete(); !status.ok()) return status;
  }
  if (absl::Status status = CheckListen(options.listen); !status.ok()) return status;
  auto server = std::make_unique<RealServer>(options, verifier, clock, ids, metrics);
  if (absl::Status status = server->Listen(services); !status.ok()) return status;
  return server;
}

}  // namespace fadu::rpc
