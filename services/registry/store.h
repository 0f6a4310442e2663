// services/registry/store.h
//
// The registry's own tables: areas, aliases, credentials, the bootstrap secret. Each function is
// one or a few statements of an open transaction.
#ifndef FADU_SERVICES_REGISTRY_STORE_H_
#define FADU_SERVICES_REGISTRY_STORE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/base/id.h"
#include "common/db/pool.h"
#include "services/registry/domain/area_import.h"
#include "services/registry/domain/sign_in.h"

namespace fadu::registry {

// ---- Areas -------------------------------------------------------------------------------------

// Everything an import of this county is compared with.
absl::StatusOr<KnownAreas> ReadKnownAreas(db::Transaction& transaction, absl::string_view county);

// Takes the county's tree for this transaction: imports of one county follow each other.
absl::Status LockAreaTree(db::Transaction& transaction, absl::string_view county);

// Who imports what.
struct AreaImport {
  Uuid id;
  std::string county;
  absl::CivilDay as_of;
  std::string source;
  std::string digest;  // of the file
  absl::Time now;
  std::string actor;
};

// Writes a plan that has changes. ABORTED / REASON_CONFLICT: what it was compared with has changed.
absl::Status WriteAreaPlan(db::Transaction& transaction, const AreaPlan& plan,
                           const AreaImport& import);

// The county and what is above it on one day, by code.
absl::StatusOr<std::vector<AreaSpan>> ReadAreasOn(db::Transaction& transaction,
                                                  absl::string_view county, absl::CivilDay day);

// Other and former names of the county's areas by code, sorted.
absl::StatusOr<std::map<std::string, std::vector<std::string>>> ReadAreaNames(
    db::Transaction& transaction, absl::string_view county);

// An area as it last was; nullopt when there never was one.
absl::StatusOr<absl::optional<AreaSpan>> FindArea(db::Transaction& transaction,
                                                  absl::string_view code);

// An area that a name may mean.
struct NamedArea {
  std::string code;
  bool in_force = false;
};

// The areas of a county that have, had or may be called by `name`, by code.
absl::StatusOr<std::vector<NamedArea>> FindAreasByName(db::Transaction& transaction,
                                                       absl::string_view county,
                                                       absl::string_view name);

absl::Status InsertAlias(db::Transaction& transaction, absl::string_view code,
                         absl::string_view alias, absl::Time now, absl::string_view actor);

// ---- Secrets -----------------------------------------------------------------------------------

// Whose secret it is.
struct Credential {
  std::string county;
  Uuid account;
};

// By digest; nullopt when it is unknown or revoked.
absl::StatusOr<absl::optional<Credential>> FindCredential(db::Transaction& transaction,
                                                          absl::string_view digest);
// Is there, or was there ever, an account?
absl::StatusOr<bool> HasCredential(db::Transaction& transaction);
absl::Status InsertCredential(db::Transaction& transaction, const Credential& credential,
                              absl::string_view digest, absl::Time now);
absl::Status RevokeCredentials(db::Transaction& transaction, const Credential& credential,
                               absl::Time now);

// The stored bootstrap secret.
struct StoredBootstrap {
  std::string digest;
  bool consumed = false;
};
absl::StatusOr<absl::optional<StoredBootstrap>> FindBootstrap(db::Transaction& transaction);
// Stores the digest, in place of one that was not used.
absl::Status PutBootstrap(db::Transaction& transaction, absl::string_view digest, absl::Time now);
// Uses the secret up; false when it is another or was used.
absl::StatusOr<bool> ConsumeBootstrap(db::Transaction& transaction, absl::string_view digest,
                                      const Credential& credential, absl::Time now);

// ---- Passwords and sessions --------------------------------------------------------------------

absl::Status PutPasswordSecret(db::Transaction& transaction, const Credential& credential,
                               absl::string_view digest, absl::Time expires_at);
// A one-time secret for setting a password.
struct StoredPasswordSecret {
  Credential credential;
  absl::Time expires_at;
};
absl::StatusOr<absl::optional<StoredPasswordSecret>> FindPasswordSecret(
    db::Transaction& transaction, absl::string_view digest);
// The hash of an account's password; "" when it has none.
absl::StatusOr<std::string> FindPassword(db::Transaction& transaction,
                                         const Credential& credential);
// Uses the secret up; false when it is another or was used.
absl::StatusOr<bool> SetPasswordBySecret(db::Transaction& transaction, const Credential& credential,
                                         absl::string_view digest, absl::string_view hash,
                                         absl::Time now);
// In place of the hash `before`; false when it is another by now.
absl::StatusOr<bool> ReplacePassword(db::Transaction& transaction, const Credential& credential,
                                     absl::string_view before, absl::string_view hash,
                                     absl::Time now);

// Failures of a login, by its digest, locked until the end of the transaction.
absl::StatusOr<Failures> LockFailures(db::Transaction& transaction, absl::string_view county,
                                      absl::string_view login_digest, absl::Time now);
absl::Status WriteFailures(db::Transaction& transaction, absl::string_view county,
                           absl::string_view login_digest, const Failures& failures);
absl::Status ForgetFailures(db::Transaction& transaction, absl::string_view county,
                            absl::string_view login_digest);
absl::Status ForgetOldFailures(db::Transaction& transaction, absl::string_view county,
                               absl::Time before);

struct StoredSession {
  Credential credential;
  absl::Time created_at;
  absl::Time seen_at;
};
absl::Status InsertSession(db::Transaction& transaction, const Credential& credential,
                           absl::string_view digest, absl::Time now);
// By digest; nullopt when there is none or it was ended.
absl::StatusOr<absl::optional<StoredSession>> FindSession(db::Transaction& transaction,
                                                          absl::string_view digest);
absl::Status SeeSession(db::Transaction& transaction, absl::string_view digest, absl::Time now);
absl::Status EndSession(db::Transaction& transaction, absl::string_view digest, absl::Time now);
absl::Status EndSessions(db::Transaction& transaction, const Credential& credential,
                         absl::Time now);
absl::Status ForgetOldSessions(db::Transaction& transaction, const Credential& credential,
                               absl::Time before);

}  // namespace fadu::registry

#endif  // FADU_SERVICES_REGISTRY_STORE_H_
