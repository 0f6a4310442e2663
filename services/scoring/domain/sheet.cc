#include "services/scoring/domain/sheet.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

Fraction WeightOf(int64_t weight_e4) {
  return weight_e4 == 0 ? Fraction(1) : Fraction::Of(weight_e4, Points::kScale);
}

// Adds up one unit's lines and groups.
class Adder {
 public:
  Adder(RunContext& run, const std::string& area_code, const std::string& language,
        SheetOutcome& outcome)
      : rubric_(run.rubric.rubric()),
        year_(ContextOf(run, area_code, language)),
        outcome_(outcome) {
    outcome_.lines.resize(static_cast<size_t>(rubric_.lines_size()));
    outcome_.groups.resize(static_cast<size_t>(rubric_.groups_size()));
  }

  void Run() {
    assessment::Group none;
    const assessment::Group& whole = rubric_.has_whole() ? rubric_.whole() : none;
    outcome_.whole = Group(whole, Round{year_, "", "", Fraction(1)});
    outcome_.whole.group = rubric_.has_whole() ? &rubric_.whole() : nullptr;
    for (size_t i = 0; i < outcome_.lines.size(); ++i) Store(static_cast<int>(i));
  }

 private:
  // The part of the year that is being scored.
  struct Round {
    UnitContext unit;
    std::string period;
    std::string name;
    Fraction weight;  // of its lines' points in the year's
  };

  // One line in one round; M13: those whose records it leaves out come first.
  const LineOutcome& Line(int index, const Round& round) {
    LineRounds& rounds = outcome_.lines[static_cast<size_t>(index)];
    for (const LineRound& done : rounds.rounds) {
      if (done.period == round.period) return done.outcome;
    }
    std::map<int, std::set<std::string>>& counted = counted_[round.period];
    if (!counted.emplace(index, std::set<std::string>()).second) return none_;  // a circle
    for (const assessment::Clause& clause : rubric_.lines(index).clauses()) {
      for (const std::string& id : clause.exclude()) {
        const int other = round.unit.rubric().LineOf(id);
        if (other >= 0) (void)Line(other, round);
      }
    }
    UnitContext unit = round.unit;
    unit.counted = &counted;
    LineOutcome outcome = ScoreLine(unit, index);
    for (const ClauseOutcome& clause : outcome.clauses) {
      counted[index].insert(clause.counted.begin(), clause.counted.end());
    }
    weights_[{index, round.period}] = round.weight;
    rounds.rounds.push_back({round.period, round.name, std::move(outcome)});
    return rounds.rounds.back().outcome;
  }

  // What is directly in a group, in one round.
  GroupOutcome Contents(const assessment::Group& group, const Round& round) {
    GroupOutcome sum;
    Fraction present;  // weights of parts that are there, and of all
    Fraction all;
    Fraction weighted;
    for (int i = 0; i < rubric_.lines_size(); ++i) {
      const assessment::Line& line = rubric_.lines(i);
      if (line.group() != group.id()) continue;
      const LineOutcome& outcome = Line(i, round);
      sum.max += line.max_e4();
      sum.waits = sum.waits || outcome.waits();
      sum.scored = sum.scored || outcome.status == v1::LINE_STATUS_SCORED;
      if (outcome.applies()) {
        sum.raw += outcome.points;
      } else {
        sum.missing += line.max_e4();
      }
    }
    for (int i = 0; i < rubric_.groups_size(); ++i) {
      const assessment::Group& child = rubric_.groups(i);
      if (child.parent() != group.id() || child.id() == group.id()) continue;
      GroupOutcome part = Group(child, round);
      const Fraction weight = WeightOf(child.weight_e4());
      sum.max += part.max * weight;
      sum.waits = sum.waits || part.waits;
      sum.scored = sum.scored || part.scored;
      const bool not_applicable = part.absent && child.scheme().empty() && !part.waits;
      if (not_applicable) {
        sum.missing += part.max * weight;
      } else if (child.weight_e4() > 0) {
        all += weight;
        if (!part.absent) {
          present += weight;
          weighted += part.value * weight;
          sum.missing += part.missing * weight;
        }
      } else {
        sum.raw += part.value;
        sum.missing += part.missing;
      }
      outcome_.groups[static_cast<size_t>(i)] = std::move(part);
    }
    // A04: a part that is absent is waited for, reweighed or worth nothing.
    if (present != all && present > Fraction() &&
        group.absent() == assessment::ABSENT_POLICY_REWEIGH) {
      weighted = weighted * all / present;
    }
    if (present != all && group.absent() != assessment::ABSENT_POLICY_REWEIGH &&
        group.absent() != assessment::ABSENT_POLICY_ZERO) {
      sum.waits = true;
    }
    sum.raw += weighted;
    return sum;
  }

  // A04: the result of another scheme, as it was published.
  GroupOutcome FromScheme(const assessment::Group& group, const UnitContext& unit,
                          const std::string& period) {
    GroupOutcome outcome;
    outcome.max = group.scheme_full_e4();
    outcome.result = unit.run.given.ResultOf(unit.area(), group.scheme(), "", period);
    outcome.absent = outcome.result == nullptr || !outcome.result->has_score_e4();
    outcome.waits = outcome.absent;
    outcome.scored = !outcome.absent;
    if (!outcome.absent) outcome.raw = outcome.result->score_e4();
    return outcome;
  }

  GroupOutcome Once(const assessment::Group& group, const Round& round) {
    if (!group.scheme().empty()) return FromScheme(group, round.unit, round.period);
    GroupOutcome outcome = Contents(group, round);
    // A line without a maximum may still be there.
    outcome.absent = outcome.max > Fraction() && outcome.missing == outcome.max &&
                     !outcome.scored && !outcome.waits;
    return outcome;
  }

  // A03: the parts of the year, each by its weight.
  GroupOutcome Rounds(const assessment::Group& group, const Round& round) {
    GroupOutcome total;
    Fraction present;
    Fraction all;
    for (const assessment::PeriodPart& part : group.periods()) {
      const Fraction weight = WeightOf(part.weight_e4());
      GroupOutcome mean = MeanOf(group, part, round, weight);
      all += weight;
      total.max += mean.max * weight;
      if (mean.absent) continue;
      present += weight;
      total.raw += mean.raw * weight;
      total.missing += mean.missing * weight;
      total.waits = total.waits || mean.waits;
      total.scored = true;
      for (GroupOutcome::Round& each : mean.rounds) total.rounds.push_back(std::move(each));
    }
    total.absent = present == Fraction();
    total.waits = total.waits || total.absent;
    if (present != all && !total.absent &&
        group.absent_periods() == assessment::ABSENT_POLICY_REWEIGH) {
      total.raw = total.raw * all / present;
    } else if (present != all && group.absent_periods() != assessment::ABSENT_POLICY_ZERO) {
      total.waits = true;
    }
    return total;
  }

  // One of them: a single part of the year, the mean of several like it, or of the rounds there
  // were.
  GroupOutcome MeanOf(const assessment::Group& group, const assessment::PeriodPart& part,
                      const Round& round, const Fraction& weight) {
    GroupOutcome total;
    std::vector<YearPart> spans;
    const std::string& language = round.unit.language;
    const int year = round.unit.scope.year;
    if (part.rounds()) {
      for (const auto* result : round.unit.run.given.RoundsOf(round.unit.area(), group.scheme())) {
        spans.push_back({YearRange(year), result->period(), result->period()});
      }
    } else if (part.each() != assessment::WINDOW_UNSPECIFIED) {
      spans = PartsOf(part.each(), year, language);
    } else if (auto named = PartNamed(part.period(), year, language); named.has_value()) {
      spans.push_back(*std::move(named));
    }
    const auto count = static_cast<int64_t>(spans.size());
    int64_t present = 0;
    for (const YearPart& span : spans) {
      const std::string code = span.code == "year" ? "" : span.code;
      Round inner = round;
      inner.period = code;
      inner.name = span.name;
      inner.weight = weight / Fraction(count);
      inner.unit.period = code;
      if (!code.empty()) inner.unit.scope.within = span.days;
      GroupOutcome one = Once(group, inner);
      // A part of the year in which nothing is scored yet is absent.
      const bool absent = one.absent || (one.waits && !one.scored);
      total.rounds.push_back({span.name, inner.weight, one.raw, absent});
      total.max = one.max;
      if (absent) continue;
      ++present;
      total.scored = true;
      total.waits = total.waits || one.waits;
      total.raw += one.raw;
      total.missing += one.missing;
    }
    total.absent = present == 0;
    if (total.absent) return total;
    const bool by_present =
        part.rounds() || group.absent_periods() == assessment::ABSENT_POLICY_REWEIGH;
    const int64_t by = by_present ? present : count;
    total.raw = total.raw / Fraction(by);
    total.missing = total.missing / Fraction(by);
    if (!by_present && present != count &&
        group.absent_periods() != assessment::ABSENT_POLICY_ZERO) {
      total.waits = true;
    }
    if (group.scheme_full_e4() > 0) total.max = group.scheme_full_e4();
    return total;
  }

  // A group's value from its contents: M10, floor and ceiling (A05), conversion (A02).
  GroupOutcome Group(const assessment::Group& group, const Round& round) {
    GroupOutcome outcome = group.periods().empty() ? Once(group, round) : Rounds(group, round);
    outcome.group = &group;
    outcome.value = outcome.raw;
    const Fraction full = outcome.max;
    const bool made_up = group.missing() == assessment::MISSING_POLICY_SCALE ||
                         group.missing() == assessment::MISSING_POLICY_FULL;
    // Of nothing that could be got there is no share.
    const bool shared = group.missing() == assessment::MISSING_POLICY_SCALE;
    if (outcome.missing > Fraction() && made_up && !outcome.absent &&
        !(shared && outcome.missing == full)) {
      outcome.scaled = true;
      outcome.scaled_from = outcome.value;
      outcome.value = group.missing() == assessment::MISSING_POLICY_FULL
                          ? outcome.value + outcome.missing
                          : outcome.value * full / (full - outcome.missing);
      if (group.missing_at_most_e4() > 0 &&
          outcome.missing > Fraction(group.missing_at_most_e4())) {
        outcome_.too_much_missing = true;
      }
      outcome.missing = Fraction();
    } else if (group.missing_at_most_e4() > 0 &&
               outcome.missing > Fraction(group.missing_at_most_e4())) {
      outcome_.too_much_missing = true;
    }
    if (group.has_at_most_e4() && outcome.value > Fraction(group.at_most_e4())) {
      outcome.value = group.at_most_e4();
      outcome.ceiling = true;
    }
    if (group.has_at_most_e4()) outcome.max = std::min(outcome.max, Fraction(group.at_most_e4()));
    if (group.has_at_least_e4() && outcome.value < Fraction(group.at_least_e4())) {
      outcome.value = group.at_least_e4();
      outcome.floor = true;
    }
    if (group.convert_to_e4() > 0) {
      const Fraction from = group.convert_from_e4() > 0 ? Fraction(group.convert_from_e4()) : full;
      if (from > Fraction()) {
        const Fraction factor = Fraction(group.convert_to_e4()) / from;
        outcome.value = outcome.value * factor;
        outcome.missing = outcome.missing * factor;
        outcome.max = group.convert_to_e4();
      }
    }
    return outcome;
  }

  // A line as it is stored: the rounds it was scored in, and what they come to together.
  void Store(int index) {
    const assessment::Line& line = rubric_.lines(index);
    LineRounds& rounds = outcome_.lines[static_cast<size_t>(index)];
    v1::LineScore& score = rounds.score;
    score.set_line_id(line.id());
    score.set_max_e4(line.max_e4());
    if (rounds.rounds.empty()) {
      // In a group nobody adds up: the linter refuses it.
      rounds.rounds.push_back({"", "", ScoreLine(year_, index)});
      weights_[{index, ""}] = Fraction(1);
    }
    Fraction points;
    Fraction earned;
    v1::LineStatus status = v1::LINE_STATUS_NOT_APPLICABLE;
    for (const LineRound& round : rounds.rounds) {
      const LineOutcome& outcome = round.outcome;
      const Fraction weight = weights_[{index, round.period}];
      points += outcome.points * weight;
      earned += outcome.earned * weight;
      if (outcome.waits()) {
        status = outcome.status;
      } else if (outcome.applies() && status == v1::LINE_STATUS_NOT_APPLICABLE) {
        status = v1::LINE_STATUS_SCORED;
      }
      score.set_zeroed(score.zeroed() || !outcome.zeroed_by.empty());
      score.set_provisional(score.provisional() || outcome.provisional);
      if (outcome.exemption != nullptr) score.set_exemption(outcome.exemption->id());
      if (rounds.rounds.size() == 1 && round.period.empty()) continue;
      v1::PeriodScore& period = *score.add_periods();
      period.set_period(round.period.empty() ? "year" : round.period);
      period.set_points_e4(RoundedFor(rubric_, outcome.points).units());
      period.set_status(outcome.status);
    }
    score.set_status(status);
    score.set_points_e4(RoundedFor(rubric_, points).units());
    score.set_earned_e4(RoundedFor(rubric_, earned).units());
  }

  const assessment::Rubric& rubric_;
  const UnitContext year_;
  SheetOutcome& outcome_;
  const LineOutcome none_;
  std::map<std::string, std::map<int, std::set<std::string>>> counted_;  // period → line
  std::map<std::pair<int, std::string>, Fraction> weights_;
};

int TierNamed(const assessment::Rubric& rubric, const std::string& name, int fallback) {
  for (int i = 0; i < rubric.tiers_size(); ++i) {
    if (rubric.tiers(i).name() == name) return i;
  }
  return fallback;
}

// Every gate that is shut; several at once are all told, and the hardest decides.
void ShutGates(const UnitContext& year, SheetOutcome& outcome) {
  const assessment::Rubric& rubric = year.rubric().rubric();
  v1::ScoreSheet& sheet = outcome.sheet;
  const int lowest = rubric.tiers_size() - 1;
  const int by_points = TierOf(rubric, year.area(), sheet.total_e4());
  int tier = by_points;
  bool entered = true;
  std::set<std::string> open;
  const auto shut = [&](const std::string& id, assessment::GateEffect effect) {
    v1::ShutGate& gate = *sheet.add_gates();
    gate.set_id(id);
    gate.set_effect(effect);
  };
  for (const assessment::Gate& gate : rubric.gates()) {
    UnitContext unit = year;
    if (gate.has_rolling()) unit.rolling = &gate.rolling();
    ConditionOutcome when = Judge(unit, gate.when());
    if (when.truth == Truth::kUnknown) CollectOpenQuestions(unit, when, open);
    if (when.truth != Truth::kTrue) continue;
    if (gate.has_unless() && Judge(unit, gate.unless()).truth == Truth::kTrue) continue;
    shut(gate.id(), gate.effect());
    switch (gate.effect()) {
      case assessment::GATE_EFFECT_ENTRY:
        entered = false;
        break;
      case assessment::GATE_EFFECT_UNQUALIFIED:
        tier = std::max(tier, TierNamed(rubric, gate.at_most(), lowest));
        sheet.set_award_barred(true);
        break;
      default:
        tier = std::max(tier, TierNamed(rubric, gate.at_most(), 0));
        sheet.set_award_barred(true);
        break;
    }
    outcome.gates.push_back({gate.effect(), &gate, nullptr, Fraction(), std::move(when)});
  }
  // G05: each section by itself; one that still waits is not below its line yet.
  for (const GroupOutcome& group : outcome.groups) {
    if (group.group == nullptr || !group.group->has_minimum_e4() || group.waits || group.absent) {
      continue;
    }
    if (group.value >= Fraction(group.group->minimum_e4())) continue;
    shut(group.group->id(), assessment::GATE_EFFECT_SECTION);
    tier = lowest;
    sheet.set_award_barred(true);
    outcome.gates.push_back(
        {assessment::GATE_EFFECT_SECTION, nullptr, group.group, group.value, {}});
  }
  for (const std::string& key : open) sheet.add_open_questions(key);
  sheet.set_unrated(!entered || outcome.too_much_missing);
  outcome.tier = sheet.unrated() ? -1 : tier;
  if (!sheet.unrated()) sheet.set_tier(rubric.tiers(tier).name());
  if (outcome.tier != by_points) sheet.set_tier_by_points(rubric.tiers(by_points).name());
}

void StoreGroups(const assessment::Rubric& rubric, SheetOutcome& outcome) {
  for (int i = 0; i < rubric.groups_size(); ++i) {
    const GroupOutcome& group = outcome.groups[static_cast<size_t>(i)];
    v1::GroupScore& score = *outcome.sheet.add_groups();
    score.set_group_id(rubric.groups(i).id());
    score.set_points_e4(RoundedFor(rubric, group.value).units());
    score.set_raw_e4(RoundedFor(rubric, group.raw).units());
    score.set_max_e4(RoundedFor(rubric, group.max).units());
    score.set_absent(group.absent);
  }
}

}  // namespace

int TierOf(const assessment::Rubric& rubric, const std::string& area_code, int64_t total_e4) {
  for (int i = 0; i < rubric.tiers_size(); ++i) {
    const int64_t from = ClassValueOf(rubric, area_code, rubric.tiers(i).by_class())
                             .value_or(rubric.tiers(i).from_e4());
    if (total_e4 >= from) return i;
  }
  return rubric.tiers_size() - 1;
}

SheetOutcome ScoreSheet(RunContext& run, const std::string& area_code,
                        const std::string& language) {
  SheetOutcome outcome;
  const assessment::Rubric& rubric = run.rubric.rubric();
  v1::ScoreSheet& sheet = outcome.sheet;
  sheet.set_area_code(area_code);
  if (const auto* unit_class = ClassOf(rubric, area_code); unit_class != nullptr) {
    sheet.set_unit_class(unit_class->name());
  }
  Adder(run, area_code, language, outcome).Run();
  int64_t pending = 0;
  bool provisional = false;
  for (const LineRounds& line : outcome.lines) {
    *sheet.add_lines() = line.score;
    provisional = provisional || line.score.provisional();
    if (line.score.status() == v1::LINE_STATUS_NOT_YET_JUDGED ||
        line.score.status() == v1::LINE_STATUS_NO_DATA) {
      pending += line.score.max_e4();
    }
  }
  StoreGroups(rubric, outcome);
  // The total is rounded once more only where groups made a fraction of rounded lines.
  const Fraction& total = outcome.whole.value;
  sheet.set_total_e4(RoundedFor(rubric, total).units());
  if (total != Fraction(sheet.total_e4())) sheet.set_total_exact(total.ToString());
  sheet.set_max_e4(RoundedFor(rubric, outcome.whole.max - outcome.whole.missing).units());
  sheet.set_pending_e4(pending);
  ShutGates(ContextOf(run, area_code, language), outcome);
  sheet.set_provisional(provisional || outcome.whole.waits || pending > 0 ||
                        !sheet.open_questions().empty());
  return outcome;
}

}  // namespace fadu::scoring
