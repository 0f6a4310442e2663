// services/scoring/domain/fraction.h
//
// Exact numbers of the engine: fractions of any size, so that a score is rounded once, where the
// rubric says, and never before.
#ifndef FADU_SERVICES_SCORING_DOMAIN_FRACTION_H_
#define FADU_SERVICES_SCORING_DOMAIN_FRACTION_H_

#include <cstdint>
#include <memory>
#include <string>

#include "common/base/points.h"

namespace fadu::scoring {

// A rational number in lowest terms. Small ones live in two integers; what outgrows them moves to
// a heap (GMP), which no input can overflow.
class Fraction {
 public:
  Fraction() = default;
  Fraction(int64_t whole) : numerator_(whole) {}           // NOLINT: a whole number is a fraction
  Fraction(Points points) : numerator_(points.units()) {}  // NOLINT: in 1/10,000
  // `denominator` must not be zero.
  static Fraction Of(int64_t numerator, int64_t denominator);

  friend Fraction operator+(const Fraction& a, const Fraction& b);
  friend Fraction operator-(const Fraction& a, const Fraction& b);
  friend Fraction operator*(const Fraction& a, const Fraction& b);
  // `b` must not be zero.
  friend Fraction operator/(const Fraction& a, const Fraction& b);
  Fraction operator-() const { return Fraction(0) - *this; }
  Fraction& operator+=(const Fraction& b) { return *this = *this + b; }
  Fraction& operator-=(const Fraction& b) { return *this = *this - b; }

  friend bool operator==(const Fraction& a, const Fraction& b) { return Compare(a, b) == 0; }
  friend bool operator!=(const Fraction& a, const Fraction& b) { return Compare(a, b) != 0; }
  friend bool operator<(const Fraction& a, const Fraction& b) { return Compare(a, b) < 0; }
  friend bool operator<=(const Fraction& a, const Fraction& b) { return Compare(a, b) <= 0; }
  friend bool operator>(const Fraction& a, const Fraction& b) { return Compare(a, b) > 0; }
  friend bool operator>=(const Fraction& a, const Fraction& b) { return Compare(a, b) >= 0; }

  bool IsWhole() const;
  // The greatest whole number not above it, and the least not below it.
  Fraction Floor() const;
  Fraction Ceil() const;

  // The number of units as points, rounded once: to `places` decimals (0 to 4) of what 10,000 units
  // are. Clamped to 64 bits.
  Points RoundTo(int places, Rounding rounding) const;
  // Numerator, "/" and denominator; a whole number alone.
  std::string ToString() const;

 private:
  __extension__ typedef __int128 Wide;
  struct Big;
  static Fraction FromWide(Wide numerator, Wide denominator);
  static Fraction FromBig(Big big);
  static int Compare(const Fraction& a, const Fraction& b);
  Big ToBig() const;

  int64_t numerator_ = 0;
  int64_t denominator_ = 1;         // above zero
  std::shared_ptr<const Big> big_;  // shared: it never changes, and fractions are copied
};

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_FRACTION_H_
