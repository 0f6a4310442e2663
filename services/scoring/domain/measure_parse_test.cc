// What the language takes and what it refuses, and where.

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/numbers.h"
#include "common/base/status.h"
#include "common/testing/status_matchers.h"
#include "services/scoring/domain/measure_test_support.h"

namespace fadu::scoring {
namespace {

using ::testing::HasSubstr;

// ---- round trip ---------------------------------------------------------------------------------

struct Canonical {
  const char* written;
  const char* text;
};

TEST(Canonical, SpellingIsOne) {
  const Canonical cases[] = {
      {"count( disputes )", "count(disputes)"},
      {"count(disputes in year)", "count(disputes)"},
      {"count(disputes in Q1 where outcome=调解成功)",
       "count(disputes where outcome = SETTLED in Q1)"},
      {"count(entries by closed_date in last M03)", "count(entries by closed_date in last M03)"},
      {"count(people until end_date as of year)", "count(people as of year until end_date)"},
      {"count(people as of 2024-06-30 through end_date)",
       "count(people as of 2024-06-30 through end_date)"},
      {"count(entries in 2024-01-01 .. 2024-03-31)", "count(entries in 2024-01-01..2024-03-31)"},
      {"(count(disputes))+(2*0+1)", nullptr},
      {"(count(disputes)) + (1 + 2)", "count(disputes) + (1 + 2)"},
      {"(count(disputes) + 1) + 2", "count(disputes) + 1 + 2"},
      {"(count(disputes) - 1) / (2 + 1)", "(count(disputes) - 1) / (2 + 1)"},
      {"count(disputes) per 1000 denominator(户数)",
       "count(disputes) per 1000 denominator(HOUSEHOLDS)"},
      {"count(disputes) per 1 size(villages)", "count(disputes) per size(villages)"},
      {"count(disputes) per 1", "count(disputes) per 1"},
      {"count(disputes) per (5)", "count(disputes) per (5)"},
      {"count(disputes) per 2.50", "count(disputes) per 2.5"},
      {"sum(entries.people) per (count(entries) + 1)",
       "sum(entries.people) per (count(entries) + 1)"},
      {"late(disputes to accepted_date within 5 workdays where outcome:*)",
       "late(disputes to accepted_date within 5 workdays where outcome:*)"},
      {"max(disputes from found_date to accepted_date days)",
       "max(disputes from found_date to accepted_date)"},
      {"ontime(entries where passed = true to closed_date due due_date)",
       "ontime(entries to closed_date due due_date where passed = true)"},
      {"coverage(entries of villages at least 1)", "coverage(entries of villages)"},
      {"coverage(entries.organisation_ids in Q2 of organisations where kind=SCHOOL at least 2)",
       "coverage(entries.organisation_ids in Q2 of organisations where kind = SCHOOL at least 2)"},
      {"coverage(entries of 户数)", "coverage(entries of HOUSEHOLDS)"},
      {"count(entries where NOT (NOT passed = true))",
       "count(entries where NOT (NOT passed = true))"},
      {"count(entries where kind = \"a\\\"b\" AND topics:宪法) as \"a\\\"b\"",
       "count(entries where kind = \"a\\\"b\" AND topics:\"宪法\") as \"a\\\"b\""},
  };
  for (const Canonical& c : cases) {
    const auto measure = ParseMeasure(c.written, MeasureTypes());
    if (c.text == nullptr) {
      EXPECT_FALSE(measure.ok()) << c.written;
      continue;
    }
    ASSERT_THAT(measure, IsOk()) << c.written;
    EXPECT_EQ(ToString(*measure), c.text);
    const auto again = ParseMeasure(c.text, MeasureTypes());
    ASSERT_THAT(again, IsOk()) << c.text;
    EXPECT_EQ(ToString(*again), c.text);
  }
}

// ---- refusals -----------------------------------------------------------------------------------

struct Refused {
  const char* text;
  int position;         // 1-based, in characters
  const char* problem;  // some of it
};

TEST(Refusal, PointsAtWhatIsWrongAndSaysWhatThereIs) {
  const Refused cases[] = {
      {"avg(entries)", 1, "没有函数 avg；可用：count"},
      {"统计(entries)", 1, "没有函数 统计"},
      {"count(disputes) / ", 19, "此处应为函数，表达式已结束"},
      {"count(争议)", 7, "没有记录类型 争议；可用：denominators、disputes"},
      {"sum(entries.kind)", 13, "kind 不是数值字段；可用：people、items、out_of、amount_e4"},
      {"sum(entries)", 12, "sum 需要数值字段"},
      {"distinct(entries)", 17, "distinct 需要字段"},
      {"distinct(entries.nothing)", 18, "没有可用的字段 nothing；可用：area_code"},
      {"count(entries.people)", 7, "count 不需要字段"},
      {"count(entries by people)", 18, "people 不是可用的日期字段；可用：held_date"},
      {"count(entries in Q7)", 18, "期间应为"},
      {"count(entries in last)", 22, "期间应为"},
      {"count(entries in 2024-02-30..2024-03-01)", 18, "日期应形如"},
      {"count(entries in 2024-03-01)", 28, "起止日期写作"},
      {"count(entries in 2024-03-02..2024-03-01)", 18, "截止日期早于起始日期"},
      {"count(entries in Q1 in Q2)", 21, "in 与 as of 只能用一次"},
      {"count(entries where passed = true where passed = true)", 35, "重复的 where"},
      {"count(entries as year)", 18, "as 之后应为 of"},
      {"count(people until end_date)", 14, "until、through 说明存量何时终止"},
      {"count(entries until)", 20, "不是可用的日期字段"},
      {"count(entries from closed_date to held_date)", 15, "count 不用时限"},
      {"late(entries)", 13, "late 需要时限"},
      {"late(entries to closed_date)", 13, "late 需要时限"},
      {"late(entries to closed_date within 5)", 37, "天数之后应为 days"},
      {"late(entries to closed_date within five days)", 36, "within 之后的天数应为 0 至 3660"},
      {"late(entries from closed_date)", 30, "from 日期字段之后应为 to"},
      {"late(entries from held_date to closed_date due due_date)", 44, "due 写明最后期限"},
      {"average(entries.people to closed_date)", 17, "字段与时限"},
      {"coverage(entries)", 17, "coverage 需要以什么为分母"},
      {"coverage(entries of moons)", 21, "不能以 moons 为分母；可用区划 villages"},
      {"coverage(entries of organisations)", 21, "需要写明哪个字段"},
      {"coverage(entries.people of villages)", 18, "people 不是文本字段"},
      {"coverage(entries of villages at 2)", 33, "at 之后应为 least"},
      {"coverage(entries of villages at least 0)", 39, "at least 之后应为 1 至"},
      {"denominator(MOONS)", 13, "没有基数类别 MOONS；可用：HOUSEHOLDS（户数）"},
      {"size(disputes)", 6, "size 需要一组区划，可用：villages"},
      {"count(entries) + 1 / 2", 16, "“数量”与“比率”不能相加减"},
      {"(1 / 2) / (1 / 2)", 9, "“比率”不能除以“比率”"},
      {"1 / 2 per 3", 7, "“比率”不能用 per"},
      {"count(entries) per", 19, "per 之后应为数或函数"},
      {"count(entries) per 0", 16, "per 之后的数应大于零"},
      {"1.23456", 1, "最多四位小数"},
      {"count(entries) as label", 19, "as 之后应为带引号的名称"},
      {"count(entries) as \"人", 19, "引号没有结束"},
      {"count(entries) 次", 16, "表达式到此应已结束"},
      {"count(entries，1)", 14, "缺少右括号，这里是“，”"},
      {"count(entries wher passed = true)", 15, "不认识的“wher”；可用：where、by"},
      {"count(entries where 通过 = true)", 21, "没有可用的字段 通过"},
      {"count(entries where outcome = 成功)", 31, "outcome 没有“成功”；可用：DONE（办结）"},
      {"count(entries where )", 20, "where 之后应为筛选条件"},
      {"\xFF", 1, "无法识别的字符"},
  };
  for (const Refused& c : cases) {
    const auto measure = ParseMeasure(c.text, MeasureTypes());
    ASSERT_THAT(measure, HasReason("REASON_MEASURE_INVALID")) << c.text;
    const ErrorDetail detail = DetailOf(measure.status());
    EXPECT_EQ(detail.metadata.at("position"), absl::StrCat(c.position)) << c.text;
    EXPECT_THAT(detail.metadata.at("problem"), HasSubstr(c.problem)) << c.text;
  }
}

TEST(Refusal, OfWhatIsTooLongTooDeepOrTooMuch) {
  const auto problem = [](const std::string& text) {
    const auto measure = ParseMeasure(text, MeasureTypes());
    EXPECT_FALSE(measure.ok());
    return DetailOf(measure.status()).metadata["problem"];
  };
  EXPECT_THAT(problem(std::string(4001, ' ')), HasSubstr("过长"));
  EXPECT_THAT(problem(std::string(30, '(') + "1" + std::string(30, ')')), HasSubstr("过深"));
  std::string sum = "1";
  for (int i = 0; i < 150; ++i) sum += " + 1";
  EXPECT_THAT(problem(sum), HasSubstr("过于复杂"));
}

TEST(NeedsAreas, OnlyWhatIsOverAreas) {
  const auto needs = [](const char* text) {
    return NeedsAreas(*ParseMeasure(text, MeasureTypes()));
  };
  EXPECT_FALSE(needs("count(disputes) / count(entries)"));
  EXPECT_TRUE(needs("1 + count(disputes) per size(villages)"));
  EXPECT_TRUE(needs("count(disputes) per denominator(HOUSEHOLDS)"));
  EXPECT_TRUE(needs("coverage(disputes of towns)"));
}

// ---- labels -------------------------------------------------------------------------------------

TEST(Labels, SayEachConstructInBothLanguages) {
  struct Case {
    const char* text;
    const char* zh;
    const char* en;
  };
  const Case cases[] = {
      {"count(disputes)", "矛盾纠纷", "dispute"},
      {"sum(educationEvents.participants in H1)", "普法活动参加人次（上半年）",
       "legal-education event participants (H1)"},
      {"average(entries.people)", "事项平均人次", "entry average people"},
      {"distinct(entries.channel)", "事项不同渠道数", "entry different channel"},
      {"late(disputes from found_date to accepted_date within 5 workdays)",
       "矛盾纠纷逾期数（摸排日期至受理日期须在5个工作日内）",
       "dispute late (found to accepted within 5 working days)"},
      {"ontime(entries to closed_date due due_date)", "事项按时率（办结日期不晚于期限）",
       "entry on time (closed not after due)"},
      {"max(disputes to accepted_date)", "矛盾纠纷最长用时天数（至受理日期）",
       "dispute greatest days (to accepted)"},
      {"sum(disputes to accepted_date within 3 plaindays)",
       "矛盾纠纷累计超期天数（至受理日期须在3日内（不顺延））",
       "dispute total days overdue (to accepted within 3 days, not moved)"},
      {"coverage(disputes of villages at least 2)", "矛盾纠纷村（社区）覆盖率（每个至少2件）",
       "dispute coverage of villages (at least 2 each)"},
      {"count(people where role = LAW_SAVVY as of year until end_date)",
       "人员（人员类别为法律明白人，年末）",
       "person in a role (role = law-savvy person, at the end of whole year)"},
      {"count(people as of last year)", "人员（上年末）",
       "person in a role (at the end of last year)"},
      {"count(people as of 2024-06-30)", "人员（截至2024-06-30）",
       "person in a role (as of 2024-06-30)"},
      {"count(disputes by accepted_date in last Q3)", "矛盾纠纷（按受理日期，上年三季度）",
       "dispute (by accepted, last Q3)"},
      {"denominator(HOUSEHOLDS)", "户数", "households"},
      {"size(towns)", "乡镇数", "number of towns"},
      {"count(disputes) per 1000 denominator(POPULATION)", "每1000常住人口的矛盾纠纷",
       "dispute per 1000 population"},
      {"sum(entries.amount_e4) per 10000", "事项金额（以10000计）", "entry amount (in 10000s)"},
      {"(count(disputes) + count(entries)) / count(entries)", "（矛盾纠纷 ＋ 事项） ÷ 事项",
       "(dispute + entry) ÷ entry"},
      {"count(entries where passed = true AND (kind = 甲 OR kind = 乙))",
       "事项（通过为是且（类别为甲或类别为乙））",
       "entry (passed = true and (kind = 甲 or kind = 乙))"},
  };
  for (const Case& c : cases) {
    const auto measure = ParseMeasure(c.text, MeasureTypes());
    ASSERT_THAT(measure, IsOk()) << c.text;
    EXPECT_EQ(LabelOf(*measure, "zh"), c.zh);
    EXPECT_EQ(LabelOf(*measure, "en"), c.en);
  }
}

TEST(Labels, HaveAtMostThreeHundredCharacters) {
  std::string text = "count(entries where kind = \"";
  for (int i = 0; i < 350; ++i) text += "字";
  const auto measure = ParseMeasure(text + "\")", MeasureTypes());
  ASSERT_THAT(measure, IsOk());
  const std::string label = LabelOf(*measure, "zh");
  EXPECT_EQ(label.size(), 299 * 3 + 3);  // 299 Chinese characters and …
}

// ---- hostile input ------------------------------------------------------------------------------

const std::vector<std::string>& Words() {
  static const auto* const words = new std::vector<std::string>{"count(",
                                                                "sum(",
                                                                "average(",
                                                                "distinct(",
                                                                "late(",
                                                                "ontime(",
                                                                "coverage(",
                                                                "denominator(",
                                                                "size(",
                                                                "min(",
                                                                "max(",
                                                                "disputes",
                                                                "entries",
                                                                "people",
                                                                ".people",
                                                                ".kind",
                                                                ".amount_e4",
                                                                ".topics",
                                                                ")",
                                                                "(",
                                                                " where ",
                                                                "outcome = DONE",
                                                                "kind = 甲",
                                                                "NOT ",
                                                                " AND ",
                                                                " OR ",
                                                                " by closed_date",
                                                                " in Q1",
                                                                " in last M12",
                                                                " in 2024-01-01..2024-12-31",
                                                                " as of year",
                                                                " as of 2024-06-30",
                                                                " until end_date",
                                                                " through end_date",
                                                                " from held_date",
                                                                " to closed_date",
                                                                " within 5 workdays",
                                                                " within 30 days",
                                                                " due due_date",
                                                                " of ",
                                                                "villages",
                                                                "HOUSEHOLDS",
                                                                "户数",
                                                                "organisations",
                                                                " at least 2",
                                                                " / ",
                                                                " + ",
                                                                " - ",
                                                                " per ",
                                                                "1000",
                                                                "0.25",
                                                                " as \"标签\"",
                                                                "\"",
                                                                "\\",
                                                                "中文",
                                                                "\xE4\xB8",
                                                                std::string(1, '\0'),
                                                                "..",
                                                                ",",
                                                                ":",
                                                                "*",
                                                                "last",
                                                                "%"};
  return *words;
}

// A measure made by the grammar; types may still not fit.
class Grammar {
 public:
  explicit Grammar(std::mt19937& random) : random_(random) {}

  std::string Expression(int depth) {
    if (depth == 0 || Pick(2) == 0) return Value(depth);
    static const char* const signs[] = {" + ", " - ", " / ", " per ", " per 1000 "};
    return absl::StrCat(Value(depth - 1), signs[Pick(4)], Value(depth - 1));
  }

 private:
  size_t Pick(size_t most) { return std::uniform_int_distribution<size_t>(0, most)(random_); }
  std::string Maybe(const std::string& text) { return Pick(1) == 0 ? "" : text; }

  std::string Value(int depth) {
    if (depth > 0 && Pick(3) == 0) return absl::StrCat("(", Expression(depth - 1), ")");
    static const char* const folds[] = {"sum", "average", "min", "max"};
    switch (Pick(8)) {
      case 0:
        return absl::StrCat(Pick(100), Maybe(".25"));
      case 1:
        return absl::StrCat("distinct(entries.", Pick(1) == 0 ? "topics" : "kind", Clauses(), ")");
      case 2:
        return absl::StrCat(folds[Pick(3)], "(entries.", Pick(1) == 0 ? "people" : "amount_e4",
                            Clauses(), ")");
      case 3:
        return absl::StrCat(folds[Pick(3)], "(entries", Span(), Maybe(" workdays"), Clauses(), ")");
      case 4:
        return absl::StrCat(Pick(1) == 0 ? "late" : "ontime", "(entries", Span(), " within ",
                            Pick(40), Pick(1) == 0 ? " days" : " workdays", Clauses(), ")");
      case 5:
        return absl::StrCat("coverage(entries", Clauses(), " of ",
                            Pick(1) == 0 ? "villages" : "HOUSEHOLDS", Maybe(" at least 2"), ")");
      case 6:
        return Pick(1) == 0 ? "denominator(POPULATION)" : "size(towns)";
      default:
        return absl::StrCat("count(entries", Clauses(), ")");
    }
  }

  std::string Span() { return absl::StrCat(Maybe(" from received_date"), " to closed_date"); }

  std::string Clauses() {
    static const char* const filters[] = {"outcome = DONE", "NOT topics:宪法 AND people > 2",
                                          "(kind = 甲 OR kind:*) AND passed = true"};
    static const char* const periods[] = {" in Q1", " in last year", " in 2024-02-01..2024-08-31",
                                          " as of M06 until end_date"};
    return absl::StrCat(Maybe(absl::StrCat(" where ", filters[Pick(2)])), Maybe(" by closed_date"),
                        Maybe(periods[Pick(3)]));
  }

  std::mt19937& random_;
};

std::string AnyText(std::mt19937& random) {
  static const char* const seeds[] = {
      "count(disputes where outcome = SETTLED in Q1) / count(disputes) as \"调解成功 ÷ 摸排\"",
      "coverage(people where role = LEGAL_ADVISER as of year until end_date of villages at least "
      "2)",
      "ontime(entries from received_date to closed_date within 20 workdays where passed = true)",
      "(sum(entries.amount_e4) - sum(entries.amount_e4 in last year)) per 1000 denominator(户数)"};
  const auto pick = [&](size_t most) {
    return std::uniform_int_distribution<size_t>(0, most)(random);
  };
  std::string text;
  if (pick(2) == 0) return Grammar(random).Expression(3);
  if (pick(1) == 0) {
    for (size_t n = pick(12); n > 0; --n) text += Words()[pick(Words().size() - 1)];
    return text;
  }
  text = seeds[pick(std::size(seeds) - 1)];
  for (size_t n = 1 + pick(3); n > 0 && !text.empty(); --n) {
    const size_t at = pick(text.size() - 1);
    switch (pick(3)) {
      case 0:
        text.erase(at, 1 + pick(4));
        break;
      case 1:
        text.insert(at, Words()[pick(Words().size() - 1)]);
        break;
      case 2:
        text[at] = static_cast<char>(pick(255));
        break;
      default:
        text.resize(at);
        break;
    }
  }
  return text;
}

size_t Characters(absl::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// 10,000 texts: each is a measure whose canonical text is its own, and which can be evaluated, or
// is refused with a place in the text and a problem.
TEST(Hostile, AnyTextIsAMeasureOrRefusedWhereItGoesWrong) {
  Ledger ledger;
  Entry entry = On("2024-05-01");
  entry.set_people(3);
  entry.set_closed_date("2024-06-01");
  ledger.Add(entry);
  const FactSet facts = ledger.Build();
  std::mt19937 random(7);
  int measures = 0;
  for (int i = 0; i < 10000; ++i) {
    const std::string text = AnyText(random);
    const auto measure = ParseMeasure(text, MeasureTypes());
    if (!measure.ok()) {
      const ErrorDetail detail = DetailOf(measure.status());
      ASSERT_EQ(detail.reason, "REASON_MEASURE_INVALID") << text;
      size_t position = 0;
      ASSERT_TRUE(absl::SimpleAtoi(detail.metadata.at("position"), &position));
      ASSERT_GE(position, 1U);
      ASSERT_LE(position, Characters(text) + 1) << text;
      ASSERT_FALSE(detail.metadata.at("problem").empty());
      continue;
    }
    ++measures;
    const std::string canonical = ToString(*measure);
    const auto again = ParseMeasure(canonical, MeasureTypes());
    ASSERT_THAT(again, IsOk()) << text << "\n" << canonical;
    ASSERT_EQ(ToString(*again), canonical);
    const Evaluation first = Evaluate(*measure, facts, {kCountyArea, 2024}, "zh");
    const Evaluation second = Evaluate(*again, facts, {kCountyArea, 2024}, "zh");
    ASSERT_EQ(first.value.SerializeAsString(), second.value.SerializeAsString()) << canonical;
    ASSERT_EQ(HasValue(first.value), first.value.absence() == v1::ABSENCE_UNSPECIFIED);
  }
  EXPECT_GT(measures, 1500);
}

}  // namespace
}  // namespace fadu::scoring
