// services/assessment/domain/rubric_diff.h
//
// What differs between two rubrics, clause by clause, as their YAML would say it.
#ifndef FADU_SERVICES_ASSESSMENT_DOMAIN_RUBRIC_DIFF_H_
#define FADU_SERVICES_ASSESSMENT_DOMAIN_RUBRIC_DIFF_H_

#include <string>
#include <vector>

#include "fadu/assessment/v1/rubric.pb.h"

namespace fadu::assessment {

// One difference.
struct RubricChange {
  enum class Kind { kAdded, kRemoved, kChanged } kind = Kind::kChanged;
  std::string line;    // id of the line; empty: the rubric as a whole
  int clause = -1;     // 0-based clause of the line; -1: the line
  std::string key;     // as in YAML: "per_missing", "gates[V1].at_most"; empty: all of it
  std::string before;  // values as in YAML; empty where there was none
  std::string after;
};

// Lines are the same line when their ids are, clauses when their places are; members of other lists
// by id, key, name or class, else by place. What the rubric says comes first, then its lines in the
// order of `before`, then new ones. Equal rubrics: none.
std::vector<RubricChange> DiffRubrics(const v1::Rubric& before, const v1::Rubric& after);

}  // namespace fadu::assessment

#endif  // FADU_SERVICES_ASSESSMENT_DOMAIN_RUBRIC_DIFF_H_
