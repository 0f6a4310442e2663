// common/db/private_cluster.h
//
// A PostgreSQL cluster of our own in a data folder: unix socket only, checksums on, ICU zh-Hans.
// The default of `fadu up` and of the tests.
#ifndef FADU_COMMON_DB_PRIVATE_CLUSTER_H_
#define FADU_COMMON_DB_PRIVATE_CLUSTER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fadu::db {

struct PrivateClusterOptions {
  std::string folder;         // made when missing; holds pg/ (data) and run/ (socket)
  bool durable = true;        // false: fsync off, for tests only
  bool stop_on_close = true;  // the destructor stops the server
};

// A running cluster with database `fadu` and superuser `fadu_admin`.
class PrivateCluster {
 public:
  // Starts the cluster, making it first when the folder has none (what was interrupted while making
  // is made anew; a folder pg/ that is there is never deleted). A live postmaster of the same
  // folder is adopted (and stopped on close), a stale pid file cleared. As root the server runs as
  // the owner of an existing pg/, else as system user `fadu`, else `postgres`, who must be able to
  // traverse the folder.
  //
  // FAILED_PRECONDITION in one sentence that says what to do: no PostgreSQL 15 on the machine
  // (apt-get install postgresql-15), folder not traversable, socket path over 107 bytes, no system
  // user, less than 256 MB free for a new cluster, another program starting the same folder.
  static absl::StatusOr<std::unique_ptr<PrivateCluster>> Start(PrivateClusterOptions options);
  ~PrivateCluster();

  // libpq key/value DSN of the administrator for database `fadu`.
  const std::string& admin_dsn() const { return admin_dsn_; }
  // Pid of the postmaster.
  int postmaster_pid() const;
  // Whether it runs: the process of that pid works in the folder. One that died and was not reaped,
  // or another that was given its pid since, does not.
  bool alive() const;
  absl::Status Stop();

 private:
  PrivateCluster() = default;
  PrivateClusterOptions options_;
  std::string admin_dsn_;
  bool running_ = false;
};

// Runs a program without a shell and waits; `as_user` (when root and not empty) switches user and
// drops supplementary groups, with a clean environment. Returns standard output; on a non-zero
// exit the failure's message holds the last line of standard error.
absl::StatusOr<std::string> RunProgram(const std::vector<std::string>& argv,
                                       absl::string_view as_user = "");

}  // namespace fadu::db

#endif  // FADU_COMMON_DB_PRIVATE_CLUSTER_H_
