// services/scoring/domain/reading.h
//
// What a clause looks at: measures read for one unit as exact numbers, what was handed in beside
// them, and conditions over both (M11).
#ifndef FADU_SERVICES_SCORING_DOMAIN_READING_H_
#define FADU_SERVICES_SCORING_DOMAIN_READING_H_

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/types/optional.h"
#include "common/base/civil_day.h"
#include "fadu/assessment/v1/rubric.pb.h"
#include "services/scoring/domain/compiled_rubric.h"
#include "services/scoring/domain/engine.h"
#include "services/scoring/domain/fraction.h"
#include "services/scoring/domain/given.h"
#include "services/scoring/domain/measure.h"

namespace fadu::scoring {

// What the facts say behind the names that measures give.
class FactIndex {
 public:
  explicit FactIndex(const FactSet& facts) : facts_(facts) {}
  // The values of a top-level field of a record, as text; empty when it has none.
  std::vector<std::string> ValuesOf(const std::string& record_name, const std::string& field) const;
  // The first value as a number; absent when it has none.
  absl::optional<int64_t> NumberOf(const std::string& record_name, const std::string& field) const;
  // A date field of a record, or its counting date when `field` is empty.
  absl::optional<absl::CivilDay> DayOf(const std::string& record_name,
                                       const std::string& field) const;

 private:
  const FactSet& facts_;
};

// A measure as it was read for a unit.
struct Reading {
  Evaluation evaluation;
  // In 1/10,000; a ratio in percent × 10,000. Zero when there is nothing to say.
  Fraction number;
  bool empty = false;    // over nothing
  bool unknown = false;  // no ruling, no result, no figure: no data is not zero
  bool usable() const { return !empty && !unknown; }
};

// One run being scored: its inputs, arranged, and what units are compared with. Not for two threads
// at once.
struct RunContext {
  RunContext(const CompiledRubric& compiled, const RunInputs& run_inputs);

  const CompiledRubric& rubric;
  const RunInputs& inputs;
  FactIndex index;
  GivenIndex given;
  // Codes of the units scored, in order.
  std::vector<std::string> units;
  // The first day of each area that has one.
  std::map<std::string, absl::CivilDay> founded;
  // What peers read, by clause and part of the year: filled when a clause asks for it first (L13,
  // L14).
  std::map<std::pair<const fadu::assessment::v1::Clause*, std::string>,
           std::map<std::string, Reading>>
      peers;
};

// What a unit is scored with.
struct UnitContext {
  RunContext& run;
  EvalScope scope;     // the unit's area, the year, the part of the year
  std::string period;  // "" the year, else H1, Q3, M05
  std::string language;
  // M13: the records that lines counted, by line. Filled as lines are scored.
  std::map<int, std::set<std::string>>* counted = nullptr;
  // M05: measures look back.
  const fadu::assessment::v1::Rolling* rolling = nullptr;

  const CompiledRubric& rubric() const { return run.rubric; }
  const std::string& area() const { return scope.area_code; }
  // The days that are scored.
  DayRange days() const { return scope.within.value_or(YearRange(scope.year)); }
};

// The context of one unit over the whole year; `language` "zh" or "en" for what people read.
UnitContext ContextOf(RunContext& run, absl::string_view area_code, absl::string_view language);

// Reads a source that stands in the rubric, within `window` when there is one.
Reading Read(const UnitContext& unit, const std::string& source,
             const absl::optional<DayRange>& window = absl::nullopt);
// The same for the county, whatever the unit (M06).
Reading ReadCounty(const UnitContext& unit, const std::string& source);
// The same `back` years before.
Reading ReadEarlier(const UnitContext& unit, const std::string& source, int back);

enum class Truth { kFalse, kTrue, kUnknown };

// A condition and how each of its branches stands.
struct ConditionOutcome {
  Truth truth = Truth::kTrue;
  bool no_data = false;  // unknown because nobody has said it yet, not because it is over nothing
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

// The keys of rulings that a condition waits for.
void CollectOpenQuestions(const UnitContext& unit, const ConditionOutcome& outcome,
                          std::set<std::string>& keys);

// The class of a unit: the first that takes its area; null when none does.
const fadu::assessment::v1::UnitClass* ClassOf(const fadu::assessment::v1::Rubric& rubric,
                                               absl::string_view area_code);
// The value of the unit's class; nullopt when there is none.
absl::optional<int64_t> ClassValueOf(
    const fadu::assessment::v1::Rubric& rubric, absl::string_view area_code,
    const google::protobuf::RepeatedPtrField<fadu::assessment::v1::ClassValue>& values);

// A part of the year with its name and its code: 三季度, "Q3".
struct YearPart {
  DayRange days;
  std::string name;
  std::string code;
};
// The windows of a year, in order.
std::vector<YearPart> PartsOf(fadu::assessment::v1::Window window, int year,
                              absl::string_view language);
// Those within `days`; the whole of it for the year.
std::vector<YearPart> PartsWithin(fadu::assessment::v1::Window window, int year,
                                  const DayRange& days, absl::string_view language);
// "H1", "Q3", "M05", "year"; nullopt for another word.
absl::optional<YearPart> PartNamed(const std::string& code, int year, absl::string_view language);

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
