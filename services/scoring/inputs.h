// services/scoring/inputs.h
//
// From stored facts to what a run depends on: decoding, the digests of feeds, the cycle, its rubric
// and marks. The same collector serves making a run, explaining it and verifying it.
#ifndef FADU_SERVICES_SCORING_INPUTS_H_
#define FADU_SERVICES_SCORING_INPUTS_H_

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "fadu/assessment/v1/records.pb.h"
#include "fadu/common/v1/fact_feed.pb.h"
#include "fadu/scoring/v1/score.pb.h"
#include "services/scoring/domain/engine.h"
#include "services/scoring/store.h"

namespace fadu::scoring {

// The feed that is pushed (PutFacts) and not pulled: rubrics, cycles, marks.
inline constexpr char kAssessment[] = "assessment";

// FAILED_PRECONDITION / REASON_VERIFY_FAILED naming what differs.
absl::Status VerifyFailed(absl::string_view where);

// "mediation/fadu.mediation.v1.Dispute/{id}/3": service, type, record, revision.
std::string FactPlace(absl::string_view service, absl::string_view type, const Uuid& id,
                      int64_t revision);

// Gathers the facts of one county that hold, of every year. Not thread-safe.
class FactCollector {
 public:
  // Takes one fact that holds; those of one service come by (id, revision). `digest` is that of the
  // stored bytes. FAILED_PRECONDITION / REASON_INTEGRITY_BROKEN: the fact does not parse.
  absl::Status Add(absl::string_view service, const fadu::common::v1::Fact& fact,
                   absl::string_view digest);

  // The feed as a snapshot names it: for each year the digest over the digests of its facts, in
  // order, joined, and over these the digest of the feed.
  fadu::scoring::v1::FeedPosition Feed(absl::string_view service, int64_t seq) const;

  // The newest cycle of the year and its published rubric.
  struct CycleAndRubric {
    std::string cycle_id;
    std::string rubric_id;
    std::string rubric_digest;  // StoredDigest of the rubric's bytes within the fact
    bool closed = false;        // the cycle's figures no longer change
    fadu::assessment::v1::Rubric rubric;
  };
  // FAILED_PRECONDITION / REASON_CYCLE_MISSING: no cycle, or its rubric is not published.
  absl::StatusOr<CycleAndRubric> FindCycle(int year) const;
  // FAILED_PRECONDITION / REASON_VERIFY_FAILED: the snapshot's rubric is not among the facts, or is
  // not the one of the snapshot's digest.
  absl::StatusOr<fadu::assessment::v1::Rubric> RubricOf(
      const fadu::scoring::v1::Snapshot& snapshot) const;

  // What people and outside handed in: the cycle's marks, the newest of each unit, line, clause,
  // period, item and assessor, in that order; and what is confirmed of all else, in the order it
  // was recorded.
  void HandIn(absl::string_view cycle_id, RunInputs& inputs) const;

  // The evidence facts; leaves none behind.
  FactSet TakeFacts(FactContext context);

 private:
  template <typename Message>
  struct Kept {
    int64_t seq = 0;
    std::string id;
    Message message;
    std::string bytes;  // of `message`, as they stand in the fact; rubrics only
  };

  absl::Status AddAssessment(const fadu::common::v1::Fact& fact);

  // Joined, by service and year.
  std::map<std::string, std::map<int, std::string>, std::less<>> digests_;
  std::vector<FactView> facts_;
  std::vector<Kept<fadu::assessment::v1::Cycle>> cycles_;
  std::vector<Kept<fadu::assessment::v1::RubricVersion>> rubrics_;
  std::vector<Kept<fadu::assessment::v1::Mark>> marks_;
  std::vector<Kept<fadu::assessment::v1::Ruling>> rulings_;
  std::vector<Kept<fadu::assessment::v1::Adjustment>> adjustments_;
  std::vector<Kept<fadu::assessment::v1::ImportedResult>> results_;
  std::vector<Kept<fadu::assessment::v1::ExternalFigure>> figures_;
  std::vector<Kept<fadu::assessment::v1::ResponsibilitySplit>> splits_;
  std::vector<Kept<fadu::assessment::v1::Sample>> samples_;
};

// What the facts of a run are read against: areas, the last day known, what is frozen.
FactContext FactContextOf(const fadu::scoring::v1::Snapshot& snapshot);

// Collects the facts of the county that hold at `positions`, of every year: a stock began, a rate
// is compared and a dispute was found in an earlier one.
absl::StatusOr<FactCollector> CollectFacts(Store& store, absl::string_view county,
                                           const Positions& positions, absl::Time deadline);

// The run was made by this engine and with this calendar: else it would be recomputed to something
// else. FAILED_PRECONDITION / REASON_ENGINE_VERSION, REASON_CALENDAR_VERSION.
absl::Status CheckVersions(const fadu::scoring::v1::Snapshot& snapshot);

// The inputs of a run from its snapshot: facts at the pinned positions, rubric, marks. Digests are
// those that were stored; VerifyStoredRun recomputes them.
// FAILED_PRECONDITION / REASON_VERIFY_FAILED: they are not the snapshot's.
absl::StatusOr<RunInputs> LoadInputs(Store& store, const fadu::scoring::v1::Snapshot& snapshot,
                                     absl::Time deadline);

// Decoded facts that were used last. A key names everything its value depends on, so an entry is
// never stale. Thread-safe.
class InputsCache {
 public:
  // Holds entries of at most `max_facts` facts in all, and always the newest.
  explicit InputsCache(size_t max_facts) : max_facts_(max_facts) {}

  // Null when there is none.
  std::shared_ptr<const RunInputs> Find(absl::string_view key);
  // Shared: an entry may be dropped while a call still computes on it.
  void Keep(absl::string_view key, std::shared_ptr<const RunInputs> inputs);

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const RunInputs> inputs;
  };
  const size_t max_facts_;
  absl::Mutex mutex_;
  std::list<Entry> entries_ ABSL_GUARDED_BY(mutex_);  // the one used last is first
};

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_INPUTS_H_
