#include "common/host/database_probe.h"

#include "absl/time/clock.h"
#include "common/base/log.h"

namespace fadu::host {
namespace {

constexpr db::Statement kProbe{"probe", "SELECT 1"};
constexpr absl::Duration kPatience = absl::Seconds(2);

}  // namespace

void DatabaseProbe::Watch(absl::string_view service, db::Pool& pool) {
  auto up = std::make_shared<std::atomic<int>>(1);
  metrics_.Gauge("fadu_db_up", "Whether the service's database answers.",
                 {{"service", std::string(service)}}, [up] { return up->load(); });
  watched_[std::string(service)] = {&pool, std::move(up)};
}

void DatabaseProbe::Start(absl::Duration interval) {
  thread_ = std::thread([this, interval] {
    do {
      Round();
    } while (!stopping_.WaitForNotificationWithTimeout(interval));
  });
}

void DatabaseProbe::Stop() {
  if (!thread_.joinable()) return;
  stopping_.Notify();
  thread_.join();
}

void DatabaseProbe::Round() {
  for (auto& [service, watched] : watched_) {
    if (stopping_.HasBeenNotified()) return;
    const absl::Status answered = watched.pool->Read(
        db::Scope{}, absl::Now() + kPatience,
        [](db::Transaction& transaction) { return transaction.Run(kProbe).status(); });
    if (answered.code() == absl::StatusCode::kResourceExhausted) continue;
    const int up = answered.ok() ? 1 : 0;
    if (watched.up->exchange(up) == up) continue;
    Log(up == 1 ? LogLevel::kInfo : LogLevel::kError,
        up == 1 ? "the database answers again" : "the database does not answer",
        {{"service", service}});
  }
}

}  // namespace fadu::host
