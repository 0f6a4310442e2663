#include "services/scoring/domain/reading.h"

#include <algorithm>
#include <limits>

#include "absl/strings/numbers.h"
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

// The exact number of an evaluation, in 1/10,000; a ratio in percent.
Reading ReadingOf(Evaluation evaluation) {
  Reading reading;
  reading.evaluation = std::move(evaluation);
  const v1::MeasureValue& value = reading.evaluation.value;
  if (!HasValue(value)) {
    // No figure has been registered: that is no data. A zero denominator is known to be nothing.
    reading.unknown = value.absence() == v1::ABSENCE_NO_FIGURE;
    reading.empty = !reading.unknown;
    return reading;
  }
  reading.number = Fraction::Of(value.numerator(), value.denominator()) * Points::kScale;
  if (value.is_ratio()) reading.number = reading.number * 100;
  return reading;
}

DayRange Intersection(const DayRange& a, const DayRange& b) {
  return {std::max(a.first, b.first), std::min(a.last, b.last)};
}

// M05: the days looked back over; nullopt when nobody has said until when.
absl::optional<DayRange> RollingDays(const UnitContext& unit) {
  const assessment::Rolling& rolling = *unit.rolling;
  absl::CivilDay last = unit.days().last;
  if (!rolling.until().empty()) {
    const absl::StatusOr<absl::CivilDay> until = ParseDay(rolling.until());
    if (until.ok()) last = *until;
  } else if (!rolling.until_ruling().empty()) {
    const auto rulings = unit.run.given.RulingsOf(unit.area(), rolling.until_ruling());
    const absl::StatusOr<absl::CivilDay> until = ParseDay(rulings.empty() ? "" : rulings[0]->day());
    if (!until.ok()) return absl::nullopt;
    last = *until;
  }
  return MonthsUntil(last, rolling.months());
}

Reading ReadMeasure(const UnitContext& unit, const Measure& measure, const std::string& area,
                    const absl::optional<DayRange>& window) {
  EvalScope scope = unit.scope;
  scope.area_code = area;
  if (unit.rolling != nullptr) {
    scope.term = RollingDays(unit);
    scope.within = absl::nullopt;
    if (!scope.term.has_value()) {
      Reading reading;
      reading.unknown = true;
      reading.evaluation.value.set_label(LabelOf(measure, unit.language));
      return reading;
    }
  } else if (window.has_value()) {
    scope.within = scope.within.has_value() ? Intersection(*scope.within, *window) : *window;
  }
  return ReadingOf(Evaluate(measure, unit.run.inputs.facts, scope, unit.language));
}

void SetNumber(Reading& reading, const Fraction& number, const std::string& text) {
  reading.number = number;
  v1::MeasureValue& value = reading.evaluation.value;
  value.set_denominator(Points::kScale);
  value.set_numerator(number.RoundTo(4, Rounding::kHalfUp).units());
  value.set_text(text);
}

void SetUnknown(Reading& reading, absl::string_view language) {
  reading.unknown = true;
  reading.evaluation.value.set_text(language == "en" ? "no data yet" : "尚无数据");
}

// ruling(key): the sum over items of what was ruled.
Reading ReadRuling(const UnitContext& unit, const std::string& key) {
  const bool zh = unit.language != "en";
  Reading reading;
  v1::MeasureValue& value = reading.evaluation.value;
  const assessment::RulingSpec* spec = unit.rubric().RulingOf(key);
  value.set_label(spec == nullptr ? key : spec->what());
  value.set_expression(absl::StrCat("ruling(", key, ")"));
  const auto rulings = unit.run.given.RulingsOf(unit.area(), key);
  if (rulings.empty()) {
    SetUnknown(reading, unit.language);
    return reading;
  }
  Fraction sum;
  for (const assessment::Ruling* ruling : rulings) sum += ruling->value_e4();
  const assessment::Ruling& last = *rulings.back();
  std::string text = sum.RoundTo(4, Rounding::kHalfUp).ToString();
  if (spec != nullptr && spec->kind() == assessment::RULING_KIND_YES_NO && rulings.size() == 1) {
    text = sum == Fraction() ? (zh ? "否" : "no") : (zh ? "是" : "yes");
  } else if (spec != nullptr && spec->kind() == assessment::RULING_KIND_DAY) {
    text = last.day();
  }
  SetNumber(reading, sum,
            zh ? absl::StrCat(text, "（", last.certified_by(), last.ruled_date(), "认定）")
               : absl::StrCat(text, " (", last.certified_by(), ", ", last.ruled_date(), ")"));
  return reading;
}

// result(scheme): the score of another assessment, as it was published.
Reading ReadResult(const UnitContext& unit, const std::string& scheme) {
  Reading reading;
  reading.evaluation.value.set_label(scheme);
  reading.evaluation.value.set_expression(absl::StrCat("result(", scheme, ")"));
  const auto* result = unit.run.given.ResultOf(unit.area(), scheme, "", unit.period);
  if (result == nullptr || !result->has_score_e4()) {
    SetUnknown(reading, unit.language);
    return reading;
  }
  SetNumber(reading, result->score_e4(), Points::FromUnits(result->score_e4()).ToString());
  return reading;
}

// figure(key): an external figure of the year.
Reading ReadFigure(const UnitContext& unit, const std::string& key, int year) {
  Reading reading;
  reading.evaluation.value.set_label(key);
  reading.evaluation.value.set_expression(absl::StrCat("figure(", key, ")"));
  const auto* figure = unit.run.given.FigureOf(unit.area(), key, year);
  if (figure == nullptr) {
    SetUnknown(reading, unit.language);
    return reading;
  }
  SetNumber(reading, figure->value_e4(), Points::FromUnits(figure->value_e4()).ToString());
  return reading;
}

YearPart PartOf(const Period& period, int year, absl::string_view language) {
  return {period.In(year), period.Label(language), period.ToString()};
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

absl::optional<int64_t> FactIndex::NumberOf(const std::string& record_name,
                                            const std::string& field) const {
  const std::vector<std::string> texts = ValuesOf(record_name, field);
  int64_t number = 0;
  if (texts.empty() || !absl::SimpleAtoi(texts[0], &number)) return absl::nullopt;
  return number;
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

// ---- contexts ----------------------------------------------------------------------------------

RunContext::RunContext(const CompiledRubric& compiled, const RunInputs& run_inputs)
    : rubric(compiled), inputs(run_inputs), index(run_inputs.facts), given(run_inputs) {
  const size_t digits = compiled.rubric().subject() == assessment::SUBJECT_TOWN ? 9 : 12;
  std::set<std::string> codes;
  for (const v1::AreaNode& area : inputs.snapshot.areas()) {
    if (area.code().size() == digits) codes.insert(area.code());
    const absl::StatusOr<absl::CivilDay> from = ParseDay(area.valid_from_date());
    if (from.ok()) founded[area.code()] = *from;
  }
  units.assign(codes.begin(), codes.end());
}

UnitContext ContextOf(RunContext& run, absl::string_view area_code, absl::string_view language) {
  EvalScope scope;
  scope.area_code = std::string(area_code);
  scope.year = run.inputs.snapshot.year();
  return UnitContext{run, scope, "", std::string(language), nullptr, nullptr};
}

// ---- Read --------------------------------------------------------------------------------------

Reading Read(const UnitContext& unit, const std::string& source,
             const absl::optional<DayRange>& window) {
  const RubricSource& parsed = unit.rubric().SourceOf(source);
  switch (parsed.kind) {
    case RubricSource::Kind::kRuling:
      return ReadRuling(unit, parsed.key);
    case RubricSource::Kind::kResult:
      return ReadResult(unit, parsed.key);
    case RubricSource::Kind::kFigure:
      return ReadFigure(unit, parsed.key, unit.scope.year);
    case RubricSource::Kind::kMeasure:
      return ReadMeasure(unit, parsed.measure, unit.area(), window);
  }
  return {};
}

Reading ReadCounty(const UnitContext& unit, const std::string& source) {
  const RubricSource& parsed = unit.rubric().SourceOf(source);
  if (parsed.kind != RubricSource::Kind::kMeasure) return Read(unit, source);
  return ReadMeasure(unit, parsed.measure, unit.run.inputs.snapshot.county_code(), absl::nullopt);
}

Reading ReadEarlier(const UnitContext& unit, const std::string& source, int back) {
  const RubricSource& parsed = unit.rubric().SourceOf(source);
  UnitContext earlier = unit;
  earlier.scope.year -= back;
  if (parsed.kind == RubricSource::Kind::kFigure)
    return ReadFigure(unit, parsed.key, earlier.scope.year);
  if (parsed.kind != RubricSource::Kind::kMeasure) {
    Reading unknown;
    unknown.unknown = true;
    return unknown;
  }
  if (unit.scope.within.has_value()) {
    const auto shifted = [&](absl::CivilDay day) {
      return absl::CivilDay(day.year() - back, day.month(), day.day());
    };
    earlier.scope.within =
        DayRange{shifted(unit.scope.within->first), shifted(unit.scope.within->last)};
  }
  return ReadMeasure(earlier, parsed.measure, unit.area(), absl::nullopt);
}

// ---- conditions --------------------------------------------------------------------------------

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
  if (!outcome.reading.usable()) {
    outcome.truth = Truth::kUnknown;
    outcome.no_data = outcome.reading.unknown;
  } else if (!Compare(outcome.comparison, outcome.reading.number, outcome.threshold_e4)) {
    outcome.truth = Truth::kFalse;
  }
  return outcome;
}

void JoinBranches(ConditionOutcome& outcome) {
  const auto join = [&](Truth truth, bool no_data) {
    if (outcome.truth == Truth::kFalse || truth == Truth::kFalse) {
      outcome.truth = Truth::kFalse;
    } else if (truth == Truth::kUnknown) {
      outcome.truth = Truth::kUnknown;
      outcome.no_data = outcome.no_data || no_data;
    }
  };
  for (const ConditionOutcome& branch : outcome.all) join(branch.truth, branch.no_data);
  for (const ConditionOutcome& branch : outcome.none) {
    join(branch.truth == Truth::kTrue    ? Truth::kFalse
         : branch.truth == Truth::kFalse ? Truth::kTrue
                                         : Truth::kUnknown,
         branch.no_data);
  }
  if (outcome.any.empty()) return;
  Truth any = Truth::kFalse;
  bool no_data = false;
  for (const ConditionOutcome& branch : outcome.any) {
    if (branch.truth == Truth::kTrue) any = Truth::kTrue;
    if (branch.truth == Truth::kUnknown && any == Truth::kFalse) any = Truth::kUnknown;
    no_data = no_data || (branch.truth == Truth::kUnknown && branch.no_data);
  }
  join(any, no_data);
}

void CollectOpenQuestions(const UnitContext& unit, const ConditionOutcome& outcome,
                          std::set<std::string>& keys) {
  if (!outcome.measure.empty() && outcome.reading.unknown) {
    const RubricSource& source = unit.rubric().SourceOf(outcome.measure);
    if (source.kind == RubricSource::Kind::kRuling) keys.insert(source.key);
    // M05: nobody has said until when to look back.
    if (source.kind == RubricSource::Kind::kMeasure && unit.rolling != nullptr) {
      keys.insert(unit.rolling->until_ruling());
    }
  }
  for (const auto* list : {&outcome.all, &outcome.any, &outcome.none}) {
    for (const ConditionOutcome& branch : *list) CollectOpenQuestions(unit, branch, keys);
  }
}

// ---- classes and parts of the year -------------------------------------------------------------

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

absl::optional<int64_t> ClassValueOf(
    const assessment::Rubric& rubric, absl::string_view area_code,
    const google::protobuf::RepeatedPtrField<assessment::ClassValue>& values) {
  if (values.empty()) return absl::nullopt;
  const assessment::UnitClass* unit_class = ClassOf(rubric, area_code);
  for (const assessment::ClassValue& value : values) {
    if (unit_class != nullptr && value.class_() == unit_class->name()) return value.value_e4();
  }
  return absl::nullopt;
}

std::vector<YearPart> PartsOf(assessment::Window window, int year, absl::string_view language) {
  std::vector<YearPart> parts;
  const auto periods = [&](Period::Kind kind, int count) {
    for (int i = 1; i <= count; ++i) parts.push_back(PartOf(Period{kind, i}, year, language));
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
      absl::CivilDay monday =
          absl::NextWeekday(absl::CivilDay(year, 1, 1) - 1, absl::Weekday::monday);
      for (int i = 1; monday.year() == year; ++i, monday += 7) {
        parts.push_back({{monday, monday + 6},
                         language == "en"
                             ? absl::StrCat("week of ", FormatDay(monday))
                             : absl::StrCat("第", i, "周（", FormatDay(monday), "起）"),
                         absl::StrCat("W", i)});
      }
      break;
    }
    default:
      periods(Period::Kind::kYear, 1);
      break;
  }
  return parts;
}

std::vector<YearPart> PartsWithin(assessment::Window window, int year, const DayRange& days,
                                  absl::string_view language) {
  std::vector<YearPart> parts = PartsOf(window, year, language);
  if (days == YearRange(year)) return parts;
  if (parts.size() == 1) {
    parts[0].days = days;
    return parts;
  }
  std::vector<YearPart> within;
  for (YearPart& part : parts) {
    if (days.first <= part.days.first && part.days.last <= days.last) {
      within.push_back(std::move(part));
    }
  }
  // A window longer than what is scored: that is its window.
  if (within.empty()) within.push_back({days, "", ""});
  return within;
}

absl::optional<YearPart> PartNamed(const std::string& code, int year, absl::string_view language) {
  for (const auto window : {assessment::WINDOW_YEAR, assessment::WINDOW_HALF_YEAR,
                            assessment::WINDOW_QUARTER, assessment::WINDOW_MONTH}) {
    for (YearPart& part : PartsOf(window, year, language)) {
      if (part.code == code) return std::move(part);
    }
  }
  return absl::nullopt;
}

}  // namespace fadu::scoring
