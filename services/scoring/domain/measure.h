// services/scoring/domain/measure.h
//
// The measure language: one expression over facts that a rubric line, a report's figure and
// `fadu measure eval` share. docs/measures.md teaches it; the grammar is here.
//
//   measure    = expression [ "as" "label" ]
//   expression = product { ( "+" | "-" ) product }
//   product    = value { "/" value | "per" [ number ] [ value ] }
//   value      = number | "(" expression ")" | function "(" arguments ")"
//
//   count(S)        records                      sum(Q)   average(Q)   min(Q)   max(Q)
//   distinct(S.f)   different values             denominator(KIND)     size(areas)
//   late(S span)    records over their deadline  ontime(S span)        those within ÷ those due
//   coverage(S[.f] of units [at least n])        units with n matching records ÷ all units
//   least(S[.f] of units)                        the fewest matching records that any unit has
//   gap(S)          days of the longest time from one record to the next
//   latest(S.f)     different values of f of which the newest record is as the filter says
//   years(S [at least n])                        years in a row, up to this one, with n records
//   mean(expression of areas)                    plain mean over all such areas of the county
//
//   Q      = S.f | S span              a numeric field, or the days of a span
//   S      = collection clauses        in any order, each once:
//            where filter              the filters of List
//            by date-field             the date it counts on; else the type's counting date
//            in period                 flows: counts on a day of the period; else the year
//            as of period              a stock: counts on or before its last day, and not ended
//            then until date-field          ended on that day … through date-field        … or
//            after it; both only with `as of`
//   span   = [ "from" date-field ] "to" date-field ( [ unit ] | "within" n unit | "due" date-field
//   ) unit   = "days" | "workdays" | "plaindays" units  = areas | collection[.f] [ where filter ] |
//   KIND areas  = "villages" | "communities" | "ruralvillages" | "towns" period = [ "last" ] (
//   "year" | "H1" | "H2" | "Q1".."Q4" | "M01".."M12" ) | "rolling" months | day ".." day
//
// `a / b` is a ratio, read as percent; `a per b` is a number. What stands in the same period of the
// year before is `last`. Arithmetic is exact; a value that leaves 64 bits is none and says so.
#ifndef FADU_SERVICES_SCORING_DOMAIN_MEASURE_H_
#define FADU_SERVICES_SCORING_DOMAIN_MEASURE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/base/civil_day.h"
#include "common/base/points.h"
#include "common/schema/filter.h"
#include "common/schema/record_type.h"
#include "fadu/scoring/v1/score.pb.h"
#include "services/scoring/domain/facts.h"

namespace fadu::scoring {

// A part of a year, or days as given.
struct Period {
  enum class Kind { kYear, kHalf, kQuarter, kMonth, kDays, kRolling } kind = Kind::kYear;
  int index = 1;       // 1-based, of half, quarter and month; how many months of kRolling
  int years_back = 0;  // 1: the year before the one evaluated
  DayRange days = {};  // kDays
  // "year", "H1", "Q3", "M12"; absent for anything else.
  static absl::optional<Period> Parse(absl::string_view text);
  // Rolling months end with the year.
  DayRange In(int year) const;
  std::string ToString() const;                         // "year", "H1", "last Q3", "M12"
  std::string Label(absl::string_view language) const;  // 全年, 上半年, 上年三季度, 12月
};

// The days from one date of a record to another, or over a deadline.
struct DateSpan {
  enum class Unit {
    kDays,       // calendar days; a deadline on a rest day moves to the next working day
    kWorkdays,   // working days of the calendar
    kPlainDays,  // calendar days; a deadline stays where it falls
  };
  const RecordField* from = nullptr;  // null: the date that the record counts on
  const RecordField* to = nullptr;
  absl::optional<int> within;        // a deadline so many days after `from`
  const RecordField* due = nullptr;  // a deadline that the record says itself
  Unit unit = Unit::kDays;
  bool has_deadline() const { return within.has_value() || due != nullptr; }
};

// Which records, on which date, in which time.
struct Source {
  const RecordType* type = nullptr;
  const RecordField* field = nullptr;
  absl::optional<DateSpan> span;
  FilterNode filter;                // without children: every record
  const RecordField* by = nullptr;  // null: the counting date
  Period period;
  bool as_of = false;                  // a stock on the period's last day
  const RecordField* until = nullptr;  // when it ended; absent in a record: it did not
  bool through = false;                // `until` is the last day on which it still held
};

// What coverage is over.
struct Units {
  enum class Kind {
    kVillages,
    kCommunities,    // residents' committees: 001 to 199 and 400 to 499
    kRuralVillages,  // villagers' committees: 200 to 399 and 500 to 599
    kTowns,
    kRecords,  // the records of `source`, each by its id or its field
    kFigure,   // a registered denominator
  } kind = Kind::kVillages;
  Source source;  // kRecords; kFigure: only its type
  const google::protobuf::EnumValueDescriptor* figure = nullptr;  // kFigure: what it counts
};

// A part of an expression. Which members count depends on `op`.
struct MeasureNode {
  enum class Op {
    kNumber,  // value
    kAdd,
    kSubtract,
    kDivide,  // a ratio
    kPer,     // a number: first × value ÷ second, or first ÷ value
    kCount,
    kSum,
    kAverage,
    kMin,
    kMax,
    kDistinct,
    kLate,
    kOntime,
    kCoverage,
    kDenominator,
    kSize,
    kGap,
    kLeast,
    kLatest,
    kYears,
    kMean,  // children[0] over `units`
  } op = Op::kNumber;
  fadu::scoring::v1::MeasureKind kind = fadu::scoring::v1::MEASURE_KIND_NUMBER;
  std::vector<MeasureNode> children;
  Source source;
  Units units;       // kCoverage, kDenominator, kSize, kLeast, kMean
  Points value;      // kNumber; kPer: the number in it
  int at_least = 1;  // kCoverage, kYears
};

// The days of the `months` months that end with `last`.
DayRange MonthsUntil(absl::CivilDay last, int months);

// A measure that fits the record types. Copies are cheap. A rule form asks for its kind: is_ratio()
// for rates, is_text() to refuse words.
struct Measure {
  // Shared: immutable, and a measure is kept by value in many places. Null: no measure.
  std::shared_ptr<const MeasureNode> root;
  std::string label;  // as written; empty: made from the expression
  fadu::scoring::v1::MeasureKind kind() const;
  // A ratio or a difference of ratios: people read it times 100.
  bool is_ratio() const;
  bool is_text() const;
  // It is count(…) and nothing else: its value is the number of its records.
  bool counts_records() const;
};

// INVALID_ARGUMENT / REASON_MEASURE_INVALID with `position` (1-based code point) and `problem`
// (Chinese, with what is available): longer than 4,000 bytes, nested deeper than 20, over 200
// parts, or anything that does not parse or does not fit the record types.
absl::StatusOr<Measure> ParseMeasure(absl::string_view text, const RecordTypes& types);

// Canonical text; ParseMeasure(ToString(m)) is m.
std::string ToString(const Measure& measure);

// For people, "zh" or "en": the label as written, else made from the expression. At most 300
// characters.
std::string LabelOf(const Measure& measure, absl::string_view language);

// There may be nothing to say of it: a denominator may be zero, an average be over no record.
bool MayBeEmpty(const Measure& measure);

// Evaluating it needs the area tree.
bool NeedsAreas(const Measure& measure);

// What a measure is evaluated on.
struct EvalScope {
  std::string area_code;  // subtree
  int year = 0;
  absl::optional<DayRange> within = absl::nullopt;  // cut to these days too (windows of L03)
  // What counts in the year counts in these days instead, of whatever years (M05).
  absl::optional<DayRange> term = absl::nullopt;
  bool include_unconfirmed = false;
  bool records = true;  // list the records counted
};

// False when there is nothing to say: the denominator is zero, a figure is missing and the like.
// Then the value's denominator is 0 and its `absence` says why. Else numerator ÷ denominator is the
// exact value, of ratios and of all others alike.
inline bool HasValue(const fadu::scoring::v1::MeasureValue& value) {
  return value.denominator() != 0;
}

struct Evaluation {
  fadu::scoring::v1::MeasureValue value;
  // Names of the facts counted, sorted, each once: of a ratio's numerator, of all else.
  std::vector<std::string> records;
  std::vector<std::string> denominator_records;
};

// Never fails. The same measure over the same facts gives the same bytes.
Evaluation Evaluate(const Measure& measure, const FactSet& facts, const EvalScope& scope,
                    absl::string_view language);

// A value as text with exactly `places` decimals (0 to 6): "98.17%", "12.50", "-7.01". Empty when
// there is none or when it is a text.
std::string FormatValue(const fadu::scoring::v1::MeasureValue& value, int places,
                        Rounding rounding);

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_MEASURE_H_
