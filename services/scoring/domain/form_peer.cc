// Leaf forms against peers: L13 BENCHMARK, L14 RANK. What peers read is known before any unit is
// scored; it moves until all of them are frozen.

#include <algorithm>
#include <utility>

#include "common/base/area_code.h"
#include "services/scoring/domain/clause.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

// What every unit of the run reads on this clause, by unit.
const std::map<std::string, Reading>& PeerReadings(const ClauseContext& context) {
  RunContext& run = context.unit.run;
  const auto [found, is_new] = run.peers.try_emplace({&context.clause, context.unit.period});
  if (is_new) {
    for (const std::string& code : run.units) {
      UnitContext peer = context.unit;
      peer.scope.area_code = code;
      found->second[code] =
          MainReading({peer, context.line, context.clause, context.index, context.earning_line});
    }
  }
  return found->second;
}

// Peers move until every one of them is frozen.
bool IsProvisional(const UnitContext& unit, assessment::PeerSet peers) {
  const auto& frozen = unit.run.inputs.snapshot.frozen_areas();
  const std::vector<std::string> codes = PeersOf(unit, peers);
  return !std::all_of(codes.begin(), codes.end(), [&](const std::string& code) {
    return std::any_of(frozen.begin(), frozen.end(),
                       [&](const std::string& area) { return IsWithin(code, area); });
  });
}

// The mean of peers; nullopt when there is none to compare with.
absl::optional<Fraction> MeanOf(const ClauseContext& context, const assessment::Benchmark& form,
                                ClauseOutcome& outcome) {
  const UnitContext& unit = context.unit;
  if (!form.figure().empty()) {
    const auto* figure = unit.run.given.FigureOf(unit.run.inputs.snapshot.county_code(),
                                                 form.figure(), unit.scope.year);
    return figure == nullptr ? absl::nullopt : absl::make_optional<Fraction>(figure->value_e4());
  }
  const std::map<std::string, Reading>& readings = PeerReadings(context);
  Fraction sum;
  Fraction weights;
  for (const std::string& code : PeersOf(unit, form.peers())) {
    if (form.without_own() && code == unit.area()) continue;
    const Reading& reading = readings.at(code);
    if (!reading.usable()) continue;
    ++outcome.ranked;
    const v1::MeasureValue& value = reading.evaluation.value;
    Fraction weight = 1;
    if (form.pooled() && value.is_ratio()) weight = value.denominator();
    if (!form.weight_measure().empty()) {
      UnitContext peer = unit;
      peer.scope.area_code = code;
      weight = Read(peer, form.weight_measure()).number;
    }
    sum += reading.number * weight;
    weights += weight;
  }
  if (weights <= Fraction()) return absl::nullopt;
  return sum / weights;
}

// Points of a rank, from 1; between two ranks in proportion.
Fraction PointsAt(const assessment::Rank& form, const Fraction& rank) {
  const auto whole = [&](int64_t place) -> Fraction {
    if (form.points_e4().empty()) {
      return std::max(Fraction(),
                      Fraction(form.first_e4()) - Fraction(form.per_rank_e4()) * (place - 1));
    }
    return place <= form.points_e4_size() ? form.points_e4(static_cast<int>(place) - 1)
                                          : form.beyond_e4();
  };
  const Fraction below = rank.Floor();
  const int64_t place = below.RoundTo(4, Rounding::kCut).units();
  if (rank.IsWhole()) return whole(place);
  return whole(place) + (whole(place + 1) - whole(place)) * (rank - below);
}

}  // namespace

std::vector<std::string> PeersOf(const UnitContext& unit, assessment::PeerSet peers) {
  const assessment::Rubric& rubric = unit.rubric().rubric();
  const assessment::UnitClass* own = ClassOf(rubric, unit.area());
  std::vector<std::string> codes;
  for (const std::string& code : unit.run.units) {
    const bool same_town = code.substr(0, 9) == unit.area().substr(0, 9);
    if (peers == assessment::PEER_SET_TOWN && !same_town) continue;
    if (peers == assessment::PEER_SET_CLASS && ClassOf(rubric, code) != own) continue;
    codes.push_back(code);
  }
  return codes;
}

// L13: exactly on the mean neither earns nor loses.
void ScoreBenchmark(const ClauseContext& context, const assessment::Benchmark& form,
                    ClauseOutcome& outcome) {
  if (SettleUnread(context, outcome.reading, context.clause.when_empty(), context.line.max_e4(),
                   outcome)) {
    return;
  }
  const absl::optional<Fraction> mean = MeanOf(context, form, outcome);
  if (!mean.has_value()) {
    Reading nothing;
    nothing.unknown = !form.figure().empty();
    nothing.empty = !nothing.unknown;
    (void)SettleUnread(context, nothing, context.clause.when_empty(), context.line.max_e4(),
                       outcome);
    return;
  }
  outcome.provisional = form.figure().empty() && IsProvisional(context.unit, form.peers());
  outcome.against = *mean;
  const Fraction over =
      form.less_is_better() ? *mean - outcome.reading.number : outcome.reading.number - *mean;
  outcome.met = over >= Fraction();
  if (over == Fraction()) return;
  outcome.distance = over > Fraction() ? over : -over;
  outcome.steps = form.step_e4() > 0
                      ? StepsOf(outcome.distance, form.step_e4(), form.step_rounding())
                      : Fraction(1);
  SetPoints(
      over > Fraction() ? outcome.steps * form.above_e4() : -(outcome.steps * form.below_e4()),
      outcome);
}

// L14: the position among those that have a value.
void ScoreRank(const ClauseContext& context, ClauseOutcome& outcome) {
  const assessment::Rank& form = context.clause.rank();
  const std::map<std::string, Reading>& readings = PeerReadings(context);
  const auto self = readings.find(context.unit.area());
  if (self == readings.end()) {
    // Only units have ranks; the linter refuses an average of them.
    outcome.empty = true;
    outcome.state = ClauseOutcome::State::kNotApplicable;
    return;
  }
  outcome.reading = self->second;
  const Fraction most = form.points_e4().empty() ? form.first_e4() : Fraction(form.points_e4(0));
  if (SettleUnread(context, outcome.reading, context.clause.when_empty(), most, outcome)) return;
  outcome.provisional = IsProvisional(context.unit, form.peers());
  const Fraction own = outcome.reading.number;
  Fraction first = own;
  int64_t before = 0;
  for (const std::string& code : PeersOf(context.unit, form.peers())) {
    const Reading& reading = readings.at(code);
    if (!reading.usable()) continue;
    ++outcome.ranked;
    const bool better = form.least_first() ? reading.number < own : reading.number > own;
    const bool ahead_of_first =
        form.least_first() ? reading.number < first : reading.number > first;
    if (ahead_of_first) first = reading.number;
    if (better) ++before;
    if (reading.number == own) ++outcome.sharing;
  }
  outcome.rank = before + 1;
  outcome.against = first;
  Fraction points;
  if (form.proportional()) {
    // The first has it all; of nothing, all are first.
    const Fraction share = own == first          ? Fraction(1)
                           : form.least_first()  ? (own == Fraction() ? Fraction(1) : first / own)
                           : first == Fraction() ? Fraction(1)
                                                 : own / first;
    points = std::max(Fraction(), Fraction(form.first_e4()) * share);
  } else if (form.ties() == assessment::TIE_RULE_SHARE) {
    for (int64_t place = outcome.rank; place < outcome.rank + outcome.sharing; ++place) {
      points += PointsAt(form, place);
    }
    points = points / Fraction(outcome.sharing);
  } else if (form.ties() == assessment::TIE_RULE_AVERAGE) {
    points = PointsAt(form, Fraction(outcome.rank) + Fraction::Of(outcome.sharing - 1, 2));
  } else {
    points = PointsAt(form, outcome.rank);
  }
  outcome.met = true;
  // What the first would get and this one does not is lost, in a line that loses.
  outcome.raw = outcome.earns ? points : std::max(Fraction(), most - points);
}

}  // namespace fadu::scoring
