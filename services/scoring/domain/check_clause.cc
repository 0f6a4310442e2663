#include "services/scoring/domain/check_clause.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/civil_day.h"
#include "common/base/points.h"
#include "services/scoring/domain/clause.h"
#include "services/scoring/domain/compiled_rubric.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
constexpr int kMaxTreeDepth = 5;

std::string Text(int64_t units) { return Points::FromUnits(units).ToString(); }

// Counts, sums and rates are not below zero.
bool AlwaysHolds(assessment::Comparison comparison, int64_t threshold_e4) {
  return comparison == assessment::COMPARISON_AT_LEAST && threshold_e4 <= 0;
}
bool NeverHolds(assessment::Comparison comparison, int64_t threshold_e4) {
  return (comparison == assessment::COMPARISON_LESS_THAN && threshold_e4 <= 0) ||
         (threshold_e4 < 0 && (comparison == assessment::COMPARISON_AT_MOST ||
                               comparison == assessment::COMPARISON_EQUAL));
}

// One clause by its form.
class Clauses {
 public:
  explicit Clauses(const ClauseCheck& check) : check_(check), clause_(check.clause) {}

  Most Run() {
    CheckConditions(clause_, check_.path, check_.findings);
    CheckEmptyPolicy();
    CheckSame();
    switch (clause_.form_case()) {
      case assessment::Clause::kCheck:
        if (!clause_.check().measure().empty() &&
            clause_.check().comparison() == assessment::COMPARISON_UNSPECIFIED) {
          Error("check", "COMPARISON_MISSING", "须写明如何比较（at_least、more_than 等）");
        }
        return clause_.check().amount_e4();
      case assessment::Clause::kChecklist:
        return Checklist(clause_.checklist());
      case assessment::Clause::kShortfall:
        return Shortfall(clause_.shortfall());
      case assessment::Clause::kIncident:
        NeedCount("incident.measure", clause_.incident().measure());
        return absl::nullopt;
      case assessment::Clause::kIncidentTable:
        return Table("incident_table.classes", clause_.incident_table().classes());
      case assessment::Clause::kHonour:
        return Table("honour.levels", clause_.honour().levels());
      case assessment::Clause::kRateStep:
        return RateStep(clause_.rate_step());
      case assessment::Clause::kThreshold:
        return Threshold(clause_.threshold());
      case assessment::Clause::kTiered:
        return Tiered(clause_.tiered());
      case assessment::Clause::kLateness:
        return Lateness(clause_.lateness());
      case assessment::Clause::kJudged:
        return Judged(clause_.judged());
      case assessment::Clause::FORM_NOT_SET:
        check_.findings.Error(check_.path, "FORM_MISSING", "缺少 form（如 L01）");
        return 0;
    }
    return 0;
  }

 private:
  void Error(absl::string_view field, absl::string_view code, const std::string& message) {
    check_.findings.Error(absl::StrCat(check_.path, ".", field), code, message);
  }
  void Warn(absl::string_view field, absl::string_view code, const std::string& message) {
    check_.findings.Warn(absl::StrCat(check_.path, ".", field), code, message);
  }

  // Null when it does not parse, which has been said.
  const Measure* Find(const std::string& text) const {
    const auto found = check_.measures.find(text);
    return found == check_.measures.end() ? nullptr : &found->second;
  }

  void NeedCount(const std::string& field, const std::string& text) {
    const Measure* measure = Find(text);
    if (measure != nullptr && measure->is_ratio()) {
      Error(field, "RATIO_NOT_ALLOWED",
            absl::StrCat(FormCode(clause_), " 需要次数或合计，不能用比率"));
    }
  }

  // A measure that counts records, each one: what `same` and days are about.
  const Measure* NeedRecords(const std::string& field, const std::string& text) {
    const Measure* measure = Find(text);
    if (measure == nullptr) return nullptr;
    if (measure->counts_records()) {
      return measure;
    }
    Error(field, "COUNT_REQUIRED", "此处逐条看记录，须写作 count(…)");
    return nullptr;
  }

  bool UsesRatio() const {
    bool uses = false;
    ForEachMeasure(clause_, "", [&](const std::string&, const std::string& text) {
      const Measure* measure = Find(text);
      uses = uses || (measure != nullptr && measure->is_ratio());
    });
    return uses;
  }

  void CheckEmptyPolicy() {
    const bool said = clause_.when_empty() != assessment::WHEN_EMPTY_UNSPECIFIED;
    const bool needs = UsesRatio() && (clause_.has_check() || clause_.has_threshold() ||
                                       (clause_.has_tiered() && clause_.tiered().states().empty()));
    if (needs && !said) {
      Error("when_empty", "EMPTY_POLICY_MISSING", "须写明分母为零时如何计分（when_empty）");
    } else if (said && !needs) {
      Warn("when_empty", "EMPTY_POLICY_UNUSED", "本款没有比率，when_empty 不起作用");
    }
  }

  // M04: the field must be there on every type counted.
  void CheckSame() {
    if (clause_.same().empty()) return;
    if (!clause_.has_incident() && !clause_.has_incident_table() && !clause_.has_honour()) {
      return Error("same", "SAME_NOT_ALLOWED", "same（同一事项就高）只用于 L04、L05、L19");
    }
    ForEachMeasure(clause_, "", [&](const std::string& field, const std::string& text) {
      const Measure* measure = NeedRecords(field, text);
      if (measure == nullptr) return;
      const RecordField* same = measure->root->source.type->FindField(clause_.same());
      if (same != nullptr && same->comparable && same->options.measure() && !same->repeated())
        return;
      std::vector<std::string> names;
      for (const RecordField& known : measure->root->source.type->fields()) {
        if (known.comparable && known.options.measure() && !known.repeated())
          names.push_back(known.name());
      }
      Error("same", "FIELD_UNKNOWN",
            absl::StrCat(measure->root->source.type->options().zh(), "没有可用的字段 ",
                         clause_.same(), "；可用：", absl::StrJoin(names, "、")));
    });
  }

  Most Checklist(const assessment::Checklist& form) {
    const bool named = !form.parts().empty();
    if (named == !form.measure().empty()) {
      Error("checklist", "PARTS_OR_NUMBER",
            "写 parts（逐项列名），或写 measure 和 required，二者取一");
      return 0;
    }
    if (!named) {
      NeedCount("checklist.measure", form.measure());
      if (form.required() <= 0)
        Error("checklist.required", "REQUIRED_MISSING", "应有几项（required）应大于零");
      if (form.per_missing_e4() <= 0)
        Error("checklist.per_missing_e4", "AMOUNT_ZERO", "每缺一项扣分应大于零");
      return form.required() * form.per_missing_e4();
    }
    int64_t most = 0;
    std::set<std::string> names;
    for (int i = 0; i < form.parts_size(); ++i) {
      const assessment::ChecklistPart& part = form.parts(i);
      const std::string field = absl::StrCat("checklist.parts[", i, "]");
      if (!names.insert(part.name()).second)
        Error(field, "PART_DUPLICATE", absl::StrCat("“", part.name(), "”列了两次"));
      if ((form.per_missing_e4() > 0) == (part.amount_e4() > 0)) {
        Error(field + ".amount_e4", "AMOUNT_TWICE_OR_NONE",
              "或者写统一的 per_missing，或者每项各写 amount，二者取一");
      }
      most += form.per_missing_e4() > 0 ? form.per_missing_e4() : part.amount_e4();
    }
    return most;
  }

  Most Shortfall(const assessment::Shortfall& form) {
    NeedCount("shortfall.measure", form.measure());
    if (form.required() <= 0) Error("shortfall.required", "REQUIRED_MISSING", "应开展次数应大于零");
    if (form.per_missing_e4() <= 0)
      Error("shortfall.per_missing_e4", "AMOUNT_ZERO", "每缺一次扣分应大于零");
    const auto windows =
        static_cast<int64_t>(SpansOf(form.window(), check_.rubric.year(), "zh").size());
    return MulDivRound(form.required() * windows, form.per_missing_e4(), 1, Rounding::kCut);
  }

  Most Table(const std::string& field,
             const google::protobuf::RepeatedPtrField<assessment::ScoreClass>& classes) {
    std::set<std::string> names;
    for (int i = 0; i < classes.size(); ++i) {
      NeedCount(absl::StrCat(field, "[", i, "].measure"), classes[i].measure());
      if (!names.insert(classes[i].name()).second) {
        Error(absl::StrCat(field, "[", i, "].name"), "CLASS_DUPLICATE",
              absl::StrCat("“", classes[i].name(), "”列了两次"));
      }
    }
    return absl::nullopt;
  }

  Most RateStep(const assessment::RateStep& form) {
    const Measure* measure = Find(form.measure());
    if (measure != nullptr && !measure->is_ratio()) {
      Error("rate_step.measure", "RATIO_REQUIRED", "L06 需要比率，写作 A / B");
    }
    if (form.step_percent_e4() <= 0 || form.per_step_e4() <= 0) {
      Error("rate_step", "STEP_MISSING", "每步的百分点和扣分都应大于零");
      return absl::nullopt;
    }
    if (form.step_rounding() == assessment::STEP_ROUNDING_UNSPECIFIED) {
      Error("rate_step.step_rounding", "STEP_ROUNDING_MISSING",
            "须写明不足一步如何计（started、completed 或 pro_rata）");
    }
    if (form.when_empty() == assessment::WHEN_EMPTY_UNSPECIFIED) {
      Error("rate_step.when_empty", "EMPTY_POLICY_MISSING", "须写明分母为零时如何计分");
    }
    if (form.above()) return absl::nullopt;
    // From the target down to nothing.
    const Fraction steps = Fraction::Of(form.target_percent_e4(), form.step_percent_e4());
    const Fraction whole =
        form.step_rounding() == assessment::STEP_ROUNDING_COMPLETED  ? steps.Floor()
        : form.step_rounding() == assessment::STEP_ROUNDING_PRO_RATA ? steps
                                                                     : steps.Ceil();
    return (whole * form.per_step_e4()).RoundTo(4, Rounding::kHalfUp).units();
  }

  Most Threshold(const assessment::Threshold& form) {
    if (form.each().empty() == form.measure().empty()) {
      Error("threshold", "MEASURE_OR_EACH", "写 measure，或写 each（各指标分别看），二者取一");
    }
    if (form.comparison() == assessment::COMPARISON_UNSPECIFIED) {
      Error("threshold", "COMPARISON_MISSING", "须写明如何比较（at_least、more_than 等）");
    }
    std::set<std::string> classes;
    for (int i = 0; i < form.by_class_size(); ++i) {
      const std::string& name = form.by_class(i).class_();
      const std::string field = absl::StrCat("threshold.by_class[", i, "].class");
      const bool known = std::any_of(
          check_.rubric.classes().begin(), check_.rubric.classes().end(),
          [&](const assessment::UnitClass& unit_class) { return unit_class.name() == name; });
      if (!known) Error(field, "CLASS_UNKNOWN", absl::StrCat("classes 中没有“", name, "”"));
      if (!classes.insert(name).second)
        Error(field, "CLASS_DUPLICATE", absl::StrCat("“", name, "”列了两次"));
    }
    if (NeverHolds(form.comparison(), form.threshold_e4())) {
      Warn("threshold", "NOBODY_CAN_REACH", "这一条件不可能成立");
    } else if (AlwaysHolds(form.comparison(), form.threshold_e4())) {
      Warn("threshold", "NOBODY_CAN_LOSE", "“至少零”总是成立，没有村会受影响");
    }
    return form.amount_e4() * std::max(1, form.each_size());
  }

  Most Tiered(const assessment::Tiered& form) {
    int64_t most = 0;
    if (!form.states().empty()) {
      if (!form.tiers().empty() || !form.measure().empty()) {
        Error("tiered", "TIERS_OR_STATES",
              "写 measure 和 tiers（数值分档），或写 states（情形），二者取一");
      }
      for (const assessment::ScoreState& state : form.states())
        most = std::max(most, state.amount_e4());
      return most;
    }
    if (form.tiers().empty() || form.measure().empty()) {
      Error("tiered", "TIERS_OR_STATES",
            "写 measure 和 tiers（数值分档），或写 states（情形），二者取一");
      return 0;
    }
    const std::vector<BracketEnds> ends = EndsOf(form.tiers());
    for (int i = 0; i < form.tiers_size(); ++i) {
      const assessment::Bracket& bracket = form.tiers(i);
      const std::string field = absl::StrCat("tiered.tiers[", i, "]");
      most = form.cumulative() ? most + bracket.amount_e4() : std::max(most, bracket.amount_e4());
      if ((bracket.has_from_e4() && bracket.has_over_e4()) ||
          (bracket.has_to_e4() && bracket.has_under_e4())) {
        Error(field, "BRACKET_ENDS",
              "下限写 from（含）或 over（不含），上限写 to（含）或 under（不含），各取一");
        continue;
      }
      const BracketEnds& end = ends[static_cast<size_t>(i)];
      if (end.low.has_value() && end.high.has_value() &&
          (end.low->value_e4 > end.high->value_e4 ||
           (end.low->value_e4 == end.high->value_e4 && !(end.low->closed && end.high->closed)))) {
        Error(field, "BRACKET_EMPTY", "这一档下限高于上限，不含任何数值；各档应由低到高排列");
      }
      if (i > 0) CheckNeighbours(field, ends[static_cast<size_t>(i) - 1].high, end.low);
    }
    return most;
  }

  // PA-01: exactly 80 must be in one bracket, not in two and not in none.
  void CheckNeighbours(const std::string& field, const absl::optional<BracketEnd>& high,
                       const absl::optional<BracketEnd>& low) {
    if (!high.has_value() || !low.has_value()) {
      return Error(field, "BRACKETS_OVERLAP", "与上一档重叠：两档之间没有写明界线");
    }
    const std::string value = Text(low->value_e4);
    if (high->value_e4 > low->value_e4 ||
        (high->value_e4 == low->value_e4 && high->closed && low->closed)) {
      Error(field, "BRACKETS_OVERLAP",
            absl::StrCat("与上一档重叠（", value,
                         " 附近）；to 含本数，under 不含；from 含本数，over 不含"));
    } else if (high->value_e4 < low->value_e4 || (!high->closed && !low->closed)) {
      Error(field, "BRACKETS_GAP",
            absl::StrCat("与上一档之间有空档（", value,
                         " 附近）；to 含本数，under 不含；from 含本数，over 不含"));
    }
  }

  void NeedDate(const RecordType& type, const std::string& field, const std::string& name) {
    if (name.empty()) return;
    const RecordField* known = type.FindField(name);
    if (known != nullptr && known->comparable && known->kind == ValueKind::kDate &&
        known->options.measure() && !known->repeated())
      return;
    std::vector<std::string> names;
    for (const RecordField& date : type.fields()) {
      if (date.comparable && date.kind == ValueKind::kDate && date.options.measure() &&
          !date.repeated())
        names.push_back(date.name());
    }
    Error(field, "FIELD_UNKNOWN",
          absl::StrCat(type.options().zh(), "没有日期字段 ", name, "；可用：",
                       absl::StrJoin(names, "、")));
  }

  Most Lateness(const assessment::Lateness& form) {
    const Measure* measure = NeedRecords("lateness.measure", form.measure());
    if (measure != nullptr) {
      const RecordType& type = *measure->root->source.type;
      NeedDate(type, "lateness.done", form.done());
      NeedDate(type, "lateness.start", form.start());
      NeedDate(type, "lateness.reminder", form.reminder());
    }
    const bool each = form.each() != assessment::WINDOW_UNSPECIFIED;
    const int ways = (form.due().empty() ? 0 : 1) + (form.start().empty() ? 0 : 1) + (each ? 1 : 0);
    if (ways != 1) {
      Error("lateness", "DUE_MISSING",
            "期限三选一：due（某日）、start 和 within（自某日起若干天内）、each 和 "
            "due_day（每期第几天）");
      return absl::nullopt;
    }
    if (!form.start().empty() &&
        (form.within() <= 0 || form.within_unit() == assessment::DELAY_UNIT_UNSPECIFIED)) {
      Error("lateness.within", "WITHIN_MISSING",
            "写明期限多长：within 和 within_unit（day、working_day 或 month）");
    }
    int64_t things = 1;
    if (each) {
      const std::vector<Span> spans = SpansOf(form.each(), check_.rubric.year(), "zh");
      things = static_cast<int64_t>(spans.size());
      if (form.due_day() < 1 || form.due_day() > spans[0].days.last - spans[0].days.first + 1) {
        Error("lateness.due_day", "DUE_DAY", "due_day 为每期第几天，应在这一期之内");
      }
    }
    if ((form.per_late_e4() > 0 || form.grace() > 0) &&
        form.late_unit() == assessment::DELAY_UNIT_UNSPECIFIED) {
      Error("lateness.late_unit", "LATE_UNIT_MISSING",
            "写明逾期按什么计：late_unit（day、working_day 或 month）");
    }
    if (form.late_rounding() == assessment::STEP_ROUNDING_PRO_RATA) {
      Error("lateness.late_rounding", "STEP_ROUNDING", "逾期只能按 started 或 completed 计");
    }
    if (form.flat_e4() <= 0 && form.per_late_e4() <= 0 && form.not_done_e4() <= 0) {
      Error("lateness", "AMOUNT_ZERO",
            "写明扣分：flat（每次）、per_late（每逾一天等）或 not_done（未完成）");
    }
    const absl::StatusOr<absl::CivilDay> due = ParseDay(form.due());
    if (due.ok() && due->year() != check_.rubric.year()) {
      Warn("lateness.due", "DUE_OUTSIDE_YEAR", "期限不在本细则的年度内，只有本年度的记录会被看到");
    }
    if (!form.start().empty() || form.per_late_e4() > 0) return absl::nullopt;
    return things * std::max(form.flat_e4(), form.not_done_e4());
  }

  Most Judged(const assessment::Judged& form) {
    if (form.min_e4() >= form.max_e4())
      Error("judged", "RANGE_INVERTED", "评分范围的下限应小于上限");
    if (form.max_e4() > check_.line.max_e4()) {
      Error("judged", "JUDGED_RANGE",
            absl::StrCat("评分上限 ", Text(form.max_e4()), " 超过本项分值 ",
                         Text(check_.line.max_e4())));
    }
    const bool earn = check_.line.direction() == assessment::DIRECTION_EARN;
    return form.max_e4() - (earn ? 0 : std::min<int64_t>(0, form.min_e4()));
  }

  const ClauseCheck& check_;
  const assessment::Clause& clause_;
};

// A message that carries a condition: measure, comparison, threshold_e4, all, any, none.
void CheckCarrier(const Message& message, const std::string& path, int depth, Findings& findings) {
  const auto* descriptor = message.GetDescriptor();
  const auto* reflection = message.GetReflection();
  const auto size = [&](const char* name) {
    return reflection->FieldSize(message, descriptor->FindFieldByName(name));
  };
  const bool measured =
      !reflection->GetString(message, descriptor->FindFieldByName("measure")).empty();
  const auto comparison = static_cast<assessment::Comparison>(
      reflection->GetEnumValue(message, descriptor->FindFieldByName("comparison")));
  const int64_t threshold =
      reflection->GetInt64(message, descriptor->FindFieldByName("threshold_e4"));
  if (!measured && size("all") + size("any") + size("none") == 0) {
    findings.Error(path, "CONDITION_MISSING", "缺少条件：写 measure 和比较，或 all、any、none");
  }
  if (!measured && comparison != assessment::COMPARISON_UNSPECIFIED) {
    findings.Error(path, "MEASURE_MISSING", "写了比较（at_least 等），但没有 measure");
  }
  if (depth > kMaxTreeDepth) findings.Error(path, "CONDITION_DEEP", "条件嵌套过深（最多5层）");
  if (measured && AlwaysHolds(comparison, threshold)) {
    findings.Warn(path, "NOBODY_CAN_LOSE", "“至少零”总是成立，没有村会受影响");
  } else if (measured && NeverHolds(comparison, threshold)) {
    findings.Warn(path, "NOBODY_CAN_REACH", "这一条件不可能成立");
  }
}

void CheckBeneath(const Message& message, const std::string& path, int depth, Findings& findings) {
  const auto* reflection = message.GetReflection();
  if (message.GetDescriptor()->FindFieldByName("all") != nullptr) {
    CheckCarrier(message, path, ++depth, findings);
  }
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const std::string place = absl::StrCat(path, ".", field->name());
    if (!field->is_repeated()) {
      CheckBeneath(reflection->GetMessage(message, field), place, depth, findings);
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      CheckBeneath(reflection->GetRepeatedMessage(message, field, i),
                   absl::StrCat(place, "[", i, "]"), depth, findings);
    }
  }
}

}  // namespace

void Findings::Error(const std::string& path, absl::string_view code, const std::string& message) {
  assessment::Finding& finding = list_.emplace_back();
  finding.set_severity(assessment::Finding::SEVERITY_ERROR);
  finding.set_path(path);
  finding.set_code(std::string(code));
  finding.set_message(message);
}

void Findings::Warn(const std::string& path, absl::string_view code, const std::string& message) {
  Error(path, code, message);
  list_.back().set_severity(assessment::Finding::SEVERITY_WARNING);
}

Most CheckClause(const ClauseCheck& check) { return Clauses(check).Run(); }

void CheckConditions(const Message& message, const std::string& path, Findings& findings) {
  CheckBeneath(message, path, 0, findings);
}

}  // namespace fadu::scoring
