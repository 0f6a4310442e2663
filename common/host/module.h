// common/host/module.h
//
// A service as a value: what it needs from its host and what it gives. The one program hosts any
// set of modules; the tests host the same ones.
#ifndef FADU_COMMON_HOST_MODULE_H_
#define FADU_COMMON_HOST_MODULE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/db/group_writer.h"
#include "common/db/migrate.h"
#include "common/db/pool.h"
#include "common/rpc/channel.h"
#include "common/rpc/metrics.h"
#include "common/rpc/service.h"

namespace fadu::host {

// What a module gets. Everything outlives it.
struct ModuleContext {
  std::string dsn;  // as the service's own role
  db::Pool& pool;   // the same, pooled
  const Clock& clock;
  IdSource& ids;
  rpc::Peers& peers;  // the peers the module named, and no others
  rpc::Metrics& metrics;
  std::string keys_folder;  // the service's credentials; see records/sealer.h and rpc/identity.h
  // Between two readings of what is counted for monitoring.
  absl::Duration monitor_interval = absl::Seconds(60);
  // For fault tests only: of db::GroupWriter (ADR 0023). The program leaves it empty.
  db::FaultPoint fault = nullptr;
};

// A module that runs.
class RunningModule {
 public:
  virtual ~RunningModule() = default;
  // Its gRPC services; valid as long as the module. None: it gets no gRPC server.
  virtual std::vector<const rpc::Service*> services() const = 0;
  // The port on which it serves HTTP; 0 when it does not.
  virtual int http_port() const { return 0; }
  // Starts background work (feed consumers, forwarders). Called once the servers of all peers in
  // this process run.
  virtual void StartBackground() {}
  // Stops it and waits.
  virtual void StopBackground() {}
};

struct Module {
  std::string name;                // "mediation"
  std::vector<std::string> peers;  // services it calls
  // Its schema; the host fills in the role's password. None: it keeps nothing, and its pool
  // refuses.
  std::function<absl::StatusOr<db::ServiceSchema>()> schema;
  // Work of the administrator after the schema's own steps: record tables from descriptors.
  std::function<absl::Status(const std::string& admin_dsn)> after_migrate;
  std::function<absl::StatusOr<std::unique_ptr<RunningModule>>(const ModuleContext&)> start;
};

}  // namespace fadu::host

#endif  // FADU_COMMON_HOST_MODULE_H_
