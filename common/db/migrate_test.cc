#include "common/db/migrate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/status.h"
#include "common/db/pool.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "common/testing/test_database.h"

namespace fadu::db {
namespace {

using ::testing::HasSubstr;

const Migration kFirst{"0001_note",
                       "CREATE TABLE {schema}.note (id bigint NOT NULL, "
                       "CONSTRAINT note_pkey PRIMARY KEY (id)); "
                       "GRANT SELECT, INSERT ON {schema}.note TO {role}"};
const Migration kSecond{"0002_note_text", "ALTER TABLE {schema}.note ADD COLUMN body text"};

ServiceSchema Schema(std::vector<Migration> migrations, const std::string& name = "notes") {
  return ServiceSchema{name, "pass'word\\", std::move(migrations)};
}

class MigrateTest : public ::testing::Test {
 protected:
  absl::StatusOr<int> Apply(const ServiceSchema& schema,
                            absl::Duration within = absl::Seconds(20)) {
    return Migrate(dsn_, schema, clock_, absl::Now() + within);
  }

  std::string ServiceDsn(const std::string& name = "notes") const {
    return WithDsn(WithDsn(dsn_, "user", absl::StrCat("fadu_", name)), "password", "pass'word\\");
  }

  static absl::StatusOr<int64_t> Ask(const std::string& dsn, const std::string& sql,
                                     const Params& params = {}) {
    Pool pool({dsn, 1, "test"});
    int64_t number = -1;
    FADU_RETURN_IF_ERROR(pool.InTransaction(
        {}, absl::Now() + absl::Seconds(20), [&](Transaction& transaction) -> absl::Status {
          FADU_ASSIGN_OR_RETURN(const Rows rows, transaction.Run({"ask", sql}, params));
          number = rows.empty() ? 0 : rows[0].Int(0);
          return absl::OkStatus();
        }));
    return number;
  }

  // As a migrator that holds the lease and is not heard of again.
  void HoldLease(absl::Time expires_at) {
    ASSERT_THAT(Apply(Schema({})), IsOk());
    ASSERT_THAT(Ask(dsn_,
                    "UPDATE fadu_admin.lease SET holder = 'another', expires_at = $1 "
                    "WHERE name = 'notes' RETURNING token",
                    Params().Time(expires_at)),
                IsOk());
  }

  const std::string dsn_ = testing::TestCluster::Get().CreateDatabase();
  FakeClock clock_;
};

TEST_F(MigrateTest, AppliesEachStepOnce) {
  EXPECT_THAT(Apply(Schema({kFirst})), IsOkAndHolds(1));
  EXPECT_THAT(Apply(Schema({kFirst, kSecond})), IsOkAndHolds(1));
  EXPECT_THAT(Apply(Schema({kFirst, kSecond})), IsOkAndHolds(0));
}

TEST_F(MigrateTest, NotesWhenByTheClockItIsGiven) {
  ASSERT_THAT(Apply(Schema({kFirst})), IsOk());
  EXPECT_THAT(Ask(dsn_, "SELECT count(*) FROM notes.migration WHERE applied_at = $1",
                  Params().Time(clock_.Now())),
              IsOkAndHolds(1));
}

TEST_F(MigrateTest, AStepThatFailsLeavesNothingOfItself) {
  const Migration broken{
      "0002_broken", "CREATE TABLE {schema}.half (id bigint); CREATE TABLE {schema}.note (x int)"};
  EXPECT_THAT(Apply(Schema({kFirst, broken})), HasReason("REASON_INTERNAL"));
  EXPECT_THAT(Ask(dsn_, "SELECT count(*) FROM pg_tables WHERE tablename = 'half'"),
              IsOkAndHolds(0));
  EXPECT_THAT(Apply(Schema({kFirst, kSecond})), IsOkAndHolds(1));
}

TEST_F(MigrateTest, RefusesAStepWhoseTextChanged) {
  ASSERT_THAT(Apply(Schema({kFirst})), IsOk());
  const ServiceSchema changed = Schema({{kFirst.name, kFirst.sql + " "}});
  EXPECT_THAT(Apply(changed), HasReason("REASON_INTEGRITY_BROKEN"));
  EXPECT_THAT(CheckMigrated(ServiceDsn(), changed), HasReason("REASON_INTEGRITY_BROKEN"));
}

TEST_F(MigrateTest, RefusesToMigrateASchemaNewerThanTheProgram) {
  ASSERT_THAT(Apply(Schema({kFirst, kSecond})), IsOk());
  const absl::StatusOr<int> applied = Apply(Schema({kFirst}));
  EXPECT_THAT(applied, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(applied, HasReason("REASON_INTEGRITY_BROKEN"));
}

// During an upgrade the old program goes on serving on the schema of the new one.
TEST_F(MigrateTest, AnOlderProgramMayServeOnANewerSchema) {
  ASSERT_THAT(Apply(Schema({kFirst, kSecond})), IsOk());
  EXPECT_THAT(CheckMigrated(ServiceDsn(), Schema({kFirst})), IsOk());
}

TEST_F(MigrateTest, ANewerProgramNamesTheStepThatIsMissing) {
  ASSERT_THAT(Apply(Schema({kFirst})), IsOk());
  const absl::Status status = CheckMigrated(ServiceDsn(), Schema({kFirst, kSecond}));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(status, HasReason("REASON_UNAVAILABLE"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("0002_note_text"));
}

TEST_F(MigrateTest, ADatabaseThatWasNeverMigratedLacksTheFirstStep) {
  // Roles belong to the whole server, so the role may be there before the schema is.
  ASSERT_THAT(Apply(Schema({})), IsOk());
  const std::string empty = testing::TestCluster::Get().CreateDatabase();
  const std::string dsn = WithDsn(WithDsn(empty, "user", "fadu_notes"), "password", "pass'word\\");
  const absl::Status status = CheckMigrated(dsn, Schema({kFirst}));
  EXPECT_THAT(status, HasReason("REASON_UNAVAILABLE"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("0001_note"));
}

// ---- rights ------------------------------------------------------------------------------------

TEST_F(MigrateTest, TheRoleReachesItsOwnSchemaOnly) {
  ASSERT_THAT(Apply(Schema({kFirst})), IsOk());
  ASSERT_THAT(Apply(Schema({kFirst}, "other")), IsOk());
  EXPECT_THAT(Ask(ServiceDsn(), "SELECT count(*) FROM notes.note"), IsOkAndHolds(0));
  EXPECT_THAT(Ask(ServiceDsn(), "SELECT count(*) FROM other.note"), HasReason("REASON_INTERNAL"));
  EXPECT_THAT(Ask(ServiceDsn(), "SELECT count(*) FROM other.migration"),
              HasReason("REASON_INTERNAL"));
  EXPECT_THAT(Ask(ServiceDsn(), "SELECT count(*) FROM fadu_admin.lease"),
              HasReason("REASON_INTERNAL"));
}

TEST_F(MigrateTest, TheRoleMayNotChangeTablesNorTheListOfSteps) {
  ASSERT_THAT(Apply(Schema({kFirst})), IsOk());
  EXPECT_THAT(Ask(ServiceDsn(), "DROP TABLE notes.note"), HasReason("REASON_INTERNAL"));
  EXPECT_THAT(Ask(ServiceDsn(), "CREATE TABLE notes.mine (id int)"), HasReason("REASON_INTERNAL"));
  EXPECT_THAT(Ask(ServiceDsn(), "DELETE FROM notes.migration"), HasReason("REASON_INTERNAL"));
}

TEST_F(MigrateTest, TheRoleBypassesNothing) {
  ASSERT_THAT(Apply(Schema({})), IsOk());
  EXPECT_THAT(Ask(dsn_,
                  "SELECT count(*) FROM pg_roles WHERE rolname = 'fadu_notes' AND rolcanlogin "
                  "AND NOT (rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole)"),
              IsOkAndHolds(1));
  EXPECT_THAT(Ask(dsn_,
                  "SELECT count(*) FROM pg_namespace WHERE nspname = 'notes' AND "
                  "nspowner = (SELECT oid FROM pg_roles WHERE rolname = 'fadu_notes')"),
              IsOkAndHolds(0));
}

TEST_F(MigrateTest, ANewPasswordReplacesTheOld) {
  ASSERT_THAT(Apply(Schema({})), IsOk());
  ServiceSchema renewed = Schema({});
  renewed.role_password = "renewed";
  ASSERT_THAT(Apply(renewed), IsOk());
  EXPECT_THAT(Ask(WithDsn(ServiceDsn(), "password", "renewed"), "SELECT 1"), IsOkAndHolds(1));
  EXPECT_THAT(Ask(ServiceDsn(), "SELECT 1"), HasReason("REASON_UNAVAILABLE"));
  ASSERT_THAT(Apply(Schema({})), IsOk());
}

// ---- the lease ---------------------------------------------------------------------------------

TEST_F(MigrateTest, TwoMigratorsAtOnceApplyEachStepOnce) {
  const ServiceSchema schema = Schema({kFirst, kSecond});
  absl::StatusOr<int> other = 0;
  std::thread thread([&] { other = Apply(schema); });
  const absl::StatusOr<int> mine = Apply(schema);
  thread.join();
  ASSERT_THAT(mine, IsOk());
  ASSERT_THAT(other, IsOk());
  EXPECT_EQ(*mine + *other, 2);
  EXPECT_THAT(Ask(dsn_, "SELECT count(*) FROM notes.migration"), IsOkAndHolds(2));
}

TEST_F(MigrateTest, WaitsForAnothersLeaseUntilTheDeadline) {
  HoldLease(clock_.Now() + absl::Seconds(1));
  const absl::StatusOr<int> applied = Apply(Schema({kFirst}), absl::Milliseconds(300));
  EXPECT_THAT(applied, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(applied, HasReason("REASON_UNAVAILABLE"));
}

TEST_F(MigrateTest, TakesOverALeaseThatExpired) {
  HoldLease(clock_.Now() - absl::Seconds(1));
  EXPECT_THAT(Apply(Schema({kFirst})), IsOkAndHolds(1));
}

// A holder that slept through its lease is told by the token, which must not come again.
TEST_F(MigrateTest, TheTokenNeverCountsBackwards) {
  const auto token = [&] {
    return Ask(dsn_, "SELECT token FROM fadu_admin.lease WHERE name = 'notes'");
  };
  ASSERT_THAT(Apply(Schema({})), IsOk());
  EXPECT_THAT(token(), IsOkAndHolds(1));
  ASSERT_THAT(Apply(Schema({})), IsOk());
  EXPECT_THAT(token(), IsOkAndHolds(2));
}

// Our own step takes the lease away in its middle, as another program would after it expired.
TEST_F(MigrateTest, AHolderThatLostItsLeaseAppliesNoMore) {
  const Migration sleepy{"0001_sleepy",
                         "UPDATE fadu_admin.lease SET holder = 'another', token = token + 1 "
                         "WHERE name = '{schema}'"};
  EXPECT_THAT(Apply(Schema({sleepy, kFirst})), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Ask(dsn_, "SELECT count(*) FROM pg_tables WHERE tablename = 'note'"),
              IsOkAndHolds(0));
}

TEST_F(MigrateTest, ALockThatIsNotToBeHadEndsWithTheDeadline) {
  ASSERT_THAT(Apply(Schema({kFirst})), IsOk());
  Pool reader({dsn_, 1, "test"});
  EXPECT_THAT(
      reader.Read(
          {}, absl::Now() + absl::Seconds(20),
          [&](Transaction& transaction) -> absl::Status {
            FADU_RETURN_IF_ERROR(transaction.Run({"read", "SELECT id FROM notes.note"}).status());
            EXPECT_FALSE(Apply(Schema({kFirst, kSecond}), absl::Milliseconds(500)).ok());
            return absl::OkStatus();
          }),
      IsOk());
}

// ---- connection strings ------------------------------------------------------------------------

TEST(WithDsn, QuotesWhatWouldEndTheValue) {
  EXPECT_EQ(WithDsn("", "password", "it's a \\"), "password='it\\'s a \\\\'");
  EXPECT_EQ(WithDsn("host='/run'", "dbname", ""), "host='/run' dbname=''");
}

TEST_F(MigrateTest, TheLastValueOfAKeywordCounts) {
  const std::string dsn = WithDsn(WithDsn(dsn_, "dbname", "nosuch"), "dbname", "postgres");
  EXPECT_THAT(Ask(dsn,
                  "SELECT count(*) FROM pg_database WHERE datname = current_database() "
                  "AND datname = 'postgres'"),
              IsOkAndHolds(1));
}

TEST_F(MigrateTest, ANameThatIsNoIdentifierIsABug) {
  EXPECT_DEATH((void)Apply(Schema({}, "a; DROP SCHEMA x")), "not an identifier");
}

}  // namespace
}  // namespace fadu::db
