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

// A secret that was given once.
struct StoredCredential {
  Credential credential;
  absl::optional<absl::Time> revoked_at;
  absl::optional<absl::Time> last_used_at;
  absl::optional<absl::Time> locked_until;
};

// By digest; nullopt when it is unknown.
absl::StatusOr<absl::optional<StoredCredential>> FindCredential(db::Transaction& transaction,
                                                                absl::string_view digest);
// It gave a token.
absl::Status UseCredential(db::Transaction& transaction, absl::string_view county,
                           absl::string_view digest, absl::Time now);
// A wrong secret that begins with `handle`: counts it against the secret it was meant for. Until
// when that is locked, now or already; nullopt when it is not, or when none was meant.
absl::StatusOr<absl::optional<absl::Time>> CountFailure(db::Transaction& transaction,
                                                        absl::string_view handle, absl::Time now);
// How an account's secrets were used.
struct CredentialUse {
  absl::optional<absl::Time> last_used_at;
  absl::optional<absl::Time> locked_until;
};
absl::StatusOr<std::map<Uuid, CredentialUse>> ReadCredentialUses(db::Transaction& transaction,
                                                                 absl::string_view county,
                                                                 const std::vector<Uuid>& accounts);
// Is there, or was there ever, an account?
absl::StatusOr<bool> HasCredential(db::Transaction& transaction);
// Stores what is kept of a secret.
absl::Status InsertCredential(db::Transaction& transaction, const Credential& credential,
                              absl::string_view secret, absl::Time now);
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

}  // namespace fadu::registry

#endif  // FADU_SERVICES_REGISTRY_STORE_H_
