#include "common/db/group_reader.h"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/base/status.h"
#include "common/db/pg.h"
#include "common/db/wire.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"

namespace fadu::db {
namespace {

namespace v1 = ::fadu::common::v1;

absl::Status QueueFull() {
  return Fail(absl::StatusCode::kResourceExhausted, v1::REASON_OVERLOADED, "too many reads wait");
}

absl::Status OutOfTime() {
  return Fail(absl::StatusCode::kDeadlineExceeded, v1::REASON_DEADLINE_EXCEEDED,
              "the deadline passed before the database answered");
}

absl::Status ShuttingDown() {
  return Fail(absl::StatusCode::kUnavailable, v1::REASON_UNAVAILABLE, "shutting down");
}

}  // namespace

struct GroupReader::Impl {
  // One key that somebody waits for. Whoever takes it out of `deadlines` answers.
  struct Wish {
    Uuid key;
    Done done;
    std::multimap<absl::Time, std::shared_ptr<Wish>>::iterator timer;
    bool answered = false;
  };
  using WishPtr = std::shared_ptr<Wish>;  // the lane or the batch, and `deadlines`

  struct Lane {
    Scope scope;
    absl::string_view select;
    std::deque<WishPtr> queue;
    bool listed = false;  // it stands in `ready`, or a worker has it
  };

  ReaderOptions options;
  mutable std::mutex mutex;
  std::condition_variable work;
  std::condition_variable timers;
  std::map<std::string, Lane> lanes;
  std::deque<std::string> ready;
  std::multimap<absl::Time, WishPtr> deadlines;  // of all that is not answered
  bool stopping = false;
  std::vector<std::thread> workers;
  std::thread canceller;

  // The caller's function, when nobody has answered yet. With the mutex held.
  Done Claim(Wish& wish) {
    if (wish.answered) return nullptr;
    wish.answered = true;
    deadlines.erase(wish.timer);
    return std::move(wish.done);
  }

  void Work() {
    std::unique_ptr<PgConnection> connection;
    std::unique_lock<std::mutex> lock(mutex);
    while (true) {
      work.wait(lock, [this] { return stopping || !ready.empty(); });
      if (ready.empty()) return;
      const std::string name = std::move(ready.front());
      ready.pop_front();
      Lane& lane = lanes.at(name);
      std::vector<WishPtr> batch;
      while (!lane.queue.empty() && batch.size() < options.max_batch) {
        if (!lane.queue.front()->answered) batch.push_back(std::move(lane.queue.front()));
        lane.queue.pop_front();
      }
      const Scope scope = lane.scope;
      const absl::string_view select = lane.select;
      lock.unlock();
      absl::StatusOr<Rows> rows = Rows();
      if (!batch.empty()) rows = ReadRows(connection, scope, select, batch);
      lock.lock();
      std::vector<std::pair<Done, Uuid>> waiting;
      for (const WishPtr& wish : batch) {
        if (Done done = Claim(*wish)) waiting.emplace_back(std::move(done), wish->key);
      }
      if (lane.queue.empty()) {
        lanes.erase(name);
      } else {
        ready.push_back(name);
        work.notify_one();
      }
      // Another connection may serve the lane while these are told.
      lock.unlock();
      batch.clear();
      Tell(rows, waiting);
      waiting.clear();
      lock.lock();
    }
  }

  static void Tell(const absl::StatusOr<Rows>& rows,
                   const std::vector<std::pair<Done, Uuid>>& waiting) {
    absl::flat_hash_map<Uuid, const Row*> found;
    if (rows.ok()) {
      for (const Row& row : *rows) found[row.Id(0)] = &row;
    }
    for (const auto& [done, key] : waiting) {
      if (!rows.ok()) {
        done(rows.status());
        continue;
      }
      const auto row = found.find(key);
      done(row == found.end() ? absl::optional<Row>() : *row->second);
    }
  }

  absl::StatusOr<Rows> ReadRows(std::unique_ptr<PgConnection>& connection, const Scope& scope,
                                absl::string_view select, const std::vector<WishPtr>& batch) {
    std::vector<WireRow> keys(batch.size());
    std::vector<const WireRow*> pointers;
    for (size_t i = 0; i < batch.size(); ++i) {
      keys[i].Id(batch[i]->key);
      pointers.push_back(&keys[i]);
    }
    const std::vector<TripStatement> statements = {
        {"read_by_key", select, {WireArray(WireType::kId, 0, pointers)}}};
    absl::StatusOr<std::vector<Rows>> answers = ShuttingDown();
    // A kept connection may turn out dead: the database was restarted. A read may be sent again.
    for (int attempt = 0; attempt < 2; ++attempt) {
      const bool kept = connection != nullptr && !connection->broken();
      if (!kept) {
        connection.reset();
        FADU_ASSIGN_OR_RETURN(
            connection, PgConnection::Open(options.dsn, options.application,
                                           options.statement_timeout, PgConnection::Plans::kAnew));
      }
      answers = connection->ReadTrip(scope, statements);
      if (answers.ok()) return std::move(answers->front());
      if (!connection->broken()) break;
    }
    return answers.status();
  }

  // Who waited until the deadline is told so, also when the database is still being asked.
  void Watch() {
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
      const Done done = Claim(*WishPtr(deadlines.begin()->second));
      lock.unlock();
      done(OutOfTime());
      lock.lock();
    }
  }
};

GroupReader::GroupReader(ReaderOptions options) : impl_(new Impl) {
  impl_->options = std::move(options);
  for (int i = 0; i < impl_->options.connections; ++i) {
    impl_->workers.emplace_back([this] { impl_->Work(); });
  }
  impl_->canceller = std::thread([this] { impl_->Watch(); });
}

GroupReader::~GroupReader() {
  std::vector<Done> left;
  {
    const std::lock_guard<std::mutex> lock(impl_->mutex);
    impl_->stopping = true;
    for (auto& [name, lane] : impl_->lanes) {
      for (const Impl::WishPtr& wish : lane.queue) {
        if (Done done = impl_->Claim(*wish)) left.push_back(std::move(done));
      }
      lane.queue.clear();
    }
    impl_->work.notify_all();
    impl_->timers.notify_all();
  }
  for (const Done& done : left) done(ShuttingDown());
  for (std::thread& worker : impl_->workers) worker.join();
  impl_->canceller.join();
}

void GroupReader::Read(const Scope& scope, absl::string_view select, const Uuid& key,
                       absl::Time deadline, Done done) {
  absl::Status refused;
  {
    const std::lock_guard<std::mutex> lock(impl_->mutex);
    if (impl_->stopping) {
      refused = ShuttingDown();
    } else if (deadline <= absl::Now()) {
      refused = OutOfTime();
    } else if (impl_->deadlines.size() >= impl_->options.queue_limit) {
      refused = QueueFull();
    } else {
      const std::string name =
          absl::StrCat(absl::StrJoin(scope.counties, ","), "|", absl::StrJoin(scope.areas, ","),
                       "|", reinterpret_cast<uintptr_t>(select.data()));
      Impl::Lane& lane = impl_->lanes[name];
      lane.scope = scope;
      lane.select = select;
      const auto wish = std::make_shared<Impl::Wish>();
      wish->key = key;
      wish->done = std::move(done);
      const bool earliest = impl_->deadlines.empty() || deadline < impl_->deadlines.begin()->first;
      wish->timer = impl_->deadlines.emplace(deadline, wish);
      lane.queue.push_back(wish);
      if (!std::exchange(lane.listed, true)) {
        impl_->ready.push_back(name);
        impl_->work.notify_one();
      }
      if (earliest) impl_->timers.notify_one();
    }
  }
  if (!refused.ok()) done(refused);
}

size_t GroupReader::queued() const {
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->deadlines.size();
}

}  // namespace fadu::db
