// common/db/migrate.h
//
// Schemas, roles and migrations: forward only, checksummed, one at a time under a lease row.
#ifndef FADU_COMMON_DB_MIGRATE_H_
#define FADU_COMMON_DB_MIGRATE_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/clock.h"

namespace fadu::db {

// One step. `sql` may hold several statements; {schema} and {role} are replaced. Steps with equal
// names must have equal text for ever (checksum).
struct Migration {
  std::string name;  // "0001_event_log"
  std::string sql;
};

// What one service owns in the database: schema `name`, role `fadu_<name>`.
struct ServiceSchema {
  std::string name;
  std::string role_password;  // for LOGIN; from the service's credential file
  std::vector<Migration> migrations;
};

// Brings one service's schema up to date as the administrator of `admin_dsn` (who may create
// roles and sees all rows): creates role (LOGIN, not owner, no BYPASSRLS) and schema if missing,
// then applies what is missing, each step in one transaction with lock_timeout 2 s.
//
// FAILED_PRECONDITION / REASON_INTEGRITY_BROKEN: an applied step's text differs, or the schema has
// steps this program does not know (it is newer). UNAVAILABLE: another process holds the lease
// (row in fadu_admin.lease with holder, fencing token and expiry; waits until `deadline`).
// Returns how many steps were applied.
absl::StatusOr<int> Migrate(absl::string_view admin_dsn, const ServiceSchema& schema,
                            const Clock& clock, absl::Time deadline);

// OK when every step is applied with the same checksum, whatever steps a newer program has added.
// FAILED_PRECONDITION / REASON_UNAVAILABLE naming the first missing step,
// FAILED_PRECONDITION / REASON_INTEGRITY_BROKEN when an applied step's text differs. Uses the
// service's own DSN.
absl::Status CheckMigrated(absl::string_view service_dsn, const ServiceSchema& schema);

// Replaces or adds keyword values of a libpq key/value connection string.
std::string WithDsn(absl::string_view dsn, absl::string_view key, absl::string_view value);

}  // namespace fadu::db

#endif  // FADU_COMMON_DB_MIGRATE_H_
