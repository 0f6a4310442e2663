#include "common/records/monitor.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/base/civil_day.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/base/working_calendar.h"
#include "common/records/composer.h"
#include "common/schema/filter.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/review_state.pb.h"

namespace fadu::records {
namespace {

namespace v1 = ::fadu::common::v1;

constexpr absl::Duration kPatience = absl::Seconds(5);  // with one statement
constexpr int kShare = 20;                              // a twentieth of the time

constexpr db::Statement kListCounties{"list_known_counties",
                                      "SELECT county_code FROM known_county ORDER BY county_code"};

std::vector<v1::ReviewState> ReviewStates() {
  return {v1::REVIEW_STATE_DRAFT, v1::REVIEW_STATE_SUBMITTED, v1::REVIEW_STATE_RETURNED,
          v1::REVIEW_STATE_CONFIRMED, v1::REVIEW_STATE_WITHDRAWN};
}

// Somebody must do something about it.
bool Waits(v1::ReviewState state) {
  return state == v1::REVIEW_STATE_DRAFT || state == v1::REVIEW_STATE_SUBMITTED ||
         state == v1::REVIEW_STATE_RETURNED;
}

std::string CodeOf(v1::ReviewState state) {
  return EnumCode(v1::ReviewState_descriptor()->FindValueByNumber(state));
}

DeadlineRule RuleOf(const v1::Deadline& deadline) {
  DeadlineRule rule;
  rule.amount = deadline.days();
  rule.unit = deadline.working_days() ? DayUnit::kWorkingDays : DayUnit::kCalendarDays;
  rule.roll_to_working_day = deadline.days() > 0;
  return rule;
}

}  // namespace

// What one round counted, over all counties.
struct Monitor::Figures {
  struct Group {
    int64_t records = 0;
    absl::Time oldest = absl::InfiniteFuture();
  };
  std::map<std::pair<std::string, std::string>, Group> groups;    // collection, review state
  std::map<std::pair<std::string, std::string>, int64_t> missed;  // collection, deadline
};

// What the gauges show.
struct Monitor::State {
  absl::Mutex mutex;
  Figures figures ABSL_GUARDED_BY(mutex);
  int64_t broken ABSL_GUARDED_BY(mutex) = 0;
  absl::Time verified_at ABSL_GUARDED_BY(mutex) = absl::UnixEpoch();
  absl::Time succeeded_at ABSL_GUARDED_BY(mutex) = absl::UnixEpoch();
};

Monitor::Monitor(MonitorOptions options, db::Pool& pool, const Sealer& sealer, const Clock& clock,
                 rpc::Metrics& metrics)
    : options_(std::move(options)),
      pool_(pool),
      sealer_(sealer),
      clock_(clock),
      state_(std::make_shared<State>()) {
  using Labels = std::map<std::string, std::string>;
  const auto gauge = [&](const char* name, const char* help, Labels labels, auto read) {
    labels["service"] = options_.service;
    metrics.Gauge(name, help, std::move(labels), [state = state_, read]() -> double {
      absl::MutexLock lock(&state->mutex);
      return static_cast<double>(read(*state));
    });
  };
  for (const auto& type : options_.types->all()) {
    for (const v1::ReviewState review_state : ReviewStates()) {
      const std::pair<std::string, std::string> key = {type->collection(), CodeOf(review_state)};
      const Labels labels = {{"collection", key.first}, {"review_state", key.second}};
      gauge("fadu_records", "Records that are not deleted.", labels,
            [key](State& state) { return state.figures.groups[key].records; });
      if (!Waits(review_state)) continue;
      gauge("fadu_backlog_oldest_timestamp_seconds",
            "Since when the record waits that waits longest in a state of review; 0: none.", labels,
            [key](State& state) {
              const Figures::Group& group = state.figures.groups[key];
              return group.records == 0 ? 0 : absl::ToUnixSeconds(group.oldest);
            });
    }
    for (const v1::Deadline& deadline : type->options().deadlines()) {
      const std::pair<std::string, std::string> key = {type->collection(), deadline.name()};
      gauge("fadu_deadlines_missed", "Open records past their deadline.",
            {{"collection", key.first}, {"deadline", key.second}},
            [key](State& state) { return state.figures.missed[key]; });
    }
  }
  gauge("fadu_audit_broken", "Counties whose audit chain does not verify.", {},
        [](State& state) { return state.broken; });
  gauge("fadu_audit_verified_timestamp_seconds",
        "When the chain was verified whole that was so longest ago; 0: never.", {},
        [](State& state) { return absl::ToUnixSeconds(state.verified_at); });
  gauge("fadu_monitor_last_success_timestamp_seconds",
        "When records and chains were last read for monitoring; 0: never.", {},
        [](State& state) { return absl::ToUnixSeconds(state.succeeded_at); });
}

Monitor::~Monitor() { Stop(); }

void Monitor::Start() {
  if (!thread_.joinable() && !stopping_.HasBeenNotified())
    thread_ = std::thread([this] { Loop(); });
}

void Monitor::Stop() {
  if (!stopping_.HasBeenNotified()) stopping_.Notify();
  if (thread_.joinable()) thread_.join();
}

void Monitor::Loop() {
  absl::Duration pause;
  do {
    const absl::Time begin = absl::Now();
    const absl::Status done = Round();
    pause = std::max(options_.interval, kShare * (absl::Now() - begin));
    if (done.ok() == !failing_) continue;
    failing_ = !done.ok();
    Log(failing_ ? LogLevel::kWarning : LogLevel::kInfo,
        failing_ ? "records cannot be read for monitoring"
                 : "records are read for monitoring again",
        {{"service", options_.service}, {"reason", ReasonOf(done)}});
  } while (!stopping_.WaitForNotificationWithTimeout(pause));
}

absl::Status Monitor::Round() {
  std::vector<std::string> counties;
  FADU_RETURN_IF_ERROR(pool_.Read(
      db::Scope{}, absl::Now() + kPatience, [&](db::Transaction& transaction) -> absl::Status {
        counties.clear();
        FADU_ASSIGN_OR_RETURN(const db::Rows rows, transaction.Run(kListCounties));
        for (const db::Row& row : rows) counties.push_back(row.Text(0));
        return absl::OkStatus();
      }));
  Figures figures;
  for (const std::string& county : counties) {
    if (stopping_.HasBeenNotified()) return absl::OkStatus();
    FADU_RETURN_IF_ERROR(Count(county, figures));
    chains_.try_emplace(county);
  }
  {
    absl::MutexLock lock(&state_->mutex);
    state_->figures = std::move(figures);
  }
  FADU_RETURN_IF_ERROR(CheckChains());
  absl::MutexLock lock(&state_->mutex);
  state_->succeeded_at = absl::Now();
  return absl::OkStatus();
}

absl::Status Monitor::Count(const std::string& county, Figures& figures) {
  const auto count = [&](const RecordType& type, const FilterNode* filter) {
    ListSelection selection;
    selection.county = county;
    selection.type = &type;
    selection.filter = filter;
    const BoundSql bound = CountByReviewState(selection, sealer_);
    db::Rows rows;
    const absl::Status read = pool_.Read(
        db::Scope::WholeCounty(county), absl::Now() + kPatience,
        [&](db::Transaction& transaction) -> absl::Status {
          FADU_ASSIGN_OR_RETURN(
              rows, transaction.Run(db::Statement{"count_records", bound.sql}, bound.params));
          return absl::OkStatus();
        });
    return read.ok() ? absl::StatusOr<db::Rows>(std::move(rows)) : read;
  };
  const std::string withdrawn = CodeOf(v1::REVIEW_STATE_WITHDRAWN);
  for (const auto& type : options_.types->all()) {
    FADU_ASSIGN_OR_RETURN(const db::Rows states, count(*type, nullptr));
    for (const db::Row& row : states) {
      Figures::Group& group = figures.groups[{type->collection(), row.Text(0)}];
      group.records += row.Int(1);
      group.oldest = std::min(group.oldest, row.Time(2));
    }
    for (const v1::Deadline& deadline : type->options().deadlines()) {
      const absl::CivilDay start =
          LastMissedStart(RuleOf(deadline), DayOf(clock_.Now()), WorkingCalendar::Shipped());
      FADU_ASSIGN_OR_RETURN(
          const FilterNode filter,
          ParseFilter(absl::StrCat("(", deadline.open(), ") AND ", deadline.from(), " <= \"",
                                   FormatDay(start), "\""),
                      *type, FilterUse::kList));
      FADU_ASSIGN_OR_RETURN(const db::Rows open, count(*type, &filter));
      for (const db::Row& row : open) {
        if (row.Text(0) == withdrawn) continue;
        figures.missed[{type->collection(), deadline.name()}] += row.Int(1);
      }
    }
  }
  return absl::OkStatus();
}

absl::Status Monitor::CheckOne(const std::string& county, Chain& chain, absl::Time until) {
  if (!chain.passing && chain.whole_at + options_.whole_check <= absl::Now()) {
    chain.place = ChainPlace();
    chain.passing = true;
  }
  do {
    const absl::StatusOr<bool> ended = CheckChain(
        pool_, options_.service, county, options_.chain_step, absl::Now() + kPatience, chain.place);
    if (!ended.ok()) {
      if (ReasonOf(ended.status()) != "REASON_INTEGRITY_BROKEN") return ended.status();
      if (!chain.broken) {
        Log(LogLevel::kError, "an audit chain does not verify",
            {{"service", options_.service},
             {"county", county},
             {"where", DetailOf(ended.status()).metadata["where"]}});
      }
      // All of it again when its turn comes: what is mended is seen, too.
      chain = Chain{ChainPlace(), true, chain.whole_at, true};
      return absl::OkStatus();
    }
    if (*ended) {
      if (!chain.passing) return absl::OkStatus();
      if (chain.broken) {
        Log(LogLevel::kInfo, "an audit chain verifies again",
            {{"service", options_.service}, {"county", county}});
      }
      chain = Chain{std::move(chain.place), false, absl::Now(), false};
      return absl::OkStatus();
    }
  } while (absl::Now() < until && !stopping_.HasBeenNotified());
  return absl::OkStatus();
}

absl::Status Monitor::CheckChains() {
  const absl::Time until = absl::Now() + options_.interval / kShare;
  auto next = chains_.lower_bound(turn_);
  for (size_t i = 0; i < chains_.size(); ++i) {
    if (next == chains_.end()) next = chains_.begin();
    turn_ = next->first;
    if (i > 0 && (absl::Now() >= until || stopping_.HasBeenNotified())) break;
    FADU_RETURN_IF_ERROR(CheckOne(next->first, next->second, until));
    ++next;
  }
  int64_t broken = 0;
  absl::Time verified_at = absl::Now();
  for (const auto& [county, chain] : chains_) {
    broken += chain.broken ? 1 : 0;
    verified_at = std::min(verified_at, chain.whole_at);
  }
  absl::MutexLock lock(&state_->mutex);
  state_->broken = broken;
  state_->verified_at = verified_at;
  return absl::OkStatus();
}

}  // namespace fadu::records
