#include "common/host/feed_gauges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fadu::host {
namespace {

using ::testing::HasSubstr;

TEST(FeedGauges, ShowTheCountyFurthestBehindAndTheSumOfPositions) {
  rpc::Metrics metrics;
  FeedGauges gauges(metrics, "mediation");
  gauges.Taken("421221", 40, 100);
  gauges.Taken("420101", 7, 10);
  gauges.Taken("421221", 95, 100);
  const std::string text = metrics.Scrape();
  EXPECT_THAT(text, HasSubstr("fadu_feed_lag{service=\"mediation\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("fadu_feed_position{service=\"mediation\"} 102\n"));
}

TEST(FeedGauges, SayWhenAllWasTaken) {
  rpc::Metrics metrics;
  FeedGauges gauges(metrics, "mediation");
  EXPECT_THAT(metrics.Scrape(),
              HasSubstr("fadu_feed_last_success_timestamp_seconds{service=\"mediation\"} 0\n"));
  gauges.AllTaken(absl::FromUnixSeconds(1700000000));
  EXPECT_THAT(
      metrics.Scrape(),
      HasSubstr("fadu_feed_last_success_timestamp_seconds{service=\"mediation\"} 1700000000\n"));
}

}  // namespace
}  // namespace fadu::host
