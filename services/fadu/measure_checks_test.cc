#include "services/fadu/measure_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace fadu::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kTwo[] = R"yaml(# 潘家湾镇年度报告
- label: 摸排矛盾纠纷
  expression: count(disputes)
  area: 421221106
  year: 2024
  expected: 382
- label: 一季度调解成功率
  expression: "count(disputes where outcome = SETTLED) / count(disputes)"
  area: "421221106"
  year: 2024
  period: Q1
  expected: 98.17%
  rounding: cut
)yaml";

scoring::v1::MeasureValue ValueOf(int64_t numerator, int64_t denominator,
                                  scoring::v1::MeasureKind kind) {
  scoring::v1::MeasureValue value;
  value.set_numerator(numerator);
  value.set_denominator(denominator);
  value.set_kind(kind);
  value.set_text("as the server says it");
  return value;
}

MeasureCheck Expecting(const std::string& expected, Rounding rounding = Rounding::kHalfUp) {
  MeasureCheck check;
  check.expected = expected;
  check.rounding = rounding;
  return check;
}

TEST(MeasureChecks, AFileIsAListOfFigures) {
  const MeasureCheckFile file = ParseMeasureChecks(kTwo);
  EXPECT_THAT(file.problems, IsEmpty());
  ASSERT_THAT(file.checks, SizeIs(2));
  EXPECT_EQ(file.checks[0].label, "摸排矛盾纠纷");
  EXPECT_EQ(file.checks[0].expression, "count(disputes)");
  EXPECT_EQ(file.checks[0].area, "421221106");
  EXPECT_EQ(file.checks[0].year, 2024);
  EXPECT_EQ(file.checks[0].period, "");
  EXPECT_EQ(file.checks[0].rounding, Rounding::kHalfUp);
  EXPECT_EQ(file.checks[0].line, 2);
  EXPECT_EQ(file.checks[1].period, "Q1");
  EXPECT_EQ(file.checks[1].expected, "98.17%");
  EXPECT_EQ(file.checks[1].rounding, Rounding::kCut);
  EXPECT_EQ(file.checks[1].line, 7);
}

struct Wrong {
  const char* text;
  int line;
  int column;
  const char* problem;
};

TEST(MeasureChecks, WhatIsWrongIsRefusedWhereItStands) {
  const Wrong cases[] = {
      {"", 0, 0, "空"},
      {"label: x", 1, 1, "列表"},
      {"- 摸排", 1, 3, "键和值"},
      {"- label: [x", 1, 1, "YAML 格式有误"},
      {"- label: 摸排\n\texpression: count(disputes)", 2, 1, "YAML 格式有误"},
      {"- label: 摸排\n  指标: count(disputes)", 2, 3, "没有键 指标；可用：label、expression"},
      {"- label: 摸排\n  label: 摸排", 2, 3, "重复的键 label"},
      {"- label: [a, b]", 1, 10, "label 应为一个值"},
      {"- label: 摸排", 1, 3, "缺少 expression"},
      {"- {label: 摸排, expression: a, area: 4212, year: 2024, expected: 1}", 1, 36, "area 应为"},
      {"- {label: 摸排, expression: a, area: 421221, year: 二〇二四, expected: 1}", 1, 50,
       "year 应为"},
      {"- {label: a, expression: a, area: 421221, year: 2024, period: Q5, expected: 1}", 1, 63,
       "period 应为"},
      {"- {label: a, expression: a, area: 421221, year: 2024, expected: 约20}", 1, 65,
       "expected 应为"},
      {"- {label: a, expression: a, area: 421221, year: 2024, expected: 1, rounding: up}", 1, 78,
       "rounding 应为"},
      {"- a: 1\n---\n- b: 1", 0, 0, "一个列表"},
  };
  for (const Wrong& wrong : cases) {
    const MeasureCheckFile file = ParseMeasureChecks(wrong.text);
    EXPECT_THAT(file.checks, IsEmpty()) << wrong.text;
    ASSERT_FALSE(file.problems.empty()) << wrong.text;
    EXPECT_EQ(file.problems[0].line, wrong.line) << wrong.text;
    EXPECT_EQ(file.problems[0].column, wrong.column) << wrong.text;
    EXPECT_THAT(file.problems[0].problem, HasSubstr(wrong.problem)) << wrong.text;
  }
}

TEST(MeasureChecks, ANumberThatNobodyPrintsIsNotExpected) {
  for (const char* expected :
       {"1.", ".5", "1,000", "007", "1.1234567", "%", "-", "1e3", "98.17 %"}) {
    const MeasureCheckFile file = ParseMeasureChecks(absl::StrCat(
        "- {label: a, expression: a, area: 421221, year: 2024, expected: \"", expected, "\"}"));
    EXPECT_THAT(file.problems, SizeIs(1)) << expected;
  }
}

// 140 of 151 are 92.7152… %.
TEST(MeasureChecks, TheDecimalsOfTheExpectedFigureAreCompared) {
  const auto rate = ValueOf(140, 151, scoring::v1::MEASURE_KIND_RATIO);
  EXPECT_TRUE(Agrees(Expecting("92.72%"), rate));
  EXPECT_TRUE(Agrees(Expecting("92.71%", Rounding::kCut), rate));
  EXPECT_TRUE(Agrees(Expecting("93%"), rate));
  EXPECT_TRUE(Agrees(Expecting("92.7%"), rate));
  EXPECT_FALSE(Agrees(Expecting("92.71%"), rate));
  EXPECT_EQ(GotText(Expecting("92.71%"), rate), "92.72%");
}

TEST(MeasureChecks, ARateIsNotANumber) {
  EXPECT_FALSE(Agrees(Expecting("50"), ValueOf(1, 2, scoring::v1::MEASURE_KIND_RATIO)));
  EXPECT_FALSE(Agrees(Expecting("50%"), ValueOf(50, 1, scoring::v1::MEASURE_KIND_NUMBER)));
  EXPECT_TRUE(Agrees(Expecting("50"), ValueOf(50, 1, scoring::v1::MEASURE_KIND_NUMBER)));
  EXPECT_TRUE(Agrees(Expecting("-7.01"), ValueOf(-701, 10000, scoring::v1::MEASURE_KIND_POINTS)));
  EXPECT_TRUE(Agrees(Expecting("7.5"), ValueOf(15, 2, scoring::v1::MEASURE_KIND_DAYS)));
}

// 20余 is more than 20 and less than 30, 300多 less than 400, 1200余 less than 1300.
TEST(MeasureChecks, ARoundNumberAndMoreEndsBeforeTheNextOfItsLastUnit) {
  const auto count = [](int64_t n) { return ValueOf(n, 1, scoring::v1::MEASURE_KIND_NUMBER); };
  EXPECT_TRUE(Agrees(Expecting("20余"), count(23)));
  EXPECT_FALSE(Agrees(Expecting("20余"), count(20)));
  EXPECT_FALSE(Agrees(Expecting("20余"), count(30)));
  EXPECT_TRUE(Agrees(Expecting("300多"), count(399)));
  EXPECT_FALSE(Agrees(Expecting("300多"), count(400)));
  EXPECT_TRUE(Agrees(Expecting("1200余"), count(1299)));
  EXPECT_FALSE(Agrees(Expecting("1200余"), count(1300)));
  EXPECT_FALSE(Agrees(Expecting("20余"), ValueOf(23, 100, scoring::v1::MEASURE_KIND_RATIO)));
}

TEST(MeasureChecks, MoreIsSaidOfRoundNumbersOnly) {
  for (const char* expected : {"23余", "5余", "余", "020余", "20.5余", "20%余"}) {
    const MeasureCheckFile file = ParseMeasureChecks(absl::StrCat(
        "- {label: a, expression: a, area: 421221, year: 2024, expected: ", expected, "}"));
    EXPECT_THAT(file.problems, SizeIs(1)) << expected;
  }
}

TEST(MeasureChecks, WhatHasNoValueAgreesWithNothing) {
  const auto none = ValueOf(0, 0, scoring::v1::MEASURE_KIND_RATIO);
  EXPECT_FALSE(Agrees(Expecting("0%"), none));
  EXPECT_EQ(GotText(Expecting("0%"), none), "as the server says it");
}

}  // namespace
}  // namespace fadu::cli
