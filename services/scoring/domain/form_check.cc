// Leaf forms over conditions: L01 CHECK, L02 CHECKLIST.

#include <algorithm>
#include <utility>

#include "services/scoring/domain/clause.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

void AddRecords(const ConditionOutcome& condition, std::set<std::string>& records) {
  const auto& found = condition.reading.evaluation.records;
  records.insert(found.begin(), found.end());
  for (const auto* list : {&condition.all, &condition.any, &condition.none}) {
    for (const ConditionOutcome& branch : *list) AddRecords(branch, records);
  }
}

}  // namespace

void ScoreCheck(const ClauseContext& context, ClauseOutcome& outcome) {
  const assessment::Check& form = context.clause.check();
  outcome.condition = Judge(context.unit, form);
  outcome.reading = outcome.condition->reading;
  if (outcome.condition->truth == Truth::kUnknown) {
    Reading nothing;
    nothing.unknown = outcome.condition->no_data;
    nothing.empty = !nothing.unknown;
    (void)SettleUnread(context, nothing, context.clause.when_empty(), form.amount_e4(), outcome);
    return;
  }
  AddRecords(*outcome.condition, outcome.counted);
  outcome.met = outcome.condition->truth == Truth::kTrue;
  if (outcome.met == outcome.earns) outcome.raw = form.amount_e4();
}

// 每缺一项: what is missing counts, not what was found wrong with it.
void ScoreChecklist(const ClauseContext& context, ClauseOutcome& outcome) {
  const assessment::Checklist& form = context.clause.checklist();
  if (form.parts().empty()) {
    // A number of parts without names.
    const Fraction most = Fraction(form.required()) * form.per_missing_e4();
    outcome.reading = Read(context.unit, form.measure());
    if (SettleUnread(context, outcome.reading, context.clause.when_empty(), most, outcome)) return;
    const Fraction there =
        std::clamp(outcome.reading.number / Points::kScale, Fraction(), Fraction(form.required()));
    const Fraction missing = Fraction(form.required()) - there;
    outcome.counted.insert(outcome.reading.evaluation.records.begin(),
                           outcome.reading.evaluation.records.end());
    outcome.met = missing == Fraction();
    outcome.raw = (outcome.earns ? there : missing) * form.per_missing_e4();
    return;
  }
  bool waits = false;
  Fraction most;
  for (const assessment::ChecklistPart& listed : form.parts()) {
    Part part;
    part.name = listed.name();
    part.applies = !listed.has_not_applicable() ||
                   Judge(context.unit, listed.not_applicable()).truth != Truth::kTrue;
    part.condition = Judge(context.unit, listed);
    part.reading = part.condition->reading;
    // What is over nothing is not there: a list is of things that exist. What nobody has said yet
    // is not known.
    const bool open = part.condition->truth == Truth::kUnknown && part.condition->no_data;
    waits = waits || (part.applies && open);
    part.met = part.condition->truth == Truth::kTrue;
    const Fraction price = form.per_missing_e4() > 0 ? form.per_missing_e4() : listed.amount_e4();
    if (part.applies) most += price;
    if (part.applies && part.met == outcome.earns) {
      part.count = 1;
      part.amount = price;
    }
    AddRecords(*part.condition, outcome.counted);
    outcome.raw += part.amount;
    outcome.met = outcome.met && (part.met || !part.applies);
    outcome.parts.push_back(std::move(part));
  }
  if (!waits) return;
  Reading nothing;
  nothing.unknown = true;
  (void)SettleUnread(context, nothing, context.clause.when_empty(), most, outcome);
}

}  // namespace fadu::scoring
