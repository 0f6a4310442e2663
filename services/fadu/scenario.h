// services/fadu/scenario.h
//
// A scenario: a rubric, an area tree, facts and marks in one YAML file, and what must come out of
// them. `fadu rubric test` and the golden tests run it without a server or a database.
// docs/rubrics.md tells how to write one.
#ifndef FADU_SERVICES_FADU_SCENARIO_H_
#define FADU_SERVICES_FADU_SCENARIO_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/schema/record_type.h"
#include "fadu/assessment/v1/rubric.pb.h"
#include "fadu/scoring/v1/score.pb.h"

namespace fadu {

// One thing that came out otherwise than the scenario says.
struct ScenarioDifference {
  int yaml_line = 0;  // of the expectation
  std::string where;  // "421221106200 1.1 points"
  std::string expected;
  std::string got;
};

struct ScenarioResult {
  // What is wrong with the file itself; nothing was computed when one of them is an error.
  std::vector<fadu::assessment::v1::Finding> findings;
  std::vector<ScenarioDifference> differences;
  int checks = 0;  // expectations compared
  fadu::scoring::v1::RunResult result;
};

// Reads a file that a scenario names, relative to it.
using FileReader = std::function<absl::StatusOr<std::string>(const std::string& path)>;

// Runs a scenario. `types` are the record types that its facts may have. Never fails: what is
// wrong is in the result.
ScenarioResult RunScenario(absl::string_view source, const RecordTypes& types,
                           const FileReader& read);

}  // namespace fadu

#endif  // FADU_SERVICES_FADU_SCENARIO_H_
