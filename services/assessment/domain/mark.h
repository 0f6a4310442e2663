// services/assessment/domain/mark.h
//
// Whether a mark may be given: for which clause, of what, and how many points.
#ifndef FADU_SERVICES_ASSESSMENT_DOMAIN_MARK_H_
#define FADU_SERVICES_ASSESSMENT_DOMAIN_MARK_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/points.h"
#include "fadu/assessment/v1/records.pb.h"
#include "fadu/assessment/v1/rubric.pb.h"

namespace fadu::assessment {

// What a person may give for one clause. A step of zero: any value.
struct MarkLimits {
  Points min;
  Points max;
  Points step;
  bool second = false;  // a second person must agree before it counts (L17)
};

// The limits of a mark for the 0-based `clause` of a line: those of L17; those of the states of L08
// that leave the amount to a person; or zero to the clause's cap, or the line's maximum, for what a
// person judges where nothing can be computed (a policy of the clause that says manual).
//
// INVALID_ARGUMENT / REASON_LINE_NOT_JUDGED  no such line or clause, or it is computed
absl::StatusOr<MarkLimits> LimitsOf(const v1::Rubric& rubric, absl::string_view line_id,
                                    int clause);

// INVALID_ARGUMENT / REASON_MARK_OUT_OF_RANGE  outside the limits, or not a multiple of the step
absl::Status CheckPoints(const MarkLimits& limits, Points points);

// The mark says what its clause must know: `item` where each case or sampled item has a mark of its
// own, `assessor` where several judge side by side, `period` where the line is scored in parts of
// the year; and none of them elsewhere. Its unit is of the rubric's level.
//
// INVALID_ARGUMENT / REASON_FIELD_INVALID, which field and what may stand there
// INVALID_ARGUMENT / REASON_LINE_NOT_JUDGED  as LimitsOf
absl::Status CheckPlace(const v1::Rubric& rubric, const v1::Mark& mark);

// What replaces `before` when `mark` is given for the same place. The same points from another
// person, where a second one must agree, are that agreement: the first mark stands, with the second
// name. Everything else is a new mark, and needs agreement anew.
v1::Mark Replace(const v1::Mark& before, const v1::Mark& mark, const MarkLimits& limits);

}  // namespace fadu::assessment

#endif  // FADU_SERVICES_ASSESSMENT_DOMAIN_MARK_H_
