// services/assessment/domain/cycle.h
//
// The law of rubrics, cycles and marks, as pure functions over their messages.
#ifndef FADU_SERVICES_ASSESSMENT_DOMAIN_CYCLE_H_
#define FADU_SERVICES_ASSESSMENT_DOMAIN_CYCLE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "common/base/points.h"
#include "fadu/assessment/v1/records.pb.h"
#include "fadu/assessment/v1/rubric.pb.h"

namespace fadu::assessment {

// The draft of a rubric for `county`, in force from the first day of its year.
v1::RubricVersion NewRubricVersion(absl::string_view county, const v1::Rubric& rubric,
                                   absl::string_view source);

// The year's cycle by `rubric_id`: 1 January to 31 December, open.
v1::Cycle NewCycle(absl::string_view county, int year, absl::string_view rubric_id);

// Decides whether a rubric may become `after` (`before` null on creation).
//
//   from \ to   DRAFT  PUBLISHED
//   (new)         x
//   DRAFT         x        x       its content never changes: another text is another version
//   PUBLISHED              x       (invariant 51)
//
// FAILED_PRECONDITION / REASON_RUBRIC_STATE
absl::Status DecideRubric(const v1::RubricVersion* before, const v1::RubricVersion& after);

// Decides whether a cycle may become `after` (`before` null on creation).
//
//   from \ to   OPEN  CLOSED
//   (new)        x
//   OPEN         x      x          year, days and rubric never change
//   CLOSED              x
//
// FAILED_PRECONDITION / REASON_CYCLE_CLOSED
absl::Status DecideCycle(const v1::Cycle* before, const v1::Cycle& after);

// The rubric may carry a cycle of `year`.
//
// FAILED_PRECONDITION / REASON_RUBRIC_STATE    not published
// INVALID_ARGUMENT / REASON_FIELD_INVALID      it scores another year
absl::Status CheckCarries(const v1::RubricVersion& rubric, int year);

// FAILED_PRECONDITION / REASON_CYCLE_CLOSED.
absl::Status CheckOpen(const v1::Cycle& cycle);

}  // namespace fadu::assessment

#endif  // FADU_SERVICES_ASSESSMENT_DOMAIN_CYCLE_H_
