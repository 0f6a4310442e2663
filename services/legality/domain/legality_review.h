// services/legality/domain/legality_review.h
//
// The law of legality reviews (国办发〔2018〕115号; 国务院令第713号 arts 25-28; domain §5.2, §6.2),
// as pure functions over the record.
#ifndef FADU_SERVICES_LEGALITY_DOMAIN_LEGALITY_REVIEW_H_
#define FADU_SERVICES_LEGALITY_DOMAIN_LEGALITY_REVIEW_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "common/base/working_calendar.h"
#include "fadu/legality/v1/legality_review.pb.h"
#include "fadu/legality/v1/local_term.pb.h"

namespace fadu::legality {

// A SHA-256 as 64 lower-case hexadecimal digits.
bool IsTextDigest(absl::string_view text);

// What must come with a request of this kind: handed in, or said not to apply (E1). The draft
// always applies.
std::vector<v1::ReviewMaterial> ChecklistOf(v1::SubjectKind kind);

// The text may not be used unless the review has passed before: normative documents, major
// decisions, major enforcement decisions (invariants 6, 18, 40).
bool MustPassBefore(v1::SubjectKind kind);

// Where a review stands, from what is filled in.
v1::LegalityReviewState StateOf(const v1::LegalityReview& review);

// True when `from` may become `to`: forward, and corrections within a state. An opinion is not
// taken back, what is closed or used is not reopened.
//
//   from \ to   REVIEWING  PAUSED  OPINED  REPLIED  USED  CLOSED
//   (new)           x        x       x        x      x      x
//   REVIEWING       x        x       x        x      x      x
//   PAUSED          x        x       x        x      x      x
//   OPINED                           x        x      x
//   REPLIED                                   x      x
//   USED                                             x
//   CLOSED                                                  x
bool MayMove(v1::LegalityReviewState from, v1::LegalityReviewState to);

// The text was found lawful by the end of `day` (YYYY-MM-DD): by the opinion, or by the last
// recheck since. An unlawful text never is; it comes back as a new review.
bool PassedBy(const v1::LegalityReview& review, absl::string_view day);

// The digest of the text that the reviewer looked at last.
const std::string& LastDigest(const v1::LegalityReview& review);

// Decides whether `after` may be recorded on `today`, given `before` (null on creation), and sets
// state, owner_level, working_days, passed and timing. `may_opine`: the caller may give opinions.
//
// INVALID_ARGUMENT
//   REASON_REVIEW_DATES         dates out of order or in the future
//   REASON_REVIEW_MATERIALS     the checklist is not complete
//   REASON_REVIEW_INCOMPLETE    opinion, reply, use or closing without its parts; a digest that is
//                               none; an adviser where MustPassBefore() (domain §6.3)
//   REASON_REVIEWER_IS_DRAFTER  (invariant 10)
//   REASON_REVIEW_TOO_SHORT     a normative document in fewer than 5 working days (invariant 11), a
//                               decision in fewer than 7 (18), and no emergency
//   REASON_REVIEW_GUARANTOR     a lawful guarantee of the government (invariant 23)
// FAILED_PRECONDITION
//   REASON_REVIEW_NOT_PASSED    used without an opinion, or where MustPassBefore() without having
//                               passed (invariants 18, 22)
//   REASON_TEXT_CHANGED         the text used is not the one last reviewed (invariants 9, 22)
//   REASON_REVIEW_STATE         the move is not in the table
// PERMISSION_DENIED
//   REASON_REVIEW_ROLE          an opinion by who may not give one
absl::Status DecideReview(const v1::LegalityReview* before, v1::LegalityReview& after,
                          absl::CivilDay today, bool may_opine, const WorkingCalendar& calendar);

// Sets due_date, due_provisional, due_basis and late. Normative documents and decisions have 15
// working days (115号); the rest what TermOn() says. Days inside pauses do not count; while the
// clock stands, `today` is the last of them so far. An emergency waives the term: never late.
void SetDue(v1::LegalityReview& review, const std::vector<v1::LocalTerm>& local,
            absl::CivilDay today, const WorkingCalendar& calendar);

}  // namespace fadu::legality

#endif  // FADU_SERVICES_LEGALITY_DOMAIN_LEGALITY_REVIEW_H_
