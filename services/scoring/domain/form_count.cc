// Leaf forms over counts: L03 SHORTFALL, L04 INCIDENT, L05 INCIDENT BY CLASS, L10 EARN PER UNIT,
// L19 HONOUR BONUS, L20 NOTICE PENALTY.

#include <algorithm>
#include <utility>

#include "services/scoring/domain/clause.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

// How many are required in a window: of a unit that was founded within it only its part, whole
// ones.
Fraction RequiredIn(const ClauseContext& context, const DayRange& days) {
  const assessment::Shortfall& form = context.clause.shortfall();
  const auto founded = context.unit.run.founded.find(context.unit.area());
  if (!form.pro_rata() || founded == context.unit.run.founded.end() ||
      founded->second <= days.first) {
    return form.required();
  }
  const int64_t all = days.last - days.first + 1;
  const int64_t there = std::max<int64_t>(0, days.last - founded->second + 1);
  return (Fraction(form.required()) * Fraction::Of(there, all)).Floor();
}

// A table: its classes with their prices.
struct Table {
  std::vector<assessment::ScoreClass> classes;
  std::vector<int64_t> per;
  bool highest = false;
};

Table TableOf(const assessment::Clause& clause) {
  Table table;
  if (clause.has_incident_table()) {
    const auto& classes = clause.incident_table().classes();
    table.classes.assign(classes.begin(), classes.end());
    table.highest = clause.incident_table().class_rule() == assessment::CLASS_RULE_HIGHEST;
  } else if (clause.has_honour()) {
    table.classes.assign(clause.honour().levels().begin(), clause.honour().levels().end());
  } else {
    table.classes.assign(clause.notice().levels().begin(), clause.notice().levels().end());
  }
  bool doubled = false;
  for (const assessment::ScoreClass& listed : table.classes) {
    doubled = doubled || (clause.has_notice() && listed.name() == clause.notice().doubled_from());
    table.per.push_back(listed.per_e4() * (doubled ? 2 : 1));
  }
  return table;
}

// Only the dearest class that occurred; the first of equals.
void KeepDearest(const std::vector<int64_t>& per, std::vector<Part>& parts) {
  size_t dearest = parts.size();
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].count <= Fraction()) continue;
    if (dearest == parts.size() || per[i] > per[dearest]) dearest = i;
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i != dearest) parts[i].count = Fraction();
  }
}

}  // namespace

// L03: each window for itself; more than required earns nothing.
void ScoreShortfall(const ClauseContext& context, ClauseOutcome& outcome) {
  const assessment::Shortfall& form = context.clause.shortfall();
  outcome.reading = Read(context.unit, form.measure());
  if (SettleUnread(context, outcome.reading, context.clause.when_empty(), context.line.max_e4(),
                   outcome)) {
    return;
  }
  for (const YearPart& window : PartsWithin(form.window(), context.unit.scope.year,
                                            context.unit.days(), context.unit.language)) {
    Part part;
    part.name = window.name;
    part.reading = Read(context.unit, form.measure(), window.days);
    part.required = RequiredIn(context, window.days);
    part.count = std::max(Fraction(), part.required - part.reading.number / Points::kScale);
    part.met = part.count == Fraction();
    part.amount = part.count * form.per_missing_e4();
    outcome.raw += part.amount;
    outcome.met = outcome.met && part.met;
    outcome.parts.push_back(std::move(part));
  }
}

// L04: whatever was found costs; nothing was required.
void ScoreIncident(const ClauseContext& context, ClauseOutcome& outcome) {
  const assessment::Incident& form = context.clause.incident();
  outcome.reading = MainReading(context);
  if (SettleUnread(context, outcome.reading, context.clause.when_empty(), context.line.max_e4(),
                   outcome)) {
    return;
  }
  Part part;
  part.name = form.what();
  part.reading = outcome.reading;
  outcome.parts.push_back(std::move(part));
  if (context.clause.same().empty()) {
    const Fraction count = CountOf(context, form.measure(), outcome.reading, form.what(), outcome);
    outcome.parts[0].count = count;
  } else {
    CountThings(context, {form.measure()}, {form.per_e4()}, outcome);
  }
  Part& found = outcome.parts[0];
  found.amount = found.count * form.per_e4();
  found.met = found.count == Fraction();
  outcome.met = found.met;
  outcome.raw = found.amount;
}

// L05, L19 and L20: a table of classes.
void ScoreTable(const ClauseContext& context, ClauseOutcome& outcome) {
  const Table table = TableOf(context.clause);
  std::vector<std::string> measures;
  for (const assessment::ScoreClass& listed : table.classes) {
    Part part;
    part.name = listed.name();
    part.reading = Read(context.unit, listed.measure());
    if (SettleUnread(context, part.reading, context.clause.when_empty(), context.line.max_e4(),
                     outcome)) {
      return;
    }
    measures.push_back(listed.measure());
    outcome.parts.push_back(std::move(part));
  }
  if (context.clause.same().empty()) {
    for (size_t i = 0; i < outcome.parts.size(); ++i) {
      const Reading reading = outcome.parts[i].reading;
      const Fraction count = CountOf(context, measures[i], reading, outcome.parts[i].name, outcome);
      outcome.parts[i].count = count;
    }
    if (table.highest) KeepDearest(table.per, outcome.parts);
  } else {
    CountThings(context, measures, table.per, outcome);
  }
  for (size_t i = 0; i < outcome.parts.size(); ++i) {
    Part& part = outcome.parts[i];
    part.amount = part.count * table.per[i];
    part.met = part.count == Fraction();
    outcome.raw += part.amount;
  }
  outcome.met = outcome.raw == Fraction();
}

// L10: each one earns; what should have been there and was not, loses.
void ScoreEarnEach(const ClauseContext& context, ClauseOutcome& outcome) {
  const assessment::EarnEach& form = context.clause.earn_each();
  outcome.reading = MainReading(context);
  if (SettleUnread(context, outcome.reading, context.clause.when_empty(), context.line.max_e4(),
                   outcome)) {
    return;
  }
  if (context.clause.same().empty()) {
    Part part;
    part.name = form.what();
    part.count = CountOf(context, form.measure(), outcome.reading, form.what(), outcome);
    part.reading = outcome.reading;
    outcome.parts.push_back(std::move(part));
  } else {
    Part part;
    part.name = form.what();
    part.reading = outcome.reading;
    outcome.parts.push_back(std::move(part));
    CountThings(context, {form.measure()}, {form.per_e4()}, outcome);
  }
  Part& earned = outcome.parts[0];
  earned.count = std::max(Fraction(), earned.count - form.over());
  earned.amount = earned.count * form.per_e4();
  Fraction points = earned.amount;
  if (form.expected() > 0) {
    for (const YearPart& window : PartsWithin(form.window(), context.unit.scope.year,
                                              context.unit.days(), context.unit.language)) {
      Part part;
      part.name = window.name;
      part.reading = Read(context.unit, form.measure(), window.days);
      Fraction there = part.reading.number / Points::kScale;
      if (!form.late_measure().empty()) {
        const Reading late = Read(context.unit, form.late_measure(), window.days);
        part.required = late.number / Points::kScale;  // those that were late
        there += part.required;
      }
      part.count = std::max(Fraction(), Fraction(form.expected()) - there);
      part.met = part.count == Fraction();
      part.amount = part.count * form.per_missing_e4();
      points -= part.amount;
      outcome.met = outcome.met && part.met;
      outcome.parts.push_back(std::move(part));
    }
  }
  SetPoints(points, outcome);
}

}  // namespace fadu::scoring
