#include "common/testing/test_database.h"

#include <libpq-fe.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/digest.h"
#include "common/base/id.h"
#include "common/db/migrate.h"

namespace fadu::testing {
namespace {

[[noreturn]] void Die(absl::string_view why) {
  std::fprintf(stderr, "test database: %s\n", std::string(why).c_str());
  std::abort();
}

void Exec(const std::string& dsn, const std::string& sql) {
  PGconn* connection = PQconnectdb(dsn.c_str());
  PGresult* result = PQexec(connection, sql.c_str());
  const bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
  const std::string why = PQerrorMessage(connection);
  PQclear(result);
  PQfinish(connection);
  if (!done) Die(absl::StrCat(sql, ": ", why));
}

}  // namespace

TempFolder::TempFolder() {
  char path[] = "/tmp/fadu-test-XXXXXX";
  if (mkdtemp(path) == nullptr || chmod(path, 0755) != 0) Die("cannot make a temporary folder");
  path_ = path;
}

TempFolder::~TempFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

TestCluster& TestCluster::Get() {
  // Destroyed at exit, so that the server is stopped and its folder removed.
  static TestCluster cluster;
  return cluster;
}

TestCluster::TestCluster() : owner_(getpid()) {
  if (const char* dsn = std::getenv("FADU_TEST_DSN"); dsn != nullptr) {
    admin_dsn_ = dsn;
    // Connecting sets OpenSSL up. Done before this object is made, OpenSSL is taken down after it,
    // and the destructor can still log in to drop the databases.
    Exec(admin_dsn_, "SET search_path TO DEFAULT");
    return;
  }
  folder_ = std::make_unique<TempFolder>();
  auto started = db::PrivateCluster::Start({folder_->path(), /*durable=*/false, true});
  if (!started.ok()) Die(started.status().message());
  cluster_ = *std::move(started);
  admin_dsn_ = cluster_->admin_dsn();
}

TestCluster::~TestCluster() {
  // A forked child (a death test) that exits must not stop the server of its parent.
  if (getpid() != owner_) {
    (void)cluster_.release();
    (void)folder_.release();
    return;
  }
  if (cluster_ != nullptr) return;
  for (const std::string& name : databases_) {
    Exec(admin_dsn_, absl::StrCat("DROP DATABASE IF EXISTS ", name, " WITH (FORCE)"));
  }
}

std::string TestCluster::CreateDatabase() { return CreateDatabaseFrom("template1"); }

std::string TestCluster::CreateDatabaseFrom(absl::string_view template_database) {
  // Random, because FADU_TEST_DSN's server may serve other machines with equal pids.
  const std::string name = absl::StrCat("fadu_test_", Hex(RandomBytes(8)));
  Exec(admin_dsn_, absl::StrCat("CREATE DATABASE ", name, " TEMPLATE ", template_database));
  databases_.push_back(name);
  return db::WithDsn(admin_dsn_, "dbname", name);
}

}  // namespace fadu::testing
