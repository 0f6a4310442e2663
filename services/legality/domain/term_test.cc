#include "services/legality/domain/term.h"

#include <gtest/gtest.h>

#include "common/base/status.h"

namespace fadu::legality {
namespace {

v1::LocalTerm FilingTerm(const std::string& start, const std::string& end = "") {
  v1::LocalTerm term;
  term.set_area_code("421221");
  term.set_start_date(start);
  term.set_end_date(end);
  term.set_kind(v1::TERM_KIND_FILING);
  term.set_days(5);
  term.set_unit(v1::TERM_UNIT_WORKING_DAYS);
  term.set_basis("示例办法第八条");
  return term;
}

TEST(Term, WithoutALocalOneIsCommonPractice) {
  const absl::CivilDay day(2024, 5, 6);
  // Domain §17: T5 15 calendar days, T14 5 working days and 5 more.
  EXPECT_EQ(TermOn(v1::TERM_KIND_FILING, day, {}).rule.amount, 15);
  EXPECT_EQ(TermOn(v1::TERM_KIND_FILING, day, {}).rule.unit, DayUnit::kCalendarDays);
  for (const v1::TermKind kind : {v1::TERM_KIND_CONTRACT_REVIEW, v1::TERM_KIND_COMPLEX_EXTENSION}) {
    EXPECT_EQ(TermOn(kind, day, {}).rule.amount, 5);
    EXPECT_EQ(TermOn(kind, day, {}).rule.unit, DayUnit::kWorkingDays);
  }
}

TEST(Term, ALocalOneHoldsFromItsFirstToItsLastDay) {
  const std::vector<v1::LocalTerm> local = {FilingTerm("2024-03-01", "2024-12-31")};
  const auto days = [&](absl::CivilDay day) {
    return TermOn(v1::TERM_KIND_FILING, day, local).rule.amount;
  };
  EXPECT_EQ(days(absl::CivilDay(2024, 2, 29)), 15);
  EXPECT_EQ(days(absl::CivilDay(2024, 3, 1)), 5);
  EXPECT_EQ(days(absl::CivilDay(2024, 12, 31)), 5);
  EXPECT_EQ(days(absl::CivilDay(2025, 1, 1)), 15);
  EXPECT_EQ(TermOn(v1::TERM_KIND_FILING, absl::CivilDay(2024, 3, 1), local).basis,
            "示例办法第八条");
}

TEST(Term, AnotherKindDoesNotBorrowIt) {
  const std::vector<v1::LocalTerm> local = {FilingTerm("2024-03-01")};
  EXPECT_EQ(TermOn(v1::TERM_KIND_CONTRACT_REVIEW, absl::CivilDay(2024, 6, 3), local).basis,
            "各地通行的5个工作日");
}

TEST(Term, IsOfACountyAndEndsAfterItBegins) {
  v1::LocalTerm term = FilingTerm("2024-03-01");
  EXPECT_TRUE(CheckTerm(term).ok());
  term.set_end_date("2024-02-29");
  EXPECT_EQ(ReasonOf(CheckTerm(term)), "REASON_TERM_INVALID");
  term = FilingTerm("2024-03-01");
  term.set_area_code("421221106");
  EXPECT_EQ(ReasonOf(CheckTerm(term)), "REASON_TERM_INVALID");
}

TEST(Term, ReviewsRunInWorkingDays) {
  v1::LocalTerm term = FilingTerm("2024-03-01");
  term.set_kind(v1::TERM_KIND_CONTRACT_REVIEW);
  term.set_unit(v1::TERM_UNIT_CALENDAR_DAYS);
  EXPECT_EQ(ReasonOf(CheckTerm(term)), "REASON_TERM_INVALID");
  term.set_unit(v1::TERM_UNIT_WORKING_DAYS);
  EXPECT_TRUE(CheckTerm(term).ok());
}

TEST(Term, TwoOfOneKindAreNeverInForceOnOneDay) {
  const v1::LocalTerm spring = FilingTerm("2024-03-01", "2024-06-30");
  const struct {
    v1::LocalTerm term;
    bool overlaps;
  } cases[] = {{FilingTerm("2024-07-01"), false},
               {FilingTerm("2024-06-30"), true},
               {FilingTerm("2024-01-01", "2024-02-29"), false},
               {FilingTerm("2024-01-01", "2024-03-01"), true},
               {FilingTerm("2024-01-01"), true},
               {FilingTerm("2024-04-01", "2024-04-30"), true}};
  for (const auto& [term, overlaps] : cases) {
    EXPECT_EQ(ReasonOf(CheckOverlap(term, {spring})), overlaps ? "REASON_TERM_OVERLAP" : "")
        << term.start_date() << " " << term.end_date();
  }
  v1::LocalTerm contract = FilingTerm("2024-04-01");
  contract.set_kind(v1::TERM_KIND_CONTRACT_REVIEW);
  EXPECT_TRUE(CheckOverlap(contract, {spring}).ok());
}

}  // namespace
}  // namespace fadu::legality
