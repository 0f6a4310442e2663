// common/host/database_probe.h
//
// Does the database answer? Asked all the time, so that a scrape never waits for it.
#ifndef FADU_COMMON_HOST_DATABASE_PROBE_H_
#define FADU_COMMON_HOST_DATABASE_PROBE_H_

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "common/db/pool.h"
#include "common/rpc/metrics.h"

namespace fadu::host {

// Gauge fadu_db_up{service}: 1 while the service's database answers within two seconds, else 0. A
// pool without a free connection says nothing about the database, and the gauge stays as it is.
class DatabaseProbe {
 public:
  explicit DatabaseProbe(rpc::Metrics& metrics) : metrics_(metrics) {}
  ~DatabaseProbe() { Stop(); }
  DatabaseProbe(const DatabaseProbe&) = delete;
  DatabaseProbe& operator=(const DatabaseProbe&) = delete;

  // Before Start. `pool` outlives the probe; it answered a moment ago.
  void Watch(absl::string_view service, db::Pool& pool);
  // Asks once. Not while started.
  void Round();
  // Asks now and each `interval` after a round, until Stop.
  void Start(absl::Duration interval);
  // Waits for the round that runs. Once or never started: OK.
  void Stop();

 private:
  struct Watched {
    db::Pool* pool;
    std::shared_ptr<std::atomic<int>> up;  // shared with the gauge
  };

  rpc::Metrics& metrics_;
  std::map<std::string, Watched> watched_;
  absl::Notification stopping_;
  std::thread thread_;
};

}  // namespace fadu::host

#endif  // FADU_COMMON_HOST_DATABASE_PROBE_H_
