// services/governance/domain/session.h
//
// The law of sessions and of the first responsible person's acts (domain §8.1), as pure functions.
#ifndef FADU_SERVICES_GOVERNANCE_DOMAIN_SESSION_H_
#define FADU_SERVICES_GOVERNANCE_DOMAIN_SESSION_H_

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "fadu/governance/v1/duty_act.pb.h"
#include "fadu/governance/v1/session.pb.h"

namespace fadu::governance {

// Decides whether a session may be recorded on `today`, and sets the kinds of its agenda and the
// sums of its issues.
//
// INVALID_ARGUMENT / REASON_FIELD_INVALID       the area is neither a village nor a town
// INVALID_ARGUMENT / REASON_GOVERNANCE_DATES    held after `today`
// INVALID_ARGUMENT / REASON_AGENDA_INCOMPLETE   more solved than studied; a first item or a study
//                    before the meeting without an item of study; a body or topic named twice
absl::Status DecideSession(v1::Session& session, absl::CivilDay today);

// True when an act of this kind takes place in a session and is proven by an item of its agenda.
bool NeedsSession(v1::DutyKind kind);
// The agenda item that proves it; for kinds that need a session.
v1::AgendaKind ProofOf(v1::DutyKind kind);

// Decides whether an act may be recorded on `today`.
//
// INVALID_ARGUMENT / REASON_FIELD_INVALID, REASON_GOVERNANCE_DATES as above
// INVALID_ARGUMENT / REASON_DUTY_UNPROVEN   a deployment, report or study without its session; an
//                    annotation or statement without its document
absl::Status DecideDutyAct(const v1::DutyAct& act, absl::CivilDay today);

// The session proves the act: held on the same day, with an item of the kind. One session may prove
// a deployment and a report heard only when it has an item of each (domain §8.1).
//
// FAILED_PRECONDITION / REASON_DUTY_UNPROVEN
absl::Status CheckProof(const v1::DutyAct& act, const v1::Session& session);

}  // namespace fadu::governance

#endif  // FADU_SERVICES_GOVERNANCE_DOMAIN_SESSION_H_
