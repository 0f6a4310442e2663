#include "services/scoring/feed_consumer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"
#include "services/scoring/scoring_test_support.h"

namespace fadu::scoring {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

class FeedConsumerTest : public ::testing::Test {
 protected:
  int64_t PositionOf(const std::string& service) {
    return (*store_.PositionsOf(kCounty, Soon()))[service];
  }
  int64_t Held() { return (*store_.CountHeld(kCounty, Soon()))["mediation"]; }
  void RecordDisputes(int first, int last) {
    std::vector<fadu::common::v1::Fact> facts;
    for (int i = first; i <= last; ++i) facts.push_back(DisputeFact(i, 1));
    mediation_->Record(std::move(facts));
  }

  ScoringDatabase database_;
  Store store_{database_.pool()};
  TestPeers peers_;
  std::shared_ptr<FakeService> mediation_ = peers_.Add("mediation");
  FeedConsumer consumer_{store_, peers_.peers(), peers_.metrics(), {"mediation", "education"}};
};

TEST_F(FeedConsumerTest, PullsInBatchesUpToTheHead) {
  RecordDisputes(1, 1203);
  ASSERT_TRUE(consumer_.Sync(kCounty, Soon()).ok());
  EXPECT_EQ(PositionOf("mediation"), 1203);
  EXPECT_EQ(Held(), 1203);
  EXPECT_EQ(mediation_->pulls(), 3);
}

TEST_F(FeedConsumerTest, GoesOnWhereItStopped) {
  RecordDisputes(1, 3);
  ASSERT_TRUE(consumer_.Sync(kCounty, Soon()).ok());
  RecordDisputes(4, 5);
  mediation_->Record({Withdrawn(DisputeFact(1, 1))});
  ASSERT_TRUE(consumer_.Sync(kCounty, Soon()).ok());
  EXPECT_EQ(PositionOf("mediation"), 6);
  EXPECT_EQ(Held(), 4);
}

TEST_F(FeedConsumerTest, AServiceThatIsNoPeerHasNoFeed) {
  ASSERT_TRUE(consumer_.Sync(kCounty, Soon()).ok());
  EXPECT_THAT(consumer_.Services(), ElementsAre("mediation"));
  EXPECT_THAT(*store_.PositionsOf(kCounty, Soon()), ElementsAre(Pair("mediation", 0)));
}

TEST_F(FeedConsumerTest, RefusesAGapAndKeepsWhatCameBefore) {
  RecordDisputes(1, 501);
  mediation_->Meddle([](fadu::common::v1::PullFactsResponse& response) {
    if (response.facts(0).seq() == 501) response.mutable_facts(0)->set_seq(502);
    return absl::OkStatus();
  });
  const absl::Status synced = consumer_.Sync(kCounty, Soon());
  EXPECT_THAT(synced, FailsWith(absl::StatusCode::kFailedPrecondition, "REASON_FEED_GAP"));
  EXPECT_EQ(DetailOf(synced).metadata["service"], "mediation");
  EXPECT_EQ(PositionOf("mediation"), 500);
}

TEST_F(FeedConsumerTest, RefusesFactsThatAreMissingBeforeTheHead) {
  RecordDisputes(1, 2);
  mediation_->Meddle([](fadu::common::v1::PullFactsResponse& response) {
    response.clear_facts();
    return absl::OkStatus();
  });
  EXPECT_THAT(consumer_.Sync(kCounty, Soon()),
              FailsWith(absl::StatusCode::kFailedPrecondition, "REASON_FEED_GAP"));
}

// A service whose database was restored from an older backup tells another history.
TEST_F(FeedConsumerTest, RefusesAFeedThatWasSetBack) {
  RecordDisputes(1, 3);
  ASSERT_TRUE(consumer_.Sync(kCounty, Soon()).ok());
  mediation_->Truncate(2);
  EXPECT_THAT(consumer_.Sync(kCounty, Soon()),
              FailsWith(absl::StatusCode::kFailedPrecondition, "REASON_FEED_GAP"));
  EXPECT_EQ(Held(), 3);
}

TEST_F(FeedConsumerTest, SeveralPullersAtOnceTakeEveryFactOnce) {
  RecordDisputes(1, 1100);
  std::vector<std::thread> pullers;
  for (int i = 0; i < 3; ++i) {
    pullers.emplace_back([this] { EXPECT_TRUE(consumer_.Sync(kCounty, Soon()).ok()); });
  }
  for (std::thread& puller : pullers) puller.join();
  EXPECT_EQ(PositionOf("mediation"), 1100);
  EXPECT_EQ(Held(), 1100);
}

TEST_F(FeedConsumerTest, TheLagIsWhatIsNotYetTaken) {
  RecordDisputes(1, 700);
  mediation_->Meddle([pulls = 0](fadu::common::v1::PullFactsResponse&) mutable {
    if (++pulls == 1) return absl::OkStatus();
    return Fail(absl::StatusCode::kUnavailable, fadu::common::v1::REASON_UNAVAILABLE, "away");
  });
  EXPECT_THAT(consumer_.Sync(kCounty, Soon()),
              FailsWith(absl::StatusCode::kUnavailable, "REASON_UNAVAILABLE"));
  EXPECT_THAT(peers_.metrics().Scrape(), HasSubstr("fadu_feed_lag{service=\"mediation\"} 200"));
  mediation_->Meddle(nullptr);
  ASSERT_TRUE(consumer_.Sync(kCounty, Soon()).ok());
  EXPECT_THAT(peers_.metrics().Scrape(), HasSubstr("fadu_feed_lag{service=\"mediation\"} 0"));
}

// While a feed cannot be taken its lag is unknown; that its success is old says it.
TEST_F(FeedConsumerTest, ARoundThatTakesAllOfAFeedIsItsSuccess) {
  const std::string never = "fadu_feed_last_success_timestamp_seconds{service=\"mediation\"} 0\n";
  ASSERT_TRUE(consumer_.Sync(kCounty, Soon()).ok());
  EXPECT_THAT(peers_.metrics().Scrape(), HasSubstr(never));  // one county says nothing of others
  mediation_->Meddle([](fadu::common::v1::PullFactsResponse&) {
    return Fail(absl::StatusCode::kUnavailable, fadu::common::v1::REASON_UNAVAILABLE, "away");
  });
  consumer_.Round();
  EXPECT_THAT(peers_.metrics().Scrape(), HasSubstr(never));
  mediation_->Meddle(nullptr);
  RecordDisputes(1, 3);
  consumer_.Round();
  EXPECT_THAT(peers_.metrics().Scrape(), Not(HasSubstr(never)));
  EXPECT_THAT(peers_.metrics().Scrape(),
              HasSubstr("fadu_feed_position{service=\"mediation\"} 3\n"));
}

TEST_F(FeedConsumerTest, TheBackgroundTakesWhatKnownCountiesRecord) {
  ASSERT_TRUE(consumer_.Sync(kCounty, Soon()).ok());
  RecordDisputes(1, 10);
  consumer_.Start(absl::Milliseconds(1));
  // The pull after the last fact is made when the last fact has been committed.
  EXPECT_TRUE(mediation_->WaitUntilTaken());
  consumer_.Stop();
  consumer_.Stop();
  EXPECT_EQ(Held(), 10);
}

}  // namespace
}  // namespace fadu::scoring
