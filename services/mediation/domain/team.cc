#include "services/mediation/domain/team.h"

#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/area_code.h"
#include "common/base/civil_day.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"
#include "fadu/mediation/v1/dispute.pb.h"

namespace fadu::mediation {
namespace {

constexpr int kGroupMembers = 5;

absl::Status Incomplete(absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_TEAM_INCOMPLETE,
              "the team is incomplete", {{"problem", std::string(problem)}});
}

absl::Status Dates(absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_TEAM_DATES, "dates out of order",
              {{"problem", std::string(problem)}});
}

absl::Status WrongArea(const char* problem) {
  return Fail(absl::StatusCode::kInvalidArgument, ::fadu::common::v1::REASON_FIELD_INVALID,
              "a team of the wrong level", {{"field", "area_code"}, {"problem", problem}},
              {{"area_code", problem}});
}

// What both kinds of team have in common.
template <typename Team>
absl::Status DecideTeam(const Team* before, Team& after, absl::CivilDay today) {
  const std::string now = FormatDay(today);
  const bool dissolved = !after.dissolved_date().empty();
  if (after.set_up_date() > now) return Dates("成立日期在今天之后");
  if (dissolved && after.dissolved_date() > now) return Dates("撤销日期在今天之后");
  if (dissolved && after.dissolved_date() < after.set_up_date()) {
    return Dates("撤销日期早于成立日期");
  }
  if (dissolved != !after.dissolve_reason().empty()) {
    return Incomplete("撤销日期与原因须同时填写");
  }
  std::set<std::pair<std::string, std::string>> people;
  std::set<int> roles;
  for (const v1::TeamMember& member : after.members()) {
    roles.insert(member.role());
    const std::string name(absl::StripAsciiWhitespace(member.name()));
    if (!people.emplace(name, member.organisation()).second) {
      return Incomplete("同一人重复登记");
    }
  }
  after.clear_member_roles();
  for (const int role : roles) after.add_member_roles(static_cast<v1::MemberRole>(role));
  after.set_state(dissolved ? v1::TEAM_STATE_DISSOLVED : v1::TEAM_STATE_ACTIVE);
  if (before != nullptr && !before->dissolved_date().empty() && !dissolved) {
    return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_TEAM_DISSOLVED,
                "what was dissolved is not revived");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status DecideTaskForce(const v1::TaskForce* before, v1::TaskForce& after,
                             absl::CivilDay today) {
  if (LevelOf(after.area_code()) == AreaLevel::kVillage) {
    return WrongArea("工作专班属于乡镇9位或县级6位区划");
  }
  after.set_member_count(after.members_size());
  return DecideTeam(before, after, today);
}

absl::Status DecideSafetyGroup(const v1::SafetyGroup* before, v1::SafetyGroup& after,
                               absl::CivilDay today) {
  if (LevelOf(after.area_code()) != AreaLevel::kVillage) {
    return WrongArea("五人平安小组属于村（社区）12位区划");
  }
  if (after.members_size() != kGroupMembers) {
    return Incomplete(absl::StrCat("五人平安小组须为5人，现有", after.members_size(), "人"));
  }
  return DecideTeam(before, after, today);
}

}  // namespace fadu::mediation
