#include "common/rpc/server.h"

#include <list>
#include <mutex>
#include <utility>

#include <grpcpp/alarm.h>
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
#include "common/base/log.h"
#include "common/rpc/gate.h"
#include "common/rpc/grpc_channel.h"
#include "common/rpc/serve.h"
#include "common/rpc/status_wire.h"
#include "common/schema/rules.h"

namespace fadu::rpc {
namespace {

// A caller that pings without calling more often than that, and goes on when told, is cut off.
constexpr absl::Duration kPingInterval = absl::Minutes(5);
constexpr int kPingStrikes = 2;
// A connection whose other end is gone without a word is found out.
constexpr absl::Duration kKeepalive = absl::Minutes(1);
constexpr absl::Duration kKeepaliveTimeout = absl::Seconds(20);
// What a connection that has had its time gets to end its calls: more than the longest deadline.
constexpr absl::Duration kAgeGrace = absl::Seconds(35);

int Millis(absl::Duration duration) {
  return static_cast<int>(absl::ToInt64Milliseconds(duration));
}

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
  for (const auto& [key, value] : context.client_metadata()) {
    arrival.metadata_bytes += static_cast<int64_t>(key.size() + value.size());
  }
  arrival.bytes = static_cast<int64_t>(request.Length());
  arrival.read = [&request](google::protobuf::Message& message) {
    grpc::ByteBuffer bytes(request);  // shares the slices
    grpc::ProtoBufferReader reader(&bytes);
    return reader.status().ok() && ParseBounded(reader, message);
  };
  return arrival;
}

// Answers up to that size are not waited for: so many of them fit on a connection.
constexpr size_t kSmallAnswer = 4096;

// One call as gRPC sees it. gRPC calls OnDone when the answer has left or the caller is gone.
class Reactor final : public grpc::ServerUnaryReactor {
 public:
  Reactor(ServeParts& parts, Gate& calls) : parts_(parts), calls_(calls), entered_(calls.Enter()) {}

  // Counts an answer of `bytes` until it has left, and gives it up when that takes longer than a
  // call may: whoever reads slowly, or not at all, holds no memory.
  void Await(grpc::CallbackServerContext& context, size_t bytes) {
    if (bytes <= kSmallAnswer) return;
    bytes_ = static_cast<int64_t>(bytes);
    *parts_.held += bytes_;
    unread_ = std::make_shared<Unread>();
    unread_->context = &context;
    alarm_ = std::make_unique<grpc::Alarm>();
    alarm_->Set(absl::ToChronoTime(absl::Now() + parts_.options.limits.deadline),
                [unread = unread_](bool passed) {
                  const std::lock_guard<std::mutex> lock(unread->mutex);
                  if (passed && unread->context != nullptr) unread->context->TryCancel();
                });
  }

  void OnDone() override {
    if (unread_ != nullptr) {
      const std::lock_guard<std::mutex> lock(unread_->mutex);
      unread_->context = nullptr;
    }
    *parts_.held -= bytes_;
    if (entered_) calls_.Leave();
    delete this;
  }

 private:
  // shared_ptr: the alarm may go off while the call ends.
  struct Unread {
    std::mutex mutex;
    grpc::CallbackServerContext* context = nullptr;  // null: the call has ended
  };

  ServeParts& parts_;
  Gate& calls_;
  const bool entered_;
  int64_t bytes_ = 0;
  std::shared_ptr<Unread> unread_;
  std::unique_ptr<grpc::Alarm> alarm_;
};

// What protoc's plugin would generate for one service, for any service: each method a raw callback
// over bytes.
class Host final : public grpc::Service {
 public:
  Host(ServeParts& parts, Gate& calls, const rpc::Service& service) {
    for (const Method& method : service.methods()) {
      // gRPC keeps the pointer, so the list keeps the string.
      paths_.push_back(
          absl::StrCat("/", service.descriptor()->full_name(), "/", method.descriptor->name()));
      AddMethod(new grpc::internal::RpcServiceMethod(
          paths_.back().c_str(), grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
      const auto receive = [&parts, &calls, &method](grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer* request,
                                                     grpc::ByteBuffer* response) {
        auto* reactor = new Reactor(parts, calls);
        Serve(parts, method, ArrivalOf(*context, *request),
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
  static void Answer(grpc::CallbackServerContext& context, Reactor& reactor,
                     grpc::ByteBuffer& response, const Reply& reply) {
    context.AddTrailingMetadata("x-request-id", reply.request_id);
    if (!reply.status.ok()) return reactor.Finish(ToWire(reply.status, reply.language));
    bool own = false;
    const grpc::Status written =
        grpc::GenericSerialize<grpc::ProtoBufferWriter, google::protobuf::Message>(*reply.response,
                                                                                   &response, &own);
    reactor.Await(context, response.Length());
    reactor.Finish(written);
  }

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

// libprotobuf would write a line of its own for each message that does not parse: whoever sends
// such messages would fill the log, past its form and its level.
void QuietProtobuf() {
  static const auto previous = google::protobuf::SetLogHandler(
      [](google::protobuf::LogLevel, const char*, int, const std::string& what) {
        Log(LogLevel::kDebug, "protobuf", {{"what", what}});
      });
  (void)previous;
}

class RealServer final : public Server {
 public:
  RealServer(const ServerOptions& options, const Verifier& verifier, const Clock& clock,
             IdSource& ids, Metrics& metrics)
      : parts_{options, verifier, clock, ids, metrics} {}

  ~RealServer() override { RealServer::Drain(absl::ZeroDuration()); }

  absl::Status Listen(const std::vector<const Service*>& services) {
    QuietProtobuf();
    grpc::EnableDefaultHealthCheckService(true);
    const ServerOptions& options = parts_.options;
    grpc::ServerBuilder builder;
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    const ServerLimits& limits = options.limits;
    builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, limits.metadata_bytes);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, limits.streams);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, Millis(limits.connection_idle));
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, Millis(limits.connection_age));
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, Millis(kAgeGrace));
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                               Millis(kPingInterval));
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, kPingStrikes);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 0);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Millis(kKeepalive));
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Millis(kKeepaliveTimeout));
    builder.SetMaxReceiveMessageSize(limits.message_bytes);
    grpc::ResourceQuota quota(options.name);
    // Wider than our own bound, which says why; gRPC's cuts streams off.
    builder.SetResourceQuota(quota.Resize(static_cast<size_t>(2 * limits.buffer_bytes)));
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
    Measure(services);
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
  // Series of the methods at zero, and how full the server is.
  void Measure(const std::vector<const Service*>& services) {
    const ServerOptions& options = parts_.options;
    std::vector<std::string> methods;
    for (const Service* service : services) {
      for (const Method& method : service->methods()) methods.push_back(RpcNameOf(method));
    }
    parts_.metrics.ServerBegins(options.name, methods);
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
    const std::map<std::string, std::string> labels = {{"service", options.name}};
    parts_.metrics.Gauge("fadu_bytes_held",
                         "Bytes of requests in flight and of answers not yet read.", labels,
                         [held = parts_.held] { return static_cast<double>(held->load()); });
    parts_.metrics.Gauge(
        "fadu_bytes_limit", "Bytes there may be of them.", labels,
        [limit = options.limits.buffer_bytes] { return static_cast<double>(limit); });
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
