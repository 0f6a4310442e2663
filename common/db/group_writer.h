// common/db/group_writer.h
//
// Recording: a bounded queue, batches of one county, one transaction each (architecture §4). The
// writer knows lanes, deadlines, retries, unknown outcomes and bisection; what a batch does is the
// business of its caller (common/records).
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
#include "common/base/id.h"
#include "common/db/pool.h"

namespace fadu::db {

// One parameter as a PostgreSQL array in binary form, for unnest. All arrays of one statement have
// the same length.
class ArrayParam {
 public:
  static ArrayParam Texts(const std::vector<absl::optional<std::string>>& values);
  static ArrayParam Bytes(const std::vector<absl::optional<std::string>>& values);
  static ArrayParam Ids(const std::vector<Uuid>& values);
  static ArrayParam Ints(const std::vector<absl::optional<int64_t>>& values);
  static ArrayParam Bools(const std::vector<absl::optional<bool>>& values);
  static ArrayParam Days(const std::vector<absl::optional<absl::CivilDay>>& values);
  static ArrayParam Times(const std::vector<absl::optional<absl::Time>>& values);
  const std::string& wire() const { return wire_; }

 private:
  explicit ArrayParam(std::string wire) : wire_(std::move(wire)) {}
  std::string wire_;
};

// A connection's open transaction, as a batch sees it. Also a db::Transaction for plain statements.
class WriterTransaction : public Transaction {
 public:
  // Runs `sql` with one text parameter ($1, the county) and arrays ($2…); returns rows touched.
  virtual absl::StatusOr<int64_t> WriteArrays(absl::string_view name, absl::string_view sql,
                                              absl::string_view county,
                                              const std::vector<ArrayParam>& arrays) = 0;
  // A statement failed: nothing more can be done in this transaction.
  virtual bool failed() const = 0;
};

// One caller's wish. Shared by the queue and the caller.
class WriteOperation {
 public:
  virtual ~WriteOperation() = default;
  // Six digits.
  virtual const std::string& county() const = 0;
  virtual absl::Time deadline() const = 0;
  // No two operations of one batch share a key (request id, record id).
  virtual const std::vector<std::string>& keys() const = 0;
  // Called once, on a writer thread, when the outcome is known: OK means the attempt's outcome for
  // this operation is committed (the operation knows what it is), else why nothing was written, or
  // UNAVAILABLE when it is not known whether it was.
  virtual void Finish(const absl::Status& outcome) = 0;

 private:
  friend class GroupWriter;
  std::atomic<bool> taken_{false};  // a batch has it: cancel no more
  std::multimap<absl::Time, std::shared_ptr<WriteOperation>>::iterator timer_;
};

struct WriterOptions {
  std::string dsn;
  std::string application;
  int connections = 4;
  size_t queue_limit = 8192;
  size_t max_batch = 256;
  absl::Duration statement_timeout = absl::Seconds(20);
};

// Where a batch may be made to fail, for fault tests: the step's name; true means the connection is
// cut there.
using FaultPoint = std::function<bool(absl::string_view step)>;

// Thread-safe.
class GroupWriter {
 public:
  // Decides and writes one batch inside an open transaction whose scope is the whole county.
  // Returns OK to commit; an error rolls back. It may run again with the same operations after a
  // failure, or with half of them, and must then forget what it decided before.
  using Attempt =
      std::function<absl::Status(WriterTransaction&, const std::string& county,
                                 const std::vector<std::shared_ptr<WriteOperation>>& operations)>;

  GroupWriter(WriterOptions options, Attempt attempt);
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
    int64_t batches = 0;
    int64_t operations = 0;
    int64_t retries = 0;
    int64_t bisections = 0;
  };
  Stats stats() const;
  // For fault tests only; set before the first Submit. Steps: connected, begun, decided,
  // before_commit, committed.
  void SetFaultPoint(FaultPoint fault);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fadu::db

#endif  // FADU_COMMON_DB_GROUP_WRITER_H_
