// services/assessment/domain/rubric_yaml.h
//
// A rubric as people write it (YAML) compiled into the rubric message. What a rubric means — its
// measures, caps and tiers — is checked by scoring; here is its form. docs: README.md beside it.
#ifndef FADU_SERVICES_ASSESSMENT_DOMAIN_RUBRIC_YAML_H_
#define FADU_SERVICES_ASSESSMENT_DOMAIN_RUBRIC_YAML_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "fadu/assessment/v1/rubric.pb.h"

namespace fadu::assessment {

// A place in the YAML, both 1-based; columns are counted in characters.
struct YamlPlace {
  int line = 0;
  int column = 0;
  friend bool operator==(const YamlPlace&, const YamlPlace&) = default;
};

// Where each part of the rubric message stands in the YAML, by path:
// lines[3].clauses[0].shortfall.measure.
using YamlPlaces = std::map<std::string, YamlPlace>;

struct CompiledRubric {
  absl::optional<v1::Rubric> rubric;  // absent when there is an error
  std::vector<v1::Finding> findings;  // errors first, then in the order of the text; at most 200
  YamlPlaces places;
};

// Compiles a rubric. Never fails: what is wrong is a finding with line and column, in Chinese.
// Numbers are read as text and are exact. Limits: 400,000 bytes of source with 30,000 keys, values
// and lists in it, and what Rules say.
CompiledRubric CompileRubric(absl::string_view source);

// Gives each finding the place of its path, or of the nearest path around it; those that have a
// place keep it.
void PlaceFindings(const YamlPlaces& places, std::vector<v1::Finding>& findings);

// Errors first, the order otherwise kept.
void SortFindings(std::vector<v1::Finding>& findings);

// The first error; null when there is none.
const v1::Finding* FirstError(const std::vector<v1::Finding>& findings);

}  // namespace fadu::assessment

#endif  // FADU_SERVICES_ASSESSMENT_DOMAIN_RUBRIC_YAML_H_
