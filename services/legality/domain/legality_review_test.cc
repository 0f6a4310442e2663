#include "services/legality/domain/legality_review.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/status.h"

namespace fadu::legality {
namespace {

const absl::CivilDay kToday(2025, 3, 31);
const std::string kText(64, 'a');
const std::string kOtherText(64, 'b');

// A town's contract, received on Friday 1 March 2024 with all its materials.
v1::LegalityReview Contract() {
  v1::LegalityReview review;
  review.set_area_code("421221106");
  review.set_received_date("2024-03-01");
  review.set_title("示例采购合同");
  review.set_subject_kind(v1::SUBJECT_KIND_CONTRACT);
  review.set_requester("示例镇政府");
  review.set_drafter("示例甲");
  review.set_text_digest(kText);
  for (const v1::ReviewMaterial material : ChecklistOf(v1::SUBJECT_KIND_CONTRACT)) {
    review.add_materials(material);
  }
  return review;
}

v1::LegalityReview Of(v1::SubjectKind kind) {
  v1::LegalityReview review = Contract();
  review.set_subject_kind(kind);
  review.clear_materials();
  for (const v1::ReviewMaterial material : ChecklistOf(kind)) review.add_materials(material);
  return review;
}

v1::LegalityReview Opined(v1::LegalityReview review, const std::string& day,
                          v1::Opinion opinion = v1::OPINION_LAWFUL) {
  review.set_opinion(opinion);
  review.set_opinion_date(day);
  review.set_reviewer_role(v1::REVIEWER_ROLE_JUSTICE_OFFICE);
  review.set_reviewer("示例乙");
  if (opinion != v1::OPINION_LAWFUL) review.set_problems_count(1);
  return review;
}

v1::LegalityReview Used(v1::LegalityReview review, const std::string& day) {
  review.set_used_date(day);
  review.set_used_text_digest(kText);
  return review;
}

v1::ReviewPause Pause(const std::string& start, const std::string& end) {
  v1::ReviewPause pause;
  pause.set_reason(v1::PAUSE_REASON_MATERIAL);
  pause.set_start_date(start);
  pause.set_end_date(end);
  return pause;
}

v1::Recheck Recheck(const std::string& day, const std::string& digest, bool passed) {
  v1::Recheck recheck;
  recheck.set_check_date(day);
  recheck.set_text_digest(digest);
  recheck.set_passed(passed);
  return recheck;
}

absl::Status Decide(v1::LegalityReview& after, const v1::LegalityReview* before = nullptr,
                    bool may_opine = true) {
  return DecideReview(before, after, kToday, may_opine, WorkingCalendar::Shipped());
}

std::string ReasonFor(v1::LegalityReview after, const v1::LegalityReview* before = nullptr) {
  return ReasonOf(Decide(after, before));
}

v1::LegalityReview Decided(v1::LegalityReview review, const std::vector<v1::LocalTerm>& local = {},
                           absl::CivilDay today = kToday) {
  EXPECT_TRUE(Decide(review).ok()) << Decide(review);
  SetDue(review, local, today, WorkingCalendar::Shipped());
  return review;
}

// ---- states ------------------------------------------------------------------------------------

// The table in legality_review.h, cell by cell.
TEST(LegalityReview, MovesAreThoseOfTheTable) {
  constexpr bool kTable[6][6] = {// REVIEWING PAUSED OPINED REPLIED USED CLOSED
                                 {true, true, true, true, true, true},        // REVIEWING
                                 {true, true, true, true, true, true},        // PAUSED
                                 {false, false, true, true, true, false},     // OPINED
                                 {false, false, false, true, true, false},    // REPLIED
                                 {false, false, false, false, true, false},   // USED
                                 {false, false, false, false, false, true}};  // CLOSED
  for (int from = 0; from < 6; ++from) {
    for (int to = 0; to < 6; ++to) {
      EXPECT_EQ(MayMove(static_cast<v1::LegalityReviewState>(from + 1),
                        static_cast<v1::LegalityReviewState>(to + 1)),
                kTable[from][to])
          << from << " → " << to;
    }
  }
}

TEST(LegalityReview, StateFollowsFromWhatIsFilledIn) {
  EXPECT_EQ(Decided(Contract()).state(), v1::LEGALITY_REVIEW_STATE_REVIEWING);
  v1::LegalityReview paused = Contract();
  *paused.add_pauses() = Pause("2024-03-04", "");
  EXPECT_EQ(Decided(paused).state(), v1::LEGALITY_REVIEW_STATE_PAUSED);
  v1::LegalityReview review = Opined(Contract(), "2024-03-06");
  EXPECT_EQ(Decided(review).state(), v1::LEGALITY_REVIEW_STATE_OPINED);
  review.set_adoption(v1::ADOPTION_ADOPTED);
  review.set_reply_date("2024-03-07");
  EXPECT_EQ(Decided(review).state(), v1::LEGALITY_REVIEW_STATE_REPLIED);
  EXPECT_EQ(Decided(Used(review, "2024-03-08")).state(), v1::LEGALITY_REVIEW_STATE_USED);
  v1::LegalityReview closed = Contract();
  closed.set_closing(v1::CLOSING_WITHDRAWN);
  closed.set_close_date("2024-03-04");
  closed.set_close_reason("项目取消");
  EXPECT_EQ(Decided(closed).state(), v1::LEGALITY_REVIEW_STATE_CLOSED);
}

TEST(LegalityReview, AnOpinionIsNotTakenBack) {
  const v1::LegalityReview before = Opined(Contract(), "2024-03-06");
  EXPECT_EQ(ReasonFor(Contract(), &before), "REASON_REVIEW_STATE");
}

TEST(LegalityReview, OwnerFollowsFromTheArea) {
  v1::LegalityReview review = Contract();
  EXPECT_EQ(Decided(review).owner_level(), v1::OWNER_LEVEL_TOWN);
  review.set_area_code("421221106200");
  EXPECT_EQ(Decided(review).owner_level(), v1::OWNER_LEVEL_VILLAGE);
  review.set_area_code("421221");
  EXPECT_EQ(Decided(review).owner_level(), v1::OWNER_LEVEL_COUNTY);
}

// ---- intake ------------------------------------------------------------------------------------

// E1: an incomplete intake is refused with the list of what is missing.
TEST(LegalityReview, IncompleteMaterialsAreRefusedWithTheirList) {
  v1::LegalityReview review = Contract();
  review.clear_materials();
  review.add_materials(v1::REVIEW_MATERIAL_DRAFT);
  review.add_materials(v1::REVIEW_MATERIAL_APPROVAL);
  review.add_materials(v1::REVIEW_MATERIAL_OWN_OPINION);
  review.add_not_applicable(v1::REVIEW_MATERIAL_BUDGET);
  const absl::Status refused = Decide(review);
  EXPECT_EQ(ReasonOf(refused), "REASON_REVIEW_MATERIALS");
  EXPECT_EQ(DetailOf(refused).metadata.at("missing"), "对方资质资信、背景及谈判记录");
}

TEST(LegalityReview, TheDraftAlwaysApplies) {
  v1::LegalityReview review = Of(v1::SUBJECT_KIND_OTHER);
  review.clear_materials();
  review.add_materials(v1::REVIEW_MATERIAL_BASIS);
  review.add_not_applicable(v1::REVIEW_MATERIAL_DRAFT);
  EXPECT_EQ(ReasonFor(review), "REASON_REVIEW_MATERIALS");
}

TEST(LegalityReview, TextsThatAreComparedNeedADigest) {
  v1::LegalityReview review = Contract();
  review.clear_text_digest();
  EXPECT_EQ(ReasonFor(review), "REASON_REVIEW_INCOMPLETE");
  review.set_text_digest(std::string(64, 'A'));
  EXPECT_EQ(ReasonFor(review), "REASON_REVIEW_INCOMPLETE");
  review = Of(v1::SUBJECT_KIND_TENDER);
  review.clear_text_digest();
  EXPECT_EQ(ReasonFor(review), "");
}

// ---- the clock ---------------------------------------------------------------------------------

// Working days of 2024 (State Council notice of 2023-10-25), counted by hand.
TEST(LegalityReview, ContractsHaveFiveWorkingDays) {
  const struct {
    const char* received;
    const char* due;
  } cases[] = {
      {"2024-03-01", "2024-03-08"},  // 4–8 March
      {"2024-02-07",
       "2024-02-20"},  // 8, 9 Feb, then 18 (a Sunday worked), 19, 20 after the festival
      {"2024-09-30", "2024-10-12"},  // 8–11 October and Saturday the 12th, worked
      {"2024-12-27", "2025-01-06"},  // 30, 31 December, 2, 3 and 6 January; the 1st is off
  };
  for (const auto& [received, due] : cases) {
    v1::LegalityReview review = Contract();
    review.set_received_date(received);
    EXPECT_EQ(Decided(review).due_date(), due) << received;
  }
}

// T14: 5 more; 4–15 March.
TEST(LegalityReview, ComplexMattersHaveFiveMore) {
  v1::LegalityReview review = Contract();
  review.set_complex(true);
  EXPECT_EQ(Decided(review).due_date(), "2024-03-15");
}

// 115号: at most 15 working days: 4–8, 11–15, 18–22 March. Complex or not.
TEST(LegalityReview, NormativeDocumentsHaveFifteenWorkingDays) {
  v1::LegalityReview review = Of(v1::SUBJECT_KIND_NORMATIVE_DOCUMENT);
  EXPECT_EQ(Decided(review).due_date(), "2024-03-22");
  review.set_complex(true);
  EXPECT_EQ(Decided(review).due_date(), "2024-03-22");
}

// E2: the clock stands while material is asked for. 4, 11, 12, 13, 14 March.
TEST(LegalityReview, PausesDoNotCount) {
  v1::LegalityReview review = Contract();
  *review.add_pauses() = Pause("2024-03-05", "2024-03-08");
  EXPECT_EQ(Decided(review).due_date(), "2024-03-14");
  EXPECT_FALSE(Decided(review).due_provisional());
}

// 4 March ran; the rest of the five is still to come after today, Friday 15 March: 18–21.
TEST(LegalityReview, AnOpenPauseMovesTheDueDateWithToday) {
  v1::LegalityReview review = Contract();
  *review.add_pauses() = Pause("2024-03-05", "");
  const v1::LegalityReview decided = Decided(review, {}, absl::CivilDay(2024, 3, 15));
  EXPECT_EQ(decided.due_date(), "2024-03-21");
  EXPECT_TRUE(decided.due_provisional());
}

TEST(LegalityReview, NoOpinionWhileTheClockStands) {
  v1::LegalityReview review = Opined(Contract(), "2024-03-06");
  *review.add_pauses() = Pause("2024-03-05", "");
  EXPECT_EQ(ReasonFor(review), "REASON_REVIEW_DATES");
  *review.mutable_pauses(0) = Pause("2024-03-05", "2024-03-06");
  EXPECT_EQ(ReasonFor(review), "");
}

TEST(LegalityReview, WorkingDaysTakenLeavePausesAndHolidaysOut) {
  // 30 December, 2 and 3 January: the 31st lies in the pause, the 1st is a holiday.
  v1::LegalityReview review = Contract();
  review.set_received_date("2024-12-27");
  *review.add_pauses() = Pause("2024-12-31", "2024-12-31");
  EXPECT_EQ(Decided(Opined(review, "2025-01-03")).working_days(), 3);
}

TEST(LegalityReview, LateIsTheDayAfterTheDueDate) {
  EXPECT_FALSE(Decided(Opined(Contract(), "2024-03-08")).late());
  EXPECT_TRUE(Decided(Opined(Contract(), "2024-03-11")).late());
}

TEST(LegalityReview, ALocalTermReplacesCommonPractice) {
  v1::LocalTerm term;
  term.set_area_code("421221");
  term.set_start_date("2024-01-01");
  term.set_kind(v1::TERM_KIND_CONTRACT_REVIEW);
  term.set_days(7);
  term.set_unit(v1::TERM_UNIT_WORKING_DAYS);
  term.set_basis("示例办法");
  const v1::LegalityReview decided = Decided(Contract(), {term});
  EXPECT_EQ(decided.due_date(), "2024-03-12");  // 4–8, 11, 12 March
  EXPECT_EQ(decided.due_basis(), "7个工作日（示例办法）");
}

// Invariant 11: fewer than 5 working days need an emergency with a reason; more than 15 are late.
TEST(LegalityReview, Invariant11NormativeDocumentsTakeFiveToFifteenWorkingDays) {
  const v1::LegalityReview review = Of(v1::SUBJECT_KIND_NORMATIVE_DOCUMENT);
  v1::LegalityReview quick = Opined(review, "2024-03-07");  // 4–7 March: 4 days
  EXPECT_EQ(ReasonFor(quick), "REASON_REVIEW_TOO_SHORT");
  quick.set_emergency(true);
  EXPECT_EQ(ReasonFor(quick), "REASON_REVIEW_INCOMPLETE");
  quick.set_emergency_reason("防汛应急");
  EXPECT_EQ(ReasonFor(quick), "");
  EXPECT_EQ(ReasonFor(Opined(review, "2024-03-08")), "");
  EXPECT_FALSE(Decided(Opined(review, "2024-03-22")).late());
  EXPECT_TRUE(Decided(Opined(review, "2024-03-25")).late());
}

TEST(LegalityReview, AnEmergencyWaivesTheTerm) {
  v1::LegalityReview review = Opined(Contract(), "2024-03-25");
  review.set_emergency(true);
  review.set_emergency_reason("抢险");
  EXPECT_FALSE(Decided(review).late());
}

// Invariant 18: at least 7 working days for a major decision: 4–8, 11, 12 March.
TEST(LegalityReview, Invariant18DecisionsGiveTheReviewerSevenWorkingDays) {
  const v1::LegalityReview review = Of(v1::SUBJECT_KIND_MAJOR_DECISION);
  EXPECT_EQ(ReasonFor(Opined(review, "2024-03-11")), "REASON_REVIEW_TOO_SHORT");
  EXPECT_EQ(ReasonFor(Opined(review, "2024-03-12")), "");
}

// ---- the opinion -------------------------------------------------------------------------------

// Invariant 10: reviewer ≠ drafter.
TEST(LegalityReview, Invariant10TheReviewerDidNotDraftTheText) {
  v1::LegalityReview review = Opined(Contract(), "2024-03-06");
  review.set_reviewer(" 示例甲 ");
  EXPECT_EQ(ReasonFor(review), "REASON_REVIEWER_IS_DRAFTER");
}

// Invariant 10: nobody else's opinion stands for the review body's.
TEST(LegalityReview, Invariant10AnAdviserDoesNotStandForTheReviewBody) {
  for (const v1::SubjectKind kind :
       {v1::SUBJECT_KIND_NORMATIVE_DOCUMENT, v1::SUBJECT_KIND_MAJOR_DECISION,
        v1::SUBJECT_KIND_ENFORCEMENT_DECISION}) {
    v1::LegalityReview review = Opined(Of(kind), "2024-03-15");
    EXPECT_EQ(ReasonFor(review), "");
    review.set_reviewer_role(v1::REVIEWER_ROLE_LEGAL_ADVISER);
    EXPECT_EQ(ReasonFor(review), "REASON_REVIEW_INCOMPLETE");
  }
  v1::LegalityReview contract = Opined(Contract(), "2024-03-06");
  contract.set_reviewer_role(v1::REVIEWER_ROLE_LEGAL_ADVISER);
  EXPECT_EQ(ReasonFor(contract), "");
}

TEST(LegalityReview, OnlyAReviewerGivesAnOpinion) {
  v1::LegalityReview asked = Contract();
  EXPECT_TRUE(Decide(asked, nullptr, /*may_opine=*/false).ok());
  v1::LegalityReview opined = Opined(asked, "2024-03-06");
  EXPECT_EQ(ReasonOf(Decide(opined, &asked, /*may_opine=*/false)), "REASON_REVIEW_ROLE");
  // What the requester fills in later is its own.
  ASSERT_TRUE(Decide(opined, &asked).ok());
  v1::LegalityReview replied = opined;
  replied.set_adoption(v1::ADOPTION_ADOPTED);
  replied.set_reply_date("2024-03-07");
  EXPECT_TRUE(Decide(replied, &opined, /*may_opine=*/false).ok());
  v1::LegalityReview rechecked = opined;
  *rechecked.add_rechecks() = Recheck("2024-03-07", kOtherText, true);
  EXPECT_EQ(ReasonOf(Decide(rechecked, &opined, /*may_opine=*/false)), "REASON_REVIEW_ROLE");
}

TEST(LegalityReview, AnOpinionComesWithItsParts) {
  v1::LegalityReview review = Opined(Contract(), "2024-03-06");
  review.clear_reviewer();
  EXPECT_EQ(ReasonFor(review), "REASON_REVIEW_INCOMPLETE");
  review = Opined(Contract(), "2024-03-06", v1::OPINION_MODIFY);
  review.set_problems_count(0);
  EXPECT_EQ(ReasonFor(review), "REASON_REVIEW_INCOMPLETE");
  review = Contract();
  review.set_opinions_count(2);
  EXPECT_EQ(ReasonFor(review), "REASON_REVIEW_INCOMPLETE");
}

TEST(LegalityReview, DatesFollowEachOther) {
  EXPECT_EQ(ReasonFor(Opined(Contract(), "2024-02-29")), "REASON_REVIEW_DATES");
  EXPECT_EQ(ReasonFor(Opined(Contract(), "2025-04-01")), "REASON_REVIEW_DATES");
  v1::LegalityReview review = Contract();
  review.set_received_date("2025-04-01");
  EXPECT_EQ(ReasonFor(review), "REASON_REVIEW_DATES");
  review = Contract();
  *review.add_pauses() = Pause("2024-02-29", "2024-03-04");
  EXPECT_EQ(ReasonFor(review), "REASON_REVIEW_DATES");
  *review.mutable_pauses(0) = Pause("2024-03-04", "2024-03-01");
  EXPECT_EQ(ReasonFor(review), "REASON_REVIEW_DATES");
}

// 115号: who does not adopt all of it says why.
TEST(LegalityReview, WhatIsNotAdoptedHasAReason) {
  v1::LegalityReview review = Opined(Contract(), "2024-03-06", v1::OPINION_MODIFY);
  review.set_adoption(v1::ADOPTION_PARTLY);
  review.set_reply_date("2024-03-07");
  EXPECT_EQ(ReasonFor(review), "REASON_REVIEW_INCOMPLETE");
  review.set_adoption_reason("对方坚持原付款节点");
  EXPECT_EQ(ReasonFor(review), "");
}

// Invariant 23.
TEST(LegalityReview, Invariant23AGovernmentsGuaranteeIsAlwaysFlagged) {
  v1::LegalityReview review = Opined(Contract(), "2024-03-06");
  review.set_government_guarantor(true);
  EXPECT_EQ(ReasonFor(review), "REASON_REVIEW_GUARANTOR");
  EXPECT_EQ(ReasonFor(Opined(review, "2024-03-06", v1::OPINION_UNLAWFUL)), "");
  review.set_guarantor_basis("国务院批准使用外国政府贷款转贷（示例）");
  EXPECT_EQ(ReasonFor(review), "");
}

// ---- passing and use ---------------------------------------------------------------------------

TEST(LegalityReview, PassesByItsOpinionOrByTheLastRecheck) {
  v1::LegalityReview review = Opined(Contract(), "2024-03-06", v1::OPINION_MODIFY);
  EXPECT_FALSE(PassedBy(review, "2024-03-31"));
  *review.add_rechecks() = Recheck("2024-03-11", kOtherText, true);
  EXPECT_FALSE(PassedBy(review, "2024-03-10"));
  EXPECT_TRUE(PassedBy(review, "2024-03-11"));
  EXPECT_EQ(LastDigest(review), kOtherText);
  *review.add_rechecks() = Recheck("2024-03-13", kText, false);
  EXPECT_TRUE(PassedBy(review, "2024-03-12"));
  EXPECT_FALSE(PassedBy(review, "2024-03-13"));
}

// Invariant 8: from UNLAWFUL there is no way on but a new review.
TEST(LegalityReview, Invariant8AnUnlawfulTextNeverPasses) {
  v1::LegalityReview review = Opined(Contract(), "2024-03-06", v1::OPINION_UNLAWFUL);
  *review.add_rechecks() = Recheck("2024-03-11", kOtherText, true);
  EXPECT_EQ(ReasonFor(review), "REASON_REVIEW_INCOMPLETE");
  EXPECT_FALSE(PassedBy(review, "2024-12-31"));
}

// Invariant 22: no contract signed without an opinion, none on another text than the reviewed one.
TEST(LegalityReview, Invariant22NoContractIsSignedWithoutAnOpinion) {
  EXPECT_EQ(ReasonFor(Used(Contract(), "2024-03-08")), "REASON_REVIEW_NOT_PASSED");
  EXPECT_EQ(ReasonFor(Used(Opined(Contract(), "2024-03-06"), "2024-03-08")), "");
}

TEST(LegalityReview, Invariant22TheSignedTextIsTheReviewedOne) {
  v1::LegalityReview review = Used(Opined(Contract(), "2024-03-06"), "2024-03-08");
  review.set_used_text_digest(kOtherText);
  EXPECT_EQ(ReasonFor(review), "REASON_TEXT_CHANGED");
  // The amended text comes back to the reviewer first.
  *review.add_rechecks() = Recheck("2024-03-07", kOtherText, true);
  EXPECT_EQ(ReasonFor(review), "");
  review.clear_used_text_digest();
  EXPECT_EQ(ReasonFor(review), "REASON_REVIEW_INCOMPLETE");
}

TEST(LegalityReview, AContractSignedAgainstTheOpinionSaysWhy) {
  v1::LegalityReview review =
      Used(Opined(Contract(), "2024-03-06", v1::OPINION_UNLAWFUL), "2024-03-08");
  EXPECT_EQ(ReasonFor(review), "REASON_REVIEW_NOT_PASSED");
  review.set_adoption(v1::ADOPTION_REJECTED);
  review.set_reply_date("2024-03-07");
  review.set_adoption_reason("已报县政府批准");
  EXPECT_EQ(ReasonFor(review), "");
}

TEST(LegalityReview, AReviewAfterSigningIsRecordedAsSuch) {
  v1::LegalityReview review = Used(Opined(Contract(), "2024-03-06"), "2024-03-04");
  EXPECT_EQ(ReasonFor(review), "REASON_REVIEW_INCOMPLETE");
  review.set_after_reason("应急采购，先签后审");
  EXPECT_EQ(Decided(review).timing(), v1::TIMING_AFTER);
  EXPECT_EQ(Decided(Used(Opined(Contract(), "2024-03-06"), "2024-03-06")).timing(),
            v1::TIMING_BEFORE);
}

// Invariants 6, 18 and 40: no normative document, decision or enforcement decision after the fact.
TEST(LegalityReview, Invariant18GatesNeedAPassedReviewBefore) {
  for (const v1::SubjectKind kind :
       {v1::SUBJECT_KIND_NORMATIVE_DOCUMENT, v1::SUBJECT_KIND_MAJOR_DECISION,
        v1::SUBJECT_KIND_ENFORCEMENT_DECISION}) {
    v1::LegalityReview review = Used(Opined(Of(kind), "2024-03-15"), "2024-03-14");
    review.set_after_reason("补审");
    EXPECT_EQ(ReasonFor(review), "REASON_REVIEW_NOT_PASSED") << kind;
    EXPECT_EQ(ReasonFor(Used(Opined(Of(kind), "2024-03-15"), "2024-03-15")), "") << kind;
    EXPECT_EQ(ReasonFor(Used(Opined(Of(kind), "2024-03-15", v1::OPINION_UNLAWFUL), "2024-03-15")),
              "REASON_REVIEW_NOT_PASSED")
        << kind;
  }
}

TEST(LegalityReview, ClosingComesWithItsReasonAndWithoutAnOpinion) {
  v1::LegalityReview review = Contract();
  review.set_closing(v1::CLOSING_RETURNED);
  review.set_close_date("2024-03-04");
  EXPECT_EQ(ReasonFor(review), "REASON_REVIEW_INCOMPLETE");
  review.set_close_reason("不属于审查范围");
  EXPECT_EQ(ReasonFor(review), "");
  EXPECT_EQ(ReasonFor(Opined(review, "2024-03-06")), "REASON_REVIEW_INCOMPLETE");
}

}  // namespace
}  // namespace fadu::legality
