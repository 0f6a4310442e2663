#include "services/scoring/domain/check_clause.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/civil_day.h"
#include "common/base/points.h"
#include "services/scoring/domain/clause.h"
#include "services/scoring/domain/compiled_rubric.h"
#include "services/scoring/domain/line.h"

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

int64_t Greater(int64_t a, int64_t b) { return std::max(a, b); }

// One clause by its form.
class Clauses {
 public:
  explicit Clauses(const ClauseCheck& check)
      : check_(check), clause_(check.clause), earning_(StartsAtZero(check.line)) {}

  Reach Run() {
    CheckConditions(clause_, check_.path, check_.findings);
    CheckEmptyPolicy();
    CheckModifiers();
    return Capped(Modified(Form()));
  }

 private:
  void Error(absl::string_view field, absl::string_view code, const std::string& message) {
    check_.findings.Error(absl::StrCat(check_.path, ".", field), code, message);
  }
  void Warn(absl::string_view field, absl::string_view code, const std::string& message) {
    check_.findings.Warn(absl::StrCat(check_.path, ".", field), code, message);
  }

  // ---- measures
  // ----------------------------------------------------------------------------------

  // Null when it does not parse, which has been said, or is no measure.
  const Measure* Find(const std::string& text) const {
    const auto found = check_.sources.find(text);
    if (found == check_.sources.end() || found->second.kind != RubricSource::Kind::kMeasure)
      return nullptr;
    return &found->second.measure;
  }

  bool IsRatio(const std::string& text) const {
    const Measure* measure = Find(text);
    return measure != nullptr && measure->is_ratio();
  }

  void NeedCount(const std::string& field, const std::string& text) {
    if (IsRatio(text)) {
      Error(field, "RATIO_NOT_ALLOWED",
            absl::StrCat(FormCode(clause_), " 需要次数或合计，不能用比率"));
    }
  }

  // A measure that counts records, each one: what `same`, days and exclusions are about.
  const RecordType* NeedRecords(const std::string& field, const std::string& text) {
    const auto found = check_.sources.find(text);
    if (found == check_.sources.end()) return nullptr;
    const RecordType* type = CountedTypeOf(found->second);
    if (type == nullptr) Error(field, "COUNT_REQUIRED", "此处逐条看记录，须写作 count(…)");
    return type;
  }

  // The measures whose records the clause counts one by one.
  std::vector<std::pair<std::string, std::string>> CountedMeasures() const {
    std::vector<std::pair<std::string, std::string>> measures;
    const auto table = [&](const char* list, const auto& classes) {
      for (int i = 0; i < classes.size(); ++i) {
        measures.emplace_back(absl::StrCat(list, "[", i, "].measure"), classes[i].measure());
      }
    };
    if (clause_.has_incident())
      measures.emplace_back("incident.measure", clause_.incident().measure());
    if (clause_.has_earn_each())
      measures.emplace_back("earn_each.measure", clause_.earn_each().measure());
    if (clause_.has_incident_table())
      table("incident_table.classes", clause_.incident_table().classes());
    if (clause_.has_honour()) table("honour.levels", clause_.honour().levels());
    if (clause_.has_notice()) table("notice.levels", clause_.notice().levels());
    return measures;
  }

  // A form that reads one number, which may then be per head or that of a survey.
  bool ReadsOneNumber() const {
    return clause_.has_incident() || clause_.has_earn_each() || clause_.has_rate_step() ||
           (clause_.has_threshold() && clause_.threshold().each().empty()) ||
           (clause_.has_tiered() && clause_.tiered().states().empty()) ||
           clause_.has_proportion() || clause_.has_symmetric() || clause_.has_trend() ||
           clause_.has_benchmark() || clause_.has_rank();
  }

  // Anything it reads may be over nothing.
  bool MayBeOverNothing() const {
    bool uses = clause_.has_per_head();
    ForEachMeasure(clause_, "", [&](const std::string& path, const std::string& text) {
      // What a modifier, a name or a survey looks at has no policy of its own here.
      for (const char* beside : {"known_when", "aggravate", "mitigate", "average", "survey"}) {
        if (absl::StartsWith(path, beside)) return;
      }
      const Measure* measure = Find(text);
      uses = uses || (measure != nullptr && MayBeEmpty(*measure));
    });
    return uses;
  }

  // An empty denominator is undefined in every rubric seen: it is said, or the form cannot meet
  // one.
  void CheckEmptyPolicy() {
    const bool said = clause_.when_empty() != assessment::WHEN_EMPTY_UNSPECIFIED;
    const bool own = clause_.has_rate_step() || clause_.has_survey() || clause_.has_checklist() ||
                     (clause_.has_tiered() && !clause_.tiered().states().empty());
    const bool measured_target = !clause_.proportion().target_measure().empty();
    const bool needs = (MayBeOverNothing() && !own) || measured_target || clause_.has_average();
    if (needs && !said) {
      Error("when_empty", "EMPTY_POLICY_MISSING",
            "须写明分母为零、没有记录时如何计分（when_empty）");
    } else if (said && !needs) {
      Warn("when_empty", "EMPTY_POLICY_UNUSED", "本款的指标总有数值，when_empty 不起作用");
    }
  }

  // ---- fields of records
  // ---------------------------------------------------------------------------

  template <typename Accept>
  void NeedField(const RecordType& type, const std::string& field, const std::string& name,
                 absl::string_view what, const Accept& accept) {
    if (name.empty()) return;
    std::vector<std::string> names;
    for (const RecordField& known : type.fields()) {
      const bool fits =
          known.comparable && known.options.measure() && !known.repeated() && accept(known);
      if (fits && known.name() == name) return;
      if (fits) names.push_back(known.name());
    }
    Error(field, "FIELD_UNKNOWN",
          absl::StrCat(type.options().zh(), "没有", what, " ", name, "；可用：",
                       absl::StrJoin(names, "、")));
  }
  void NeedDate(const RecordType& type, const std::string& field, const std::string& name) {
    NeedField(type, field, name, "日期字段",
              [](const RecordField& known) { return known.kind == ValueKind::kDate; });
  }
  void NeedAny(const RecordType& type, const std::string& field, const std::string& name) {
    NeedField(type, field, name, "可用的字段", [](const RecordField&) { return true; });
  }

  // ---- modifiers
  // -----------------------------------------------------------------------------------

  void CheckModifiers() {
    const auto counted = CountedMeasures();
    const auto by_record = [&](const std::string& field, bool used, const auto& check) {
      if (!used) return;
      if (counted.empty()) {
        return Error(field, "NO_RECORDS",
                     absl::StrCat(field, " 只用于逐条计数的形式（L04、L05、L10、L19、L20）"));
      }
      for (const auto& [path, text] : counted) {
        const RecordType* type = NeedRecords(path, text);
        if (type != nullptr) check(*type);
      }
    };
    by_record("same", !clause_.same().empty(),
              [&](const RecordType& type) { NeedAny(type, "same", clause_.same()); });
    by_record("exclude", !clause_.exclude().empty(), [](const RecordType&) {});
    by_record("attribution", clause_.attribution() != assessment::ATTRIBUTION_UNSPECIFIED,
              [](const RecordType&) {});
    by_record("remedy", clause_.has_remedy(), [&](const RecordType& type) {
      NeedDate(type, "remedy.reminder", clause_.remedy().reminder());
      NeedDate(type, "remedy.done", clause_.remedy().done());
    });
    if (clause_.has_honour()) {
      const assessment::Honour& form = clause_.honour();
      const bool looks =
          !form.issuer().empty() || !form.withdrawn().empty() || !form.shared_by().empty();
      by_record("honour", looks, [&](const RecordType& type) {
        NeedAny(type, "honour.issuer", form.issuer());
        NeedDate(type, "honour.withdrawn", form.withdrawn());
        NeedField(type, "honour.shared_by", form.shared_by(), "数值字段",
                  [](const RecordField& known) { return known.kind == ValueKind::kInt; });
      });
      if (form.issuer().empty() != form.issuers().empty()) {
        Error("honour.issuers", "ISSUERS", "issuer（授予单位字段）和 issuers（名单）须一起写");
      }
    }
    CheckExclusions();
    if (clause_.has_per_head() && !ReadsOneNumber()) {
      Error("per_head", "PER_HEAD_NOT_ALLOWED", "per_head（按人口折算）只用于看一个数值的形式");
    }
    if (clause_.has_per_head() && (!clause_.same().empty() || !clause_.exclude().empty())) {
      Error("per_head", "PER_HEAD_NOT_ALLOWED", "per_head 不能与 same、exclude 同用");
    }
    for (int i = 0; i < clause_.aggravate_size(); ++i) {
      const assessment::Aggravation& rule = clause_.aggravate(i);
      CheckWhen(absl::StrCat("aggravate[", i, "]"), rule.has_when(), rule.measure(),
                rule.add_e4() > 0, rule.has_times_e4());
      if (rule.has_times_e4() && rule.times_e4() < Points::kScale) {
        Warn(absl::StrCat("aggravate[", i, "].times_e4"), "MILDER",
             "加重的倍数小于1，反而减轻；减轻请用 mitigate");
      }
    }
    for (int i = 0; i < clause_.mitigate_size(); ++i) {
      const assessment::Mitigation& rule = clause_.mitigate(i);
      CheckWhen(absl::StrCat("mitigate[", i, "]"), rule.has_when(), rule.measure(),
                rule.less_e4() > 0, rule.has_times_e4());
    }
    if (clause_.has_streak()) {
      const assessment::Streak& rule = clause_.streak();
      if (rule.amounts_e4().empty() == rule.times_e4().empty()) {
        Error("streak", "STREAK", "写 amounts（第几年多少分），或写 times（第几年几倍），二者取一");
      }
    }
    if (clause_.has_average() && check_.rubric.subject() == assessment::SUBJECT_VILLAGE) {
      Error("average", "NOTHING_BENEATH", "村以下没有可平均的单位；average 只用于 subject: town");
    }
    if (clause_.has_average() &&
        (clause_.has_rank() || clause_.has_benchmark() || clause_.survey().has_benchmark())) {
      Error("average", "AVERAGE_OF_PEERS", "与平均、名次比的款不能再取下级平均");
    }
    if (clause_.has_rolling()) {
      ForEachMeasure(clause_, "", [&](const std::string& path, const std::string& text) {
        const auto found = check_.sources.find(text);
        if (found == check_.sources.end() || found->second.kind == RubricSource::Kind::kMeasure)
          return;
        Error(path, "NOT_MEASURED", "rolling（滚动月份）只用于从记录数出来的指标");
      });
    }
    if (clause_.direction() == assessment::DIRECTION_BOTH) {
      Error("direction", "DIRECTION", "条款只能 lose（扣分）或 earn（加分）");
    }
  }

  void CheckWhen(const std::string& field, bool has_when, const std::string& measure, bool amount,
                 bool times) {
    if (has_when == !measure.empty()) {
      Error(field, "WHEN_OR_MEASURE", "写 when（条件），或写 measure（次数），二者取一");
    }
    if (!amount && !times) Error(field, "AMOUNT_ZERO", "写明多扣（少扣）多少分或几倍");
    if (!measure.empty() && times)
      Error(field, "TIMES_OF_COUNT", "倍数只用于 when；measure 请用 add（less）");
    NeedCount(field + ".measure", measure);
  }

  // M13: lines that are there, not in a circle, scored in the same parts of the year.
  void CheckExclusions() {
    for (int i = 0; i < clause_.exclude_size(); ++i) {
      const std::string field = absl::StrCat("exclude[", i, "]");
      const std::string& id = clause_.exclude(i);
      const auto line = std::find_if(check_.rubric.lines().begin(), check_.rubric.lines().end(),
                                     [&](const assessment::Line& each) { return each.id() == id; });
      if (line == check_.rubric.lines().end()) {
        Error(field, "LINE_UNKNOWN", absl::StrCat("没有考核项 ", id));
      } else if (id == check_.line.id()) {
        Error(field, "EXCLUDE_CIRCLE", "不能排除本项自己计算的记录");
      } else if (line->group() != check_.line.group()) {
        for (const std::string& group : {line->group(), check_.line.group()}) {
          if (HasPeriods(group))
            Error(field, "EXCLUDE_ACROSS_PERIODS", "两项分期方式不同，不能互相排除");
        }
      }
    }
  }

  bool HasPeriods(std::string id) const {
    for (int depth = 0; depth < 100 && !id.empty(); ++depth) {
      const auto group =
          std::find_if(check_.rubric.groups().begin(), check_.rubric.groups().end(),
                       [&](const assessment::Group& each) { return each.id() == id; });
      if (group == check_.rubric.groups().end()) return false;
      if (!group->periods().empty()) return true;
      id = group->parent();
    }
    return false;
  }

  // What modifiers make of the most a form can come to.
  Reach Modified(Reach reach) {
    for (const assessment::Aggravation& rule : clause_.aggravate()) {
      if (!rule.measure().empty()) {
        reach.lose = absl::nullopt;
      } else if (reach.lose.has_value()) {
        reach.lose =
            MulDivRound(*reach.lose, rule.has_times_e4() ? rule.times_e4() : Points::kScale,
                        Points::kScale, Rounding::kHalfUp) +
            rule.add_e4();
      }
    }
    if (clause_.has_remedy()) reach.lose = absl::nullopt;
    if (clause_.has_streak() && !clause_.streak().amounts_e4().empty()) {
      const auto& amounts = clause_.streak().amounts_e4();
      const int64_t most = *std::max_element(amounts.begin(), amounts.end());
      if (reach.lose != absl::make_optional<int64_t>(0)) reach.lose = most;
      if (reach.earn != absl::make_optional<int64_t>(0)) reach.earn = most;
    } else if (clause_.has_streak()) {
      reach = {absl::nullopt, absl::nullopt};
    }
    return reach;
  }

  Reach Capped(Reach reach) {
    if (!clause_.has_cap_e4()) return reach;
    if (clause_.cap_e4() <= 0) Error("cap_e4", "CAP_NOT_POSITIVE", "最高扣（加）分应大于零");
    if (check_.line.max_e4() > 0 && clause_.cap_e4() > check_.line.max_e4()) {
      Warn("cap_e4", "CAP_ABOVE_MAX",
           absl::StrCat("本款最高 ", Text(clause_.cap_e4()), " 分，超过本项分值 ",
                        Text(check_.line.max_e4()), " 分"));
    }
    const auto capped = [&](const absl::optional<int64_t>& most) {
      return most.has_value() ? std::min(*most, clause_.cap_e4()) : clause_.cap_e4();
    };
    return {capped(reach.lose), capped(reach.earn)};
  }

  // ---- forms
  // ---------------------------------------------------------------------------------------

  // The most in the direction of the clause.
  Reach Either(const absl::optional<int64_t>& most) const {
    if (Earns(clause_, earning_)) return {0, most};
    return {most, 0};
  }

  Reach Form() {
    switch (clause_.form_case()) {
      case assessment::Clause::kCheck:
        if (!clause_.check().measure().empty() &&
            clause_.check().comparison() == assessment::COMPARISON_UNSPECIFIED) {
          Error("check", "COMPARISON_MISSING", "须写明如何比较（at_least、more_than 等）");
        }
        return Either(clause_.check().amount_e4());
      case assessment::Clause::kChecklist:
        return Either(Checklist(clause_.checklist()));
      case assessment::Clause::kShortfall:
        return Either(Shortfall(clause_.shortfall()));
      case assessment::Clause::kIncident:
        NeedCount("incident.measure", clause_.incident().measure());
        return {absl::nullopt, 0};
      case assessment::Clause::kIncidentTable:
        Table("incident_table.classes", clause_.incident_table().classes());
        return {absl::nullopt, 0};
      case assessment::Clause::kHonour:
        Table("honour.levels", clause_.honour().levels());
        return {0, absl::nullopt};
      case assessment::Clause::kNotice:
        return Notice(clause_.notice());
      case assessment::Clause::kEarnEach:
        return EarnEach(clause_.earn_each());
      case assessment::Clause::kRateStep:
        return {RateStep("rate_step", clause_.rate_step(), false), 0};
      case assessment::Clause::kThreshold:
        return Either(Threshold(clause_.threshold()));
      case assessment::Clause::kTiered:
        return Either(Tiered("tiered", clause_.tiered(), false));
      case assessment::Clause::kProportion:
        return Either(Proportion("proportion", clause_.proportion(), false));
      case assessment::Clause::kSymmetric:
        return Symmetric(clause_.symmetric());
      case assessment::Clause::kTrend:
        return Trend(clause_.trend());
      case assessment::Clause::kBenchmark:
        return Benchmark("benchmark", clause_.benchmark(), false);
      case assessment::Clause::kRank:
        return Rank(clause_.rank());
      case assessment::Clause::kAdjustment:
        return Adjustment(clause_.adjustment());
      case assessment::Clause::kLateness:
        return {Lateness(clause_.lateness()), 0};
      case assessment::Clause::kJudged:
        return Judged(clause_.judged());
      case assessment::Clause::kSurvey:
        return Survey(clause_.survey());
      case assessment::Clause::kImported:
        return Imported(clause_.imported());
      case assessment::Clause::FORM_NOT_SET:
        check_.findings.Error(check_.path, "FORM_MISSING", "缺少 form（如 L01）");
        return {};
    }
    return {};
  }

  absl::optional<int64_t> Checklist(const assessment::Checklist& form) {
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
      return MulDivRound(form.required(), form.per_missing_e4(), 1, Rounding::kCut);
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

  absl::optional<int64_t> Shortfall(const assessment::Shortfall& form) {
    NeedCount("shortfall.measure", form.measure());
    if (form.required() <= 0) Error("shortfall.required", "REQUIRED_MISSING", "应开展次数应大于零");
    if (form.per_missing_e4() <= 0)
      Error("shortfall.per_missing_e4", "AMOUNT_ZERO", "每缺一次扣分应大于零");
    return MulDivRound(form.required() * WindowsIn(form.window()), form.per_missing_e4(), 1,
                       Rounding::kCut);
  }

  int64_t WindowsIn(assessment::Window window) const {
    return static_cast<int64_t>(PartsOf(window, check_.rubric.year(), "zh").size());
  }

  void Table(const std::string& field,
             const google::protobuf::RepeatedPtrField<assessment::ScoreClass>& classes) {
    std::set<std::string> names;
    for (int i = 0; i < classes.size(); ++i) {
      NeedCount(absl::StrCat(field, "[", i, "].measure"), classes[i].measure());
      if (!names.insert(classes[i].name()).second) {
        Error(absl::StrCat(field, "[", i, "].name"), "CLASS_DUPLICATE",
              absl::StrCat("“", classes[i].name(), "”列了两次"));
      }
    }
  }

  Reach Notice(const assessment::Notice& form) {
    Table("notice.levels", form.levels());
    const bool known =
        std::any_of(form.levels().begin(), form.levels().end(),
                    [&](const auto& level) { return level.name() == form.doubled_from(); });
    if (!form.doubled_from().empty() && !known) {
      Error("notice.doubled_from", "CLASS_UNKNOWN",
            absl::StrCat("levels 中没有“", form.doubled_from(), "”"));
    }
    return {absl::nullopt, 0};
  }

  Reach EarnEach(const assessment::EarnEach& form) {
    NeedCount("earn_each.measure", form.measure());
    NeedCount("earn_each.late_measure", form.late_measure());
    if ((form.expected() > 0) != (form.per_missing_e4() > 0)) {
      Error("earn_each.expected", "EXPECTED",
            "expected（应有几次）和 per_missing（每缺一次扣分）须一起写");
    }
    return {form.expected() * WindowsIn(form.window()) * form.per_missing_e4(), absl::nullopt};
  }

  // A form that has a measure of its own, or is part of a survey and has none.
  void CheckOwnMeasure(const std::string& field, const std::string& text, bool inside) {
    if (inside && !text.empty())
      Error(field + ".measure", "MEASURE_UNUSED", "问卷（L18）之内不写 measure");
    if (!inside && text.empty()) Error(field + ".measure", "MEASURE_MISSING", "缺少 measure");
  }

  absl::optional<int64_t> RateStep(const std::string& field, const assessment::RateStep& form,
                                   bool inside) {
    CheckOwnMeasure(field, form.measure(), inside);
    const Measure* measure = Find(form.measure());
    if (measure != nullptr && !measure->is_ratio() && !clause_.has_per_head() &&
        form.unit().empty()) {
      Error(field + ".measure", "RATIO_REQUIRED",
            "L06 需要比率，写作 A / B；不是百分比的，写明 unit");
    }
    if (form.step_percent_e4() <= 0 || form.per_step_e4() <= 0) {
      Error(field, "STEP_MISSING", "每步的百分点和扣分都应大于零");
      return absl::nullopt;
    }
    if (form.step_rounding() == assessment::STEP_ROUNDING_UNSPECIFIED) {
      Error(field + ".step_rounding", "STEP_ROUNDING_MISSING",
            "须写明不足一步如何计（started、completed 或 pro_rata）");
    }
    if (!inside && form.when_empty() == assessment::WHEN_EMPTY_UNSPECIFIED) {
      Error(field + ".when_empty", "EMPTY_POLICY_MISSING", "须写明分母为零时如何计分");
    }
    if (form.above()) return absl::nullopt;
    // From the target down to nothing.
    return (StepsOf(form.target_percent_e4(), form.step_percent_e4(), form.step_rounding()) *
            form.per_step_e4())
        .RoundTo(4, Rounding::kHalfUp)
        .units();
  }

  absl::optional<int64_t> Threshold(const assessment::Threshold& form) {
    if (form.each().empty() == form.measure().empty()) {
      Error("threshold", "MEASURE_OR_EACH", "写 measure，或写 each（各指标分别看），二者取一");
    }
    if (form.comparison() == assessment::COMPARISON_UNSPECIFIED) {
      Error("threshold", "COMPARISON_MISSING", "须写明如何比较（at_least、more_than 等）");
    }
    CheckByClass(check_.rubric, form.by_class(), check_.path + ".threshold.by_class",
                 check_.findings);
    if (NeverHolds(form.comparison(), form.threshold_e4())) {
      Warn("threshold", "NOBODY_CAN_REACH", "这一条件不可能成立");
    } else if (AlwaysHolds(form.comparison(), form.threshold_e4())) {
      Warn("threshold", "NOBODY_CAN_LOSE", "“至少零”总是成立，没有村会受影响");
    }
    return form.amount_e4() * std::max(1, form.each_size());
  }

  absl::optional<int64_t> Tiered(const std::string& field, const assessment::Tiered& form,
                                 bool inside) {
    int64_t most = 0;
    const bool measured = inside || !form.measure().empty();
    if (!form.states().empty()) {
      if (!form.tiers().empty() || measured) {
        Error(field, "TIERS_OR_STATES",
              "写 measure 和 tiers（数值分档），或写 states（情形），二者取一");
      }
      for (int i = 0; i < form.states_size(); ++i) {
        const assessment::ScoreState& state = form.states(i);
        most = Greater(most, Greater(state.amount_e4(), state.to_e4()));
        if (state.has_to_e4() && state.to_e4() <= state.amount_e4()) {
          Error(absl::StrCat(field, ".states[", i, "].to_e4"), "RANGE_INVERTED",
                "酌定的上限 to 应大于 amount");
        }
      }
      return most;
    }
    if (form.tiers().empty() || !measured) {
      Error(field, "TIERS_OR_STATES",
            "写 measure 和 tiers（数值分档），或写 states（情形），二者取一");
      return 0;
    }
    if (inside) CheckOwnMeasure(field, form.measure(), true);
    for (const assessment::Bracket& bracket : form.tiers()) {
      most = form.cumulative() ? most + bracket.amount_e4() : Greater(most, bracket.amount_e4());
    }
    Brackets(field + ".tiers", form.tiers());
    return most;
  }

  void Brackets(const std::string& field,
                const google::protobuf::RepeatedPtrField<assessment::Bracket>& brackets) {
    const std::vector<BracketEnds> ends = EndsOf(brackets);
    for (int i = 0; i < brackets.size(); ++i) {
      const assessment::Bracket& bracket = brackets[i];
      const std::string at = absl::StrCat(field, "[", i, "]");
      if ((bracket.has_from_e4() && bracket.has_over_e4()) ||
          (bracket.has_to_e4() && bracket.has_under_e4())) {
        Error(at, "BRACKET_ENDS",
              "下限写 from（含）或 over（不含），上限写 to（含）或 under（不含），各取一");
        continue;
      }
      const BracketEnds& end = ends[static_cast<size_t>(i)];
      if (end.low.has_value() && end.high.has_value() &&
          (end.low->value_e4 > end.high->value_e4 ||
           (end.low->value_e4 == end.high->value_e4 && !(end.low->closed && end.high->closed)))) {
        Error(at, "BRACKET_EMPTY", "这一档下限高于上限，不含任何数值；各档应由低到高排列");
      }
      if (i > 0) CheckNeighbours(at, ends[static_cast<size_t>(i) - 1].high, end.low);
    }
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

  absl::optional<int64_t> Proportion(const std::string& field, const assessment::Proportion& form,
                                     bool inside) {
    CheckOwnMeasure(field, form.measure(), inside);
    if (form.target_measure().empty() && form.target_e4() == form.floor_e4()) {
      Error(field + ".target_e4", "TARGET", "目标（target 或 target_measure）应高于起点（floor）");
    }
    if (form.target_e4() != 0 && !form.target_measure().empty()) {
      Error(field + ".target_e4", "TARGET", "target 和 target_measure 只能写一个");
    }
    if (form.base_e4() >= form.most_e4())
      Error(field + ".base_e4", "TARGET", "起点得分（base）应小于满分（most）");
    return form.most_e4();
  }

  Reach Symmetric(const assessment::Symmetric& form) {
    if (form.up_per_e4() == 0 && form.down_per_e4() == 0) {
      Error("symmetric", "AMOUNT_ZERO", "写明每多（up_per）或每少（down_per）一步加减几分");
    }
    if (form.step_rounding() == assessment::STEP_ROUNDING_UNSPECIFIED) {
      Error("symmetric.step_rounding", "STEP_ROUNDING_MISSING",
            "须写明不足一步如何计（started、completed 或 pro_rata）");
    }
    if (form.has_most_e4() && form.has_least_e4() && form.most_e4() < form.least_e4()) {
      Error("symmetric.most_e4", "RANGE_INVERTED", "most（最高）应不小于 least（最低）");
    }
    Reach reach;
    reach.earn = absl::nullopt;
    reach.lose = absl::nullopt;
    if (form.has_most_e4()) reach.earn = Greater(0, form.most_e4());
    if (form.up_per_e4() == 0) reach.earn = Greater(0, form.points_e4());
    if (form.has_least_e4()) reach.lose = Greater(0, -form.least_e4());
    if (form.down_per_e4() == 0) reach.lose = Greater(0, -form.points_e4());
    return reach;
  }

  Reach Trend(const assessment::Trend& form) {
    const bool steps = form.per_step_e4() > 0;
    if (!steps && form.better().empty()) {
      Error("trend", "AMOUNT_ZERO", "写明变差每步扣分（step、per_step），或变好的加分档（better）");
    }
    if (steps && form.step_e4() <= 0)
      Error("trend.step_e4", "STEP_MISSING", "写明一步是多少（step）");
    if (steps && form.step_rounding() == assessment::STEP_ROUNDING_UNSPECIFIED) {
      Error("trend.step_rounding", "STEP_ROUNDING_MISSING",
            "须写明不足一步如何计（started、completed 或 pro_rata）");
    }
    if (form.baseline() == assessment::BASELINE_QUOTA) {
      if (form.quota_e4() <= 0 && form.compare() == assessment::TREND_UNIT_PERCENT) {
        Error("trend.quota_e4", "TARGET", "按百分比比较，控制数应大于零");
      }
      if (!form.figure().empty())
        Error("trend.figure", "FIGURE_UNUSED", "控制数（quota）不看往年数据");
    }
    if (form.when_no_baseline() == assessment::WHEN_EMPTY_UNSPECIFIED) {
      Error("trend.when_no_baseline", "EMPTY_POLICY_MISSING",
            "须写明没有往年数据（新设、合并的村）时如何计分");
    }
    const auto found = check_.sources.find(form.measure());
    if (found != check_.sources.end() && form.figure().empty() &&
        form.baseline() != assessment::BASELINE_QUOTA &&
        found->second.kind != RubricSource::Kind::kMeasure &&
        found->second.kind != RubricSource::Kind::kFigure) {
      Error("trend.measure", "NO_PAST", "这一来源没有往年数据，须写 figure");
    }
    Brackets("trend.better", form.better());
    int64_t best = 0;
    for (const assessment::Bracket& bracket : form.better())
      best = Greater(best, bracket.amount_e4());
    Reach reach;
    reach.earn = best;
    if (steps || form.per_count_e4() > 0) reach.lose = absl::nullopt;
    return reach;
  }

  Reach Benchmark(const std::string& field, const assessment::Benchmark& form, bool inside) {
    CheckOwnMeasure(field, form.measure(), inside);
    if (form.above_e4() == 0 && form.below_e4() == 0) {
      Error(field, "AMOUNT_ZERO", "写明高于平均加几分（above）或低于平均扣几分（below）");
    }
    if (form.step_e4() > 0 && form.step_rounding() == assessment::STEP_ROUNDING_UNSPECIFIED) {
      Error(field + ".step_rounding", "STEP_ROUNDING_MISSING",
            "须写明不足一步如何计（started、completed 或 pro_rata）");
    }
    if (form.pooled() && !inside && Find(form.measure()) != nullptr && !IsRatio(form.measure())) {
      Error(field + ".pooled", "RATIO_REQUIRED", "pooled（分子分母分别合计）只用于比率");
    }
    if (form.peers() == assessment::PEER_SET_CLASS && check_.rubric.classes().empty()) {
      Error(field + ".peers", "CLASS_UNKNOWN", "按类别比较，须先写 classes");
    }
    if (form.step_e4() > 0) return {absl::nullopt, absl::nullopt};
    return {form.below_e4(), form.above_e4()};
  }

  Reach Rank(const assessment::Rank& form) {
    if (!check_.rubric.has_ranking()) {
      Error("rank", "RANK_NOT_DECIDED",
            "按名次计分须先有启用排名的决定（ranking：decided_by、decided_date、document）");
    }
    const bool list = !form.points_e4().empty();
    if (list == (form.first_e4() > 0)) {
      Error("rank", "RANK_POINTS", "写 points（各名次得分），或写 first（第一名得分），二者取一");
    }
    if (!list && !form.proportional() && form.per_rank_e4() == 0) {
      Error("rank.per_rank_e4", "RANK_POINTS",
            "写明每降一名少几分（per_rank），或按比例（proportional）");
    }
    for (int i = 1; i < form.points_e4_size(); ++i) {
      if (form.points_e4(i) > form.points_e4(i - 1)) {
        Warn("rank.points_e4", "RANK_POINTS", absl::StrCat("第 ", i + 1, " 名得分高于前一名"));
        break;
      }
    }
    if (form.peers() == assessment::PEER_SET_CLASS && check_.rubric.classes().empty()) {
      Error("rank.peers", "CLASS_UNKNOWN", "按类别比较，须先写 classes");
    }
    const int64_t most = list ? *std::max_element(form.points_e4().begin(), form.points_e4().end())
                              : form.first_e4();
    return Either(most);
  }

  Reach Adjustment(const assessment::OpenAdjustment& form) {
    if (form.min_e4() > form.max_e4() || (form.min_e4() == 0 && form.max_e4() == 0)) {
      Error("adjustment", "RANGE_INVERTED", "写明加减分范围：min 应小于 max");
    }
    return {Greater(0, -form.min_e4()), Greater(0, form.max_e4())};
  }

  absl::optional<int64_t> Lateness(const assessment::Lateness& form) {
    const RecordType* type = NeedRecords("lateness.measure", form.measure());
    if (type != nullptr) {
      NeedDate(*type, "lateness.done", form.done());
      NeedDate(*type, "lateness.start", form.start());
      NeedDate(*type, "lateness.reminder", form.reminder());
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
      const std::vector<YearPart> parts = PartsOf(form.each(), check_.rubric.year(), "zh");
      things = static_cast<int64_t>(parts.size());
      if (form.due_day() < 1 || form.due_day() > parts[0].days.last - parts[0].days.first + 1) {
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
    return things * Greater(form.flat_e4(), form.not_done_e4());
  }

  Reach Judged(const assessment::Judged& form) {
    if (form.min_e4() >= form.max_e4())
      Error("judged", "RANGE_INVERTED", "评分范围的下限应小于上限");
    if (check_.line.max_e4() > 0 && form.max_e4() > check_.line.max_e4()) {
      Error("judged", "JUDGED_RANGE",
            absl::StrCat("评分上限 ", Text(form.max_e4()), " 超过本项分值 ",
                         Text(check_.line.max_e4())));
    }
    const int ways = (form.per_case() ? 1 : 0) + (form.sample() > 0 ? 1 : 0) +
                     (form.assessors().empty() ? 0 : 1);
    if (ways > 1)
      Error("judged", "JUDGED_HOW",
            "per_case（逐案）、sample（抽样）、assessors（多方）只能写一个");
    if (form.per_case() && !form.taken() && !Earns(clause_, earning_)) {
      Error("judged.per_case", "JUDGED_HOW", "逐案评定在扣分项中须写 taken: true（评的是扣分）");
    }
    std::set<std::string> names;
    for (const assessment::Assessor& assessor : form.assessors()) {
      if (!names.insert(assessor.name()).second) {
        Error("judged.assessors", "CLASS_DUPLICATE",
              absl::StrCat("“", assessor.name(), "”列了两次"));
      }
    }
    for (int i = 0; i < form.bands_size(); ++i) {
      const assessment::Band& band = form.bands(i);
      if (band.from_e4() > band.to_e4() || band.from_e4() < form.min_e4() ||
          band.to_e4() > form.max_e4()) {
        Error(absl::StrCat("judged.bands[", i, "]"), "RANGE_INVERTED",
              "分段应在评分范围之内，下限不大于上限");
      }
    }
    if (form.per_case()) return Either(absl::nullopt);
    if (form.taken() || Earns(clause_, earning_)) return Either(form.max_e4());
    return {form.max_e4() - std::min<int64_t>(0, form.min_e4()), 0};
  }

  Reach Survey(const assessment::Survey& form) {
    const int ways = (form.has_steps() ? 1 : 0) + (form.has_brackets() ? 1 : 0) +
                     (form.has_proportion() ? 1 : 0) + (form.has_benchmark() ? 1 : 0);
    if (ways != 1) Error("survey", "SURVEY_FORM", "steps、brackets、proportion、benchmark 四选一");
    if (form.has_brackets() && !form.brackets().states().empty()) {
      Error("survey.brackets.states", "TIERS_OR_STATES",
            "问卷按数值分档（tiers），不用情形（states）");
    }
    if (form.when_small() == assessment::WHEN_EMPTY_UNSPECIFIED) {
      Error("survey.when_small", "EMPTY_POLICY_MISSING", "须写明样本不足时如何计分（when_small）");
    }
    if (form.has_interference() != (form.interference_loss_e4() > 0)) {
      Error("survey.interference", "AMOUNT_ZERO", "干扰调查：条件（interference）和扣分须一起写");
    }
    std::set<bool> weighted;
    std::set<std::string> names;
    for (int i = 0; i < form.sources_size(); ++i) {
      const assessment::SurveySource& source = form.sources(i);
      const std::string field = absl::StrCat("survey.sources[", i, "]");
      weighted.insert(source.weight_e4() > 0);
      if (!names.insert(source.name()).second)
        Error(field, "CLASS_DUPLICATE", absl::StrCat("“", source.name(), "”列了两次"));
      NeedCount(field + ".positive_measure", source.positive_measure());
      NeedCount(field + ".valid_measure", source.valid_measure());
      NeedCount(field + ".unsure_measure", source.unsure_measure());
    }
    if (weighted.size() > 1)
      Error("survey.sources", "WEIGHTS", "各来源的权重（weight）应全部写或全部不写");
    Reach reach;
    if (form.has_steps()) reach = {RateStep("survey.steps", form.steps(), true), 0};
    if (form.has_brackets()) reach = Either(Tiered("survey.brackets", form.brackets(), true));
    if (form.has_proportion())
      reach = Either(Proportion("survey.proportion", form.proportion(), true));
    if (form.has_benchmark()) reach = Benchmark("survey.benchmark", form.benchmark(), true);
    if (reach.lose.has_value()) reach.lose = *reach.lose + form.interference_loss_e4();
    return reach;
  }

  Reach Imported(const assessment::Imported& form) {
    if (form.grades().empty() && form.convert_to_e4() == 0 && !form.has_pass_e4()) {
      Error("imported", "IMPORT_HOW",
            "写 grades（等次得分）、convert_to（折算分值）或 pass（及格线）");
    }
    if (form.has_pass_e4() && form.fail_e4() == 0 && form.per_below_e4() == 0) {
      Error("imported.pass_e4", "AMOUNT_ZERO", "写明低于及格线扣几分（fail 或 per_below）");
    }
    std::set<std::string> names;
    Reach reach;
    for (int i = 0; i < form.grades_size(); ++i) {
      const assessment::GradePoints& grade = form.grades(i);
      if (!names.insert(grade.grade()).second) {
        Error(absl::StrCat("imported.grades[", i, "]"), "CLASS_DUPLICATE",
              absl::StrCat("“", grade.grade(), "”列了两次"));
      }
      reach.earn = Greater(*reach.earn, grade.points_e4());
      reach.lose = Greater(*reach.lose, -grade.points_e4());
    }
    if (form.convert_to_e4() > 0) {
      auto& most = Earns(clause_, earning_) ? reach.earn : reach.lose;
      most = *most + form.convert_to_e4();
    }
    reach.lose = *reach.lose + form.fail_e4();
    if (form.per_below_e4() > 0) reach.lose = absl::nullopt;
    return reach;
  }

  const ClauseCheck& check_;
  const assessment::Clause& clause_;
  const bool earning_;
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

Reach CheckClause(const ClauseCheck& check) { return Clauses(check).Run(); }

void CheckByClass(const assessment::Rubric& rubric,
                  const google::protobuf::RepeatedPtrField<assessment::ClassValue>& values,
                  const std::string& path, Findings& findings) {
  std::set<std::string> classes;
  for (int i = 0; i < values.size(); ++i) {
    const std::string& name = values[i].class_();
    const std::string field = absl::StrCat(path, "[", i, "].class");
    const bool known = std::any_of(
        rubric.classes().begin(), rubric.classes().end(),
        [&](const assessment::UnitClass& unit_class) { return unit_class.name() == name; });
    if (!known) findings.Error(field, "CLASS_UNKNOWN", absl::StrCat("classes 中没有“", name, "”"));
    if (!classes.insert(name).second) {
      findings.Error(field, "CLASS_DUPLICATE", absl::StrCat("“", name, "”列了两次"));
    }
  }
}

void CheckConditions(const Message& message, const std::string& path, Findings& findings) {
  CheckBeneath(message, path, 0, findings);
}

}  // namespace fadu::scoring
