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
#include "fadu/registry/v1/records.pb.h"
#include "fadu/registry/v1/registry_service.pb.h"

namespace fadu::registry {

// How long a token holds. Roles taken away are gone after it at the latest.
inline constexpr absl::Duration kTokenLife = absl::Minutes(15);

// A new account as its creator wishes it. The message passed Rules.
//
// PERMISSION_DENIED / REASON_GRANT_DENIED with `item` (1-based), `area`, `problem`: outside the
// county or outside where `caller` administers; ROLE_SERVICE; a role of the county for less than a
// county; an administrator limited to an organisation.
// INVALID_ARGUMENT / REASON_LOGIN_INVALID; REASON_ACCOUNT_EXPIRED: the last day is before `today`.
absl::StatusOr<v1::Account> NewAccount(const Principal& caller, absl::string_view county,
                                       const v1::CreateAccountRequest& wish, absl::CivilDay today);

// A login as accounts may have: lower-case letters, digits, dot, underscore and hyphen, beginning
// with a letter, at most 40.
bool IsLogin(absl::string_view login);

// The first account of a county: its administrator, without end.
v1::Account FirstAdministrator(absl::string_view county, absl::string_view display_name,
                               absl::CivilDay today);

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
