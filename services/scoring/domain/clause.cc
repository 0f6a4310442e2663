#include "services/scoring/domain/clause.h"

#include <algorithm>

namespace fadu::scoring {

namespace assessment = ::fadu::assessment::v1;

bool Earns(const assessment::Clause& clause, bool earning_line) {
  switch (clause.form_case()) {
    case assessment::Clause::kHonour:
      return true;
    case assessment::Clause::kShortfall:
    case assessment::Clause::kIncident:
    case assessment::Clause::kIncidentTable:
    case assessment::Clause::kRateStep:
    case assessment::Clause::kLateness:
      return false;
    case assessment::Clause::kCheck:
    case assessment::Clause::kChecklist:
    case assessment::Clause::kThreshold:
    case assessment::Clause::kTiered:
    case assessment::Clause::kJudged:
    case assessment::Clause::FORM_NOT_SET:
      return earning_line;
  }
  return earning_line;
}

const assessment::Mark* MarkFor(const ClauseContext& context, int64_t low, int64_t high) {
  for (const assessment::Mark& mark : context.unit.inputs.marks) {
    if (mark.area_code() == context.unit.scope.area_code && mark.line_id() == context.line.id() &&
        mark.clause() == context.index && mark.points_e4() >= low && mark.points_e4() <= high) {
      return &mark;
    }
  }
  return nullptr;
}

void SettleEmpty(const ClauseContext& context, assessment::WhenEmpty policy, const Fraction& most,
                 ClauseOutcome& outcome) {
  outcome.empty = true;
  const int64_t limit =
      context.clause.has_cap_e4() ? context.clause.cap_e4() : context.line.max_e4();
  const Fraction whole = context.clause.has_cap_e4() ? Fraction(limit) : most;
  switch (policy) {
    case assessment::WHEN_EMPTY_FULL:
      if (outcome.earns) outcome.raw = whole;
      return;
    case assessment::WHEN_EMPTY_ZERO:
      outcome.met = false;
      if (!outcome.earns) outcome.raw = whole;
      return;
    case assessment::WHEN_EMPTY_MANUAL:
      outcome.given = MarkFor(context, 0, limit);
      if (outcome.given == nullptr) {
        outcome.state = ClauseOutcome::State::kPending;
        return;
      }
      outcome.state = ClauseOutcome::State::kMarked;
      outcome.mark = outcome.given->points_e4();
      outcome.raw = outcome.earns ? outcome.mark : Fraction(limit) - outcome.mark;
      return;
    default:
      outcome.state = ClauseOutcome::State::kNotApplicable;
      return;
  }
}

ClauseOutcome ScoreClause(const ClauseContext& context) {
  const assessment::Clause& clause = context.clause;
  ClauseOutcome outcome;
  outcome.earns = Earns(clause, context.earning_line);
  switch (clause.form_case()) {
    case assessment::Clause::kCheck:
      ScoreCheck(context, outcome);
      break;
    case assessment::Clause::kChecklist:
      ScoreChecklist(context, outcome);
      break;
    case assessment::Clause::kShortfall:
      ScoreShortfall(context, outcome);
      break;
    case assessment::Clause::kIncident:
      ScoreIncident(context, outcome);
      break;
    case assessment::Clause::kIncidentTable:
    case assessment::Clause::kHonour:
      ScoreTable(context, outcome);
      break;
    case assessment::Clause::kRateStep:
      ScoreRateStep(context, outcome);
      break;
    case assessment::Clause::kThreshold:
      ScoreThreshold(context, outcome);
      break;
    case assessment::Clause::kTiered:
      ScoreTiered(context, outcome);
      break;
    case assessment::Clause::kLateness:
      ScoreLateness(context, outcome);
      break;
    case assessment::Clause::kJudged:
      ScoreJudged(context, outcome);
      break;
    case assessment::Clause::FORM_NOT_SET:
      break;
  }
  // Sums may be negative; points lost or earned are not.
  outcome.raw = std::max(outcome.raw, Fraction());
  // M01
  outcome.applied =
      clause.has_cap_e4() ? std::min(outcome.raw, Fraction(clause.cap_e4())) : outcome.raw;
  return outcome;
}

}  // namespace fadu::scoring
