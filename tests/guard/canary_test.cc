// a thousand synthetic identity numbers and phones go through every record type with personal
// fields and every way that there is; afterwards they are looked for everywhere.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <google/protobuf/any.pb.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "common/base/area_code.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/db/private_cluster.h"
#include "common/rpc/status_wire.h"
#include "common/testing/status_matchers.h"
#include "common/testing/test_database.h"
#include "fadu/assessment/v1/assessment_service.pb.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/common/v1/record_service.pb.h"
#include "fadu/scoring/v1/scoring_service.pb.h"
#include "tests/guard/guard_suite.h"

namespace fadu::guard {
namespace {

namespace fs = std::filesystem;
namespace v1 = ::fadu::common::v1;
using google::protobuf::Message;
using ::testing::Contains;
using ::testing::Key;
using ::testing::Not;

constexpr size_t kLeast = 1000;
constexpr char kRecords[] = "/fadu.common.v1.RecordService/";

// A database and a log that nobody else uses.
class Ground {
 public:
  static Ground& Get() {
    static auto* const ground = new Ground;
    return *ground;
  }

  GuardSuite& suite() { return *suite_; }
  const std::string& folder() const { return folder_.path(); }
  std::string log_path() const { return folder_.path() + "/suite.log"; }
  // The test's end takes the server down; a leaked one would outlive it.
  void Close() {
    suite_.reset();
    cluster_.reset();
    SetLogLevel(LogLevel::kInfo);
    SetLogDescriptor(2);
  }

 private:
  Ground() {
    SetLogDescriptor(open(log_path().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    SetLogLevel(LogLevel::kDebug);
    auto cluster = db::PrivateCluster::Start({folder_.path(), /*durable=*/false, true});
    if (!cluster.ok()) {
      ADD_FAILURE() << cluster.status();
      std::abort();
    }
    cluster_ = *std::move(cluster);
    suite_ = std::make_unique<GuardSuite>(cluster_->admin_dsn());
    suite_->Populate();
  }

  testing::TempFolder folder_;
  std::unique_ptr<db::PrivateCluster> cluster_;
  std::unique_ptr<GuardSuite> suite_;
};

// Where canaries were found: place → canaries.
using Found = std::map<std::string, std::set<std::string>>;

void LookIn(Found& found, const Canaries& canaries, const std::string& place,
            absl::string_view bytes) {
  const std::set<std::string> here = canaries.In(bytes);
  if (!here.empty()) found[place].insert(here.begin(), here.end());
}

// Every row of every table, as text.
void LookInTables(Found& found, GuardSuite& suite) {
  const auto rows_of = [&](const std::string& sql) {
    db::Rows rows;
    const absl::Status read = suite.admin().Read(
        db::Scope{}, absl::Now() + absl::Seconds(60), [&](db::Transaction& transaction) {
          auto result = transaction.Run(db::Statement{"dump", sql});
          if (result.ok()) rows = *std::move(result);
          return result.status();
        });
    EXPECT_THAT(read, IsOk()) << sql;
    return rows;
  };
  for (const db::Row& table : rows_of(
           "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = "
           "c.relnamespace WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN "
           "('pg_catalog', 'information_schema', 'pg_toast')")) {
    for (const db::Row& row : rows_of(absl::StrCat("SELECT t::text FROM ", table.Text(0), " t"))) {
      LookIn(found, suite.canaries(), absl::StrCat("table ", table.Text(0)), row.Text(0));
    }
  }
}

// Every file of the database and of the suite but the write-ahead log: heaps, indexes, statistics,
// logs.
void LookInFiles(Found& found, const Ground& ground, const Canaries& canaries) {
  for (const auto& entry : fs::recursive_directory_iterator(ground.folder())) {
    if (!entry.is_regular_file() || absl::StrContains(entry.path().string(), "/pg_wal/")) continue;
    LookIn(found, canaries,
           absl::StrCat("file ", fs::relative(entry.path(), ground.folder()).string()),
           SourceFile(entry.path().string()));
  }
}

std::string Scrape(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  const std::string request = "GET /metrics HTTP/1.0\r\n\r\n";
  std::string text;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
      write(fd, request.data(), request.size()) == static_cast<ssize_t>(request.size())) {
    char buffer[65536];
    for (ssize_t got = read(fd, buffer, sizeof buffer); got > 0;
         got = read(fd, buffer, sizeof buffer)) {
      text.append(buffer, static_cast<size_t>(got));
    }
  }
  close(fd);
  return text;
}

// Everywhere that is not an answer.
Found LookEverywhere(Ground& ground) {
  Found found;
  GuardSuite& suite = ground.suite();
  LookInTables(found, suite);
  const absl::Status written = suite.admin().InTransaction(
      db::Scope{}, absl::Now() + absl::Seconds(60), [](db::Transaction& transaction) {
        return transaction.Run(db::Statement{"analyse", "ANALYZE"}).status();
      });
  EXPECT_THAT(written, IsOk());
  const absl::Status flushed = suite.admin().InTransaction(
      db::Scope{}, absl::Now() + absl::Seconds(60), [](db::Transaction& transaction) {
        return transaction.Run(db::Statement{"checkpoint", "CHECKPOINT"}).status();
      });
  EXPECT_THAT(flushed, IsOk());
  LookInFiles(found, ground, suite.canaries());
  const std::string metrics = Scrape(suite.host().ports().at("metrics"));
  EXPECT_THAT(metrics, ::testing::HasSubstr("grpc_server_call_started_total"));
  LookIn(found, suite.canaries(), "metrics", metrics);
  return found;
}

std::string Text(const Found& found) {
  std::string text;
  for (const auto& [place, canaries] : found) {
    absl::StrAppend(&text, place, ": ", canaries.size(), ", such as ", *canaries.begin(), "\n");
  }
  return text;
}

// ---- the ways through the suite -----------------------------------------------------------------

class Walk {
 public:
  explicit Walk(Ground& ground) : suite_(ground.suite()) {
    reviewer_ = suite_.Person({{v1::ROLE_TOWN_REVIEWER, kTown, ""}});
    admin_ = suite_.Person({{v1::ROLE_COUNTY_ADMIN, kCounty, ""}});
  }

  // Everything that may be done with one record type, `rounds` times.
  void Through(const std::string& service, const RecordType& type, int rounds) {
    for (int i = 0; i < rounds; ++i) {
      const std::string name = Create(service, type, i);
      BatchCreate(service, type);
      FailToCreate(service, type);
      Search(service, type);
      if (name.empty()) continue;
      created_.insert(type.collection());
      Read(service, type, name);
      Update(service, type, name);
      Unmask(service, name);
      if (i % 2 == 0) Erase(service, name);
    }
  }

  void Score() {
    fadu::assessment::v1::HandOverRequest hand_over;
    hand_over.set_parent(Parent());
    fadu::assessment::v1::HandOverResponse handed;
    EXPECT_THAT(Send(admin_, "assessment", "/fadu.assessment.v1.AssessmentService/HandOver",
                     hand_over, &handed),
                IsOk());
    const std::string scoring = "/fadu.scoring.v1.ScoringService/";
    fadu::scoring::v1::EvaluateMeasureRequest measure;
    measure.set_parent(Parent());
    measure.set_area_code(kCounty);
    measure.set_year(kYear);
    measure.set_include_unconfirmed(true);
    for (const std::string& service : suite_.services()) {
      for (const auto& type : suite_.TypesOf(service).all()) {
        measure.clear_expressions();
        measure.add_expressions(absl::StrCat("count(", type->collection(), ")"));
        fadu::scoring::v1::EvaluateMeasureResponse value;
        (void)Send(admin_, "scoring", scoring + "EvaluateMeasure", measure, &value);
        // What is sealed is no measure, and who asks is not told what it asked with.
        for (const BlindIndexField& blind : type->blind_indexes()) {
          measure.set_expressions(0, absl::StrCat("count(", type->collection(), " where ",
                                                  blind.filter_name, " = \"", Canary(), "\")"));
          EXPECT_THAT(Send(admin_, "scoring", scoring + "EvaluateMeasure", measure, &value),
                      Not(IsOk()));
        }
      }
    }
    fadu::scoring::v1::CreateRunRequest create;
    create.set_parent(Parent());
    create.set_year(kYear);
    create.set_request_id(suite_.NewId());
    fadu::scoring::v1::CreateRunResponse run;
    EXPECT_THAT(Send(admin_, "scoring", scoring + "CreateRun", create, &run), IsOk());
    fadu::scoring::v1::GetRunRequest get;
    get.set_name(run.run().name());
    fadu::scoring::v1::GetRunResponse got;
    EXPECT_THAT(Send(admin_, "scoring", scoring + "GetRun", get, &got), IsOk());
    fadu::scoring::v1::ExplainScoreRequest explain;
    explain.set_name(run.run().name());
    explain.set_area_code(kVillage);
    fadu::scoring::v1::ExplainScoreResponse explained;
    EXPECT_THAT(Send(admin_, "scoring", scoring + "ExplainScore", explain, &explained), IsOk());
  }

  // Audit logs and feeds of every service.
  void ReadLogs() {
    for (const std::string& service : suite_.services()) {
      if (suite_.TypesOf(service).all().empty()) continue;
      v1::ListEventsRequest events;
      events.set_parent(Parent());
      events.set_page_size(200);
      do {
        v1::ListEventsResponse page;
        ASSERT_THAT(Send(admin_, service, absl::StrCat(kRecords, "ListEvents"), events, &page),
                    IsOk());
        events.set_page_token(page.next_page_token());
      } while (!events.page_token().empty());
      v1::PullFactsRequest pull;
      pull.set_county_code(kCounty);
      v1::PullFactsResponse facts;
      do {
        ASSERT_THAT(Send(suite_.Service("scoring"), service,
                         "/fadu.common.v1.FactFeedService/PullFacts", pull, &facts),
                    IsOk());
        if (!facts.facts().empty()) pull.set_after_seq(facts.facts().rbegin()->seq());
      } while (!facts.facts().empty());
    }
  }

  // Canaries that came back where they may not, by method.
  const Found& leaks() const { return leaks_; }
  // Those that came back from an unmasking, as they should.
  size_t unmasked() const { return unmasked_.size(); }
  // Types of which a record was created as people create it, through its law.
  const std::set<std::string>& created() const { return created_; }

 private:
  static std::string Parent() { return absl::StrCat("counties/", kCounty); }

  std::string Canary() { return suite_.canaries().New(18); }

  absl::Status Send(const Caller& caller, const std::string& service, const std::string& method,
                    const Message& request, Message* response) {
    const absl::Status status = suite_.Call(caller, service, method, request, response);
    const grpc::Status wire = rpc::ToWire(status, "zh");
    const std::string bytes = status.ok()
                                  ? response->SerializeAsString()
                                  : absl::StrCat(wire.error_message(), " ", wire.error_details());
    if (absl::EndsWith(method, "/UnmaskRecord") && status.ok()) {
      const std::set<std::string> seen = suite_.canaries().In(bytes);
      unmasked_.insert(seen.begin(), seen.end());
      return status;
    }
    LookIn(leaks_, suite_.canaries(), absl::StrCat("answer of ", method), bytes);
    return status;
  }

  // A record that its law may like: what is required, and what is personal.
  std::unique_ptr<Message> Make(const RecordType& type, const std::string& area) {
    std::unique_ptr<Message> message = type.New();
    FillRequired(*message, area, "示范");
    PlantCanaries(type, *message, suite_.canaries());
    return message;
  }

  std::string Create(const std::string& service, const RecordType& type, int round) {
    v1::CreateRecordRequest request;
    request.set_parent(Parent());
    request.mutable_record()->PackFrom(*Make(type, kVillage));
    request.set_request_id(suite_.NewId());
    request.set_submit(round % 2 == 0);
    v1::Record record;
    if (Send(reviewer_, service, absl::StrCat(kRecords, "CreateRecord"), request, &record).ok()) {
      // The answer that was stored, given again.
      v1::Record again;
      EXPECT_THAT(Send(reviewer_, service, absl::StrCat(kRecords, "CreateRecord"), request, &again),
                  IsOk());
      return record.name();
    }
    return "";
  }

  void BatchCreate(const std::string& service, const RecordType& type) {
    v1::BatchCreateRecordsRequest request;
    request.set_parent(Parent());
    for (int i = 0; i < 3; ++i) request.add_records()->PackFrom(*Make(type, kVillage));
    request.set_request_id(suite_.NewId());
    v1::BatchCreateRecordsResponse response;
    Send(reviewer_, service, absl::StrCat(kRecords, "BatchCreateRecords"), request, &response)
        .IgnoreError();
  }

  // Refused by its area, its rules, its law, its type, its bytes.
  void FailToCreate(const std::string& service, const RecordType& type) {
    const auto refuse = [&](v1::CreateRecordRequest request) {
      request.set_parent(Parent());
      request.set_request_id(suite_.NewId());
      v1::Record record;
      Send(reviewer_, service, absl::StrCat(kRecords, "CreateRecord"), request, &record)
          .IgnoreError();
    };
    v1::CreateRecordRequest elsewhere;
    elsewhere.mutable_record()->PackFrom(*Make(type, kOtherCountyVillage));
    refuse(elsewhere);
    v1::CreateRecordRequest lawless;
    std::unique_ptr<Message> full = type.New();
    FillMessage(*full, kVillage, "示范");
    PlantCanaries(type, *full, suite_.canaries());
    lawless.mutable_record()->PackFrom(*full);
    refuse(lawless);
    // A number where a date goes, and too much of it where it goes.
    for (const RecordField& field : type.fields()) {
      if (field.descriptor->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_STRING ||
          field.repeated()) {
        continue;
      }
      v1::CreateRecordRequest broken;
      std::unique_ptr<Message> record = Make(type, kVillage);
      std::string text = Canary();
      if (field.descriptor->options().GetExtension(v1::rules).format() == v1::FORMAT_UNSPECIFIED) {
        while (text.size() < 4000) absl::StrAppend(&text, Canary());
      }
      record->GetReflection()->SetString(record.get(), field.descriptor, text);
      broken.mutable_record()->PackFrom(*record);
      refuse(broken);
    }
    v1::CreateRecordRequest garbled;
    garbled.mutable_record()->PackFrom(*Make(type, kVillage));
    garbled.mutable_record()->set_value(garbled.record().value() + "\xff\xff\xff");
    refuse(garbled);
    v1::CreateRecordRequest unknown;
    unknown.mutable_record()->PackFrom(*Make(type, kVillage));
    unknown.mutable_record()->set_type_url("type.googleapis.com/" + Canary());
    // Whoever sends it in the type's own name is told the name again: that is its own doing.
    v1::Record record;
    unknown.set_parent(Parent());
    unknown.set_request_id(suite_.NewId());
    EXPECT_FALSE(
        suite_.Call(reviewer_, service, absl::StrCat(kRecords, "CreateRecord"), unknown, &record)
            .ok());
  }

  // Lists, filtered by personal fields too.
  void Search(const std::string& service, const RecordType& type) {
    v1::ListRecordsRequest request;
    request.set_parent(Parent());
    request.set_collection(type.collection());
    request.set_page_size(2);
    const auto list = [&] {
      v1::ListRecordsResponse page;
      const absl::Status status =
          Send(reviewer_, service, absl::StrCat(kRecords, "ListRecords"), request, &page);
      std::string token;
      if (absl::WebSafeBase64Unescape(page.next_page_token(), &token)) {
        LookIn(leaks_, suite_.canaries(), "page token", token);
      }
      return status;
    };
    EXPECT_THAT(list(), IsOk());
    for (const BlindIndexField& blind : type.blind_indexes()) {
      request.set_filter(absl::StrCat(blind.filter_name, " = \"", Canary(), "\""));
      EXPECT_THAT(list(), IsOk());
      request.set_filter(absl::StrCat(blind.filter_name, " > \"", Canary(), "\""));
      EXPECT_THAT(list(), Not(IsOk()));
    }
    for (const RecordField& field : type.fields()) {
      if (!field.sealed) continue;
      request.set_filter(absl::StrCat(field.name(), " = \"", Canary(), "\" AND"));
      EXPECT_THAT(list(), Not(IsOk()));
    }
  }

  void Read(const std::string& service, const RecordType&, const std::string& name) {
    v1::GetRecordRequest get;
    get.set_name(name);
    v1::Record record;
    EXPECT_THAT(Send(reviewer_, service, absl::StrCat(kRecords, "GetRecord"), get, &record),
                IsOk());
    v1::ListRecordRevisionsRequest history;
    history.set_name(name);
    v1::ListRecordRevisionsResponse revisions;
    EXPECT_THAT(Send(reviewer_, service, absl::StrCat(kRecords, "ListRecordRevisions"), history,
                     &revisions),
                IsOk());
  }

  void Update(const std::string& service, const RecordType& type, const std::string& name) {
    v1::UpdateRecordRequest request;
    request.set_name(name);
    std::unique_ptr<Message> message = type.New();
    PlantCanaries(type, *message, suite_.canaries());
    request.mutable_record()->PackFrom(*message);
    request.set_request_id(suite_.NewId());
    v1::Record record;
    EXPECT_THAT(Send(reviewer_, service, absl::StrCat(kRecords, "UpdateRecord"), request, &record),
                IsOk());
    request.set_request_id(suite_.NewId());
    request.set_etag("\"1\"");  // stale by now
    EXPECT_THAT(Send(reviewer_, service, absl::StrCat(kRecords, "UpdateRecord"), request, &record),
                Not(IsOk()));
  }

  void Unmask(const std::string& service, const std::string& name) {
    v1::UnmaskRecordRequest request;
    request.set_name(name);
    request.set_purpose("核对身份");
    request.set_request_id(suite_.NewId());
    v1::Record record;
    EXPECT_THAT(Send(reviewer_, service, absl::StrCat(kRecords, "UnmaskRecord"), request, &record),
                IsOk());
  }

  void Erase(const std::string& service, const std::string& name) {
    v1::DeleteRecordRequest remove;
    remove.set_name(name);
    remove.set_reason("重复");
    remove.set_request_id(suite_.NewId());
    v1::Record record;
    EXPECT_THAT(Send(reviewer_, service, absl::StrCat(kRecords, "DeleteRecord"), remove, &record),
                IsOk());
    v1::EraseRecordRequest erase;
    erase.set_name(name);
    erase.set_reason("本人请求");
    erase.set_request_id(suite_.NewId());
    EXPECT_THAT(Send(admin_, service, absl::StrCat(kRecords, "EraseRecord"), erase, &record),
                IsOk());
    // What was erased is gone for those who may see it, too.
    v1::UnmaskRecordRequest look;
    look.set_name(name);
    look.set_purpose("核对身份");
    look.set_request_id(suite_.NewId());
    const size_t before = unmasked_.size();
    EXPECT_THAT(Send(reviewer_, service, absl::StrCat(kRecords, "UnmaskRecord"), look, &record),
                IsOk());
    EXPECT_EQ(unmasked_.size(), before);
  }

  GuardSuite& suite_;
  Caller reviewer_;
  Caller admin_;
  Found leaks_;
  std::set<std::string> unmasked_;
  std::set<std::string> created_;
};

// Types with personal fields, by reflection.
std::vector<std::pair<std::string, const RecordType*>> PersonalTypes(GuardSuite& suite) {
  std::vector<std::pair<std::string, const RecordType*>> types;
  for (const std::string& service : suite.services()) {
    for (const auto& type : suite.TypesOf(service).all()) {
      bool sealed = false;
      for (const RecordField& field : type->fields()) sealed = sealed || field.sealed;
      if (sealed) types.emplace_back(service, type.get());
    }
  }
  return types;
}

class Canary : public ::testing::Test {
 protected:
  static void TearDownTestSuite() { Ground::Get().Close(); }
};

TEST_F(Canary, AThousandAreFoundNowhereButWhereTheyWereAskedFor) {
  Ground& ground = Ground::Get();
  GuardSuite& suite = ground.suite();
  const auto types = PersonalTypes(suite);
  ASSERT_FALSE(types.empty());
  Walk walk(ground);
  const size_t per_type = kLeast / types.size() + 1;
  for (const auto& [service, type] : types) {
    const size_t begin = suite.canaries().all().size();
    while (suite.canaries().all().size() < begin + per_type) walk.Through(service, *type, 2);
  }
  walk.Score();
  walk.ReadLogs();

  EXPECT_GE(suite.canaries().all().size(), kLeast);
  EXPECT_TRUE(walk.leaks().empty()) << Text(walk.leaks());
  // That nothing is found proves something only if there was something to find.
  EXPECT_GE(walk.unmasked(), types.size());
  for (const char* collection : {"disputes", "educationEvents", "people"}) {
    EXPECT_THAT(walk.created(), Contains(collection));
  }
  const Found found = LookEverywhere(ground);
  EXPECT_TRUE(found.empty()) << Text(found);
}

// A check that cannot fail is none.
TEST_F(Canary, APlantedLeakIsFoundInEveryPlace) {
  Ground& ground = Ground::Get();
  GuardSuite& suite = ground.suite();
  const std::string in_log = suite.canaries().New(18);
  const std::string in_column = suite.canaries().New(11);
  const std::string in_bytes = suite.canaries().New(18);
  Log(LogLevel::kInfo, "planted", {{"who", in_log}});
  const std::string sql = absl::StrCat(
      "INSERT INTO registry.area_import VALUES ('421221', '018f0000-0000-7000-8000-0000000000ff', "
      "'2024-01-01', '",
      in_column, "', '\\x", absl::BytesToHexString(absl::StrCat("before ", in_bytes, " after")),
      "', 0, 0, '2024-01-01', 'planted')");
  ASSERT_THAT(
      suite.admin().InTransaction(db::Scope{}, absl::Now() + absl::Seconds(20),
                                  [&](db::Transaction& transaction) {
                                    return transaction.Run(db::Statement{"plant", sql}).status();
                                  }),
      IsOk());
  const Found found = LookEverywhere(ground);
  ASSERT_THAT(found, Contains(Key("table registry.area_import")));
  EXPECT_THAT(found.at("table registry.area_import"),
              ::testing::UnorderedElementsAre(in_column, in_bytes));
  ASSERT_THAT(found, Contains(Key("file suite.log")));
  EXPECT_THAT(found.at("file suite.log"), ::testing::ElementsAre(in_log));
  std::set<std::string> in_heaps;
  for (const auto& [place, canaries] : found) {
    if (absl::StartsWith(place, "file pg/base/")) in_heaps.insert(canaries.begin(), canaries.end());
  }
  EXPECT_THAT(in_heaps, ::testing::UnorderedElementsAre(in_column, in_bytes));
}

}  // namespace
}  // namespace fadu::guard
