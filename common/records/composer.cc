#include "common/records/composer.h"

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/area_code.h"
#include "common/base/civil_day.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"

namespace fadu::records {
namespace {

namespace v1 = ::fadu::common::v1;

std::string ScalarType(ValueKind kind) {
  switch (kind) {
    case ValueKind::kText:
    case ValueKind::kCode:
      return "text";
    case ValueKind::kInt:
    case ValueKind::kPoints:
      return "bigint";
    case ValueKind::kBool:
      return "boolean";
    case ValueKind::kDate:
      return "date";
  }
  return "text";
}

// Numbers and booleans always have a value; texts, codes and dates when the contract requires one.
bool AlwaysPresent(const RecordField& field) {
  if (field.repeated()) return true;
  switch (field.kind) {
    case ValueKind::kInt:
    case ValueKind::kPoints:
    case ValueKind::kBool:
      return true;
    case ValueKind::kText:
    case ValueKind::kCode:
    case ValueKind::kDate:
      return field.descriptor->options().GetExtension(v1::rules).required();
  }
  return false;
}

void Bind(db::Params& params, const Value& value) {
  switch (value.kind) {
    case ValueKind::kText:
    case ValueKind::kCode:
    case ValueKind::kDate:
      params.Text(value.text);
      return;
    case ValueKind::kInt:
    case ValueKind::kPoints:
      params.Int(value.number);
      return;
    case ValueKind::kBool:
      params.Bool(value.number != 0);
      return;
  }
}

// Builds a WHERE clause; every value becomes a parameter.
class Where {
 public:
  Where(const RecordType& type, absl::string_view county, const Sealer* sealer)
      : type_(type), county_(county), sealer_(sealer) {}

  std::string Next(absl::string_view cast = "") {
    const std::string place = absl::StrCat("$", ++count_);
    return cast.empty() ? place : absl::StrCat(place, "::", cast);
  }
  db::Params& params() { return params_; }

  std::string Compile(const FilterNode& node) {
    switch (node.type) {
      case FilterNode::Type::kAnd:
      case FilterNode::Type::kOr: {
        if (node.children.empty()) return "true";
        std::vector<std::string> parts;
        for (const FilterNode& child : node.children) parts.push_back(Compile(child));
        return absl::StrCat(
            "(", absl::StrJoin(parts, node.type == FilterNode::Type::kAnd ? " AND " : " OR "), ")");
      }
      case FilterNode::Type::kNot:
        // Comparing an absent value is false, so NOT of it is true.
        return absl::StrCat("(NOT COALESCE(", Compile(node.children[0]), ", false))");
      case FilterNode::Type::kBlind: {
        const std::string place = Next("bytea");
        params_.Bytes(sealer_->BlindIndex(county_, node.blind->filter_name, node.value.text));
        return absl::StrCat("(", place, " = ANY (", node.blind->column, "))");
      }
      case FilterNode::Type::kCompare:
        return Compare(node);
    }
    return "false";
  }

 private:
  std::string Compare(const FilterNode& node) {
    const std::string column = ColumnNameOf(type_, *node.field);
    if (node.op == CompareOp::kPresent) {
      return node.field->repeated() ? absl::StrCat("(cardinality(", column, ") > 0)")
                                    : absl::StrCat("(", column, " IS NOT NULL)");
    }
    const std::string place = Next(ScalarType(node.value.kind));
    Bind(params_, node.value);
    switch (node.op) {
      case CompareOp::kEq:
        return absl::StrCat("(", column, " = ", place, ")");
      case CompareOp::kNe:
        return absl::StrCat("(", column, " IS DISTINCT FROM ", place, ")");
      case CompareOp::kLt:
        return absl::StrCat("(", column, " < ", place, ")");
      case CompareOp::kLe:
        return absl::StrCat("(", column, " <= ", place, ")");
      case CompareOp::kGt:
        return absl::StrCat("(", column, " > ", place, ")");
      case CompareOp::kGe:
        return absl::StrCat("(", column, " >= ", place, ")");
      case CompareOp::kHas:
        return node.field->repeated() ? absl::StrCat("(", place, " = ANY (", column, "))")
                                      : absl::StrCat("(", column, " = ", place, ")");
      case CompareOp::kPresent:
        break;
    }
    return "false";
  }

  const RecordType& type_;
  const std::string county_;
  const Sealer* sealer_;
  db::Params params_;
  int count_ = 0;
};

// What page and window share: county, deletion, review state, areas.
std::vector<std::string> BasePredicates(const ListSelection& selection, Where& where) {
  std::vector<std::string> parts;
  parts.push_back(absl::StrCat("county_code = ", where.Next("text")));
  where.params().Text(selection.county);
  if (!selection.show_deleted) parts.push_back("deleted_at IS NULL");
  if (!selection.review_state.empty()) {
    parts.push_back(absl::StrCat("review_state = ", where.Next("text")));
    where.params().Text(selection.review_state);
  }
  if (!selection.areas.empty()) {
    std::vector<std::string> ranges;
    for (const std::string& area : selection.areas) {
      const std::string low = where.Next("text");
      const std::string high = where.Next("text");
      where.params().Text(area).Text(AfterSubtree(area));
      ranges.push_back(absl::StrCat("(area_code >= ", low, " AND area_code < ", high, ")"));
    }
    parts.push_back(absl::StrCat("(", absl::StrJoin(ranges, " OR "), ")"));
  }
  return parts;
}

}  // namespace

std::string ColumnNameOf(const RecordType& type, const RecordField& field) {
  return field.name() == type.options().counting_date() ? "counted_on" : field.column;
}

std::vector<Column> ColumnsOf(const RecordType& type) {
  std::vector<Column> columns;
  for (const RecordField& field : type.fields()) {
    if (!field.options.filter() || field.name() == "area_code" ||
        field.name() == type.options().counting_date()) {
      continue;
    }
    Column column;
    column.field = &field;
    column.name = field.column;
    const std::string scalar = ScalarType(field.kind);
    column.cast = field.repeated() ? absl::StrCat(scalar, "[]") : scalar;
    column.sql_type = column.cast;
    if (scalar == "text") absl::StrAppend(&column.sql_type, " COLLATE \"C\"");
    column.not_null = AlwaysPresent(field);
    column.index = field.options.index();
    columns.push_back(std::move(column));
  }
  for (const BlindIndexField& blind : type.blind_indexes()) {
    Column column;
    column.blind = &blind;
    column.name = blind.column;
    column.cast = "bytea[]";
    column.sql_type = "bytea[]";
    column.not_null = true;
    columns.push_back(std::move(column));
  }
  return columns;
}

std::vector<std::string> CreateTableSql(const RecordType& type) {
  const std::string table = type.table();
  std::vector<std::string> columns = {
      "county_code text COLLATE \"C\" NOT NULL",
      "id uuid NOT NULL",
      "revision bigint NOT NULL",
      "area_code text COLLATE \"C\" NOT NULL",
      "counted_on date NOT NULL",
      "review_state text COLLATE \"C\" NOT NULL",
      "review_comment text",
      "created_at timestamptz NOT NULL",
      "updated_at timestamptz NOT NULL",
      "deleted_at timestamptz",
      "message bytea NOT NULL",
      "sealed bytea",
      "record_key bytea",
  };
  for (const Column& column : ColumnsOf(type)) {
    columns.push_back(
        absl::StrCat(column.name, " ", column.sql_type, column.not_null ? " NOT NULL" : ""));
  }
  columns.push_back(absl::StrCat("CONSTRAINT ", table, "_pkey PRIMARY KEY (county_code, id)"));
  columns.push_back(
      absl::StrCat("CONSTRAINT ", table, "_county_code_check CHECK (county_code ~ '^[0-9]{6}$')"));
  const std::string name = absl::StrCat("{schema}.", table);
  return {
      absl::StrCat("CREATE TABLE ", name, " (\n  ", absl::StrJoin(columns, ",\n  "), "\n)"),
      absl::StrCat("ALTER TABLE ", name, " ENABLE ROW LEVEL SECURITY"),
      absl::StrCat("ALTER TABLE ", name, " FORCE ROW LEVEL SECURITY"),
      absl::StrCat(
          "CREATE POLICY ", table, "_scope ON ", name,
          " USING (county_code = ANY (string_to_array(current_setting('fadu.counties', true), ','))"
          " AND (left(area_code, 6) = ANY (string_to_array(current_setting('fadu.areas', true), "
          "','))"
          " OR left(area_code, 9) = ANY (string_to_array(current_setting('fadu.areas', true), ','))"
          " OR area_code = ANY (string_to_array(current_setting('fadu.areas', true), ','))))"),
      absl::StrCat("GRANT SELECT, INSERT, UPDATE ON ", name, " TO {role}"),
      absl::StrCat("CREATE INDEX ", table, "_area_idx ON ", name, " (county_code, area_code, id)"),
      absl::StrCat("CREATE INDEX ", table, "_counted_on_idx ON ", name,
                   " (county_code, counted_on, id)"),
  };
}

std::string CreateIndexSql(const RecordType& type, const Column& column) {
  return absl::StrCat("CREATE INDEX IF NOT EXISTS ", type.table(), "_", column.name,
                      "_idx ON {schema}.", type.table(), " (county_code, ", column.name, ", id)");
}

std::string CreateViewSql(const RecordType& type) {
  std::vector<std::string> names = {"county_code", "id",         "revision",
                                    "area_code",   "counted_on", "review_state",
                                    "created_at",  "updated_at", "deleted_at"};
  for (const Column& column : ColumnsOf(type)) {
    if (column.blind == nullptr) names.push_back(column.name);
  }
  return absl::StrCat("CREATE VIEW {schema}.", type.table(),
                      "_view WITH (security_invoker = true) AS SELECT ", absl::StrJoin(names, ", "),
                      " FROM {schema}.", type.table());
}

absl::StatusOr<ListOrder> ParseOrder(absl::string_view text, const RecordType& type) {
  const auto invalid = [&](absl::string_view problem) {
    return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_ORDER_INVALID,
                "order_by does not fit the record type", {{"problem", std::string(problem)}});
  };
  std::vector<std::string> words = absl::StrSplit(text, ' ', absl::SkipWhitespace());
  if (words.empty()) return ListOrder{};
  if (words.size() > 2 || (words.size() == 2 && words[1] != "desc" && words[1] != "asc")) {
    return invalid("写作“字段”或“字段 desc”，只能有一个字段");
  }
  const bool descending = words.size() == 2 && words[1] == "desc";
  if (words[0] == "create_time") {
    if (!descending) return invalid("create_time 只能倒序：create_time desc");
    return ListOrder{};
  }
  std::vector<std::string> possible = {"create_time desc"};
  for (const RecordField& field : type.fields()) {
    const bool orderable = field.options.filter() && !field.repeated() && AlwaysPresent(field) &&
                           (field.options.index() || field.name() == "area_code" ||
                            field.name() == type.options().counting_date());
    if (!orderable) continue;
    if (field.name() == words[0]) return ListOrder{&field, descending};
    possible.push_back(field.name());
  }
  return invalid(absl::StrCat("不能按 ", words[0], " 排序，可用：", absl::StrJoin(possible, "、")));
}

BoundSql SelectPage(const ListSelection& selection, const Sealer& sealer) {
  Where where(*selection.type, selection.county, &sealer);
  std::vector<std::string> parts = BasePredicates(selection, where);
  const std::string compare = selection.order.descending ? "<" : ">";
  std::string columns = kRecordColumns;
  std::string order;
  if (selection.order.field == nullptr) {
    if (selection.after_id.has_value()) {
      parts.push_back(absl::StrCat("id < ", where.Next("uuid")));
      where.params().Id(*selection.after_id);
    }
    if (selection.not_below.has_value()) {
      parts.push_back(absl::StrCat("id >= ", where.Next("uuid")));
      where.params().Id(*selection.not_below);
    }
    order = "id DESC";
  } else {
    const std::string column = ColumnNameOf(*selection.type, *selection.order.field);
    const std::string type = ScalarType(selection.order.field->kind);
    const std::string direction = selection.order.descending ? "DESC" : "ASC";
    if (selection.after_id.has_value() && selection.after_value.has_value()) {
      const std::string bound = where.Next(type);
      const std::string again = where.Next(type);
      const std::string id = where.Next("uuid");
      where.params()
          .Text(*selection.after_value)
          .Text(*selection.after_value)
          .Id(*selection.after_id);
      // The first conjunct bounds the index scan, the second takes the keyset's place in it.
      parts.push_back(absl::StrCat(column, " ", compare, "= ", bound));
      parts.push_back(
          absl::StrCat("(", column, " ", compare, " ", again, " OR id ", compare, " ", id, ")"));
    }
    // Named apart: ORDER BY would take an output column of the same name, and sort texts.
    absl::StrAppend(&columns, ", ", column, "::text AS order_value");
    order = absl::StrCat(column, " ", direction, ", id ", direction);
  }
  if (selection.filter != nullptr) parts.push_back(where.Compile(*selection.filter));
  const std::string limit = where.Next("bigint");
  where.params().Int(selection.limit);
  return BoundSql{
      absl::StrCat("SELECT ", columns, " FROM ", selection.type->table(), " WHERE ",
                   absl::StrJoin(parts, " AND "), " ORDER BY ", order, " LIMIT ", limit),
      std::move(where.params())};
}

BoundSql SelectWindowEnd(const ListSelection& selection, int window) {
  Where where(*selection.type, selection.county, nullptr);
  std::vector<std::string> parts = BasePredicates(selection, where);
  if (selection.after_id.has_value()) {
    parts.push_back(absl::StrCat("id < ", where.Next("uuid")));
    where.params().Id(*selection.after_id);
  }
  const std::string offset = where.Next("bigint");
  where.params().Int(window - 1);
  return BoundSql{
      absl::StrCat("SELECT id FROM ", selection.type->table(), " WHERE ",
                   absl::StrJoin(parts, " AND "), " ORDER BY id DESC OFFSET ", offset, " LIMIT 1"),
      std::move(where.params())};
}

BoundSql CountByReviewState(const ListSelection& selection, const Sealer& sealer) {
  Where where(*selection.type, selection.county, &sealer);
  std::vector<std::string> parts = BasePredicates(selection, where);
  if (selection.filter != nullptr) parts.push_back(where.Compile(*selection.filter));
  return BoundSql{
      absl::StrCat("SELECT review_state, COUNT(*), MIN(updated_at) FROM ", selection.type->table(),
                   " WHERE ", absl::StrJoin(parts, " AND "), " GROUP BY review_state"),
      std::move(where.params())};
}

bool UsesIndex(const FilterNode& filter, const RecordType& type) {
  switch (filter.type) {
    case FilterNode::Type::kAnd:
      return std::any_of(filter.children.begin(), filter.children.end(),
                         [&](const FilterNode& child) { return UsesIndex(child, type); });
    case FilterNode::Type::kCompare:
      return !filter.field->repeated() && filter.op != CompareOp::kNe &&
             filter.op != CompareOp::kPresent &&
             (filter.field->options.index() ||
              filter.field->name() == type.options().counting_date() ||
              filter.field->name() == "area_code");
    case FilterNode::Type::kOr:
    case FilterNode::Type::kNot:
    case FilterNode::Type::kBlind:
      return false;
  }
  return false;
}

std::string SelectByIdsSql(const RecordType& type) {
  return absl::StrCat("SELECT ", kRecordColumns, " FROM ", type.table(),
                      " WHERE county_code = $1 AND id = ANY ($2::uuid[])");
}

WriteSql WriteSqlOf(const RecordType& type) {
  WriteSql sql;
  sql.columns = ColumnsOf(type);
  // Name, element type of the array, and how the column takes it.
  std::vector<std::string> names = {"id",           "revision",       "area_code",  "counted_on",
                                    "review_state", "review_comment", "created_at", "updated_at",
                                    "deleted_at",   "message",        "sealed",     "record_key"};
  std::vector<std::string> elements = {"uuid",        "bigint", "text",        "date",
                                       "text",        "text",   "timestamptz", "timestamptz",
                                       "timestamptz", "bytea",  "bytea",       "bytea"};
  std::vector<std::string> casts(names.size());
  for (const Column& column : sql.columns) {
    names.push_back(column.name);
    // Arrays of arrays must be rectangular: a repeated value travels as a literal.
    const bool literal = absl::EndsWith(column.cast, "[]");
    elements.push_back(literal ? "text" : column.cast);
    casts.push_back(literal ? absl::StrCat("::", column.cast) : "");
  }
  const std::map<std::string, db::WireType> types = {
      {"uuid", db::WireType::kId},         {"bigint", db::WireType::kInt},
      {"text", db::WireType::kText},       {"date", db::WireType::kDay},
      {"boolean", db::WireType::kBool},    {"bytea", db::WireType::kBytes},
      {"timestamptz", db::WireType::kTime}};
  std::vector<std::string> arrays;
  std::vector<std::string> values;
  std::vector<std::string> updates;
  for (size_t i = 0; i < names.size(); ++i) {
    sql.types.push_back(types.at(elements[i]));
    const std::string place = absl::StrCat("$", i + 2, "::", elements[i]);
    arrays.push_back(absl::StrCat(place, "[]"));
    values.push_back(absl::StrCat(place, casts[i]));
    if (names[i] != "id" && names[i] != "created_at") {
      updates.push_back(absl::StrCat(names[i], " = excluded.", names[i]));
    }
  }
  std::vector<std::string> takes;
  for (size_t i = 0; i < names.size(); ++i) {
    takes.push_back(absl::StrCat("b.", names[i], casts[i]));
  }
  const std::string table = type.table();
  const std::string into =
      absl::StrCat("INSERT INTO ", table, " (county_code, ", absl::StrJoin(names, ", "), ")");
  sql.insert =
      absl::StrCat(into, " SELECT $1::text, ", absl::StrJoin(takes, ", "), " FROM unnest(",
                   absl::StrJoin(arrays, ", "), ") AS b(", absl::StrJoin(names, ", "), ")");
  sql.insert_one = absl::StrCat(into, " VALUES ($1::text, ", absl::StrJoin(values, ", "), ")");
  const std::string update =
      absl::StrCat(" ON CONFLICT (county_code, id) DO UPDATE SET ", absl::StrJoin(updates, ", "),
                   " WHERE ", table, ".revision = excluded.revision - 1");
  sql.upsert = absl::StrCat(sql.insert, update);
  sql.upsert_all =
      absl::StrCat("WITH written AS (", sql.upsert,
                   " RETURNING 1) SELECT 1 / CASE WHEN count(*) = cardinality($2::uuid[]) "
                   "THEN 1 ELSE 0 END FROM written");
  sql.upsert_one = absl::StrCat("WITH written AS (", sql.insert_one, update,
                                " RETURNING 1) SELECT 1 / count(*) FROM written");
  return sql;
}

std::string ArrayLiteral(const std::vector<std::string>& items) {
  std::vector<std::string> quoted;
  for (const std::string& item : items) {
    std::string text = "\"";
    for (const char c : item) {
      if (c == '"' || c == '\\') text.push_back('\\');
      text.push_back(c);
    }
    text.push_back('"');
    quoted.push_back(std::move(text));
  }
  return absl::StrCat("{", absl::StrJoin(quoted, ","), "}");
}

std::string BytesArrayLiteral(const std::vector<std::string>& items) {
  std::vector<std::string> quoted;
  for (const std::string& item : items) {
    quoted.push_back(absl::StrCat("\"\\\\x", absl::BytesToHexString(item), "\""));
  }
  return absl::StrCat("{", absl::StrJoin(quoted, ","), "}");
}

}  // namespace fadu::records
