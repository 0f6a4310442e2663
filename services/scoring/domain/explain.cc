#include "services/scoring/domain/explain.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/scoring/v1/scoring_service.pb.h"
#include "services/scoring/domain/engine.h"
#include "services/scoring/domain/outcome.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;
constexpr size_t kMaxRecords = 200;

Sentence Tell(const Telling& telling) {
  const assessment::Clause& clause = telling.clause;
  switch (clause.form_case()) {
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
    case assessment::Clause::kNotice:
      return TellTable(telling);
    case assessment::Clause::kRateStep:
      return TellRateStep(telling, clause.rate_step());
    case assessment::Clause::kThreshold:
      return TellThreshold(telling);
    case assessment::Clause::kTiered:
      return TellTiered(telling, clause.tiered());
    case assessment::Clause::kProportion:
      return TellProportion(telling, clause.proportion());
    case assessment::Clause::kEarnEach:
      return TellEarnEach(telling);
    case assessment::Clause::kSymmetric:
      return TellSymmetric(telling);
    case assessment::Clause::kTrend:
      return TellTrend(telling);
    case assessment::Clause::kBenchmark:
      return TellBenchmark(telling, clause.benchmark());
    case assessment::Clause::kRank:
      return TellRank(telling);
    case assessment::Clause::kAdjustment:
      return TellAdjustment(telling);
    case assessment::Clause::kLateness:
      return TellLateness(telling);
    case assessment::Clause::kJudged:
      return TellJudged(telling);
    case assessment::Clause::kSurvey:
      return TellSurvey(telling);
    case assessment::Clause::kImported:
      return TellImported(telling);
    case assessment::Clause::FORM_NOT_SET:
      return {};
  }
  return {};
}

// A clause that is a mean over areas (M07): what each of them came to.
Sentence TellAverage(const Telling& telling) {
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  Sentence sentence;
  sentence.requirement =
      absl::StrCat(telling.clause.text().empty() ? telling.line.title() : telling.clause.text(),
                   telling.clause.average().areas().empty()
                       ? say("，按所辖各单位平均值计算", ", the mean over all beneath")
                       : say("，按抽样单位平均值计算", ", the mean over a sample"));
  std::vector<std::string> areas;
  for (const Part& part : outcome.parts) {
    if (!part.applies) {
      areas.push_back(absl::StrCat(part.name, say("不适用", " n/a")));
      continue;
    }
    const bool lost = part.amount < Fraction();
    areas.push_back(absl::StrCat(part.name, lost ? say("扣", " -") : say("加", " +"),
                                 Text(lost ? -part.amount : part.amount), say("分", "")));
    if (!part.met) sentence.missing.push_back(part.name);
  }
  sentence.found = areas.empty() ? say("没有可计算的单位", "no area to measure") : say.List(areas);
  sentence.arithmetic = Taken(outcome, say);
  return sentence;
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
  explanation.set_raw_e4(outcome.raw.RoundTo(4, Rounding::kHalfUp).units());
  if (!outcome.raw.IsWhole()) explanation.set_raw_exact(outcome.raw.ToString());
  explanation.set_applied_e4(outcome.applied.RoundTo(4, Rounding::kHalfUp).units());
  Seen seen(explanation);
  seen.Add(outcome.reading);
  if (outcome.condition.has_value()) seen.Add(*outcome.condition);
  for (const Part& part : outcome.parts) {
    seen.Add(part.reading);
    if (part.condition.has_value()) seen.Add(*part.condition);
  }
  seen.Finish();
  Sentence sentence = telling.clause.has_average() ? TellAverage(telling) : Tell(telling);
  explanation.set_text(TextOf(sentence, telling.say));
  explanation.set_requirement(sentence.requirement);
  explanation.set_found(sentence.found);
  explanation.set_arithmetic(sentence.arithmetic);
  for (std::string& missing : sentence.missing) {
    if (explanation.missing_size() < 100) explanation.add_missing(std::move(missing));
  }
  return explanation;
}

// What stands after the clauses of one round: what was due, and what the line is worth.
std::string Verdict(const assessment::Rubric& rubric, const assessment::Line& line,
                    const LineOutcome& outcome, const Words& say) {
  const std::string max = Text(line.max_e4());
  const std::string of_max =
      line.max_e4() > 0 ? absl::StrCat(say("（满分", " of "), max, say("分）", "")) : "";
  if (outcome.not_applicable.has_value()) {
    return absl::StrCat(absl::StrJoin(Branches(*outcome.not_applicable, true, Told::kHappened, say),
                                      say("；", "; ")),
                        say("，本项缺项。", ": the line does not apply."));
  }
  if (!outcome.applies()) return say("本项作缺项处理，不计入满分。", " The line does not apply.");
  if (outcome.exemption != nullptr) {
    return absl::StrCat(
        outcome.exemption->what(), say("，本项免检，得满分", ": exempt, full marks, "), max,
        say("分（依据：", " (basis: "), outcome.exemption->basis(), say("）。", ")."));
  }
  if (!outcome.zeroed_by.empty()) {
    std::vector<std::string> reasons;
    for (const ConditionOutcome& condition : outcome.zeroed_by) {
      reasons.push_back(ConditionText(condition, Told::kHappened, say));
    }
    return absl::StrCat(say("", " "), say.List(reasons),
                        say("，本项不得分（原应得", ": the line is worth nothing ("),
                        Text(outcome.earned), say("分，满分", " otherwise, of "), max,
                        say("分）。", ")."));
  }
  if (outcome.waits()) {
    return absl::StrCat(say("本项暂不计分", " No points so far"),
                        say.zh() ? of_max : absl::StrCat(" (of ", max, ")"), say("。", "."));
  }
  const LineEnds ends = EndsOf(line);
  std::string text;
  if (ends.low.has_value() && outcome.due < Fraction(*ends.low)) {
    const Fraction due = Fraction(ends.start) - outcome.due;
    const int64_t all = ends.start - *ends.low;
    text = absl::StrCat(say("共应扣", " Due: "), Text(due), say("分，本项", ", but the line has "),
                        Text(all), say("分已扣完。", " to lose."));
  } else if (ends.high.has_value() && outcome.due > Fraction(*ends.high)) {
    text = absl::StrCat(say("各款合计", " Clauses give "), Text(outcome.due),
                        say("分，本项最高", ", the line at most "), Text(*ends.high),
                        say("分。", "."));
  }
  return absl::StrCat(text, say("得", " Scores "), Text(RoundedFor(rubric, outcome.points).units()),
                      say("分", ""), of_max, say("。", "."));
}

// One round of a line in words; its clauses go into the explanation.
std::string TellRound(const assessment::Rubric& rubric, const assessment::Line& line,
                      const LineRound& round, const Words& say, v1::LineExplanation& explanation,
                      std::vector<std::string>& forms) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < round.outcome.clauses.size(); ++i) {
    v1::ClauseExplanation told =
        ExplainClause({line, line.clauses(static_cast<int>(i)), round.outcome.clauses[i], say});
    if (forms.size() <= i) forms.push_back(told.form());
    texts.push_back(told.text());
    if (explanation.clauses_size() < 500) *explanation.add_clauses() = std::move(told);
  }
  return absl::StrCat(absl::StrJoin(texts, say("", " ")),
                      Verdict(rubric, line, round.outcome, say));
}

v1::LineExplanation ExplainLine(const assessment::Rubric& rubric, const assessment::Line& line,
                                const LineRounds& rounds, const Words& say) {
  v1::LineExplanation explanation;
  *explanation.mutable_score() = rounds.score;
  explanation.set_points(Text(rounds.score.points_e4()));
  explanation.set_max(Text(line.max_e4()));
  explanation.set_title(line.title());
  explanation.set_chapter(line.chapter());
  explanation.set_basis(line.basis());
  *explanation.mutable_evidence() = line.evidence();
  std::vector<std::string> forms;
  std::string text;
  const bool by_period = rounds.rounds.size() > 1 || !rounds.rounds[0].period.empty();
  Fraction due;
  for (const LineRound& round : rounds.rounds) {
    if (by_period)
      absl::StrAppend(&text, say("【", "["), round.name.empty() ? say("全年", "year") : round.name,
                      say("】", "] "));
    absl::StrAppend(&text, TellRound(rubric, line, round, say, explanation, forms));
    for (const ClauseOutcome& clause : round.outcome.clauses) {
      due += clause.earns ? -clause.applied : clause.applied;
    }
  }
  if (by_period) {
    absl::StrAppend(&text, say("各期加权后得", " Weighted: "), explanation.points(),
                    say("分。", "."));
  }
  if (!line.zero_when().empty()) forms.push_back("G01");
  if (line.has_not_applicable()) forms.push_back("M10");
  explanation.set_form(absl::StrJoin(forms, "; "));
  explanation.set_due_e4(due.RoundTo(4, Rounding::kHalfUp).units());
  if (rounds.score.status() == v1::LINE_STATUS_SCORED && due > Fraction() && !by_period) {
    explanation.set_taken_e4(EndsOf(line).start - rounds.score.points_e4());
  }
  explanation.set_text(absl::StrCat(text, say("依据：", " Basis: "), line.basis(), say("。", ".")));
  return explanation;
}

std::string GateCode(assessment::GateEffect effect) {
  switch (effect) {
    case assessment::GATE_EFFECT_UNQUALIFIED:
      return "G02";
    case assessment::GATE_EFFECT_ENTRY:
      return "G04";
    case assessment::GATE_EFFECT_SECTION:
      return "G05";
    default:
      return "G03";
  }
}

v1::GateExplanation ExplainGate(const GateOutcome& outcome, const Words& say) {
  v1::GateExplanation explanation;
  explanation.set_form(GateCode(outcome.effect));
  if (outcome.gate == nullptr) {
    // G05: “‘法治建设’板块18分,低于20分板块线,整体不通过。”
    const assessment::Group& group = *outcome.group;
    explanation.set_id(group.id());
    explanation.set_text(
        absl::StrCat(say("“", ""), group.title(), say("”板块", ": "), Text(outcome.value),
                     say("分，低于", ", below its minimum of "), Text(group.minimum_e4()),
                     say("分板块线，整体不通过。", "; the whole is not passed.")));
    return explanation;
  }
  const assessment::Gate& gate = *outcome.gate;
  explanation.set_id(gate.id());
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
  const bool award = outcome.effect == assessment::GATE_EFFECT_NO_AWARD;
  explanation.set_text(absl::StrCat(
      say("因", ""), gate.what(), say("（", " ("),
      absl::StrJoin(Branches(outcome.when, true, Told::kHappened, say), say("；", "; ")),
      award ? say("），年终", "): ") : say("），", "): "), LabelOf(outcome.effect, say), capped,
      say("。认定单位：", ". Certified by "), gate.certified_by(), say("。依据：", ". Basis: "),
      gate.basis(), say("。", ".")));
  return explanation;
}

// “该板块…”: how a group adds up, where it does more than that.
v1::GroupExplanation ExplainGroup(const assessment::Rubric& rubric, const GroupOutcome& outcome,
                                  const std::string& title, const Words& say) {
  v1::GroupExplanation explanation;
  const assessment::Group none;
  const assessment::Group& group = outcome.group == nullptr ? none : *outcome.group;
  explanation.set_group_id(group.id());
  explanation.set_title(title);
  const auto points = [&](const Fraction& value) {
    return Text(RoundedFor(rubric, value).units());
  };
  std::string text = absl::StrCat(title, say("：", ": "));
  if (outcome.result != nullptr) {
    absl::StrAppend(&text, say("采用", "taken from "), outcome.result->scheme(),
                    say("结果（", " ("), outcome.result->source(), say("，", ", "),
                    outcome.result->result_date(), say("），", "), "));
  } else if (!group.scheme().empty()) {
    absl::StrAppend(&text, say("尚无", "no result yet of "), group.scheme(), say("的结果，", ", "));
  }
  std::vector<std::string> rounds;
  for (const GroupOutcome::Round& round : outcome.rounds) {
    rounds.push_back(
        absl::StrCat(round.name, say("", " "),
                     round.absent ? say("无", "none") : points(round.value) + say("分", ""),
                     say("×", " × "), Text(round.weight * Points::kScale)));
  }
  if (!rounds.empty())
    absl::StrAppend(&text, absl::StrJoin(rounds, say("＋", " + ")), say("，", ", "));
  absl::StrAppend(&text, say("合计", "sum "), points(outcome.raw), say("分", ""));
  if (outcome.scaled) {
    const Fraction full = outcome.max;
    absl::StrAppend(&text, say("，有缺项，", ", something does not apply, "),
                    group.missing() == assessment::MISSING_POLICY_FULL
                        ? say("缺项得满分", "it gets full marks")
                        : say("按实得÷应得折算", "scaled up"));
  }
  if (outcome.ceiling)
    absl::StrAppend(&text, say("，最高", ", at most "), Text(group.at_most_e4()),
                    say("分，超出部分不计", ", the rest is not carried over"));
  if (outcome.floor)
    absl::StrAppend(&text, say("，最低", ", at least "), Text(group.at_least_e4()), say("分", ""));
  if (group.convert_to_e4() > 0)
    absl::StrAppend(&text, say("，折算为", ", converted to a whole of "),
                    Text(group.convert_to_e4()), say("分制", ""));
  absl::StrAppend(&text, say("，得", ", comes to "), points(outcome.value), say("分", ""));
  if (group.weight_e4() > 0)
    absl::StrAppend(&text, say("，权重", ", weight "), Text(group.weight_e4()));
  explanation.set_text(absl::StrCat(text, say("。", ".")));
  return explanation;
}

// Records that several lines count.
void AddShared(const SheetOutcome& outcome, v1::SheetExplanation& explanation) {
  std::map<std::string, std::set<std::string>> lines;
  for (const LineRounds& line : outcome.lines) {
    for (const LineRound& round : line.rounds) {
      for (const ClauseOutcome& clause : round.outcome.clauses) {
        for (const std::string& record : clause.counted) lines[record].insert(line.score.line_id());
      }
    }
  }
  for (const auto& [record, ids] : lines) {
    if (ids.size() < 2 || explanation.shared_size() >= static_cast<int>(kMaxRecords)) continue;
    v1::SharedRecord& shared = *explanation.add_shared();
    shared.set_record(record);
    for (const std::string& id : ids) shared.add_lines(id);
  }
}

void AddDecisions(const SheetOutcome& outcome, const Words& say,
                  v1::SheetExplanation& explanation) {
  for (const LineRounds& line : outcome.lines) {
    for (const LineRound& round : line.rounds) {
      for (const ClauseOutcome& clause : round.outcome.clauses) {
        for (const assessment::Adjustment* decision : clause.decisions) {
          if (explanation.decisions_size() >= 200) return;
          explanation.add_decisions(absl::StrCat(
              line.score.line_id(), say("：", ": "), Text(decision->points_e4()), say("分，", ", "),
              decision->authority(), say("，", ", "), decision->decided_date(), say("，", ", "),
              decision->document(), say("，理由：", ": "), decision->reason()));
        }
      }
    }
  }
}

// Total and outcome in one sentence.
std::string TellSheet(const v1::ScoreSheet& sheet, bool too_much_missing, const Words& say) {
  std::string text = absl::StrCat(say("得分", "Total "), Text(sheet.total_e4()));
  absl::StrAppend(&text, say("分（满分", " of "), Text(sheet.max_e4()), say("分）", ""));
  if (sheet.unrated()) {
    absl::StrAppend(&text, too_much_missing
                               ? say("，缺项过多，不定等次", ", too much does not apply, no tier")
                               : say("，不予申报，不定等次", ", not entered, no tier"));
  } else {
    absl::StrAppend(&text, say("，等次为“", ", tier "), sheet.tier(), say("”", ""));
  }
  if (!sheet.tier_by_points().empty()) {
    absl::StrAppend(&text, say("（按得分为“", " (by points "), sheet.tier_by_points(),
                    say("”）", ")"));
  }
  if (!sheet.quota_tier().empty())
    absl::StrAppend(&text, say("，“", ", beyond the quota of "), sheet.quota_tier(),
                    say("”名额已满", ""));
  if (sheet.rank() > 0)
    absl::StrAppend(&text, say("，排第", ", rank "), sheet.rank(), say("名（共", " of "),
                    sheet.ranked(), say("个）", ""));
  if (!sheet.prize().empty()) absl::StrAppend(&text, say("，", ", "), sheet.prize());
  if (!sheet.last_place().empty())
    absl::StrAppend(&text, say("，末位：", ", last: "), sheet.last_place());
  if (sheet.award_barred()) absl::StrAppend(&text, say("，年终不参与评优", ", no award this year"));
  for (const v1::MoneyResult& money : sheet.money()) {
    absl::StrAppend(&text, say("，", ", "), money.what(), say("", " "), Text(money.amount_e4()),
                    say("元", " yuan"));
  }
  for (const v1::TitleResult& title : sheet.titles()) {
    absl::StrAppend(&text, say("，“", ", "), title.title(), say("”", ": "), title.outcome());
  }
  if (sheet.pending_e4() > 0) {
    absl::StrAppend(&text, say("；尚有", "; "), Text(sheet.pending_e4()),
                    say("分待评定，为暂定结果", " points wait for a mark, provisional"));
  } else if (sheet.provisional()) {
    absl::StrAppend(&text, say("；为暂定结果", "; provisional"));
  }
  return absl::StrCat(text, say("。", "."));
}

}  // namespace

absl::StatusOr<v1::SheetExplanation> Explain(const RunInputs& inputs, const RecordTypes& types,
                                             absl::string_view area_code, absl::string_view line_id,
                                             absl::string_view language) {
  FADU_ASSIGN_OR_RETURN(const CompiledRubric rubric, CompiledRubric::Compile(inputs.rubric, types));
  RunContext run(rubric, inputs);
  const std::string code(area_code);
  if (std::find(run.units.begin(), run.units.end(), code) == run.units.end()) {
    return Fail(absl::StatusCode::kNotFound, v1::REASON_AREA_UNKNOWN, "no such unit in the run",
                {{"area", code}});
  }
  const Words say(language);
  SheetOutcome outcome;
  if (NeedsAllSheets(inputs.rubric)) {
    Sheets sheets = ScoreAll(run, std::string(language));
    outcome = std::move(sheets.at(code));
  } else {
    outcome = ScoreOne(run, code, std::string(language));
  }
  v1::SheetExplanation explanation;
  for (int i = 0; i < inputs.rubric.lines_size(); ++i) {
    const assessment::Line& line = inputs.rubric.lines(i);
    if (!line_id.empty() && line.id() != line_id) continue;
    *explanation.add_lines() =
        ExplainLine(inputs.rubric, line, outcome.lines[static_cast<size_t>(i)], say);
  }
  if (!line_id.empty()) return explanation;
  for (const GroupOutcome& group : outcome.groups) {
    *explanation.add_groups() = ExplainGroup(inputs.rubric, group, group.group->title(), say);
  }
  if (inputs.rubric.has_whole()) {
    *explanation.add_groups() =
        ExplainGroup(inputs.rubric, outcome.whole, say("总分", "whole"), say);
  }
  for (const GateOutcome& gate : outcome.gates) *explanation.add_gates() = ExplainGate(gate, say);
  AddShared(outcome, explanation);
  AddDecisions(outcome, say, explanation);
  explanation.set_text(TellSheet(outcome.sheet, outcome.too_much_missing, say));
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

std::string ComparisonText(assessment::Comparison comparison, const Fraction& threshold_units,
                           absl::string_view unit, const Words& say) {
  const std::string threshold = absl::StrCat(Text(threshold_units), unit);
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

namespace {

// What a modifier did, in a phrase.
std::string AdjustedText(const Adjusted& step, bool earns, const Words& say) {
  const std::string verb = earns ? say("加", "earns ") : say("扣", "loses ");
  const std::string often = step.times == Fraction(1)
                                ? ""
                                : absl::StrCat(say("（", " ("), Text(step.times * Points::kScale),
                                               say("次）", " times)"));
  const std::string to = absl::StrCat(say("由", " from "), Text(step.before), say("分改为", " to "),
                                      verb, Text(step.after), say("分", ""));
  if (step.code == "M02") return absl::StrCat(step.what, often, say("，加重，", ", worse:"), to);
  if (step.code == "M03") return absl::StrCat(step.what, often, say("，减轻，", ", milder:"), to);
  if (step.code == "M12")
    return absl::StrCat(say("催办后仍未整改", "not put right after a reminder"), often,
                        say("，", ":"), to);
  if (step.code == "M05")
    return absl::StrCat(say("连续第", "year "), Text(step.times * Points::kScale),
                        say("年，", " of a streak:"), to);
  if (step.code == "L18") return absl::StrCat(step.what, say("，", ":"), to);
  return to;
}

}  // namespace

std::string Taken(const ClauseOutcome& outcome, const Words& say) {
  std::string steps;
  for (const Adjusted& step : outcome.adjusted) {
    absl::StrAppend(&steps, AdjustedText(step, outcome.earns, say), say("，", ", "));
  }
  const std::string verb = outcome.earns ? say("加", "earns ") : say("扣", "loses ");
  if (outcome.raw == Fraction()) {
    return absl::StrCat(steps,
                        outcome.earns ? say("不加分", "nothing earned") : say("不扣分", "no loss"));
  }
  if (outcome.raw == outcome.applied) {
    return absl::StrCat(steps, verb, Text(outcome.applied), say("分", " points"));
  }
  return absl::StrCat(steps, say.zh() ? absl::StrCat("应", verb, Text(outcome.raw), "分，本款最高",
                                                     verb, Text(outcome.applied), "分，实", verb,
                                                     Text(outcome.applied), "分")
                                      : absl::StrCat(verb, Text(outcome.raw), " points, capped at ",
                                                     Text(outcome.applied)));
}

std::string SetAsideText(const ClauseOutcome& outcome, const Words& say) {
  std::map<SetAside::Why, std::vector<std::string>> by_why;
  for (const SetAside& aside : outcome.set_aside) {
    std::vector<std::string>& texts = by_why[aside.why];
    switch (aside.why) {
      case SetAside::Why::kSame:
        texts.push_back(say.zh() ? absl::StrCat("“", aside.key, "”的", aside.part)
                                 : absl::StrCat(aside.part, " of ", aside.key));
        break;
      case SetAside::Why::kExcluded:
      case SetAside::Why::kIssuer:
        texts.push_back(aside.key);
        break;
      default:
        texts.push_back(aside.part);
        break;
    }
  }
  std::string text;
  for (auto& [why, texts] : by_why) {
    const size_t all = texts.size();
    if (all > 10) {
      texts.resize(10);
      texts.push_back(say.zh() ? absl::StrCat("等", all, "项") : absl::StrCat(all, " in all"));
    }
    const std::string list = say.List(texts);
    switch (why) {
      case SetAside::Why::kSame:
        absl::StrAppend(&text,
                        say("（同一事项就高，不重复计算：",
                            " (one thing counts once, where it is highest; not counted: "),
                        list, say("）", ")"));
        break;
      case SetAside::Why::kExcluded:
        absl::StrAppend(&text, say("（已在", " (already counted in "), list,
                        say("项计算，此处不再计）", ")"));
        break;
      case SetAside::Why::kIssuer:
        absl::StrAppend(&text, say("（授予单位不在名单内，不计：", " (issuers not on the list: "),
                        list, say("）", ")"));
        break;
      case SetAside::Why::kWithdrawn:
        absl::StrAppend(&text, say("（已撤销，不计：", " (withdrawn: "), all, say("项）", ")"));
        break;
      case SetAside::Why::kElsewhere:
        absl::StrAppend(&text, say("（由其他单位承担，不计：", " (borne elsewhere: "), all,
                        say("项）", ")"));
        break;
    }
  }
  return text;
}

std::string ValueText(const Reading& reading, const Fraction& against) {
  const v1::MeasureValue& value = reading.evaluation.value;
  if (!value.is_ratio()) return value.text();
  Points shown = reading.number.RoundTo(2, Rounding::kHalfUp);
  if (Fraction(shown) == against && reading.number != against) {
    shown = reading.number.RoundTo(4, Rounding::kCut);
  }
  // A blend of surveys is no ratio of two counts.
  if (value.expression().empty()) return absl::StrCat(shown.ToString(), "%");
  return absl::StrCat(value.numerator(), "÷", value.denominator(), "=", shown.ToString(), "%");
}

std::string UnitOf(const std::string& unit, const Reading& reading) {
  return unit.empty() && reading.evaluation.value.is_ratio() ? "%" : unit;
}

std::string BracketText(const BracketEnds& ends, const std::string& unit, const Words& say) {
  std::vector<std::string> parts;
  if (ends.low.has_value()) {
    const std::string number = absl::StrCat(Text(ends.low->value_e4), unit);
    parts.push_back(ends.low->closed ? absl::StrCat(number, say("以上", " or more"))
                                     : absl::StrCat(say("超过", "over "), number));
  }
  if (ends.high.has_value()) {
    const std::string number = absl::StrCat(Text(ends.high->value_e4), unit);
    parts.push_back(ends.high->closed ? absl::StrCat(number, say("以下", " or less"))
                                      : absl::StrCat(say("不满", "under "), number));
  }
  return parts.empty() ? say("任何数值", "any value") : say.List(parts);
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

Sentence TellUnread(const Telling& telling, const std::string& what,
                    assessment::WhenEmpty when_empty) {
  const Words& say = telling.say;
  const ClauseOutcome& outcome = telling.outcome;
  assessment::WhenEmpty policy = outcome.unknown ? telling.clause.when_unknown() : when_empty;
  Sentence sentence;
  if (outcome.unknown && policy == assessment::WHEN_EMPTY_UNSPECIFIED) {
    sentence.requirement = what;
    sentence.found = say("尚无数据，待补", "no data yet");
    sentence.missing.push_back(absl::StrCat(what, say("尚无数据", ": no data yet")));
    return sentence;
  }
  if (policy == assessment::WHEN_EMPTY_UNSPECIFIED) policy = assessment::WHEN_EMPTY_NOT_APPLICABLE;
  sentence.found =
      outcome.unknown
          ? absl::StrCat(what, say("尚无数据，按本细则", ": no data yet: "), LabelOf(policy, say))
          : absl::StrCat(say("本年度没有可计算", "no records for "), what,
                         say("的记录（分母为零），按本细则", " this year (denominator zero): "),
                         LabelOf(policy, say));
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
