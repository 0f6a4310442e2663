#include "services/gateway/domain/catalogue.h"

#include <algorithm>

#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor_database.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"
#include "google/api/annotations.pb.h"
#include "services/gateway/domain/json.h"

namespace fadu::gateway {
namespace {

namespace common = ::fadu::common::v1;
using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;
using google::protobuf::MethodDescriptor;

constexpr absl::string_view kShared = "fadu.common.v1";

// A method that no person and no department may call is not there at all.
bool IsForPeople(const common::Access& access) {
  if (access.anonymous()) return true;
  return std::any_of(access.roles().begin(), access.roles().end(),
                     [](int role) { return role != common::ROLE_SERVICE; });
}

// Path segments of a template, a variable's braces kept together.
std::vector<std::string> SplitTemplate(absl::string_view path) {
  std::vector<std::string> parts;
  std::string part;
  int depth = 0;
  for (const char c : path) {
    if (c == '{') ++depth;
    if (c == '}') --depth;
    if (c == '/' && depth == 0) {
      parts.push_back(part);
      part.clear();
    } else {
      part.push_back(c);
    }
  }
  parts.push_back(part);
  return parts;
}

absl::Status AddTemplate(absl::string_view text, Binding& binding) {
  const auto wrong = [&](absl::string_view why) {
    return absl::InternalError(
        absl::StrCat(binding.rpc->method->full_name(), ": ", binding.path, ": ", why));
  };
  if (!absl::ConsumePrefix(&text, "/")) return wrong("begins without a slash");
  const size_t brace = text.rfind('}');
  const size_t colon = text.rfind(':');
  if (colon != absl::string_view::npos && (brace == absl::string_view::npos || colon > brace)) {
    binding.verb = std::string(text.substr(colon + 1));
    text = text.substr(0, colon);
  }
  for (const std::string& part : SplitTemplate(text)) {
    if (part.empty()) return wrong("an empty segment");
    if (part[0] != '{') {
      if (part == "**") return wrong("** is not read here");
      binding.parts.push_back(PathPart{part == "*" ? "" : part, -1});
      continue;
    }
    if (part.back() != '}') return wrong("a brace is open");
    const std::pair<std::string, std::string> halves =
        absl::StrSplit(part.substr(1, part.size() - 2), absl::MaxSplits('=', 1));
    const int variable = static_cast<int>(binding.variables.size());
    binding.variables.push_back(halves.first);
    if (binding.rpc->method->input_type()->FindFieldByName(halves.first) == nullptr) {
      return wrong("a variable that is no field");
    }
    const std::string inner = halves.second.empty() ? "*" : halves.second;
    for (const absl::string_view segment : absl::StrSplit(inner, '/')) {
      if (segment == "**") return wrong("** is not read here");
      binding.parts.push_back(PathPart{segment == "*" ? "" : std::string(segment), variable});
    }
  }
  return absl::OkStatus();
}

absl::Status AddRule(const google::api::HttpRule& rule, const Rpc& rpc,
                     std::vector<Binding>& bindings) {
  Binding binding;
  binding.rpc = &rpc;
  binding.body = rule.body();
  switch (rule.pattern_case()) {
    case google::api::HttpRule::kGet:
      binding.http_method = "GET";
      binding.path = rule.get();
      break;
    case google::api::HttpRule::kPut:
      binding.http_method = "PUT";
      binding.path = rule.put();
      break;
    case google::api::HttpRule::kPost:
      binding.http_method = "POST";
      binding.path = rule.post();
      break;
    case google::api::HttpRule::kDelete:
      binding.http_method = "DELETE";
      binding.path = rule.delete_();
      break;
    case google::api::HttpRule::kPatch:
      binding.http_method = "PATCH";
      binding.path = rule.patch();
      break;
    default:
      return absl::InternalError(absl::StrCat(rpc.method->full_name(), ": no HTTP method"));
  }
  if (binding.http_method == "GET" && !rpc.reads) {
    return absl::InternalError(
        absl::StrCat(rpc.method->full_name(), ": GET, and not NO_SIDE_EFFECTS"));
  }
  FADU_RETURN_IF_ERROR(AddTemplate(binding.path, binding));
  bindings.push_back(std::move(binding));
  for (const google::api::HttpRule& more : rule.additional_bindings()) {
    FADU_RETURN_IF_ERROR(AddRule(more, rpc, bindings));
  }
  return absl::OkStatus();
}

// The more literal of two that fit the same path: where they first differ, a literal wins.
bool MoreLiteral(const Binding& a, const Binding& b) {
  for (size_t i = 0; i < a.parts.size() && i < b.parts.size(); ++i) {
    if (a.parts[i].literal.empty() != b.parts[i].literal.empty())
      return !a.parts[i].literal.empty();
  }
  return false;
}

bool Fits(const Binding& binding, const Target& target) {
  if (binding.parts.size() != target.segments.size() || binding.verb != target.verb) return false;
  for (size_t i = 0; i < binding.parts.size(); ++i) {
    const std::string& literal = binding.parts[i].literal;
    if (literal.empty() ? target.segments[i].empty() : literal != target.segments[i]) return false;
  }
  return true;
}

// "counties/421221/disputes/…" → "disputes"; "" for another text.
absl::string_view CollectionIn(absl::string_view name) {
  const std::vector<absl::string_view> parts = absl::StrSplit(name, '/');
  return parts.size() == 4 && parts[0] == "counties" ? parts[2] : absl::string_view();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Catalogue>> Catalogue::Make(
    const std::vector<std::string>& services) {
  std::unique_ptr<Catalogue> catalogue(new Catalogue);
  catalogue->services_.insert(services.begin(), services.end());
  std::vector<std::string> names;
  DescriptorPool::internal_generated_database()->FindAllFileNames(&names);
  std::sort(names.begin(), names.end());
  std::map<std::string, std::string> service_of_package = {{std::string(kShared), ""}};
  for (const std::string& service : services) {
    service_of_package[absl::StrCat("fadu.", service, ".v1")] = service;
  }
  for (const std::string& name : names) {
    const FileDescriptor* file = DescriptorPool::generated_pool()->FindFileByName(name);
    const auto owner = service_of_package.find(file->package());
    if (owner == service_of_package.end()) continue;
    for (int i = 0; i < file->message_type_count(); ++i) {
      const Descriptor* message = file->message_type(i);
      if (!message->options().HasExtension(common::record)) continue;
      const common::RecordOptions& record = message->options().GetExtension(common::record);
      catalogue->collections_[record.collection()] = Collection{owner->second, message};
      catalogue->owner_of_type_[message->full_name()] = owner->second;
    }
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        const MethodDescriptor* method = file->service(i)->method(j);
        const common::Access& access = method->options().GetExtension(common::access);
        if (!IsForPeople(access) || method->client_streaming() || method->server_streaming()) {
          continue;
        }
        auto rpc = std::make_unique<Rpc>();
        rpc->method = method;
        rpc->path = absl::StrCat("/", method->service()->full_name(), "/", method->name());
        rpc->service = owner->second;
        rpc->reads = method->options().idempotency_level() ==
                     google::protobuf::MethodOptions::NO_SIDE_EFFECTS;
        rpc->anonymous = access.anonymous();
        rpc->rate = method->options().GetExtension(common::rate);
        if (method->options().HasExtension(google::api::http)) {
          FADU_RETURN_IF_ERROR(AddRule(method->options().GetExtension(google::api::http), *rpc,
                                       catalogue->bindings_));
        }
        catalogue->by_path_[rpc->path] = rpc.get();
        catalogue->rpcs_.push_back(std::move(rpc));
      }
    }
  }
  return catalogue;
}

const Rpc* Catalogue::FindRpc(absl::string_view service, absl::string_view method) const {
  const auto found = by_path_.find(absl::StrCat("/", service, "/", method));
  return found == by_path_.end() ? nullptr : found->second;
}

absl::optional<Match> Catalogue::FindBinding(absl::string_view http_method, const Target& target,
                                             std::set<std::string>* allowed) const {
  const Binding* best = nullptr;
  for (const Binding& binding : bindings_) {
    if (!Fits(binding, target)) continue;
    allowed->insert(binding.http_method);
    if (binding.http_method != http_method) continue;
    if (best == nullptr || MoreLiteral(binding, *best)) best = &binding;
  }
  if (best == nullptr) return absl::nullopt;
  Match match;
  match.binding = best;
  std::vector<std::vector<std::string>> values(best->variables.size());
  for (size_t i = 0; i < best->parts.size(); ++i) {
    if (best->parts[i].variable < 0) continue;
    values[static_cast<size_t>(best->parts[i].variable)].push_back(target.segments[i]);
  }
  for (size_t i = 0; i < values.size(); ++i) {
    match.variables.emplace_back(best->variables[i], absl::StrJoin(values[i], "/"));
  }
  return match;
}

const Collection* Catalogue::FindCollection(absl::string_view name) const {
  const auto found = collections_.find(std::string(name));
  return found == collections_.end() ? nullptr : &found->second;
}

std::string Catalogue::OwnerOf(const Message& request) const {
  const auto* reflection = request.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(request, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING && !field->is_repeated()) {
      const std::string value = reflection->GetString(request, field);
      const Collection* collection = FindCollection(
          field->name() == "collection" ? absl::string_view(value) : CollectionIn(value));
      if (collection != nullptr) return collection->service;
    }
    if (field->message_type() == google::protobuf::Any::descriptor()) {
      const auto& any = static_cast<const google::protobuf::Any&>(
          field->is_repeated() ? reflection->GetRepeatedMessage(request, field, 0)
                               : reflection->GetMessage(request, field));
      const size_t slash = any.type_url().rfind('/');
      const auto owner = owner_of_type_.find(
          slash == std::string::npos ? any.type_url() : any.type_url().substr(slash + 1));
      if (owner != owner_of_type_.end()) return owner->second;
    }
  }
  return "";
}

absl::StatusOr<std::unique_ptr<Message>> BuildRequest(const Match& match, const Target& target,
                                                      absl::string_view json,
                                                      const Descriptor* any_type) {
  const Binding& binding = *match.binding;
  const Descriptor* type = binding.rpc->method->input_type();
  std::unique_ptr<Message> request(MessageFactory::generated_factory()->GetPrototype(type)->New());
  const auto twice = [](const std::string& field) {
    return Fail(absl::StatusCode::kInvalidArgument, common::REASON_FIELD_INVALID,
                "a field stands in two places", {{"field", field}, {"problem", "重复出现"}},
                {{field, "重复出现"}});
  };
  if (binding.body == "*") {
    if (!json.empty()) FADU_RETURN_IF_ERROR(JsonToMessage(json, *request, any_type));
  } else if (!binding.body.empty()) {
    const FieldDescriptor* field = type->FindFieldByName(binding.body);
    FADU_RETURN_IF_ERROR(JsonToMessage(
        json.empty() ? "{}" : json, *request->GetReflection()->MutableMessage(request.get(), field),
        any_type, binding.body));
  }
  std::set<std::string> seen;
  const auto set = [&](const std::string& path, absl::string_view text) -> absl::Status {
    const std::string top(path.substr(0, path.find('.')));
    const FieldDescriptor* field = type->FindFieldByName(top);
    for (int i = 0; field == nullptr && i < type->field_count(); ++i) {
      if (type->field(i)->json_name() == top) field = type->field(i);
    }
    if (field != nullptr) {
      // What the body said is not said again.
      const bool in_body = binding.body == field->name();
      const bool first = seen.insert(absl::StrCat(field->name(), path.substr(top.size()))).second;
      if (in_body || (!first && !field->is_repeated())) return twice(field->name());
    }
    return SetField(*request, path, text);
  };
  for (const auto& [path, value] : match.variables) {
    // The body may repeat what the path says, and nothing else.
    const FieldDescriptor* field = type->FindFieldByName(path);
    const bool is_text = field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    const std::string said = is_text ? request->GetReflection()->GetString(*request, field) : "";
    if (!said.empty() && said != value) {
      return Fail(absl::StatusCode::kInvalidArgument, common::REASON_FIELD_INVALID,
                  "the body contradicts the path", {{"field", path}, {"problem", "与路径不符"}},
                  {{path, "与路径不符"}});
    }
    FADU_RETURN_IF_ERROR(set(path, value));
  }
  for (const auto& [path, value] : target.query) {
    // With the whole message as the body, parameters have no place beside it.
    if (binding.body == "*") return twice(path);
    FADU_RETURN_IF_ERROR(set(path, value));
  }
  return request;
}

}  // namespace fadu::gateway
