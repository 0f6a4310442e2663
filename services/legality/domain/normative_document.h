// services/legality/domain/normative_document.h
//
// The law of administrative normative documents (国办发〔2018〕37号, 115号; domain §5), as pure
// functions over the record: no registration and passed review, no number; no number, no issue.
#ifndef FADU_SERVICES_LEGALITY_DOMAIN_NORMATIVE_DOCUMENT_H_
#define FADU_SERVICES_LEGALITY_DOMAIN_NORMATIVE_DOCUMENT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "common/base/working_calendar.h"
#include "fadu/legality/v1/legality_review.pb.h"
#include "fadu/legality/v1/local_term.pb.h"
#include "fadu/legality/v1/normative_document.pb.h"

namespace fadu::legality {

// The last step a document has taken, from what is filled in.
v1::DocumentState StateOf(const v1::NormativeDocument& document);

// True when `from` may become `to`. Before the number there is a way back (another review, another
// meeting); after it there is none (domain §5.4). Each step forward has its conditions in
// DecideDocument.
//
//   from \ to      before the number  NUMBERED  ISSUED  PUBLISHED  FILED  ENDED  VOIDED
//   (new)                  x             x        x         x        x      x      x
//   before                 x             x        x         x        x      x      x
//   NUMBERED                             x        x         x        x      x      x
//   ISSUED                                        x         x        x      x
//   PUBLISHED                                               x        x      x
//   FILED                                                            x      x
//   ENDED                                                                   x
//   VOIDED                                                                         x
//
// "Before the number": DRAFTED, SCREENED_OUT, REVIEWED, DELIBERATED.
bool MayMove(v1::DocumentState from, v1::DocumentState to);

// 潘政规〔2024〕1号: symbol, full year in six-angle brackets, ordinal without leading zeros (GB/T
// 9704-2012 §7.2.5; invariant 4).
std::string NumberText(absl::string_view symbol, int year, int ordinal);

// Is it in force on `day`: published, effective, neither expired nor ended. It expires at 00:00 of
// its expiry date (invariant 14).
bool IsInForce(const v1::NormativeDocument& document, absl::CivilDay day);

// Most years in force: 2 with 暂行 or 试行 in the title, else 5 (invariant 13; LOCAL, nearly
// everywhere).
int MostYears(absl::string_view title);

// Decides whether `after` may be recorded on `today`, given `before` (null on creation), and sets
// its state; what other rows say is CheckReviewOf()'s.
//
// INVALID_ARGUMENT
//   REASON_DOCUMENT_ISSUER    a body that may not issue (invariant 15)
//   REASON_DOCUMENT_DATES     steps out of order or in the future
//   REASON_DOCUMENT_STEP      a step without what it needs: determination, review, consultation of
//                             30 days and fair competition where it touches business (invariant 16;
//                             优化营商环境条例 62), a meeting that passed it, signature, registrar,
//                             text (invariant 6)
//   REASON_DOCUMENT_VALIDITY  in force for too long (invariant 13)
// FAILED_PRECONDITION
//   REASON_DOCUMENT_LAPSED    an extension after expiry (invariant 14)
//   REASON_NUMBER_KEPT        what the number stands on was changed (invariants 2, 9)
//   REASON_DOCUMENT_STATE     the move is not in the table
absl::Status DecideDocument(const v1::NormativeDocument* before, v1::NormativeDocument& after,
                            absl::CivilDay today);

// Does the review that `document.review` names (null when there is none) serve the document?
// `counts`: it is confirmed.
//
// FAILED_PRECONDITION
//   REASON_DOCUMENT_REVIEW      none, which one of another area is too; another subject, not
//   confirmed, not passed by the day of the
//                               meeting (invariants 6, 8, 10); the meeting's changes not rechecked
//   REASON_DOCUMENT_SEPARATION  drafter, reviewer and registrar are not three (invariant 10)
//   REASON_TEXT_CHANGED         the registered text is not the one last reviewed (invariant 9)
absl::Status CheckReviewOf(const v1::NormativeDocument& document, const v1::LegalityReview* found,
                           bool counts);

// Sets the due dates of publication (20 working days after issue: 政府信息公开条例 26) and filing
// (T5, from publication; from issue while there is none) and what was late.
//
// FAILED_PRECONDITION / REASON_LATE_STAYS_LATE: a date was changed so that what was late would not
// be (invariant 12). With the same dates late stays late, whatever term was loaded since.
absl::Status SetDue(const v1::NormativeDocument* before, v1::NormativeDocument& after,
                    const std::vector<v1::LocalTerm>& local, const WorkingCalendar& calendar);

}  // namespace fadu::legality

#endif  // FADU_SERVICES_LEGALITY_DOMAIN_NORMATIVE_DOCUMENT_H_
