// services/scoring/replayer.h
//
// Replays stored runs in the background, so that a run that no longer recomputes is noticed before
// somebody asks for it.
#ifndef FADU_SERVICES_SCORING_REPLAYER_H_
#define FADU_SERVICES_SCORING_REPLAYER_H_

#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "common/base/id.h"
#include "common/rpc/metrics.h"
#include "services/scoring/store.h"

namespace fadu::scoring {

struct ReplayerOptions {
  // Between two rounds, and at least twenty times what a round took.
  absl::Duration interval = absl::Seconds(60);
  // How often a run is replayed again.
  absl::Duration again = absl::Hours(24);
};

// Of each county the 200 newest runs are replayed, one a round: those never replayed first, the
// newest of them first. Gauges and counters with label service="scoring":
//   fadu_run_last_success_timestamp_seconds     the newest run of the county where it is oldest; 0:
//                                               no county was scored
//   fadu_replay_mismatches                      runs that did not recompute when last replayed
//   fadu_replay_last_success_timestamp_seconds  when a run last recomputed; 0: never
//   fadu_replays_total{result}                  match, mismatch, other_engine (made by another
//                                               version, so that only its facts were checked)
class Replayer {
 public:
  // Everything outlives it.
  Replayer(Store& store, rpc::Metrics& metrics, ReplayerOptions options = {});
  ~Replayer();
  Replayer(const Replayer&) = delete;
  Replayer& operator=(const Replayer&) = delete;

  // One round. Fails when the database does; a mismatch is no failure. Not while started.
  absl::Status Round();

  // Rounds, now and after each interval, until Stop. Again: nothing.
  void Start();
  // Waits for the round that runs. Any number of times.
  void Stop();

 private:
  struct State;
  struct Known {
    std::string county;
    absl::Time created_at;
    absl::Time replayed_at = absl::UnixEpoch();
    bool mismatch = false;
  };

  absl::Status FindRuns();
  absl::Status Replay(const Uuid& id, Known& run);
  void Count(const std::string& result, double by);

  Store& store_;
  rpc::Metrics& metrics_;
  const ReplayerOptions options_;
  std::shared_ptr<State> state_;  // shared with the gauges, which live as long as the metrics
  std::map<Uuid, Known> runs_;
  absl::Notification stopping_;
  std::thread thread_;
};

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_REPLAYER_H_
