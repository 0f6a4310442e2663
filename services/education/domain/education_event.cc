#include "services/education/domain/education_event.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/schema/reason.h"

namespace fadu::education {
namespace {

DayRange Around(absl::CivilDay day, int days) { return DayRange{day - days, day + days}; }

}  // namespace

absl::optional<DayRange> WindowOf(v1::Campaign campaign, int year) {
  switch (campaign) {
    case v1::CAMPAIGN_CONSUMER_DAY:
      return Around(absl::CivilDay(year, 3, 15), 7);
    case v1::CAMPAIGN_SECURITY_DAY:
      return Around(absl::CivilDay(year, 4, 15), 7);
    case v1::CAMPAIGN_CONSTITUTION_DAY:
      return DayRange{absl::CivilDay(year, 11, 29), absl::CivilDay(year, 12, 10)};
    case v1::CAMPAIGN_CIVIL_CODE_MONTH:
      return DayRange{absl::CivilDay(year, 5, 1), absl::CivilDay(year, 5, 31)};
    case v1::CAMPAIGN_ANTI_DRUG_DAY:
      return Around(absl::CivilDay(year, 6, 26), 7);
    default:
      return absl::nullopt;
  }
}

absl::Status DecideEvent(const v1::EducationEvent& event, absl::CivilDay today) {
  const absl::StatusOr<absl::CivilDay> held = ParseDay(event.held_date());
  if (!held.ok()) return FADU_BUG("the law ran before the rules");
  const bool counted =
      event.participants() > 0 || event.materials() > 0 || event.consultations() > 0;
  if (*held > today && counted) {
    return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_EVENT_IN_FUTURE,
                "the event has not been held", {{"date", event.held_date()}});
  }
  const absl::optional<DayRange> window =
      WindowOf(event.campaign(), static_cast<int>(held->year()));
  if (window.has_value() && !window->Contains(*held) && event.remark().empty()) {
    const auto* campaign = v1::Campaign_descriptor()->FindValueByNumber(event.campaign());
    return Fail(
        absl::StatusCode::kInvalidArgument, v1::REASON_CAMPAIGN_WINDOW,
        "held outside the campaign's window",
        {{"date", event.held_date()},
         {"campaign", campaign->options().GetExtension(::fadu::common::v1::label).zh()},
         {"window", absl::StrCat(FormatDay(window->first), "至", FormatDay(window->last))}});
  }
  return absl::OkStatus();
}

}  // namespace fadu::education
