#include "services/scoring/domain/reading.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/area_code.h"
#include "common/base/points.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

std::string TextOf(const Value& value) {
  switch (value.kind) {
    case ValueKind::kText:
    case ValueKind::kCode:
    case ValueKind::kDate:
      return value.text;
    case ValueKind::kInt:
    case ValueKind::kBool:
      return absl::StrCat(value.number);
    case ValueKind::kPoints:
      return Points::FromUnits(value.number).ToString();
  }
  return "";
}

}  // namespace

std::vector<std::string> FactIndex::ValuesOf(const std::string& record_name,
                                             const std::string& field) const {
  const absl::optional<FactRef> fact = facts_.Find(record_name);
  const RecordField* known = fact.has_value() ? fact->type().FindField(field) : nullptr;
  std::vector<std::string> texts;
  if (known == nullptr) return texts;
  for (const Value& value : fact->ValuesOf(*known)) texts.push_back(TextOf(value));
  return texts;
}

absl::optional<absl::CivilDay> FactIndex::DayOf(const std::string& record_name,
                                                const std::string& field) const {
  if (field.empty()) {
    const absl::optional<FactRef> fact = facts_.Find(record_name);
    return fact.has_value() ? absl::make_optional(fact->counted_on()) : absl::nullopt;
  }
  const std::vector<std::string> texts = ValuesOf(record_name, field);
  if (texts.empty()) return absl::nullopt;
  const absl::StatusOr<absl::CivilDay> day = ParseDay(texts[0]);
  return day.ok() ? absl::make_optional(*day) : absl::nullopt;
}

UnitContext ContextOf(const CompiledRubric& rubric, const RunInputs& inputs, const FactIndex& index,
                      absl::string_view area_code, absl::string_view language) {
  EvalScope scope;
  scope.area_code = std::string(area_code);
  scope.year = inputs.snapshot.year();
  return UnitContext{rubric, inputs, index, scope, std::string(language)};
}

Reading Read(const UnitContext& unit, const std::string& measure,
             const absl::optional<DayRange>& window) {
  const Measure& parsed = unit.rubric.MeasureOf(measure);
  EvalScope scope = unit.scope;
  if (window.has_value()) scope.within = window;
  Reading reading;
  reading.evaluation = Evaluate(parsed, unit.inputs.facts, scope, unit.language);
  const v1::MeasureValue& value = reading.evaluation.value;
  if (!HasValue(value)) {
    reading.empty = true;
    return reading;
  }
  reading.number = Fraction::Of(value.numerator(), value.denominator()) * Points::kScale;
  if (value.is_ratio()) reading.number = reading.number * 100;
  return reading;
}

bool Compare(assessment::Comparison comparison, const Fraction& number, const Fraction& threshold) {
  switch (comparison) {
    case assessment::COMPARISON_AT_LEAST:
      return number >= threshold;
    case assessment::COMPARISON_MORE_THAN:
      return number > threshold;
    case assessment::COMPARISON_AT_MOST:
      return number <= threshold;
    case assessment::COMPARISON_LESS_THAN:
      return number < threshold;
    case assessment::COMPARISON_EQUAL:
      return number == threshold;
    default:
      return false;
  }
}

ConditionOutcome JudgeMeasure(const UnitContext& unit, const std::string& measure,
                              assessment::Comparison comparison, int64_t threshold_e4) {
  ConditionOutcome outcome;
  outcome.measure = measure;
  const bool named = comparison != assessment::COMPARISON_UNSPECIFIED;
  outcome.comparison = named ? comparison : assessment::COMPARISON_AT_LEAST;
  outcome.threshold_e4 = named ? threshold_e4 : Points::kScale;
  outcome.reading = Read(unit, measure);
  if (outcome.reading.empty) {
    outcome.truth = Truth::kUnknown;
  } else if (!Compare(outcome.comparison, outcome.reading.number, outcome.threshold_e4)) {
    outcome.truth = Truth::kFalse;
  }
  return outcome;
}

void JoinBranches(ConditionOutcome& outcome) {
  const auto join = [&](Truth truth) {
    if (outcome.truth == Truth::kFalse || truth == Truth::kFalse) {
      outcome.truth = Truth::kFalse;
    } else if (truth == Truth::kUnknown) {
      outcome.truth = Truth::kUnknown;
    }
  };
  for (const ConditionOutcome& branch : outcome.all) join(branch.truth);
  for (const ConditionOutcome& branch : outcome.none) {
    join(branch.truth == Truth::kTrue    ? Truth::kFalse
         : branch.truth == Truth::kFalse ? Truth::kTrue
                                         : Truth::kUnknown);
  }
  if (outcome.any.empty()) return;
  Truth any = Truth::kFalse;
  for (const ConditionOutcome& branch : outcome.any) {
    if (branch.truth == Truth::kTrue) any = Truth::kTrue;
    if (branch.truth == Truth::kUnknown && any == Truth::kFalse) any = Truth::kUnknown;
  }
  join(any);
}

const assessment::UnitClass* ClassOf(const assessment::Rubric& rubric,
                                     absl::string_view area_code) {
  for (const assessment::UnitClass& unit_class : rubric.classes()) {
    const bool takes =
        std::any_of(unit_class.areas().begin(), unit_class.areas().end(),
                    [&](const std::string& area) { return IsWithin(area_code, area); });
    if (takes || unit_class.areas().empty()) return &unit_class;
  }
  return nullptr;
}

std::vector<Span> SpansOf(assessment::Window window, int year, absl::string_view language) {
  std::vector<Span> spans;
  const auto periods = [&](Period::Kind kind, int count) {
    for (int i = 1; i <= count; ++i) {
      const Period period{kind, i};
      spans.push_back({period.In(year), period.Label(language)});
    }
  };
  switch (window) {
    case assessment::WINDOW_HALF_YEAR:
      periods(Period::Kind::kHalf, 2);
      break;
    case assessment::WINDOW_QUARTER:
      periods(Period::Kind::kQuarter, 4);
      break;
    case assessment::WINDOW_MONTH:
      periods(Period::Kind::kMonth, 12);
      break;
    case assessment::WINDOW_WEEK: {
      const absl::CivilDay first(year, 1, 1);
      absl::CivilDay monday = absl::NextWeekday(first - 1, absl::Weekday::monday);
      for (int i = 1; monday.year() == year; ++i, monday += 7) {
        spans.push_back({{monday, monday + 6},
                         language == "en"
                             ? absl::StrCat("week of ", FormatDay(monday))
                             : absl::StrCat("第", i, "周（", FormatDay(monday), "起）")});
      }
      break;
    }
    default:
      periods(Period::Kind::kYear, 1);
      break;
  }
  return spans;
}

}  // namespace fadu::scoring
