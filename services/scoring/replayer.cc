#include "services/scoring/replayer.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/clock.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "services/scoring/verify.h"

namespace fadu::scoring {
namespace {

constexpr int kRuns = 200;
constexpr int kShare = 20;  // a twentieth of the time
constexpr absl::Duration kPatience = absl::Seconds(10);
constexpr absl::Duration kReplayPatience = absl::Minutes(5);

// A time after every run's.
absl::Time Ever() { return absl::FromCivil(absl::CivilDay(9999, 1, 1), absl::UTCTimeZone()); }

}  // namespace

struct Replayer::State {
  std::atomic<int64_t> scored_at{0};
  std::atomic<int64_t> replayed_at{0};
  std::atomic<int64_t> mismatches{0};
};

Replayer::Replayer(Store& store, rpc::Metrics& metrics, ReplayerOptions options)
    : store_(store), metrics_(metrics), options_(options), state_(std::make_shared<State>()) {
  const auto gauge = [&](const char* name, const char* help, std::atomic<int64_t> State::*value) {
    metrics.Gauge(name, help, {{"service", "scoring"}},
                  [state = state_, value] { return static_cast<double>((*state.*value).load()); });
  };
  gauge("fadu_run_last_success_timestamp_seconds",
        "The newest run of the county where it is oldest; 0: none.", &State::scored_at);
  gauge("fadu_replay_mismatches", "Stored runs that did not recompute.", &State::mismatches);
  gauge("fadu_replay_last_success_timestamp_seconds", "When a run last recomputed; 0: never.",
        &State::replayed_at);
  for (const char* result : {"match", "mismatch", "other_engine"}) Count(result, 0);
}

Replayer::~Replayer() { Stop(); }

void Replayer::Count(const std::string& result, double by) {
  metrics_.Count("fadu_replays_total", "Runs recomputed from their snapshots.",
                 {{"service", "scoring"}, {"result", result}}, by);
}

void Replayer::Start() {
  if (thread_.joinable() || stopping_.HasBeenNotified()) return;
  thread_ = std::thread([this] {
    absl::Duration pause;
    do {
      const absl::Time begin = absl::Now();
      if (const absl::Status done = Round(); !done.ok()) {
        Log(LogLevel::kWarning, "runs cannot be replayed", {{"reason", ReasonOf(done)}});
      }
      pause = std::max(options_.interval, kShare * (absl::Now() - begin));
    } while (!stopping_.WaitForNotificationWithTimeout(pause));
  });
}

void Replayer::Stop() {
  if (!stopping_.HasBeenNotified()) stopping_.Notify();
  if (thread_.joinable()) thread_.join();
}

absl::Status Replayer::Round() {
  FADU_RETURN_IF_ERROR(FindRuns());
  const auto later = [](const auto& a, const auto& b) {
    if (a.second.replayed_at != b.second.replayed_at) {
      return a.second.replayed_at < b.second.replayed_at;
    }
    return a.second.created_at > b.second.created_at;
  };
  const auto next = std::min_element(runs_.begin(), runs_.end(), later);
  if (next == runs_.end() || next->second.replayed_at + options_.again > absl::Now()) {
    return absl::OkStatus();
  }
  return Replay(next->first, next->second);
}

absl::Status Replayer::FindRuns() {
  FADU_ASSIGN_OR_RETURN(const std::vector<std::string> counties,
                        store_.KnownCounties(absl::Now() + kPatience));
  absl::Time scored_at = absl::InfiniteFuture();
  std::map<Uuid, Known> present;
  for (const std::string& county : counties) {
    FADU_ASSIGN_OR_RETURN(const std::vector<StoredRun> runs,
                          store_.ListRuns(county, Ever(), Uuid(), kRuns, absl::Now() + kPatience));
    if (!runs.empty()) scored_at = std::min(scored_at, runs[0].created_at);
    for (const StoredRun& run : runs) {
      const auto known = runs_.find(run.id);
      present.emplace(run.id, known != runs_.end() ? known->second : Known{county, run.created_at});
    }
  }
  runs_ = std::move(present);
  state_->scored_at = scored_at == absl::InfiniteFuture() ? 0 : absl::ToUnixSeconds(scored_at);
  return absl::OkStatus();
}

absl::Status Replayer::Replay(const Uuid& id, Known& run) {
  FADU_ASSIGN_OR_RETURN(const absl::optional<StoredRun> stored,
                        store_.FindRun(run.county, id, absl::Now() + kPatience));
  if (!stored.has_value()) return absl::OkStatus();
  const absl::Status replayed =
      VerifyStoredRun(store_, run.county, *stored, absl::Now() + kReplayPatience).status();
  const std::string reason = ReasonOf(replayed);
  const bool mismatch = reason == "REASON_VERIFY_FAILED" || reason == "REASON_INTEGRITY_BROKEN";
  const bool other_engine = reason == "REASON_ENGINE_VERSION";
  if (!replayed.ok() && !mismatch && !other_engine) return replayed;
  run.replayed_at = absl::Now();
  Count(mismatch ? "mismatch" : other_engine ? "other_engine" : "match", 1);
  if (replayed.ok()) state_->replayed_at = absl::ToUnixSeconds(run.replayed_at);
  if (mismatch != run.mismatch) {
    Log(mismatch ? LogLevel::kError : LogLevel::kInfo,
        mismatch ? "a run does not recompute" : "a run recomputes again",
        {{"run", absl::StrCat("counties/", run.county, "/runs/", id.ToString())},
         {"where", DetailOf(replayed).metadata["where"]}});
  }
  run.mismatch = mismatch;
  state_->mismatches = std::count_if(runs_.begin(), runs_.end(),
                                     [](const auto& known) { return known.second.mismatch; });
  return absl::OkStatus();
}

}  // namespace fadu::scoring
