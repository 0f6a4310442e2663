// common/rpc/executor.h
//
// Admission: so many calls run, so many wait for their turn until their deadline, the rest are
// refused. gRPC's own limit (SetMaxThreads) refuses instead of queueing, so it is not used.
#ifndef FADU_COMMON_RPC_EXECUTOR_H_
#define FADU_COMMON_RPC_EXECUTOR_H_

#include <atomic>
#include <functional>
#include <memory>

#include "absl/time/time.h"

namespace fadu::rpc {

// What became of a task.
enum class Turn {
  kRun,      // its turn has come: do the work
  kExpired,  // its deadline passed while it waited
  kClosed,   // the executor closed while it waited
};

// A fixed number of threads and a bounded queue in order of arrival. Thread-safe.
class Executor {
 public:
  using Task = std::function<void(Turn)>;

  // What it holds now.
  struct Load {
    std::atomic<int> running{0};
    std::atomic<int> waiting{0};
  };

  // `running` threads (at least 1), and at most `waiting` tasks beyond what they run.
  Executor(int running, int waiting);
  // Closes now, and waits for what runs.
  ~Executor();

  // False when it is full or closed, and then `task` is dropped. Otherwise `task` is called exactly
  // once, on a thread of the executor. `deadline` is of the machine's clock.
  bool Submit(absl::Time deadline, Task task);

  // No new tasks; what still waits at `at` is told kClosed.
  void Close(absl::Time at);

  // shared_ptr: gauges may read it after the executor is gone.
  std::shared_ptr<const Load> load() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fadu::rpc

#endif  // FADU_COMMON_RPC_EXECUTOR_H_
