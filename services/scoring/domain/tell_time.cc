// L16 in words.

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/scoring/domain/explain.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;
constexpr size_t kMaxTold = 12;

std::string DueText(const assessment::Lateness& form, const Words& say) {
  if (!form.due().empty())
    return absl::StrCat(say("应于", "due by "), form.due(), say("前完成", ""));
  if (!form.start().empty()) {
    return absl::StrCat(say("应在", "due within "), form.within(), say("", " "),
                        LabelOf(form.within_unit(), say), say("内完成", ""));
  }
  const auto each = [&]() -> std::string {
    switch (form.each()) {
      case assessment::WINDOW_HALF_YEAR:
        return say("每半年", "each half-year");
      case assessment::WINDOW_QUARTER:
        return say("每季度", "each quarter");
      case assessment::WINDOW_MONTH:
        return say("每月", "each month");
      case assessment::WINDOW_WEEK:
        return say("每周", "each week");
      default:
        return say("每年", "each year");
    }
  }();
  return say.zh() ? absl::StrCat("应于", each, "第", form.due_day(), "天前完成")
                  : absl::StrCat("due by day ", form.due_day(), " of ", each);
}

}  // namespace

Sentence TellLateness(const Telling& telling) {
  const assessment::Lateness& form = telling.clause.lateness();
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  if (outcome.empty || outcome.unknown) {
    return TellUnread(telling, form.what(), telling.clause.when_empty());
  }
  Sentence sentence;
  sentence.requirement = absl::StrCat(form.what(), say("", " "), DueText(form, say));
  if (form.grace() > 0) {
    absl::StrAppend(&sentence.requirement, say("（宽限", " (grace "), form.grace(), say("", " "),
                    LabelOf(form.late_unit(), say), say("）", ")"));
  }
  std::vector<std::string> late;
  size_t count = 0;
  for (const Part& part : outcome.parts) {
    if (part.met) continue;
    ++count;
    // A record is told by its due day; windows have names.
    const bool named = outcome.parts.size() > 1 && !absl::StrContains(part.name, "/");
    std::string text = named ? part.name : "";
    if (!form.start().empty())
      absl::StrAppend(&text, FormatDay(*part.due), say("到期，", " due, "));
    if (named && !say.zh()) absl::StrAppend(&text, ": ");
    absl::StrAppend(&text, part.done.has_value()
                               ? absl::StrCat(FormatDay(*part.done), say("完成", " done"))
                               : say("未完成", "not done"));
    if (part.late > 0 && form.late_unit() != assessment::DELAY_UNIT_UNSPECIFIED) {
      const bool reminded = !form.reminder().empty();
      absl::StrAppend(&text,
                      reminded ? say("，催办后逾期", ", after the reminder late by ")
                               : say("，逾期", ", late by "),
                      part.late, say("", " "), LabelOf(form.late_unit(), say));
    }
    sentence.missing.push_back(text);
    if (late.size() < kMaxTold) late.push_back(text);
  }
  if (count > late.size())
    late.push_back(say.zh() ? absl::StrCat("等共", count, "次") : absl::StrCat(count, " in all"));
  if (late.empty()) {
    sentence.found = outcome.parts.empty() ? say("没有到期事项", "nothing was due")
                                           : say("均按时完成", "all in time");
  } else {
    sentence.found = absl::StrJoin(late, say("；", "; "));
  }
  std::vector<std::string> rules;
  if (form.flat_e4() > 0)
    rules.push_back(absl::StrCat(say("逾期每次扣", "late: "), Text(form.flat_e4()), say("分", "")));
  if (form.per_late_e4() > 0) {
    rules.push_back(say.zh() ? absl::StrCat("每逾1", LabelOf(form.late_unit(), say), "扣",
                                            Text(form.per_late_e4()), "分")
                             : absl::StrCat(Text(form.per_late_e4()), " for each of the ",
                                            LabelOf(form.late_unit(), say)));
  }
  if (form.has_not_done_e4())
    rules.push_back(
        absl::StrCat(say("未完成扣", "not done: "), Text(form.not_done_e4()), say("分", "")));
  if (!outcome.met)
    sentence.arithmetic = absl::StrCat(absl::StrJoin(rules, say("，", ", ")), say("，", ", "));
  absl::StrAppend(&sentence.arithmetic, outcome.raw == Fraction() ? "" : say("共", ""),
                  Taken(outcome, say));
  return sentence;
}

}  // namespace fadu::scoring
