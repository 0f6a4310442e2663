#include "services/scoring/domain/clause.h"

#include <algorithm>

#include "services/scoring/domain/modifiers.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;
using State = ClauseOutcome::State;

// M08: a count per so many of a population; of nobody there is no rate.
void PerHead(const ClauseContext& context, Reading& reading) {
  if (!context.clause.has_per_head() || !reading.usable()) return;
  const assessment::PerHead& rule = context.clause.per_head();
  const Reading people = Read(context.unit, rule.measure());
  reading.unknown = people.unknown;
  reading.empty = people.empty || (!people.unknown && people.number == Fraction());
  if (!reading.usable()) return;
  // Multiplied before anything is rounded.
  reading.number = reading.number * rule.per() / (people.number / Points::kScale);
  v1::MeasureValue& value = reading.evaluation.value;
  value.set_text(reading.number.RoundTo(2, Rounding::kHalfUp).ToString());
}

// What counts once its clause has come to something: the records behind a single number.
void CountReading(ClauseOutcome& outcome) {
  const auto& records = outcome.reading.evaluation.records;
  outcome.counted.insert(records.begin(), records.end());
}

void ScoreForm(const ClauseContext& context, ClauseOutcome& outcome) {
  const assessment::Clause& clause = context.clause;
  switch (clause.form_case()) {
    case assessment::Clause::kCheck:
      return ScoreCheck(context, outcome);
    case assessment::Clause::kChecklist:
      return ScoreChecklist(context, outcome);
    case assessment::Clause::kShortfall:
      ScoreShortfall(context, outcome);
      return CountReading(outcome);
    case assessment::Clause::kIncident:
      return ScoreIncident(context, outcome);
    case assessment::Clause::kIncidentTable:
    case assessment::Clause::kHonour:
    case assessment::Clause::kNotice:
      return ScoreTable(context, outcome);
    case assessment::Clause::kEarnEach:
      return ScoreEarnEach(context, outcome);
    case assessment::Clause::kRateStep:
      outcome.reading = MainReading(context);
      ScoreRateStep(context, clause.rate_step(), outcome);
      return CountReading(outcome);
    case assessment::Clause::kThreshold:
      ScoreThreshold(context, outcome);
      return CountReading(outcome);
    case assessment::Clause::kTiered:
      if (clause.tiered().states().empty()) outcome.reading = MainReading(context);
      ScoreTiered(context, clause.tiered(), outcome);
      return CountReading(outcome);
    case assessment::Clause::kProportion:
      outcome.reading = MainReading(context);
      ScoreProportion(context, clause.proportion(), outcome);
      return CountReading(outcome);
    case assessment::Clause::kSymmetric:
      ScoreSymmetric(context, outcome);
      return CountReading(outcome);
    case assessment::Clause::kTrend:
      ScoreTrend(context, outcome);
      return CountReading(outcome);
    case assessment::Clause::kBenchmark:
      outcome.reading = MainReading(context);
      ScoreBenchmark(context, clause.benchmark(), outcome);
      return CountReading(outcome);
    case assessment::Clause::kRank:
      ScoreRank(context, outcome);
      return CountReading(outcome);
    case assessment::Clause::kAdjustment:
      return ScoreAdjustment(context, outcome);
    case assessment::Clause::kLateness:
      ScoreLateness(context, outcome);
      return CountReading(outcome);
    case assessment::Clause::kJudged:
      return ScoreJudged(context, outcome);
    case assessment::Clause::kSurvey:
      return ScoreSurvey(context, outcome);
    case assessment::Clause::kImported:
      return ScoreImported(context, outcome);
    case assessment::Clause::FORM_NOT_SET:
      return;
  }
}

// The form, and what makes its points worse or milder.
ClauseOutcome ScoreLeaf(const ClauseContext& context) {
  ClauseOutcome outcome;
  outcome.earns = Earns(context.clause, context.earning_line);
  if (context.clause.has_known_when() &&
      Judge(context.unit, context.clause.known_when()).truth != Truth::kTrue) {
    Reading unknown;
    unknown.unknown = true;
    const Fraction most =
        context.clause.has_cap_e4() ? context.clause.cap_e4() : context.line.max_e4();
    (void)SettleUnread(context, unknown, context.clause.when_empty(), most, outcome);
    return outcome;
  }
  ScoreForm(context, outcome);
  // Sums may be negative; points lost or earned are not.
  outcome.raw = std::max(outcome.raw, Fraction());
  if (outcome.state != State::kComputed && outcome.state != State::kMarked) return outcome;
  EscalateUnremedied(context, outcome);
  Aggravate(context, outcome);
  Mitigate(context, outcome);
  return outcome;
}

}  // namespace

bool Earns(const assessment::Clause& clause, bool earning_line) {
  if (clause.direction() != assessment::DIRECTION_UNSPECIFIED) {
    earning_line = clause.direction() == assessment::DIRECTION_EARN;
  }
  switch (clause.form_case()) {
    case assessment::Clause::kHonour:
    case assessment::Clause::kEarnEach:
    case assessment::Clause::kSymmetric:
    case assessment::Clause::kAdjustment:
      return true;
    case assessment::Clause::kShortfall:
    case assessment::Clause::kIncident:
    case assessment::Clause::kIncidentTable:
    case assessment::Clause::kRateStep:
    case assessment::Clause::kLateness:
    case assessment::Clause::kNotice:
    case assessment::Clause::kTrend:
    case assessment::Clause::kBenchmark:
      return false;
    case assessment::Clause::kSurvey:
      if (clause.survey().has_steps() || clause.survey().has_benchmark()) return false;
      return earning_line;
    case assessment::Clause::kJudged:
      return earning_line && !clause.judged().taken();
    case assessment::Clause::kCheck:
    case assessment::Clause::kChecklist:
    case assessment::Clause::kThreshold:
    case assessment::Clause::kTiered:
    case assessment::Clause::kProportion:
    case assessment::Clause::kRank:
    case assessment::Clause::kImported:
    case assessment::Clause::FORM_NOT_SET:
      return earning_line;
  }
  return earning_line;
}

Reading MainReading(const ClauseContext& context) {
  const assessment::Clause& clause = context.clause;
  const auto measure = [&]() -> const std::string& {
    switch (clause.form_case()) {
      case assessment::Clause::kIncident:
        return clause.incident().measure();
      case assessment::Clause::kEarnEach:
        return clause.earn_each().measure();
      case assessment::Clause::kRateStep:
        return clause.rate_step().measure();
      case assessment::Clause::kThreshold:
        return clause.threshold().measure();
      case assessment::Clause::kTiered:
        return clause.tiered().measure();
      case assessment::Clause::kProportion:
        return clause.proportion().measure();
      case assessment::Clause::kSymmetric:
        return clause.symmetric().measure();
      case assessment::Clause::kTrend:
        return clause.trend().measure();
      case assessment::Clause::kBenchmark:
        return clause.benchmark().measure();
      default:
        return clause.rank().measure();
    }
  };
  if (clause.has_survey()) return SurveyReading(context, nullptr);
  Reading reading = Read(context.unit, measure());
  PerHead(context, reading);
  return reading;
}

bool SettleUnread(const ClauseContext& context, const Reading& reading,
                  assessment::WhenEmpty when_empty, const Fraction& most, ClauseOutcome& outcome) {
  if (reading.usable()) return false;
  outcome.raw = Fraction();
  if (!reading.unknown) {
    outcome.empty = true;
    Settle(context, when_empty, most, outcome);
    return true;
  }
  outcome.unknown = true;
  if (context.clause.when_unknown() == assessment::WHEN_EMPTY_UNSPECIFIED) {
    outcome.state = State::kNoData;
  } else {
    Settle(context, context.clause.when_unknown(), most, outcome);
  }
  return true;
}

void Settle(const ClauseContext& context, assessment::WhenEmpty policy, const Fraction& most,
            ClauseOutcome& outcome) {
  const int64_t limit =
      context.clause.has_cap_e4() ? context.clause.cap_e4() : context.line.max_e4();
  const Fraction whole = context.clause.has_cap_e4() ? Fraction(limit) : most;
  switch (policy) {
    case assessment::WHEN_EMPTY_FULL:
      outcome.met = true;
      if (outcome.earns) outcome.raw = whole;
      return;
    case assessment::WHEN_EMPTY_ZERO:
      outcome.met = false;
      if (!outcome.earns) outcome.raw = whole;
      return;
    case assessment::WHEN_EMPTY_MANUAL: {
      const auto marks = context.unit.run.given.MarksOf(context.unit.area(), context.line.id(),
                                                        context.index, context.unit.period);
      for (const assessment::Mark* mark : marks) {
        if (mark->points_e4() < 0 || mark->points_e4() > limit || !mark->item().empty()) continue;
        outcome.given = {mark};
        outcome.state = State::kMarked;
        outcome.mark = mark->points_e4();
        outcome.raw = outcome.earns ? outcome.mark : Fraction(limit) - outcome.mark;
        return;
      }
      outcome.state = State::kPending;
      return;
    }
    default:
      outcome.state = State::kNotApplicable;
      return;
  }
}

void SetPoints(const Fraction& points, ClauseOutcome& outcome) {
  if (points != Fraction()) outcome.earns = points > Fraction();
  outcome.raw = points < Fraction() ? -points : points;
}

ClauseOutcome ScoreClause(const ClauseContext& given) {
  UnitContext unit = given.unit;
  if (given.clause.has_rolling()) unit.rolling = &given.clause.rolling();
  const ClauseContext context{unit, given.line, given.clause, given.index, given.earning_line};
  ClauseOutcome outcome =
      context.clause.has_average() ? AverageOver(context, ScoreLeaf) : ScoreLeaf(context);
  if (outcome.state == State::kComputed || outcome.state == State::kMarked) {
    ApplyStreak(context, outcome);
    // M01
    outcome.applied = context.clause.has_cap_e4()
                          ? std::min(outcome.raw, Fraction(context.clause.cap_e4()))
                          : outcome.raw;
  } else {
    outcome.raw = Fraction();
  }
  return outcome;
}

}  // namespace fadu::scoring
