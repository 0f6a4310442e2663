#include "services/scoring/domain/fraction.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <gmpxx.h>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace fadu::scoring {
namespace {

__extension__ typedef __int128 Wide;
constexpr Wide kLeast = std::numeric_limits<int64_t>::min();
constexpr Wide kMost = std::numeric_limits<int64_t>::max();

Wide Magnitude(Wide value) { return value < 0 ? -value : value; }

Wide CommonDivisor(Wide a, Wide b) {
  while (b != 0) a = std::exchange(b, a % b);
  return a;
}

mpz_class ToMpz(Wide value) {
  const Wide magnitude = Magnitude(value);
  mpz_class result = static_cast<unsigned long>(magnitude >> 64);
  result <<= 64;
  result += static_cast<unsigned long>(static_cast<uint64_t>(magnitude));
  return value < 0 ? mpz_class(-result) : result;
}

int64_t Clamped(const mpz_class& value) {
  if (value.fits_slong_p()) return value.get_si();
  return value < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
}

}  // namespace

struct Fraction::Big {
  mpq_class value;
};

Fraction Fraction::FromBig(Big big) {
  big.value.canonicalize();
  if (big.value.get_num().fits_slong_p() && big.value.get_den().fits_slong_p()) {
    Fraction small;
    small.numerator_ = big.value.get_num().get_si();
    small.denominator_ = big.value.get_den().get_si();
    return small;
  }
  Fraction result;
  result.big_ = std::make_shared<const Big>(std::move(big));
  return result;
}

// Both below 2^127 in magnitude.
Fraction Fraction::FromWide(Wide numerator, Wide denominator) {
  const Wide divisor = CommonDivisor(Magnitude(numerator), Magnitude(denominator));
  if (divisor > 1) {
    numerator /= divisor;
    denominator /= divisor;
  }
  if (denominator < 0) {
    numerator = -numerator;
    denominator = -denominator;
  }
  if (numerator >= kLeast && numerator <= kMost && denominator <= kMost) {
    Fraction result;
    result.numerator_ = static_cast<int64_t>(numerator);
    result.denominator_ = static_cast<int64_t>(denominator);
    return result;
  }
  return FromBig({mpq_class(ToMpz(numerator), ToMpz(denominator))});
}

Fraction::Big Fraction::ToBig() const {
  return big_ != nullptr ? *big_ : Big{mpq_class(ToMpz(numerator_), ToMpz(denominator_))};
}

Fraction Fraction::Of(int64_t numerator, int64_t denominator) {
  if (denominator != 0) return FromWide(numerator, denominator);
  (void)FADU_BUG("a fraction over zero");
  return {};
}

Fraction operator+(const Fraction& a, const Fraction& b) {
  if (a.big_ != nullptr || b.big_ != nullptr) {
    return Fraction::FromBig({a.ToBig().value + b.ToBig().value});
  }
  return Fraction::FromWide(static_cast<Wide>(a.numerator_) * b.denominator_ +
                                static_cast<Wide>(b.numerator_) * a.denominator_,
                            static_cast<Wide>(a.denominator_) * b.denominator_);
}

Fraction operator-(const Fraction& a, const Fraction& b) {
  if (a.big_ != nullptr || b.big_ != nullptr) {
    return Fraction::FromBig({a.ToBig().value - b.ToBig().value});
  }
  return Fraction::FromWide(static_cast<Wide>(a.numerator_) * b.denominator_ -
                                static_cast<Wide>(b.numerator_) * a.denominator_,
                            static_cast<Wide>(a.denominator_) * b.denominator_);
}

Fraction operator*(const Fraction& a, const Fraction& b) {
  if (a.big_ != nullptr || b.big_ != nullptr) {
    return Fraction::FromBig({a.ToBig().value * b.ToBig().value});
  }
  return Fraction::FromWide(static_cast<Wide>(a.numerator_) * b.numerator_,
                            static_cast<Wide>(a.denominator_) * b.denominator_);
}

Fraction operator/(const Fraction& a, const Fraction& b) {
  if (b == Fraction()) {
    (void)FADU_BUG("a fraction divided by zero");
    return {};
  }
  if (a.big_ != nullptr || b.big_ != nullptr) {
    return Fraction::FromBig({a.ToBig().value / b.ToBig().value});
  }
  return Fraction::FromWide(static_cast<Wide>(a.numerator_) * b.denominator_,
                            static_cast<Wide>(a.denominator_) * b.numerator_);
}

int Fraction::Compare(const Fraction& a, const Fraction& b) {
  if (a.big_ != nullptr || b.big_ != nullptr) return cmp(a.ToBig().value, b.ToBig().value);
  const Wide left = static_cast<Wide>(a.numerator_) * b.denominator_;
  const Wide right = static_cast<Wide>(b.numerator_) * a.denominator_;
  return left < right ? -1 : left > right ? 1 : 0;
}

bool Fraction::IsWhole() const {
  return big_ != nullptr ? big_->value.get_den() == 1 : denominator_ == 1;
}

Fraction Fraction::Floor() const {
  if (big_ != nullptr) {
    mpz_class whole;
    mpz_fdiv_q(whole.get_mpz_t(), big_->value.get_num_mpz_t(), big_->value.get_den_mpz_t());
    return FromBig({mpq_class(whole)});
  }
  const int64_t whole = numerator_ / denominator_;
  return numerator_ % denominator_ < 0 ? whole - 1 : whole;
}

Fraction Fraction::Ceil() const { return -(-*this).Floor(); }

Points Fraction::RoundTo(int places, Rounding rounding) const {
  int64_t step = 1;
  for (int i = places < 0 ? 0 : places; i < 4; ++i) step *= 10;
  if (big_ == nullptr && denominator_ <= std::numeric_limits<int64_t>::max() / step) {
    const Wide units =
        static_cast<Wide>(MulDivRound(numerator_, 1, denominator_ * step, rounding)) * step;
    return Points::FromUnits(static_cast<int64_t>(std::clamp(units, kLeast, kMost)));
  }
  // Half away from zero: |n| ÷ d + 1/2, cut.
  const mpq_class scaled = ToBig().value / step;
  mpz_class twice = abs(scaled.get_num()) * 2;
  if (rounding == Rounding::kHalfUp) twice += scaled.get_den();
  mpz_class whole = twice / (scaled.get_den() * 2);
  if (scaled < 0) whole = -whole;
  whole *= step;
  return Points::FromUnits(Clamped(whole));
}

std::string Fraction::ToString() const {
  if (big_ != nullptr) return big_->value.get_str();
  return denominator_ == 1 ? absl::StrCat(numerator_) : absl::StrCat(numerator_, "/", denominator_);
}

}  // namespace fadu::scoring
