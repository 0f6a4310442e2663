// L03, L04, L05 and L19 in words.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/scoring/domain/explain.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

std::string WindowName(assessment::Window window, const Words& say) {
  switch (window) {
    case assessment::WINDOW_HALF_YEAR:
      return say("每半年", "each half-year");
    case assessment::WINDOW_QUARTER:
      return say("每季度", "each quarter");
    case assessment::WINDOW_MONTH:
      return say("每月", "each month");
    case assessment::WINDOW_WEEK:
      return say("每周", "each week");
    default:
      return say("全年", "in the year");
  }
}

}  // namespace

Sentence TellShortfall(const Telling& telling) {
  const assessment::Shortfall& form = telling.clause.shortfall();
  const Words& say = telling.say;
  if (telling.outcome.empty || telling.outcome.unknown) {
    return TellUnread(telling, form.what(), telling.clause.when_empty());
  }
  const std::string unit = UnitOr(form.unit(), "次", say);
  const std::vector<Part>& windows = telling.outcome.parts;
  const bool windowed = windows.size() > 1;
  Sentence sentence;
  std::vector<std::string> parts;
  Fraction got;
  Fraction required;
  for (const Part& window : windows) {
    got += window.reading.number;
    required += window.required;
    const std::string found = Text(window.reading.number);
    if (!window.met) {
      const std::string lacking = Text(window.count * Points::kScale);
      const std::string text =
          say.zh() ? absl::StrCat(windowed ? window.name : "", "缺", lacking, unit)
                   : absl::StrCat(windowed ? window.name + ": " : "", lacking, " missing");
      sentence.missing.push_back(text);
      parts.push_back(text);
    } else if (windowed) {
      parts.push_back(say.zh() ? absl::StrCat(window.name, found, unit)
                               : absl::StrCat(window.name, ": ", found));
    }
  }
  const bool part_of_year =
      required != Fraction(form.required()) * static_cast<int64_t>(windows.size());
  sentence.requirement =
      say.zh() ? absl::StrCat("应开展", form.what(), Text(required * Points::kScale), unit,
                              part_of_year ? "（按设立时间折算）" : "",
                              windowed ? absl::StrCat("（", WindowName(form.window(), say),
                                                      form.required(), unit, "）")
                                       : "")
               : absl::StrCat(form.what(), ": ", form.required(), " required ",
                              WindowName(form.window(), say));
  sentence.found = absl::StrCat(say("实际", ""), Text(got), say(unit, " found"));
  // Of a year in 52 weeks only what lacks is told.
  if (windows.size() > 12) parts = sentence.missing;
  if (!parts.empty()) {
    absl::StrAppend(&sentence.found, say("：", ": "), absl::StrJoin(parts, say("，", ", ")));
  }
  if (telling.outcome.met) {
    sentence.arithmetic = say("达到要求，不扣分", "as required, no loss");
  } else {
    sentence.arithmetic =
        absl::StrCat(say("每少1", "each one missing loses "), unit, say("扣", ""),
                     Text(form.per_missing_e4()), say("分，", ", "), Taken(telling.outcome, say));
  }
  return sentence;
}

Sentence TellIncident(const Telling& telling) {
  const assessment::Incident& form = telling.clause.incident();
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  if (outcome.empty || outcome.unknown) {
    return TellUnread(telling, form.what(), telling.clause.when_empty());
  }
  const std::string unit = UnitOr(form.unit(), "起", say);
  Sentence sentence;
  sentence.requirement =
      say.zh() ? absl::StrCat("“", form.what(), "”每", unit, "扣", Text(form.per_e4()), "分")
               : absl::StrCat(form.what(), ": ", Text(form.per_e4()), " each");
  const std::string count = Text(outcome.parts[0].count * Points::kScale);
  sentence.found = outcome.met ? say("本年度未发现", "none found")
                               : absl::StrCat(say("本年度发现", ""), count, say(unit, " found"),
                                              SetAsideText(outcome, say));
  sentence.arithmetic = Taken(outcome, say);
  if (!outcome.met) {
    sentence.missing.push_back(absl::StrCat(form.what(), say("", ": "), count, unit));
  }
  return sentence;
}

Sentence TellTable(const Telling& telling) {
  const assessment::Clause& clause = telling.clause;
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  const auto& classes = clause.has_honour()   ? clause.honour().levels()
                        : clause.has_notice() ? clause.notice().levels()
                                              : clause.incident_table().classes();
  const std::string& what = clause.has_honour()   ? clause.honour().what()
                            : clause.has_notice() ? clause.notice().what()
                                                  : clause.incident_table().what();
  if (outcome.empty || outcome.unknown) return TellUnread(telling, what, clause.when_empty());
  const std::string unit = clause.has_honour() ? UnitOr(clause.honour().unit(), "项", say)
                           : clause.has_notice()
                               ? UnitOr(clause.notice().unit(), "次", say)
                               : UnitOr(clause.incident_table().unit(), "次", say);
  const bool highest = clause.incident_table().class_rule() == assessment::CLASS_RULE_HIGHEST;
  Sentence sentence;
  std::vector<std::string> prices;
  std::vector<std::string> found;
  std::vector<std::string> terms;
  bool doubled = false;
  for (int i = 0; i < classes.size(); ++i) {
    const Part& part = outcome.parts[static_cast<size_t>(i)];
    doubled =
        doubled || (clause.has_notice() && classes[i].name() == clause.notice().doubled_from());
    const std::string price = Text(classes[i].per_e4() * (doubled ? 2 : 1));
    prices.push_back(absl::StrCat(part.name, say("", " "), price, say("分", "")));
    if (part.reading.number != Fraction()) {
      found.push_back(say.zh() ? absl::StrCat(part.name, Text(part.reading.number), unit)
                               : absl::StrCat(part.name, ": ", Text(part.reading.number)));
    }
    if (part.count == Fraction()) continue;
    terms.push_back(absl::StrCat(price, say("分×", " × "), Text(part.count * Points::kScale)));
    if (!outcome.earns && !found.empty()) sentence.missing.push_back(found.back());
  }
  sentence.requirement = absl::StrCat(
      say("“", ""), what, say("”每", ": each "), unit,
      clause.has_honour() ? say("加", "earns ") : say("扣", "loses "), say.List(prices),
      highest ? say("（只按最高一类）", " (only the dearest class)") : "");
  sentence.found = found.empty() ? (clause.has_honour() ? say("本年度没有", "none")
                                                        : say("本年度未发现", "none found"))
                                 : say.List(found);
  absl::StrAppend(&sentence.found, SetAsideText(outcome, say));
  if (terms.size() > 1 || (terms.size() == 1 && outcome.raw == outcome.applied)) {
    sentence.arithmetic = absl::StrCat(absl::StrJoin(terms, say("＋", " + ")), say("，", ", "));
  }
  absl::StrAppend(&sentence.arithmetic, Taken(outcome, say));
  return sentence;
}

// “组织主题活动4次,每次加1分,最高加3分,加3分。”
Sentence TellEarnEach(const Telling& telling) {
  const assessment::EarnEach& form = telling.clause.earn_each();
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  if (outcome.empty || outcome.unknown) {
    return TellUnread(telling, form.what(), telling.clause.when_empty());
  }
  const std::string unit = UnitOr(form.unit(), "次", say);
  Sentence sentence;
  sentence.requirement =
      say.zh() ? absl::StrCat("“", form.what(), "”每", unit, "加", Text(form.per_e4()), "分")
               : absl::StrCat(form.what(), ": each earns ", Text(form.per_e4()));
  if (form.over() > 0) {
    absl::StrAppend(&sentence.requirement, say("（超过", " (above "), form.over(), unit,
                    say("的部分）", ")"));
  }
  if (form.expected() > 0) {
    absl::StrAppend(&sentence.requirement, say("，", ", "), WindowName(form.window(), say),
                    say("应有", " "), form.expected(), unit,
                    say("，每缺1", " expected, each missing loses "), unit, say("扣", ""),
                    Text(form.per_missing_e4()), say("分", ""));
  }
  sentence.found = absl::StrCat(say("实有", ""), Text(outcome.reading.number), say(unit, " found"),
                                SetAsideText(outcome, say));
  std::vector<std::string> lacking;
  for (size_t i = 1; i < outcome.parts.size(); ++i) {
    const Part& part = outcome.parts[i];
    if (part.met) continue;
    lacking.push_back(
        absl::StrCat(part.name, say("缺", " lacks "), Text(part.count * Points::kScale), unit));
  }
  if (!lacking.empty()) absl::StrAppend(&sentence.found, say("，", ", "), say.List(lacking));
  sentence.missing = lacking;
  sentence.arithmetic = Taken(outcome, say);
  return sentence;
}

}  // namespace fadu::scoring
