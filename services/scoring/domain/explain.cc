#include "services/scoring/domain/explain.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/scoring/v1/scoring_service.pb.h"
#include "services/scoring/domain/engine.h"
#include "services/scoring/domain/sheet.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;
constexpr size_t kMaxRecords = 200;

Sentence Tell(const Telling& telling) {
  switch (telling.clause.form_case()) {
    case assessment::Clause::kCheck:
      return TellCheck(telling);
    case assessment::Clause::kChecklist:
      return TellChecklist(telling);
    case assessment::Clause::kShortfall:
      return TellShortfall(telling);
    case assessment::Clause::kIncident:
      return TellIncident(telling);
    case assessment::Clause::kIncidentTable:
    case assessment::Clause::kHonour:
      return TellTable(telling);
    case assessment::Clause::kRateStep:
      return TellRateStep(telling);
    case assessment::Clause::kThreshold:
      return TellThreshold(telling);
    case assessment::Clause::kTiered:
      return TellTiered(telling);
    case assessment::Clause::kLateness:
      return TellLateness(telling);
    case assessment::Clause::kJudged:
      return TellJudged(telling);
    case assessment::Clause::FORM_NOT_SET:
      return {};
  }
  return {};
}

std::string TextOf(const Sentence& sentence, const Words& say) {
  std::string text = sentence.requirement;
  if (!sentence.found.empty()) {
    if (!text.empty())
      absl::StrAppend(&text, sentence.full_stop ? say("。", ". ") : say("，", ", "));
    absl::StrAppend(&text, sentence.found);
  }
  if (!sentence.arithmetic.empty()) absl::StrAppend(&text, say("；", "; "), sentence.arithmetic);
  return absl::StrCat(text, say("。", "."));
}

// Every measure that was read, each once, and the records counted.
class Seen {
 public:
  explicit Seen(v1::ClauseExplanation& explanation) : explanation_(explanation) {}

  void Add(const Reading& reading) {
    const v1::MeasureValue& value = reading.evaluation.value;
    records_.insert(records_.end(), reading.evaluation.records.begin(),
                    reading.evaluation.records.end());
    if (value.expression().empty()) return;
    for (const v1::MeasureValue& known : explanation_.measures()) {
      if (known.expression() == value.expression()) return;
    }
    if (explanation_.measures_size() < 20) *explanation_.add_measures() = value;
  }

  void Add(const ConditionOutcome& condition) {
    if (!condition.measure.empty()) Add(condition.reading);
    for (const auto* list : {&condition.all, &condition.any, &condition.none}) {
      for (const ConditionOutcome& branch : *list) Add(branch);
    }
  }

  void Finish() {
    std::sort(records_.begin(), records_.end());
    records_.erase(std::unique(records_.begin(), records_.end()), records_.end());
    explanation_.set_record_count(static_cast<int64_t>(records_.size()));
    for (size_t i = 0; i < records_.size() && i < kMaxRecords; ++i) {
      explanation_.add_records(records_[i]);
    }
  }

 private:
  v1::ClauseExplanation& explanation_;
  std::vector<std::string> records_;
};

v1::ClauseExplanation ExplainClause(const Telling& telling) {
  const ClauseOutcome& outcome = telling.outcome;
  v1::ClauseExplanation explanation;
  explanation.set_form(FormsOf(telling.clause));
  explanation.set_earns(outcome.earns);
  const Points raw = outcome.raw.RoundTo(4, Rounding::kHalfUp);
  explanation.set_raw_e4(raw.units());
  if (!outcome.raw.IsWhole()) explanation.set_raw_exact(outcome.raw.ToString());
  explanation.set_applied_e4(outcome.applied.RoundTo(4, Rounding::kHalfUp).units());
  Seen seen(explanation);
  if (!telling.clause.has_judged()) seen.Add(outcome.reading);
  if (outcome.condition.has_value()) seen.Add(*outcome.condition);
  for (const Part& part : outcome.parts) {
    seen.Add(part.reading);
    if (part.condition.has_value()) seen.Add(*part.condition);
  }
  seen.Finish();
  Sentence sentence = Tell(telling);
  explanation.set_text(TextOf(sentence, telling.say));
  explanation.set_requirement(sentence.requirement);
  explanation.set_found(sentence.found);
  explanation.set_arithmetic(sentence.arithmetic);
  for (std::string& missing : sentence.missing) {
    if (explanation.missing_size() < 100) explanation.add_missing(std::move(missing));
  }
  return explanation;
}

// What stands after the clauses: what was due, and what the line is worth.
std::string Verdict(const assessment::Line& line, const LineOutcome& outcome,
                    const v1::LineExplanation& explanation, const Words& say) {
  const v1::LineScore& score = outcome.score;
  if (score.status() == v1::LINE_STATUS_NOT_APPLICABLE) {
    return say("本项作缺项处理，不计入满分。", " The line does not apply.");
  }
  if (score.zeroed()) {
    std::vector<std::string> reasons;
    for (const ConditionOutcome& condition : outcome.zeroed_by) {
      reasons.push_back(ConditionText(condition, Told::kHappened, say));
    }
    return absl::StrCat(say("", " "), say.List(reasons),
                        say("，本项不得分（原应得", ": the line is worth nothing ("),
                        Text(score.earned_e4()), say("分，满分", " otherwise, of "),
                        explanation.max(), say("分）。", ")."));
  }
  if (score.status() == v1::LINE_STATUS_NOT_YET_JUDGED) {
    return absl::StrCat(say("本项暂不计分（满分", " No points so far (of "), explanation.max(),
                        say("分）。", ")."));
  }
  std::string text;
  if (outcome.due < Fraction()) {
    text = absl::StrCat(say("共应扣", " Due: "), Text(explanation.due_e4()),
                        say("分，本项", ", but the line has "), explanation.max(),
                        say("分已扣完。", " to lose."));
  } else if (outcome.due > Fraction(line.max_e4())) {
    text = absl::StrCat(say("各款合计", " Clauses give "), Text(outcome.due),
                        say("分，本项最高", ", the line at most "), explanation.max(),
                        say("分。", "."));
  }
  return absl::StrCat(text, say("得", " Scores "), explanation.points(), say("分（满分", " of "),
                      explanation.max(), say("分）。", "."));
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
  Fraction due;
  std::vector<std::string> forms;
  std::vector<std::string> texts;
  for (int i = 0; i < line.clauses_size(); ++i) {
    const ClauseOutcome& clause = outcome.clauses[static_cast<size_t>(i)];
    v1::ClauseExplanation told = ExplainClause({line, line.clauses(i), clause, say});
    due += clause.earns ? -clause.applied : clause.applied;
    forms.push_back(told.form());
    texts.push_back(told.text());
    *explanation.add_clauses() = std::move(told);
  }
  if (!line.zero_when().empty()) forms.push_back("G01");
  explanation.set_form(absl::StrJoin(forms, "; "));
  explanation.set_due_e4(due.RoundTo(4, Rounding::kHalfUp).units());
  if (outcome.score.status() == v1::LINE_STATUS_SCORED && due > Fraction()) {
    explanation.set_taken_e4(line.max_e4() - outcome.score.points_e4());
  }
  explanation.set_text(absl::StrCat(absl::StrJoin(texts, say("", " ")),
                                    Verdict(line, outcome, explanation, say),
                                    say("依据：", " Basis: "), line.basis(), say("。", ".")));
  return explanation;
}

v1::GateExplanation ExplainGate(const GateOutcome& outcome, const Words& say) {
  const assessment::Gate& gate = *outcome.gate;
  v1::GateExplanation explanation;
  explanation.set_id(gate.id());
  explanation.set_form("G03");
  explanation.set_basis(gate.basis());
  explanation.set_certified_by(gate.certified_by());
  v1::ClauseExplanation records;
  Seen seen(records);
  seen.Add(outcome.when);
  seen.Finish();
  *explanation.mutable_records() = records.records();
  const std::string capped =
      gate.at_most().empty()
          ? ""
          : absl::StrCat(say("，等次最高为“", ", at most "), gate.at_most(), say("”", ""));
  explanation.set_text(absl::StrCat(
      say("因", ""), gate.what(), say("（", " ("),
      absl::StrJoin(Branches(outcome.when, true, Told::kHappened, say), say("；", "; ")),
      say("），年终", "): "), LabelOf(gate.effect(), say), capped,
      say("。认定单位：", ". Certified by "), gate.certified_by(), say("。依据：", ". Basis: "),
      gate.basis(), say("。", ".")));
  return explanation;
}

}  // namespace

absl::StatusOr<v1::SheetExplanation> Explain(const RunInputs& inputs, const RecordTypes& types,
                                             absl::string_view area_code, absl::string_view line_id,
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
  const FactIndex index(inputs.facts);
  const Words say(language);
  const SheetOutcome outcome = ScoreSheet(ContextOf(rubric, inputs, index, area_code, language));
  v1::SheetExplanation explanation;
  for (int i = 0; i < inputs.rubric.lines_size(); ++i) {
    const assessment::Line& line = inputs.rubric.lines(i);
    if (!line_id.empty() && line.id() != line_id) continue;
    *explanation.add_lines() = ExplainLine(line, outcome.lines[static_cast<size_t>(i)], say);
  }
  if (!line_id.empty()) return explanation;
  for (const GateOutcome& gate : outcome.gates) {
    *explanation.add_gates() = ExplainGate(gate, say);
  }
  const v1::ScoreSheet& sheet = outcome.sheet;
  std::string text = absl::StrCat(say("得分", "Total "), Text(sheet.total_e4()),
                                  say("分（满分", " of "), Text(sheet.max_e4()), say("分）", ""));
  absl::StrAppend(&text, say("，等次为“", ", tier "), sheet.tier(), say("”", ""));
  if (!sheet.tier_by_points().empty()) {
    absl::StrAppend(&text, say("（按得分为“", " (by points "), sheet.tier_by_points(),
                    say("”）", ")"));
  }
  if (sheet.award_barred()) absl::StrAppend(&text, say("，年终不参与评优", ", no award this year"));
  if (sheet.pending_e4() > 0) {
    absl::StrAppend(&text, say("；尚有", "; "), Text(sheet.pending_e4()),
                    say("分待评定，为暂定结果", " points wait for a mark, provisional"));
  }
  explanation.set_text(absl::StrCat(text, say("。", ".")));
  return explanation;
}

// ---- phrases -----------------------------------------------------------------------------------

std::string Words::List(const std::vector<std::string>& items) const {
  return absl::StrJoin(items, zh_ ? "、" : ", ");
}

std::string Text(int64_t units) { return Points::FromUnits(units).ToString(); }
std::string Text(const Fraction& units) { return units.RoundTo(4, Rounding::kHalfUp).ToString(); }

std::string UnitOr(const std::string& unit, absl::string_view fallback, const Words& say) {
  if (!say.zh()) return "";
  return unit.empty() ? std::string(fallback) : unit;
}

std::string ComparisonText(assessment::Comparison comparison, int64_t threshold_e4,
                           absl::string_view unit, const Words& say) {
  const std::string threshold = absl::StrCat(Text(threshold_e4), unit);
  switch (comparison) {
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

std::string Taken(const ClauseOutcome& outcome, const Words& say) {
  const std::string verb = outcome.earns ? say("加", "earns ") : say("扣", "loses ");
  if (outcome.raw == Fraction()) {
    return outcome.earns ? say("不加分", "nothing earned") : say("不扣分", "no loss");
  }
  if (outcome.raw == outcome.applied) {
    return absl::StrCat(verb, Text(outcome.applied), say("分", " points"));
  }
  return say.zh()
             ? absl::StrCat("应", verb, Text(outcome.raw), "分，本款最高", verb,
                            Text(outcome.applied), "分，实", verb, Text(outcome.applied), "分")
             : absl::StrCat(verb, Text(outcome.raw), " points, capped at ", Text(outcome.applied));
}

std::string ConditionText(const ConditionOutcome& outcome, Told told, const Words& say) {
  if (outcome.measure.empty()) return outcome.requirement;
  const v1::MeasureValue& value = outcome.reading.evaluation.value;
  const std::string found =
      told == Told::kHappened
          ? absl::StrCat(value.label(), say("为", ": "), value.text())
          : absl::StrCat(value.label(), say("须", " must be "),
                         ComparisonText(outcome.comparison, outcome.threshold_e4,
                                        value.is_ratio() ? "%" : "", say),
                         say("，实际", ", found "), value.text());
  if (outcome.requirement.empty()) return found;
  return absl::StrCat(outcome.requirement, say("（", " ("), found, say("）", ")"));
}

std::vector<std::string> Branches(const ConditionOutcome& outcome, bool holds, Told told,
                                  const Words& say) {
  std::vector<std::string> texts;
  const auto add = [&](const std::vector<ConditionOutcome>& list, bool wanted) {
    for (const ConditionOutcome& branch : list) {
      if (branch.truth != (wanted ? Truth::kTrue : Truth::kFalse)) continue;
      for (std::string& text : Branches(branch, wanted, told, say))
        texts.push_back(std::move(text));
    }
  };
  const bool leaf_agrees =
      !outcome.measure.empty() && !outcome.reading.empty &&
      Compare(outcome.comparison, outcome.reading.number, outcome.threshold_e4) == holds;
  if (leaf_agrees) texts.push_back(ConditionText(outcome, told, say));
  add(outcome.all, holds);
  add(outcome.any, holds);
  add(outcome.none, !holds);
  if (texts.empty() && !outcome.requirement.empty()) texts.push_back(outcome.requirement);
  return texts;
}

Sentence TellEmpty(const Telling& telling, const std::string& what, assessment::WhenEmpty policy) {
  const Words& say = telling.say;
  const ClauseOutcome& outcome = telling.outcome;
  if (policy == assessment::WHEN_EMPTY_UNSPECIFIED) policy = assessment::WHEN_EMPTY_NOT_APPLICABLE;
  Sentence sentence;
  sentence.found = absl::StrCat(
      say("本年度没有可计算", "no records for "), what,
      say("的记录（分母为零），按本细则", " this year (denominator zero): "), LabelOf(policy, say));
  if (outcome.state == ClauseOutcome::State::kMarked) {
    absl::StrAppend(&sentence.found, say("，评", ", given "), Text(outcome.mark), say("分", ""));
  } else if (outcome.state == ClauseOutcome::State::kPending) {
    absl::StrAppend(&sentence.found, say("，尚未评定，由", ", not yet judged, by "),
                    telling.line.scorer(), say("评定", ""));
    sentence.missing.push_back(say("尚未评定", "not yet judged"));
  }
  return sentence;
}

}  // namespace fadu::scoring
