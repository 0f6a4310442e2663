#include "services/scoring/domain/sheet.h"

#include <algorithm>
#include <utility>

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

// O01: the first tier, from the best down, whose threshold the total reaches (以上 includes the
// number).
int TierOf(const assessment::Rubric& rubric, int64_t total_e4) {
  for (int i = 0; i < rubric.tiers_size(); ++i) {
    if (total_e4 >= rubric.tiers(i).from_e4()) return i;
  }
  return rubric.tiers_size() - 1;
}

int TierNamed(const assessment::Rubric& rubric, const std::string& name) {
  for (int i = 0; i < rubric.tiers_size(); ++i) {
    if (rubric.tiers(i).name() == name) return i;
  }
  return 0;
}

// Every gate that is shut; two at once are both told.
void ShutGates(const UnitContext& unit, SheetOutcome& outcome) {
  const assessment::Rubric& rubric = unit.rubric.rubric();
  const int by_points = TierOf(rubric, outcome.sheet.total_e4());
  int tier = by_points;
  for (const assessment::Gate& gate : rubric.gates()) {
    ConditionOutcome when = Judge(unit, gate.when());
    if (when.truth != Truth::kTrue) continue;
    if (gate.has_unless() && Judge(unit, gate.unless()).truth == Truth::kTrue) continue;
    v1::ShutGate& shut = *outcome.sheet.add_gates();
    shut.set_id(gate.id());
    shut.set_effect(gate.effect());
    outcome.sheet.set_award_barred(true);
    if (!gate.at_most().empty()) tier = std::max(tier, TierNamed(rubric, gate.at_most()));
    outcome.gates.push_back({&gate, std::move(when)});
  }
  outcome.sheet.set_tier(rubric.tiers(tier).name());
  if (tier != by_points) outcome.sheet.set_tier_by_points(rubric.tiers(by_points).name());
}

}  // namespace

SheetOutcome ScoreSheet(const UnitContext& unit) {
  SheetOutcome outcome;
  v1::ScoreSheet& sheet = outcome.sheet;
  sheet.set_area_code(unit.scope.area_code);
  int64_t total = 0;
  int64_t most = 0;
  int64_t pending = 0;
  for (int i = 0; i < unit.rubric.rubric().lines_size(); ++i) {
    LineOutcome line = ScoreLine(unit, i);
    total += line.score.points_e4();
    if (line.score.status() != v1::LINE_STATUS_NOT_APPLICABLE) most += line.score.max_e4();
    if (line.score.status() == v1::LINE_STATUS_NOT_YET_JUDGED) pending += line.score.max_e4();
    *sheet.add_lines() = line.score;
    outcome.lines.push_back(std::move(line));
  }
  sheet.set_total_e4(total);
  sheet.set_max_e4(most);
  sheet.set_pending_e4(pending);
  ShutGates(unit, outcome);
  return outcome;
}

}  // namespace fadu::scoring
