// services/scoring/domain/measure.h
//
// The measure language: one expression over facts that a rubric line, a report's figure and
// `fadu measure eval` share.
//
//   measure = term [ "/" term ] [ "as" "label" ]
//   term    = ( "count" "(" source ")" ) | ( "sum" "(" source ")" )
//   source  = collection [ "." field ] [ "where" filter ] [ "by" date-field ] [ "in" period ]
//   period  = "year" | "H1" | "H2" | "Q1".."Q4" | "M01".."M12"
//
//   count(disputes where outcome = SETTLED)
//   sum(educationEvents.participants where venues:SCHOOL in Q1)
//   count(disputes where outcome = SETTLED) / count(disputes) as "调解成功 ÷ 摸排发现"
//
// `sum` needs a numeric field, `count` none. Facts count on their counting date unless `by` names
// another date field; facts without that date do not count. Filters are those of List.
#ifndef FADU_SERVICES_SCORING_DOMAIN_MEASURE_H_
#define FADU_SERVICES_SCORING_DOMAIN_MEASURE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/base/civil_day.h"
#include "common/schema/filter.h"
#include "common/schema/record_type.h"
#include "fadu/scoring/v1/score.pb.h"
#include "services/scoring/domain/engine.h"

namespace fadu::scoring {

// A part of the year a measure is limited to: whole year, half, quarter or month.
struct Period {
  enum class Kind { kYear, kHalf, kQuarter, kMonth } kind = Kind::kYear;
  int index = 1;  // 1-based
  DayRange In(int year) const;
  std::string ToString() const;                         // "year", "H1", "Q3", "M12"
  std::string Label(absl::string_view language) const;  // 全年, 上半年, 三季度, 12月
};

struct Term {
  enum class Function { kCount, kSum } function = Function::kCount;
  const RecordType* type = nullptr;
  const RecordField* field = nullptr;  // kSum
  FilterNode filter;
  std::string filter_text;          // as written
  const RecordField* by = nullptr;  // null: the counting date
  Period period;
};

struct Measure {
  Term numerator;
  absl::optional<Term> denominator;
  std::string label;  // as written; empty: made from the terms
  bool is_ratio() const { return denominator.has_value(); }
};

// INVALID_ARGUMENT / REASON_MEASURE_INVALID with `position` (1-based code point) and `problem`.
absl::StatusOr<Measure> ParseMeasure(absl::string_view text, const RecordTypes& types);

// Canonical text; ParseMeasure(ToString(m)) is m.
std::string ToString(const Measure& measure);

// What a measure is evaluated on.
struct EvalScope {
  std::string area_code;  // subtree
  int year = 0;
  absl::optional<DayRange> within;  // cut to these days too (windows of L03)
  bool include_unconfirmed = false;
};

struct Evaluation {
  fadu::scoring::v1::MeasureValue value;
  std::vector<std::string> records;  // names of the facts counted in the numerator, sorted
  std::vector<std::string> denominator_records;
};

// Never fails: sums that leave 64 bits are clamped and logged as a bug.
Evaluation Evaluate(const Measure& measure, const FactSet& facts, const EvalScope& scope,
                    absl::string_view language);

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_MEASURE_H_
