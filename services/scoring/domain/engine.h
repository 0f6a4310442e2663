// services/scoring/domain/engine.h
//
// A run is a pure function of its inputs: the same inputs give the same bytes on any machine. An
// explanation is the same function, asked to show its steps. No SQL, no gRPC, no clock.
#ifndef FADU_SERVICES_SCORING_DOMAIN_ENGINE_H_
#define FADU_SERVICES_SCORING_DOMAIN_ENGINE_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "common/base/civil_day.h"
#include "common/schema/record_type.h"
#include "fadu/assessment/v1/given.pb.h"
#include "fadu/assessment/v1/outside.pb.h"
#include "fadu/assessment/v1/records.pb.h"
#include "fadu/assessment/v1/rubric.pb.h"
#include "fadu/common/v1/fact_feed.pb.h"
#include "fadu/scoring/v1/score.pb.h"

namespace fadu::scoring {

// Changes whenever any result could differ from what an earlier engine computed.
inline constexpr char kEngineVersion[] = "2";

// One fact, decoded. Only facts that hold (newest revision, no tombstone) come here.
struct FactView {
  std::string service;  // "mediation"
  const RecordType* type = nullptr;
  std::string id;  // the record's id
  int64_t revision = 0;
  std::string area_code;
  absl::CivilDay counted_on;
  bool confirmed = false;
  std::shared_ptr<const google::protobuf::Message> values;
  // counties/{county}/{collection}/{id}
  std::string RecordName() const;
};

// The facts of one county, arranged for evaluation. Immutable after Build.
class FactSet {
 public:
  // `types` must outlive it. Order of `facts` does not matter.
  static FactSet Build(std::vector<FactView> facts);
  // Facts of one type, sorted by (area, counted day, id).
  const std::vector<const FactView*>& OfType(const RecordType* type) const;
  size_t size() const { return facts_.size(); }

 private:
  std::vector<std::unique_ptr<FactView>> facts_;
  std::map<const RecordType*, std::vector<const FactView*>> by_type_;
  std::vector<const FactView*> none_;
};

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
  FactSet facts;
};

// The record types that measures may name: those of every service that feeds scoring.
const RecordTypes& MeasurableTypes();

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
