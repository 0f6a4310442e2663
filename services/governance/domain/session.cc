#include "services/governance/domain/session.h"

#include <set>
#include <string>

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

absl::Status Agenda(absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_AGENDA_INCOMPLETE,
              "the agenda does not say what the session claims",
              {{"problem", std::string(problem)}});
}

absl::Status Unproven(absl::StatusCode code, absl::string_view problem) {
  return Fail(code, v1::REASON_DUTY_UNPROVEN, "the act is not proven",
              {{"problem", std::string(problem)}});
}

bool HasTwice(const google::protobuf::RepeatedField<int>& values) {
  return std::set<int>(values.begin(), values.end()).size() != static_cast<size_t>(values.size());
}

}  // namespace

absl::Status DecideSession(v1::Session& session, absl::CivilDay today) {
  FADU_RETURN_IF_ERROR(CheckVillageOrTown(session.area_code()));
  if (session.held_date() > FormatDay(today)) return WrongDates("会议日期在今天之后");
  if (HasTwice(session.bodies())) return Agenda("会议主体重复");
  if (HasTwice(session.topics())) return Agenda("主题重复");
  std::set<int> kinds;
  int studied = 0;
  int solved = 0;
  for (const v1::AgendaItem& item : session.agenda()) {
    if (item.issues_solved() > item.issues_studied()) return Agenda("解决问题数多于研究问题数");
    kinds.insert(item.kind());
    studied += item.issues_studied();
    solved += item.issues_solved();
  }
  const bool studies = kinds.count(v1::AGENDA_KIND_STUDY) > 0;
  if (session.first_item() && !studies) return Agenda("列为第一议题的，议题中须有学习");
  if (session.before_meeting() && !studies) return Agenda("会前学法的，议题中须有学习");
  session.clear_agenda_kinds();
  for (const int kind : kinds) session.add_agenda_kinds(static_cast<v1::AgendaKind>(kind));
  session.set_issues_studied(studied);
  session.set_issues_solved(solved);
  return absl::OkStatus();
}

bool NeedsSession(v1::DutyKind kind) {
  return kind == v1::DUTY_KIND_DEPLOY || kind == v1::DUTY_KIND_HEAR_REPORT ||
         kind == v1::DUTY_KIND_LEAD_STUDY;
}

v1::AgendaKind ProofOf(v1::DutyKind kind) {
  switch (kind) {
    case v1::DUTY_KIND_DEPLOY:
      return v1::AGENDA_KIND_DEPLOY;
    case v1::DUTY_KIND_HEAR_REPORT:
      return v1::AGENDA_KIND_HEAR_REPORT;
    case v1::DUTY_KIND_LEAD_STUDY:
      return v1::AGENDA_KIND_STUDY;
    default:
      return v1::AGENDA_KIND_UNSPECIFIED;
  }
}

absl::Status DecideDutyAct(const v1::DutyAct& act, absl::CivilDay today) {
  FADU_RETURN_IF_ERROR(CheckVillageOrTown(act.area_code()));
  if (act.done_date() > FormatDay(today)) return WrongDates("履职日期在今天之后");
  if (NeedsSession(act.kind()) && act.session_id().empty()) {
    return Unproven(absl::StatusCode::kInvalidArgument,
                    "研究部署、听取汇报、带头学法须填写所在的会议");
  }
  const bool on_paper =
      act.kind() == v1::DUTY_KIND_INSTRUCT || act.kind() == v1::DUTY_KIND_STATEMENT;
  if (on_paper && act.document_number().empty()) {
    return Unproven(absl::StatusCode::kInvalidArgument, "批示批阅、述法须填写文号");
  }
  return absl::OkStatus();
}

absl::Status CheckProof(const v1::DutyAct& act, const v1::Session& session) {
  if (session.held_date() != act.done_date()) {
    return Unproven(absl::StatusCode::kFailedPrecondition, "履职日期与会议日期不一致");
  }
  if (!NeedsSession(act.kind())) return absl::OkStatus();
  for (const int kind : session.agenda_kinds()) {
    if (kind == ProofOf(act.kind())) return absl::OkStatus();
  }
  return Unproven(absl::StatusCode::kFailedPrecondition, "会议议题中没有相应的事项");
}

}  // namespace fadu::governance
