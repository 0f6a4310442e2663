// common/records/composer.h
//
// The one place where SQL is put together: fixed fragments, column names from the descriptor
// table only, values always bound, the county predicate by construction.
#ifndef FADU_COMMON_RECORDS_COMPOSER_H_
#define FADU_COMMON_RECORDS_COMPOSER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/base/id.h"
#include "common/db/pool.h"
#include "common/db/wire.h"
#include "common/records/sealer.h"
#include "common/schema/filter.h"
#include "common/schema/record_type.h"

namespace fadu::records {

// A typed column of a record table.
struct Column {
  const RecordField* field = nullptr;  // null for a blind index
  const BlindIndexField* blind = nullptr;
  std::string name;
  std::string sql_type;  // "text COLLATE \"C\"", "bigint", "text[]", "bytea[]" …
  std::string cast;      // element type as unnest delivers it, and the cast it needs: "text[]"
  bool not_null = false;
  bool index = false;
};

// The typed columns of a type: filterable fields but area and counting date (which every table has
// as area_code and counted_on), then blind indexes.
std::vector<Column> ColumnsOf(const RecordType& type);

// The column a filterable field is compared on.
std::string ColumnNameOf(const RecordType& type, const RecordField& field);

// CREATE TABLE with policies, grants and indexes. {schema} and {role} stand for themselves.
std::vector<std::string> CreateTableSql(const RecordType& type);
// CREATE INDEX of one column.
std::string CreateIndexSql(const RecordType& type, const Column& column);
// A view of the type's typed columns for people with psql.
std::string CreateViewSql(const RecordType& type);

// Statement text with what it binds.
struct BoundSql {
  std::string sql;
  db::Params params;
};

// The order of a list.
struct ListOrder {
  const RecordField* field = nullptr;  // null: newest first (by id, which is a UUIDv7)
  bool descending = true;
};

// INVALID_ARGUMENT / REASON_ORDER_INVALID: unknown field, not required, or without an index.
absl::StatusOr<ListOrder> ParseOrder(absl::string_view text, const RecordType& type);

// One page or one window of a list.
struct ListSelection {
  std::string county;
  const RecordType* type = nullptr;
  const FilterNode* filter = nullptr;
  ListOrder order;
  bool show_deleted = false;
  std::string review_state;        // code; empty: any
  std::vector<std::string> areas;  // subtrees; empty: no predicate (row-level security decides)
  absl::optional<Uuid> after_id;   // keyset: the last row's id …
  absl::optional<std::string> after_value;  // … and its value in the order column, as text
  absl::optional<Uuid> not_below;           // window: no id below this one (newest first only)
  int limit = 0;
};

// SELECT of record rows; the columns are those of kRecordColumns, and the order column as text last
// when there is one.
BoundSql SelectPage(const ListSelection& selection, const Sealer& sealer);
// SELECT of the id that ends a window of `window` rows; no row when fewer are left.
BoundSql SelectWindowEnd(const ListSelection& selection, int window);
// SELECT of review state, how many records, and their earliest change; of those the selection's
// county, areas, filter and deletion allow.
BoundSql CountByReviewState(const ListSelection& selection, const Sealer& sealer);
// True when the filter can be answered from an index: a top-level AND of it compares an indexed
// column.
bool UsesIndex(const FilterNode& filter, const RecordType& type);

// SELECT by ids, under a lock or not.
std::string SelectByIdsSql(const RecordType& type);

// How rows of a type are written. Every statement takes $1 county, then an array a column (a value,
// where it writes one row), in the order of kRecordColumns and ColumnsOf.
struct WriteSql {
  std::vector<Column> columns;      // ColumnsOf
  std::vector<db::WireType> types;  // of the arrays' elements
  // INSERT … ON CONFLICT DO UPDATE of records at the revision before; counts what it wrote.
  std::string upsert;
  // The same, failing (22012) unless it wrote every row.
  std::string upsert_all;
  // INSERT, failing (23505) when a record is there.
  std::string insert;
  // The last two of one row: arrays of one cost more to take apart than to write.
  std::string upsert_one;
  std::string insert_one;
};
WriteSql WriteSqlOf(const RecordType& type);

// id, revision, area_code, counted_on, review_state, review_comment, created_at, updated_at,
// deleted_at, message, sealed, record_key.
inline constexpr char kRecordColumns[] =
    "id, revision, area_code, counted_on, review_state, review_comment, created_at, updated_at, "
    "deleted_at, message, sealed, record_key";
inline constexpr int kRecordColumnCount = 12;

// A literal of a PostgreSQL array of text, each item quoted.
std::string ArrayLiteral(const std::vector<std::string>& items);
// The same for bytes.
std::string BytesArrayLiteral(const std::vector<std::string>& items);

}  // namespace fadu::records

#endif  // FADU_COMMON_RECORDS_COMPOSER_H_
