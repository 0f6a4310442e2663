#include "services/legality/domain/legality_review.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/area_code.h"
#include "common/base/civil_day.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/legality/v1/reason.pb.h"
#include "services/legality/domain/term.h"

namespace fadu::legality {
namespace {

constexpr size_t kDigestLength = 64;
constexpr int kMostDays = 15;  // 国办发〔2018〕115号

template <typename Enum>
std::string LabelOf(Enum value) {
  return google::protobuf::GetEnumDescriptor<Enum>()
      ->FindValueByNumber(value)
      ->options()
      .GetExtension(::fadu::common::v1::label)
      .zh();
}

absl::Status Dates(absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_REVIEW_DATES, "dates out of order",
              {{"problem", std::string(problem)}});
}

absl::Status Incomplete(absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_REVIEW_INCOMPLETE,
              "the parts of a review do not come together", {{"problem", std::string(problem)}});
}

absl::Status NotPassed(absl::string_view problem) {
  return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_REVIEW_NOT_PASSED,
              "not passed by a review", {{"problem", std::string(problem)}});
}

bool HasOpinion(const v1::LegalityReview& review) {
  return review.opinion() != v1::OPINION_UNSPECIFIED;
}

// The text used is compared with the text reviewed.
bool ComparesTexts(v1::SubjectKind kind) {
  return kind == v1::SUBJECT_KIND_CONTRACT || kind == v1::SUBJECT_KIND_NORMATIVE_DOCUMENT ||
         kind == v1::SUBJECT_KIND_MAJOR_DECISION;
}

// The least a reviewer takes, in working days, and what says so.
struct Least {
  int days;
  const char* basis;
};
Least LeastOf(v1::SubjectKind kind) {
  switch (kind) {
    case v1::SUBJECT_KIND_NORMATIVE_DOCUMENT:
      return {5, "国办发〔2018〕115号"};
    case v1::SUBJECT_KIND_MAJOR_DECISION:
      return {7, "重大行政决策程序暂行条例第二十六条"};
    default:
      return {0, ""};
  }
}

// Dates of a review are ISO days that Rules have checked; they compare as texts.
std::vector<DayRange> PausesOf(const v1::LegalityReview& review, absl::CivilDay today) {
  std::vector<DayRange> pauses;
  for (const v1::ReviewPause& pause : review.pauses()) {
    const absl::CivilDay first = *ParseDay(pause.start_date());
    pauses.push_back(
        {first, pause.end_date().empty() ? std::max(first, today) : *ParseDay(pause.end_date())});
  }
  return pauses;
}

int WorkingDaysTaken(const v1::LegalityReview& review, const WorkingCalendar& calendar) {
  const absl::CivilDay last = *ParseDay(review.opinion_date());
  const std::vector<DayRange> pauses = PausesOf(review, last);
  int days = 0;
  for (absl::CivilDay day = *ParseDay(review.received_date()) + 1; day <= last; ++day) {
    const bool stands = std::any_of(pauses.begin(), pauses.end(),
                                    [day](const DayRange& pause) { return pause.Contains(day); });
    if (!stands && calendar.IsWorkingDay(day)) ++days;
  }
  return days;
}

absl::Status CheckDates(const v1::LegalityReview& review, absl::CivilDay today) {
  const std::string now = FormatDay(today);
  if (review.received_date() > now) return Dates("收件日期在今天之后");
  for (const v1::ReviewPause& pause : review.pauses()) {
    if (pause.start_date() < review.received_date()) return Dates("暂停日期早于收件日期");
    if (pause.start_date() > now || pause.end_date() > now) return Dates("暂停在今天之后");
    if (!pause.end_date().empty() && pause.end_date() < pause.start_date()) {
      return Dates("恢复日期早于暂停日期");
    }
    if (!HasOpinion(review)) continue;
    if (pause.end_date().empty()) return Dates("暂停期间不能出具意见");
    if (pause.end_date() > review.opinion_date()) return Dates("恢复日期晚于出具意见日期");
  }
  const struct {
    const std::string& date;
    const std::string& not_before;
    const char* early;
    const char* future;
  } steps[] = {
      {review.opinion_date(), review.received_date(), "出具意见日期早于收件日期",
       "出具意见日期在今天之后"},
      {review.reply_date(), review.opinion_date(), "反馈日期早于出具意见日期",
       "反馈日期在今天之后"},
      {review.close_date(), review.received_date(), "退件（撤回）日期早于收件日期",
       "退件（撤回）日期在今天之后"},
  };
  for (const auto& [date, not_before, early, future] : steps) {
    if (date.empty()) continue;
    if (date < not_before) return Dates(early);
    if (date > now) return Dates(future);
  }
  if (review.used_date() > now) return Dates("印发（签订）日期在今天之后");
  std::string last = review.opinion_date();
  for (const v1::Recheck& recheck : review.rechecks()) {
    if (recheck.check_date() < last) return Dates("复核日期应按先后填写，且不早于出具意见日期");
    if (recheck.check_date() > now) return Dates("复核日期在今天之后");
    last = recheck.check_date();
  }
  return absl::OkStatus();
}

absl::Status CheckMaterials(const v1::LegalityReview& review) {
  std::vector<std::string> missing;
  for (const v1::ReviewMaterial material : ChecklistOf(review.subject_kind())) {
    const auto has = [material](const google::protobuf::RepeatedField<int>& list) {
      return std::find(list.begin(), list.end(), material) != list.end();
    };
    const bool applies = material == v1::REVIEW_MATERIAL_DRAFT || !has(review.not_applicable());
    if (applies && !has(review.materials())) missing.push_back(LabelOf(material));
  }
  if (missing.empty()) return absl::OkStatus();
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_REVIEW_MATERIALS,
              "the checklist is not complete", {{"missing", absl::StrJoin(missing, "、")}});
}

absl::Status CheckDigests(const v1::LegalityReview& review) {
  constexpr char kForm[] = "文本摘要应为64位小写十六进制（SHA-256）";
  if (ComparesTexts(review.subject_kind()) && review.text_digest().empty()) {
    return Incomplete("该类事项须填写送审文本摘要");
  }
  if (!review.text_digest().empty() && !IsTextDigest(review.text_digest())) {
    return Incomplete(kForm);
  }
  if (!review.used_text_digest().empty() && !IsTextDigest(review.used_text_digest())) {
    return Incomplete(kForm);
  }
  for (const v1::Recheck& recheck : review.rechecks()) {
    if (!IsTextDigest(recheck.text_digest())) return Incomplete(kForm);
  }
  return absl::OkStatus();
}

absl::Status CheckOpinion(const v1::LegalityReview& review) {
  const bool opined = HasOpinion(review);
  if (opined != !review.opinion_date().empty() || opined != !review.reviewer().empty() ||
      opined != (review.reviewer_role() != v1::REVIEWER_ROLE_UNSPECIFIED)) {
    return Incomplete("审查意见、出具日期、审查主体和审查人须同时填写");
  }
  if (!opined) {
    if (review.opinions_count() > 0 || review.problems_count() > 0 || !review.rechecks().empty()) {
      return Incomplete("出具意见后才有意见条数、问题数和复核");
    }
    return absl::OkStatus();
  }
  if (absl::StripAsciiWhitespace(review.reviewer()) ==
      absl::StripAsciiWhitespace(review.drafter())) {
    return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_REVIEWER_IS_DRAFTER,
                "the reviewer drafted the text");
  }
  // An adviser's opinion supports that of the reviewing body (domain §6.3; 115号: no other opinion
  // stands for the review).
  const bool outside = review.reviewer_role() == v1::REVIEWER_ROLE_LEGAL_ADVISER ||
                       review.reviewer_role() == v1::REVIEWER_ROLE_PUBLIC_LAWYER;
  if (outside && MustPassBefore(review.subject_kind())) {
    return Incomplete("法律顾问、公职律师的意见不能代替审查机构的审查");
  }
  if (review.opinion() != v1::OPINION_LAWFUL && review.problems_count() == 0) {
    return Incomplete("“应予修改”“不合法”须填写发现的问题数");
  }
  if (review.opinion() == v1::OPINION_UNLAWFUL && !review.rechecks().empty()) {
    return Incomplete("不合法的文本修改后须重新送审");
  }
  if (review.government_guarantor() && review.opinion() == v1::OPINION_LAWFUL &&
      review.guarantor_basis().empty()) {
    return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_REVIEW_GUARANTOR,
                "a state organ may not be a guarantor");
  }
  return absl::OkStatus();
}

absl::Status CheckPace(const v1::LegalityReview& review) {
  const Least least = LeastOf(review.subject_kind());
  if (review.emergency()) {
    return review.emergency_reason().empty() ? Incomplete("紧急情况须说明") : absl::OkStatus();
  }
  if (!HasOpinion(review) || review.working_days() >= least.days) return absl::OkStatus();
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_REVIEW_TOO_SHORT,
              "reviewed in fewer working days than the law gives the reviewer",
              {{"days", absl::StrCat(review.working_days())},
               {"least", absl::StrCat(least.days)},
               {"basis", least.basis}});
}

absl::Status CheckReply(const v1::LegalityReview& review) {
  const bool replied = review.adoption() != v1::ADOPTION_UNSPECIFIED;
  if (replied != !review.reply_date().empty()) return Incomplete("采纳情况与反馈日期须同时填写");
  if (!replied) return absl::OkStatus();
  if (!HasOpinion(review)) return Incomplete("出具意见后才有采纳情况");
  if (review.adoption() != v1::ADOPTION_ADOPTED && review.adoption_reason().empty()) {
    return Incomplete("未完全采纳的须说明理由（国办发〔2018〕115号）");
  }
  return absl::OkStatus();
}

absl::Status CheckClosing(const v1::LegalityReview& review) {
  const bool closed = review.closing() != v1::CLOSING_UNSPECIFIED;
  if (closed != !review.close_date().empty() || closed != !review.close_reason().empty()) {
    return Incomplete("退件（撤回）、日期和原因须同时填写");
  }
  if (closed && HasOpinion(review)) return Incomplete("已出具意见的不能退件或撤回");
  return absl::OkStatus();
}

// Issue or signing (invariants 18, 22, 40).
absl::Status CheckUse(const v1::LegalityReview& review) {
  const v1::SubjectKind kind = review.subject_kind();
  if (review.used_date().empty()) {
    return review.used_text_digest().empty() ? absl::OkStatus()
                                             : Incomplete("印发（签订）文本须有日期");
  }
  if (!HasOpinion(review)) return NotPassed("尚未出具审查意见");
  if (ComparesTexts(kind) && review.used_text_digest().empty()) {
    return Incomplete("须填写印发（签订）文本摘要");
  }
  if (!review.used_text_digest().empty() && review.used_text_digest() != LastDigest(review)) {
    return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_TEXT_CHANGED,
                "the text used is not the one last reviewed");
  }
  if (MustPassBefore(kind)) {
    return PassedBy(review, review.used_date()) ? absl::OkStatus()
                                                : NotPassed("印发（签订）前审查未通过");
  }
  // A contract may be signed against the opinion, with the reason on record.
  if (!review.passed() && review.adoption() != v1::ADOPTION_PARTLY &&
      review.adoption() != v1::ADOPTION_REJECTED) {
    return NotPassed("意见未被采纳的须反馈理由，已采纳的须复核修改后的文本");
  }
  if (review.timing() == v1::TIMING_AFTER && review.after_reason().empty()) {
    return Incomplete("审查晚于印发（签订）的须说明");
  }
  return absl::OkStatus();
}

// What only the reviewer may fill in.
bool OpinionDiffers(const v1::LegalityReview& a, const v1::LegalityReview& b) {
  const auto differs = [](const v1::Recheck& x, const v1::Recheck& y) {
    return x.SerializeAsString() != y.SerializeAsString();
  };
  return a.opinion() != b.opinion() || a.opinion_date() != b.opinion_date() ||
         a.reviewer_role() != b.reviewer_role() || a.reviewer() != b.reviewer() ||
         a.opinions_count() != b.opinions_count() || a.problems_count() != b.problems_count() ||
         a.rechecks_size() != b.rechecks_size() ||
         !std::equal(a.rechecks().begin(), a.rechecks().end(), b.rechecks().begin(),
                     [&](const auto& x, const auto& y) { return !differs(x, y); });
}

v1::OwnerLevel OwnerOf(absl::string_view area_code) {
  switch (LevelOf(area_code)) {
    case AreaLevel::kVillage:
      return v1::OWNER_LEVEL_VILLAGE;
    case AreaLevel::kTown:
      return v1::OWNER_LEVEL_TOWN;
    default:
      return v1::OWNER_LEVEL_COUNTY;
  }
}

v1::Timing TimingOf(const v1::LegalityReview& review) {
  if (review.used_date().empty() || !HasOpinion(review)) return v1::TIMING_UNSPECIFIED;
  const std::string& looked = review.passed() && !review.rechecks().empty()
                                  ? review.rechecks().rbegin()->check_date()
                                  : review.opinion_date();
  return looked <= review.used_date() ? v1::TIMING_BEFORE : v1::TIMING_AFTER;
}

}  // namespace

bool IsTextDigest(absl::string_view text) {
  return text.size() == kDigestLength && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::vector<v1::ReviewMaterial> ChecklistOf(v1::SubjectKind kind) {
  switch (kind) {
    case v1::SUBJECT_KIND_CONTRACT:
      return {v1::REVIEW_MATERIAL_DRAFT,    v1::REVIEW_MATERIAL_COUNTERPART,
              v1::REVIEW_MATERIAL_APPROVAL, v1::REVIEW_MATERIAL_BACKGROUND,
              v1::REVIEW_MATERIAL_BUDGET,   v1::REVIEW_MATERIAL_OWN_OPINION};
    case v1::SUBJECT_KIND_NORMATIVE_DOCUMENT:
      return {v1::REVIEW_MATERIAL_DRAFT, v1::REVIEW_MATERIAL_BASIS,
              v1::REVIEW_MATERIAL_CONSULTATION, v1::REVIEW_MATERIAL_OWN_OPINION,
              v1::REVIEW_MATERIAL_FAIR_COMPETITION};
    case v1::SUBJECT_KIND_MAJOR_DECISION:
      return {v1::REVIEW_MATERIAL_DRAFT,           v1::REVIEW_MATERIAL_BASIS,
              v1::REVIEW_MATERIAL_CONSULTATION,    v1::REVIEW_MATERIAL_EXPERT_OPINION,
              v1::REVIEW_MATERIAL_RISK_ASSESSMENT, v1::REVIEW_MATERIAL_OWN_OPINION};
    case v1::SUBJECT_KIND_ENFORCEMENT_DECISION:
      return {v1::REVIEW_MATERIAL_DRAFT, v1::REVIEW_MATERIAL_BASIS, v1::REVIEW_MATERIAL_EVIDENCE};
    default:
      return {v1::REVIEW_MATERIAL_DRAFT};
  }
}

bool MustPassBefore(v1::SubjectKind kind) {
  return kind == v1::SUBJECT_KIND_NORMATIVE_DOCUMENT || kind == v1::SUBJECT_KIND_MAJOR_DECISION ||
         kind == v1::SUBJECT_KIND_ENFORCEMENT_DECISION;
}

v1::LegalityReviewState StateOf(const v1::LegalityReview& review) {
  if (review.closing() != v1::CLOSING_UNSPECIFIED) return v1::LEGALITY_REVIEW_STATE_CLOSED;
  if (!review.used_date().empty()) return v1::LEGALITY_REVIEW_STATE_USED;
  if (review.adoption() != v1::ADOPTION_UNSPECIFIED) return v1::LEGALITY_REVIEW_STATE_REPLIED;
  if (HasOpinion(review)) return v1::LEGALITY_REVIEW_STATE_OPINED;
  const bool stands =
      std::any_of(review.pauses().begin(), review.pauses().end(),
                  [](const v1::ReviewPause& pause) { return pause.end_date().empty(); });
  return stands ? v1::LEGALITY_REVIEW_STATE_PAUSED : v1::LEGALITY_REVIEW_STATE_REVIEWING;
}

bool MayMove(v1::LegalityReviewState from, v1::LegalityReviewState to) {
  switch (from) {
    case v1::LEGALITY_REVIEW_STATE_REVIEWING:
    case v1::LEGALITY_REVIEW_STATE_PAUSED:
      return to != v1::LEGALITY_REVIEW_STATE_UNSPECIFIED;
    case v1::LEGALITY_REVIEW_STATE_OPINED:
    case v1::LEGALITY_REVIEW_STATE_REPLIED:
    case v1::LEGALITY_REVIEW_STATE_USED:
      return to >= from && to <= v1::LEGALITY_REVIEW_STATE_USED;
    case v1::LEGALITY_REVIEW_STATE_CLOSED:
      return to == v1::LEGALITY_REVIEW_STATE_CLOSED;
    default:
      return false;
  }
}

bool PassedBy(const v1::LegalityReview& review, absl::string_view day) {
  if (!HasOpinion(review) || review.opinion() == v1::OPINION_UNLAWFUL ||
      review.opinion_date() > day) {
    return false;
  }
  bool passed = review.opinion() == v1::OPINION_LAWFUL;
  for (const v1::Recheck& recheck : review.rechecks()) {
    if (recheck.check_date() <= day) passed = recheck.passed();
  }
  return passed;
}

const std::string& LastDigest(const v1::LegalityReview& review) {
  return review.rechecks().empty() ? review.text_digest()
                                   : review.rechecks().rbegin()->text_digest();
}

absl::Status DecideReview(const v1::LegalityReview* before, v1::LegalityReview& after,
                          absl::CivilDay today, bool may_opine, const WorkingCalendar& calendar) {
  const v1::LegalityReview none;
  if (!may_opine && OpinionDiffers(before == nullptr ? none : *before, after)) {
    return Fail(absl::StatusCode::kPermissionDenied, v1::REASON_REVIEW_ROLE,
                "the caller may not give an opinion");
  }
  FADU_RETURN_IF_ERROR(CheckMaterials(after));
  FADU_RETURN_IF_ERROR(CheckDigests(after));
  FADU_RETURN_IF_ERROR(CheckOpinion(after));
  FADU_RETURN_IF_ERROR(CheckDates(after, today));
  after.set_owner_level(OwnerOf(after.area_code()));
  after.set_working_days(HasOpinion(after) ? WorkingDaysTaken(after, calendar) : 0);
  after.set_passed(PassedBy(after, FormatDay(today)));
  after.set_timing(TimingOf(after));
  FADU_RETURN_IF_ERROR(CheckPace(after));
  FADU_RETURN_IF_ERROR(CheckReply(after));
  FADU_RETURN_IF_ERROR(CheckClosing(after));
  FADU_RETURN_IF_ERROR(CheckUse(after));
  after.set_state(StateOf(after));
  if (before != nullptr && !MayMove(StateOf(*before), after.state())) {
    return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_REVIEW_STATE,
                "the move is not in the state table",
                {{"from", LabelOf(StateOf(*before))}, {"to", LabelOf(after.state())}});
  }
  return absl::OkStatus();
}

void SetDue(v1::LegalityReview& review, const std::vector<v1::LocalTerm>& local,
            absl::CivilDay today, const WorkingCalendar& calendar) {
  const absl::CivilDay received = *ParseDay(review.received_date());
  Term term;
  switch (review.subject_kind()) {
    case v1::SUBJECT_KIND_NORMATIVE_DOCUMENT:
    case v1::SUBJECT_KIND_MAJOR_DECISION:
      term = {{kMostDays, DayUnit::kWorkingDays}, "国办发〔2018〕115号"};
      break;
    case v1::SUBJECT_KIND_CONTRACT:
      term = TermOn(v1::TERM_KIND_CONTRACT_REVIEW, received, local);
      break;
    case v1::SUBJECT_KIND_ENFORCEMENT_DECISION:
      term = TermOn(v1::TERM_KIND_ENFORCEMENT_REVIEW, received, local);
      break;
    default:
      term = TermOn(v1::TERM_KIND_OTHER_REVIEW, received, local);
      break;
  }
  const bool fixed = review.subject_kind() == v1::SUBJECT_KIND_NORMATIVE_DOCUMENT ||
                     review.subject_kind() == v1::SUBJECT_KIND_MAJOR_DECISION;
  if (review.complex() && !fixed) {
    const Term more = TermOn(v1::TERM_KIND_COMPLEX_EXTENSION, received, local);
    term.rule.amount += more.rule.amount;
    absl::StrAppend(&term.basis, "；复杂事项延长", more.rule.amount, "个工作日：", more.basis);
  }
  const auto due = DueOn(term.rule, received, PausesOf(review, today), calendar);
  if (!due.ok()) {
    (void)FADU_BUG("CheckDates lets no such pause pass");
    return;
  }
  review.set_due_date(FormatDay(due->due_on));
  review.set_due_provisional(due->provisional ||
                             review.state() == v1::LEGALITY_REVIEW_STATE_PAUSED);
  review.set_due_basis(absl::StrCat(term.rule.amount, "个工作日（", term.basis, "）"));
  review.set_late(HasOpinion(review) && !review.emergency() &&
                  review.opinion_date() > review.due_date());
}

}  // namespace fadu::legality
