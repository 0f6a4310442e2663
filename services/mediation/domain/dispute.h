// services/mediation/domain/dispute.h
//
// The law of disputes (人民调解法 2010), as pure functions over the record.
#ifndef FADU_SERVICES_MEDIATION_DOMAIN_DISPUTE_H_
#define FADU_SERVICES_MEDIATION_DOMAIN_DISPUTE_H_

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "fadu/mediation/v1/dispute.pb.h"

namespace fadu::mediation {

// Where a dispute stands, from its dates: concluded when it has an outcome, accepted when it has an
// acceptance date, else found.
v1::DisputeState StateOf(const v1::Dispute& dispute);

// True when `from` may become `to`: forward moves, and corrections within a state. What is
// concluded stays concluded (its content may be corrected); what is accepted is not un-accepted.
//
//   from \ to   FOUND  ACCEPTED  CONCLUDED
//   (new)         x       x          x      recorded at once, or afterwards from the ledger
//   FOUND         x       x          x
//   ACCEPTED              x          x
//   CONCLUDED                        x
bool MayMove(v1::DisputeState from, v1::DisputeState to);

// Decides whether `after` may be recorded on `today`, given `before` (null on creation), and sets
// its state.
//
// INVALID_ARGUMENT / REASON_DISPUTE_ADMINISTRATIVE  an administrative dispute (invariant 32)
// INVALID_ARGUMENT / REASON_FIELD_INVALID           the area is neither a village nor a town
// INVALID_ARGUMENT / REASON_DISPUTE_DATES           not found ≤ accepted ≤ concluded ≤ today
// INVALID_ARGUMENT / REASON_DISPUTE_OUTCOME         outcome and its date, source and acceptance, or
//                    settlement and agreement do not come together; a termination without the
//                    notice of remedies (art. 26)
// FAILED_PRECONDITION / REASON_DISPUTE_STATE        the move is not in the table
absl::Status DecideDispute(const v1::Dispute* before, v1::Dispute& after, absl::CivilDay today);

}  // namespace fadu::mediation

#endif  // FADU_SERVICES_MEDIATION_DOMAIN_DISPUTE_H_
