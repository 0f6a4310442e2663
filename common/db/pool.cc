#include "common/db/pool.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <pqxx/pqxx>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/base/civil_day.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/db/errors.h"
#include "common/db/migrate.h"
#include "common/db/wire.h"
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

// The SQLSTATE in a verbose message, "ERROR:  23505: duplicate key…", or "". Several of the
// driver's exceptions do not carry it (42501, 53300, 40001, 40P01); the message always does.
std::string SqlstateIn(absl::string_view message) {
  constexpr absl::string_view kMark = ":  ";
  constexpr size_t kSize = 5;
  const size_t at = message.find(kMark);
  if (at == absl::string_view::npos) return "";
  const absl::string_view rest = message.substr(at + kMark.size());
  if (rest.size() <= kSize || rest[kSize] != ':') return "";
  for (const char c : rest.substr(0, kSize)) {
    if (!absl::ascii_isdigit(c) && !absl::ascii_isupper(c)) return "";
  }
  return std::string(rest.substr(0, kSize));
}

// The constraint's name in a verbose message of class 23. Values are quoted in it and may look like
// lines of their own, so only the line right before the last one (LOCATION) counts: a violation
// names its constraint there, or its column.
std::string ConstraintIn(absl::string_view sqlstate, absl::string_view message) {
  constexpr absl::string_view kLabel = "CONSTRAINT NAME:  ";
  if (!absl::StartsWith(sqlstate, "23")) return "";
  const size_t end = message.rfind("\nLOCATION:");
  if (end == absl::string_view::npos) return "";
  message = message.substr(0, end);
  const size_t before = message.rfind('\n');
  if (before == absl::string_view::npos) return "";
  absl::string_view line = message.substr(before + 1);
  return absl::ConsumePrefix(&line, kLabel) ? std::string(line) : "";
}

// What a driver exception means; the statement's name for the log.
absl::Status ErrorFrom(const std::exception& error, absl::string_view statement) {
  const absl::string_view what = error.what();
  const std::string sqlstate = SqlstateIn(what);
  if (!sqlstate.empty()) return ErrorOf(sqlstate, ConstraintIn(sqlstate, what), statement, what);
  if (dynamic_cast<const pqxx::failure*>(&error) != nullptr) {
    return ErrorOf("08006", "", statement, what);
  }
  return ErrorOf("42000", "", statement, what);
}

// The database cannot be reached, and nothing was sent that it could have kept.
absl::Status Unreachable(const std::exception& error, absl::string_view step) {
  const absl::string_view what = error.what();
  Log(LogLevel::kWarning, "no database connection",
      {{"step", step}, {"detail", what.substr(0, what.find('\n'))}});
  return Fail(absl::StatusCode::kUnavailable, v1::REASON_UNAVAILABLE,
              "the database does not answer");
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
  PqxxTransaction(pqxx::nontransaction& work, absl::Time deadline)
      : work_(work), deadline_(deadline) {}

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

  // The first failure of a statement; OK when there was none.
  const absl::Status& failure() const { return failure_; }
  bool lost() const { return failure_.code() == absl::StatusCode::kUnavailable; }
  bool lost_race() const { return failure_.code() == absl::StatusCode::kAborted; }

 private:
  absl::StatusOr<pqxx::result> Exec(const Statement& statement, const Params& params) {
    // After a failure nothing more is sent: the server would refuse it, and after a lost connection
    // the driver would quietly open another, without transaction or scope.
    if (!failure_.ok()) return failure_;
    failure_ = CheckSendable(statement, params);
    if (!failure_.ok()) return failure_;
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
      failure_ = ErrorFrom(error, statement.name);
      return failure_;
    }
  }

  absl::Status CheckSendable(const Statement& statement, const Params& params) const {
    if (absl::Now() >= deadline_) {
      return ErrorOf("57014", "", statement.name, "the deadline passed before the statement");
    }
    for (const auto& value : params.values()) {
      // A text parameter ends at its first NUL: the rest would be lost without a word.
      if (value.has_value() && value->find('\0') != std::string::npos) {
        return ErrorOf("22021", "", statement.name, "");
      }
    }
    return absl::OkStatus();
  }

  pqxx::nontransaction& work_;
  const absl::Time deadline_;
  absl::Status failure_;
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
  const std::string& cell = CellOf(cells_, column);
  int64_t value = 0;
  const bool read =
      form_ == Form::kBinary ? ReadWireInt(cell, &value) : absl::SimpleAtoi(cell, &value);
  if (!read) (void)FADU_BUG("a cell is not a number");
  return value;
}

bool Row::Bool(size_t column) const {
  return CellOf(cells_, column) == (form_ == Form::kBinary ? "\1" : "t");
}

std::string Row::Bytes(size_t column) const {
  const std::string& text = CellOf(cells_, column);
  if (form_ == Form::kBinary) return text;
  if (text.size() < 2 || text[0] != '\\' || text[1] != 'x') {
    (void)FADU_BUG("a cell is not bytea");
    return "";
  }
  return absl::HexStringToBytes(absl::string_view(text).substr(2));
}

Uuid Row::Id(size_t column) const {
  const std::string& cell = CellOf(cells_, column);
  if (form_ == Form::kBinary && cell.size() == 16) {
    std::array<uint8_t, 16> bytes;
    std::copy(cell.begin(), cell.end(), bytes.begin());
    return Uuid(bytes);
  }
  const absl::StatusOr<Uuid> id = Uuid::Parse(cell);
  if (id.ok()) return *id;
  (void)FADU_BUG("a cell is not a uuid");
  return Uuid();
}

absl::Time Row::Time(size_t column) const {
  const std::string& cell = CellOf(cells_, column);
  absl::Time at;
  std::string error;
  const bool read = form_ == Form::kBinary
                        ? ReadWireTime(cell, &at)
                        : absl::ParseTime("%Y-%m-%d %H:%M:%E*S%Ez", cell, &at, &error);
  if (!read) (void)FADU_BUG("a cell is not an instant");
  return at;
}

absl::CivilDay Row::Day(size_t column) const {
  const std::string& cell = CellOf(cells_, column);
  absl::CivilDay day;
  if (form_ == Form::kBinary) {
    if (!ReadWireDay(cell, &day)) (void)FADU_BUG("a cell is not a day");
    return day;
  }
  const absl::StatusOr<absl::CivilDay> parsed = ParseDay(cell);
  if (parsed.ok()) return *parsed;
  (void)FADU_BUG("a cell is not a day");
  return absl::CivilDay();
}

// ---- the pool ----------------------------------------------------------------------------------

struct Pool::Impl {
  using Connection = std::unique_ptr<pqxx::connection>;
  enum class Mode { kWrite, kRead };
  // Why a transaction may be tried again.
  enum class Again { kNo, kLostRace, kLostConnection };

  mutable std::mutex mutex;
  std::condition_variable freed;
  std::vector<Connection> idle;
  int in_use = 0;

  // A place in the pool, with a connection that was used before or none yet.
  absl::StatusOr<Connection> Take(const PoolOptions& options, absl::Time deadline) {
    std::unique_lock<std::mutex> lock(mutex);
    const auto has_place = [&] { return in_use < options.connections; };
    if (!freed.wait_until(lock, absl::ToChronoTime(deadline), has_place)) return PoolExhausted();
    ++in_use;
    if (idle.empty()) return Connection();
    Connection connection = std::move(idle.back());
    idle.pop_back();
    return connection;
  }

  void Release(Connection connection) {
    std::lock_guard<std::mutex> lock(mutex);
    --in_use;
    if (connection != nullptr) idle.push_back(std::move(connection));
    freed.notify_one();
  }

  static Connection Open(const PoolOptions& options) {
    std::string dsn = WithDsn(options.dsn, "application_name", options.application);
    dsn = WithDsn(dsn, "connect_timeout", "5");
    auto connection = std::make_unique<pqxx::connection>(dsn);
    connection->set_verbosity(pqxx::connection_base::verbose);
    pqxx::nontransaction(*connection)
        .exec(
            "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET standard_conforming_strings = on; "
            "SET client_encoding = 'UTF8'; SET bytea_output = 'hex'");
    return connection;
  }

  // A place with an open transaction. A kept connection that turns out dead (the database was
  // restarted) is replaced: nothing was sent on it yet.
  absl::StatusOr<Connection> Begin(const PoolOptions& options, absl::Time deadline,
                                   const std::string& begin) {
    while (true) {
      FADU_ASSIGN_OR_RETURN(Connection connection, Take(options, deadline));
      const bool kept = connection != nullptr;
      try {
        if (!kept) connection = Open(options);
        pqxx::nontransaction(*connection).exec(begin);
        return connection;
      } catch (const std::exception& error) {
        connection.reset();
        Release(nullptr);
        if (!kept) return Unreachable(error, "begin");
      }
    }
  }

  absl::Status RunOnce(const PoolOptions& options, const Scope& scope, absl::Time deadline,
                       Mode mode, const std::function<absl::Status(Transaction&)>& body,
                       Again* again) {
    *again = Again::kNo;
    FADU_ASSIGN_OR_RETURN(const std::string counties, ScopeLiteral(scope.counties));
    FADU_ASSIGN_OR_RETURN(const std::string areas, ScopeLiteral(scope.areas));
    // PostgreSQL counts the milliseconds of a timeout in 32 bits; 0 would mean none.
    const int64_t millis = std::clamp<int64_t>(absl::ToInt64Milliseconds(deadline - absl::Now()), 1,
                                               std::numeric_limits<int32_t>::max());
    const std::string begin = absl::StrCat(
        "BEGIN ISOLATION LEVEL READ COMMITTED", mode == Mode::kRead ? " READ ONLY" : "",
        "; SET LOCAL fadu.counties = '", counties, "'; SET LOCAL fadu.areas = '", areas,
        "'; SET LOCAL statement_timeout = ", millis);
    FADU_ASSIGN_OR_RETURN(Connection connection, Begin(options, deadline, begin));
    bool healthy = false;
    absl::Status status;
    try {
      pqxx::nontransaction work(*connection);
      PqxxTransaction transaction(work, deadline);
      status = body(transaction);
      if (transaction.lost()) {
        // Whatever the body made of it.
        status = transaction.failure();
        *again = Again::kLostConnection;
      } else if (!status.ok() || !transaction.failure().ok()) {
        // COMMIT after a failed statement would be a silent rollback.
        if (status.ok()) status = FADU_BUG("a body went on after a failed statement");
        if (transaction.lost_race()) *again = Again::kLostRace;
        work.exec("ROLLBACK");
        healthy = true;
      } else {
        status = Commit(work);
        healthy = status.ok();
      }
    } catch (const std::exception& error) {
      // ROLLBACK found no connection (its end is a rollback too), or the body threw.
      if (status.ok()) status = ErrorFrom(error, "body");
    }
    Release(healthy ? std::move(connection) : nullptr);
    return status;
  }

  static absl::Status Commit(pqxx::nontransaction& work) {
    try {
      work.exec("COMMIT");
      return absl::OkStatus();
    } catch (const std::exception& error) {
      // From here nobody knows: the effect may be there (S-17).
      return ErrorOf("08006", "", "commit", error.what());
    }
  }
};

Pool::Pool(PoolOptions options) : options_(std::move(options)), impl_(std::make_unique<Impl>()) {}
Pool::~Pool() = default;

absl::Status Pool::InTransaction(const Scope& scope, absl::Time deadline,
                                 const std::function<absl::Status(Transaction&)>& body) {
  absl::BitGen random;
  absl::Duration pause = absl::Milliseconds(5);
  while (true) {
    Impl::Again again = Impl::Again::kNo;
    absl::Status status =
        impl_->RunOnce(options_, scope, deadline, Impl::Mode::kWrite, body, &again);
    if (again != Impl::Again::kLostRace || absl::Now() + pause >= deadline) return status;
    absl::SleepFor(absl::Uniform(random, 0.5, 1.0) * pause);
    pause = std::min(pause * 2, absl::Milliseconds(200));
  }
}

absl::Status Pool::Read(const Scope& scope, absl::Time deadline,
                        const std::function<absl::Status(Transaction&)>& body) {
  Impl::Again again = Impl::Again::kNo;
  absl::Status status = impl_->RunOnce(options_, scope, deadline, Impl::Mode::kRead, body, &again);
  // A read changes nothing: once more on another connection.
  if (again == Impl::Again::kLostConnection && absl::Now() < deadline) {
    status = impl_->RunOnce(options_, scope, deadline, Impl::Mode::kRead, body, &again);
  }
  if (again != Impl::Again::kLostConnection) return status;
  return Fail(absl::StatusCode::kUnavailable, v1::REASON_UNAVAILABLE,
              "the database does not answer");
}

int Pool::in_use() const {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->in_use;
}

}  // namespace fadu::db
