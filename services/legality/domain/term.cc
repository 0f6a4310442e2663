#include "services/legality/domain/term.h"

#include "absl/strings/str_cat.h"
#include "common/base/area_code.h"
#include "common/base/civil_day.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/legality/v1/reason.pb.h"

namespace fadu::legality {
namespace {

Term Default(v1::TermKind kind) {
  if (kind == v1::TERM_KIND_FILING) {
    return {{15, DayUnit::kCalendarDays}, "各地通行的15日（国办发〔2018〕37号要求报送备案）"};
  }
  return {{5, DayUnit::kWorkingDays}, "各地通行的5个工作日"};
}

absl::Status Invalid(absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_TERM_INVALID,
              "a local term without sense", {{"problem", std::string(problem)}});
}

// ISO dates compare as texts; Rules have checked their form.
bool InForceOn(const v1::LocalTerm& term, absl::string_view day) {
  return term.start_date() <= day && (term.end_date().empty() || day <= term.end_date());
}

}  // namespace

Term TermOn(v1::TermKind kind, absl::CivilDay day, const std::vector<v1::LocalTerm>& local) {
  const std::string on = FormatDay(day);
  for (const v1::LocalTerm& term : local) {
    if (term.kind() != kind || !InForceOn(term, on)) continue;
    const DayUnit unit =
        term.unit() == v1::TERM_UNIT_CALENDAR_DAYS ? DayUnit::kCalendarDays : DayUnit::kWorkingDays;
    return {{term.days(), unit}, term.basis()};
  }
  return Default(kind);
}

absl::Status CheckTerm(const v1::LocalTerm& term) {
  if (LevelOf(term.area_code()) != AreaLevel::kCounty) return Invalid("适用地区应为县级");
  if (!term.end_date().empty() && term.end_date() < term.start_date()) {
    return Invalid("终止日期早于施行日期");
  }
  if (term.kind() != v1::TERM_KIND_FILING && term.unit() != v1::TERM_UNIT_WORKING_DAYS) {
    return Invalid("审查时限按工作日计算");
  }
  return absl::OkStatus();
}

absl::Status CheckOverlap(const v1::LocalTerm& term, const std::vector<v1::LocalTerm>& others) {
  for (const v1::LocalTerm& other : others) {
    if (other.kind() != term.kind()) continue;
    // Two spans meet when the later of their first days lies in both.
    const std::string& later = std::max(term.start_date(), other.start_date());
    if (!InForceOn(term, later) || !InForceOn(other, later)) continue;
    return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_TERM_OVERLAP,
                "another local term is in force then", {{"start", other.start_date()}});
  }
  return absl::OkStatus();
}

}  // namespace fadu::legality
