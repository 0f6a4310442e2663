// services/governance/domain/shortcoming.h
//
// The law of shortcomings and of the plan that answers them (domain §8.6), as pure functions.
#ifndef FADU_SERVICES_GOVERNANCE_DOMAIN_SHORTCOMING_H_
#define FADU_SERVICES_GOVERNANCE_DOMAIN_SHORTCOMING_H_

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "fadu/governance/v1/plan_item.pb.h"
#include "fadu/governance/v1/shortcoming.pb.h"

namespace fadu::governance {

// Where a shortcoming stands: the furthest step whose content is there.
v1::ShortcomingState StateOf(const v1::Shortcoming& shortcoming);

// True when `from` may become `to`: any step forward, and corrections within a step. What is
// verified is not taken back; what is closed or carried over only comes back as REOPENED, and
// REOPENED ends in CLOSED or CARRIED_OVER again.
bool MayMove(v1::ShortcomingState from, v1::ShortcomingState to);

// Decides whether `after` may be recorded on `today`, given `before` (null on creation), and sets
// its state.
//
// INVALID_ARGUMENT / REASON_FIELD_INVALID             the area is neither a village nor a town
// INVALID_ARGUMENT / REASON_GOVERNANCE_DATES          not found ≤ started ≤ self-checked ≤ verified
//                    ≤ closed ≤ reopened, or in the future
// INVALID_ARGUMENT / REASON_SHORTCOMING_INCOMPLETE    a step without the one before it: owner and
//                    due date before work, self-check before verification, verification before
//                    closing; the owner verifies the own work
// FAILED_PRECONDITION / REASON_GOVERNANCE_STATE       the move is not in the table
absl::Status DecideShortcoming(const v1::Shortcoming* before, v1::Shortcoming& after,
                               absl::CivilDay today);

// Where a plan item stands: DONE with its date, DROPPED with its reason, else PLANNED.
v1::PlanState StateOf(const v1::PlanItem& item);

// Decides whether a plan item may be recorded on `today`, and sets its state. An item that was done
// or dropped stays so.
//
// INVALID_ARGUMENT / REASON_FIELD_INVALID, REASON_GOVERNANCE_DATES as above
// INVALID_ARGUMENT / REASON_PLAN_INCOMPLETE       due outside its year, done and dropped at once,
// or
//                    one shortcoming named twice
// FAILED_PRECONDITION / REASON_GOVERNANCE_STATE   not PLANNED any more
absl::Status DecidePlanItem(const v1::PlanItem* before, v1::PlanItem& after, absl::CivilDay today);

}  // namespace fadu::governance

#endif  // FADU_SERVICES_GOVERNANCE_DOMAIN_SHORTCOMING_H_
