#include "tests/guard/guard_suite.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

#include <gtest/gtest.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "common/base/area_code.h"
#include "common/base/log.h"
#include "common/db/migrate.h"
#include "common/records/sealer.h"
#include "common/rpc/service.h"
#include "fadu/assessment/v1/assessment_service.pb.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/registry/v1/registry_service.pb.h"
#include "fadu/scoring/v1/scoring_service.pb.h"
#include "services/fadu/modules.h"

namespace fadu::guard {
namespace {

namespace v1 = ::fadu::common::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr size_t kMaxDepth = 6;

[[noreturn]] void Die(absl::string_view what, const absl::Status& why) {
  std::fprintf(stderr, "guard suite: %s: %s\n", std::string(what).c_str(), why.ToString().c_str());
  std::abort();
}

void Must(absl::string_view what, const absl::Status& status) {
  if (!status.ok()) Die(what, status);
}

template <typename T>
T Must(absl::string_view what, absl::StatusOr<T> result) {
  if (!result.ok()) Die(what, result.status());
  return *std::move(result);
}

size_t CodePoints(absl::string_view text) {
  size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

// A text that keeps the rules of `field`.
std::string TextFor(const FieldDescriptor& field, const std::string& area,
                    const std::string& text) {
  const v1::Rules& rules = field.options().GetExtension(v1::rules);
  switch (rules.format()) {
    case v1::FORMAT_AREA_CODE:
      return area;
    case v1::FORMAT_AREA_NAME:
      return absl::StrCat("areas/", area);
    case v1::FORMAT_DATE:
      return "2024-03-15";
    case v1::FORMAT_UUID:
      return "018f0000-0000-7000-8000-000000000001";
    case v1::FORMAT_DECIMAL:
      return "1.25";
    case v1::FORMAT_NAME:
      return absl::StrCat("counties/", CountyOf(area));
    default:
      break;
  }
  if (field.type() == FieldDescriptor::TYPE_BYTES) return std::string("\0\1", 2);
  const bool fits = rules.max_len() == 0 || CodePoints(text) <= rules.max_len();
  return fits ? text : "件";
}

int64_t NumberFor(const FieldDescriptor& field) {
  const v1::Rules& rules = field.options().GetExtension(v1::rules);
  const int64_t low = rules.has_min() ? rules.min() : 0;
  return std::max(low, rules.has_max() ? std::min<int64_t>(rules.max(), low + 1) : low + 1);
}

void FillField(Message& message, const FieldDescriptor* field, const std::string& area,
               const std::string& text, size_t depth);

void Fill(Message& message, const std::string& area, const std::string& text, size_t depth,
          bool required_only = false) {
  const auto* descriptor = message.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    if (required_only && !field->options().GetExtension(v1::rules).required()) continue;
    // Of a choice the first, and no map: none of our records has one.
    const bool later_choice = field->real_containing_oneof() != nullptr &&
                              field->real_containing_oneof()->field(0) != field;
    if (!later_choice && !field->is_map()) FillField(message, field, area, text, depth);
  }
}

void FillField(Message& message, const FieldDescriptor* field, const std::string& area,
               const std::string& text, size_t depth) {
  const Reflection* reflection = message.GetReflection();
  const bool repeated = field->is_repeated();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string value = TextFor(*field, area, text);
      repeated ? reflection->AddString(&message, field, value)
               : reflection->SetString(&message, field, value);
      return;
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int value = field->enum_type()->value(1)->number();
      repeated ? reflection->AddEnumValue(&message, field, value)
               : reflection->SetEnumValue(&message, field, value);
      return;
    }
    case FieldDescriptor::CPPTYPE_INT32: {
      const auto value = static_cast<int32_t>(NumberFor(*field));
      repeated ? reflection->AddInt32(&message, field, value)
               : reflection->SetInt32(&message, field, value);
      return;
    }
    case FieldDescriptor::CPPTYPE_INT64:
      repeated ? reflection->AddInt64(&message, field, NumberFor(*field))
               : reflection->SetInt64(&message, field, NumberFor(*field));
      return;
    case FieldDescriptor::CPPTYPE_BOOL:
      if (!repeated) reflection->SetBool(&message, field, false);
      return;
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      const bool opaque = field->message_type()->file()->package() == "google.protobuf";
      if (depth >= kMaxDepth || opaque) return;
      Message* child = repeated ? reflection->AddMessage(&message, field)
                                : reflection->MutableMessage(&message, field);
      Fill(*child, area, text, depth + 1);
      return;
    }
    default:
      return;
  }
}

}  // namespace

std::vector<std::string> PlantedAreas() {
  return {kCounty,          kTown,        kVillage,           kNextVillage, kNextTown,
          kNextTownVillage, kOtherCounty, kOtherCountyVillage};
}

std::string SourceFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

void FillMessage(Message& message, const std::string& area, const std::string& text) {
  Fill(message, area, text, 0);
}

void FillRequired(Message& message, const std::string& area, const std::string& text) {
  Fill(message, area, text, 0, /*required_only=*/true);
}

std::string Canaries::New(size_t max_chars) {
  ++count_;
  std::string canary = absl::StrFormat("999999190001%06d", count_);
  // Every other one a phone, so that both kinds go through every field that takes them.
  if ((max_chars != 0 && max_chars < 18) || (max_chars >= 18 && count_ % 2 == 0)) {
    canary = absl::StrFormat("1009%07d", count_);
  }
  if (max_chars != 0 && max_chars < 11) canary = absl::StrFormat("示%04d", count_);
  all_.insert(canary);
  return canary;
}

std::set<std::string> Canaries::In(absl::string_view bytes) const {
  std::set<std::string> found;
  const auto look = [&](absl::string_view mark, size_t size, bool hex) {
    for (size_t at = bytes.find(mark); at != absl::string_view::npos;
         at = bytes.find(mark, at + 1)) {
      std::string text(bytes.substr(at, size));
      if (hex) text = absl::HexStringToBytes(text.size() % 2 == 0 ? text : "");
      if (all_.count(text) > 0) found.insert(text);
    }
  };
  for (const auto& [mark, size] : {std::pair<std::string, size_t>{"999999190001", 18},
                                   {"1009", 11},
                                   {"示", std::string("示0000").size()}}) {
    look(mark, size, /*hex=*/false);
    look(absl::BytesToHexString(mark), size * 2, /*hex=*/true);
  }
  return found;
}

namespace {

// Every text beneath `message` becomes a canary; formats other than free text stay as they are.
void PlantBeneath(Message& message, Canaries& canaries);

void PlantIn(Message& message, const FieldDescriptor* field, Canaries& canaries) {
  const Reflection* reflection = message.GetReflection();
  const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
  const v1::Rules& rules = field->options().GetExtension(v1::rules);
  for (int i = 0; i < count; ++i) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      PlantBeneath(field->is_repeated() ? *reflection->MutableRepeatedMessage(&message, field, i)
                                        : *reflection->MutableMessage(&message, field),
                   canaries);
    } else if (field->type() == FieldDescriptor::TYPE_STRING &&
               rules.format() == v1::FORMAT_UNSPECIFIED) {
      const std::string canary = canaries.New(rules.max_len());
      field->is_repeated() ? reflection->SetRepeatedString(&message, field, i, canary)
                           : reflection->SetString(&message, field, canary);
    }
  }
}

void PlantBeneath(Message& message, Canaries& canaries) {
  const auto* descriptor = message.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    PlantIn(message, descriptor->field(i), canaries);
  }
}

}  // namespace

void PlantCanaries(const RecordType& type, Message& record, Canaries& canaries) {
  for (const RecordField& field : type.fields()) {
    if (!field.sealed) continue;
    if (field.repeated() && record.GetReflection()->FieldSize(record, field.descriptor) == 0) {
      FillField(record, field.descriptor, kVillage, "件", 0);
      FillField(record, field.descriptor, kVillage, "件", 0);
    }
    PlantIn(record, field.descriptor, canaries);
  }
}

std::vector<std::string> OwnersOf(const RecordType& type) {
  if (type.organisation() == nullptr) return {""};
  return {kOurs, kTheirs};
}

void GiveTo(const RecordType& type, const std::string& owner, Message& record) {
  if (type.organisation() == nullptr) return;
  record.GetReflection()->SetString(&record, type.organisation()->descriptor, owner);
}

// What the test holds of a service with records.
struct GuardSuite::Plot {
  std::unique_ptr<RecordTypes> types;
  std::unique_ptr<db::Pool> pool;
  std::unique_ptr<records::Store> store;  // null: no record types
};

GuardSuite::GuardSuite(const std::string& admin_dsn)
    : admin_dsn_(admin_dsn),
      keys_folder_(folder_.path() + "/keys"),
      services_(cli::AllServices()),
      ids_(NewUuidV7Source(SystemClock())) {
  host::HostOptions options;
  options.modules = cli::AllModules();
  for (const host::Module& module : options.modules) {
    if (module.schema) schemas_.push_back(module.name);
  }
  options.services = services_;
  options.admin_dsn = admin_dsn_;
  options.dsn = admin_dsn_;
  options.keys_folder = keys_folder_;
  host_ = Must("start", host::Host::Start(std::move(options), SystemClock(), *ids_));
  admin_ = std::make_unique<db::Pool>(db::PoolOptions{admin_dsn_, 2, "guard admin"});
  registry_ = Must("sign", rpc::Signer::Load(keys_folder_, "registry"));
  for (const std::string& service : services_) channels_[service] = host_->channel(service);
}

GuardSuite::~GuardSuite() {
  channels_.clear();
  plots_.clear();
}

std::vector<const google::protobuf::MethodDescriptor*> GuardSuite::MethodsOf(
    const std::string& service) {
  std::vector<const google::protobuf::MethodDescriptor*> methods;
  for (const rpc::Service* served : host_->module(service)->services()) {
    for (const rpc::Method& method : served->methods()) methods.push_back(method.descriptor);
  }
  return methods;
}

GuardSuite::Plot& GuardSuite::PlotOf(const std::string& service) {
  std::unique_ptr<Plot>& plot = plots_[service];
  if (plot != nullptr) return *plot;
  plot = std::make_unique<Plot>();
  plot->types = Must("types", RecordTypes::FromPackages({absl::StrCat("fadu.", service, ".v1")}));
  const std::string password(
      absl::StripAsciiWhitespace(SourceFile(absl::StrCat(keys_folder_, "/", service, ".dbpass"))));
  const std::string dsn = db::WithDsn(
      db::WithDsn(admin_dsn_, "user", absl::StrCat("fadu_", service)), "password", password);
  plot->pool = std::make_unique<db::Pool>(db::PoolOptions{dsn, 4, "guard"});
  bool serves_records = false;
  for (const auto* method : MethodsOf(service)) {
    serves_records = serves_records || method->service()->name() == "RecordService";
  }
  if (!serves_records) return *plot;
  records::StoreOptions options;
  options.service = service;
  options.types = plot->types.get();
  options.writer.dsn = dsn;
  options.writer.application = "guard writer";
  plot->store = std::make_unique<records::Store>(
      std::move(options), *plot->pool,
      Must("root key", records::Sealer::Load(keys_folder_, service, /*create=*/false)), *ids_);
  return *plot;
}

const RecordTypes& GuardSuite::TypesOf(const std::string& service) {
  static const RecordTypes* const none = new RecordTypes;
  const Plot& plot = PlotOf(service);
  return plot.store == nullptr ? *none : *plot.types;
}

records::Store& GuardSuite::StoreOf(const std::string& service) { return *PlotOf(service).store; }
db::Pool& GuardSuite::PoolOf(const std::string& service) { return *PlotOf(service).pool; }
rpc::Channel& GuardSuite::ChannelTo(const std::string& service) { return *channels_.at(service); }

Caller GuardSuite::Person(const std::vector<RoleGrant>& grants) {
  Caller caller;
  v1::Identity identity;
  identity.set_subject("accounts/018f0000-0000-7000-8000-0000000000aa");
  identity.set_expire_seconds(absl::ToUnixSeconds(absl::Now() + absl::Minutes(14)));
  for (const RoleGrant& grant : grants) {
    v1::Grant& held = *identity.add_grants();
    held.set_role(static_cast<v1::Role>(grant.role));
    held.set_area_code(grant.area_code);
    held.set_organisation(grant.organisation);
    *held.mutable_collections() = {grant.collections.begin(), grant.collections.end()};
    absl::StrAppend(&caller.name, caller.name.empty() ? "" : " + ", v1::Role_Name(held.role()), "@",
                    grant.area_code, grant.organisation.empty() ? "" : " of an organisation",
                    grant.collections.empty() ? "" : " for ",
                    absl::StrJoin(grant.collections, ","));
  }
  caller.grants = grants;
  caller.bearer = Must("sign", registry_->Sign(identity));
  return caller;
}

Caller GuardSuite::Service(const std::string& name) {
  const auto signer = Must("sign", rpc::Signer::Load(keys_folder_, name));
  Caller caller;
  caller.name = absl::StrCat("service ", name);
  caller.service = name;
  for (const std::string& called : services_) {
    v1::Identity identity;
    identity.set_subject(absl::StrCat("services/", name));
    identity.set_audience(called);
    identity.set_expire_seconds(absl::ToUnixSeconds(absl::Now() + absl::Minutes(5)));
    caller.bearers[called] = Must("sign", signer->Sign(identity));
  }
  return caller;
}

rpc::CallOptions GuardSuite::OptionsFor(const Caller& caller, const std::string& service) const {
  rpc::CallOptions options;
  options.deadline = absl::Now() + absl::Seconds(29);
  const auto found = caller.bearers.find(service);
  options.bearer = found == caller.bearers.end() ? caller.bearer : found->second;
  options.request_id = "guard";  // so that it tells no two answers apart
  return options;
}

absl::Status GuardSuite::Call(const Caller& caller, const std::string& service,
                              const std::string& method, const Message& request,
                              Message* response) {
  return ChannelTo(service).Call(method, request, response, OptionsFor(caller, service));
}

void GuardSuite::Populate() {
  for (const std::string county : {kCounty, kOtherCounty}) OpenCycle(county);
  for (const std::string& service : services_) {
    for (const auto& type : TypesOf(service).all()) {
      for (const std::string& area : PlantedAreas()) {
        for (const std::string& owner : OwnersOf(*type)) Plant(service, *type, area, owner);
      }
    }
  }
  for (const std::string county : {kCounty, kOtherCounty}) Score(county);
}

void GuardSuite::Plant(const std::string& service, const RecordType& type, const std::string& area,
                       const std::string& owner) {
  Planted planted;
  planted.service = service;
  planted.type = &type;
  planted.area = area;
  planted.owner = owner;
  planted.marker = absl::StrCat("值", 100000 + planted_.size(), "标");
  records::Change change;
  change.type = &type;
  change.message = type.New();
  change.submit = true;
  FillMessage(*change.message, area, planted.marker);
  PlantCanaries(type, *change.message, canaries_);
  GiveTo(type, owner, *change.message);
  records::WriteRequest wish;
  wish.county = CountyOf(area);
  wish.request_id = ids_->NewId();
  wish.request_hash = "planted";
  wish.trusted = true;
  wish.changes.push_back(std::move(change));
  CallContext call;
  call.principal.subject = "services/guard";
  call.now = absl::Now();
  call.deadline = absl::Now() + absl::Seconds(20);
  const auto written = Must(type.full_name(), StoreOf(service).WriteAndWait(call, std::move(wish)));
  planted.name = written.records[0].Name();
  planted.id = written.records[0].id.ToString();
  planted_.push_back(std::move(planted));
}

void GuardSuite::OpenCycle(const std::string& county) {
  namespace assessment = ::fadu::assessment::v1;
  namespace registry = ::fadu::registry::v1;
  const Caller admin = Person({{v1::ROLE_COUNTY_ADMIN, county, ""}});
  const std::string parent = absl::StrCat("counties/", county);
  registry::ImportAreasRequest areas;
  areas.set_parent(parent);
  areas.set_tsv(county == kCounty
                    ? SourceFile("deploy/sample/jiayu-2024/areas.tsv")
                    : absl::StrCat("code\tname\tparent\n42\t湖北省\t\n4212\t咸宁市\t42\n",
                                   kOtherCounty, "\t通城县\t4212\n421222100\t隽水镇\t421222\n",
                                   kOtherCountyVillage, "\t示例村民委员会\t421222100\n"));
  areas.set_as_of_date("2023-06-30");
  areas.set_source("test");
  registry::ImportAreasResponse imported;
  Must("areas",
       Call(admin, "registry", "/fadu.registry.v1.RegistryService/ImportAreas", areas, &imported));
  const std::string assess = "/fadu.assessment.v1.AssessmentService/";
  assessment::ImportRubricRequest rubric;
  rubric.set_parent(parent);
  rubric.set_source(SourceFile("deploy/sample/jiayu-2024/rubric-village-2024.yaml"));
  rubric.set_request_id(NewId());
  assessment::RubricInfo draft;
  Must("rubric", Call(admin, "assessment", assess + "ImportRubric", rubric, &draft));
  assessment::PublishRubricRequest publish;
  publish.set_name(draft.name());
  publish.set_request_id(NewId());
  assessment::RubricInfo published;
  Must("publish", Call(admin, "assessment", assess + "PublishRubric", publish, &published));
  assessment::OpenCycleRequest open;
  open.set_parent(parent);
  open.set_year(kYear);
  open.set_rubric(published.name());
  open.set_request_id(NewId());
  assessment::CycleInfo cycle;
  Must("cycle", Call(admin, "assessment", assess + "OpenCycle", open, &cycle));
  made_[{county, "rubrics"}] = published.name();
  made_[{county, "cycles"}] = cycle.name();
}

void GuardSuite::Score(const std::string& county) {
  namespace assessment = ::fadu::assessment::v1;
  namespace scoring = ::fadu::scoring::v1;
  const Caller admin = Person({{v1::ROLE_COUNTY_ADMIN, county, ""}});
  const std::string parent = absl::StrCat("counties/", county);
  assessment::HandOverRequest hand_over;
  hand_over.set_parent(parent);
  assessment::HandOverResponse handed;
  Must("hand over", Call(admin, "assessment", "/fadu.assessment.v1.AssessmentService/HandOver",
                         hand_over, &handed));
  scoring::CreateRunRequest create;
  create.set_parent(parent);
  create.set_year(kYear);
  create.set_request_id(NewId());
  scoring::CreateRunResponse run;
  Must("run", Call(admin, "scoring", "/fadu.scoring.v1.ScoringService/CreateRun", create, &run));
  made_[{county, "runs"}] = run.run().name();
}

const std::string& GuardSuite::Made(const std::string& county,
                                    const std::string& collection) const {
  static const std::string* const none = new std::string;
  const auto found = made_.find({county, collection});
  return found == made_.end() ? *none : found->second;
}

namespace {

class Shared : public ::testing::Environment {
 public:
  void TearDown() override {
    suite.reset();
    SetLogDescriptor(2);
  }
  std::unique_ptr<GuardSuite> suite;
};

}  // namespace

GuardSuite& SharedSuite() {
  static auto* const shared = [] {
    SetLogDescriptor(-1);
    auto* made = new Shared;  // gtest owns it
    ::testing::AddGlobalTestEnvironment(made);
    made->suite = std::make_unique<GuardSuite>(testing::TestCluster::Get().CreateDatabase());
    made->suite->Populate();
    return made;
  }();
  return *shared->suite;
}

}  // namespace fadu::guard
