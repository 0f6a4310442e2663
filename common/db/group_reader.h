// common/db/group_reader.h
//
// Reads by key: what many callers ask for at the same time is read in one round trip (ADR 26).
#ifndef FADU_COMMON_DB_GROUP_READER_H_
#define FADU_COMMON_DB_GROUP_READER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/base/id.h"
#include "common/db/pool.h"

namespace fadu::db {

struct ReaderOptions {
  std::string dsn;
  std::string application;
  int connections = 4;  // opened when first needed
  size_t queue_limit = 4096;
  size_t max_batch = 256;  // keys
  absl::Duration statement_timeout = absl::Seconds(20);
};

// Rows by county and key. What waits under one scope for one statement is one lane, which one
// connection serves at a time: while a trip is under way, the next gathers. Thread-safe.
class GroupReader {
 public:
  // The row, or nothing when there is none in the scope.
  using Done = std::function<void(absl::StatusOr<absl::optional<Row>>)>;

  explicit GroupReader(ReaderOptions options);
  // Answers what waits with UNAVAILABLE; what is being read, normally.
  ~GroupReader();
  GroupReader(const GroupReader&) = delete;
  GroupReader& operator=(const GroupReader&) = delete;

  // Reads the row of one key, in a transaction that sees `scope`, which names one county. `select`
  // outlives the reader and gives the rows of the county $1 with the keys $2::uuid[], the key
  // first.
  //
  // `done` is called exactly once, on a thread of the reader or, when refused at once, on this one.
  // A full queue: RESOURCE_EXHAUSTED / REASON_OVERLOADED. A deadline that passes before the answer:
  // DEADLINE_EXCEEDED / REASON_DEADLINE_EXCEEDED. A lost connection is replaced once, then
  // UNAVAILABLE / REASON_UNAVAILABLE.
  void Read(const Scope& scope, absl::string_view select, const Uuid& key, absl::Time deadline,
            Done done);

  // Waiting and being read; for gauges.
  size_t queued() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fadu::db

#endif  // FADU_COMMON_DB_GROUP_READER_H_
