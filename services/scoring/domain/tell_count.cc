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

// M04: what was set aside.
std::string SetAsideText(const ClauseOutcome& outcome, const Words& say) {
  if (outcome.set_aside.empty()) return "";
  std::vector<std::string> texts;
  for (const SetAside& aside : outcome.set_aside) {
    texts.push_back(say.zh() ? absl::StrCat("“", aside.key, "”的", aside.part)
                             : absl::StrCat(aside.part, " of ", aside.key));
    if (texts.size() == 10 && outcome.set_aside.size() > 10) {
      texts.push_back(say.zh() ? absl::StrCat("等", outcome.set_aside.size(), "项")
                               : absl::StrCat(outcome.set_aside.size(), " in all"));
      break;
    }
  }
  return absl::StrCat(say("（同一事项就高，不重复计算：",
                          " (one thing counts once, where it is highest; not counted: "),
                      say.List(texts), say("）", ")"));
}

}  // namespace

Sentence TellShortfall(const Telling& telling) {
  const assessment::Shortfall& form = telling.clause.shortfall();
  const Words& say = telling.say;
  const std::string unit = UnitOr(form.unit(), "次", say);
  const std::vector<Part>& windows = telling.outcome.parts;
  const bool windowed = windows.size() > 1;
  Sentence sentence;
  std::vector<std::string> parts;
  Fraction got;
  for (const Part& window : windows) {
    got += window.reading.number;
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
  const std::string required = absl::StrCat(form.required() * static_cast<int64_t>(windows.size()));
  sentence.requirement =
      say.zh() ? absl::StrCat("应开展", form.what(), required, unit,
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
  const bool honour = telling.clause.has_honour();
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  const std::string& what =
      honour ? telling.clause.honour().what() : telling.clause.incident_table().what();
  const std::string unit = honour ? UnitOr(telling.clause.honour().unit(), "项", say)
                                  : UnitOr(telling.clause.incident_table().unit(), "次", say);
  const auto& classes =
      honour ? telling.clause.honour().levels() : telling.clause.incident_table().classes();
  const bool highest =
      !honour && telling.clause.incident_table().class_rule() == assessment::CLASS_RULE_HIGHEST;
  Sentence sentence;
  std::vector<std::string> prices;
  for (const assessment::ScoreClass& listed : classes) {
    prices.push_back(
        absl::StrCat(listed.name(), say("", " "), Text(listed.per_e4()), say("分", "")));
  }
  sentence.requirement =
      absl::StrCat(say("“", ""), what, say("”每", ": each "), unit,
                   outcome.earns ? say("加", "earns ") : say("扣", "loses "), say.List(prices),
                   highest ? say("（只按最高一类）", " (only the dearest class)") : "");
  std::vector<std::string> found;
  std::vector<std::string> terms;
  for (int i = 0; i < classes.size(); ++i) {
    const Part& part = outcome.parts[static_cast<size_t>(i)];
    if (part.reading.number != Fraction()) {
      found.push_back(say.zh() ? absl::StrCat(part.name, Text(part.reading.number), unit)
                               : absl::StrCat(part.name, ": ", Text(part.reading.number)));
    }
    if (part.count == Fraction()) continue;
    terms.push_back(
        say.zh()
            ? absl::StrCat(Text(classes[i].per_e4()), "分×", Text(part.count * Points::kScale))
            : absl::StrCat(Text(classes[i].per_e4()), " × ", Text(part.count * Points::kScale)));
    if (!outcome.earns) sentence.missing.push_back(found.back());
  }
  sentence.found = found.empty() ? (outcome.earns ? say("本年度没有", "none")
                                                  : say("本年度未发现", "none found"))
                                 : absl::StrCat(say.List(found), SetAsideText(outcome, say));
  if (terms.size() > 1 || (terms.size() == 1 && outcome.raw == outcome.applied)) {
    sentence.arithmetic = absl::StrCat(absl::StrJoin(terms, say("＋", " + ")), say("，", ", "));
  }
  absl::StrAppend(&sentence.arithmetic, Taken(outcome, say));
  return sentence;
}

}  // namespace fadu::scoring
