// services/enforcement/domain/certificate.h
//
// The law of enforcement certificates (行政执法证, domain §7.1), as pure functions.
#ifndef FADU_SERVICES_ENFORCEMENT_DOMAIN_CERTIFICATE_H_
#define FADU_SERVICES_ENFORCEMENT_DOMAIN_CERTIFICATE_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "fadu/enforcement/v1/certificate.pb.h"
#include "fadu/enforcement/v1/officer.pb.h"
#include "fadu/enforcement/v1/training.pb.h"

namespace fadu::enforcement {

// A certificate is valid for at most so many years (湖南, 吴桥; domain §7.1).
inline constexpr int kValidYears = 5;

// Where a certificate stands by what its record says; expiry is a matter of the day (IsValidOn).
v1::CertificateState StateOf(const v1::EnforcementCertificate& certificate);

// Gives the power to enforce on `day`: issued by then, not expired, not suspended, revoked or
// cancelled by then. Without anybody's act a certificate is invalid the day after expire_date.
bool IsValidOn(const v1::EnforcementCertificate& certificate, absl::CivilDay day);

//   from \ to   VALID  SUSPENDED  REVOKED  CANCELLED
//   (new)         x
//   VALID         x        x         x         x
//   SUSPENDED     x        x         x         x
//   REVOKED                          x                corrections only
//   CANCELLED                                  x      corrections only
bool MayMove(v1::CertificateState from, v1::CertificateState to);

// Decides whether `after` may be recorded on `today`, given `before` (null on creation), and sets
// its state.
//
// INVALID_ARGUMENT / REASON_FIELD_INVALID       the area is neither a village nor a town
// INVALID_ARGUMENT / REASON_CERTIFICATE_TERM    not issued < expires ≤ issued + 5 years
// INVALID_ARGUMENT / REASON_OFFICER_DATES       issue, check, suspension or end in the future or
//                    before the issue; an end without its reason, or a reason without an end
// FAILED_PRECONDITION / REASON_CERTIFICATE_FIXED  number, officer, term or renewal changed
// FAILED_PRECONDITION / REASON_CERTIFICATE_STATE  the move is not in the table
absl::Status DecideCertificate(const v1::EnforcementCertificate* before,
                               v1::EnforcementCertificate& after, absl::CivilDay today);

// What the county's rows say about a new certificate (invariants 38 and 39). `trainings` are the
// officer's, `others` the officer's certificates.
//
// FAILED_PRECONDITION / REASON_STAFF_INELIGIBLE   the officer is no formal staff
// FAILED_PRECONDITION / REASON_NOT_QUALIFIED      not in post, an exam not passed, or no training
//                       held by the day of issue
// FAILED_PRECONDITION / REASON_CERTIFICATE_HELD   another certificate of the officer is valid on
//                       the day of issue and is not the one renewed
absl::Status DecideIssue(const v1::EnforcementCertificate& certificate,
                         const v1::EnforcementOfficer& officer,
                         const std::vector<v1::OfficerTraining>& trainings,
                         const std::vector<v1::EnforcementCertificate>& others,
                         const v1::EnforcementCertificate* renewed);

// Nobody holds two certificates: on `day`, none of `others` is valid but the one with the number
// `renewed` (empty: none).
//
// FAILED_PRECONDITION / REASON_CERTIFICATE_HELD
absl::Status CheckHeldAlone(const std::vector<v1::EnforcementCertificate>& others,
                            absl::string_view renewed, absl::CivilDay day);

}  // namespace fadu::enforcement

#endif  // FADU_SERVICES_ENFORCEMENT_DOMAIN_CERTIFICATE_H_
