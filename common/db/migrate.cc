#include "common/db/migrate.h"

#include <unistd.h>

#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "common/base/digest.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "common/db/pool.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"

namespace fadu::db {
namespace {

namespace v1 = ::fadu::common::v1;
constexpr absl::Duration kLease = absl::Seconds(60);

constexpr Statement kMakeAdmin{
    "make_admin",
    "CREATE SCHEMA IF NOT EXISTS fadu_admin; "
    "CREATE TABLE IF NOT EXISTS fadu_admin.lease ("
    "  name text NOT NULL, holder text NOT NULL, token bigint NOT NULL,"
    "  expires_at timestamptz NOT NULL, CONSTRAINT lease_pkey PRIMARY KEY (name))"};
// Taken when it is free, expired or ours; the token counts takings, so an old holder is fenced.
constexpr Statement kTakeLease{
    "take_lease",
    "INSERT INTO fadu_admin.lease AS l (name, holder, token, expires_at) VALUES ($1, $2, 1, $4) "
    "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, token = l.token + 1, "
    "expires_at = excluded.expires_at WHERE l.expires_at < $3 OR l.holder = $2 RETURNING token"};
constexpr Statement kHoldLease{
    "hold_lease",
    "UPDATE fadu_admin.lease SET expires_at = $4 WHERE name = $1 AND holder = $2 AND token = $3"};
// The row stays: its token must never count backwards.
constexpr Statement kDropLease{"drop_lease",
                               "UPDATE fadu_admin.lease SET expires_at = '-infinity' "
                               "WHERE name = $1 AND holder = $2 AND token = $3"};
constexpr Statement kLockTimeout{"lock_timeout", "SET LOCAL lock_timeout = '2s'"};
constexpr Statement kFindRole{"find_role", "SELECT 1 FROM pg_roles WHERE rolname = $1"};
constexpr Statement kFindTable{"find_table", "SELECT to_regclass($1) IS NOT NULL"};
constexpr char kListApplied[] = "SELECT name, checksum FROM {schema}.migration ORDER BY name";

std::string Fill(absl::string_view sql, const ServiceSchema& schema) {
  return absl::StrReplaceAll(
      sql, {{"{schema}", schema.name}, {"{role}", absl::StrCat("fadu_", schema.name)}});
}

std::string ChecksumOf(const Migration& migration) { return Hex(Sha256(migration.sql)); }

bool IsIdentifier(absl::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == absl::string_view::npos;
}

absl::Status Altered(const ServiceSchema& schema, absl::string_view what) {
  return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_INTEGRITY_BROKEN,
              absl::StrCat("schema ", schema.name, ": ", what),
              {{"where", absl::StrCat(schema.name, " ", what)}});
}

enum class Newer { kAllowed, kRefused };

// The steps of `rows` (name, checksum), each with the text this program knows.
absl::StatusOr<std::set<std::string>> CompareApplied(const ServiceSchema& schema, const Rows& rows,
                                                     Newer newer) {
  std::map<std::string, std::string> known;
  std::set<std::string> applied;
  for (const Migration& migration : schema.migrations) {
    known[migration.name] = ChecksumOf(migration);
  }
  for (const Row& row : rows) {
    const auto found = known.find(row.Text(0));
    if (found == known.end()) {
      if (newer == Newer::kAllowed) continue;
      return Altered(schema, absl::StrCat("step ", row.Text(0),
                                          " is unknown to this program; the database is newer"));
    }
    if (found->second != row.Text(1)) {
      return Altered(schema, absl::StrCat("step ", row.Text(0), " was applied with another text"));
    }
    applied.insert(row.Text(0));
  }
  return applied;
}

class Migrator {
 public:
  Migrator(Pool& pool, const ServiceSchema& schema, const Clock& clock, absl::Time deadline)
      : pool_(pool), schema_(schema), clock_(clock), deadline_(deadline) {
    holder_ = absl::StrCat(getpid(), "-", Hex(RandomBytes(8)));
  }

  absl::StatusOr<int> Run() {
    FADU_RETURN_IF_ERROR(TakeLease());
    absl::StatusOr<int> applied = Apply();
    const absl::Status dropped = InOne([&](Transaction& transaction) {
      return transaction.Execute(kDropLease, Params().Text(schema_.name).Text(holder_).Int(token_))
          .status();
    });
    if (applied.ok() && !dropped.ok()) return dropped;
    return applied;
  }

 private:
  // Waits for no lock longer than two seconds, so that nobody queues behind us; the pool tries
  // again.
  absl::Status InOne(const std::function<absl::Status(Transaction&)>& body) {
    return pool_.InTransaction(Scope{}, deadline_, [&](Transaction& transaction) -> absl::Status {
      FADU_RETURN_IF_ERROR(transaction.Execute(kLockTimeout).status());
      return body(transaction);
    });
  }

  absl::Status HeldByAnother() const {
    return Fail(absl::StatusCode::kUnavailable, v1::REASON_UNAVAILABLE,
                absl::StrCat("another program is migrating schema ", schema_.name));
  }

  absl::Status TakeLease() {
    while (true) {
      // Two programs may make the admin schema at once; the loser sees it made and goes on.
      absl::Status made =
          InOne([&](Transaction& transaction) { return transaction.Execute(kMakeAdmin).status(); });
      if (made.code() == absl::StatusCode::kAlreadyExists) made = absl::OkStatus();
      FADU_RETURN_IF_ERROR(made);
      const absl::Status asked = InOne([&](Transaction& transaction) -> absl::Status {
        const absl::Time now = clock_.Now();
        FADU_ASSIGN_OR_RETURN(
            const Rows rows,
            transaction.Run(
                kTakeLease,
                Params().Text(schema_.name).Text(holder_).Time(now).Time(now + kLease)));
        token_ = rows.empty() ? 0 : rows[0].Int(0);
        return absl::OkStatus();
      });
      // A step that runs holds the row's lock.
      if (asked.code() == absl::StatusCode::kAborted ||
          asked.code() == absl::StatusCode::kDeadlineExceeded) {
        return HeldByAnother();
      }
      FADU_RETURN_IF_ERROR(asked);
      if (token_ != 0) return absl::OkStatus();
      if (absl::Now() + absl::Milliseconds(100) >= deadline_) return HeldByAnother();
      absl::SleepFor(absl::Milliseconds(100));
    }
  }

  absl::StatusOr<int> Apply() {
    FADU_RETURN_IF_ERROR(InOne([&](Transaction& transaction) { return MakeSchema(transaction); }));
    std::set<std::string> applied;
    const std::string list = Fill(kListApplied, schema_);
    FADU_RETURN_IF_ERROR(InOne([&](Transaction& transaction) -> absl::Status {
      FADU_ASSIGN_OR_RETURN(const Rows rows, transaction.Run(Statement{"list_applied", list}));
      FADU_ASSIGN_OR_RETURN(applied, CompareApplied(schema_, rows, Newer::kRefused));
      return absl::OkStatus();
    }));
    int count = 0;
    for (const Migration& migration : schema_.migrations) {
      if (applied.count(migration.name) > 0) continue;
      FADU_RETURN_IF_ERROR(ApplyStep(migration));
      ++count;
    }
    return count;
  }

  absl::Status MakeSchema(Transaction& transaction) {
    const std::string role = absl::StrCat("fadu_", schema_.name);
    FADU_ASSIGN_OR_RETURN(const Rows roles, transaction.Run(kFindRole, Params().Text(role)));
    // A password of ours is base64url: nothing in it needs escaping.
    const std::string password = absl::StrReplaceAll(schema_.role_password, {{"'", "''"}});
    const std::string make_role =
        absl::StrCat(roles.empty() ? "CREATE ROLE " : "ALTER ROLE ", role,
                     " LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD '", password,
                     "'; ALTER ROLE ", role, " SET search_path = ", schema_.name);
    const std::string make_schema = Fill(
        "CREATE SCHEMA IF NOT EXISTS {schema}; REVOKE ALL ON SCHEMA {schema} FROM PUBLIC; "
        "GRANT USAGE ON SCHEMA {schema} TO {role}; "
        "CREATE TABLE IF NOT EXISTS {schema}.migration (name text NOT NULL, checksum text NOT "
        "NULL, "
        "applied_at timestamptz NOT NULL, CONSTRAINT migration_pkey PRIMARY KEY (name)); "
        "GRANT SELECT ON {schema}.migration TO {role}",
        schema_);
    FADU_RETURN_IF_ERROR(transaction.Execute(Statement{"make_role", make_role}).status());
    return transaction.Execute(Statement{"make_schema", make_schema}).status();
  }

  // Each step in one transaction, tried again while a lock is not to be had.
  absl::Status ApplyStep(const Migration& migration) {
    const std::string sql = Fill(migration.sql, schema_);
    const std::string record = Fill(
        "INSERT INTO {schema}.migration (name, checksum, applied_at) VALUES ($1, $2, $3)", schema_);
    return InOne([&](Transaction& transaction) -> absl::Status {
      const absl::Time now = clock_.Now();
      FADU_ASSIGN_OR_RETURN(
          const int64_t held,
          transaction.Execute(
              kHoldLease,
              Params().Text(schema_.name).Text(holder_).Int(token_).Time(now + kLease)));
      if (held != 1) {
        return Fail(absl::StatusCode::kUnavailable, v1::REASON_UNAVAILABLE,
                    "the migration lease was lost");
      }
      FADU_RETURN_IF_ERROR(transaction.Execute(Statement{"migration", sql}).status());
      return transaction
          .Execute(Statement{"record_migration", record},
                   Params().Text(migration.name).Text(ChecksumOf(migration)).Time(now))
          .status();
    });
  }

  Pool& pool_;
  const ServiceSchema& schema_;
  const Clock& clock_;
  const absl::Time deadline_;
  std::string holder_;
  int64_t token_ = 0;
};

}  // namespace

absl::StatusOr<int> Migrate(absl::string_view admin_dsn, const ServiceSchema& schema,
                            const Clock& clock, absl::Time deadline) {
  if (!IsIdentifier(schema.name)) return FADU_BUG("a schema's name is not an identifier");
  Pool pool(PoolOptions{std::string(admin_dsn), 1, "fadu migrate"});
  return Migrator(pool, schema, clock, deadline).Run();
}

absl::Status CheckMigrated(absl::string_view service_dsn, const ServiceSchema& schema) {
  Pool pool(PoolOptions{std::string(service_dsn), 1, "fadu check"});
  std::set<std::string> applied;
  const std::string table = Fill("{schema}.migration", schema);
  const std::string list = Fill(kListApplied, schema);
  FADU_RETURN_IF_ERROR(pool.Read(
      Scope{}, absl::Now() + absl::Seconds(30), [&](Transaction& transaction) -> absl::Status {
        FADU_ASSIGN_OR_RETURN(const Rows found, transaction.Run(kFindTable, Params().Text(table)));
        if (!found[0].Bool(0)) return absl::OkStatus();
        FADU_ASSIGN_OR_RETURN(const Rows rows, transaction.Run(Statement{"list_applied", list}));
        // Every release runs on the schema of the one after it.
        FADU_ASSIGN_OR_RETURN(applied, CompareApplied(schema, rows, Newer::kAllowed));
        return absl::OkStatus();
      }));
  for (const Migration& migration : schema.migrations) {
    if (applied.count(migration.name) == 0) {
      return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_UNAVAILABLE,
                  absl::StrCat("schema ", schema.name, " lacks step ", migration.name,
                               "; run fadu migrate"));
    }
  }
  return absl::OkStatus();
}

std::string WithDsn(absl::string_view dsn, absl::string_view key, absl::string_view value) {
  // The last of equal keywords wins in libpq, so adding replaces.
  return absl::StrCat(dsn, dsn.empty() ? "" : " ", key, "='",
                      absl::StrReplaceAll(value, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

}  // namespace fadu::db
