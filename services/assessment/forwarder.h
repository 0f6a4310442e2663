// services/assessment/forwarder.h
//
// Hands the service's own log (rubrics, cycles, marks) over to scoring: in order, from where
// scoring says it stands, again until it is there.
#ifndef FADU_SERVICES_ASSESSMENT_FORWARDER_H_
#define FADU_SERVICES_ASSESSMENT_FORWARDER_H_

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/db/pool.h"
#include "common/host/feed_gauges.h"
#include "common/records/store.h"
#include "common/rpc/channel.h"
#include "common/rpc/metrics.h"

namespace fadu::assessment {

struct ForwarderOptions {
  // How long it waits after a failure; doubled each time up to `longest_wait`.
  absl::Duration first_wait = absl::Seconds(1);
  absl::Duration longest_wait = absl::Minutes(1);
  // Every county is looked at this often, whoever wrote there.
  absl::Duration sweep = absl::Minutes(1);
};

// Thread-safe. It holds no position of its own: scoring's is asked each time, so a restart of
// either side, and two processes at once, are nothing special.
class Forwarder {
 public:
  // Everything outlives it. `peers` has "scoring" by the time it is used. Gauges:
  // host::FeedGauges of feed assessment.
  Forwarder(records::Store& store, db::Pool& pool, rpc::Peers& peers, const Clock& clock,
            rpc::Metrics& metrics, ForwarderOptions options = {});
  ~Forwarder();
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;

  // Hands over all that the county's log held when it was first read. Returns the last seq that
  // scoring holds. `deadline` is of the machine's clock.
  //
  // FAILED_PRECONDITION / REASON_INTEGRITY_BROKEN: scoring holds more than this log has, as after
  // the database was set back. Failures of scoring come back as they were.
  absl::StatusOr<int64_t> Flush(const std::string& county, absl::Time deadline);

  // Something was written in the county: hand it over soon. Does not block.
  void Wake(const std::string& county);

  // Hands over in the background, starting with every county there is, until Stop.
  void Start();
  // Waits for the hand-over that runs, a few seconds at most. Any number of times.
  void Stop();

 private:
  void Loop();
  // Waits for the next county whose turn it is and takes it off the list. Empty: it is time to
  // sweep, or to stop.
  std::string Next(absl::Time sweep_at);
  void Try(const std::string& county);
  void Sweep();
  // Nothing is on the list and nothing failed: all is handed over.
  void Report();
  bool stopping();
  // The last seq that scoring holds after taking `facts`.
  absl::StatusOr<int64_t> Put(const std::string& county,
                              const std::vector<fadu::common::v1::Fact>& facts,
                              absl::Time deadline);

  records::Store& store_;
  db::Pool& pool_;
  rpc::Peers& peers_;
  const Clock& clock_;
  host::FeedGauges gauges_;
  const ForwarderOptions options_;
  absl::Mutex mutex_;
  absl::CondVar changed_;
  std::map<std::string, absl::Time> turns_ ABSL_GUARDED_BY(mutex_);  // by county: not before
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  // Of the background thread only.
  std::map<std::string, absl::Duration> waits_;  // of failing counties
  bool swept_ = false;                           // the last sweep saw every county
  std::thread thread_;
};

}  // namespace fadu::assessment

#endif  // FADU_SERVICES_ASSESSMENT_FORWARDER_H_
