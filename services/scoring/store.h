// services/scoring/store.h
//
// Facts, feed positions and runs in PostgreSQL. A fact is keyed (service, record, revision); a
// newer revision closes the older at its seq, and closed facts stay, so that the facts that held at
// any earlier position can always be read again.
#ifndef FADU_SERVICES_SCORING_STORE_H_
#define FADU_SERVICES_SCORING_STORE_H_

#include <google/protobuf/message.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "common/base/id.h"
#include "common/db/pool.h"
#include "fadu/common/v1/fact_feed.pb.h"

namespace fadu::scoring {

// A fact as it is stored: the bytes that were taken, and their digest.
struct StoredFact {
  Uuid id;
  int64_t revision = 0;
  std::string bytes;   // a serialised fadu.common.v1.Fact
  std::string digest;  // StoredDigest(bytes), as stored
};

// A fact with the columns that stand beside its bytes.
struct FactRow {
  StoredFact fact;
  int64_t seq = 0;
  absl::optional<int64_t> until_seq;
  std::string type;
  std::string area_code;
  absl::optional<absl::CivilDay> counted_on;
  int64_t year = 0;
  int64_t review_state = 0;
  bool tombstone = false;
};

// A run as it is stored.
struct StoredRun {
  Uuid id;
  int year = 0;
  absl::Time created_at;  // whole microseconds
  std::string actor;
  std::string rubric_title;
  std::string snapshot;  // a serialised Snapshot; empty in lists
  std::string snapshot_digest;
  std::string result;  // ResultBytes(); empty in lists
  std::string result_digest;
};

// The positions of a county's feeds, by service.
using Positions = std::map<std::string, int64_t>;

// Deterministic serialisation: what is stored and what digests are made of.
std::string BytesOf(const google::protobuf::Message& message);

// Every member fails as db::Pool does. Thread-safe.
class Store {
 public:
  explicit Store(db::Pool& pool) : pool_(pool) {}

  // Every county of which a feed was ever asked for, sorted.
  absl::StatusOr<std::vector<std::string>> KnownCounties(absl::Time deadline);

  // The feeds taken so far; a service that was never taken is missing.
  absl::StatusOr<Positions> PositionsOf(absl::string_view county, absl::Time deadline);

  // Takes facts in one transaction: stores them, closes those they replace, advances the position.
  // Facts up to the position are known and skipped, so a batch may come again, and from several
  // pullers at once. Without facts the feed becomes known at position 0. Returns the position.
  //
  // FAILED_PRECONDITION / REASON_FEED_GAP: the facts do not go on where the position is.
  // FAILED_PRECONDITION / REASON_INTEGRITY_BROKEN: another fact of the same record and revision.
  // INVALID_ARGUMENT / REASON_FIELD_INVALID: an id or a date that is none.
  absl::StatusOr<int64_t> TakeFacts(absl::string_view county, absl::string_view service,
                                    absl::Span<const fadu::common::v1::Fact> facts,
                                    absl::Time deadline);

  // The facts of one service that hold at `seq`, by (id, revision); with `year` only those that
  // count in it. `visit` may end the walk with a failure, which is returned.
  absl::Status ForEachHeld(absl::string_view county, absl::string_view service, int64_t seq,
                           absl::optional<int> year, absl::Time deadline,
                           const std::function<absl::Status(const StoredFact&)>& visit);

  // All facts of one service up to `seq`, replaced ones and tombstones too, by (id, revision).
  absl::Status ForEachFact(absl::string_view county, absl::string_view service, int64_t seq,
                           absl::Time deadline,
                           const std::function<absl::Status(const FactRow&)>& visit);

  // How many facts hold now, by service; a service with none is missing.
  absl::StatusOr<std::map<std::string, int64_t>> CountHeld(absl::string_view county,
                                                           absl::Time deadline);

  // Stores a run. False when there is one of that id already, which then stays as it is.
  absl::StatusOr<bool> InsertRun(absl::string_view county, const StoredRun& run,
                                 absl::Time deadline);
  absl::StatusOr<absl::optional<StoredRun>> FindRun(absl::string_view county, const Uuid& id,
                                                    absl::Time deadline);
  absl::StatusOr<absl::optional<StoredRun>> FindLatestRun(absl::string_view county,
                                                          absl::Time deadline);
  // At most `limit` runs before (created_at, id), newest first, without snapshot and result.
  absl::StatusOr<std::vector<StoredRun>> ListRuns(absl::string_view county,
                                                  absl::Time before_created_at,
                                                  const Uuid& before_id, int limit,
                                                  absl::Time deadline);

 private:
  absl::StatusOr<db::Rows> Query(absl::string_view county, absl::Time deadline,
                                 const db::Statement& statement, const db::Params& params);

  db::Pool& pool_;
};

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_STORE_H_
