#include "services/legality/domain/normative_document.h"

#include <functional>
#include <random>

#include <gtest/gtest.h>

#include "common/base/civil_day.h"
#include "common/base/status.h"

namespace fadu::legality {
namespace {

const absl::CivilDay kToday(2025, 3, 31);
const std::string kText(64, 'a');
const std::string kOtherText(64, 'b');

v1::NormativeDocument Drafted() {
  v1::NormativeDocument document;
  document.set_area_code("421221106");
  document.set_drafted_date("2024-01-08");
  document.set_title("示例镇村庄建设管理办法");
  document.set_issuer("示例镇人民政府");
  document.set_issuer_kind(v1::ISSUER_KIND_GOVERNMENT);
  document.set_drafter("示例甲");
  document.set_determination(v1::DETERMINATION_NORMATIVE);
  document.set_determination_reason("涉及村民权利义务，反复适用");
  return document;
}

v1::NormativeDocument Reviewed() {
  v1::NormativeDocument document = Drafted();
  document.set_review("counties/421221/legalityReviews/018f0000-0000-7000-8000-000000000001");
  return document;
}

v1::NormativeDocument Deliberated() {
  v1::NormativeDocument document = Reviewed();
  document.set_deliberation(v1::DELIBERATION_PASSED);
  document.set_deliberated_date("2024-02-26");
  document.set_meeting("镇长办公会");
  return document;
}

v1::NormativeDocument Numbered() {
  v1::NormativeDocument document = Deliberated();
  document.set_signed_date("2024-02-28");
  document.set_symbol("示政规");
  document.set_registered_date("2024-03-01");
  document.set_registrar("示例丙");
  document.set_text_digest(kText);
  return document;
}

v1::NormativeDocument Issued() {
  v1::NormativeDocument document = Numbered();
  document.set_issued_date("2024-03-04");
  return document;
}

v1::NormativeDocument Published() {
  v1::NormativeDocument document = Issued();
  document.set_published_date("2024-03-05");
  document.set_effective_date("2024-04-01");
  document.set_expiry_date("2029-04-01");
  return document;
}

v1::NormativeDocument Filed() {
  v1::NormativeDocument document = Published();
  document.set_filed_date("2024-03-12");
  return document;
}

v1::NormativeDocument Ended() {
  v1::NormativeDocument document = Filed();
  document.set_end_kind(v1::END_KIND_REPEALED);
  document.set_ended_date("2024-12-02");
  return document;
}

v1::NormativeDocument Voided() {
  v1::NormativeDocument document = Numbered();
  document.set_voided_date("2024-03-04");
  document.set_void_reason("文本有重大差错，重新制定");
  return document;
}

// The review that Reviewed() names: given in time, of the same text.
v1::LegalityReview Review() {
  v1::LegalityReview review;
  review.set_area_code("421221106");
  review.set_subject_kind(v1::SUBJECT_KIND_NORMATIVE_DOCUMENT);
  review.set_received_date("2024-02-05");
  review.set_text_digest(kText);
  review.set_opinion(v1::OPINION_LAWFUL);
  review.set_opinion_date("2024-02-20");
  review.set_reviewer("示例乙");
  review.set_passed(true);
  return review;
}

v1::Recheck Recheck(const std::string& day, const std::string& digest) {
  v1::Recheck recheck;
  recheck.set_check_date(day);
  recheck.set_text_digest(digest);
  recheck.set_passed(true);
  return recheck;
}

std::string ReasonFor(v1::NormativeDocument after, const v1::NormativeDocument* before = nullptr,
                      absl::CivilDay today = kToday) {
  return ReasonOf(DecideDocument(before, after, today));
}

absl::Status CheckedReview(const v1::NormativeDocument& document, const v1::LegalityReview& review,
                           bool counts) {
  return CheckReviewOf(document, &review, counts);
}

v1::NormativeDocument Due(v1::NormativeDocument document,
                          const std::vector<v1::LocalTerm>& local = {}) {
  EXPECT_TRUE(SetDue(nullptr, document, local, WorkingCalendar::Shipped()).ok());
  return document;
}

// ---- states ------------------------------------------------------------------------------------

TEST(NormativeDocument, StateFollowsFromWhatIsFilledIn) {
  v1::NormativeDocument screened_out = Drafted();
  screened_out.set_determination(v1::DETERMINATION_NOT_NORMATIVE);
  const struct {
    v1::NormativeDocument document;
    v1::DocumentState state;
  } cases[] = {
      {Drafted(), v1::DOCUMENT_STATE_DRAFTED},     {screened_out, v1::DOCUMENT_STATE_SCREENED_OUT},
      {Reviewed(), v1::DOCUMENT_STATE_REVIEWED},   {Deliberated(), v1::DOCUMENT_STATE_DELIBERATED},
      {Numbered(), v1::DOCUMENT_STATE_NUMBERED},   {Issued(), v1::DOCUMENT_STATE_ISSUED},
      {Published(), v1::DOCUMENT_STATE_PUBLISHED}, {Filed(), v1::DOCUMENT_STATE_FILED},
      {Ended(), v1::DOCUMENT_STATE_ENDED},         {Voided(), v1::DOCUMENT_STATE_VOIDED}};
  for (auto [document, state] : cases) {
    EXPECT_TRUE(DecideDocument(nullptr, document, kToday).ok())
        << DecideDocument(nullptr, document, kToday);
    EXPECT_EQ(document.state(), state);
  }
}

// The table in normative_document.h, cell by cell.
TEST(NormativeDocument, MovesAreThoseOfTheTable) {
  constexpr bool kTable[10][10] = {
      // DRAFTED OUT REVIEWED DELIBERATED NUMBERED ISSUED PUBLISHED FILED ENDED VOIDED
      {true, true, true, true, true, true, true, true, true, true},
      {true, true, true, true, true, true, true, true, true, true},
      {true, true, true, true, true, true, true, true, true, true},
      {true, true, true, true, true, true, true, true, true, true},
      {false, false, false, false, true, true, true, true, true, true},        // NUMBERED
      {false, false, false, false, false, true, true, true, true, false},      // ISSUED
      {false, false, false, false, false, false, true, true, true, false},     // PUBLISHED
      {false, false, false, false, false, false, false, true, true, false},    // FILED
      {false, false, false, false, false, false, false, false, true, false},   // ENDED
      {false, false, false, false, false, false, false, false, false, true}};  // VOIDED
  for (int from = 0; from < 10; ++from) {
    for (int to = 0; to < 10; ++to) {
      EXPECT_EQ(
          MayMove(static_cast<v1::DocumentState>(from + 1), static_cast<v1::DocumentState>(to + 1)),
          kTable[from][to])
          << from << " → " << to;
    }
  }
}

TEST(NormativeDocument, ADeferredDocumentStaysBeforeItsNumber) {
  v1::NormativeDocument document = Deliberated();
  document.set_deliberation(v1::DELIBERATION_DEFERRED);
  ASSERT_TRUE(DecideDocument(nullptr, document, kToday).ok());
  EXPECT_EQ(document.state(), v1::DOCUMENT_STATE_REVIEWED);
  document.set_signed_date("2024-02-28");
  EXPECT_EQ(ReasonFor(document), "REASON_DOCUMENT_STEP");
}

TEST(NormativeDocument, WhatIsIssuedIsNotTakenBack) {
  const v1::NormativeDocument issued = Issued();
  EXPECT_EQ(ReasonFor(Numbered(), &issued), "REASON_DOCUMENT_STATE");
}

// ---- conditions of the steps -------------------------------------------------------------------

// Invariant 6: each thing without which there is no number, and no issue without the number.
TEST(NormativeDocument, Invariant6NoNumberWithoutReviewMeetingAndSignature) {
  using Change = std::function<void(v1::NormativeDocument&)>;
  const Change changes[] = {
      [](auto& d) { d.clear_review(); },
      [](auto& d) { d.clear_deliberation(), d.clear_deliberated_date(), d.clear_meeting(); },
      [](auto& d) { d.set_deliberation(v1::DELIBERATION_REJECTED); },
      [](auto& d) { d.clear_signed_date(); },
      [](auto& d) { d.clear_registrar(); },
      [](auto& d) { d.clear_text_digest(); },
      [](auto& d) { d.clear_symbol(); },
      [](auto& d) { d.set_symbol("示政规2024"); },
      [](auto& d) { d.set_symbol("示政规１"); },
      [](auto& d) { d.clear_determination(), d.clear_determination_reason(); },
      [](auto& d) { d.set_determination(v1::DETERMINATION_NOT_NORMATIVE); }};
  EXPECT_EQ(ReasonFor(Numbered()), "");
  int which = 0;
  for (const Change& change : changes) {
    v1::NormativeDocument document = Numbered();
    change(document);
    EXPECT_EQ(ReasonFor(document), "REASON_DOCUMENT_STEP") << which;
    ++which;
  }
}

TEST(NormativeDocument, Invariant6NoIssueWithoutRegistration) {
  v1::NormativeDocument document = Issued();
  document.clear_registered_date();
  EXPECT_EQ(ReasonFor(document), "REASON_DOCUMENT_STEP");
}

// Invariants 6 and 8: what a review must be to serve.
TEST(NormativeDocument, Invariant6TheReviewPassedBeforeTheMeeting) {
  EXPECT_EQ(ReasonOf(CheckedReview(Numbered(), Review(), true)), "");
  EXPECT_EQ(ReasonOf(CheckedReview(Numbered(), Review(), false)), "REASON_DOCUMENT_REVIEW");
  v1::LegalityReview late = Review();
  late.set_opinion_date("2024-02-27");
  EXPECT_EQ(ReasonOf(CheckedReview(Numbered(), late, true)), "REASON_DOCUMENT_REVIEW");
  v1::LegalityReview contract = Review();
  contract.set_subject_kind(v1::SUBJECT_KIND_CONTRACT);
  EXPECT_EQ(ReasonOf(CheckedReview(Numbered(), contract, true)), "REASON_DOCUMENT_REVIEW");
  EXPECT_EQ(ReasonOf(CheckReviewOf(Numbered(), nullptr, true)), "REASON_DOCUMENT_REVIEW");
  v1::LegalityReview elsewhere = Review();
  elsewhere.set_area_code("421221107");
  EXPECT_EQ(ReasonOf(CheckedReview(Numbered(), elsewhere, true)), "REASON_DOCUMENT_REVIEW");
}

TEST(NormativeDocument, Invariant8UnlawfulHasNoWayToTheMeeting) {
  v1::LegalityReview review = Review();
  review.set_opinion(v1::OPINION_UNLAWFUL);
  review.set_passed(false);
  EXPECT_EQ(ReasonOf(CheckedReview(Deliberated(), review, true)), "REASON_DOCUMENT_REVIEW");
}

// Invariant 9: the text issued is the one last reviewed.
TEST(NormativeDocument, Invariant9TheRegisteredTextIsTheOneLastReviewed) {
  v1::NormativeDocument document = Numbered();
  document.set_text_digest(kOtherText);
  EXPECT_EQ(ReasonOf(CheckedReview(document, Review(), true)), "REASON_TEXT_CHANGED");
  v1::LegalityReview review = Review();
  *review.add_rechecks() = Recheck("2024-02-27", kOtherText);
  EXPECT_EQ(ReasonOf(CheckedReview(document, review, true)), "");
  *review.mutable_rechecks(0) = Recheck("2024-02-29", kOtherText);  // after the signature
  EXPECT_EQ(ReasonOf(CheckedReview(document, review, true)), "REASON_DOCUMENT_REVIEW");
}

TEST(NormativeDocument, Invariant9TheTextDoesNotChangeAfterTheNumber) {
  const v1::NormativeDocument numbered = Numbered();
  v1::NormativeDocument document = Issued();
  document.set_text_digest(kOtherText);
  EXPECT_EQ(ReasonFor(document, &numbered), "REASON_NUMBER_KEPT");
}

// §5.4: PASSED_WITH_CHANGES needs the reviewer's look before the signature.
TEST(NormativeDocument, ChangesOfTheMeetingAreReviewedBeforeTheSignature) {
  v1::NormativeDocument document = Numbered();
  document.set_deliberation(v1::DELIBERATION_PASSED_WITH_CHANGES);
  EXPECT_EQ(ReasonOf(CheckedReview(document, Review(), true)), "REASON_DOCUMENT_REVIEW");
  v1::LegalityReview review = Review();
  *review.add_rechecks() = Recheck("2024-02-27", kText);
  EXPECT_EQ(ReasonOf(CheckedReview(document, review, true)), "");
}

// Invariant 10, and domain §1.3: drafter ≠ reviewer ≠ registrar.
TEST(NormativeDocument, Invariant10DrafterReviewerAndRegistrarAreThree) {
  v1::LegalityReview review = Review();
  review.set_reviewer("示例甲");
  EXPECT_EQ(ReasonOf(CheckedReview(Numbered(), review, true)), "REASON_DOCUMENT_SEPARATION");
  review.set_reviewer("示例丙");
  EXPECT_EQ(ReasonOf(CheckedReview(Numbered(), review, true)), "REASON_DOCUMENT_SEPARATION");
  v1::NormativeDocument document = Numbered();
  document.set_registrar("示例甲");
  EXPECT_EQ(ReasonOf(CheckedReview(document, Review(), true)), "REASON_DOCUMENT_SEPARATION");
}

// Invariant 15.
TEST(NormativeDocument, Invariant15CoordinatingInternalAndTemporaryBodiesDoNotIssue) {
  const struct {
    v1::IssuerKind kind;
    const char* reason;
  } cases[] = {{v1::ISSUER_KIND_GOVERNMENT, ""},
               {v1::ISSUER_KIND_GOVERNMENT_OFFICE, ""},
               {v1::ISSUER_KIND_DEPARTMENT, ""},
               {v1::ISSUER_KIND_AUTHORISED, ""},
               {v1::ISSUER_KIND_COORDINATING_BODY, "REASON_DOCUMENT_ISSUER"},
               {v1::ISSUER_KIND_INTERNAL_SECTION, "REASON_DOCUMENT_ISSUER"},
               {v1::ISSUER_KIND_TEMPORARY_BODY, "REASON_DOCUMENT_ISSUER"}};
  for (const auto& [kind, reason] : cases) {
    v1::NormativeDocument document = Drafted();
    document.set_issuer_kind(kind);
    EXPECT_EQ(ReasonFor(document), reason) << kind;
  }
}

TEST(NormativeDocument, VillagesDoNotIssue) {
  v1::NormativeDocument document = Drafted();
  document.set_area_code("421221106200");
  EXPECT_EQ(ReasonFor(document), "REASON_FIELD_INVALID");
}

v1::NormativeDocument TouchingBusiness() {
  v1::NormativeDocument document = Deliberated();
  document.set_touches_business(true);
  document.set_fair_competition_date("2024-02-19");
  document.set_consultation_start_date("2024-01-10");
  document.set_consultation_end_date("2024-02-09");  // 30 days after the 10th
  return document;
}

// Invariant 16.
TEST(NormativeDocument, Invariant16WhatTouchesBusinessPassesFairCompetitionFirst) {
  v1::NormativeDocument document = TouchingBusiness();
  EXPECT_EQ(ReasonFor(document), "");
  document.set_fair_competition_date("2024-02-27");
  EXPECT_EQ(ReasonFor(document), "REASON_DOCUMENT_STEP");
  document.clear_fair_competition_date();
  EXPECT_EQ(ReasonFor(document), "REASON_DOCUMENT_STEP");
}

// T1: 优化营商环境条例 62.
TEST(NormativeDocument, WhatTouchesBusinessIsOpenForThirtyDaysOrSaysWhyNot) {
  v1::NormativeDocument document = TouchingBusiness();
  document.set_consultation_end_date("2024-02-08");
  EXPECT_EQ(ReasonFor(document), "REASON_DOCUMENT_STEP");
  document.set_consultation_reason("上级紧急部署");
  EXPECT_EQ(ReasonFor(document), "");
}

TEST(NormativeDocument, TheMeetingWaitsForTheEndOfTheConsultation) {
  v1::NormativeDocument document = TouchingBusiness();
  document.set_consultation_end_date("2024-02-27");
  EXPECT_EQ(ReasonFor(document), "REASON_DOCUMENT_STEP");
}

TEST(NormativeDocument, StepsFollowEachOther) {
  using Change = std::function<void(v1::NormativeDocument&)>;
  const Change changes[] = {
      [](auto& d) { d.set_deliberated_date("2024-01-07"); },
      [](auto& d) { d.set_signed_date("2024-02-25"); },
      [](auto& d) { d.set_registered_date("2024-02-27"); },
      [](auto& d) { d.set_issued_date("2024-02-29"); },
      [](auto& d) { d.set_published_date("2024-03-03"); },
      [](auto& d) { d.set_filed_date("2024-03-04"); },
      [](auto& d) { d.set_filed_date("2025-04-01"); },
      [](auto& d) { d.set_effective_date("2024-03-03"); },
      [](auto& d) { d.set_expiry_date("2024-04-01"); },
      [](auto& d) { d.set_ended_date("2024-03-04"), d.set_end_kind(v1::END_KIND_REPEALED); }};
  int which = 0;
  for (const Change& change : changes) {
    v1::NormativeDocument document = Filed();
    change(document);
    EXPECT_EQ(ReasonFor(document), "REASON_DOCUMENT_DATES") << which;
    ++which;
  }
}

// ---- numbers -----------------------------------------------------------------------------------

// Invariant 2: a number stays; before issue it may be voided, afterwards the document is repealed.
TEST(NormativeDocument, Invariant2WhatIsIssuedIsNotVoided) {
  EXPECT_EQ(ReasonFor(Voided()), "");
  v1::NormativeDocument document = Issued();
  document.set_voided_date("2024-03-06");
  document.set_void_reason("重新制定");
  EXPECT_EQ(ReasonFor(document), "REASON_DOCUMENT_STEP");
  document = Voided();
  document.clear_void_reason();
  EXPECT_EQ(ReasonFor(document), "REASON_DOCUMENT_STEP");
}

TEST(NormativeDocument, Invariant2AVoidedNumberComesToNothingElse) {
  const v1::NormativeDocument voided = Voided();
  EXPECT_EQ(ReasonFor(Numbered(), &voided), "REASON_DOCUMENT_STATE");
  EXPECT_EQ(ReasonFor(Issued(), &voided), "REASON_DOCUMENT_STATE");
}

// Invariant 4: GB/T 9704 §7.2.5.
TEST(NormativeDocument, Invariant4NumbersReadAsTheStandardSays) {
  EXPECT_EQ(NumberText("潘政规", 2024, 1), "潘政规〔2024〕1号");
  EXPECT_EQ(NumberText("嘉政规", 2025, 12), "嘉政规〔2025〕12号");
}

// ---- terms -------------------------------------------------------------------------------------

// T4 and T5, counted by hand.
TEST(NormativeDocument, PublicationAndFilingHaveTheirLastDays) {
  v1::NormativeDocument document = Published();
  document.set_issued_date("2024-09-30");
  document.set_published_date("2024-09-30");
  // 20 working days over the National Day holidays: the domain's own example.
  EXPECT_EQ(Due(document).publish_due_date(), "2024-11-01");
  const struct {
    const char* published;
    const char* due;
  } cases[] = {
      {"2024-03-05", "2024-03-20"},  // a Wednesday
      {"2024-04-20", "2024-05-06"},  // 5 May is off: the next working day
      {"2024-12-17", "2025-01-02"},  // so is New Year's Day
      {"2024-09-29", "2024-10-14"},  // a Monday
  };
  for (const auto& [published, due] : cases) {
    document.set_issued_date(published);
    document.set_published_date(published);
    EXPECT_EQ(Due(document).filing_due_date(), due) << published;
  }
}

// Invariant 12: a filing deadline for every issued document, published or not.
TEST(NormativeDocument, Invariant12EveryIssuedDocumentHasAFilingDeadline) {
  EXPECT_EQ(Due(Numbered()).filing_due_date(), "");
  EXPECT_EQ(Due(Issued()).filing_due_date(), "2024-03-19");  // 15 days after the 4th
  EXPECT_EQ(Due(Published()).filing_due_date(), "2024-03-20");
  EXPECT_EQ(Due(Published()).filing_basis(), "各地通行的15日（国办发〔2018〕37号要求报送备案）");
}

TEST(NormativeDocument, Invariant12LateStaysLate) {
  v1::NormativeDocument late = Published();
  late.set_filed_date("2024-03-21");
  late = Due(late);
  EXPECT_TRUE(late.filing_late());
  v1::NormativeDocument corrected = late;
  corrected.set_filed_date("2024-03-20");
  EXPECT_EQ(ReasonOf(SetDue(&late, corrected, {}, WorkingCalendar::Shipped())),
            "REASON_LATE_STAYS_LATE");
  // A longer local term that is loaded since changes the due date, not what happened.
  v1::LocalTerm longer;
  longer.set_start_date("2024-01-01");
  longer.set_kind(v1::TERM_KIND_FILING);
  longer.set_days(30);
  longer.set_unit(v1::TERM_UNIT_CALENDAR_DAYS);
  v1::NormativeDocument touched = late;
  ASSERT_TRUE(SetDue(&late, touched, {longer}, WorkingCalendar::Shipped()).ok());
  EXPECT_EQ(touched.filing_due_date(), "2024-04-07");  // 4 April is off, 7 April is worked
  EXPECT_TRUE(touched.filing_late());
}

TEST(NormativeDocument, FiledOnTheLastDayIsInTime) {
  v1::NormativeDocument document = Published();
  document.set_filed_date("2024-03-20");
  EXPECT_FALSE(Due(document).filing_late());
}

// ---- in force ----------------------------------------------------------------------------------

// Invariant 13.
TEST(NormativeDocument, Invariant13ProvisionalRulesLastTwoYearsOthersFive) {
  const struct {
    const char* title;
    const char* expiry;
    const char* reason;
  } cases[] = {{"村庄建设管理办法", "2029-04-01", ""},
               {"村庄建设管理办法", "2029-04-02", "REASON_DOCUMENT_VALIDITY"},
               {"重大行政决策程序暂行规定", "2026-04-01", ""},
               {"重大行政决策程序暂行规定", "2026-04-02", "REASON_DOCUMENT_VALIDITY"},
               {"积分管理办法（试行）", "2026-04-02", "REASON_DOCUMENT_VALIDITY"}};
  for (const auto& [title, expiry, reason] : cases) {
    v1::NormativeDocument document = Published();
    document.set_title(title);
    document.set_expiry_date(expiry);
    EXPECT_EQ(ReasonFor(document), reason) << title << " " << expiry;
  }
}

// Invariant 14: out of force from 00:00 of the expiry date, without anybody's doing.
TEST(NormativeDocument, Invariant14ExpiresByItself) {
  const v1::NormativeDocument document = Published();
  EXPECT_FALSE(IsInForce(document, absl::CivilDay(2024, 3, 31)));
  EXPECT_TRUE(IsInForce(document, absl::CivilDay(2024, 4, 1)));
  EXPECT_TRUE(IsInForce(document, absl::CivilDay(2029, 3, 31)));
  EXPECT_FALSE(IsInForce(document, absl::CivilDay(2029, 4, 1)));
}

TEST(NormativeDocument, Invariant14WhatHasLapsedIsNotExtended) {
  v1::NormativeDocument before = Published();
  before.set_title("村庄建设管理暂行办法");
  before.set_expiry_date("2025-04-01");
  v1::NormativeDocument extended = before;
  extended.set_evaluated_date("2025-01-10");
  extended.set_extended_date("2025-03-20");
  extended.set_expiry_date("2027-03-20");
  EXPECT_EQ(ReasonFor(extended, &before, absl::CivilDay(2025, 3, 31)), "");
  EXPECT_EQ(ReasonFor(extended, &before, absl::CivilDay(2025, 4, 1)), "REASON_DOCUMENT_LAPSED");
  extended.clear_extended_date();
  extended.set_expiry_date("2026-04-01");
  EXPECT_EQ(ReasonFor(extended, &before, absl::CivilDay(2025, 3, 31)), "REASON_DOCUMENT_STEP");
}

// Invariant 17: in force(end) = in force(start) + came into force − repealed − expired, over a
// hundred documents with random dates.
TEST(NormativeDocument, Invariant17WhatIsInForceAddsUp) {
  std::mt19937 random(17);
  const auto day = [&](int from, int days) {
    return absl::CivilDay(2024, 1, 1) + from +
           static_cast<int>(random() % static_cast<unsigned>(days));
  };
  const absl::CivilDay start(2024, 6, 30);
  const absl::CivilDay end(2025, 6, 30);
  int at_start = 0, at_end = 0, came = 0, repealed = 0, expired = 0;
  for (int i = 0; i < 100; ++i) {
    v1::NormativeDocument document = Published();
    const absl::CivilDay effective = day(0, 600);
    const absl::CivilDay expiry = effective + 1 + static_cast<int>(random() % 500);
    document.set_published_date(FormatDay(effective));
    document.set_effective_date(FormatDay(effective));
    document.set_expiry_date(FormatDay(expiry));
    absl::CivilDay last = expiry;
    if (random() % 3 == 0) {
      last = effective + static_cast<int>(random() % 500);
      document.set_ended_date(FormatDay(last));
      last = std::min(last, expiry);
    }
    const auto within = [&](absl::CivilDay when) { return start < when && when <= end; };
    at_start += IsInForce(document, start) ? 1 : 0;
    at_end += IsInForce(document, end) ? 1 : 0;
    if (last == effective) continue;  // never in force
    came += within(effective) ? 1 : 0;
    if (within(last)) ++(last == expiry ? expired : repealed);
  }
  EXPECT_EQ(at_end, at_start + came - repealed - expired);
  EXPECT_GT(came, 0);
  EXPECT_GT(repealed, 0);
  EXPECT_GT(expired, 0);
}

}  // namespace
}  // namespace fadu::legality
