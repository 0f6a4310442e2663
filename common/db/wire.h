// common/db/wire.h
//
// PostgreSQL's binary form of values: of parameters, and of results that are asked for in it.
#ifndef FADU_COMMON_DB_WIRE_H_
#define FADU_COMMON_DB_WIRE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/base/id.h"

namespace fadu::db {

// Type OIDs of PostgreSQL's catalogue (pg_type.dat); stable since 7.x.
enum class WireType : uint32_t {
  kBool = 16,
  kBytes = 17,
  kInt = 20,
  kText = 25,
  kDay = 1082,
  kTime = 1184,
  kId = 2950,
};

// The values of one row, in the order of their columns. Rows become parameters column by column,
// one array each, for unnest.
class WireRow {
 public:
  WireRow& Text(absl::optional<absl::string_view> value);
  WireRow& Bytes(absl::optional<absl::string_view> value) { return Text(value); }
  WireRow& Id(const Uuid& value);
  WireRow& Int(absl::optional<int64_t> value);
  WireRow& Bool(absl::optional<bool> value);
  WireRow& Day(absl::optional<absl::CivilDay> value);
  WireRow& Time(absl::optional<absl::Time> value);
  WireRow& Null();

  size_t size() const { return ends_.size(); }
  // One value as an element of an array: length (-1: null) and bytes.
  absl::string_view element(size_t column) const;
  // Its bytes alone; nothing when it is null.
  absl::optional<absl::string_view> value(size_t column) const;

 private:
  std::string bytes_;
  std::vector<size_t> ends_;
};

// One column of `rows` as an array.
std::string WireArray(WireType type, size_t column, const std::vector<const WireRow*>& rows);
// A single value.
std::string WireInt(int64_t value);

// Read values of results; false when the bytes are no such value. Integers of 2, 4 or 8 bytes.
bool ReadWireInt(absl::string_view bytes, int64_t* value);
bool ReadWireTime(absl::string_view bytes, absl::Time* at);
bool ReadWireDay(absl::string_view bytes, absl::CivilDay* day);

}  // namespace fadu::db

#endif  // FADU_COMMON_DB_WIRE_H_
