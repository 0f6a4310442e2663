// common/host/feed_gauges.h
//
// How far the feed of one service has been taken, for whoever scrapes. Counties are no label: the
// gauges show the one furthest behind, and sums.
#ifndef FADU_COMMON_HOST_FEED_GAUGES_H_
#define FADU_COMMON_HOST_FEED_GAUGES_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/rpc/metrics.h"

namespace fadu::host {

// Thread-safe. Gauges, by the service whose feed it is: fadu_feed_lag (events), fadu_feed_position
// (events taken, over all counties), fadu_feed_last_success_timestamp_seconds (0: never).
class FeedGauges {
 public:
  FeedGauges(rpc::Metrics& metrics, absl::string_view service);

  // A county's feed was taken up to `position` when it ended at `head`.
  void Taken(absl::string_view county, int64_t position, int64_t head);
  // At `now` every county's feed had been taken up to where it stood.
  void AllTaken(absl::Time now);

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the gauges, which live as long as the metrics
};

}  // namespace fadu::host

#endif  // FADU_COMMON_HOST_FEED_GAUGES_H_
