// services/education/domain/exam.h
//
// The law of exams (domain §2.4, §2.7), as pure functions over the record.
#ifndef FADU_SERVICES_EDUCATION_DOMAIN_EXAM_H_
#define FADU_SERVICES_EDUCATION_DOMAIN_EXAM_H_

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "fadu/education/v1/exam.pb.h"

namespace fadu::education {

// Where an exam stands, from what is filled in.
v1::ExamState StateOf(const v1::Exam& exam);

// True when `from` may become `to`: forward, and corrections within a state.
//
//   from \ to  PLANNED  FROZEN  CLOSED  SCORED  MADE_UP
//   (new)         x       x       x       x        x     recorded afterwards from the ledger
//   PLANNED       x       x       x       x        x
//   FROZEN                x       x       x        x
//   CLOSED                        x       x        x
//   SCORED                                x        x
//   MADE_UP                                        x
bool MayMove(v1::ExamState from, v1::ExamState to);

// Decides whether `after` may be recorded on `today`, given `before` (null on creation), and sets
// state, exempted_count, required_count, absent_count and correction_count.
//
// INVALID_ARGUMENT
//   REASON_EXAM_DATES       not frozen < opened ≤ closed ≤ scored ≤ made up ≤ today; an exemption
//                           that was not approved before the exam opened
//   REASON_EXAM_COUNTS      more sat than had to, more passed than sat and the like (invariant 49);
//                           a step without its head-counts
//   REASON_EXAM_ROSTER      names are given and do not add up to the head-counts
//   REASON_EXAM_CORRECTION  a correction that one person signed
// FAILED_PRECONDITION
//   REASON_EXAM_FROZEN      the roster was changed after it was frozen, or the exempted after the
//                           exam opened (invariant 49)
//   REASON_EXAM_CORRECTION  scores were changed after they were given, without a new correction
//   REASON_EXAM_STATE       the move is not in the table
absl::Status DecideExam(const v1::Exam* before, v1::Exam& after, absl::CivilDay today);

}  // namespace fadu::education

#endif  // FADU_SERVICES_EDUCATION_DOMAIN_EXAM_H_
