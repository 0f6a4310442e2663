#include "services/assessment/domain/rubric_yaml.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace fadu::assessment {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// One line of each form. The tests change it by text.
constexpr char kRubric[] = R"(rubric: demo
version: "2024.1"
title: 示例
year: 2024
subject: village
rounding: {places: 1, mode: cut}
tiers:
  - {name: 优秀, from: 90}
  - {name: 不合格, from: 0}
lines:
  - id: "1.1"
    title: 场次
    max: 15
    basis: 依据
    evidence: [照片, 签到表]
    clauses:
      - form: L03
        text: 每季度不少于4场
        measure: count(educationEvents where venues:VILLAGE)
        required: 4
        window: quarter
        per_missing: 2.5
        what: 法治宣传活动
        unit: 场
        cap: 10
  - id: "1.2"
    title: 条件
    max: 3.25
    direction: earn
    basis: 依据
    clauses:
      - form: L01
        measure: count(disputes)
        at_least: 1
        amount: 3
        requirement: 建立台账
  - id: "2.1"
    title: 比率
    max: 20
    basis: 依据
    clauses:
      - form: L06
        measure: count(disputes where outcome = SETTLED) / count(disputes)
        target: 95%
        step: 0.5
        per_step: 1
        side: above
        step_rounding: pro_rata
        when_empty: not_applicable
        what: 化解率
  - id: "2.2"
    title: 评定
    max: 10
    basis: 依据
    clauses:
      - form: L17
        min: 0
        max: 10
        step: 0.5
        what: 规范
)";

std::string With(absl::string_view from, absl::string_view to) {
  const std::string changed = absl::StrReplaceAll(kRubric, {{from, to}});
  EXPECT_NE(changed, kRubric) << from;
  return changed;
}

// "19:9 KEY_UNKNOWN": where and what of each finding, joined.
std::string Places(const CompiledRubric& compiled) {
  return absl::StrJoin(compiled.findings, ", ", [](std::string* out, const v1::Finding& finding) {
    absl::StrAppend(out, finding.yaml_line(), ":", finding.yaml_column(), " ", finding.code());
  });
}

std::string MessageFor(const std::string& source) {
  const CompiledRubric compiled = CompileRubric(source);
  EXPECT_FALSE(compiled.rubric.has_value());
  return compiled.findings.empty() ? "" : compiled.findings[0].message();
}

TEST(RubricYaml, CompilesEveryForm) {
  const CompiledRubric compiled = CompileRubric(kRubric);
  ASSERT_TRUE(compiled.rubric.has_value()) << Places(compiled);
  const v1::Rubric& rubric = *compiled.rubric;
  EXPECT_EQ(rubric.code(), "demo");
  EXPECT_EQ(rubric.version(), "2024.1");
  EXPECT_EQ(rubric.places(), 1);
  EXPECT_EQ(rubric.rounding(), v1::RUBRIC_ROUNDING_CUT);
  EXPECT_EQ(rubric.tiers(0).from_e4(), 900000);
  ASSERT_EQ(rubric.lines_size(), 4);

  const v1::Clause& shortfall = rubric.lines(0).clauses(0);
  EXPECT_EQ(shortfall.shortfall().required(), 4);
  EXPECT_EQ(shortfall.shortfall().window(), v1::WINDOW_QUARTER);
  EXPECT_EQ(shortfall.shortfall().per_missing_e4(), 25000);
  EXPECT_EQ(shortfall.cap_e4(), 100000);
  EXPECT_EQ(rubric.lines(0).evidence(1), "签到表");

  EXPECT_EQ(rubric.lines(1).direction(), v1::DIRECTION_EARN);
  EXPECT_FALSE(rubric.lines(1).clauses(0).has_cap_e4());
  const v1::Check& check = rubric.lines(1).clauses(0).check();
  EXPECT_EQ(check.comparison(), v1::COMPARISON_AT_LEAST);
  EXPECT_EQ(check.threshold_e4(), 10000);
  EXPECT_EQ(check.amount_e4(), 30000);

  const v1::RateStep& rate = rubric.lines(2).clauses(0).rate_step();
  EXPECT_EQ(rate.target_percent_e4(), 950000);
  EXPECT_EQ(rate.step_percent_e4(), 5000);
  EXPECT_TRUE(rate.above());
  EXPECT_EQ(rate.step_rounding(), v1::STEP_ROUNDING_PRO_RATA);
  EXPECT_EQ(rate.when_empty(), v1::WHEN_EMPTY_NOT_APPLICABLE);

  EXPECT_EQ(rubric.lines(3).clauses(0).judged().max_e4(), 100000);
  EXPECT_EQ(rubric.lines(3).clauses(0).judged().step_e4(), 5000);
}

// The forms beside those of kRubric, each with everything that it may have.
constexpr char kForms[] = R"(rubric: forms
version: "1"
title: 示例
year: 2024
subject: village
classes:
  - {name: 社区, areas: ["421221106200"]}
  - {name: 农村}
tiers: [{name: 合格, from: 0}]
gates:
  - form: G03
    id: V1
    what: 进京上访
    when: {measure: count(disputes), at_least: 1}
    unless: {none: [{measure: count(educationEvents)}]}
    at_most: 合格
    basis: 依据
    certified_by: 镇综治中心
lines:
  - id: "1"
    title: 题
    max: 10
    basis: 依据
    zero_when:
      - {requirement: 被通报, measure: count(disputes), more_than: 3}
    clauses:
      - form: L01
        requirement: 配备符合要求
        amount: 4
        when_empty: zero
        all:
          - {requirement: 甲, measure: count(disputes), at_least: 1}
          - any:
              - {measure: count(disputes), less_than: 5}
              - {measure: count(disputes) / count(disputes), equal: 50%}
      - form: L02
        what: 功能室
        unit: 个
        per_missing: 0.25
        parts:
          - {name: 调解室, measure: count(disputes)}
          - name: 档案室
            any: [{measure: count(disputes)}]
            not_applicable: {measure: count(disputes), equal: 0}
      - {form: L04, what: 被撤销, unit: 件, measure: count(disputes), per: 1, same: category, cap: 3}
      - form: L05
        what: 走访
        class_rule: highest
        classes: [{name: 到县, measure: count(disputes), per: 0.5}]
      - form: L07
        what: 覆盖率
        unit: "%"
        at_least: 80
        amount: 5
        when_empty: full
        by_class: [{class: 农村, value: 70%}]
        each: [{what: 甲率, measure: count(disputes) / count(disputes)}]
      - form: L08
        what: 占比
        measure: count(disputes)
        cumulative: true
        tiers: [{over: 6%, to: 7, amount: 3}, {over: 7, under: 9, amount: 0}, {from: 9, amount: 6}]
      - form: L08
        what: 公示
        states: [{name: 无, measure: count(disputes), equal: 0, amount: 5}]
      - form: L16
        what: 回复
        measure: count(disputes)
        start: found_date
        within: 3
        within_unit: working_day
        done: concluded_date
        reminder: accepted_date
        grace: 1
        flat: 0.5
        per_late: 0.1
        late_unit: day
        late_rounding: completed
        not_done: 0
      - {form: L19, what: 表彰, unit: 项, levels: [{name: 市级, measure: count(disputes), per: 8}]}
)";

TEST(RubricYaml, CompilesTheOtherForms) {
  const CompiledRubric compiled = CompileRubric(kForms);
  ASSERT_TRUE(compiled.rubric.has_value())
      << Places(compiled) << (compiled.findings.empty() ? "" : compiled.findings[0].message());
  const v1::Rubric& rubric = *compiled.rubric;
  EXPECT_EQ(rubric.classes(0).areas(0), "421221106200");
  EXPECT_EQ(rubric.gates(0).effect(), v1::GATE_EFFECT_NO_AWARD);
  EXPECT_EQ(rubric.gates(0).unless().none_size(), 1);
  EXPECT_EQ(rubric.lines(0).zero_when(0).comparison(), v1::COMPARISON_MORE_THAN);

  const v1::Line& line = rubric.lines(0);
  const v1::Check& check = line.clauses(0).check();
  EXPECT_EQ(check.all(1).any(1).threshold_e4(), 500000);
  EXPECT_EQ(line.clauses(0).when_empty(), v1::WHEN_EMPTY_ZERO);
  const v1::Checklist& list = line.clauses(1).checklist();
  EXPECT_EQ(list.per_missing_e4(), 2500);
  EXPECT_TRUE(list.parts(1).has_not_applicable());
  EXPECT_EQ(list.parts(1).not_applicable().comparison(), v1::COMPARISON_EQUAL);
  EXPECT_EQ(line.clauses(2).same(), "category");
  EXPECT_EQ(line.clauses(3).incident_table().class_rule(), v1::CLASS_RULE_HIGHEST);
  EXPECT_EQ(line.clauses(4).threshold().by_class(0).value_e4(), 700000);
  const v1::Tiered& tiered = line.clauses(5).tiered();
  EXPECT_EQ(tiered.tiers(0).over_e4(), 60000);
  EXPECT_FALSE(tiered.tiers(0).has_from_e4());
  EXPECT_TRUE(tiered.tiers(1).has_amount_e4());
  EXPECT_EQ(line.clauses(6).tiered().states(0).amount_e4(), 50000);
  const v1::Lateness& lateness = line.clauses(7).lateness();
  EXPECT_EQ(lateness.within_unit(), v1::DELAY_UNIT_WORKING_DAY);
  EXPECT_EQ(lateness.late_rounding(), v1::STEP_ROUNDING_COMPLETED);
  EXPECT_TRUE(lateness.has_not_done_e4());
  EXPECT_EQ(line.clauses(8).honour().levels(0).per_e4(), 80000);
}

// Far down, inside two lists and a flow map: still told where it stands.
TEST(RubricYaml, WhatIsWrongDeepInsideIsPlaced) {
  const auto in_forms = [](absl::string_view from, absl::string_view to) {
    const std::string changed = absl::StrReplaceAll(kForms, {{from, to}});
    EXPECT_NE(changed, kForms);
    return CompileRubric(changed);
  };
  EXPECT_EQ(Places(in_forms("per: 0.5}", "per: 半分}")), "49:61 VALUE_INVALID");
  EXPECT_EQ(Places(in_forms("class_rule: highest", "class_rule: high")), "48:21 VALUE_INVALID");
  EXPECT_EQ(Places(in_forms("{measure: count(disputes), less_than: 5}",
                            "{measure: count(disputes), lessthan: 5}")),
            "34:44 KEY_UNKNOWN");
  EXPECT_EQ(Places(in_forms("amount: 0}", "amounts: 0}")), "62:47 KEY_MISSING, 62:67 KEY_UNKNOWN");
  EXPECT_EQ(Places(in_forms("cumulative: true", "cumulative: maybe")), "61:21 VALUE_INVALID");
  EXPECT_EQ(Places(in_forms("at_most: 合格", "at_most: 合格\n    form: G03")),
            "17:5 KEY_DUPLICATE");
  EXPECT_EQ(Places(in_forms("form: G03", "form: G09")), "11:11 VALUE_INVALID");
  EXPECT_EQ(Places(in_forms("        at_least: 80\n", "")), "50:9 KEY_MISSING");
  EXPECT_EQ(Places(in_forms("areas: [\"421221106200\"]", "areas: [42122]")), "7:24 VALUE_INVALID");
}

// An amount is points, not a percentage.
TEST(RubricYaml, PercentSignsStandOnlyWhereAValueIsCompared) {
  EXPECT_THAT(MessageFor(With("amount: 3", "amount: 3%")), HasSubstr("amount 应为数字"));
}

// Conditions nest: an alias that holds itself would never end.
TEST(RubricYaml, ConditionsThatHoldThemselvesAreRefused) {
  EXPECT_FALSE(CompileRubric(
                   absl::StrReplaceAll(
                       kForms, {{"          - any:\n",
                                 "          - &a\n            all: [*a, *a]\n            any:\n"}}))
                   .rubric.has_value());
}

// A01: nothing but the sum.
TEST(RubricYaml, TotalIsTheSumOfTheMaxima) {
  EXPECT_EQ(CompileRubric(kRubric).rubric->total_e4(), 482500);
}

TEST(RubricYaml, SampleFileCompilesToAHundredPoints) {
  std::ifstream file("deploy/sample/jiayu-2024/rubric-village-2024.yaml");
  std::stringstream text;
  text << file.rdbuf();
  const CompiledRubric compiled = CompileRubric(text.str());
  ASSERT_TRUE(compiled.rubric.has_value())
      << Places(compiled) << (compiled.findings.empty() ? "" : compiled.findings[0].message());
  EXPECT_EQ(compiled.rubric->total_e4(), 1000000);
  int judged = 0;
  for (const v1::Line& line : compiled.rubric->lines()) judged += line.clauses(0).has_judged();
  EXPECT_EQ(judged, 4);  // as the head of the file says
}

// Binary floating point would make 0.1 + 0.2 of it.
TEST(RubricYaml, NumbersAreExact) {
  const CompiledRubric compiled = CompileRubric(With("per_missing: 2.5", "per_missing: 0.0003"));
  EXPECT_EQ(compiled.rubric->lines(0).clauses(0).shortfall().per_missing_e4(), 3);
}

TEST(RubricYaml, UnquotedVersionsAreTakenAsWritten) {
  EXPECT_EQ(CompileRubric(With("\"2024.1\"", "2024.10")).rubric->version(), "2024.10");
}

TEST(RubricYaml, UnknownKeysAreRefusedWithASuggestion) {
  const CompiledRubric compiled = CompileRubric(With("required: 4", "requierd: 4"));
  EXPECT_EQ(Places(compiled), "17:9 KEY_MISSING, 20:9 KEY_UNKNOWN");
  EXPECT_THAT(compiled.findings[1].message(), HasSubstr("“requierd”"));
  EXPECT_THAT(compiled.findings[1].message(), HasSubstr("是否指 required"));
}

// A key of another form is as unknown as any.
TEST(RubricYaml, KeysOfAnotherFormAreRefused) {
  EXPECT_THAT(MessageFor(With("unit: 场", "target: 95")), HasSubstr("没有名为 “target” 的键"));
}

TEST(RubricYaml, DuplicateKeysAreRefused) {
  EXPECT_EQ(Places(CompileRubric(With("year: 2024", "year: 2024\nyear: 2025"))),
            "5:1 KEY_DUPLICATE");
}

TEST(RubricYaml, MissingKeysAreNamedAtTheirMap) {
  const CompiledRubric compiled = CompileRubric(With("    title: 场次\n", ""));
  EXPECT_EQ(Places(compiled), "11:5 KEY_MISSING");
  EXPECT_EQ(compiled.findings[0].message(), "缺少 title");
  EXPECT_EQ(compiled.findings[0].path(), "lines[0].title");
}

TEST(RubricYaml, EmptyValuesAreRefusedWhereTheyStand) {
  EXPECT_EQ(Places(CompileRubric(With("title: 示例", "title:"))), "3:1 VALUE_EMPTY");
}

TEST(RubricYaml, NumbersThatAreNoneAreRefused) {
  const CompiledRubric compiled = CompileRubric(With("max: 15", "max: 十五"));
  EXPECT_EQ(Places(compiled), "13:10 VALUE_INVALID");
  EXPECT_THAT(compiled.findings[0].message(), HasSubstr("“十五”"));
  EXPECT_THAT(MessageFor(With("max: 15", "max: 1.23456")), HasSubstr("最多四位小数"));
  EXPECT_THAT(MessageFor(With("max: 15", "max: -1")), HasSubstr("应大于 0"));
  EXPECT_THAT(MessageFor(With("max: 15", "max: 1000001")), HasSubstr("不能大于 1000000"));
  EXPECT_THAT(MessageFor(With("required: 4", "required: 1.5")), HasSubstr("整数"));
}

// The library counts bytes; people count characters.
TEST(RubricYaml, ColumnsAreCountedInCharacters) {
  EXPECT_EQ(Places(CompileRubric(With("- {name: 优秀, from: 90}", "- {name: 优秀, form: 90}"))),
            "8:5 KEY_MISSING, 8:16 KEY_UNKNOWN");
}

// 每季度1次 and 全年4次 are different requirements.
TEST(RubricYaml, WindowMustBeSaid) {
  EXPECT_EQ(MessageFor(With("        window: quarter\n", "")), "缺少 window");
}

TEST(RubricYaml, WordsOutsideAChoiceAreRefusedWithTheList) {
  EXPECT_THAT(MessageFor(With("window: quarter", "window: quater")),
              HasSubstr("是否指 quarter；可选：year、half_year、quarter、month"));
}

TEST(RubricYaml, UnknownFormsAreRefusedWithTheList) {
  const std::string message = MessageFor(With("form: L03", "form: L99"));
  EXPECT_THAT(message, HasSubstr("“L99”"));
  EXPECT_THAT(message, HasSubstr("L01（一项条件）、L02"));
}

// The codes are a remark for people; what is done stands in groups, whole and ranking.
TEST(RubricYaml, CodesOfAggregationAndOutcomeAreOnesThatExist) {
  EXPECT_TRUE(CompileRubric(absl::StrCat(kRubric, "aggregation: A01、A05\noutcome: O01, O02\n"))
                  .rubric.has_value());
  EXPECT_THAT(MessageFor(absl::StrCat(kRubric, "aggregation: A06\n")), HasSubstr("A01 至 A05"));
  EXPECT_THAT(MessageFor(absl::StrCat(kRubric, "outcome: O07\n")), HasSubstr("O01 至 O06"));
}

TEST(RubricYaml, OneComparisonIsNeeded) {
  EXPECT_THAT(MessageFor(With("        at_least: 1\n", "")), HasSubstr("缺少比较条件"));
  EXPECT_THAT(MessageFor(With("at_least: 1", "at_least: 1\n        at_most: 2")),
              HasSubstr("只能写一个"));
}

TEST(RubricYaml, LineIdsAreUniqueAndPlain) {
  const CompiledRubric twice = CompileRubric(With("id: \"2.2\"", "id: \"1.1\""));
  EXPECT_EQ(Places(twice), "51:9 ID_DUPLICATE");
  EXPECT_THAT(MessageFor(With("id: \"2.2\"", "id: '1\" OR 1'")), HasSubstr("只能用字母"));
}

// What the contract limits is refused here, at its place.
TEST(RubricYaml, RulesOfTheMessageHold) {
  const CompiledRubric compiled = CompileRubric(With("per_missing: 2.5", "per_missing: 0"));
  EXPECT_EQ(Places(compiled), "22:22 VALUE_INVALID");
  EXPECT_EQ(compiled.findings[0].path(), "lines[0].clauses[0].shortfall.per_missing_e4");
}

TEST(RubricYaml, BrokenYamlIsToldInChineseWithItsLine) {
  EXPECT_EQ(Places(CompileRubric("rubric: [a\nversion: 1\n")), "2:8 YAML_SYNTAX");
  EXPECT_THAT(MessageFor("rubric: a\n\ttitle: b\n"), HasSubstr("YAML 格式有误"));
  EXPECT_THAT(MessageFor("rubric: a\nversion：1\ntitle: b\n"), HasSubstr("全角冒号"));
}

TEST(RubricYaml, WhatIsNoMapIsRefused) {
  EXPECT_EQ(MessageFor(""), "文件是空的");
  EXPECT_THAT(MessageFor("- a\n"), HasSubstr("键: 值"));
  EXPECT_THAT(MessageFor("a: 1\n---\nb: 2\n"), HasSubstr("只能有一份内容"));
  EXPECT_THAT(MessageFor(With("    evidence: [照片, 签到表]", "    evidence: 照片")),
              HasSubstr("evidence 应为列表"));
  EXPECT_THAT(MessageFor(With("title: 场次", "title: [场次]")), HasSubstr("title 应为一个值"));
  EXPECT_THAT(MessageFor(std::string("rubric: a\0b", 11)), HasSubstr("空字符"));
}

// Deep nesting, self-reference and a bomb of aliases end as findings.
TEST(RubricYaml, HostileSourcesAreRefused) {
  EXPECT_FALSE(CompileRubric(std::string(100000, '[')).rubric.has_value());
  EXPECT_FALSE(CompileRubric("&a {rubric: *a, lines: [*a, *a]}").rubric.has_value());
  EXPECT_THAT(MessageFor(std::string(400001, 'a')), HasSubstr("不能超过"));
  std::string many = "lines:\n";
  for (int i = 0; i < 20000; ++i) absl::StrAppend(&many, "  - {x: 1}\n");
  EXPECT_THAT(CompileRubric(many).findings, SizeIs(::testing::Le(200U)));
}

TEST(RubricYaml, FindingsOfOthersArePlacedByPath) {
  const CompiledRubric compiled = CompileRubric(kRubric);
  std::vector<v1::Finding> findings(3);
  findings[0].set_path("lines[0].clauses[0].shortfall.measure");
  findings[1].set_path("lines[0].clauses[0].cap_e4.what");
  findings[2].set_path("tiers[1].from_e4");
  PlaceFindings(compiled.places, findings);
  EXPECT_EQ(findings[0].yaml_line(), 19);
  EXPECT_EQ(findings[0].yaml_column(), 18);
  EXPECT_EQ(findings[1].yaml_line(), 25);
  EXPECT_EQ(findings[2].yaml_line(), 9);
}

}  // namespace
}  // namespace fadu::assessment
