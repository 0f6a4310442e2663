// services/mediation/domain/team.h
//
// The law of task forces (工作专班) and five-person safety groups (五人平安小组), domain §3.1,
// §3.2, as pure functions over the records.
#ifndef FADU_SERVICES_MEDIATION_DOMAIN_TEAM_H_
#define FADU_SERVICES_MEDIATION_DOMAIN_TEAM_H_

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "fadu/mediation/v1/team.pb.h"

namespace fadu::mediation {

// Both decide whether `after` may be recorded on `today`, given `before` (null on creation), and
// set state, member_roles and, for task forces, member_count.
//
// A team is ACTIVE until its dissolved_date, DISSOLVED from then on, and is not revived.
//
// INVALID_ARGUMENT / REASON_FIELD_INVALID        a task force of a village, a group of no village
//                    REASON_TEAM_INCOMPLETE      the same person twice; a group of other than five;
//                                                dissolved without a reason
//                    REASON_TEAM_DATES           in the future, or dissolved before it was set up
// FAILED_PRECONDITION / REASON_TEAM_DISSOLVED
absl::Status DecideTaskForce(const v1::TaskForce* before, v1::TaskForce& after,
                             absl::CivilDay today);
absl::Status DecideSafetyGroup(const v1::SafetyGroup* before, v1::SafetyGroup& after,
                               absl::CivilDay today);

}  // namespace fadu::mediation

#endif  // FADU_SERVICES_MEDIATION_DOMAIN_TEAM_H_
