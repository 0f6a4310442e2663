// docs/founding-report.md and deploy/sample/jiayu-2024/seed-figures.yaml say the same: each label,
// measure and value in both, in one order.

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "services/fadu/measure_checks.h"

namespace fadu {
namespace {

std::string Read(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

cli::MeasureCheckFile Figures() {
  return cli::ParseMeasureChecks(Read("deploy/sample/jiayu-2024/seed-figures.yaml"));
}

// The cells of the page's table, without its head.
std::vector<std::vector<std::string>> Rows() {
  std::vector<std::vector<std::string>> rows;
  for (const absl::string_view line :
       absl::StrSplit(Read("docs/founding-report.md"), '\n', absl::SkipEmpty())) {
    if (!absl::StartsWith(line, "| ") || absl::StartsWith(line, "| 数 |")) continue;
    std::vector<std::string> cells = absl::StrSplit(line, '|');
    cells.erase(cells.begin());
    cells.pop_back();
    for (std::string& cell : cells) cell = std::string(absl::StripAsciiWhitespace(cell));
    rows.push_back(std::move(cells));
  }
  return rows;
}

TEST(FoundingReport, ThePageAndTheFileToCheckAreOne) {
  const cli::MeasureCheckFile file = Figures();
  ASSERT_TRUE(file.problems.empty()) << file.problems[0].line << ": " << file.problems[0].problem;
  const std::vector<std::vector<std::string>> rows = Rows();
  std::vector<std::string> on_the_page, in_the_file;
  for (const std::vector<std::string>& row : rows) {
    ASSERT_EQ(row.size(), 5U) << absl::StrJoin(row, " | ");
    on_the_page.push_back(absl::StrJoin({row[0], row[3], row[4]}, " | "));
  }
  for (const cli::MeasureCheck& check : file.checks) {
    in_the_file.push_back(
        absl::StrCat(check.label, " | `", check.expression, "` | ", check.expected));
  }
  EXPECT_THAT(on_the_page, ::testing::ElementsAreArray(in_the_file));
}

// Panjiawan town in 2024, whole figures as printed, nothing rounded by another rule.
TEST(FoundingReport, IsOfOneTownAndYear) {
  for (const cli::MeasureCheck& check : Figures().checks) {
    EXPECT_EQ(check.area, "421221106") << check.label;
    EXPECT_EQ(check.year, 2024) << check.label;
    EXPECT_EQ(check.period, "") << check.label;
  }
}

// The report's own figures, by its text; the list may say more, never less.
TEST(FoundingReport, NamesEveryFigureOfTheReport) {
  std::vector<std::string> named;
  for (const cli::MeasureCheck& check : Figures().checks) {
    named.push_back(absl::StrCat(check.label, " ", check.expected));
  }
  EXPECT_THAT(named, ::testing::IsSupersetOf(
                         {"摸排矛盾纠纷 382", "调解成功 375", "调解成功率（÷ 摸排发现） 98.17%",
                          "合同合法性审查 10", "学习活动 50", "研究部署 4", "听取汇报 4",
                          "法律知识考试 1", "参考率 100%", "合格率 100%", "规范性文件 2",
                          "省级荣誉 1", "工作专班 5", "存在的不足 3", "下一年度工作板块 4"}));
}

}  // namespace
}  // namespace fadu
