// common/db/group_writer.h
//
// Recording: a bounded queue, batches of one county, one transaction each (architecture §4). The
// writer knows lanes, deadlines, trips, retries, unknown outcomes and bisection; what a batch does
// is the business of its caller (common/records).
#ifndef FADU_COMMON_DB_GROUP_WRITER_H_
#define FADU_COMMON_DB_GROUP_WRITER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/db/pool.h"

namespace fadu::db {

// A connection's open transaction, as a batch sees it. Also a db::Transaction for plain statements.
class WriterTransaction : public Transaction {
 public:
  // Runs `sql` with one text parameter ($1, the county) and arrays in binary form ($2…; WireArray);
  // returns rows touched.
  virtual absl::StatusOr<int64_t> WriteArrays(absl::string_view name, absl::string_view sql,
                                              absl::string_view county,
                                              const std::vector<std::string>& arrays) = 0;
  // A statement failed: nothing more can be done in this transaction.
  virtual bool failed() const = 0;
};

// One statement of a trip. It is prepared once on each connection.
struct TripStatement {
  const char* name;       // for logs
  absl::string_view sql;  // outlives the writer; raises an error where it is in doubt
  // $2… in binary form, nothing for null; $1 is the county.
  std::vector<absl::optional<std::string>> params;
};

// Reads of one county.
class TripReader {
 public:
  virtual ~TripReader() = default;
  // All statements in one read-only transaction that sees the whole county, in one round trip,
  // planned anew each time: a plan kept from when a table was empty would scan it for ever. Rows by
  // statement.
  virtual absl::StatusOr<std::vector<Rows>> ReadTrip(
      absl::string_view county, const std::vector<TripStatement>& statements) = 0;
};

// How an operation comes to be written.
enum class Route {
  kTrip,  // what it writes is known: one trip, refused by the database if that was wrong
  kRead,  // something has to be read before that is known; then one of the others
  kLook,  // only under the county's lock can be said what it writes
};

// One caller's wish. Shared by the queue and the caller.
class WriteOperation {
 public:
  virtual ~WriteOperation() = default;
  // Six digits.
  virtual const std::string& county() const = 0;
  virtual absl::Time deadline() const = 0;
  // No two operations of one batch share a key (request id, record id), and those that share one
  // are written in the order in which they were submitted.
  virtual const std::vector<std::string>& keys() const = 0;
  // May change from kRead to another while the operation is read; never else.
  virtual Route route() const { return Route::kLook; }
  // How many records it writes, about; batches are bounded by the sum.
  virtual size_t weight() const { return 1; }
  // Called once, on a writer thread, when the outcome is known: OK means the attempt's outcome for
  // this operation is committed (the operation knows what it is), else why nothing was written, or
  // UNAVAILABLE when it is not known whether it was.
  virtual void Finish(const absl::Status& outcome) = 0;

 private:
  friend class GroupWriter;
  std::atomic<bool> taken_{false};  // a batch has it: cancel no more
  bool outdated_ = false;  // something with one of its keys was written since: it has to look
  std::multimap<absl::Time, std::shared_ptr<WriteOperation>>::iterator timer_;
};

struct WriterOptions {
  std::string dsn;
  std::string application;
  int connections = 8;  // opened when first needed
  size_t queue_limit = 8192;
  size_t max_batch = 256;   // operations
  size_t max_weight = 256;  // sum of weights; a heavier operation is a batch of its own
  absl::Duration statement_timeout = absl::Seconds(20);
  bool trips = true;  // false: every batch looks
};

// Where a batch may be made to fail, for fault tests: the step's name; true means the connection is
// cut there.
using FaultPoint = std::function<bool(absl::string_view step)>;

// What batches do. All of it runs on writer threads, for one county never twice at once, but for
// `read`, which may run beside the others.
struct BatchWork {
  using Operations = std::vector<std::shared_ptr<WriteOperation>>;
  // Looks, decides and writes one batch inside an open transaction whose scope is the whole county.
  // Returns OK to commit; an error rolls back. It may run again with the same operations after a
  // failure, or with half of them, and must then forget what it decided before.
  std::function<absl::Status(WriterTransaction&, const std::string& county, const Operations&)>
      attempt;
  // The statements of a batch whose operations all take the trip; nothing when it cannot be said
  // without a look. Each statement must fail when what was assumed does not hold, whatever it was:
  // COMMIT is sent behind it. Empty: there are no trips.
  std::function<absl::optional<std::vector<TripStatement>>(const std::string& county,
                                                           const Operations&)>
      compose;
  // Reads what the operations need before it is known what they write, and settles their routes.
  // After an error they look.
  std::function<absl::Status(TripReader&, const std::string& county, const Operations&)> read;
  // After each attempt or trip, whatever became of it: true when it is committed.
  std::function<void(const std::string& county, bool committed)> settle;
};

// Operations of one county wait in a lane that one connection serves at a time. Those whose route
// is kTrip go in one round trip, COMMIT included; whatever is in doubt there fails, is rolled back,
// and the batch looks instead, as the others do from the start. Thread-safe.
class GroupWriter {
 public:
  GroupWriter(WriterOptions options, BatchWork work);
  // Finishes what is queued with UNAVAILABLE, what runs normally.
  ~GroupWriter();
  GroupWriter(const GroupWriter&) = delete;
  GroupWriter& operator=(const GroupWriter&) = delete;

  // Queues an operation; Finish is called exactly once, perhaps before this returns.
  //
  // A full queue: RESOURCE_EXHAUSTED / REASON_OVERLOADED. A deadline that passes while queued:
  // DEADLINE_EXCEEDED / REASON_DEADLINE_EXCEEDED, nothing was written. A data error fails only the
  // operation that causes it (bisection). A lost connection or failed COMMIT is an unknown outcome:
  // the batch runs again, and the attempt finds by request id what was written; past the earliest
  // deadline the operation ends with UNAVAILABLE / REASON_UNAVAILABLE, outcome=unknown.
  void Submit(std::shared_ptr<WriteOperation> operation);

  size_t queued() const;
  // Counters since the start; for metrics and tests.
  struct Stats {
    int64_t trips = 0;            // batches committed in one round trip
    int64_t trip_operations = 0;  // operations in them
    int64_t refused_trips = 0;    // trips the database refused, or lost; their batches looked
    int64_t looks = 0;            // batches committed after a look
    int64_t look_operations = 0;
    int64_t retries = 0;     // attempts repeated after a lost connection or race
    int64_t bisections = 0;  // batches cut in two, as something in them was refused
  };
  Stats stats() const;
  // For fault tests only; set before the first Submit. Steps, in the order in which they happen to
  // an operation:
  //   read_begun      of a read: nothing is sent
  //   read_done       what was read is decided, nothing is queued to be written
  //   trip_composed   of a trip: nothing is sent
  //   trip_sent       everything is sent, COMMIT included, no answer is read
  //   trip_answered   every answer is read; cut here, they are taken for lost
  //   begun           of a look: its transaction is open, the county not locked
  //   before_commit   everything is written, COMMIT not sent
  //   committed       COMMIT is answered; cut here, the answer is taken for lost
  //   before_finish   of either: the outcome is known and no caller was told (nothing to cut)
  void SetFaultPoint(FaultPoint fault);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fadu::db

#endif  // FADU_COMMON_DB_GROUP_WRITER_H_
