// services/scoring/domain/sheet.h
//
// One unit's sheet: its lines, their total, and what gates leave of its tier.
#ifndef FADU_SERVICES_SCORING_DOMAIN_SHEET_H_
#define FADU_SERVICES_SCORING_DOMAIN_SHEET_H_

#include <vector>

#include "fadu/assessment/v1/rubric.pb.h"
#include "fadu/scoring/v1/score.pb.h"
#include "services/scoring/domain/line.h"
#include "services/scoring/domain/reading.h"

namespace fadu::scoring {

// A gate that is shut.
struct GateOutcome {
  const fadu::assessment::v1::Gate* gate = nullptr;
  ConditionOutcome when;
};

struct SheetOutcome {
  fadu::scoring::v1::ScoreSheet sheet;
  std::vector<LineOutcome> lines;
  std::vector<GateOutcome> gates;
};

// Scores one unit. The order is fixed (docs/rubrics.md): leaves and their modifiers, what zeroes a
// line (G01), the total, gates on the sheet (G03), the tier. A gate never changes a point beneath.
SheetOutcome ScoreSheet(const UnitContext& unit);

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_SHEET_H_
