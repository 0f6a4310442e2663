// Leaf forms over values and targets: L06 RATE STEP, L07 GATE, L08 TIERS.

#include <algorithm>

#include "services/scoring/domain/clause.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

Fraction Steps(const Fraction& distance, const Fraction& step, assessment::StepRounding rounding) {
  const Fraction steps = distance / step;
  if (rounding == assessment::STEP_ROUNDING_COMPLETED) return steps.Floor();
  return rounding == assessment::STEP_ROUNDING_PRO_RATA ? steps : steps.Ceil();
}

bool Above(const absl::optional<BracketEnd>& low, const Fraction& number) {
  return !low.has_value() || (low->closed ? number >= low->value_e4 : number > low->value_e4);
}

bool Below(const absl::optional<BracketEnd>& high, const Fraction& number) {
  return !high.has_value() || (high->closed ? number <= high->value_e4 : number < high->value_e4);
}

void ScoreStates(const ClauseContext& context, ClauseOutcome& outcome) {
  const auto& states = context.clause.tiered().states();
  for (int i = 0; i < states.size(); ++i) {
    Part part;
    part.name = states[i].name();
    part.condition = Judge(context.unit, states[i]);
    part.reading = part.condition->reading;
    part.met = part.condition->truth == Truth::kTrue;
    if (part.met && outcome.chosen < 0) {
      outcome.chosen = i;
      part.count = 1;
      part.amount = states[i].amount_e4();
      outcome.raw = part.amount;
    }
    outcome.parts.push_back(std::move(part));
  }
  outcome.met = outcome.raw == Fraction();
}

}  // namespace

std::vector<BracketEnds> EndsOf(
    const google::protobuf::RepeatedPtrField<assessment::Bracket>& brackets) {
  std::vector<BracketEnds> ends;
  for (const assessment::Bracket& bracket : brackets) {
    BracketEnds& end = ends.emplace_back();
    if (bracket.has_from_e4()) end.low = BracketEnd{bracket.from_e4(), true};
    if (bracket.has_over_e4()) end.low = BracketEnd{bracket.over_e4(), false};
    if (bracket.has_to_e4()) end.high = BracketEnd{bracket.to_e4(), true};
    if (bracket.has_under_e4()) end.high = BracketEnd{bracket.under_e4(), false};
  }
  for (size_t i = 0; i + 1 < ends.size(); ++i) {
    absl::optional<BracketEnd>& high = ends[i].high;
    absl::optional<BracketEnd>& low = ends[i + 1].low;
    if (!high.has_value() && low.has_value()) high = BracketEnd{low->value_e4, !low->closed};
    if (!low.has_value() && high.has_value()) low = BracketEnd{high->value_e4, !high->closed};
  }
  return ends;
}

// L06: steps of distance from the target, as exact fractions; the rate is never rounded first.
void ScoreRateStep(const ClauseContext& context, ClauseOutcome& outcome) {
  const assessment::RateStep& form = context.clause.rate_step();
  outcome.reading = Read(context.unit, form.measure());
  if (outcome.reading.empty) {
    return SettleEmpty(context, form.when_empty(), context.line.max_e4(), outcome);
  }
  const Fraction target = form.target_percent_e4();
  const Fraction distance =
      form.above() ? outcome.reading.number - target : target - outcome.reading.number;
  if (distance <= Fraction()) return;
  outcome.met = false;
  outcome.distance = distance;
  outcome.steps = Steps(distance, form.step_percent_e4(), form.step_rounding());
  outcome.raw = outcome.steps * form.per_step_e4();
}

// L07: reached or not, for one measure or for each of several.
void ScoreThreshold(const ClauseContext& context, ClauseOutcome& outcome) {
  const assessment::Threshold& form = context.clause.threshold();
  outcome.threshold_e4 = form.threshold_e4();
  const assessment::UnitClass* unit_class =
      form.by_class().empty() ? nullptr
                              : ClassOf(context.unit.rubric.rubric(), context.unit.scope.area_code);
  for (const assessment::ClassValue& value : form.by_class()) {
    if (unit_class == nullptr || value.class_() != unit_class->name()) continue;
    outcome.threshold_e4 = value.value_e4();
    outcome.unit_class = unit_class->name();
  }
  std::vector<assessment::NamedMeasure> measures(form.each().begin(), form.each().end());
  if (measures.empty()) {
    measures.emplace_back();
    measures[0].set_what(form.what());
    measures[0].set_measure(form.measure());
  }
  bool any_read = false;
  for (const assessment::NamedMeasure& named : measures) {
    Part part;
    part.name = named.what();
    part.reading = Read(context.unit, named.measure());
    part.applies = !part.reading.empty;
    any_read = any_read || part.applies;
    part.met =
        !part.applies || Compare(form.comparison(), part.reading.number, outcome.threshold_e4);
    if (part.applies && part.met == outcome.earns) {
      part.count = 1;
      part.amount = form.amount_e4();
    }
    outcome.raw += part.amount;
    outcome.met = outcome.met && part.met;
    outcome.parts.push_back(std::move(part));
  }
  outcome.reading = outcome.parts[0].reading;
  if (any_read) return;
  SettleEmpty(context, context.clause.when_empty(),
              Fraction(form.amount_e4()) * static_cast<int64_t>(measures.size()), outcome);
}

// L08: the bracket that the value lies in, or every bracket it has begun; or the first state that
// holds.
void ScoreTiered(const ClauseContext& context, ClauseOutcome& outcome) {
  const assessment::Tiered& form = context.clause.tiered();
  if (!form.states().empty()) return ScoreStates(context, outcome);
  outcome.reading = Read(context.unit, form.measure());
  if (outcome.reading.empty) {
    Fraction most;
    for (const assessment::Bracket& bracket : form.tiers()) {
      most = form.cumulative() ? most + bracket.amount_e4()
                               : std::max(most, Fraction(bracket.amount_e4()));
    }
    return SettleEmpty(context, context.clause.when_empty(), most, outcome);
  }
  const std::vector<BracketEnds> ends = EndsOf(form.tiers());
  for (int i = 0; i < form.tiers_size(); ++i) {
    const BracketEnds& bracket = ends[static_cast<size_t>(i)];
    const bool begun = Above(bracket.low, outcome.reading.number);
    const bool inside = begun && Below(bracket.high, outcome.reading.number);
    if (inside) outcome.chosen = i;
    if (form.cumulative() ? begun : inside) outcome.raw += form.tiers(i).amount_e4();
  }
  outcome.met = outcome.raw == Fraction();
}

}  // namespace fadu::scoring
