#include "common/base/area_code.h"

#include <gtest/gtest.h>

namespace fadu {
namespace {

TEST(AreaCode, HasTwoFourSixNineOrTwelveDigits) {
  for (const char* code : {"42", "4212", "421221", "421221106", "421221106200"}) {
    EXPECT_TRUE(IsAreaCode(code)) << code;
  }
}

TEST(AreaCode, IsNothingElse) {
  for (const char* code : {"", "4", "421", "42122", "4212211", "42122110", "4212211062",
                           "42122110620", "4212211062001", "4a", "42122110620x", " 4", "４２"}) {
    EXPECT_FALSE(IsAreaCode(code)) << code;
  }
}

TEST(AreaCode, TellsItsLevelByItsLength) {
  EXPECT_EQ(LevelOf("42"), AreaLevel::kProvince);
  EXPECT_EQ(LevelOf("4212"), AreaLevel::kCity);
  EXPECT_EQ(LevelOf("421221"), AreaLevel::kCounty);
  EXPECT_EQ(LevelOf("421221106"), AreaLevel::kTown);
  EXPECT_EQ(LevelOf("421221106200"), AreaLevel::kVillage);
}

TEST(AreaCode, HasAParentUpToTheProvince) {
  EXPECT_EQ(ParentOf("421221106200"), "421221106");
  EXPECT_EQ(ParentOf("421221106"), "421221");
  EXPECT_EQ(ParentOf("421221"), "4212");
  EXPECT_EQ(ParentOf("4212"), "42");
  EXPECT_EQ(ParentOf("42"), "");
}

TEST(AreaCode, LiesWithinItselfAndWhatIsAbove) {
  EXPECT_TRUE(IsWithin("421221106200", "421221106"));
  EXPECT_TRUE(IsWithin("421221106", "421221106"));
  EXPECT_FALSE(IsWithin("421221", "421221106"));
  EXPECT_FALSE(IsWithin("421221107200", "421221106"));
}

TEST(AreaCode, NamesItsCounty) {
  EXPECT_EQ(CountyOf("421221106200"), "421221");
  EXPECT_EQ(CountyOf("421221"), "421221");
}

TEST(AreaCode, EndsItsSubtreeBeforeTheNextCode) {
  EXPECT_EQ(AfterSubtree("421221106"), "421221107");
}

// All that lies beneath, and nothing beside it, stands in [code, AfterSubtree(code)) bytewise.
TEST(AreaCode, BoundsItsSubtreeAlsoWhenItEndsInNine) {
  for (const std::string code : {"421221106", "421221109", "421299", "4299", "99"}) {
    const std::string after = AfterSubtree(code);
    const std::string last_beneath = code + std::string(12 - code.size(), '9');
    EXPECT_LT(code, after);
    EXPECT_LT(last_beneath, after) << code;
  }
  EXPECT_GE(std::string("421221110"), AfterSubtree("421221109"));
  EXPECT_GE(std::string("421221110000"), AfterSubtree("421221109"));
  EXPECT_GE(std::string("43"), AfterSubtree("4299"));
}

}  // namespace
}  // namespace fadu
