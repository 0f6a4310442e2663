#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "services/scoring/domain/check_clause.h"
#include "services/scoring/domain/clause.h"
#include "services/scoring/domain/compiled_rubric.h"
#include "services/scoring/domain/engine.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

std::string Text(int64_t units) { return Points::FromUnits(units).ToString(); }

class Checker {
 public:
  Checker(const assessment::Rubric& rubric, const RecordTypes& types)
      : rubric_(rubric), types_(types) {}

  std::vector<assessment::Finding> Run() {
    ParseMeasures();
    int64_t total = 0;
    std::set<std::string> ids;
    for (int i = 0; i < rubric_.lines_size(); ++i) {
      const assessment::Line& line = rubric_.lines(i);
      const std::string path = absl::StrCat("lines[", i, "]");
      total += line.max_e4();
      if (!ids.insert(line.id()).second) {
        findings_.Error(path + ".id", "DUPLICATE_LINE_ID",
                        absl::StrCat("编号 ", line.id(), " 重复"));
      }
      if (line.basis().empty()) findings_.Error(path + ".basis", "BASIS_MISSING", "缺少依据");
      if (line.max_e4() <= 0) findings_.Error(path + ".max_e4", "MAX_MISSING", "分值应大于零");
      CheckPlaces(line, path);
      CheckLine(line, path);
    }
    if (rubric_.total_e4() != 0 && rubric_.total_e4() != total) {
      findings_.Error(
          "total_e4", "TOTAL_MISMATCH",
          absl::StrCat("总分写 ", Text(rubric_.total_e4()), "，各项合计 ", Text(total)));
    }
    CheckClasses();
    CheckGates();
    CheckTiers(total);
    ReportDoubleCounting();
    std::vector<assessment::Finding> found = findings_.Take();
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.severity() < b.severity(); });
    return found;
  }

 private:
  void ParseMeasures() {
    ForEachMeasure(rubric_, "", [&](const std::string& path, const std::string& text) {
      absl::StatusOr<Measure> measure = ParseMeasure(text, types_);
      if (measure.ok()) {
        measures_.emplace(text, *std::move(measure));
        return;
      }
      const ErrorDetail detail = DetailOf(measure.status());
      const auto problem = detail.metadata.find("problem");
      const auto position = detail.metadata.find("position");
      findings_.Error(
          path, "MEASURE_INVALID",
          absl::StrCat("指标表达式第 ", position == detail.metadata.end() ? "?" : position->second,
                       " 个字符附近：",
                       problem == detail.metadata.end() ? "有误" : problem->second));
    });
  }

  // A maximum that rounding cannot express would be rounded past itself.
  void CheckPlaces(const assessment::Line& line, const std::string& path) {
    const Points max = Points::FromUnits(line.max_e4());
    if (max.RoundTo(rubric_.places(), Rounding::kCut) == max) return;
    findings_.Error(
        path + ".max_e4", "PLACES_TOO_FEW",
        absl::StrCat("分值 ", max.ToString(), " 的小数多于 rounding 的 ", rubric_.places(), " 位"));
  }

  void CheckLine(const assessment::Line& line, const std::string& path) {
    const bool earning = line.direction() == assessment::DIRECTION_EARN;
    int64_t reachable = 0;
    bool bounded = true;
    bool earns = false;
    bool loses = false;
    for (int i = 0; i < line.clauses_size(); ++i) {
      const assessment::Clause& clause = line.clauses(i);
      const std::string clause_path = absl::StrCat(path, ".clauses[", i, "]");
      Most most = CheckClause({rubric_, line, clause, measures_, clause_path, findings_});
      if (clause.has_cap_e4()) most = CheckCap(line, clause, clause_path, most);
      const bool clause_earns = Earns(clause, earning);
      (clause_earns ? earns : loses) = true;
      if (clause_earns != earning) continue;
      if (!most.has_value()) bounded = false;
      reachable += most.value_or(0);
    }
    for (int i = 0; i < line.zero_when_size(); ++i) {
      CheckConditions(line.zero_when(i), absl::StrCat(path, ".zero_when[", i, "]"), findings_);
      if (line.zero_when(i).requirement().empty()) {
        findings_.Error(absl::StrCat(path, ".zero_when[", i, "].requirement"),
                        "REQUIREMENT_MISSING", "写明什么情况下本项不得分（requirement）");
      }
    }
    ForEachMeasure(line, "", [&](const std::string&, const std::string& text) {
      const auto found = measures_.find(text);
      if (found != measures_.end()) uses_[ToString(found->second)].insert(line.id());
    });
    if (earning && loses && !earns) {
      findings_.Error(path, "LOSS_IN_EARNING_LINE",
                      "加分项从零分起，没有可扣的分；请改用 direction: lose");
    }
    if (!bounded || line.clauses().empty()) return;
    if (reachable < line.max_e4()) {
      findings_.Warn(
          path, "CAP_UNREACHABLE",
          absl::StrCat("各款合计最多 ", Text(reachable), " 分，达不到本项 ", Text(line.max_e4()),
                       earning ? " 分，满分不可得" : " 分，扣不完"));
    } else if (reachable > line.max_e4()) {
      findings_.Warn(path, "OVER_REACHABLE",
                     absl::StrCat("各款合计最多 ", Text(reachable), " 分，超过本项 ",
                                  Text(line.max_e4()), " 分，超出部分不起作用"));
    }
  }

  Most CheckCap(const assessment::Line& line, const assessment::Clause& clause,
                const std::string& path, Most most) {
    if (clause.cap_e4() <= 0)
      findings_.Error(path + ".cap_e4", "CAP_NOT_POSITIVE", "最高扣（加）分应大于零");
    if (clause.cap_e4() > line.max_e4()) {
      findings_.Warn(path + ".cap_e4", "CAP_ABOVE_MAX",
                     absl::StrCat("本款最高 ", Text(clause.cap_e4()), " 分，超过本项分值 ",
                                  Text(line.max_e4()), " 分"));
    }
    return most.has_value() ? std::min(*most, clause.cap_e4()) : clause.cap_e4();
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
      const bool known =
          std::any_of(rubric_.tiers().begin(), rubric_.tiers().end(),
                      [&](const assessment::Tier& tier) { return tier.name() == gate.at_most(); });
      if (!gate.at_most().empty() && !known) {
        findings_.Error(path + ".at_most", "TIER_UNKNOWN",
                        absl::StrCat("没有等次“", gate.at_most(), "”"));
      }
    }
  }

  void CheckTiers(int64_t total) {
    for (int i = 1; i < rubric_.tiers_size(); ++i) {
      if (rubric_.tiers(i).from_e4() >= rubric_.tiers(i - 1).from_e4()) {
        findings_.Error(absl::StrCat("tiers[", i, "]"), "TIERS_ORDER",
                        "等次应由高到低排列，且分数线不得相同");
      }
    }
    if (rubric_.tiers().empty()) return findings_.Error("tiers", "TIERS_MISSING", "缺少等次");
    if (rubric_.tiers(rubric_.tiers_size() - 1).from_e4() > 0) {
      findings_.Error(absl::StrCat("tiers[", rubric_.tiers_size() - 1, "]"), "TIERS_GAP",
                      "最后一等应从 0 分起，否则有村落不入任何等次");
    }
    for (int i = 0; i < rubric_.tiers_size(); ++i) {
      if (rubric_.tiers(i).from_e4() > total) {
        findings_.Warn(
            absl::StrCat("tiers[", i, "]"), "TIER_UNREACHABLE",
            absl::StrCat("“", rubric_.tiers(i).name(), "”的分数线高于满分 ", Text(total)));
      }
    }
  }

  void ReportDoubleCounting() {
    for (const auto& [measure, lines] : uses_) {
      if (lines.size() < 2) continue;
      findings_.Warn(
          "lines", "DOUBLE_COUNT",
          absl::StrCat("考核项 ", absl::StrJoin(lines, "、"), " 使用同一指标：", measure));
    }
  }

  const assessment::Rubric& rubric_;
  const RecordTypes& types_;
  Findings findings_;
  ParsedMeasures measures_;
  std::map<std::string, std::set<std::string>> uses_;
};

}  // namespace

std::vector<assessment::Finding> CheckRubric(const assessment::Rubric& rubric,
                                             const RecordTypes& types) {
  return Checker(rubric, types).Run();
}

}  // namespace fadu::scoring
