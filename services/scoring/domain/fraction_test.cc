#include "services/scoring/domain/fraction.h"

#include <limits>

#include <gtest/gtest.h>

namespace fadu::scoring {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

TEST(Fraction, StaysInLowestTerms) {
  EXPECT_EQ(Fraction::Of(6, -4).ToString(), "-3/2");
  EXPECT_EQ((Fraction::Of(1, 3) + Fraction::Of(1, 6)).ToString(), "1/2");
  EXPECT_EQ((Fraction::Of(2, 3) * Fraction::Of(3, 2)).ToString(), "1");
  EXPECT_EQ((Fraction(1) / Fraction::Of(-2, 7)).ToString(), "-7/2");
}

TEST(Fraction, ComparesAcrossDenominators) {
  EXPECT_LT(Fraction::Of(1899, 2000), Fraction::Of(95, 100));
  EXPECT_EQ(Fraction::Of(19, 20), Fraction::Of(95, 100));
  EXPECT_GT(Fraction::Of(-1, 3), Fraction::Of(-1, 2));
}

TEST(Fraction, FloorAndCeilingHoldBelowZero) {
  EXPECT_EQ(Fraction::Of(-3, 2).Floor(), Fraction(-2));
  EXPECT_EQ(Fraction::Of(-3, 2).Ceil(), Fraction(-1));
  EXPECT_EQ(Fraction::Of(35, 13).Ceil(), Fraction(3));
  EXPECT_EQ(Fraction(4).Ceil(), Fraction(4));
}

// 2 × (2^63 − 1) and the sum of 1/p over large primes leave 64 bits; nothing is lost.
TEST(Fraction, OutgrowsTwoIntegersWithoutLoss) {
  const Fraction twice = Fraction(kMost) + Fraction(kMost);
  EXPECT_EQ(twice.ToString(), "18446744073709551614");
  EXPECT_EQ(twice - Fraction(kMost), Fraction(kMost));
  const Fraction square = Fraction(kMost) * Fraction(kMost) * Fraction(kMost);
  EXPECT_EQ(square / Fraction(kMost) / Fraction(kMost), Fraction(kMost));
  Fraction sum;
  for (const int64_t prime : {1000003, 1000033, 1000037, 1000039, 1000081, 1000099}) {
    sum += Fraction::Of(1, prime);
  }
  for (const int64_t prime : {1000099, 1000003, 1000081, 1000033, 1000039, 1000037}) {
    sum -= Fraction::Of(1, prime);
  }
  EXPECT_EQ(sum, Fraction());
  EXPECT_LT(Fraction(kMost), twice);
}

TEST(Fraction, LargeOnesRoundAndFloorAsSmallOnesDo) {
  const Fraction large = Fraction(kMost) * Fraction(kMost);
  const Fraction half = (large * 2 + 1) / Fraction(2);
  EXPECT_EQ(half.Floor(), large);
  EXPECT_EQ((-half).Floor(), -large - 1);
  EXPECT_FALSE(half.IsWhole());
  EXPECT_TRUE(large.IsWhole());
  EXPECT_EQ((large / large * Fraction::Of(12345, 1)).RoundTo(2, Rounding::kHalfUp),
            Points::FromUnits(12300));
  EXPECT_EQ(large.RoundTo(2, Rounding::kCut), Points::FromUnits(kMost));
}

// 35/26 points are 1.34615…: 1.35 half up, 1.34 cut. Halves go away from zero.
TEST(Fraction, IsRoundedOnceToPlaces) {
  const Fraction points = Fraction::Of(350000, 26);
  EXPECT_EQ(points.RoundTo(2, Rounding::kHalfUp), *Points::Parse("1.35"));
  EXPECT_EQ(points.RoundTo(2, Rounding::kCut), *Points::Parse("1.34"));
  EXPECT_EQ(points.RoundTo(4, Rounding::kHalfUp), *Points::Parse("1.3462"));
  EXPECT_EQ(points.RoundTo(0, Rounding::kHalfUp), *Points::Parse("1"));
  EXPECT_EQ(Fraction(*Points::Parse("-0.25")).RoundTo(1, Rounding::kHalfUp),
            *Points::Parse("-0.3"));
  EXPECT_EQ(Fraction(*Points::Parse("-0.25")).RoundTo(1, Rounding::kCut), *Points::Parse("-0.2"));
}

}  // namespace
}  // namespace fadu::scoring
