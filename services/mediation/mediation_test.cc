// The mediation service through its RPCs, over a real database.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/host/service_test_support.h"
#include "common/testing/status_matchers.h"
#include "fadu/common/v1/review_state.pb.h"
#include "fadu/mediation/v1/dispute.pb.h"
#include "fadu/mediation/v1/follow_up_visit.pb.h"
#include "fadu/mediation/v1/team.pb.h"
#include "services/mediation/module.h"

namespace fadu::mediation {
namespace {

namespace common = ::fadu::common::v1;
using host::RecordIn;
using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr char kTown[] = "421221106";
constexpr char kVillage[] = "421221106200";

v1::Dispute Settled() {
  v1::Dispute dispute;
  dispute.set_area_code(kVillage);
  dispute.set_found_date("2024-03-01");
  dispute.set_title("务工报酬纠纷（示例）");
  dispute.set_category(v1::DISPUTE_CATEGORY_LABOUR);
  dispute.set_accepted_date("2024-03-02");
  dispute.set_source(v1::DISPUTE_SOURCE_APPLIED);
  dispute.set_outcome(v1::OUTCOME_SETTLED);
  dispute.set_concluded_date("2024-03-20");
  dispute.set_agreement_form(v1::AGREEMENT_FORM_WRITTEN);
  dispute.set_performance_date("2024-04-30");
  dispute.add_parties()->set_name("示例当事人");
  return dispute;
}

v1::FollowUpVisit VisitOf(const std::string& dispute, const std::string& day,
                          v1::Performance performance) {
  v1::FollowUpVisit visit;
  visit.set_area_code(kVillage);
  visit.set_visited_date(day);
  visit.set_dispute(dispute);
  visit.set_visitor_role(v1::MEMBER_ROLE_VILLAGE_CADRE);
  visit.set_mode(v1::VISIT_MODE_ON_SITE);
  visit.set_performance(performance);
  return visit;
}

class MediationTest : public ::testing::Test {
 protected:
  // A confirmed dispute; its name.
  std::string Dispute() {
    service_.As(common::ROLE_TOWN_REVIEWER, kTown);
    const auto made = service_.Create(Settled());
    EXPECT_THAT(made, IsOk());
    return made.ok() ? made->name() : "";
  }

  host::ServiceUnderTest service_{
      MakeModule(), absl::FromCivil(absl::CivilHour(2024, 12, 2, 10), LegalTimeZone())};
};

// D2: a breach reopens the case. The village finds it, the dispute stays confirmed and settled.
TEST_F(MediationTest, ABreachReopensTheDisputeInOneTransaction) {
  const std::string name = Dispute();
  service_.As(common::ROLE_VILLAGE_CLERK, kVillage);
  ASSERT_THAT(service_.Create(VisitOf(name, "2024-04-20", v1::PERFORMANCE_NOT_DUE)), IsOk());
  EXPECT_EQ(RecordIn<v1::Dispute>(service_.Get(name)).state(), v1::DISPUTE_STATE_CONCLUDED);
  const auto visit = service_.Create(VisitOf(name, "2024-05-06", v1::PERFORMANCE_BREACHED));
  EXPECT_EQ(RecordIn<v1::FollowUpVisit>(visit).ordinal(), 2);
  const auto read = service_.Get(name);
  v1::Dispute dispute = RecordIn<v1::Dispute>(read);
  EXPECT_EQ(dispute.state(), v1::DISPUTE_STATE_REOPENED);
  EXPECT_EQ(dispute.reopened_date(), "2024-05-06");
  EXPECT_EQ(dispute.outcome(), v1::OUTCOME_SETTLED);
  EXPECT_EQ(read->review_state(), common::REVIEW_STATE_CONFIRMED);
  EXPECT_EQ(dispute.parties(0).name(), "示****");

  // What comes of it concludes it; another breach reopens it once more.
  service_.As(common::ROLE_TOWN_REVIEWER, kTown);
  v1::Dispute change;
  change.set_further_outcome(v1::FURTHER_OUTCOME_SETTLED_AGAIN);
  change.set_further_outcome_date("2024-05-20");
  dispute = RecordIn<v1::Dispute>(
      service_.Update(name, change, {"further_outcome", "further_outcome_date"}));
  EXPECT_EQ(dispute.state(), v1::DISPUTE_STATE_CONCLUDED);
  ASSERT_THAT(service_.Create(VisitOf(name, "2024-07-01", v1::PERFORMANCE_BREACHED)), IsOk());
  dispute = RecordIn<v1::Dispute>(service_.Get(name));
  EXPECT_EQ(dispute.state(), v1::DISPUTE_STATE_REOPENED);
  EXPECT_EQ(dispute.breach_count(), 2);
  EXPECT_EQ(dispute.further_outcome(), v1::FURTHER_OUTCOME_UNSPECIFIED);
  EXPECT_THAT(service_.List("disputes", "state = REOPENED AND outcome = SETTLED"), SizeIs(1));
}

TEST_F(MediationTest, AVisitThatIsUpdatedToABreachReopensTheDisputeOnce) {
  const std::string name = Dispute();
  const auto visit = service_.Create(VisitOf(name, "2024-05-06", v1::PERFORMANCE_PARTLY));
  ASSERT_THAT(visit, IsOk());
  v1::FollowUpVisit change;
  change.set_performance(v1::PERFORMANCE_BREACHED);
  change.set_note("逾期未付清（示例）");
  ASSERT_THAT(service_.Update(visit->name(), change, {"performance"}), IsOk());
  ASSERT_THAT(service_.Update(visit->name(), change, {"note"}), IsOk());
  EXPECT_EQ(RecordIn<v1::Dispute>(service_.Get(name)).breach_count(), 1);
  EXPECT_THAT(service_.Delete(visit->name()), HasReason("REASON_VISIT_BREACH"));
}

TEST_F(MediationTest, NoTwoVisitsOfADisputeHaveOneOrdinal) {
  const std::string name = Dispute();
  const auto first = service_.Create(VisitOf(name, "2024-05-06", v1::PERFORMANCE_PARTLY));
  ASSERT_THAT(service_.Create(VisitOf(name, "2024-05-16", v1::PERFORMANCE_PARTLY)), IsOk());
  ASSERT_THAT(service_.Delete(first->name()), IsOk());
  const auto third = service_.Create(VisitOf(name, "2024-05-26", v1::PERFORMANCE_PERFORMED));
  EXPECT_EQ(RecordIn<v1::FollowUpVisit>(third).ordinal(), 3);
}

// Reopening is the law's, not a caller's.
TEST_F(MediationTest, NobodyReopensADisputeByHand) {
  const std::string name = Dispute();
  v1::Dispute change;
  change.set_reopened_date("2024-05-06");
  EXPECT_THAT(service_.Update(name, change, {"reopened_date"}),
              HasReason("REASON_FIELD_IMMUTABLE"));
}

TEST_F(MediationTest, AVisitNeedsASettledDisputeOfItsPlace) {
  v1::FollowUpVisit visit = VisitOf("counties/421221/disputes/018f0000-0000-7000-8000-000000000001",
                                    "2024-05-06", v1::PERFORMANCE_PERFORMED);
  EXPECT_THAT(service_.Create(visit), HasReason("REASON_VISIT_DISPUTE"));
  visit.set_dispute(Dispute());
  visit.set_area_code("421221106201");
  EXPECT_THAT(service_.Create(visit), HasReason("REASON_VISIT_DISPUTE"));
  visit.set_area_code(kVillage);
  EXPECT_THAT(service_.Create(visit), IsOk());
}

TEST_F(MediationTest, ATaskForceIsSetUpAndDissolved) {
  v1::TaskForce force;
  force.set_area_code(kTown);
  force.set_set_up_date("2024-01-15");
  force.set_title("劳资纠纷工作专班（示例）");
  force.set_field(v1::TASK_FORCE_FIELD_LABOUR);
  force.set_lead_organisation("示例镇平安建设办公室");
  v1::TeamMember& member = *force.add_members();
  member.set_name("示例甲");
  member.set_role(v1::MEMBER_ROLE_MEDIATOR);
  const auto made = service_.Create(force);
  EXPECT_EQ(RecordIn<v1::TaskForce>(made).state(), v1::TEAM_STATE_ACTIVE);
  EXPECT_EQ(RecordIn<v1::TaskForce>(made).members(0).name(), "示**");
  force.set_dissolved_date("2024-11-30");
  force.set_dissolve_reason("任务完成");
  const auto dissolved =
      service_.Update(made->name(), force, {"dissolved_date", "dissolve_reason"});
  EXPECT_EQ(RecordIn<v1::TaskForce>(dissolved).state(), v1::TEAM_STATE_DISSOLVED);
  EXPECT_THAT(service_.List("taskForces", "member_roles:MEDIATOR AND state = DISSOLVED"),
              SizeIs(1));
}

TEST_F(MediationTest, ASafetyGroupIsTheVillagesOwn) {
  service_.As(common::ROLE_VILLAGE_CLERK, kVillage);
  v1::SafetyGroup group;
  group.set_area_code(kVillage);
  group.set_set_up_date("2024-01-15");
  for (const char* name : {"示例甲", "示例乙", "示例丙", "示例丁"}) {
    v1::TeamMember& member = *group.add_members();
    member.set_name(name);
    member.set_role(v1::MEMBER_ROLE_GRID_WORKER);
  }
  EXPECT_THAT(service_.Create(group), HasReason("REASON_TEAM_INCOMPLETE"));
  v1::TeamMember& fifth = *group.add_members();
  fifth.set_name("示例戊");
  fifth.set_role(v1::MEMBER_ROLE_POLICE);
  const auto made = service_.Create(group);
  ASSERT_THAT(made, IsOk());
  EXPECT_EQ(made->review_state(), common::REVIEW_STATE_SUBMITTED);
  EXPECT_THAT(RecordIn<v1::SafetyGroup>(made).member_roles(),
              ElementsAre(v1::MEMBER_ROLE_POLICE, v1::MEMBER_ROLE_GRID_WORKER));
}

}  // namespace
}  // namespace fadu::mediation
