#include "common/db/private_cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/db/migrate.h"
#include "common/db/pool.h"
#include "common/schema/reason.h"
#include "common/testing/status_matchers.h"
#include "common/testing/test_database.h"

namespace fadu::db {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

std::string TextOf(const fs::path& path) {
  std::ifstream in(path);
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

class PrivateClusterTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<PrivateCluster>> Start(bool stop_on_close = true) {
    return PrivateCluster::Start({Folder(), /*durable=*/false, stop_on_close});
  }
  std::string Folder() const { return absl::StrCat(folder_.path(), "/data"); }
  fs::path Path(const std::string& name) const { return fs::path(Folder()) / name; }

  static absl::StatusOr<std::string> Ask(const std::string& dsn, const std::string& sql) {
    Pool pool({dsn, 1, "test"});
    std::string text;
    FADU_RETURN_IF_ERROR(pool.InTransaction(
        {}, absl::Now() + absl::Seconds(20), [&](Transaction& transaction) -> absl::Status {
          FADU_ASSIGN_OR_RETURN(const Rows rows, transaction.Run({"ask", sql}));
          text = rows.empty() ? "" : rows[0].Text(0);
          return absl::OkStatus();
        }));
    return text;
  }

  static bool IsGone(int pid) {
    const absl::Time give_up = absl::Now() + absl::Seconds(20);
    std::error_code error;
    // A zombie has no executable any more.
    while (!fs::read_symlink(absl::StrCat("/proc/", pid, "/exe"), error).empty()) {
      if (absl::Now() > give_up) return false;
      absl::SleepFor(absl::Milliseconds(5));
    }
    return true;
  }

  testing::TempFolder folder_;
};

TEST_F(PrivateClusterTest, MakesAClusterThatSortsChineseAndChecksItsPages) {
  const auto cluster = Start();
  ASSERT_THAT(cluster, IsOk());
  const std::string& dsn = (*cluster)->admin_dsn();
  EXPECT_THAT(Ask(dsn, "SELECT current_database() || ' ' || current_user"),
              IsOkAndHolds("fadu fadu_admin"));
  // By pinyin: An, Bei, Chong. By code point it would be 北 (U+5317), 安 (U+5B89), 重 (U+91CD).
  EXPECT_THAT(Ask(dsn,
                  "SELECT string_agg(t, ' ' ORDER BY t) FROM unnest("
                  "ARRAY['重庆', '北京', '安徽']) AS t"),
              IsOkAndHolds("安徽 北京 重庆"));
  EXPECT_THAT(Ask(dsn, "SHOW data_checksums"), IsOkAndHolds("on"));
  EXPECT_THAT(Ask(dsn, "SHOW listen_addresses"), IsOkAndHolds(""));
  EXPECT_THAT(Ask(dsn, "SHOW max_connections"), IsOkAndHolds("200"));
  EXPECT_THAT(Ask(dsn, "SHOW shared_buffers"), IsOkAndHolds("128MB"));
  EXPECT_THAT(Ask(dsn, "SHOW fsync"), IsOkAndHolds("off"));
}

TEST_F(PrivateClusterTest, ADurableClusterSyncs) {
  const auto cluster = PrivateCluster::Start({Folder(), /*durable=*/true, true});
  ASSERT_THAT(cluster, IsOk());
  EXPECT_THAT(Ask((*cluster)->admin_dsn(),
                  "SELECT current_setting('fsync') || current_setting('synchronous_commit') || "
                  "current_setting('full_page_writes')"),
              IsOkAndHolds("ononon"));
}

TEST_F(PrivateClusterTest, ThePasswordIsAskedForAndKeptForItsOwnerOnly) {
  const auto cluster = Start();
  ASSERT_THAT(cluster, IsOk());
  EXPECT_THAT(Ask(WithDsn((*cluster)->admin_dsn(), "password", "wrong"), "SELECT 'in'"),
              StatusIs(absl::StatusCode::kUnavailable));
  struct stat info {};
  ASSERT_EQ(stat(Path("keys/admin.password").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0400u);
  EXPECT_EQ(info.st_uid, geteuid());
  ASSERT_EQ(stat(Path("keys").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700u);
  EXPECT_FALSE(fs::exists(Path("run/initial.password")));
}

TEST_F(PrivateClusterTest, AsRootTheServerIsAnotherUserWhoOwnsOnlyDataAndSocket) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const auto cluster = Start();
  ASSERT_THAT(cluster, IsOk());
  struct stat info {};
  ASSERT_EQ(stat(absl::StrCat("/proc/", (*cluster)->postmaster_pid()).c_str(), &info), 0);
  const uid_t server = info.st_uid;
  EXPECT_NE(server, 0u);
  EXPECT_THAT(TextOf(absl::StrCat("/proc/", (*cluster)->postmaster_pid(), "/status")),
              HasSubstr("Groups:\t \n"));
  for (const char* name : {"pg", "run", "run/postgres.log"}) {
    ASSERT_EQ(stat(Path(name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_uid, server) << name;
  }
  for (const char* name : {".", "keys"}) {
    ASSERT_EQ(stat(Path(name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_uid, 0u) << name;
  }
}

TEST_F(PrivateClusterTest, ClosingStopsTheServerAndTheNextStartFindsTheData) {
  auto cluster = Start();
  ASSERT_THAT(cluster, IsOk());
  const int pid = (*cluster)->postmaster_pid();
  ASSERT_THAT(Ask((*cluster)->admin_dsn(), "CREATE TABLE kept (id bigint)"), IsOk());
  cluster->reset();
  EXPECT_TRUE(IsGone(pid));
  cluster = Start();
  ASSERT_THAT(cluster, IsOk());
  EXPECT_NE((*cluster)->postmaster_pid(), pid);
  EXPECT_THAT(Ask((*cluster)->admin_dsn(), "SELECT count(*)::text FROM kept"), IsOkAndHolds("0"));
}

TEST_F(PrivateClusterTest, StopMayBeCalledTwice) {
  const auto cluster = Start();
  ASSERT_THAT(cluster, IsOk());
  EXPECT_THAT((*cluster)->Stop(), IsOk());
  EXPECT_THAT((*cluster)->Stop(), IsOk());
}

// A launcher that is killed cannot stop its server.
TEST_F(PrivateClusterTest, AServerLeftByAKilledLauncherIsAdoptedAndStopped) {
  const pid_t launcher = fork();
  if (launcher == 0) {
    auto cluster = Start();
    kill(getpid(), SIGKILL);
  }
  int state = 0;
  ASSERT_EQ(waitpid(launcher, &state, 0), launcher);
  ASSERT_TRUE(WIFSIGNALED(state));
  const std::string pid_text = TextOf(Path("pg/postmaster.pid"));
  ASSERT_THAT(pid_text, Not(""));
  auto cluster = Start();
  ASSERT_THAT(cluster, IsOk());
  const int pid = (*cluster)->postmaster_pid();
  EXPECT_EQ(pid, std::stoi(pid_text));
  EXPECT_THAT(Ask((*cluster)->admin_dsn(), "SELECT 'in'"), IsOkAndHolds("in"));
  cluster->reset();
  EXPECT_TRUE(IsGone(pid));
}

TEST_F(PrivateClusterTest, AKilledServersPidFileIsClearedAndItsDataRecovered) {
  // Durable: else what was committed in the last moments may be gone.
  auto cluster = PrivateCluster::Start({Folder(), /*durable=*/true, true});
  ASSERT_THAT(cluster, IsOk());
  ASSERT_THAT(Ask((*cluster)->admin_dsn(), "CREATE TABLE kept (id bigint)"), IsOk());
  const int pid = (*cluster)->postmaster_pid();
  ASSERT_EQ(kill(pid, SIGKILL), 0);
  ASSERT_TRUE(IsGone(pid));
  ASSERT_TRUE(fs::exists(Path("pg/postmaster.pid")));
  auto next = Start();
  ASSERT_THAT(next, IsOk());
  EXPECT_NE((*next)->postmaster_pid(), pid);
  EXPECT_THAT(Ask((*next)->admin_dsn(), "SELECT count(*)::text FROM kept"), IsOkAndHolds("0"));
}

TEST_F(PrivateClusterTest, ItIsNotAliveWhenItsServerWasKilledOrAnotherProcessHasItsPid) {
  const auto cluster = Start();
  ASSERT_THAT(cluster, IsOk());
  EXPECT_TRUE((*cluster)->alive());
  const int pid = (*cluster)->postmaster_pid();
  ASSERT_EQ(kill(pid, SIGKILL), 0);
  ASSERT_TRUE(IsGone(pid));
  EXPECT_FALSE((*cluster)->alive());
  std::ofstream(Path("pg/postmaster.pid")) << getpid() << "\n";
  EXPECT_FALSE((*cluster)->alive());
  // For the next start to clear.
  std::ofstream(Path("pg/postmaster.pid")) << pid << "\n";
}

// After a reboot the pid may be anybody's: here it is the server of another folder.
TEST_F(PrivateClusterTest, APidFileThatNamesAnotherClustersServerIsStale) {
  auto cluster = Start();
  ASSERT_THAT(cluster, IsOk());
  ASSERT_THAT((*cluster)->Stop(), IsOk());
  testing::TempFolder other_folder;
  const auto other = PrivateCluster::Start({other_folder.path(), /*durable=*/false, true});
  ASSERT_THAT(other, IsOk());
  fs::copy_file(fs::path(other_folder.path()) / "pg/postmaster.pid", Path("pg/postmaster.pid"));
  const int other_pid = (*other)->postmaster_pid();

  auto next = Start();
  ASSERT_THAT(next, IsOk());
  EXPECT_NE((*next)->postmaster_pid(), other_pid);
  next->reset();
  EXPECT_THAT(Ask((*other)->admin_dsn(), "SELECT 'still in'"), IsOkAndHolds("still in"));
}

TEST_F(PrivateClusterTest, AnInterruptedMakingBeginsAnew) {
  fs::create_directories(Path("pg.making/base"));
  std::ofstream(Path("pg.making/PG_VERSION")) << "15\n";
  const auto cluster = Start();
  ASSERT_THAT(cluster, IsOk());
  EXPECT_FALSE(fs::exists(Path("pg.making")));
  EXPECT_THAT(Ask((*cluster)->admin_dsn(), "SELECT 'in'"), IsOkAndHolds("in"));
}

// Cut off after initdb, before the database fadu was there.
TEST_F(PrivateClusterTest, AMissingDatabaseIsMade) {
  auto cluster = Start();
  ASSERT_THAT(cluster, IsOk());
  Pool pool({WithDsn((*cluster)->admin_dsn(), "dbname", "postgres"), 1, "test"});
  // Not inside a transaction block: end ours first.
  ASSERT_THAT(
      pool.InTransaction({}, absl::Now() + absl::Seconds(20),
                         [](Transaction& transaction) -> absl::Status {
                           FADU_RETURN_IF_ERROR(transaction.Execute({"end", "ROLLBACK"}).status());
                           return transaction.Execute({"drop", "DROP DATABASE fadu"}).status();
                         }),
      IsOk());
  ASSERT_THAT((*cluster)->Stop(), IsOk());
  cluster = Start();
  ASSERT_THAT(cluster, IsOk());
  EXPECT_THAT(Ask((*cluster)->admin_dsn(), "SELECT 'in'"), IsOkAndHolds("in"));
}

TEST_F(PrivateClusterTest, AFolderThatLostItsDatabaseIsNotOverwritten) {
  fs::create_directories(Path("pg/base"));
  const auto cluster = Start();
  EXPECT_THAT(cluster, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(cluster.status().message()), HasSubstr("PG_VERSION"));
  EXPECT_TRUE(fs::exists(Path("pg/base")));
}

TEST_F(PrivateClusterTest, APathTooLongForASocketIsRefusedBeforeAnythingIsMade) {
  // "/run/.s.PGSQL.5432" is 18 bytes, so a folder of 89 is the longest: 107 in all.
  const std::string longest =
      absl::StrCat(folder_.path(), "/", std::string(89 - folder_.path().size() - 1, 'x'));
  const auto refused = PrivateCluster::Start({longest + "x", /*durable=*/false, true});
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr(longest + "x"));
  EXPECT_FALSE(fs::exists(longest + "x"));
  EXPECT_THAT(PrivateCluster::Start({longest, /*durable=*/false, true}), IsOk());
}

TEST_F(PrivateClusterTest, AFolderTheServerCannotEnterIsNamedBeforeAnythingIsMade) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  ASSERT_EQ(chmod(folder_.path().c_str(), 0700), 0);
  const auto cluster = Start();
  EXPECT_THAT(cluster, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(cluster.status().message()),
              HasSubstr(absl::StrCat("cannot enter the folder ", folder_.path(), ";")));
  EXPECT_THAT(cluster, HasReason("REASON_FOLDER_CLOSED"));
  // Whoever starts it reads which user and which folder, and what to do.
  EXPECT_EQ(LocalizedText(cluster.status(), "zh"),
            absl::StrCat("系统用户 fadu 无法进入目录 ", folder_.path(),
                         "，请另选数据目录，或运行 chmod o+x ", folder_.path()));
  EXPECT_FALSE(fs::exists(Path("pg")));
}

TEST_F(PrivateClusterTest, ATightUmaskDoesNotLockTheServerOut) {
  const mode_t before = umask(0077);
  const auto cluster = Start();
  umask(before);
  EXPECT_THAT(cluster, IsOk());
}

TEST_F(PrivateClusterTest, AFolderReachedByALinkIsTheSameCluster) {
  const auto cluster = Start(/*stop_on_close=*/false);
  ASSERT_THAT(cluster, IsOk());
  const std::string link = absl::StrCat(folder_.path(), "/link");
  fs::create_symlink(Folder(), link);
  const auto adopted = PrivateCluster::Start({absl::StrCat(link, "/"), /*durable=*/false, true});
  ASSERT_THAT(adopted, IsOk());
  EXPECT_EQ((*adopted)->postmaster_pid(), (*cluster)->postmaster_pid());
}

TEST_F(PrivateClusterTest, AServerThatCannotStartSaysWhyAtOnce) {
  auto cluster = Start();
  ASSERT_THAT(cluster, IsOk());
  ASSERT_THAT((*cluster)->Stop(), IsOk());
  std::ofstream(Path("pg/postgresql.conf"), std::ios::app) << "no_such_setting = on\n";
  const absl::Time begin = absl::Now();
  const auto broken = Start();
  EXPECT_THAT(broken, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(broken.status().message()), HasSubstr("postgresql.conf"));
  EXPECT_LT(absl::Now() - begin, absl::Seconds(20));
}

TEST_F(PrivateClusterTest, TwoStartsAtOnceShareOneServer) {
  const pid_t other = fork();
  if (other == 0) {
    const auto cluster = Start(/*stop_on_close=*/false);
    _exit(cluster.ok() ? 0 : 1);
  }
  const auto mine = Start();
  int state = 0;
  ASSERT_EQ(waitpid(other, &state, 0), other);
  EXPECT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == 0);
  ASSERT_THAT(mine, IsOk());
  EXPECT_THAT(Ask((*mine)->admin_dsn(), "SELECT 'in'"), IsOkAndHolds("in"));
}

// ---- programs ----------------------------------------------------------------------------------

TEST(RunProgram, ReturnsStandardOutputAndPassesArgumentsAsTheyAre) {
  EXPECT_THAT(RunProgram({"/bin/echo", "-n", "a b; $HOME 'c'"}), IsOkAndHolds("a b; $HOME 'c'"));
}

TEST(RunProgram, AFailureHoldsTheLastLineOfStandardError) {
  const auto result = RunProgram({"/bin/sh", "-c", "echo first >&2; echo last >&2; exit 3"});
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("last"));
  EXPECT_THAT(std::string(result.status().message()), Not(HasSubstr("first")));
}

TEST(RunProgram, AProgramThatIsNotThereFails) {
  EXPECT_FALSE(RunProgram({"/nonexistent/program"}).ok());
}

// More than a pipe holds (64 KB) on both ends at once.
TEST(RunProgram, MuchOutputDoesNotStall) {
  const auto result =
      RunProgram({"/bin/sh", "-c", "head -c 200000 /dev/zero >&2; head -c 200000 /dev/zero"});
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->size(), 200000u);
}

TEST(RunProgram, NothingOfOurEnvironmentIsPassedOn) {
  setenv("FADU_SECRET", "hush", 1);
  const auto result = RunProgram({"/usr/bin/env"});
  unsetenv("FADU_SECRET");
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(*result, Not(HasSubstr("FADU_SECRET")));
  EXPECT_THAT(*result, HasSubstr("LC_ALL=C.UTF-8"));
}

TEST(RunProgram, AsRootItBecomesTheUserWithItsOwnGroupOnly) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const struct passwd* user = getpwnam("postgres");
  if (user == nullptr) GTEST_SKIP() << "needs the user postgres";
  EXPECT_THAT(RunProgram({"/usr/bin/id", "-u"}, "postgres"),
              IsOkAndHolds(absl::StrCat(user->pw_uid, "\n")));
  EXPECT_THAT(RunProgram({"/usr/bin/id", "-G"}, "postgres"),
              IsOkAndHolds(absl::StrCat(user->pw_gid, "\n")));
}

TEST(RunProgram, AUserThatIsNotThereIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_THAT(RunProgram({"/bin/true"}, "nobody_of_this_name"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace fadu::db
