#include <map>
#include <utility>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "common/base/status.h"
#include "services/scoring/domain/engine.h"
#include "services/scoring/domain/outcome.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

v1::Rollup RollUp(const assessment::Rubric& rubric, const std::string& area_code,
                  const std::vector<const v1::ScoreSheet*>& sheets) {
  v1::Rollup rollup;
  rollup.set_area_code(area_code);
  std::map<std::string, int64_t> tiers;
  int64_t sum = 0;
  int64_t provisional = 0;
  int64_t barred = 0;
  for (const v1::ScoreSheet* sheet : sheets) {
    sum += sheet->total_e4();
    ++tiers[sheet->tier()];
    if (sheet->pending_e4() > 0 || sheet->provisional()) ++provisional;
    if (sheet->award_barred()) ++barred;
  }
  const auto villages = static_cast<int64_t>(sheets.size());
  rollup.set_villages(villages);
  rollup.set_sum_e4(sum);
  // Rates and means are recomputed from sums, never averaged (invariant 55).
  rollup.set_mean_e4(villages == 0 ? 0 : MulDivRound(sum, 1, villages, Rounding::kHalfUp));
  rollup.set_provisional(provisional);
  rollup.set_award_barred(barred);
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
  RunContext run(rubric, inputs);
  const Sheets sheets = ScoreAll(run, "zh");
  v1::RunResult result;
  for (const auto& [code, outcome] : sheets) *result.add_villages() = outcome.sheet;
  for (v1::ApplicationShort& entry : ShortApplications(run, sheets)) {
    *result.add_applications() = std::move(entry);
  }
  std::map<std::string, std::vector<const v1::ScoreSheet*>> by_town;
  std::vector<const v1::ScoreSheet*> all;
  for (const v1::ScoreSheet& sheet : result.villages()) {
    if (sheet.area_code().size() > 9) {
      by_town[sheet.area_code().substr(0, 9)].push_back(&sheet);
    }
    all.push_back(&sheet);
  }
  for (const auto& [town, beneath] : by_town) {
    *result.add_towns() = RollUp(inputs.rubric, town, beneath);
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
