// common/host/host.h
//
// Runs any set of modules in one process: keys, schemas, pools, servers, peers, metrics, drain. The
// same modules run all in one process or each in its own; only the configuration differs.
#ifndef FADU_COMMON_HOST_HOST_H_
#define FADU_COMMON_HOST_HOST_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/host/database_probe.h"
#include "common/host/module.h"
#include "common/rpc/channel.h"
#include "common/rpc/server.h"

namespace fadu::host {

struct HostOptions {
  std::vector<Module> modules;        // those to run here
  std::vector<std::string> services;  // every service there is, for keys
  std::string admin_dsn;              // may create roles and schemas; empty: do not migrate
  std::string dsn;                    // base of the services' DSNs; user and password are added
  std::string keys_folder;            // identities, role passwords, root keys
  std::map<std::string, std::string> listen;  // by service; missing: 127.0.0.1:0
  std::map<std::string, std::string> peers;   // host:port of services that run elsewhere
  std::string metrics_listen = "127.0.0.1:0";
  bool reflection = false;
  rpc::ServerLimits limits;
  int pool_connections = 8;
  absl::Duration drain = absl::Seconds(10);
  absl::Duration monitor_interval = absl::Seconds(60);  // of ModuleContext
};

// Running modules.
class Host {
 public:
  // Makes missing keys, migrates (with an admin DSN) or checks the schemas, starts every module and
  // server, then the background work. FAILED_PRECONDITION in one sentence otherwise.
  static absl::StatusOr<std::unique_ptr<Host>> Start(HostOptions options, const Clock& clock,
                                                     IdSource& ids);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // Ports by service, and "metrics".
  const std::map<std::string, int>& ports() const { return ports_; }
  // The way to a service that runs here; null when it does not.
  std::shared_ptr<rpc::Channel> channel(absl::string_view service) const;
  // The module that runs here, for tests; null when it does not.
  RunningModule* module(absl::string_view service) const;
  // Stops background work, drains the servers and stops everything. Once.
  void Stop();

 private:
  struct Running;
  Host() = default;
  absl::Status StartModules(const Clock& clock, IdSource& ids);

  HostOptions options_;
  std::unique_ptr<rpc::Metrics> metrics_;
  std::unique_ptr<DatabaseProbe> probe_;
  std::unique_ptr<rpc::Verifier> verifier_;
  std::vector<std::unique_ptr<Running>> running_;
  std::map<std::string, int> ports_;
  bool stopped_ = false;
};

// Makes every service's key pair and database password under `folder` where they are missing. The
// folder is made with mode 0700.
absl::Status EnsureKeys(absl::string_view folder, const std::vector<std::string>& services);

// Brings the schemas of `modules` up to date as `admin_dsn`. Returns how many steps were applied.
absl::StatusOr<int> MigrateModules(const std::vector<Module>& modules, absl::string_view admin_dsn,
                                   absl::string_view keys_folder, const Clock& clock);

}  // namespace fadu::host

#endif  // FADU_COMMON_HOST_HOST_H_
