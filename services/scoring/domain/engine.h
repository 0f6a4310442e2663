// services/scoring/domain/engine.h
//
// A run is a pure function of its inputs: the same inputs give the same bytes on any machine. An
// explanation is the same function, asked to show its steps. No SQL, no gRPC, no clock.
#ifndef FADU_SERVICES_SCORING_DOMAIN_ENGINE_H_
#define FADU_SERVICES_SCORING_DOMAIN_ENGINE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/schema/record_type.h"
#include "fadu/assessment/v1/given.pb.h"
#include "fadu/assessment/v1/outside.pb.h"
#include "fadu/assessment/v1/records.pb.h"
#include "fadu/assessment/v1/rubric.pb.h"
#include "fadu/scoring/v1/score.pb.h"
#include "services/scoring/domain/facts.h"

namespace fadu::scoring {

// Changes whenever any result could differ from what an earlier engine computed.
inline constexpr char kEngineVersion[] = "4";

// All that a run depends on, beside the code.
struct RunInputs {
  fadu::scoring::v1::Snapshot snapshot;  // year, areas, positions, versions
  fadu::assessment::v1::Rubric rubric;
  // Of the snapshot's cycle, the newest for each unit, line, clause, item, period and assessor.
  std::vector<fadu::assessment::v1::Mark> marks;
  // What else people and outside hand in: confirmed, of any year, in the order they were recorded;
  // where two say the same thing of the same unit the later one counts.
  std::vector<fadu::assessment::v1::Ruling> rulings;
  std::vector<fadu::assessment::v1::Adjustment> adjustments;
  std::vector<fadu::assessment::v1::ImportedResult> results;
  std::vector<fadu::assessment::v1::ExternalFigure> figures;
  std::vector<fadu::assessment::v1::ResponsibilitySplit> splits;
  std::vector<fadu::assessment::v1::Sample> samples;
  FactSet facts;  // of every year, with the snapshot's areas and last day
};

// Remarks on a rubric, errors first (docs: rubric check). Never fails.
std::vector<fadu::assessment::v1::Finding> CheckRubric(const fadu::assessment::v1::Rubric& rubric,
                                                       const RecordTypes& types);

// Scores every village of the snapshot's tree, then towns and county. The rubric passed
// CheckRubric without errors; else INVALID_ARGUMENT.
absl::StatusOr<fadu::scoring::v1::RunResult> ComputeRun(const RunInputs& inputs,
                                                        const RecordTypes& types);

// Deterministic bytes of a result, as stored and compared.
std::string ResultBytes(const fadu::scoring::v1::RunResult& result);

// One village's sheet with steps, in `language` "zh" or "en"; with `line_id` only that line.
// NOT_FOUND / REASON_AREA_UNKNOWN.
absl::StatusOr<fadu::scoring::v1::SheetExplanation> Explain(const RunInputs& inputs,
                                                            const RecordTypes& types,
                                                            absl::string_view area_code,
                                                            absl::string_view line_id,
                                                            absl::string_view language);

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_ENGINE_H_
