#include "services/registry/domain/secret.h"

#include "gtest/gtest.h"

namespace fadu::registry {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1717200000);

// 32 bytes are 43 characters of base64 without padding.
TEST(Secret, IsUrlSafeTextWithAPrefix) {
  const std::string secret = AccountSecret(std::string(32, '\xff'));
  EXPECT_EQ(secret, "fadu_" + std::string(42, '_') + "8");
  EXPECT_FALSE(LooksLikeBootstrap(secret));
  EXPECT_TRUE(LooksLikeBootstrap(BootstrapSecret(std::string(32, 'a'))));
}

TEST(Secret, IsStoredAsAlgorithmByteAndDigest) {
  EXPECT_EQ(SecretDigest("fadu_x").size(), 33u);
  EXPECT_EQ(SecretDigest("fadu_x")[0], 1);
  EXPECT_NE(SecretDigest("fadu_x"), SecretDigest("fadu_y"));
}

TEST(Secret, IsKnownByItsFirstEightCharacters) {
  EXPECT_EQ(HandleOf("fadu_abcdefgh-and-what-nobody-knows"), "abcdefgh");
  EXPECT_EQ(HandleOf("fadu_abcdefg"), "");
  EXPECT_EQ(HandleOf("fadu-bootstrap_abcdefghijkl"), "");
}

// five within fifteen minutes.
TEST(Failures, LockAtTheFifthWithinFifteenMinutes) {
  Failures failures;
  for (int i = 0; i < 4; ++i) failures = AfterFailure(failures, kNow + i * absl::Minutes(3));
  EXPECT_FALSE(failures.IsLocked(kNow + absl::Minutes(9)));
  const absl::Time fifth = kNow + absl::Minutes(15) - absl::Seconds(1);
  failures = AfterFailure(failures, fifth);
  EXPECT_TRUE(failures.IsLocked(fifth));
  EXPECT_TRUE(failures.IsLocked(fifth + absl::Minutes(15) - absl::Seconds(1)));
  EXPECT_FALSE(failures.IsLocked(fifth + absl::Minutes(15)));
}

TEST(Failures, LieBackMoreThanFifteenMinutesAndDoNotCount) {
  Failures failures;
  for (int i = 0; i < 4; ++i) failures = AfterFailure(failures, kNow);
  failures = AfterFailure(failures, kNow + absl::Minutes(15));
  EXPECT_FALSE(failures.IsLocked(kNow + absl::Minutes(15)));
  EXPECT_EQ(failures.count, 1);
}

TEST(Failures, AreCountedAnewAfterALock) {
  Failures failures;
  for (int i = 0; i < 5; ++i) failures = AfterFailure(failures, kNow);
  ASSERT_TRUE(failures.IsLocked(kNow));
  const absl::Time later = kNow + absl::Minutes(15);
  for (int i = 0; i < 4; ++i) failures = AfterFailure(failures, later);
  EXPECT_FALSE(failures.IsLocked(later));
  EXPECT_TRUE(AfterFailure(failures, later).IsLocked(later));
}

TEST(TokenBucket, GivesItsCapacityThenOnePerInterval) {
  TokenBucket bucket(10, absl::Seconds(6));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(bucket.Take(kNow));
  EXPECT_FALSE(bucket.Take(kNow));
  EXPECT_FALSE(bucket.Take(kNow + absl::Seconds(5)));
  EXPECT_TRUE(bucket.Take(kNow + absl::Seconds(7)));
  EXPECT_FALSE(bucket.Take(kNow + absl::Seconds(7)));
}

TEST(TokenBucket, HoldsNoMoreThanItsCapacity) {
  TokenBucket bucket(2, absl::Seconds(6));
  EXPECT_TRUE(bucket.Take(kNow));
  EXPECT_TRUE(bucket.Take(kNow + absl::Hours(24)));
  EXPECT_TRUE(bucket.Take(kNow + absl::Hours(24)));
  EXPECT_FALSE(bucket.Take(kNow + absl::Hours(24)));
}

TEST(TokenBucket, GivesNothingWhenTheClockStepsBack) {
  TokenBucket bucket(1, absl::Seconds(6));
  EXPECT_TRUE(bucket.Take(kNow));
  EXPECT_FALSE(bucket.Take(kNow - absl::Hours(1)));
  EXPECT_FALSE(bucket.Take(kNow));
}

}  // namespace
}  // namespace fadu::registry
