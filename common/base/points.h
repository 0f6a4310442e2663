// common/base/points.h
//
// Points and ratios without floating point: points are integers of 1/10,000, ratios are pairs
// of integers, and rounding happens where it is named.
#ifndef FADU_COMMON_BASE_POINTS_H_
#define FADU_COMMON_BASE_POINTS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fadu {

// How a value between two steps becomes one of them.
enum class Rounding {
  kHalfUp,  // 四舍五入: half away from zero
  kCut,     // 截断: toward zero
};

// A number of points, or any decimal with four places.
class Points {
 public:
  static constexpr int64_t kScale = 10000;

  constexpr Points() = default;
  // `units` of 1/10,000.
  static constexpr Points FromUnits(int64_t units) { return Points(units); }
  static constexpr Points FromWhole(int64_t whole) { return Points(whole * kScale); }

  // A decimal with at most four places, such as "0.25" or "-3"; up to 14 digits before the
  // point. INVALID_ARGUMENT otherwise.
  static absl::StatusOr<Points> Parse(absl::string_view text);

  // Shortest decimal that parses back: "0.25", "-3", "98.17".
  std::string ToString() const;

  constexpr int64_t units() const { return units_; }

  // This value rounded to `places` decimals (0 to 4).
  Points RoundTo(int places, Rounding rounding) const;

  // this × numerator ÷ denominator, rounded once to 1/10,000. `denominator` must not be zero.
  Points MulDiv(int64_t numerator, int64_t denominator, Rounding rounding) const;

  friend constexpr Points operator+(Points a, Points b) { return Points(a.units_ + b.units_); }
  friend constexpr Points operator-(Points a, Points b) { return Points(a.units_ - b.units_); }
  friend constexpr Points operator-(Points a) { return Points(-a.units_); }
  friend constexpr Points operator*(Points a, int64_t n) { return Points(a.units_ * n); }
  Points& operator+=(Points other) {
    units_ += other.units_;
    return *this;
  }
  friend constexpr auto operator<=>(Points, Points) = default;

 private:
  explicit constexpr Points(int64_t units) : units_(units) {}
  int64_t units_ = 0;
};

// An exact fraction. A denominator of 0 is a case that callers name, not a number.
struct Ratio {
  int64_t numerator = 0;
  int64_t denominator = 0;

  // numerator ÷ denominator × 100 with `places` decimals (0 to 4): 375/382 → 98.17.
  // `denominator` must not be zero.
  Points Percent(int places, Rounding rounding) const;
};

// (a × b) ÷ c in 128 bits, rounded; c must not be zero.
int64_t MulDivRound(int64_t a, int64_t b, int64_t c, Rounding rounding);

}  // namespace fadu

#endif  // FADU_COMMON_BASE_POINTS_H_
