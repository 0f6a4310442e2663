// X-4 to X-6: every method of every service, for every role, over objects that are the caller's
// own, below, beside and above it, in another county, and not there at all. What should be stands
// in methods.tsv and record_types.tsv; the requests are made from the descriptors.

#include <algorithm>
#include <atomic>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <google/protobuf/any.pb.h>
#include <gtest/gtest.h>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/base/area_code.h"
#include "common/base/status.h"
#include "common/records/store_impl.h"
#include "common/rpc/status_wire.h"
#include "common/testing/status_matchers.h"
#include "common/testing/test_database.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/common/v1/record_service.pb.h"
#include "tests/guard/guard_suite.h"

namespace fadu::guard {
namespace {

namespace v1 = ::fadu::common::v1;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

constexpr int kInFlight = 48;
constexpr size_t kShown = 20;  // of each kind of finding
constexpr int kAtLeast = 10000;

// ---- the tables ---------------------------------------------------------------------------------

std::string RoleWord(int role) {
  std::string name = v1::Role_Name(static_cast<v1::Role>(role));
  return absl::AsciiStrToLower(absl::StripPrefix(name, "ROLE_"));
}

std::vector<std::vector<std::string>> TableOf(const std::string& path) {
  std::vector<std::vector<std::string>> rows;
  for (const auto line : absl::StrSplit(SourceFile(path), '\n', absl::SkipEmpty())) {
    if (!absl::StartsWith(line, "#")) rows.push_back(absl::StrSplit(line, '\t'));
  }
  return rows;
}

enum Relation { kOwn, kChild, kSibling, kParent, kElsewhere };

Relation RelationOf(absl::string_view grant, absl::string_view target) {
  if (grant == target) return kOwn;
  if (IsWithin(target, grant)) return kChild;
  if (IsWithin(grant, target)) return kParent;
  return CountyOf(grant) == CountyOf(target) ? kSibling : kElsewhere;
}

struct MethodRow {
  std::set<std::string> who;
  bool county_grant = false;
  std::string of;
  std::vector<bool> may;  // by relation
};

struct TypeRow {
  bool managed = false;
  bool shared = false;
  std::map<std::string, std::string> roles;  // role → letters
};

// What should be, by the tables.
class Expectations {
 public:
  explicit Expectations(GuardSuite& suite) {
    for (const auto& row : TableOf("tests/guard/methods.tsv")) {
      MethodRow& method = methods_[row.at(0)].emplace_back();
      for (const auto word : absl::StrSplit(row.at(1), ' ')) method.who.insert(std::string(word));
      method.county_grant = row.at(2) == "county";
      method.of = row.at(3);
      for (size_t i = 4; i < 9; ++i) method.may.push_back(row.at(i) == "y");
    }
    const std::vector<std::string> columns = {"village_clerk",   "town_clerk",   "town_reviewer",
                                              "county_reviewer", "county_admin", "department",
                                              "auditor",         "service"};
    for (const auto& row : TableOf("tests/guard/record_types.tsv")) {
      TypeRow& type = types_[row.at(0)];
      type.managed = absl::StrContains(row.at(1), "m");
      type.shared = absl::StrContains(row.at(1), "s");
      for (size_t i = 0; i < columns.size(); ++i) type.roles[columns[i]] = row.at(2 + i);
    }
    for (const std::string& service : suite.services()) {
      for (const auto& type : suite.TypesOf(service).all()) {
        const TypeRow declared = Declared(*type);
        const auto found = types_.find(type->collection());
        if (found == types_.end()) {
          types_[type->collection()] = declared;
          continue;
        }
        for (const auto& [role, letters] : declared.roles) {
          const std::string expected =
              found->second.roles[role] == "-" ? "" : found->second.roles[role];
          EXPECT_EQ(letters, expected) << type->collection() << ": " << role;
        }
        EXPECT_EQ(declared.managed, found->second.managed) << type->collection();
        EXPECT_EQ(declared.shared, found->second.shared) << type->collection();
      }
    }
  }

  bool Knows(const std::string& method) const { return methods_.count(method) > 0; }

  // Whether nobody at all needs an object for the method.
  bool NeedsNone(const std::string& method) const {
    return Knows(method) && methods_.at(method)[0].of == "none";
  }

  // `owner` is the organisation of the one record that it is about; nullopt when it is not about
  // one.
  bool May(const Caller& caller, const std::string& method, const RecordType* type,
           const std::string& target, const absl::optional<std::string>& owner) const {
    for (const MethodRow& row : methods_.at(method)) {
      if (row.who.count("anyone") > 0) return true;
      if (!caller.service.empty()) {
        const bool named = row.who.count(absl::StrCat("svc:", caller.service)) > 0;
        const bool any = row.who.count("service") > 0 && Allows(row, type, "service");
        if (named || any) return true;
      }
      for (const RoleGrant& grant : caller.grants) {
        const std::string role = RoleWord(grant.role);
        if (row.who.count(role) == 0 || !Allows(row, type, role)) continue;
        if (row.county_grant && grant.area_code.size() != 6) continue;
        const Relation relation = RelationOf(grant.area_code, target);
        const bool throughout = row.of == "reader" && type != nullptr &&
                                types_.at(type->collection()).shared && relation != kElsewhere;
        // What is not about records of one type is about everybody's.
        const bool about_records =
            row.of == "reader" || row.of == "writer" || row.of == "unmasker" || row.of == "either";
        if (grant.IsLimited() && row.of != "none") {
          if (!about_records || type == nullptr || !grant.IsFor(type->collection())) continue;
          const bool ours =
              grant.organisation.empty() ||
              (owner.has_value() ? owner == grant.organisation : type->organisation() != nullptr);
          if (!ours && !throughout) continue;
        }
        if (row.may[relation] || throughout) return true;
      }
    }
    return false;
  }

  // The caller may read records of a type and an organisation that lie there.
  bool MayRead(const Caller& caller, const RecordType& type, const std::string& area,
               const std::string& owner) const {
    const TypeRow& row = types_.at(type.collection());
    const auto reads = [&](const std::string& role) {
      return absl::StrContains(row.roles.at(role), "r");
    };
    if (!caller.service.empty()) return reads("service");
    return std::any_of(caller.grants.begin(), caller.grants.end(), [&](const RoleGrant& grant) {
      const Relation relation = RelationOf(grant.area_code, area);
      const bool ours =
          grant.organisation.empty() || (!owner.empty() && owner == grant.organisation);
      return reads(RoleWord(grant.role)) && grant.IsFor(type.collection()) &&
             ((ours && relation <= kChild) || (row.shared && relation != kElsewhere));
    });
  }

 private:
  static TypeRow Declared(const RecordType& type) {
    TypeRow row;
    row.managed = type.options().managed();
    row.shared = type.options().shared();
    for (int role = v1::ROLE_VILLAGE_CLERK; role <= v1::ROLE_SERVICE; ++role) {
      const auto has = [role](const auto& roles) {
        return std::find(roles.begin(), roles.end(), role) != roles.end();
      };
      row.roles[RoleWord(role)] = absl::StrCat(has(type.options().readers()) ? "r" : "",
                                               has(type.options().writers()) ? "w" : "");
    }
    return row;
  }

  bool Allows(const MethodRow& row, const RecordType* type, const std::string& role) const {
    if (type == nullptr || row.of == "-" || row.of == "none") return true;
    const TypeRow& record = types_.at(type->collection());
    const std::string& letters = record.roles.at(role);
    const bool reads = absl::StrContains(letters, "r");
    const bool writes = absl::StrContains(letters, "w") && !record.managed;
    if (row.of == "reader" || row.of == "unmasker") return reads;
    if (row.of == "writer") return writes;
    if (row.of == "either") return (reads && !record.managed) || writes;
    return type->collection() == row.of;
  }

  std::map<std::string, std::vector<MethodRow>> methods_;
  std::map<std::string, TypeRow> types_;
};

// ---- the requests -------------------------------------------------------------------------------

// One request about one object.
struct Shot {
  std::string row;  // of methods.tsv: "RecordService/ReviewRecord:SUBMIT"
  std::shared_ptr<Message> request;
  const RecordType* type = nullptr;
  std::string area;
  std::string object;                 // the id in a name; empty: the request goes by area
  absl::optional<std::string> owner;  // of the one record that it is about
  bool of_county = false;             // the object is the county's
};

// An area of the same kind that nobody knows.
std::string NowhereLike(absl::string_view area) {
  std::string nowhere(area);
  if (CountyOf(area) != kCounty) return nowhere.replace(4, 2, "99");
  return nowhere.replace(nowhere.size() - (nowhere.size() > 6 ? 3 : 2), 3,
                         nowhere.size() > 6 ? "999" : "99");
}

class Shots {
 public:
  explicit Shots(GuardSuite& suite) : suite_(suite) {
    for (const Planted& planted : suite.planted()) {
      planted_[{planted.type, planted.area, planted.owner}] = &planted;
    }
  }

  // Every request of a method about the objects at `target`.
  std::vector<Shot> Of(const std::string& service, const MethodDescriptor& method,
                       const std::string& area) {
    std::vector<Shot> shots;
    const Descriptor& input = *method.input_type();
    const bool by_type =
        input.FindFieldByName("collection") != nullptr || HasAny(input) || IsName(input, "name");
    std::vector<const RecordType*> types;
    for (const auto& type : suite_.TypesOf(service).all()) types.push_back(type.get());
    if (!by_type || types.empty()) types = {nullptr};
    const FieldDescriptor* action = input.FindFieldByName("action");
    std::vector<std::pair<const RecordType*, std::string>> kinds;
    for (const RecordType* type : types) {
      for (const std::string& owner :
           type == nullptr ? std::vector<std::string>{""} : OwnersOf(*type)) {
        kinds.emplace_back(type, owner);
      }
    }
    for (const auto& [type, owner] : kinds) {
      absl::optional<Shot> shot = Make(service, method, type, area, owner);
      if (!shot.has_value()) continue;
      if (action == nullptr || action->enum_type() == nullptr) {
        shots.push_back(*std::move(shot));
        continue;
      }
      for (int i = 1; i < action->enum_type()->value_count(); ++i) {
        Shot variant = *shot;
        variant.request.reset(shot->request->New());
        variant.request->CopyFrom(*shot->request);
        variant.request->GetReflection()->SetEnum(variant.request.get(), action,
                                                  action->enum_type()->value(i));
        absl::StrAppend(&variant.row, ":", EnumCode(action->enum_type()->value(i)));
        shots.push_back(std::move(variant));
      }
    }
    return shots;
  }

  // The same request about what is not there, in the same place or in one like it.
  absl::optional<Shot> TwinOf(const std::string& service, const MethodDescriptor& method,
                              const Shot& shot) {
    if (shot.object.empty() || shot.of_county) {
      for (Shot& twin : Of(service, method, NowhereLike(shot.area))) {
        const bool same = twin.row == shot.row && twin.type == shot.type;
        if (same && twin.owner == shot.owner) return std::move(twin);
      }
      if (shot.object.empty()) return absl::nullopt;
    }
    Shot twin = shot;
    twin.object = suite_.NewId();
    twin.request.reset(shot.request->New());
    twin.request->CopyFrom(*shot.request);
    const auto* reflection = twin.request->GetReflection();
    for (int i = 0; i < method.input_type()->field_count(); ++i) {
      const FieldDescriptor* field = method.input_type()->field(i);
      if (field->is_repeated() || field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) continue;
      reflection->SetString(twin.request.get(), field,
                            absl::StrReplaceAll(reflection->GetString(*twin.request, field),
                                                {{shot.object, twin.object}}));
    }
    return twin;
  }

  // The request as a wish of its own.
  std::unique_ptr<Message> Again(const Shot& shot) {
    std::unique_ptr<Message> request(shot.request->New());
    request->CopyFrom(*shot.request);
    const FieldDescriptor* id = request->GetDescriptor()->FindFieldByName("request_id");
    // One run a county is enough; the others are the answer to it again.
    if (id != nullptr && shot.row != "ScoringService/CreateRun") {
      request->GetReflection()->SetString(request.get(), id, suite_.NewId());
    }
    return request;
  }

 private:
  static bool HasAny(const Descriptor& input) {
    for (int i = 0; i < input.field_count(); ++i) {
      const Descriptor* type = input.field(i)->message_type();
      if (type != nullptr && type->full_name() == "google.protobuf.Any") return true;
    }
    return false;
  }
  static bool IsName(const Descriptor& input, const char* field) {
    const FieldDescriptor* found = input.FindFieldByName(field);
    return found != nullptr && found->cpp_type() == FieldDescriptor::CPPTYPE_STRING &&
           found->options().GetExtension(v1::rules).format() == v1::FORMAT_NAME;
  }

  // The name of the object of `collection` that lies where the shot goes; its id goes into the
  // shot.
  absl::optional<std::string> NameOf(const RecordType* type, const std::string& collection,
                                     const std::string& owner, Shot& shot) {
    std::string name = suite_.Made(CountyOf(shot.area), collection);
    shot.of_county = !name.empty();
    if (type != nullptr && (name.empty() || shot.row.find("RecordService") == 0)) {
      // What another type of record names has an owner of its own.
      const std::vector<std::string> owners = OwnersOf(*type);
      const std::string whose = absl::c_linear_search(owners, owner) ? owner : owners[0];
      const auto found = planted_.find({type, shot.area, whose});
      if (found == planted_.end()) return absl::nullopt;
      name = found->second->name;
      shot.owner = whose;
      shot.of_county = false;
    }
    if (name.empty()) return absl::nullopt;
    shot.object = name.substr(name.rfind('/') + 1);
    return name;
  }

  absl::optional<Shot> Make(const std::string& service, const MethodDescriptor& method,
                            const RecordType* type, const std::string& area,
                            const std::string& owner) {
    Shot shot;
    shot.row = absl::StrCat(method.service()->name(), "/", method.name());
    shot.type = type;
    shot.area = area;
    const Descriptor& input = *method.input_type();
    shot.request.reset(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(&input)->New());
    Message& request = *shot.request;
    FillMessage(request, area, "x");
    const auto* reflection = request.GetReflection();
    for (int i = 0; i < input.field_count(); ++i) {
      const FieldDescriptor* field = input.field(i);
      const v1::Rules& rules = field->options().GetExtension(v1::rules);
      if (field->message_type() != nullptr &&
          field->message_type()->full_name() == "google.protobuf.Any") {
        std::unique_ptr<Message> record = type->New();
        FillMessage(*record, area, "x");
        GiveTo(*type, owner, *record);
        shot.owner = owner;
        google::protobuf::Any any;
        any.PackFrom(*record);
        field->is_repeated() ? reflection->AddMessage(&request, field)->CopyFrom(any)
                             : reflection->MutableMessage(&request, field)->CopyFrom(any);
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL) {
        // Everything is asked as it would be, and nothing done where that can be said.
        const bool dry = field->name() == "validate_only" || field->name() == "dry_run";
        if (!field->is_repeated()) reflection->SetBool(&request, field, dry);
      } else if (field->name() == "year") {
        reflection->SetInt32(&request, field, kYear);
      } else if (field->cpp_type() != FieldDescriptor::CPPTYPE_STRING || field->is_repeated()) {
        continue;
      } else if (field->name() == "collection") {
        reflection->SetString(&request, field, type->collection());
      } else if (field->name() == "request_id") {
        reflection->SetString(&request, field, suite_.NewId());
      } else if (field->name() == "page_token" || field->name() == "etag" ||
                 field->name() == "filter" || field->name() == "order_by" ||
                 (field->name() == "line_id" && !rules.required())) {
        reflection->ClearField(&request, field);
      } else if (field->name() == "county_code") {
        reflection->SetString(&request, field, CountyOf(area));
      } else if (rules.format() == v1::FORMAT_NAME && field->name() != "parent") {
        const std::string collection = field->name() != "name" ? absl::StrCat(field->name(), "s")
                                       : type != nullptr       ? type->collection()
                                                               : "runs";
        const RecordType* of = suite_.TypesOf(service).FindByCollection(collection);
        const auto name = NameOf(of, collection, owner, shot);
        if (!name.has_value()) return absl::nullopt;
        reflection->SetString(&request, field, *name);
      } else if (rules.format() == v1::FORMAT_UNSPECIFIED && field->name() == "name" &&
                 service == "scoring") {
        const auto name = NameOf(nullptr, "runs", owner, shot);
        if (!name.has_value()) return absl::nullopt;
        reflection->SetString(&request, field, *name);
      }
    }
    if (input.name() == "EvaluateMeasureRequest") {
      const FieldDescriptor* expressions = input.FindFieldByName("expressions");
      reflection->ClearField(&request, expressions);
      reflection->AddString(&request, expressions, "count(disputes)");
    }
    if (input.name() == "CreateRunRequest") {
      reflection->SetString(&request, input.FindFieldByName("request_id"),
                            absl::StrCat("018f0000-0000-7000-8000-000000", CountyOf(area)));
    }
    if (!SaysArea(input) && (shot.object.empty() || shot.of_county)) shot.area = CountyOf(area);
    return shot;
  }

  // The request is about an area, not only about a county.
  static bool SaysArea(const Descriptor& input) {
    for (int i = 0; i < input.field_count(); ++i) {
      const v1::Format format = input.field(i)->options().GetExtension(v1::rules).format();
      if (format == v1::FORMAT_AREA_CODE || format == v1::FORMAT_AREA_NAME) return true;
    }
    return HasAny(input);
  }

  GuardSuite& suite_;
  std::map<std::tuple<const RecordType*, std::string, std::string>, const Planted*> planted_;
};

// ---- what came back -----------------------------------------------------------------------------

struct Answer {
  absl::Status status;
  std::shared_ptr<Message> response;

  // All that left the server, as bytes.
  std::string Bytes() const {
    if (status.ok()) return response->SerializeAsString();
    const grpc::Status wire = rpc::ToWire(status, "zh");
    return absl::StrCat(wire.error_code(), " ", wire.error_message(), " ", wire.error_details());
  }
};

bool IsRoleDenied(const absl::Status& status) {
  return (status.code() == absl::StatusCode::kPermissionDenied &&
          ReasonOf(status) == "REASON_ROLE_DENIED") ||
         status.code() == absl::StatusCode::kUnauthenticated;
}

// Refused, or told that what was asked for is not there.
bool IsRefusal(const Shot& shot, const absl::Status& status) {
  if (IsRoleDenied(status)) return true;
  const std::string reason = ReasonOf(status);
  if ((reason == "REASON_AREA_DENIED" || reason == "REASON_ORGANISATION_DENIED") &&
      status.code() == absl::StatusCode::kPermissionDenied) {
    return true;
  }
  if (reason != "REASON_NOT_FOUND") return false;
  // Of something else that the object names, and that is not there, nobody is told by this.
  const std::string name = DetailOf(status).metadata["name"];
  return shot.object.empty() || absl::StrContains(name, shot.object) ||
         absl::StrContains(name, shot.area);
}

// The texts of a message, those of carried records too.
void TextsOf(const Message& message, std::vector<std::string>& texts) {
  if (message.GetDescriptor()->full_name() == "google.protobuf.Any") {
    const auto& any = static_cast<const google::protobuf::Any&>(message);
    const std::string name = any.type_url().substr(any.type_url().rfind('/') + 1);
    const Descriptor* type =
        google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(name);
    if (type == nullptr) return;
    std::unique_ptr<Message> inner(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
    if (any.UnpackTo(inner.get())) TextsOf(*inner, texts);
    return;
  }
  std::vector<const FieldDescriptor*> fields;
  const auto* reflection = message.GetReflection();
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        TextsOf(field->is_repeated() ? reflection->GetRepeatedMessage(message, field, i)
                                     : reflection->GetMessage(message, field),
                texts);
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
        texts.push_back(field->is_repeated() ? reflection->GetRepeatedString(message, field, i)
                                             : reflection->GetString(message, field));
      }
    }
  }
}

// Finds planted records in what came back.
class LeakFinder {
 public:
  explicit LeakFinder(const GuardSuite& suite) {
    for (const Planted& planted : suite.planted()) {
      by_marker_[planted.marker] = &planted;
      by_id_[planted.id] = &planted;
    }
  }

  // Records whose content, or whose id where it was not asked for, stands in the bytes.
  std::set<const Planted*> ContentIn(const std::string& bytes) const {
    std::set<const Planted*> found;
    const std::string mark = "值";
    const size_t size = std::string("值100000标").size();
    for (size_t at = bytes.find(mark); at != std::string::npos; at = bytes.find(mark, at + 1)) {
      const auto known = by_marker_.find(bytes.substr(at, size));
      if (known != by_marker_.end()) found.insert(known->second);
    }
    return found;
  }
  std::set<const Planted*> IdsIn(const std::string& bytes) const {
    std::set<const Planted*> found;
    for (size_t at = bytes.find("-7"); at != std::string::npos; at = bytes.find("-7", at + 1)) {
      if (at < 13) continue;
      const auto known = by_id_.find(bytes.substr(at - 13, 36));
      if (known != by_id_.end()) found.insert(known->second);
    }
    return found;
  }

 private:
  std::unordered_map<std::string, const Planted*> by_marker_;
  std::unordered_map<std::string, const Planted*> by_id_;
};

// ---- the matrix ---------------------------------------------------------------------------------

// Counts, and says the first few of each kind of finding.
class Findings {
 public:
  void Add(const std::string& kind, const std::string& text) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (++counts_[kind] <= static_cast<int>(kShown))
      texts_.push_back(absl::StrCat(kind, ": ", text));
  }
  std::string Text() const {
    std::string text;
    for (const auto& [kind, count] : counts_) absl::StrAppend(&text, count, " × ", kind, "\n");
    return absl::StrCat(text, absl::StrJoin(texts_, "\n"));
  }
  int Count() const {
    int all = 0;
    for (const auto& [kind, count] : counts_) all += count;
    return all;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, int> counts_;
  std::vector<std::string> texts_;
};

class Matrix {
 public:
  Matrix(GuardSuite& suite, const Expectations& expectations)
      : suite_(suite), expectations_(expectations), shots_(suite), finder_(suite) {}

  void Run(const std::vector<Caller>& callers) {
    for (const std::string& service : suite_.services()) {
      for (const MethodDescriptor* method : suite_.MethodsOf(service)) {
        const std::string row = absl::StrCat(method->service()->name(), "/", method->name());
        std::vector<std::string> areas = PlantedAreas();
        if (expectations_.NeedsNone(row)) areas = {kTown};
        std::set<std::string> fired;
        for (const std::string& area : areas) {
          for (const Shot& shot : shots_.Of(service, *method, area)) {
            const std::string object =
                absl::StrCat(shot.row, " ", shot.type == nullptr ? "" : shot.type->collection(),
                             " ", shot.area, " ", shot.object, " ", shot.owner.value_or(""));
            if (!fired.insert(object).second) continue;
            for (const Caller& caller : callers) Fire(service, *method, caller, shot);
          }
        }
      }
    }
    Wait();
  }

  int combinations() const { return combinations_; }
  const Findings& findings() const { return findings_; }
  // Rows of the table by which somebody was let in.
  const std::set<std::string>& opened() const { return opened_; }

 private:
  void Fire(const std::string& service, const MethodDescriptor& method, const Caller& caller,
            const Shot& shot) {
    const bool known = expectations_.Knows(shot.row);
    const bool anonymous = method.options().GetExtension(v1::access).anonymous();
    const bool may = known && expectations_.May(caller, shot.row, shot.type, shot.area, shot.owner);
    ++combinations_;
    Send(service, method, caller, shot, /*queue=*/true,
         [=, this, &method, &caller](const Answer& answer) {
           const auto say = [&](const std::string& kind) {
             findings_.Add(kind, absl::StrCat(caller.name, " ", shot.row, " ",
                                              shot.type == nullptr ? "" : shot.type->collection(),
                                              " in ", shot.area, " → ", answer.status.ToString(),
                                              " ", ReasonOf(answer.status)));
           };
           LookForLeaks(caller, shot, answer, say);
           if (anonymous) return;
           if (caller.bearer.empty() && caller.service.empty()) {
             if (answer.status.code() != absl::StatusCode::kUnauthenticated)
               say("nobody was let in");
             return;
           }
           if (may) {
             if (IsRefusal(shot, answer.status)) return say("refused what should be");
             const std::lock_guard<std::mutex> lock(mutex_);
             opened_.insert(shot.row);
             return;
           }
           if (IsRoleDenied(answer.status)) return;
           // Of a new record it says what the caller's own grant says.
           if (shot.object.empty() && ReasonOf(answer.status) == "REASON_ORGANISATION_DENIED") {
             return;
           }
           // Not in the table yet: another county is another county for everybody.
           if (!known && (!caller.service.empty() || InCountyOf(caller, shot.area))) return;
           CompareWithNothing(service, method, caller, shot, answer);
         });
  }

  static bool InCountyOf(const Caller& caller, const std::string& area) {
    return std::any_of(caller.grants.begin(), caller.grants.end(), [&](const RoleGrant& grant) {
      return CountyOf(grant.area_code) == CountyOf(area);
    });
  }

  // What may not be seen must not differ from what is not there.
  void CompareWithNothing(const std::string& service, const MethodDescriptor& method,
                          const Caller& caller, const Shot& shot, const Answer& answer) {
    // What lies above the caller has no twin.
    const bool above =
        (shot.object.empty() || shot.of_county) &&
        std::any_of(caller.grants.begin(), caller.grants.end(), [&](const RoleGrant& grant) {
          return RelationOf(grant.area_code, shot.area) == kParent;
        });
    const absl::optional<Shot> twin = above ? absl::nullopt : shots_.TwinOf(service, method, shot);
    if (!twin.has_value()) {
      if (answer.status.ok() && !answer.Bytes().empty())
        findings_.Add("let in above", absl::StrCat(caller.name, " ", shot.row));
      return;
    }
    // From an answer's thread, which must not wait.
    Send(service, method, caller, *twin, /*queue=*/false,
         [=, this, &caller](const Answer& nothing) {
           std::string real = answer.Bytes();
           if (shot.area != twin->area) {
             real = absl::StrReplaceAll(
                 real, {{shot.area, twin->area}, {CountyOf(shot.area), CountyOf(twin->area)}});
           }
           if (!shot.object.empty()) {
             real = absl::StrReplaceAll(real, {{shot.object, twin->object}});
           }
           if (real == nothing.Bytes()) return;
           findings_.Add(
               "told apart from nothing",
               absl::StrCat(caller.name, " ", shot.row, " ",
                            shot.type == nullptr ? "" : shot.type->collection(), " in ", shot.area,
                            " → ", answer.status.ToString(), " and ", nothing.status.ToString()));
         });
  }

  template <typename Say>
  void LookForLeaks(const Caller& caller, const Shot& shot, const Answer& answer, const Say& say) {
    // Feeds are between services: what they carry is tested by its content (canary_test.cc).
    if (!caller.service.empty() && absl::StrContains(shot.row, "PullFacts")) return;
    const std::string bytes = answer.Bytes();
    for (const Planted* planted : finder_.ContentIn(bytes)) {
      if (!expectations_.MayRead(caller, *planted->type, planted->area, planted->owner)) {
        say(absl::StrCat("LEAK of ", planted->type->collection()));
      }
    }
    // X-7: in clear only where it was asked for, by who may.
    const bool unmasks = shot.row == "RecordService/UnmaskRecord" &&
                         expectations_.May(caller, shot.row, shot.type, shot.area, shot.owner);
    if (!unmasks && !suite_.canaries().In(bytes).empty()) say("LEAK of personal data in clear");
    // Who reads the audit log reads ids; a score names the records it counts.
    const bool audit = absl::StrContains(shot.row, "ListEvents");
    const bool score = absl::StrContains(shot.row, "ScoringService");
    for (const Planted* planted : finder_.IdsIn(bytes)) {
      if (planted->id == shot.object || audit) continue;
      const bool counted = score && Covers(caller, planted->area);
      if (!counted &&
          !expectations_.MayRead(caller, *planted->type, planted->area, planted->owner)) {
        say(absl::StrCat("LEAK of the id of ", planted->type->collection()));
      }
    }
    if (!score || !answer.status.ok() || !caller.service.empty()) return;
    std::vector<std::string> texts;
    TextsOf(*answer.response, texts);
    for (const std::string& text : texts) {
      if (IsAreaCode(text) && text.size() > 6 && !Covers(caller, text)) say("LEAK of an area");
    }
  }

  static bool Covers(const Caller& caller, const std::string& area) {
    return std::any_of(caller.grants.begin(), caller.grants.end(),
                       [&](const RoleGrant& grant) { return IsWithin(area, grant.area_code); });
  }

  void Send(const std::string& service, const MethodDescriptor& method, const Caller& caller,
            const Shot& shot, bool queue, std::function<void(const Answer&)> done) {
    {
      absl::MutexLock lock(&flight_mutex_);
      const auto room = [this] { return in_flight_ < kInFlight; };
      if (queue) flight_mutex_.Await(absl::Condition(&room));
      ++in_flight_;
    }
    auto answer = std::make_shared<Answer>();
    answer->response.reset(google::protobuf::MessageFactory::generated_factory()
                               ->GetPrototype(method.output_type())
                               ->New());
    suite_.ChannelTo(service).CallAsync(
        absl::StrCat("/", method.service()->full_name(), "/", method.name()), *shots_.Again(shot),
        answer->response.get(), suite_.OptionsFor(caller, service),
        [this, answer, done = std::move(done)](absl::Status status) {
          answer->status = std::move(status);
          done(*answer);
          absl::MutexLock lock(&flight_mutex_);
          --in_flight_;
        });
  }

  void Wait() {
    absl::MutexLock lock(&flight_mutex_);
    const auto landed = [this] { return in_flight_ == 0; };
    flight_mutex_.Await(absl::Condition(&landed));
  }

  GuardSuite& suite_;
  const Expectations& expectations_;
  Shots shots_;
  const LeakFinder finder_;
  Findings findings_;
  std::atomic<int> combinations_{0};
  std::mutex mutex_;
  std::set<std::string> opened_;
  absl::Mutex flight_mutex_;
  int in_flight_ = 0;
};

GuardSuite& Suite() { return SharedSuite(); }

std::vector<int> PersonalRoles() {
  std::vector<int> roles;
  for (int role = v1::ROLE_UNSPECIFIED + 1; v1::Role_IsValid(role); ++role) {
    if (role != v1::ROLE_SERVICE) roles.push_back(role);
  }
  return roles;
}

// Everybody: nobody, each role at each level, each service, and each role beside a village clerk's.
std::vector<Caller> Everybody(GuardSuite& suite) {
  std::vector<Caller> callers = {Caller{"nobody", "", {}, ""}};
  for (const int role : PersonalRoles()) {
    for (const char* area : {kCounty, kTown, kVillage}) {
      callers.push_back(suite.Person({{role, area, ""}}));
    }
    // A role held elsewhere gives nothing here.
    callers.push_back(
        suite.Person({{v1::ROLE_VILLAGE_CLERK, kVillage, ""}, {role, kNextTown, ""}}));
  }
  // Departments' programs, and people of one organisation. An administrator is never limited.
  for (const char* area : {kCounty, kTown, kVillage}) {
    callers.push_back(suite.Person({{v1::ROLE_DEPARTMENT, area, kOurs}}));
    callers.push_back(suite.Person({{v1::ROLE_DEPARTMENT, area, "", {"disputes"}}}));
  }
  callers.push_back(suite.Person({{v1::ROLE_DEPARTMENT, kTown, kOurs, {"disputes", "exams"}}}));
  callers.push_back(suite.Person(
      {{v1::ROLE_DEPARTMENT, kVillage, ""}, {v1::ROLE_DEPARTMENT, kNextTown, kTheirs}}));
  for (const int role : PersonalRoles()) {
    if (role == v1::ROLE_COUNTY_ADMIN) continue;
    callers.push_back(suite.Person({{role, kTown, kOurs}}));
  }
  for (const std::string& service : suite.services()) {
    callers.push_back(suite.Service(service));
  }
  return callers;
}

// What every planted record is, as the administrator sees it.
std::map<std::string, std::string> StateOf(GuardSuite& suite) {
  std::set<std::string> planted;
  for (const Planted& record : suite.planted()) planted.insert(record.id);
  std::map<std::string, std::string> states;
  for (const std::string& service : suite.services()) {
    for (const auto& type : suite.TypesOf(service).all()) {
      // Accounts are there to be rotated and disabled.
      if (type->collection() == "accounts") continue;
      const std::string sql = absl::StrCat(
          "SELECT id, revision, review_state, deleted_at IS NULL, record_key IS NULL "
          "FROM ",
          service, ".", type->table());
      const absl::Status read = suite.admin().Read(
          db::Scope{}, absl::Now() + absl::Seconds(20), [&](db::Transaction& transaction) {
            auto rows = transaction.Run(db::Statement{"state", sql});
            if (!rows.ok()) return rows.status();
            for (const db::Row& row : *rows) {
              if (planted.count(row.Text(0)) == 0) continue;
              states[row.Text(0)] = absl::StrCat(row.Int(1), row.Text(2), row.Bool(3), row.Bool(4));
            }
            return absl::OkStatus();
          });
      EXPECT_THAT(read, IsOk());
    }
  }
  return states;
}

TEST(Access, EveryMethodGivesEveryRoleWhatTheTablesSayAndNothingElse) {
  GuardSuite& suite = Suite();
  const Expectations expectations(suite);
  const std::map<std::string, std::string> before = StateOf(suite);
  Matrix matrix(suite, expectations);
  matrix.Run(Everybody(suite));

  EXPECT_EQ(matrix.findings().Count(), 0) << matrix.findings().Text();
  EXPECT_GE(matrix.combinations(), kAtLeast);
  std::cout << matrix.combinations() << " combinations" << std::endl;
  // A row by which nobody was let in would prove nothing.
  for (const auto& row : TableOf("tests/guard/methods.tsv")) {
    const bool anonymous = row.at(1) == "anyone";
    const bool closed = absl::StrJoin(row.begin() + 4, row.end(), "") == "nnnnn";
    EXPECT_TRUE(anonymous || closed || row.at(1) == "svc:report" ||
                matrix.opened().count(row.at(0)) > 0)
        << row.at(0);
  }
  const std::map<std::string, std::string> after = StateOf(suite);
  for (const auto& [id, state] : before) EXPECT_EQ(after.at(id), state) << id;
}

// A check that cannot fail is none: a caller who holds more than the table is told of.
TEST(Access, TheMatrixFindsWhatIsPlanted) {
  GuardSuite& suite = Suite();
  const Expectations expectations(suite);
  Caller pretender = suite.Person({{v1::ROLE_TOWN_REVIEWER, kCounty, ""}});
  pretender.grants[0].area_code = kVillage;
  const std::vector<Caller> callers = {pretender};
  Matrix matrix(suite, expectations);
  matrix.Run(callers);
  EXPECT_THAT(matrix.findings().Text(), ::testing::HasSubstr("LEAK of disputes"));
  EXPECT_THAT(matrix.findings().Text(), ::testing::HasSubstr("told apart from nothing"));
}

TEST(Access, TheMatrixFindsWhatBelongsToAnotherOrganisation) {
  GuardSuite& suite = Suite();
  const Expectations expectations(suite);
  Caller pretender = suite.Person({{v1::ROLE_TOWN_REVIEWER, kTown, kOurs}});
  pretender.grants[0].organisation = kTheirs;
  const std::vector<Caller> callers = {pretender};
  Matrix matrix(suite, expectations);
  matrix.Run(callers);
  EXPECT_THAT(matrix.findings().Text(), ::testing::HasSubstr("LEAK of disputes"));
  EXPECT_THAT(matrix.findings().Text(), ::testing::HasSubstr("told apart from nothing"));
  EXPECT_THAT(matrix.findings().Text(), ::testing::HasSubstr("refused what should be"));
}

// Erasing is the county administrator's duty; reading the disputes of people is not.
TEST(Access, WhoErasesWhatItDoesNotReadIsNotShownIt) {
  GuardSuite& suite = Suite();
  const Expectations expectations(suite);
  const Caller admin = suite.Person({{v1::ROLE_COUNTY_ADMIN, kCounty, ""}});
  std::set<std::string> hidden;
  for (const Planted& planted : suite.planted()) {
    if (planted.area != kTown) continue;
    records::WriteRequest wish;
    wish.county = kCounty;
    wish.request_id = suite.ids().NewId();
    wish.trusted = true;
    records::Change change;
    change.operation = records::Operation::kDelete;
    change.type = planted.type;
    change.id = *Uuid::Parse(planted.id);
    wish.changes.push_back(std::move(change));
    CallContext call;
    call.principal.subject = "services/guard";
    call.now = absl::Now();
    call.deadline = absl::Now() + absl::Seconds(20);
    ASSERT_THAT(suite.StoreOf(planted.service).WriteAndWait(call, std::move(wish)), IsOk());
    v1::EraseRecordRequest request;
    request.set_name(planted.name);
    request.set_reason("本人请求");
    request.set_request_id(suite.NewId());
    v1::Record record;
    ASSERT_THAT(suite.Call(admin, planted.service, "/fadu.common.v1.RecordService/EraseRecord",
                           request, &record),
                IsOk());
    const bool reads = expectations.MayRead(admin, *planted.type, planted.area, planted.owner);
    EXPECT_EQ(record.has_record(), reads) << planted.name;
    if (!reads) hidden.insert(planted.type->collection());
  }
  EXPECT_THAT(hidden, ::testing::Contains("disputes"));
}

// ---- the second wall ----------------------------------------------------------------------------

// Tables that everybody's scope sees, each with its reason. A new one without row-level security is
// not in it, and is found.
const std::map<std::string, std::string>& ReferenceTables() {
  static const auto* const tables = new std::map<std::string, std::string>{
      {"registry.area", "the area tree is public"},
      {"registry.area_alias", "the area tree is public"},
      {"registry.area_import", "who imported which tree; read by no method"},
      {"registry.area_tree", "a lock"},
      {"registry.credential", "who comes with a secret does not say its county; digests only"},
      {"registry.bootstrap", "one row, before there is a county; a digest only"},
  };
  return *tables;
}

// Tables with areas that row-level security keeps apart by county only, each with its reason.
const std::set<std::string>& CountyTables() {
  // A run counts a whole county, whoever asks; what leaves is cut to the caller's areas.
  static const auto* const tables = new std::set<std::string>{"scoring.fact"};
  return *tables;
}

struct Table {
  std::string schema;
  std::string name;
  bool forced = false;
  bool has_area = false;
  bool writable = false;
  bool codes_only = false;  // no column but county_code: a list of counties
  std::string Full() const { return absl::StrCat(schema, ".", name); }
};

absl::StatusOr<db::Rows> Ask(db::Pool& pool, const db::Scope& scope, const std::string& sql) {
  db::Rows rows;
  const absl::Status status =
      pool.InTransaction(scope, absl::Now() + absl::Seconds(20), [&](db::Transaction& transaction) {
        auto result = transaction.Run(db::Statement{"guard", sql});
        if (result.ok()) rows = *std::move(result);
        return result.status();
      });
  if (!status.ok()) return status;
  return rows;
}

// The tables of every service that keep counties.
std::vector<Table> TablesOf(GuardSuite& suite) {
  std::vector<Table> tables;
  for (const std::string& service : suite.schemas()) {
    const auto rows = Ask(
        suite.admin(), db::Scope{},
        absl::StrCat(
            "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, EXISTS (SELECT "
            "1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'area_code'), "
            "has_table_privilege('fadu_",
            service,
            "', c.oid, 'INSERT'), (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid "
            "AND a.attnum > 0 AND NOT a.attisdropped) = 1 FROM pg_class c WHERE c.relnamespace = '",
            service, "'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'migration'"));
    EXPECT_THAT(rows, IsOk());
    for (const db::Row& row : *rows) {
      tables.push_back(
          Table{service, row.Text(0), row.Bool(1), row.Bool(2), row.Bool(3), row.Bool(4)});
    }
  }
  EXPECT_FALSE(tables.empty());
  return tables;
}

bool IsReference(const Table& table) {
  return table.codes_only || ReferenceTables().count(table.Full()) > 0;
}

TEST(RowLevelSecurity, IsForcedOnEveryTableThatIsNotReference) {
  for (const Table& table : TablesOf(Suite())) {
    EXPECT_TRUE(table.forced || IsReference(table)) << table.Full();
  }
}

TEST(RowLevelSecurity, HoldsForRolesThatOwnAndBypassNothing) {
  GuardSuite& suite = Suite();
  for (const std::string& service : suite.schemas()) {
    const std::string role = absl::StrCat("fadu_", service);
    const auto rights = Ask(suite.admin(), db::Scope{},
                            absl::StrCat("SELECT 1 FROM pg_roles WHERE rolname = '", role,
                                         "' AND (rolsuper OR rolbypassrls OR rolcreaterole OR "
                                         "rolcreatedb OR rolreplication)"));
    ASSERT_THAT(rights, IsOk());
    EXPECT_TRUE(rights->empty()) << role;
    const auto owned =
        Ask(suite.admin(), db::Scope{},
            absl::StrCat("SELECT relname FROM pg_class WHERE relowner = '", role, "'::regrole"));
    ASSERT_THAT(owned, IsOk());
    EXPECT_TRUE(owned->empty()) << role;
    // Of no other service's tables may it do anything, of its own it deletes nothing.
    const auto privileges =
        Ask(suite.admin(), db::Scope{},
            absl::StrCat("SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n "
                         "ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v') AND "
                         "n.nspname NOT IN ('pg_catalog', 'information_schema') AND "
                         "has_schema_privilege('",
                         role, "', n.oid, 'USAGE') AND CASE WHEN n.nspname = '", service,
                         "' THEN has_table_privilege('", role,
                         "', c.oid, 'DELETE, TRUNCATE, TRIGGER, REFERENCES') ELSE "
                         "has_table_privilege('",
                         role, "', c.oid, 'SELECT, INSERT, UPDATE, DELETE') END"));
    ASSERT_THAT(privileges, IsOk());
    for (const db::Row& row : *privileges) ADD_FAILURE() << role << " on " << row.Text(0);
    const auto creates = Ask(suite.admin(), db::Scope{},
                             absl::StrCat("SELECT nspname FROM pg_namespace WHERE "
                                          "has_schema_privilege('",
                                          role, "', oid, 'CREATE')"));
    ASSERT_THAT(creates, IsOk());
    for (const db::Row& row : *creates) ADD_FAILURE() << role << " creates in " << row.Text(0);
  }
}

// The service's own predicates are switched off: statements without any condition.
TEST(RowLevelSecurity, AloneShowsEachScopeItsAreasAndNoOthers) {
  GuardSuite& suite = Suite();
  const std::vector<db::Scope> scopes = {{{kCounty}, {kVillage}},
                                         {{kCounty}, {kTown}},
                                         {{kCounty}, {kVillage, kNextTown}},
                                         db::Scope::WholeCounty(kCounty),
                                         db::Scope::WholeCounty(kOtherCounty),
                                         {{kOtherCounty}, {kVillage}},
                                         {{kCounty}, {}},
                                         {{}, {kCounty}},
                                         {}};
  int64_t seen = 0;
  for (const Table& table : TablesOf(suite)) {
    if (IsReference(table)) continue;
    const std::string area = table.has_area ? "area_code" : "county_code";
    const std::string sql = absl::StrCat("SELECT county_code, ", area, " FROM ", table.Full());
    const auto all = Ask(suite.admin(), db::Scope{}, sql);
    ASSERT_THAT(all, IsOk());
    for (const db::Scope& scope : scopes) {
      const auto inside = [&](const db::Row& row) {
        const bool county = absl::c_linear_search(scope.counties, row.Text(0));
        if (!table.has_area || CountyTables().count(table.Full()) > 0) return county;
        return county && absl::c_any_of(scope.areas, [&](const std::string& code) {
                 return IsWithin(row.Text(1), code);
               });
      };
      const auto rows = Ask(suite.PoolOf(table.schema), scope, sql);
      ASSERT_THAT(rows, IsOk());
      for (const db::Row& row : *rows) {
        EXPECT_TRUE(inside(row)) << table.Full() << " shows " << row.Text(1);
      }
      const auto expected = absl::c_count_if(*all, inside);
      EXPECT_EQ(static_cast<int64_t>(rows->size()), expected) << table.Full();
      seen += expected;
    }
  }
  EXPECT_GT(seen, 100);
}

// Every view, too: people read them with psql.
TEST(RowLevelSecurity, HoldsThroughViews) {
  GuardSuite& suite = Suite();
  for (const std::string& service : suite.schemas()) {
    const auto views = Ask(suite.admin(), db::Scope{},
                           absl::StrCat("SELECT relname, COALESCE('security_invoker=true' = ANY "
                                        "(reloptions), false) FROM pg_class WHERE relkind = 'v' "
                                        "AND relnamespace = '",
                                        service, "'::regnamespace"));
    ASSERT_THAT(views, IsOk());
    for (const db::Row& row : *views) EXPECT_TRUE(row.Bool(1)) << service << "." << row.Text(0);
  }
}

TEST(RowLevelSecurity, LetsAWriterTouchNoOtherCounty) {
  GuardSuite& suite = Suite();
  int tried = 0;
  for (const Table& table : TablesOf(suite)) {
    if (IsReference(table) || !table.writable) continue;
    db::Pool& pool = suite.PoolOf(table.schema);
    const db::Scope scope = db::Scope::WholeCounty(kCounty);
    // A row of its own county, written into the other.
    const auto own = Ask(pool, scope, absl::StrCat("SELECT 1 FROM ", table.Full(), " LIMIT 1"));
    ASSERT_THAT(own, IsOk());
    if (own->empty()) continue;
    ++tried;
    EXPECT_FALSE(Ask(pool, scope,
                     absl::StrCat("INSERT INTO ", table.Full(),
                                  " SELECT (jsonb_populate_record(t, '{\"county_code\": \"",
                                  kOtherCounty, "\"}')).* FROM ", table.Full(), " t LIMIT 1"))
                     .ok())
        << table.Full();
    // A row of the other county, changed without a word about counties.
    const auto column =
        Ask(suite.admin(), db::Scope{},
            absl::StrCat("SELECT attname FROM pg_attribute WHERE attrelid = '", table.Full(),
                         "'::regclass AND attnum > 0 AND has_column_privilege('fadu_", table.schema,
                         "', attrelid, attnum, 'UPDATE') AND attname <> 'county_code' LIMIT 1"));
    ASSERT_THAT(column, IsOk());
    if (column->empty()) continue;
    const std::string name = (*column)[0].Text(0);
    const auto changed = Ask(pool, scope,
                             absl::StrCat("UPDATE ", table.Full(), " SET ", name, " = ", name,
                                          " RETURNING county_code"));
    ASSERT_THAT(changed, IsOk());
    for (const db::Row& row : *changed) EXPECT_EQ(row.Text(0), kCounty) << table.Full();
  }
  EXPECT_GT(tried, 5);
}

TEST(RowLevelSecurity, ScopeEndsWithItsTransaction) {
  GuardSuite& suite = Suite();
  db::Pool pool(db::PoolOptions{suite.PoolOf("registry").dsn(), 1, "guard"});
  const std::string sql = "SELECT 1 FROM registry.event";
  ASSERT_FALSE(Ask(pool, db::Scope::WholeCounty(kCounty), sql)->empty());
  EXPECT_TRUE(Ask(pool, db::Scope{}, sql)->empty());
}

}  // namespace
}  // namespace fadu::guard
