// common/testing/test_database.h
//
// Real databases for tests: one throw-away cluster per test program, a database for each suite.
// With FADU_TEST_DSN (key/value form, an administrator) in the environment that server is used
// instead, and the databases are dropped at exit (S-26).
#ifndef FADU_COMMON_TESTING_TEST_DATABASE_H_
#define FADU_COMMON_TESTING_TEST_DATABASE_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/db/private_cluster.h"

namespace fadu::testing {

// A folder under /tmp that other users may enter, removed with this object.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class TestCluster {
 public:
  // Started on first use, stopped at exit. Aborts with a message when it cannot start.
  static TestCluster& Get();
  // A fresh empty database; its administrator's DSN.
  std::string CreateDatabase();
  // The same, copied from the database of that name, which nobody may be connected to.
  std::string CreateDatabaseFrom(absl::string_view template_database);

 private:
  TestCluster();
  ~TestCluster();
  const pid_t owner_;
  std::unique_ptr<TempFolder> folder_;
  std::unique_ptr<db::PrivateCluster> cluster_;
  std::string admin_dsn_;
  std::vector<std::string> databases_;
};

}  // namespace fadu::testing

#endif  // FADU_COMMON_TESTING_TEST_DATABASE_H_
