// common/db/pool.h
//
// PostgreSQL for everything but recording: a bounded pool, transactions with scope, rows and
// parameters. The only place (with group_writer) that knows a driver; no exception and no driver
// text leaves it.
#ifndef FADU_COMMON_DB_POOL_H_
#define FADU_COMMON_DB_POOL_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/base/id.h"

namespace fadu::db {

// A statement: text that came from a .sql file or from the composer, and its name (metric label).
// Statements from files are made by CMake: `db::Statement kFindArea{"find_area", "SELECT …"}`.
struct Statement {
  const char* name;
  absl::string_view sql;
};

// Parameters in order. Bytes are bound as bytea, times as timestamptz in UTC, days as date.
class Params {
 public:
  Params& Text(absl::string_view value);
  Params& Int(int64_t value);
  Params& Bool(bool value);
  Params& Bytes(absl::string_view value);
  Params& Id(const Uuid& value);
  Params& Time(absl::Time value);
  Params& Day(absl::CivilDay value);
  Params& Null();
  Params& TextArray(const std::vector<std::string>& values);
  Params& IdArray(const std::vector<Uuid>& values);
  Params& IntArray(const std::vector<int64_t>& values);
  Params& BytesArray(const std::vector<std::string>& values);
  const std::vector<absl::optional<std::string>>& values() const { return values_; }

 private:
  std::vector<absl::optional<std::string>> values_;
};

// One row, by column position in the SELECT. Reading a null or a value of another type is a bug
// (FADU_BUG, and a default value comes back).
class Row {
 public:
  // How the cells came: as text, or in PostgreSQL's binary form.
  enum class Form { kText, kBinary };
  explicit Row(std::vector<absl::optional<std::string>> cells, Form form = Form::kText)
      : cells_(std::move(cells)), form_(form) {}
  bool IsNull(size_t column) const { return !cells_[column].has_value(); }
  std::string Text(size_t column) const;
  int64_t Int(size_t column) const;
  bool Bool(size_t column) const;
  std::string Bytes(size_t column) const;
  Uuid Id(size_t column) const;
  absl::Time Time(size_t column) const;
  absl::CivilDay Day(size_t column) const;

 private:
  std::vector<absl::optional<std::string>> cells_;
  Form form_;
};

using Rows = std::vector<Row>;

// What a transaction may see, put in as literals (S-22). Row-level security fails closed: with
// nothing set, no row is seen.
struct Scope {
  std::vector<std::string> counties;  // six digits each
  std::vector<std::string> areas;     // subtrees, 6, 9 or 12 digits; empty: nothing
  static Scope WholeCounty(absl::string_view county) {
    return Scope{{std::string(county)}, {std::string(county)}};
  }
};

// An open transaction at READ COMMITTED. Not thread-safe.
class Transaction {
 public:
  virtual ~Transaction() = default;
  // Runs one statement. Errors: see ErrorOf in errors.h. After a failure nothing more is sent;
  // every later call returns the same failure. A NUL in a parameter is REASON_DATA_REFUSED.
  virtual absl::StatusOr<Rows> Run(const Statement& statement, const Params& params = {}) = 0;
  // Runs and returns the number of rows touched.
  virtual absl::StatusOr<int64_t> Execute(const Statement& statement,
                                          const Params& params = {}) = 0;
};

struct PoolOptions {
  std::string dsn;          // libpq connection string
  int connections = 8;      // opened when first needed
  std::string application;  // application_name
};

// A pool. Thread-safe.
class Pool {
 public:
  explicit Pool(PoolOptions options);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Runs `body` in one transaction and commits when it returns OK; rolls back otherwise.
  //
  // Waits for a connection until `deadline` (RESOURCE_EXHAUSTED / REASON_OVERLOADED); the
  // remaining time becomes statement_timeout. 40001, 40P01 and 55P03 are tried again with jitter,
  // as long as time is left; `body` then runs anew and must have no other effect. When COMMIT
  // itself fails, or the connection is lost inside `body`, the outcome is unknown: UNAVAILABLE /
  // REASON_UNAVAILABLE with metadata outcome=unknown, never retried here (S-17). UNAVAILABLE
  // without that metadata: no connection could be opened, nothing happened.
  absl::Status InTransaction(const Scope& scope, absl::Time deadline,
                             const std::function<absl::Status(Transaction&)>& body);

  // One read-only transaction; after a lost connection `body` runs once more, so it must begin by
  // clearing what it collects.
  absl::Status Read(const Scope& scope, absl::Time deadline,
                    const std::function<absl::Status(Transaction&)>& body);

  const std::string& dsn() const { return options_.dsn; }
  // In use now, and the bound; for gauges.
  int in_use() const;
  int size() const { return options_.connections; }

 private:
  struct Impl;
  PoolOptions options_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fadu::db

#endif  // FADU_COMMON_DB_POOL_H_
