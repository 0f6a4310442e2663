#include "services/scoring/domain/line.h"

#include <algorithm>
#include <utility>

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;
using State = ClauseOutcome::State;

// M09: the first exemption that covers the line and holds.
const assessment::Exemption* ExemptionOf(const UnitContext& unit, const assessment::Line& line) {
  for (const assessment::Exemption& exemption : unit.rubric().rubric().exemptions()) {
    const bool covers = std::find(exemption.lines().begin(), exemption.lines().end(), line.id()) !=
                        exemption.lines().end();
    if (covers && Judge(unit, exemption.when()).truth == Truth::kTrue) return &exemption;
  }
  return nullptr;
}

Fraction Clamped(const LineEnds& ends, Fraction points) {
  if (ends.high.has_value()) points = std::min(points, Fraction(*ends.high));
  if (ends.low.has_value()) points = std::max(points, Fraction(*ends.low));
  return points;
}

// The sum of the clauses from the start, and how they leave the line standing.
void ScoreClauses(const UnitContext& unit, const assessment::Line& line, LineOutcome& outcome) {
  const bool earning = StartsAtZero(line);
  outcome.due = EndsOf(line).start;
  bool judged = true;
  bool known = true;
  bool any_applies = false;
  for (int i = 0; i < line.clauses_size(); ++i) {
    ClauseOutcome clause = ScoreClause({unit, line, line.clauses(i), i, earning});
    judged = judged && clause.state != State::kPending;
    known = known && clause.state != State::kNoData;
    any_applies = any_applies || clause.state != State::kNotApplicable;
    outcome.provisional = outcome.provisional || clause.provisional;
    outcome.due += clause.earns ? clause.applied : -clause.applied;
    outcome.clauses.push_back(std::move(clause));
  }
  if (!any_applies) {
    outcome.status = v1::LINE_STATUS_NOT_APPLICABLE;
  } else if (!known) {
    outcome.status = v1::LINE_STATUS_NO_DATA;
  } else if (!judged) {
    outcome.status = v1::LINE_STATUS_NOT_YET_JUDGED;
  }
}

}  // namespace

Rounding RoundingOf(const assessment::Rubric& rubric) {
  return rubric.rounding() == assessment::RUBRIC_ROUNDING_CUT ? Rounding::kCut : Rounding::kHalfUp;
}

Points RoundedFor(const assessment::Rubric& rubric, const Fraction& value) {
  return value.RoundTo(rubric.places(), RoundingOf(rubric));
}

bool StartsAtZero(const assessment::Line& line) {
  if (line.direction() == assessment::DIRECTION_EARN ||
      line.direction() == assessment::DIRECTION_BOTH) {
    return true;
  }
  return std::all_of(line.clauses().begin(), line.clauses().end(),
                     [](const assessment::Clause& clause) {
                       return clause.has_judged() && !clause.judged().taken();
                     });
}

LineEnds EndsOf(const assessment::Line& line) {
  LineEnds ends;
  if (line.max_e4() > 0) {
    ends.low = 0;
    ends.high = line.max_e4();
  }
  if (line.direction() == assessment::DIRECTION_BOTH) ends.low = absl::nullopt;
  ends.start = StartsAtZero(line) ? 0 : line.max_e4();
  if (line.has_start_e4()) ends.start = line.start_e4();
  if (line.has_at_least_e4()) ends.low = line.at_least_e4();
  if (line.has_at_most_e4()) ends.high = line.at_most_e4();
  return ends;
}

LineOutcome ScoreLine(const UnitContext& unit, int line_index) {
  const assessment::Rubric& rubric = unit.rubric().rubric();
  const assessment::Line& line = rubric.lines(line_index);
  LineOutcome outcome;
  if (line.has_not_applicable()) {
    ConditionOutcome absent = Judge(unit, line.not_applicable());
    if (absent.truth == Truth::kTrue) {
      outcome.status = v1::LINE_STATUS_NOT_APPLICABLE;
      outcome.not_applicable = std::move(absent);
      return outcome;
    }
  }
  outcome.exemption = ExemptionOf(unit, line);
  if (outcome.exemption != nullptr) {
    outcome.due = line.max_e4();
    outcome.points = line.max_e4();
    return outcome;
  }
  ScoreClauses(unit, line, outcome);
  for (const assessment::Condition& condition : line.zero_when()) {
    ConditionOutcome judged = Judge(unit, condition);
    if (judged.truth == Truth::kTrue) outcome.zeroed_by.push_back(std::move(judged));
  }
  if (!outcome.applies()) return outcome;
  Fraction points = Clamped(EndsOf(line), outcome.due);
  if (rubric.rounding_place() != assessment::ROUNDING_PLACE_TOTAL) {
    points = RoundedFor(rubric, points);
  }
  if (!outcome.zeroed_by.empty()) {
    // After all clauses; what was otherwise earned is kept for the explanation.
    if (!outcome.waits()) outcome.earned = points;
    outcome.status = v1::LINE_STATUS_SCORED;
  } else if (!outcome.waits()) {
    outcome.points = points;
  }
  return outcome;
}

}  // namespace fadu::scoring
