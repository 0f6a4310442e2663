// L06, L07, L08, L09 and L18 in words.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/scoring/domain/explain.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

Sentence TellStates(const Telling& telling, const assessment::Tiered& form) {
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  Sentence sentence;
  sentence.requirement = absl::StrCat(
      form.what(), say("按情形", outcome.earns ? ": earns by state" : ": loses by state"),
      say(outcome.earns ? "加分" : "扣分", ""));
  if (outcome.chosen < 0) {
    sentence.found = say("未出现所列情形", "none of the states");
  } else {
    const Part& part = outcome.parts[static_cast<size_t>(outcome.chosen)];
    ConditionOutcome unnamed = *part.condition;
    unnamed.requirement.clear();
    sentence.found =
        absl::StrCat(say("核查结果：", "found: "), part.name, say("（", " ("),
                     absl::StrJoin(Branches(unnamed, true, Told::kHappened, say), say("；", "; ")),
                     say("）", ")"));
    if (!outcome.met && !outcome.earns) sentence.missing.push_back(part.name);
  }
  if (outcome.chosen >= 0 && form.states(outcome.chosen).has_to_e4()) {
    const assessment::ScoreState& state = form.states(outcome.chosen);
    absl::StrAppend(&sentence.found, say("，由", ", "), telling.line.scorer(),
                    say("在", " gives between "), Text(state.amount_e4()), say("至", " and "),
                    Text(state.to_e4()), say("分之间酌定", ""));
    if (outcome.given.empty()) {
      absl::StrAppend(&sentence.found, say("，尚未评定", ", not yet judged"));
      sentence.missing.push_back(say("尚未评定", "not yet judged"));
    } else {
      absl::StrAppend(&sentence.found, say("，理由：", ", reason: "), outcome.given[0]->reason());
    }
  }
  sentence.arithmetic = Taken(outcome, say);
  return sentence;
}

}  // namespace

// “村法律顾问覆盖率=57/100=57%,低于60%标准3个百分点;每低1个百分点扣2分,共扣6分。”
Sentence TellRateStep(const Telling& telling, const assessment::RateStep& form) {
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  if (outcome.empty || outcome.unknown) return TellUnread(telling, form.what(), form.when_empty());
  const bool percent = form.unit().empty();
  const std::string unit = percent ? "%" : form.unit();
  const std::string steps_in = percent ? say("个百分点", " percentage points") : form.unit();
  const std::string target = absl::StrCat(Text(form.target_percent_e4()), unit);
  const std::string& label = outcome.reading.evaluation.value.label();
  Sentence sentence;
  sentence.requirement = absl::StrCat(
      form.what(), label == form.what() ? "" : absl::StrCat(say("（", " ("), label, say("）", ")")),
      form.above() ? say("不应超过", " must not exceed ") : say("应达到", " must reach "), target);
  sentence.found =
      absl::StrCat(say("实际", "found "), ValueText(outcome.reading, form.target_percent_e4()),
                   outcome.reading.evaluation.value.is_ratio() ? "" : unit);
  if (form.has_round_rate()) {
    absl::StrAppend(&sentence.found, say("（先四舍五入到", " (rounded first to "),
                    form.round_rate(), say("位小数）", " places)"));
  }
  const v1::MeasureValue& value = outcome.reading.evaluation.value;
  if (value.is_ratio() && !value.expression().empty() &&
      value.denominator() < form.small_denominator()) {
    absl::StrAppend(&sentence.found, say("（基数较小，比率波动大）", " (a small denominator)"));
  }
  if (outcome.met) {
    sentence.arithmetic = Taken(outcome, say);
    return sentence;
  }
  // Shown exactly where four places suffice, else cut, so that it never looks larger than it is.
  const std::string distance = outcome.distance.RoundTo(4, Rounding::kCut).ToString();
  const std::string side = form.above() ? say("高", "above") : say("低", "below");
  absl::StrAppend(&sentence.found, say("，", ", "),
                  say.zh() ? absl::StrCat(side, distance, steps_in)
                           : absl::StrCat(distance, percent ? " points " : steps_in + " ", side));
  sentence.missing.push_back(say.zh() ? absl::StrCat("距标准", target, "差", distance, steps_in)
                                      : absl::StrCat(distance, steps_in, " short of ", target));
  sentence.arithmetic =
      say.zh()
          ? absl::StrCat("每", side, Text(form.step_percent_e4()), steps_in, "扣",
                         Text(form.per_step_e4()), "分（", LabelOf(form.step_rounding(), say),
                         "），按", Text(outcome.steps * Points::kScale), "步计，",
                         Taken(outcome, say))
          : absl::StrCat(Text(form.per_step_e4()), " for each ", Text(form.step_percent_e4()), " (",
                         LabelOf(form.step_rounding(), say), "), ",
                         Text(outcome.steps * Points::kScale), " steps, ", Taken(outcome, say));
  return sentence;
}

Sentence TellThreshold(const Telling& telling) {
  const assessment::Threshold& form = telling.clause.threshold();
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  if (outcome.empty || outcome.unknown) {
    return TellUnread(telling, form.what(), telling.clause.when_empty());
  }
  Sentence sentence;
  const std::string unit = UnitOf(form.unit(), outcome.reading);
  sentence.requirement =
      absl::StrCat(form.what(), say("须", " must be "),
                   ComparisonText(form.comparison(), outcome.against, unit, say),
                   outcome.unit_class.empty()
                       ? ""
                       : absl::StrCat(say("（", " ("), outcome.unit_class, say("）", ")")));
  std::vector<std::string> found;
  for (const Part& part : outcome.parts) {
    const std::string name = outcome.parts.size() > 1 ? part.name + say("", " ") : "";
    const std::string value =
        part.applies ? absl::StrCat(ValueText(part.reading, outcome.against),
                                    part.reading.evaluation.value.is_ratio() ? "" : unit)
                     : say("无可计算的记录", "nothing to measure");
    found.push_back(absl::StrCat(
        name, value,
        part.applies ? (part.met ? say("，达到", ", reached") : say("，未达到", ", not reached"))
                     : ""));
    if (!part.met && !outcome.earns) {
      sentence.missing.push_back(absl::StrCat(part.name, say("未达到", " not reached")));
    }
  }
  sentence.found = absl::StrCat(say("实际", "found "), absl::StrJoin(found, say("；", "; ")));
  if (outcome.parts.size() > 1 && outcome.raw != Fraction()) {
    sentence.arithmetic =
        absl::StrCat(outcome.earns ? say("每达到一项加", "each reached earns ")
                                   : say("每有一项未达到扣", "each not reached loses "),
                     Text(form.amount_e4()), say("分，", ", "));
  }
  absl::StrAppend(&sentence.arithmetic, Taken(outcome, say));
  return sentence;
}

// “刑事发案占比6.5%,落在‘超过6%至7%’档,扣3分。”
Sentence TellTiered(const Telling& telling, const assessment::Tiered& form) {
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  if (outcome.empty || outcome.unknown) {
    return TellUnread(telling, form.what(), telling.clause.when_empty());
  }
  if (!form.states().empty()) return TellStates(telling, form);
  const std::string unit = UnitOf(form.unit(), outcome.reading);
  Sentence sentence;
  sentence.requirement =
      absl::StrCat(form.what(), say("分档", ": by bracket, "),
                   outcome.earns ? say("加分", "earned") : say("扣分", "lost"),
                   form.cumulative() ? say("（逐档累计）", " (cumulative)") : "");
  const bool ratio = outcome.reading.evaluation.value.is_ratio();
  sentence.found =
      absl::StrCat(say("实际", "found "), ValueText(outcome.reading, -1), ratio ? "" : unit);
  if (outcome.chosen < 0) {
    absl::StrAppend(&sentence.found, say("，不在所列各档", ", outside the brackets"));
  } else {
    absl::StrAppend(
        &sentence.found, say("，落在“", ", in the bracket "),
        BracketText(EndsOf(form.tiers())[static_cast<size_t>(outcome.chosen)], unit, say),
        say("”档", ""));
  }
  if (!outcome.met && !outcome.earns) sentence.missing.push_back(sentence.found);
  sentence.arithmetic = Taken(outcome, say);
  return sentence;
}

// “完成18条,目标20条,完成率90%,本项5分×90%=4.5分。”
Sentence TellProportion(const Telling& telling, const assessment::Proportion& form) {
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  if (outcome.empty || outcome.unknown) {
    return TellUnread(telling, form.what(), telling.clause.when_empty());
  }
  const std::string unit = UnitOf(form.unit(), outcome.reading);
  const Fraction span = outcome.against - form.floor_e4();
  const Fraction done = (outcome.reading.number - form.floor_e4()) / span;
  const std::string share = absl::StrCat(Text(done * 100 * Points::kScale), "%");
  const Fraction got = outcome.earns ? outcome.raw : Fraction(form.most_e4()) - outcome.raw;
  Sentence sentence;
  sentence.requirement = absl::StrCat(form.what(), say("目标", ": target "), Text(outcome.against),
                                      unit, say("，按完成比例计分", ", in proportion"));
  sentence.found = absl::StrCat(say("实际", "found "), ValueText(outcome.reading, outcome.against),
                                outcome.reading.evaluation.value.is_ratio() ? "" : unit,
                                say("，完成率", ", done "), share);
  const bool line = form.base_e4() > 0 || form.floor_e4() != 0;
  sentence.arithmetic =
      line ? absl::StrCat(Text(form.base_e4()), "+(", Text(form.most_e4()), "-",
                          Text(form.base_e4()), ")×", share, "=", Text(got), say("分，", ", "))
           : absl::StrCat(Text(form.most_e4()), say("分×", " × "), share, "=", Text(got),
                          say("分，", ", "));
  absl::StrAppend(&sentence.arithmetic, Taken(outcome, say));
  if (!outcome.met) {
    sentence.missing.push_back(absl::StrCat(form.what(), say("未完成", " not reached: "), share));
  }
  return sentence;
}

// “发放问卷30份,有效26份,满意和比较满意24份,满意率92.3%(不了解2份不计)。”
Sentence TellSurvey(const Telling& telling) {
  const assessment::Survey& form = telling.clause.survey();
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  std::vector<std::string> sources;
  bool small = false;
  for (const Part& part : outcome.parts) {
    const std::string name = outcome.parts.size() > 1 ? part.name + say("：", ": ") : "";
    std::string text = absl::StrCat(name, say("有效", "valid "),
                                    Text(part.required * Points::kScale), say("份", ""));
    if (part.count != part.required) {
      absl::StrAppend(&text, say("（不了解", " (don't know, not counted: "),
                      Text((part.required - part.count) * Points::kScale), say("份不计）", ")"));
    }
    absl::StrAppend(&text, say("，满意", ", positive "), Text(part.reading.number), say("份", ""));
    if (part.count > Fraction()) {
      absl::StrAppend(&text, say("，占", ", "),
                      part.amount.RoundTo(2, Rounding::kHalfUp).ToString(), "%");
    }
    small = small || !part.met;
    sources.push_back(std::move(text));
  }
  const std::string found = absl::StrJoin(sources, say("；", "; "));
  if (outcome.empty || outcome.unknown) {
    Sentence sentence = TellUnread(telling, form.what(), form.when_small());
    if (small) {
      sentence.requirement = absl::StrCat(form.what(), say("样本不少于", ": at least "),
                                          form.minimum_sample(), say("份", ""));
      sentence.found =
          absl::StrCat(found, say("，样本不足，按本细则", ", the sample is too small: "),
                       LabelOf(form.when_small(), say));
    }
    return sentence;
  }
  Sentence sentence = form.has_steps()        ? TellRateStep(telling, form.steps())
                      : form.has_brackets()   ? TellTiered(telling, form.brackets())
                      : form.has_proportion() ? TellProportion(telling, form.proportion())
                                              : TellBenchmark(telling, form.benchmark());
  sentence.found = absl::StrCat(found, say("；", "; "), sentence.found);
  return sentence;
}

}  // namespace fadu::scoring
