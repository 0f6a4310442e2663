// services/education/domain/education_event.h
//
// The law of legal-education events, as pure functions over the record.
#ifndef FADU_SERVICES_EDUCATION_DOMAIN_EDUCATION_EVENT_H_
#define FADU_SERVICES_EDUCATION_DOMAIN_EDUCATION_EVENT_H_

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "absl/types/optional.h"
#include "common/base/civil_day.h"
#include "fadu/education/v1/education_event.pb.h"

namespace fadu::education {

// The days of `year` on which an event may be held for a campaign without a stated reason; nullopt
// for no campaign. A key date has a week on either side; the Civil Code month is May; Constitution
// week is set by notice each year between 29 November and 7 December (2021: 29 Nov–5 Dec; 2025:
// 1–7 Dec), and the window is that span with three more days.
absl::optional<DayRange> WindowOf(v1::Campaign campaign, int year);

// Decides whether `event` may be recorded on `today`.
//
// INVALID_ARGUMENT / REASON_CAMPAIGN_WINDOW  held outside its campaign's window without a remark
//                    (domain §2.7)
// INVALID_ARGUMENT / REASON_EVENT_IN_FUTURE  people, materials or consultations of an event that
//                    has not been held (domain §2.7)
absl::Status DecideEvent(const v1::EducationEvent& event, absl::CivilDay today);

}  // namespace fadu::education

#endif  // FADU_SERVICES_EDUCATION_DOMAIN_EDUCATION_EVENT_H_
