#include "common/db/pool.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include <pqxx/pqxx>

#include "absl/random/random.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/base/civil_day.h"
#include "common/base/status.h"
#include "common/db/errors.h"
#include "common/db/migrate.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"

namespace fadu::db {
namespace {

namespace v1 = ::fadu::common::v1;

std::string TimeText(absl::Time at) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%E6S+00", at, absl::UTCTimeZone());
}

std::string BytesText(absl::string_view bytes) {
  return absl::StrCat("\\x", absl::BytesToHexString(bytes));
}

std::string Quoted(absl::string_view item) {
  std::string text = "\"";
  for (const char c : item) {
    if (c == '"' || c == '\\') text.push_back('\\');
    text.push_back(c);
  }
  text.push_back('"');
  return text;
}

// What a driver exception means; the statement's name for the log.
absl::Status ErrorFrom(const std::exception& error, absl::string_view statement) {
  if (const auto* sql = dynamic_cast<const pqxx::sql_error*>(&error); sql != nullptr) {
    // Row-level security's refusal comes without a SQLSTATE in this driver.
    if (sql->sqlstate().empty() && dynamic_cast<const pqxx::broken_connection*>(&error) == nullptr) {
      const absl::string_view what = sql->what();
      const bool refused = what.find("row-level security") != absl::string_view::npos;
      return ErrorOf(refused ? "42501" : "XX000", "", statement, what);
    }
    // The constraint's name stands in the message in double quotes; the driver has no other way.
    std::string constraint;
    const std::string what = sql->what();
    if (const size_t at = what.find("constraint \""); at != std::string::npos) {
      const size_t begin = at + 12;
      constraint = what.substr(begin, what.find('"', begin) - begin);
    }
    return ErrorOf(sql->sqlstate(), constraint, statement, what);
  }
  if (dynamic_cast<const pqxx::deadlock_detected*>(&error) != nullptr) {
    return ErrorOf("40P01", "", statement, error.what());
  }
  if (dynamic_cast<const pqxx::serialization_failure*>(&error) != nullptr ||
      dynamic_cast<const pqxx::transaction_rollback*>(&error) != nullptr) {
    return ErrorOf("40001", "", statement, error.what());
  }
  if (dynamic_cast<const pqxx::broken_connection*>(&error) != nullptr ||
      dynamic_cast<const pqxx::in_doubt_error*>(&error) != nullptr) {
    return ErrorOf("08006", "", statement, error.what());
  }
  return ErrorOf("42000", "", statement, error.what());
}

absl::Status PoolExhausted() {
  return Fail(absl::StatusCode::kResourceExhausted, v1::REASON_OVERLOADED,
              "no database connection became free in time");
}

// Codes as they may stand in a literal: digits and commas only.
absl::StatusOr<std::string> ScopeLiteral(const std::vector<std::string>& codes) {
  const std::string text = absl::StrJoin(codes, ",");
  if (text.find_first_not_of("0123456789,") != std::string::npos) {
    return FADU_BUG("a scope holds something that is not a code");
  }
  return text;
}

class PqxxTransaction : public Transaction {
 public:
  explicit PqxxTransaction(pqxx::nontransaction& work) : work_(work) {}

  absl::StatusOr<Rows> Run(const Statement& statement, const Params& params) override {
    FADU_ASSIGN_OR_RETURN(const pqxx::result result, Exec(statement, params));
    Rows rows;
    rows.reserve(result.size());
    for (const auto& row : result) {
      std::vector<absl::optional<std::string>> cells;
      cells.reserve(row.size());
      for (const auto& field : row) {
        if (field.is_null()) {
          cells.emplace_back();
        } else {
          cells.emplace_back(std::string(field.c_str(), field.size()));
        }
      }
      rows.emplace_back(std::move(cells));
    }
    return rows;
  }

  absl::StatusOr<int64_t> Execute(const Statement& statement, const Params& params) override {
    FADU_ASSIGN_OR_RETURN(const pqxx::result result, Exec(statement, params));
    return static_cast<int64_t>(result.affected_rows());
  }

  bool failed() const { return failed_; }
  bool lost() const { return lost_; }
  bool retry() const { return retry_; }

 private:
  absl::StatusOr<pqxx::result> Exec(const Statement& statement, const Params& params) {
    try {
      const std::string sql(statement.sql);
      if (params.values().empty()) return work_.exec(sql);
      std::vector<const char*> values;
      values.reserve(params.values().size());
      for (const auto& value : params.values()) {
        values.push_back(value.has_value() ? value->c_str() : nullptr);
      }
      return work_.exec_params(sql, pqxx::prepare::make_dynamic_params(values));
    } catch (const std::exception& error) {
      const absl::Status status = ErrorFrom(error, statement.name);
      failed_ = true;
      lost_ = lost_ || status.code() == absl::StatusCode::kUnavailable;
      retry_ = retry_ || status.code() == absl::StatusCode::kAborted;
      return status;
    }
  }

  pqxx::nontransaction& work_;
  bool failed_ = false;
  bool lost_ = false;
  bool retry_ = false;
};

}  // namespace

// ---- parameters and rows -----------------------------------------------------------------------

Params& Params::Text(absl::string_view value) {
  values_.emplace_back(std::string(value));
  return *this;
}
Params& Params::Int(int64_t value) {
  values_.emplace_back(absl::StrCat(value));
  return *this;
}
Params& Params::Bool(bool value) {
  values_.emplace_back(value ? "true" : "false");
  return *this;
}
Params& Params::Bytes(absl::string_view value) {
  values_.emplace_back(BytesText(value));
  return *this;
}
Params& Params::Id(const Uuid& value) {
  values_.emplace_back(value.ToString());
  return *this;
}
Params& Params::Time(absl::Time value) {
  values_.emplace_back(TimeText(value));
  return *this;
}
Params& Params::Day(absl::CivilDay value) {
  values_.emplace_back(FormatDay(value));
  return *this;
}
Params& Params::Null() {
  values_.emplace_back();
  return *this;
}
Params& Params::TextArray(const std::vector<std::string>& values) {
  std::vector<std::string> items;
  for (const std::string& value : values) items.push_back(Quoted(value));
  values_.emplace_back(absl::StrCat("{", absl::StrJoin(items, ","), "}"));
  return *this;
}
Params& Params::IdArray(const std::vector<Uuid>& values) {
  std::vector<std::string> items;
  for (const Uuid& value : values) items.push_back(value.ToString());
  values_.emplace_back(absl::StrCat("{", absl::StrJoin(items, ","), "}"));
  return *this;
}
Params& Params::IntArray(const std::vector<int64_t>& values) {
  values_.emplace_back(absl::StrCat("{", absl::StrJoin(values, ","), "}"));
  return *this;
}
Params& Params::BytesArray(const std::vector<std::string>& values) {
  std::vector<std::string> items;
  for (const std::string& value : values) items.push_back(Quoted(BytesText(value)));
  values_.emplace_back(absl::StrCat("{", absl::StrJoin(items, ","), "}"));
  return *this;
}

namespace {

const std::string& CellOf(const std::vector<absl::optional<std::string>>& cells, size_t column) {
  static const std::string* const empty = new std::string;
  if (column < cells.size() && cells[column].has_value()) return *cells[column];
  (void)FADU_BUG("a cell that is null or not there was read");
  return *empty;
}

}  // namespace

std::string Row::Text(size_t column) const { return CellOf(cells_, column); }

int64_t Row::Int(size_t column) const {
  int64_t value = 0;
  if (!absl::SimpleAtoi(CellOf(cells_, column), &value)) (void)FADU_BUG("a cell is not a number");
  return value;
}

bool Row::Bool(size_t column) const { return CellOf(cells_, column) == "t"; }

std::string Row::Bytes(size_t column) const {
  const std::string& text = CellOf(cells_, column);
  if (text.size() < 2 || text[0] != '\\' || text[1] != 'x') {
    (void)FADU_BUG("a cell is not bytea");
    return "";
  }
  return absl::HexStringToBytes(absl::string_view(text).substr(2));
}

Uuid Row::Id(size_t column) const {
  const absl::StatusOr<Uuid> id = Uuid::Parse(CellOf(cells_, column));
  if (id.ok()) return *id;
  (void)FADU_BUG("a cell is not a uuid");
  return Uuid();
}

absl::Time Row::Time(size_t column) const {
  absl::Time at;
  std::string error;
  if (!absl::ParseTime("%Y-%m-%d %H:%M:%E*S%Ez", CellOf(cells_, column), &at, &error)) {
    (void)FADU_BUG("a cell is not an instant");
  }
  return at;
}

absl::CivilDay Row::Day(size_t column) const {
  const absl::StatusOr<absl::CivilDay> day = ParseDay(CellOf(cells_, column));
  if (day.ok()) return *day;
  (void)FADU_BUG("a cell is not a day");
  return absl::CivilDay();
}

// ---- the pool ----------------------------------------------------------------------------------

struct Pool::Impl {
  using Connection = std::unique_ptr<pqxx::connection>;

  mutable std::mutex mutex;
  std::condition_variable freed;
  std::vector<Connection> idle;
  int in_use = 0;

  // A place in the pool, perhaps with an open connection.
  absl::StatusOr<Connection> Take(const PoolOptions& options, absl::Time deadline) {
    Connection connection;
    {
      std::unique_lock<std::mutex> lock(mutex);
      while (in_use >= options.connections) {
        if (freed.wait_until(lock, absl::ToChronoTime(deadline)) == std::cv_status::timeout &&
            in_use >= options.connections) {
          return PoolExhausted();
        }
      }
      ++in_use;
      if (!idle.empty()) {
        connection = std::move(idle.back());
        idle.pop_back();
      }
    }
    if (connection != nullptr) return connection;
    try {
      std::string dsn = WithDsn(options.dsn, "application_name", options.application);
      dsn = WithDsn(dsn, "connect_timeout", "5");
      connection = std::make_unique<pqxx::connection>(dsn);
      pqxx::nontransaction setup(*connection);
      setup.exec("SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET standard_conforming_strings = on; "
                 "SET client_encoding = 'UTF8'; SET bytea_output = 'hex'");
    } catch (const std::exception& error) {
      Release(nullptr);
      return ErrorOf("08001", "", "connect", error.what());
    }
    return connection;
  }

  void Release(Connection connection) {
    std::lock_guard<std::mutex> lock(mutex);
    --in_use;
    if (connection != nullptr) idle.push_back(std::move(connection));
    freed.notify_one();
  }

  absl::Status RunOnce(const PoolOptions& options, const Scope& scope, absl::Time deadline,
                       bool read_only, const std::function<absl::Status(Transaction&)>& body,
                       bool* retry) {
    *retry = false;
    FADU_ASSIGN_OR_RETURN(const std::string counties, ScopeLiteral(scope.counties));
    FADU_ASSIGN_OR_RETURN(const std::string areas, ScopeLiteral(scope.areas));
    FADU_ASSIGN_OR_RETURN(Connection connection, Take(options, deadline));
    const int64_t millis =
        std::max<int64_t>(1, absl::ToInt64Milliseconds(deadline - absl::Now()));
    absl::Status status;
    bool healthy = false;
    try {
      pqxx::nontransaction work(*connection);
      work.exec(absl::StrCat("BEGIN", read_only ? " READ ONLY" : "",
                             "; SET LOCAL fadu.counties = '", counties,
                             "'; SET LOCAL fadu.areas = '", areas,
                             "'; SET LOCAL statement_timeout = ", millis,
                             "; SET LOCAL lock_timeout = ", millis));
      PqxxTransaction transaction(work);
      status = body(transaction);
      if (transaction.lost()) {
        // Whatever the body made of it: the transaction is gone, and nothing was committed.
        if (status.ok()) status = ErrorOf("08006", "", "transaction", "connection lost");
      } else if (status.ok() && transaction.failed()) {
        // COMMIT would be a silent rollback.
        status = FADU_BUG("a body went on after a failed statement");
        work.exec("ROLLBACK");
        healthy = true;
      } else if (status.ok()) {
        try {
          const pqxx::result committed = work.exec("COMMIT");
          healthy = true;
        } catch (const std::exception& error) {
          // From here nobody knows: the effect may be there (S-17).
          status = ErrorOf("08006", "", "commit", error.what());
        }
      } else {
        *retry = transaction.retry();
        work.exec("ROLLBACK");
        healthy = true;
      }
    } catch (const std::exception& error) {
      if (status.ok()) status = ErrorFrom(error, "begin");
    }
    Release(healthy ? std::move(connection) : nullptr);
    return status;
  }
};

Pool::Pool(PoolOptions options) : options_(std::move(options)), impl_(std::make_unique<Impl>()) {}
Pool::~Pool() = default;

absl::Status Pool::InTransaction(const Scope& scope, absl::Time deadline,
                                 const std::function<absl::Status(Transaction&)>& body) {
  absl::BitGen random;
  absl::Duration pause = absl::Milliseconds(5);
  while (true) {
    bool retry = false;
    absl::Status status =
        impl_->RunOnce(options_, scope, deadline, /*read_only=*/false, body, &retry);
    if (!retry || absl::Now() + pause >= deadline) return status;
    absl::SleepFor(absl::Uniform(random, 0.5, 1.0) * pause);
    pause = std::min(pause * 2, absl::Milliseconds(200));
  }
}

absl::Status Pool::Read(const Scope& scope, absl::Time deadline,
                        const std::function<absl::Status(Transaction&)>& body) {
  bool retry = false;
  absl::Status status =
      impl_->RunOnce(options_, scope, deadline, /*read_only=*/true, body, &retry);
  // A read changes nothing: once more on a fresh connection, as after a restart of the database.
  if (status.code() == absl::StatusCode::kUnavailable && absl::Now() < deadline) {
    status = impl_->RunOnce(options_, scope, deadline, /*read_only=*/true, body, &retry);
  }
  return status;
}

int Pool::in_use() const {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->in_use;
}

}  // namespace fadu::db
