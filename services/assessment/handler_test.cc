// The assessment service through its server, over a real database, beside a scoring service that
// does as it is told.

#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/base/digest.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/db/migrate.h"
#include "common/host/host.h"
#include "common/rpc/channel.h"
#include "common/rpc/identity.h"
#include "common/rpc/server.h"
#include "common/schema/reason.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "common/testing/test_database.h"
#include "fadu/assessment/v1/assessment_service.pb.h"
#include "fadu/assessment/v1/given.pb.h"
#include "fadu/common/v1/fact_feed.pb.h"
#include "fadu/common/v1/reason.pb.h"
#include "fadu/common/v1/record_service.pb.h"
#include "fadu/scoring/v1/scoring_service.pb.h"
#include "services/assessment/module.h"

namespace fadu::assessment {
namespace {

namespace common = ::fadu::common::v1;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kCounty[] = "421221";
constexpr char kTown[] = "421221106";
constexpr char kVillage[] = "421221106200";
constexpr char kRubric[] = R"(rubric: demo
version: "1"
title: 示例
year: 2024
subject: village
tiers: [{name: 合格, from: 0}]
lines:
  - id: "1"
    title: 场次
    max: 90
    basis: 依据
    clauses:
      - form: L03
        measure: count(educationEvents)
        required: 4
        window: year
        per_missing: 2.5
        what: 活动
  - id: "2"
    title: 评定
    max: 10
    basis: 依据
    clauses:
      - {form: L17, max: 10, step: 0.5, what: 规范}
)";

// Scoring: remarks on rubrics as told, facts in order without gaps.
class FakeScoring : public rpc::Channel {
 public:
  absl::Status Call(absl::string_view method, const google::protobuf::Message& request,
                    google::protobuf::Message* response, const rpc::CallOptions&) override {
    absl::MutexLock lock(&mutex_);
    if (!failure.ok()) return std::exchange(failure, absl::OkStatus());
    if (absl::EndsWith(method, "/CheckRubric")) {
      auto* answer = static_cast<scoring::v1::CheckRubricResponse*>(response);
      *answer->mutable_findings() = {findings.begin(), findings.end()};
      return absl::OkStatus();
    }
    const auto& put = static_cast<const scoring::v1::PutFactsRequest&>(request);
    for (const common::Fact& fact : put.facts()) {
      if (fact.seq() > seq_ + 1) return absl::FailedPreconditionError("gap");
      if (fact.seq() == seq_ + 1) facts_.push_back(fact), ++seq_;
    }
    static_cast<scoring::v1::PutFactsResponse*>(response)->set_seq(seq_);
    return absl::OkStatus();
  }
  void CallAsync(absl::string_view, const google::protobuf::Message&, google::protobuf::Message*,
                 const rpc::CallOptions&, std::function<void(absl::Status)> done) override {
    done(absl::UnimplementedError("not here"));
  }
  // Waits until that many facts have come.
  bool Await(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto there = [&] { return facts_.size() >= count; };
    return mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(20));
  }
  std::vector<common::Fact> facts() {
    absl::MutexLock lock(&mutex_);
    return facts_;
  }
  void SetSeq(int64_t seq) {
    absl::MutexLock lock(&mutex_);
    seq_ = seq;
  }

  std::vector<v1::Finding> findings;
  absl::Status failure;  // of the next call

 private:
  absl::Mutex mutex_;
  std::vector<common::Fact> facts_;
  int64_t seq_ = 0;
};

class AssessmentHandlerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SetLogDescriptor(-1);
    const std::string admin_dsn = testing::TestCluster::Get().CreateDatabase();
    ASSERT_THAT(host::EnsureKeys(keys_, {"assessment", "registry"}), IsOk());
    ASSERT_THAT(host::MigrateModules({MakeModule()}, admin_dsn, keys_, SystemClock()), IsOk());
    auto verifier = rpc::Verifier::Load(keys_);
    ASSERT_THAT(verifier, IsOk());
    verifier_ = *std::move(verifier);
    db::ServiceSchema schema = *MakeModule().schema();
    std::ifstream(keys_ + "/assessment.dbpass") >> schema.role_password;
    dsn_ = db::WithDsn(db::WithDsn(admin_dsn, "user", "fadu_assessment"), "password",
                       schema.role_password);
    Start();
    As(common::ROLE_COUNTY_ADMIN, kCounty);
  }
  void TearDown() override { Stop(); }

  void Start() {
    metrics_ = std::make_unique<rpc::Metrics>();
    pool_ = std::make_unique<db::Pool>(db::PoolOptions{dsn_, 4, "assessment test"});
    peers_ = std::make_unique<rpc::Peers>(*rpc::Signer::Load(keys_, "assessment"), clock_,
                                          metrics_.get());
    peers_->Add("scoring", scoring_);
    context_ = std::make_unique<host::ModuleContext>(
        host::ModuleContext{dsn_, *pool_, clock_, ids_, *peers_, *metrics_, keys_});
    auto module = MakeModule().start(*context_);
    ASSERT_THAT(module, IsOk());
    module_ = *std::move(module);
    rpc::ServerOptions options;
    options.name = "assessment";
    options.listen = "";
    auto server =
        rpc::Server::Start(options, module_->services(), *verifier_, clock_, ids_, *metrics_);
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
  }

  void Stop() {
    if (module_ != nullptr) module_->StopBackground();
    if (server_ != nullptr) server_->Drain(absl::Seconds(5));
    server_.reset();
    module_.reset();
    peers_.reset();
    pool_.reset();
  }

  // Calls come from an account with this grant from here on.
  void As(common::Role role, const std::string& area) {
    common::Identity identity;
    identity.set_subject("accounts/00000000-0000-7000-8000-0000000000aa");
    identity.set_expire_seconds(absl::ToUnixSeconds(clock_.Now() + absl::Hours(1)));
    common::Grant& grant = *identity.add_grants();
    grant.set_role(role);
    grant.set_area_code(area);
    bearer_ = *(*rpc::Signer::Load(keys_, "registry"))->Sign(identity);
  }

  template <typename Response>
  absl::StatusOr<Response> Call(const std::string& method,
                                const google::protobuf::Message& request) {
    Response response;
    rpc::CallOptions options;
    options.deadline = absl::Now() + absl::Seconds(20);
    options.bearer = bearer_;
    const std::string full =
        absl::StrContains(method, "/") ? method : "/fadu.assessment.v1.AssessmentService/" + method;
    const absl::Status status = server_->InProcess()->Call(full, request, &response, options);
    if (!status.ok()) return status;
    return response;
  }

  std::string NewRequestId() { return ids_.NewId().ToString(); }

  absl::StatusOr<v1::RubricInfo> Import(const std::string& source) {
    v1::ImportRubricRequest request;
    request.set_parent("counties/421221");
    request.set_source(source);
    request.set_request_id(NewRequestId());
    return Call<v1::RubricInfo>("ImportRubric", request);
  }
  absl::StatusOr<v1::RubricInfo> Publish(const std::string& name) {
    v1::PublishRubricRequest request;
    request.set_name(name);
    request.set_request_id(NewRequestId());
    return Call<v1::RubricInfo>("PublishRubric", request);
  }
  absl::StatusOr<v1::CycleInfo> Open(const std::string& rubric, int year = 2024) {
    v1::OpenCycleRequest request;
    request.set_parent("counties/421221");
    request.set_year(year);
    request.set_rubric(rubric);
    request.set_request_id(NewRequestId());
    return Call<v1::CycleInfo>("OpenCycle", request);
  }
  absl::StatusOr<v1::CycleInfo> Close(const std::string& name) {
    v1::CloseCycleRequest request;
    request.set_name(name);
    request.set_request_id(NewRequestId());
    return Call<v1::CycleInfo>("CloseCycle", request);
  }
  v1::GiveMarkRequest MarkOf(const std::string& cycle, const std::string& points) {
    v1::GiveMarkRequest request;
    request.set_cycle(cycle);
    request.set_area_code(kVillage);
    request.set_line_id("2");
    request.set_points(points);
    request.set_reason("抽查5份，齐全");
    request.set_request_id(NewRequestId());
    return request;
  }
  absl::StatusOr<v1::MarkInfo> Give(const v1::GiveMarkRequest& request) {
    return Call<v1::MarkInfo>("GiveMark", request);
  }
  absl::StatusOr<v1::HandOverResponse> HandOver() {
    v1::HandOverRequest request;
    request.set_parent("counties/421221");
    return Call<v1::HandOverResponse>("HandOver", request);
  }
  // The name of the open cycle of a published rubric.
  std::string OpenedCycle() {
    const auto rubric = Import(kRubric);
    EXPECT_THAT(rubric, IsOk());
    EXPECT_THAT(Publish(rubric->name()), IsOk());
    const auto cycle = Open(rubric->name());
    EXPECT_THAT(cycle, IsOk());
    return cycle.ok() ? cycle->name() : "";
  }
  size_t CountOf(const std::string& collection) {
    common::ListRecordsRequest request;
    request.set_parent("counties/421221");
    request.set_collection(collection);
    const auto page =
        Call<common::ListRecordsResponse>("/fadu.common.v1.RecordService/ListRecords", request);
    EXPECT_THAT(page, IsOk());
    return page.ok() ? static_cast<size_t>(page->records_size()) : 0;
  }

  testing::TempFolder folder_;
  const std::string keys_ = folder_.path() + "/keys";
  FakeClock clock_;
  CountingIds ids_;
  std::shared_ptr<FakeScoring> scoring_ = std::make_shared<FakeScoring>();
  std::unique_ptr<rpc::Verifier> verifier_;
  std::string dsn_;
  std::unique_ptr<rpc::Metrics> metrics_;
  std::unique_ptr<db::Pool> pool_;
  std::unique_ptr<rpc::Peers> peers_;
  std::unique_ptr<host::ModuleContext> context_;
  std::unique_ptr<host::RunningModule> module_;
  std::unique_ptr<rpc::Server> server_;
  std::string bearer_;
};

TEST_F(AssessmentHandlerTest, ImportRubricStoresADraftWithItsSource) {
  const auto rubric = Import(kRubric);
  ASSERT_THAT(rubric, IsOk());
  EXPECT_EQ(rubric->rubric().state(), v1::RUBRIC_STATE_DRAFT);
  EXPECT_EQ(rubric->rubric().source(), kRubric);
  EXPECT_EQ(rubric->rubric().source_digest(), Hex(StoredDigest(kRubric)));
  EXPECT_EQ(rubric->rubric().rubric().total_e4(), 1000000);
}

TEST_F(AssessmentHandlerTest, ImportRubricAgainIsTheSameDraft) {
  const auto first = Import(kRubric);
  const auto again = Import(kRubric);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->name(), first->name());
  EXPECT_EQ(CountOf("rubrics"), 1U);
}

TEST_F(AssessmentHandlerTest, ImportRubricRefusesAnotherTextUnderTheSameVersion) {
  ASSERT_THAT(Import(kRubric), IsOk());
  const std::string other = absl::StrReplaceAll(kRubric, {{"required: 4", "required: 5"}});
  EXPECT_THAT(Import(other), HasReason("REASON_RUBRIC_EXISTS"));
  EXPECT_THAT(Import(absl::StrReplaceAll(other, {{"version: \"1\"", "version: \"2\""}})), IsOk());
}

TEST_F(AssessmentHandlerTest, ImportRubricTellsTheLineOfAnError) {
  const auto refused = Import(absl::StrReplaceAll(kRubric, {{"required: 4", "required: x"}}));
  EXPECT_THAT(refused, HasReason("REASON_RUBRIC_INVALID"));
  EXPECT_EQ(DetailOf(refused.status()).metadata["line"], "15");
  EXPECT_EQ(CountOf("rubrics"), 0U);
}

// What scoring finds is told by path; people get the line.
TEST_F(AssessmentHandlerTest, ImportRubricTellsTheLineOfWhatScoringFinds) {
  v1::Finding finding;
  finding.set_severity(v1::Finding::SEVERITY_ERROR);
  finding.set_path("lines[0].clauses[0].shortfall.measure");
  finding.set_message("没有这种记录");
  scoring_->findings = {finding};
  const auto refused = Import(kRubric);
  EXPECT_THAT(refused, HasReason("REASON_RUBRIC_INVALID"));
  EXPECT_EQ(DetailOf(refused.status()).metadata["line"], "14");
}

TEST_F(AssessmentHandlerTest, ImportRubricFailsWhenScoringIsAway) {
  scoring_->failure = Fail(absl::StatusCode::kUnavailable, common::REASON_UNAVAILABLE, "away");
  EXPECT_THAT(Import(kRubric), HasReason("REASON_UNAVAILABLE"));
  EXPECT_EQ(CountOf("rubrics"), 0U);
}

TEST_F(AssessmentHandlerTest, CheckRubricStoresNothing) {
  v1::Finding warning;
  warning.set_severity(v1::Finding::SEVERITY_WARNING);
  warning.set_path("lines[0].max_e4");
  scoring_->findings = {warning};
  v1::CheckRubricRequest request;
  request.set_source(kRubric);
  As(common::ROLE_TOWN_REVIEWER, kTown);
  const auto checked = Call<v1::CheckRubricResponse>("CheckRubric", request);
  ASSERT_THAT(checked, IsOk());
  ASSERT_EQ(checked->findings_size(), 1);
  EXPECT_EQ(checked->findings(0).yaml_line(), 10);
  EXPECT_EQ(checked->rubric().lines_size(), 2);
  EXPECT_EQ(CountOf("rubrics"), 0U);
}

TEST_F(AssessmentHandlerTest, ImportRubricIsForTheCountysOwnAdministrator) {
  As(common::ROLE_COUNTY_ADMIN, "421222");
  EXPECT_THAT(Import(kRubric), HasReason("REASON_AREA_DENIED"));
  As(common::ROLE_TOWN_REVIEWER, kTown);
  EXPECT_THAT(Import(kRubric), HasReason("REASON_ROLE_DENIED"));
}

TEST_F(AssessmentHandlerTest, PublishRubricTwiceChangesNothing) {
  const std::string name = Import(kRubric)->name();
  EXPECT_EQ(Publish(name)->rubric().state(), v1::RUBRIC_STATE_PUBLISHED);
  EXPECT_EQ(Publish(name)->rubric().state(), v1::RUBRIC_STATE_PUBLISHED);
  EXPECT_EQ(HandOver()->seq(), 2);  // import, publish
}

TEST_F(AssessmentHandlerTest, PublishRubricHidesOtherCounties) {
  const std::string name = Import(kRubric)->name();
  As(common::ROLE_COUNTY_ADMIN, "421222");
  EXPECT_THAT(Publish(name), HasReason("REASON_NOT_FOUND"));
}

TEST_F(AssessmentHandlerTest, OpenCycleNeedsAPublishedRubricOfTheYear) {
  const std::string name = Import(kRubric)->name();
  EXPECT_THAT(Open(name), HasReason("REASON_RUBRIC_STATE"));
  ASSERT_THAT(Publish(name), IsOk());
  EXPECT_THAT(Open(name, 2025), HasReason("REASON_FIELD_INVALID"));
  const auto cycle = Open(name);
  ASSERT_THAT(cycle, IsOk());
  EXPECT_EQ(cycle->cycle().start_date(), "2024-01-01");
  EXPECT_THAT(Open("counties/421221/rubrics/" + NewRequestId()), HasReason("REASON_NOT_FOUND"));
}

TEST_F(AssessmentHandlerTest, OpenCycleRefusesASecondOneOfTheYear) {
  OpenedCycle();
  EXPECT_THAT(Open(Import(kRubric)->name()), HasReason("REASON_CYCLE_EXISTS"));
}

TEST_F(AssessmentHandlerTest, GiveMarkCreatesThenReplaces) {
  const std::string cycle = OpenedCycle();
  As(common::ROLE_TOWN_REVIEWER, kTown);
  const auto first = Give(MarkOf(cycle, "7.5"));
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(first->mark().points_e4(), 75000);
  EXPECT_EQ(first->mark().marked_date(), "2026-11-24");
  EXPECT_EQ(first->mark().scorer(), "accounts/00000000-0000-7000-8000-0000000000aa");
  const auto second = Give(MarkOf(cycle, "8"));
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->name(), first->name());
  EXPECT_EQ(second->mark().points_e4(), 80000);
  EXPECT_EQ(CountOf("marks"), 1U);
}

// Proto3 does not tell zero from absent; a mark lowered to zero is zero.
TEST_F(AssessmentHandlerTest, GiveMarkMayLowerToZero) {
  const std::string cycle = OpenedCycle();
  ASSERT_THAT(Give(MarkOf(cycle, "7.5")), IsOk());
  const auto zero = Give(MarkOf(cycle, "0"));
  ASSERT_THAT(zero, IsOk());
  EXPECT_EQ(zero->mark().points_e4(), 0);
}

TEST_F(AssessmentHandlerTest, GiveMarkIsRepeatable) {
  const std::string cycle = OpenedCycle();
  const v1::GiveMarkRequest request = MarkOf(cycle, "7.5");
  const auto first = Give(request);
  ASSERT_THAT(Give(MarkOf(cycle, "9")), IsOk());
  const auto replay = Give(request);
  ASSERT_THAT(replay, IsOk());
  EXPECT_EQ(replay->SerializeAsString(), first->SerializeAsString());
}

TEST_F(AssessmentHandlerTest, GiveMarkKeepsToLimitsAndJudgedLines) {
  const std::string cycle = OpenedCycle();
  EXPECT_THAT(Give(MarkOf(cycle, "10.5")), HasReason("REASON_MARK_OUT_OF_RANGE"));
  v1::GiveMarkRequest computed = MarkOf(cycle, "1");
  computed.set_line_id("1");
  EXPECT_THAT(Give(computed), HasReason("REASON_LINE_NOT_JUDGED"));
  v1::GiveMarkRequest quoted = MarkOf(cycle, "1");
  quoted.set_line_id("\" OR \"\" = \"");
  EXPECT_THAT(Give(quoted), HasReason("REASON_LINE_NOT_JUDGED"));
}

TEST_F(AssessmentHandlerTest, GiveMarkIsForVillagesOfTheCallersArea) {
  const std::string cycle = OpenedCycle();
  As(common::ROLE_TOWN_REVIEWER, "421221105");
  EXPECT_THAT(Give(MarkOf(cycle, "7")), HasReason("REASON_AREA_DENIED"));
  As(common::ROLE_COUNTY_REVIEWER, kCounty);
  EXPECT_THAT(Give(MarkOf(cycle, "7")), IsOk());
  v1::GiveMarkRequest town = MarkOf(cycle, "7");
  town.set_area_code(kTown);
  EXPECT_THAT(Give(town), HasReason("REASON_FIELD_INVALID"));
}

TEST_F(AssessmentHandlerTest, CloseCycleEndsMarksAndMayBeRepeated) {
  const std::string cycle = OpenedCycle();
  ASSERT_THAT(Close(cycle), IsOk());
  EXPECT_EQ(Close(cycle)->cycle().state(), v1::CYCLE_STATE_CLOSED);
  EXPECT_THAT(Give(MarkOf(cycle, "7")), HasReason("REASON_CYCLE_CLOSED"));
}

// Managed types: only the service's own methods write them.
TEST_F(AssessmentHandlerTest, RecordServiceDoesNotWriteMarks) {
  v1::Mark mark;
  mark.set_area_code(kVillage);
  mark.set_marked_date("2024-12-31");
  mark.set_cycle_id(NewRequestId());
  mark.set_line_id("2");
  mark.set_reason("直接写入");
  common::CreateRecordRequest request;
  request.set_parent("counties/421221");
  request.mutable_record()->PackFrom(mark);
  request.set_request_id(NewRequestId());
  EXPECT_THAT(Call<common::Record>("/fadu.common.v1.RecordService/CreateRecord", request),
              HasReason("REASON_ROLE_DENIED"));
}

TEST_F(AssessmentHandlerTest, GiveMarkNamesWhatItsClauseDoesNotHave) {
  v1::GiveMarkRequest request = MarkOf(OpenedCycle(), "7");
  request.set_item("（2024）1号卷宗");
  EXPECT_THAT(Give(request), HasReason("REASON_FIELD_INVALID"));
}

// What people rule is a record like any other, and goes to scoring with the rest.
TEST_F(AssessmentHandlerTest, RulingsAreRecordedAndHandedOver) {
  (void)OpenedCycle();
  As(common::ROLE_TOWN_REVIEWER, kTown);
  v1::Ruling ruling;
  ruling.set_area_code(kVillage);
  ruling.set_ruled_date("2024-12-31");
  ruling.set_year(2024);
  ruling.set_key("heavy");
  ruling.set_value_e4(10000);
  ruling.set_reason("造成重大影响");
  ruling.set_certified_by("镇综治中心");
  common::CreateRecordRequest request;
  request.set_parent("counties/421221");
  request.mutable_record()->PackFrom(ruling);
  request.set_request_id(NewRequestId());
  EXPECT_THAT(Call<common::Record>("/fadu.common.v1.RecordService/CreateRecord", request), IsOk());
  As(common::ROLE_COUNTY_ADMIN, kCounty);
  EXPECT_EQ(HandOver()->seq(), 4);  // import, publish, open, ruling
  EXPECT_EQ(scoring_->facts()[3].type(), "fadu.assessment.v1.Ruling");
}

TEST_F(AssessmentHandlerTest, HandOverGivesEveryEventInOrderOnce) {
  ASSERT_THAT(Give(MarkOf(OpenedCycle(), "7.5")), IsOk());
  EXPECT_EQ(HandOver()->seq(), 4);  // import, publish, open, mark
  EXPECT_EQ(HandOver()->seq(), 4);
  const std::vector<common::Fact> facts = scoring_->facts();
  ASSERT_THAT(facts, SizeIs(4));
  EXPECT_EQ(facts[0].type(), "fadu.assessment.v1.RubricVersion");
  EXPECT_EQ(facts[1].revision(), 2);
  EXPECT_EQ(facts[2].type(), "fadu.assessment.v1.Cycle");
  v1::Mark mark;
  ASSERT_TRUE(mark.ParseFromString(facts[3].values()));
  EXPECT_EQ(mark.points_e4(), 75000);
}

TEST_F(AssessmentHandlerTest, HandOverOfACountyWithoutRecordsIsEmpty) {
  EXPECT_EQ(HandOver()->seq(), 0);
  EXPECT_THAT(scoring_->facts(), IsEmpty());
}

// The database was set back and scoring was not: saying "done" would hide it for ever.
TEST_F(AssessmentHandlerTest, HandOverTellsWhenScoringHoldsMoreThanTheLog) {
  OpenedCycle();
  scoring_->SetSeq(99);
  EXPECT_THAT(HandOver(), HasReason("REASON_INTEGRITY_BROKEN"));
}

TEST_F(AssessmentHandlerTest, HandOverIsForReviewersOfTheCounty) {
  As(common::ROLE_TOWN_REVIEWER, kTown);
  EXPECT_THAT(HandOver(), IsOk());
  As(common::ROLE_TOWN_REVIEWER, "421222100");
  EXPECT_THAT(HandOver(), HasReason("REASON_AREA_DENIED"));
}

TEST_F(AssessmentHandlerTest, BackgroundHandsOverWhatIsWritten) {
  module_->StartBackground();
  OpenedCycle();
  EXPECT_TRUE(scoring_->Await(3));
}

// A feed whose hand-over fails shows by the age of its last success.
TEST_F(AssessmentHandlerTest, BackgroundSaysWhenAllIsHandedOver) {
  const auto never = [this] {
    return absl::StrContains(
        metrics_->Scrape(), "fadu_feed_last_success_timestamp_seconds{service=\"assessment\"} 0\n");
  };
  ASSERT_THAT(Import(kRubric), IsOk());
  scoring_->failure = absl::UnavailableError("away");  // the first time
  EXPECT_TRUE(never());
  module_->StartBackground();
  while (never()) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_THAT(scoring_->facts(), SizeIs(1));
  EXPECT_THAT(metrics_->Scrape(), HasSubstr("fadu_feed_lag{service=\"assessment\"} 0\n"));
}

TEST_F(AssessmentHandlerTest, BackgroundTriesAgainAfterAFailure) {
  ASSERT_THAT(Import(kRubric), IsOk());
  scoring_->failure = absl::UnavailableError("away");
  module_->StartBackground();
  EXPECT_TRUE(scoring_->Await(1));
}

// Nothing is written after the restart: the county is known from the table.
TEST_F(AssessmentHandlerTest, BackgroundKnowsItsCountiesAfterARestart) {
  OpenedCycle();
  EXPECT_THAT(scoring_->facts(), IsEmpty());
  Stop();
  Start();
  module_->StartBackground();
  EXPECT_TRUE(scoring_->Await(3));
}

}  // namespace
}  // namespace fadu::assessment
