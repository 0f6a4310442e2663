#include "common/rpc/executor.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"

namespace fadu::rpc {

struct Executor::Impl {
  struct Waiting {
    absl::Time deadline;
    Task task;
  };

  Impl(int running_in, int waiting)
      : running(std::max(running_in, 1)), capacity(running + waiting) {
    for (int i = 0; i < running; ++i) threads.emplace_back([this] { Work(); });
    threads.emplace_back([this] { Watch(); });
  }

  // Takes one task out of the queue.
  Task Take(std::map<uint64_t, Waiting>::iterator it) {
    Task task = std::move(it->second.task);
    by_deadline.erase({it->second.deadline, it->first});
    queue.erase(it);
    load->waiting = static_cast<int>(queue.size());
    return task;
  }

  // A thread that runs tasks in order of arrival.
  void Work() {
    std::unique_lock<std::mutex> lock(mutex);
    while (true) {
      work.wait(lock, [this] { return stopping || !queue.empty(); });
      if (queue.empty()) return;
      const auto first = queue.begin();
      const absl::Time now = absl::Now();
      const Turn turn = first->second.deadline <= now ? Turn::kExpired
                        : close_at <= now             ? Turn::kClosed
                                                      : Turn::kRun;
      Task task = Take(first);
      ++busy;
      load->running = busy;
      lock.unlock();
      task(turn);
      task = nullptr;  // what it holds goes before the lock is taken
      lock.lock();
      --busy;
      load->running = busy;
    }
  }

  // The thread that answers for tasks whose turn did not come in time.
  void Watch() {
    std::unique_lock<std::mutex> lock(mutex);
    while (!(stopping && queue.empty())) {
      const absl::Time next =
          queue.empty() ? absl::InfiniteFuture() : std::min(by_deadline.begin()->first, close_at);
      const absl::Time now = absl::Now();
      if (now < next) {
        // At most an hour, as a far deadline does not fit into a wait.
        const absl::Duration pause = std::min(next - now, absl::Hours(1));
        watch.wait_for(lock, absl::ToChronoNanoseconds(pause));
        continue;
      }
      const auto [deadline, number] = *by_deadline.begin();
      Task task = Take(queue.find(number));
      lock.unlock();
      task(deadline <= now ? Turn::kExpired : Turn::kClosed);
      task = nullptr;
      lock.lock();
    }
  }

  const int running;
  const int capacity;
  const std::shared_ptr<Load> load = std::make_shared<Load>();
  std::mutex mutex;
  std::condition_variable work;
  std::condition_variable watch;
  std::map<uint64_t, Waiting> queue;  // by number of arrival
  std::set<std::pair<absl::Time, uint64_t>> by_deadline;
  uint64_t arrived = 0;
  int busy = 0;
  bool closed = false;
  bool stopping = false;
  absl::Time close_at = absl::InfiniteFuture();
  std::vector<std::thread> threads;
};

Executor::Executor(int running, int waiting) : impl_(std::make_unique<Impl>(running, waiting)) {}

Executor::~Executor() {
  Close(absl::InfinitePast());
  {
    const std::lock_guard<std::mutex> lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->work.notify_all();
  impl_->watch.notify_all();
  for (std::thread& thread : impl_->threads) thread.join();
}

bool Executor::Submit(absl::Time deadline, Task task) {
  bool earliest = false;
  {
    const std::lock_guard<std::mutex> lock(impl_->mutex);
    const int held = impl_->busy + static_cast<int>(impl_->queue.size());
    if (impl_->closed || held >= impl_->capacity) return false;
    const uint64_t number = ++impl_->arrived;
    impl_->by_deadline.emplace(deadline, number);
    earliest = impl_->by_deadline.begin()->second == number;
    impl_->queue.emplace(number, Impl::Waiting{deadline, std::move(task)});
    impl_->load->waiting = static_cast<int>(impl_->queue.size());
  }
  impl_->work.notify_one();
  if (earliest) impl_->watch.notify_one();
  return true;
}

void Executor::Close(absl::Time at) {
  {
    const std::lock_guard<std::mutex> lock(impl_->mutex);
    impl_->closed = true;
    impl_->close_at = std::min(impl_->close_at, at);
  }
  impl_->watch.notify_one();
}

std::shared_ptr<const Executor::Load> Executor::load() const { return impl_->load; }

}  // namespace fadu::rpc
