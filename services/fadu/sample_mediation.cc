#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/civil_day.h"
#include "common/base/status.h"
#include "fadu/mediation/v1/dispute.pb.h"
#include "fadu/mediation/v1/follow_up_visit.pb.h"
#include "fadu/mediation/v1/team.pb.h"
#include "services/fadu/sample_records.h"

namespace fadu::cli {
namespace {

namespace v1 = ::fadu::mediation::v1;

constexpr char kService[] = "mediation";

// Visits of about one agreement in eight. Where nobody insists some come late, and some find a
// breach; the founding report tells of none.
Messages MakeVisits(const std::vector<v1::Dispute>& disputes, const std::vector<std::string>& ids,
                    bool founding, Dice& dice) {
  constexpr v1::MemberRole kVisitors[] = {v1::MEMBER_ROLE_MEDIATOR, v1::MEMBER_ROLE_VILLAGE_CADRE,
                                          v1::MEMBER_ROLE_JUSTICE_OFFICE};
  Messages visits;
  for (size_t i = 0; i < disputes.size(); ++i) {
    const v1::Dispute& dispute = disputes[i];
    const bool visited = dispute.outcome() == v1::OUTCOME_SETTLED &&
                         dispute.agreement_form() != v1::AGREEMENT_FORM_ON_SPOT && dice.Chance(12);
    if (!visited) continue;
    const bool agreed = !dispute.performance_date().empty();
    const absl::CivilDay from =
        *ParseDay(agreed ? dispute.performance_date() : dispute.concluded_date());
    auto visit = std::make_unique<v1::FollowUpVisit>();
    visit->set_area_code(dispute.area_code());
    visit->set_visited_date(FormatDay(from + dice.Between(1, founding ? 14 : 22)));
    visit->set_dispute(
        absl::StrCat("counties/", dispute.area_code().substr(0, 6), "/disputes/", ids[i]));
    visit->set_visitor_role(kVisitors[dice.Below(3)]);
    visit->set_visitor("示例回访人");
    visit->set_mode(dice.Chance(70) ? v1::VISIT_MODE_ON_SITE : v1::VISIT_MODE_PHONE);
    const int found = dice.Below(100);
    const bool breached = found >= 95 && !founding;
    // Partly is within the term; where one was agreed it is over.
    const bool partly = found >= 90 && !breached && !agreed;
    visit->set_performance(breached ? v1::PERFORMANCE_BREACHED
                           : partly ? v1::PERFORMANCE_PARTLY
                                    : v1::PERFORMANCE_PERFORMED);
    visit->set_satisfaction(dice.Chance(90) ? v1::SATISFACTION_SATISFIED : v1::SATISFACTION_FAIR);
    visit->set_relapse(breached);
    visits.push_back(std::move(visit));
  }
  return visits;
}

void AddMember(google::protobuf::RepeatedPtrField<v1::TeamMember>& members, v1::MemberRole role) {
  v1::TeamMember& member = *members.Add();
  member.set_name(absl::StrCat("示例成员", members.size()));
  member.set_role(role);
}

// The founding report: 涉军、劳资、环保、"两违"、征拆.
Messages MakeTaskForces(const SampleArea& town, Dice& dice) {
  constexpr std::pair<v1::TaskForceField, const char*> kFields[] = {
      {v1::TASK_FORCE_FIELD_VETERANS, "涉军"},
      {v1::TASK_FORCE_FIELD_LABOUR, "劳资"},
      {v1::TASK_FORCE_FIELD_ENVIRONMENT, "环保"},
      {v1::TASK_FORCE_FIELD_LAND_AND_BUILDING, "“两违”"},
      {v1::TASK_FORCE_FIELD_REQUISITION, "征拆"}};
  const bool founding = town.code == kSampleTown;
  Messages forces;
  for (const auto& [field, name] : kFields) {
    if (!founding && !dice.Chance(30 + 18 * DiligenceOf(town.code))) continue;
    auto force = std::make_unique<v1::TaskForce>();
    force->set_area_code(town.code);
    const absl::CivilDay set_up = absl::CivilDay(kSampleYear, 1, 8) + dice.Below(40);
    force->set_set_up_date(FormatDay(set_up));
    force->set_title(absl::StrCat(name, "矛盾纠纷工作专班（示例）"));
    force->set_field(field);
    force->set_lead_organisation(absl::StrCat(town.name, "平安建设办公室（示例）"));
    // The six forces the founding report names come first in the vocabulary.
    for (int role = v1::MEMBER_ROLE_CENTRE_CADRE; role <= v1::MEMBER_ROLE_RETIRED_CADRE; ++role) {
      if (founding || dice.Chance(70) || role == v1::MEMBER_ROLE_CENTRE_CADRE) {
        AddMember(*force->mutable_members(), static_cast<v1::MemberRole>(role));
      }
    }
    if (!founding && dice.Chance(15)) {
      force->set_dissolved_date(FormatDay(set_up + dice.Between(120, 250)));
      force->set_dissolve_reason("阶段任务完成");
    }
    forces.push_back(std::move(force));
  }
  return forces;
}

Messages MakeSafetyGroups(const std::vector<SampleArea>& villages, bool founding, Dice& dice) {
  constexpr v1::MemberRole kFive[] = {v1::MEMBER_ROLE_VILLAGE_CADRE, v1::MEMBER_ROLE_GRID_WORKER,
                                      v1::MEMBER_ROLE_LAW_SAVVY_PERSON, v1::MEMBER_ROLE_MEDIATOR,
                                      v1::MEMBER_ROLE_POLICE};
  Messages groups;
  for (const SampleArea& village : villages) {
    if (!founding && !dice.Chance(40 + 20 * DiligenceOf(village.code))) continue;
    auto group = std::make_unique<v1::SafetyGroup>();
    group->set_area_code(village.code);
    group->set_set_up_date(FormatDay(absl::CivilDay(kSampleYear, 2, 20) + dice.Below(60)));
    for (const v1::MemberRole role : kFive) AddMember(*group->mutable_members(), role);
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace

absl::StatusOr<int64_t> RecordMediation(const SampleArea& town,
                                        const std::vector<SampleArea>& villages,
                                        const std::vector<v1::Dispute>& disputes, uint64_t seed,
                                        const Recorder& record) {
  Dice dice(seed * 49979687 + static_cast<uint64_t>(std::stoull(town.code)));
  const bool founding = town.code == kSampleTown;
  FADU_ASSIGN_OR_RETURN(const std::vector<std::string> ids,
                        record(kService, "disputes", CopiesOf(disputes)));
  const Messages visits = MakeVisits(disputes, ids, founding, dice);
  FADU_RETURN_IF_ERROR(record(kService, "visits", visits).status());
  const Messages forces = MakeTaskForces(town, dice);
  FADU_RETURN_IF_ERROR(record(kService, "task forces", forces).status());
  const Messages groups = MakeSafetyGroups(villages, founding, dice);
  FADU_RETURN_IF_ERROR(record(kService, "safety groups", groups).status());
  return static_cast<int64_t>(disputes.size() + visits.size() + forces.size() + groups.size());
}

}  // namespace fadu::cli
