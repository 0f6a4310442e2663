#include "services/mediation/domain/dispute.h"

#include <string>

#include "absl/strings/string_view.h"
#include "common/base/civil_day.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "common/schema/village_or_town.h"
#include "fadu/common/v1/options.pb.h"

namespace fadu::mediation {
namespace {

absl::Status Dates(absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_DISPUTE_DATES, "dates out of order",
              {{"problem", std::string(problem)}});
}

absl::Status Incomplete(absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_DISPUTE_OUTCOME,
              "outcome, source or agreement incomplete", {{"problem", std::string(problem)}});
}

std::string LabelOf(v1::DisputeState state) {
  return v1::DisputeState_descriptor()
      ->FindValueByNumber(state)
      ->options()
      .GetExtension(::fadu::common::v1::label)
      .zh();
}

// ISO dates compare as texts; Rules have checked their form.
absl::Status CheckDates(const v1::Dispute& dispute, absl::CivilDay today) {
  const std::string now = FormatDay(today);
  if (dispute.found_date() > now) return Dates("摸排日期在今天之后");
  if (!dispute.accepted_date().empty()) {
    if (dispute.accepted_date() < dispute.found_date()) return Dates("受理日期早于摸排日期");
    if (dispute.accepted_date() > now) return Dates("受理日期在今天之后");
  }
  if (!dispute.concluded_date().empty()) {
    if (dispute.concluded_date() < dispute.found_date()) return Dates("办结日期早于摸排日期");
    if (!dispute.accepted_date().empty() && dispute.concluded_date() < dispute.accepted_date()) {
      return Dates("办结日期早于受理日期");
    }
    if (dispute.concluded_date() > now) return Dates("办结日期在今天之后");
  }
  return absl::OkStatus();
}

absl::Status CheckOutcome(const v1::Dispute& dispute) {
  const bool accepted = !dispute.accepted_date().empty();
  if (accepted != (dispute.source() != v1::DISPUTE_SOURCE_UNSPECIFIED)) {
    return Incomplete("受理日期与受理来源须同时填写");
  }
  const bool concluded = !dispute.concluded_date().empty();
  if (concluded != (dispute.outcome() != v1::OUTCOME_UNSPECIFIED)) {
    return Incomplete("处理结果与办结日期须同时填写");
  }
  const bool settled = dispute.outcome() == v1::OUTCOME_SETTLED;
  if (settled && !accepted) return Incomplete("调解成功的纠纷须先受理");
  if (settled && dispute.agreement_form() == v1::AGREEMENT_FORM_UNSPECIFIED) {
    return Incomplete("调解成功须填写协议形式（书面、口头或当场履行）");
  }
  if (!settled && dispute.agreement_form() != v1::AGREEMENT_FORM_UNSPECIFIED) {
    return Incomplete("只有调解成功才有协议形式");
  }
  if (dispute.outcome() == v1::OUTCOME_TERMINATED) {
    if (!accepted) return Incomplete("调解终止的纠纷须先受理");
    // 人民调解法 第26条: the mediator tells the parties of their remedies.
    if (!dispute.remedy_notice()) {
      return Incomplete("调解终止须告知当事人仲裁、行政、司法途径（人民调解法第二十六条）");
    }
  }
  return absl::OkStatus();
}

// What comes after an agreement: performance, confirmation by a court, breach.
absl::Status CheckAfterAgreement(const v1::Dispute& dispute, absl::CivilDay today) {
  const std::string now = FormatDay(today);
  const bool settled = dispute.outcome() == v1::OUTCOME_SETTLED;
  const bool follows = !dispute.performance_date().empty() ||
                       !dispute.judicial_confirmation_date().empty() ||
                       !dispute.reopened_date().empty();
  if (follows && !settled) return Incomplete("调解成功后才有履行期限、司法确认和违约");
  if (!dispute.performance_date().empty() &&
      dispute.performance_date() < dispute.concluded_date()) {
    return Dates("履行期限早于办结日期");
  }
  if (!dispute.judicial_confirmation_date().empty()) {
    if (dispute.judicial_confirmation_date() < dispute.concluded_date()) {
      return Dates("司法确认日期早于办结日期");
    }
    if (dispute.judicial_confirmation_date() > now) return Dates("司法确认日期在今天之后");
  }
  const bool further = dispute.further_outcome() != v1::FURTHER_OUTCOME_UNSPECIFIED;
  if (further != !dispute.further_outcome_date().empty()) {
    return Incomplete("违约后处理结果与日期须同时填写");
  }
  if (!further) return absl::OkStatus();
  if (dispute.reopened_date().empty()) return Incomplete("回访发现违约后才有违约处理结果");
  if (dispute.further_outcome_date() < dispute.reopened_date()) {
    return Dates("违约后办结日期早于发现违约日期");
  }
  if (dispute.further_outcome_date() > now) return Dates("违约后办结日期在今天之后");
  // 人民调解法 第33条: only what a court has confirmed is enforced.
  if (dispute.further_outcome() == v1::FURTHER_OUTCOME_ENFORCEMENT &&
      dispute.judicial_confirmation_date().empty()) {
    return Incomplete("经司法确认的协议才能申请强制执行（人民调解法第三十三条）");
  }
  return absl::OkStatus();
}

}  // namespace

v1::DisputeState StateOf(const v1::Dispute& dispute) {
  if (!dispute.reopened_date().empty() && dispute.further_outcome_date().empty()) {
    return v1::DISPUTE_STATE_REOPENED;
  }
  if (!dispute.concluded_date().empty()) return v1::DISPUTE_STATE_CONCLUDED;
  if (!dispute.accepted_date().empty()) return v1::DISPUTE_STATE_ACCEPTED;
  return v1::DISPUTE_STATE_FOUND;
}

bool MayMove(v1::DisputeState from, v1::DisputeState to) {
  switch (from) {
    case v1::DISPUTE_STATE_FOUND:
      return to == v1::DISPUTE_STATE_FOUND || to == v1::DISPUTE_STATE_ACCEPTED ||
             to == v1::DISPUTE_STATE_CONCLUDED;
    case v1::DISPUTE_STATE_ACCEPTED:
      return to == v1::DISPUTE_STATE_ACCEPTED || to == v1::DISPUTE_STATE_CONCLUDED;
    case v1::DISPUTE_STATE_CONCLUDED:
    case v1::DISPUTE_STATE_REOPENED:
      return to == v1::DISPUTE_STATE_CONCLUDED || to == v1::DISPUTE_STATE_REOPENED;
    default:
      return false;
  }
}

absl::Status DecideDispute(const v1::Dispute* before, v1::Dispute& after, absl::CivilDay today) {
  if (after.administrative()) {
    return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_DISPUTE_ADMINISTRATIVE,
                "administrative disputes are not for people's mediation");
  }
  FADU_RETURN_IF_ERROR(CheckVillageOrTown(after.area_code()));
  FADU_RETURN_IF_ERROR(CheckDates(after, today));
  FADU_RETURN_IF_ERROR(CheckOutcome(after));
  FADU_RETURN_IF_ERROR(CheckAfterAgreement(after, today));
  after.set_state(StateOf(after));
  if (before != nullptr && !MayMove(StateOf(*before), after.state())) {
    return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_DISPUTE_STATE,
                "the move is not in the state table",
                {{"from", LabelOf(StateOf(*before))}, {"to", LabelOf(after.state())}});
  }
  return absl::OkStatus();
}

v1::Dispute Reopened(const v1::Dispute& dispute, const std::string& day) {
  v1::Dispute changed;
  changed.set_reopened_date(day);
  changed.set_breach_count(dispute.breach_count() + 1);
  return changed;
}

}  // namespace fadu::mediation
