#include "common/records/schema.h"

#include <map>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "common/db/pool.h"
#include "common/records/composer.h"
#include "common/records/migrations.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"
#include "google/protobuf/message.h"

namespace fadu::records {
namespace {

namespace v1 = ::fadu::common::v1;
constexpr int kBackfillBatch = 1000;

constexpr db::Statement kListColumns{
    "list_columns",
    "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a "
    "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped"};

// Column types as format_type prints them have no collation.
std::string Printed(const Column& column) { return column.cast; }

std::string TextOf(const RecordType& type, const Column& column,
                   const google::protobuf::Message& message, bool* null) {
  const std::vector<Value> values = type.ValuesOf(message, *column.field);
  *null = false;
  if (column.field->repeated()) {
    std::vector<std::string> items;
    for (const Value& value : values) {
      items.push_back(value.text.empty() ? absl::StrCat(value.number) : value.text);
    }
    return ArrayLiteral(items);
  }
  if (values.empty()) {
    *null = true;
    return "";
  }
  switch (values[0].kind) {
    case ValueKind::kInt:
    case ValueKind::kPoints:
      return absl::StrCat(values[0].number);
    case ValueKind::kBool:
      return values[0].number != 0 ? "true" : "false";
    case ValueKind::kText:
    case ValueKind::kCode:
    case ValueKind::kDate:
      return values[0].text;
  }
  return "";
}

class TableSync {
 public:
  TableSync(db::Transaction& transaction, absl::string_view schema, absl::string_view role)
      : transaction_(transaction), schema_(schema), role_(role) {}

  absl::Status Sync(const RecordType& type) {
    FADU_ASSIGN_OR_RETURN(
        const db::Rows rows,
        transaction_.Run(kListColumns, db::Params().Text(schema_).Text(type.table())));
    if (rows.empty()) return Create(type);
    std::map<std::string, std::string> present;
    for (const db::Row& row : rows) present[row.Text(0)] = row.Text(1);
    bool changed = false;
    for (const Column& column : ColumnsOf(type)) {
      const auto found = present.find(column.name);
      if (found == present.end()) {
        FADU_RETURN_IF_ERROR(Add(type, column));
        changed = true;
      } else if (found->second != Printed(column)) {
        return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_INTEGRITY_BROKEN,
                    absl::StrCat("column ", schema_, ".", type.table(), ".", column.name, " is ",
                                 found->second, ", the contract says ", Printed(column)),
                    {{"where", absl::StrCat(schema_, ".", type.table(), ".", column.name)}});
      }
      if (column.index) FADU_RETURN_IF_ERROR(Run(CreateIndexSql(type, column)));
    }
    if (changed) {
      FADU_RETURN_IF_ERROR(Run(absl::StrCat("DROP VIEW {schema}.", type.table(), "_view")));
      FADU_RETURN_IF_ERROR(Run(CreateViewSql(type)));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Run(absl::string_view sql) {
    const std::string text = absl::StrReplaceAll(sql, {{"{schema}", schema_}, {"{role}", role_}});
    return transaction_.Execute(db::Statement{"record_table", text}).status();
  }

  absl::Status Create(const RecordType& type) {
    for (const std::string& sql : CreateTableSql(type)) FADU_RETURN_IF_ERROR(Run(sql));
    for (const Column& column : ColumnsOf(type)) {
      if (column.index) FADU_RETURN_IF_ERROR(Run(CreateIndexSql(type, column)));
    }
    return Run(CreateViewSql(type));
  }

  // Adds a column the descriptor has gained, filled from the stored messages.
  absl::Status Add(const RecordType& type, const Column& column) {
    const std::string table = absl::StrCat("{schema}.", type.table());
    FADU_RETURN_IF_ERROR(Run(
        absl::StrCat("ALTER TABLE ", table, " ADD COLUMN ", column.name, " ", column.sql_type)));
    FADU_RETURN_IF_ERROR(Fill(type, column));
    if (!column.not_null) return absl::OkStatus();
    return Run(absl::StrCat("ALTER TABLE ", table, " ALTER COLUMN ", column.name, " SET NOT NULL"));
  }

  absl::Status Fill(const RecordType& type, const Column& column) {
    const std::string table = absl::StrCat(schema_, ".", type.table());
    std::string county;
    Uuid id;
    while (true) {
      const std::string select =
          absl::StrCat("SELECT county_code, id, message, sealed IS NOT NULL FROM ", table,
                       " WHERE (county_code, id) > ($1, $2) ORDER BY county_code, id LIMIT $3");
      FADU_ASSIGN_OR_RETURN(const db::Rows rows,
                            transaction_.Run(db::Statement{"fill_read", select},
                                             db::Params().Text(county).Id(id).Int(kBackfillBatch)));
      if (rows.empty()) return absl::OkStatus();
      for (const db::Row& row : rows) {
        county = row.Text(0);
        id = row.Id(1);
        bool null = false;
        std::string value = "{}";
        if (column.blind != nullptr) {
          if (row.Bool(3)) {
            return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_INTEGRITY_BROKEN,
                        absl::StrCat("blind index ", column.name,
                                     " cannot be added to a table that holds sealed records"),
                        {{"where", absl::StrCat(table, ".", column.name)}});
          }
        } else {
          std::unique_ptr<google::protobuf::Message> message = type.New();
          if (!message->ParseFromString(row.Bytes(2))) {
            return FADU_BUG("a stored message does not parse");
          }
          value = TextOf(type, column, *message, &null);
        }
        const std::string update =
            absl::StrCat("UPDATE ", table, " SET ", column.name, " = $3::", column.cast,
                         " WHERE county_code = $1 AND id = $2");
        db::Params params;
        params.Text(county).Id(id);
        if (null) {
          params.Null();
        } else {
          params.Text(value);
        }
        FADU_RETURN_IF_ERROR(
            transaction_.Execute(db::Statement{"fill_write", update}, params).status());
      }
    }
  }

  db::Transaction& transaction_;
  const std::string schema_;
  const std::string role_;
};

}  // namespace

std::vector<db::Migration> EventLogMigrations() { return sql::Migrations(); }

absl::Status SyncRecordTables(absl::string_view admin_dsn, absl::string_view schema,
                              absl::string_view role, const RecordTypes& types) {
  db::Pool pool(db::PoolOptions{std::string(admin_dsn), 1, "fadu migrate"});
  for (const auto& type : types.all()) {
    FADU_RETURN_IF_ERROR(pool.InTransaction(
        db::Scope{}, absl::Now() + absl::Minutes(10), [&](db::Transaction& transaction) {
          return TableSync(transaction, schema, role).Sync(*type);
        }));
  }
  return absl::OkStatus();
}

}  // namespace fadu::records
