// services/scoring/domain/line.h
//
// One line of a rubric for one unit in one part of the year: its clauses, their sum (A01), then
// what makes it worth nothing (G01). Everything a run stores and an explanation says is decided
// here once.
#ifndef FADU_SERVICES_SCORING_DOMAIN_LINE_H_
#define FADU_SERVICES_SCORING_DOMAIN_LINE_H_

#include <vector>

#include "absl/types/optional.h"
#include "fadu/scoring/v1/score.pb.h"
#include "services/scoring/domain/clause.h"
#include "services/scoring/domain/reading.h"

namespace fadu::scoring {

// What one line came to.
struct LineOutcome {
  fadu::scoring::v1::LineStatus status = fadu::scoring::v1::LINE_STATUS_SCORED;
  std::vector<ClauseOutcome> clauses;
  // The sum of all clauses from where the line starts, before its floor and maximum, in 1/10,000.
  Fraction due;
  // What it is worth, in 1/10,000: rounded where the rubric rounds lines, else exact. Zero unless
  // scored.
  Fraction points;
  // What a zeroed line had earned.
  Fraction earned;
  // G01: the conditions that make it worth nothing.
  std::vector<ConditionOutcome> zeroed_by;
  // M09: what gives it full marks.
  const fadu::assessment::v1::Exemption* exemption = nullptr;
  // M10: what makes it not apply.
  absl::optional<ConditionOutcome> not_applicable;
  bool provisional = false;
  bool applies() const { return status != fadu::scoring::v1::LINE_STATUS_NOT_APPLICABLE; }
  bool waits() const {
    return status == fadu::scoring::v1::LINE_STATUS_NOT_YET_JUDGED ||
           status == fadu::scoring::v1::LINE_STATUS_NO_DATA;
  }
};

// Scores one line for one unit.
LineOutcome ScoreLine(const UnitContext& unit, int line);

// Where a line starts, and between what it ends; absent: no end on this side. In 1/10,000.
struct LineEnds {
  int64_t start = 0;
  absl::optional<int64_t> low, high;
};
LineEnds EndsOf(const fadu::assessment::v1::Line& line);

// A line that people judge whole has their marks, not a loss from its maximum; so it starts at
// zero.
bool StartsAtZero(const fadu::assessment::v1::Line& line);

// A rubric's rounding.
Rounding RoundingOf(const fadu::assessment::v1::Rubric& rubric);
// A value rounded as the rubric says.
Points RoundedFor(const fadu::assessment::v1::Rubric& rubric, const Fraction& value);

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_LINE_H_
