// services/mediation/domain/dispute.h
//
// The law of disputes (人民调解法 2010), as pure functions over the record.
#ifndef FADU_SERVICES_MEDIATION_DOMAIN_DISPUTE_H_
#define FADU_SERVICES_MEDIATION_DOMAIN_DISPUTE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "fadu/mediation/v1/dispute.pb.h"

namespace fadu::mediation {

// Where a dispute stands, from what is filled in: reopened by a breach until something has come of
// it, concluded when it has an outcome, accepted when it has an acceptance date, else found.
v1::DisputeState StateOf(const v1::Dispute& dispute);

// True when `from` may become `to`: forward moves, and corrections within a state. What is
// concluded stays concluded (its content may be corrected) unless a breach reopens it; what is
// accepted is not un-accepted.
//
//   from \ to   FOUND  ACCEPTED  CONCLUDED  REOPENED
//   (new)         x       x          x                 recorded at once, or from the ledger
//   FOUND         x       x          x
//   ACCEPTED              x          x
//   CONCLUDED                        x          x      only with a follow-up visit
//   REOPENED                         x          x
bool MayMove(v1::DisputeState from, v1::DisputeState to);

// Decides whether `after` may be recorded on `today`, given `before` (null on creation), and sets
// its state.
//
// INVALID_ARGUMENT / REASON_DISPUTE_ADMINISTRATIVE  an administrative dispute (invariant 32)
// INVALID_ARGUMENT / REASON_FIELD_INVALID           the area is neither a village nor a town
// INVALID_ARGUMENT / REASON_DISPUTE_DATES           not found ≤ accepted ≤ concluded ≤ today, or
//                    what comes after the agreement before it
// INVALID_ARGUMENT / REASON_DISPUTE_OUTCOME         outcome and its date, source and acceptance, or
//                    settlement and agreement do not come together; a termination without the
//                    notice of remedies (art. 26); performance, confirmation or breach without a
//                    settlement; enforcement of what no court confirmed (art. 33)
// FAILED_PRECONDITION / REASON_DISPUTE_STATE        the move is not in the table
absl::Status DecideDispute(const v1::Dispute* before, v1::Dispute& after, absl::CivilDay today);

// The fields of a dispute that a breach found on `day` (YYYY-MM-DD) sets: reopened on that day, one
// breach more, nothing come of it yet. The settlement stays one (domain §4.2).
v1::Dispute Reopened(const v1::Dispute& dispute, const std::string& day);

}  // namespace fadu::mediation

#endif  // FADU_SERVICES_MEDIATION_DOMAIN_DISPUTE_H_
