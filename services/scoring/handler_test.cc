#include "services/scoring/handler.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fadu/assessment/v1/records.pb.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/registry/v1/records.pb.h"
#include "services/scoring/domain/engine.h"
#include "services/scoring/replayer.h"
#include "services/scoring/scoring_test_support.h"

namespace fadu::scoring {
namespace {

namespace assessment_v1 = ::fadu::assessment::v1;
namespace common_v1 = ::fadu::common::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kParent[] = "counties/421221";
constexpr char kLatest[] = "counties/421221/runs/latest";
constexpr int kCycle = 900;
constexpr int kRubric = 901;

// Two disputes a year are wanted, a point for each missing; up to five points are given by a
// person.
assessment_v1::Rubric TestRubric() {
  assessment_v1::Rubric rubric;
  rubric.set_code("test");
  rubric.set_version("1");
  rubric.set_title("村级考核细则");
  rubric.set_year(2026);
  rubric.set_subject(assessment_v1::SUBJECT_VILLAGE);
  rubric.set_total_e4(100000);
  rubric.set_places(2);
  rubric.set_rounding(assessment_v1::RUBRIC_ROUNDING_HALF_UP);
  assessment_v1::Line& counted = *rubric.add_lines();
  counted.set_id("1.1");
  counted.set_title("矛盾纠纷排查");
  counted.set_max_e4(50000);
  counted.set_direction(assessment_v1::DIRECTION_LOSE);
  counted.set_basis("细则第一条");
  assessment_v1::Shortfall& shortfall = *counted.add_clauses()->mutable_shortfall();
  shortfall.set_measure("count(disputes)");
  shortfall.set_required(2);
  shortfall.set_window(assessment_v1::WINDOW_YEAR);
  shortfall.set_per_missing_e4(10000);
  shortfall.set_what("排查");
  shortfall.set_unit("件");
  assessment_v1::Line& judged = *rubric.add_lines();
  judged.set_id("1.2");
  judged.set_title("群众满意度");
  judged.set_max_e4(50000);
  judged.set_direction(assessment_v1::DIRECTION_EARN);
  judged.set_basis("细则第二条");
  assessment_v1::Judged& form = *judged.add_clauses()->mutable_judged();
  form.set_max_e4(50000);
  form.set_step_e4(5000);
  form.set_what("满意度");
  assessment_v1::Tier& good = *rubric.add_tiers();
  good.set_name("优秀");
  good.set_from_e4(80000);
  rubric.add_tiers()->set_name("合格");
  return rubric;
}

template <typename Message>
common_v1::Fact AssessmentFact(int id, int64_t revision, const std::string& date,
                               const Message& message) {
  common_v1::Fact fact;
  fact.set_type(Message::descriptor()->full_name());
  fact.set_id(IdOf(id).ToString());
  fact.set_revision(revision);
  fact.set_area_code(message.area_code());
  fact.set_counted_date(date);
  fact.set_review_state(common_v1::REVIEW_STATE_CONFIRMED);
  fact.set_values(BytesOf(message));
  return fact;
}

common_v1::Fact RubricFact(assessment_v1::RubricState state, int64_t revision = 1,
                           const assessment_v1::Rubric& rubric = TestRubric()) {
  assessment_v1::RubricVersion version;
  version.set_area_code(kCounty);
  version.set_effective_date("2025-12-20");
  version.set_year(2026);
  version.set_state(state);
  *version.mutable_rubric() = rubric;
  return AssessmentFact(kRubric, revision, version.effective_date(), version);
}

common_v1::Fact AcceptedFact(int id, const std::string& found, const std::string& accepted) {
  common_v1::Fact fact = DisputeFact(id, 1, kVillage, found);
  fadu::mediation::v1::Dispute dispute;
  EXPECT_TRUE(dispute.ParseFromString(fact.values()));
  dispute.set_accepted_date(accepted);
  fact.set_values(BytesOf(dispute));
  return fact;
}

common_v1::Fact CycleFact() {
  assessment_v1::Cycle cycle;
  cycle.set_area_code(kCounty);
  cycle.set_start_date("2026-01-01");
  cycle.set_end_date("2026-12-31");
  cycle.set_year(2026);
  cycle.set_rubric_id(IdOf(kRubric).ToString());
  cycle.set_state(assessment_v1::CYCLE_STATE_OPEN);
  return AssessmentFact(kCycle, 1, cycle.start_date(), cycle);
}

common_v1::Fact MarkFact(int id, int64_t points_e4) {
  assessment_v1::Mark mark;
  mark.set_area_code(kVillage);
  mark.set_marked_date("2026-07-01");
  mark.set_cycle_id(IdOf(kCycle).ToString());
  mark.set_line_id("1.2");
  mark.set_points_e4(points_e4);
  mark.set_reason("群众评议");
  return AssessmentFact(id, 1, mark.marked_date(), mark);
}

common_v1::Fact RulingFact(int id, int64_t value_e4, common_v1::ReviewState state) {
  assessment_v1::Ruling ruling;
  ruling.set_area_code(kVillage);
  ruling.set_ruled_date("2026-07-02");
  ruling.set_year(2026);
  ruling.set_key("concealed");
  ruling.set_value_e4(value_e4);
  ruling.set_certified_by("镇综治中心");
  common_v1::Fact fact = AssessmentFact(id, 1, ruling.ruled_date(), ruling);
  fact.set_review_state(state);
  return fact;
}

class ScoringHandlerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    registry_->AddArea("42", "湖北省");
    registry_->AddArea(kCounty, "嘉鱼县");
    registry_->AddArea(kTown, "潘家湾镇");
    registry_->AddArea(kVillage, "潘家湾村");
    registry_->AddArea(kOtherVillage, "肖家洲村");
    mediation_->Record({DisputeFact(1, 1), DisputeFact(2, 1), DisputeFact(3, 1, kOtherVillage),
                        DisputeFact(4, 1, kVillage, "2025-06-01")});
  }

  CallContext As(common_v1::Role role, const std::string& area = kCounty) {
    CallContext call;
    call.principal.subject = "accounts/00000000-0000-7000-8000-00000000abcd";
    call.principal.grants = {RoleGrant{role, area, ""}};
    call.now = absl::FromCivil(absl::CivilDay(2026, 8, 1), LegalTimeZone());
    call.deadline = Soon();
    return call;
  }
  CallContext Admin() { return As(common_v1::ROLE_COUNTY_ADMIN); }

  // Assessment hands facts over, numbered on from what it handed before.
  void HandOver(const std::vector<common_v1::Fact>& facts) {
    v1::PutFactsRequest request;
    request.set_county_code(kCounty);
    for (const common_v1::Fact& fact : Numbered(facts, handed_ + 1)) *request.add_facts() = fact;
    const auto put = handler_.PutFacts(Admin(), request);
    ASSERT_TRUE(put.ok()) << put.status();
    handed_ += static_cast<int64_t>(facts.size());
    EXPECT_EQ(put->seq(), handed_);
  }
  void HandOverCycle() {
    HandOver({RubricFact(assessment_v1::RUBRIC_STATE_DRAFT),
              RubricFact(assessment_v1::RUBRIC_STATE_PUBLISHED, 2), CycleFact(),
              MarkFact(910, 30000)});
  }

  absl::StatusOr<v1::CreateRunResponse> Create(int id, int year = 2026) {
    v1::CreateRunRequest request;
    request.set_parent(kParent);
    request.set_year(year);
    request.set_request_id(IdOf(id).ToString());
    return handler_.CreateRun(Admin(), request);
  }
  void CreateOk(int id) {
    const auto run = Create(id);
    ASSERT_TRUE(run.ok()) << run.status();
  }
  absl::StatusOr<v1::GetRunResponse> Get(const CallContext& call,
                                         const std::string& name = kLatest) {
    v1::GetRunRequest request;
    request.set_name(name);
    return handler_.GetRun(call, request);
  }
  absl::StatusOr<v1::ExplainScoreResponse> Explain(const CallContext& call, const std::string& area,
                                                   const std::string& name = kLatest) {
    v1::ExplainScoreRequest request;
    request.set_name(name);
    request.set_area_code(area);
    return handler_.ExplainScore(call, request);
  }
  absl::StatusOr<v1::VerifyRunResponse> Verify(const std::string& name = kLatest) {
    v1::VerifyRunRequest request;
    request.set_name(name);
    return handler_.VerifyRun(Admin(), request);
  }
  absl::StatusOr<v1::EvaluateMeasureResponse> EvaluateFor(
      const CallContext& call, const std::string& area,
      const std::string& expression = "count(disputes)", const std::string& period = "") {
    v1::EvaluateMeasureRequest request;
    request.set_parent(kParent);
    request.add_expressions(expression);
    request.set_area_code(area);
    request.set_year(2026);
    request.set_period(period);
    return handler_.EvaluateMeasure(call, request);
  }
  v1::MeasureValue Measured(const std::string& expression, const std::string& period = "") {
    const auto answer = EvaluateFor(Admin(), kCounty, expression, period);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? answer->values(0) : v1::MeasureValue();
  }

  static std::string RunName(int id) {
    return absl::StrCat(kParent, "/runs/", IdOf(id).ToString());
  }
  static std::string DisputePlace(int id, int revision) {
    return absl::StrCat("mediation/fadu.mediation.v1.Dispute/", IdOf(id).ToString(), "/", revision);
  }
  void ExpectVerifyFails(const std::string& where) {
    const absl::Status status = Verify().status();
    EXPECT_THAT(status, FailsWith(absl::StatusCode::kFailedPrecondition, "REASON_VERIFY_FAILED"));
    EXPECT_EQ(Where(status), where);
  }

  ScoringDatabase database_;
  Store store_{database_.pool()};
  TestPeers peers_;
  std::shared_ptr<FakeService> registry_ = peers_.Add("registry");
  std::shared_ptr<FakeService> mediation_ = peers_.Add("mediation");
  FeedConsumer feeds_{store_, peers_.peers(), peers_.metrics(), {"registry", "mediation"}};
  ScoringHandler handler_{store_, feeds_, peers_.peers()};
  int64_t handed_ = 0;
};

TEST_F(ScoringHandlerTest, EveryMethodHasAHandler) {
  EXPECT_TRUE(MakeScoringService(handler_)->CheckComplete().ok());
}

TEST_F(ScoringHandlerTest, ARunScoresEveryVillageAndVerifies) {
  HandOverCycle();
  const auto created = Create(1);
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(created->run().name(), RunName(1));
  EXPECT_EQ(created->run().rubric_title(), "村级考核细则");
  EXPECT_EQ(registry_->as_of_date(), "2026-08-01");

  const auto got = Get(Admin());
  ASSERT_TRUE(got.ok()) << got.status();
  ASSERT_THAT(got->result().villages(), SizeIs(2));
  const v1::ScoreSheet& village = got->result().villages(0);
  EXPECT_EQ(village.area_code(), kVillage);
  EXPECT_EQ(village.lines(0).points_e4(), 50000);
  EXPECT_EQ(village.lines(1).points_e4(), 30000);
  EXPECT_EQ(got->result().villages(1).lines(0).points_e4(), 40000);
  EXPECT_THAT(got->areas(), SizeIs(4));

  const auto verified = Verify();
  ASSERT_TRUE(verified.ok()) << verified.status();
  EXPECT_EQ(verified->facts(), 8);
  EXPECT_GT(verified->result_bytes(), 0);
}

TEST_F(ScoringHandlerTest, TheTreeOfAPastYearIsThatOfItsLastDay) {
  HandOverCycle();
  CallContext later = Admin();
  later.now = absl::FromCivil(absl::CivilDay(2027, 2, 1), LegalTimeZone());
  v1::CreateRunRequest request;
  request.set_parent(kParent);
  request.set_year(2026);
  request.set_request_id(IdOf(1).ToString());
  ASSERT_TRUE(handler_.CreateRun(later, request).ok());
  EXPECT_EQ(registry_->as_of_date(), "2026-12-31");
}

TEST_F(ScoringHandlerTest, WithoutAPublishedRubricThereIsNoRun) {
  EXPECT_THAT(Create(1).status(),
              FailsWith(absl::StatusCode::kFailedPrecondition, "REASON_CYCLE_MISSING"));
  HandOver({RubricFact(assessment_v1::RUBRIC_STATE_DRAFT), CycleFact()});
  EXPECT_THAT(Create(1).status(),
              FailsWith(absl::StatusCode::kFailedPrecondition, "REASON_CYCLE_MISSING"));
}

TEST_F(ScoringHandlerTest, TheSameRequestIdReturnsTheFirstRun) {
  HandOverCycle();
  const auto first = Create(1);
  ASSERT_TRUE(first.ok()) << first.status();
  mediation_->Record({DisputeFact(5, 1, kOtherVillage)});
  const auto again = Create(1);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(BytesOf(*again), BytesOf(*first));
  EXPECT_THAT(Create(1, 2025).status(),
              FailsWith(absl::StatusCode::kInvalidArgument, "REASON_REQUEST_ID_REUSED"));
}

TEST_F(ScoringHandlerTest, ARunStaysAsItWasWhenFactsChange) {
  HandOverCycle();
  CreateOk(1);
  mediation_->Record({Withdrawn(DisputeFact(1, 1)), DisputeFact(2, 2, kOtherVillage),
                      DisputeFact(6, 1, kOtherVillage)});
  HandOver({MarkFact(911, 45000)});
  CreateOk(2);

  const auto before = Get(Admin(), RunName(1));
  const auto after = Get(Admin(), RunName(2));
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_EQ(before->result().villages(0).lines(0).points_e4(), 50000);
  EXPECT_EQ(after->result().villages(0).lines(0).points_e4(), 30000);
  EXPECT_EQ(before->result().villages(0).lines(1).points_e4(), 30000);
  EXPECT_EQ(after->result().villages(0).lines(1).points_e4(), 45000);

  const auto explained = Explain(Admin(), kVillage, RunName(1));
  ASSERT_TRUE(explained.ok()) << explained.status();
  EXPECT_EQ(explained->lines(0).score().points_e4(), 50000);
  EXPECT_TRUE(Verify(RunName(1)).ok()) << Verify(RunName(1)).status();
  EXPECT_TRUE(Verify(RunName(2)).ok());
}

// A new name is no new village; one whose code nobody bore before is.
TEST_F(ScoringHandlerTest, ASnapshotKnowsWhichVillagesAreNew) {
  registry_->AddSpan("421221106300", "老地名村", "", "2024-04-30");
  registry_->AddSpan("421221106300", "新地名村", "2024-05-01", "");
  registry_->AddSpan("421221106301", "新设村", "2025-07-01", "2025-12-31");
  registry_->AddSpan("421221106301", "新设社区", "2026-01-01", "");
  HandOverCycle();
  CreateOk(1);
  const auto run = Get(Admin());
  ASSERT_TRUE(run.ok()) << run.status();
  std::map<std::string, std::string> since;
  for (const v1::AreaNode& area : run->areas()) {
    since[area.name()] = area.valid_from_date();
  }
  EXPECT_EQ(since["潘家湾村"], "");
  EXPECT_EQ(since["新地名村"], "");
  EXPECT_EQ(since["新设社区"], "2025-07-01");
}

// A ruling is signed by whoever records it, and counts when it is confirmed.
TEST_F(ScoringHandlerTest, ARulingCountsOnceItIsConfirmed) {
  assessment_v1::Rubric rubric = TestRubric();
  assessment_v1::Condition& concealed = *rubric.mutable_lines(0)->add_zero_when();
  concealed.set_requirement("瞒报");
  concealed.set_measure("ruling(concealed)");
  HandOver({RubricFact(assessment_v1::RUBRIC_STATE_PUBLISHED, 1, rubric), CycleFact(),
            RulingFact(920, 10000, common_v1::REVIEW_STATE_SUBMITTED)});
  CreateOk(1);
  EXPECT_EQ(Get(Admin(), RunName(1))->result().villages(0).lines(0).points_e4(), 50000);
  HandOver({RulingFact(921, 10000, common_v1::REVIEW_STATE_CONFIRMED)});
  CreateOk(2);
  const auto after = Get(Admin(), RunName(2));
  EXPECT_EQ(after->result().villages(0).lines(0).points_e4(), 0);
  EXPECT_EQ(after->result().villages(0).lines(0).earned_e4(), 50000);
  EXPECT_TRUE(Verify(RunName(2)).ok()) << Verify(RunName(2)).status();
}

TEST_F(ScoringHandlerTest, AnExplanationEndsInTheStoredPoints) {
  HandOverCycle();
  CreateOk(1);
  const auto explained = Explain(As(common_v1::ROLE_VILLAGE_CLERK, kVillage), kVillage);
  ASSERT_TRUE(explained.ok()) << explained.status();
  EXPECT_EQ(explained->area().name(), "潘家湾村");
  EXPECT_EQ(explained->total(), "8");
  EXPECT_THAT(explained->lines(), SizeIs(2));
}

TEST_F(ScoringHandlerTest, OneChangedFactIsFoundAndNamed) {
  HandOverCycle();
  CreateOk(1);
  database_.Admin(absl::StrCat("UPDATE scoring.fact SET fact = fact || '\\x00' WHERE id = '",
                               IdOf(2).ToString(), "'"));
  ExpectVerifyFails(DisputePlace(2, 1));
}

TEST_F(ScoringHandlerTest, AChangedFactWithADigestToMatchIsFound) {
  HandOverCycle();
  CreateOk(1);
  common_v1::Fact forged = DisputeFact(2, 1);
  forged.set_seq(2);
  forged.set_values(BytesOf(fadu::mediation::v1::Dispute()));
  const std::string bytes = BytesOf(forged);
  database_.Admin(absl::StrCat("UPDATE scoring.fact SET fact = '\\x", Hex(bytes),
                               "', digest = '\\x", Hex(StoredDigest(bytes)), "' WHERE id = '",
                               IdOf(2).ToString(), "'"));
  ExpectVerifyFails("feed mediation");
}

TEST_F(ScoringHandlerTest, AColumnThatDiffersFromItsFactIsFound) {
  HandOverCycle();
  CreateOk(1);
  database_.Admin(
      absl::StrCat("UPDATE scoring.fact SET year = 2026 WHERE id = '", IdOf(4).ToString(), "'"));
  ExpectVerifyFails(DisputePlace(4, 1));
}

TEST_F(ScoringHandlerTest, AFactClosedByHandIsFound) {
  HandOverCycle();
  CreateOk(1);
  database_.Admin(
      absl::StrCat("UPDATE scoring.fact SET until_seq = 3 WHERE id = '", IdOf(1).ToString(), "'"));
  ExpectVerifyFails(DisputePlace(1, 1));
  EXPECT_THAT(Explain(Admin(), kVillage).status(),
              FailsWith(absl::StatusCode::kFailedPrecondition, "REASON_VERIFY_FAILED"));
}

TEST_F(ScoringHandlerTest, AMissingFactIsFound) {
  HandOverCycle();
  CreateOk(1);
  database_.Admin(absl::StrCat("DELETE FROM scoring.fact WHERE id = '", IdOf(1).ToString(), "'"));
  ExpectVerifyFails("feed mediation");
}

TEST_F(ScoringHandlerTest, AChangedResultIsFoundAndTheLineNamed) {
  HandOverCycle();
  CreateOk(1);
  v1::RunResult forged = Get(Admin())->result();
  forged.mutable_villages(1)->mutable_lines(0)->set_points_e4(50000);
  const std::string bytes = ResultBytes(forged);
  database_.Admin(absl::StrCat("UPDATE scoring.run SET result = '\\x", Hex(bytes),
                               "', result_digest = '\\x", Hex(StoredDigest(bytes)), "'"));
  ExpectVerifyFails(absl::StrCat(kOtherVillage, "/1.1"));
}

TEST_F(ScoringHandlerTest, AChangedResultByteIsFound) {
  HandOverCycle();
  CreateOk(1);
  database_.Admin("UPDATE scoring.run SET result = result || '\\x00'");
  ExpectVerifyFails("result");
  EXPECT_THAT(Get(Admin()).status(),
              FailsWith(absl::StatusCode::kFailedPrecondition, "REASON_INTEGRITY_BROKEN"));
}

TEST_F(ScoringHandlerTest, AChangedSnapshotIsFound) {
  HandOverCycle();
  CreateOk(1);
  database_.Admin("UPDATE scoring.run SET snapshot = snapshot || '\\x00'");
  ExpectVerifyFails("snapshot");
}

TEST_F(ScoringHandlerTest, ARunOfAnotherEngineIsNotRecomputed) {
  HandOverCycle();
  CreateOk(1);
  StoredRun run = **store_.FindLatestRun(kCounty, Soon());
  v1::Snapshot snapshot;
  ASSERT_TRUE(snapshot.ParseFromString(run.snapshot));
  snapshot.set_engine_version("0");
  run.id = IdOf(2);
  run.created_at += absl::Seconds(1);
  run.snapshot = BytesOf(snapshot);
  run.snapshot_digest = StoredDigest(run.snapshot);
  ASSERT_TRUE(*store_.InsertRun(kCounty, run, Soon()));
  EXPECT_THAT(Verify().status(),
              FailsWith(absl::StatusCode::kFailedPrecondition, "REASON_ENGINE_VERSION"));
  EXPECT_THAT(Explain(Admin(), kVillage).status(),
              FailsWith(absl::StatusCode::kFailedPrecondition, "REASON_ENGINE_VERSION"));
}

TEST_F(ScoringHandlerTest, CallersSeeTheirOwnAreasOnly) {
  HandOverCycle();
  CreateOk(1);
  const auto village = Get(As(common_v1::ROLE_VILLAGE_CLERK, kOtherVillage));
  ASSERT_TRUE(village.ok()) << village.status();
  ASSERT_THAT(village->result().villages(), SizeIs(1));
  EXPECT_EQ(village->result().villages(0).area_code(), kOtherVillage);
  EXPECT_THAT(village->result().towns(), IsEmpty());
  EXPECT_FALSE(village->result().has_county());
  EXPECT_THAT(village->areas(), SizeIs(1));

  const auto town = Get(As(common_v1::ROLE_TOWN_REVIEWER, kTown));
  EXPECT_THAT(town->result().villages(), SizeIs(2));
  EXPECT_THAT(town->result().towns(), SizeIs(1));
  EXPECT_FALSE(town->result().has_county());
}

TEST_F(ScoringHandlerTest, WhatLiesOutsideIsNotFound) {
  HandOverCycle();
  CreateOk(1);
  const auto missing = FailsWith(absl::StatusCode::kNotFound, "REASON_NOT_FOUND");
  const CallContext elsewhere = As(common_v1::ROLE_COUNTY_ADMIN, "421222");
  EXPECT_THAT(Get(elsewhere).status(), missing);
  EXPECT_THAT(Get(elsewhere, RunName(1)).status(), missing);
  EXPECT_THAT(Get(Admin(), RunName(2)).status(), missing);
  EXPECT_THAT(Get(As(common_v1::ROLE_DEPARTMENT)).status(), missing);
  EXPECT_THAT(Explain(As(common_v1::ROLE_VILLAGE_CLERK, kVillage), kOtherVillage).status(),
              missing);
  v1::ListRunsRequest list;
  list.set_parent(kParent);
  EXPECT_THAT(handler_.ListRuns(elsewhere, list).status(), missing);
  v1::SyncFactsRequest sync;
  sync.set_parent(kParent);
  EXPECT_THAT(handler_.SyncFacts(elsewhere, sync).status(), missing);
  v1::CreateRunRequest create;
  create.set_parent(kParent);
  create.set_year(2026);
  create.set_request_id(IdOf(3).ToString());
  EXPECT_THAT(handler_.CreateRun(As(common_v1::ROLE_COUNTY_REVIEWER, kTown), create).status(),
              missing);
}

TEST_F(ScoringHandlerTest, AVillageThatIsNotInTheRunIsUnknown) {
  HandOverCycle();
  CreateOk(1);
  EXPECT_THAT(Explain(Admin(), "421221106999").status(),
              FailsWith(absl::StatusCode::kNotFound, "REASON_AREA_UNKNOWN"));
}

TEST_F(ScoringHandlerTest, MeasuresCountWhatIsRecordedByNow) {
  const auto first = EvaluateFor(As(common_v1::ROLE_VILLAGE_CLERK, kVillage), kVillage);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->values(0).numerator(), 2);
  ASSERT_THAT(first->feeds(), SizeIs(2));
  EXPECT_EQ(first->feeds(0).service(), "mediation");
  EXPECT_EQ(first->feeds(0).seq(), 4);
  // One of them is of the year before: feeds hold every year.
  EXPECT_EQ(first->feeds(0).facts(), 4);
  mediation_->Record({DisputeFact(9, 1)});
  EXPECT_EQ(EvaluateFor(Admin(), kVillage)->values(0).numerator(), 3);
  EXPECT_EQ(EvaluateFor(Admin(), kCounty)->values(0).numerator(), 4);
}

TEST_F(ScoringHandlerTest, MeasuresOfAnAreaOutsideAreNotFound) {
  const auto missing = FailsWith(absl::StatusCode::kNotFound, "REASON_NOT_FOUND");
  EXPECT_THAT(EvaluateFor(As(common_v1::ROLE_VILLAGE_CLERK, kVillage), kOtherVillage).status(),
              missing);
  EXPECT_THAT(EvaluateFor(As(common_v1::ROLE_VILLAGE_CLERK, kVillage), kTown).status(), missing);
  EXPECT_THAT(EvaluateFor(Admin(), "421222").status(), missing);
}

// Found in 2025, accepted in 2026: by the date of acceptance it is a record of 2026.
TEST_F(ScoringHandlerTest, AnotherDateCountsWhateverYearTheRecordIsOf) {
  mediation_->Record({AcceptedFact(7, "2025-12-30", "2026-01-04")});
  EXPECT_EQ(Measured("count(disputes)").numerator(), 3);
  EXPECT_EQ(Measured("count(disputes by accepted_date)").numerator(), 1);
}

TEST_F(ScoringHandlerTest, ARunOverFactsOfTwoYearsVerifies) {
  mediation_->Record({AcceptedFact(7, "2025-12-30", "2026-01-04")});
  assessment_v1::RubricVersion version;
  version.set_area_code(kCounty);
  version.set_effective_date("2025-12-20");
  version.set_year(2026);
  version.set_state(assessment_v1::RUBRIC_STATE_PUBLISHED);
  *version.mutable_rubric() = TestRubric();
  version.mutable_rubric()->mutable_lines(0)->mutable_clauses(0)->mutable_shortfall()->set_measure(
      "count(disputes by accepted_date)");
  HandOver({AssessmentFact(kRubric, 1, version.effective_date(), version), CycleFact()});
  CreateOk(1);
  // One accepted where two are wanted, at a point for each missing, from five.
  EXPECT_EQ(Get(Admin())->result().villages(0).lines(0).points_e4(), 40000);
  EXPECT_TRUE(Verify().ok()) << Verify().status();
  database_.Admin(absl::StrCat("DELETE FROM scoring.fact WHERE id = '", IdOf(7).ToString(), "'"));
  ExpectVerifyFails("feed mediation");
}

TEST_F(ScoringHandlerTest, ASnapshotNamesTheLastDayKnownAndWhatIsFrozen) {
  assessment_v1::Cycle cycle;
  ASSERT_TRUE(cycle.ParseFromString(CycleFact().values()));
  HandOver({RubricFact(assessment_v1::RUBRIC_STATE_PUBLISHED), CycleFact()});
  CreateOk(1);
  cycle.set_state(assessment_v1::CYCLE_STATE_CLOSED);
  HandOver({AssessmentFact(kCycle, 2, cycle.start_date(), cycle)});
  CallContext later = Admin();
  later.now = absl::FromCivil(absl::CivilDay(2027, 2, 1), LegalTimeZone());
  v1::CreateRunRequest request;
  request.set_parent(kParent);
  request.set_year(2026);
  request.set_request_id(IdOf(2).ToString());
  ASSERT_TRUE(handler_.CreateRun(later, request).ok());

  v1::Snapshot open;
  v1::Snapshot closed;
  ASSERT_TRUE(open.ParseFromString((*store_.FindRun(kCounty, IdOf(1), Soon()))->snapshot));
  ASSERT_TRUE(closed.ParseFromString((*store_.FindRun(kCounty, IdOf(2), Soon()))->snapshot));
  EXPECT_EQ(open.as_of_date(), "2026-08-01");
  EXPECT_THAT(open.frozen_areas(), IsEmpty());
  EXPECT_EQ(closed.as_of_date(), "2026-12-31");
  EXPECT_THAT(closed.frozen_areas(), ElementsAre(kCounty));
  // Three disputes of 2026 and one of 2025.
  ASSERT_THAT(open.feeds(1).years(), SizeIs(2));
  EXPECT_EQ(open.feeds(1).years(0).year(), 2025);
  EXPECT_EQ(open.feeds(1).years(0).facts(), 1);
  EXPECT_EQ(open.feeds(1).years(1).facts(), 3);
}

TEST_F(ScoringHandlerTest, ARunOfAnotherCalendarIsNotRecomputed) {
  HandOverCycle();
  CreateOk(1);
  StoredRun run = **store_.FindLatestRun(kCounty, Soon());
  v1::Snapshot snapshot;
  ASSERT_TRUE(snapshot.ParseFromString(run.snapshot));
  snapshot.set_calendar_version("0123456789abcdef");
  run.id = IdOf(2);
  run.created_at += absl::Seconds(1);
  run.snapshot = BytesOf(snapshot);
  run.snapshot_digest = StoredDigest(run.snapshot);
  ASSERT_TRUE(*store_.InsertRun(kCounty, run, Soon()));
  const auto other = FailsWith(absl::StatusCode::kFailedPrecondition, "REASON_CALENDAR_VERSION");
  EXPECT_THAT(Verify().status(), other);
  EXPECT_THAT(Explain(Admin(), kVillage).status(), other);
}

TEST_F(ScoringHandlerTest, CoverageIsOverTheRegistrysVillages) {
  mediation_->Record({Withdrawn(DisputeFact(3, 1, kOtherVillage))});
  const v1::MeasureValue value = Measured("coverage(disputes of villages)");
  EXPECT_EQ(value.text(), "50%");
  EXPECT_THAT(value.missing(), ElementsAre("肖家洲村"));
}

TEST_F(ScoringHandlerTest, ADenominatorComesWithItsDayAndItsSource) {
  fadu::registry::v1::Denominator figure;
  figure.set_area_code(kCounty);
  figure.set_as_of_date("2025-12-31");
  figure.set_year(2026);
  figure.set_kind(fadu::registry::v1::DENOMINATOR_KIND_HOUSEHOLDS);
  figure.set_value(1200);
  figure.set_source("统计年鉴表1-3");
  registry_->Record({AssessmentFact(30, 1, figure.as_of_date(), figure)});
  const v1::MeasureValue value = Measured("count(disputes) per 1000 denominator(HOUSEHOLDS)");
  EXPECT_EQ(value.text(), "2.5");  // 3 disputes to 1,200 households
  EXPECT_THAT(value.notes(), ElementsAre("户数1200（截至2025-12-31，来源：统计年鉴表1-3）"));
}

TEST_F(ScoringHandlerTest, APeriodLimitsWhatIsAskedFor) {
  EXPECT_EQ(Measured("count(disputes)", "Q1").numerator(), 3);
  EXPECT_EQ(Measured("count(disputes)", "Q2").numerator(), 0);
  EXPECT_THAT(EvaluateFor(Admin(), kCounty, "count(disputes)", "Q5").status(),
              FailsWith(absl::StatusCode::kInvalidArgument, "REASON_FIELD_INVALID"));
}

TEST_F(ScoringHandlerTest, SyncSaysWhereTheFeedsAre) {
  HandOverCycle();
  v1::SyncFactsRequest request;
  request.set_parent(kParent);
  const auto synced = handler_.SyncFacts(As(common_v1::ROLE_TOWN_REVIEWER, kTown), request);
  ASSERT_TRUE(synced.ok()) << synced.status();
  ASSERT_THAT(synced->feeds(), SizeIs(3));
  EXPECT_EQ(synced->feeds(0).service(), "assessment");
  EXPECT_EQ(synced->feeds(0).facts(), 3);
  EXPECT_EQ(synced->feeds(1).seq(), 4);
}

TEST_F(ScoringHandlerTest, HandedOverFactsMayComeAgainButNotWithAGap) {
  HandOverCycle();
  v1::PutFactsRequest again;
  again.set_county_code(kCounty);
  *again.add_facts() = Numbered({CycleFact()}, 3)[0];
  EXPECT_EQ(handler_.PutFacts(Admin(), again)->seq(), 4);
  again.mutable_facts(0)->set_seq(6);
  EXPECT_THAT(handler_.PutFacts(Admin(), again).status(),
              FailsWith(absl::StatusCode::kFailedPrecondition, "REASON_FEED_GAP"));
}

TEST_F(ScoringHandlerTest, RunsAreListedNewestFirstInPages) {
  HandOverCycle();
  for (int id = 1; id <= 3; ++id) CreateOk(id);
  v1::ListRunsRequest request;
  request.set_parent(kParent);
  request.set_page_size(2);
  const auto first = handler_.ListRuns(Admin(), request);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_THAT(first->runs(), SizeIs(2));
  EXPECT_EQ(first->runs(0).name(), RunName(3));
  request.set_page_token(first->next_page_token());
  const auto second = handler_.ListRuns(Admin(), request);
  ASSERT_THAT(second->runs(), SizeIs(1));
  EXPECT_EQ(second->runs(0).name(), RunName(1));
  EXPECT_THAT(second->next_page_token(), IsEmpty());
  request.set_page_token("bm9uc2Vuc2U");
  EXPECT_THAT(handler_.ListRuns(Admin(), request).status(),
              FailsWith(absl::StatusCode::kInvalidArgument, "REASON_PAGE_TOKEN_INVALID"));
}

// ---- replays in the background -----------------------------------------------------------------

// The line of one of the replayer's series.
std::string Series(const std::string& name, int64_t value) {
  return absl::StrCat(name, "{service=\"scoring\"} ", value, "\n");
}

TEST_F(ScoringHandlerTest, StoredRunsAreReplayedNewestFirstAndThenAgain) {
  HandOverCycle();
  CreateOk(1);
  CreateOk(2);
  Replayer replayer(store_, peers_.metrics());
  EXPECT_THAT(peers_.metrics().Scrape(),
              HasSubstr(Series("fadu_replay_last_success_timestamp_seconds", 0)));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(replayer.Round().ok());
  const std::string text = peers_.metrics().Scrape();
  EXPECT_THAT(text, HasSubstr("fadu_replays_total{result=\"match\",service=\"scoring\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("fadu_replays_total{result=\"mismatch\",service=\"scoring\"} 0\n"));
  EXPECT_THAT(text, HasSubstr(Series("fadu_replay_mismatches", 0)));
  EXPECT_THAT(text, Not(HasSubstr(Series("fadu_replay_last_success_timestamp_seconds", 0))));
  // 1 August 2026 in Shanghai, when both were made.
  EXPECT_THAT(text,
              HasSubstr("fadu_run_last_success_timestamp_seconds{service=\"scoring\"} 1785513600"));
}

TEST_F(ScoringHandlerTest, ARunThatDoesNotReplayIsCountedUntilItDoes) {
  HandOverCycle();
  CreateOk(1);
  ReplayerOptions always;
  always.again = absl::ZeroDuration();
  Replayer replayer(store_, peers_.metrics(), always);
  const auto set_year = [this](int year) {
    database_.Admin(absl::StrCat("UPDATE scoring.fact SET year = ", year, " WHERE id = '",
                                 IdOf(4).ToString(), "'"));
  };
  set_year(2026);
  ASSERT_TRUE(replayer.Round().ok());
  EXPECT_THAT(peers_.metrics().Scrape(), HasSubstr(Series("fadu_replay_mismatches", 1)));
  EXPECT_THAT(peers_.metrics().Scrape(),
              HasSubstr("fadu_replays_total{result=\"mismatch\",service=\"scoring\"} 1\n"));
  set_year(2025);
  ASSERT_TRUE(replayer.Round().ok());
  EXPECT_THAT(peers_.metrics().Scrape(), HasSubstr(Series("fadu_replay_mismatches", 0)));
}

TEST_F(ScoringHandlerTest, WithoutRunsThereIsNothingToReplay) {
  HandOverCycle();
  Replayer replayer(store_, peers_.metrics());
  ASSERT_TRUE(replayer.Round().ok());
  EXPECT_THAT(peers_.metrics().Scrape(),
              HasSubstr(Series("fadu_run_last_success_timestamp_seconds", 0)));
}

}  // namespace
}  // namespace fadu::scoring
