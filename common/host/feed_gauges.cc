#include "common/host/feed_gauges.h"

#include <algorithm>
#include <map>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace fadu::host {

struct FeedGauges::State {
  struct Place {
    int64_t position = 0;
    int64_t behind = 0;
  };
  absl::Mutex mutex;
  std::map<std::string, Place> places ABSL_GUARDED_BY(mutex);  // by county
  absl::Time all_taken_at ABSL_GUARDED_BY(mutex) = absl::UnixEpoch();

  double Lag() {
    absl::MutexLock lock(&mutex);
    int64_t worst = 0;
    for (const auto& [county, place] : places) worst = std::max(worst, place.behind);
    return static_cast<double>(worst);
  }
  double Position() {
    absl::MutexLock lock(&mutex);
    int64_t sum = 0;
    for (const auto& [county, place] : places) sum += place.position;
    return static_cast<double>(sum);
  }
  double LastSuccess() {
    absl::MutexLock lock(&mutex);
    return static_cast<double>(absl::ToUnixSeconds(all_taken_at));
  }
};

FeedGauges::FeedGauges(rpc::Metrics& metrics, absl::string_view service)
    : state_(std::make_shared<State>()) {
  const std::map<std::string, std::string> labels = {{"service", std::string(service)}};
  metrics.Gauge("fadu_feed_lag", "Events not yet taken, of the county furthest behind.", labels,
                [state = state_] { return state->Lag(); });
  metrics.Gauge("fadu_feed_position", "Events taken, over all counties.", labels,
                [state = state_] { return state->Position(); });
  metrics.Gauge("fadu_feed_last_success_timestamp_seconds",
                "When every county's feed was last taken up to its end; 0: never.", labels,
                [state = state_] { return state->LastSuccess(); });
}

void FeedGauges::Taken(absl::string_view county, int64_t position, int64_t head) {
  absl::MutexLock lock(&state_->mutex);
  state_->places[std::string(county)] = {position, std::max<int64_t>(0, head - position)};
}

void FeedGauges::AllTaken(absl::Time now) {
  absl::MutexLock lock(&state_->mutex);
  state_->all_taken_at = now;
}

}  // namespace fadu::host
