// L01 and L02 in words.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/scoring/domain/explain.h"

namespace fadu::scoring {

namespace assessment = ::fadu::assessment::v1;

Sentence TellCheck(const Telling& telling) {
  const assessment::Check& form = telling.clause.check();
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  if (outcome.empty || outcome.unknown) {
    return TellUnread(telling, form.requirement(), telling.clause.when_empty());
  }
  Sentence sentence;
  sentence.full_stop = true;
  sentence.requirement = absl::StrCat(say("要求：", "Required: "), form.requirement());
  ConditionOutcome unnamed = *outcome.condition;
  unnamed.requirement.clear();
  const std::vector<std::string> reasons = Branches(unnamed, outcome.met, Told::kRequired, say);
  sentence.found = absl::StrCat(say("核查结果：", "Result: "),
                                outcome.met ? say("符合", "met") : say("不符合", "not met"));
  if (!reasons.empty()) {
    absl::StrAppend(&sentence.found, say("（", " ("), absl::StrJoin(reasons, say("；", "; ")),
                    say("）", ")"));
  }
  sentence.arithmetic = Taken(outcome, say);
  if (!outcome.met && !outcome.earns) sentence.missing.push_back(form.requirement());
  return sentence;
}

Sentence TellChecklist(const Telling& telling) {
  const assessment::Checklist& form = telling.clause.checklist();
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  if (outcome.empty || outcome.unknown) {
    return TellUnread(telling, form.what(), telling.clause.when_empty());
  }
  const std::string unit = UnitOr(form.unit(), "项", say);
  std::vector<std::string> missing;
  std::vector<std::string> exempt;
  std::vector<std::string> amounts;
  int64_t there = 0;
  for (const Part& part : outcome.parts) {
    if (!part.applies) {
      exempt.push_back(part.name);
      continue;
    }
    if (part.met) {
      ++there;
    } else {
      missing.push_back(part.name);
    }
    if (part.amount != Fraction()) {
      amounts.push_back(absl::StrCat(part.name, " ", Text(part.amount), say("分", "")));
    }
  }
  Sentence sentence;
  std::string listed = absl::StrCat(outcome.parts.size() - exempt.size());
  std::string found = absl::StrCat(there);
  if (outcome.parts.empty()) {
    listed = absl::StrCat(form.required());
    found = outcome.reading.evaluation.value.text();
    const Fraction lacking = Fraction(form.required() * Points::kScale) - outcome.reading.number;
    if (lacking > Fraction()) missing.push_back(absl::StrCat(Text(lacking), unit));
  }
  sentence.requirement = say.zh() ? absl::StrCat("应有", form.what(), listed, unit)
                                  : absl::StrCat(form.what(), ": ", listed, " required");
  sentence.found = absl::StrCat(say("实有", ""), found, say(unit, " found"));
  if (!missing.empty()) {
    absl::StrAppend(&sentence.found, say("，缺", ", missing: "), say.List(missing));
  }
  if (!exempt.empty()) {
    absl::StrAppend(&sentence.found, say("，", ", not applicable: "), say.List(exempt),
                    say("不适用", ""));
  }
  if (form.per_missing_e4() > 0 && outcome.raw != Fraction()) {
    sentence.arithmetic =
        say.zh() ? absl::StrCat(outcome.earns ? "每有1" : "每缺1", unit,
                                outcome.earns ? "加" : "扣", Text(form.per_missing_e4()), "分，")
                 : absl::StrCat(Text(form.per_missing_e4()),
                                outcome.earns ? " for each there, " : " for each missing, ");
  } else if (!amounts.empty()) {
    sentence.arithmetic = absl::StrCat(say.List(amounts), say("，", ", "));
  }
  absl::StrAppend(&sentence.arithmetic, Taken(outcome, say));
  for (const std::string& name : missing) {
    sentence.missing.push_back(absl::StrCat(say("缺", "missing: "), name));
  }
  return sentence;
}

}  // namespace fadu::scoring
