// services/scoring/domain/sheet.h
//
// One unit's sheet: its lines in groups, how they add up (A01 to A05, M10), and what gates leave of
// its tier (G02 to G05). What depends on other units' sheets is in outcome.h.
#ifndef FADU_SERVICES_SCORING_DOMAIN_SHEET_H_
#define FADU_SERVICES_SCORING_DOMAIN_SHEET_H_

#include <set>
#include <string>
#include <vector>

#include "fadu/assessment/v1/rubric.pb.h"
#include "fadu/scoring/v1/score.pb.h"
#include "services/scoring/domain/line.h"
#include "services/scoring/domain/reading.h"

namespace fadu::scoring {

// A line as it was scored: once, or in each part of the year (A03).
struct LineRound {
  std::string period;  // "" the year
  std::string name;    // 上半年
  LineOutcome outcome;
};
struct LineRounds {
  std::vector<LineRound> rounds;
  fadu::scoring::v1::LineScore score;  // as stored
};

// What a group came to. Values in 1/10,000, exact.
struct GroupOutcome {
  const fadu::assessment::v1::Group* group = nullptr;
  Fraction raw;          // the sum of what is in it
  Fraction value;        // after M10, floor and ceiling, conversion
  Fraction max;          // the most it can come to
  Fraction missing;      // of that, what does not apply and nothing made up for
  bool absent = false;   // it stands for a result that is not there, or for nothing that applies
  bool waits = false;    // it waits for marks, data or results
  bool scored = false;   // something in it is scored
  bool scaled = false;   // M10: raised for what does not apply
  Fraction scaled_from;  // before it was
  bool ceiling = false;  // A05: it came to more
  bool floor = false;    // it came to less
  const fadu::assessment::v1::ImportedResult* result = nullptr;  // A04
  // A03: the parts of the year and what they came to.
  struct Round {
    std::string name;
    Fraction weight;
    Fraction value;
    bool absent = false;
  };
  std::vector<Round> rounds;
};

// A gate that is shut.
struct GateOutcome {
  fadu::assessment::v1::GateEffect effect = fadu::assessment::v1::GATE_EFFECT_UNSPECIFIED;
  const fadu::assessment::v1::Gate* gate = nullptr;    // null: G05
  const fadu::assessment::v1::Group* group = nullptr;  // G05
  Fraction value;                                      // G05: what the group came to
  ConditionOutcome when;
};

struct SheetOutcome {
  fadu::scoring::v1::ScoreSheet sheet;
  std::vector<LineRounds> lines;     // in the order of the rubric
  std::vector<GroupOutcome> groups;  // in the order of the rubric
  GroupOutcome whole;
  std::vector<GateOutcome> gates;
  bool too_much_missing = false;  // M10
  int tier = 0;                   // index in the rubric's tiers; -1: unrated
};

// Scores one unit. The order is fixed (docs/rubrics.md): entry (G04) is looked at first and stops
// nothing; leaves and their modifiers; what zeroes a line (G01); groups and the total; gates on the
// sheet (G02, G03, G05); the tier. A gate never changes a point beneath.
SheetOutcome ScoreSheet(RunContext& run, const std::string& area_code, const std::string& language);

// O01 and O04: the first tier, from the best down, whose threshold for the unit's class the total
// reaches (以上 includes the number).
int TierOf(const fadu::assessment::v1::Rubric& rubric, const std::string& area_code,
           int64_t total_e4);

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_SHEET_H_
