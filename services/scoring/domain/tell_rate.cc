// L06, L07 and L08 in words.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/scoring/domain/explain.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

// A value for people, never contradicting the comparison beside it: a rate has more places where
// two would make it look equal to what it is compared with.
std::string ValueText(const Reading& reading, int64_t against_e4) {
  const v1::MeasureValue& value = reading.evaluation.value;
  if (!value.is_ratio()) return value.text();
  Points shown = reading.number.RoundTo(2, Rounding::kHalfUp);
  if (shown.units() == against_e4 && reading.number != Fraction(against_e4)) {
    shown = reading.number.RoundTo(4, Rounding::kCut);
  }
  return absl::StrCat(value.numerator(), "÷", value.denominator(), "=", shown.ToString(), "%");
}

std::string UnitOf(const std::string& unit, const Reading& reading) {
  return unit.empty() && reading.evaluation.value.is_ratio() ? "%" : unit;
}

// 超过6%、7%以下.
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

Sentence TellStates(const Telling& telling) {
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  Sentence sentence;
  sentence.requirement =
      absl::StrCat(telling.clause.tiered().what(),
                   say("按情形", outcome.earns ? ": earns by state" : ": loses by state"),
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
  sentence.arithmetic = Taken(outcome, say);
  return sentence;
}

}  // namespace

Sentence TellRateStep(const Telling& telling) {
  const assessment::RateStep& form = telling.clause.rate_step();
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  if (outcome.empty) return TellEmpty(telling, form.what(), form.when_empty());
  const std::string target = absl::StrCat(Text(form.target_percent_e4()), "%");
  const std::string label = outcome.reading.evaluation.value.label();
  Sentence sentence;
  sentence.requirement = absl::StrCat(
      form.what(), say("（", " ("), label, say("）", ")"),
      form.above() ? say("不应超过", " must not exceed ") : say("应达到", " must reach "), target);
  sentence.found =
      absl::StrCat(say("实际", "found "), ValueText(outcome.reading, form.target_percent_e4()));
  if (outcome.met) {
    sentence.arithmetic = Taken(outcome, say);
    return sentence;
  }
  // Shown exactly where four places suffice, else cut, so that it never looks larger than it is.
  const std::string distance = outcome.distance.RoundTo(4, Rounding::kCut).ToString();
  const std::string side = form.above() ? say("高", "above") : say("低", "below");
  absl::StrAppend(&sentence.found, say("，", ", "), say(side, distance), say(distance, " points "),
                  say("个百分点", side));
  sentence.missing.push_back(say.zh()
                                 ? absl::StrCat("距标准", target, "差", distance, "个百分点")
                                 : absl::StrCat(distance, " percentage points short of ", target));
  sentence.arithmetic =
      say.zh()
          ? absl::StrCat("每", side, Text(form.step_percent_e4()), "个百分点扣",
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
  if (outcome.empty) return TellEmpty(telling, form.what(), telling.clause.when_empty());
  Sentence sentence;
  const std::string unit = UnitOf(form.unit(), outcome.reading);
  sentence.requirement =
      absl::StrCat(form.what(), say("须", " must be "),
                   ComparisonText(form.comparison(), outcome.threshold_e4, unit, say),
                   outcome.unit_class.empty()
                       ? ""
                       : absl::StrCat(say("（", " ("), outcome.unit_class, say("）", ")")));
  std::vector<std::string> found;
  for (const Part& part : outcome.parts) {
    const std::string name = outcome.parts.size() > 1 ? part.name + say("", " ") : "";
    const std::string value =
        part.applies ? absl::StrCat(ValueText(part.reading, outcome.threshold_e4),
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

Sentence TellTiered(const Telling& telling) {
  const assessment::Tiered& form = telling.clause.tiered();
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  if (!form.states().empty()) return TellStates(telling);
  if (outcome.empty) return TellEmpty(telling, form.what(), telling.clause.when_empty());
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

}  // namespace fadu::scoring
