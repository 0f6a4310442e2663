#include "services/registry/domain/laws.h"

#include "common/base/status.h"
#include "gtest/gtest.h"

namespace fadu::registry {
namespace {

// 11500230008689762A is a real organ's (reference/domain.md §1.2).
TEST(Uscc, HasTheRightCheckCharacter) {
  EXPECT_TRUE(IsUscc("11500230008689762A"));
  EXPECT_FALSE(IsUscc("11500230008689762B"));
  EXPECT_FALSE(IsUscc("11500230008689726A"));  // two digits changed places
  EXPECT_FALSE(IsUscc("11500230008689762"));
  EXPECT_FALSE(IsUscc("11500230008689762a"));
  EXPECT_FALSE(IsUscc("1150023000868976IA"));  // I is not in the alphabet
}

TEST(Organisation, MayHaveNoCode) {
  v1::Organisation organisation;
  EXPECT_TRUE(CheckOrganisation(organisation).ok());
  organisation.set_uscc("11500230008689762B");
  EXPECT_EQ(ReasonOf(CheckOrganisation(organisation)), "REASON_USCC_INVALID");
}

TEST(Person, EndsOnTheFirstDayAtTheEarliest) {
  v1::Person person;
  person.set_start_date("2024-03-01");
  EXPECT_TRUE(CheckPerson(person).ok());
  person.set_end_date("2024-03-01");
  EXPECT_TRUE(CheckPerson(person).ok());
  person.set_end_date("2024-02-29");
  EXPECT_EQ(ReasonOf(CheckPerson(person)), "REASON_PERSON_DATES");
}

TEST(Denominator, IsOfAYearNextToItsDay) {
  v1::Denominator denominator;
  denominator.set_as_of_date("2023-12-31");
  for (const int year : {2022, 2023, 2024}) {
    denominator.set_year(year);
    EXPECT_TRUE(CheckDenominator(denominator).ok()) << year;
  }
  denominator.set_year(2025);
  EXPECT_EQ(ReasonOf(CheckDenominator(denominator)), "REASON_DENOMINATOR_YEAR");
}

}  // namespace
}  // namespace fadu::registry
