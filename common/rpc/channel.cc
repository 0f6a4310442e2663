#include "common/rpc/channel.h"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/security/credentials.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/base/status.h"
#include "common/rpc/grpc_channel.h"
#include "common/rpc/status_wire.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"

namespace fadu::rpc {
namespace {

namespace v1 = ::fadu::common::v1;

// Answers of our own servers; a page of facts or records may pass gRPC's 4 MiB.
constexpr int kMaxReceiveBytes = 64 << 20;
constexpr int kFirstReconnectMs = 100;
constexpr int kLastReconnectMs = 2000;
// What one attempt to connect may take: a busy machine needs more than a moment for it.
constexpr int kConnectMs = 5000;
constexpr absl::Duration kIdentityLife = absl::Seconds(60);
constexpr absl::Duration kIdentityReuse = absl::Seconds(30);
constexpr absl::Duration kMaxMargin = absl::Milliseconds(50);

// gRPC aborts the process on a metadata value that HTTP/2 cannot carry.
bool IsMetadataValue(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

// One call on its way; the completion of the call deletes it.
struct Flight {
  grpc::ClientContext context;
  grpc::ByteBuffer request;
  grpc::ByteBuffer answer;
  std::string details;  // of a failure, as it came
};

// Sets what travels beside the request.
absl::Status AddMetadata(const CallOptions& options, grpc::ClientContext& context) {
  if (!IsMetadataValue(options.bearer) || !IsMetadataValue(options.actor)) {
    return Fail(absl::StatusCode::kUnauthenticated, v1::REASON_IDENTITY_MISSING,
                "the bearer token is not text");
  }
  const auto add = [&context](const char* key, absl::string_view prefix, const std::string& value) {
    if (!value.empty() && IsMetadataValue(value)) {
      context.AddMetadata(key, absl::StrCat(prefix, value));
    }
  };
  add("authorization", "Bearer ", options.bearer);
  add("x-fadu-actor", "Bearer ", options.actor);
  add("traceparent", "", options.traceparent);  // without one the server makes it
  add("x-request-id", "", options.request_id);
  add("accept-language", "", options.language);
  return absl::OkStatus();
}

class GrpcChannel final : public Channel {
 public:
  GrpcChannel(std::shared_ptr<grpc::Channel> channel, std::shared_ptr<Gate> gate)
      : channel_(std::move(channel)), gate_(std::move(gate)), stub_(channel_) {}

  absl::Status Call(absl::string_view method, const google::protobuf::Message& request,
                    google::protobuf::Message* response, const CallOptions& options) override {
    absl::Notification finished;
    absl::Status result;
    CallAsync(method, request, response, options, [&finished, &result](absl::Status status) {
      result = std::move(status);
      finished.Notify();
    });
    finished.WaitForNotification();
    return result;
  }

  void CallAsync(absl::string_view method, const google::protobuf::Message& request,
                 google::protobuf::Message* response, const CallOptions& options,
                 std::function<void(absl::Status)> done) override {
    auto flight = std::make_unique<Flight>();
    bool own = false;
    const grpc::Status written =
        grpc::GenericSerialize<grpc::ProtoBufferWriter, google::protobuf::Message>(
            request, &flight->request, &own);
    if (!written.ok()) return done(FADU_BUG("a request could not be serialised"));
    Send(method, options, std::move(flight),
         [response, done = std::move(done)](std::unique_ptr<Flight> landed, absl::Status status) {
           if (status.ok()) status = Parse(*landed, response);
           landed.reset();
           done(std::move(status));
         });
  }

  void CallBytesAsync(absl::string_view method, absl::string_view request,
                      const CallOptions& options, std::function<void(BytesReply)> done) override {
    auto flight = std::make_unique<Flight>();
    const grpc::Slice slice(request.data(), request.size());
    flight->request = grpc::ByteBuffer(&slice, 1);
    Send(method, options, std::move(flight),
         [done = std::move(done)](std::unique_ptr<Flight> landed, absl::Status status) {
           BytesReply reply;
           if (status.ok()) {
             status = ReadBytes(*landed, reply.bytes);
           } else {
             reply.details = std::move(landed->details);
           }
           reply.status = std::move(status);
           landed.reset();
           done(std::move(reply));
         });
  }

 private:
  using Landed = std::function<void(std::unique_ptr<Flight>, absl::Status)>;

  // A ClientContext holds the gRPC channel. It must go before the caller is told, after which the
  // owner may drop the channel: the last reference, dropped on this thread of gRPC's, makes gRPC
  // 1.51 join the thread with itself and free its queue twice. So `landed` drops the flight first.
  void Send(absl::string_view method, const CallOptions& options, std::unique_ptr<Flight> flight,
            Landed landed) {
    if (absl::Status status = AddMetadata(options, flight->context); !status.ok()) {
      return landed(std::move(flight), std::move(status));
    }
    if (options.deadline <= absl::Now()) {
      return landed(std::move(flight),
                    Fail(absl::StatusCode::kDeadlineExceeded, v1::REASON_DEADLINE_EXCEEDED,
                         "no time was left for the call"));
    }
    flight->context.set_deadline(absl::ToChronoTime(options.deadline));
    const std::shared_ptr<Gate> gate = gate_;  // this may be gone when the call is under way
    if (gate != nullptr && !gate->Enter()) {
      return landed(std::move(flight), Fail(absl::StatusCode::kUnavailable, v1::REASON_UNAVAILABLE,
                                            "the server in this process has stopped"));
    }
    Flight* const sent = flight.release();
    stub_.UnaryCall(&sent->context, std::string(method), grpc::StubOptions(), &sent->request,
                    &sent->answer, [sent, landed = std::move(landed)](const grpc::Status& status) {
                      sent->details = status.error_details();
                      landed(std::unique_ptr<Flight>(sent), FromWire(status));
                    });
    if (gate != nullptr) gate->Leave();
  }

  static absl::Status Unreadable() {
    return Fail(absl::StatusCode::kInternal, v1::REASON_INTERNAL,
                "the answer is not the message the method gives");
  }

  static absl::Status Parse(Flight& flight, google::protobuf::Message* response) {
    const grpc::Status read =
        grpc::GenericDeserialize<grpc::ProtoBufferReader, google::protobuf::Message>(&flight.answer,
                                                                                     response);
    return read.ok() ? absl::OkStatus() : Unreadable();
  }

  static absl::Status ReadBytes(const Flight& flight, std::string& bytes) {
    std::vector<grpc::Slice> slices;
    if (!flight.answer.Dump(&slices).ok()) return Unreadable();
    bytes.reserve(flight.answer.Length());
    for (const grpc::Slice& slice : slices) {
      bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
    return absl::OkStatus();
  }

  const std::shared_ptr<grpc::Channel> channel_;
  const std::shared_ptr<Gate> gate_;
  grpc::GenericStub stub_;
};

}  // namespace

grpc::ChannelArguments ChannelArgumentsOf() {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLastReconnectMs);
  arguments.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  return arguments;
}

std::shared_ptr<Channel> NewGrpcChannel(std::shared_ptr<grpc::Channel> channel,
                                        std::shared_ptr<Gate> gate) {
  return std::make_shared<GrpcChannel>(std::move(channel), std::move(gate));
}

std::shared_ptr<Channel> Channel::ToAddress(absl::string_view target) {
  return NewGrpcChannel(
      grpc::CreateCustomChannel(std::string(target), grpc::InsecureChannelCredentials(),
                                ChannelArgumentsOf()),
      /*gate=*/nullptr);
}

void Channel::CallBytesAsync(absl::string_view, absl::string_view, const CallOptions&,
                             std::function<void(BytesReply)> done) {
  done(BytesReply{absl::UnimplementedError("a channel of messages"), "", ""});
}

struct Peers::Impl {
  Impl(std::unique_ptr<Signer> signer_in, const Clock& clock_in, Metrics* metrics_in)
      : signer(std::move(signer_in)), clock(clock_in), metrics(metrics_in) {}

  // The service's own identity for one other, signed anew when the last one is half way through its
  // life.
  absl::StatusOr<std::string> BearerFor(const std::string& service) {
    if (signer == nullptr) return std::string();
    const absl::Time now = clock.Now();
    const std::lock_guard<std::mutex> lock(mutex);
    Signed& last = bearers[service];
    // Also when the clock stepped back, as then the token is from the future.
    if (!last.bearer.empty() && now >= last.at && now < last.at + kIdentityReuse) {
      return last.bearer;
    }
    v1::Identity identity;
    identity.set_subject(absl::StrCat("services/", signer->name()));
    identity.set_display_name(signer->name());
    identity.set_audience(service);
    identity.set_expire_seconds(absl::ToUnixSeconds(now + kIdentityLife));
    FADU_ASSIGN_OR_RETURN(last.bearer, signer->Sign(std::move(identity)));
    last.at = now;
    return last.bearer;
  }

  absl::Status Call(absl::string_view service, absl::string_view method,
                    const google::protobuf::Message& request, google::protobuf::Message* response,
                    CallOptions options) {
    const auto channel = channels.find(std::string(service));
    if (channel == channels.end()) {
      return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_UNAVAILABLE,
                  absl::StrCat("no peer ", service, " is known"));
    }
    FADU_ASSIGN_OR_RETURN(options.bearer, BearerFor(channel->first));
    const absl::Time begin = absl::Now();
    absl::Status status = channel->second->Call(method, request, response, options);
    if (metrics != nullptr) {
      metrics->ClientCallFinished(absl::StripPrefix(method, "/"), status.code(),
                                  absl::Now() - begin);
    }
    return status;
  }

  const std::unique_ptr<Signer> signer;
  const Clock& clock;
  Metrics* const metrics;
  std::map<std::string, std::shared_ptr<Channel>> channels;
  std::mutex mutex;
  struct Signed {
    std::string bearer;
    absl::Time at;
  };
  std::map<std::string, Signed> bearers;  // by the service called
};

Peers::Peers(std::unique_ptr<Signer> signer, const Clock& clock, Metrics* metrics)
    : impl_(std::make_unique<Impl>(std::move(signer), clock, metrics)) {}
Peers::~Peers() = default;

void Peers::Add(absl::string_view service, std::shared_ptr<Channel> channel) {
  impl_->channels[std::string(service)] = std::move(channel);
}

bool Peers::Has(absl::string_view service) const {
  return impl_->channels.count(std::string(service)) != 0;
}

absl::Status Peers::Call(const CallContext& call, absl::string_view service,
                         absl::string_view method, const google::protobuf::Message& request,
                         google::protobuf::Message* response) {
  CallOptions options;
  // A little is kept back, so that this call can still say what became of the other.
  const absl::Duration left = call.deadline - absl::Now();
  options.deadline = call.deadline - std::min(kMaxMargin, left / 10);
  options.actor = call.bearer;
  options.traceparent = call.traceparent;
  options.request_id = call.request_id;
  options.language = call.language;
  const bool for_user = !call.principal.subject.empty() && !call.principal.is_service;
  if (for_user && options.actor.empty()) {
    // On the service's own account it might be given what the user may not see.
    return Fail(absl::StatusCode::kUnauthenticated, v1::REASON_IDENTITY_MISSING,
                "the call of a user has no token to pass on");
  }
  return impl_->Call(service, method, request, response, std::move(options));
}

absl::Status Peers::Call(absl::Time deadline, absl::string_view service, absl::string_view method,
                         const google::protobuf::Message& request,
                         google::protobuf::Message* response) {
  CallOptions options;
  options.deadline = deadline;
  return impl_->Call(service, method, request, response, std::move(options));
}

void Peers::Forward(absl::string_view service, absl::string_view method, absl::string_view request,
                    const CallOptions& options, std::function<void(BytesReply)> done) {
  const auto channel = impl_->channels.find(std::string(service));
  if (channel == impl_->channels.end()) {
    return done(BytesReply{Fail(absl::StatusCode::kUnavailable, v1::REASON_UNAVAILABLE,
                                absl::StrCat("no peer ", service, " is known")),
                           "", ""});
  }
  channel->second->CallBytesAsync(
      method, request, options,
      [metrics = impl_->metrics, name = std::string(absl::StripPrefix(method, "/")),
       begin = absl::Now(), done = std::move(done)](BytesReply reply) {
        if (metrics != nullptr) {
          metrics->ClientCallFinished(name, reply.status.code(), absl::Now() - begin);
        }
        done(std::move(reply));
      });
}

}  // namespace fadu::rpc
