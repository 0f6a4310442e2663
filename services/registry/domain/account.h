// services/registry/domain/account.h
//
// Accounts: who may give what, and what an account's token says.
#ifndef FADU_SERVICES_REGISTRY_DOMAIN_ACCOUNT_H_
#define FADU_SERVICES_REGISTRY_DOMAIN_ACCOUNT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/base/call.h"
#include "common/base/id.h"
#include "fadu/common/v1/token.pb.h"
#include "fadu/registry/v1/account.pb.h"
#include "fadu/registry/v1/registry_service.pb.h"

namespace fadu::registry {

// How many days a client's account may last, counted from the day it is made: two years.
inline constexpr int kClientDays = 731;

// How long a token holds. Roles taken away are gone after it at the latest.
inline constexpr absl::Duration kTokenLife = absl::Minutes(15);

// A new account as its creator wishes it. The message passed Rules.
//
// PERMISSION_DENIED / REASON_GRANT_DENIED with `item` (1-based), `area`, `problem`: outside the
// county or outside where `caller` administers; ROLE_SERVICE; a role of the county for less than a
// county; an administrator that is limited; a client with another role than ROLE_DEPARTMENT.
// INVALID_ARGUMENT / REASON_LOGIN_INVALID; REASON_ACCOUNT_EXPIRED: the last day is before `today`;
// REASON_CLIENT_EXPIRY: a client without a last day, or with one over kClientDays ahead.
absl::StatusOr<v1::Account> NewAccount(const Principal& caller, absl::string_view county,
                                       const v1::CreateAccountRequest& wish, absl::CivilDay today);

// The first account of a county: its administrator, without end.
v1::Account FirstAdministrator(absl::string_view county, absl::string_view display_name,
                               absl::CivilDay today);

// Usable, expired or disabled, which comes first; locks are of secrets.
v1::AccountState StateOf(const v1::Account& account, absl::CivilDay today);

// Neither disabled nor expired.
bool IsUsable(const v1::Account& account, absl::CivilDay today);

// Usable, and may administer the county.
bool Administers(const v1::Account& account, absl::string_view county, absl::CivilDay today);

// What a token of the account says; it expires 15 minutes after `now`, or with the account's last
// day when that is earlier.
fadu::common::v1::Identity IdentityOf(const v1::Account& account, const Uuid& id, absl::Time now);

// accounts/{uuid}
std::string SubjectOf(const Uuid& id);

}  // namespace fadu::registry

#endif  // FADU_SERVICES_REGISTRY_DOMAIN_ACCOUNT_H_
