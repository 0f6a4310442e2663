#include "services/gateway/domain/rate_limit.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace fadu::gateway {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1717214400);

TEST(RateLimiter, AllowsABurstAndThenOnePerInterval) {
  RateLimiter limiter;
  const RateRule rule{20, absl::Seconds(1)};
  for (int i = 0; i < 20; ++i) EXPECT_EQ(limiter.Take("a", rule, kNow), absl::ZeroDuration()) << i;
  EXPECT_EQ(limiter.Take("a", rule, kNow), absl::Milliseconds(50));  // 1 s ÷ 20
  EXPECT_EQ(limiter.Take("a", rule, kNow + absl::Milliseconds(50)), absl::ZeroDuration());
  EXPECT_GT(limiter.Take("a", rule, kNow + absl::Milliseconds(50)), absl::ZeroDuration());
}

TEST(RateLimiter, KeepsCallersApart) {
  RateLimiter limiter;
  const RateRule rule{1, absl::Hours(1)};
  EXPECT_EQ(limiter.Take("a", rule, kNow), absl::ZeroDuration());
  EXPECT_EQ(limiter.Take("b", rule, kNow), absl::ZeroDuration());
  EXPECT_EQ(limiter.Take("a", rule, kNow), absl::Hours(1));
}

TEST(RateLimiter, AClockThatStepsBackGivesNothing) {
  RateLimiter limiter;
  const RateRule rule{1, absl::Seconds(1)};
  EXPECT_EQ(limiter.Take("a", rule, kNow), absl::ZeroDuration());
  EXPECT_GT(limiter.Take("a", rule, kNow - absl::Hours(1)), absl::ZeroDuration());
  EXPECT_GT(limiter.Take("a", rule, kNow), absl::ZeroDuration());
}

// Whoever makes up callers must not fill the memory, nor make those who wait forgotten.
TEST(RateLimiter, IsBoundedAndForgetsTheFullestFirst) {
  RateLimiter limiter(10);
  const RateRule rule{1, absl::Hours(1)};
  for (int i = 0; i < 10; ++i) {
    limiter.Take(absl::StrCat(i), rule, kNow + absl::Minutes(i));
  }
  limiter.Take("more", rule, kNow + absl::Minutes(10));
  EXPECT_LE(limiter.size(), 10U);
  EXPECT_GT(limiter.Take("9", rule, kNow + absl::Minutes(10)), absl::ZeroDuration());
}

}  // namespace
}  // namespace fadu::gateway
