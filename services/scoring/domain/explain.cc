#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/scoring/v1/scoring_service.pb.h"
#include "services/scoring/domain/engine.h"
#include "services/scoring/domain/line.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;
namespace common = ::fadu::common::v1;
constexpr size_t kMaxRecords = 200;

std::string Text(Points points) { return points.ToString(); }
std::string Text(int64_t units) { return Points::FromUnits(units).ToString(); }

// A rate for people, never contradicting the comparison beside it: more places where two would make
// it look equal to the target.
std::string RateText(const v1::MeasureValue& value, int64_t target_e4) {
  const Ratio ratio{value.numerator(), value.denominator()};
  Points shown = ratio.Percent(2, Rounding::kHalfUp);
  const bool equal = shown.units() == target_e4;
  const bool truly = ratio.Percent(4, Rounding::kCut).units() == target_e4 &&
                     ratio.Percent(4, Rounding::kHalfUp).units() == target_e4;
  if (equal && !truly) shown = ratio.Percent(4, Rounding::kCut);
  return absl::StrCat(value.numerator(), "÷", value.denominator(), "=", Text(shown), "%");
}

// Words of one language. Sentences follow the examples of the rule forms.
class Words {
 public:
  explicit Words(absl::string_view language) : zh_(language != "en") {}
  std::string operator()(absl::string_view zh, absl::string_view en) const {
    return std::string(zh_ ? zh : en);
  }
  bool zh() const { return zh_; }
  absl::string_view language() const { return zh_ ? "zh" : "en"; }

 private:
  const bool zh_;
};

std::string WindowName(assessment::Window window, const Words& say) {
  switch (window) {
    case assessment::WINDOW_HALF_YEAR:
      return say("每半年", "each half-year");
    case assessment::WINDOW_QUARTER:
      return say("每季度", "each quarter");
    case assessment::WINDOW_MONTH:
      return say("每月", "each month");
    default:
      return say("全年", "in the year");
  }
}

std::string ComparisonText(const assessment::Check& check, bool ratio, const Words& say) {
  const std::string threshold = absl::StrCat(Text(check.threshold_e4()), ratio ? "%" : "");
  switch (check.comparison()) {
    case assessment::COMPARISON_AT_LEAST:
      return absl::StrCat(say("不少于", "at least "), threshold);
    case assessment::COMPARISON_MORE_THAN:
      return absl::StrCat(say("超过", "more than "), threshold);
    case assessment::COMPARISON_AT_MOST:
      return absl::StrCat(say("不多于", "at most "), threshold);
    case assessment::COMPARISON_LESS_THAN:
      return absl::StrCat(say("少于", "less than "), threshold);
    case assessment::COMPARISON_EQUAL:
      return absl::StrCat(say("等于", "exactly "), threshold);
    default:
      return threshold;
  }
}

// 应扣 and 实扣 where a cap made them differ.
std::string Taken(const ClauseOutcome& outcome, bool earn, const Words& say) {
  const std::string verb = earn ? say("加", "earns ") : say("扣", "loses ");
  if (outcome.raw == outcome.applied) {
    return absl::StrCat(verb, Text(outcome.applied), say("分", " points"));
  }
  return say.zh()
             ? absl::StrCat("应", verb, Text(outcome.raw), "分，本款最高", verb,
                            Text(outcome.applied), "分，实", verb, Text(outcome.applied), "分")
             : absl::StrCat(verb, Text(outcome.raw), " points, capped at ", Text(outcome.applied));
}

std::string ExplainCheck(const assessment::Check& form, const ClauseOutcome& outcome, bool earn,
                         const Words& say) {
  const v1::MeasureValue& value = outcome.evaluation.value;
  const std::string requirement = absl::StrCat(say("要求：", "Required: "), form.requirement());
  if (outcome.empty) {
    return absl::StrCat(requirement, say("。本年度分母为零，无法判断，不扣分。",
                                         ". Nothing to measure this year; no loss."));
  }
  const std::string found = absl::StrCat(say("（", " ("), value.label(), say("须", " must be "),
                                         ComparisonText(form, value.is_ratio(), say),
                                         say("，实际", ", found "), value.text(), say("）", ")"));
  return absl::StrCat(
      requirement, found, say("。核查结果：", ". Result: "),
      outcome.met ? say("符合", "met") : say("不符合", "not met"),
      outcome.raw == Points()
          ? (earn ? say("，不加分。", ", nothing earned.") : say("，不扣分。", ", no loss."))
          : absl::StrCat(say("，", ", "), Taken(outcome, earn, say), say("。", ".")));
}

std::string ExplainShortfall(const assessment::Shortfall& form, const ClauseOutcome& outcome,
                             const Words& say, v1::ClauseExplanation& explanation) {
  const std::string unit = form.unit().empty() ? say("次", "") : form.unit();
  const bool windowed = outcome.windows.size() > 1;
  std::vector<std::string> parts;
  int64_t missing = 0;
  int64_t got = 0;
  for (const WindowCount& window : outcome.windows) {
    got += window.got;
    const int64_t lacking = std::max<int64_t>(0, form.required() - window.got);
    missing += lacking;
    const std::string name = window.period.Label(say.language());
    if (lacking > 0) {
      const std::string text = say.zh()
                                   ? absl::StrCat(windowed ? name : "", "缺", lacking, unit)
                                   : absl::StrCat(windowed ? name + ": " : "", lacking, " missing");
      explanation.add_missing(text);
      parts.push_back(text);
    } else if (windowed) {
      parts.push_back(say.zh() ? absl::StrCat(name, window.got, unit)
                               : absl::StrCat(name, ": ", window.got));
    }
  }
  const auto windows = static_cast<int64_t>(outcome.windows.size());
  std::string text =
      say.zh() ? absl::StrCat("应开展", form.what(), form.required() * windows, unit,
                              windowed ? absl::StrCat("（", WindowName(form.window(), say),
                                                      form.required(), unit, "）")
                                       : "",
                              "，实际", got, unit)
               : absl::StrCat(form.what(), ": ", form.required(), " required ",
                              WindowName(form.window(), say), ", ", got, " found");
  if (!parts.empty())
    absl::StrAppend(&text, say("：", ": "), absl::StrJoin(parts, say("，", ", ")));
  absl::StrAppend(&text, say("；", "; "));
  if (missing == 0) return absl::StrCat(text, say("达到要求，不扣分。", "as required, no loss."));
  return absl::StrCat(text, say("每少1", "each one missing loses "), say.zh() ? unit : "",
                      say("扣", ""), Text(form.per_missing_e4()), say("分，", ", "),
                      Taken(outcome, false, say), say("。", "."));
}

std::string ExplainRate(const assessment::RateStep& form, const assessment::Line& line,
                        const ClauseOutcome& outcome, const Words& say,
                        v1::ClauseExplanation& explanation) {
  const v1::MeasureValue& value = outcome.evaluation.value;
  if (outcome.empty) {
    const auto* policy = assessment::WhenEmpty_descriptor()->FindValueByNumber(form.when_empty());
    const auto& label = policy->options().GetExtension(common::label);
    std::string text = say.zh() ? absl::StrCat("本年度没有可计算", form.what(),
                                               "的记录（分母为零），按本细则", label.zh())
                                : absl::StrCat("no records for ", form.what(),
                                               " this year (denominator zero): ", label.en());
    if (outcome.state == ClauseOutcome::State::kMarked) {
      absl::StrAppend(&text, say("，评", ", given "), Text(outcome.mark), say("分", ""));
    } else if (outcome.state == ClauseOutcome::State::kPending) {
      absl::StrAppend(&text, say("，尚未评定，由", ", not yet judged, by "), line.scorer(),
                      say("评定", ""));
    }
    return absl::StrCat(text, say("。", "."));
  }
  const std::string rate = RateText(value, form.target_percent_e4());
  const std::string target = absl::StrCat(Text(form.target_percent_e4()), "%");
  std::string text = absl::StrCat(form.what(), "（", value.label(), "）＝", rate);
  if (!say.zh()) text = absl::StrCat(form.what(), " (", value.label(), ") = ", rate);
  if (outcome.met) {
    return absl::StrCat(
        text, form.above() ? say("，未超过标准", ", not above ") : say("，达到标准", ", reaches "),
        target, say("，不扣分。", ", no loss."));
  }
  // Shown exactly where four places suffice, else cut, so that it never looks larger than it is.
  const Points distance = Points::FromUnits(
      MulDivRound(outcome.distance.numerator, 1, outcome.distance.denominator, Rounding::kCut));
  explanation.add_missing(
      say.zh() ? absl::StrCat("距标准", target, "差", Text(distance), "个百分点")
               : absl::StrCat(Text(distance), " percentage points short of ", target));
  const auto* rounding =
      assessment::StepRounding_descriptor()->FindValueByNumber(form.step_rounding());
  const auto& label = rounding->options().GetExtension(common::label);
  return say.zh()
             ? absl::StrCat(text, form.above() ? "，高于标准" : "，低于标准", target, "，差",
                            Text(distance), "个百分点；每", form.above() ? "高" : "低",
                            Text(form.step_percent_e4()), "个百分点扣", Text(form.per_step_e4()),
                            "分（", label.zh(), "），按", Text(outcome.steps), "步计，",
                            Taken(outcome, false, say), "。")
             : absl::StrCat(text, form.above() ? ", above " : ", below ", target, " by ",
                            Text(distance), " percentage points; ", Text(form.per_step_e4()),
                            " for each ", Text(form.step_percent_e4()), " (", label.en(), "), ",
                            Text(outcome.steps), " steps, ", Taken(outcome, false, say), ".");
}

std::string ExplainJudged(const assessment::Judged& form, const assessment::Line& line,
                          const ClauseOutcome& outcome, const Words& say) {
  const std::string range = say.zh()
                                ? absl::StrCat(Text(form.min_e4()), "至", Text(form.max_e4()), "分")
                                : absl::StrCat(Text(form.min_e4()), " to ", Text(form.max_e4()));
  if (outcome.state == ClauseOutcome::State::kPending) {
    return say.zh() ? absl::StrCat("尚未评定：“", form.what(), "”由", line.scorer(), "在", range,
                                   "之间评定。")
                    : absl::StrCat("not yet judged: ", form.what(), ", by ", line.scorer(),
                                   " between ", range, ".");
  }
  return say.zh() ? absl::StrCat("“", form.what(), "”由", line.scorer(), "评定，范围", range,
                                 "，评", Text(outcome.mark), "分。理由：", outcome.given->reason(),
                                 "（评定日期", outcome.given->marked_date(), "）。")
                  : absl::StrCat(form.what(), ", judged by ", line.scorer(), " between ", range,
                                 ": ", Text(outcome.mark), ". Reason: ", outcome.given->reason(),
                                 " (", outcome.given->marked_date(), ").");
}

v1::ClauseExplanation ExplainClause(const assessment::Line& line, const assessment::Clause& clause,
                                    const ClauseOutcome& outcome, const Words& say) {
  v1::ClauseExplanation explanation;
  explanation.set_form(absl::StrCat(FormCode(clause), clause.has_cap_e4() ? "+M01" : ""));
  explanation.set_raw_e4(outcome.raw.units());
  explanation.set_applied_e4(outcome.applied.units());
  if (!clause.has_judged()) {
    *explanation.add_measures() = outcome.evaluation.value;
    const std::vector<std::string>& records = outcome.evaluation.records;
    explanation.set_record_count(static_cast<int64_t>(records.size()));
    for (size_t i = 0; i < records.size() && i < kMaxRecords; ++i)
      explanation.add_records(records[i]);
  }
  const bool earn = line.direction() == assessment::DIRECTION_EARN;
  switch (clause.form_case()) {
    case assessment::Clause::kCheck:
      if (!outcome.met && !earn) explanation.add_missing(clause.check().requirement());
      explanation.set_text(ExplainCheck(clause.check(), outcome, earn, say));
      break;
    case assessment::Clause::kShortfall:
      explanation.set_text(ExplainShortfall(clause.shortfall(), outcome, say, explanation));
      break;
    case assessment::Clause::kRateStep:
      explanation.set_text(ExplainRate(clause.rate_step(), line, outcome, say, explanation));
      break;
    case assessment::Clause::kJudged:
      if (outcome.state == ClauseOutcome::State::kPending) {
        explanation.add_missing(say("尚未评定", "not yet judged"));
      }
      explanation.set_text(ExplainJudged(clause.judged(), line, outcome, say));
      break;
    case assessment::Clause::FORM_NOT_SET:
      break;
  }
  return explanation;
}

v1::LineExplanation ExplainLine(const assessment::Line& line, const LineOutcome& outcome,
                                const Words& say) {
  v1::LineExplanation explanation;
  *explanation.mutable_score() = outcome.score;
  explanation.set_points(Text(outcome.score.points_e4()));
  explanation.set_max(Text(line.max_e4()));
  explanation.set_title(line.title());
  explanation.set_chapter(line.chapter());
  explanation.set_basis(line.basis());
  *explanation.mutable_evidence() = line.evidence();
  std::vector<std::string> forms;
  std::vector<std::string> texts;
  for (int i = 0; i < line.clauses_size(); ++i) {
    v1::ClauseExplanation clause =
        ExplainClause(line, line.clauses(i), outcome.clauses[static_cast<size_t>(i)], say);
    forms.push_back(clause.form());
    texts.push_back(clause.text());
    *explanation.add_clauses() = std::move(clause);
  }
  explanation.set_form(absl::StrJoin(forms, "; "));
  std::string text = absl::StrJoin(texts, say("", " "));
  switch (outcome.score.status()) {
    case v1::LINE_STATUS_SCORED:
      absl::StrAppend(&text, say("得", " Scores "), explanation.points(), say("分（满分", " of "),
                      explanation.max(), say("分）。", "."));
      break;
    case v1::LINE_STATUS_NOT_APPLICABLE:
      absl::StrAppend(&text, say("本项作缺项处理，不计入满分。", " The line does not apply."));
      break;
    default:
      absl::StrAppend(&text, say("本项暂不计分（满分", " No points so far (of "), explanation.max(),
                      say("分）。", ")."));
      break;
  }
  absl::StrAppend(&text, say("依据：", " Basis: "), line.basis(), say("。", "."));
  explanation.set_text(text);
  return explanation;
}

}  // namespace

absl::StatusOr<std::vector<v1::LineExplanation>> Explain(const RunInputs& inputs,
                                                         const RecordTypes& types,
                                                         absl::string_view area_code,
                                                         absl::string_view line_id,
                                                         absl::string_view language) {
  const auto& areas = inputs.snapshot.areas();
  const bool known = area_code.size() == 12 &&
                     std::any_of(areas.begin(), areas.end(), [&](const v1::AreaNode& area) {
                       return area.code() == area_code;
                     });
  if (!known) {
    return Fail(absl::StatusCode::kNotFound, v1::REASON_AREA_UNKNOWN, "no such village in the run",
                {{"area", std::string(area_code)}});
  }
  FADU_ASSIGN_OR_RETURN(const CompiledRubric rubric, CompiledRubric::Compile(inputs.rubric, types));
  const Words say(language);
  std::vector<v1::LineExplanation> lines;
  for (int i = 0; i < inputs.rubric.lines_size(); ++i) {
    const assessment::Line& line = inputs.rubric.lines(i);
    if (!line_id.empty() && line.id() != line_id) continue;
    lines.push_back(ExplainLine(line, ScoreLine(rubric, i, inputs, area_code, language), say));
  }
  return lines;
}

}  // namespace fadu::scoring
