#include "services/education/domain/exam.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/civil_day.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/education/v1/education_event.pb.h"

namespace fadu::education {
namespace {

std::string LabelOf(v1::ExamState state) {
  return v1::ExamState_descriptor()
      ->FindValueByNumber(state)
      ->options()
      .GetExtension(::fadu::common::v1::label)
      .zh();
}

absl::Status Dates(absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_EXAM_DATES, "dates out of order",
              {{"problem", std::string(problem)}});
}

absl::Status Counts(absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_EXAM_COUNTS,
              "head-counts that cannot be", {{"problem", std::string(problem)}});
}

absl::Status Roster(absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_EXAM_ROSTER,
              "the roster and the head-counts differ", {{"problem", std::string(problem)}});
}

absl::Status Frozen(const v1::Exam& exam, absl::string_view problem) {
  return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_EXAM_FROZEN, "the roster is frozen",
              {{"date", exam.frozen_date()}, {"problem", std::string(problem)}});
}

bool IsFrozen(const v1::Exam& exam) { return !exam.frozen_date().empty(); }

// ISO dates compare as texts; Rules have checked their form.
absl::Status CheckDates(const v1::Exam& exam, absl::CivilDay today) {
  const std::string now = FormatDay(today);
  if (IsFrozen(exam)) {
    if (exam.frozen_date() > now) return Dates("名册锁定日期在今天之后");
    if (exam.frozen_date() >= exam.held_date()) return Dates("名册须在开考日之前锁定");
  }
  for (const v1::Exemption& exemption : exam.exemptions()) {
    if (exemption.approved_date() >= exam.held_date()) return Dates("免考须在开考日之前批准");
    if (exemption.approved_date() > now) return Dates("免考批准日期在今天之后");
  }
  const struct {
    const char* name;
    const std::string& date;
    const char* before;
  } steps[] = {{"结束", exam.closed_date(), "名册锁定"},
               {"评分", exam.scored_date(), "结束"},
               {"补考", exam.makeup_date(), "评分"}};
  const std::string* last = &exam.held_date();
  bool reached = IsFrozen(exam);
  for (const auto& [name, date, before] : steps) {
    if (!date.empty()) {
      if (!reached) return Dates(absl::StrCat("缺", before, "日期"));
      if (date < *last) return Dates(absl::StrCat(name, "日期早于前一步"));
      if (date > now) return Dates(absl::StrCat(name, "日期在今天之后"));
      last = &date;
    }
    reached = !date.empty();
  }
  return absl::OkStatus();
}

// Invariant 49: participation and pass rates are at most 100 %.
absl::Status CheckCounts(const v1::Exam& exam) {
  if (IsFrozen(exam) && exam.roster_count() == 0) return Counts("锁定名册须填写名册人数");
  if (exam.roster_count() > 0 && exam.exempted_count() > exam.roster_count()) {
    return Counts("免考人数超过名册人数");
  }
  if (exam.closed_date().empty()) {
    if (exam.sat_count() > 0) return Counts("考试结束后才有参考人数");
  } else if (exam.required_count() == 0) {
    return Counts("没有应考人员");
  }
  if (exam.sat_count() > exam.required_count()) return Counts("参考人数超过应考人数");
  if (exam.scored_date().empty() && (exam.passed_count() > 0 || exam.average_score_e4() > 0)) {
    return Counts("评分后才有合格人数和平均分");
  }
  if (exam.passed_count() > exam.sat_count()) return Counts("合格人数超过参考人数");
  if (exam.sat_count() == 0 && exam.average_score_e4() > 0) return Counts("无人参考却有平均分");
  const bool all_passed = exam.sat_count() > 0 && exam.passed_count() == exam.sat_count();
  if (all_passed && exam.average_score_e4() > 0 && exam.average_score_e4() < exam.pass_mark_e4()) {
    return Counts("全部合格而平均分低于合格线");
  }
  if (exam.makeup_date().empty()) {
    if (exam.makeup_sat_count() > 0 || exam.makeup_passed_count() > 0) {
      return Counts("补考后才有补考人数");
    }
    return absl::OkStatus();
  }
  // Who was absent or failed; the make-up exam is counted apart.
  if (exam.makeup_sat_count() > exam.required_count() - exam.passed_count()) {
    return Counts("补考人数超过缺考和不合格人数");
  }
  if (exam.makeup_passed_count() > exam.makeup_sat_count())
    return Counts("补考合格人数超过补考人数");
  return absl::OkStatus();
}

// Where names are given, the head-counts are theirs: nobody counts who is not on the roster.
absl::Status CheckRoster(const v1::Exam& exam) {
  if (exam.roster().empty()) return absl::OkStatus();
  const auto count = [&](auto which) {
    return static_cast<int>(std::count_if(exam.roster().begin(), exam.roster().end(), which));
  };
  for (const v1::Examinee& examinee : exam.roster()) {
    if (examinee.exempted() && examinee.sat()) return Roster("免考人员不计参考");
    if (examinee.passed() && !examinee.sat()) return Roster("未参考的不能合格");
  }
  if (IsFrozen(exam) && exam.roster_size() != exam.roster_count()) {
    return Roster(
        absl::StrCat("名册 ", exam.roster_size(), " 人，填报 ", exam.roster_count(), " 人"));
  }
  if (count([](const v1::Examinee& one) { return one.exempted(); }) != exam.exempted_count()) {
    return Roster("免考人数");
  }
  if (count([](const v1::Examinee& one) { return one.sat(); }) != exam.sat_count()) {
    return Roster("参考人数");
  }
  if (count([](const v1::Examinee& one) { return one.passed(); }) != exam.passed_count()) {
    return Roster("合格人数");
  }
  return absl::OkStatus();
}

template <typename Items, typename Same>
bool AllSame(const Items& a, const Items& b, Same same) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), same);
}

// Invariant 49: who has to sit is fixed before the exam opens.
absl::Status CheckFrozen(const v1::Exam* before, const v1::Exam& after, absl::CivilDay today) {
  if (before == nullptr || !IsFrozen(*before)) return absl::OkStatus();
  if (after.frozen_date() != before->frozen_date()) return Frozen(*before, "锁定日期不能再改");
  if (after.roster_count() != before->roster_count() || after.area_code() != before->area_code()) {
    return Frozen(*before, "名册人数不能再改");
  }
  // Names that were left out may still be added, as a whole.
  const bool same_people =
      before->roster().empty() ||
      AllSame(before->roster(), after.roster(), [](const v1::Examinee& a, const v1::Examinee& b) {
        return a.name() == b.name() && a.unit() == b.unit();
      });
  if (!same_people) return Frozen(*before, "名册人员不能再改");
  const bool opened = FormatDay(today) >= before->held_date() || !before->closed_date().empty();
  if (!opened) return absl::OkStatus();
  const bool same_exempted =
      AllSame(before->exemptions(), after.exemptions(),
              [](const v1::Exemption& a, const v1::Exemption& b) {
                return a.people_count() == b.people_count() &&
                       a.approved_date() == b.approved_date() && a.reason() == b.reason();
              }) &&
      (before->roster().empty() ||
       AllSame(before->roster(), after.roster(), [](const v1::Examinee& a, const v1::Examinee& b) {
         return a.exempted() == b.exempted();
       }));
  if (!same_exempted) return Frozen(*before, "开考后不能再增减免考");
  if (after.held_date() != before->held_date()) return Frozen(*before, "开考后不能再改开考日期");
  return absl::OkStatus();
}

bool SameScores(const v1::Exam& a, const v1::Exam& b) {
  const bool made_up = !a.makeup_date().empty();
  return a.sat_count() == b.sat_count() && a.passed_count() == b.passed_count() &&
         a.average_score_e4() == b.average_score_e4() && a.pass_mark_e4() == b.pass_mark_e4() &&
         (!made_up || (a.makeup_sat_count() == b.makeup_sat_count() &&
                       a.makeup_passed_count() == b.makeup_passed_count())) &&
         (a.roster().empty() ||
          AllSame(a.roster(), b.roster(), [](const v1::Examinee& x, const v1::Examinee& y) {
            return x.sat() == y.sat() && x.passed() == y.passed();
          }));
}

// Scores are changed only by a recorded correction with two signatures (domain §2.4).
absl::Status CheckCorrections(const v1::Exam* before, const v1::Exam& after, absl::CivilDay today) {
  const auto problem = [](absl::StatusCode code, absl::string_view text) {
    return Fail(code, v1::REASON_EXAM_CORRECTION, "scores change by a signed correction",
                {{"problem", std::string(text)}});
  };
  for (const v1::ScoreCorrection& correction : after.corrections()) {
    if (absl::StripAsciiWhitespace(correction.first_signer()) ==
        absl::StripAsciiWhitespace(correction.second_signer())) {
      return problem(absl::StatusCode::kInvalidArgument, "两名签字人是同一人");
    }
    if (after.scored_date().empty() || correction.correction_date() < after.scored_date() ||
        correction.correction_date() > FormatDay(today)) {
      return problem(absl::StatusCode::kInvalidArgument, "更正日期须在评分之后、今天之前");
    }
  }
  if (before == nullptr || before->scored_date().empty()) return absl::OkStatus();
  const bool kept = after.corrections_size() >= before->corrections_size() &&
                    std::equal(before->corrections().begin(), before->corrections().end(),
                               after.corrections().begin(), [](const auto& a, const auto& b) {
                                 return a.SerializeAsString() == b.SerializeAsString();
                               });
  if (!kept) return problem(absl::StatusCode::kFailedPrecondition, "已登记的更正不能改动");
  if (SameScores(*before, after)) return absl::OkStatus();
  if (after.corrections_size() > before->corrections_size()) return absl::OkStatus();
  return problem(absl::StatusCode::kFailedPrecondition, "没有新的更正记录");
}

}  // namespace

v1::ExamState StateOf(const v1::Exam& exam) {
  if (!exam.makeup_date().empty()) return v1::EXAM_STATE_MADE_UP;
  if (!exam.scored_date().empty()) return v1::EXAM_STATE_SCORED;
  if (!exam.closed_date().empty()) return v1::EXAM_STATE_CLOSED;
  return IsFrozen(exam) ? v1::EXAM_STATE_FROZEN : v1::EXAM_STATE_PLANNED;
}

bool MayMove(v1::ExamState from, v1::ExamState to) {
  return from != v1::EXAM_STATE_UNSPECIFIED && to >= from;
}

absl::Status DecideExam(const v1::Exam* before, v1::Exam& after, absl::CivilDay today) {
  int64_t exempted = 0;
  for (const v1::Exemption& exemption : after.exemptions()) exempted += exemption.people_count();
  after.set_exempted_count(static_cast<int>(exempted));
  after.set_required_count(std::max(0, after.roster_count() - after.exempted_count()));
  after.set_absent_count(after.closed_date().empty() ? 0
                                                     : after.required_count() - after.sat_count());
  after.set_correction_count(after.corrections_size());
  after.set_state(StateOf(after));
  if (before != nullptr && !MayMove(StateOf(*before), after.state())) {
    return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_EXAM_STATE,
                "the move is not in the state table",
                {{"from", LabelOf(StateOf(*before))}, {"to", LabelOf(after.state())}});
  }
  FADU_RETURN_IF_ERROR(CheckFrozen(before, after, today));
  FADU_RETURN_IF_ERROR(CheckDates(after, today));
  FADU_RETURN_IF_ERROR(CheckCounts(after));
  FADU_RETURN_IF_ERROR(CheckRoster(after));
  return CheckCorrections(before, after, today);
}

}  // namespace fadu::education
