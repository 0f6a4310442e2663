// Leaf forms against a target on both sides and against the past: L11 SYMMETRIC, L12 TREND.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/scoring/domain/clause.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

// The years a baseline looks at, or none for a quota.
int YearsOf(assessment::Baseline baseline) {
  switch (baseline) {
    case assessment::BASELINE_LAST_YEAR:
      return 1;
    case assessment::BASELINE_MEAN_2:
      return 2;
    case assessment::BASELINE_MEAN_3:
      return 3;
    default:
      return 0;
  }
}

// The baseline; nullopt when a year of it is missing: the unit was not there, or nobody has the
// figure. The years are kept as parts.
absl::optional<Fraction> BaselineOf(const ClauseContext& context, ClauseOutcome& outcome) {
  const assessment::Trend& form = context.clause.trend();
  const UnitContext& unit = context.unit;
  if (form.baseline() == assessment::BASELINE_QUOTA) return Fraction(form.quota_e4());
  const int years = YearsOf(form.baseline());
  const auto founded = unit.run.founded.find(unit.area());
  Fraction sum;
  bool complete = true;
  for (int back = 1; back <= years; ++back) {
    const int year = unit.scope.year - back;
    Part part;
    part.name = absl::StrCat(year);
    if (!form.figure().empty()) {
      const auto* figure = unit.run.given.FigureOf(unit.area(), form.figure(), year);
      part.applies = figure != nullptr;
      if (figure != nullptr) part.reading.number = figure->value_e4();
    } else {
      part.reading = ReadEarlier(unit, form.measure(), back);
      part.applies = part.reading.usable();
    }
    // A new or merged unit has no past of its own.
    if (founded != unit.run.founded.end() && founded->second > absl::CivilDay(year, 1, 1)) {
      part.applies = false;
    }
    complete = complete && part.applies;
    sum += part.reading.number;
    outcome.parts.push_back(std::move(part));
  }
  if (!complete) return absl::nullopt;
  return sum / Fraction(years);
}

}  // namespace

// L11: points at the target, more above, fewer below, within two ends.
void ScoreSymmetric(const ClauseContext& context, ClauseOutcome& outcome) {
  const assessment::Symmetric& form = context.clause.symmetric();
  outcome.reading = MainReading(context);
  if (SettleUnread(context, outcome.reading, context.clause.when_empty(),
                   form.has_most_e4() ? form.most_e4() : context.line.max_e4(), outcome)) {
    return;
  }
  outcome.against = form.target_e4();
  const Fraction distance = outcome.reading.number - outcome.against;
  const bool above = distance > Fraction();
  outcome.distance = above ? distance : -distance;
  outcome.steps = StepsOf(outcome.distance, form.step_e4(), form.step_rounding());
  outcome.met = distance >= Fraction();
  Fraction points = Fraction(form.points_e4()) + (above ? outcome.steps * form.up_per_e4()
                                                        : -(outcome.steps * form.down_per_e4()));
  if (form.has_most_e4()) points = std::min(points, Fraction(form.most_e4()));
  if (form.has_least_e4()) points = std::max(points, Fraction(form.least_e4()));
  SetPoints(points, outcome);
}

// L12: steps worse than the baseline lose; how much better it is earns by bracket.
void ScoreTrend(const ClauseContext& context, ClauseOutcome& outcome) {
  const assessment::Trend& form = context.clause.trend();
  outcome.reading = MainReading(context);
  const Fraction most = context.line.max_e4();
  if (SettleUnread(context, outcome.reading, context.clause.when_empty(), most, outcome)) return;
  const absl::optional<Fraction> baseline = BaselineOf(context, outcome);
  if (!baseline.has_value()) {
    outcome.empty = true;
    return Settle(context, form.when_no_baseline(), most, outcome);
  }
  outcome.against = *baseline;
  const Fraction change = outcome.reading.number - *baseline;
  const Fraction worse = form.more_is_better() ? -change : change;
  if (form.compare() == assessment::TREND_UNIT_PERCENT && *baseline == Fraction()) {
    // Of nothing there is no percentage.
    if (worse == Fraction()) return;
    if (form.per_count_e4() == 0) {
      outcome.empty = true;
      return Settle(context, form.when_no_baseline(), most, outcome);
    }
    outcome.distance = worse;
    outcome.met = worse < Fraction();
    if (!outcome.met) SetPoints(-(worse / Points::kScale * form.per_count_e4()), outcome);
    return;
  }
  outcome.distance = form.compare() == assessment::TREND_UNIT_PERCENT
                         ? worse * 100 * Points::kScale / *baseline
                         : worse;
  outcome.met = outcome.distance <= Fraction();
  if (outcome.met) {
    outcome.chosen = BracketOf(form.better(), -outcome.distance);
    if (outcome.chosen >= 0) SetPoints(form.better(outcome.chosen).amount_e4(), outcome);
    return;
  }
  if (form.per_step_e4() == 0) return;
  outcome.steps = StepsOf(outcome.distance, form.step_e4(), form.step_rounding());
  SetPoints(-(outcome.steps * form.per_step_e4()), outcome);
}

}  // namespace fadu::scoring
