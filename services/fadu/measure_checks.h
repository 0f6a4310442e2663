// services/fadu/measure_checks.h
//
// A file of measures with the values they must have (`fadu measure check`), as docs/measures.md
// describes it: a YAML list, every entry with its place.
#ifndef FADU_SERVICES_FADU_MEASURE_CHECKS_H_
#define FADU_SERVICES_FADU_MEASURE_CHECKS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/base/points.h"
#include "fadu/scoring/v1/score.pb.h"

namespace fadu::cli {

// One figure and what it must be.
struct MeasureCheck {
  std::string label;
  std::string expression;
  std::string area;      // division code
  int year = 0;          // 2000 to 2999
  std::string period;    // "Q1"; empty: the whole year
  std::string expected;  // "382", "6.75", "98.17%"
  Rounding rounding = Rounding::kHalfUp;
  int line = 0;  // where it stands in the file, from 1
};

// What is wrong with the file.
struct CheckFileProblem {
  int line = 0;  // from 1; 0: the file as a whole
  int column = 0;
  std::string problem;  // in the user's language
};

struct MeasureCheckFile {
  std::vector<MeasureCheck> checks;  // in the order of the file; empty when there is a problem
  std::vector<CheckFileProblem> problems;  // at most 100
};

// Never fails. Limits: 1,000,000 bytes, 5,000 entries.
MeasureCheckFile ParseMeasureChecks(absl::string_view source);

// The value as text with as many decimals as `expected` has, rounded as it says. A value that there
// is not is said as the server says it.
std::string GotText(const MeasureCheck& check, const fadu::scoring::v1::MeasureValue& value);

// The value is what was expected: the same number and the same unit.
bool Agrees(const MeasureCheck& check, const fadu::scoring::v1::MeasureValue& value);

}  // namespace fadu::cli

#endif  // FADU_SERVICES_FADU_MEASURE_CHECKS_H_
