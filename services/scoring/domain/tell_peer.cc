// L11, L12, L13 and L14 in words.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/scoring/domain/explain.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

std::string Number(const Fraction& units) { return Text(units); }

// A value with its unit; a ratio shows its terms.
std::string Found(const Reading& reading, const Fraction& against, const std::string& unit) {
  return absl::StrCat(ValueText(reading, against), reading.evaluation.value.is_ratio() ? "" : unit);
}

}  // namespace

// “目标3家,实际5家,比目标多2家,每多1家加5分,得20+10=30分。”
Sentence TellSymmetric(const Telling& telling) {
  const assessment::Symmetric& form = telling.clause.symmetric();
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  if (outcome.empty || outcome.unknown) {
    return TellUnread(telling, form.what(), telling.clause.when_empty());
  }
  const std::string unit = UnitOf(form.unit(), outcome.reading);
  const bool above = outcome.reading.number > outcome.against;
  Sentence sentence;
  sentence.requirement = say.zh() ? absl::StrCat(form.what(), "目标", Number(outcome.against), unit,
                                                 "，达到计", Text(form.points_e4()), "分")
                                  : absl::StrCat(form.what(), ": target ", Number(outcome.against),
                                                 unit, " gives ", Text(form.points_e4()));
  sentence.found =
      absl::StrCat(say("实际", "found "), Found(outcome.reading, outcome.against, unit));
  if (outcome.distance != Fraction()) {
    absl::StrAppend(&sentence.found,
                    above ? say("，比目标多", ", above by ") : say("，比目标少", ", below by "),
                    Number(outcome.distance), unit);
    const int64_t per = above ? form.up_per_e4() : form.down_per_e4();
    sentence.arithmetic = say.zh() ? absl::StrCat("每", above ? "多" : "少", Text(form.step_e4()),
                                                  unit, above ? "加" : "减", Text(per), "分（",
                                                  LabelOf(form.step_rounding(), say), "，",
                                                  Text(outcome.steps * Points::kScale), "步），")
                                   : absl::StrCat(Text(per), above ? " more" : " less",
                                                  " for each ", Text(form.step_e4()), ", ",
                                                  Text(outcome.steps * Points::kScale), " steps, ");
  }
  if (!above && outcome.distance != Fraction()) sentence.missing.push_back(sentence.found);
  absl::StrAppend(&sentence.arithmetic, Taken(outcome, say));
  return sentence;
}

// “可防性案件今年6起,前两年平均5起,上升20%,每上升1个百分点扣1分,应扣20分,本项8分已扣完。”
Sentence TellTrend(const Telling& telling) {
  const assessment::Trend& form = telling.clause.trend();
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  if (outcome.unknown) return TellUnread(telling, form.what(), telling.clause.when_empty());
  const std::string unit = UnitOf(form.unit(), outcome.reading);
  Sentence sentence;
  sentence.requirement = absl::StrCat(form.what(), say("与", " against "),
                                      LabelOf(form.baseline(), say), say("相比", ""));
  sentence.found = absl::StrCat(say("今年", "this year "), Found(outcome.reading, -1, unit));
  std::vector<std::string> absent;
  for (const Part& part : outcome.parts) {
    if (!part.applies) absent.push_back(part.name);
  }
  if (outcome.empty) {
    const bool no_past = !absent.empty() || outcome.reading.usable();
    absl::StrAppend(&sentence.found, say("，", ", "),
                    absent.empty()
                        ? say("基数为零，无法计算升降比例", "of nothing there is no percentage")
                        : absl::StrCat(say.List(absent), say("年无可比数据", " not known")),
                    say("，按本细则", ": "),
                    LabelOf(no_past ? form.when_no_baseline() : telling.clause.when_empty(), say));
    if (outcome.state == ClauseOutcome::State::kPending) {
      sentence.missing.push_back(say("尚未评定", "not yet judged"));
    }
    sentence.arithmetic = Taken(outcome, say);
    return sentence;
  }
  absl::StrAppend(&sentence.found, say("，", ", "), LabelOf(form.baseline(), say), say("", " "),
                  Number(outcome.against), unit);
  const bool percent =
      form.compare() == assessment::TREND_UNIT_PERCENT && outcome.against != Fraction();
  const std::string measure = percent ? "%" : unit;
  if (outcome.distance != Fraction()) {
    const bool worse = outcome.distance > Fraction();
    const bool rose = worse != form.more_is_better();
    absl::StrAppend(&sentence.found, rose ? say("，上升", ", up ") : say("，下降", ", down "),
                    Number(worse ? outcome.distance : -outcome.distance), measure);
    if (worse) sentence.missing.push_back(sentence.found);
    if (worse && outcome.raw != Fraction()) {
      const bool by_count =
          form.compare() == assessment::TREND_UNIT_PERCENT && outcome.against == Fraction();
      sentence.arithmetic =
          by_count
              ? absl::StrCat(say("基数为零，每多1", "from nothing, each one more loses "), unit,
                             say("扣", ""), Text(form.per_count_e4()), say("分，", ", "))
              : absl::StrCat(say("每", ""),
                             rose ? say("上升", "each rise of ") : say("下降", "each fall of "),
                             Text(form.step_e4()), percent ? say("个百分点", " %") : unit,
                             say("扣", " loses "), Text(form.per_step_e4()), say("分，", ", "));
    }
  } else {
    absl::StrAppend(&sentence.found, say("，持平", ", the same"));
  }
  if (outcome.chosen >= 0) {
    sentence.arithmetic = absl::StrCat(
        say("落在“", "in the bracket "),
        BracketText(EndsOf(form.better())[static_cast<size_t>(outcome.chosen)], measure, say),
        say("”档，", ", "));
  }
  absl::StrAppend(&sentence.arithmetic, Taken(outcome, say));
  return sentence;
}

// “本村活跃度82%,全县平均80%(共120个村,计算时点12月31日),高于平均,加0.5分。”
Sentence TellBenchmark(const Telling& telling, const assessment::Benchmark& form) {
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  if (outcome.empty || outcome.unknown) {
    return TellUnread(telling, form.what(), telling.clause.when_empty());
  }
  const std::string unit = UnitOf(form.unit(), outcome.reading);
  const std::string peers =
      form.figure().empty()
          ? LabelOf(form.peers() == assessment::PEER_SET_UNSPECIFIED ? assessment::PEER_SET_COUNTY
                                                                     : form.peers(),
                    say)
          : form.figure();
  Sentence sentence;
  sentence.requirement =
      absl::StrCat(form.what(), say("与", " against the mean of "), peers, say("平均水平相比", ""));
  sentence.found =
      absl::StrCat(say("本单位", "own "), Found(outcome.reading, outcome.against, unit),
                   say("，", ", "), peers, say("平均", " mean "), Number(outcome.against), unit);
  if (outcome.ranked > 0)
    absl::StrAppend(&sentence.found, say("（共", " ("), outcome.ranked, say("个单位）", " units)"));
  const Fraction over = outcome.reading.number - outcome.against;
  absl::StrAppend(&sentence.found, over == Fraction()  ? say("，持平", ", equal")
                                   : over > Fraction() ? say("，高于平均", ", above")
                                                       : say("，低于平均", ", below"));
  if (outcome.provisional) absl::StrAppend(&sentence.found, say("，暂定", ", provisional"));
  if (!outcome.met) sentence.missing.push_back(sentence.found);
  if (form.step_e4() > 0 && outcome.distance != Fraction()) {
    sentence.arithmetic = absl::StrCat(say("按", ""), Text(outcome.steps * Points::kScale),
                                       say("步计，", " steps, "));
  }
  absl::StrAppend(&sentence.arithmetic, Taken(outcome, say));
  return sentence;
}

// “本项在全镇14个村中排名第3,按名次得16分(第1名20分,每降1名减2分)。”
Sentence TellRank(const Telling& telling) {
  const assessment::Rank& form = telling.clause.rank();
  const ClauseOutcome& outcome = telling.outcome;
  const Words& say = telling.say;
  if (outcome.empty || outcome.unknown) {
    return TellUnread(telling, form.what(), telling.clause.when_empty());
  }
  const std::string unit = UnitOf(form.unit(), outcome.reading);
  const std::string peers = LabelOf(
      form.peers() == assessment::PEER_SET_UNSPECIFIED ? assessment::PEER_SET_COUNTY : form.peers(),
      say);
  Sentence sentence;
  sentence.requirement =
      absl::StrCat(form.what(), say("在", " ranked among "), peers, say("按名次计分", ""));
  sentence.found = absl::StrCat(
      say("实际", "found "), Found(outcome.reading, outcome.against, unit), say("，在", ", "),
      outcome.ranked, say("个单位中排第", " units, rank "), outcome.rank, say("名", ""));
  if (outcome.sharing > 1)
    absl::StrAppend(&sentence.found, say("（", " ("), outcome.sharing,
                    say("个单位并列）", " share it)"));
  if (outcome.provisional) absl::StrAppend(&sentence.found, say("，暂定", ", provisional"));
  sentence.arithmetic = Taken(outcome, say);
  return sentence;
}

}  // namespace fadu::scoring
