// The contract is the manual: what every method, field, reason and record type must say.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor_database.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/schema/record_type.h"
#include "fadu/common/v1/options.pb.h"
#include "google/api/annotations.pb.h"
#include "services/fadu/modules.h"

namespace fadu {
namespace {

namespace v1 = ::fadu::common::v1;
using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;
using ::testing::IsEmpty;

std::vector<const FileDescriptor*> Files() {
  // Every module is linked, and with it every contract.
  EXPECT_FALSE(cli::AllModules().empty());
  std::vector<std::string> names;
  google::protobuf::DescriptorPool::internal_generated_database()->FindAllFileNames(&names);
  std::vector<const FileDescriptor*> files;
  for (const std::string& name : names) {
    if (absl::StartsWith(name, "fadu/")) {
      files.push_back(google::protobuf::DescriptorPool::generated_pool()->FindFileByName(name));
    }
  }
  return files;
}

std::vector<const MethodDescriptor*> Methods() {
  std::vector<const MethodDescriptor*> methods;
  for (const FileDescriptor* file : Files()) {
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        methods.push_back(file->service(i)->method(j));
      }
    }
  }
  return methods;
}

void CollectMessages(const Descriptor* message, std::set<const Descriptor*>& seen) {
  if (absl::StartsWith(message->full_name(), "google.") || !seen.insert(message).second) return;
  for (int i = 0; i < message->field_count(); ++i) {
    if (message->field(i)->message_type() != nullptr) {
      CollectMessages(message->field(i)->message_type(), seen);
    }
  }
}

TEST(Contract, ThereAreServicesToCheck) {
  EXPECT_GE(Methods().size(), 40U);
  EXPECT_GE(Files().size(), 14U);
}

TEST(Contract, EveryMethodSaysWhoMayCallIt) {
  std::vector<std::string> without;
  for (const MethodDescriptor* method : Methods()) {
    const v1::Access& access = method->options().GetExtension(v1::access);
    if (access.roles().empty() && access.services().empty() && !access.anonymous()) {
      without.push_back(method->full_name());
    }
  }
  EXPECT_THAT(without, IsEmpty());
}

TEST(Contract, OnlyTokenExchangeAndBootstrapAreAnonymous) {
  std::set<std::string> anonymous;
  for (const MethodDescriptor* method : Methods()) {
    if (method->options().GetExtension(v1::access).anonymous()) anonymous.insert(method->name());
  }
  EXPECT_EQ(anonymous, (std::set<std::string>{"Bootstrap", "ExchangeToken"}));
}

TEST(Contract, EveryRequestFieldIsBounded) {
  std::set<const Descriptor*> messages;
  for (const MethodDescriptor* method : Methods()) CollectMessages(method->input_type(), messages);
  // Records travel inside Any.
  for (const FileDescriptor* file : Files()) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      if (file->message_type(i)->options().HasExtension(v1::record)) {
        CollectMessages(file->message_type(i), messages);
      }
    }
  }
  std::vector<std::string> unbounded;
  for (const Descriptor* message : messages) {
    for (int i = 0; i < message->field_count(); ++i) {
      const FieldDescriptor* field = message->field(i);
      const v1::Rules& rules = field->options().GetExtension(v1::rules);
      const bool text = field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;  // bytes too
      const bool sized = rules.max_len() > 0 || rules.format() == v1::FORMAT_UUID;
      if (field->is_map()) continue;
      if ((text && !sized) || (field->is_repeated() && rules.max_items() == 0)) {
        unbounded.push_back(field->full_name());
      }
    }
  }
  EXPECT_THAT(unbounded, IsEmpty());
}

// What people may call is there over HTTP too, under a path of its own.
TEST(Contract, EveryMethodForPeopleHasAnHttpPath) {
  std::set<std::string> paths;
  std::vector<std::string> wrong;
  for (const MethodDescriptor* method : Methods()) {
    const v1::Access& access = method->options().GetExtension(v1::access);
    const bool people =
        access.anonymous() || std::any_of(access.roles().begin(), access.roles().end(),
                                          [](int role) { return role != v1::ROLE_SERVICE; });
    if (!people) continue;
    const google::api::HttpRule& rule = method->options().GetExtension(google::api::http);
    const std::string path = absl::StrCat(rule.pattern_case(), " ", rule.get(), rule.post(),
                                          rule.patch(), rule.put(), rule.delete_());
    const bool reads =
        method->options().idempotency_level() == google::protobuf::MethodOptions::NO_SIDE_EFFECTS;
    if (!method->options().HasExtension(google::api::http) || !paths.insert(path).second ||
        (rule.pattern_case() == google::api::HttpRule::kGet && !reads)) {
      wrong.push_back(absl::StrCat(method->full_name(), ": ", path));
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(Contract, RecordingRequestsCarryARequestId) {
  std::vector<std::string> without;
  for (const MethodDescriptor* method : Methods()) {
    if (!method->options().GetExtension(v1::recording)) continue;
    const FieldDescriptor* id = method->input_type()->FindFieldByName("request_id");
    if (id == nullptr || !id->options().GetExtension(v1::rules).required()) {
      without.push_back(method->full_name());
    }
  }
  EXPECT_THAT(without, IsEmpty());
}

TEST(Contract, ListsHavePages) {
  std::vector<std::string> without;
  for (const MethodDescriptor* method : Methods()) {
    if (!absl::StartsWith(method->name(), "List") || method->name() == "ListRecordTypes") continue;
    if (method->input_type()->FindFieldByName("page_size") == nullptr ||
        method->input_type()->FindFieldByName("page_token") == nullptr ||
        method->output_type()->FindFieldByName("next_page_token") == nullptr) {
      without.push_back(method->full_name());
    }
  }
  EXPECT_THAT(without, IsEmpty());
}

void CollectEnums(const Descriptor* message, std::vector<const EnumDescriptor*>& types) {
  for (int i = 0; i < message->enum_type_count(); ++i) types.push_back(message->enum_type(i));
  for (int i = 0; i < message->nested_type_count(); ++i) {
    CollectEnums(message->nested_type(i), types);
  }
}

TEST(Contract, ZeroOfEveryEnumIsUnspecified) {
  std::vector<const EnumDescriptor*> types;
  for (const FileDescriptor* file : Files()) {
    for (int i = 0; i < file->enum_type_count(); ++i) types.push_back(file->enum_type(i));
    for (int i = 0; i < file->message_type_count(); ++i) {
      CollectEnums(file->message_type(i), types);
    }
  }
  std::vector<std::string> wrong;
  for (const EnumDescriptor* type : types) {
    if (!absl::EndsWith(type->FindValueByNumber(0)->name(), "_UNSPECIFIED")) {
      wrong.push_back(type->full_name());
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(Contract, EveryReasonHasATextInBothLanguages) {
  std::vector<std::string> without;
  for (const FileDescriptor* file : Files()) {
    const EnumDescriptor* reasons = file->FindEnumTypeByName("Reason");
    if (reasons == nullptr) continue;
    for (int i = 1; i < reasons->value_count(); ++i) {
      const v1::Label& label = reasons->value(i)->options().GetExtension(v1::label);
      if (label.zh().empty() || label.en().empty())
        without.push_back(reasons->value(i)->full_name());
    }
  }
  EXPECT_THAT(without, IsEmpty());
}

TEST(Contract, EveryRecordFieldIsLabelledForPeople) {
  std::vector<std::string> without;
  for (const FileDescriptor* file : Files()) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      const Descriptor* message = file->message_type(i);
      if (!message->options().HasExtension(v1::record)) continue;
      EXPECT_TRUE(RecordType::FromDescriptor(message).ok()) << message->full_name();
      for (int j = 0; j < message->field_count(); ++j) {
        const v1::Field& field = message->field(j)->options().GetExtension(v1::field);
        if (field.zh().empty() || field.en().empty())
          without.push_back(message->field(j)->full_name());
      }
    }
  }
  EXPECT_THAT(without, IsEmpty());
}

// Who calls whom, method by method, is the contract's: a method names the services that may call it
// on their own account, being one is nothing by itself, and only services that call the one that
// serves it are named.
TEST(Contract, ServicesAreNamedWhereTheyCall) {
  std::map<std::string, std::set<std::string>> callees;
  for (const host::Module& module : cli::AllModules()) {
    callees[module.name].insert(module.peers.begin(), module.peers.end());
  }
  std::vector<std::string> wrong;
  for (const MethodDescriptor* method : Methods()) {
    const v1::Access& access = method->options().GetExtension(v1::access);
    for (const int role : access.roles()) {
      if (role == v1::ROLE_SERVICE) wrong.push_back(method->full_name() + ": any service");
    }
    // fadu.registry.v1.RegistryService is registry's; what is common is served by many.
    const std::vector<std::string> package = absl::StrSplit(method->full_name(), '.');
    for (const std::string& service : access.services()) {
      // The report service is a part of the contract before it is built.
      if (service == "report" || package[1] == "common") continue;
      if (callees[service].count(package[1]) == 0) {
        wrong.push_back(method->full_name() + ": " + service);
      }
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

// Calls form no cycle (architecture §1): callees stand before callers.
TEST(Contract, ServicesCallNobodyThatCallsThem) {
  std::set<std::string> before;
  std::map<std::string, std::vector<std::string>> peers;
  for (const host::Module& module : cli::AllModules()) peers[module.name] = module.peers;
  std::set<std::string> done;
  bool moved = true;
  while (moved) {
    moved = false;
    for (const auto& [name, callees] : peers) {
      const bool ready =
          std::all_of(callees.begin(), callees.end(),
                      [&](const std::string& callee) { return done.count(callee) > 0; });
      if (ready && done.insert(name).second) moved = true;
    }
  }
  EXPECT_EQ(done.size(), peers.size());
}

}  // namespace
}  // namespace fadu
