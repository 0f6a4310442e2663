#include "services/assessment/domain/rubric_diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "services/assessment/domain/rubric_yaml.h"

namespace fadu::assessment {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kRubric[] = R"(rubric: jiayu
version: 1
title: 村级考核细则
year: 2024
subject: village
tiers:
  - {name: 优秀, from: 90}
  - {name: 合格, from: 0}
lines:
  - id: "1"
    title: 法治宣传
    basis: 细则第一条
    max: 10
    clauses:
      - {form: L03, what: 活动, unit: 场, measure: count(educationEvents), required: 4, per_missing: 2.5}
      - {form: L01, measure: count(disputes), amount: 1, requirement: 开展调解}
  - id: "2"
    title: 矛盾纠纷
    basis: 细则第二条
    max: 5
    clauses:
      - {form: L04, what: 未调解, unit: 起, measure: count(disputes), per: 0.5}
)";

v1::Rubric With(absl::string_view from, absl::string_view to) {
  const std::string source = absl::StrReplaceAll(kRubric, {{from, to}});
  const CompiledRubric compiled = CompileRubric(source);
  EXPECT_TRUE(compiled.rubric.has_value()) << source;
  return compiled.rubric.value_or(v1::Rubric());
}

// "~ 1/0 required: 4 -> 6"
std::string Shown(const RubricChange& change) {
  const char* sign = change.kind == RubricChange::Kind::kAdded     ? "+"
                     : change.kind == RubricChange::Kind::kRemoved ? "-"
                                                                   : "~";
  return absl::StrCat(sign, " ", change.line,
                      change.clause < 0 ? "" : absl::StrCat("/", change.clause), " ", change.key,
                      ": ", change.before, " -> ", change.after);
}

std::vector<std::string> Diff(const v1::Rubric& before, const v1::Rubric& after) {
  std::vector<std::string> shown;
  for (const RubricChange& change : DiffRubrics(before, after)) shown.push_back(Shown(change));
  return shown;
}

TEST(RubricDiff, OfARubricWithItselfIsEmpty) {
  EXPECT_THAT(Diff(With("", ""), With("", "")), ElementsAre());
}

TEST(RubricDiff, NamesTheKeyOfAClauseAsItIsWritten) {
  EXPECT_THAT(Diff(With("", ""), With("per_missing: 2.5", "per_missing: 2")),
              ElementsAre("~ 1/0 per_missing: 2.5 -> 2"));
}

TEST(RubricDiff, TellsAClauseOfAnotherFormAsAWhole) {
  const auto changes = DiffRubrics(
      With("", ""), With("{form: L04, what: 未调解, unit: 起, measure: count(disputes), per: 0.5}",
                         "{form: L10, what: 化解, unit: 起, measure: count(disputes), per: 0.5}"));
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].line, "2");
  EXPECT_EQ(changes[0].clause, 0);
  EXPECT_THAT(changes[0].before, HasSubstr("incident: {"));
  EXPECT_THAT(changes[0].after, HasSubstr("earn_each: {"));
}

TEST(RubricDiff, TellsTiersByName) {
  EXPECT_THAT(Diff(With("", ""), With("{name: 优秀, from: 90}", "{name: 优秀, from: 85}")),
              ElementsAre("~  tiers[优秀].from: 90 -> 85"));
  EXPECT_THAT(Diff(With("", ""), With("  - {name: 合格, from: 0}\n",
                                      "  - {name: 良好, from: 80}\n  - {name: 合格, from: 0}\n")),
              ElementsAre("+  tiers[良好]:  -> {name: 良好, from: 80}"));
}

TEST(RubricDiff, TellsLinesByIdWhereverTheyStand) {
  const v1::Rubric renamed = With("id: \"2\"", "id: \"3\"");
  const auto changes = DiffRubrics(With("", ""), renamed);
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].kind, RubricChange::Kind::kRemoved);
  EXPECT_EQ(changes[0].line, "2");
  EXPECT_EQ(changes[1].kind, RubricChange::Kind::kAdded);
  EXPECT_EQ(changes[1].line, "3");
}

TEST(RubricDiff, TellsAClauseThatIsGone) {
  const v1::Rubric fewer =
      With("      - {form: L01, measure: count(disputes), amount: 1, requirement: 开展调解}\n", "");
  const auto changes = DiffRubrics(With("", ""), fewer);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].kind, RubricChange::Kind::kRemoved);
  EXPECT_EQ(changes[0].clause, 1);
}

}  // namespace
}  // namespace fadu::assessment
