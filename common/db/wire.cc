#include "common/db/wire.h"

#include "absl/base/internal/endian.h"

namespace fadu::db {
namespace {

void Append32(std::string& out, uint32_t value) {
  char bytes[4];
  absl::big_endian::Store32(bytes, value);
  out.append(bytes, sizeof bytes);
}

void Append64(std::string& out, uint64_t value) {
  char bytes[8];
  absl::big_endian::Store64(bytes, value);
  out.append(bytes, sizeof bytes);
}

constexpr uint32_t kNullSize = 0xffffffff;  // -1
const absl::CivilDay kEpochDay(2000, 1, 1);

absl::Time Epoch() {
  static const absl::Time epoch = absl::FromCivil(kEpochDay, absl::UTCTimeZone());
  return epoch;
}

}  // namespace

WireRow& WireRow::Null() {
  Append32(bytes_, kNullSize);
  ends_.push_back(bytes_.size());
  return *this;
}

WireRow& WireRow::Text(absl::optional<absl::string_view> value) {
  if (!value.has_value()) return Null();
  Append32(bytes_, static_cast<uint32_t>(value->size()));
  bytes_.append(value->data(), value->size());
  ends_.push_back(bytes_.size());
  return *this;
}

WireRow& WireRow::Id(const Uuid& value) { return Text(value.view()); }

WireRow& WireRow::Int(absl::optional<int64_t> value) {
  if (!value.has_value()) return Null();
  Append32(bytes_, 8);
  Append64(bytes_, static_cast<uint64_t>(*value));
  ends_.push_back(bytes_.size());
  return *this;
}

WireRow& WireRow::Bool(absl::optional<bool> value) {
  if (!value.has_value()) return Null();
  return Text(absl::string_view(*value ? "\1" : "\0", 1));
}

WireRow& WireRow::Day(absl::optional<absl::CivilDay> value) {
  if (!value.has_value()) return Null();
  Append32(bytes_, 4);
  Append32(bytes_, static_cast<uint32_t>(static_cast<int32_t>(*value - kEpochDay)));
  ends_.push_back(bytes_.size());
  return *this;
}

WireRow& WireRow::Time(absl::optional<absl::Time> value) {
  if (!value.has_value()) return Null();
  return Int(absl::ToInt64Microseconds(*value - Epoch()));
}

absl::string_view WireRow::element(size_t column) const {
  const size_t begin = column == 0 ? 0 : ends_[column - 1];
  return absl::string_view(bytes_).substr(begin, ends_[column] - begin);
}

absl::optional<absl::string_view> WireRow::value(size_t column) const {
  const absl::string_view whole = element(column);
  if (absl::big_endian::Load32(whole.data()) == kNullSize) return absl::nullopt;
  return whole.substr(4);
}

std::string WireArray(WireType type, size_t column, const std::vector<const WireRow*>& rows) {
  size_t size = 20;
  for (const WireRow* row : rows) size += row->element(column).size();
  std::string out;
  out.reserve(size);
  Append32(out, rows.empty() ? 0 : 1);  // dimensions; an empty array has none
  Append32(out, 1);                     // may hold nulls
  Append32(out, static_cast<uint32_t>(type));
  if (rows.empty()) return out;
  Append32(out, static_cast<uint32_t>(rows.size()));
  Append32(out, 1);  // lower bound
  for (const WireRow* row : rows) {
    const absl::string_view element = row->element(column);
    out.append(element.data(), element.size());
  }
  return out;
}

std::string WireInt(int64_t value) {
  std::string out;
  Append64(out, static_cast<uint64_t>(value));
  return out;
}

bool ReadWireInt(absl::string_view bytes, int64_t* value) {
  switch (bytes.size()) {
    case 2:
      *value = static_cast<int16_t>(absl::big_endian::Load16(bytes.data()));
      return true;
    case 4:
      *value = static_cast<int32_t>(absl::big_endian::Load32(bytes.data()));
      return true;
    case 8:
      *value = static_cast<int64_t>(absl::big_endian::Load64(bytes.data()));
      return true;
    default:
      return false;
  }
}

bool ReadWireTime(absl::string_view bytes, absl::Time* at) {
  int64_t micros = 0;
  if (bytes.size() != 8 || !ReadWireInt(bytes, &micros)) return false;
  *at = Epoch() + absl::Microseconds(micros);
  return true;
}

bool ReadWireDay(absl::string_view bytes, absl::CivilDay* day) {
  int64_t days = 0;
  if (bytes.size() != 4 || !ReadWireInt(bytes, &days)) return false;
  *day = kEpochDay + days;
  return true;
}

}  // namespace fadu::db
