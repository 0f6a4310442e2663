#include "services/mediation/domain/team.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/status.h"

namespace fadu::mediation {
namespace {

using ::testing::ElementsAre;

const absl::CivilDay kToday(2024, 12, 31);

void AddMember(google::protobuf::RepeatedPtrField<v1::TeamMember>& members, const std::string& name,
               v1::MemberRole role) {
  v1::TeamMember& member = *members.Add();
  member.set_name(name);
  member.set_role(role);
}

v1::TaskForce Force() {
  v1::TaskForce force;
  force.set_area_code("421221106");
  force.set_set_up_date("2024-01-15");
  force.set_title("劳资纠纷工作专班（示例）");
  force.set_field(v1::TASK_FORCE_FIELD_LABOUR);
  force.set_lead_organisation("示例镇平安建设办公室");
  AddMember(*force.mutable_members(), "示例甲", v1::MEMBER_ROLE_MEDIATOR);
  AddMember(*force.mutable_members(), "示例乙", v1::MEMBER_ROLE_CENTRE_CADRE);
  AddMember(*force.mutable_members(), "示例丙", v1::MEMBER_ROLE_MEDIATOR);
  return force;
}

v1::SafetyGroup Group(int people = 5) {
  v1::SafetyGroup group;
  group.set_area_code("421221106200");
  group.set_set_up_date("2024-02-01");
  for (int i = 0; i < people; ++i) {
    AddMember(*group.mutable_members(), "示例" + std::to_string(i), v1::MEMBER_ROLE_GRID_WORKER);
  }
  return group;
}

std::string ReasonFor(v1::TaskForce after, const v1::TaskForce* before = nullptr) {
  return ReasonOf(DecideTaskForce(before, after, kToday));
}
std::string ReasonFor(v1::SafetyGroup after, const v1::SafetyGroup* before = nullptr) {
  return ReasonOf(DecideSafetyGroup(before, after, kToday));
}

TEST(TaskForce, CountsItsMembersAndTheirRoles) {
  v1::TaskForce force = Force();
  ASSERT_TRUE(DecideTaskForce(nullptr, force, kToday).ok());
  EXPECT_EQ(force.member_count(), 3);
  EXPECT_THAT(force.member_roles(),
              ElementsAre(v1::MEMBER_ROLE_CENTRE_CADRE, v1::MEMBER_ROLE_MEDIATOR));
  EXPECT_EQ(force.state(), v1::TEAM_STATE_ACTIVE);
}

TEST(TaskForce, IsATownsOrTheCountys) {
  v1::TaskForce force = Force();
  force.set_area_code("421221");
  EXPECT_EQ(ReasonFor(force), "");
  force.set_area_code("421221106200");
  EXPECT_EQ(ReasonFor(force), "REASON_FIELD_INVALID");
}

TEST(TaskForce, IsDissolvedWithAReasonAndAfterItWasSetUp) {
  v1::TaskForce force = Force();
  force.set_dissolved_date("2024-06-30");
  EXPECT_EQ(ReasonFor(force), "REASON_TEAM_INCOMPLETE");
  force.set_dissolve_reason("任务完成");
  ASSERT_TRUE(DecideTaskForce(nullptr, force, kToday).ok());
  EXPECT_EQ(force.state(), v1::TEAM_STATE_DISSOLVED);
  force.set_dissolved_date("2024-01-14");
  EXPECT_EQ(ReasonFor(force), "REASON_TEAM_DATES");
  force.set_dissolved_date("2025-01-01");
  EXPECT_EQ(ReasonFor(force), "REASON_TEAM_DATES");
}

TEST(TaskForce, IsNotRevived) {
  v1::TaskForce before = Force();
  before.set_dissolved_date("2024-06-30");
  before.set_dissolve_reason("任务完成");
  EXPECT_EQ(ReasonFor(Force(), &before), "REASON_TEAM_DISSOLVED");
}

TEST(TaskForce, NobodyIsAMemberTwice) {
  v1::TaskForce force = Force();
  AddMember(*force.mutable_members(), " 示例甲", v1::MEMBER_ROLE_POLICE);
  EXPECT_EQ(ReasonFor(force), "REASON_TEAM_INCOMPLETE");
  force.mutable_members(3)->set_organisation("另一单位");  // a namesake
  EXPECT_EQ(ReasonFor(force), "");
}

// Domain §3.1: exactly 5.
TEST(SafetyGroup, HasFiveMembers) {
  EXPECT_EQ(ReasonFor(Group(4)), "REASON_TEAM_INCOMPLETE");
  EXPECT_EQ(ReasonFor(Group(5)), "");
  EXPECT_EQ(ReasonFor(Group(6)), "REASON_TEAM_INCOMPLETE");
}

TEST(SafetyGroup, IsAVillages) {
  v1::SafetyGroup group = Group();
  group.set_area_code("421221106");
  EXPECT_EQ(ReasonFor(group), "REASON_FIELD_INVALID");
}

TEST(SafetyGroup, IsNotRevivedEither) {
  v1::SafetyGroup before = Group();
  before.set_dissolved_date("2024-06-30");
  before.set_dissolve_reason("村组合并");
  EXPECT_EQ(ReasonFor(Group(), &before), "REASON_TEAM_DISSOLVED");
}

}  // namespace
}  // namespace fadu::mediation
