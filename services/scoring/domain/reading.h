// services/scoring/domain/reading.h
//
// What a clause looks at: measures read for one unit as exact numbers, conditions over them (M11),
// and the records that were counted.
#ifndef FADU_SERVICES_SCORING_DOMAIN_READING_H_
#define FADU_SERVICES_SCORING_DOMAIN_READING_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/types/optional.h"
#include "common/base/civil_day.h"
#include "fadu/assessment/v1/rubric.pb.h"
#include "services/scoring/domain/compiled_rubric.h"
#include "services/scoring/domain/engine.h"
#include "services/scoring/domain/fraction.h"
#include "services/scoring/domain/measure.h"

namespace fadu::scoring {

// What the facts say behind the names that measures give.
class FactIndex {
 public:
  explicit FactIndex(const FactSet& facts) : facts_(facts) {}
  // The values of a top-level field of a record, as text; empty when it has none.
  std::vector<std::string> ValuesOf(const std::string& record_name, const std::string& field) const;
  // A date field of a record, or its counting date when `field` is empty.
  absl::optional<absl::CivilDay> DayOf(const std::string& record_name,
                                       const std::string& field) const;

 private:
  const FactSet& facts_;
};

// What a unit is scored with: the run's inputs, its rubric, and where.
struct UnitContext {
  const CompiledRubric& rubric;
  const RunInputs& inputs;
  const FactIndex& index;
  EvalScope scope;  // the unit's area and the year
  std::string language;
};

// The context of one unit; `language` "zh" or "en" for what people read.
UnitContext ContextOf(const CompiledRubric& rubric, const RunInputs& inputs, const FactIndex& index,
                      absl::string_view area_code, absl::string_view language);

// A measure as it was read for a unit.
struct Reading {
  Evaluation evaluation;
  // In 1/10,000; a ratio in percent × 10,000. Zero when `empty`.
  Fraction number;
  bool empty = false;  // over nothing
};

// Reads a measure that stands in the rubric, within `window` when there is one.
Reading Read(const UnitContext& unit, const std::string& measure,
             const absl::optional<DayRange>& window = absl::nullopt);

enum class Truth { kFalse, kTrue, kUnknown };

// A condition and how each of its branches stands.
struct ConditionOutcome {
  Truth truth = Truth::kTrue;
  std::string requirement;
  std::string measure;  // empty: a tree only
  fadu::assessment::v1::Comparison comparison = fadu::assessment::v1::COMPARISON_UNSPECIFIED;
  int64_t threshold_e4 = 0;
  Reading reading;
  std::vector<ConditionOutcome> all, any, none;
};

// `number` against `threshold`, both in 1/10,000.
bool Compare(fadu::assessment::v1::Comparison comparison, const Fraction& number,
             const Fraction& threshold);

// M11. Every message that carries a condition has the same fields: measure, comparison,
// threshold_e4, all, any, none. A measure without a comparison asks for at least one.
template <typename Carrier>
ConditionOutcome Judge(const UnitContext& unit, const Carrier& condition);

// The class of a unit: the first that takes its area; null when none does.
const fadu::assessment::v1::UnitClass* ClassOf(const fadu::assessment::v1::Rubric& rubric,
                                               absl::string_view area_code);

// A part of the year with its name.
struct Span {
  DayRange days;
  std::string name;
};
// The windows of a year, in order.
std::vector<Span> SpansOf(fadu::assessment::v1::Window window, int year,
                          absl::string_view language);

// ---- Judge -------------------------------------------------------------------------------------

// The comparison of one measure.
ConditionOutcome JudgeMeasure(const UnitContext& unit, const std::string& measure,
                              fadu::assessment::v1::Comparison comparison, int64_t threshold_e4);
// What the branches make of the whole: false beats unknown beats true.
void JoinBranches(ConditionOutcome& outcome);

template <typename Carrier>
std::string RequirementOf(const Carrier& carrier) {
  if constexpr (requires { carrier.requirement(); }) {
    return carrier.requirement();
  } else {
    return carrier.name();
  }
}

template <typename Carrier>
ConditionOutcome Judge(const UnitContext& unit, const Carrier& condition) {
  ConditionOutcome outcome;
  if (!condition.measure().empty()) {
    outcome =
        JudgeMeasure(unit, condition.measure(), condition.comparison(), condition.threshold_e4());
  }
  outcome.requirement = RequirementOf(condition);
  for (const auto& branch : condition.all()) outcome.all.push_back(Judge(unit, branch));
  for (const auto& branch : condition.any()) outcome.any.push_back(Judge(unit, branch));
  for (const auto& branch : condition.none()) outcome.none.push_back(Judge(unit, branch));
  JoinBranches(outcome);
  return outcome;
}

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_READING_H_
