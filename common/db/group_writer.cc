#include "common/db/group_writer.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "absl/random/random.h"
#include "common/base/log.h"
#include "common/db/pg.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"

namespace fadu::db {
namespace {

namespace v1 = ::fadu::common::v1;
using OperationPtr = std::shared_ptr<WriteOperation>;

absl::Status QueueFull() {
  return Fail(absl::StatusCode::kResourceExhausted, v1::REASON_OVERLOADED,
              "the recording queue is full");
}

absl::Status OutOfTime() {
  return Fail(absl::StatusCode::kDeadlineExceeded, v1::REASON_DEADLINE_EXCEEDED,
              "the deadline passed while queued; nothing was written");
}

absl::Status OutcomeUnknown() {
  return Fail(absl::StatusCode::kUnavailable, v1::REASON_UNAVAILABLE,
              "the outcome is unknown; retry with the same request_id", {{"outcome", "unknown"}});
}

absl::Status ShuttingDown() {
  return Fail(absl::StatusCode::kUnavailable, v1::REASON_UNAVAILABLE,
              "shutting down; nothing was written");
}

}  // namespace

// Lanes: one queue per county, served by one connection at a time. Worker threads take the county
// that has waited longest, drain it up to max_batch, run it, and put it back when more arrived.
struct GroupWriter::Impl {
  struct Lane {
    std::deque<OperationPtr> queue;
    bool busy = false;    // a worker has it
    bool listed = false;  // it stands in `ready`
  };

  WriterOptions options;
  Attempt attempt;
  FaultPoint fault;

  mutable std::mutex mutex;
  std::condition_variable work;
  std::condition_variable timers;
  std::map<std::string, Lane> lanes;
  std::deque<std::string> ready;
  std::multimap<absl::Time, OperationPtr> deadlines;
  size_t queued = 0;
  bool stopping = false;
  Stats stats;
  std::vector<std::thread> workers;
  std::thread canceller;

  // The operations of one batch: in order, no key twice; the rest stays queued.
  std::vector<OperationPtr> TakeBatch(Lane& lane) {
    std::vector<OperationPtr> batch;
    std::set<std::string> keys;
    std::deque<OperationPtr> rest;
    while (!lane.queue.empty()) {
      OperationPtr operation = std::move(lane.queue.front());
      lane.queue.pop_front();
      if (operation->taken_.load()) {  // cancelled
        --queued;
        continue;
      }
      const bool clash = batch.size() >= options.max_batch ||
                         std::any_of(operation->keys().begin(), operation->keys().end(),
                                     [&](const std::string& key) { return keys.count(key) > 0; });
      // A later operation on the same keys must not overtake one that waits.
      keys.insert(operation->keys().begin(), operation->keys().end());
      if (clash) {
        rest.push_back(std::move(operation));
        continue;
      }
      bool expected = false;
      --queued;
      if (!operation->taken_.compare_exchange_strong(expected, true)) continue;
      deadlines.erase(operation->timer_);
      batch.push_back(std::move(operation));
    }
    lane.queue = std::move(rest);
    return batch;
  }

  void List(const std::string& county, Lane& lane) {
    if (lane.busy || lane.listed || lane.queue.empty()) return;
    lane.listed = true;
    ready.push_back(county);
    work.notify_one();
  }

  void WorkerLoop() {
    std::unique_ptr<PgConnection> connection;
    std::unique_lock<std::mutex> lock(mutex);
    while (true) {
      work.wait(lock, [&] { return stopping || !ready.empty(); });
      if (ready.empty()) return;  // stopping, and nothing left that was taken
      const std::string county = std::move(ready.front());
      ready.pop_front();
      Lane& lane = lanes[county];
      lane.listed = false;
      lane.busy = true;
      std::vector<OperationPtr> batch = TakeBatch(lane);
      lock.unlock();
      if (!batch.empty()) RunBatch(connection, county, batch);
      batch.clear();
      lock.lock();
      lane.busy = false;
      List(county, lane);
      if (lane.queue.empty() && !lane.listed) lanes.erase(county);
    }
  }

  // Deadlines of what is queued: cancelled by one compare-and-swap, told at once.
  void CancellerLoop() {
    std::unique_lock<std::mutex> lock(mutex);
    while (!stopping) {
      if (deadlines.empty()) {
        timers.wait(lock);
        continue;
      }
      const absl::Time next = deadlines.begin()->first;
      if (next > absl::Now()) {
        timers.wait_for(lock, absl::ToChronoNanoseconds(next - absl::Now()));
        continue;
      }
      OperationPtr operation = std::move(deadlines.begin()->second);
      deadlines.erase(deadlines.begin());
      bool expected = false;
      if (operation->taken_.compare_exchange_strong(expected, true)) {
        lock.unlock();
        operation->Finish(OutOfTime());
        operation.reset();
        lock.lock();
      }
    }
  }

  bool Faulted(absl::string_view step, PgConnection& connection) {
    if (!fault || !fault(step)) return false;
    connection.Cut();
    return true;
  }

  enum class Verdict { kDone, kAgain, kBad };

  // One attempt at a batch. kAgain: nothing or an unknown outcome, run it again. kBad: refused for
  // `why`, and nothing was written.
  Verdict TryOnce(std::unique_ptr<PgConnection>& connection, const std::string& county,
                  const std::vector<OperationPtr>& batch, absl::Status* why) {
    if (connection == nullptr || connection->broken()) {
      connection.reset();
      absl::StatusOr<std::unique_ptr<PgConnection>> opened =
          PgConnection::Open(options.dsn, options.application);
      if (!opened.ok()) {
        *why = opened.status();
        return Verdict::kAgain;
      }
      connection = *std::move(opened);
    }
    absl::Status status = connection->Begin(county, options.statement_timeout);
    if (status.ok() && Faulted("begun", *connection)) status = OutcomeUnknown();
    if (status.ok()) status = attempt(*connection, county, batch);
    if (status.ok() && Faulted("before_commit", *connection)) status = OutcomeUnknown();
    if (status.ok()) {
      status = connection->Commit();
      // What the server answered to COMMIT is lost here, whatever it was.
      if (status.ok() && Faulted("committed", *connection)) status = OutcomeUnknown();
      if (status.ok()) return Verdict::kDone;
      *why = status;
      connection.reset();
      return Verdict::kAgain;
    }
    *why = status;
    if (connection->broken()) {
      connection.reset();
      return Verdict::kAgain;
    }
    const ErrorClass error_class = connection->failure_class();
    const bool by_server = connection->failed();
    connection->Rollback();
    if (!by_server) return Verdict::kBad;
    switch (error_class) {
      case ErrorClass::kRetry:
        return Verdict::kAgain;
      case ErrorClass::kOutcomeUnknown:
        connection.reset();
        return Verdict::kAgain;
      case ErrorClass::kUnique:
      case ErrorClass::kConstraint:
      case ErrorClass::kData:
      case ErrorClass::kTimeout:
      case ErrorClass::kResource:
      case ErrorClass::kBug:
        return Verdict::kBad;
    }
    return Verdict::kBad;
  }

  void RunBatch(std::unique_ptr<PgConnection>& connection, const std::string& county,
                const std::vector<OperationPtr>& batch) {
    absl::Time earliest = absl::InfiniteFuture();
    for (const OperationPtr& operation : batch) {
      earliest = std::min(earliest, operation->deadline());
    }
    absl::BitGen random;
    absl::Duration pause = absl::Milliseconds(5);
    absl::Status why;
    while (true) {
      switch (TryOnce(connection, county, batch, &why)) {
        case Verdict::kDone: {
          {
            std::lock_guard<std::mutex> lock(mutex);
            ++stats.batches;
            stats.operations += static_cast<int64_t>(batch.size());
          }
          for (const OperationPtr& operation : batch) operation->Finish(absl::OkStatus());
          return;
        }
        case Verdict::kBad: {
          if (batch.size() == 1) {
            batch.front()->Finish(why);
            return;
          }
          {
            std::lock_guard<std::mutex> lock(mutex);
            ++stats.bisections;
          }
          const auto middle = batch.begin() + static_cast<std::ptrdiff_t>(batch.size() / 2);
          RunBatch(connection, county, {batch.begin(), middle});
          RunBatch(connection, county, {middle, batch.end()});
          return;
        }
        case Verdict::kAgain:
          break;
      }
      {
        std::lock_guard<std::mutex> lock(mutex);
        ++stats.retries;
      }
      if (absl::Now() + pause >= earliest) {
        // Whoever has no time left is told the truth we know; the others go on.
        std::vector<OperationPtr> rest;
        for (const OperationPtr& operation : batch) {
          if (absl::Now() + pause >= operation->deadline()) {
            operation->Finish(OutcomeUnknown());
          } else {
            rest.push_back(operation);
          }
        }
        if (!rest.empty()) RunBatch(connection, county, rest);
        return;
      }
      absl::SleepFor(absl::Uniform(random, 0.5, 1.0) * pause);
      pause = std::min(pause * 2, absl::Milliseconds(200));
    }
  }
};

GroupWriter::GroupWriter(WriterOptions options, Attempt attempt) : impl_(new Impl) {
  impl_->options = std::move(options);
  impl_->attempt = std::move(attempt);
  for (int i = 0; i < impl_->options.connections; ++i) {
    impl_->workers.emplace_back([this] { impl_->WorkerLoop(); });
  }
  impl_->canceller = std::thread([this] { impl_->CancellerLoop(); });
}

GroupWriter::~GroupWriter() {
  std::vector<OperationPtr> left;
  {
    std::lock_guard<std::mutex> lock(impl_->mutex);
    impl_->stopping = true;
    for (auto& [county, lane] : impl_->lanes) {
      for (OperationPtr& operation : lane.queue) {
        bool expected = false;
        if (operation->taken_.compare_exchange_strong(expected, true)) left.push_back(operation);
      }
      lane.queue.clear();
    }
    impl_->deadlines.clear();
    impl_->work.notify_all();
    impl_->timers.notify_all();
  }
  for (const OperationPtr& operation : left) operation->Finish(ShuttingDown());
  for (std::thread& worker : impl_->workers) worker.join();
  impl_->canceller.join();
}

void GroupWriter::Submit(OperationPtr operation) {
  absl::Status refused;
  {
    std::lock_guard<std::mutex> lock(impl_->mutex);
    if (impl_->stopping) {
      refused = ShuttingDown();
    } else if (operation->deadline() <= absl::Now()) {
      refused = OutOfTime();
    } else if (impl_->queued >= impl_->options.queue_limit) {
      refused = QueueFull();
    } else {
      const std::string& county = operation->county();
      Impl::Lane& lane = impl_->lanes[county];
      const bool first_timer =
          impl_->deadlines.empty() || operation->deadline() < impl_->deadlines.begin()->first;
      operation->timer_ = impl_->deadlines.emplace(operation->deadline(), operation);
      if (first_timer) impl_->timers.notify_one();
      lane.queue.push_back(operation);
      ++impl_->queued;
      impl_->List(county, lane);
    }
  }
  if (!refused.ok()) operation->Finish(refused);
}

size_t GroupWriter::queued() const {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->queued;
}

GroupWriter::Stats GroupWriter::stats() const {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->stats;
}

void GroupWriter::SetFaultPoint(FaultPoint fault) { impl_->fault = std::move(fault); }

}  // namespace fadu::db
