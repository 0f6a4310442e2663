#include "common/rpc/service.h"

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "fadu/common/v1/options.pb.h"

namespace fadu::rpc {

namespace v1 = ::fadu::common::v1;

Service::Service(absl::string_view full_name)
    : descriptor_(google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
          std::string(full_name))) {
  if (descriptor_ == nullptr) {
    FADU_BUG(absl::StrCat("no service ", full_name, " is linked in")).IgnoreError();
  }
}

void Service::Add(
    absl::string_view method, const google::protobuf::Descriptor* request,
    const google::protobuf::Descriptor* response, Method::Kind kind,
    std::function<void(const CallContext&, const google::protobuf::Message&, Done)> handler) {
  if (descriptor_ == nullptr) return;  // already a bug; CheckComplete refuses it
  const google::protobuf::MethodDescriptor* found =
      descriptor_->FindMethodByName(std::string(method));
  const bool fits = found != nullptr && found->input_type() == request &&
                    found->output_type() == response && !found->client_streaming() &&
                    !found->server_streaming();
  if (!fits) {
    FADU_BUG(absl::StrCat(descriptor_->full_name(), " has no unary method ", method, "(",
                          request->full_name(), ") → ", response->full_name()))
        .IgnoreError();
    return;
  }
  for (const Method& known : methods_) {
    if (known.descriptor != found) continue;
    FADU_BUG(absl::StrCat(found->full_name(), " has two handlers")).IgnoreError();
    return;
  }
  methods_.push_back(Method{found, kind, std::move(handler)});
}

absl::Status Service::CheckComplete() const {
  if (descriptor_ == nullptr) {
    return absl::FailedPreconditionError("a service without descriptor cannot be served");
  }
  for (int i = 0; i < descriptor_->method_count(); ++i) {
    const google::protobuf::MethodDescriptor* method = descriptor_->method(i);
    const Method* handled = nullptr;
    for (const Method& known : methods_) {
      if (known.descriptor == method) handled = &known;
    }
    const auto refuse = [method](absl::string_view problem) {
      return absl::FailedPreconditionError(absl::StrCat(method->full_name(), " ", problem));
    };
    if (handled == nullptr) return refuse("has no handler");
    if (!method->options().HasExtension(v1::access)) return refuse("does not say who may call it");
    if (method->options().GetExtension(v1::recording) != handled->recording()) {
      return refuse(handled->recording() ? "is handled as recording but its option does not say so"
                                         : "is recording but is not handled as such");
    }
  }
  return absl::OkStatus();
}

}  // namespace fadu::rpc
