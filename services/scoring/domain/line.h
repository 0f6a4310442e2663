// services/scoring/domain/line.h
//
// One line of a rubric for one village: each clause by its rule form and cap (M01), then their sum
// (A01). Everything a run stores and an explanation says is decided here once.
#ifndef FADU_SERVICES_SCORING_DOMAIN_LINE_H_
#define FADU_SERVICES_SCORING_DOMAIN_LINE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/points.h"
#include "fadu/assessment/v1/records.pb.h"
#include "fadu/assessment/v1/rubric.pb.h"
#include "services/scoring/domain/engine.h"
#include "services/scoring/domain/measure.h"

namespace fadu::scoring {

// A window of a shortfall and what was found in it.
struct WindowCount {
  Period period;
  int64_t got = 0;
};

// What one clause did.
struct ClauseOutcome {
  enum class State {
    kComputed,
    kMarked,         // judged by a person
    kPending,        // waits for a mark
    kNotApplicable,  // zero denominator, and the rubric says so
  } state = State::kComputed;
  Evaluation evaluation;             // L01, L03, L06
  std::vector<WindowCount> windows;  // L03
  bool met = true;                   // L01: the condition holds; L06: the target is reached
  bool empty = false;                // the denominator is zero
  // L06: distance from the target in percent × 10,000 as a fraction, and steps that count
  // (1/10,000).
  Ratio distance;
  Points steps;
  Points raw;      // 应扣 or 应得, before the cap
  Points applied;  // 实扣 or 实得
  Points mark;     // kMarked: the points given
  const fadu::assessment::v1::Mark* given = nullptr;
};

// What one line came to.
struct LineOutcome {
  fadu::scoring::v1::LineScore score;
  std::vector<ClauseOutcome> clauses;
};

// The code of a clause's form: "L03".
std::string FormCode(const fadu::assessment::v1::Clause& clause);
// The measure of a clause; empty for L17.
const std::string& MeasureOf(const fadu::assessment::v1::Clause& clause);

// Measures of a rubric, parsed once: [line][clause]; a clause without one has an empty Measure.
class CompiledRubric {
 public:
  static absl::StatusOr<CompiledRubric> Compile(const fadu::assessment::v1::Rubric& rubric,
                                                const RecordTypes& types);
  const fadu::assessment::v1::Rubric& rubric() const { return *rubric_; }
  const Measure& measure(int line, int clause) const {
    return measures_[static_cast<size_t>(line)][static_cast<size_t>(clause)];
  }

 private:
  const fadu::assessment::v1::Rubric* rubric_ = nullptr;
  std::vector<std::vector<Measure>> measures_;
};

// Scores one line for one village.
LineOutcome ScoreLine(const CompiledRubric& rubric, int line, const RunInputs& inputs,
                      absl::string_view area_code, absl::string_view language);

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_LINE_H_
