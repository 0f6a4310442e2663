#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/civil_day.h"
#include "common/base/digest.h"
#include "common/base/points.h"
#include "common/base/status.h"
#include "fadu/legality/v1/legality_review.pb.h"
#include "fadu/legality/v1/normative_document.pb.h"
#include "services/fadu/sample_records.h"
#include "services/legality/domain/legality_review.h"

namespace fadu::cli {
namespace {

namespace v1 = ::fadu::legality::v1;

constexpr char kService[] = "legality";
constexpr int kContracts = 10;  // founding report: 全年共有10份行政合同经过合法性审查

// The SHA-256 of a text that exists only in name.
std::string DigestOf(absl::string_view what) { return Hex(Sha256(what)); }

v1::LegalityReview MakeReview(const std::string& area, v1::SubjectKind kind,
                              const std::string& title, absl::CivilDay received) {
  v1::LegalityReview review;
  review.set_area_code(area);
  review.set_received_date(FormatDay(received));
  review.set_title(absl::StrCat(title, "（示例）"));
  review.set_subject_kind(kind);
  review.set_requester(area.size() == 9 ? "镇政府办公室（示例）" : "村（居）民委员会（示例）");
  review.set_drafter("示例起草人");
  review.set_text_digest(DigestOf(absl::StrCat(area, title, FormatDay(received))));
  for (const v1::ReviewMaterial material : legality::ChecklistOf(kind)) {
    review.add_materials(material);
  }
  return review;
}

void Opine(v1::LegalityReview& review, absl::CivilDay on, bool asks_for_changes) {
  review.set_opinion(asks_for_changes ? v1::OPINION_MODIFY : v1::OPINION_LAWFUL);
  review.set_opinion_date(FormatDay(on));
  review.set_reviewer_role(v1::REVIEWER_ROLE_JUSTICE_OFFICE);
  review.set_reviewer("示例审查人");
}

// A contract: reviewed in three to seven days, its reply and its signing.
v1::LegalityReview MakeContract(const std::string& area, int number, absl::CivilDay received,
                                bool before, Dice& dice) {
  constexpr const char* kContractTitles[] = {"道路养护合同",     "绿化管护合同", "集体土地流转合同",
                                             "公益设施维修合同", "垃圾清运合同", "水面承包合同"};
  v1::LegalityReview review =
      MakeReview(area, v1::SUBJECT_KIND_CONTRACT,
                 absl::StrCat(kContractTitles[dice.Below(6)], number), received);
  review.set_amount_e4(Points::FromWhole(dice.Between(3, 80) * 1000).units());
  const absl::CivilDay opined = received + dice.Between(3, 6);
  Opine(review, opined, /*asks_for_changes=*/false);
  review.set_adoption(v1::ADOPTION_ADOPTED);
  review.set_reply_date(FormatDay(opined + 1));
  review.set_used_date(FormatDay(before ? opined + dice.Between(1, 8) : received - 5));
  review.set_used_text_digest(review.text_digest());
  if (!before) review.set_after_reason("签订前未送审，事后补审（示例）");
  return review;
}

}  // namespace

absl::StatusOr<int64_t> RecordLegality(const SampleArea& town,
                                       const std::vector<SampleArea>& villages, uint64_t seed,
                                       const Recorder& record) {
  Dice dice(seed * 15485863 + static_cast<uint64_t>(std::stoull(town.code)));
  const bool founding = town.code == kSampleTown;
  const int diligence = DiligenceOf(town.code);
  Messages messages;
  const int contracts = founding ? kContracts : dice.Between(2, 4 + 3 * diligence);
  for (int i = 0; i < contracts; ++i) {
    const absl::CivilDay received = absl::CivilDay(kSampleYear, 1, 15) + i * 330 / contracts;
    const bool before = founding || dice.Chance(80 + 5 * diligence);
    messages.push_back(std::make_unique<v1::LegalityReview>(
        MakeContract(town.code, i + 1, received, before, dice)));
  }
  for (const SampleArea& village : villages) {
    const int care = DiligenceOf(village.code);
    if (dice.Chance(40 + 18 * care)) {
      const absl::CivilDay received = absl::CivilDay(kSampleYear, 4, 8) + dice.Below(120);
      v1::LegalityReview bylaw =
          MakeReview(village.code, v1::SUBJECT_KIND_VILLAGE_BYLAW, "村规民约修订稿", received);
      Opine(bylaw, received + dice.Between(2, 5), /*asks_for_changes=*/false);
      messages.push_back(std::make_unique<v1::LegalityReview>(std::move(bylaw)));
    }
    const int signings = dice.Below(3);
    for (int i = 0; i < signings; ++i) {
      const absl::CivilDay received = absl::CivilDay(kSampleYear, 2, 26) + dice.Below(280);
      messages.push_back(std::make_unique<v1::LegalityReview>(
          MakeContract(village.code, i + 1, received, dice.Chance(55 + 14 * care), dice)));
    }
  }
  // The founding report's two rules; other towns have at most one.
  std::vector<std::pair<std::string, absl::CivilDay>> rules;
  if (founding) {
    rules = {{"重大行政决策程序暂行规定", absl::CivilDay(kSampleYear, 3, 4)},
             {"工作规则", absl::CivilDay(kSampleYear, 5, 13)}};
  } else if (dice.Chance(25 + 15 * diligence)) {
    rules = {{"农村集体资产管理办法", absl::CivilDay(kSampleYear, 6, 3)}};
  }
  const size_t first_rule = messages.size();
  for (const auto& [title, received] : rules) {
    v1::LegalityReview review = MakeReview(town.code, v1::SUBJECT_KIND_NORMATIVE_DOCUMENT,
                                           absl::StrCat(town.name, title), received);
    Opine(review, received + 11, /*asks_for_changes=*/false);
    messages.push_back(std::make_unique<v1::LegalityReview>(std::move(review)));
  }
  int64_t count = static_cast<int64_t>(messages.size());
  FADU_ASSIGN_OR_RETURN(const std::vector<std::string> ids, record(kService, "reviews", messages));

  Messages documents;
  for (size_t i = 0; i < rules.size(); ++i) {
    const auto& [title, received] = rules[i];
    const auto& review = static_cast<const v1::LegalityReview&>(*messages[first_rule + i]);
    const absl::CivilDay met = received + 14;
    v1::NormativeDocument document;
    document.set_area_code(town.code);
    document.set_drafted_date(FormatDay(received - 20));
    document.set_title(absl::StrCat(town.name, "人民政府", title));
    document.set_issuer(absl::StrCat(town.name, "人民政府"));
    document.set_issuer_kind(v1::ISSUER_KIND_GOVERNMENT);
    document.set_drafter("示例起草人");
    document.set_determination(v1::DETERMINATION_NORMATIVE);
    document.set_determination_reason("涉及公众权利义务、反复适用（示例）");
    document.set_review(absl::StrCat("counties/", town.code.substr(0, 6), "/legalityReviews/",
                                     ids[first_rule + i]));
    document.set_deliberation(v1::DELIBERATION_PASSED);
    document.set_deliberated_date(FormatDay(met));
    document.set_meeting("镇长办公会（示例）");
    document.set_signed_date(FormatDay(met + 1));
    document.set_symbol(absl::StrCat("示", town.name.substr(0, 3), "政规"));  // 示潘政规
    document.set_registered_date(FormatDay(met + 2));
    document.set_registrar("示例登记人");
    document.set_text_digest(review.text_digest());
    document.set_issued_date(FormatDay(met + 3));
    document.set_published_date(FormatDay(met + 6));
    document.set_effective_date(FormatDay(met + 40));
    document.set_expiry_date(FormatDay(absl::CivilDay(kSampleYear + 1, 12, 31)));
    // Filed within 15 days of publication, or late.
    document.set_filed_date(FormatDay(met + 6 + (founding ? 9 : dice.Between(8, 24))));
    document.set_filing_result(v1::FILING_RESULT_ACCEPTED);
    documents.push_back(std::make_unique<v1::NormativeDocument>(std::move(document)));
  }
  count += static_cast<int64_t>(documents.size());
  FADU_RETURN_IF_ERROR(record(kService, "documents", documents).status());
  return count;
}

}  // namespace fadu::cli
