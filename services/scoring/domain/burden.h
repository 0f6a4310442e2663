// services/scoring/domain/burden.h
//
// What a rubric asks of those who are scored and of those who score: fields to be recorded, files
// to be kept, marks and rulings to be given. Asked twice for the same thing is counted once.
#ifndef FADU_SERVICES_SCORING_DOMAIN_BURDEN_H_
#define FADU_SERVICES_SCORING_DOMAIN_BURDEN_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/schema/record_type.h"
#include "fadu/assessment/v1/rubric.pb.h"

namespace fadu::scoring {

// Of one line.
struct LineBurden {
  std::string line_id;
  std::set<std::string> fields;   // "disputes.outcome"; the area and the counting date among them
  std::set<std::string> files;    // what the line wants to look at
  int marks = 0;                  // clauses that a person judges
  std::set<std::string> rulings;  // keys of questions that people answer
  std::set<std::string> outside;  // figures and results from elsewhere
};

// One for each line, in the order of the rubric.
// INVALID_ARGUMENT / REASON_MEASURE_INVALID: a measure does not parse.
absl::StatusOr<std::vector<LineBurden>> BurdenOf(const fadu::assessment::v1::Rubric& rubric,
                                                 const RecordTypes& types);

// All lines together; its line_id is empty.
LineBurden TotalBurden(const std::vector<LineBurden>& lines);

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_BURDEN_H_
