#include "services/registry/domain/laws.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "common/base/civil_day.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/registry/v1/registry_service.pb.h"

namespace fadu::registry {
namespace {

// Digits and letters without I, O, S, V, Z.
constexpr absl::string_view kUsccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";
constexpr size_t kUsccLength = 18;

}  // namespace

bool IsUscc(absl::string_view code) {
  if (code.size() != kUsccLength) return false;
  size_t sum = 0;
  size_t weight = 1;  // 3^i mod 31
  for (size_t i = 0; i < kUsccLength; ++i) {
    const size_t value = kUsccAlphabet.find(code[i]);
    if (value == absl::string_view::npos) return false;
    if (i + 1 == kUsccLength) return value == (31 - sum % 31) % 31;
    sum += value * weight;
    weight = weight * 3 % 31;
  }
  return false;
}

absl::Status CheckOrganisation(const v1::Organisation& organisation) {
  if (organisation.uscc().empty() || IsUscc(organisation.uscc())) return absl::OkStatus();
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_USCC_INVALID,
              "not a unified social credit code", {{"uscc", organisation.uscc()}},
              {{"uscc", "校验不通过"}});
}

absl::Status CheckPerson(const v1::Person& person) {
  // Both are ISO dates by Rules, which order as text.
  if (person.end_date().empty() || person.end_date() >= person.start_date()) {
    return absl::OkStatus();
  }
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_PERSON_DATES,
              "the end is before the start",
              {{"start", person.start_date()}, {"end", person.end_date()}},
              {{"end_date", "不能早于任职日期"}});
}

absl::Status CheckDenominator(const v1::Denominator& denominator) {
  FADU_ASSIGN_OR_RETURN(const absl::CivilDay day, ParseDay(denominator.as_of_date()));
  if (std::llabs(day.year() - denominator.year()) <= 1) return absl::OkStatus();
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_DENOMINATOR_YEAR,
              "the year is not near the date",
              {{"year", absl::StrCat(denominator.year())}, {"date", denominator.as_of_date()}},
              {{"year", "与统计时点相差超过一年"}});
}

}  // namespace fadu::registry
