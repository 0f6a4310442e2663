// services/legality/domain/term.h
//
// How long a review or a filing may take: the law's term where the law sets one, the county's own
// where it sets one, else common practice (domain §17). Each says where it comes from.
#ifndef FADU_SERVICES_LEGALITY_DOMAIN_TERM_H_
#define FADU_SERVICES_LEGALITY_DOMAIN_TERM_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "common/base/working_calendar.h"
#include "fadu/legality/v1/local_term.pb.h"

namespace fadu::legality {

struct Term {
  DeadlineRule rule;
  std::string basis;  // for people, Chinese
};

// The local term of `kind` in force on `day`; where there is none, common practice: 5 working days
// for contracts, 5 more when complex (T14), 5 for enforcement decisions and all else, 15 calendar
// days for filing (T5).
Term TermOn(v1::TermKind kind, absl::CivilDay day, const std::vector<v1::LocalTerm>& local);

// INVALID_ARGUMENT / REASON_TERM_INVALID: not of a county, ends before it begins, or a review that
// does not run in working days.
absl::Status CheckTerm(const v1::LocalTerm& term);

// FAILED_PRECONDITION / REASON_TERM_OVERLAP: one of `others` is of the same kind and in force on a
// day on which `term` is.
absl::Status CheckOverlap(const v1::LocalTerm& term, const std::vector<v1::LocalTerm>& others);

}  // namespace fadu::legality

#endif  // FADU_SERVICES_LEGALITY_DOMAIN_TERM_H_
