#include "services/scoring/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/scoring/scoring_test_support.h"

namespace fadu::scoring {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

class ScoringStoreTest : public ::testing::Test {
 protected:
  absl::StatusOr<int64_t> Take(std::vector<fadu::common::v1::Fact> facts) {
    return store_.TakeFacts(kCounty, "mediation", facts, Soon());
  }

  // Id and revision of the facts that hold.
  std::vector<std::pair<std::string, int64_t>> Held(int64_t seq,
                                                    absl::optional<int> year = absl::nullopt) {
    std::vector<std::pair<std::string, int64_t>> held;
    const absl::Status walked =
        store_.ForEachHeld(kCounty, "mediation", seq, year, Soon(), [&](const StoredFact& fact) {
          EXPECT_EQ(fact.digest, StoredDigest(fact.bytes));
          held.emplace_back(fact.id.ToString(), fact.revision);
          return absl::OkStatus();
        });
    EXPECT_TRUE(walked.ok()) << walked;
    return held;
  }

  static auto Is(int id, int64_t revision) { return Pair(IdOf(id).ToString(), revision); }

  ScoringDatabase database_;
  Store store_{database_.pool()};
};

TEST_F(ScoringStoreTest, TakenFactsHoldAndThePositionAdvances) {
  EXPECT_EQ(*Take(Numbered({DisputeFact(2, 1), DisputeFact(1, 1)}, 1)), 2);
  EXPECT_THAT(Held(2), ElementsAre(Is(1, 1), Is(2, 1)));
  EXPECT_THAT(*store_.PositionsOf(kCounty, Soon()), ElementsAre(Pair("mediation", 2)));
  EXPECT_THAT(*store_.CountHeld(kCounty, Soon()), ElementsAre(Pair("mediation", 2)));
  EXPECT_THAT(*store_.KnownCounties(Soon()), ElementsAre(kCounty));
}

TEST_F(ScoringStoreTest, ANewerRevisionReplacesTheOlderFromItsSeqOn) {
  ASSERT_EQ(*Take(Numbered({DisputeFact(1, 1), DisputeFact(2, 1)}, 1)), 2);
  ASSERT_EQ(*Take(Numbered({DisputeFact(1, 2)}, 3)), 3);
  EXPECT_THAT(Held(3), ElementsAre(Is(1, 2), Is(2, 1)));
  EXPECT_THAT(Held(3, 2026), ElementsAre(Is(1, 2), Is(2, 1)));
  EXPECT_THAT(Held(2), ElementsAre(Is(1, 1), Is(2, 1)));
  EXPECT_THAT(Held(2, 2026), ElementsAre(Is(1, 1), Is(2, 1)));
  EXPECT_THAT(Held(1), ElementsAre(Is(1, 1)));
}

TEST_F(ScoringStoreTest, RevisionsOfOneBatchReplaceEachOther) {
  ASSERT_EQ(*Take(Numbered({DisputeFact(1, 1), DisputeFact(1, 2), DisputeFact(1, 3)}, 1)), 3);
  EXPECT_THAT(Held(1), ElementsAre(Is(1, 1)));
  EXPECT_THAT(Held(2), ElementsAre(Is(1, 2)));
  EXPECT_THAT(Held(3), ElementsAre(Is(1, 3)));
}

TEST_F(ScoringStoreTest, AWithdrawnFactHoldsUntilItsTombstone) {
  ASSERT_EQ(*Take(Numbered({DisputeFact(1, 1), Withdrawn(DisputeFact(1, 1))}, 1)), 2);
  EXPECT_THAT(Held(1), SizeIs(1));
  EXPECT_THAT(Held(2), IsEmpty());
  EXPECT_THAT(*store_.CountHeld(kCounty, Soon()), IsEmpty());
}

TEST_F(ScoringStoreTest, ABatchThatComesAgainChangesNothing) {
  const auto batch = Numbered({DisputeFact(1, 1), DisputeFact(1, 2)}, 1);
  ASSERT_EQ(*Take(batch), 2);
  EXPECT_EQ(*Take(batch), 2);
  EXPECT_EQ(*Take(Numbered({DisputeFact(1, 2), DisputeFact(2, 1)}, 2)), 3);
  EXPECT_THAT(Held(3), ElementsAre(Is(1, 2), Is(2, 1)));
}

TEST_F(ScoringStoreTest, AGapIsRefusedAndNothingIsTaken) {
  const absl::Status behind = Take(Numbered({DisputeFact(1, 1)}, 2)).status();
  EXPECT_THAT(behind, FailsWith(absl::StatusCode::kFailedPrecondition, "REASON_FEED_GAP"));
  EXPECT_EQ(DetailOf(behind).metadata["expected"], "1");
  EXPECT_EQ(DetailOf(behind).metadata["got"], "2");
  auto within = Numbered({DisputeFact(1, 1), DisputeFact(2, 1)}, 1);
  within[1].set_seq(3);
  EXPECT_THAT(Take(within).status(),
              FailsWith(absl::StatusCode::kFailedPrecondition, "REASON_FEED_GAP"));
  EXPECT_THAT(Held(10), IsEmpty());
}

TEST_F(ScoringStoreTest, AnEventWithoutAFactOnlyTakesASeq) {
  EXPECT_EQ(*Take(Numbered({DisputeFact(1, 1), {}, {}}, 1)), 3);
  EXPECT_THAT(Held(3), SizeIs(1));
}

TEST_F(ScoringStoreTest, AnotherFactOfAKnownRevisionIsRefused) {
  ASSERT_EQ(*Take(Numbered({DisputeFact(1, 1)}, 1)), 1);
  EXPECT_THAT(Take(Numbered({DisputeFact(1, 1, kOtherVillage)}, 2)).status(),
              FailsWith(absl::StatusCode::kFailedPrecondition, "REASON_INTEGRITY_BROKEN"));
  EXPECT_THAT(*store_.PositionsOf(kCounty, Soon()), ElementsAre(Pair("mediation", 1)));
}

TEST_F(ScoringStoreTest, FactsOfAYearAreThoseThatCountInIt) {
  ASSERT_EQ(*Take(Numbered({DisputeFact(1, 1, kVillage, "2025-12-31"),
                            DisputeFact(2, 1, kVillage, "2026-01-01")},
                           1)),
            2);
  EXPECT_THAT(Held(2, 2026), ElementsAre(Is(2, 1)));
  EXPECT_THAT(Held(2, 2025), ElementsAre(Is(1, 1)));
}

TEST_F(ScoringStoreTest, LongFeedsAreReadInPagesWithoutLoss) {
  std::vector<fadu::common::v1::Fact> facts;
  for (int i = 1; i <= 2001; ++i) facts.push_back(DisputeFact(i, 1));
  ASSERT_EQ(*Take(Numbered(facts, 1)), 2001);
  EXPECT_THAT(Held(2001), SizeIs(2001));
  EXPECT_THAT(Held(2001, 2026), SizeIs(2001));
  int rows = 0;
  ASSERT_TRUE(store_
                  .ForEachFact(kCounty, "mediation", 2001, Soon(),
                               [&](const FactRow&) {
                                 ++rows;
                                 return absl::OkStatus();
                               })
                  .ok());
  EXPECT_EQ(rows, 2001);
}

TEST_F(ScoringStoreTest, CountiesAndServicesHaveFeedsOfTheirOwn) {
  ASSERT_EQ(*Take(Numbered({DisputeFact(1, 1)}, 1)), 1);
  ASSERT_EQ(*store_.TakeFacts("421222", "mediation", Numbered({DisputeFact(1, 1)}, 1), Soon()), 1);
  ASSERT_EQ(*store_.TakeFacts(kCounty, "education", Numbered({DisputeFact(1, 1)}, 1), Soon()), 1);
  EXPECT_THAT(Held(1), SizeIs(1));
  EXPECT_THAT(*store_.KnownCounties(Soon()), ElementsAre(kCounty, "421222"));
}

TEST_F(ScoringStoreTest, TheServiceMayNeitherChangeRunsNorFacts) {
  const auto may = [&](const std::string& what) {
    return database_.Admin(absl::StrCat("SELECT has_", what));
  };
  EXPECT_EQ(may("table_privilege('fadu_scoring', 'scoring.run', 'UPDATE,DELETE,TRUNCATE')"), "f");
  EXPECT_EQ(may("table_privilege('fadu_scoring', 'scoring.fact', 'DELETE,TRUNCATE')"), "f");
  EXPECT_EQ(may("column_privilege('fadu_scoring', 'scoring.fact', 'fact', 'UPDATE')"), "f");
  EXPECT_EQ(may("column_privilege('fadu_scoring', 'scoring.fact', 'until_seq', 'UPDATE')"), "t");
}

TEST_F(ScoringStoreTest, ARunIsStoredOnceAndListedNewestFirst) {
  StoredRun run;
  run.id = IdOf(7);
  run.year = 2026;
  run.created_at = absl::FromUnixMicros(1780000000000001);
  run.actor = "accounts/x";
  run.rubric_title = "村级";
  run.snapshot = std::string("\0snapshot", 9);
  run.snapshot_digest = StoredDigest(run.snapshot);
  run.result = "result";
  run.result_digest = StoredDigest(run.result);
  EXPECT_TRUE(*store_.InsertRun(kCounty, run, Soon()));
  StoredRun other = run;
  other.actor = "accounts/y";
  EXPECT_FALSE(*store_.InsertRun(kCounty, other, Soon()));
  const absl::optional<StoredRun> found = *store_.FindRun(kCounty, run.id, Soon());
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->actor, "accounts/x");
  EXPECT_EQ(found->snapshot, run.snapshot);
  EXPECT_EQ(found->created_at, run.created_at);

  other.id = IdOf(8);
  other.created_at += absl::Seconds(1);
  ASSERT_TRUE(*store_.InsertRun(kCounty, other, Soon()));
  EXPECT_EQ((*store_.FindLatestRun(kCounty, Soon()))->id, other.id);
  const auto older = store_.ListRuns(kCounty, other.created_at, other.id, 10, Soon());
  ASSERT_THAT(*older, SizeIs(1));
  EXPECT_EQ((*older)[0].id, run.id);
  EXPECT_FALSE((*store_.FindLatestRun("421222", Soon())).has_value());
}

}  // namespace
}  // namespace fadu::scoring
