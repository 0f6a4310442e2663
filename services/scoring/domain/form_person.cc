// Leaf forms that people decide: L17 JUDGED.

#include "services/scoring/domain/clause.h"

namespace fadu::scoring {

namespace assessment = ::fadu::assessment::v1;

void ScoreJudged(const ClauseContext& context, ClauseOutcome& outcome) {
  const assessment::Judged& form = context.clause.judged();
  outcome.given = MarkFor(context, form.min_e4(), form.max_e4());
  if (outcome.given == nullptr) {
    outcome.state = ClauseOutcome::State::kPending;
    return;
  }
  outcome.state = ClauseOutcome::State::kMarked;
  outcome.mark = outcome.given->points_e4();
  outcome.raw = outcome.earns ? outcome.mark : Fraction(form.max_e4()) - outcome.mark;
}

}  // namespace fadu::scoring
