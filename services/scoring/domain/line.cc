#include "services/scoring/domain/line.h"

#include <algorithm>
#include <utility>

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

// A line that people judge whole has their marks, not a loss from its maximum.
bool OnlyJudged(const assessment::Line& line) {
  return std::all_of(line.clauses().begin(), line.clauses().end(),
                     [](const assessment::Clause& clause) { return clause.has_judged(); });
}

}  // namespace

Rounding RoundingOf(const assessment::Rubric& rubric) {
  return rubric.rounding() == assessment::RUBRIC_ROUNDING_CUT ? Rounding::kCut : Rounding::kHalfUp;
}

LineOutcome ScoreLine(const UnitContext& unit, int line_index) {
  const assessment::Line& line = unit.rubric.rubric().lines(line_index);
  LineOutcome outcome;
  outcome.score.set_line_id(line.id());
  outcome.score.set_max_e4(line.max_e4());
  const bool earning = line.direction() == assessment::DIRECTION_EARN || OnlyJudged(line);
  outcome.due = earning ? 0 : line.max_e4();
  bool pending = false;
  bool any_applies = false;
  for (int i = 0; i < line.clauses_size(); ++i) {
    ClauseOutcome clause = ScoreClause({unit, line, line.clauses(i), i, earning});
    pending = pending || clause.state == ClauseOutcome::State::kPending;
    any_applies = any_applies || clause.state != ClauseOutcome::State::kNotApplicable;
    outcome.due += clause.earns ? clause.applied : -clause.applied;
    outcome.clauses.push_back(std::move(clause));
  }
  for (const assessment::Condition& condition : line.zero_when()) {
    ConditionOutcome judged = Judge(unit, condition);
    if (judged.truth == Truth::kTrue) outcome.zeroed_by.push_back(std::move(judged));
  }
  const Fraction clamped = std::clamp(outcome.due, Fraction(), Fraction(line.max_e4()));
  const int64_t points =
      clamped.RoundTo(unit.rubric.rubric().places(), RoundingOf(unit.rubric.rubric())).units();
  if (!any_applies) {
    outcome.score.set_status(v1::LINE_STATUS_NOT_APPLICABLE);
  } else if (!outcome.zeroed_by.empty()) {
    // After all clauses; what was otherwise earned is kept for the explanation.
    outcome.score.set_status(v1::LINE_STATUS_SCORED);
    outcome.score.set_zeroed(true);
    if (!pending) outcome.score.set_earned_e4(points);
  } else if (pending) {
    outcome.score.set_status(v1::LINE_STATUS_NOT_YET_JUDGED);
  } else {
    outcome.score.set_status(v1::LINE_STATUS_SCORED);
    outcome.score.set_points_e4(points);
  }
  return outcome;
}

}  // namespace fadu::scoring
