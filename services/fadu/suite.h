// services/fadu/suite.h
//
// The whole suite on one data folder: private database, keys, services, metrics. One at a time: the
// folder is locked, and who comes second finds the first one's ports.
#ifndef FADU_SERVICES_FADU_SUITE_H_
#define FADU_SERVICES_FADU_SUITE_H_

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "common/base/id.h"
#include "common/db/private_cluster.h"
#include "common/host/host.h"
#include "fadu/config/v1/config.pb.h"

namespace fadu::cli {

// Blocks SIGINT and SIGTERM in this thread and all it starts; call before any thread.
void BlockStopSignals();
// Waits for one of them.
void WaitForStopSignal();

// Reads a configuration file strictly; the path may be empty. INVALID_ARGUMENT names the key.
absl::StatusOr<fadu::config::v1::Config> ReadConfig(const std::string& path);

// A lock on a data folder, held by the process that serves it.
class FolderLock {
 public:
  // Null when another process holds it. FAILED_PRECONDITION when the folder cannot be used.
  static absl::StatusOr<std::unique_ptr<FolderLock>> Try(const std::string& folder);
  ~FolderLock();

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_;
};

class Suite {
 public:
  // Starts the services named (empty: all) on the folder of `config`. FAILED_PRECONDITION in one
  // sentence when it cannot; ALREADY_EXISTS when another process serves the folder and the private
  // database is asked for.
  static absl::StatusOr<std::unique_ptr<Suite>> Start(const fadu::config::v1::Config& config,
                                                      const std::vector<std::string>& services);
  ~Suite();

  host::Host& host() { return *host_; }
  const std::string& folder() const { return folder_; }
  // The administrator's DSN of the private database; empty with a database of one's own.
  std::string admin_dsn() const;

 private:
  Suite() = default;
  absl::Status WriteEndpoints() const;
  // Starts the private database again when it has died under us.
  void WatchDatabase();

  std::string folder_;
  std::unique_ptr<FolderLock> lock_;
  std::unique_ptr<IdSource> ids_;
  std::unique_ptr<db::PrivateCluster> cluster_;
  std::unique_ptr<host::Host> host_;
  std::thread watchdog_;
  absl::Notification stopping_;
};

// Where the services of a folder that is being served answer: service → host:port. NOT_FOUND when
// there is no such file.
absl::StatusOr<std::map<std::string, std::string>> ReadEndpoints(const std::string& file);
std::string EndpointsFile(const std::string& folder);

}  // namespace fadu::cli

#endif  // FADU_SERVICES_FADU_SUITE_H_
