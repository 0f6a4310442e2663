// L15, L17 and L21 in words.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/scoring/domain/explain.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

// “经镇党委会×月×日研究(纪要〔2021〕×号),加2分。此分为人工决定,非系统计算。”
std::string DecisionText(const assessment::Adjustment& decision, const Words& say) {
  const bool adds = decision.points_e4() >= 0;
  const std::string points = Text(adds ? decision.points_e4() : -decision.points_e4());
  return say.zh() ? absl::StrCat("经", decision.authority(), decision.decided_date(), "决定（",
                                 decision.document(), "），", adds ? "加" : "扣", points,
                                 "分，理由：", decision.reason())
                  : absl::StrCat("by decision of ", decision.authority(), " on ",
                                 decision.decided_date(), " (", decision.document(), ") ",
                                 adds ? "+" : "-", points, ": ", decision.reason());
}

std::string BandOf(const assessment::Judged& form, int64_t points_e4) {
  for (const assessment::Band& band : form.bands()) {
    if (points_e4 >= band.from_e4() && points_e4 <= band.to_e4()) return band.name();
  }
  return "";
}

// One mark: what it is for, the points, the band, the reason.
std::string MarkText(const assessment::Judged& form, const assessment::Mark& mark, bool named,
                     const Words& say) {
  const std::string name = !mark.item().empty() ? mark.item() : mark.assessor();
  std::string text = named && !name.empty() ? absl::StrCat(name, say("", ": ")) : "";
  absl::StrAppend(&text, say("评", ""), Text(mark.points_e4()), say("分", ""));
  const std::string band = BandOf(form, mark.points_e4());
  if (!band.empty()) absl::StrAppend(&text, say("（", " ("), band, say("）", ")"));
  absl::StrAppend(&text, say("。理由：", ". Reason: "), mark.reason(), say("（评定日期", " ("),
                  mark.marked_date(), say("）", ")"));
  return text;
}

}  // namespace

Sentence TellAdjustment(const Telling& telling) {
  const assessment::OpenAdjustment& form = telling.clause.adjustment();
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  Sentence sentence;
  sentence.requirement = say.zh()
                             ? absl::StrCat("“", form.what(), "”由", form.authority(), "决定，",
                                            Text(form.min_e4()), "至", Text(form.max_e4()), "分")
                             : absl::StrCat(form.what(), ", decided by ", form.authority(), ", ",
                                            Text(form.min_e4()), " to ", Text(form.max_e4()));
  if (outcome.decisions.empty()) {
    sentence.found = say("没有决定", "no decision");
    sentence.arithmetic = say("不加不扣", "nothing");
    return sentence;
  }
  std::vector<std::string> texts;
  for (const assessment::Adjustment* decision : outcome.decisions)
    texts.push_back(DecisionText(*decision, say));
  sentence.found = absl::StrJoin(texts, say("；", "; "));
  sentence.arithmetic =
      absl::StrCat(Taken(outcome, say),
                   say("（此分为人工决定，非系统计算）", " (decided by people, not computed)"));
  return sentence;
}

Sentence TellJudged(const Telling& telling) {
  const assessment::Judged& form = telling.clause.judged();
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  if (outcome.empty || outcome.unknown) {
    return TellUnread(telling, form.what(), telling.clause.when_empty());
  }
  const std::string& scorer = telling.line.scorer();
  const std::string range = say.zh()
                                ? absl::StrCat(form.taken() ? "扣" : "", Text(form.min_e4()), "至",
                                               Text(form.max_e4()), "分")
                                : absl::StrCat(form.taken() ? "loses " : "", Text(form.min_e4()),
                                               " to ", Text(form.max_e4()));
  Sentence sentence;
  if (outcome.state == ClauseOutcome::State::kPending) {
    sentence.requirement =
        say.zh()
            ? absl::StrCat("尚未评定：“", form.what(), "”由", scorer, "在", range, "之间评定")
            : absl::StrCat("not yet judged: ", form.what(), ", by ", scorer, " between ", range);
    std::vector<std::string> absent;
    for (const Part& part : outcome.parts) {
      if (!part.met) absent.push_back(part.name);
    }
    if (!absent.empty())
      sentence.found = absl::StrCat(say("尚缺：", "missing: "), say.List(absent));
    if (form.second_reviewer()) sentence.found = say("须两人评定一致", "two people must agree");
    sentence.missing.push_back(say("尚未评定", "not yet judged"));
    return sentence;
  }
  sentence.requirement =
      say.zh() ? absl::StrCat("“", form.what(), "”由", scorer, "评定，范围", range)
               : absl::StrCat(form.what(), ", judged by ", scorer, " between ", range);
  if (outcome.given.empty()) {
    sentence.found = say("没有需要评定的事项", "no case to judge");
    sentence.arithmetic = Taken(outcome, say);
    return sentence;
  }
  std::vector<std::string> texts;
  const bool named = outcome.given.size() > 1 || !outcome.parts.empty();
  for (const assessment::Mark* mark : outcome.given) {
    if (texts.size() < 10) texts.push_back(MarkText(form, *mark, named, say));
  }
  sentence.found = absl::StrJoin(texts, say("；", "; "));
  if (named) {
    const bool mean = form.sample() > 0 || !form.assessors().empty();
    sentence.arithmetic = absl::StrCat(form.sample() > 0 ? say("平均", "mean ")
                                       : mean            ? say("加权后", "weighted ")
                                                         : say("合计", "in all "),
                                       Text(outcome.mark), say("分", ""));
    if (!outcome.earns) absl::StrAppend(&sentence.arithmetic, say("，", ", "), Taken(outcome, say));
  } else if (form.taken()) {
    sentence.arithmetic = Taken(outcome, say);
  }
  return sentence;
}

// “本项直接采用县信访局2021年度考核结果(82分,及格线85分):低3分,每低1分加扣3分,扣9分。”
Sentence TellImported(const Telling& telling) {
  const assessment::Imported& form = telling.clause.imported();
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  if (outcome.result == nullptr || outcome.unknown) {
    return TellUnread(telling, form.what(), telling.clause.when_empty());
  }
  const assessment::ImportedResult& result = *outcome.result;
  Sentence sentence;
  sentence.requirement = absl::StrCat(say("直接采用", "taken from "), form.what(), say("结果", ""));
  std::vector<std::string> said;
  if (result.has_score_e4())
    said.push_back(absl::StrCat(
        Text(result.score_e4()), say("分", " points"),
        result.full_e4() > 0
            ? absl::StrCat(say("（满分", " (of "), Text(result.full_e4()), say("分）", ")"))
            : ""));
  if (!result.grade().empty()) said.push_back(result.grade());
  if (form.has_pass_e4())
    said.push_back(absl::StrCat(say("及格线", "pass mark "), Text(form.pass_e4()), say("分", "")));
  sentence.found = absl::StrCat(
      say.List(said), say("（", " ("), result.source(), say("，", ", "), result.result_date(),
      result.version().empty() ? "" : absl::StrCat(say("，版本", ", version "), result.version()),
      say("）", ")"));
  if (outcome.distance != Fraction()) {
    sentence.missing.push_back(absl::StrCat(say("低于及格线", "below the pass mark by "),
                                            Text(outcome.distance), say("分", "")));
    sentence.arithmetic =
        absl::StrCat(say("低", "short by "), Text(outcome.distance), say("分，", ", "));
    if (form.per_below_e4() > 0)
      absl::StrAppend(&sentence.arithmetic, say("每低1分扣", "each point below loses "),
                      Text(form.per_below_e4()), say("分，", ", "));
  } else if (form.convert_to_e4() > 0) {
    sentence.arithmetic =
        absl::StrCat(Text(form.convert_to_e4()), say("分×", " × "), Text(result.score_e4()), "÷",
                     Text(result.full_e4()), say("，", ", "));
  }
  absl::StrAppend(&sentence.arithmetic, Taken(outcome, say));
  return sentence;
}

}  // namespace fadu::scoring
