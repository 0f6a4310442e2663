// services/scoring/domain/check_clause.h
//
// What is wrong with one clause of a rubric, and what it can come to.
#ifndef FADU_SERVICES_SCORING_DOMAIN_CHECK_CLAUSE_H_
#define FADU_SERVICES_SCORING_DOMAIN_CHECK_CLAUSE_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "fadu/assessment/v1/rubric.pb.h"
#include "services/scoring/domain/compiled_rubric.h"

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

// The sources of a rubric that parse, by text.
using ParsedSources = std::map<std::string, RubricSource>;

// A clause to check.
struct ClauseCheck {
  const fadu::assessment::v1::Rubric& rubric;
  const fadu::assessment::v1::Line& line;
  const fadu::assessment::v1::Clause& clause;
  const ParsedSources& sources;
  std::string path;  // lines[3].clauses[0]
  Findings& findings;
};

// The most points a clause can take and give, in 1/10,000; nullopt: no bound.
struct Reach {
  absl::optional<int64_t> lose = 0;
  absl::optional<int64_t> earn = 0;
};

// Checks one clause and says what it can come to, its cap included.
Reach CheckClause(const ClauseCheck& check);

// Checks every condition beneath `message`: a measure or a tree, not too deep, not always true or
// false.
void CheckConditions(const google::protobuf::Message& message, const std::string& path,
                     Findings& findings);

// Values by class name classes of the rubric, each once.
void CheckByClass(
    const fadu::assessment::v1::Rubric& rubric,
    const google::protobuf::RepeatedPtrField<fadu::assessment::v1::ClassValue>& values,
    const std::string& path, Findings& findings);

// What hangs on more than one line: classes, tiers, groups, gates, exemptions, rulings, outcomes.
void CheckOutcome(const fadu::assessment::v1::Rubric& rubric, const ParsedSources& sources,
                  Findings& findings);

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_CHECK_CLAUSE_H_
