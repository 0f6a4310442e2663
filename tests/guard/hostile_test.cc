// input that no honest caller sends, over TCP, to the whole suite. It is refused in
// plain words or served; never a crash, never a word of the database's. What it may come to weigh:
// memory_test.cc.

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/base/area_code.h"
#include "common/base/civil_day.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/rpc/channel.h"
#include "common/rpc/raw_http2_test_support.h"
#include "common/rpc/service.h"
#include "common/rpc/status_wire.h"
#include "common/testing/status_matchers.h"
#include "common/testing/test_database.h"
#include "fadu/assessment/v1/assessment_service.pb.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/common/v1/record_service.pb.h"
#include "fadu/mediation/v1/dispute.pb.h"
#include "fadu/registry/v1/registry_service.pb.h"
#include "fadu/scoring/v1/scoring_service.pb.h"
#include "tests/guard/guard_suite.h"

namespace fadu::guard {
namespace {

namespace v1 = ::fadu::common::v1;
using google::protobuf::Message;
using rpc::RawHttp2;
using ::testing::Contains;
using ::testing::Not;
using Code = absl::StatusCode;

constexpr int kRandom = 10000;  // of each kind
constexpr int kInFlight = 32;
constexpr int64_t kMebi = 1 << 20;
constexpr char kRecords[] = "/fadu.common.v1.RecordService/";

// What a caller could learn the inside of the suite by.
const std::vector<std::string>& Telltales() {
  static const auto* const words =
      new std::vector<std::string>{"SELECT ",      "INSERT ", "UPDATE ",  " WHERE ",  "SQLSTATE",
                                   "ERROR:",       "DETAIL:", "LINE 1",   "relation", "constraint ",
                                   "syntax error", "pg_",     "pqxx",     "libpq",    "postgres",
                                   "fadu_",        "/tmp/",   "/var/",    "/etc/",    ".cc:",
                                   "std::",        "what():", "yaml-cpp", "YAML::",   "exception",
                                   "stack",        "malloc",  "grpc_",    "terminate"};
  return *words;
}

// What the dice of this run begin with; FADU_GUARD_SEED repeats another's.
uint32_t Seed() {
  static const uint32_t seed = [] {
    uint32_t chosen = 20240315;
    const char* said = std::getenv("FADU_GUARD_SEED");
    if (said != nullptr && !absl::SimpleAtoi(said, &chosen)) std::abort();
    std::cout << "FADU_GUARD_SEED=" << chosen << std::endl;
    return chosen;
  }();
  return seed;
}

class Hostile : public ::testing::Test {
 protected:
  Hostile() : suite_(SharedSuite()) {
    reviewer_ = suite_.Person({{v1::ROLE_TOWN_REVIEWER, kTown, ""}});
    admin_ = suite_.Person({{v1::ROLE_COUNTY_ADMIN, kCounty, ""}});
  }

  // Whoever asks nicely is still served, by every service.
  ~Hostile() override {
    for (const std::string& service : suite_.services()) {
      if (suite_.TypesOf(service).all().empty()) continue;
      v1::ListRecordTypesResponse types;
      EXPECT_THAT(Send(reviewer_, service, absl::StrCat(kRecords, "ListRecordTypes"),
                       v1::ListRecordTypesRequest(), &types),
                  IsOk());
    }
  }

  rpc::Channel& Tcp(const std::string& service) {
    auto& channel = channels_[service];
    if (channel == nullptr) {
      channel = rpc::Channel::ToAddress(absl::StrCat("127.0.0.1:", PortOf(service)));
    }
    return *channel;
  }
  int PortOf(const std::string& service) { return suite_.host().ports().at(service); }

  // Nothing of the inside, and never our own bug.
  void ExpectPlain(const absl::Status& status, const std::string& about) {
    EXPECT_NE(status.code(), Code::kInternal) << about;
    EXPECT_NE(status.code(), Code::kUnknown) << about;
    if (status.ok()) return;
    EXPECT_NE(ReasonOf(status), "") << about;
    const grpc::Status wire = rpc::ToWire(status, "zh");
    const std::string text = absl::StrCat(wire.error_message(), " ", wire.error_details());
    for (const std::string& word : Telltales()) {
      EXPECT_FALSE(absl::StrContains(text, word))
          << word << " in the answer to " << about << ": " << status;
    }
  }

  absl::Status Send(const Caller& caller, const std::string& service, const std::string& method,
                    const Message& request, Message* response) {
    const absl::Status status =
        Tcp(service).Call(method, request, response, suite_.OptionsFor(caller, service));
    ExpectPlain(status, absl::StrCat(method, " ", request.ShortDebugString().substr(0, 300)));
    return status;
  }

  absl::Status Create(const std::string& service, const std::string& type_url,
                      const std::string& bytes, const std::string& request_id = "") {
    v1::CreateRecordRequest request;
    request.set_parent(absl::StrCat("counties/", kCounty));
    request.mutable_record()->set_type_url("type.googleapis.com/" + type_url);
    request.mutable_record()->set_value(bytes);
    request.set_request_id(request_id.empty() ? suite_.NewId() : request_id);
    last_.Clear();
    return Send(reviewer_, service, absl::StrCat(kRecords, "CreateRecord"), request, &last_);
  }

  // A text of the record created last.
  std::string LastText(const RecordType& type, const RecordField& field) {
    std::unique_ptr<Message> message = type.New();
    EXPECT_TRUE(last_.record().UnpackTo(message.get()));
    return message->GetReflection()->GetString(*message, field.descriptor);
  }

  // Many calls, so many at once; what comes back is plain.
  class Volley {
   public:
    explicit Volley(Hostile& test) : test_(test) {}
    ~Volley() { Wait(); }
    void Send(const Caller& caller, const std::string& service, const std::string& method,
              const Message& request, std::shared_ptr<Message> response, const std::string& about) {
      {
        absl::MutexLock lock(&mutex_);
        const auto room = [this] { return in_flight_ < kInFlight; };
        mutex_.Await(absl::Condition(&room));
        ++in_flight_;
      }
      Message* into = response.get();
      test_.Tcp(service).CallAsync(
          method, request, into, test_.suite_.OptionsFor(caller, service),
          [this, response = std::move(response), about](const absl::Status& status) {
            absl::MutexLock lock(&mutex_);
            test_.ExpectPlain(status, about);
            ++codes_[status.code()];
            --in_flight_;
          });
    }
    void Wait() {
      absl::MutexLock lock(&mutex_);
      const auto landed = [this] { return in_flight_ == 0; };
      mutex_.Await(absl::Condition(&landed));
    }
    int Count(Code code) {
      absl::MutexLock lock(&mutex_);
      return codes_[code];
    }

   private:
    Hostile& test_;
    absl::Mutex mutex_;
    int in_flight_ = 0;
    std::map<Code, int> codes_;
  };

  // A record of a type that its rules like.
  std::unique_ptr<Message> Sound(const RecordType& type) {
    std::unique_ptr<Message> message = type.New();
    FillRequired(*message, kVillage, "示范");
    return message;
  }

  void ForEachWritable(
      const std::function<void(const std::string& service, const RecordType& type)>& visit) {
    for (const std::string& service : suite_.services()) {
      for (const auto& type : suite_.TypesOf(service).all()) {
        const auto& writers = type->options().writers();
        const bool writes =
            std::find(writers.begin(), writers.end(), v1::ROLE_TOWN_REVIEWER) != writers.end();
        if (writes && !type->options().managed()) visit(service, *type);
      }
    }
  }

  GuardSuite& suite_;
  Caller reviewer_;
  Caller admin_;
  v1::Record last_;  // what Create answered
  std::map<std::string, std::shared_ptr<rpc::Channel>> channels_;
};

// ---- files --------------------------------------------------------------------------------------

// Each line is wrong in its own way, and told by its number.
TEST_F(Hostile, AMalformedAreaFileIsToldByLine) {
  fadu::registry::v1::ImportAreasRequest request;
  request.set_parent(absl::StrCat("counties/", kCounty));
  request.set_tsv(absl::StrCat("code\tname\tparent\n",
                               "42\t湖北省\t\n",                 // 2
                               "4212\t咸宁市\t42\n",             // 3
                               "421221\t嘉鱼县\t4212\n",         // 4
                               "421221106\t潘家湾镇\n",          // 5: a column too few
                               "42122110x\t某镇\t421221\n",      // 6: no code
                               "421221107\t\t421221\n",          // 7: no name
                               "421221108\t某镇\t421222\n",      // 8: another's child
                               "421221109\t某\x01镇\t421221\n",  // 9: shows nothing
                               "421221109\t某镇\t421221\t多\n",  // 10: a column too many
                               "421222100\t某镇\t421222\n"));    // 11: another county
  request.set_as_of_date("2024-01-01");
  request.set_source("test");
  fadu::registry::v1::ImportAreasResponse response;
  ASSERT_THAT(
      Send(admin_, "registry", "/fadu.registry.v1.RegistryService/ImportAreas", request, &response),
      IsOk());
  EXPECT_FALSE(response.imported());
  std::set<int> lines;
  for (const auto& error : response.errors()) lines.insert(static_cast<int>(error.line()));
  for (const int line : {5, 6, 7, 8, 9, 10, 11}) EXPECT_THAT(lines, Contains(line));
  EXPECT_THAT(lines, Not(Contains(::testing::AnyOf(2, 3, 4))));
}

TEST_F(Hostile, AnAreaFileOfTwoMebibytesIsReadAndALargerOneRefused) {
  fadu::registry::v1::ImportAreasRequest request;
  request.set_parent(absl::StrCat("counties/", kCounty));
  request.set_as_of_date("2024-01-01");
  request.set_source("test");
  request.set_dry_run(true);
  request.set_tsv("code\tname\tparent\n" + std::string(2 * kMebi - 17, 'x'));
  fadu::registry::v1::ImportAreasResponse response;
  const std::string method = "/fadu.registry.v1.RegistryService/ImportAreas";
  EXPECT_THAT(Send(admin_, "registry", method, request, &response), IsOk());
  EXPECT_GT(response.errors_size(), 0);
  request.set_tsv(request.tsv() + "x");
  EXPECT_THAT(Send(admin_, "registry", method, request, &response),
              StatusIs(Code::kInvalidArgument));
}

// Tiers that overlap, brackets that overlap, and a cap that keeps a line from ever being lost: each
// where it stands.
TEST_F(Hostile, ARubricIsToldByLineAndColumn) {
  fadu::assessment::v1::CheckRubricRequest request;
  request.set_source(
      "rubric: demo\n"
      "version: \"1\"\n"
      "title: 示例\n"
      "year: 2024\n"
      "subject: village\n"
      // The first tier fills columns 9 to 28, so the second begins at 31.
      "tiers: [{name: 优秀, from: 90}, {name: 合格, from: 95}, {name: 不合格, from: 0}]\n"  // 6
      "lines:\n"
      "  - id: \"1\"\n"  // 8, and the line's map begins at 5
      "    title: 场次\n"
      "    max: 60\n"
      "    basis: 依据\n"
      "    clauses:\n"
      "      - form: L03\n"
      "        measure: count(educationEvents)\n"
      "        required: 4\n"
      "        window: year\n"
      "        per_missing: 20\n"
      "        what: 活动\n"
      "        cap: 50\n"  // ten of the line's sixty can never be lost
      "  - id: \"2\"\n"    // 20
      "    title: 件数\n"
      "    max: 40\n"
      "    basis: 依据\n"
      "    clauses:\n"
      "      - form: L08\n"
      "        what: 纠纷\n"
      "        measure: count(disputes)\n"
      // Ten to twenty belongs to both; the first bracket fills columns 17 to 36.
      "        tiers: [{under: 20, amount: 0}, {from: 10, amount: 40}]\n");  // 28
  fadu::assessment::v1::CheckRubricResponse response;
  ASSERT_THAT(Send(reviewer_, "assessment", "/fadu.assessment.v1.AssessmentService/CheckRubric",
                   request, &response),
              IsOk());
  std::vector<std::string> places;
  for (const auto& finding : response.findings()) {
    places.push_back(
        absl::StrCat(finding.yaml_line(), ":", finding.yaml_column(), " ", finding.code()));
  }
  EXPECT_THAT(places, ::testing::IsSupersetOf(
                          {"6:31 TIERS_ORDER", "8:5 CAP_UNREACHABLE", "28:41 BRACKETS_OVERLAP"}));
}

TEST_F(Hostile, ARubricThatIsABombIsRefused) {
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 20; ++i) {
    std::vector<std::string> ten(10, absl::StrCat("*a", i - 1));
    absl::StrAppend(&laughs, "a", i, ": &a", i, " [", absl::StrJoin(ten, ", "), "]\n");
  }
  std::string deep_map;
  for (int i = 0; i < 700; ++i) absl::StrAppend(&deep_map, std::string(i, ' '), "a:\n");
  for (const std::string& source :
       {laughs, absl::StrCat("lines: ", std::string(400000, '[')),
        absl::StrCat("lines: ", std::string(400000, '{')), deep_map, std::string(499999, '-'),
        absl::StrCat("rubric: &a {b: *a}\n"), std::string("? ? ? ? ? ?\n"),
        absl::StrCat("lines: !!binary ", std::string(100000, 'A')),
        std::string("--- \n--- \n---\n"),
        absl::StrCat("rubric: \"", std::string(10000, '\\'), "\"")}) {
    fadu::assessment::v1::CheckRubricRequest request;
    request.set_source(source);
    fadu::assessment::v1::CheckRubricResponse response;
    const absl::Status status =
        Send(reviewer_, "assessment", "/fadu.assessment.v1.AssessmentService/CheckRubric", request,
             &response);
    EXPECT_TRUE(!status.ok() || response.findings_size() > 0) << source.substr(0, 60);
  }
}

// ---- records ------------------------------------------------------------------------------------

TEST_F(Hostile, UnknownFieldsAreRefused) {
  ForEachWritable([&](const std::string& service, const RecordType& type) {
    std::string bytes = Sound(type)->SerializeAsString();
    EXPECT_THAT(
        Create(service, type.full_name(), bytes + std::string("\xfa\xff\xff\xff\x0f\x03xyz", 9)),
        HasReason("REASON_FIELD_INVALID"))
        << type.full_name();
  });
}

// Every field as every wire type that is not its own.
TEST_F(Hostile, FieldsOfAnotherTypeAreRefused) {
  ForEachWritable([&](const std::string& service, const RecordType& type) {
    for (const RecordField& field : type.fields()) {
      const bool is_text =
          field.descriptor->type() == google::protobuf::FieldDescriptor::TYPE_STRING;
      const bool is_message = field.descriptor->message_type() != nullptr;
      const uint32_t tag = static_cast<uint32_t>(field.descriptor->number()) << 3;
      std::string bytes = Sound(type)->SerializeAsString();
      const auto add_tag = [&](uint32_t wire) {
        uint32_t rest = tag | wire;
        for (; rest >= 128; rest /= 128) bytes.push_back(static_cast<char>(rest % 128 + 128));
        bytes.push_back(static_cast<char>(rest));
      };
      if (is_text || is_message) {
        add_tag(0);
        bytes.push_back(5);
      } else {
        add_tag(5);
        bytes.append("\1\2\3\4", 4);
      }
      EXPECT_THAT(Create(service, type.full_name(), bytes), HasReason("REASON_FIELD_INVALID"))
          << type.full_name() << "." << field.name();
    }
  });
}

TEST_F(Hostile, TextsThatAreNoneAreRefusedAndRareOnesKept) {
  int kept = 0;
  ForEachWritable([&](const std::string& service, const RecordType& type) {
    for (const RecordField& field : type.fields()) {
      const v1::Rules& rules = field.descriptor->options().GetExtension(v1::rules);
      const bool free =
          field.descriptor->type() == google::protobuf::FieldDescriptor::TYPE_STRING &&
          rules.format() == v1::FORMAT_UNSPECIFIED && !field.repeated() &&
          !field.options.output_only();
      if (!free) continue;
      const auto with = [&](const std::string& text) {
        std::unique_ptr<Message> message = Sound(type);
        // Appended by hand: what is not UTF-8 could not be set.
        std::string bytes = message->SerializeAsString();
        uint32_t tag = static_cast<uint32_t>(field.descriptor->number()) << 3 | 2;
        for (; tag >= 128; tag /= 128) bytes.push_back(static_cast<char>(tag % 128 + 128));
        bytes.push_back(static_cast<char>(tag));
        size_t size = text.size();
        for (; size >= 128; size /= 128) bytes.push_back(static_cast<char>(size % 128 + 128));
        bytes.push_back(static_cast<char>(size));
        return Create(service, type.full_name(), bytes + text);
      };
      const std::string about = absl::StrCat(type.full_name(), ".", field.name());
      for (const std::string& bad :
           {std::string("\xff\xfe"), std::string("\xc0\xaf"), std::string("\xed\xa0\x80"),
            std::string("\xf4\x90\x80\x80"), std::string("a\0b", 3), std::string("\xe4\xb8")}) {
        EXPECT_THAT(with(bad), HasReason("REASON_FIELD_INVALID")) << about;
      }
      if (rules.max_len() > 0) {
        EXPECT_THAT(with(std::string(rules.max_len() + 1, 'x')), HasReason("REASON_FIELD_INVALID"))
            << about;
        std::string wide;
        for (uint32_t i = 0; i <= rules.max_len(); ++i) wide += "村";
        EXPECT_THAT(with(wide), HasReason("REASON_FIELD_INVALID")) << about;
      }
      // An area's name of private use and one beyond the first plane are names; a law may still say
      // no to them, as text of its own form.
      for (const char* rare : {"𡐓", "\xee\x80\x80", "〇", "'; DROP TABLE event; --", "$1", "%s%n",
                               "{\"a\":1}", "\\x00", "\u202e"}) {
        const absl::Status status = with(rare);
        if (status.ok() && !field.sealed) {
          EXPECT_EQ(LastText(type, field), rare) << about;
          ++kept;
        }
        EXPECT_TRUE(status.ok() || status.code() == Code::kInvalidArgument ||
                    status.code() == Code::kFailedPrecondition)
            << about << ": " << status;
        EXPECT_NE(ReasonOf(status), "REASON_DATA_REFUSED") << about << ": " << rare;
      }
    }
  });
  EXPECT_GT(kept, 50);
}

TEST_F(Hostile, DatesOfAllTimesAreAnswered) {
  ForEachWritable([&](const std::string& service, const RecordType& type) {
    const auto* date = type.FindField(type.options().counting_date())->descriptor;
    for (const char* day : {"9999-12-31", "2999-01-01", "0001-01-01", "1582-10-10", "2024-02-29"}) {
      std::unique_ptr<Message> message = Sound(type);
      message->GetReflection()->SetString(message.get(), date, day);
      const absl::Status status = Create(service, type.full_name(), message->SerializeAsString());
      EXPECT_NE(ReasonOf(status), "REASON_DATA_REFUSED") << type.full_name() << " " << day;
    }
    for (const char* day : {"2023-02-29", "2024-13-01", "2024-00-10", "0000-01-01", "10000-01-01",
                            "2024-1-1", "2024-01-01T00:00:00Z", "infinity", "now", "yesterday"}) {
      std::unique_ptr<Message> message = Sound(type);
      message->GetReflection()->SetString(message.get(), date, day);
      EXPECT_THAT(Create(service, type.full_name(), message->SerializeAsString()),
                  HasReason("REASON_FIELD_INVALID"))
          << type.full_name() << " " << day;
    }
  });
}

TEST_F(Hostile, ARequestIdIsNotUsedTwice) {
  const RecordType& type = *suite_.TypesOf("mediation").FindByCollection("disputes");
  const std::string id = suite_.NewId();
  ASSERT_THAT(Create("mediation", type.full_name(), Sound(type)->SerializeAsString(), id), IsOk());
  std::unique_ptr<Message> other = Sound(type);
  static_cast<fadu::mediation::v1::Dispute&>(*other).set_title("另一件");
  EXPECT_THAT(Create("mediation", type.full_name(), other->SerializeAsString(), id),
              HasReason("REASON_REQUEST_ID_REUSED"));
}

// Whoever read a record before another changed it changes nothing.
TEST_F(Hostile, AStaleEtagIsAborted) {
  std::set<std::string> changed;
  ForEachWritable([&](const std::string& service, const RecordType& type) {
    std::unique_ptr<Message> message = Sound(type);
    if (!Create(service, type.full_name(), message->SerializeAsString()).ok()) return;
    const std::string stale = last_.etag();
    v1::UpdateRecordRequest update;
    update.set_name(last_.name());
    update.mutable_record()->PackFrom(*message);
    update.set_etag(stale);
    update.set_request_id(suite_.NewId());
    v1::Record record;
    if (!Send(reviewer_, service, absl::StrCat(kRecords, "UpdateRecord"), update, &record).ok()) {
      return;  // by the type's law
    }
    changed.insert(type.collection());
    EXPECT_NE(record.etag(), stale);
    update.set_request_id(suite_.NewId());
    for (const bool validate_only : {false, true}) {
      update.set_validate_only(validate_only);
      const absl::Status late =
          Send(reviewer_, service, absl::StrCat(kRecords, "UpdateRecord"), update, &record);
      EXPECT_THAT(late, StatusIs(Code::kAborted)) << type.full_name();
      EXPECT_THAT(late, HasReason("REASON_ETAG_MISMATCH")) << type.full_name();
    }
    v1::DeleteRecordRequest remove;
    remove.set_name(last_.name());
    remove.set_etag(stale);
    remove.set_reason("重复");
    remove.set_request_id(suite_.NewId());
    EXPECT_THAT(Send(reviewer_, service, absl::StrCat(kRecords, "DeleteRecord"), remove, &record),
                HasReason("REASON_ETAG_MISMATCH"))
        << type.full_name();
  });
  EXPECT_THAT(changed, ::testing::IsSupersetOf({"disputes", "educationEvents", "people"}));
}

// What will be has not happened: a record that says what was done is refused from tomorrow on.
TEST_F(Hostile, WhatIsSaidToHaveHappenedTomorrowIsRefused) {
  // Of types whose law knows no other beginning than something done, the reason it gives. An event
  // may be planned; one that people took part in was held.
  std::map<std::string, std::string> done = {
      {"disputes", "REASON_DISPUTE_DATES"},    {"educationEvents", "REASON_EVENT_IN_FUTURE"},
      {"sessions", "REASON_GOVERNANCE_DATES"}, {"dutyActs", "REASON_GOVERNANCE_DATES"},
      {"honours", "REASON_GOVERNANCE_DATES"},  {"shortcomings", "REASON_GOVERNANCE_DATES"}};
  // Two days on, it is tomorrow or later in the county, whatever the hour.
  const std::string future = FormatDay(absl::ToCivilDay(absl::Now(), absl::UTCTimeZone()) + 2);
  ForEachWritable([&](const std::string& service, const RecordType& type) {
    const auto expected = done.find(type.collection());
    if (expected == done.end()) return;
    std::unique_ptr<Message> message = Sound(type);
    const auto* reflection = message->GetReflection();
    if (const RecordField* people = type.FindField("participants"); people != nullptr) {
      reflection->SetInt32(message.get(), people->descriptor, 30);
    }
    reflection->SetString(message.get(), type.FindField(type.options().counting_date())->descriptor,
                          future);
    EXPECT_THAT(Create(service, type.full_name(), message->SerializeAsString()),
                HasReason(expected->second))
        << type.full_name();
    done.erase(expected);
  });
  EXPECT_TRUE(done.empty()) << done.begin()->first;
}

// A call that would wait for ever is not let in where something is written.
TEST_F(Hostile, NothingIsRecordedForWhoSetsNoDeadline) {
  std::vector<RoleGrant> everything;
  for (int role = v1::ROLE_UNSPECIFIED + 1; v1::Role_IsValid(role); ++role) {
    if (role != v1::ROLE_SERVICE) everything.push_back({role, kCounty, ""});
  }
  std::vector<Caller> callers = {suite_.Person(everything)};
  for (const std::string& service : suite_.services()) callers.push_back(suite_.Service(service));
  int recording = 0;
  for (const std::string& service : suite_.services()) {
    for (const rpc::Service* served : suite_.host().module(service)->services()) {
      for (const rpc::Method& method : served->methods()) {
        if (!method.recording) continue;
        ++recording;
        const std::string name =
            absl::StrCat("/", served->descriptor()->full_name(), "/", method.descriptor->name());
        std::set<std::string> reasons;
        for (const Caller& caller : callers) {
          auto* factory = google::protobuf::MessageFactory::generated_factory();
          std::unique_ptr<Message> request(
              factory->GetPrototype(method.descriptor->input_type())->New());
          std::unique_ptr<Message> answer(
              factory->GetPrototype(method.descriptor->output_type())->New());
          rpc::CallOptions options = suite_.OptionsFor(caller, service);
          options.deadline = absl::InfiniteFuture();
          const absl::Status status = Tcp(service).Call(name, *request, answer.get(), options);
          ExpectPlain(status, name);
          reasons.insert(ReasonOf(status));
        }
        EXPECT_THAT(reasons, Contains("REASON_DEADLINE_REQUIRED")) << service << name;
        EXPECT_THAT(reasons, ::testing::IsSubsetOf({std::string("REASON_DEADLINE_REQUIRED"),
                                                    std::string("REASON_ROLE_DENIED")}))
            << service << name;
      }
    }
  }
  EXPECT_GT(recording, 10);
}

TEST_F(Hostile, ATypeThatIsNotOursIsNotFoundBySearchingForIt) {
  for (const std::string& url :
       {std::string("fadu.registry.v1.Account"), std::string("google.protobuf.Any"),
        std::string("../../etc"), std::string(5000, 'x'), std::string("fadu.common.v1.Entry"),
        std::string()}) {
    EXPECT_THAT(Create("mediation", url, ""), HasReason("REASON_RECORD_TYPE_UNKNOWN")) << url;
  }
}

// ---- ten thousand random ones of each kind ------------------------------------------------------

class Dice {
 public:
  explicit Dice(uint32_t seed) : engine_(seed) {}
  size_t Below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(engine_); }
  template <typename T>
  const T& Of(const std::vector<T>& items) {
    return items[Below(items.size())];
  }
  // A few flips, cuts and insertions.
  std::string Spoil(std::string text) {
    static const std::vector<std::string> scraps = {
        "\0", "\"",   "\\",   "'",   ";",  "--",   "(",  ")",    "[",   "{",
        "}",  "]",    ":",    "%",   "$1", "\xff", "𡐓", "\xc3", "NaN", "1e999",
        "-",  "null", "true", "AND", "OR", "NOT",  "\n", "\t",   "0x",  "/*"};
    for (size_t i = Below(4) + 1; i > 0; --i) {
      const size_t at = text.empty() ? 0 : Below(text.size());
      switch (Below(4)) {
        case 0:
          if (!text.empty()) text[at] = static_cast<char>(Below(256));
          break;
        case 1:
          text.insert(at, Of(scraps));
          break;
        case 2:
          text.erase(at, Below(5));
          break;
        default:
          text = text.substr(0, at) + text.substr(at / 2);
      }
    }
    return text;
  }

 private:
  std::mt19937 engine_;
};

std::string Filter(Dice& dice, const RecordType& type, int depth = 0) {
  static const std::vector<std::string> operators = {
      " = ", " != ", " < ", " <= ", " > ", " >= ", ":", ""};
  static const std::vector<std::string> values = {"1",
                                                  "-5",
                                                  "98.17",
                                                  "true",
                                                  "\"文\"",
                                                  "RED",
                                                  "2024-03-15",
                                                  "\"2024-03-15\"",
                                                  "*",
                                                  "\"'; DROP TABLE event; --\"",
                                                  "99999999999999999999",
                                                  "\"\"",
                                                  "''",
                                                  "421221106200",
                                                  "\"𡐓\""};
  if (depth < 4 && dice.Below(3) == 0) {
    return absl::StrCat("(", Filter(dice, type, depth + 1), dice.Below(2) == 0 ? " AND " : " OR ",
                        Filter(dice, type, depth + 1), ")");
  }
  const RecordField& field = type.fields()[dice.Below(type.fields().size())];
  const std::string nested = dice.Below(10) == 0 ? ".phone" : "";
  return absl::StrCat(dice.Below(5) == 0 ? "NOT " : "", field.name(), nested, dice.Of(operators),
                      dice.Of(values));
}

TEST_F(Hostile, TenThousandFiltersAreAnswered) {
  Dice dice(Seed());
  std::vector<std::pair<std::string, const RecordType*>> types;
  ForEachWritable([&](const std::string& service, const RecordType& type) {
    types.emplace_back(service, &type);
  });
  Volley volley(*this);
  for (int i = 0; i < kRandom; ++i) {
    const auto& [service, type] = dice.Of(types);
    v1::ListRecordsRequest request;
    request.set_parent(absl::StrCat("counties/", kCounty));
    request.set_collection(type->collection());
    request.set_page_size(static_cast<int>(dice.Below(3)) - 1);
    std::string filter = Filter(dice, *type);
    if (dice.Below(2) == 0) filter = dice.Spoil(filter);
    request.set_filter(filter);
    if (dice.Below(4) == 0) request.set_order_by(dice.Spoil("found_date desc"));
    volley.Send(reviewer_, service, absl::StrCat(kRecords, "ListRecords"), request,
                std::make_shared<v1::ListRecordsResponse>(), absl::CHexEscape(filter));
  }
  volley.Wait();
  EXPECT_GT(volley.Count(Code::kOk), kRandom / 40);
  EXPECT_GT(volley.Count(Code::kInvalidArgument), kRandom / 4);
  EXPECT_EQ(volley.Count(Code::kOk) + volley.Count(Code::kInvalidArgument), kRandom);
}

// A token that was not given out, or was for another question, opens nothing.
TEST_F(Hostile, TenThousandPageTokensAreRefused) {
  Dice dice(Seed() + 1);
  std::vector<std::pair<std::string, std::string>> tokens;  // method, token
  v1::ListRecordsRequest list;
  list.set_parent(absl::StrCat("counties/", kCounty));
  list.set_collection("disputes");
  list.set_page_size(1);
  v1::ListRecordsResponse page;
  ASSERT_THAT(Send(reviewer_, "mediation", absl::StrCat(kRecords, "ListRecords"), list, &page),
              IsOk());
  ASSERT_NE(page.next_page_token(), "");
  v1::ListEventsRequest events;
  events.set_parent(absl::StrCat("counties/", kCounty));
  events.set_page_size(1);
  v1::ListEventsResponse log;
  ASSERT_THAT(Send(admin_, "mediation", absl::StrCat(kRecords, "ListEvents"), events, &log),
              IsOk());
  ASSERT_NE(log.next_page_token(), "");
  Volley volley(*this);
  for (int i = 0; i < kRandom; ++i) {
    const bool of_list = dice.Below(2) == 0;
    std::string token = of_list ? page.next_page_token() : log.next_page_token();
    if (i < 2) {
      token = of_list ? log.next_page_token() : page.next_page_token();
    } else {
      const std::string before = token;
      token = dice.Spoil(token);
      // Base64 may say the same in other letters.
      std::string decoded;
      std::string original;
      absl::WebSafeBase64Unescape(before, &original);
      if (absl::WebSafeBase64Unescape(token, &decoded) && decoded == original) token += "A";
    }
    if (token.empty()) token = "x";
    list.set_page_token(token);
    events.set_page_token(token);
    volley.Send(of_list ? reviewer_ : admin_, "mediation",
                absl::StrCat(kRecords, of_list ? "ListRecords" : "ListEvents"),
                of_list ? static_cast<const Message&>(list) : events,
                of_list ? std::shared_ptr<Message>(std::make_shared<v1::ListRecordsResponse>())
                        : std::make_shared<v1::ListEventsResponse>(),
                absl::CHexEscape(token));
  }
  volley.Wait();
  EXPECT_EQ(volley.Count(Code::kInvalidArgument), kRandom);
}

// The end of the JSON value that begins at `at`.
size_t EndOfValue(const std::string& json, size_t at) {
  int depth = 0;
  bool in_text = false;
  for (; at < json.size(); ++at) {
    const char c = json[at];
    if (in_text) {
      if (c == '\\') ++at;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth-- == 0) return at;
    } else if (c == ',' && depth == 0) {
      return at;
    }
  }
  return json.size();
}

// Another value in the place of one, a name twice, or a name that is none.
std::string SpoilJson(Dice& dice, std::string json) {
  static const std::vector<std::string> values = {"null",
                                                  "true",
                                                  "-1",
                                                  "1e999",
                                                  "0.00001",
                                                  "12345678901234567890",
                                                  "\"\"",
                                                  "\"\\u0000\"",
                                                  "\"\\ud800\"",
                                                  "\"\xed\xa0\x80\"",
                                                  "\"𡐓\"",
                                                  "\"\\ue000\"",
                                                  "\"2024-02-30\"",
                                                  "\"9999-12-31\"",
                                                  "\"421222100200\"",
                                                  "\"'; DROP TABLE event; --\"",
                                                  "[]",
                                                  "{}",
                                                  "[[[[]]]]",
                                                  "{\"a\":{\"b\":1}}",
                                                  absl::StrCat("\"", std::string(5000, 'x'), "\"")};
  std::vector<size_t> begins;
  for (size_t at = json.find("\":"); at != std::string::npos; at = json.find("\":", at + 1)) {
    begins.push_back(at + 2);
  }
  if (begins.empty()) return json;
  const size_t begin = dice.Of(begins);
  const size_t end = EndOfValue(json, begin);
  const size_t name = json.rfind('"', begin - 3);
  switch (dice.Below(8)) {
    case 0:  // said twice
      return json.insert(end, absl::StrCat(",", json.substr(name, begin - name), dice.Of(values)));
    case 1:
      return json.insert(name, "\"x\":1,");
    default:
      return json.replace(begin, end - begin, dice.Of(values));
  }
}

// Those that are JSON of the type go on to the service; the others are refused where they are read.
TEST_F(Hostile, TenThousandJsonBodiesAreAnswered) {
  Dice dice(Seed() + 2);
  std::vector<std::pair<std::string, const RecordType*>> types;
  ForEachWritable([&](const std::string& service, const RecordType& type) {
    types.emplace_back(service, &type);
  });
  int parsed = 0;
  int unread = 0;
  Volley volley(*this);
  for (int i = 0; i < kRandom; ++i) {
    const auto& [service, type] = dice.Of(types);
    std::unique_ptr<Message> message = type->New();
    FillMessage(*message, kVillage, "示范");
    std::string json;
    ASSERT_TRUE(google::protobuf::util::MessageToJsonString(*message, &json).ok());
    const size_t kind = dice.Below(10);
    if (kind > 3) json = SpoilJson(dice, json);
    if (kind > 0 && kind < 5) json = dice.Spoil(json);
    std::unique_ptr<Message> read = type->New();
    if (!google::protobuf::util::JsonStringToMessage(json, read.get()).ok()) {
      ++unread;
      continue;
    }
    ++parsed;
    v1::CreateRecordRequest request;
    request.set_parent(absl::StrCat("counties/", kCounty));
    request.mutable_record()->PackFrom(*read);
    request.set_request_id(suite_.NewId());
    volley.Send(reviewer_, service, absl::StrCat(kRecords, "CreateRecord"), request,
                std::make_shared<v1::Record>(), absl::CHexEscape(json));
  }
  volley.Wait();
  EXPECT_GT(parsed, kRandom / 5);
  EXPECT_GT(unread, kRandom / 5);
  EXPECT_EQ(volley.Count(Code::kOk) + volley.Count(Code::kInvalidArgument) +
                volley.Count(Code::kFailedPrecondition) + volley.Count(Code::kNotFound) +
                volley.Count(Code::kAlreadyExists) + volley.Count(Code::kPermissionDenied),
            parsed);
}

// ---- sizes --------------------------------------------------------------------------------------

TEST_F(Hostile, FourMebibytesAreReadAndAByteMoreIsNot) {
  const std::string type = fadu::mediation::v1::Dispute::descriptor()->full_name();
  fadu::mediation::v1::Dispute dispute;
  dispute.set_title(std::string(4 * kMebi, 'x'));
  const auto send = [&](int64_t bytes) {
    v1::CreateRecordRequest request;
    request.set_parent(absl::StrCat("counties/", kCounty));
    request.set_request_id(suite_.NewId());
    request.mutable_record()->PackFrom(dispute);
    std::string& value = *request.mutable_record()->mutable_value();
    value.resize(value.size() - (request.ByteSizeLong() - static_cast<size_t>(bytes)));
    EXPECT_EQ(static_cast<int64_t>(request.ByteSizeLong()), bytes);
    v1::Record record;
    return Send(reviewer_, "mediation", absl::StrCat(kRecords, "CreateRecord"), request, &record);
  };
  EXPECT_THAT(send(4 * kMebi), HasReason("REASON_FIELD_INVALID"));
  EXPECT_THAT(send(4 * kMebi + 1), HasReason("REASON_TOO_LARGE"));
}

// Two hundred records of a batch is the contract's word.
TEST_F(Hostile, AListLongerThanAllowedIsRefused) {
  v1::BatchCreateRecordsRequest request;
  request.set_parent(absl::StrCat("counties/", kCounty));
  request.set_request_id(suite_.NewId());
  for (int i = 0; i < 201; ++i) request.add_records();
  v1::BatchCreateRecordsResponse response;
  EXPECT_THAT(Send(reviewer_, "mediation", absl::StrCat(kRecords, "BatchCreateRecords"), request,
                   &response),
              HasReason("REASON_FIELD_INVALID"));
}

// Groups nest without any field of that type being known.
TEST_F(Hostile, NestingIsRefusedBeforeItIsFollowed) {
  RawHttp2 client(PortOf("mediation"));
  const RawHttp2::Metadata bearer = {{"authorization", "Bearer " + reviewer_.bearer},
                                     {"grpc-timeout", "20S"}};
  ASSERT_TRUE(
      client.Call(1, absl::StrCat(kRecords, "GetRecord"), bearer, std::string(1000000, '\x0b')));
  bool ended = false;
  while (!ended) {
    const auto frame = client.Next(absl::Now() + absl::Seconds(20));
    ASSERT_TRUE(frame.has_value());
    ended = frame->ends_stream();
  }
  EXPECT_THAT(Create("mediation", fadu::mediation::v1::Dispute::descriptor()->full_name(),
                     std::string(1000000, '\x0b')),
              HasReason("REASON_FIELD_INVALID"));
  fadu::scoring::v1::EvaluateMeasureRequest measure;
  measure.set_parent(absl::StrCat("counties/", kCounty));
  measure.set_area_code(kTown);
  measure.set_year(kYear);
  measure.add_expressions(absl::StrCat("count(disputes where ", std::string(800, '('),
                                       "outcome = SETTLED", std::string(800, ')'), ")"));
  fadu::scoring::v1::EvaluateMeasureResponse value;
  EXPECT_THAT(Send(reviewer_, "scoring", "/fadu.scoring.v1.ScoringService/EvaluateMeasure", measure,
                   &value),
              StatusIs(Code::kInvalidArgument));
}

// ---- connections --------------------------------------------------------------------------------

// What many connections, slow readers and calls without an end may come to weigh: memory_test.cc.

TEST_F(Hostile, BytesThatAreNoHttpAreDropped) {
  Dice dice(Seed() + 3);
  for (int i = 0; i < 200; ++i) {
    RawHttp2 client(PortOf("mediation"));
    std::string noise;
    for (int j = 0; j < 500; ++j) noise.push_back(static_cast<char>(dice.Below(256)));
    client.Write(noise);
  }
}

}  // namespace
}  // namespace fadu::guard
