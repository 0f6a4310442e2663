#include "services/scoring/verify.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "common/base/civil_day.h"
#include "common/base/digest.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/fact_feed.pb.h"
#include "fadu/scoring/v1/score.pb.h"
#include "fadu/scoring/v1/scoring_service.pb.h"
#include "services/scoring/domain/engine.h"
#include "services/scoring/inputs.h"

namespace fadu::scoring {
namespace {

namespace common_v1 = ::fadu::common::v1;

// The columns say what the bytes say.
bool ColumnsAgree(const FactRow& row, const common_v1::Fact& fact) {
  absl::optional<absl::CivilDay> counted_on;
  if (!fact.counted_date().empty()) {
    const absl::StatusOr<absl::CivilDay> day = ParseDay(fact.counted_date());
    if (!day.ok()) return false;
    counted_on = *day;
  }
  return fact.id() == row.fact.id.ToString() && fact.revision() == row.fact.revision &&
         fact.seq() == row.seq && fact.type() == row.type && fact.area_code() == row.area_code &&
         counted_on == row.counted_on &&
         row.year == (counted_on.has_value() ? counted_on->year() : 0) &&
         fact.review_state() == row.review_state && fact.tombstone() == row.tombstone;
}

// Goes through all facts of one feed up to its position and decides anew which of them hold.
class FeedCheck {
 public:
  FeedCheck(const v1::FeedPosition& feed, FactCollector& collector)
      : feed_(feed), collector_(collector) {}

  absl::Status Visit(const FactRow& row) {
    ++facts_;
    common_v1::Fact fact;
    if (StoredDigest(row.fact.bytes) != row.fact.digest || !fact.ParseFromString(row.fact.bytes) ||
        !ColumnsAgree(row, fact)) {
      return VerifyFailed(PlaceOf(row));
    }
    if (last_.has_value() && last_->fact.id == row.fact.id) {
      // Replaced within the snapshot: closed where the next revision came.
      if (last_->until_seq != row.seq) return VerifyFailed(PlaceOf(*last_));
    } else {
      FADU_RETURN_IF_ERROR(FinishRecord());
    }
    last_ = row;
    last_fact_ = std::move(fact);
    return absl::OkStatus();
  }

  // After the last row.
  absl::Status Finish() {
    FADU_RETURN_IF_ERROR(FinishRecord());
    const v1::FeedPosition now = collector_.Feed(feed_.service(), feed_.seq());
    return BytesOf(now) == BytesOf(feed_) ? absl::OkStatus()
                                          : VerifyFailed(absl::StrCat("feed ", feed_.service()));
  }

  int64_t facts() const { return facts_; }

 private:
  std::string PlaceOf(const FactRow& row) const {
    return FactPlace(feed_.service(), row.type, row.fact.id, row.fact.revision);
  }

  // The newest revision of a record up to the position is the one that holds.
  absl::Status FinishRecord() {
    if (!last_.has_value()) return absl::OkStatus();
    const FactRow row = *std::exchange(last_, absl::nullopt);
    if (row.until_seq.has_value() && *row.until_seq <= feed_.seq()) {
      return VerifyFailed(PlaceOf(row));
    }
    if (row.tombstone) return absl::OkStatus();
    return collector_.Add(feed_.service(), last_fact_, row.fact.digest);
  }

  const v1::FeedPosition& feed_;
  FactCollector& collector_;
  absl::optional<FactRow> last_;
  common_v1::Fact last_fact_;
  int64_t facts_ = 0;
};

bool SameBytes(const google::protobuf::Message& a, const google::protobuf::Message& b) {
  return BytesOf(a) == BytesOf(b);
}

// Where two sheets of one village differ first.
std::string SheetDifference(const v1::ScoreSheet& stored, const v1::ScoreSheet& computed) {
  for (int i = 0; i < std::min(stored.lines_size(), computed.lines_size()); ++i) {
    if (!SameBytes(stored.lines(i), computed.lines(i))) {
      return absl::StrCat(computed.area_code(), "/", computed.lines(i).line_id());
    }
  }
  return computed.area_code();
}

// Where two results differ first: a line of a village, a village, a town or the county.
std::string Difference(const std::string& stored_bytes, const v1::RunResult& computed) {
  v1::RunResult stored;
  if (!stored.ParseFromString(stored_bytes)) return "result";
  for (int i = 0; i < computed.villages_size(); ++i) {
    const v1::ScoreSheet& sheet = computed.villages(i);
    if (i >= stored.villages_size() || stored.villages(i).area_code() != sheet.area_code()) {
      return sheet.area_code();
    }
    if (!SameBytes(stored.villages(i), sheet)) return SheetDifference(stored.villages(i), sheet);
  }
  for (int i = 0; i < computed.towns_size(); ++i) {
    if (i >= stored.towns_size() || !SameBytes(stored.towns(i), computed.towns(i))) {
      return computed.towns(i).area_code();
    }
  }
  if (!SameBytes(stored.county(), computed.county())) return computed.county().area_code();
  return "result";
}

absl::Status CheckResult(const StoredRun& run, const RunInputs& inputs) {
  FADU_ASSIGN_OR_RETURN(const v1::RunResult computed, ComputeRun(inputs, MeasurableTypes()));
  if (ResultBytes(computed) != run.result) return VerifyFailed(Difference(run.result, computed));
  if (StoredDigest(run.result) != run.result_digest) return VerifyFailed("result digest");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Verified> VerifyStoredRun(Store& store, absl::string_view county,
                                         const StoredRun& run, absl::Time deadline) {
  RunInputs inputs;
  v1::Snapshot& snapshot = inputs.snapshot;
  if (StoredDigest(run.snapshot) != run.snapshot_digest ||
      !snapshot.ParseFromString(run.snapshot) || snapshot.county_code() != county ||
      snapshot.year() != run.year) {
    return VerifyFailed("snapshot");
  }
  // Another engine names feeds otherwise.
  FADU_RETURN_IF_ERROR(CheckVersions(snapshot));
  Verified verified;
  FactCollector collector;
  for (const v1::FeedPosition& feed : snapshot.feeds()) {
    FeedCheck check(feed, collector);
    FADU_RETURN_IF_ERROR(store.ForEachFact(county, feed.service(), feed.seq(), deadline,
                                           [&](const FactRow& row) { return check.Visit(row); }));
    FADU_RETURN_IF_ERROR(check.Finish());
    verified.facts += check.facts();
  }
  FADU_ASSIGN_OR_RETURN(inputs.rubric, collector.RubricOf(snapshot));
  collector.HandIn(snapshot.cycle_id(), inputs);
  inputs.facts = collector.TakeFacts(FactContextOf(snapshot));
  FADU_RETURN_IF_ERROR(CheckResult(run, inputs));
  verified.result_bytes = static_cast<int64_t>(run.result.size());
  return verified;
}

}  // namespace fadu::scoring
