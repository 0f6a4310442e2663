#include "services/scoring/domain/modifiers.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/base/area_code.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;
using State = ClauseOutcome::State;

// How often a modifier applies: as often as its measure says, or once when its condition holds.
template <typename Modifier>
Fraction TimesOf(const UnitContext& unit, const Modifier& modifier) {
  if (!modifier.measure().empty()) {
    const Reading reading = Read(unit, modifier.measure());
    return reading.usable() ? std::max(Fraction(), reading.number / Points::kScale) : Fraction();
  }
  return Judge(unit, modifier.when()).truth == Truth::kTrue ? Fraction(1) : Fraction();
}

Fraction Scaled(const Fraction& points, bool has_times, int64_t times_e4) {
  return has_times ? points * Fraction::Of(times_e4, Points::kScale) : points;
}

// The areas an average is over.
std::vector<std::string> AreasBeneath(const ClauseContext& context) {
  const UnitContext& unit = context.unit;
  const assessment::Average& rule = context.clause.average();
  std::vector<std::string> codes;
  for (const v1::AreaNode& area : unit.run.inputs.snapshot.areas()) {
    const bool beneath = area.code() != unit.area() && IsWithin(area.code(), unit.area());
    const bool listed = rule.areas().empty() || std::find(rule.areas().begin(), rule.areas().end(),
                                                          area.code()) != rule.areas().end();
    // Only the next level down: towns of a county, villages of a town.
    if (beneath && listed && area.code().size() == unit.area().size() + 3) {
      codes.push_back(area.code());
    }
  }
  std::sort(codes.begin(), codes.end());
  return codes;
}

std::string NameOf(const UnitContext& unit, const std::string& code) {
  for (const v1::AreaNode& area : unit.run.inputs.snapshot.areas()) {
    if (area.code() == code) return area.name();
  }
  return code;
}

}  // namespace

void EscalateUnremedied(const ClauseContext& context, ClauseOutcome& outcome) {
  if (!context.clause.has_remedy() || outcome.earns) return;
  const assessment::Remedy& rule = context.clause.remedy();
  const FactIndex& index = context.unit.run.index;
  int64_t late = 0;
  for (const std::string& record : outcome.counted) {
    const auto reminded = index.DayOf(record, rule.reminder());
    if (!reminded.has_value()) continue;  // no proof of a reminder
    const auto done = index.DayOf(record, rule.done());
    if (!done.has_value() || *done > DayAfter(*reminded, rule.within(), rule.unit())) ++late;
  }
  if (late == 0) return;
  const Fraction before = outcome.raw;
  outcome.raw += Fraction(late) * rule.add_e4();
  outcome.met = false;
  outcome.adjusted.push_back({"M12", "", before, outcome.raw, late});
}

void Aggravate(const ClauseContext& context, ClauseOutcome& outcome) {
  if (outcome.earns && outcome.raw > Fraction()) return;
  const Fraction base = outcome.raw;
  Adjusted worst{"M02", "", base, base, 1};
  for (const assessment::Aggravation& rule : context.clause.aggravate()) {
    const Fraction times = TimesOf(context.unit, rule);
    if (times == Fraction()) continue;
    const Fraction before = context.clause.only_worst() ? base : outcome.raw;
    const Fraction after =
        Scaled(before, rule.has_times_e4(), rule.times_e4()) + times * rule.add_e4();
    if (!context.clause.only_worst()) {
      outcome.raw = after;
      outcome.adjusted.push_back({"M02", rule.what(), before, after, times});
    } else if (after > worst.after) {
      worst = {"M02", rule.what(), before, after, times};
    }
  }
  if (worst.after > base) {
    outcome.raw = worst.after;
    outcome.adjusted.push_back(worst);
  }
  if (outcome.raw > base) {
    outcome.earns = false;
    outcome.met = false;
  }
}

void Mitigate(const ClauseContext& context, ClauseOutcome& outcome) {
  if (outcome.earns) return;
  for (const assessment::Mitigation& rule : context.clause.mitigate()) {
    if (outcome.raw == Fraction()) return;
    const Fraction times = TimesOf(context.unit, rule);
    if (times == Fraction()) continue;
    const Fraction before = outcome.raw;
    outcome.raw = std::max(
        Fraction(), Scaled(before, rule.has_times_e4(), rule.times_e4()) - times * rule.less_e4());
    outcome.adjusted.push_back({"M03", rule.what(), before, outcome.raw, times});
  }
}

ClauseOutcome AverageOver(const ClauseContext& context,
                          const std::function<ClauseOutcome(const ClauseContext&)>& score) {
  const assessment::Average& rule = context.clause.average();
  ClauseOutcome outcome;
  outcome.earns = Earns(context.clause, context.earning_line);
  Fraction sum;
  Fraction weights;
  bool any_bad = false;
  for (const std::string& code : AreasBeneath(context)) {
    UnitContext area = context.unit;
    area.scope.area_code = code;
    ClauseOutcome one =
        score({area, context.line, context.clause, context.index, context.earning_line});
    Part part;
    part.name = NameOf(context.unit, code);
    part.met = one.met;
    part.applies = one.state == State::kComputed || one.state == State::kMarked;
    part.reading = one.reading;
    if (one.state == State::kPending || one.state == State::kNoData) outcome.state = one.state;
    if (part.applies) {
      part.amount = one.earns ? one.raw : -one.raw;
      part.weight =
          rule.weight_measure().empty() ? Fraction(1) : Read(area, rule.weight_measure()).number;
      sum += part.amount * part.weight;
      weights += part.weight;
      any_bad = any_bad || !one.met;
      outcome.counted.merge(one.counted);
    }
    outcome.parts.push_back(std::move(part));
  }
  if (outcome.state != State::kComputed) return outcome;
  if (weights <= Fraction()) {
    outcome.empty = true;
    Settle(context, context.clause.when_empty(), context.line.max_e4(), outcome);
    return outcome;
  }
  outcome.met = !any_bad;
  if (rule.any_bad_is_zero() && any_bad) {
    const Fraction most =
        context.clause.has_cap_e4() ? context.clause.cap_e4() : context.line.max_e4();
    outcome.raw = outcome.earns ? Fraction() : most;
    return outcome;
  }
  if (rule.any_bad_is_zero()) {
    // None is bad: nothing is lost; an earning clause earns what they earn.
    if (!outcome.earns) return outcome;
  }
  SetPoints(sum / weights, outcome);
  return outcome;
}

int64_t StreakYear(const UnitContext& unit, const assessment::Streak& streak) {
  const auto founded = unit.run.founded.find(unit.area());
  // From the last year back as far as there are figures.
  std::vector<bool> years;
  for (int year = unit.scope.year - 1;; --year) {
    if (founded != unit.run.founded.end() && founded->second > absl::CivilDay(year, 1, 1)) break;
    const auto* figure = unit.run.given.FigureOf(unit.area(), streak.figure(), year);
    if (figure == nullptr) break;
    years.push_back(figure->value_e4() > 0);
  }
  int64_t count = 0;   // years that count so far
  int64_t broken = 0;  // those before a break that may still be repaired
  int64_t since = 0;   // years since the break
  const auto good = [&] {
    ++count;
    ++since;
    if (broken > 0 && streak.repair() > 0 && since >= streak.repair()) {
      count += std::exchange(broken, 0);
    }
  };
  for (auto year = years.rbegin(); year != years.rend(); ++year) {
    if (*year) {
      good();
    } else {
      // A second break before the first is repaired ends it.
      broken = since > 0 ? count : 0;
      count = 0;
      since = 0;
    }
  }
  good();
  return count;
}

void ApplyStreak(const ClauseContext& context, ClauseOutcome& outcome) {
  if (!context.clause.has_streak() || outcome.raw == Fraction()) return;
  const assessment::Streak& rule = context.clause.streak();
  outcome.streak = StreakYear(context.unit, rule);
  const Fraction before = outcome.raw;
  if (!rule.amounts_e4().empty()) {
    const auto at = std::min<int64_t>(outcome.streak, rule.amounts_e4_size()) - 1;
    outcome.raw = rule.amounts_e4(static_cast<int>(at));
  } else if (!rule.times_e4().empty()) {
    const auto at = std::min<int64_t>(outcome.streak, rule.times_e4_size()) - 1;
    outcome.raw = before * Fraction::Of(rule.times_e4(static_cast<int>(at)), Points::kScale);
  }
  outcome.adjusted.push_back({"M05", "", before, outcome.raw, outcome.streak});
}

}  // namespace fadu::scoring
