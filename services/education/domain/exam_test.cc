#include "services/education/domain/exam.h"

#include <functional>

#include <gtest/gtest.h>

#include "common/base/status.h"

namespace fadu::education {
namespace {

const absl::CivilDay kToday(2025, 1, 10);

v1::Exam Planned() {
  v1::Exam exam;
  exam.set_area_code("421221106");
  exam.set_held_date("2024-11-20");
  exam.set_title("年度法律知识考试（示例）");
  exam.set_purpose(v1::EXAM_PURPOSE_ANNUAL);
  exam.add_audiences(v1::EXAM_AUDIENCE_STATE_EMPLOYEES);
  exam.set_organiser("示例镇司法所");
  exam.set_organiser_level(v1::ORGANISER_LEVEL_OWN);
  exam.set_pass_mark_e4(600000);
  exam.set_roster_count(50);
  v1::Exemption& exemption = *exam.add_exemptions();
  exemption.set_reason(v1::EXEMPTION_REASON_SICK_LEAVE);
  exemption.set_approved_date("2024-11-15");
  exemption.set_people_count(2);
  return exam;
}

v1::Exam Frozen() {
  v1::Exam exam = Planned();
  exam.set_frozen_date("2024-11-18");
  return exam;
}

v1::Exam Closed() {
  v1::Exam exam = Frozen();
  exam.set_closed_date("2024-11-20");
  exam.set_sat_count(46);
  return exam;
}

v1::Exam Scored() {
  v1::Exam exam = Closed();
  exam.set_scored_date("2024-11-25");
  exam.set_passed_count(44);
  exam.set_average_score_e4(880000);
  return exam;
}

v1::Exam MadeUp() {
  v1::Exam exam = Scored();
  exam.set_makeup_date("2024-12-05");
  exam.set_makeup_sat_count(4);  // 2 absent, 2 failed
  exam.set_makeup_passed_count(3);
  return exam;
}

v1::ScoreCorrection Correction(const std::string& first, const std::string& second) {
  v1::ScoreCorrection correction;
  correction.set_correction_date("2024-12-02");
  correction.set_reason("阅卷合分差错");
  correction.set_first_signer(first);
  correction.set_second_signer(second);
  return correction;
}

// The exam with a roster by name that has its head-counts.
v1::Exam Named(v1::Exam exam) {
  for (int i = 0; i < 50; ++i) {
    v1::Examinee& one = *exam.add_roster();
    one.set_name("示例" + std::to_string(i));
    one.set_exempted(i >= 48);
    one.set_sat(i < exam.sat_count());
    one.set_passed(i < exam.passed_count());
  }
  return exam;
}

v1::Exam Decided(v1::Exam exam, const v1::Exam* before = nullptr) {
  const absl::Status decided = DecideExam(before, exam, kToday);
  EXPECT_TRUE(decided.ok()) << decided;
  return exam;
}

std::string ReasonFor(v1::Exam after, const v1::Exam* before = nullptr,
                      absl::CivilDay today = kToday) {
  return ReasonOf(DecideExam(before, after, today));
}

// ---- states ------------------------------------------------------------------------------------

TEST(Exam, StateFollowsFromWhatIsFilledIn) {
  EXPECT_EQ(Decided(Planned()).state(), v1::EXAM_STATE_PLANNED);
  EXPECT_EQ(Decided(Frozen()).state(), v1::EXAM_STATE_FROZEN);
  EXPECT_EQ(Decided(Closed()).state(), v1::EXAM_STATE_CLOSED);
  EXPECT_EQ(Decided(Scored()).state(), v1::EXAM_STATE_SCORED);
  EXPECT_EQ(Decided(MadeUp()).state(), v1::EXAM_STATE_MADE_UP);
}

// The table in exam.h, cell by cell.
TEST(Exam, MovesAreThoseOfTheTable) {
  for (int from = v1::EXAM_STATE_PLANNED; from <= v1::EXAM_STATE_MADE_UP; ++from) {
    for (int to = v1::EXAM_STATE_PLANNED; to <= v1::EXAM_STATE_MADE_UP; ++to) {
      EXPECT_EQ(MayMove(static_cast<v1::ExamState>(from), static_cast<v1::ExamState>(to)),
                to >= from)
          << from << " → " << to;
    }
  }
}

TEST(Exam, WhatIsScoredIsNotUnscored) {
  const v1::Exam before = Scored();
  EXPECT_EQ(ReasonFor(Closed(), &before), "REASON_EXAM_STATE");
}

TEST(Exam, StepsNeedTheOneBefore) {
  v1::Exam exam = Scored();
  exam.clear_closed_date();
  exam.clear_sat_count();
  EXPECT_EQ(ReasonFor(exam), "REASON_EXAM_DATES");
  exam = Closed();
  exam.clear_frozen_date();
  EXPECT_EQ(ReasonFor(exam), "REASON_EXAM_DATES");
  exam = MadeUp();
  exam.set_makeup_date("2024-11-24");
  EXPECT_EQ(ReasonFor(exam), "REASON_EXAM_DATES");
  exam.set_makeup_date("2025-01-11");
  EXPECT_EQ(ReasonFor(exam), "REASON_EXAM_DATES");
}

// ---- head-counts -------------------------------------------------------------------------------

// 50 on the roster, 2 exempted, 46 sat: 48 had to, 2 were absent.
TEST(Exam, HeadCountsFollowFromTheRosterAndTheExemptions) {
  const v1::Exam exam = Decided(Scored());
  EXPECT_EQ(exam.exempted_count(), 2);
  EXPECT_EQ(exam.required_count(), 48);
  EXPECT_EQ(exam.absent_count(), 2);
}

// Invariant 49: participation = sat ÷ (roster − exempted), never above 100 %.
TEST(Exam, Invariant49NobodyMoreSitsThanHadTo) {
  v1::Exam exam = Scored();
  exam.set_sat_count(48);
  EXPECT_EQ(ReasonFor(exam), "");
  exam.set_sat_count(49);
  EXPECT_EQ(ReasonFor(exam), "REASON_EXAM_COUNTS");
}

TEST(Exam, Invariant49NobodyMorePassesThanSat) {
  v1::Exam exam = Scored();
  exam.set_passed_count(46);
  EXPECT_EQ(ReasonFor(exam), "");
  exam.set_passed_count(47);
  EXPECT_EQ(ReasonFor(exam), "REASON_EXAM_COUNTS");
}

TEST(Exam, ImpossibleHeadCountsAreRefused) {
  using Change = std::function<void(v1::Exam&)>;
  const Change changes[] = {
      [](auto& e) { e.set_roster_count(0); },
      [](auto& e) { e.set_roster_count(1); },
      [](auto& e) { e.mutable_exemptions(0)->set_people_count(50), e.set_sat_count(0); },
      [](auto& e) { e.set_average_score_e4(590000), e.set_passed_count(46); },
      [](auto& e) { e.set_sat_count(0), e.set_passed_count(0); },
      [](auto& e) { e.set_makeup_sat_count(1); }};
  int which = 0;
  for (const Change& change : changes) {
    v1::Exam exam = Scored();
    change(exam);
    EXPECT_EQ(ReasonFor(exam), "REASON_EXAM_COUNTS") << which;
    ++which;
  }
}

TEST(Exam, CountsComeWithTheirSteps) {
  v1::Exam exam = Frozen();
  exam.set_sat_count(40);
  EXPECT_EQ(ReasonFor(exam), "REASON_EXAM_COUNTS");
  exam = Closed();
  exam.set_passed_count(40);
  EXPECT_EQ(ReasonFor(exam), "REASON_EXAM_COUNTS");
}

// The make-up exam is for the 2 who were absent and the 2 who failed, and is counted apart.
TEST(Exam, TheMakeUpExamIsForTheAbsentAndTheFailed) {
  v1::Exam exam = Decided(MadeUp());
  EXPECT_EQ(exam.passed_count(), 44);
  exam.set_makeup_sat_count(5);
  EXPECT_EQ(ReasonFor(exam), "REASON_EXAM_COUNTS");
  exam.set_makeup_sat_count(2);
  EXPECT_EQ(ReasonFor(exam), "REASON_EXAM_COUNTS");  // 3 passed
}

// ---- the roster --------------------------------------------------------------------------------

// Invariant 49: frozen before the exam opens, which is on the 20th.
TEST(Exam, Invariant49TheRosterIsFrozenBeforeTheExamOpens) {
  v1::Exam exam = Scored();
  exam.set_frozen_date("2024-11-19");
  EXPECT_EQ(ReasonFor(exam), "");
  exam.set_frozen_date("2024-11-20");
  EXPECT_EQ(ReasonFor(exam), "REASON_EXAM_DATES");
}

TEST(Exam, ExemptionsAreApprovedBeforeTheExamOpens) {
  v1::Exam exam = Scored();
  exam.mutable_exemptions(0)->set_approved_date("2024-11-20");
  EXPECT_EQ(ReasonFor(exam), "REASON_EXAM_DATES");
  exam.mutable_exemptions(0)->set_approved_date("2024-11-19");
  EXPECT_EQ(ReasonFor(exam), "");
}

TEST(Exam, Invariant49AFrozenRosterDoesNotChange) {
  const v1::Exam before = Decided(Frozen());
  const absl::CivilDay eve(2024, 11, 19);
  v1::Exam exam = Frozen();
  exam.set_roster_count(49);
  EXPECT_EQ(ReasonFor(exam, &before, eve), "REASON_EXAM_FROZEN");
  exam = Frozen();
  exam.set_frozen_date("2024-11-17");
  EXPECT_EQ(ReasonFor(exam, &before, eve), "REASON_EXAM_FROZEN");
  // An exemption may still be approved on the eve, not on the day.
  exam = Frozen();
  exam.mutable_exemptions(0)->set_people_count(3);
  EXPECT_EQ(ReasonFor(exam, &before, eve), "");
  EXPECT_EQ(ReasonFor(exam, &before, eve + 1), "REASON_EXAM_FROZEN");
}

TEST(Exam, Invariant49NamesOfAFrozenRosterDoNotChange) {
  const v1::Exam before = Named(Frozen());
  EXPECT_EQ(ReasonFor(Named(Scored()), &before), "");
  v1::Exam exam = Named(Scored());
  exam.mutable_roster(0)->set_name("另一人");
  EXPECT_EQ(ReasonFor(exam, &before), "REASON_EXAM_FROZEN");
  exam = Named(Scored());
  exam.mutable_roster(49)->set_exempted(false);
  EXPECT_EQ(ReasonFor(exam, &before), "REASON_EXAM_FROZEN");
}

TEST(Exam, AnExamThatHasOpenedKeepsItsDay) {
  const v1::Exam before = Decided(Frozen());
  v1::Exam exam = Frozen();
  exam.set_held_date("2024-11-27");
  EXPECT_EQ(ReasonFor(exam, &before, absl::CivilDay(2024, 11, 19)), "");
  EXPECT_EQ(ReasonFor(exam, &before, absl::CivilDay(2024, 11, 20)), "REASON_EXAM_FROZEN");
}

// Domain §2.7: nobody is counted who is not on the roster.
TEST(Exam, NamesAddUpToTheHeadCounts) {
  EXPECT_EQ(ReasonFor(Named(Scored())), "");
  using Change = std::function<void(v1::Exam&)>;
  const Change changes[] = {[](auto& e) { e.mutable_roster(45)->set_sat(false); },
                            [](auto& e) { e.mutable_roster(44)->set_passed(true); },
                            [](auto& e) { e.mutable_roster(47)->set_passed(true); },
                            [](auto& e) { e.mutable_roster(49)->set_sat(true); },
                            [](auto& e) { e.mutable_roster(49)->set_exempted(false); },
                            [](auto& e) { e.mutable_roster()->RemoveLast(); }};
  int which = 0;
  for (const Change& change : changes) {
    v1::Exam exam = Named(Scored());
    change(exam);
    EXPECT_EQ(ReasonFor(exam), "REASON_EXAM_ROSTER") << which;
    ++which;
  }
}

// ---- corrections -------------------------------------------------------------------------------

TEST(Exam, ScoresChangeOnlyByACorrectionWithTwoSignatures) {
  const v1::Exam before = Decided(Scored());
  v1::Exam exam = Scored();
  exam.set_passed_count(45);
  EXPECT_EQ(ReasonFor(exam, &before), "REASON_EXAM_CORRECTION");
  *exam.add_corrections() = Correction("示例甲", "示例甲");
  EXPECT_EQ(ReasonFor(exam, &before), "REASON_EXAM_CORRECTION");
  *exam.mutable_corrections(0) = Correction("示例甲", "示例乙");
  EXPECT_EQ(Decided(exam, &before).correction_count(), 1);
}

TEST(Exam, OneCorrectionServesOneChange) {
  v1::Exam before = Scored();
  before.set_passed_count(45);
  *before.add_corrections() = Correction("示例甲", "示例乙");
  v1::Exam exam = before;
  exam.set_passed_count(46);
  EXPECT_EQ(ReasonFor(exam, &before), "REASON_EXAM_CORRECTION");
  exam = before;
  exam.clear_corrections();
  EXPECT_EQ(ReasonFor(exam, &before), "REASON_EXAM_CORRECTION");
}

TEST(Exam, TheMakeUpExamIsNoCorrection) {
  const v1::Exam before = Decided(Scored());
  EXPECT_EQ(ReasonFor(MadeUp(), &before), "");
}

}  // namespace
}  // namespace fadu::education
