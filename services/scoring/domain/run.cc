#include <map>
#include <set>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "common/base/status.h"
#include "services/scoring/domain/engine.h"
#include "services/scoring/domain/line.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

// O01: the first tier, from the best down, whose threshold the total reaches (以上 includes the
// number).
const std::string& TierOf(const assessment::Rubric& rubric, int64_t total_e4) {
  for (const assessment::Tier& tier : rubric.tiers()) {
    if (total_e4 >= tier.from_e4()) return tier.name();
  }
  return rubric.tiers(rubric.tiers_size() - 1).name();
}

v1::ScoreSheet ScoreVillage(const CompiledRubric& rubric, const RunInputs& inputs,
                            const std::string& area_code) {
  v1::ScoreSheet sheet;
  sheet.set_area_code(area_code);
  int64_t total = 0;
  int64_t most = 0;
  int64_t pending = 0;
  for (int i = 0; i < rubric.rubric().lines_size(); ++i) {
    v1::LineScore score = ScoreLine(rubric, i, inputs, area_code, "zh").score;
    total += score.points_e4();
    if (score.status() != v1::LINE_STATUS_NOT_APPLICABLE) most += score.max_e4();
    if (score.status() == v1::LINE_STATUS_NOT_YET_JUDGED) pending += score.max_e4();
    *sheet.add_lines() = std::move(score);
  }
  sheet.set_total_e4(total);
  sheet.set_max_e4(most);
  sheet.set_pending_e4(pending);
  sheet.set_tier(TierOf(rubric.rubric(), total));
  return sheet;
}

v1::Rollup RollUp(const assessment::Rubric& rubric, const std::string& area_code,
                  const std::vector<const v1::ScoreSheet*>& sheets) {
  v1::Rollup rollup;
  rollup.set_area_code(area_code);
  std::map<std::string, int64_t> tiers;
  int64_t sum = 0;
  int64_t provisional = 0;
  for (const v1::ScoreSheet* sheet : sheets) {
    sum += sheet->total_e4();
    ++tiers[sheet->tier()];
    if (sheet->pending_e4() > 0) ++provisional;
  }
  const auto villages = static_cast<int64_t>(sheets.size());
  rollup.set_villages(villages);
  rollup.set_sum_e4(sum);
  // Rates and means are recomputed from sums, never averaged (invariant 55).
  rollup.set_mean_e4(villages == 0 ? 0 : MulDivRound(sum, 1, villages, Rounding::kHalfUp));
  rollup.set_provisional(provisional);
  for (const assessment::Tier& tier : rubric.tiers()) {
    v1::TierCount& count = *rollup.add_tiers();
    count.set_tier(tier.name());
    count.set_villages(tiers[tier.name()]);
  }
  return rollup;
}

}  // namespace

absl::StatusOr<v1::RunResult> ComputeRun(const RunInputs& inputs, const RecordTypes& types) {
  if (inputs.rubric.tiers().empty() || inputs.rubric.lines().empty()) {
    return absl::InvalidArgumentError("the rubric has no lines or no tiers");
  }
  FADU_ASSIGN_OR_RETURN(const CompiledRubric rubric, CompiledRubric::Compile(inputs.rubric, types));
  std::set<std::string> villages;
  for (const v1::AreaNode& area : inputs.snapshot.areas()) {
    if (area.code().size() == 12) villages.insert(area.code());
  }
  v1::RunResult result;
  for (const std::string& village : villages) {
    *result.add_villages() = ScoreVillage(rubric, inputs, village);
  }
  std::map<std::string, std::vector<const v1::ScoreSheet*>> by_town;
  std::vector<const v1::ScoreSheet*> all;
  for (const v1::ScoreSheet& sheet : result.villages()) {
    by_town[sheet.area_code().substr(0, 9)].push_back(&sheet);
    all.push_back(&sheet);
  }
  for (const auto& [town, sheets] : by_town) {
    *result.add_towns() = RollUp(inputs.rubric, town, sheets);
  }
  *result.mutable_county() = RollUp(inputs.rubric, inputs.snapshot.county_code(), all);
  return result;
}

std::string ResultBytes(const v1::RunResult& result) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    result.SerializeToCodedStream(&coded);
  }
  return bytes;
}

}  // namespace fadu::scoring
