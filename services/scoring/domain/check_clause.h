// services/scoring/domain/check_clause.h
//
// What is wrong with one clause of a rubric, and what it can come to.
#ifndef FADU_SERVICES_SCORING_DOMAIN_CHECK_CLAUSE_H_
#define FADU_SERVICES_SCORING_DOMAIN_CHECK_CLAUSE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "fadu/assessment/v1/rubric.pb.h"
#include "services/scoring/domain/measure.h"

namespace fadu::scoring {

// Findings, in the order they were made.
class Findings {
 public:
  void Error(const std::string& path, absl::string_view code, const std::string& message);
  void Warn(const std::string& path, absl::string_view code, const std::string& message);
  std::vector<fadu::assessment::v1::Finding> Take() { return std::move(list_); }

 private:
  std::vector<fadu::assessment::v1::Finding> list_;
};

// The measures of a rubric that parse, by text.
using ParsedMeasures = std::map<std::string, Measure>;

// A clause to check.
struct ClauseCheck {
  const fadu::assessment::v1::Rubric& rubric;
  const fadu::assessment::v1::Line& line;
  const fadu::assessment::v1::Clause& clause;
  const ParsedMeasures& measures;
  std::string path;  // lines[3].clauses[0]
  Findings& findings;
};

// The most points a clause can take or give before its cap, in 1/10,000; nullopt: no bound.
using Most = absl::optional<int64_t>;

// Checks one clause and says what it can come to.
Most CheckClause(const ClauseCheck& check);

// Checks every condition beneath `message`: a measure or a tree, not too deep, not always true or
// false.
void CheckConditions(const google::protobuf::Message& message, const std::string& path,
                     Findings& findings);

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_CHECK_CLAUSE_H_
