#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/util/json_util.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/status.h"
#include "services/fadu/commands.h"
#include "services/fadu/modules.h"
#include "services/fadu/output.h"

namespace fadu::cli {
namespace {

using google::protobuf::DescriptorPool;

// "mediation/fadu.common.v1.RecordService/ListRecords" or, where the package names the service,
// "fadu.scoring.v1.ScoringService/GetRun".
absl::Status CallOne(Client& client, const std::string& target, const std::string& json,
                     Format format) {
  const std::vector<std::string> parts = absl::StrSplit(target, '/');
  if (parts.size() != 2 && parts.size() != 3) {
    return absl::InvalidArgumentError(
        T("写作 [服务/]包.Service/方法，如 mediation/fadu.common.v1.RecordService/ListRecords",
          "write [service/]package.Service/Method"));
  }
  const std::string& service_name = parts[parts.size() - 2];
  const auto* service = DescriptorPool::generated_pool()->FindServiceByName(service_name);
  const auto* method = service == nullptr ? nullptr : service->FindMethodByName(parts.back());
  if (method == nullptr) {
    return absl::NotFoundError(absl::StrCat(T("没有方法 ", "no method "), target));
  }
  const std::string owner =
      parts.size() == 3 ? parts[0] : ServiceOfPackage(service->file()->package());
  if (owner.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(service_name,
                     T(" 由多个服务提供，请在前面加服务名，如 mediation/",
                       " is served by several services; put one in front: mediation/"),
                     service_name));
  }
  auto* factory = google::protobuf::MessageFactory::generated_factory();
  std::unique_ptr<google::protobuf::Message> request(
      factory->GetPrototype(method->input_type())->New());
  std::unique_ptr<google::protobuf::Message> response(
      factory->GetPrototype(method->output_type())->New());
  const auto parsed = google::protobuf::util::JsonStringToMessage(json, request.get());
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(T("JSON 有误：", "JSON: "), std::string(parsed.message())));
  }
  FADU_RETURN_IF_ERROR(client.Call(owner, absl::StrCat("/", service_name, "/", parts.back()),
                                   *request, response.get()));
  Table table{{"JSON"}, {}, {ToJson(*response, format != Format::kJsonl)}};
  table.rows.push_back({table.json[0]});
  if (format == Format::kTable || format == Format::kJson) {
    // One answer is one object, not a list of one.
    std::fputs((table.json[0] + "\n").c_str(), stdout);
  } else {
    Print(table, format);
  }
  return absl::OkStatus();
}

int Call(const Args& args) {
  const absl::StatusOr<Format> format = FormatOf(args);
  if (!format.ok()) {
    Say(format.status().message());
    return kUsage;
  }
  absl::StatusOr<std::unique_ptr<Client>> client = Client::Connect(args);
  if (!client.ok()) return Complain(client.status());
  const absl::Status status =
      CallOne(**client, args.words[0], args.words.size() > 1 ? args.words[1] : "{}", *format);
  return status.ok() ? kOk : Complain(status);
}

}  // namespace

std::vector<Command> CallCommands() {
  return {{"call",
           "METHOD [JSON]",
           T("以 JSON 调用任意接口", "calls any RPC with JSON"),
           {"fadu call registry/fadu.registry.v1.RegistryService/GetArea "
            "'{\"name\":\"areas/421221106\"}' --data ./fadu-data",
            "fadu call mediation/fadu.common.v1.RecordService/ListRecordTypes --data ./fadu-data"},
           {},
           1,
           2,
           true,
           Call}};
}

}  // namespace fadu::cli
