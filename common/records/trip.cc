// A batch in one round trip: what each operation writes is decided before the queue, and the
// database refuses the whole when something moved since (architecture §4).

#include <functional>
#include <iterator>
#include <map>
#include <utility>

#include "common/base/status.h"
#include "common/records/composer.h"
#include "common/records/heads.h"
#include "common/records/rows.h"
#include "common/records/store_impl.h"

namespace fadu::records {
namespace {

// Fails (22012) when the chain does not end where it was thought to. First, here as in every
// transaction that writes: it is the county's lock.
constexpr char kMoveKnownCounter[] =
    "WITH moved AS (UPDATE counter SET seq = $2, head = $3 "
    "WHERE county_code = $1 AND seq = $4 AND head = $5 RETURNING 1) "
    "SELECT 1 / count(*) FROM moved";

using Params = std::vector<absl::optional<std::string>>;

// `one` when there is a single row, else `many` over arrays.
db::TripStatement StatementOf(const char* name, absl::string_view one, absl::string_view many,
                              const std::vector<const db::WireRow*>& rows,
                              const std::function<std::vector<std::string>()>& arrays) {
  if (rows.size() == 1) return {name, one, ValuesOf(*rows[0])};
  std::vector<std::string> columns = arrays();
  return {name, many,
          Params(std::make_move_iterator(columns.begin()), std::make_move_iterator(columns.end()))};
}

bool Is(const Change& change, Operation operation) { return change.operation == operation; }

}  // namespace

void Store::Impl::Route(RecordOperation& operation,
                        std::vector<std::shared_ptr<google::protobuf::Message>> lawful) {
  const WriteRequest& request = operation.request();
  bool looks = request.validate_only || request.decide || request.changes.empty();
  bool reads = false;
  for (const Change& change : request.changes) {
    // What a look at personal data depends on is not written with it, so that nothing would tell
    // that it moved.
    looks = looks || LockedLawOf(*change.type) != nullptr || Is(change, Operation::kUnmask);
    reads = reads || !Is(change, Operation::kCreate);
  }
  if (looks || reads) return operation.TakeRoute(looks ? db::Route::kLook : db::Route::kRead);
  absl::StatusOr<Forecast> forecast = Foresee(operation, {}, std::move(lawful));
  if (forecast.ok()) operation.TakeTrip(*std::move(forecast));
}

absl::Status Store::Impl::Read(db::TripReader& from, const std::string& county,
                               const Operations& operations) {
  std::map<const RecordType*, std::vector<db::WireRow>> wanted;
  for (const auto& operation : operations) {
    for (const Change& change : static_cast<RecordOperation&>(*operation).request().changes) {
      if (!change.id.IsNil()) wanted[change.type].emplace_back().Id(change.id);
    }
  }
  std::vector<db::TripStatement> statements;
  for (const auto& [type, keys] : wanted) {
    std::vector<const db::WireRow*> rows;
    for (const db::WireRow& key : keys) rows.push_back(&key);
    statements.push_back(
        {"read_records", selects.at(type), {db::WireArray(db::WireType::kId, 0, rows)}});
  }
  FADU_ASSIGN_OR_RETURN(const std::vector<db::Rows> answers, from.ReadTrip(county, statements));
  std::map<std::pair<const RecordType*, Uuid>, const db::Row*> found;
  size_t answer = 0;
  for (const auto& wish : wanted) {
    for (const db::Row& row : answers[answer++]) found[{wish.first, row.Id(0)}] = &row;
  }
  for (const auto& operation : operations) {
    auto& ours = static_cast<RecordOperation&>(*operation);
    std::vector<RecordRow> read;
    absl::Status failed;
    for (const Change& change : ours.request().changes) {
      const auto row = found.find({change.type, change.id});
      if (row == found.end()) continue;
      absl::StatusOr<RecordRow> record =
          ReadRow(*row->second, *change.type, county, *sealer, /*open=*/true);
      if (!record.ok()) {
        failed = record.status();
        break;
      }
      read.push_back(*std::move(record));
    }
    absl::StatusOr<Forecast> forecast =
        failed.ok() ? Foresee(ours, std::move(read), {}) : absl::StatusOr<Forecast>(failed);
    if (forecast.ok()) {
      ours.TakeTrip(*std::move(forecast));
    } else {
      ours.TakeRoute(db::Route::kLook);
    }
  }
  return absl::OkStatus();
}

absl::optional<std::vector<db::TripStatement>> Store::Impl::Compose(const std::string& county,
                                                                    const Operations& operations) {
  const absl::optional<Head> known = heads->Known(county);
  if (!known.has_value()) return absl::nullopt;
  Head head = *known;
  // Creations and changes of each type.
  std::map<std::pair<const RecordType*, bool>, std::vector<const db::WireRow*>> records;
  std::vector<const db::WireRow*> events;
  for (const auto& operation : operations) {
    auto& ours = static_cast<RecordOperation&>(*operation);
    Forecast& forecast = ours.forecast();
    for (const Forecast::Record& record : forecast.records) {
      records[{record.type, record.created}].push_back(&record.row);
    }
    for (Forecast::Event& event : forecast.events) {
      head.Chain(event.entry);
      event.row.Int(head.seq).Bytes(head.hash);
      events.push_back(&event.row);
    }
    forecast.result.last_seq = head.seq;
    ours.Decide(std::move(forecast.result));
  }
  std::vector<db::TripStatement> statements;
  statements.push_back({"move_known_counter",
                        kMoveKnownCounter,
                        {db::WireInt(head.seq), head.hash, db::WireInt(known->seq), known->hash}});
  for (const auto& [key, rows] : records) {
    const WriteSql& sql = writes.at(key.first);
    const auto arrays = [&sql, &rows = rows] { return RecordArrays(sql, rows); };
    statements.push_back(
        key.second ? StatementOf("insert_records", sql.insert_one, sql.insert, rows, arrays)
                   : StatementOf("upsert_records", sql.upsert_one, sql.upsert_all, rows, arrays));
  }
  statements.push_back(StatementOf("insert_events", kInsertEvent, kInsertEvents, events,
                                   [&events] { return EventArrays(events); }));
  heads->Propose(county, std::move(head));
  return statements;
}

void Store::Impl::Settle(const std::string& county, bool committed) {
  heads->Settle(county, committed);
}

}  // namespace fadu::records
