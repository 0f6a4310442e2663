#include "services/assessment/forwarder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/call.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/fact_feed.pb.h"
#include "fadu/common/v1/reason.pb.h"
#include "fadu/scoring/v1/scoring_service.pb.h"
#include "services/assessment/sql.h"

namespace fadu::assessment {
namespace {

namespace common = ::fadu::common::v1;
namespace scoring = ::fadu::scoring::v1;

constexpr char kPutFacts[] = "/fadu.scoring.v1.ScoringService/PutFacts";
constexpr absl::Duration kPatience = absl::Seconds(5);
constexpr int kPulled = 200;
// A message of a few facts stays below gRPC's 4 MiB; one fact is at most 1 MiB.
constexpr size_t kMaxBytes = 1 << 20;
constexpr size_t kMaxFacts = 500;

absl::Status OutOfStep(absl::string_view county, int64_t held, int64_t head) {
  return Fail(absl::StatusCode::kFailedPrecondition, common::REASON_INTEGRITY_BROKEN,
              "scoring and this log disagree about the log's end",
              {{"where", absl::StrCat(county, " 考核事件：评分服务已有第 ", held, " 条，本地为第 ",
                                      head, " 条")}});
}

}  // namespace

Forwarder::Forwarder(records::Store& store, db::Pool& pool, rpc::Peers& peers, const Clock& clock,
                     rpc::Metrics& metrics, ForwarderOptions options)
    : store_(store),
      pool_(pool),
      peers_(peers),
      clock_(clock),
      gauges_(metrics, "assessment"),
      options_(options) {}

Forwarder::~Forwarder() { Stop(); }

absl::StatusOr<int64_t> Forwarder::Put(const std::string& county,
                                       const std::vector<common::Fact>& facts,
                                       absl::Time deadline) {
  scoring::PutFactsRequest request;
  request.set_county_code(county);
  *request.mutable_facts() = {facts.begin(), facts.end()};
  scoring::PutFactsResponse response;
  FADU_RETURN_IF_ERROR(peers_.Call(deadline, "scoring", kPutFacts, request, &response));
  return response.seq();
}

absl::StatusOr<int64_t> Forwarder::Flush(const std::string& county, absl::Time deadline) {
  FADU_ASSIGN_OR_RETURN(int64_t held, Put(county, {}, deadline));
  CallContext own;
  own.principal.subject = "services/assessment";
  own.principal.is_service = true;
  own.now = clock_.Now();
  own.deadline = deadline;
  int64_t target = -1;  // where the log stood at first; writers may go on for ever
  while (true) {
    common::PullFactsRequest request;
    request.set_county_code(county);
    request.set_after_seq(held);
    request.set_max_facts(kPulled);
    FADU_ASSIGN_OR_RETURN(const common::PullFactsResponse pulled, store_.PullFacts(own, request));
    if (target < 0) target = pulled.head_seq();
    if (pulled.head_seq() < held) return OutOfStep(county, held, pulled.head_seq());
    gauges_.Taken(county, held, pulled.head_seq());
    if (pulled.facts().empty()) return held;
    std::vector<common::Fact> facts;
    size_t bytes = 0;
    for (const common::Fact& fact : pulled.facts()) {
      const size_t more = fact.ByteSizeLong();
      if (!facts.empty() && (bytes + more > kMaxBytes || facts.size() == kMaxFacts)) break;
      facts.push_back(fact);
      bytes += more;
    }
    FADU_ASSIGN_OR_RETURN(const int64_t taken, Put(county, facts, deadline));
    if (taken < facts.back().seq()) return OutOfStep(county, taken, facts.back().seq());
    held = taken;
    gauges_.Taken(county, held, pulled.head_seq());
    if (held >= target) return held;
  }
}

void Forwarder::Wake(const std::string& county) {
  absl::MutexLock lock(&mutex_);
  // A county that failed keeps its later turn.
  turns_.try_emplace(county, absl::InfinitePast());
  changed_.Signal();
}

void Forwarder::Start() {
  if (!thread_.joinable()) thread_ = std::thread([this] { Loop(); });
}

void Forwarder::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
    changed_.Signal();
  }
  if (thread_.joinable()) thread_.join();
}

bool Forwarder::stopping() {
  absl::MutexLock lock(&mutex_);
  return stop_;
}

void Forwarder::Loop() {
  absl::Time sweep_at = absl::InfinitePast();
  while (!stopping()) {
    const std::string county = Next(sweep_at);
    if (!county.empty()) {
      Try(county);
    } else if (absl::Now() >= sweep_at) {
      Sweep();
      sweep_at = absl::Now() + options_.sweep;
    }
    Report();
  }
}

void Forwarder::Report() {
  absl::MutexLock lock(&mutex_);
  if (swept_ && turns_.empty() && waits_.empty()) gauges_.AllTaken(absl::Now());
}

std::string Forwarder::Next(absl::Time sweep_at) {
  absl::MutexLock lock(&mutex_);
  while (!stop_) {
    const absl::Time now = absl::Now();
    if (now >= sweep_at) return "";
    const auto first =
        std::min_element(turns_.begin(), turns_.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    if (first != turns_.end() && first->second <= now) {
      const std::string county = first->first;
      turns_.erase(first);
      return county;
    }
    changed_.WaitWithDeadline(&mutex_,
                              first == turns_.end() ? sweep_at : std::min(sweep_at, first->second));
  }
  return "";
}

void Forwarder::Try(const std::string& county) {
  const absl::StatusOr<int64_t> flushed = Flush(county, absl::Now() + kPatience);
  if (flushed.ok()) {
    if (waits_.erase(county) > 0) {
      Log(LogLevel::kInfo, "facts are handed over again", {{"county", county}});
    }
    return;
  }
  absl::Duration& wait = waits_[county];
  if (wait == absl::ZeroDuration()) {
    Log(LogLevel::kWarning, "facts cannot be handed over",
        {{"county", county},
         {"reason", ReasonOf(flushed.status())},
         {"error", absl::string_view(flushed.status().message())}});
  }
  wait = wait == absl::ZeroDuration() ? options_.first_wait
                                      : std::min(wait * 2, options_.longest_wait);
  absl::MutexLock lock(&mutex_);
  turns_[county] = absl::Now() + wait;
}

void Forwarder::Sweep() {
  std::vector<std::string> counties;
  const absl::Status read =
      pool_.Read(db::Scope{}, absl::Now() + kPatience, [&](db::Transaction& transaction) {
        counties.clear();
        const absl::StatusOr<db::Rows> rows = transaction.Run(sql::kListCounties);
        if (!rows.ok()) return rows.status();
        for (const db::Row& row : *rows) counties.push_back(row.Text(0));
        return absl::OkStatus();
      });
  if (!read.ok()) {
    Log(LogLevel::kWarning, "counties cannot be read", {{"reason", ReasonOf(read)}});
    swept_ = false;
    return;
  }
  swept_ = true;
  for (const std::string& county : counties) Wake(county);
}

}  // namespace fadu::assessment
