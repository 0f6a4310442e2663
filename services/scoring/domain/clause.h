// services/scoring/domain/clause.h
//
// One clause for one unit: its leaf form, then its modifiers. A form is a pure function from what
// was read to points lost or earned; what it saw on the way stays in the outcome, and the
// explanation is told from there.
#ifndef FADU_SERVICES_SCORING_DOMAIN_CLAUSE_H_
#define FADU_SERVICES_SCORING_DOMAIN_CLAUSE_H_

#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "absl/types/optional.h"
#include "fadu/assessment/v1/records.pb.h"
#include "fadu/assessment/v1/rubric.pb.h"
#include "services/scoring/domain/fraction.h"
#include "services/scoring/domain/reading.h"

namespace fadu::scoring {

// A clause to score.
struct ClauseContext {
  const UnitContext& unit;
  const fadu::assessment::v1::Line& line;
  const fadu::assessment::v1::Clause& clause;
  int index = 0;  // of the clause in its line
  bool earning_line = false;
};

// One of the things a form looked at: a part, a window, a class, a record, a state.
struct Part {
  std::string name;
  Reading reading;
  absl::optional<ConditionOutcome> condition;  // what told whether it is there
  bool met = true;                             // it is as it should be
  bool applies = true;                         // M10: false when it need not be there
  Fraction count;                              // how many cost or earn
  Fraction amount;                             // what it costs or earns, in 1/10,000
  // L16
  absl::optional<absl::CivilDay> due, done, from;  // `from`: delay counts after this day
  int64_t late = 0;                                // in the unit of delay
};

// M04: a record that counts nothing, and the class its thing counts in.
struct SetAside {
  std::string record;
  std::string key;
  std::string part;  // where it was found
  std::string kept;  // the part whose amount counts
};

// What one clause did.
struct ClauseOutcome {
  enum class State {
    kComputed,
    kMarked,         // judged by a person
    kPending,        // waits for a mark
    kNotApplicable,  // zero denominator, and the rubric says so
  } state = State::kComputed;
  bool earns = false;  // `raw` and `applied` are earned, not lost
  bool met = true;     // as required: nothing is lost
  bool empty = false;  // over nothing
  Reading reading;     // L03 to L08 with one measure
  std::vector<Part> parts;
  absl::optional<ConditionOutcome> condition;  // L01
  int chosen = -1;                             // L08: the bracket or state
  // L06: distance from the target in percent × 10,000, and steps that count.
  Fraction distance;
  Fraction steps;
  // L07: what it is compared with, and the class that says so.
  int64_t threshold_e4 = 0;
  std::string unit_class;
  std::vector<SetAside> set_aside;  // M04
  Fraction raw;                     // 应扣 or 应得, before the cap, in 1/10,000; not below zero
  Fraction applied;                 // 实扣 or 实得
  Fraction mark;                    // kMarked: the points given
  const fadu::assessment::v1::Mark* given = nullptr;
};

// Scores one clause.
ClauseOutcome ScoreClause(const ClauseContext& context);

// A clause of the form earns points whatever its line does (L19), or loses them (L03 to L06, L16);
// the others do what their line does.
bool Earns(const fadu::assessment::v1::Clause& clause, bool earning_line);

// ---- leaf forms, by what they look at ----------------------------------------------------------

// conditions and parts
void ScoreCheck(const ClauseContext& context, ClauseOutcome& outcome);
void ScoreChecklist(const ClauseContext& context, ClauseOutcome& outcome);
// counts
void ScoreShortfall(const ClauseContext& context, ClauseOutcome& outcome);
void ScoreIncident(const ClauseContext& context, ClauseOutcome& outcome);
void ScoreTable(const ClauseContext& context, ClauseOutcome& outcome);  // L05, L19
// values against targets
void ScoreRateStep(const ClauseContext& context, ClauseOutcome& outcome);
void ScoreThreshold(const ClauseContext& context, ClauseOutcome& outcome);
void ScoreTiered(const ClauseContext& context, ClauseOutcome& outcome);
// days
void ScoreLateness(const ClauseContext& context, ClauseOutcome& outcome);
// people
void ScoreJudged(const ClauseContext& context, ClauseOutcome& outcome);

// ---- what they share ---------------------------------------------------------------------------

// The newest mark of a clause within its limits, or null; one outside cannot have been stored and
// is ignored.
const fadu::assessment::v1::Mark* MarkFor(const ClauseContext& context, int64_t low, int64_t high);

// The clause is over nothing: what the rubric says then. `most` is what the clause could take or
// give at most.
void SettleEmpty(const ClauseContext& context, fadu::assessment::v1::WhenEmpty policy,
                 const Fraction& most, ClauseOutcome& outcome);

// One end of a bracket.
struct BracketEnd {
  int64_t value_e4 = 0;
  bool closed = false;  // the value itself belongs to the bracket
};
struct BracketEnds {
  absl::optional<BracketEnd> low, high;  // absent: no end on this side
};
// L08: the ends of brackets in ascending order. An end left out lies where the neighbour's lies.
std::vector<BracketEnds> EndsOf(
    const google::protobuf::RepeatedPtrField<fadu::assessment::v1::Bracket>& brackets);

// The day `count` units after `from`.
absl::CivilDay DayAfter(absl::CivilDay from, int64_t count, fadu::assessment::v1::DelayUnit unit);

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_CLAUSE_H_
