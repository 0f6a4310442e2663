#include "common/rpc/serve.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/rpc/arrival.h"
#include "common/rpc/status_wire.h"
#include "common/schema/reason.h"
#include "common/schema/rules.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/common/v1/reason.pb.h"

namespace fadu::rpc {
namespace {

namespace v1 = ::fadu::common::v1;

constexpr absl::string_view kServicePrefix = "services/";

// Who called, and for whom.
struct Caller {
  Principal principal;  // the user when a service calls for one
  std::string service;  // the calling service's name; empty when a user calls
  bool for_user = false;
  std::string user_bearer;
};

// ---- The steps. Each decides one thing and says no with code and reason. ----

// The token of "Bearer <token>"; empty when it is not that.
absl::string_view TokenOf(absl::string_view header) {
  if (!absl::StartsWithIgnoreCase(header, "bearer ")) return absl::string_view();
  return absl::StripAsciiWhitespace(header.substr(7));
}

absl::Status RoleDenied(absl::string_view why) {
  return Fail(absl::StatusCode::kPermissionDenied, v1::REASON_ROLE_DENIED, why);
}

// A method without `access` is a bug; the server does not start with one.
absl::StatusOr<const v1::Access*> AccessOf(const Method& method) {
  const google::protobuf::MethodOptions& options = method.descriptor->options();
  if (options.HasExtension(v1::access)) return &options.GetExtension(v1::access);
  return FADU_BUG(absl::StrCat(method.descriptor->full_name(), " does not say who may call it"));
}

// Who calls: the bearer of `authorization`. A service may call for a user, whose own bearer is then
// in `x-fadu-actor`; both must be genuine, and the user becomes the principal.
absl::StatusOr<Caller> Identify(const Verifier& verifier, const Arrival& arrival,
                                const v1::Access& access, absl::Time now) {
  Caller caller;
  const bool nobody = arrival.authorization.empty() && arrival.actor.empty();
  if (nobody && access.anonymous()) return caller;
  FADU_ASSIGN_OR_RETURN(caller.principal, verifier.Verify(TokenOf(arrival.authorization), now));
  if (caller.principal.is_service) {
    caller.service = std::string(absl::StripPrefix(caller.principal.subject, kServicePrefix));
  }
  if (arrival.actor.empty()) {
    if (caller.service.empty()) caller.user_bearer = std::string(TokenOf(arrival.authorization));
    return caller;
  }
  if (!caller.principal.is_service) return RoleDenied("only a service may call for somebody else");
  caller.user_bearer = std::string(TokenOf(arrival.actor));
  caller.for_user = true;
  FADU_ASSIGN_OR_RETURN(caller.principal, verifier.Verify(caller.user_bearer, now));
  if (caller.principal.is_service) return RoleDenied("no service may call for another");
  return caller;
}

// May they? Any role of the principal, or the calling service by name, suffices. ROLE_SERVICE means
// any service on its own account; that a service calls for a user gives the user nothing by it.
absl::Status MayCall(const v1::Access& access, const Caller& caller) {
  if (access.anonymous()) return absl::OkStatus();
  for (const int role : access.roles()) {
    if (role == v1::ROLE_SERVICE ? !caller.service.empty() && !caller.for_user
                                 : caller.principal.HasRole(role)) {
      return absl::OkStatus();
    }
  }
  for (const std::string& service : access.services()) {
    if (!caller.service.empty() && caller.service == service) return absl::OkStatus();
  }
  return RoleDenied("no role of the caller allows the method");
}

// Only the grants by whose role the method may be called: who may call it in one area, and holds
// another role elsewhere, has nothing to say with it elsewhere.
void Narrow(const v1::Access& access, Principal& principal) {
  if (access.anonymous()) return;
  std::erase_if(principal.grants, [&](const RoleGrant& grant) {
    return std::find(access.roles().begin(), access.roles().end(), grant.role) ==
           access.roles().end();
  });
}

// Until when. Deadlines are of the machine's clock: waiting is real, whatever day it is.
absl::StatusOr<absl::Time> DeadlineFor(const Arrival& arrival, bool recording,
                                       absl::Duration max_deadline) {
  const absl::Time now = absl::Now();
  if (arrival.deadline == absl::InfiniteFuture()) {
    if (!recording) return now + max_deadline;
    return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_DEADLINE_REQUIRED,
                "a recording call needs a deadline");
  }
  if (arrival.deadline <= now) {
    return Fail(absl::StatusCode::kDeadlineExceeded, v1::REASON_DEADLINE_EXCEEDED,
                "the deadline had passed on arrival");
  }
  return std::min(arrival.deadline, now + max_deadline);
}

// Is it well-formed? Its bytes, then the limits that the contract states.
absl::StatusOr<MessagePtr> Read(const Endpoint& endpoint, const Arrival& arrival) {
  MessagePtr request(endpoint.request.New());
  if (!arrival.read || !arrival.read(*request)) {
    return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_FIELD_INVALID,
                "the request is not the message the method takes",
                {{"field", "request"}, {"problem", "无法解析"}});
  }
  FADU_RETURN_IF_ERROR(CheckRules(*request));
  return request;
}

absl::Status Overloaded() {
  return Fail(absl::StatusCode::kResourceExhausted, v1::REASON_OVERLOADED,
              "too many calls run and wait");
}

absl::Status Stopping() {
  return Fail(absl::StatusCode::kUnavailable, v1::REASON_UNAVAILABLE, "the server is stopping");
}

// ---- One call. ----

// Lives until the last `Done` of its handler is gone.
class Call {
 public:
  Call(ServeParts& parts, const Endpoint& endpoint, const Arrival& arrival, Send send)
      : parts_(parts), endpoint_(endpoint), send_(std::move(send)) {
    context.now = parts.clock.Now();
    context.request_id =
        IsRequestId(arrival.request_id) ? arrival.request_id : parts.ids.NewId().ToString();
    context.traceparent =
        IsTraceparent(arrival.traceparent) ? arrival.traceparent : NewTraceparent(parts.ids);
    context.language = std::string(LanguageOf(arrival.language));
    endpoint.meter.Started();
  }

  ~Call() {
    if (!finished_) Finish(absl::InternalError("the handler dropped the call without an answer"));
  }

  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // Takes one of the places for recording calls; Finish gives it back.
  absl::Status AdmitRecording() {
    holds_recording_ = true;
    const bool fits = parts_.recording->fetch_add(1) < parts_.options.recording;
    return fits ? absl::OkStatus() : Overloaded();
  }

  // Answers. Once: nothing of the server is touched by a second time, as it may be gone.
  void Finish(absl::StatusOr<std::shared_ptr<google::protobuf::Message>> result) {
    if (finished_.exchange(true)) {
      if (!twice_.exchange(true)) {
        Log(LogLevel::kError, "a handler answered twice",
            {{"rpc", endpoint_.name}, {"request_id", context.request_id}});
      }
      return;
    }
    if (result.ok() && *result == nullptr) {
      result = absl::InternalError("the handler answered with nothing");
    }
    const absl::Duration took = absl::FromChrono(std::chrono::steady_clock::now() - started_);
    if (holds_recording_) parts_.recording->fetch_sub(1);
    Reply reply{Outward(result.status(), context.request_id), nullptr, context.request_id,
                context.language};
    if (result.ok()) reply.response = *std::move(result);
    WriteLine(result.status(), reply.status, took);
    endpoint_.meter.Finished(reply.status.code(), took);
    // Last, as the server may be gone when it returns.
    send_(std::move(reply));
  }

  CallContext context;
  std::string via;  // the service that calls for the principal
  MessagePtr request;

 private:
  void WriteLine(const absl::Status& status, const absl::Status& outward,
                 absl::Duration took) const {
    std::vector<LogField> fields = {
        {"rpc", endpoint_.name},
        {"service", parts_.options.name},
        {"request_id", context.request_id},
        {"trace_id", absl::string_view(context.traceparent).substr(3, 32)},
        {"actor", context.principal.subject},
        {"code", absl::StatusCodeToString(outward.code())},
        {"reason", ReasonOf(outward)},
        {"duration_us", absl::ToInt64Microseconds(took)}};
    if (!via.empty()) fields.emplace_back("via", via);
    const bool ours = outward.code() == absl::StatusCode::kInternal;
    if (ours) fields.emplace_back("error", status.message());
    // What services tell each other every few seconds is of interest only when it fails.
    const bool routine = context.principal.is_service && status.ok();
    Log(ours ? LogLevel::kError : routine ? LogLevel::kDebug : LogLevel::kInfo, "call", fields);
  }

  ServeParts& parts_;
  const Endpoint& endpoint_;
  const Send send_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  bool holds_recording_ = false;
  std::atomic<bool> finished_{false};
  std::atomic<bool> twice_{false};
};

// Everything before the handler.
absl::Status Check(ServeParts& parts, const Endpoint& endpoint, const Arrival& arrival,
                   Call& call) {
  const Method& method = endpoint.method;
  if (parts.draining) return Stopping();
  FADU_ASSIGN_OR_RETURN(const v1::Access* access, AccessOf(method));
  FADU_ASSIGN_OR_RETURN(Caller caller,
                        Identify(parts.verifier, arrival, *access, call.context.now));
  const absl::Status allowed = MayCall(*access, caller);
  call.context.principal = std::move(caller.principal);
  if (caller.for_user) call.via = std::move(caller.service);
  call.context.bearer = std::move(caller.user_bearer);
  FADU_RETURN_IF_ERROR(allowed);
  Narrow(*access, call.context.principal);
  FADU_ASSIGN_OR_RETURN(call.context.deadline,
                        DeadlineFor(arrival, method.recording(), parts.options.max_deadline));
  FADU_ASSIGN_OR_RETURN(call.request, Read(endpoint, arrival));
  return absl::OkStatus();
}

// The handler, and nothing it throws.
void Run(const Method& method, const std::shared_ptr<Call>& call) {
  const Done done = [call](absl::StatusOr<std::shared_ptr<google::protobuf::Message>> result) {
    call->Finish(std::move(result));
  };
  try {
    method.handler(call->context, *call->request, done);
  } catch (const std::exception& error) {
    call->Finish(absl::InternalError(absl::StrCat("the handler threw: ", error.what())));
  } catch (...) {
    call->Finish(absl::InternalError("the handler threw something"));
  }
}

void RunInTurn(const Method& method, const std::shared_ptr<Call>& call, Turn turn) {
  switch (turn) {
    case Turn::kRun:
      return Run(method, call);
    case Turn::kExpired:
      return call->Finish(Fail(absl::StatusCode::kDeadlineExceeded, v1::REASON_DEADLINE_EXCEEDED,
                               "the deadline passed while the call waited; nothing was done"));
    case Turn::kClosed:
      return call->Finish(Stopping());
  }
}

}  // namespace

Endpoint::Endpoint(const Method& served, const ServerOptions& options, Metrics& metrics)
    : method(served),
      name(absl::StrCat(served.descriptor->service()->full_name(), "/", served.descriptor->name())),
      request(*google::protobuf::MessageFactory::generated_factory()->GetPrototype(
          served.descriptor->input_type())),
      meter(metrics.Meter(options.name, name)) {}

void Serve(ServeParts& parts, const Endpoint& endpoint, const Arrival& arrival, Send send) {
  const Method& method = endpoint.method;
  // shared_ptr: the handler's `Done` keeps the call, wherever it goes.
  const auto call = std::make_shared<Call>(parts, endpoint, arrival, std::move(send));
  if (absl::Status status = Check(parts, endpoint, arrival, *call); !status.ok()) {
    return call->Finish(std::move(status));
  }
  switch (method.kind) {
    case Method::Kind::kBlocking:
      break;
    case Method::Kind::kRecording:
      if (absl::Status status = call->AdmitRecording(); !status.ok()) {
        return call->Finish(std::move(status));
      }
      return Run(method, call);
    case Method::Kind::kQueued:
      // Such handlers enqueue and return, so they run here, on the thread that received the call.
      return Run(method, call);
  }
  const bool admitted = parts.executor.Submit(
      call->context.deadline, [&method, call](Turn turn) { RunInTurn(method, call, turn); });
  if (!admitted) call->Finish(parts.draining ? Stopping() : Overloaded());
}

}  // namespace fadu::rpc
