// services/scoring/domain/compiled_rubric.h
//
// A rubric with its measures parsed once, and what every measure in it is called.
#ifndef FADU_SERVICES_SCORING_DOMAIN_COMPILED_RUBRIC_H_
#define FADU_SERVICES_SCORING_DOMAIN_COMPILED_RUBRIC_H_

#include <functional>
#include <map>
#include <string>

#include <google/protobuf/message.h>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fadu/assessment/v1/rubric.pb.h"
#include "services/scoring/domain/engine.h"
#include "services/scoring/domain/measure.h"

namespace fadu::scoring {

// Where a rubric's number comes from: a measure over facts, or what was handed in beside them.
struct RubricSource {
  enum class Kind {
    kMeasure,
    kRuling,  // ruling(key): what people ruled
    kResult,  // result(scheme): another assessment's score
    kFigure,  // figure(key): an external figure of the year
  } kind = Kind::kMeasure;
  Measure measure;
  std::string key;  // all but kMeasure
};

// ParseMeasure, and ruling(key), result(scheme), figure(key). Same failures.
absl::StatusOr<RubricSource> ParseRubricSource(absl::string_view text, const RecordTypes& types);

// The record type whose records a source counts, each one; null when it counts none by themselves.
const RecordType* CountedTypeOf(const RubricSource& source);

// Calls `visit` with path and text of every measure beneath `message`, at any depth: they are the
// fields named `measure` or `…_measure` that are filled in. `path` stands before each.
void ForEachMeasure(
    const google::protobuf::Message& message, const std::string& path,
    const std::function<void(const std::string& path, const std::string& text)>& visit);

// Borrows the rubric and the types; immutable.
class CompiledRubric {
 public:
  // INVALID_ARGUMENT / REASON_MEASURE_INVALID, the first measure that does not parse.
  static absl::StatusOr<CompiledRubric> Compile(const fadu::assessment::v1::Rubric& rubric,
                                                const RecordTypes& types);
  const fadu::assessment::v1::Rubric& rubric() const { return *rubric_; }
  const RecordTypes& types() const { return *types_; }
  // The source of a text that stands in the rubric.
  const RubricSource& SourceOf(const std::string& text) const;
  // What a ruling is about; null when the rubric does not ask it.
  const fadu::assessment::v1::RulingSpec* RulingOf(const std::string& key) const;
  // The line of an id; -1 when there is none.
  int LineOf(const std::string& id) const;

 private:
  const fadu::assessment::v1::Rubric* rubric_ = nullptr;
  const RecordTypes* types_ = nullptr;
  std::map<std::string, RubricSource> sources_;
  std::map<std::string, int> lines_;
};

// Codes of a clause's form and modifiers: "L05", "L05+M01+M04".
std::string FormCode(const fadu::assessment::v1::Clause& clause);
std::string FormsOf(const fadu::assessment::v1::Clause& clause);

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_COMPILED_RUBRIC_H_
