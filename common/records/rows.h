// common/records/rows.h
//
// Records and events as rows on their way to the database. Internal to common/records.
#ifndef FADU_COMMON_RECORDS_ROWS_H_
#define FADU_COMMON_RECORDS_ROWS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/base/id.h"
#include "common/db/wire.h"
#include "common/records/composer.h"
#include "common/records/sealer.h"
#include "common/records/store_impl.h"

namespace fadu::records {

// An event as it is decided: a row of `event` without its place in the chain.
struct NewEvent {
  std::string type;
  Uuid id;
  int64_t revision = 0;
  std::string area_code;
  Uuid request_id;
  int64_t item = 0;
  std::string request_hash;
  absl::Time happened_at;
  std::string entry;
  absl::optional<std::string> fact;
  absl::optional<std::string> message;
  absl::optional<std::string> sealed;
};

// The columns of an event but county, seq and hash.
db::WireRow RowOf(const NewEvent& event);

// The end of a county's chain, and how it grows.
struct Head {
  int64_t seq = 0;
  std::string hash;  // empty: no event yet

  // Appends an event with these entry bytes: seq and hash are then the event's.
  void Chain(absl::string_view entry);
};

// INSERT of events from arrays: $1 county, then EventArrays.
extern const char kInsertEvents[];
// INSERT of one event: $1 county, then its ValuesOf.
extern const char kInsertEvent[];
// Rows of RowOf with seq and hash added.
std::vector<std::string> EventArrays(const std::vector<const db::WireRow*>& rows);

// The columns of a record but county, as WriteSql takes them. INVALID_ARGUMENT when its counting
// date is no day.
absl::StatusOr<db::WireRow> RowOf(const RecordRow& row, const WriteSql& sql, const Sealer& sealer);
std::vector<std::string> RecordArrays(const WriteSql& sql,
                                      const std::vector<const db::WireRow*>& rows);

// Each value of a row as a parameter; nothing for null.
std::vector<absl::optional<std::string>> ValuesOf(const db::WireRow& row);

}  // namespace fadu::records

#endif  // FADU_COMMON_RECORDS_ROWS_H_
