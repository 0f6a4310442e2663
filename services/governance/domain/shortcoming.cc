#include "services/governance/domain/shortcoming.h"

#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/civil_day.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "common/schema/village_or_town.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/governance/v1/reason.pb.h"
#include "services/governance/domain/dates.h"

namespace fadu::governance {
namespace {

absl::Status Incomplete(absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_SHORTCOMING_INCOMPLETE,
              "a step lacks what it needs", {{"problem", std::string(problem)}});
}

absl::Status PlanIncomplete(absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_PLAN_INCOMPLETE,
              "the plan item is incomplete", {{"problem", std::string(problem)}});
}

std::string LabelOf(const google::protobuf::EnumValueDescriptor* value) {
  return value->options().GetExtension(::fadu::common::v1::label).zh();
}

absl::Status NoSuchMove(const google::protobuf::EnumDescriptor* states, int from, int to) {
  return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_GOVERNANCE_STATE,
              "the move is not in the state table",
              {{"from", LabelOf(states->FindValueByNumber(from))},
               {"to", LabelOf(states->FindValueByNumber(to))}});
}

// The step that is the last but carried over or closed: 1 (identified) to 6 (verified).
v1::ShortcomingState StepOf(const v1::Shortcoming& shortcoming) {
  if (!shortcoming.verified_date().empty()) return v1::SHORTCOMING_STATE_VERIFIED;
  if (!shortcoming.checked_date().empty()) return v1::SHORTCOMING_STATE_SELF_CHECKED;
  if (!shortcoming.started_date().empty()) return v1::SHORTCOMING_STATE_IN_PROGRESS;
  if (!shortcoming.owner().empty()) return v1::SHORTCOMING_STATE_ASSIGNED;
  if (!shortcoming.cause().empty()) return v1::SHORTCOMING_STATE_CAUSE_ANALYSED;
  return v1::SHORTCOMING_STATE_IDENTIFIED;
}

absl::Status CheckDates(const v1::Shortcoming& shortcoming, absl::CivilDay today) {
  const std::string now = FormatDay(today);
  const std::pair<const std::string&, const char*> steps[] = {
      {shortcoming.found_date(), "发现日期"},
      {shortcoming.started_date(), "启动日期"},
      {shortcoming.checked_date(), "自查日期"},
      {shortcoming.verified_date(), "核验日期"}};
  std::string last;
  for (const auto& [date, name] : steps) {
    if (date.empty()) continue;
    if (date > now) return WrongDates(absl::StrCat(name, "在今天之后"));
    if (date < last) return WrongDates(absl::StrCat(name, "早于前一步的日期"));
    last = date;
  }
  for (const auto& [date, name] : std::initializer_list<std::pair<const std::string&, const char*>>{
           {shortcoming.closed_date(), "销号日期"},
           {shortcoming.reopened_date(), "重新整改日期"},
           {shortcoming.carried_date(), "转入下年日期"}}) {
    if (date.empty()) continue;
    if (date > now) return WrongDates(absl::StrCat(name, "在今天之后"));
    if (date < shortcoming.found_date()) return WrongDates(absl::StrCat(name, "早于发现日期"));
  }
  if (!shortcoming.closed_date().empty() && shortcoming.reopened_date().empty() &&
      shortcoming.closed_date() < last) {
    return WrongDates("销号日期早于前一步的日期");
  }
  if (!shortcoming.due_date().empty() && shortcoming.due_date() < shortcoming.found_date()) {
    return WrongDates("整改期限早于发现日期");
  }
  return absl::OkStatus();
}

absl::Status CheckSteps(const v1::Shortcoming& shortcoming) {
  if (!shortcoming.owner().empty() && shortcoming.cause().empty()) {
    return Incomplete("明确责任单位前须先分析原因");
  }
  if (shortcoming.owner().empty() != shortcoming.due_date().empty()) {
    return Incomplete("责任单位与整改期限须同时填写");
  }
  if (!shortcoming.started_date().empty() && shortcoming.owner().empty()) {
    return Incomplete("启动整改前须先明确责任单位和期限");
  }
  if (!shortcoming.checked_date().empty() && shortcoming.started_date().empty()) {
    return Incomplete("自查前须先启动整改");
  }
  if (!shortcoming.verified_date().empty() && shortcoming.checked_date().empty()) {
    return Incomplete("核验前须先自查");
  }
  if (shortcoming.verified_date().empty() != shortcoming.verifier().empty()) {
    return Incomplete("核验日期与核验单位须同时填写");
  }
  if (!shortcoming.verifier().empty() && shortcoming.verifier() == shortcoming.owner()) {
    return Incomplete("责任单位不能核验自己的整改");
  }
  if (!shortcoming.closed_date().empty() && shortcoming.verified_date().empty()) {
    return Incomplete("销号前须先核验");
  }
  if (!shortcoming.reopened_date().empty() && shortcoming.closed_date().empty() &&
      shortcoming.carried_date().empty()) {
    return Incomplete("只有已销号或转入下年的问题才能重新整改");
  }
  return absl::OkStatus();
}

}  // namespace

v1::ShortcomingState StateOf(const v1::Shortcoming& shortcoming) {
  const std::string& reopened = shortcoming.reopened_date();
  // Reopened, and not ended again since.
  if (!reopened.empty() && shortcoming.closed_date() <= reopened &&
      shortcoming.carried_date() <= reopened) {
    return v1::SHORTCOMING_STATE_REOPENED;
  }
  if (!shortcoming.closed_date().empty() &&
      shortcoming.closed_date() >= shortcoming.carried_date()) {
    return v1::SHORTCOMING_STATE_CLOSED;
  }
  if (!shortcoming.carried_date().empty()) return v1::SHORTCOMING_STATE_CARRIED_OVER;
  return StepOf(shortcoming);
}

bool MayMove(v1::ShortcomingState from, v1::ShortcomingState to) {
  if (from == to) return true;
  switch (from) {
    case v1::SHORTCOMING_STATE_CLOSED:
      return to == v1::SHORTCOMING_STATE_REOPENED;
    case v1::SHORTCOMING_STATE_CARRIED_OVER:
      return to == v1::SHORTCOMING_STATE_REOPENED || to == v1::SHORTCOMING_STATE_CLOSED;
    case v1::SHORTCOMING_STATE_REOPENED:
      return to == v1::SHORTCOMING_STATE_CLOSED || to == v1::SHORTCOMING_STATE_CARRIED_OVER;
    default:
      // Forward through the steps, or out of any of them into the next year.
      return to > from && to != v1::SHORTCOMING_STATE_REOPENED;
  }
}

absl::Status DecideShortcoming(const v1::Shortcoming* before, v1::Shortcoming& after,
                               absl::CivilDay today) {
  FADU_RETURN_IF_ERROR(CheckVillageOrTown(after.area_code()));
  FADU_RETURN_IF_ERROR(CheckDates(after, today));
  FADU_RETURN_IF_ERROR(CheckSteps(after));
  after.set_state(StateOf(after));
  if (before != nullptr && !MayMove(StateOf(*before), after.state())) {
    return NoSuchMove(v1::ShortcomingState_descriptor(), StateOf(*before), after.state());
  }
  return absl::OkStatus();
}

v1::PlanState StateOf(const v1::PlanItem& item) {
  if (!item.done_date().empty()) return v1::PLAN_STATE_DONE;
  return item.dropped_reason().empty() ? v1::PLAN_STATE_PLANNED : v1::PLAN_STATE_DROPPED;
}

absl::Status DecidePlanItem(const v1::PlanItem* before, v1::PlanItem& after, absl::CivilDay today) {
  FADU_RETURN_IF_ERROR(CheckVillageOrTown(after.area_code()));
  const std::string now = FormatDay(today);
  if (after.adopted_date() > now) return WrongDates("制定日期在今天之后");
  if (after.done_date() > now) return WrongDates("完成日期在今天之后");
  if (!after.done_date().empty() && after.done_date() < after.adopted_date()) {
    return WrongDates("完成日期早于制定日期");
  }
  if (after.due_date().substr(0, 4) != absl::StrCat(after.year())) {
    return PlanIncomplete("完成期限须在计划年度内");
  }
  if (!after.done_date().empty() && !after.dropped_reason().empty()) {
    return PlanIncomplete("已完成的事项不能同时取消");
  }
  const std::set<std::string> named(after.shortcoming_ids().begin(), after.shortcoming_ids().end());
  if (named.size() != static_cast<size_t>(after.shortcoming_ids_size())) {
    return PlanIncomplete("对应的不足重复");
  }
  after.set_state(StateOf(after));
  if (before != nullptr && StateOf(*before) != v1::PLAN_STATE_PLANNED &&
      StateOf(*before) != after.state()) {
    return NoSuchMove(v1::PlanState_descriptor(), StateOf(*before), after.state());
  }
  return absl::OkStatus();
}

}  // namespace fadu::governance
