#include "common/records/rows.h"

#include "absl/base/internal/endian.h"
#include "absl/strings/str_cat.h"
#include "common/base/civil_day.h"
#include "common/base/digest.h"
#include "common/base/status.h"

namespace fadu::records {
namespace {

using google::protobuf::Message;

absl::optional<absl::string_view> OrNull(const std::string& text) {
  return text.empty() ? absl::optional<absl::string_view>() : absl::string_view(text);
}

absl::optional<absl::string_view> ViewOf(const absl::optional<std::string>& text) {
  return text.has_value() ? absl::string_view(*text) : absl::optional<absl::string_view>();
}

std::string LiteralOf(const std::vector<Value>& values) {
  std::vector<std::string> items;
  for (const Value& value : values) {
    const bool number = value.kind == ValueKind::kInt || value.kind == ValueKind::kPoints ||
                        value.kind == ValueKind::kBool;
    items.push_back(number ? absl::StrCat(value.number) : value.text);
  }
  return ArrayLiteral(items);
}

void AppendColumn(db::WireRow& row, const Column& column, const StoredRecord& record,
                  const Sealer& sealer) {
  const RecordType& type = *record.type;
  if (column.blind != nullptr) {
    std::vector<std::string> blinds;
    if (record.sealed != nullptr) {
      for (const std::string& clear : type.BlindValuesOf(*record.sealed, *column.blind)) {
        blinds.push_back(sealer.BlindIndex(record.county, column.blind->filter_name, clear));
      }
    }
    row.Text(BytesArrayLiteral(blinds));
    return;
  }
  const std::vector<Value> values = type.ValuesOf(*record.message, *column.field);
  if (column.field->repeated()) {
    row.Text(LiteralOf(values));
    return;
  }
  if (values.empty()) {
    row.Null();
    return;
  }
  switch (column.field->kind) {
    case ValueKind::kText:
    case ValueKind::kCode:
      row.Text(values[0].text);
      break;
    case ValueKind::kInt:
    case ValueKind::kPoints:
      row.Int(values[0].number);
      break;
    case ValueKind::kBool:
      row.Bool(values[0].number != 0);
      break;
    case ValueKind::kDate: {
      const absl::StatusOr<absl::CivilDay> day = ParseDay(values[0].text);
      row.Day(day.ok() ? absl::optional<absl::CivilDay>(*day) : absl::nullopt);
      break;
    }
  }
}

std::vector<std::string> ArraysOf(const std::vector<db::WireType>& types,
                                  const std::vector<const db::WireRow*>& rows) {
  std::vector<std::string> arrays;
  arrays.reserve(types.size());
  for (size_t i = 0; i < types.size(); ++i) arrays.push_back(db::WireArray(types[i], i, rows));
  return arrays;
}

}  // namespace

const char kInsertEvents[] =
    "INSERT INTO event (county_code, type, id, revision, area_code, request_id, item, "
    "request_hash, happened_at, entry, fact, message, sealed, seq, hash) "
    "SELECT $1::text, b.type, b.id, b.revision, b.area_code, b.request_id, b.item, b.request_hash, "
    "b.happened_at, b.entry, b.fact, b.message, b.sealed, b.seq, b.hash "
    "FROM unnest($2::text[], $3::uuid[], $4::bigint[], $5::text[], $6::uuid[], $7::bigint[], "
    "$8::bytea[], $9::timestamptz[], $10::bytea[], $11::bytea[], $12::bytea[], $13::bytea[], "
    "$14::bigint[], $15::bytea[]) AS b(type, id, revision, area_code, request_id, item, "
    "request_hash, happened_at, entry, fact, message, sealed, seq, hash)";

const char kInsertEvent[] =
    "INSERT INTO event (county_code, type, id, revision, area_code, request_id, item, "
    "request_hash, happened_at, entry, fact, message, sealed, seq, hash) "
    "VALUES ($1::text, $2::text, $3::uuid, $4::bigint, $5::text, $6::uuid, $7::bigint, $8::bytea, "
    "$9::timestamptz, $10::bytea, $11::bytea, $12::bytea, $13::bytea, $14::bigint, $15::bytea)";

db::WireRow RowOf(const NewEvent& event) {
  db::WireRow row;
  row.Text(event.type)
      .Id(event.id)
      .Int(event.revision)
      .Text(event.area_code)
      .Id(event.request_id)
      .Int(event.item)
      .Bytes(event.request_hash)
      .Time(event.happened_at)
      .Bytes(event.entry)
      .Bytes(ViewOf(event.fact))
      .Bytes(ViewOf(event.message))
      .Bytes(ViewOf(event.sealed));
  return row;
}

std::vector<std::string> EventArrays(const std::vector<const db::WireRow*>& rows) {
  using db::WireType;
  static const std::vector<WireType> types = {
      WireType::kText,  WireType::kId,    WireType::kInt,  WireType::kText,  WireType::kId,
      WireType::kInt,   WireType::kBytes, WireType::kTime, WireType::kBytes, WireType::kBytes,
      WireType::kBytes, WireType::kBytes, WireType::kInt,  WireType::kBytes};
  return ArraysOf(types, rows);
}

void Head::Chain(absl::string_view entry) {
  char bytes[8];
  absl::big_endian::Store64(bytes, static_cast<uint64_t>(++seq));
  hash = StoredDigest(absl::StrCat(hash, absl::string_view(bytes, sizeof bytes), entry));
}

absl::StatusOr<db::WireRow> RowOf(const RecordRow& stored, const WriteSql& sql,
                                  const Sealer& sealer) {
  const StoredRecord& record = stored.record;
  FADU_ASSIGN_OR_RETURN(const absl::CivilDay counted_on,
                        ParseDay(record.type->CountingDateOf(*record.message)));
  db::WireRow row;
  row.Id(record.id)
      .Int(record.revision)
      .Text(record.area_code)
      .Day(counted_on)
      .Text(ReviewCode(record.review_state))
      .Text(OrNull(record.review_comment))
      .Time(record.created_at)
      .Time(record.updated_at)
      .Time(record.deleted_at)
      .Bytes(stored.message_bytes)
      .Bytes(OrNull(stored.sealed_bytes))
      .Bytes(OrNull(stored.wrapped_key));
  for (const Column& column : sql.columns) AppendColumn(row, column, record, sealer);
  return row;
}

std::vector<std::string> RecordArrays(const WriteSql& sql,
                                      const std::vector<const db::WireRow*>& rows) {
  return ArraysOf(sql.types, rows);
}

std::vector<absl::optional<std::string>> ValuesOf(const db::WireRow& row) {
  std::vector<absl::optional<std::string>> values(row.size());
  for (size_t i = 0; i < row.size(); ++i) {
    const absl::optional<absl::string_view> value = row.value(i);
    if (value.has_value()) values[i] = std::string(*value);
  }
  return values;
}

}  // namespace fadu::records
