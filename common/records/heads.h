// common/records/heads.h
//
// The ends of the counties' chains as this process left them, so that the next batch need not ask.
// Internal to common/records.
#ifndef FADU_COMMON_RECORDS_HEADS_H_
#define FADU_COMMON_RECORDS_HEADS_H_

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "common/records/rows.h"

namespace fadu::records {

// Thread-safe; one county is written by one thread at a time.
class Heads {
 public:
  // Where a county's chain ends; nothing when it has to be looked up.
  absl::optional<Head> Known(const std::string& county) const {
    const absl::MutexLock lock(&mutex_);
    const auto found = heads_.find(county);
    return found == heads_.end() ? absl::nullopt : found->second.known;
  }
  // Where it ends if the batch under way is committed.
  void Propose(const std::string& county, Head head) {
    const absl::MutexLock lock(&mutex_);
    heads_[county].proposed = std::move(head);
  }
  // The batch is committed, or it may not be: then nothing is known any more.
  void Settle(const std::string& county, bool committed) {
    const absl::MutexLock lock(&mutex_);
    One& one = heads_[county];
    one.known = committed ? std::move(one.proposed) : absl::nullopt;
    one.proposed.reset();
  }

 private:
  struct One {
    absl::optional<Head> known;
    absl::optional<Head> proposed;
  };
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, One> heads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace fadu::records

#endif  // FADU_COMMON_RECORDS_HEADS_H_
