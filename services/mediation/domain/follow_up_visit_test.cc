#include "services/mediation/domain/follow_up_visit.h"

#include <gtest/gtest.h>

#include "common/base/status.h"

namespace fadu::mediation {
namespace {

const absl::CivilDay kToday(2025, 1, 31);

v1::Dispute Settled() {
  v1::Dispute dispute;
  dispute.set_area_code("421221106200");
  dispute.set_category(v1::DISPUTE_CATEGORY_LABOUR);
  dispute.set_outcome(v1::OUTCOME_SETTLED);
  dispute.set_concluded_date("2024-03-20");
  dispute.set_agreement_form(v1::AGREEMENT_FORM_WRITTEN);
  return dispute;
}

v1::FollowUpVisit Visit(const std::string& day,
                        v1::Performance performance = v1::PERFORMANCE_PERFORMED) {
  v1::FollowUpVisit visit;
  visit.set_area_code("421221106200");
  visit.set_visited_date(day);
  visit.set_dispute("counties/421221/disputes/018f0000-0000-7000-8000-000000000001");
  visit.set_visitor_role(v1::MEMBER_ROLE_MEDIATOR);
  visit.set_mode(v1::VISIT_MODE_ON_SITE);
  visit.set_performance(performance);
  return visit;
}

v1::FollowUpVisit Of(const v1::Dispute& dispute, v1::FollowUpVisit visit, int ordinal = 1) {
  const absl::Status decided = DecideVisitOf(&dispute, ordinal, visit, WorkingCalendar::Shipped());
  EXPECT_TRUE(decided.ok()) << decided;
  return visit;
}

std::string ReasonFor(const v1::Dispute& dispute, v1::FollowUpVisit visit) {
  return ReasonOf(DecideVisitOf(&dispute, 1, visit, WorkingCalendar::Shipped()));
}

// T19: 15 calendar days after the last day for performance, counted by hand.
TEST(FollowUpVisit, TheFirstIsDueFifteenDaysAfterPerformance) {
  const struct {
    const char* concluded;
    const char* perform_by;
    const char* due;
  } cases[] = {
      {"2024-03-20", "", "2024-04-07"},  // 4 April is off, so are 5 and 6; the 7th is worked
      {"2024-03-20", "2024-04-10", "2024-04-25"},  // a Thursday
      {"2024-03-20", "2024-12-17", "2025-01-02"},  // New Year's Day is off
      {"2024-03-20", "2024-09-21", "2024-10-08"},  // 6 October is off until the 8th
  };
  for (const auto& [concluded, perform_by, due] : cases) {
    v1::Dispute dispute = Settled();
    dispute.set_concluded_date(concluded);
    dispute.set_performance_date(perform_by);
    EXPECT_EQ(Of(dispute, Visit("2024-03-20")).due_date(), due) << perform_by;
  }
}

TEST(FollowUpVisit, OnlyTheFirstCanBeLate) {
  EXPECT_FALSE(Of(Settled(), Visit("2024-04-07")).late());
  EXPECT_TRUE(Of(Settled(), Visit("2024-04-08")).late());
  EXPECT_FALSE(Of(Settled(), Visit("2024-06-03"), 2).late());
}

TEST(FollowUpVisit, SaysWhatItsDisputeIsAbout) {
  EXPECT_EQ(Of(Settled(), Visit("2024-04-01")).category(), v1::DISPUTE_CATEGORY_LABOUR);
}

TEST(FollowUpVisit, FollowsASettlement) {
  v1::Dispute terminated = Settled();
  terminated.set_outcome(v1::OUTCOME_TERMINATED);
  EXPECT_EQ(ReasonFor(terminated, Visit("2024-04-01")), "REASON_VISIT_DISPUTE");
  EXPECT_EQ(ReasonFor(Settled(), Visit("2024-03-19")), "REASON_VISIT_DATES");
  EXPECT_EQ(ReasonFor(Settled(), Visit("2024-03-20")), "");
}

TEST(FollowUpVisit, ADisputeElsewhereIsToldLikeNone) {
  v1::Dispute elsewhere = Settled();
  elsewhere.set_area_code("421221106201");
  v1::FollowUpVisit visit = Visit("2024-04-01");
  const absl::Status other = DecideVisitOf(&elsewhere, 1, visit, WorkingCalendar::Shipped());
  const absl::Status none = DecideVisitOf(nullptr, 1, visit, WorkingCalendar::Shipped());
  EXPECT_EQ(ReasonOf(other), "REASON_VISIT_DISPUTE");
  EXPECT_EQ(DetailOf(other).metadata, DetailOf(none).metadata);
}

TEST(FollowUpVisit, BeforeTheLastDayThereIsNoBreach) {
  v1::Dispute dispute = Settled();
  dispute.set_performance_date("2024-04-10");
  const auto breach = [&](const char* day) {
    return ReasonFor(dispute, Visit(day, v1::PERFORMANCE_BREACHED));
  };
  EXPECT_EQ(breach("2024-04-10"), "REASON_VISIT_BREACH");
  EXPECT_EQ(breach("2024-04-11"), "");
  dispute.set_agreement_form(v1::AGREEMENT_FORM_ON_SPOT);
  EXPECT_EQ(breach("2024-04-11"), "REASON_VISIT_BREACH");
}

TEST(FollowUpVisit, IsNotOfTheFuture) {
  EXPECT_EQ(ReasonOf(DecideVisit(nullptr, Visit("2025-01-31"), kToday)), "");
  EXPECT_EQ(ReasonOf(DecideVisit(nullptr, Visit("2025-02-01"), kToday)), "REASON_VISIT_DATES");
}

TEST(FollowUpVisit, ABreachIsNotTakenBack) {
  const v1::FollowUpVisit breach = Visit("2024-04-11", v1::PERFORMANCE_BREACHED);
  EXPECT_EQ(ReasonOf(DecideVisit(&breach, Visit("2024-04-11"), kToday)), "REASON_VISIT_BREACH");
  EXPECT_EQ(ReasonOf(DecideVisit(&breach, Visit("2024-04-12", v1::PERFORMANCE_BREACHED), kToday)),
            "REASON_VISIT_BREACH");
  v1::FollowUpVisit noted = breach;
  noted.set_note("已约谈");
  EXPECT_EQ(ReasonOf(DecideVisit(&breach, noted, kToday)), "");
}

TEST(FollowUpVisit, StaysWithItsDispute) {
  const v1::FollowUpVisit before = Visit("2024-04-01");
  v1::FollowUpVisit moved = before;
  moved.set_dispute("counties/421221/disputes/018f0000-0000-7000-8000-000000000002");
  EXPECT_EQ(ReasonOf(DecideVisit(&before, moved, kToday)), "REASON_VISIT_DISPUTE");
}

}  // namespace
}  // namespace fadu::mediation
