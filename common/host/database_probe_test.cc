#include "common/host/database_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/db/private_cluster.h"
#include "common/testing/test_database.h"

namespace fadu::host {
namespace {

bool Shows(const rpc::Metrics& metrics, int up) {
  const std::string line = absl::StrCat("fadu_db_up{service=\"mediation\"} ", up, "\n");
  const absl::Time give_up = absl::Now() + absl::Seconds(30);
  while (!absl::StrContains(metrics.Scrape(), line)) {
    if (absl::Now() > give_up) return false;
    absl::SleepFor(absl::Milliseconds(5));
  }
  return true;
}

TEST(DatabaseProbe, SeesADatabaseGoAndComeBack) {
  testing::TempFolder folder;
  auto cluster = db::PrivateCluster::Start({folder.path(), /*durable=*/false});
  ASSERT_TRUE(cluster.ok()) << cluster.status();
  rpc::Metrics metrics;
  db::Pool pool(db::PoolOptions{(*cluster)->admin_dsn(), 2, "test"});
  DatabaseProbe probe(metrics);
  probe.Watch("mediation", pool);
  EXPECT_TRUE(Shows(metrics, 1));
  probe.Start(absl::Milliseconds(1));
  cluster->reset();
  EXPECT_TRUE(Shows(metrics, 0));
  cluster = db::PrivateCluster::Start({folder.path(), /*durable=*/false});
  ASSERT_TRUE(cluster.ok()) << cluster.status();
  EXPECT_TRUE(Shows(metrics, 1));
  probe.Stop();
}

TEST(DatabaseProbe, APoolWithoutAFreeConnectionIsNoDeadDatabase) {
  rpc::Metrics metrics;
  db::Pool pool(db::PoolOptions{testing::TestCluster::Get().CreateDatabase(), 1, "test"});
  DatabaseProbe probe(metrics);
  probe.Watch("mediation", pool);
  const absl::Status held = pool.Read(db::Scope{}, absl::Now() + absl::Seconds(20),
                                      [&](db::Transaction&) -> absl::Status {
                                        probe.Round();
                                        return absl::OkStatus();
                                      });
  ASSERT_TRUE(held.ok()) << held;
  EXPECT_TRUE(Shows(metrics, 1));
}

}  // namespace
}  // namespace fadu::host
