// Leaf forms over counts: L03 SHORTFALL, L04 INCIDENT, L05 INCIDENT BY CLASS, L19 HONOUR BONUS.

#include <algorithm>
#include <map>
#include <utility>

#include "services/scoring/domain/clause.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

// How many of a reading there are: whole units.
Fraction CountOf(const Reading& reading) { return reading.number / Points::kScale; }

// What says that records are one thing (M04): the value of the clause's field, or the record
// itself.
std::string KeyOf(const ClauseContext& context, const std::string& record) {
  const std::vector<std::string> values =
      context.unit.index.ValuesOf(record, context.clause.same());
  return values.empty() ? "record " + record : "value " + values[0];
}

// M04: every thing counts once, where it is dearest; of two equal places in the first.
void CountThings(const ClauseContext& context, ClauseOutcome& outcome,
                 const std::vector<int64_t>& per) {
  std::map<std::string, size_t> place;
  for (size_t i = 0; i < outcome.parts.size(); ++i) {
    for (const std::string& record : outcome.parts[i].reading.evaluation.records) {
      const auto [kept, is_new] = place.emplace(KeyOf(context, record), i);
      if (!is_new && per[i] > per[kept->second]) kept->second = i;
    }
  }
  for (const auto& [key, part] : place) outcome.parts[part].count += 1;
  std::map<std::string, bool> counted;
  for (size_t i = 0; i < outcome.parts.size(); ++i) {
    for (const std::string& record : outcome.parts[i].reading.evaluation.records) {
      const std::string key = KeyOf(context, record);
      const size_t kept = place[key];
      bool& done = counted[key];
      if (kept == i && !std::exchange(done, true)) continue;
      const std::vector<std::string> values =
          context.unit.index.ValuesOf(record, context.clause.same());
      outcome.set_aside.push_back({record, values.empty() ? "" : values[0], outcome.parts[i].name,
                                   outcome.parts[kept].name});
    }
  }
}

}  // namespace

// L03: each window for itself; more than required earns nothing.
void ScoreShortfall(const ClauseContext& context, ClauseOutcome& outcome) {
  const assessment::Shortfall& form = context.clause.shortfall();
  outcome.reading = Read(context.unit, form.measure());
  for (const Span& span : SpansOf(form.window(), context.unit.scope.year, context.unit.language)) {
    Part part;
    part.name = span.name;
    part.reading = Read(context.unit, form.measure(), span.days);
    part.count = std::max(Fraction(), Fraction(form.required()) - CountOf(part.reading));
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
  Part part;
  part.name = form.what();
  part.reading = Read(context.unit, form.measure());
  outcome.reading = part.reading;
  outcome.parts.push_back(std::move(part));
  Part& found = outcome.parts[0];
  if (context.clause.same().empty()) {
    found.count = CountOf(found.reading);
  } else {
    CountThings(context, outcome, {form.per_e4()});
  }
  found.amount = found.count * form.per_e4();
  found.met = found.count == Fraction();
  outcome.met = found.met;
  outcome.raw = found.amount;
}

// L05 and L19: a table of classes.
void ScoreTable(const ClauseContext& context, ClauseOutcome& outcome) {
  const bool honour = context.clause.has_honour();
  const auto& classes =
      honour ? context.clause.honour().levels() : context.clause.incident_table().classes();
  const bool highest =
      !honour && context.clause.incident_table().class_rule() == assessment::CLASS_RULE_HIGHEST;
  std::vector<int64_t> per;
  for (const assessment::ScoreClass& listed : classes) {
    Part part;
    part.name = listed.name();
    part.reading = Read(context.unit, listed.measure());
    per.push_back(listed.per_e4());
    outcome.parts.push_back(std::move(part));
  }
  if (!context.clause.same().empty()) {
    CountThings(context, outcome, per);
  } else {
    for (Part& part : outcome.parts) part.count = CountOf(part.reading);
  }
  if (highest && context.clause.same().empty()) {
    // Only the dearest class that occurred; the first of equals.
    int dearest = -1;
    for (int i = 0; i < static_cast<int>(per.size()); ++i) {
      const auto at = static_cast<size_t>(i);
      if (outcome.parts[at].count <= Fraction()) continue;
      if (dearest < 0 || per[at] > per[static_cast<size_t>(dearest)]) dearest = i;
    }
    for (int i = 0; i < static_cast<int>(per.size()); ++i) {
      if (i != dearest) outcome.parts[static_cast<size_t>(i)].count = Fraction();
    }
  }
  for (size_t i = 0; i < per.size(); ++i) {
    Part& part = outcome.parts[i];
    part.amount = part.count * per[i];
    part.met = part.count == Fraction();
    outcome.raw += part.amount;
  }
  outcome.met = outcome.raw == Fraction();
}

}  // namespace fadu::scoring
