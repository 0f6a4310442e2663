// Leaf forms that people or another assessment decide: L15 OPEN ADJUSTMENT, L17 JUDGED, L21 IMPORT.

#include <algorithm>
#include <map>
#include <utility>

#include "services/scoring/domain/clause.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;
using State = ClauseOutcome::State;

// Marks of a judged clause that hold: within the range and on a step, and agreed to by a second
// person where one must. Others cannot have been stored and are ignored.
std::vector<const assessment::Mark*> MarksOf(const ClauseContext& context) {
  const assessment::Judged& form = context.clause.judged();
  std::vector<const assessment::Mark*> held;
  for (const assessment::Mark* mark : context.unit.run.given.MarksOf(
           context.unit.area(), context.line.id(), context.index, context.unit.period)) {
    if (mark->points_e4() < form.min_e4() || mark->points_e4() > form.max_e4()) continue;
    if (form.second_reviewer() && mark->second_scorer().empty()) continue;
    held.push_back(mark);
  }
  return held;
}

// One mark for the clause: nullopt while there is none.
absl::optional<Fraction> WholeMark(const std::vector<const assessment::Mark*>& marks,
                                   ClauseOutcome& outcome) {
  for (const assessment::Mark* mark : marks) {
    if (!mark->item().empty() || !mark->assessor().empty()) continue;
    outcome.given.push_back(mark);
    return Fraction(mark->points_e4());
  }
  return absl::nullopt;
}

// A mark for each case, added up; none is needed.
Fraction CaseMarks(const std::vector<const assessment::Mark*>& marks, ClauseOutcome& outcome) {
  Fraction sum;
  for (const assessment::Mark* mark : marks) {
    outcome.given.push_back(mark);
    sum += mark->points_e4();
  }
  return sum;
}

// The mean of a mark for each sampled item, once all have one.
absl::optional<Fraction> SampleMark(const ClauseContext& context,
                                    const std::vector<const assessment::Mark*>& marks,
                                    ClauseOutcome& outcome) {
  const assessment::Sample* sample =
      context.unit.run.given.SampleOf(context.unit.area(), context.line.id(), context.index);
  const int wanted = context.clause.judged().sample();
  if (sample == nullptr || sample->items_size() < wanted) return absl::nullopt;
  Fraction sum;
  bool complete = true;
  for (const std::string& item : sample->items()) {
    const auto mark = std::find_if(marks.begin(), marks.end(), [&](const assessment::Mark* each) {
      return each->item() == item;
    });
    Part part;
    part.name = item;
    part.met = mark != marks.end();
    if (part.met) {
      outcome.given.push_back(*mark);
      part.amount = (*mark)->points_e4();
      sum += part.amount;
    }
    complete = complete && part.met;
    outcome.parts.push_back(std::move(part));
  }
  if (!complete) return absl::nullopt;
  return sum / Fraction(static_cast<int64_t>(sample->items_size()));
}

// A04: several assessors side by side.
absl::optional<Fraction> AssessorsMark(const ClauseContext& context,
                                       const std::vector<const assessment::Mark*>& marks,
                                       ClauseOutcome& outcome) {
  const assessment::Judged& form = context.clause.judged();
  Fraction sum;
  Fraction present;
  Fraction all;
  for (const assessment::Assessor& assessor : form.assessors()) {
    const auto mark = std::find_if(marks.begin(), marks.end(), [&](const assessment::Mark* each) {
      return each->assessor() == assessor.name();
    });
    Part part;
    part.name = assessor.name();
    part.weight = assessor.weight_e4();
    part.met = mark != marks.end();
    all += part.weight;
    if (part.met) {
      outcome.given.push_back(*mark);
      part.amount = (*mark)->points_e4();
      sum += part.amount * part.weight;
      present += part.weight;
    }
    outcome.parts.push_back(std::move(part));
  }
  if (present == Fraction()) return absl::nullopt;
  if (present == all || form.absent() == assessment::ABSENT_POLICY_REWEIGH) return sum / present;
  if (form.absent() == assessment::ABSENT_POLICY_ZERO) return sum / all;
  return absl::nullopt;
}

}  // namespace

// L15: nothing is computed; without a decision there is nothing to add.
void ScoreAdjustment(const ClauseContext& context, ClauseOutcome& outcome) {
  const assessment::OpenAdjustment& form = context.clause.adjustment();
  Fraction points;
  for (const assessment::Adjustment* decision : context.unit.run.given.AdjustmentsOf(
           context.unit.area(), context.line.id(), context.index)) {
    outcome.decisions.push_back(decision);
    points += decision->points_e4();
  }
  points = std::clamp(points, Fraction(form.min_e4()), Fraction(form.max_e4()));
  outcome.met = points >= Fraction();
  SetPoints(outcome.decisions.empty() ? Fraction() : points, outcome);
}

void ScoreJudged(const ClauseContext& context, ClauseOutcome& outcome) {
  const assessment::Judged& form = context.clause.judged();
  const std::vector<const assessment::Mark*> marks = MarksOf(context);
  absl::optional<Fraction> mark;
  if (form.per_case()) {
    mark = CaseMarks(marks, outcome);
  } else if (form.sample() > 0) {
    mark = SampleMark(context, marks, outcome);
  } else if (!form.assessors().empty()) {
    mark = AssessorsMark(context, marks, outcome);
  } else {
    mark = WholeMark(marks, outcome);
  }
  if (!mark.has_value()) {
    outcome.state = State::kPending;
    return;
  }
  outcome.state = State::kMarked;
  outcome.mark = *mark;
  // What is not given is lost; what is taken is the loss itself.
  outcome.raw =
      outcome.earns || form.taken() ? outcome.mark : Fraction(form.max_e4()) - outcome.mark;
  outcome.met = outcome.raw == Fraction();
}

// L21: the other scheme's result as it was published.
void ScoreImported(const ClauseContext& context, ClauseOutcome& outcome) {
  const assessment::Imported& form = context.clause.imported();
  const auto* result = context.unit.run.given.ResultOf(context.unit.area(), form.scheme(),
                                                       form.version(), context.unit.period);
  Reading unknown;
  unknown.unknown = true;
  const bool needs_score = form.convert_to_e4() > 0 || form.has_pass_e4();
  const Fraction most = form.convert_to_e4() > 0 ? form.convert_to_e4() : context.line.max_e4();
  if (result == nullptr || (needs_score && !result->has_score_e4())) {
    (void)SettleUnread(context, unknown, context.clause.when_empty(), most, outcome);
    return;
  }
  outcome.result = result;
  Fraction points;
  for (int i = 0; i < form.grades_size(); ++i) {
    if (form.grades(i).grade() != result->grade()) continue;
    outcome.chosen = i;
    points += form.grades(i).points_e4();
  }
  if (!form.grades().empty() && outcome.chosen < 0) {
    // A grade the rubric does not know says nothing.
    (void)SettleUnread(context, unknown, context.clause.when_empty(), most, outcome);
    return;
  }
  if (form.convert_to_e4() > 0) {
    if (result->full_e4() <= 0) {
      (void)SettleUnread(context, unknown, context.clause.when_empty(), most, outcome);
      return;
    }
    const Fraction share = Fraction::Of(result->score_e4(), result->full_e4());
    const Fraction got = std::clamp(share * form.convert_to_e4(), Fraction(), most);
    points += outcome.earns ? got : got - most;
  }
  if (form.has_pass_e4() && result->score_e4() < form.pass_e4()) {
    outcome.distance = Fraction(form.pass_e4()) - result->score_e4();
    points -= Fraction(form.fail_e4()) + outcome.distance / Points::kScale * form.per_below_e4();
  }
  outcome.met = points >= Fraction();
  SetPoints(points, outcome);
}

}  // namespace fadu::scoring
