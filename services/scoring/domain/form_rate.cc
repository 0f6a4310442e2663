// Leaf forms over values and targets: L06 RATE STEP, L07 GATE, L08 TIERS, L09 PROPORTION, L18
// SURVEY.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/scoring/domain/clause.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

bool Above(const absl::optional<BracketEnd>& low, const Fraction& number) {
  return !low.has_value() || (low->closed ? number >= low->value_e4 : number > low->value_e4);
}

bool Below(const absl::optional<BracketEnd>& high, const Fraction& number) {
  return !high.has_value() || (high->closed ? number <= high->value_e4 : number < high->value_e4);
}

// A state with discretion: the person's mark is the amount.
void TakeDiscretion(const ClauseContext& context, const assessment::ScoreState& state,
                    ClauseOutcome& outcome) {
  const auto marks = context.unit.run.given.MarksOf(context.unit.area(), context.line.id(),
                                                    context.index, context.unit.period);
  outcome.given.clear();
  for (const assessment::Mark* mark : marks) {
    if (mark->points_e4() < state.amount_e4() || mark->points_e4() > state.to_e4()) continue;
    outcome.given.push_back(mark);
  }
  if (outcome.given.empty()) {
    outcome.state = ClauseOutcome::State::kPending;
    return;
  }
  outcome.state = ClauseOutcome::State::kMarked;
  outcome.mark = outcome.given[0]->points_e4();
  outcome.raw = outcome.mark;
}

void ScoreStates(const ClauseContext& context, const assessment::Tiered& form,
                 ClauseOutcome& outcome) {
  Fraction most;
  bool waits = false;
  for (int i = 0; i < form.states_size() && outcome.chosen < 0 && !waits; ++i) {
    const assessment::ScoreState& state = form.states(i);
    most = std::max(most, Fraction(std::max(state.amount_e4(), state.to_e4())));
    Part part;
    part.name = state.name();
    part.condition = Judge(context.unit, state);
    part.reading = part.condition->reading;
    part.met = part.condition->truth == Truth::kTrue;
    // The first state that holds counts: before it none may be open.
    waits = part.condition->truth == Truth::kUnknown && part.condition->no_data;
    if (part.met) {
      outcome.chosen = i;
      part.count = 1;
      part.amount = state.amount_e4();
      outcome.raw = part.amount;
    }
    outcome.parts.push_back(std::move(part));
  }
  if (waits) {
    Reading nothing;
    nothing.unknown = true;
    (void)SettleUnread(context, nothing, context.clause.when_empty(), most, outcome);
    return;
  }
  if (outcome.chosen >= 0 && form.states(outcome.chosen).has_to_e4()) {
    TakeDiscretion(context, form.states(outcome.chosen), outcome);
  }
  outcome.met = outcome.raw == Fraction();
}

}  // namespace

Fraction StepsOf(const Fraction& distance, const Fraction& step,
                 assessment::StepRounding rounding) {
  const Fraction steps = distance / step;
  if (rounding == assessment::STEP_ROUNDING_COMPLETED) return steps.Floor();
  return rounding == assessment::STEP_ROUNDING_PRO_RATA ? steps : steps.Ceil();
}

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

int BracketOf(const google::protobuf::RepeatedPtrField<assessment::Bracket>& brackets,
              const Fraction& number) {
  const std::vector<BracketEnds> ends = EndsOf(brackets);
  int chosen = -1;
  for (size_t i = 0; i < ends.size(); ++i) {
    if (Above(ends[i].low, number) && Below(ends[i].high, number)) chosen = static_cast<int>(i);
  }
  return chosen;
}

Reading SurveyReading(const ClauseContext& context, std::vector<Part>* parts) {
  const assessment::Survey& form = context.clause.survey();
  Reading total;
  total.evaluation.value.set_label(form.what());
  total.evaluation.value.set_is_ratio(true);
  total.evaluation.value.set_denominator(1);
  const bool weighted =
      std::any_of(form.sources().begin(), form.sources().end(),
                  [](const assessment::SurveySource& source) { return source.weight_e4() > 0; });
  Fraction sum;
  Fraction weights;
  for (const assessment::SurveySource& source : form.sources()) {
    Part part;
    part.name = source.name();
    part.reading = Read(context.unit, source.positive_measure());
    const Reading valid = Read(context.unit, source.valid_measure());
    const Reading unsure =
        source.unsure_measure().empty() ? Reading() : Read(context.unit, source.unsure_measure());
    total.unknown = total.unknown || part.reading.unknown || valid.unknown || unsure.unknown;
    // "不了解" is not an answer: it neither helps nor harms.
    part.required = valid.number / Points::kScale;
    part.count = part.required - unsure.number / Points::kScale;
    part.met = part.required >= Fraction(form.minimum_sample());
    part.weight = weighted ? Fraction(source.weight_e4()) : Fraction(1);
    const bool answered = part.count > Fraction();
    if (answered) part.amount = part.reading.number * 100 / part.count;  // percent × 10,000
    total.empty = total.empty || !part.met || !answered;
    if (answered) {
      sum += part.amount * part.weight;
      weights += part.weight;
    }
    total.evaluation.records.insert(total.evaluation.records.end(),
                                    part.reading.evaluation.records.begin(),
                                    part.reading.evaluation.records.end());
    if (parts != nullptr) parts->push_back(std::move(part));
  }
  if (total.unknown || total.empty || weights == Fraction()) {
    total.empty = !total.unknown;
    return total;
  }
  total.number = sum / weights;
  total.evaluation.value.set_text(
      absl::StrCat(total.number.RoundTo(2, Rounding::kHalfUp).ToString(), "%"));
  return total;
}

// L06: steps of distance from the target, as exact fractions; the rate is rounded first only where
// the rubric says so.
void ScoreRateStep(const ClauseContext& context, const assessment::RateStep& form,
                   ClauseOutcome& outcome) {
  if (SettleUnread(context, outcome.reading, form.when_empty(), context.line.max_e4(), outcome)) {
    return;
  }
  Fraction rate = outcome.reading.number;
  if (form.has_round_rate()) rate = rate.RoundTo(form.round_rate(), Rounding::kHalfUp);
  const Fraction target = form.target_percent_e4();
  const Fraction distance = form.above() ? rate - target : target - rate;
  outcome.against = target;
  if (distance <= Fraction()) return;
  outcome.met = false;
  outcome.distance = distance;
  outcome.steps = StepsOf(distance, form.step_percent_e4(), form.step_rounding());
  outcome.raw = outcome.steps * form.per_step_e4();
}

// L07: reached or not, for one measure or for each of several.
void ScoreThreshold(const ClauseContext& context, ClauseOutcome& outcome) {
  const assessment::Threshold& form = context.clause.threshold();
  outcome.against = form.threshold_e4();
  const absl::optional<int64_t> by_class =
      ClassValueOf(context.unit.rubric().rubric(), context.unit.area(), form.by_class());
  if (by_class.has_value()) {
    outcome.against = *by_class;
    outcome.unit_class = ClassOf(context.unit.rubric().rubric(), context.unit.area())->name();
  }
  std::vector<assessment::NamedMeasure> measures(form.each().begin(), form.each().end());
  if (measures.empty()) {
    measures.emplace_back();
    measures[0].set_what(form.what());
    measures[0].set_measure(form.measure());
  }
  const Fraction most = Fraction(form.amount_e4()) * static_cast<int64_t>(measures.size());
  bool any_read = false;
  for (const assessment::NamedMeasure& named : measures) {
    Part part;
    part.name = named.what();
    part.reading = form.each().empty() ? MainReading(context) : Read(context.unit, named.measure());
    if (part.reading.unknown) {
      (void)SettleUnread(context, part.reading, context.clause.when_empty(), most, outcome);
      outcome.reading = part.reading;
      return;
    }
    part.applies = !part.reading.empty;
    any_read = any_read || part.applies;
    part.met = !part.applies || Compare(form.comparison(), part.reading.number, outcome.against);
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
  outcome.raw = Fraction();
  (void)SettleUnread(context, outcome.reading, context.clause.when_empty(), most, outcome);
}

// L08: the bracket that the value lies in, or every bracket it has begun; or the first state that
// holds.
void ScoreTiered(const ClauseContext& context, const assessment::Tiered& form,
                 ClauseOutcome& outcome) {
  if (!form.states().empty()) return ScoreStates(context, form, outcome);
  Fraction most;
  for (const assessment::Bracket& bracket : form.tiers()) {
    most = form.cumulative() ? most + bracket.amount_e4()
                             : std::max(most, Fraction(bracket.amount_e4()));
  }
  if (SettleUnread(context, outcome.reading, context.clause.when_empty(), most, outcome)) return;
  outcome.chosen = BracketOf(form.tiers(), outcome.reading.number);
  if (!form.cumulative()) {
    if (outcome.chosen >= 0) outcome.raw = form.tiers(outcome.chosen).amount_e4();
  } else {
    const std::vector<BracketEnds> ends = EndsOf(form.tiers());
    for (int i = 0; i < form.tiers_size(); ++i) {
      if (!Above(ends[static_cast<size_t>(i)].low, outcome.reading.number)) continue;
      outcome.raw += form.tiers(i).amount_e4();
    }
  }
  outcome.met = outcome.raw == Fraction();
}

// L09: a straight line through (floor, base) and (target, most), never outside zero and the most.
void ScoreProportion(const ClauseContext& context, const assessment::Proportion& form,
                     ClauseOutcome& outcome) {
  const Fraction most = form.most_e4();
  if (SettleUnread(context, outcome.reading, context.clause.when_empty(), most, outcome)) return;
  outcome.against = form.target_e4();
  if (!form.target_measure().empty()) {
    Reading target = Read(context.unit, form.target_measure());
    outcome.against = target.number;
    // Nothing was to be reached: a share of nothing is undefined.
    if (target.usable() && target.number == Fraction(form.floor_e4())) target.empty = true;
    if (SettleUnread(context, target, context.clause.when_empty(), most, outcome)) return;
  }
  const Fraction span = outcome.against - form.floor_e4();
  const Fraction done = (outcome.reading.number - form.floor_e4()) / span;
  const Fraction got =
      std::clamp(Fraction(form.base_e4()) + (most - form.base_e4()) * done, Fraction(), most);
  outcome.met = got == most;
  outcome.raw = outcome.earns ? got : most - got;
}

// L18: the share, then the form over it.
void ScoreSurvey(const ClauseContext& context, ClauseOutcome& outcome) {
  const assessment::Survey& form = context.clause.survey();
  std::vector<Part> sources;
  outcome.reading = SurveyReading(context, &sources);
  outcome.counted.insert(outcome.reading.evaluation.records.begin(),
                         outcome.reading.evaluation.records.end());
  if (!SettleUnread(context, outcome.reading, form.when_small(), context.line.max_e4(), outcome)) {
    if (form.has_steps()) ScoreRateStep(context, form.steps(), outcome);
    if (form.has_brackets()) ScoreTiered(context, form.brackets(), outcome);
    if (form.has_proportion()) ScoreProportion(context, form.proportion(), outcome);
    if (form.has_benchmark()) ScoreBenchmark(context, form.benchmark(), outcome);
  }
  outcome.parts = std::move(sources);
  if (!form.has_interference()) return;
  ConditionOutcome found = Judge(context.unit, form.interference());
  if (found.truth != Truth::kTrue) return;
  // 干扰调查: a loss of its own, whatever the share.
  const Fraction before = outcome.raw;
  Fraction points = outcome.earns ? outcome.raw : -outcome.raw;
  points -= form.interference_loss_e4();
  SetPoints(points, outcome);
  outcome.met = false;
  outcome.adjusted.push_back({"L18", found.requirement, before, outcome.raw, 1});
  outcome.condition = std::move(found);
}

}  // namespace fadu::scoring
