// services/mediation/domain/follow_up_visit.h
//
// The law of follow-up visits (人民调解法 art. 31; domain §3.4, §4.2), as pure functions over the
// records.
#ifndef FADU_SERVICES_MEDIATION_DOMAIN_FOLLOW_UP_VISIT_H_
#define FADU_SERVICES_MEDIATION_DOMAIN_FOLLOW_UP_VISIT_H_

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "common/base/working_calendar.h"
#include "fadu/mediation/v1/dispute.pb.h"
#include "fadu/mediation/v1/follow_up_visit.pb.h"

namespace fadu::mediation {

// Decides whether `after` may be recorded on `today`, given `before` (null on creation).
//
// INVALID_ARGUMENT / REASON_VISIT_DATES       in the future
// FAILED_PRECONDITION / REASON_VISIT_DISPUTE  the visit was moved to another dispute
// FAILED_PRECONDITION / REASON_VISIT_BREACH   a breach was taken back: the dispute was reopened by
// it
absl::Status DecideVisit(const v1::FollowUpVisit* before, const v1::FollowUpVisit& after,
                         absl::CivilDay today);

// Decides whether the visit may be one of `found` (null when there is none), the `ordinal`th, and
// sets what follows from that: ordinal, category, due_date, late. The first visit is due 15
// calendar days after the last day for performance, or after the settlement where none was agreed
// (T19; LOCAL).
//
// FAILED_PRECONDITION / REASON_VISIT_DISPUTE  none, which one in another place is too; not settled
// INVALID_ARGUMENT / REASON_VISIT_DATES       before the settlement
//                    REASON_VISIT_BREACH      a breach of what was performed on the spot, or before
//                                             its last day
absl::Status DecideVisitOf(const v1::Dispute* found, int ordinal, v1::FollowUpVisit& visit,
                           const WorkingCalendar& calendar);

}  // namespace fadu::mediation

#endif  // FADU_SERVICES_MEDIATION_DOMAIN_FOLLOW_UP_VISIT_H_
