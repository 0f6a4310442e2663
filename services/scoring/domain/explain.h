// services/scoring/domain/explain.h
//
// Outcomes in words. What a sentence says was decided when the clause was scored; nothing is
// computed here.
#ifndef FADU_SERVICES_SCORING_DOMAIN_EXPLAIN_H_
#define FADU_SERVICES_SCORING_DOMAIN_EXPLAIN_H_

#include <string>
#include <vector>

#include <google/protobuf/generated_enum_reflection.h>

#include "absl/strings/string_view.h"
#include "common/base/points.h"
#include "fadu/assessment/v1/rubric.pb.h"
#include "fadu/common/v1/options.pb.h"
#include "services/scoring/domain/clause.h"
#include "services/scoring/domain/fraction.h"
#include "services/scoring/domain/reading.h"

namespace fadu::scoring {

// Words of one language. Sentences follow the examples of the rule forms.
class Words {
 public:
  explicit Words(absl::string_view language) : zh_(language != "en") {}
  std::string operator()(absl::string_view zh, absl::string_view en) const {
    return std::string(zh_ ? zh : en);
  }
  bool zh() const { return zh_; }
  // Joined with 、 or commas.
  std::string List(const std::vector<std::string>& items) const;

 private:
  const bool zh_;
};

// What a clause says: what is required, what was found, and what that costs or earns.
struct Sentence {
  std::string requirement;
  std::string found;
  std::string arithmetic;
  std::vector<std::string> missing;
  bool full_stop = false;  // between requirement and found, instead of a comma
};

// A clause to tell.
struct Telling {
  const fadu::assessment::v1::Line& line;
  const fadu::assessment::v1::Clause& clause;
  const ClauseOutcome& outcome;
  const Words& say;
};

Sentence TellCheck(const Telling& telling);
Sentence TellChecklist(const Telling& telling);
Sentence TellShortfall(const Telling& telling);
Sentence TellIncident(const Telling& telling);
Sentence TellTable(const Telling& telling);
Sentence TellRateStep(const Telling& telling, const fadu::assessment::v1::RateStep& form);
Sentence TellThreshold(const Telling& telling);
Sentence TellTiered(const Telling& telling, const fadu::assessment::v1::Tiered& form);
Sentence TellLateness(const Telling& telling);
Sentence TellJudged(const Telling& telling);
Sentence TellProportion(const Telling& telling, const fadu::assessment::v1::Proportion& form);
Sentence TellEarnEach(const Telling& telling);
Sentence TellSymmetric(const Telling& telling);
Sentence TellTrend(const Telling& telling);
Sentence TellBenchmark(const Telling& telling, const fadu::assessment::v1::Benchmark& form);
Sentence TellRank(const Telling& telling);
Sentence TellAdjustment(const Telling& telling);
Sentence TellSurvey(const Telling& telling);
Sentence TellImported(const Telling& telling);

// ---- phrases -----------------------------------------------------------------------------------

std::string Text(int64_t units);
// Exact where four places suffice, else rounded to four, half up.
std::string Text(const Fraction& units);
// "不少于1", "超过98%".
std::string ComparisonText(fadu::assessment::v1::Comparison comparison, const Fraction& threshold,
                           absl::string_view unit, const Words& say);
// 扣3分, 加2分; 应扣 and 实扣 where a cap made them differ; 不扣分 for nothing. What modifiers made
// of it on the way stands before.
std::string Taken(const ClauseOutcome& outcome, const Words& say);
// Records set aside (M04, M06, M13, L19), in brackets; empty when none is.
std::string SetAsideText(const ClauseOutcome& outcome, const Words& say);
// A value for people, never contradicting the comparison beside it: a rate has more places where
// two would make it look equal to what it is compared with.
std::string ValueText(const Reading& reading, const Fraction& against);
// The unit of a value: its own, or % of a ratio.
std::string UnitOf(const std::string& unit, const Reading& reading);
// 超过6%、7%以下.
std::string BracketText(const BracketEnds& ends, const std::string& unit, const Words& say);
// A condition is told as something required, or as something that has happened.
enum class Told { kRequired, kHappened };
// A condition with what it measured: 任免征求意见（…须不少于1，实际0）, or 被通报（通报为1）.
std::string ConditionText(const ConditionOutcome& outcome, Told told, const Words& say);
// The leaves that make a condition false, or true when `holds`.
std::vector<std::string> Branches(const ConditionOutcome& outcome, bool holds, Told told,
                                  const Words& say);
// The sentence of a clause over nothing, or without data.
Sentence TellUnread(const Telling& telling, const std::string& what,
                    fadu::assessment::v1::WhenEmpty when_empty);
// A vocabulary entry's label.
template <typename Enum>
std::string LabelOf(Enum value, const Words& say) {
  const auto* entry = google::protobuf::GetEnumDescriptor<Enum>()->FindValueByNumber(value);
  if (entry == nullptr) return "";
  const auto& label = entry->options().GetExtension(::fadu::common::v1::label);
  return say(label.zh(), label.en());
}
// The measure word of a form, or the default one.
std::string UnitOr(const std::string& unit, absl::string_view fallback, const Words& say);

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_EXPLAIN_H_
