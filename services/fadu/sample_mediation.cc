#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/civil_day.h"
#include "common/base/points.h"
#include "common/base/status.h"
#include "fadu/mediation/v1/dispute.pb.h"
#include "fadu/mediation/v1/follow_up_visit.pb.h"
#include "fadu/mediation/v1/team.pb.h"
#include "services/fadu/sample_records.h"

namespace fadu::cli {
namespace {

namespace v1 = ::fadu::mediation::v1;

constexpr char kService[] = "mediation";
constexpr int kFound = 382;    // founding report
constexpr int kSettled = 375;  // founding report

constexpr const char* kTitles[] = {"宅基地界址纠纷", "相邻排水纠纷", "彩礼返还纠纷",
                                   "土地流转费纠纷", "务工报酬纠纷", "道路通行纠纷",
                                   "赡养纠纷",       "农资质量纠纷", "交通事故赔偿纠纷"};
constexpr v1::DisputeCategory kCategories[] = {
    v1::DISPUTE_CATEGORY_HOMESTEAD, v1::DISPUTE_CATEGORY_NEIGHBOUR, v1::DISPUTE_CATEGORY_FAMILY,
    v1::DISPUTE_CATEGORY_CONTRACT,  v1::DISPUTE_CATEGORY_LABOUR,    v1::DISPUTE_CATEGORY_NEIGHBOUR,
    v1::DISPUTE_CATEGORY_FAMILY,    v1::DISPUTE_CATEGORY_CONSUMER,  v1::DISPUTE_CATEGORY_TRAFFIC};

v1::Dispute MakeDispute(const std::string& village, int number, Ending ending, Dice& dice) {
  v1::Dispute dispute;
  const int kind = dice.Below(9);
  // Early enough in the year that it can end within it.
  const absl::CivilDay found = absl::CivilDay(kSampleYear, 1, 2) + dice.Below(330);
  const absl::CivilDay accepted = found + dice.Between(0, 3);
  const absl::CivilDay concluded = accepted + dice.Between(1, 25);
  dispute.set_area_code(village);
  dispute.set_found_date(FormatDay(found));
  dispute.set_title(absl::StrCat(kTitles[kind], "（示例", number, "）"));
  dispute.set_category(kCategories[kind]);
  dispute.set_people_count(dice.Between(2, 6));
  if (dice.Chance(40)) dispute.set_amount_e4(Points::FromWhole(dice.Between(2, 300) * 100).units());
  // Nobody's name, number or telephone: 示例 names, a test area code that is not in use.
  for (int i = 0; i < 2; ++i) {
    v1::Party& party = *dispute.add_parties();
    party.set_name(absl::StrCat("示例当事人", i == 0 ? "甲" : "乙", number));
    party.set_phone(absl::StrCat("100", 10000000 + number * 2 + i));
  }
  const auto accept = [&] {
    dispute.set_accepted_date(FormatDay(accepted));
    const int source = dice.Below(10);
    dispute.set_source(source < 5   ? v1::DISPUTE_SOURCE_INITIATED
                       : source < 9 ? v1::DISPUTE_SOURCE_APPLIED
                                    : v1::DISPUTE_SOURCE_TRANSFERRED);
  };
  const auto conclude = [&](v1::Outcome outcome) {
    dispute.set_outcome(outcome);
    dispute.set_concluded_date(FormatDay(concluded));
  };
  switch (ending) {
    case Ending::kSettled: {
      accept();
      conclude(v1::OUTCOME_SETTLED);
      const int form = dice.Below(10);
      dispute.set_agreement_form(form < 5   ? v1::AGREEMENT_FORM_WRITTEN
                                 : form < 8 ? v1::AGREEMENT_FORM_ORAL
                                            : v1::AGREEMENT_FORM_ON_SPOT);
      if (form < 5) dispute.set_performance_date(FormatDay(concluded + 30));
      break;
    }
    case Ending::kTerminated:
      accept();
      conclude(v1::OUTCOME_TERMINATED);
      dispute.set_remedy_notice(true);
      break;
    case Ending::kTransferred:
      conclude(v1::OUTCOME_TRANSFERRED);
      break;
    case Ending::kWithdrawn:
      accept();
      conclude(v1::OUTCOME_WITHDRAWN);
      break;
    case Ending::kOngoing:
      accept();
      break;
  }
  return dispute;
}

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
    visit->set_dispute(RecordNameOf(dispute.area_code(), "disputes", ids[i]));
    visit->set_visitor_role(kVisitors[dice.Below(3)]);
    visit->set_visitor("示例回访人");
    visit->set_mode(dice.Chance(70) ? v1::VISIT_MODE_ON_SITE : v1::VISIT_MODE_PHONE);
    const int found = dice.Below(100);
    visit->set_performance(found < 90               ? v1::PERFORMANCE_PERFORMED
                           : found < 95 || founding ? v1::PERFORMANCE_PARTLY
                                                    : v1::PERFORMANCE_BREACHED);
    visit->set_satisfaction(dice.Chance(90) ? v1::SATISFACTION_SATISFIED : v1::SATISFACTION_FAIR);
    visit->set_relapse(found >= 95);
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
Messages MakeTaskForces(const SampleArea& town, int diligence, Dice& dice) {
  constexpr std::pair<v1::TaskForceField, const char*> kFields[] = {
      {v1::TASK_FORCE_FIELD_VETERANS, "涉军"},
      {v1::TASK_FORCE_FIELD_LABOUR, "劳资"},
      {v1::TASK_FORCE_FIELD_ENVIRONMENT, "环保"},
      {v1::TASK_FORCE_FIELD_LAND_AND_BUILDING, "“两违”"},
      {v1::TASK_FORCE_FIELD_REQUISITION, "征拆"}};
  const bool founding = town.code == kSampleTown;
  Messages forces;
  for (const auto& [field, name] : kFields) {
    if (!founding && !dice.Chance(30 + 18 * diligence)) continue;
    auto force = std::make_unique<v1::TaskForce>();
    force->set_area_code(town.code);
    const absl::CivilDay set_up = absl::CivilDay(kSampleYear, 1, 8) + dice.Below(40);
    force->set_set_up_date(FormatDay(set_up));
    force->set_title(absl::StrCat(name, "矛盾纠纷工作专班（示例）"));
    force->set_field(field);
    force->set_lead_organisation(absl::StrCat(town.name, "平安建设办公室"));
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

DisputeMaker::DisputeMaker(bool founding, size_t villages, Dice& dice)
    : founding_(founding), villages_(villages) {
  if (!founding) return;
  // The founding report's town: its 7 unsettled disputes each have a state of their own, and none
  // of them is counted as settled.
  endings_.assign(kSettled, Ending::kSettled);
  for (const Ending ending :
       {Ending::kTerminated, Ending::kTerminated, Ending::kTerminated, Ending::kTransferred,
        Ending::kTransferred, Ending::kWithdrawn, Ending::kOngoing}) {
    endings_.insert(endings_.begin() + dice.Below(static_cast<int>(endings_.size())), ending);
  }
  static_assert(kFound == kSettled + 7, "the founding report: 382 and 375");
}

void DisputeMaker::AddVillage(const std::string& village, Dice& dice,
                              std::vector<v1::Dispute>& disputes) {
  int count = dice.Between(14, 38);
  if (founding_) {
    // Shared out evenly; the first villages take what is left over.
    const int villages = static_cast<int>(villages_);
    count = kFound / villages + (village_ < kFound % villages ? 1 : 0);
  }
  ++village_;
  for (int i = 0; i < count; ++i) {
    Ending ending = Ending::kSettled;
    if (founding_) {
      ending = endings_[static_cast<size_t>(number_)];
    } else if (dice.Chance(12 - 3 * DiligenceOf(village))) {
      constexpr Ending kOthers[] = {Ending::kTerminated, Ending::kTransferred, Ending::kWithdrawn,
                                    Ending::kOngoing};
      ending = kOthers[dice.Below(4)];
    }
    disputes.push_back(MakeDispute(village, ++number_, ending, dice));
  }
}

absl::StatusOr<int64_t> RecordMediation(const SampleArea& town,
                                        const std::vector<SampleArea>& villages,
                                        const std::vector<v1::Dispute>& disputes, uint64_t seed,
                                        const Recorder& record) {
  Dice dice(seed * 15485863 + static_cast<uint64_t>(std::stoull(town.code)));
  const bool founding = town.code == kSampleTown;
  FADU_ASSIGN_OR_RETURN(const std::vector<std::string> ids,
                        record(kService, "disputes", CopiesOf(disputes)));
  const Messages visits = MakeVisits(disputes, ids, founding, dice);
  FADU_RETURN_IF_ERROR(record(kService, "visits", visits).status());
  const Messages forces = MakeTaskForces(town, DiligenceOf(town.code), dice);
  FADU_RETURN_IF_ERROR(record(kService, "task forces", forces).status());
  const Messages groups = MakeSafetyGroups(villages, founding, dice);
  FADU_RETURN_IF_ERROR(record(kService, "safety groups", groups).status());
  return static_cast<int64_t>(disputes.size() + visits.size() + forces.size() + groups.size());
}

}  // namespace fadu::cli
