#include "services/legality/laws.h"

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/area_code.h"
#include "common/base/civil_day.h"
#include "common/base/status.h"
#include "common/base/working_calendar.h"
#include "common/schema/names.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/common/v1/review_state.pb.h"
#include "fadu/legality/v1/legality_review.pb.h"
#include "fadu/legality/v1/local_term.pb.h"
#include "fadu/legality/v1/normative_document.pb.h"
#include "fadu/legality/v1/reason.pb.h"
#include "services/legality/domain/legality_review.h"
#include "services/legality/domain/normative_document.h"
#include "services/legality/domain/term.h"
#include "services/legality/sql.h"

namespace fadu::legality {
namespace {

namespace common = ::fadu::common::v1;
using google::protobuf::Message;
using records::LawContext;
using records::LockedView;
using records::Operation;
using records::StoredRecord;

constexpr char kName[] = "legality";
// Terms of one kind follow each other; a county has had no more of them than this.
constexpr int kMostTerms = 200;

const RecordTypes& Types() {
  static const RecordTypes* const types = [] {
    auto made =
        RecordTypes::FromDescriptors({v1::LegalityReview::descriptor(), v1::LocalTerm::descriptor(),
                                      v1::NormativeDocument::descriptor()});
    if (!made.ok()) (void)FADU_BUG(made.status().message());
    return made.ok() ? made->release() : new RecordTypes;
  }();
  return *types;
}

template <typename Record>
const RecordType& TypeOf() {
  return *Types().FindByName(Record::descriptor()->full_name());
}

// A record's message with its sealed fields in clear.
template <typename Record>
Record WholeOf(const StoredRecord& record) {
  Record whole;
  whole.CopyFrom(*record.message);
  if (record.sealed != nullptr) record.type->MergeSealed(*record.sealed, whole);
  return whole;
}

bool ChangesContent(const LawContext& context) {
  return context.operation == Operation::kCreate || context.operation == Operation::kUpdate;
}

absl::StatusOr<std::vector<v1::LocalTerm>> LocalTerms(LockedView& view, const Uuid& except) {
  FADU_ASSIGN_OR_RETURN(const std::vector<StoredRecord> found,
                        view.Find(TypeOf<v1::LocalTerm>(), "", kMostTerms));
  std::vector<v1::LocalTerm> terms;
  for (const StoredRecord& record : found) {
    if (record.review_state == common::REVIEW_STATE_CONFIRMED && record.id != except) {
      terms.push_back(WholeOf<v1::LocalTerm>(record));
    }
  }
  return terms;
}

// ---- local terms -------------------------------------------------------------------------------

absl::Status LawOfTerm(const Message*, Message& after, const LawContext&) {
  return CheckTerm(static_cast<const v1::LocalTerm&>(after));
}

absl::Status LockedLawOfTerm(LockedView& view, const Uuid& id, const Message*, Message& after,
                             const LawContext& context) {
  // Whatever may bring one into force: drafts do not count yet.
  const bool leaves = context.operation == Operation::kDelete ||
                      context.operation == Operation::kReturn ||
                      context.operation == Operation::kWithdraw;
  if (leaves) return absl::OkStatus();
  FADU_ASSIGN_OR_RETURN(const std::vector<v1::LocalTerm> others, LocalTerms(view, id));
  return CheckOverlap(static_cast<const v1::LocalTerm&>(after), others);
}

// ---- reviews -----------------------------------------------------------------------------------

absl::Status LawOfReview(const Message* before, Message& after, const LawContext& context) {
  const auto& review = static_cast<const v1::LegalityReview&>(after);
  const bool may_opine = context.principal->is_service ||
                         context.principal->MayIn(review.area_code(), {common::ROLE_TOWN_REVIEWER,
                                                                       common::ROLE_COUNTY_REVIEWER,
                                                                       common::ROLE_DEPARTMENT});
  return DecideReview(static_cast<const v1::LegalityReview*>(before),
                      static_cast<v1::LegalityReview&>(after), context.today, may_opine,
                      WorkingCalendar::Shipped());
}

// A review on which a numbered document stands keeps text and result, and stays.
absl::Status CheckReliance(LockedView& view, const Uuid& id, const v1::LegalityReview& before,
                           const v1::LegalityReview& after, const LawContext& context) {
  const bool leaves = context.operation == Operation::kDelete ||
                      context.operation == Operation::kWithdraw ||
                      context.operation == Operation::kReturn;
  const bool changes =
      context.operation == Operation::kUpdate &&
      (before.passed() != after.passed() || LastDigest(before) != LastDigest(after) ||
       before.opinion_date() != after.opinion_date() || before.area_code() != after.area_code() ||
       before.subject_kind() != after.subject_kind() || before.reviewer() != after.reviewer());
  if (!leaves && !changes) return absl::OkStatus();
  const RecordName name{CountyOf(before.area_code()), TypeOf<v1::LegalityReview>().collection(),
                        id};
  FADU_ASSIGN_OR_RETURN(
      const std::vector<StoredRecord> documents,
      view.Find(TypeOf<v1::NormativeDocument>(),
                absl::StrCat("review = \"", name.ToString(), "\" AND registered_date:*"), 1));
  if (documents.empty()) return absl::OkStatus();
  return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_REVIEW_RELIED_ON,
              "a numbered document stands on this review",
              {{"document", WholeOf<v1::NormativeDocument>(documents[0]).document_number()}});
}

absl::Status LockedLawOfReview(LockedView& view, const Uuid& id, const Message* before,
                               Message& after, const LawContext& context) {
  auto& review = static_cast<v1::LegalityReview&>(after);
  if (before != nullptr) {
    FADU_RETURN_IF_ERROR(
        CheckReliance(view, id, static_cast<const v1::LegalityReview&>(*before), review, context));
  }
  if (!ChangesContent(context)) return absl::OkStatus();
  FADU_ASSIGN_OR_RETURN(const std::vector<v1::LocalTerm> terms, LocalTerms(view, Uuid()));
  SetDue(review, terms, context.today, WorkingCalendar::Shipped());
  return absl::OkStatus();
}

// ---- documents ---------------------------------------------------------------------------------

absl::Status LawOfDocument(const Message* before, Message& after, const LawContext& context) {
  return DecideDocument(static_cast<const v1::NormativeDocument*>(before),
                        static_cast<v1::NormativeDocument&>(after), context.today);
}

absl::Status CheckReviewRecord(LockedView& view, const v1::NormativeDocument& document) {
  if (document.review().empty()) return absl::OkStatus();
  const RecordType& type = TypeOf<v1::LegalityReview>();
  const absl::StatusOr<RecordName> name = ParseRecordName(document.review());
  absl::optional<StoredRecord> record;
  if (name.ok() && name->collection == type.collection() &&
      name->county == CountyOf(document.area_code())) {
    FADU_ASSIGN_OR_RETURN(record, view.Get(type, name->id));
  }
  if (!record.has_value() || record->deleted_at.has_value()) {
    return CheckReviewOf(document, nullptr, false);
  }
  const auto review = WholeOf<v1::LegalityReview>(*record);
  return CheckReviewOf(document, &review, record->review_state == common::REVIEW_STATE_CONFIRMED);
}

// Numbers of one symbol and year are 1..n in the order in which they were given (invariants 1, 2):
// the county's counter row is held, so nobody else is giving any. A symbol belongs to one issuer,
// so that (issuer, kind, year) is (symbol, year).
absl::Status GiveNumber(LockedView& view, const Uuid& id, v1::NormativeDocument& document,
                        const LawContext& context) {
  const std::string county = CountyOf(document.area_code());
  const std::string issuer(absl::StripAsciiWhitespace(document.issuer()));
  FADU_ASSIGN_OR_RETURN(
      const db::Rows owner,
      view.sql().Run(sql::kFindIssuerOfSymbol, db::Params().Text(county).Text(document.symbol())));
  if (!owner.empty() && owner[0].Text(0) != issuer) {
    return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_SYMBOL_TAKEN,
                "the symbol belongs to another issuer",
                {{"symbol", document.symbol()}, {"issuer", owner[0].Text(0)}});
  }
  // The year of the signature, not that of the entry (invariant 3).
  const auto year = static_cast<int>((*ParseDay(document.signed_date())).year());
  FADU_ASSIGN_OR_RETURN(
      const db::Rows last,
      view.sql().Run(sql::kFindLastNumber,
                     db::Params().Text(county).Text(document.symbol()).Int(year)));
  const int ordinal = last.empty() ? 1 : static_cast<int>(last[0].Int(0)) + 1;
  FADU_RETURN_IF_ERROR(
      view.sql()
          .Execute(sql::kGiveNumber, db::Params()
                                         .Text(county)
                                         .Text(document.symbol())
                                         .Int(year)
                                         .Int(ordinal)
                                         .Text(issuer)
                                         .Id(id)
                                         .Day(*ParseDay(document.registered_date()))
                                         .Time(context.now))
          .status());
  document.set_number_year(year);
  document.set_number_ordinal(ordinal);
  document.set_document_number(NumberText(document.symbol(), year, ordinal));
  return absl::OkStatus();
}

absl::Status VoidNumber(LockedView& view, const v1::NormativeDocument& document,
                        const LawContext& context) {
  return view.sql()
      .Execute(sql::kVoidNumber, db::Params()
                                     .Text(CountyOf(document.area_code()))
                                     .Text(document.symbol())
                                     .Int(document.number_year())
                                     .Int(document.number_ordinal())
                                     .Text(document.void_reason())
                                     .Day(*ParseDay(document.voided_date()))
                                     .Time(context.now))
      .status();
}

absl::Status LockedLawOfDocument(LockedView& view, const Uuid& id, const Message* before,
                                 Message& after, const LawContext& context) {
  auto& document = static_cast<v1::NormativeDocument&>(after);
  const bool leaves =
      context.operation == Operation::kDelete || context.operation == Operation::kWithdraw;
  if (leaves && document.number_ordinal() > 0) {
    return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_NUMBER_KEPT,
                "a numbered document is voided or repealed, not deleted",
                {{"number", document.document_number()},
                 {"problem", "不能删除或撤回；未印发的请作废编号，已印发的请废止"}});
  }
  if (!ChangesContent(context)) return absl::OkStatus();
  const auto* old = static_cast<const v1::NormativeDocument*>(before);
  FADU_RETURN_IF_ERROR(CheckReviewRecord(view, document));
  FADU_ASSIGN_OR_RETURN(const std::vector<v1::LocalTerm> terms, LocalTerms(view, Uuid()));
  FADU_RETURN_IF_ERROR(SetDue(old, document, terms, WorkingCalendar::Shipped()));
  if (!document.registered_date().empty() && document.number_ordinal() == 0) {
    FADU_RETURN_IF_ERROR(GiveNumber(view, id, document, context));
  }
  const bool was_void = old != nullptr && !old->voided_date().empty();
  if (document.voided_date().empty() || was_void) return absl::OkStatus();
  return VoidNumber(view, document, context);
}

}  // namespace

records::RecordModuleOptions Options() {
  records::RecordModuleOptions options;
  options.name = kName;
  options.types = &Types();
  options.laws = {{v1::LegalityReview::descriptor()->full_name(), LawOfReview},
                  {v1::LocalTerm::descriptor()->full_name(), LawOfTerm},
                  {v1::NormativeDocument::descriptor()->full_name(), LawOfDocument}};
  options.locked_laws = {{v1::LegalityReview::descriptor()->full_name(), LockedLawOfReview},
                         {v1::LocalTerm::descriptor()->full_name(), LockedLawOfTerm},
                         {v1::NormativeDocument::descriptor()->full_name(), LockedLawOfDocument}};
  options.migrations = sql::Migrations();
  return options;
}

}  // namespace fadu::legality
