#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "services/scoring/domain/check_clause.h"
#include "services/scoring/domain/compiled_rubric.h"
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
    ParseSources();
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
      CheckPlaces(line, path);
      CheckLine(line, path);
    }
    if (rubric_.total_e4() != 0 && rubric_.total_e4() != total) {
      findings_.Error(
          "total_e4", "TOTAL_MISMATCH",
          absl::StrCat("总分写 ", Text(rubric_.total_e4()), "，各项合计 ", Text(total)));
    }
    CheckOutcome(rubric_, sources_, findings_);
    CheckExcludeCircles();
    ReportDoubleCounting();
    std::vector<assessment::Finding> found = findings_.Take();
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.severity() < b.severity(); });
    return found;
  }

 private:
  void ParseSources() {
    ForEachMeasure(rubric_, "", [&](const std::string& path, const std::string& text) {
      absl::StatusOr<RubricSource> source = ParseRubricSource(text, types_);
      if (source.ok()) {
        sources_.emplace(text, *std::move(source));
        return;
      }
      const ErrorDetail detail = DetailOf(source.status());
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
    const LineEnds ends = EndsOf(line);
    if (line.max_e4() == 0 && line.direction() != assessment::DIRECTION_BOTH) {
      findings_.Error(path + ".max_e4", "MAX_MISSING",
                      "缺少分值（max）；没有分值、只加只减的项请写 direction: both");
    }
    if ((ends.low.has_value() && ends.start < *ends.low) ||
        (ends.high.has_value() && ends.start > *ends.high) ||
        (ends.low.has_value() && ends.high.has_value() && *ends.low > *ends.high)) {
      findings_.Error(path, "LINE_ENDS", "起点（start）应在最低（at_least）和最高（at_most）之间");
    }
    if (line.has_not_applicable()) {
      CheckConditions(line.not_applicable(), path + ".not_applicable", findings_);
    }
    for (int i = 0; i < line.zero_when_size(); ++i) {
      const std::string at = absl::StrCat(path, ".zero_when[", i, "]");
      CheckConditions(line.zero_when(i), at, findings_);
      if (line.zero_when(i).requirement().empty()) {
        findings_.Error(at + ".requirement", "REQUIREMENT_MISSING",
                        "写明什么情况下本项不得分（requirement）");
      }
    }
    ForEachMeasure(line, "", [&](const std::string&, const std::string& text) {
      const auto found = sources_.find(text);
      if (found != sources_.end() && found->second.kind == RubricSource::Kind::kMeasure) {
        uses_[ToString(found->second.measure)].insert(line.id());
      }
    });
    CheckReach(line, path, ends);
  }

  // What the clauses can come to, against what the line has.
  void CheckReach(const assessment::Line& line, const std::string& path, const LineEnds& ends) {
    Reach all;
    const auto add = [](absl::optional<int64_t>& sum, const absl::optional<int64_t>& part) {
      sum = sum.has_value() && part.has_value() ? absl::make_optional(*sum + *part) : absl::nullopt;
    };
    for (int i = 0; i < line.clauses_size(); ++i) {
      const std::string at = absl::StrCat(path, ".clauses[", i, "]");
      const Reach reach = CheckClause({rubric_, line, line.clauses(i), sources_, at, findings_});
      add(all.lose, reach.lose);
      add(all.earn, reach.earn);
    }
    if (line.clauses().empty()) return;
    const absl::optional<int64_t> nothing = 0;
    const bool earning = StartsAtZero(line) && ends.start == 0;
    if (earning && all.earn == nothing && all.lose != nothing &&
        line.direction() == assessment::DIRECTION_EARN) {
      findings_.Error(path, "LOSS_IN_EARNING_LINE",
                      "加分项从零分起，没有可扣的分；请改用 direction: lose");
    }
    if (all.earn == nothing && all.lose == nothing) {
      findings_.Warn(path, "LINE_INERT", "本项没有一款能加分或扣分，对所有村都一样");
    }
    if (!ends.low.has_value() || !ends.high.has_value()) return;
    const absl::optional<int64_t>& most = earning ? all.earn : all.lose;
    if (!most.has_value()) return;
    const int64_t room = earning ? *ends.high - ends.start : ends.start - *ends.low;
    if (*most < room) {
      findings_.Warn(path, "CAP_UNREACHABLE",
                     absl::StrCat("各款合计最多 ", Text(*most), " 分，达不到本项 ", Text(room),
                                  earning ? " 分，满分不可得" : " 分，扣不完"));
    } else if (*most > room) {
      findings_.Warn(path, "OVER_REACHABLE",
                     absl::StrCat("各款合计最多 ", Text(*most), " 分，超过本项 ", Text(room),
                                  " 分，超出部分不起作用"));
    }
  }

  // M13 says which line comes first: not both.
  void CheckExcludeCircles() {
    std::map<std::string, std::set<std::string>> first;
    for (const assessment::Line& line : rubric_.lines()) {
      for (const assessment::Clause& clause : line.clauses()) {
        first[line.id()].insert(clause.exclude().begin(), clause.exclude().end());
      }
    }
    std::set<std::string> done;
    bool moved = true;
    while (moved) {
      moved = false;
      for (const auto& [id, others] : first) {
        const bool ready = std::all_of(others.begin(), others.end(), [&](const std::string& other) {
          return done.count(other) > 0 || first.count(other) == 0;
        });
        if (ready && done.insert(id).second) moved = true;
      }
    }
    for (int i = 0; i < rubric_.lines_size(); ++i) {
      if (done.count(rubric_.lines(i).id()) > 0) continue;
      findings_.Error(absl::StrCat("lines[", i, "]"), "EXCLUDE_CIRCLE",
                      "exclude（排除其他项已计的记录）互相依赖，分不出先后");
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
  ParsedSources sources_;
  std::map<std::string, std::set<std::string>> uses_;
};

}  // namespace

std::vector<assessment::Finding> CheckRubric(const assessment::Rubric& rubric,
                                             const RecordTypes& types) {
  return Checker(rubric, types).Run();
}

}  // namespace fadu::scoring
