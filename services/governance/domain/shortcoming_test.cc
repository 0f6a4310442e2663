#include "services/governance/domain/shortcoming.h"

#include <functional>

#include <gtest/gtest.h>

#include "common/base/status.h"

namespace fadu::governance {
namespace {

const absl::CivilDay kToday(2024, 12, 31);

// A shortcoming that has come as far as `state`.
v1::Shortcoming In(v1::ShortcomingState state) {
  v1::Shortcoming shortcoming;
  shortcoming.set_area_code("421221106");
  shortcoming.set_found_date("2024-02-01");
  shortcoming.set_statement("法律宣传存在死角");
  shortcoming.set_source(v1::SHORTCOMING_SOURCE_SELF_CHECK);
  const auto reaches = [&](v1::ShortcomingState step) {
    return state >= step &&
           (state <= v1::SHORTCOMING_STATE_CLOSED || state == v1::SHORTCOMING_STATE_REOPENED);
  };
  if (reaches(v1::SHORTCOMING_STATE_CAUSE_ANALYSED)) shortcoming.set_cause("人手不足");
  if (reaches(v1::SHORTCOMING_STATE_ASSIGNED)) {
    shortcoming.set_owner("示例司法所");
    shortcoming.set_due_date("2024-09-30");
  }
  if (reaches(v1::SHORTCOMING_STATE_IN_PROGRESS)) shortcoming.set_started_date("2024-03-01");
  if (reaches(v1::SHORTCOMING_STATE_SELF_CHECKED)) shortcoming.set_checked_date("2024-08-01");
  if (reaches(v1::SHORTCOMING_STATE_VERIFIED)) {
    shortcoming.set_verified_date("2024-08-20");
    shortcoming.set_verifier("示例县司法局");
  }
  if (reaches(v1::SHORTCOMING_STATE_CLOSED)) shortcoming.set_closed_date("2024-08-21");
  if (state == v1::SHORTCOMING_STATE_REOPENED) shortcoming.set_reopened_date("2024-11-01");
  if (state == v1::SHORTCOMING_STATE_CARRIED_OVER) shortcoming.set_carried_date("2024-12-31");
  return shortcoming;
}

constexpr int kStates = v1::SHORTCOMING_STATE_REOPENED;

TEST(Shortcoming, StandsWhereItsContentSays) {
  for (int state = 1; state <= kStates; ++state) {
    v1::Shortcoming shortcoming = In(static_cast<v1::ShortcomingState>(state));
    ASSERT_EQ(ReasonOf(DecideShortcoming(nullptr, shortcoming, kToday)), "") << state;
    EXPECT_EQ(shortcoming.state(), state);
  }
}

// Columns and rows: identified, cause, assigned, in progress, self-checked, verified, closed,
// carried over, reopened.
TEST(Shortcoming, MovesAsItsTableSays) {
  const char* table[kStates] = {"xxxxxxxx.", ".xxxxxxx.", "..xxxxxx.", "...xxxxx.", "....xxxx.",
                                ".....xxx.", "......x.x", "......xxx", "......xxx"};
  for (int from = 1; from <= kStates; ++from) {
    for (int to = 1; to <= kStates; ++to) {
      EXPECT_EQ(
          MayMove(static_cast<v1::ShortcomingState>(from), static_cast<v1::ShortcomingState>(to)),
          table[from - 1][to - 1] == 'x')
          << from << " to " << to;
    }
  }
}

TEST(Shortcoming, WhatIsClosedIsNotUnclosed) {
  const v1::Shortcoming closed = In(v1::SHORTCOMING_STATE_CLOSED);
  v1::Shortcoming verified = In(v1::SHORTCOMING_STATE_VERIFIED);
  EXPECT_EQ(ReasonOf(DecideShortcoming(&closed, verified, kToday)), "REASON_GOVERNANCE_STATE");
  v1::Shortcoming relapsed = In(v1::SHORTCOMING_STATE_REOPENED);
  EXPECT_EQ(ReasonOf(DecideShortcoming(&closed, relapsed, kToday)), "");
  v1::Shortcoming again = relapsed;
  again.set_closed_date("2024-12-20");
  EXPECT_EQ(ReasonOf(DecideShortcoming(&relapsed, again, kToday)), "");
  EXPECT_EQ(again.state(), v1::SHORTCOMING_STATE_CLOSED);
}

TEST(Shortcoming, TakesNoStepBeforeTheOneBeforeIt) {
  const std::vector<std::pair<const char*, std::function<void(v1::Shortcoming&)>>> leaps = {
      {"an owner without a cause", [](auto& s) { s.clear_cause(); }},
      {"an owner without a due date", [](auto& s) { s.clear_due_date(); }},
      {"work without an owner",
       [](auto& s) {
         s.clear_owner();
         s.clear_due_date();
       }},
      {"a self-check without work", [](auto& s) { s.clear_started_date(); }},
      {"a verification without a self-check", [](auto& s) { s.clear_checked_date(); }},
      {"a verification by nobody", [](auto& s) { s.clear_verifier(); }},
      {"the owner's own verification", [](auto& s) { s.set_verifier(s.owner()); }},
      {"a closing without a verification", [](auto& s) {
         s.clear_verified_date();
         s.clear_verifier();
       }}};
  for (const auto& [what, leap] : leaps) {
    v1::Shortcoming shortcoming = In(v1::SHORTCOMING_STATE_CLOSED);
    leap(shortcoming);
    EXPECT_EQ(ReasonOf(DecideShortcoming(nullptr, shortcoming, kToday)),
              "REASON_SHORTCOMING_INCOMPLETE")
        << what;
  }
  v1::Shortcoming shortcoming = In(v1::SHORTCOMING_STATE_VERIFIED);
  shortcoming.set_reopened_date("2024-11-01");
  EXPECT_EQ(ReasonOf(DecideShortcoming(nullptr, shortcoming, kToday)),
            "REASON_SHORTCOMING_INCOMPLETE");
}

TEST(Shortcoming, DatesFollowEachOtherUpToToday) {
  const std::vector<std::function<void(v1::Shortcoming&)>> mistakes = {
      [](auto& s) { s.set_found_date("2025-01-01"); },
      [](auto& s) { s.set_started_date("2024-01-31"); },
      [](auto& s) { s.set_checked_date("2024-02-29"); },
      [](auto& s) { s.set_verified_date("2024-07-31"); },
      [](auto& s) { s.set_closed_date("2024-08-19"); },
      [](auto& s) { s.set_closed_date("2025-01-01"); },
      [](auto& s) { s.set_due_date("2024-01-31"); }};
  for (size_t i = 0; i < mistakes.size(); ++i) {
    v1::Shortcoming shortcoming = In(v1::SHORTCOMING_STATE_CLOSED);
    mistakes[i](shortcoming);
    EXPECT_EQ(ReasonOf(DecideShortcoming(nullptr, shortcoming, kToday)), "REASON_GOVERNANCE_DATES")
        << i;
  }
}

v1::PlanItem Item() {
  v1::PlanItem item;
  item.set_area_code("421221106");
  item.set_adopted_date("2024-12-20");
  item.set_year(2025);
  item.set_block("狠抓法治宣传");
  item.set_goal("落实谁执法谁普法责任制");
  item.set_owner("示例司法所");
  item.set_due_date("2025-12-31");
  return item;
}

TEST(PlanItem, IsDueInItsYear) {
  v1::PlanItem item = Item();
  EXPECT_EQ(ReasonOf(DecidePlanItem(nullptr, item, kToday)), "");
  EXPECT_EQ(item.state(), v1::PLAN_STATE_PLANNED);
  item.set_due_date("2026-01-01");
  EXPECT_EQ(ReasonOf(DecidePlanItem(nullptr, item, kToday)), "REASON_PLAN_INCOMPLETE");
}

TEST(PlanItem, IsDoneOrDroppedOnceAndForAll) {
  const absl::CivilDay later(2025, 6, 30);
  const v1::PlanItem planned = Item();
  v1::PlanItem done = Item();
  done.set_done_date("2025-06-01");
  EXPECT_EQ(ReasonOf(DecidePlanItem(&planned, done, later)), "");
  EXPECT_EQ(done.state(), v1::PLAN_STATE_DONE);
  v1::PlanItem undone = Item();
  EXPECT_EQ(ReasonOf(DecidePlanItem(&done, undone, later)), "REASON_GOVERNANCE_STATE");
  v1::PlanItem both = done;
  both.set_dropped_reason("并入其他事项");
  EXPECT_EQ(ReasonOf(DecidePlanItem(&planned, both, later)), "REASON_PLAN_INCOMPLETE");
  v1::PlanItem early = Item();
  early.set_done_date("2024-12-19");
  EXPECT_EQ(ReasonOf(DecidePlanItem(&planned, early, later)), "REASON_GOVERNANCE_DATES");
}

TEST(PlanItem, AnswersAShortcomingOnce) {
  v1::PlanItem item = Item();
  item.add_shortcoming_ids("018f0000-0000-7000-8000-000000000001");
  EXPECT_EQ(ReasonOf(DecidePlanItem(nullptr, item, kToday)), "");
  item.add_shortcoming_ids("018f0000-0000-7000-8000-000000000001");
  EXPECT_EQ(ReasonOf(DecidePlanItem(nullptr, item, kToday)), "REASON_PLAN_INCOMPLETE");
}

}  // namespace
}  // namespace fadu::governance
