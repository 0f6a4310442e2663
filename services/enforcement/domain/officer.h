// services/enforcement/domain/officer.h
//
// The law of enforcement officers and their training (domain §7.1), as pure functions.
#ifndef FADU_SERVICES_ENFORCEMENT_DOMAIN_OFFICER_H_
#define FADU_SERVICES_ENFORCEMENT_DOMAIN_OFFICER_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "fadu/enforcement/v1/officer.pb.h"
#include "fadu/enforcement/v1/training.pb.h"

namespace fadu::enforcement {

// Where an officer stands: LEFT with a day of leaving, QUALIFIED with both exams, else CANDIDATE.
v1::OfficerState StateOf(const v1::EnforcementOfficer& officer);

// Formal staff alone can be qualified: civil servants and staff of public institutions. Workers,
// contract, temporary and auxiliary staff assist under command (国办发〔2024〕54号).
bool MayBeQualified(v1::StaffKind kind);

// Decides whether `officer` may be recorded on `today`, and sets its state.
//
// INVALID_ARGUMENT / REASON_FIELD_INVALID      the area is neither a village nor a town
// INVALID_ARGUMENT / REASON_OFFICER_DATES      posted ≤ left ≤ today; exams not in the future
// FAILED_PRECONDITION / REASON_STAFF_INELIGIBLE  an exam of someone who cannot be qualified
absl::Status DecideOfficer(v1::EnforcementOfficer& officer, absl::CivilDay today);

// INVALID_ARGUMENT / REASON_FIELD_INVALID, REASON_OFFICER_DATES: held after `today`.
absl::Status DecideTraining(const v1::OfficerTraining& training, absl::CivilDay today);

}  // namespace fadu::enforcement

#endif  // FADU_SERVICES_ENFORCEMENT_DOMAIN_OFFICER_H_
