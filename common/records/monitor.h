// common/records/monitor.h
//
// What a service's records look like from outside, for whoever scrapes: how many wait for review
// and since when, which deadlines were missed, whether the audit chains hold. Read all the time in
// the background, so that a scrape never waits for the database.
#ifndef FADU_COMMON_RECORDS_MONITOR_H_
#define FADU_COMMON_RECORDS_MONITOR_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/db/pool.h"
#include "common/records/chain.h"
#include "common/records/sealer.h"
#include "common/rpc/metrics.h"
#include "common/schema/record_type.h"

namespace fadu::records {

struct MonitorOptions {
  std::string service;                 // "mediation"
  const RecordTypes* types = nullptr;  // outlives the monitor
  // Between two rounds, and at least twenty times what counting took: it never uses more than a
  // twentieth of one connection. Chains get another twentieth.
  absl::Duration interval = absl::Seconds(60);
  // How often a chain is checked again from its first event; new events are checked each round.
  absl::Duration whole_check = absl::Hours(24);
  int64_t chain_step = 5000;  // events of a chain that are read without looking at the time
};

// Gauges, over all counties together:
//   fadu_records{service, collection, review_state}            records that are not deleted
//   fadu_backlog_oldest_timestamp_seconds{… review_state}      when the one that waits longest came
//                                     into DRAFT, SUBMITTED or RETURNED; 0: none waits
//   fadu_deadlines_missed{service, collection, deadline}       open records past their deadline
//   fadu_audit_broken{service}                                 counties whose chain does not verify
//   fadu_audit_verified_timestamp_seconds{service}             of the county longest not verified
//                                     from its first event to its last; 0: never
//   fadu_monitor_last_success_timestamp_seconds{service}       the last complete round; 0: none
class Monitor {
 public:
  // Everything outlives it. `clock` says what day it is.
  Monitor(MonitorOptions options, db::Pool& pool, const Sealer& sealer, const Clock& clock,
          rpc::Metrics& metrics);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  // One round: count, then check chains as far as the time for them goes. The first failure of the
  // database ends it and comes back; a broken chain is no failure of the round. Not while started.
  absl::Status Round();

  // Rounds, now and after each interval, until Stop. Again: nothing.
  void Start();
  // Waits for the statement that runs. Any number of times.
  void Stop();

 private:
  struct State;
  struct Figures;
  // The chain of one county.
  struct Chain {
    ChainPlace place;
    bool passing = true;                      // a pass that began at the first event has not ended
    absl::Time whole_at = absl::UnixEpoch();  // when the last such pass ended well
    bool broken = false;
  };

  void Loop();
  absl::Status Count(const std::string& county, Figures& figures);
  absl::Status CheckChains();
  // Goes on with one chain until its end, a break, or `until`.
  absl::Status CheckOne(const std::string& county, Chain& chain, absl::Time until);

  const MonitorOptions options_;
  db::Pool& pool_;
  const Sealer& sealer_;
  const Clock& clock_;
  std::shared_ptr<State> state_;  // shared with the gauges, which live as long as the metrics
  std::map<std::string, Chain> chains_;  // by county
  std::string turn_;                     // the county where the next round goes on
  bool failing_ = false;
  absl::Notification stopping_;
  std::thread thread_;
};

}  // namespace fadu::records

#endif  // FADU_COMMON_RECORDS_MONITOR_H_
