#include "services/mediation/domain/follow_up_visit.h"

#include <string>

#include "absl/strings/string_view.h"
#include "common/base/civil_day.h"
#include "common/base/status.h"
#include "common/schema/reason.h"

namespace fadu::mediation {
namespace {

// T19.
constexpr DeadlineRule kFirstVisit{15, DayUnit::kCalendarDays};

absl::Status Problem(absl::StatusCode code, v1::Reason reason, absl::string_view problem) {
  return Fail(code, reason, "the visit does not fit", {{"problem", std::string(problem)}});
}

}  // namespace

absl::Status DecideVisit(const v1::FollowUpVisit* before, const v1::FollowUpVisit& after,
                         absl::CivilDay today) {
  if (after.visited_date() > FormatDay(today)) {
    return Problem(absl::StatusCode::kInvalidArgument, v1::REASON_VISIT_DATES, "在今天之后");
  }
  if (before == nullptr) return absl::OkStatus();
  if (before->dispute() != after.dispute()) {
    return Problem(absl::StatusCode::kFailedPrecondition, v1::REASON_VISIT_DISPUTE,
                   "回访不能改到另一起纠纷，请删除后重新登记");
  }
  if (before->performance() == v1::PERFORMANCE_BREACHED &&
      (after.performance() != v1::PERFORMANCE_BREACHED ||
       after.visited_date() != before->visited_date())) {
    return Problem(absl::StatusCode::kFailedPrecondition, v1::REASON_VISIT_BREACH,
                   "已使纠纷重新进入处理，不能更改，请在纠纷中登记后续结果");
  }
  return absl::OkStatus();
}

absl::Status DecideVisitOf(const v1::Dispute* found, int ordinal, v1::FollowUpVisit& visit,
                           const WorkingCalendar& calendar) {
  // What lies elsewhere is not told from what does not exist.
  if (found == nullptr || found->area_code() != visit.area_code()) {
    return Problem(absl::StatusCode::kFailedPrecondition, v1::REASON_VISIT_DISPUTE,
                   "该地没有这条纠纷记录");
  }
  const v1::Dispute& dispute = *found;
  if (dispute.outcome() != v1::OUTCOME_SETTLED) {
    return Problem(absl::StatusCode::kFailedPrecondition, v1::REASON_VISIT_DISPUTE,
                   "只有调解成功的纠纷才回访");
  }
  if (visit.visited_date() < dispute.concluded_date()) {
    return Problem(absl::StatusCode::kInvalidArgument, v1::REASON_VISIT_DATES,
                   "早于调解成功的日期");
  }
  if (visit.performance() == v1::PERFORMANCE_BREACHED) {
    if (dispute.agreement_form() == v1::AGREEMENT_FORM_ON_SPOT) {
      return Problem(absl::StatusCode::kInvalidArgument, v1::REASON_VISIT_BREACH,
                     "当场履行的协议没有违约");
    }
    if (visit.visited_date() <= dispute.performance_date()) {
      return Problem(absl::StatusCode::kInvalidArgument, v1::REASON_VISIT_BREACH,
                     "履行期限未满，应为“未到期”或“部分履行”");
    }
  }
  const std::string& from =
      dispute.performance_date().empty() ? dispute.concluded_date() : dispute.performance_date();
  FADU_ASSIGN_OR_RETURN(const absl::CivilDay start, ParseDay(from));
  FADU_ASSIGN_OR_RETURN(const Deadline due, DueOn(kFirstVisit, start, {}, calendar));
  visit.set_ordinal(ordinal);
  visit.set_category(dispute.category());
  visit.set_due_date(FormatDay(due.due_on));
  visit.set_late(ordinal == 1 && visit.visited_date() > visit.due_date());
  return absl::OkStatus();
}

}  // namespace fadu::mediation
