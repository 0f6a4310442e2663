#include "common/testing/test_database.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <libpq-fe.h>

#include "absl/strings/str_cat.h"
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

TestCluster::TestCluster() {
  if (const char* dsn = std::getenv("FADU_TEST_DSN"); dsn != nullptr) {
    admin_dsn_ = dsn;
    return;
  }
  folder_ = std::make_unique<TempFolder>();
  auto started = db::PrivateCluster::Start({folder_->path(), /*durable=*/false, true});
  if (!started.ok()) Die(started.status().message());
  cluster_ = *std::move(started);
  admin_dsn_ = cluster_->admin_dsn();
}

std::string TestCluster::CreateDatabase() { return CreateDatabaseFrom("template1"); }

std::string TestCluster::CreateDatabaseFrom(absl::string_view template_database) {
  const std::string name = absl::StrCat("fadu_test_", getpid(), "_", ++count_);
  Exec(admin_dsn_, absl::StrCat("CREATE DATABASE ", name, " TEMPLATE ", template_database));
  return db::WithDsn(admin_dsn_, "dbname", name);
}

}  // namespace fadu::testing
