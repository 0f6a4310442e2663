// services/scoring/feed_consumer.h
//
// Takes the facts of the evidence services: on demand, and all the time in the background. At least
// once, by position; the store skips what it has and refuses gaps.
#ifndef FADU_SERVICES_SCORING_FEED_CONSUMER_H_
#define FADU_SERVICES_SCORING_FEED_CONSUMER_H_

#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/host/feed_gauges.h"
#include "common/rpc/channel.h"
#include "common/rpc/metrics.h"
#include "services/scoring/store.h"

namespace fadu::scoring {

// Thread-safe.
class FeedConsumer {
 public:
  // Pulls the feeds of those of `services` that are among the peers when it is their turn.
  // Everything outlives it. Gauges of each feed: host::FeedGauges.
  FeedConsumer(Store& store, rpc::Peers& peers, rpc::Metrics& metrics,
               std::vector<std::string> services);
  ~FeedConsumer();
  FeedConsumer(const FeedConsumer&) = delete;
  FeedConsumer& operator=(const FeedConsumer&) = delete;

  // Pulls every feed of the county up to where it stood when its turn came. No transaction is open
  // while a peer is called.
  //
  // FAILED_PRECONDITION / REASON_FEED_GAP: a feed left out a seq, or ends before the position that
  // is held (its database was set back). Failures of a peer come with metadata `service`.
  absl::Status Sync(absl::string_view county, absl::Time deadline);

  // The services whose feeds are pulled at present, sorted.
  std::vector<std::string> Services() const;

  // Pulls for every known county once. Not while started.
  void Round();
  // Pulls for every known county, now and each `interval` after a round ended, until Stop.
  void Start(absl::Duration interval);
  // Waits for the pull that runs, at most its deadline of five seconds. Once or never started: OK.
  void Stop();

 private:
  absl::Status SyncFeed(const std::string& county, const std::string& service, absl::Time deadline);
  void Loop(absl::Duration interval);
  bool stopping();
  // Logs a failure when it is new, and its end.
  void Report(const std::string& county, const absl::Status& status);

  Store& store_;
  rpc::Peers& peers_;
  const std::vector<std::string> services_;
  std::map<std::string, host::FeedGauges> gauges_;  // by service
  std::set<std::string> failing_;                   // counties; of the background thread only
  absl::Mutex mutex_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_FEED_CONSUMER_H_
