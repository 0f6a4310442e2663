#include "services/legality/domain/normative_document.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/area_code.h"
#include "common/base/civil_day.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"
#include "fadu/legality/v1/reason.pb.h"
#include "services/legality/domain/legality_review.h"
#include "services/legality/domain/term.h"

namespace fadu::legality {
namespace {

// 优化营商环境条例 第62条: generally no shorter than 30 days.
constexpr int kConsultationDays = 30;
// 政府信息公开条例 第26条.
constexpr int kPublishWorkingDays = 20;

template <typename Enum>
std::string LabelOf(Enum value) {
  return google::protobuf::GetEnumDescriptor<Enum>()
      ->FindValueByNumber(value)
      ->options()
      .GetExtension(::fadu::common::v1::label)
      .zh();
}

absl::Status Dates(absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_DOCUMENT_DATES, "dates out of order",
              {{"problem", std::string(problem)}});
}

absl::Status NotYet(v1::DocumentState step, absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_DOCUMENT_STEP,
              "a step was taken without what it needs",
              {{"step", LabelOf(step)}, {"problem", std::string(problem)}});
}

absl::Status NoReview(absl::string_view problem) {
  return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_DOCUMENT_REVIEW,
              "the review does not serve", {{"problem", std::string(problem)}});
}

bool Passed(const v1::NormativeDocument& document) {
  return document.deliberation() == v1::DELIBERATION_PASSED ||
         document.deliberation() == v1::DELIBERATION_PASSED_WITH_CHANGES;
}

bool IsBeforeNumber(v1::DocumentState state) {
  return state >= v1::DOCUMENT_STATE_DRAFTED && state <= v1::DOCUMENT_STATE_DELIBERATED;
}

absl::Status CheckIssuer(const v1::NormativeDocument& document) {
  switch (document.issuer_kind()) {
    case v1::ISSUER_KIND_GOVERNMENT:
    case v1::ISSUER_KIND_GOVERNMENT_OFFICE:
    case v1::ISSUER_KIND_DEPARTMENT:
    case v1::ISSUER_KIND_AUTHORISED:
      break;
    default:
      return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_DOCUMENT_ISSUER,
                  "such a body may not issue", {{"issuer", LabelOf(document.issuer_kind())}});
  }
  const AreaLevel level = LevelOf(document.area_code());
  if (level == AreaLevel::kTown || level == AreaLevel::kCounty) return absl::OkStatus();
  constexpr char kProblem[] = "应为乡镇9位或县级6位区划代码";
  return Fail(absl::StatusCode::kInvalidArgument, ::fadu::common::v1::REASON_FIELD_INVALID,
              "towns and counties issue normative documents",
              {{"field", "area_code"}, {"problem", kProblem}}, {{"area_code", kProblem}});
}

// Steps in their order; an empty one was not taken. ISO dates compare as texts.
absl::Status CheckDates(const v1::NormativeDocument& document, absl::CivilDay today) {
  const std::string now = FormatDay(today);
  const struct {
    const char* name;
    const std::string& date;
  } steps[] = {{"立项", document.drafted_date()},  {"审议", document.deliberated_date()},
               {"签发", document.signed_date()},   {"登记", document.registered_date()},
               {"印发", document.issued_date()},   {"公布", document.published_date()},
               {"报送备案", document.filed_date()}};
  const auto* last = &steps[0];
  for (const auto& step : steps) {
    if (step.date.empty()) continue;
    if (step.date > now) return Dates(absl::StrCat(step.name, "日期在今天之后"));
    if (step.date < last->date) {
      return Dates(absl::StrCat(step.name, "日期早于", last->name, "日期"));
    }
    last = &step;
  }
  const struct {
    const char* name;
    const std::string& date;
    const char* after;
    const std::string& not_before;
  } others[] = {
      {"作废", document.voided_date(), "登记", document.registered_date()},
      {"终止", document.ended_date(), "公布", document.published_date()},
      {"评估", document.evaluated_date(), "公布", document.published_date()},
      {"延期公布", document.extended_date(), "评估", document.evaluated_date()},
      {"清理", document.cleanup_date(), "公布", document.published_date()},
      {"公平竞争审查", document.fair_competition_date(), "立项", document.drafted_date()}};
  for (const auto& [name, date, after, not_before] : others) {
    if (date.empty()) continue;
    if (date > now) return Dates(absl::StrCat(name, "日期在今天之后"));
    if (not_before.empty() || date < not_before) {
      return Dates(absl::StrCat(name, "日期须在", after, "日期之后"));
    }
  }
  if (document.consultation_start_date().empty() != document.consultation_end_date().empty() ||
      document.consultation_end_date() < document.consultation_start_date()) {
    return Dates("公开征求意见的起止日期有误");
  }
  return absl::OkStatus();
}

// What came before the meeting: consultation and fair competition where it touches business.
absl::Status CheckBeforeMeeting(const v1::NormativeDocument& document) {
  constexpr v1::DocumentState kStep = v1::DOCUMENT_STATE_DELIBERATED;
  if (!document.consultation_end_date().empty() &&
      document.consultation_end_date() > document.deliberated_date()) {
    return NotYet(kStep, "公开征求意见尚未结束");
  }
  if (!document.touches_business()) return absl::OkStatus();
  if (document.fair_competition_date().empty() ||
      document.fair_competition_date() > document.deliberated_date()) {
    return NotYet(kStep, "涉及经营主体的，审议前须通过公平竞争审查（公平竞争审查条例第十四条）");
  }
  const bool consulted =
      !document.consultation_start_date().empty() &&
      *ParseDay(document.consultation_end_date()) - *ParseDay(document.consultation_start_date()) >=
          kConsultationDays;
  if (!consulted && document.consultation_reason().empty()) {
    return NotYet(kStep,
                  "与经营主体密切相关的，公开征求意见一般不少于30日，缩短或不征求的须说明理由"
                  "（优化营商环境条例第六十二条）");
  }
  return absl::OkStatus();
}

absl::Status CheckMeeting(const v1::NormativeDocument& document) {
  constexpr v1::DocumentState kStep = v1::DOCUMENT_STATE_DELIBERATED;
  const bool met = document.deliberation() != v1::DELIBERATION_UNSPECIFIED;
  if (met != !document.deliberated_date().empty() || met != !document.meeting().empty()) {
    return NotYet(kStep, "审议结果、日期和会议须同时填写");
  }
  if (!met) return absl::OkStatus();
  if (document.review().empty()) return NotYet(kStep, "未经合法性审查不得提交审议");
  return CheckBeforeMeeting(document);
}

// Chinese characters only (潘政规), so that the number reads one way only.
bool IsSymbol(absl::string_view symbol) {
  constexpr int kFirst = 0x4E00;
  constexpr int kLast = 0x9FFF;
  if (symbol.empty() || symbol.size() % 3 != 0) return false;
  for (size_t i = 0; i < symbol.size(); i += 3) {
    const auto bits = [&](size_t at, int mask) {
      return static_cast<unsigned char>(symbol[i + at]) & mask;
    };
    if (bits(0, 0xF0) != 0xE0) return false;
    const int code = bits(0, 0x0F) << 12 | bits(1, 0x3F) << 6 | bits(2, 0x3F);
    if (code < kFirst || code > kLast) return false;
  }
  return true;
}

absl::Status CheckRegistration(const v1::NormativeDocument& document) {
  constexpr v1::DocumentState kStep = v1::DOCUMENT_STATE_NUMBERED;
  if (!document.signed_date().empty() && !Passed(document)) {
    return NotYet(kStep, "审议通过后才能签发");
  }
  if (!document.text_digest().empty() && !IsTextDigest(document.text_digest())) {
    return NotYet(kStep, "正式文本摘要应为64位小写十六进制（SHA-256）");
  }
  if (document.registered_date().empty()) return absl::OkStatus();
  if (!Passed(document)) return NotYet(kStep, "未经审议通过");
  if (document.signed_date().empty()) return NotYet(kStep, "未经主要负责人签发");
  if (document.registrar().empty()) return NotYet(kStep, "缺登记人");
  if (document.text_digest().empty()) return NotYet(kStep, "缺正式文本摘要");
  if (!IsSymbol(document.symbol())) return NotYet(kStep, "机关代字应为汉字，如“潘政规”");
  return absl::OkStatus();
}

absl::Status CheckAfterNumber(const v1::NormativeDocument& document) {
  if (!document.issued_date().empty() && document.registered_date().empty()) {
    return NotYet(v1::DOCUMENT_STATE_ISSUED, "未按规定登记编号的，一律不得印发");
  }
  const bool voided = !document.voided_date().empty();
  if (voided != !document.void_reason().empty()) {
    return NotYet(v1::DOCUMENT_STATE_VOIDED, "作废日期与原因须同时填写");
  }
  if (voided && !document.issued_date().empty()) {
    return NotYet(v1::DOCUMENT_STATE_VOIDED, "已印发的只能废止，不能作废编号");
  }
  if (!document.published_date().empty()) {
    if (document.issued_date().empty()) return NotYet(v1::DOCUMENT_STATE_PUBLISHED, "尚未印发");
    if (document.effective_date().empty() || document.expiry_date().empty()) {
      return NotYet(v1::DOCUMENT_STATE_PUBLISHED, "公布时须明确施行日期和失效日期");
    }
  }
  if (!document.filed_date().empty() && document.published_date().empty()) {
    return NotYet(v1::DOCUMENT_STATE_FILED, "公布后报送备案");
  }
  if (document.filing_result() != v1::FILING_RESULT_UNSPECIFIED && document.filed_date().empty()) {
    return NotYet(v1::DOCUMENT_STATE_FILED, "报送后才有备案结果");
  }
  if ((document.end_kind() != v1::END_KIND_UNSPECIFIED) != !document.ended_date().empty()) {
    return NotYet(v1::DOCUMENT_STATE_ENDED, "终止方式与日期须同时填写");
  }
  return absl::OkStatus();
}

absl::Status CheckDetermination(const v1::NormativeDocument& document) {
  const bool determined = document.determination() != v1::DETERMINATION_UNSPECIFIED;
  if (determined != !document.determination_reason().empty()) {
    return NotYet(v1::DOCUMENT_STATE_DRAFTED, "性质认定须填写理由");
  }
  const bool goes_on = !document.review().empty() || !document.registered_date().empty();
  if (goes_on && document.determination() != v1::DETERMINATION_NORMATIVE) {
    return NotYet(v1::DOCUMENT_STATE_REVIEWED, "须先认定属于规范性文件");
  }
  return absl::OkStatus();
}

absl::CivilDay YearsAfter(const std::string& day, int years) {
  const absl::CivilDay start = *ParseDay(day);
  return absl::CivilDay(start.year() + years, start.month(), start.day());
}

absl::Status CheckValidity(const v1::NormativeDocument* before, const v1::NormativeDocument& after,
                           absl::CivilDay today) {
  if (after.effective_date().empty() || after.expiry_date().empty()) return absl::OkStatus();
  if (!after.issued_date().empty() && after.effective_date() < after.issued_date()) {
    return Dates("施行日期早于印发日期");
  }
  if (after.expiry_date() <= after.effective_date()) return Dates("失效日期须在施行日期之后");
  // An extension counts anew from its own publication.
  const std::string& from =
      after.extended_date().empty() ? after.effective_date() : after.extended_date();
  const int years = MostYears(after.title());
  if (*ParseDay(after.expiry_date()) > YearsAfter(from, years)) {
    return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_DOCUMENT_VALIDITY,
                "in force for too long", {{"years", absl::StrCat(years)}});
  }
  if (before == nullptr || before->expiry_date().empty() ||
      after.expiry_date() <= before->expiry_date()) {
    return absl::OkStatus();
  }
  if (before->published_date().empty()) return absl::OkStatus();
  if (FormatDay(today) >= before->expiry_date() || after.extended_date() >= before->expiry_date()) {
    return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_DOCUMENT_LAPSED,
                "what has lapsed is not extended", {{"date", before->expiry_date()}});
  }
  if (after.extended_date() == before->extended_date()) {
    return NotYet(v1::DOCUMENT_STATE_PUBLISHED, "延长有效期须评估并重新公布");
  }
  return absl::OkStatus();
}

// What the number stands on does not change any more.
absl::Status CheckKept(const v1::NormativeDocument* before, const v1::NormativeDocument& after) {
  if (before == nullptr || before->registered_date().empty()) return absl::OkStatus();
  const bool kept = before->symbol() == after.symbol() && before->issuer() == after.issuer() &&
                    before->title() == after.title() && before->area_code() == after.area_code() &&
                    before->signed_date() == after.signed_date() &&
                    before->registered_date() == after.registered_date() &&
                    before->text_digest() == after.text_digest() &&
                    before->review() == after.review() &&
                    before->deliberation() == after.deliberation() &&
                    before->determination() == after.determination();
  if (kept) return absl::OkStatus();
  return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_NUMBER_KEPT,
              "what the number stands on was changed",
              {{"number", before->document_number()},
               {"problem", "制定机关、标题、代字、签发、登记、审查、审议和文本不能再改"}});
}

}  // namespace

v1::DocumentState StateOf(const v1::NormativeDocument& document) {
  if (!document.voided_date().empty()) return v1::DOCUMENT_STATE_VOIDED;
  if (!document.ended_date().empty()) return v1::DOCUMENT_STATE_ENDED;
  if (!document.filed_date().empty()) return v1::DOCUMENT_STATE_FILED;
  if (!document.published_date().empty()) return v1::DOCUMENT_STATE_PUBLISHED;
  if (!document.issued_date().empty()) return v1::DOCUMENT_STATE_ISSUED;
  if (!document.registered_date().empty()) return v1::DOCUMENT_STATE_NUMBERED;
  if (Passed(document)) return v1::DOCUMENT_STATE_DELIBERATED;
  if (!document.review().empty()) return v1::DOCUMENT_STATE_REVIEWED;
  if (document.determination() == v1::DETERMINATION_NOT_NORMATIVE) {
    return v1::DOCUMENT_STATE_SCREENED_OUT;
  }
  return v1::DOCUMENT_STATE_DRAFTED;
}

bool MayMove(v1::DocumentState from, v1::DocumentState to) {
  if (IsBeforeNumber(from)) return to != v1::DOCUMENT_STATE_UNSPECIFIED;
  switch (from) {
    case v1::DOCUMENT_STATE_NUMBERED:
      return to >= from;
    case v1::DOCUMENT_STATE_ISSUED:
    case v1::DOCUMENT_STATE_PUBLISHED:
    case v1::DOCUMENT_STATE_FILED:
    case v1::DOCUMENT_STATE_ENDED:
      return to >= from && to <= v1::DOCUMENT_STATE_ENDED;
    case v1::DOCUMENT_STATE_VOIDED:
      return to == v1::DOCUMENT_STATE_VOIDED;
    default:
      return false;
  }
}

std::string NumberText(absl::string_view symbol, int year, int ordinal) {
  return absl::StrCat(symbol, "〔", year, "〕", ordinal, "号");
}

bool IsInForce(const v1::NormativeDocument& document, absl::CivilDay day) {
  const std::string on = FormatDay(day);
  return !document.published_date().empty() && document.published_date() <= on &&
         document.effective_date() <= on && on < document.expiry_date() &&
         (document.ended_date().empty() || on < document.ended_date());
}

int MostYears(absl::string_view title) {
  return absl::StrContains(title, "暂行") || absl::StrContains(title, "试行") ? 2 : 5;
}

absl::Status DecideDocument(const v1::NormativeDocument* before, v1::NormativeDocument& after,
                            absl::CivilDay today) {
  FADU_RETURN_IF_ERROR(CheckIssuer(after));
  FADU_RETURN_IF_ERROR(CheckKept(before, after));
  FADU_RETURN_IF_ERROR(CheckDetermination(after));
  FADU_RETURN_IF_ERROR(CheckMeeting(after));
  FADU_RETURN_IF_ERROR(CheckRegistration(after));
  FADU_RETURN_IF_ERROR(CheckAfterNumber(after));
  FADU_RETURN_IF_ERROR(CheckDates(after, today));
  FADU_RETURN_IF_ERROR(CheckValidity(before, after, today));
  after.set_state(StateOf(after));
  if (before != nullptr && !MayMove(StateOf(*before), after.state())) {
    return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_DOCUMENT_STATE,
                "the move is not in the state table",
                {{"from", LabelOf(StateOf(*before))}, {"to", LabelOf(after.state())}});
  }
  return absl::OkStatus();
}

absl::Status CheckReviewOf(const v1::NormativeDocument& document, const v1::LegalityReview* found,
                           bool counts) {
  // What lies elsewhere is not told from what does not exist.
  if (found == nullptr || found->area_code() != document.area_code()) {
    return NoReview("该地没有这条审查记录");
  }
  const v1::LegalityReview& review = *found;
  if (review.subject_kind() != v1::SUBJECT_KIND_NORMATIVE_DOCUMENT) {
    return NoReview("不是规范性文件的审查");
  }
  if (!counts) return NoReview("审查记录尚未确认");
  if (!review.passed()) return NoReview("审查未通过");
  const auto same = [](absl::string_view a, absl::string_view b) {
    return absl::StripAsciiWhitespace(a) == absl::StripAsciiWhitespace(b);
  };
  if (same(document.drafter(), review.reviewer()) ||
      same(document.registrar(), review.reviewer()) ||
      same(document.registrar(), document.drafter())) {
    return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_DOCUMENT_SEPARATION,
                "drafter, reviewer and registrar are three persons");
  }
  if (!document.deliberated_date().empty() && !PassedBy(review, document.deliberated_date())) {
    return NoReview("审议时审查尚未通过");
  }
  if (document.signed_date().empty()) return absl::OkStatus();
  const std::string& looked =
      review.rechecks().empty() ? review.opinion_date() : review.rechecks().rbegin()->check_date();
  if (looked > document.signed_date()) return NoReview("签发后才复核");
  if (document.deliberation() == v1::DELIBERATION_PASSED_WITH_CHANGES &&
      looked < document.deliberated_date()) {
    return NoReview("审议中的修改未经复核");
  }
  if (!document.registered_date().empty() && document.text_digest() != LastDigest(review)) {
    return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_TEXT_CHANGED,
                "the registered text is not the one last reviewed");
  }
  return absl::OkStatus();
}

absl::Status SetDue(const v1::NormativeDocument* before, v1::NormativeDocument& after,
                    const std::vector<v1::LocalTerm>& local, const WorkingCalendar& calendar) {
  after.clear_publish_due_date();
  after.clear_filing_due_date();
  after.clear_filing_basis();
  if (!after.issued_date().empty()) {
    const absl::CivilDay issued = *ParseDay(after.issued_date());
    const absl::CivilDay from =
        after.published_date().empty() ? issued : *ParseDay(after.published_date());
    const Term filing = TermOn(v1::TERM_KIND_FILING, from, local);
    FADU_ASSIGN_OR_RETURN(
        const Deadline publish,
        DueOn({kPublishWorkingDays, DayUnit::kWorkingDays}, issued, {}, calendar));
    FADU_ASSIGN_OR_RETURN(const Deadline file, DueOn(filing.rule, from, {}, calendar));
    after.set_publish_due_date(FormatDay(publish.due_on));
    after.set_filing_due_date(FormatDay(file.due_on));
    after.set_filing_basis(filing.basis);
  }
  const bool publish_late =
      !after.published_date().empty() && after.published_date() > after.publish_due_date();
  const bool filing_late =
      !after.filed_date().empty() && after.filed_date() > after.filing_due_date();
  const auto undone = [](const char* what) {
    return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_LATE_STAYS_LATE,
                "late stays late", {{"problem", what}});
  };
  if (before != nullptr) {
    const bool same_dates = before->issued_date() == after.issued_date() &&
                            before->published_date() == after.published_date() &&
                            before->filed_date() == after.filed_date();
    if (before->publish_late() && !publish_late && !same_dates) return undone("逾期公布");
    if (before->filing_late() && !filing_late && !same_dates) return undone("逾期备案");
  }
  // With the same dates a term that was loaded since does not take lateness back.
  after.set_publish_late(publish_late || (before != nullptr && before->publish_late()));
  after.set_filing_late(filing_late || (before != nullptr && before->filing_late()));
  return absl::OkStatus();
}

}  // namespace fadu::legality
