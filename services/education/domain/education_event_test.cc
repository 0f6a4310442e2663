#include "services/education/domain/education_event.h"

#include <gtest/gtest.h>

#include "common/base/status.h"

namespace fadu::education {
namespace {

const absl::CivilDay kToday(2024, 12, 31);

v1::EducationEvent EventOn(const std::string& date, v1::Campaign campaign) {
  v1::EducationEvent event;
  event.set_area_code("421221106200");
  event.set_held_date(date);
  event.set_title("普法宣传");
  event.set_campaign(campaign);
  event.add_venues(v1::VENUE_VILLAGE);
  event.add_forms(v1::FORM_LEAFLET);
  event.set_participants(30);
  return event;
}

std::string ReasonFor(const v1::EducationEvent& event) {
  return ReasonOf(DecideEvent(event, kToday));
}

// The founding report's three key dates.
TEST(EducationEvent, KeyDatesThemselvesAreInTheirWindows) {
  EXPECT_EQ(ReasonFor(EventOn("2024-03-15", v1::CAMPAIGN_CONSUMER_DAY)), "");
  EXPECT_EQ(ReasonFor(EventOn("2024-04-15", v1::CAMPAIGN_SECURITY_DAY)), "");
  EXPECT_EQ(ReasonFor(EventOn("2024-12-04", v1::CAMPAIGN_CONSTITUTION_DAY)), "");
}

// Constitution week as the notices of 2021 and 2025 set it (domain §2.3).
TEST(EducationEvent, ConstitutionWeeksOfEarlierNoticesAreInTheWindow) {
  for (const auto& [year, first, last] :
       {std::tuple(2021, 1129, 1205), std::tuple(2025, 1201, 1207)}) {
    const DayRange window = *WindowOf(v1::CAMPAIGN_CONSTITUTION_DAY, year);
    EXPECT_TRUE(window.Contains(absl::CivilDay(year, first / 100, first % 100)));
    EXPECT_TRUE(window.Contains(absl::CivilDay(year, last / 100, last % 100)));
  }
}

TEST(EducationEvent, OutsideTheWindowNeedsAReason) {
  v1::EducationEvent event = EventOn("2024-07-15", v1::CAMPAIGN_CONSUMER_DAY);
  EXPECT_EQ(ReasonFor(event), "REASON_CAMPAIGN_WINDOW");
  event.set_remark("因防汛推迟");
  EXPECT_EQ(ReasonFor(event), "");
}

TEST(EducationEvent, CivilCodeMonthIsMay) {
  EXPECT_EQ(ReasonFor(EventOn("2024-05-01", v1::CAMPAIGN_CIVIL_CODE_MONTH)), "");
  EXPECT_EQ(ReasonFor(EventOn("2024-05-31", v1::CAMPAIGN_CIVIL_CODE_MONTH)), "");
  EXPECT_EQ(ReasonFor(EventOn("2024-06-01", v1::CAMPAIGN_CIVIL_CODE_MONTH)),
            "REASON_CAMPAIGN_WINDOW");
}

TEST(EducationEvent, WithoutACampaignAnyDayWillDo) {
  EXPECT_EQ(ReasonFor(EventOn("2024-08-08", v1::CAMPAIGN_UNSPECIFIED)), "");
}

// Domain §2.7: no participants of an event that has not taken place.
TEST(EducationEvent, PeopleOfAFutureEventAreRefused) {
  v1::EducationEvent event = EventOn("2025-01-01", v1::CAMPAIGN_UNSPECIFIED);
  EXPECT_EQ(ReasonFor(event), "REASON_EVENT_IN_FUTURE");
  event.set_participants(0);
  EXPECT_EQ(ReasonFor(event), "");
}

}  // namespace
}  // namespace fadu::education
