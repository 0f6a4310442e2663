// What is wrong with what hangs on more than one line: classes, tiers, groups, gates, exemptions,
// rulings, outcomes.

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/base/points.h"
#include "services/scoring/domain/check_clause.h"
#include "services/scoring/domain/reading.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

std::string Text(int64_t units) { return Points::FromUnits(units).ToString(); }

class Outcome {
 public:
  Outcome(const assessment::Rubric& rubric, const ParsedSources& sources, Findings& findings)
      : rubric_(rubric), sources_(sources), findings_(findings) {}

  void Run() {
    CheckClasses();
    CheckGroups();
    CheckTiers();
    CheckGates();
    CheckExemptions();
    CheckRulings();
    CheckRanking();
    CheckMoney();
    CheckRechecks();
  }

 private:
  bool HasTier(const std::string& name) const {
    return std::any_of(rubric_.tiers().begin(), rubric_.tiers().end(),
                       [&](const assessment::Tier& tier) { return tier.name() == name; });
  }
  const assessment::Group* FindGroup(const std::string& id) const {
    for (const assessment::Group& group : rubric_.groups()) {
      if (group.id() == id) return &group;
    }
    return nullptr;
  }
  int64_t SumOfMaxima() const {
    int64_t total = 0;
    for (const assessment::Line& line : rubric_.lines()) total += line.max_e4();
    return total;
  }

  void CheckClasses() {
    std::set<std::string> names;
    for (int i = 0; i < rubric_.classes_size(); ++i) {
      const assessment::UnitClass& unit_class = rubric_.classes(i);
      const std::string path = absl::StrCat("classes[", i, "]");
      if (!names.insert(unit_class.name()).second) {
        findings_.Error(path + ".name", "CLASS_DUPLICATE",
                        absl::StrCat("“", unit_class.name(), "”列了两次"));
      }
      if (unit_class.areas().empty() && i + 1 < rubric_.classes_size()) {
        findings_.Error(path + ".areas", "CLASS_TAKES_ALL",
                        "没有写 areas 的类别包括其余所有村，只能放在最后");
      }
    }
  }

  // ---- groups
  // ------------------------------------------------------------------------------------

  // It leads up to the whole sheet.
  bool Ends(const assessment::Group& group) const {
    const assessment::Group* at = &group;
    for (int depth = 0; depth < 8; ++depth) {
      if (at->parent().empty()) return true;
      at = FindGroup(at->parent());
      if (at == nullptr) return true;  // said elsewhere
    }
    return false;
  }

  bool IsEmpty(const std::string& id) const {
    return std::none_of(rubric_.lines().begin(), rubric_.lines().end(),
                        [&](const assessment::Line& line) { return line.group() == id; }) &&
           std::none_of(rubric_.groups().begin(), rubric_.groups().end(),
                        [&](const assessment::Group& group) { return group.parent() == id; });
  }

  // Is this group, or one it is in, scored by parts of the year?
  bool WithinPeriods(std::string id) const {
    for (int depth = 0; depth < 8 && !id.empty(); ++depth) {
      const assessment::Group* group = FindGroup(id);
      if (group == nullptr) return false;
      if (!group->periods().empty()) return true;
      id = group->parent();
    }
    return !rubric_.whole().periods().empty();
  }

  void CheckGroups() {
    std::set<std::string> ids;
    for (int i = 0; i < rubric_.groups_size(); ++i) {
      const assessment::Group& group = rubric_.groups(i);
      const std::string path = absl::StrCat("groups[", i, "]");
      if (group.id().empty()) findings_.Error(path + ".id", "KEY_MISSING", "缺少 id");
      if (!ids.insert(group.id()).second) {
        findings_.Error(path + ".id", "DUPLICATE_GROUP_ID",
                        absl::StrCat("编号 ", group.id(), " 重复"));
      }
      if (!group.parent().empty() && FindGroup(group.parent()) == nullptr) {
        findings_.Error(path + ".parent", "GROUP_UNKNOWN",
                        absl::StrCat("没有板块 ", group.parent()));
      }
      if (!Ends(group))
        findings_.Error(path + ".parent", "GROUP_CIRCLE", "板块互相包含，或超过8层");
      if (group.scheme().empty() == IsEmpty(group.id())) {
        findings_.Error(path, "GROUP_CONTENTS",
                        group.scheme().empty() ? "板块中没有考核项，也没有写 scheme（采用的考核）"
                                               : "采用其他考核结果（scheme）的板块不能再有考核项");
      }
      CheckGroup(group, path);
    }
    if (rubric_.has_whole()) {
      const assessment::Group& whole = rubric_.whole();
      if (!whole.id().empty() || !whole.parent().empty() || whole.weight_e4() != 0 ||
          !whole.scheme().empty() || whole.has_minimum_e4()) {
        findings_.Error("whole", "WHOLE",
                        "whole（整张表）不写 id、parent、weight、scheme、minimum");
      }
      CheckGroup(whole, "whole");
    }
    for (int i = 0; i < rubric_.lines_size(); ++i) {
      const std::string& group = rubric_.lines(i).group();
      if (group.empty() || FindGroup(group) != nullptr) continue;
      findings_.Error(absl::StrCat("lines[", i, "].group"), "GROUP_UNKNOWN",
                      absl::StrCat("没有板块 ", group));
    }
    CheckWeights("", "whole");
    for (int i = 0; i < rubric_.groups_size(); ++i) {
      CheckWeights(rubric_.groups(i).id(), absl::StrCat("groups[", i, "]"));
    }
  }

  void CheckGroup(const assessment::Group& group, const std::string& path) {
    if (group.has_at_most_e4() && group.has_at_least_e4() &&
        group.at_least_e4() > group.at_most_e4()) {
      findings_.Error(path + ".at_least_e4", "RANGE_INVERTED",
                      "最低（at_least）不能高于最高（at_most）");
    }
    if (group.convert_from_e4() > 0 && group.convert_to_e4() == 0) {
      findings_.Error(path + ".convert_from_e4", "CONVERT",
                      "写了 convert_from，缺 convert_to（折算为多少分）");
    }
    if (!group.scheme().empty() && group.scheme_full_e4() == 0) {
      findings_.Error(path + ".scheme_full_e4", "SCHEME_FULL",
                      "写明所采用考核的满分（scheme_full）");
    }
    const bool nested =
        !group.periods().empty() && WithinPeriods(group.parent()) && path != "whole";
    if (nested) findings_.Error(path + ".periods", "PERIODS_NESTED", "上级板块已分期，不能再分期");
    std::set<std::string> parts;
    for (int i = 0; i < group.periods_size(); ++i) {
      const assessment::PeriodPart& part = group.periods(i);
      const std::string at = absl::StrCat(path, ".periods[", i, "]");
      const bool each = part.each() != assessment::WINDOW_UNSPECIFIED;
      if ((part.period().empty() ? 0 : 1) + (each ? 1 : 0) + (part.rounds() ? 1 : 0) != 1) {
        findings_.Error(at, "PERIOD", "period（一期）、each（各期平均）、rounds（各轮平均）三选一");
      }
      if (!part.period().empty() && !PartNamed(part.period(), rubric_.year(), "zh").has_value()) {
        findings_.Error(at + ".period", "PERIOD", "期间应为 year、H1、H2、Q1 至 Q4 或 M01 至 M12");
      }
      if (part.each() == assessment::WINDOW_WEEK || part.each() == assessment::WINDOW_YEAR) {
        findings_.Error(at + ".each", "PERIOD", "each 只能是 half_year、quarter 或 month");
      }
      if (part.rounds() && group.scheme().empty()) {
        findings_.Error(at + ".rounds", "PERIOD",
                        "rounds（各轮平均）须写 scheme（哪项考核的各轮）");
      }
      // One line is scored once in each part of the year.
      for (const auto& span :
           each ? PartsOf(part.each(), rubric_.year(), "zh")
                : std::vector<YearPart>{{YearRange(rubric_.year()), "", part.period()}}) {
        if (!parts.insert(span.code).second) {
          findings_.Error(at, "PERIOD", absl::StrCat("期间 ", span.code, " 列了两次"));
          break;
        }
      }
    }
  }

  // Weighted and unweighted parts side by side are added up as they are: seldom meant.
  void CheckWeights(const std::string& parent, const std::string& path) {
    int64_t sum = 0;
    int weighted = 0;
    int others = 0;
    for (const assessment::Group& group : rubric_.groups()) {
      if (group.parent() != parent) continue;
      sum += group.weight_e4();
      ++(group.weight_e4() > 0 ? weighted : others);
    }
    if (weighted == 0) return;
    if (sum != Points::kScale) {
      findings_.Warn(path, "WEIGHTS", absl::StrCat("权重合计 ", Text(sum), "，不是 1"));
    }
    if (others > 0)
      findings_.Warn(path, "WEIGHTS", "有的板块有权重，有的没有；没有权重的按原分相加");
  }

  // ---- gates, exemptions, rulings
  // ------------------------------------------------------------------

  void CheckGates() {
    std::set<std::string> ids;
    for (int i = 0; i < rubric_.gates_size(); ++i) {
      const assessment::Gate& gate = rubric_.gates(i);
      const std::string path = absl::StrCat("gates[", i, "]");
      if (!ids.insert(gate.id()).second) {
        findings_.Error(path + ".id", "DUPLICATE_GATE_ID",
                        absl::StrCat("编号 ", gate.id(), " 重复"));
      }
      CheckConditions(gate.when(), path + ".when", findings_);
      if (gate.has_unless()) CheckConditions(gate.unless(), path + ".unless", findings_);
      if (!gate.at_most().empty() && !HasTier(gate.at_most())) {
        findings_.Error(path + ".at_most", "TIER_UNKNOWN",
                        absl::StrCat("没有等次“", gate.at_most(), "”"));
      }
      if (gate.effect() == assessment::GATE_EFFECT_ENTRY && !gate.at_most().empty()) {
        findings_.Error(path + ".at_most", "TIER_UNUSED",
                        "不予申报（G04）不定等次，at_most 不起作用");
      }
      if (gate.effect() == assessment::GATE_EFFECT_SECTION) {
        findings_.Error(path + ".effect", "GATE_EFFECT", "板块最低分（G05）写在 groups 的 minimum");
      }
    }
  }

  void CheckExemptions() {
    std::set<std::string> ids;
    for (int i = 0; i < rubric_.exemptions_size(); ++i) {
      const assessment::Exemption& exemption = rubric_.exemptions(i);
      const std::string path = absl::StrCat("exemptions[", i, "]");
      if (!ids.insert(exemption.id()).second) {
        findings_.Error(path + ".id", "DUPLICATE_EXEMPTION_ID",
                        absl::StrCat("编号 ", exemption.id(), " 重复"));
      }
      CheckConditions(exemption.when(), path + ".when", findings_);
      for (int j = 0; j < exemption.lines_size(); ++j) {
        const std::string& id = exemption.lines(j);
        const auto line =
            std::find_if(rubric_.lines().begin(), rubric_.lines().end(),
                         [&](const assessment::Line& each) { return each.id() == id; });
        const std::string at = absl::StrCat(path, ".lines[", j, "]");
        if (line == rubric_.lines().end()) {
          findings_.Error(at, "LINE_UNKNOWN", absl::StrCat("没有考核项 ", id));
        } else if (line->max_e4() == 0) {
          findings_.Error(at, "MAX_MISSING", absl::StrCat("考核项 ", id, " 没有分值，无从得满分"));
        }
      }
    }
  }

  void CheckRulings() {
    std::set<std::string> asked;
    for (int i = 0; i < rubric_.rulings_size(); ++i) {
      if (asked.insert(rubric_.rulings(i).key()).second) continue;
      findings_.Error(absl::StrCat("rulings[", i, "].key"), "DUPLICATE_RULING_KEY",
                      absl::StrCat("代码 ", rubric_.rulings(i).key(), " 重复"));
    }
    std::set<std::string> used;
    ForEachMeasure(rubric_, "", [&](const std::string& path, const std::string& text) {
      const auto found = sources_.find(text);
      if (found == sources_.end() || found->second.kind != RubricSource::Kind::kRuling) return;
      used.insert(found->second.key);
      if (asked.count(found->second.key) > 0) return;
      findings_.Error(
          path, "RULING_UNKNOWN",
          absl::StrCat("rulings 中没有 ", found->second.key, "：须写明问什么、由谁认定"));
    });
    ForEachRolling([&](const std::string& path, const std::string& key) {
      used.insert(key);
      if (asked.count(key) == 0) {
        findings_.Error(path, "RULING_UNKNOWN", absl::StrCat("rulings 中没有 ", key));
      }
    });
    for (int i = 0; i < rubric_.rulings_size(); ++i) {
      if (used.count(rubric_.rulings(i).key()) > 0) continue;
      findings_.Warn(absl::StrCat("rulings[", i, "]"), "RULING_UNUSED",
                     absl::StrCat("没有条款用到认定事项 ", rubric_.rulings(i).key()));
    }
  }

  template <typename Visit>
  void ForEachRolling(const Visit& visit) const {
    for (int i = 0; i < rubric_.gates_size(); ++i) {
      const std::string& key = rubric_.gates(i).rolling().until_ruling();
      if (!key.empty()) visit(absl::StrCat("gates[", i, "].rolling"), key);
    }
    for (int i = 0; i < rubric_.lines_size(); ++i) {
      for (int j = 0; j < rubric_.lines(i).clauses_size(); ++j) {
        const std::string& key = rubric_.lines(i).clauses(j).rolling().until_ruling();
        if (!key.empty()) visit(absl::StrCat("lines[", i, "].clauses[", j, "].rolling"), key);
      }
    }
  }

  // ---- tiers and outcomes
  // --------------------------------------------------------------------------

  void CheckTiers() {
    std::set<std::string> names;
    for (int i = 0; i < rubric_.tiers_size(); ++i) {
      const std::string path = absl::StrCat("tiers[", i, "]");
      CheckByClass(rubric_, rubric_.tiers(i).by_class(), path + ".by_class", findings_);
      if (!names.insert(rubric_.tiers(i).name()).second) {
        findings_.Error(path + ".name", "TIER_DUPLICATE",
                        absl::StrCat("“", rubric_.tiers(i).name(), "”列了两次"));
      }
    }
    // For every class by itself: the thresholds descend.
    std::vector<std::string> classes = {""};
    for (const assessment::UnitClass& unit_class : rubric_.classes())
      classes.push_back(unit_class.name());
    for (const std::string& name : classes) {
      for (int i = 1; i < rubric_.tiers_size(); ++i) {
        if (FromOf(i, name) < FromOf(i - 1, name)) continue;
        findings_.Error(absl::StrCat("tiers[", i, "]"), "TIERS_ORDER",
                        absl::StrCat("等次应由高到低排列，且分数线不得相同",
                                     name.empty() ? "" : absl::StrCat("（", name, "）")));
      }
    }
    if (rubric_.tiers().empty()) return findings_.Error("tiers", "TIERS_MISSING", "缺少等次");
    const int last = rubric_.tiers_size() - 1;
    bool gap = false;
    for (const std::string& name : classes) gap = gap || FromOf(last, name) > 0;
    if (gap) {
      findings_.Error(absl::StrCat("tiers[", last, "]"), "TIERS_GAP",
                      "最后一等应从 0 分起，否则有村落不入任何等次");
    }
    const int64_t total = MostOfWhole();
    for (int i = 0; total > 0 && i < rubric_.tiers_size(); ++i) {
      if (rubric_.tiers(i).from_e4() > total) {
        findings_.Warn(
            absl::StrCat("tiers[", i, "]"), "TIER_UNREACHABLE",
            absl::StrCat("“", rubric_.tiers(i).name(), "”的分数线高于满分 ", Text(total)));
      }
    }
  }

  int64_t FromOf(int tier, const std::string& unit_class) const {
    for (const assessment::ClassValue& value : rubric_.tiers(tier).by_class()) {
      if (value.class_() == unit_class) return value.value_e4();
    }
    return rubric_.tiers(tier).from_e4();
  }

  // What the sheet can come to where that is the plain sum; 0 where it is not known.
  int64_t MostOfWhole() const {
    if (rubric_.whole().convert_to_e4() > 0) return rubric_.whole().convert_to_e4();
    if (rubric_.whole().has_at_most_e4()) return rubric_.whole().at_most_e4();
    if (!rubric_.groups().empty() || rubric_.has_whole()) return 0;
    for (const assessment::Line& line : rubric_.lines()) {
      if (line.max_e4() == 0 || line.has_at_most_e4()) return 0;
    }
    return SumOfMaxima();
  }

  void NeedDecision(const std::string& path) {
    if (rubric_.has_ranking()) return;
    findings_.Error(path, "RANK_NOT_DECIDED",
                    "须先有启用排名的决定（ranking：decided_by、decided_date、document）");
  }

  void CheckRanking() {
    const assessment::Ranking& ranking = rubric_.ranking();
    if (ranking.peers() == assessment::PEER_SET_CLASS && rubric_.classes().empty()) {
      findings_.Error("ranking.peers", "CLASS_UNKNOWN", "按类别排名，须先写 classes");
    }
    std::set<std::string> names;
    for (int i = 0; i < ranking.prizes_size(); ++i) {
      const std::string path = absl::StrCat("ranking.prizes[", i, "]");
      if (!names.insert(ranking.prizes(i).name()).second) {
        findings_.Error(path + ".name", "PRIZE_DUPLICATE",
                        absl::StrCat("“", ranking.prizes(i).name(), "”列了两次"));
      }
      if (i > 0 && ranking.prizes(i).from_e4() > ranking.prizes(i - 1).from_e4()) {
        findings_.Error(path + ".from_e4", "PRIZE_ORDER",
                        "奖次应由高到低排列，分数线不得高于前一等");
      }
    }
    if (!ranking.last().again().empty() && ranking.last().figure().empty()) {
      findings_.Error("ranking.last.figure", "FIGURE_MISSING",
                      "连续末位须写 figure（上年是否末位的数据代码）");
    }
    for (int i = 0; i < rubric_.quotas_size(); ++i) {
      const assessment::Quota& quota = rubric_.quotas(i);
      const std::string path = absl::StrCat("quotas[", i, "]");
      NeedDecision(path);
      if (!HasTier(quota.tier())) {
        findings_.Error(path + ".tier", "TIER_UNKNOWN",
                        absl::StrCat("没有等次“", quota.tier(), "”"));
      } else if (rubric_.tiers(rubric_.tiers_size() - 1).name() == quota.tier()) {
        findings_.Error(path + ".tier", "TIER_UNUSED", "最低一等没有可降的等次");
      }
      if ((quota.percent_e4() > 0) == (quota.count() > 0)) {
        findings_.Error(path, "QUOTA", "写 percent（比例）或 count（个数），二者取一");
      }
    }
  }

  void CheckMoney() {
    for (int i = 0; i < rubric_.money_size(); ++i) {
      const assessment::Money& money = rubric_.money(i);
      const std::string path = absl::StrCat("money[", i, "]");
      CheckByClass(rubric_, money.by_class(), path + ".by_class", findings_);
      const bool points = money.per_point_e4() > 0 || !money.by_class().empty();
      if ((points ? 1 : 0) + (money.base_e4() > 0 ? 1 : 0) + (money.has_streak() ? 1 : 0) != 1) {
        findings_.Error(path, "MONEY",
                        "per_point（每分多少元）、base（基数×得分率）、streak（按连续年数）三选一");
      }
      if (money.has_streak() && (money.streak().amounts_e4().empty() || !money.has_when())) {
        findings_.Error(path + ".streak", "MONEY",
                        "按连续年数须写 streak.amounts 和 when（本年的条件）");
      }
      if (money.has_when()) CheckConditions(money.when(), path + ".when", findings_);
    }
  }

  void CheckRechecks() {
    for (int i = 0; i < rubric_.rechecks_size(); ++i) {
      const assessment::Recheck& recheck = rubric_.rechecks(i);
      const std::string path = absl::StrCat("rechecks[", i, "]");
      CheckConditions(recheck.held(), path + ".held", findings_);
      if (recheck.has_cancel_when())
        CheckConditions(recheck.cancel_when(), path + ".cancel_when", findings_);
      if (recheck.has_cancel_when() && recheck.cancelled().empty()) {
        findings_.Error(path + ".cancelled", "RECHECK", "写明取消叫什么（cancelled）");
      }
      for (int j = 1; j < recheck.outcomes_size(); ++j) {
        if (recheck.outcomes(j).from_e4() < recheck.outcomes(j - 1).from_e4()) continue;
        findings_.Error(absl::StrCat(path, ".outcomes[", j, "]"), "TIERS_ORDER",
                        "复核结论应由高到低排列");
      }
      const int last = recheck.outcomes_size() - 1;
      if (last >= 0 && recheck.outcomes(last).from_e4() > 0) {
        findings_.Error(absl::StrCat(path, ".outcomes[", last, "]"), "TIERS_GAP",
                        "最后一种结论应从 0 分起");
      }
    }
  }

  const assessment::Rubric& rubric_;
  const ParsedSources& sources_;
  Findings& findings_;
};

}  // namespace

void CheckOutcome(const assessment::Rubric& rubric, const ParsedSources& sources,
                  Findings& findings) {
  Outcome(rubric, sources, findings).Run();
}

}  // namespace fadu::scoring
