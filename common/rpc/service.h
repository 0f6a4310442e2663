// common/rpc/service.h
//
// A gRPC service as a table of handlers, bound to its descriptor: no generated gRPC code, and no
// gRPC header in a service. Handlers return absl::Status; rpc::Serve does the rest.
#ifndef FADU_COMMON_RPC_SERVICE_H_
#define FADU_COMMON_RPC_SERVICE_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/call.h"

namespace fadu::rpc {

using MessagePtr = std::unique_ptr<google::protobuf::Message>;
// Finishes a call; called exactly once, from any thread. Copyable.
using Done = std::function<void(absl::StatusOr<std::shared_ptr<google::protobuf::Message>>)>;

// One method: its descriptor and what runs when a checked call arrives.
struct Method {
  enum class Kind {
    kBlocking,   // runs on the server's executor and calls `done` before it returns
    kQueued,     // runs on the receiving thread and must not block; its queue admits
    kRecording,  // likewise; the server admits, and a deadline is required
  };
  const google::protobuf::MethodDescriptor* descriptor = nullptr;
  Kind kind = Kind::kBlocking;
  bool recording() const { return kind == Kind::kRecording; }
  std::function<void(const CallContext&, const google::protobuf::Message&, Done)> handler;
};

// The handlers of one gRPC service. Built before the server starts, then immutable.
class Service {
 public:
  // `full_name` such as "fadu.common.v1.RecordService"; must be in the generated pool.
  explicit Service(absl::string_view full_name);

  // A handler that may block. Wrong name or message types are a bug (FADU_BUG).
  template <typename Request, typename Response>
  void Handle(absl::string_view method,
              std::function<absl::StatusOr<Response>(const CallContext&, const Request&)> handler) {
    Add(method, Request::descriptor(), Response::descriptor(), Method::Kind::kBlocking,
        [handler = std::move(handler)](const CallContext& call,
                                       const google::protobuf::Message& request, Done done) {
          absl::StatusOr<Response> response = handler(call, static_cast<const Request&>(request));
          if (!response.ok()) return done(response.status());
          done(std::make_shared<Response>(*std::move(response)));
        });
  }

  // A handler that enqueues and returns; it calls its last argument exactly once.
  template <typename Request, typename Response>
  using Queueing = std::function<void(const CallContext&, const Request&,
                                      std::function<void(absl::StatusOr<Response>)>)>;

  // One whose call writes.
  template <typename Request, typename Response>
  void HandleRecording(absl::string_view method, Queueing<Request, Response> handler) {
    AddQueueing<Request, Response>(method, Method::Kind::kRecording, std::move(handler));
  }
  // One whose call reads.
  template <typename Request, typename Response>
  void HandleQueued(absl::string_view method, Queueing<Request, Response> handler) {
    AddQueueing<Request, Response>(method, Method::Kind::kQueued, std::move(handler));
  }

  const google::protobuf::ServiceDescriptor* descriptor() const { return descriptor_; }
  const std::vector<Method>& methods() const { return methods_; }
  // OK when every method of the descriptor has a handler and an access option, and the option
  // `recording` agrees with the handler's kind; FAILED_PRECONDITION naming the first that does not.
  absl::Status CheckComplete() const;

 private:
  template <typename Request, typename Response>
  void AddQueueing(absl::string_view method, Method::Kind kind,
                   Queueing<Request, Response> handler) {
    Add(method, Request::descriptor(), Response::descriptor(), kind,
        [handler = std::move(handler)](const CallContext& call,
                                       const google::protobuf::Message& request, Done done) {
          handler(call, static_cast<const Request&>(request),
                  [done = std::move(done)](absl::StatusOr<Response> response) {
                    if (!response.ok()) return done(response.status());
                    done(std::make_shared<Response>(*std::move(response)));
                  });
        });
  }

  void Add(absl::string_view method, const google::protobuf::Descriptor* request,
           const google::protobuf::Descriptor* response, Method::Kind kind,
           std::function<void(const CallContext&, const google::protobuf::Message&, Done)> handler);

  const google::protobuf::ServiceDescriptor* descriptor_ = nullptr;
  std::vector<Method> methods_;
};

}  // namespace fadu::rpc

#endif  // FADU_COMMON_RPC_SERVICE_H_
