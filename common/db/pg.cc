#include "common/db/pg.h"

#include <cstring>

#include "absl/base/internal/endian.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"

namespace fadu::db {
namespace {

namespace v1 = ::fadu::common::v1;

// Type OIDs of PostgreSQL's catalogue (pg_type.dat); stable since 7.x.
constexpr uint32_t kBool = 16, kBytea = 17, kInt8 = 20, kText = 25, kDate = 1082,
                   kTimestampTz = 1184, kUuid = 2950;

void AppendInt32(std::string& out, uint32_t value) {
  char bytes[4];
  absl::big_endian::Store32(bytes, value);
  out.append(bytes, sizeof bytes);
}

void AppendInt64(std::string& out, uint64_t value) {
  char bytes[8];
  absl::big_endian::Store64(bytes, value);
  out.append(bytes, sizeof bytes);
}

// The binary form of a one-dimensional array; an empty one has no dimensions.
template <typename Element, typename Append>
std::string Encode(uint32_t element_oid, const std::vector<Element>& values, Append append) {
  std::string out;
  AppendInt32(out, values.empty() ? 0 : 1);
  AppendInt32(out, 1);  // may hold nulls
  AppendInt32(out, element_oid);
  if (values.empty()) return out;
  AppendInt32(out, static_cast<uint32_t>(values.size()));
  AppendInt32(out, 1);  // lower bound
  for (const Element& value : values) append(out, value);
  return out;
}

void AppendNull(std::string& out) { AppendInt32(out, 0xffffffff); }

void AppendText(std::string& out, const absl::optional<std::string>& value) {
  if (!value.has_value()) return AppendNull(out);
  AppendInt32(out, static_cast<uint32_t>(value->size()));
  out.append(*value);
}

const absl::CivilDay kPostgresEpoch(2000, 1, 1);

}  // namespace

ArrayParam ArrayParam::Texts(const std::vector<absl::optional<std::string>>& values) {
  return ArrayParam(Encode(kText, values, AppendText));
}

ArrayParam ArrayParam::Bytes(const std::vector<absl::optional<std::string>>& values) {
  return ArrayParam(Encode(kBytea, values, AppendText));
}

ArrayParam ArrayParam::Ids(const std::vector<Uuid>& values) {
  return ArrayParam(Encode(kUuid, values, [](std::string& out, const Uuid& id) {
    AppendInt32(out, 16);
    out.append(reinterpret_cast<const char*>(id.bytes().data()), 16);
  }));
}

ArrayParam ArrayParam::Ints(const std::vector<absl::optional<int64_t>>& values) {
  return ArrayParam(Encode(kInt8, values, [](std::string& out, absl::optional<int64_t> value) {
    if (!value.has_value()) return AppendNull(out);
    AppendInt32(out, 8);
    AppendInt64(out, static_cast<uint64_t>(*value));
  }));
}

ArrayParam ArrayParam::Bools(const std::vector<absl::optional<bool>>& values) {
  return ArrayParam(Encode(kBool, values, [](std::string& out, absl::optional<bool> value) {
    if (!value.has_value()) return AppendNull(out);
    AppendInt32(out, 1);
    out.push_back(*value ? '\1' : '\0');
  }));
}

ArrayParam ArrayParam::Days(const std::vector<absl::optional<absl::CivilDay>>& values) {
  return ArrayParam(
      Encode(kDate, values, [](std::string& out, const absl::optional<absl::CivilDay>& value) {
        if (!value.has_value()) return AppendNull(out);
        AppendInt32(out, 4);
        AppendInt32(out, static_cast<uint32_t>(static_cast<int32_t>(*value - kPostgresEpoch)));
      }));
}

ArrayParam ArrayParam::Times(const std::vector<absl::optional<absl::Time>>& values) {
  return ArrayParam(
      Encode(kTimestampTz, values, [](std::string& out, const absl::optional<absl::Time>& value) {
        if (!value.has_value()) return AppendNull(out);
        const absl::Time epoch = absl::FromCivil(kPostgresEpoch, absl::UTCTimeZone());
        AppendInt32(out, 8);
        AppendInt64(out, static_cast<uint64_t>(absl::ToInt64Microseconds(*value - epoch)));
      }));
}

absl::StatusOr<std::unique_ptr<PgConnection>> PgConnection::Open(const std::string& dsn,
                                                                 const std::string& application) {
  const char* keywords[] = {"dbname",          "application_name", "connect_timeout",
                            "client_encoding", "options",          nullptr};
  const char* values[] = {
      dsn.c_str(), application.c_str(), "2", "UTF8", "-c TimeZone=UTC -c DateStyle=ISO", nullptr};
  PGconn* raw = PQconnectdbParams(keywords, values, /*expand_dbname=*/1);
  std::unique_ptr<PgConnection> connection(new PgConnection(raw));
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

absl::Status PgConnection::Begin(absl::string_view county, absl::Duration statement_timeout) {
  failed_ = false;
  first_failure_ = absl::OkStatus();
  if (county.size() != 6 || county.find_first_not_of("0123456789") != absl::string_view::npos) {
    return FADU_BUG("county is not six digits");
  }
  const std::string sql = absl::StrCat(
      "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL fadu.counties = '", county,
      "'; SET LOCAL fadu.areas = '", county,
      "'; SET LOCAL statement_timeout = ", absl::ToInt64Milliseconds(statement_timeout),
      "; SET LOCAL lock_timeout = ", absl::ToInt64Milliseconds(statement_timeout));
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
  Rows rows;
  const int columns = PQnfields(result->get());
  for (int row = 0; row < PQntuples(result->get()); ++row) {
    std::vector<absl::optional<std::string>> cells(static_cast<size_t>(columns));
    for (int column = 0; column < columns; ++column) {
      if (PQgetisnull(result->get(), row, column) != 0) continue;
      cells[static_cast<size_t>(column)] =
          std::string(PQgetvalue(result->get(), row, column),
                      static_cast<size_t>(PQgetlength(result->get(), row, column)));
    }
    rows.emplace_back(std::move(cells));
  }
  return rows;
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
                                                  const std::vector<ArrayParam>& arrays) {
  if (failed_) return first_failure_;
  const std::string county_text(county);
  std::vector<const char*> values = {county_text.c_str()};
  std::vector<int> lengths = {static_cast<int>(county_text.size())};
  std::vector<int> formats = {0};
  for (const ArrayParam& array : arrays) {
    values.push_back(array.wire().data());
    lengths.push_back(static_cast<int>(array.wire().size()));
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

}  // namespace fadu::db
