#include "common/db/group_writer.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
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

// A lane per county: operations that wait to be read, and those that wait to be written. One
// connection reads a lane while another may write it. Worker threads take the lane that has waited
// longest, drain it up to a batch, run that, and put it back when more arrived.
struct GroupWriter::Impl {
  using Keys = absl::flat_hash_map<std::string, int>;
  struct Side {
    std::deque<OperationPtr> queue;
    bool busy = false;    // a worker has it
    bool listed = false;  // it stands in `ready`
  };
  struct Lane {
    Side reads;
    Side writes;
    // Of operations that wait to be read or are. Who shares one waits behind them.
    Keys read_keys;
    // Of the batch under way.
    absl::flat_hash_set<std::string> written_keys;
  };
  struct Ready {
    std::string county;
    bool reads;
  };

  WriterOptions options;
  BatchWork does;
  FaultPoint fault;

  // A worker that waits for a lane.
  struct Idle {
    std::condition_variable called;
    bool wanted = false;
  };

  mutable std::mutex mutex;
  std::vector<Idle*> idle;  // the one that worked last is called first: few connections stay open
  std::condition_variable timers;
  std::map<std::string, Lane> lanes;
  std::deque<Ready> ready;
  std::multimap<absl::Time, OperationPtr> deadlines;
  size_t queued = 0;
  bool stopping = false;
  Stats stats;
  std::vector<std::thread> workers;
  std::thread canceller;

  Route RouteOf(const WriteOperation& operation) const {
    return operation.outdated_ || !options.trips ? Route::kLook : operation.route();
  }

  template <typename Set>
  static bool Shares(const WriteOperation& operation, const Set& keys) {
    return !keys.empty() && std::any_of(operation.keys().begin(), operation.keys().end(),
                                        [&](const std::string& key) { return keys.contains(key); });
  }

  // Puts an operation behind those it must not overtake.
  void Enqueue(const std::string& county, Lane& lane, OperationPtr operation) {
    if (RouteOf(*operation) == Route::kRead || Shares(*operation, lane.read_keys)) {
      for (const std::string& key : operation->keys()) ++lane.read_keys[key];
      lane.reads.queue.push_back(std::move(operation));
      List(county, lane.reads, /*reads=*/true);
      return;
    }
    EnqueueWrite(county, lane, std::move(operation));
  }

  void EnqueueWrite(const std::string& county, Lane& lane, OperationPtr operation) {
    operation->outdated_ = operation->outdated_ || Shares(*operation, lane.written_keys);
    lane.writes.queue.push_back(std::move(operation));
    List(county, lane.writes, /*reads=*/false);
  }

  // The operations to read next, in order. They stay cancellable while they are read.
  std::vector<OperationPtr> TakeReads(Lane& lane) {
    std::vector<OperationPtr> batch;
    while (!lane.reads.queue.empty() && batch.size() < options.max_batch) {
      OperationPtr operation = std::move(lane.reads.queue.front());
      lane.reads.queue.pop_front();
      batch.push_back(std::move(operation));
    }
    return batch;
  }

  // The operations of one batch: in order, no key twice, all to be written the same way; the rest
  // stays queued.
  std::vector<OperationPtr> TakeBatch(Lane& lane, Route* route) {
    std::vector<OperationPtr> batch;
    absl::flat_hash_set<std::string> keys;
    std::vector<OperationPtr> passed;
    size_t weight = 0;
    std::deque<OperationPtr>& queue = lane.writes.queue;
    while (!queue.empty() && batch.size() < options.max_batch) {
      OperationPtr operation = std::move(queue.front());
      queue.pop_front();
      if (operation->taken_.load()) {  // cancelled
        --queued;
        continue;
      }
      if (batch.empty()) *route = RouteOf(*operation);
      const bool shares = Shares(*operation, keys);
      const bool full = !batch.empty() && weight + operation->weight() > options.max_weight;
      // A later operation on the same keys must not overtake one that waits.
      keys.insert(operation->keys().begin(), operation->keys().end());
      if (shares || full || RouteOf(*operation) != *route) {
        operation->outdated_ = operation->outdated_ || shares;
        passed.push_back(std::move(operation));
        if (full) break;
        continue;
      }
      bool expected = false;
      --queued;
      if (!operation->taken_.compare_exchange_strong(expected, true)) continue;
      deadlines.erase(operation->timer_);
      weight += operation->weight();
      batch.push_back(std::move(operation));
    }
    queue.insert(queue.begin(), std::make_move_iterator(passed.begin()),
                 std::make_move_iterator(passed.end()));
    lane.written_keys.clear();
    for (const OperationPtr& operation : batch) {
      lane.written_keys.insert(operation->keys().begin(), operation->keys().end());
    }
    return batch;
  }

  void List(const std::string& county, Side& side, bool reads) {
    if (side.busy || side.listed || side.queue.empty()) return;
    side.listed = true;
    ready.push_back({county, reads});
    if (idle.empty()) return;
    Idle& worker = *idle.back();
    idle.pop_back();
    worker.wanted = true;
    worker.called.notify_one();
  }

  // Waits until there is a lane; false when the writer ends.
  bool AwaitLane(std::unique_lock<std::mutex>& lock, Idle& self) {
    while (ready.empty() && !stopping) {
      self.wanted = false;
      idle.push_back(&self);
      self.called.wait(lock, [&] { return self.wanted || stopping; });
      if (!self.wanted) std::erase(idle, &self);
    }
    return !ready.empty();  // at the end, what was listed is still taken
  }

  void WorkerLoop() {
    Idle self;
    std::unique_ptr<PgConnection> connection;
    std::unique_lock<std::mutex> lock(mutex);
    while (AwaitLane(lock, self)) {
      const auto [county, reads] = std::move(ready.front());
      ready.pop_front();
      Lane& lane = lanes[county];
      Side& side = reads ? lane.reads : lane.writes;
      side.listed = false;
      side.busy = true;
      std::vector<OperationPtr> written;
      if (reads) {
        ReadOnce(lock, connection, county, lane);
      } else {
        written = WriteOnce(lock, connection, county, lane);
      }
      side.busy = false;
      List(county, side, reads);
      const auto rests = [](const Side& one) {
        return !one.busy && !one.listed && one.queue.empty();
      };
      if (rests(lane.reads) && rests(lane.writes)) lanes.erase(county);
      if (written.empty()) continue;
      // Another connection may write the county's next batch while the callers of this one are
      // told.
      lock.unlock();
      Tell(written);
      written.clear();
      lock.lock();
    }
  }

  // Writes the next batch of a lane; of one that took the trip, the callers are still to be told.
  std::vector<OperationPtr> WriteOnce(std::unique_lock<std::mutex>& lock,
                                      std::unique_ptr<PgConnection>& connection,
                                      const std::string& county, Lane& lane) {
    Route route = Route::kLook;
    std::vector<OperationPtr> batch = TakeBatch(lane, &route);
    lock.unlock();
    bool trip = false;
    if (!batch.empty()) {
      trip = route == Route::kTrip && RunTrip(connection, county, batch);
      if (!trip) RunBatch(connection, county, batch);
    }
    lock.lock();
    // What the callers do next is not outdated by this batch.
    lane.written_keys.clear();
    if (!trip) return {};
    ++stats.trips;
    stats.trip_operations += static_cast<int64_t>(batch.size());
    return batch;
  }

  void ReadOnce(std::unique_lock<std::mutex>& lock, std::unique_ptr<PgConnection>& connection,
                const std::string& county, Lane& lane) {
    std::vector<OperationPtr> batch = TakeReads(lane);
    std::vector<OperationPtr> unread;
    for (const OperationPtr& operation : batch) {
      if (!operation->taken_.load() && RouteOf(*operation) == Route::kRead) {
        unread.push_back(operation);
      }
    }
    lock.unlock();
    const bool read = unread.empty() || Read(connection, county, unread);
    unread.clear();
    lock.lock();
    for (OperationPtr& operation : batch) {
      for (const std::string& key : operation->keys()) {
        const auto found = lane.read_keys.find(key);
        if (--found->second == 0) lane.read_keys.erase(found);
      }
      // What was not read, for whatever reason, looks.
      const bool settled = read && operation->route() != Route::kRead;
      operation->outdated_ = operation->outdated_ || !settled;
      if (operation->taken_.load()) {  // cancelled
        --queued;
      } else if (!stopping) {
        EnqueueWrite(county, lane, std::move(operation));
      } else {
        // The destructor has emptied the queues; it waits for this thread.
        bool expected = false;
        --queued;
        if (!operation->taken_.compare_exchange_strong(expected, true)) continue;
        lock.unlock();
        operation->Finish(ShuttingDown());
        lock.lock();
      }
    }
  }

  bool Read(std::unique_ptr<PgConnection>& connection, const std::string& county,
            const std::vector<OperationPtr>& operations) {
    if (!Connect(connection).ok() || Faulted("read_begun", *connection)) return false;
    const absl::Status read = does.read(*connection, county, operations);
    if (read.ok() && !Faulted("read_done", *connection)) return true;
    connection.reset();
    return false;
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

  absl::Status Connect(std::unique_ptr<PgConnection>& connection) {
    if (connection != nullptr && !connection->broken()) return absl::OkStatus();
    connection.reset();
    absl::StatusOr<std::unique_ptr<PgConnection>> opened =
        PgConnection::Open(options.dsn, options.application, options.statement_timeout);
    if (!opened.ok()) return opened.status();
    connection = *std::move(opened);
    return absl::OkStatus();
  }

  bool Faulted(absl::string_view step, PgConnection& connection) {
    if (!fault || !fault(step)) return false;
    connection.Cut();
    return true;
  }

  // Tells the callers of a batch that it is committed.
  void Tell(const std::vector<OperationPtr>& batch) {
    if (fault) (void)fault("before_finish");
    for (const OperationPtr& operation : batch) operation->Finish(absl::OkStatus());
  }

  // The same for one that was written after a look. Before that, what they do next is no longer
  // outdated by it.
  void Finish(const std::string& county, const std::vector<OperationPtr>& batch) {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      lanes[county].written_keys.clear();
      ++stats.looks;
      stats.look_operations += static_cast<int64_t>(batch.size());
    }
    Tell(batch);
  }

  // Writes a batch in one round trip; false when it has to look instead: the caller's cue, as what
  // was sent is rolled back, or found by its request ids.
  bool RunTrip(std::unique_ptr<PgConnection>& connection, const std::string& county,
               const std::vector<OperationPtr>& batch) {
    const absl::optional<std::vector<TripStatement>> statements = does.compose(county, batch);
    if (!statements.has_value()) return false;
    PgConnection::TripEnd end = PgConnection::TripEnd::kUnknown;
    if (Connect(connection).ok() && !Faulted("trip_composed", *connection) &&
        connection->SendTrip(county, *statements) && !Faulted("trip_sent", *connection)) {
      end = connection->FinishTrip();
      if (Faulted("trip_answered", *connection)) end = PgConnection::TripEnd::kUnknown;
    }
    if (end == PgConnection::TripEnd::kUnknown) connection.reset();
    const bool committed = end == PgConnection::TripEnd::kCommitted;
    does.settle(county, committed);
    if (!committed) {
      const std::lock_guard<std::mutex> lock(mutex);
      ++stats.refused_trips;
    }
    return committed;
  }

  enum class Verdict { kDone, kAgain, kBad };

  // One attempt at a batch. kAgain: nothing or an unknown outcome, run it again. kBad: refused for
  // `why`, and nothing was written.
  Verdict TryOnce(std::unique_ptr<PgConnection>& connection, const std::string& county,
                  const std::vector<OperationPtr>& batch, absl::Status* why) {
    if (absl::Status connected = Connect(connection); !connected.ok()) {
      *why = std::move(connected);
      return Verdict::kAgain;
    }
    absl::Status status = connection->Begin(county);
    if (status.ok() && Faulted("begun", *connection)) status = OutcomeUnknown();
    if (status.ok()) status = does.attempt(*connection, county, batch);
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
      const Verdict verdict = TryOnce(connection, county, batch, &why);
      does.settle(county, verdict == Verdict::kDone);
      switch (verdict) {
        case Verdict::kDone:
          return Finish(county, batch);
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

GroupWriter::GroupWriter(WriterOptions options, BatchWork work) : impl_(new Impl) {
  impl_->options = std::move(options);
  impl_->does = std::move(work);
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
      for (Impl::Side* side : {&lane.reads, &lane.writes}) {
        for (OperationPtr& operation : side->queue) {
          bool expected = false;
          if (operation->taken_.compare_exchange_strong(expected, true)) left.push_back(operation);
        }
        side->queue.clear();
      }
    }
    impl_->deadlines.clear();
    for (Impl::Idle* worker : impl_->idle) worker->called.notify_one();
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
      ++impl_->queued;
      impl_->Enqueue(county, lane, operation);
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
