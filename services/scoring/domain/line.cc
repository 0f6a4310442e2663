#include "services/scoring/domain/line.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;
__extension__ typedef __int128 Wide;

// The windows of a shortfall's year.
std::vector<Period> WindowsOf(assessment::Window window) {
  Period::Kind kind = Period::Kind::kYear;
  int count = 1;
  switch (window) {
    case assessment::WINDOW_HALF_YEAR:
      kind = Period::Kind::kHalf;
      count = 2;
      break;
    case assessment::WINDOW_QUARTER:
      kind = Period::Kind::kQuarter;
      count = 4;
      break;
    case assessment::WINDOW_MONTH:
      kind = Period::Kind::kMonth;
      count = 12;
      break;
    default:
      break;
  }
  std::vector<Period> periods;
  for (int i = 1; i <= count; ++i) periods.push_back(Period{kind, i});
  return periods;
}

Rounding RoundingOf(const assessment::Rubric& rubric) {
  return rubric.rounding() == assessment::RUBRIC_ROUNDING_CUT ? Rounding::kCut : Rounding::kHalfUp;
}

// The newest mark of a clause, or null; one outside its range cannot have been stored and is
// ignored.
const assessment::Mark* MarkFor(const RunInputs& inputs, absl::string_view area,
                                const assessment::Line& line, int clause, int64_t low,
                                int64_t high) {
  for (const assessment::Mark& mark : inputs.marks) {
    if (mark.area_code() == area && mark.line_id() == line.id() && mark.clause() == clause &&
        mark.points_e4() >= low && mark.points_e4() <= high) {
      return &mark;
    }
  }
  return nullptr;
}

// a ÷ b against c ÷ d without division; b and d above zero.
bool LessThan(Wide a, Wide b, Wide c, Wide d) { return a * d < c * b; }

bool Compare(assessment::Comparison comparison, Wide value, Wide scale, int64_t threshold_e4) {
  // value ÷ scale against threshold ÷ 10,000.
  const bool less = LessThan(value, scale, threshold_e4, Points::kScale);
  const bool more = LessThan(threshold_e4, Points::kScale, value, scale);
  switch (comparison) {
    case assessment::COMPARISON_AT_LEAST:
      return !less;
    case assessment::COMPARISON_MORE_THAN:
      return more;
    case assessment::COMPARISON_AT_MOST:
      return !more;
    case assessment::COMPARISON_LESS_THAN:
      return less;
    case assessment::COMPARISON_EQUAL:
      return !less && !more;
    default:
      return false;
  }
}

Points Capped(Points raw, const assessment::Clause& clause) {
  if (!clause.has_cap_e4()) return raw;
  return std::min(raw, Points::FromUnits(clause.cap_e4()));
}

Points Clamped(Wide units) {
  const Wide most = std::numeric_limits<int64_t>::max() / 4;
  return Points::FromUnits(static_cast<int64_t>(units > most ? most : units));
}

// L01: the condition on one measure. A ratio is compared in percent; over nothing it cannot be
// decided and costs nothing.
void ScoreCheck(const assessment::Check& check, bool earn, ClauseOutcome& outcome) {
  const auto& value = outcome.evaluation.value;
  if (value.is_ratio() && value.denominator() == 0) {
    outcome.empty = true;
    outcome.state = ClauseOutcome::State::kNotApplicable;
    return;
  }
  const Wide numerator = static_cast<Wide>(value.numerator()) * (value.is_ratio() ? 100 : 1);
  outcome.met = Compare(check.comparison(), numerator, value.denominator(), check.threshold_e4());
  const Points amount = Points::FromUnits(check.amount_e4());
  outcome.raw = outcome.met == earn ? amount : Points();
}

// L03: each window for itself; more than required earns nothing.
void ScoreShortfall(const assessment::Shortfall& form, const Measure& measure,
                    const RunInputs& inputs, const EvalScope& scope, absl::string_view language,
                    ClauseOutcome& outcome) {
  Wide missing = 0;
  for (const Period& period : WindowsOf(form.window())) {
    EvalScope window = scope;
    window.within = period.In(scope.year);
    const int64_t got = Evaluate(measure, inputs.facts, window, language).value.numerator();
    outcome.windows.push_back({period, got});
    missing += std::max<int64_t>(0, form.required() - got);
  }
  outcome.met = missing == 0;
  outcome.raw = Clamped(missing * form.per_missing_e4());
}

// L06: steps of distance from the target, as exact fractions; the rate is never rounded first.
void ScoreRateStep(const assessment::RateStep& form, const assessment::Line& line,
                   const assessment::Clause& clause, const assessment::Mark* mark,
                   ClauseOutcome& outcome) {
  const auto& value = outcome.evaluation.value;
  if (value.denominator() == 0) {
    outcome.empty = true;
    switch (form.when_empty()) {
      case assessment::WHEN_EMPTY_ZERO:
        outcome.met = false;
        outcome.raw = Points::FromUnits(clause.has_cap_e4() ? clause.cap_e4() : line.max_e4());
        return;
      case assessment::WHEN_EMPTY_NOT_APPLICABLE:
        outcome.state = ClauseOutcome::State::kNotApplicable;
        return;
      case assessment::WHEN_EMPTY_MANUAL:
        if (mark == nullptr) {
          outcome.state = ClauseOutcome::State::kPending;
          return;
        }
        outcome.state = ClauseOutcome::State::kMarked;
        outcome.given = mark;
        outcome.mark = Points::FromUnits(mark->points_e4());
        outcome.raw = Points::FromUnits(line.max_e4()) - outcome.mark;
        return;
      default:
        return;  // full marks
    }
  }
  // Percent × 10,000 of the rate is numerator × 1,000,000 ÷ denominator.
  const Wide rate = static_cast<Wide>(value.numerator()) * 1000000;
  const Wide target = static_cast<Wide>(form.target_percent_e4()) * value.denominator();
  const Wide distance = form.above() ? rate - target : target - rate;
  if (distance <= 0) return;
  outcome.met = false;
  outcome.distance = Ratio{static_cast<int64_t>(distance), value.denominator()};
  const Wide step = static_cast<Wide>(form.step_percent_e4()) * value.denominator();
  switch (form.step_rounding()) {
    case assessment::STEP_ROUNDING_COMPLETED:
      outcome.steps = Clamped(distance / step * Points::kScale);
      outcome.raw = Clamped(distance / step * form.per_step_e4());
      return;
    case assessment::STEP_ROUNDING_PRO_RATA: {
      // Rounded once to 1/10,000, half up.
      const Wide product = distance * form.per_step_e4();
      outcome.steps = Clamped((distance * Points::kScale * 2 + step) / (step * 2));
      outcome.raw = Clamped((product * 2 + step) / (step * 2));
      return;
    }
    default:  // started
      outcome.steps = Clamped((distance + step - 1) / step * Points::kScale);
      outcome.raw = Clamped((distance + step - 1) / step * form.per_step_e4());
      return;
  }
}

ClauseOutcome ScoreClause(const CompiledRubric& rubric, int line_index, int clause_index,
                          const RunInputs& inputs, const EvalScope& scope,
                          absl::string_view language) {
  const assessment::Line& line = rubric.rubric().lines(line_index);
  const assessment::Clause& clause = line.clauses(clause_index);
  const bool earn = line.direction() == assessment::DIRECTION_EARN;
  const Measure& measure = rubric.measure(line_index, clause_index);
  ClauseOutcome outcome;
  if (!clause.has_judged()) {
    outcome.evaluation = Evaluate(measure, inputs.facts, scope, language);
  }
  switch (clause.form_case()) {
    case assessment::Clause::kCheck:
      ScoreCheck(clause.check(), earn, outcome);
      break;
    case assessment::Clause::kShortfall:
      ScoreShortfall(clause.shortfall(), measure, inputs, scope, language, outcome);
      break;
    case assessment::Clause::kRateStep:
      ScoreRateStep(clause.rate_step(), line, clause,
                    MarkFor(inputs, scope.area_code, line, clause_index, 0, line.max_e4()),
                    outcome);
      break;
    case assessment::Clause::kJudged: {
      const assessment::Judged& form = clause.judged();
      outcome.given =
          MarkFor(inputs, scope.area_code, line, clause_index, form.min_e4(), form.max_e4());
      if (outcome.given == nullptr) {
        outcome.state = ClauseOutcome::State::kPending;
        return outcome;
      }
      outcome.state = ClauseOutcome::State::kMarked;
      outcome.mark = Points::FromUnits(outcome.given->points_e4());
      outcome.raw = earn ? outcome.mark : Points::FromUnits(form.max_e4()) - outcome.mark;
      break;
    }
    case assessment::Clause::FORM_NOT_SET:
      break;
  }
  outcome.applied = Capped(outcome.raw, clause);
  return outcome;
}

}  // namespace

std::string FormCode(const assessment::Clause& clause) {
  switch (clause.form_case()) {
    case assessment::Clause::kCheck:
      return "L01";
    case assessment::Clause::kShortfall:
      return "L03";
    case assessment::Clause::kRateStep:
      return "L06";
    case assessment::Clause::kJudged:
      return "L17";
    case assessment::Clause::FORM_NOT_SET:
      return "";
  }
  return "";
}

const std::string& MeasureOf(const assessment::Clause& clause) {
  static const std::string* const none = new std::string;
  switch (clause.form_case()) {
    case assessment::Clause::kCheck:
      return clause.check().measure();
    case assessment::Clause::kShortfall:
      return clause.shortfall().measure();
    case assessment::Clause::kRateStep:
      return clause.rate_step().measure();
    default:
      return *none;
  }
}

absl::StatusOr<CompiledRubric> CompiledRubric::Compile(const assessment::Rubric& rubric,
                                                       const RecordTypes& types) {
  CompiledRubric compiled;
  compiled.rubric_ = &rubric;
  for (const assessment::Line& line : rubric.lines()) {
    std::vector<Measure>& measures = compiled.measures_.emplace_back();
    for (const assessment::Clause& clause : line.clauses()) {
      const std::string& text = MeasureOf(clause);
      if (text.empty()) {
        measures.emplace_back();
        continue;
      }
      FADU_ASSIGN_OR_RETURN(Measure measure, ParseMeasure(text, types));
      measures.push_back(std::move(measure));
    }
  }
  return compiled;
}

LineOutcome ScoreLine(const CompiledRubric& rubric, int line_index, const RunInputs& inputs,
                      absl::string_view area_code, absl::string_view language) {
  const assessment::Line& line = rubric.rubric().lines(line_index);
  EvalScope scope;
  scope.area_code = std::string(area_code);
  scope.year = inputs.snapshot.year();
  LineOutcome outcome;
  outcome.score.set_line_id(line.id());
  outcome.score.set_max_e4(line.max_e4());
  bool pending = false;
  bool any_applies = false;
  bool only_judged = true;
  Points total;
  Points marks;
  for (int i = 0; i < line.clauses_size(); ++i) {
    ClauseOutcome clause = ScoreClause(rubric, line_index, i, inputs, scope, language);
    pending = pending || clause.state == ClauseOutcome::State::kPending;
    any_applies = any_applies || clause.state != ClauseOutcome::State::kNotApplicable;
    only_judged = only_judged && line.clauses(i).has_judged();
    total += clause.applied;
    marks += clause.mark;
    outcome.clauses.push_back(std::move(clause));
  }
  if (!any_applies) {
    outcome.score.set_status(v1::LINE_STATUS_NOT_APPLICABLE);
    return outcome;
  }
  if (pending) {
    outcome.score.set_status(v1::LINE_STATUS_NOT_YET_JUDGED);
    return outcome;
  }
  const Points most = Points::FromUnits(line.max_e4());
  Points points = line.direction() == assessment::DIRECTION_EARN ? total : most - total;
  // A line that people judge whole has their marks, not a loss from its maximum.
  if (only_judged && line.direction() != assessment::DIRECTION_EARN) points = marks;
  points = std::clamp(points, Points(), most);
  points = points.RoundTo(rubric.rubric().places(), RoundingOf(rubric.rubric()));
  outcome.score.set_points_e4(points.units());
  outcome.score.set_status(v1::LINE_STATUS_SCORED);
  return outcome;
}

}  // namespace fadu::scoring
