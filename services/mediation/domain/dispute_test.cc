#include "services/mediation/domain/dispute.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/status.h"

namespace fadu::mediation {
namespace {

const absl::CivilDay kToday(2024, 12, 31);

v1::Dispute Found() {
  v1::Dispute dispute;
  dispute.set_area_code("421221106200");
  dispute.set_found_date("2024-03-01");
  dispute.set_title("宅基地界址");
  dispute.set_category(v1::DISPUTE_CATEGORY_HOMESTEAD);
  return dispute;
}

v1::Dispute Accepted() {
  v1::Dispute dispute = Found();
  dispute.set_accepted_date("2024-03-02");
  dispute.set_source(v1::DISPUTE_SOURCE_APPLIED);
  return dispute;
}

v1::Dispute Settled() {
  v1::Dispute dispute = Accepted();
  dispute.set_outcome(v1::OUTCOME_SETTLED);
  dispute.set_concluded_date("2024-03-20");
  dispute.set_agreement_form(v1::AGREEMENT_FORM_WRITTEN);
  return dispute;
}

std::string ReasonFor(v1::Dispute after, const v1::Dispute* before = nullptr) {
  return ReasonOf(DecideDispute(before, after, kToday));
}

TEST(Dispute, StateFollowsFromItsDates) {
  v1::Dispute found = Found();
  v1::Dispute accepted = Accepted();
  v1::Dispute settled = Settled();
  ASSERT_TRUE(DecideDispute(nullptr, found, kToday).ok());
  ASSERT_TRUE(DecideDispute(nullptr, accepted, kToday).ok());
  ASSERT_TRUE(DecideDispute(nullptr, settled, kToday).ok());
  EXPECT_EQ(found.state(), v1::DISPUTE_STATE_FOUND);
  EXPECT_EQ(accepted.state(), v1::DISPUTE_STATE_ACCEPTED);
  EXPECT_EQ(settled.state(), v1::DISPUTE_STATE_CONCLUDED);
}

// Invariant 32: 行政争议 is never routed to 人民调解.
TEST(Dispute, AdministrativeIsRefused) {
  v1::Dispute dispute = Found();
  dispute.set_administrative(true);
  EXPECT_EQ(ReasonFor(dispute), "REASON_DISPUTE_ADMINISTRATIVE");
}

TEST(Dispute, ArisesInAVillageOrATown) {
  v1::Dispute dispute = Found();
  dispute.set_area_code("421221106");
  EXPECT_EQ(ReasonFor(dispute), "");
  dispute.set_area_code("421221");
  EXPECT_EQ(ReasonFor(dispute), "REASON_FIELD_INVALID");
}

TEST(Dispute, AcceptedBeforeFoundIsRefused) {
  v1::Dispute dispute = Accepted();
  dispute.set_accepted_date("2024-02-29");
  EXPECT_EQ(ReasonFor(dispute), "REASON_DISPUTE_DATES");
}

TEST(Dispute, ConcludedBeforeAcceptedIsRefused) {
  v1::Dispute dispute = Settled();
  dispute.set_concluded_date("2024-03-01");
  EXPECT_EQ(ReasonFor(dispute), "REASON_DISPUTE_DATES");
}

TEST(Dispute, DatesInTheFutureAreRefused) {
  v1::Dispute dispute = Found();
  dispute.set_found_date("2025-01-01");
  EXPECT_EQ(ReasonFor(dispute), "REASON_DISPUTE_DATES");
}

TEST(Dispute, AllOnOneDayIsAllowed) {
  v1::Dispute dispute = Settled();
  dispute.set_accepted_date("2024-03-01");
  dispute.set_concluded_date("2024-03-01");
  EXPECT_EQ(ReasonFor(dispute), "");
}

// 4.7: no "success" with no agreement or record.
TEST(Dispute, SettledWithoutAgreementIsRefused) {
  v1::Dispute dispute = Settled();
  dispute.clear_agreement_form();
  EXPECT_EQ(ReasonFor(dispute), "REASON_DISPUTE_OUTCOME");
}

TEST(Dispute, SettledWithoutAcceptanceIsRefused) {
  v1::Dispute dispute = Settled();
  dispute.clear_accepted_date();
  dispute.clear_source();
  EXPECT_EQ(ReasonFor(dispute), "REASON_DISPUTE_OUTCOME");
}

TEST(Dispute, OutcomeWithoutDateIsRefused) {
  v1::Dispute dispute = Settled();
  dispute.clear_concluded_date();
  EXPECT_EQ(ReasonFor(dispute), "REASON_DISPUTE_OUTCOME");
}

TEST(Dispute, AcceptanceWithoutSourceIsRefused) {
  v1::Dispute dispute = Accepted();
  dispute.clear_source();
  EXPECT_EQ(ReasonFor(dispute), "REASON_DISPUTE_OUTCOME");
}

TEST(Dispute, AgreementWithoutSettlementIsRefused) {
  v1::Dispute dispute = Accepted();
  dispute.set_agreement_form(v1::AGREEMENT_FORM_ORAL);
  EXPECT_EQ(ReasonFor(dispute), "REASON_DISPUTE_OUTCOME");
}

// 人民调解法 第26条.
TEST(Dispute, TerminationNeedsTheNoticeOfRemedies) {
  v1::Dispute dispute = Accepted();
  dispute.set_outcome(v1::OUTCOME_TERMINATED);
  dispute.set_concluded_date("2024-03-20");
  EXPECT_EQ(ReasonFor(dispute), "REASON_DISPUTE_OUTCOME");
  dispute.set_remedy_notice(true);
  EXPECT_EQ(ReasonFor(dispute), "");
}

TEST(Dispute, TransferredNeedsNoAcceptance) {
  v1::Dispute dispute = Found();
  dispute.set_outcome(v1::OUTCOME_TRANSFERRED);
  dispute.set_concluded_date("2024-03-05");
  EXPECT_EQ(ReasonFor(dispute), "");
}

TEST(Dispute, ConcludedIsNotReopened) {
  const v1::Dispute before = Settled();
  EXPECT_EQ(ReasonFor(Accepted(), &before), "REASON_DISPUTE_STATE");
}

// A wrong outcome is corrected to another outcome, never by taking it back.
TEST(Dispute, ConcludedOutcomeMayBeCorrected) {
  const v1::Dispute before = Settled();
  v1::Dispute after = Accepted();
  after.set_outcome(v1::OUTCOME_TERMINATED);
  after.set_concluded_date("2024-03-21");
  after.set_remedy_notice(true);
  EXPECT_EQ(ReasonFor(after, &before), "");
}

// The table in dispute.h, cell by cell.
TEST(Dispute, MovesAreThoseOfTheTable) {
  constexpr v1::DisputeState kStates[] = {v1::DISPUTE_STATE_FOUND, v1::DISPUTE_STATE_ACCEPTED,
                                          v1::DISPUTE_STATE_CONCLUDED, v1::DISPUTE_STATE_REOPENED};
  constexpr bool kTable[4][4] = {{true, true, true, false},
                                 {false, true, true, false},
                                 {false, false, true, true},
                                 {false, false, true, true}};
  for (int from = 0; from < 4; ++from) {
    for (int to = 0; to < 4; ++to) {
      EXPECT_EQ(MayMove(kStates[from], kStates[to]), kTable[from][to]) << from << " → " << to;
    }
  }
}

TEST(Dispute, AcceptedIsNotUnaccepted) {
  const v1::Dispute before = Accepted();
  EXPECT_EQ(ReasonFor(Found(), &before), "REASON_DISPUTE_STATE");
}

TEST(Dispute, ConcludedContentMayBeCorrected) {
  const v1::Dispute before = Settled();
  v1::Dispute after = Settled();
  after.set_agreement_form(v1::AGREEMENT_FORM_ORAL);
  EXPECT_EQ(ReasonFor(after, &before), "");
}

// ---- after the agreement -----------------------------------------------------------------------

v1::Dispute Breached() {
  v1::Dispute dispute = Settled();
  dispute.MergeFrom(Reopened(dispute, "2024-05-06"));
  return dispute;
}

// §4.2: a breach does not change 调解成功.
TEST(Dispute, ABreachReopensItAndLeavesTheSettlement) {
  const v1::Dispute before = Settled();
  v1::Dispute after = Breached();
  ASSERT_TRUE(DecideDispute(&before, after, kToday).ok());
  EXPECT_EQ(after.state(), v1::DISPUTE_STATE_REOPENED);
  EXPECT_EQ(after.outcome(), v1::OUTCOME_SETTLED);
  EXPECT_EQ(after.breach_count(), 1);
  after.set_outcome(v1::OUTCOME_TERMINATED);
  after.clear_agreement_form();
  after.set_remedy_notice(true);
  EXPECT_EQ(ReasonFor(after, &before), "REASON_DISPUTE_OUTCOME");
}

TEST(Dispute, WhatComesOfABreachConcludesItAgain) {
  const v1::Dispute before = Breached();
  v1::Dispute after = before;
  after.set_further_outcome(v1::FURTHER_OUTCOME_SETTLED_AGAIN);
  EXPECT_EQ(ReasonFor(after, &before), "REASON_DISPUTE_OUTCOME");
  after.set_further_outcome_date("2024-05-05");
  EXPECT_EQ(ReasonFor(after, &before), "REASON_DISPUTE_DATES");
  after.set_further_outcome_date("2024-05-20");
  ASSERT_TRUE(DecideDispute(&before, after, kToday).ok());
  EXPECT_EQ(after.state(), v1::DISPUTE_STATE_CONCLUDED);
}

TEST(Dispute, WithoutABreachThereIsNoFurtherOutcome) {
  v1::Dispute dispute = Settled();
  dispute.set_further_outcome(v1::FURTHER_OUTCOME_LAWSUIT);
  dispute.set_further_outcome_date("2024-05-20");
  EXPECT_EQ(ReasonFor(dispute), "REASON_DISPUTE_OUTCOME");
}

// 人民调解法 第33条; domain §4.2: ENFORCEMENT only if CONFIRMED.
TEST(Dispute, OnlyAConfirmedAgreementIsEnforced) {
  v1::Dispute dispute = Breached();
  dispute.set_further_outcome(v1::FURTHER_OUTCOME_ENFORCEMENT);
  dispute.set_further_outcome_date("2024-05-20");
  EXPECT_EQ(ReasonFor(dispute), "REASON_DISPUTE_OUTCOME");
  dispute.set_judicial_confirmation_date("2024-04-02");
  EXPECT_EQ(ReasonFor(dispute), "");
}

TEST(Dispute, PerformanceAndConfirmationComeAfterASettlement) {
  v1::Dispute dispute = Settled();
  dispute.set_performance_date("2024-03-19");
  EXPECT_EQ(ReasonFor(dispute), "REASON_DISPUTE_DATES");
  dispute.set_performance_date("2025-06-30");  // may lie ahead
  EXPECT_EQ(ReasonFor(dispute), "");
  dispute.set_judicial_confirmation_date("2024-03-19");
  EXPECT_EQ(ReasonFor(dispute), "REASON_DISPUTE_DATES");
  v1::Dispute accepted = Accepted();
  accepted.set_performance_date("2024-06-30");
  EXPECT_EQ(ReasonFor(accepted), "REASON_DISPUTE_OUTCOME");
}

}  // namespace
}  // namespace fadu::mediation
