// common/rpc/gate.h
//
// Counts who is inside, and closes.
#ifndef FADU_COMMON_RPC_GATE_H_
#define FADU_COMMON_RPC_GATE_H_

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace fadu::rpc {

// Thread-safe.
class Gate {
 public:
  // False once it is closed. Whoever got in must leave.
  bool Enter() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!closed_) ++inside_;
    return !closed_;
  }

  void Leave() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (--inside_ == 0) empty_.notify_all();
  }

  // Lets nobody in any more, and waits until all have left, or until `until`.
  void Close(absl::Time until) {
    std::unique_lock<std::mutex> lock(mutex_);
    closed_ = true;
    // At most an hour, as a far time does not fit into a wait.
    const absl::Duration wait = std::min(until - absl::Now(), absl::Hours(1));
    empty_.wait_for(lock, absl::ToChronoNanoseconds(wait), [this] { return inside_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable empty_;
  int inside_ = 0;
  bool closed_ = false;
};

}  // namespace fadu::rpc

#endif  // FADU_COMMON_RPC_GATE_H_
