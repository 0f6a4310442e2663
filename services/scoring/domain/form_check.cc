// Leaf forms over conditions: L01 CHECK, L02 CHECKLIST.

#include <algorithm>
#include <utility>

#include "services/scoring/domain/clause.h"

namespace fadu::scoring {

namespace assessment = ::fadu::assessment::v1;

void ScoreCheck(const ClauseContext& context, ClauseOutcome& outcome) {
  const assessment::Check& form = context.clause.check();
  outcome.condition = Judge(context.unit, form);
  outcome.reading = outcome.condition->reading;
  if (outcome.condition->truth == Truth::kUnknown) {
    return SettleEmpty(context, context.clause.when_empty(), form.amount_e4(), outcome);
  }
  outcome.met = outcome.condition->truth == Truth::kTrue;
  if (outcome.met == outcome.earns) outcome.raw = form.amount_e4();
}

// 每缺一项: what is missing counts, not what was found wrong with it.
void ScoreChecklist(const ClauseContext& context, ClauseOutcome& outcome) {
  const assessment::Checklist& form = context.clause.checklist();
  if (form.parts().empty()) {
    // A number of parts without names.
    outcome.reading = Read(context.unit, form.measure());
    const Fraction there =
        std::min(outcome.reading.number / Points::kScale, Fraction(form.required()));
    const Fraction missing = Fraction(form.required()) - there;
    outcome.met = missing == Fraction();
    outcome.raw = (outcome.earns ? there : missing) * form.per_missing_e4();
    return;
  }
  for (const assessment::ChecklistPart& listed : form.parts()) {
    Part part;
    part.name = listed.name();
    part.applies = !listed.has_not_applicable() ||
                   Judge(context.unit, listed.not_applicable()).truth != Truth::kTrue;
    part.condition = Judge(context.unit, listed);
    part.reading = part.condition->reading;
    // What cannot be told is not there: a list is of things that exist.
    part.met = part.condition->truth == Truth::kTrue;
    if (part.applies && part.met == outcome.earns) {
      part.count = 1;
      part.amount = form.per_missing_e4() > 0 ? form.per_missing_e4() : listed.amount_e4();
    }
    outcome.raw += part.amount;
    outcome.met = outcome.met && (part.met || !part.applies);
    outcome.parts.push_back(std::move(part));
  }
}

}  // namespace fadu::scoring
