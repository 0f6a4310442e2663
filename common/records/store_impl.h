// common/records/store_impl.h
//
// What store.cc (reads) and batch.cc (writes) share. Internal to common/records.
#ifndef FADU_COMMON_RECORDS_STORE_IMPL_H_
#define FADU_COMMON_RECORDS_STORE_IMPL_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/db/group_writer.h"
#include "common/db/wire.h"
#include "common/records/composer.h"
#include "common/records/store.h"

namespace fadu::records {

// A record row, as the columns say: the stored bytes beside what they mean.
struct RecordRow {
  StoredRecord record;
  std::string message_bytes;
  std::string sealed_bytes;  // ciphertext; empty: nothing sealed
  std::string wrapped_key;   // empty: never had one, or erased
};

// AAD of a record's key and sealed bytes: county|table|id.
std::string AadOf(absl::string_view county, const RecordType& type, const Uuid& id);

// Reads one row of kRecordColumns. Sealed fields are opened when `open`.
absl::StatusOr<RecordRow> ReadRow(const db::Row& row, const RecordType& type,
                                  absl::string_view county, const Sealer& sealer, bool open);

// The roles named in a record type's options, as numbers.
std::vector<int> WritersOf(const RecordType& type);
std::vector<int> ReadersOf(const RecordType& type);

// The area subtrees in which the caller may read a type within a county; empty: none.
std::vector<std::string> ReadableAreas(const Principal& principal, const RecordType& type,
                                       absl::string_view county);

absl::Status NotFound(absl::string_view name);

// Deterministic serialisation.
std::string BytesOf(const google::protobuf::Message& message);

std::string ReviewCode(fadu::common::v1::ReviewState state);

// What an operation writes if nothing moved since that was decided.
struct Forecast {
  struct Record {
    const RecordType* type = nullptr;
    bool created = false;
    db::WireRow row;
  };
  struct Event {
    std::string entry;
    db::WireRow row;  // without seq and hash
  };
  std::vector<Record> records;
  std::vector<Event> events;
  WriteResult result;  // without last_seq
};

// An operation in the queue.
class RecordOperation : public db::WriteOperation {
 public:
  RecordOperation(CallContext call, WriteRequest request,
                  std::function<void(absl::StatusOr<WriteResult>)> done);
  const std::string& county() const override { return request_.county; }
  absl::Time deadline() const override { return call_.deadline; }
  const std::vector<std::string>& keys() const override { return keys_; }
  db::Route route() const override { return route_; }
  size_t weight() const override { return request_.changes.size(); }
  void Finish(const absl::Status& outcome) override;

  // Before the queue, or while it is read: how it is to be written.
  void TakeRoute(db::Route route) { route_ = route; }
  void TakeTrip(Forecast forecast) {
    forecast_ = std::move(forecast);
    route_ = db::Route::kTrip;
  }
  Forecast& forecast() { return forecast_; }

  const CallContext& call() const { return call_; }
  const WriteRequest& request() const { return request_; }
  // What the last attempt decided for this operation.
  void Decide(absl::StatusOr<WriteResult> decided) { decided_ = std::move(decided); }

 private:
  const CallContext call_;
  const WriteRequest request_;
  std::function<void(absl::StatusOr<WriteResult>)> done_;
  std::vector<std::string> keys_;
  db::Route route_ = db::Route::kLook;
  Forecast forecast_;
  absl::StatusOr<WriteResult> decided_;
};

// The ends of the counties' chains, as this process left them. Thread-safe; for one county, one
// thread at a time writes.
class Heads;

struct Store::Impl {
  Impl(const StoreOptions& store_options, db::Pool& store_pool,
       std::unique_ptr<Sealer> store_sealer, IdSource& id_source);
  ~Impl();

  const StoreOptions& options;
  db::Pool& pool;
  std::unique_ptr<Sealer> sealer;
  IdSource& ids;
  std::map<const RecordType*, WriteSql> writes;
  std::map<const RecordType*, std::string> selects;
  const std::unique_ptr<Heads> heads;
  // Last: their threads use the rest.
  std::unique_ptr<db::GroupReader> reader;
  std::unique_ptr<db::GroupWriter> writer;

  // The law of a type; null when there is none.
  const Law* LawOf(const RecordType& type) const;
  const LockedLaw* LockedLawOf(const RecordType& type) const;

  // The work of the group writer's batches (batch.cc, trip.cc).
  using Operations = db::BatchWork::Operations;
  absl::Status Attempt(db::WriterTransaction& transaction, const std::string& county,
                       const Operations& operations);
  absl::optional<std::vector<db::TripStatement>> Compose(const std::string& county,
                                                         const Operations& operations);
  absl::Status Read(db::TripReader& from, const std::string& county, const Operations& operations);
  void Settle(const std::string& county, bool committed);

  // Says how an operation is to be written, and what, where that needs no read. `lawful`: messages
  // of its creations that rules and law have passed, by item.
  void Route(RecordOperation& operation,
             std::vector<std::shared_ptr<google::protobuf::Message>> lawful);
  // Decides an operation on records as they were read without a lock; of those it creates nothing
  // is read. A creation whose item of `lawful` is set is not asked about again. Whatever fails here
  // is decided again under the lock.
  absl::StatusOr<Forecast> Foresee(const RecordOperation& operation, std::vector<RecordRow> read,
                                   std::vector<std::shared_ptr<google::protobuf::Message>> lawful);
};

}  // namespace fadu::records

#endif  // FADU_COMMON_RECORDS_STORE_IMPL_H_
