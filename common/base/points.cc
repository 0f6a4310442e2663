#include "common/base/points.h"

#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace fadu {
namespace {

__extension__ typedef __int128 Wide;

int64_t PowerOfTen(int exponent) {
  int64_t power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

}  // namespace

int64_t MulDivRound(int64_t a, int64_t b, int64_t c, Rounding rounding) {
  if (c == 0) {
    (void)FADU_BUG("division by zero");
    return 0;
  }
  const Wide product = static_cast<Wide>(a) * b;
  Wide quotient = product / c;
  const Wide remainder = product % c;
  if (rounding == Rounding::kHalfUp && remainder != 0) {
    const Wide twice = (remainder < 0 ? -remainder : remainder) * 2;
    const Wide divisor = c < 0 ? -static_cast<Wide>(c) : static_cast<Wide>(c);
    if (twice >= divisor) quotient += ((product < 0) != (c < 0)) ? -1 : 1;
  }
  if (quotient > std::numeric_limits<int64_t>::max()) return std::numeric_limits<int64_t>::max();
  if (quotient < std::numeric_limits<int64_t>::min()) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(quotient);
}

absl::StatusOr<Points> Points::Parse(absl::string_view text) {
  const auto invalid = [] {
    return absl::InvalidArgumentError("not a decimal with at most four places");
  };
  bool negative = false;
  if (!text.empty() && text.front() == '-') {
    negative = true;
    text.remove_prefix(1);
  }
  const size_t dot = text.find('.');
  const absl::string_view whole = text.substr(0, dot);
  const absl::string_view fraction =
      dot == absl::string_view::npos ? absl::string_view() : text.substr(dot + 1);
  if (whole.empty() || whole.size() > 14 || fraction.size() > 4 ||
      (dot != absl::string_view::npos && fraction.empty())) {
    return invalid();
  }
  int64_t units = 0;
  for (const char c : whole) {
    if (c < '0' || c > '9') return invalid();
    units = units * 10 + (c - '0');
  }
  for (size_t i = 0; i < 4; ++i) {
    const char c = i < fraction.size() ? fraction[i] : '0';
    if (c < '0' || c > '9') return invalid();
    units = units * 10 + (c - '0');
  }
  return Points(negative ? -units : units);
}

std::string Points::ToString() const {
  const bool negative = units_ < 0;
  // Negating in unsigned arithmetic is defined for the least value too.
  const uint64_t magnitude =
      negative ? ~static_cast<uint64_t>(units_) + 1 : static_cast<uint64_t>(units_);
  std::string text = absl::StrCat(negative ? "-" : "", magnitude / kScale);
  const uint64_t fraction = magnitude % kScale;
  if (fraction != 0) {
    std::string digits = absl::StrCat(fraction + kScale).substr(1);
    while (digits.back() == '0') digits.pop_back();
    absl::StrAppend(&text, ".", digits);
  }
  return text;
}

Points Points::RoundTo(int places, Rounding rounding) const {
  if (places >= 4) return *this;
  const int64_t step = PowerOfTen(4 - (places < 0 ? 0 : places));
  return Points(MulDivRound(units_, 1, step, rounding) * step);
}

Points Points::MulDiv(int64_t numerator, int64_t denominator, Rounding rounding) const {
  return Points(MulDivRound(units_, numerator, denominator, rounding));
}

Points Ratio::Percent(int places, Rounding rounding) const {
  // Rounded straight to the places asked for: rounding twice would move halves.
  const int64_t step = PowerOfTen(4 - places);
  return Points::FromUnits(
      MulDivRound(numerator, 100 * (Points::kScale / step), denominator, rounding) * step);
}

}  // namespace fadu
