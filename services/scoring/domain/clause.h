// services/scoring/domain/clause.h
//
// One clause for one unit: its leaf form, then its modifiers. A form is a pure function from what
// was read to points lost or earned; what it saw on the way stays in the outcome, and the
// explanation is told from there.
#ifndef FADU_SERVICES_SCORING_DOMAIN_CLAUSE_H_
#define FADU_SERVICES_SCORING_DOMAIN_CLAUSE_H_

#include <set>
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

// One of the things a form looked at: a part, a window, a class, a record, a state, a peer, an
// area.
struct Part {
  std::string name;
  Reading reading;
  absl::optional<ConditionOutcome> condition;  // what told whether it is there
  bool met = true;                             // it is as it should be
  bool applies = true;                         // M10: false when it need not be there
  Fraction required;                           // L03: how many there should be
  Fraction count;                              // how many cost or earn
  Fraction amount;                             // what it costs or earns, in 1/10,000
  // L16
  absl::optional<absl::CivilDay> due, done, from;  // `from`: delay counts after this day
  int64_t late = 0;                                // in the unit of delay
  Fraction weight = 1;                             // L18, M07, A04
};

// A record that counts nothing, and why.
struct SetAside {
  enum class Why {
    kSame,       // M04: its thing counts elsewhere
    kExcluded,   // M13: another line counts it
    kIssuer,     // L19: awarded by a body that is not on the list
    kWithdrawn,  // L19: the title was withdrawn
    kElsewhere,  // M06: others bear it
  } why = Why::kSame;
  std::string record;
  std::string key;   // of the thing; the line of kExcluded; the issuer of kIssuer
  std::string part;  // where it was found
  std::string kept;  // kSame: the part whose amount counts
};

// What a modifier made of the points.
struct Adjusted {
  std::string code;  // M02
  std::string what;
  Fraction before, after;  // in 1/10,000
  Fraction times = 1;      // how often, where it is counted
};

// What one clause did.
struct ClauseOutcome {
  enum class State {
    kComputed,
    kMarked,         // judged by a person
    kPending,        // waits for a mark
    kNoData,         // waits for a ruling, a result, a figure
    kNotApplicable,  // zero denominator, and the rubric says so
  } state = State::kComputed;
  bool earns = false;        // `raw` and `applied` are earned, not lost
  bool met = true;           // as required: nothing is lost
  bool empty = false;        // over nothing
  bool unknown = false;      // no data, and the rubric says what that means
  bool provisional = false;  // it moves with peers that are not frozen
  Reading reading;           // the main one
  std::vector<Part> parts;
  absl::optional<ConditionOutcome> condition;  // L01
  int chosen = -1;                             // L08: the bracket or state; L21: the grade
  // L06, L11, L12, L13: distance from what it is compared with, and steps that count.
  Fraction distance;
  Fraction steps;
  // L07, L09, L12, L13: what it is compared with, and the class that says so.
  Fraction against;
  std::string unit_class;
  // L14: the rank, how many share it, how many are ranked.
  int64_t rank = 0, sharing = 0, ranked = 0;
  int64_t streak = 0;               // M05: the year of the streak; 0: none
  std::vector<SetAside> set_aside;  // M04, M06, M13, L19
  std::vector<Adjusted> adjusted;   // M02, M03, M05, M07, M12
  std::vector<const fadu::assessment::v1::Adjustment*> decisions;  // L15
  const fadu::assessment::v1::ImportedResult* result = nullptr;    // L21
  std::set<std::string> counted;  // records that cost or earn (M13)
  Fraction raw;                   // 应扣 or 应得, before the cap, in 1/10,000; not below zero
  Fraction applied;               // 实扣 or 实得
  Fraction mark;                  // kMarked: the points given
  std::vector<const fadu::assessment::v1::Mark*> given;
};

// Scores one clause: its form, then its modifiers in the order of docs/rubrics.md.
ClauseOutcome ScoreClause(const ClauseContext& context);

// A clause of the form earns points whatever its line does (L10, L19), or loses them (L03 to L06,
// L16, L20); the others do what the clause or its line says, or either, as it comes out (L11 to
// L15, L21).
bool Earns(const fadu::assessment::v1::Clause& clause, bool earning_line);

// ---- leaf forms, by what they look at ----------------------------------------------------------

// conditions and parts
void ScoreCheck(const ClauseContext& context, ClauseOutcome& outcome);
void ScoreChecklist(const ClauseContext& context, ClauseOutcome& outcome);
// counts
void ScoreShortfall(const ClauseContext& context, ClauseOutcome& outcome);
void ScoreIncident(const ClauseContext& context, ClauseOutcome& outcome);
void ScoreTable(const ClauseContext& context, ClauseOutcome& outcome);  // L05, L19, L20
void ScoreEarnEach(const ClauseContext& context, ClauseOutcome& outcome);
// values against targets; those with a form over it serve L18 too
void ScoreRateStep(const ClauseContext& context, const fadu::assessment::v1::RateStep& form,
                   ClauseOutcome& outcome);
void ScoreThreshold(const ClauseContext& context, ClauseOutcome& outcome);
void ScoreTiered(const ClauseContext& context, const fadu::assessment::v1::Tiered& form,
                 ClauseOutcome& outcome);
void ScoreProportion(const ClauseContext& context, const fadu::assessment::v1::Proportion& form,
                     ClauseOutcome& outcome);
void ScoreSymmetric(const ClauseContext& context, ClauseOutcome& outcome);
void ScoreTrend(const ClauseContext& context, ClauseOutcome& outcome);
void ScoreSurvey(const ClauseContext& context, ClauseOutcome& outcome);
// peers
void ScoreBenchmark(const ClauseContext& context, const fadu::assessment::v1::Benchmark& form,
                    ClauseOutcome& outcome);
void ScoreRank(const ClauseContext& context, ClauseOutcome& outcome);
// days
void ScoreLateness(const ClauseContext& context, ClauseOutcome& outcome);
// people and other assessments
void ScoreAdjustment(const ClauseContext& context, ClauseOutcome& outcome);
void ScoreJudged(const ClauseContext& context, ClauseOutcome& outcome);
void ScoreImported(const ClauseContext& context, ClauseOutcome& outcome);

// ---- what they share ---------------------------------------------------------------------------

// The value a form over one number looks at: its measure, per head (M08), or the share of a survey.
Reading MainReading(const ClauseContext& context);
// The share of positive answers of all sources; `parts` are the sources.
Reading SurveyReading(const ClauseContext& context, std::vector<Part>* parts);

// Settles the clause when its reading says nothing: over nothing, or no data yet. False when there
// is a number to go on with. `most` is what the clause could take or give at most.
bool SettleUnread(const ClauseContext& context, const Reading& reading,
                  fadu::assessment::v1::WhenEmpty when_empty, const Fraction& most,
                  ClauseOutcome& outcome);
// What a policy makes of a clause that cannot be computed.
void Settle(const ClauseContext& context, fadu::assessment::v1::WhenEmpty policy,
            const Fraction& most, ClauseOutcome& outcome);

// Sets a signed number of points: earned above zero, lost below.
void SetPoints(const Fraction& points, ClauseOutcome& outcome);

Fraction StepsOf(const Fraction& distance, const Fraction& step,
                 fadu::assessment::v1::StepRounding rounding);

// How many a reading counts, after what is set aside (M04, M06, M13, L19) in `outcome`. `part` is
// the name of where they are counted.
Fraction CountOf(const ClauseContext& context, const std::string& measure, const Reading& reading,
                 const std::string& part, ClauseOutcome& outcome);
// M04 over several parts: every thing counts once, where it is dearest.
void CountThings(const ClauseContext& context, const std::vector<std::string>& measures,
                 const std::vector<int64_t>& per, ClauseOutcome& outcome);

// The units a clause is compared with, this one among them.
std::vector<std::string> PeersOf(const UnitContext& unit, fadu::assessment::v1::PeerSet peers);

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

// The bracket that a number lies in; -1 when none.
int BracketOf(const google::protobuf::RepeatedPtrField<fadu::assessment::v1::Bracket>& brackets,
              const Fraction& number);

// The day `count` units after `from`.
absl::CivilDay DayAfter(absl::CivilDay from, int64_t count, fadu::assessment::v1::DelayUnit unit);

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_CLAUSE_H_
