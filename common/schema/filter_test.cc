#include "common/schema/filter.h"

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/testing/status_matchers.h"
#include "fadu/fixture/v1/fixture.pb.h"

namespace fadu {
namespace {

using fadu::fixture::v1::Widget;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const RecordType& Widgets() {
  static const RecordType* const type = RecordType::FromDescriptor(Widget::descriptor())->release();
  return *type;
}

// Red, with stripes of red only, weight 7, 1.5 yuan, never sold.
Widget Chair() {
  Widget widget;
  widget.set_area_code("421221106200");
  widget.set_made_date("2024-03-15");
  widget.set_title("木椅");
  widget.set_colour(fadu::fixture::v1::COLOUR_RED);
  widget.add_stripes(fadu::fixture::v1::COLOUR_RED);
  widget.set_weight(7);
  widget.set_price_e4(15000);
  return widget;
}

absl::StatusOr<FilterNode> Parse(absl::string_view text, FilterUse use = FilterUse::kList) {
  return ParseFilter(text, Widgets(), use);
}

// Does the filter parse and hold for the widget?
bool Holds(absl::string_view text, const Widget& widget = Chair()) {
  const absl::StatusOr<FilterNode> filter = Parse(text);
  EXPECT_THAT(filter, IsOk()) << text << ": "
                              << (filter.ok() ? "" : DetailOf(filter.status()).metadata["problem"]);
  return filter.ok() && Matches(*filter, Widgets(), widget);
}

std::string ProblemOf(absl::string_view text, FilterUse use = FilterUse::kList) {
  const absl::Status status = Parse(text, use).status();
  EXPECT_THAT(status, HasReason("REASON_FILTER_INVALID")) << text;
  return DetailOf(status).metadata["problem"];
}

std::string PositionOf(absl::string_view text) {
  const absl::Status status = Parse(text).status();
  EXPECT_THAT(status, HasReason("REASON_FILTER_INVALID")) << text;
  return DetailOf(status).metadata["position"];
}

// ---- grammar -----------------------------------------------------------------------------------

TEST(Filter, EmptyTextIsEverything) {
  for (const char* text : {"", "   ", "\t\r\n"}) {
    const absl::StatusOr<FilterNode> filter = Parse(text);
    ASSERT_THAT(filter, IsOk());
    EXPECT_EQ(filter->type, FilterNode::Type::kAnd);
    EXPECT_THAT(filter->children, IsEmpty());
    EXPECT_TRUE(Matches(*filter, Widgets(), Chair()));
  }
}

TEST(Filter, ReadsOneComparison) {
  const absl::StatusOr<FilterNode> filter = Parse("weight >= 5");
  ASSERT_THAT(filter, IsOk());
  EXPECT_EQ(filter->type, FilterNode::Type::kCompare);
  EXPECT_EQ(filter->field, Widgets().FindField("weight"));
  EXPECT_EQ(filter->op, CompareOp::kGe);
  EXPECT_EQ(filter->value, (Value{ValueKind::kInt, "", 5}));
}

TEST(Filter, NeedsNoSpacesAroundOperators) {
  EXPECT_TRUE(Holds("weight>=7 AND weight<8 AND(weight!=9)"));
}

// AIP-160: a OR b AND c is (a OR b) AND c.
TEST(Filter, BindsOrTighterThanAnd) {
  EXPECT_FALSE(Holds("weight = 7 OR weight = 8 AND broken = true"));
  EXPECT_TRUE(Holds("weight = 7 OR (weight = 8 AND broken = true)"));
}

TEST(Filter, BuildsTheTreeOfItsGrammar) {
  const absl::StatusOr<FilterNode> filter =
      Parse("weight = 1 AND weight = 2 OR NOT weight = 3 AND weight = 4");
  ASSERT_THAT(filter, IsOk());
  EXPECT_EQ(filter->type, FilterNode::Type::kAnd);
  ASSERT_THAT(filter->children, SizeIs(3));
  EXPECT_EQ(filter->children[1].type, FilterNode::Type::kOr);
  ASSERT_THAT(filter->children[1].children, SizeIs(2));
  EXPECT_EQ(filter->children[1].children[1].type, FilterNode::Type::kNot);
}

TEST(Filter, NegatesWithNotAndWithMinus) {
  EXPECT_FALSE(Holds("NOT weight = 7"));
  EXPECT_FALSE(Holds("-weight = 7"));
  EXPECT_TRUE(Holds("NOT (weight = 7 AND broken = true)"));
  EXPECT_TRUE(Holds("-(weight = 8)"));
}

TEST(Filter, KnowsKeywordsInUpperCaseOnly) {
  EXPECT_THAT(ProblemOf("weight = 7 and weight = 8"), HasSubstr("AND 或 OR"));
  EXPECT_THAT(ProblemOf("not weight = 7"), HasSubstr("没有可用的字段 not"));
}

TEST(Filter, WantsAConnectionBetweenConditions) {
  EXPECT_THAT(ProblemOf("weight = 7 broken = true"), HasSubstr("AND 或 OR"));
}

TEST(Filter, RefusesWhatIsNotFinished) {
  for (const char* text : {"weight", "weight =", "weight = 7 AND", "weight = 7 OR", "NOT", "-", "(",
                           "()", "(weight = 7", "weight = 7)", "AND", "= 7", "weight = = 7",
                           "weight ! 7", "NOT NOT weight = 7", "title = \"a", "title = 'a\""}) {
    EXPECT_THAT(ProblemOf(text), ::testing::Not(IsEmpty())) << text;
  }
}

// ---- values ------------------------------------------------------------------------------------

TEST(FilterValue, OfATextMayBeABareWord) {
  EXPECT_TRUE(Holds("title = 木椅"));
  EXPECT_FALSE(Holds("title = 木桌"));
  Widget widget;
  widget.set_title("A-1_b.2");
  EXPECT_TRUE(Holds("title = A-1_b.2", widget));
}

TEST(FilterValue, OfATextIsQuotedWhenItHoldsSpacesOrPunctuation) {
  Widget widget;
  widget.set_title("木 椅，红（大）");
  EXPECT_TRUE(Holds("title = \"木 椅，红（大）\"", widget));
  EXPECT_TRUE(Holds("title = '木 椅，红（大）'", widget));
  EXPECT_THAT(ProblemOf("title = 木椅，红"), HasSubstr("加引号"));
  EXPECT_THAT(ProblemOf("title = é"), HasSubstr("加引号"));
}

TEST(FilterValue, OfATextKeepsEscapedQuotesAndBackslashes) {
  Widget widget;
  widget.set_title(R"(a"b\c'd)");
  EXPECT_TRUE(Holds(R"(title = "a\"b\\c'd")", widget));
  EXPECT_TRUE(Holds(R"(title = 'a"b\\c\'d')", widget));
}

TEST(FilterValue, ThatIsAKeywordIsQuoted) {
  Widget widget;
  widget.set_title("AND");
  EXPECT_TRUE(Holds("title = \"AND\"", widget));
  EXPECT_THAT(ProblemOf("title = AND"), HasSubstr("加引号"));
}

TEST(FilterValue, OfACodeMayBeCodeFullNameOrLabel) {
  for (const char* text :
       {"colour = RED", "colour = COLOUR_RED", "colour = 红", "colour = \"红\""}) {
    const absl::StatusOr<FilterNode> filter = Parse(text);
    ASSERT_THAT(filter, IsOk()) << text;
    EXPECT_EQ(filter->value, (Value{ValueKind::kCode, "RED", 0})) << text;
  }
}

TEST(FilterValue, OfACodeIsOneOfTheVocabulary) {
  for (const char* text : {"colour = GREEN", "colour = red", "colour = UNSPECIFIED",
                           "colour = COLOUR_UNSPECIFIED", "colour = \"\"", "stripes:绿"}) {
    EXPECT_THAT(ProblemOf(text), HasSubstr("可用：RED（红）、BLUE（蓝）")) << text;
  }
}

TEST(FilterValue, OfANumberMayBeNegative) {
  Widget widget;
  widget.set_weight(-5);
  EXPECT_TRUE(Holds("weight = -5", widget));
  EXPECT_TRUE(Holds("weight<-4", widget));
}

TEST(FilterValue, OfAnIntegerIsAnIntegerOf64Bits) {
  EXPECT_FALSE(Holds("weight = 9223372036854775807"));
  for (const char* text : {"weight = 1.5", "weight = x", "weight = 9223372036854775808",
                           "weight = 1e3", "weight = \"\""}) {
    EXPECT_THAT(ProblemOf(text), HasSubstr("weight 是整数")) << text;
  }
}

// price_e4 holds 1/10,000; people write what they mean.
TEST(FilterValue, OfPointsIsADecimal) {
  const absl::StatusOr<FilterNode> filter = Parse("price_e4 = 1.5");
  ASSERT_THAT(filter, IsOk());
  EXPECT_EQ(filter->value, (Value{ValueKind::kPoints, "", 15000}));
  EXPECT_TRUE(Holds("price_e4 = 1.5"));
  EXPECT_FALSE(Holds("price_e4 = 15000"));
  EXPECT_THAT(ProblemOf("price_e4 = 1.00001"), HasSubstr("四位小数"));
}

TEST(FilterValue, OfABooleanIsTrueOrFalse) {
  EXPECT_TRUE(Holds("broken = false"));
  EXPECT_TRUE(Holds("broken != true"));
  for (const char* text : {"broken = 1", "broken = TRUE", "broken = 是"}) {
    EXPECT_THAT(ProblemOf(text), HasSubstr("true 或 false")) << text;
  }
}

TEST(FilterValue, OfADateIsADayThatExists) {
  EXPECT_TRUE(Holds("made_date = 2024-03-15"));
  EXPECT_TRUE(Holds("made_date = \"2024-03-15\""));
  for (const char* text : {"made_date = 2024-02-30", "made_date = 2024", "made_date = 今天"}) {
    EXPECT_THAT(ProblemOf(text), HasSubstr("2024-03-15")) << text;
  }
}

// ---- operators ---------------------------------------------------------------------------------

TEST(FilterOperator, ComparesInEveryWay) {
  const std::pair<const char*, bool> cases[] = {
      {"weight = 7", true},  {"weight = 8", false}, {"weight != 7", false}, {"weight != 8", true},
      {"weight < 7", false}, {"weight < 8", true},  {"weight <= 6", false}, {"weight <= 7", true},
      {"weight > 7", false}, {"weight > 6", true},  {"weight >= 8", false}, {"weight >= 7", true},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(Holds(text), expected) << text;
}

TEST(FilterOperator, OrdersDaysByTime) {
  EXPECT_TRUE(Holds("made_date >= 2024-03-15 AND made_date < 2024-10-01"));
  EXPECT_FALSE(Holds("made_date > 2024-03-15"));
}

// COLLATE "C": by bytes, so upper case stands before lower case.
TEST(FilterOperator, OrdersTextsByBytes) {
  Widget widget;
  widget.set_title("Zeta");
  EXPECT_TRUE(Holds("title < alpha", widget));
  EXPECT_TRUE(Holds("title < 木", widget));
}

TEST(FilterOperator, OrdersNoCodesAndNoBooleans) {
  for (const char* op : {"<", "<=", ">", ">="}) {
    EXPECT_THAT(ProblemOf(absl::StrCat("colour ", op, " RED")), HasSubstr("只能用 = 或 !="));
    EXPECT_THAT(ProblemOf(absl::StrCat("broken ", op, " true")), HasSubstr("只能用 = 或 !="));
  }
}

TEST(FilterOperator, ColonAsksWhetherARepeatedFieldHasAnItem) {
  EXPECT_TRUE(Holds("stripes:RED"));
  EXPECT_FALSE(Holds("stripes : 蓝"));
}

TEST(FilterOperator, ColonIsTheOnlyOneForRepeatedFields) {
  for (const char* op : {"=", "!=", "<", "<=", ">", ">="}) {
    EXPECT_THAT(ProblemOf(absl::StrCat("stripes ", op, " RED")), HasSubstr("请用 :"));
  }
}

TEST(FilterOperator, ColonIsNotForSingularFields) {
  EXPECT_THAT(ProblemOf("title:木"), HasSubstr("请用 ="));
}

TEST(FilterOperator, ColonStarAsksWhetherThereIsAValue) {
  EXPECT_TRUE(Holds("title:*"));
  EXPECT_TRUE(Holds("stripes:*"));
  EXPECT_FALSE(Holds("sold_date:*"));
  EXPECT_FALSE(Holds("stripes:*", Widget()));
  EXPECT_TRUE(Holds("weight:*", Widget()));
}

TEST(FilterOperator, StarStandsAfterColonOnly) {
  EXPECT_THAT(ProblemOf("title = *"), HasSubstr("缺少比较值"));
}

// ---- absent values -----------------------------------------------------------------------------

TEST(FilterLogic, ComparingAnAbsentValueIsFalse) {
  for (const char* op : {"=", "<", "<=", ">", ">="}) {
    EXPECT_FALSE(Holds(absl::StrCat("sold_date ", op, " 2024-01-01"))) << op;
  }
  EXPECT_FALSE(Holds("title = \"\"", Widget()));
}

// SQL: IS DISTINCT FROM.
TEST(FilterLogic, AnAbsentValueIsUnequalToAll) {
  EXPECT_TRUE(Holds("sold_date != 2024-01-01"));
  EXPECT_TRUE(Holds("colour != RED", Widget()));
}

// Two values, not three: NOT of a false comparison is true, absent or not.
TEST(FilterLogic, NotIsPlainNegation) {
  EXPECT_TRUE(Holds("NOT sold_date = 2024-01-01"));
  EXPECT_TRUE(Holds("NOT sold_date > 2024-01-01"));
  EXPECT_FALSE(Holds("NOT sold_date != 2024-01-01"));
  EXPECT_TRUE(Holds("NOT stripes:BLUE"));
  EXPECT_TRUE(Holds("NOT stripes:RED", Widget()));
}

// Text and its truth are made together, with the rule that OR binds tighter.
class Expressions {
 public:
  explicit Expressions(unsigned seed) : random_(seed) {}

  std::pair<std::string, bool> Filter(int depth) {
    auto [text, truth] = Factor(depth);
    for (int i = Below(3); i > 0; --i) {
      const auto [more, also] = Factor(depth);
      absl::StrAppend(&text, " AND ", more);
      truth = truth && also;
    }
    return {text, truth};
  }

 private:
  std::pair<std::string, bool> Factor(int depth) {
    auto [text, truth] = Term(depth);
    for (int i = Below(3); i > 0; --i) {
      const auto [more, also] = Term(depth);
      absl::StrAppend(&text, " OR ", more);
      truth = truth || also;
    }
    return {text, truth};
  }

  std::pair<std::string, bool> Term(int depth) {
    static const std::pair<const char*, bool> kAtoms[] = {
        {"weight = 7", true},
        {"weight = 8", false},
        {"title = 木椅", true},
        {"stripes:BLUE", false},
        {"sold_date != 2024-01-01", true},
        {"sold_date:*", false},
        {"price_e4 <= 1.5", true},
        {"broken = true", false},
        {"colour != 蓝", true},
        {"made_date > 2024-03-15", false},
    };
    std::string text;
    bool truth = false;
    if (depth > 0 && Below(3) == 0) {
      const auto [inner, value] = Filter(depth - 1);
      text = absl::StrCat("(", inner, ")");
      truth = value;
    } else {
      const auto& atom = kAtoms[Below(10)];
      text = atom.first;
      truth = atom.second;
    }
    if (Below(3) == 0) return {absl::StrCat(Below(2) == 0 ? "NOT " : "-", text), !truth};
    return {text, truth};
  }

  int Below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }

  std::mt19937 random_;
};

TEST(FilterLogic, AgreesWithExpressionsWhoseTruthIsKnown) {
  Expressions expressions(20260101);
  const Widget chair = Chair();
  int checked = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto [text, truth] = expressions.Filter(3);
    const absl::StatusOr<FilterNode> filter = Parse(text);
    // The largest ones leave the limits of length and terms.
    if (!filter.ok()) continue;
    ++checked;
    ASSERT_EQ(Matches(*filter, Widgets(), chair), truth) << text;
  }
  EXPECT_GT(checked, 2500);
}

// ---- fields ------------------------------------------------------------------------------------

TEST(FilterField, ThatIsUnknownIsAnsweredWithThoseThatAreThere) {
  const std::string problem = ProblemOf("colur = RED");
  EXPECT_THAT(problem, HasSubstr("colur"));
  EXPECT_THAT(problem, HasSubstr("colour、stripes"));
  EXPECT_THAT(problem, HasSubstr("people.phone"));
}

TEST(FilterField, OfAListHasTheFilterOption) {
  EXPECT_THAT(Parse("title = x"), IsOk());
  EXPECT_THAT(ProblemOf("remark = x"), HasSubstr("没有可用的字段 remark"));
}

TEST(FilterField, OfAMeasureHasTheMeasureOption) {
  EXPECT_THAT(Parse("weight = 7", FilterUse::kMeasure), IsOk());
  EXPECT_THAT(ProblemOf("title = x", FilterUse::kMeasure), HasSubstr("没有可用的字段 title"));
}

TEST(FilterField, ThatIsSealedIsNeverCompared) {
  EXPECT_THAT(ProblemOf("id_number = 1"), HasSubstr("没有可用的字段"));
  EXPECT_THAT(ProblemOf("people = 1"), HasSubstr("没有可用的字段"));
  EXPECT_THAT(ProblemOf("people.name = 张三"), HasSubstr("没有可用的字段"));
}

TEST(FilterBlind, IsAnEqualityOnTheClearText) {
  const absl::StatusOr<FilterNode> filter = Parse("weight = 7 AND people.phone = 13812345678");
  ASSERT_THAT(filter, IsOk());
  const FilterNode& blind = filter->children[1];
  EXPECT_EQ(blind.type, FilterNode::Type::kBlind);
  EXPECT_EQ(blind.blind, &Widgets().blind_indexes()[0]);
  EXPECT_EQ(blind.value.text, "13812345678");
}

TEST(FilterBlind, HasNoOtherComparison) {
  for (const char* text :
       {"people.phone != 1", "people.phone < 1", "people.phone:1", "people.phone:*"}) {
    EXPECT_THAT(ProblemOf(text), HasSubstr("只能用 =")) << text;
  }
}

// Facts hold nothing sealed.
TEST(FilterBlind, IsNotForMeasures) {
  const std::string problem = ProblemOf("people.phone = 1", FilterUse::kMeasure);
  EXPECT_THAT(problem, HasSubstr("没有可用的字段 people.phone；可用："));
  EXPECT_EQ(problem.rfind("people.phone"), problem.find("people.phone"));
}

// ---- positions ---------------------------------------------------------------------------------

TEST(FilterPosition, CountsCodePointsFromOne) {
  EXPECT_EQ(PositionOf("colur = RED"), "1");
  EXPECT_EQ(PositionOf("  colur = RED"), "3");
  EXPECT_EQ(PositionOf("title = 木椅 AND colur = RED"), "16");
  EXPECT_EQ(PositionOf("title = \"𠮷\" AND colur = RED"), "17");
}

TEST(FilterPosition, IsThatOfTheValueWhenTheValueIsWrong) {
  EXPECT_EQ(PositionOf("colour = GREEN"), "10");
}

TEST(FilterPosition, IsThatOfTheOperatorWhenItDoesNotFit) {
  EXPECT_EQ(PositionOf("colour < RED"), "8");
}

TEST(FilterPosition, IsTheEndWhenSomethingIsMissing) {
  EXPECT_EQ(PositionOf("weight ="), "9");
  EXPECT_EQ(PositionOf("(weight = 7"), "12");
}

// ---- limits ------------------------------------------------------------------------------------

std::string Nested(int depth) {
  return absl::StrCat(std::string(static_cast<size_t>(depth), '('), "weight = 7",
                      std::string(static_cast<size_t>(depth), ')'));
}

TEST(FilterLimit, IsTwentyParenthesesDeep) {
  EXPECT_TRUE(Holds(Nested(20)));
  EXPECT_THAT(ProblemOf(Nested(21)), HasSubstr("20 层"));
  EXPECT_THAT(ProblemOf(std::string(2000, '(')), HasSubstr("20 层"));
}

std::string Terms(int count) {
  std::string text = "weight=7";
  for (int i = 1; i < count; ++i) absl::StrAppend(&text, i % 2 == 0 ? " OR " : " AND ", "weight=7");
  return text;
}

TEST(FilterLimit, IsAHundredTerms) {
  EXPECT_TRUE(Holds(Terms(100)));
  EXPECT_THAT(ProblemOf(Terms(101)), HasSubstr("100 个"));
}

TEST(FilterLimit, IsTwoThousandBytes) {
  EXPECT_TRUE(Holds(absl::StrCat("weight = 7", std::string(1990, ' '))));
  EXPECT_THAT(ProblemOf(absl::StrCat("weight = 7", std::string(1991, ' '))),
              HasSubstr("2000 字节"));
}

// ---- prefixes ----------------------------------------------------------------------------------

struct PrefixCase {
  const char* text;
  const char* filter;  // what is consumed
};

TEST(FilterPrefix, StopsWhereTheMeasureGoesOn) {
  const PrefixCase cases[] = {
      {"colour = RED) / count(widgets)", "colour = RED"},
      {"colour = RED by sold_date in Q1)", "colour = RED"},
      {"colour = RED in Q1)", "colour = RED"},
      {"colour = RED as \"x\"", "colour = RED"},
      {"colour = RED, 5", "colour = RED"},
      {"colour = RED/2", "colour = RED"},
      {"(colour = RED OR stripes:RED) AND weight > 5) x",
       "(colour = RED OR stripes:RED) AND weight > 5"},
      {"title = \"a) by / , in\" )", "title = \"a) by / , in\""},
      {" colour = 红  ", " colour = 红"},
      {"colour = RED of villages", "colour = RED"},
      {"colour = RED from sold_date to sold_date", "colour = RED"},
      {"colour = RED at least 2", "colour = RED"},
      {"sold_date:* by sold_date", "sold_date:*"},
      {")", ""},
      {"  by sold_date", ""},
      {"", ""},
  };
  for (const PrefixCase& c : cases) {
    size_t consumed = 999;
    EXPECT_THAT(ParseFilterPrefix(c.text, Widgets(), FilterUse::kList, &consumed), IsOk())
        << c.text;
    EXPECT_EQ(absl::string_view(c.text).substr(0, consumed), c.filter) << c.text;
  }
}

TEST(FilterPrefix, IsTheFilterThatStandsThere) {
  size_t consumed = 0;
  const absl::StatusOr<FilterNode> filter =
      ParseFilterPrefix("weight > 5 by sold_date", Widgets(), FilterUse::kMeasure, &consumed);
  ASSERT_THAT(filter, IsOk());
  EXPECT_EQ(filter->type, FilterNode::Type::kCompare);
  EXPECT_EQ(filter->op, CompareOp::kGt);
}

TEST(FilterPrefix, StopsAtWholeWordsOnly) {
  Widget widget;
  widget.set_title("inside");
  size_t consumed = 0;
  const absl::StatusOr<FilterNode> filter =
      ParseFilterPrefix("title = inside)", Widgets(), FilterUse::kList, &consumed);
  ASSERT_THAT(filter, IsOk());
  EXPECT_TRUE(Matches(*filter, Widgets(), widget));
}

TEST(FilterPrefix, DoesNotStopInsideParentheses) {
  size_t consumed = 0;
  for (const char* text :
       {"(colour = RED by sold_date", "(colour = RED, weight = 7)", "(colour = RED"}) {
    EXPECT_THAT(ParseFilterPrefix(text, Widgets(), FilterUse::kList, &consumed),
                HasReason("REASON_FILTER_INVALID"))
        << text;
  }
}

TEST(FilterPrefix, RefusesWhatNoFilterAndNoMeasureGoesOnWith) {
  size_t consumed = 0;
  for (const char* text : {"colour = RED weight", "colour = by", "colour by"}) {
    EXPECT_THAT(ParseFilterPrefix(text, Widgets(), FilterUse::kList, &consumed),
                HasReason("REASON_FILTER_INVALID"))
        << text;
  }
}

// ---- hostile input -----------------------------------------------------------------------------

bool IsUtf8(absl::string_view text) {
  Widget widget;
  widget.set_title(std::string(text));
  // A proto3 string that is not UTF-8 does not parse back.
  return Widget().ParseFromString(widget.SerializeAsString());
}

// Parses in every way; says what must be true of the outcome, whatever the text.
void Attack(const std::string& text) {
  for (const FilterUse use : {FilterUse::kList, FilterUse::kMeasure}) {
    const absl::StatusOr<FilterNode> filter = Parse(text, use);
    if (filter.ok()) {
      if (text.find("people.phone") == std::string::npos) {
        (void)Matches(*filter, Widgets(), Chair());
      }
    } else {
      const ErrorDetail detail = DetailOf(filter.status());
      ASSERT_EQ(detail.reason, "REASON_FILTER_INVALID");
      ASSERT_TRUE(IsUtf8(detail.metadata.at("problem")));
      size_t position = 0;
      ASSERT_TRUE(absl::SimpleAtoi(detail.metadata.at("position"), &position));
      ASSERT_GE(position, 1U);
      ASSERT_LE(position, text.size() + 1);
    }
    size_t consumed = 0;
    if (ParseFilterPrefix(text, Widgets(), use, &consumed).ok()) {
      ASSERT_LE(consumed, text.size());
      // What was consumed is a filter by itself.
      ASSERT_THAT(Parse(text.substr(0, consumed), use), IsOk()) << text;
    }
  }
}

TEST(FilterHostile, TableOfTextsReturns) {
  const std::string texts[] = {
      std::string(1, '\0'),
      std::string("title = \"a\0b\"", 13),
      std::string("weight = 7\0", 11),
      "\xFF\xFE",
      "title = \xE6\x9C",
      "title = \"\xE6\x9C\"",
      "title = \xED\xA0\x80",
      "title = \xF4\x90\x80\x80",
      "\xEF\xBB\xBFweight = 7",
      "title = \xE2\x80\xAE",
      "title = \"\\",
      "title = \"\\\"",
      "'",
      "\"",
      "\\",
      "!",
      "!=",
      "<",
      ">=",
      ":",
      ":*",
      "*",
      "-",
      "--",
      "-(-(-(",
      ")",
      "))))",
      ")(",
      "weight = -",
      "weight = --5",
      "weight = -9223372036854775808",
      "weight = 99999999999999999999999999",
      "price_e4 = 99999999999999.9999",
      "price_e4 = 999999999999999",
      "made_date = 0000-00-00",
      "weight = 7; DROP TABLE widget",
      "title = '; DROP TABLE widget; --'",
      "title = %s%n",
      "weight = 7 AND AND weight = 7",
      "OR OR OR",
      "AND",
      ".",
      "....",
      "people. = 1",
      ".phone = 1",
      std::string(3000, 'a'),
      std::string(2000, 'a'),
      std::string(2000, '('),
      std::string(2000, ')'),
      std::string(2000, '-'),
      std::string(2000, '"'),
      std::string(2001, '\xE6'),
  };
  for (const std::string& text : texts) Attack(text);
}

// A null character reaches no database.
TEST(FilterHostile, NullCharactersAreRefusedEvenInQuotes) {
  EXPECT_THAT(ProblemOf(absl::string_view("title = \"a\0b\"", 13)), HasSubstr("无法识别的字符"));
}

// A problem quotes what the caller wrote and travels as a proto3 string.
TEST(FilterHostile, BytesThatAreNotUtf8AreRefusedWithTheirPosition) {
  EXPECT_EQ(PositionOf("title = \"木\xFF\""), "11");
  EXPECT_THAT(ProblemOf("\xE6 = 1"), HasSubstr("UTF-8"));
}

TEST(FilterHostile, RandomBytesReturn) {
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string text(random() % 60, '\0');
    for (char& c : text) c = static_cast<char>(random() & 0xFF);
    Attack(text);
    if (HasFatalFailure()) return;
  }
}

TEST(FilterHostile, RandomTokensReturn) {
  static const char* const kTokens[] = {
      "weight", "title", "colour", "stripes", "sold_date", "people.phone",
      "broken", "AND",   "OR",     "NOT",     "-",         "(",
      ")",      "=",     "!=",     "<",       "<=",        ":",
      "*",      "7",     "-7",     "1.5",     "RED",       "红",
      "\"a\"",  "'",     "\"",     ",",       "/",         "by",
      "in",     "as",    "true",   "，",      "\\",        "2024-03-15",
      "\xE6",   " ",     " ",      " "};
  std::mt19937 random(2);
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (auto left = random() % 25; left > 0; --left) {
      text += kTokens[random() % std::size(kTokens)];
      if (random() % 2 == 0) text += " ";
    }
    Attack(text);
    if (HasFatalFailure()) return;
  }
}

TEST(FilterHostile, EveryCutAndEveryFlipOfAFilterReturns) {
  const std::string good =
      "(colour = 红 OR NOT stripes:BLUE) AND -title = \"木 \\\"椅\" AND price_e4 >= -1.5 AND "
      "sold_date:*";
  ASSERT_THAT(Parse(good), IsOk());
  for (size_t i = 0; i < good.size(); ++i) {
    Attack(good.substr(0, i));
    Attack(good.substr(i));
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = good;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      Attack(flipped);
    }
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace fadu
