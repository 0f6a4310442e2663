#include "tests/fuzz/targets.h"

#include <stdlib.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>

#include <google/protobuf/descriptor_database.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/civil_day.h"
#include "common/base/status.h"
#include "common/records/composer.h"
#include "common/records/page_token.h"
#include "common/records/sealer.h"
#include "common/rpc/identity.h"
#include "common/schema/filter.h"
#include "common/schema/record_type.h"
#include "common/schema/rules.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/common/v1/record_service.pb.h"
#include "fadu/common/v1/token.pb.h"
#include "services/assessment/domain/rubric_yaml.h"
#include "services/registry/domain/area_import.h"
#include "services/scoring/domain/engine.h"
#include "services/scoring/domain/measure.h"

namespace fadu::fuzz {
namespace {

namespace v1 = ::fadu::common::v1;
using google::protobuf::Message;

const absl::Time kNow = absl::FromUnixSeconds(1780000000);

void Hold(bool held, const char* what) {
  if (held) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

// Every record type linked in.
const RecordTypes& AllTypes() {
  static const RecordTypes* const types = [] {
    std::vector<std::string> files;
    google::protobuf::DescriptorPool::internal_generated_database()->FindAllFileNames(&files);
    std::set<std::string> packages;
    for (const std::string& name : files) {
      const auto* file = google::protobuf::DescriptorPool::generated_pool()->FindFileByName(name);
      if (file != nullptr && absl::StartsWith(file->package(), "fadu.")) {
        packages.insert(file->package());
      }
    }
    auto made = RecordTypes::FromPackages({packages.begin(), packages.end()});
    Hold(made.ok(), "record types are sound");
    return made->release();
  }();
  return *types;
}

// The type that the first byte chooses; the byte is taken.
const RecordType& TypeBy(absl::string_view& bytes) {
  const auto& all = AllTypes().all();
  const size_t choice = bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0]);
  if (!bytes.empty()) bytes.remove_prefix(1);
  return *all[choice % all.size()];
}

// What storing, answering and counting do with a record that came in.
void UseRecord(const RecordType& type, Message& message) {
  if (!CheckKnown(message).ok() || !CheckRules(message).ok()) return;
  type.ClearOutputOnly(message);
  (void)type.AreaOf(message);
  (void)type.CountingDateOf(message);
  std::unique_ptr<Message> masked(message.New());
  masked->CopyFrom(message);
  type.MaskSealed(*masked);
  std::unique_ptr<Message> plain(message.New());
  plain->CopyFrom(message);
  const std::unique_ptr<Message> sealed = type.TakeSealed(*plain);
  for (const RecordField& field : type.fields()) {
    if (field.comparable) (void)type.ValuesOf(*plain, field);
  }
  for (const BlindIndexField& blind : type.blind_indexes()) {
    (void)type.BlindValuesOf(*sealed, blind);
  }
  // A fact holds nothing that is sealed.
  std::unique_ptr<Message> fact = type.New();
  Hold(fact->ParseFromString(type.FactOf(*plain)), "a fact parses");
  Hold(type.TakeSealed(*fact)->ByteSizeLong() == 0, "a fact is without personal fields");
  type.MergeSealed(*sealed, *plain);
  Hold(google::protobuf::util::MessageDifferencer::Equals(*plain, message),
       "what is sealed and put back is what it was");
}

}  // namespace

void AreaFile(absl::string_view bytes) {
  const registry::AreaFile file = registry::ReadAreaFile(bytes, "421221");
  const auto plan =
      registry::PlanImport(file, {}, absl::CivilDay(2024, 1, 1), absl::CivilDay(2024, 1, 1));
  if (!plan.ok() || !file.errors.empty()) return;
  for (const auto& add : plan->adds) Hold(!add.code.empty(), "an area has a code");
}

void Rubric(absl::string_view bytes) {
  const assessment::CompiledRubric compiled = assessment::CompileRubric(bytes);
  if (!compiled.rubric.has_value()) {
    return Hold(!compiled.findings.empty(), "what does not compile is told why");
  }
  (void)scoring::CheckRubric(*compiled.rubric, scoring::MeasurableTypes());
}

void Filter(absl::string_view bytes) {
  static const records::Sealer* const sealer = new records::Sealer(std::string(32, 'k'));
  const RecordType& type = TypeBy(bytes);
  const auto tree = ParseFilter(bytes, type, FilterUse::kList);
  if (!tree.ok()) return;
  (void)Matches(*tree, type, *type.New());
  records::ListSelection selection;
  selection.county = "421221";
  selection.type = &type;
  selection.filter = &*tree;
  selection.reaches = {{"421221106", ""}, {"421221107", "018f0000-0000-7000-8000-0000000000a1"}};
  selection.limit = 51;
  const records::BoundSql bound = records::SelectPage(selection, *sealer);
  // Of a caller's bytes none stands in the statement.
  Hold(bound.sql.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                   "_$:,.()[]<>=* ") == std::string::npos,
       "a statement is made of fixed words");
  Hold(!absl::StrContains(bound.sql, absl::StrCat("$", bound.params.values().size() + 1)),
       "every parameter is bound");
}

void Measure(absl::string_view bytes) {
  const auto measure = scoring::ParseMeasure(bytes, scoring::MeasurableTypes());
  if (!measure.ok()) return;
  const std::string text = scoring::ToString(*measure);
  const auto again = scoring::ParseMeasure(text, scoring::MeasurableTypes());
  Hold(again.ok(), "the canonical text of a measure parses");
  Hold(scoring::ToString(*again) == text, "and is that of the measure it gives");
}

void PageToken(absl::string_view bytes) {
  static const records::Sealer* const sealer = new records::Sealer(std::string(32, 'k'));
  for (const size_t count : {size_t{0}, size_t{1}, size_t{2}}) {
    Hold(!records::ReadPageToken(*sealer, "query", bytes, count).ok(),
         "nobody without the key makes a token");
  }
  // Any bytes travel in a token of ours.
  const size_t half = bytes.size() / 2;
  const std::vector<std::string> parts = {std::string(bytes.substr(0, half)),
                                          std::string(bytes.substr(half))};
  const auto read =
      records::ReadPageToken(*sealer, "query", records::MakePageToken(*sealer, "query", parts), 2);
  Hold(read.ok() && *read == parts, "a token gives back its parts");
}

void RecordJson(absl::string_view bytes) {
  const RecordType& type = TypeBy(bytes);
  std::unique_ptr<Message> from_json = type.New();
  if (google::protobuf::util::JsonStringToMessage(std::string(bytes), from_json.get()).ok()) {
    UseRecord(type, *from_json);
  }
  std::unique_ptr<Message> from_bytes = type.New();
  if (ParseBounded(bytes, *from_bytes)) UseRecord(type, *from_bytes);
}

void AuditEntry(absl::string_view bytes) {
  v1::Entry entry;
  if (!ParseBounded(bytes, entry) || !CheckKnown(entry).ok()) return;
  (void)CheckRules(entry);
  std::string json;
  const bool printed = google::protobuf::util::MessageToJsonString(entry, &json).ok();
  v1::Entry read;
  Hold(!printed || google::protobuf::util::JsonStringToMessage(json, &read).ok(),
       "what is shown of an entry can be read");
}

void IdentityToken(absl::string_view bytes) {
  struct Keys {
    std::unique_ptr<rpc::Verifier> verifier;
    std::unique_ptr<rpc::Signer> registry;
    std::unique_ptr<rpc::Signer> mediation;
  };
  static const Keys* const keys = [] {
    auto* made = new Keys;
    std::string folder = (std::filesystem::temp_directory_path() / "fadu-fuzz-XXXXXX").string();
    Hold(mkdtemp(folder.data()) != nullptr, "there is a temporary folder");
    for (const char* name : {"registry", "mediation"}) {
      Hold(rpc::EnsureKeyPair(folder, name).ok(), "keys are made");
    }
    made->verifier = *rpc::Verifier::Load(folder);
    made->registry = *rpc::Signer::Load(folder, "registry");
    made->mediation = *rpc::Signer::Load(folder, "mediation");
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    return made;
  }();
  Hold(!keys->verifier->Verify(bytes, "education", kNow).ok(),
       "nobody without a key makes a token");
  v1::Identity identity;
  if (!ParseBounded(bytes, identity)) return;
  const auto service = keys->mediation->Sign(identity);
  if (service.ok()) {
    const auto principal = keys->verifier->Verify(*service, "education", kNow);
    Hold(!principal.ok() ||
             (principal->is_service && principal->grants.empty() &&
              principal->subject == "services/mediation" && identity.audience() == "education"),
         "a service signs for itself only, and is heard where it meant to be");
  }
  const auto person = keys->registry->Sign(identity);
  if (!person.ok()) return;
  const auto principal = keys->verifier->Verify(*person, "education", kNow);
  if (!principal.ok() || principal->is_service) return;
  Hold(absl::StartsWith(principal->subject, "accounts/"), "the registry signs for accounts");
  for (const RoleGrant& grant : principal->grants) {
    Hold(grant.area_code.size() >= 6 && grant.role != v1::ROLE_SERVICE,
         "nobody holds more than a county, or is a service");
  }
}

const std::vector<Target>& Targets() {
  static const auto* const targets =
      new std::vector<Target>{{"area_file", AreaFile},     {"rubric", Rubric},
                              {"filter", Filter},          {"measure", Measure},
                              {"page_token", PageToken},   {"record_json", RecordJson},
                              {"audit_entry", AuditEntry}, {"identity_token", IdentityToken}};
  return *targets;
}

}  // namespace fadu::fuzz
