// The legality service through its RPCs, over a real database: the states of its records, numbers
// under concurrency and cut connections, what one record demands of another.

#include <future>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/host/service_test_support.h"
#include "common/records/module.h"
#include "common/testing/status_matchers.h"
#include "fadu/common/v1/review_state.pb.h"
#include "fadu/legality/v1/legality_review.pb.h"
#include "fadu/legality/v1/local_term.pb.h"
#include "fadu/legality/v1/normative_document.pb.h"
#include "services/legality/domain/legality_review.h"
#include "services/legality/module.h"

namespace fadu::legality {
namespace {

namespace common = ::fadu::common::v1;
using host::RecordIn;
using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr char kTown[] = "421221106";
constexpr char kVillage[] = "421221106200";
const std::string kText(64, 'a');
const std::string kOtherText(64, 'b');
// 28 June 2024, 10:00 in Beijing.
const absl::Time kNow = absl::FromCivil(absl::CivilHour(2024, 6, 28, 10), LegalTimeZone());

v1::LegalityReview AskedFor(v1::SubjectKind kind, const std::string& area = kTown) {
  v1::LegalityReview review;
  review.set_area_code(area);
  review.set_received_date("2024-03-01");
  review.set_title("示例送审稿");
  review.set_subject_kind(kind);
  review.set_requester("示例单位");
  review.set_drafter("示例甲");
  review.set_text_digest(kText);
  for (const v1::ReviewMaterial material : ChecklistOf(kind)) review.add_materials(material);
  return review;
}

v1::LegalityReview Opined(v1::LegalityReview review) {
  review.set_opinion(v1::OPINION_LAWFUL);
  review.set_opinion_date("2024-03-11");
  review.set_reviewer_role(v1::REVIEWER_ROLE_JUSTICE_OFFICE);
  review.set_reviewer("示例乙");
  return review;
}

v1::NormativeDocument Drafted() {
  v1::NormativeDocument document;
  document.set_area_code(kTown);
  document.set_drafted_date("2024-02-05");
  document.set_title("示例管理办法");
  document.set_issuer("示例镇人民政府");
  document.set_issuer_kind(v1::ISSUER_KIND_GOVERNMENT);
  document.set_drafter("示例甲");
  document.set_determination(v1::DETERMINATION_NORMATIVE);
  document.set_determination_reason("反复适用");
  return document;
}

class LegalityTest : public ::testing::Test {
 protected:
  // A confirmed review of a normative document; its name.
  std::string PassedReview() {
    const auto made = service_.Create(Opined(AskedFor(v1::SUBJECT_KIND_NORMATIVE_DOCUMENT)));
    EXPECT_THAT(made, IsOk());
    return made.ok() ? made->name() : "";
  }

  // A document that stands before its number.
  v1::NormativeDocument Deliberated(const std::string& review) {
    v1::NormativeDocument document = Drafted();
    document.set_review(review);
    document.set_deliberation(v1::DELIBERATION_PASSED);
    document.set_deliberated_date("2024-03-13");
    document.set_meeting("镇长办公会");
    return document;
  }

  // One that asks for its number.
  v1::NormativeDocument Registered(const std::string& review, const std::string& signed_on) {
    v1::NormativeDocument document = Deliberated(review);
    document.set_signed_date(signed_on);
    document.set_symbol("示政规");
    document.set_registered_date("2024-03-20");
    document.set_registrar("示例丙");
    document.set_text_digest(kText);
    return document;
  }
  v1::NormativeDocument Registered(const std::string& review) {
    return Registered(review, "2024-03-14");
  }

  std::string NumberOf(const absl::StatusOr<common::Record>& answer) {
    return RecordIn<v1::NormativeDocument>(answer).document_number();
  }

  // Ordinals in the register, in order.
  std::vector<int64_t> Ordinals(const std::string& symbol, int year) {
    std::vector<int64_t> ordinals;
    for (const db::Row& row : service_.Admin(
             absl::StrCat("SELECT ordinal FROM legality.issued_number WHERE county_code = '421221' "
                          "AND symbol = '",
                          symbol, "' AND year = ", year, " ORDER BY ordinal"))) {
      ordinals.push_back(row.Int(0));
    }
    return ordinals;
  }

  std::vector<int64_t> OneTo(int64_t n) {
    std::vector<int64_t> all;
    for (int64_t i = 1; i <= n; ++i) all.push_back(i);
    return all;
  }

  host::ServiceUnderTest service_{MakeModule(), kNow};
};

// ---- reviews -----------------------------------------------------------------------------------

// A village asks, the justice office pauses, gives its opinion and confirms, the village replies
// and signs.
TEST_F(LegalityTest, AReviewGoesFromReceiptToSigning) {
  service_.As(common::ROLE_VILLAGE_CLERK, kVillage);
  const auto asked = service_.Create(AskedFor(v1::SUBJECT_KIND_CONTRACT, kVillage));
  ASSERT_THAT(asked, IsOk());
  EXPECT_EQ(asked->review_state(), common::REVIEW_STATE_SUBMITTED);
  EXPECT_EQ(RecordIn<v1::LegalityReview>(asked).due_date(), "2024-03-08");
  EXPECT_EQ(RecordIn<v1::LegalityReview>(asked).owner_level(), v1::OWNER_LEVEL_VILLAGE);

  service_.As(common::ROLE_TOWN_REVIEWER, kTown);
  v1::LegalityReview change;
  v1::ReviewPause& pause = *change.add_pauses();
  pause.set_reason(v1::PAUSE_REASON_MATERIAL);
  pause.set_start_date("2024-03-05");
  v1::LegalityReview read =
      RecordIn<v1::LegalityReview>(service_.Update(asked->name(), change, {"pauses"}));
  EXPECT_EQ(read.state(), v1::LEGALITY_REVIEW_STATE_PAUSED);
  EXPECT_TRUE(read.due_provisional());

  // 4 March, then 8, 11, 12, 13 March.
  change.mutable_pauses(0)->set_end_date("2024-03-07");
  read = RecordIn<v1::LegalityReview>(service_.Update(asked->name(), change, {"pauses"}));
  EXPECT_EQ(read.state(), v1::LEGALITY_REVIEW_STATE_REVIEWING);
  EXPECT_EQ(read.due_date(), "2024-03-13");

  read = RecordIn<v1::LegalityReview>(service_.Update(
      asked->name(), Opined({}), {"opinion", "opinion_date", "reviewer_role", "reviewer"}));
  EXPECT_EQ(read.state(), v1::LEGALITY_REVIEW_STATE_OPINED);
  EXPECT_TRUE(read.passed());
  EXPECT_FALSE(read.late());
  EXPECT_EQ(read.working_days(), 3);  // 4, 8, 11 March
  ASSERT_THAT(service_.Review(asked->name(), common::REVIEW_ACTION_CONFIRM), IsOk());

  service_.As(common::ROLE_VILLAGE_CLERK, kVillage);
  change.set_adoption(v1::ADOPTION_ADOPTED);
  change.set_reply_date("2024-03-12");
  read = RecordIn<v1::LegalityReview>(
      service_.Update(asked->name(), change, {"adoption", "reply_date"}));
  EXPECT_EQ(read.state(), v1::LEGALITY_REVIEW_STATE_REPLIED);
  // What was confirmed is confirmed again before it changes further.
  service_.As(common::ROLE_TOWN_REVIEWER, kTown);
  ASSERT_THAT(service_.Review(asked->name(), common::REVIEW_ACTION_CONFIRM), IsOk());
  change.set_used_date("2024-03-13");
  change.set_used_text_digest(kOtherText);
  EXPECT_THAT(service_.Update(asked->name(), change, {"used_date", "used_text_digest"}),
              HasReason("REASON_TEXT_CHANGED"));
  change.set_used_text_digest(kText);
  read = RecordIn<v1::LegalityReview>(
      service_.Update(asked->name(), change, {"used_date", "used_text_digest"}));
  EXPECT_EQ(read.state(), v1::LEGALITY_REVIEW_STATE_USED);
  EXPECT_EQ(read.timing(), v1::TIMING_BEFORE);
}

TEST_F(LegalityTest, AClerkAsksAndGivesNoOpinion) {
  service_.As(common::ROLE_TOWN_CLERK, kTown);
  const auto asked = service_.Create(AskedFor(v1::SUBJECT_KIND_CONTRACT));
  ASSERT_THAT(asked, IsOk());
  EXPECT_THAT(service_.Create(Opined(AskedFor(v1::SUBJECT_KIND_CONTRACT))),
              HasReason("REASON_REVIEW_ROLE"));
}

TEST_F(LegalityTest, NamesOfDrafterAndReviewerAreMaskedInAnswers) {
  const v1::LegalityReview read =
      RecordIn<v1::LegalityReview>(service_.Create(Opined(AskedFor(v1::SUBJECT_KIND_CONTRACT))));
  EXPECT_EQ(read.drafter(), "示**");
  EXPECT_EQ(read.reviewer(), "示**");
}

// A change that breaks the rules is named before any law looks at it.
TEST_F(LegalityTest, ADateThatDoesNotExistIsNamedInAnUpdateToo) {
  const auto asked = service_.Create(AskedFor(v1::SUBJECT_KIND_CONTRACT));
  v1::LegalityReview change;
  change.set_received_date("2024-02-30");
  EXPECT_THAT(service_.Update(asked->name(), change, {"received_date"}),
              HasReason("REASON_FIELD_INVALID"));
}

TEST_F(LegalityTest, AReviewThatANumberStandsOnKeepsResultAndText) {
  const std::string review = PassedReview();
  v1::LegalityReview change = Opined({});
  change.set_opinions_count(2);
  ASSERT_THAT(service_.Update(review, change, {"opinions_count"}), IsOk());
  ASSERT_EQ(NumberOf(service_.Create(Registered(review))), "示政规〔2024〕1号");

  change.set_opinions_count(3);
  EXPECT_THAT(service_.Update(review, change, {"opinions_count"}), IsOk());
  change.set_opinion(v1::OPINION_MODIFY);
  change.set_problems_count(1);
  EXPECT_THAT(service_.Update(review, change, {"opinion", "problems_count"}),
              HasReason("REASON_REVIEW_RELIED_ON"));
  change.set_text_digest(kOtherText);
  EXPECT_THAT(service_.Update(review, change, {"text_digest"}),
              HasReason("REASON_REVIEW_RELIED_ON"));
  EXPECT_THAT(service_.Delete(review), HasReason("REASON_REVIEW_RELIED_ON"));
  EXPECT_THAT(service_.Review(review, common::REVIEW_ACTION_RETURN),
              HasReason("REASON_REVIEW_RELIED_ON"));
}

// ---- documents ---------------------------------------------------------------------------------

TEST_F(LegalityTest, ADocumentGoesFromItsDraftToItsRepeal) {
  const std::string review = PassedReview();
  const auto drafted = service_.Create(Drafted());
  ASSERT_THAT(drafted, IsOk());
  v1::NormativeDocument change;
  const auto step = [&](const std::vector<std::string>& fields) {
    return RecordIn<v1::NormativeDocument>(service_.Update(drafted->name(), change, fields));
  };
  EXPECT_EQ(RecordIn<v1::NormativeDocument>(drafted).state(), v1::DOCUMENT_STATE_DRAFTED);
  change = Registered(review);
  EXPECT_EQ(step({"review"}).state(), v1::DOCUMENT_STATE_REVIEWED);
  EXPECT_EQ(step({"deliberation", "deliberated_date", "meeting"}).state(),
            v1::DOCUMENT_STATE_DELIBERATED);
  const v1::NormativeDocument numbered =
      step({"signed_date", "symbol", "registered_date", "registrar", "text_digest"});
  EXPECT_EQ(numbered.state(), v1::DOCUMENT_STATE_NUMBERED);
  EXPECT_EQ(numbered.document_number(), "示政规〔2024〕1号");
  change.set_issued_date("2024-03-21");
  EXPECT_EQ(step({"issued_date"}).publish_due_date(), "2024-04-19");  // 20 working days
  change.set_published_date("2024-03-22");
  change.set_effective_date("2024-05-01");
  change.set_expiry_date("2029-05-01");
  EXPECT_EQ(step({"published_date", "effective_date", "expiry_date"}).filing_due_date(),
            "2024-04-07");  // 15 days end on 6 April, off; Sunday the 7th is worked
  change.set_filed_date("2024-04-08");
  change.set_filing_result(v1::FILING_RESULT_ACCEPTED);
  const v1::NormativeDocument filed = step({"filed_date", "filing_result"});
  EXPECT_EQ(filed.state(), v1::DOCUMENT_STATE_FILED);
  EXPECT_TRUE(filed.filing_late());
  change.set_filed_date("2024-04-07");
  EXPECT_THAT(service_.Update(drafted->name(), change, {"filed_date"}),
              HasReason("REASON_LATE_STAYS_LATE"));
  change.set_end_kind(v1::END_KIND_REPEALED);
  change.set_ended_date("2024-06-03");
  EXPECT_EQ(step({"end_kind", "ended_date"}).state(), v1::DOCUMENT_STATE_ENDED);
  EXPECT_EQ(filed.document_number(), numbered.document_number());
}

TEST_F(LegalityTest, Invariant6WithoutAPassedAndConfirmedReviewThereIsNoNumber) {
  v1::NormativeDocument document = Registered(
      "counties/421221/legalityReviews/"
      "018f0000-0000-7000-8000-000000000001");
  EXPECT_THAT(service_.Create(document), HasReason("REASON_DOCUMENT_REVIEW"));
  // Asked for, not given.
  const auto asked = service_.Create(AskedFor(v1::SUBJECT_KIND_NORMATIVE_DOCUMENT));
  EXPECT_THAT(service_.Create(Registered(asked->name())), HasReason("REASON_DOCUMENT_REVIEW"));
  // Given, returned for correction.
  const std::string returned = PassedReview();
  ASSERT_THAT(service_.Review(returned, common::REVIEW_ACTION_RETURN), IsOk());
  EXPECT_THAT(service_.Create(Registered(returned)), HasReason("REASON_DOCUMENT_REVIEW"));
  // Given, deleted.
  const std::string deleted = PassedReview();
  ASSERT_THAT(service_.Delete(deleted), IsOk());
  EXPECT_THAT(service_.Create(Registered(deleted)), HasReason("REASON_DOCUMENT_REVIEW"));
  EXPECT_TRUE(Ordinals("示政规", 2024).empty());
}

TEST_F(LegalityTest, Invariant10ReviewerAndRegistrarAreComparedWithTheSealedNames) {
  v1::NormativeDocument document = Registered(PassedReview());
  document.set_registrar("示例乙");
  EXPECT_THAT(service_.Create(document), HasReason("REASON_DOCUMENT_SEPARATION"));
}

// ---- numbers -----------------------------------------------------------------------------------

// Invariant 1, E5: 64 at once give 1..64, each once, with no gap.
TEST_F(LegalityTest, Invariant1SixtyFourAtOnceAreNumberedOneToSixtyFour) {
  constexpr int kWriters = 64;
  const std::string review = PassedReview();
  std::vector<std::future<absl::StatusOr<common::Record>>> answers;
  for (int i = 0; i < kWriters; ++i) {
    answers.push_back(
        std::async(std::launch::async, [&] { return service_.Create(Registered(review)); }));
  }
  std::set<int> ordinals;
  for (auto& answer : answers) {
    const auto document = RecordIn<v1::NormativeDocument>(answer.get());
    EXPECT_EQ(document.number_year(), 2024);
    ordinals.insert(document.number_ordinal());
  }
  EXPECT_THAT(ordinals, SizeIs(kWriters));
  EXPECT_EQ(*ordinals.begin(), 1);
  EXPECT_EQ(*ordinals.rbegin(), kWriters);
  EXPECT_EQ(Ordinals("示政规", 2024), OneTo(kWriters));
}

// Invariant 1: also when connections are cut before and after each step of the write path.
TEST_F(LegalityTest, Invariant1CutConnectionsLeaveNoGap) {
  auto& module = static_cast<records::RecordModule&>(*service_.module());
  std::atomic<int> steps{0};
  module.store().writer().SetFaultPoint([&](absl::string_view step) {
    return (step == "before_commit" || step == "committed") && steps.fetch_add(1) % 3 == 0;
  });
  const std::string review = PassedReview();
  for (int i = 1; i <= 12; ++i) {
    EXPECT_EQ(NumberOf(service_.Create(Registered(review))),
              absl::StrCat("示政规〔2024〕", i, "号"));
  }
  EXPECT_GT(steps.load(), 24);
  EXPECT_EQ(Ordinals("示政规", 2024), OneTo(12));
}

// Invariant 1: what was refused, or only tried, took no number.
TEST_F(LegalityTest, Invariant1ARefusedOrOnlyTriedNumberingTakesNone) {
  const std::string review = PassedReview();
  common::CreateRecordRequest trial;
  trial.set_parent("counties/421221");
  trial.set_request_id(service_.NewRequestId());
  trial.set_validate_only(true);
  trial.mutable_record()->PackFrom(Registered(review));
  EXPECT_EQ(NumberOf(service_.Call<common::Record>("CreateRecord", trial)), "示政规〔2024〕1号");

  // The second of a batch is refused: the first has no number either.
  common::BatchCreateRecordsRequest batch;
  batch.set_parent("counties/421221");
  batch.set_request_id(service_.NewRequestId());
  batch.add_records()->PackFrom(Registered(review));
  v1::NormativeDocument other = Registered(review);
  other.set_text_digest(kOtherText);
  batch.add_records()->PackFrom(other);
  EXPECT_THAT(service_.Call<common::BatchCreateRecordsResponse>("BatchCreateRecords", batch),
              HasReason("REASON_TEXT_CHANGED"));
  EXPECT_TRUE(Ordinals("示政规", 2024).empty());

  batch.set_request_id(service_.NewRequestId());
  batch.mutable_records(1)->PackFrom(Registered(review));
  const auto both = service_.Call<common::BatchCreateRecordsResponse>("BatchCreateRecords", batch);
  ASSERT_THAT(both, IsOk());
  EXPECT_EQ(NumberOf(both->records(0)), "示政规〔2024〕1号");
  EXPECT_EQ(NumberOf(both->records(1)), "示政规〔2024〕2号");
}

// Invariant 2, E5: the void ledger.
TEST_F(LegalityTest, Invariant2AVoidedNumberIsRecordedAndNeverGivenAgain) {
  const std::string review = PassedReview();
  ASSERT_THAT(service_.Create(Registered(review)), IsOk());
  const auto second = service_.Create(Registered(review));
  v1::NormativeDocument change;
  change.set_voided_date("2024-03-25");
  change.set_void_reason("附件遗漏，重新制定");
  const auto voided = service_.Update(second->name(), change, {"voided_date", "void_reason"});
  EXPECT_EQ(RecordIn<v1::NormativeDocument>(voided).state(), v1::DOCUMENT_STATE_VOIDED);
  EXPECT_EQ(NumberOf(voided), "示政规〔2024〕2号");
  EXPECT_EQ(NumberOf(service_.Create(Registered(review))), "示政规〔2024〕3号");
  EXPECT_THAT(Ordinals("示政规", 2024), ElementsAre(1, 2, 3));
  const db::Rows ledger = service_.Admin(
      "SELECT ordinal, reason FROM legality.voided_number WHERE county_code = '421221'");
  ASSERT_EQ(ledger.size(), 1U);
  EXPECT_EQ(ledger[0].Int(0), 2);
  EXPECT_EQ(ledger[0].Text(1), "附件遗漏，重新制定");
  const auto listed = service_.List("normativeDocuments", "state = VOIDED");
  ASSERT_THAT(listed, SizeIs(1));
  EXPECT_EQ(listed[0].name(), second->name());
}

// Invariant 2: the register is append-only by grant.
TEST_F(LegalityTest, Invariant2TheServiceCannotChangeTheRegister) {
  for (const char* table : {"issued_number", "voided_number"}) {
    const db::Rows rights =
        service_.Admin(absl::StrCat("SELECT has_table_privilege('fadu_legality', 'legality.", table,
                                    "', 'INSERT'), "
                                    "has_table_privilege('fadu_legality', 'legality.",
                                    table,
                                    "', 'UPDATE'), "
                                    "has_table_privilege('fadu_legality', 'legality.",
                                    table, "', 'DELETE')"));
    EXPECT_TRUE(rights[0].Bool(0)) << table;
    EXPECT_FALSE(rights[0].Bool(1)) << table;
    EXPECT_FALSE(rights[0].Bool(2)) << table;
  }
}

TEST_F(LegalityTest, Invariant2ANumberedDocumentIsNeitherDeletedNorWithdrawn) {
  const auto numbered = service_.Create(Registered(PassedReview()));
  EXPECT_THAT(service_.Delete(numbered->name()), HasReason("REASON_NUMBER_KEPT"));
  const auto draft = service_.Create(Drafted());
  EXPECT_THAT(service_.Delete(draft->name()), IsOk());
}

// Invariant 3: signed on 29 December, entered on 3 January: a number of the old year.
TEST_F(LegalityTest, Invariant3TheYearIsThatOfTheSignature) {
  v1::LegalityReview early = Opined(AskedFor(v1::SUBJECT_KIND_NORMATIVE_DOCUMENT));
  early.set_received_date("2023-12-01");
  early.set_opinion_date("2023-12-20");
  const auto review = service_.Create(early);
  ASSERT_THAT(review, IsOk());
  v1::NormativeDocument document = Registered(review->name(), "2023-12-29");
  document.set_drafted_date("2023-11-01");
  document.set_deliberated_date("2023-12-26");
  document.set_registered_date("2024-01-03");
  EXPECT_EQ(NumberOf(service_.Create(document)), "示政规〔2023〕1号");
  document.set_signed_date("2024-01-02");
  EXPECT_EQ(NumberOf(service_.Create(document)), "示政规〔2024〕1号");
}

TEST_F(LegalityTest, ASymbolBelongsToOneIssuer) {
  const std::string review = PassedReview();
  ASSERT_THAT(service_.Create(Registered(review)), IsOk());
  v1::NormativeDocument other = Registered(review);
  other.set_issuer("示例镇人民政府办公室");
  const auto refused = service_.Create(other);
  EXPECT_THAT(refused, HasReason("REASON_SYMBOL_TAKEN"));
  EXPECT_EQ(DetailOf(refused.status()).metadata["issuer"], "示例镇人民政府");
  other.set_symbol("示政办规");
  EXPECT_EQ(NumberOf(service_.Create(other)), "示政办规〔2024〕1号");
}

// ---- local terms -------------------------------------------------------------------------------

TEST_F(LegalityTest, TheCountysTermMovesDueDatesFromItsFirstDay) {
  service_.As(common::ROLE_COUNTY_ADMIN, "421221");
  v1::LocalTerm term;
  term.set_area_code("421221");
  term.set_start_date("2024-03-01");
  term.set_kind(v1::TERM_KIND_CONTRACT_REVIEW);
  term.set_days(7);
  term.set_unit(v1::TERM_UNIT_WORKING_DAYS);
  term.set_basis("示例县合同管理办法第九条");
  ASSERT_THAT(service_.Create(term), IsOk());
  EXPECT_THAT(service_.Create(term), HasReason("REASON_TERM_OVERLAP"));

  service_.As(common::ROLE_TOWN_REVIEWER, kTown);
  v1::LegalityReview review = AskedFor(v1::SUBJECT_KIND_CONTRACT);
  EXPECT_EQ(RecordIn<v1::LegalityReview>(service_.Create(review)).due_date(), "2024-03-12");
  review.set_received_date("2024-02-29");
  EXPECT_EQ(RecordIn<v1::LegalityReview>(service_.Create(review)).due_date(), "2024-03-07");
  EXPECT_THAT(service_.Create(term), HasReason("REASON_ROLE_DENIED"));
}

TEST_F(LegalityTest, OfTwoDraftsOfATermOneComesIntoForce) {
  service_.As(common::ROLE_COUNTY_ADMIN, "421221");
  v1::LocalTerm term;
  term.set_area_code("421221");
  term.set_start_date("2024-03-01");
  term.set_kind(v1::TERM_KIND_FILING);
  term.set_days(5);
  term.set_unit(v1::TERM_UNIT_WORKING_DAYS);
  term.set_basis("示例办法");
  std::vector<std::string> drafts;
  for (int i = 0; i < 2; ++i) {
    common::CreateRecordRequest request;
    request.set_parent("counties/421221");
    request.set_request_id(service_.NewRequestId());
    request.mutable_record()->PackFrom(term);
    const auto made = service_.Call<common::Record>("CreateRecord", request);
    ASSERT_THAT(made, IsOk());
    drafts.push_back(made->name());
  }
  EXPECT_THAT(service_.Review(drafts[0], common::REVIEW_ACTION_SUBMIT), IsOk());
  EXPECT_THAT(service_.Review(drafts[1], common::REVIEW_ACTION_SUBMIT),
              HasReason("REASON_TERM_OVERLAP"));
}

}  // namespace
}  // namespace fadu::legality
