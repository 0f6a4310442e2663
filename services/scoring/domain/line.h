// services/scoring/domain/line.h
//
// One line of a rubric for one unit: its clauses, their sum (A01), then what makes it worth
// nothing (G01). Everything a run stores and an explanation says is decided here once.
#ifndef FADU_SERVICES_SCORING_DOMAIN_LINE_H_
#define FADU_SERVICES_SCORING_DOMAIN_LINE_H_

#include <vector>

#include "fadu/scoring/v1/score.pb.h"
#include "services/scoring/domain/clause.h"
#include "services/scoring/domain/reading.h"

namespace fadu::scoring {

// What one line came to.
struct LineOutcome {
  fadu::scoring::v1::LineScore score;
  std::vector<ClauseOutcome> clauses;
  // The sum of all clauses from where the line starts, before its floor and maximum, in 1/10,000.
  Fraction due;
  // G01: the conditions that make it worth nothing.
  std::vector<ConditionOutcome> zeroed_by;
};

// Scores one line for one unit.
LineOutcome ScoreLine(const UnitContext& unit, int line);

// A rubric's rounding.
Rounding RoundingOf(const fadu::assessment::v1::Rubric& rubric);

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_LINE_H_
