#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "services/scoring/domain/engine.h"
#include "services/scoring/domain/line.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

std::string Text(int64_t units) { return Points::FromUnits(units).ToString(); }

class Checker {
 public:
  Checker(const assessment::Rubric& rubric, const RecordTypes& types)
      : rubric_(rubric), types_(types) {}

  std::vector<assessment::Finding> Run() {
    int64_t total = 0;
    std::set<std::string> ids;
    for (int i = 0; i < rubric_.lines_size(); ++i) {
      const assessment::Line& line = rubric_.lines(i);
      const std::string path = absl::StrCat("lines[", i, "]");
      total += line.max_e4();
      if (!ids.insert(line.id()).second) {
        Error(path + ".id", "DUPLICATE_LINE_ID", absl::StrCat("编号 ", line.id(), " 重复"));
      }
      if (line.basis().empty()) Error(path + ".basis", "BASIS_MISSING", "缺少依据");
      if (line.max_e4() <= 0) Error(path + ".max_e4", "MAX_MISSING", "分值应大于零");
      CheckLine(line, path);
    }
    if (rubric_.total_e4() != 0 && rubric_.total_e4() != total) {
      Error("total_e4", "TOTAL_MISMATCH",
            absl::StrCat("总分写 ", Text(rubric_.total_e4()), "，各项合计 ", Text(total)));
    }
    CheckTiers(total);
    ReportDoubleCounting();
    std::stable_sort(findings_.begin(), findings_.end(),
                     [](const auto& a, const auto& b) { return a.severity() < b.severity(); });
    return std::move(findings_);
  }

 private:
  void Add(assessment::Finding::Severity severity, const std::string& path, const char* code,
           const std::string& message) {
    assessment::Finding finding;
    finding.set_severity(severity);
    finding.set_path(path);
    finding.set_code(code);
    finding.set_message(message);
    findings_.push_back(std::move(finding));
  }
  void Error(const std::string& path, const char* code, const std::string& message) {
    Add(assessment::Finding::SEVERITY_ERROR, path, code, message);
  }
  void Warn(const std::string& path, const char* code, const std::string& message) {
    Add(assessment::Finding::SEVERITY_WARNING, path, code, message);
  }

  void CheckLine(const assessment::Line& line, const std::string& path) {
    int64_t reachable = 0;
    bool bounded = true;
    for (int i = 0; i < line.clauses_size(); ++i) {
      const assessment::Clause& clause = line.clauses(i);
      const std::string clause_path = absl::StrCat(path, ".clauses[", i, "]");
      int64_t most = MostOf(line, clause, clause_path);
      if (clause.has_cap_e4()) {
        if (clause.cap_e4() <= 0)
          Error(clause_path + ".cap_e4", "CAP_NOT_POSITIVE", "最高扣（加）分应大于零");
        if (clause.cap_e4() > line.max_e4()) {
          Warn(clause_path + ".cap_e4", "CAP_ABOVE_MAX",
               absl::StrCat("本款最高 ", Text(clause.cap_e4()), " 分，超过本项分值 ",
                            Text(line.max_e4()), " 分"));
        }
        most = most < 0 ? clause.cap_e4() : std::min(most, clause.cap_e4());
      }
      if (most < 0) bounded = false;
      reachable += std::max<int64_t>(0, most);
    }
    if (!bounded || line.clauses().empty()) return;
    if (reachable < line.max_e4()) {
      Warn(path, "CAP_UNREACHABLE",
           absl::StrCat(
               "各款合计最多 ", Text(reachable), " 分，达不到本项 ", Text(line.max_e4()),
               line.direction() == assessment::DIRECTION_EARN ? " 分，满分不可得" : " 分，扣不完"));
    } else if (reachable > line.max_e4()) {
      Warn(path, "OVER_REACHABLE",
           absl::StrCat("各款合计最多 ", Text(reachable), " 分，超过本项 ", Text(line.max_e4()),
                        " 分，超出部分不起作用"));
    }
  }

  // The most a clause can take or give; -1 when there is no bound of its own.
  int64_t MostOf(const assessment::Line& line, const assessment::Clause& clause,
                 const std::string& path) {
    const bool earn = line.direction() == assessment::DIRECTION_EARN;
    absl::StatusOr<Measure> measure = Measure();
    if (!clause.has_judged()) {
      measure = ParseMeasure(MeasureOf(clause), types_);
      if (!measure.ok()) {
        const ErrorDetail detail = DetailOf(measure.status());
        const auto problem = detail.metadata.find("problem");
        const auto position = detail.metadata.find("position");
        Error(path + ".measure", "MEASURE_INVALID",
              absl::StrCat(
                  "指标表达式第 ", position == detail.metadata.end() ? "?" : position->second,
                  " 个字符附近：", problem == detail.metadata.end() ? "有误" : problem->second));
      } else {
        uses_[ToString(*measure)].push_back(line.id());
      }
    }
    switch (clause.form_case()) {
      case assessment::Clause::kCheck: {
        const assessment::Check& form = clause.check();
        if (form.amount_e4() <= 0)
          Error(path + ".amount_e4", "AMOUNT_ZERO", "扣（加）分数额应大于零");
        if (form.comparison() == assessment::COMPARISON_AT_LEAST && form.threshold_e4() <= 0) {
          Warn(path, "NOBODY_CAN_LOSE", "“至少零”总是成立，没有村会受影响");
        }
        return form.amount_e4();
      }
      case assessment::Clause::kShortfall: {
        const assessment::Shortfall& form = clause.shortfall();
        if (earn) Error(path, "SHORTFALL_IN_EARNING_LINE", "加分项不能用 L03（次数不足扣分）");
        if (measure.ok() && measure->is_ratio())
          Error(path + ".measure", "RATIO_NOT_ALLOWED", "L03 需要次数或合计，不能用比率");
        if (form.required() <= 0)
          Error(path + ".required", "REQUIRED_MISSING", "应开展次数应大于零");
        if (form.per_missing_e4() <= 0)
          Error(path + ".per_missing_e4", "AMOUNT_ZERO", "每缺一次扣分应大于零");
        const int windows = form.window() == assessment::WINDOW_MONTH       ? 12
                            : form.window() == assessment::WINDOW_QUARTER   ? 4
                            : form.window() == assessment::WINDOW_HALF_YEAR ? 2
                                                                            : 1;
        return MulDivRound(form.required() * windows, form.per_missing_e4(), 1, Rounding::kCut);
      }
      case assessment::Clause::kRateStep: {
        const assessment::RateStep& form = clause.rate_step();
        if (measure.ok() && !measure->is_ratio())
          Error(path + ".measure", "RATIO_REQUIRED", "L06 需要比率，写作 A / B");
        if (form.step_percent_e4() <= 0 || form.per_step_e4() <= 0) {
          Error(path, "STEP_MISSING", "每步的百分点和扣分都应大于零");
          return -1;
        }
        if (form.step_rounding() == assessment::STEP_ROUNDING_UNSPECIFIED) {
          Error(path + ".step_rounding", "STEP_ROUNDING_MISSING",
                "须写明不足一步如何计（started、completed 或 pro_rata）");
        }
        if (form.when_empty() == assessment::WHEN_EMPTY_UNSPECIFIED) {
          Error(path + ".when_empty", "EMPTY_POLICY_MISSING", "须写明分母为零时如何计分");
        }
        if (form.above()) return -1;
        // From the target down to nothing.
        return MulDivRound(form.target_percent_e4(), form.per_step_e4(), form.step_percent_e4(),
                           Rounding::kHalfUp);
      }
      case assessment::Clause::kJudged: {
        const assessment::Judged& form = clause.judged();
        if (form.min_e4() >= form.max_e4())
          Error(path, "RANGE_INVERTED", "评分范围的下限应小于上限");
        if (form.max_e4() > line.max_e4()) {
          Error(path, "JUDGED_RANGE",
                absl::StrCat("评分上限 ", Text(form.max_e4()), " 超过本项分值 ",
                             Text(line.max_e4())));
        }
        return form.max_e4() - (earn ? 0 : std::min<int64_t>(0, form.min_e4()));
      }
      case assessment::Clause::FORM_NOT_SET:
        Error(path, "FORM_MISSING", "缺少 form（L01、L03、L06 或 L17）");
        return 0;
    }
    return 0;
  }

  void CheckTiers(int64_t total) {
    for (int i = 1; i < rubric_.tiers_size(); ++i) {
      if (rubric_.tiers(i).from_e4() >= rubric_.tiers(i - 1).from_e4()) {
        Error(absl::StrCat("tiers[", i, "]"), "TIERS_ORDER",
              "等次应由高到低排列，且分数线不得相同");
      }
    }
    if (rubric_.tiers().empty()) return Error("tiers", "TIERS_MISSING", "缺少等次");
    if (rubric_.tiers(rubric_.tiers_size() - 1).from_e4() > 0) {
      Error(absl::StrCat("tiers[", rubric_.tiers_size() - 1, "]"), "TIERS_GAP",
            "最后一等应从 0 分起，否则有村落不入任何等次");
    }
    for (int i = 0; i < rubric_.tiers_size(); ++i) {
      if (rubric_.tiers(i).from_e4() > total) {
        Warn(absl::StrCat("tiers[", i, "]"), "TIER_UNREACHABLE",
             absl::StrCat("“", rubric_.tiers(i).name(), "”的分数线高于满分 ", Text(total)));
      }
    }
  }

  void ReportDoubleCounting() {
    for (const auto& [measure, lines] : uses_) {
      std::set<std::string> distinct(lines.begin(), lines.end());
      if (distinct.size() < 2) continue;
      std::string names;
      for (const std::string& id : distinct) absl::StrAppend(&names, names.empty() ? "" : "、", id);
      Warn("lines", "DOUBLE_COUNT", absl::StrCat("考核项 ", names, " 使用同一指标：", measure));
    }
  }

  const assessment::Rubric& rubric_;
  const RecordTypes& types_;
  std::vector<assessment::Finding> findings_;
  std::map<std::string, std::vector<std::string>> uses_;
};

}  // namespace

std::vector<assessment::Finding> CheckRubric(const assessment::Rubric& rubric,
                                             const RecordTypes& types) {
  return Checker(rubric, types).Run();
}

}  // namespace fadu::scoring
