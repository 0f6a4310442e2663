#include "common/db/pg.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"

namespace fadu::db {
namespace {

namespace v1 = ::fadu::common::v1;

bool IsCounty(absl::string_view county) {
  return county.size() == 6 && county.find_first_not_of("0123456789") == absl::string_view::npos;
}

// Codes as they may stand in a literal.
bool AreCodes(absl::string_view text) {
  return text.find_first_not_of("0123456789,") == absl::string_view::npos;
}

Rows RowsOf(const PGresult* result, Row::Form form) {
  Rows rows;
  const int columns = PQnfields(result);
  const int count = PQntuples(result);
  rows.reserve(static_cast<size_t>(count));
  for (int row = 0; row < count; ++row) {
    std::vector<absl::optional<std::string>> cells(static_cast<size_t>(columns));
    for (int column = 0; column < columns; ++column) {
      if (PQgetisnull(result, row, column) != 0) continue;
      cells[static_cast<size_t>(column)] = std::string(
          PQgetvalue(result, row, column), static_cast<size_t>(PQgetlength(result, row, column)));
    }
    rows.emplace_back(std::move(cells), form);
  }
  return rows;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PgConnection>> PgConnection::Open(const std::string& dsn,
                                                                 const std::string& application,
                                                                 absl::Duration statement_timeout,
                                                                 Plans plans) {
  const int64_t millis = absl::ToInt64Milliseconds(statement_timeout);
  const std::string settings = absl::StrCat(
      "-c TimeZone=UTC -c DateStyle=ISO -c statement_timeout=", millis, " -c lock_timeout=", millis,
      plans == Plans::kAnew ? " -c plan_cache_mode=force_custom_plan" : "");
  const char* keywords[] = {"dbname",          "application_name", "connect_timeout",
                            "client_encoding", "options",          nullptr};
  const char* values[] = {dsn.c_str(), application.c_str(), "2", "UTF8", settings.c_str(), nullptr};
  PGconn* raw = PQconnectdbParams(keywords, values, /*expand_dbname=*/1);
  std::unique_ptr<PgConnection> connection(new PgConnection(raw, plans));
  if (connection->broken()) {
    return ErrorOf("08006", "", "connect", raw == nullptr ? "out of memory" : PQerrorMessage(raw));
  }
  return connection;
}

PgConnection::~PgConnection() { PQfinish(connection_); }

absl::StatusOr<PgConnection::Result> PgConnection::Check(PGresult* raw,
                                                         absl::string_view statement) {
  Result result(raw, &PQclear);
  const ExecStatusType kind = PQresultStatus(result.get());
  if (kind == PGRES_TUPLES_OK || kind == PGRES_COMMAND_OK) return result;
  const char* sqlstate = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
  const char* constraint = PQresultErrorField(result.get(), PG_DIAG_CONSTRAINT_NAME);
  const std::string state = sqlstate == nullptr ? "" : sqlstate;
  // The primary message only: DETAIL quotes values of the row.
  const char* primary = PQresultErrorField(result.get(), PG_DIAG_MESSAGE_PRIMARY);
  const absl::Status failure = ErrorOf(state, constraint == nullptr ? "" : constraint, statement,
                                       primary != nullptr ? primary : "the connection is gone");
  if (!failed_) {
    failed_ = true;
    failure_class_ = ClassOf(state);
    first_failure_ = failure;
  }
  return failure;
}

absl::Status PgConnection::Begin(absl::string_view county) {
  failed_ = false;
  first_failure_ = absl::OkStatus();
  if (!IsCounty(county)) return FADU_BUG("county is not six digits");
  const std::string sql =
      absl::StrCat("BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL fadu.counties = '", county,
                   "'; SET LOCAL fadu.areas = '", county, "'");
  return Check(PQexec(connection_, sql.c_str()), "begin").status();
}

absl::Status PgConnection::Commit() {
  absl::StatusOr<Result> result = Check(PQexec(connection_, "COMMIT"), "commit");
  if (!result.ok()) return result.status();
  // COMMIT of a failed transaction answers ROLLBACK without an error.
  if (absl::string_view(PQcmdStatus(result->get())) != "COMMIT") {
    return FADU_BUG("COMMIT of a failed transaction");
  }
  return absl::OkStatus();
}

void PgConnection::Rollback() { PQclear(PQexec(connection_, "ROLLBACK")); }

void PgConnection::Cut() {
  PQfinish(connection_);
  connection_ = nullptr;
}

absl::StatusOr<PgConnection::Result> PgConnection::RunText(const Statement& statement,
                                                           const Params& params) {
  // After a failure the transaction is dead: every statement repeats it.
  if (failed_) return first_failure_;
  std::vector<const char*> values;
  values.reserve(params.values().size());
  for (const auto& value : params.values()) {
    if (value.has_value() && value->find('\0') != std::string::npos) {
      // Would be cut there. As the server says it: 22021, character not in repertoire.
      failed_ = true;
      failure_class_ = ErrorClass::kData;
      first_failure_ = ErrorOf("22021", "", statement.name, "a text holds U+0000");
      return first_failure_;
    }
    values.push_back(value.has_value() ? value->c_str() : nullptr);
  }
  return Check(
      PQexecParams(connection_, std::string(statement.sql).c_str(), static_cast<int>(values.size()),
                   nullptr, values.data(), nullptr, nullptr, /*resultFormat=*/0),
      statement.name);
}

absl::StatusOr<Rows> PgConnection::Run(const Statement& statement, const Params& params) {
  absl::StatusOr<Result> result = RunText(statement, params);
  if (!result.ok()) return result.status();
  return RowsOf(result->get(), Row::Form::kText);
}

absl::StatusOr<int64_t> PgConnection::Execute(const Statement& statement, const Params& params) {
  absl::StatusOr<Result> result = RunText(statement, params);
  if (!result.ok()) return result.status();
  int64_t count = 0;
  (void)absl::SimpleAtoi(PQcmdTuples(result->get()), &count);
  return count;
}

absl::StatusOr<int64_t> PgConnection::WriteArrays(absl::string_view name, absl::string_view sql,
                                                  absl::string_view county,
                                                  const std::vector<std::string>& arrays) {
  if (failed_) return first_failure_;
  const std::string county_text(county);
  std::vector<const char*> values = {county_text.c_str()};
  std::vector<int> lengths = {static_cast<int>(county_text.size())};
  std::vector<int> formats = {0};
  for (const std::string& array : arrays) {
    values.push_back(array.data());
    lengths.push_back(static_cast<int>(array.size()));
    formats.push_back(1);
  }
  absl::StatusOr<Result> result = Check(
      PQexecParams(connection_, std::string(sql).c_str(), static_cast<int>(values.size()), nullptr,
                   values.data(), lengths.data(), formats.data(), /*resultFormat=*/0),
      name);
  if (!result.ok()) return result.status();
  int64_t count = 0;
  (void)absl::SimpleAtoi(PQcmdTuples(result->get()), &count);
  return count;
}

// ---- trips -------------------------------------------------------------------------------------

bool PgConnection::SendText(const char* name, const std::string& sql) {
  sent_.push_back({name, ""});
  return PQsendQueryParams(connection_, sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr,
                           /*resultFormat=*/1) == 1;
}

bool PgConnection::SendStatement(absl::string_view county, const TripStatement& statement,
                                 bool prepared) {
  const std::string sql(statement.sql);
  std::string name;
  if (prepared) {
    const auto known = prepared_.find(sql);
    if (known != prepared_.end()) {
      name = known->second;
    } else {
      // Known only once the server has said so: after a failure before it, this was skipped. A name
      // is never used twice.
      name = absl::StrCat("s", ++names_);
      sent_.push_back({statement.name, sql});
      names_sent_[sql] = name;
      if (PQsendPrepare(connection_, name.c_str(), sql.c_str(), 0, nullptr) != 1) return false;
    }
  }
  std::vector<const char*> values = {county.data()};
  std::vector<int> lengths = {static_cast<int>(county.size())};
  for (const absl::optional<std::string>& param : statement.params) {
    values.push_back(param.has_value() ? param->data() : nullptr);
    lengths.push_back(param.has_value() ? static_cast<int>(param->size()) : 0);
  }
  const std::vector<int> formats(values.size(), 1);
  const int count = static_cast<int>(values.size());
  sent_.push_back({statement.name, ""});
  if (prepared) {
    return PQsendQueryPrepared(connection_, name.c_str(), count, values.data(), lengths.data(),
                               formats.data(), /*resultFormat=*/1) == 1;
  }
  return PQsendQueryParams(connection_, sql.c_str(), count, nullptr, values.data(), lengths.data(),
                           formats.data(), /*resultFormat=*/1) == 1;
}

bool PgConnection::SendTrip(const Scope& scope, const std::vector<TripStatement>& statements,
                            bool reads) {
  sent_.clear();
  names_sent_.clear();
  const std::string county = absl::StrJoin(scope.counties, ",");
  const std::string areas = absl::StrJoin(scope.areas, ",");
  if (!IsCounty(county) || !AreCodes(areas)) {
    (void)FADU_BUG("a scope is not one county of six digits and areas in it");
    return false;
  }
  if (broken() || PQenterPipelineMode(connection_) != 1) return false;
  bool sent = SendText("begin", reads ? "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"
                                      : "BEGIN ISOLATION LEVEL READ COMMITTED") &&
              SendText("scope", absl::StrCat("SET LOCAL fadu.counties = '", county, "'")) &&
              SendText("scope", absl::StrCat("SET LOCAL fadu.areas = '", areas, "'"));
  const bool prepared = !reads || plans_ == Plans::kAnew;
  for (const TripStatement& statement : statements) {
    sent = sent && SendStatement(county, statement, prepared);
  }
  return sent && SendText("commit", "COMMIT") && PQpipelineSync(connection_) == 1;
}

absl::StatusOr<std::vector<Rows>> PgConnection::ReadTrip(
    const Scope& scope, const std::vector<TripStatement>& statements) {
  std::vector<Rows> rows;
  if (SendTrip(scope, statements, /*reads=*/true) && FinishTrip(&rows) == TripEnd::kCommitted &&
      rows.size() == statements.size()) {
    return rows;
  }
  return Fail(absl::StatusCode::kUnavailable, v1::REASON_UNAVAILABLE,
              "the database did not answer a read");
}

PgConnection::TripEnd PgConnection::FinishTrip(std::vector<Rows>* rows) {
  bool refused = false;
  bool committed = false;
  for (const Sent& sent : sent_) {
    const Result result(PQgetResult(connection_), &PQclear);
    switch (PQresultStatus(result.get())) {
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK:
        if (!sent.prepares.empty()) prepared_[sent.prepares] = names_sent_[sent.prepares];
        committed = absl::string_view(PQcmdStatus(result.get())) == "COMMIT";
        if (rows != nullptr && PQnfields(result.get()) > 0) {
          rows->push_back(RowsOf(result.get(), Row::Form::kBinary));
        }
        break;
      case PGRES_PIPELINE_ABORTED:  // after one that failed
        break;
      default: {
        if (broken()) return TripEnd::kUnknown;
        refused = true;
        const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
        const char* primary = PQresultErrorField(result.get(), PG_DIAG_MESSAGE_PRIMARY);
        switch (ClassOf(state == nullptr ? "" : state)) {
          case ErrorClass::kData:
          case ErrorClass::kUnique:
          case ErrorClass::kConstraint:
            break;  // what a trip is refused by; whoever looks then tells what it was
          case ErrorClass::kRetry:
          case ErrorClass::kTimeout:
          case ErrorClass::kOutcomeUnknown:
          case ErrorClass::kResource:
          case ErrorClass::kBug:
            (void)ErrorOf(state == nullptr ? "" : state, "", sent.name,
                          primary == nullptr ? "" : primary);
        }
        if (absl::string_view(sent.name) == "commit") return TripEnd::kUnknown;
      }
    }
    // Each command's results end with a null.
    const Result end(PQgetResult(connection_), &PQclear);
    if (end != nullptr) return TripEnd::kUnknown;
  }
  const Result sync(PQgetResult(connection_), &PQclear);
  if (PQresultStatus(sync.get()) != PGRES_PIPELINE_SYNC || PQexitPipelineMode(connection_) != 1) {
    return TripEnd::kUnknown;
  }
  if (committed) return TripEnd::kCommitted;
  if (PQtransactionStatus(connection_) != PQTRANS_IDLE) Rollback();
  return refused && !broken() ? TripEnd::kRefused : TripEnd::kUnknown;
}

}  // namespace fadu::db
