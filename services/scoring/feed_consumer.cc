#include "services/scoring/feed_consumer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/fact_feed.pb.h"
#include "fadu/common/v1/reason.pb.h"
#include "fadu/scoring/v1/scoring_service.pb.h"

namespace fadu::scoring {
namespace {

namespace common_v1 = ::fadu::common::v1;

constexpr char kPullFacts[] = "/fadu.common.v1.FactFeedService/PullFacts";
constexpr int kBatch = 500;
constexpr absl::Duration kBackgroundPatience = absl::Seconds(5);

absl::Status Gap(int64_t expected, int64_t got) {
  return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_FEED_GAP, "gap in a feed",
              {{"expected", absl::StrCat(expected)}, {"got", absl::StrCat(got)}});
}

std::vector<std::string> Sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace

FeedConsumer::FeedConsumer(Store& store, rpc::Peers& peers, rpc::Metrics& metrics,
                           std::vector<std::string> services)
    : store_(store), peers_(peers), services_(Sorted(std::move(services))) {
  for (const std::string& service : services_) gauges_.try_emplace(service, metrics, service);
}

FeedConsumer::~FeedConsumer() { Stop(); }

std::vector<std::string> FeedConsumer::Services() const {
  std::vector<std::string> present;
  for (const std::string& service : services_) {
    if (peers_.Has(service)) present.push_back(service);
  }
  return present;
}

absl::Status FeedConsumer::Sync(absl::string_view county, absl::Time deadline) {
  for (const std::string& service : Services()) {
    if (const absl::Status synced = SyncFeed(std::string(county), service, deadline);
        !synced.ok()) {
      return WithMetadata(synced, "service", service);
    }
  }
  return absl::OkStatus();
}

absl::Status FeedConsumer::SyncFeed(const std::string& county, const std::string& service,
                                    absl::Time deadline) {
  FADU_ASSIGN_OR_RETURN(const Positions positions, store_.PositionsOf(county, deadline));
  const auto known = positions.find(service);
  if (known == positions.end()) {
    FADU_RETURN_IF_ERROR(store_.TakeFacts(county, service, {}, deadline).status());
  }
  int64_t position = known == positions.end() ? 0 : known->second;
  int64_t target = -1;  // where the feed stood at first; writers may go on for ever
  while (true) {
    common_v1::PullFactsRequest request;
    request.set_county_code(county);
    request.set_after_seq(position);
    request.set_max_facts(kBatch);
    common_v1::PullFactsResponse response;
    // On our own account: what is counted does not depend on who asks.
    FADU_RETURN_IF_ERROR(peers_.Call(deadline, service, kPullFacts, request, &response));
    if (target < 0) target = response.head_seq();
    if (response.head_seq() < position) return Gap(position, response.head_seq());
    if (response.facts().empty()) {
      if (response.head_seq() > position) return Gap(position + 1, response.head_seq());
      gauges_.at(service).Taken(county, position, position);
      return absl::OkStatus();
    }
    const std::vector<common_v1::Fact> facts(response.facts().begin(), response.facts().end());
    FADU_ASSIGN_OR_RETURN(const int64_t taken, store_.TakeFacts(county, service, facts, deadline));
    if (taken <= position) return Gap(position + 1, facts[0].seq());
    position = taken;
    gauges_.at(service).Taken(county, position, response.head_seq());
    if (position >= target) return absl::OkStatus();
    if (absl::Now() >= deadline) {
      return Fail(absl::StatusCode::kDeadlineExceeded, common_v1::REASON_DEADLINE_EXCEEDED,
                  "the feed is longer than the time given");
    }
  }
}

void FeedConsumer::Start(absl::Duration interval) {
  if (!thread_.joinable()) thread_ = std::thread([this, interval] { Loop(interval); });
}

void FeedConsumer::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

bool FeedConsumer::stopping() {
  absl::MutexLock lock(&mutex_);
  return stop_;
}

void FeedConsumer::Loop(absl::Duration interval) {
  while (true) {
    Round();
    absl::MutexLock lock(&mutex_);
    if (mutex_.AwaitWithTimeout(absl::Condition(&stop_), interval)) return;
  }
}

void FeedConsumer::Round() {
  const absl::StatusOr<std::vector<std::string>> counties =
      store_.KnownCounties(absl::Now() + kBackgroundPatience);
  if (!counties.ok()) return Report("", counties.status());
  Report("", absl::OkStatus());
  std::set<std::string> behind;
  for (const std::string& county : *counties) {
    absl::Status failure;
    for (const std::string& service : Services()) {
      if (stopping()) return;
      // One service that does not answer holds up no other.
      const absl::Status synced = SyncFeed(county, service, absl::Now() + kBackgroundPatience);
      if (!synced.ok()) behind.insert(service);
      if (failure.ok()) failure = WithMetadata(synced, "service", service);
    }
    Report(county, failure);
  }
  for (const std::string& service : Services()) {
    if (behind.count(service) == 0) gauges_.at(service).AllTaken(absl::Now());
  }
}

void FeedConsumer::Report(const std::string& county, const absl::Status& status) {
  if (status.ok()) {
    if (failing_.erase(county) > 0)
      Log(LogLevel::kInfo, "feeds are taken again", {{"county", county}});
    return;
  }
  if (!failing_.insert(county).second) return;
  const ErrorDetail detail = DetailOf(status);
  const auto service = detail.metadata.find("service");
  Log(LogLevel::kWarning, "a feed cannot be taken",
      {{"county", county},
       {"service", service == detail.metadata.end() ? "" : service->second},
       {"reason", detail.reason},
       {"error", absl::string_view(status.message())}});
}

}  // namespace fadu::scoring
