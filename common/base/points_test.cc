#include "common/base/points.h"

#include <cstdlib>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/testing/status_matchers.h"

namespace fadu {
namespace {

Points P(absl::string_view text) {
  const absl::StatusOr<Points> points = Points::Parse(text);
  EXPECT_THAT(points, IsOk()) << text;
  return points.value_or(Points());
}

TEST(Points, AreReadExactly) {
  EXPECT_EQ(P("0.25").units(), 2500);
  EXPECT_EQ(P("-3").units(), -30000);
  EXPECT_EQ(P("98.17").units(), 981700);
  EXPECT_EQ(P("0.0001").units(), 1);
  EXPECT_EQ(P("-0.5").units(), -5000);
  EXPECT_EQ(P("99999999999999.9999").units(), 999999999999999999);
}

TEST(Points, RefuseWhatIsNotADecimalOfFourPlaces) {
  for (const char* text : {"", "-", ".", ".5", "1.", "1.00001", "+1", "--1", "1e3", "1,5", " 1",
                           "1 ", "0x1", "1.2.3", "1.-2", "NaN", "１", "100000000000000"}) {
    EXPECT_THAT(Points::Parse(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

TEST(Points, AreWrittenAsShortAsTheyCanBe) {
  EXPECT_EQ(P("0.2500").ToString(), "0.25");
  EXPECT_EQ(P("-3.0").ToString(), "-3");
  EXPECT_EQ(P("98.17").ToString(), "98.17");
  EXPECT_EQ(P("-0.05").ToString(), "-0.05");
  EXPECT_EQ(P("0.0001").ToString(), "0.0001");
  EXPECT_EQ(P("-0").ToString(), "0");
  EXPECT_EQ(Points::FromUnits(std::numeric_limits<int64_t>::min()).ToString(),
            "-922337203685477.5808");
}

TEST(Points, AddAndCompare) {
  EXPECT_EQ(P("0.1") + P("0.2"), P("0.3"));
  EXPECT_EQ(P("1") - P("0.75"), P("0.25"));
  EXPECT_EQ(-P("2.5"), P("-2.5"));
  EXPECT_EQ(P("0.5") * 3, P("1.5"));
  EXPECT_EQ(Points::FromWhole(7), P("7"));
  EXPECT_LT(P("-1"), P("0.5"));
  Points sum;
  sum += P("0.25");
  EXPECT_EQ(sum, P("0.25"));
}

// 四舍五入: half away from zero.
TEST(Points, RoundHalvesAwayFromZero) {
  EXPECT_EQ(P("0.25").RoundTo(1, Rounding::kHalfUp), P("0.3"));
  EXPECT_EQ(P("-0.25").RoundTo(1, Rounding::kHalfUp), P("-0.3"));
  EXPECT_EQ(P("0.2499").RoundTo(1, Rounding::kHalfUp), P("0.2"));
  EXPECT_EQ(P("0.5").RoundTo(0, Rounding::kHalfUp), P("1"));
  EXPECT_EQ(P("98.1675").RoundTo(4, Rounding::kHalfUp), P("98.1675"));
  EXPECT_EQ(P("98.1675").RoundTo(3, Rounding::kHalfUp), P("98.168"));
}

// 截断: toward zero.
TEST(Points, CutTowardZero) {
  EXPECT_EQ(P("0.29").RoundTo(1, Rounding::kCut), P("0.2"));
  EXPECT_EQ(P("-0.29").RoundTo(1, Rounding::kCut), P("-0.2"));
  EXPECT_EQ(P("-0.9999").RoundTo(0, Rounding::kCut), P("0"));
}

TEST(Points, TakeAShareRoundedOnce) {
  EXPECT_EQ(P("10").MulDiv(1, 3, Rounding::kHalfUp), P("3.3333"));
  EXPECT_EQ(P("10").MulDiv(2, 3, Rounding::kHalfUp), P("6.6667"));
  EXPECT_EQ(P("10").MulDiv(2, 3, Rounding::kCut), P("6.6666"));
  EXPECT_EQ(P("-10").MulDiv(2, 3, Rounding::kHalfUp), P("-6.6667"));
}

TEST(Ratio, IsAPercentageOfTheAskedPlaces) {
  EXPECT_EQ((Ratio{375, 382}.Percent(2, Rounding::kHalfUp)), P("98.17"));
  EXPECT_EQ((Ratio{375, 382}.Percent(2, Rounding::kCut)), P("98.16"));
  EXPECT_EQ((Ratio{1, 3}.Percent(4, Rounding::kHalfUp)), P("33.3333"));
  EXPECT_EQ((Ratio{2, 3}.Percent(0, Rounding::kHalfUp)), P("67"));
  EXPECT_EQ((Ratio{0, 5}.Percent(2, Rounding::kHalfUp)), P("0"));
}

// 89/20000 is 0.445%: rounded to 0.45 first it would become 0.5.
TEST(Ratio, IsNotRoundedTwice) {
  EXPECT_EQ((Ratio{89, 20000}.Percent(1, Rounding::kHalfUp)), P("0.4"));
}

TEST(MulDivRound, DoesNotOverflowBetween) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(MulDivRound(kMax, kMax, kMax, Rounding::kHalfUp), kMax);
  EXPECT_EQ(MulDivRound(kMax, 10000, 10000, Rounding::kCut), kMax);
}

TEST(MulDivRound, RoundsByTheSignOfTheResult) {
  EXPECT_EQ(MulDivRound(1, 1, 2, Rounding::kHalfUp), 1);
  EXPECT_EQ(MulDivRound(-1, 1, 2, Rounding::kHalfUp), -1);
  EXPECT_EQ(MulDivRound(1, 1, -2, Rounding::kHalfUp), -1);
  EXPECT_EQ(MulDivRound(-1, 1, -2, Rounding::kHalfUp), 1);
  EXPECT_EQ(MulDivRound(-1, 1, 2, Rounding::kCut), 0);
  EXPECT_EQ(MulDivRound(4, 1, 10, Rounding::kHalfUp), 0);
}

TEST(MulDivRoundDeathTest, TakesADenominatorOfZeroForABug) {
  EXPECT_DEATH(
      {
        setenv("FADU_BUG_ABORT", "1", 1);
        (void)MulDivRound(1, 1, 0, Rounding::kCut);
      },
      "division by zero");
}

}  // namespace
}  // namespace fadu
