#include "services/registry/domain/area_import.h"

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fadu::registry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kCounty[] = "421221";
const absl::CivilDay kToday(2024, 6, 1);
const absl::CivilDay kFirst(2023, 6, 30);
const absl::CivilDay kSecond(2024, 1, 1);

// The ancestors, two towns and three villages.
constexpr char kSmall[] =
    "code\tname\tparent\n"
    "42\t湖北省\t\n"
    "4212\t咸宁市\t42\n"
    "421221\t嘉鱼县\t4212\n"
    "421221100\t陆溪镇\t421221\n"
    "421221100200\t界石村\t421221100\n"
    "421221106\t潘家湾镇\t421221\n"
    "421221106200\t潘家湾村\t421221106\n"
    "421221106201\t肖家洲村\t421221106\n";

// "line:column issue" of each finding.
std::vector<std::string> Places(const std::vector<v1::AreaFinding>& findings) {
  std::vector<std::string> places;
  for (const v1::AreaFinding& finding : findings) {
    places.push_back(absl::StrCat(finding.line(), ":", finding.column(), " ",
                                  v1::AreaIssue_Name(finding.issue()).substr(11)));
  }
  return places;
}

// What is known after a plan was carried out.
KnownAreas After(KnownAreas known, const AreaPlan& plan, absl::CivilDay as_of) {
  for (const AreaEnd& end : plan.ends) {
    for (AreaSpan& span : known.spans) {
      if (span.code != end.code || span.to) continue;
      span.to = as_of - 1;
      span.successor = end.successor;
    }
  }
  known.spans.insert(known.spans.end(), plan.adds.begin(), plan.adds.end());
  std::stable_sort(known.spans.begin(), known.spans.end(),
                   [](const AreaSpan& a, const AreaSpan& b) {
                     return std::make_pair(a.code, a.from) < std::make_pair(b.code, b.from);
                   });
  return known;
}

AreaPlan Plan(const std::string& text, const KnownAreas& known, absl::CivilDay as_of) {
  absl::StatusOr<AreaPlan> plan = PlanImport(ReadAreaFile(text, kCounty), known, as_of, kToday);
  EXPECT_TRUE(plan.ok()) << plan.status();
  return plan.ok() ? *plan : AreaPlan();
}

KnownAreas KnownSmall() { return After({}, Plan(kSmall, {}, kFirst), kFirst); }

std::vector<std::string> Places(const std::string& text) {
  return Places(ReadAreaFile(text, kCounty).errors);
}

std::string WithLine(const std::string& line) { return absl::StrCat(kSmall, line, "\n"); }

std::string Replace(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string Jiayu() {
  std::ifstream file("deploy/sample/jiayu-2024/areas.tsv");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// 1 province, 1 city, 1 county, 10 towns and 105 villages (its README).
TEST(AreaImport, TakesTheRealCounty) {
  const AreaFile file = ReadAreaFile(Jiayu(), kCounty);
  EXPECT_THAT(Places(file.errors), IsEmpty());
  EXPECT_THAT(file.warnings, IsEmpty());
  const AreaPlan plan = Plan(Jiayu(), {}, kFirst);
  EXPECT_EQ(plan.added, 118);
  EXPECT_EQ(plan.unchanged, 0);
  EXPECT_THAT(plan.adds, SizeIs(118));
}

TEST(AreaImport, ChangesNothingTheSecondTime) {
  const KnownAreas known = After({}, Plan(Jiayu(), {}, kFirst), kFirst);
  const AreaPlan plan = Plan(Jiayu(), known, kSecond);
  EXPECT_EQ(plan.unchanged, 118);
  EXPECT_THAT(plan.adds, IsEmpty());
  EXPECT_THAT(plan.ends, IsEmpty());
  EXPECT_THAT(plan.changes, IsEmpty());
}

TEST(AreaImport, TakesTheSameFileOnTheSameDayAsNoChange) {
  EXPECT_EQ(Plan(kSmall, KnownSmall(), kFirst).unchanged, 8);
}

TEST(AreaImport, TakesMarkAndLineEndsOfWindows) {
  std::string text = absl::StrCat("\xEF\xBB\xBF", kSmall);
  for (size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) {
    text.insert(at, "\r");
  }
  EXPECT_THAT(Places(text), IsEmpty());
}

TEST(AreaImport, TakesChildrenBeforeTheirParents) {
  EXPECT_THAT(Places("code\tname\tparent\n"
                     "421221106200\t潘家湾村\t421221106\n"
                     "421221106\t潘家湾镇\t421221\n"
                     "421221\t嘉鱼县\t4212\n"),
              IsEmpty());
}

TEST(AreaImport, ReportsEveryErrorWithLineAndColumn) {
  const std::string text =
      "code\tname\tparent\n"                     // 1
      "42\t湖北省\t\n"                           // 2
      "4212\t咸宁市\t42\n"                       // 3
      "421221\t嘉鱼县\t4212\n"                   // 4
      "421221106\t潘家湾镇\t421221\n"            // 5
      "42122110x\t某镇\t421221\n"                // 6: not a digit
      "4212211\t某镇\t421221\n"                  // 7: seven digits
      "421221106\t另一镇\t421221\n"              // 8: twice
      "421222100\t通城镇\t421222\n"              // 9: another county
      "421221106200\t\t421221106\n"              // 10: no name
      "421221106201\t肖家洲村\t421221100\n"      // 11: not its parent
      "421221106202\t 四邑村\t421221106\n"       // 12: space
      "421221106203\t羊毛岸村\n"                 // 13: two columns
      "421221106204\t苍梧\x01岭村\t421221106\n"  // 14: control character
      "421221106205\t肖家洲村\t421221106\n"      // 15: name of line 11
      "421221106206\t\xE7\x95\t421221106\n";     // 16: not UTF-8
  EXPECT_THAT(Places(text),
              testing::UnorderedElementsAre(
                  "6:1 CODE_DIGITS", "7:1 CODE_LENGTH", "8:1 CODE_DUPLICATE", "9:1 OTHER_COUNTY",
                  "10:2 NAME_MISSING", "11:3 PARENT_MISMATCH", "12:2 NAME_SPACE", "13:0 COLUMNS",
                  "14:2 CONTROL_CHARACTER", "15:2 NAME_DUPLICATE", "16:0 ENCODING"));
}

TEST(AreaImport, SortsErrorsByLineAndImportsNothing) {
  const AreaPlan plan =
      Plan(WithLine("421221107200\t上湾村\t421221107") + "x\t某村\t421221\n", {}, kFirst);
  EXPECT_THAT(Places(plan.errors), ElementsAre("10:3 PARENT_MISSING", "11:1 CODE_DIGITS"));
  EXPECT_THAT(plan.adds, IsEmpty());
  EXPECT_EQ(plan.added, 0);
}

TEST(AreaImport, SaysInChineseWhatIsWrong) {
  const AreaFile file = ReadAreaFile(WithLine("4212211\t某镇\t421221"), kCounty);
  ASSERT_THAT(file.errors, SizeIs(1));
  EXPECT_EQ(file.errors[0].value(), "4212211");
  EXPECT_EQ(file.errors[0].message(), "代码“4212211”的位数应为 2、4、6、9 或 12");
}

TEST(AreaImport, RefusesAnotherHeader) {
  EXPECT_THAT(Places(Replace(kSmall, "code\tname\tparent", "代码\t名称\t上级")),
              ElementsAre("1:0 HEADER"));
}

// An empty file must not end a county.
TEST(AreaImport, RefusesAFileWithoutTownsAndVillages) {
  EXPECT_THAT(Places("code\tname\tparent\n"), ElementsAre("1:0 EMPTY"));
  EXPECT_THAT(Places("code\tname\tparent\n421221\t嘉鱼县\t4212\n"), ElementsAre("2:0 EMPTY"));
}

// 㙍 and 𣲘 are in real place names; U+E001 is a character of somebody's own font.
TEST(AreaImport, KeepsRareCharactersAndWarnsOfPrivateOnes) {
  const AreaFile rare = ReadAreaFile(WithLine("421221106209\t𣲘湾村\t421221106"), kCounty);
  EXPECT_THAT(rare.errors, IsEmpty());
  EXPECT_THAT(rare.warnings, IsEmpty());
  const AreaFile own = ReadAreaFile(WithLine("421221106209\t\xEE\x80\x81湾村\t421221106"), kCounty);
  EXPECT_THAT(own.errors, IsEmpty());
  ASSERT_THAT(Places(own.warnings), ElementsAre("10:2 PRIVATE_USE"));
  EXPECT_THAT(own.warnings[0].message(), HasSubstr("U+E001"));
}

// A zero-width space makes two names that look the same.
TEST(AreaImport, RefusesCharactersThatShowNothing) {
  EXPECT_THAT(Places(WithLine("421221106209\t官垱\xE2\x80\x8B村\t421221106")),
              ElementsAre("10:2 CONTROL_CHARACTER"));
}

TEST(AreaImport, ListsNoMoreThanAThousandErrors) {
  std::string text = "code\tname\tparent\n";
  for (int i = 0; i < 1200; ++i) absl::StrAppend(&text, "x\t某村\t421221\n");
  const AreaPlan plan = Plan(text, {}, kFirst);
  ASSERT_THAT(plan.errors, SizeIs(1001));
  EXPECT_EQ(plan.errors.back().issue(), v1::AREA_ISSUE_TOO_MANY);
}

TEST(AreaImport, EndsWhatTheFileLacks) {
  const AreaPlan plan =
      Plan(Replace(kSmall, "421221106201\t肖家洲村\t421221106\n", ""), KnownSmall(), kSecond);
  EXPECT_EQ(plan.ended, 1);
  EXPECT_EQ(plan.unchanged, 7);
  ASSERT_THAT(plan.ends, SizeIs(1));
  EXPECT_EQ(plan.ends[0].code, "421221106201");
  EXPECT_THAT(plan.adds, IsEmpty());
}

TEST(AreaImport, NeverEndsTheCountyAndWhatIsAboveIt) {
  const std::string text =
      Replace(kSmall, "42\t湖北省\t\n4212\t咸宁市\t42\n421221\t嘉鱼县\t4212\n", "");
  const AreaPlan plan = Plan(text, KnownSmall(), kSecond);
  EXPECT_THAT(plan.errors, IsEmpty());
  EXPECT_THAT(plan.ends, IsEmpty());
}

TEST(AreaImport, RefusesAVillageWhoseTownTheFileLacks) {
  const AreaPlan plan =
      Plan(Replace(kSmall, "421221100\t陆溪镇\t421221\n", ""), KnownSmall(), kSecond);
  EXPECT_THAT(Places(plan.errors), ElementsAre("5:3 PARENT_MISSING"));
}

TEST(AreaImport, KeepsTheFormerNameAsHistory) {
  const AreaPlan plan = Plan(Replace(kSmall, "潘家湾镇", "潘湾镇"), KnownSmall(), kSecond);
  EXPECT_EQ(plan.renamed, 1);
  EXPECT_EQ(plan.unchanged, 7);
  ASSERT_THAT(plan.ends, SizeIs(1));
  EXPECT_EQ(plan.ends[0].successor, "");
  ASSERT_THAT(plan.adds, SizeIs(1));
  EXPECT_EQ(plan.adds[0].code, "421221106");
  EXPECT_EQ(plan.adds[0].from, kSecond);
  ASSERT_THAT(plan.changes, SizeIs(1));
  EXPECT_EQ(plan.changes[0].former_title(), "潘家湾镇");
}

// A town becomes a street office (006): its code changes, and with it those of its villages. Two
// villages of the county have the same name (as 东湖村 has in Jiayu), so only the town tells which
// is which.
TEST(AreaImport, FollowsATownToItsNewCodeWithItsVillages) {
  const std::string before = Replace(kSmall, "界石村", "潘家湾村");
  std::string after = before;
  for (const std::string code : {"421221106\t", "421221106200\t", "421221106201\t"}) {
    after = Replace(after, "\n" + code, "\n421221006" + code.substr(9));
  }
  after = Replace(after, "潘家湾村\t421221106", "潘家湾村\t421221006");
  after = Replace(after, "肖家洲村\t421221106", "肖家洲村\t421221006");
  const KnownAreas known = After({}, Plan(before, {}, kFirst), kFirst);
  const AreaPlan plan = Plan(after, known, kSecond);
  EXPECT_EQ(plan.moved, 3);
  EXPECT_EQ(plan.added, 0);
  EXPECT_EQ(plan.ended, 0);
  ASSERT_THAT(plan.ends, SizeIs(3));
  EXPECT_EQ(plan.ends[1].code, "421221106200");
  EXPECT_EQ(plan.ends[1].successor, "421221006200");
}

// Which of two villages of one name went where cannot be told.
TEST(AreaImport, DoesNotGuessBetweenVillagesOfOneName) {
  const std::string before = Replace(kSmall, "界石村", "肖家洲村");
  std::string after = Replace(before, "421221100200\t肖家洲村\t421221100\n", "");
  after = Replace(after, "421221106201\t肖家洲村\t421221106\n",
                  "421221107\t新镇\t421221\n421221107200\t肖家洲村\t421221107\n");
  const KnownAreas known = After({}, Plan(before, {}, kFirst), kFirst);
  const AreaPlan plan = Plan(after, known, kSecond);
  EXPECT_EQ(plan.moved, 0);
  EXPECT_EQ(plan.ended, 2);
  EXPECT_EQ(plan.added, 2);
}

TEST(AreaImport, NeverGivesAnEndedCodeToAnotherArea) {
  const std::string without = Replace(kSmall, "421221106201\t肖家洲村\t421221106\n", "");
  const KnownAreas known = After(KnownSmall(), Plan(without, KnownSmall(), kSecond), kSecond);
  const AreaPlan other =
      Plan(Replace(kSmall, "肖家洲村", "四邑村"), known, absl::CivilDay(2024, 2, 1));
  EXPECT_THAT(Places(other.errors), ElementsAre("9:1 CODE_REUSED"));
  // Under its own name it is the same area, which ended by mistake.
  EXPECT_EQ(Plan(kSmall, known, absl::CivilDay(2024, 2, 1)).added, 1);
}

TEST(AreaImport, RenamesACityOnlyWhereNoOtherCountyLiesUnderIt) {
  const std::string renamed = Replace(kSmall, "咸宁市", "鄂南市");
  EXPECT_EQ(Plan(renamed, KnownSmall(), kSecond).renamed, 1);
  KnownAreas shared = KnownSmall();
  shared.shared = {"42", "4212"};
  EXPECT_THAT(Places(Plan(renamed, shared, kSecond).errors), ElementsAre("3:2 ANCESTOR_SHARED"));
}

TEST(AreaImport, RefusesADayThatIsNotAfterTheLastChange) {
  const AreaFile file = ReadAreaFile(Replace(kSmall, "界石村", "新界石村"), kCounty);
  const absl::Status same = PlanImport(file, KnownSmall(), kFirst, kToday).status();
  EXPECT_EQ(same.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(same), "REASON_AREA_DATE");
  EXPECT_EQ(DetailOf(same).metadata.at("last"), "2023-06-30");
  EXPECT_TRUE(PlanImport(file, KnownSmall(), kFirst + 1, kToday).ok());
}

// 2204 for 2024 would block every import of the next 180 years.
TEST(AreaImport, RefusesADayMoreThanAYearAhead) {
  const AreaFile file = ReadAreaFile(kSmall, kCounty);
  EXPECT_TRUE(PlanImport(file, {}, kToday + 366, kToday).ok());
  EXPECT_EQ(ReasonOf(PlanImport(file, {}, kToday + 367, kToday).status()), "REASON_AREA_DATE");
}

TEST(TreeVersion, TellsTreesApartAndNothingElse) {
  const AreaSpan town{"421221106", "潘家湾镇", "421221", kFirst, absl::nullopt, ""};
  AreaSpan later = town;
  later.from = kSecond;
  AreaSpan renamed = town;
  renamed.name = "潘湾镇";
  EXPECT_EQ(TreeVersion({town}), TreeVersion({later}));
  EXPECT_NE(TreeVersion({town}), TreeVersion({renamed}));
  EXPECT_EQ(TreeVersion({town}).size(), 66u);
}

}  // namespace
}  // namespace fadu::registry
