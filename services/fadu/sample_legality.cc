#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/civil_day.h"
#include "common/base/digest.h"
#include "common/base/points.h"
#include "common/base/status.h"
#include "common/base/working_calendar.h"
#include "fadu/legality/v1/legality_review.pb.h"
#include "fadu/legality/v1/normative_document.pb.h"
#include "services/fadu/sample_records.h"

namespace fadu::cli {
namespace {

namespace v1 = ::fadu::legality::v1;

constexpr char kService[] = "legality";
constexpr int kContracts = 10;  // founding report: 10份行政合同经过司法所合法性审查

std::string DigestOf(const std::string& text) { return Hex(Sha256(text)); }

// `days` working days after `day`.
absl::CivilDay WorkingDaysAfter(absl::CivilDay day, int days) {
  const auto due = DueOn({days, DayUnit::kWorkingDays}, day, {}, WorkingCalendar::Shipped());
  return due.ok() ? due->due_on : day;
}

v1::LegalityReview MakeReview(const std::string& area, absl::CivilDay received,
                              v1::SubjectKind kind, const std::string& title,
                              const std::string& requester) {
  v1::LegalityReview review;
  review.set_area_code(area);
  review.set_received_date(FormatDay(received));
  review.set_title(absl::StrCat(title, "（示例）"));
  review.set_subject_kind(kind);
  review.set_requester(requester);
  review.set_drafter("示例起草人");
  review.set_text_digest(DigestOf(absl::StrCat(area, title)));
  // All there is; what a kind does not ask for does no harm.
  for (int material = v1::REVIEW_MATERIAL_DRAFT; material <= v1::REVIEW_MATERIAL_EVIDENCE;
       ++material) {
    review.add_materials(static_cast<v1::ReviewMaterial>(material));
  }
  return review;
}

void Opine(v1::LegalityReview& review, absl::CivilDay day, bool modify) {
  review.set_opinion(modify ? v1::OPINION_MODIFY : v1::OPINION_LAWFUL);
  review.set_opinion_date(FormatDay(day));
  review.set_reviewer_role(v1::REVIEWER_ROLE_JUSTICE_OFFICE);
  review.set_reviewer("示例审查人");
  review.set_opinions_count(modify ? 3 : 1);
  review.set_problems_count(modify ? 2 : 0);
  review.set_adoption(v1::ADOPTION_ADOPTED);
  review.set_reply_date(FormatDay(day + 1));
  if (!modify) return;
  v1::Recheck& recheck = *review.add_rechecks();
  recheck.set_check_date(FormatDay(day + 2));
  recheck.set_text_digest(DigestOf(review.title() + "修改稿"));
  recheck.set_passed(true);
}

// A contract from its receipt to its signing. Where work is slack opinions come late, some
// contracts are signed first, and the last of the year are still open.
v1::LegalityReview MakeContract(const SampleArea& owner, int number, int diligence, Dice& dice) {
  constexpr const char* kTitles[] = {"环卫保洁服务合同", "道路维修施工合同", "土地租赁合同",
                                     "办公用品采购合同", "绿化养护合同"};
  const absl::CivilDay received = absl::CivilDay(kSampleYear, 1, 15) + dice.Below(335);
  v1::LegalityReview review = MakeReview(owner.code, received, v1::SUBJECT_KIND_CONTRACT,
                                         absl::StrCat(kTitles[dice.Below(5)], number), owner.name);
  review.set_amount_e4(Points::FromWhole(dice.Between(3, 300) * 1000).units());
  const bool slack = dice.Chance(12 * (3 - diligence));
  if (slack && received > absl::CivilDay(kSampleYear, 12, 1)) return review;
  const absl::CivilDay opined =
      WorkingDaysAfter(received, slack ? dice.Between(5, 9) : dice.Between(1, 5));
  const bool modify = dice.Chance(30);
  Opine(review, opined, modify);
  const bool signed_first = slack && dice.Chance(40);
  review.set_used_date(FormatDay(signed_first ? received : opined + dice.Between(3, 8)));
  review.set_used_text_digest(modify ? review.rechecks(0).text_digest() : review.text_digest());
  if (signed_first) review.set_after_reason("先签后审，已责成整改");
  return review;
}

// A normative document and when it took its steps.
struct SampleDocument {
  std::string title;
  absl::CivilDay drafted;
  int validity_years;
  int filed_after;  // days after publication; below zero: never
  bool voided;
};

std::vector<SampleDocument> DocumentsOf(const SampleArea& town, int diligence, Dice& dice) {
  if (town.code == kSampleTown) {
    return {{absl::StrCat(town.name, "人民政府重大行政决策程序暂行规定"),
             absl::CivilDay(kSampleYear, 3, 4), 2, 8, false},
            {absl::StrCat(town.name, "人民政府工作规则"), absl::CivilDay(kSampleYear, 5, 6), 5, 10,
             false}};
  }
  // Farms and development zones are no towns: they have no government of their own.
  if (town.code[6] >= '4') return {};
  constexpr const char* kTitles[] = {"农村宅基地管理办法", "殡葬管理暂行规定", "河道管护办法"};
  std::vector<SampleDocument> documents;
  const int count = dice.Below(3);
  for (int i = 0; i < count; ++i) {
    const bool slack = dice.Chance(20 * (3 - diligence));
    const int filed_after = !slack            ? dice.Between(3, 14)
                            : dice.Chance(50) ? dice.Between(20, 40)
                                              : -1;
    documents.push_back({absl::StrCat(town.name, kTitles[i]),
                         absl::CivilDay(kSampleYear, 2 + 4 * i, 5) + dice.Below(30), i == 1 ? 2 : 5,
                         filed_after, false});
  }
  // One that was numbered and not issued keeps its number.
  if (count > 0 && dice.Chance(25)) documents[0].voided = true;
  return documents;
}

v1::LegalityReview ReviewOf(const SampleArea& town, const SampleDocument& document) {
  const absl::CivilDay received = WorkingDaysAfter(document.drafted, 20);
  v1::LegalityReview review = MakeReview(town.code, received, v1::SUBJECT_KIND_NORMATIVE_DOCUMENT,
                                         document.title, absl::StrCat(town.name, "党政综合办公室"));
  Opine(review, WorkingDaysAfter(received, 8), /*modify=*/false);
  return review;
}

v1::NormativeDocument MakeDocument(const SampleArea& town, const SampleDocument& document,
                                   const std::string& review_id) {
  const v1::LegalityReview review = ReviewOf(town, document);
  const absl::CivilDay opined = *ParseDay(review.opinion_date());
  v1::NormativeDocument made;
  made.set_area_code(town.code);
  made.set_drafted_date(FormatDay(document.drafted));
  made.set_title(document.title);
  made.set_issuer(absl::StrCat(town.name, "人民政府"));
  made.set_issuer_kind(v1::ISSUER_KIND_GOVERNMENT);
  made.set_drafter("示例起草人");
  made.set_determination(v1::DETERMINATION_NORMATIVE);
  made.set_determination_reason("对外公开、普遍约束、反复适用（示例）");
  made.set_review(RecordNameOf(town.code, "legalityReviews", review_id));
  made.set_deliberation(v1::DELIBERATION_PASSED);
  made.set_deliberated_date(FormatDay(WorkingDaysAfter(opined, 2)));
  made.set_meeting("镇长办公会");
  const absl::CivilDay signed_on = WorkingDaysAfter(opined, 3);
  made.set_signed_date(FormatDay(signed_on));
  // 潘政规: the first character of the town's name.
  made.set_symbol(absl::StrCat(town.name.substr(0, 3), "政规"));
  made.set_registered_date(FormatDay(signed_on));
  made.set_registrar("示例登记人");
  made.set_text_digest(review.text_digest());
  const absl::CivilDay issued = WorkingDaysAfter(signed_on, 1);
  if (document.voided) {
    made.set_voided_date(FormatDay(issued));
    made.set_void_reason("附件遗漏，重新制定（示例）");
    return made;
  }
  made.set_issued_date(FormatDay(issued));
  const absl::CivilDay published = WorkingDaysAfter(issued, 2);
  made.set_published_date(FormatDay(published));
  made.set_effective_date(FormatDay(published));
  made.set_expiry_date(FormatDay(absl::CivilDay(published.year() + document.validity_years,
                                                published.month(), published.day())));
  if (document.filed_after >= 0) {
    made.set_filed_date(FormatDay(published + document.filed_after));
    made.set_filing_result(v1::FILING_RESULT_ACCEPTED);
  }
  return made;
}

}  // namespace

absl::StatusOr<int64_t> RecordLegality(const SampleArea& town,
                                       const std::vector<SampleArea>& villages, uint64_t seed,
                                       const Recorder& record) {
  Dice dice(seed * 49979687 + static_cast<uint64_t>(std::stoull(town.code)));
  const bool founding = town.code == kSampleTown;
  const int diligence = founding ? 3 : DiligenceOf(town.code);
  const std::vector<SampleDocument> documents = DocumentsOf(town, diligence, dice);
  Messages reviews;
  for (const SampleDocument& document : documents) {
    reviews.push_back(std::make_unique<v1::LegalityReview>(ReviewOf(town, document)));
  }
  const int contracts = founding ? kContracts : dice.Between(1, 14);
  for (int i = 0; i < contracts; ++i) {
    const bool of_village = !founding && !villages.empty() && dice.Chance(40);
    const SampleArea& owner =
        of_village ? villages[static_cast<size_t>(dice.Below(static_cast<int>(villages.size())))]
                   : town;
    reviews.push_back(
        std::make_unique<v1::LegalityReview>(MakeContract(owner, i + 1, diligence, dice)));
  }
  FADU_ASSIGN_OR_RETURN(const std::vector<std::string> ids, record(kService, "reviews", reviews));
  Messages made;
  for (size_t i = 0; i < documents.size(); ++i) {
    made.push_back(
        std::make_unique<v1::NormativeDocument>(MakeDocument(town, documents[i], ids[i])));
  }
  FADU_RETURN_IF_ERROR(record(kService, "documents", made).status());
  return static_cast<int64_t>(reviews.size() + made.size());
}

}  // namespace fadu::cli
