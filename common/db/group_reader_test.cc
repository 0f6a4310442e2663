#include "common/db/group_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/base/status.h"
#include "common/db/migrate.h"
#include "common/testing/status_matchers.h"
#include "common/testing/test_database.h"

namespace fadu::db {
namespace {

using ::testing::AllOf;

using Answer = absl::StatusOr<absl::optional<Row>>;

constexpr char kSelect[] =
    "SELECT id, word FROM note WHERE county_code = $1 AND id = ANY ($2::uuid[])";
// The same, once nobody holds the advisory lock 7 any more.
constexpr char kSelectSlowly[] =
    "SELECT id, word FROM note, (SELECT pg_advisory_xact_lock_shared(7)) AS waited "
    "WHERE county_code = $1 AND id = ANY ($2::uuid[])";
constexpr char kSelectTransaction[] =
    "SELECT id, (SELECT virtualxid FROM pg_locks WHERE pid = pg_backend_pid() AND "
    "locktype = 'virtualxid') FROM note WHERE county_code = $1 AND id = ANY ($2::uuid[])";
constexpr char kSelectSession[] =
    "SELECT id, pg_backend_pid()::text FROM note WHERE county_code = $1 AND id = ANY ($2::uuid[])";

Uuid Id(int number) {
  return *Uuid::Parse(absl::StrCat("018f0000-0000-7000-8000-00000000000", number));
}

absl::Time Soon() { return absl::Now() + absl::Seconds(20); }

class GroupReaderTest : public ::testing::Test {
 protected:
  // A table under forced row-level security, and a role that is not its owner.
  static void SetUpTestSuite() {
    admin_dsn_ = testing::TestCluster::Get().CreateDatabase();
    Admin("DROP ROLE IF EXISTS note_reader");
    Admin("CREATE ROLE note_reader LOGIN PASSWORD 'x'");
    Admin("CREATE TABLE note (county_code text, area_code text, id uuid PRIMARY KEY, word text)");
    Admin("ALTER TABLE note ENABLE ROW LEVEL SECURITY");
    Admin(
        "CREATE POLICY note_scope ON note USING (county_code = "
        "ANY (string_to_array(current_setting('fadu.counties', true), ',')) AND area_code = "
        "ANY (string_to_array(current_setting('fadu.areas', true), ',')))");
    Admin("GRANT SELECT ON note TO note_reader");
    Admin(absl::StrCat("INSERT INTO note VALUES ('421221', '421221106', '", Id(1).ToString(),
                       "', 'one'), ('421221', '421221107', '", Id(2).ToString(),
                       "', 'two'), ('421222', '421222100', '", Id(3).ToString(), "', 'three')"));
    service_dsn_ = WithDsn(WithDsn(admin_dsn_, "user", "note_reader"), "password", "x");
  }

  static void Admin(const std::string& sql) {
    Pool pool({admin_dsn_, 1, "test admin"});
    EXPECT_THAT(pool.InTransaction({}, Soon(),
                                   [&](Transaction& transaction) {
                                     return transaction.Execute({"admin", sql}).status();
                                   }),
                IsOk())
        << sql;
  }

  static ReaderOptions Options(int connections) {
    ReaderOptions options;
    options.dsn = service_dsn_;
    options.application = "group reader test";
    options.connections = connections;
    return options;
  }

  static Answer ReadNow(GroupReader& reader, const Scope& scope, absl::string_view select,
                        const Uuid& id) {
    absl::Notification finished;
    Answer answer = absl::UnknownError("never answered");
    reader.Read(scope, select, id, Soon(), [&](Answer given) {
      answer = std::move(given);
      finished.Notify();
    });
    finished.WaitForNotification();
    return answer;
  }

  static std::string Word(const Answer& answer) {
    if (!answer.ok()) return answer.status().ToString();
    return answer->has_value() ? (*answer)->Text(1) : "nothing";
  }

  // Holds the advisory lock 7 until it ends.
  class Lock {
   public:
    Lock() : pool_({admin_dsn_, 1, "test lock"}), thread_([this] { Hold(); }) {
      held_.WaitForNotification();
    }
    ~Lock() {
      release_.Notify();
      thread_.join();
    }

   private:
    void Hold() {
      EXPECT_THAT(pool_.InTransaction(
                      {}, absl::Now() + absl::Minutes(1),
                      [&](Transaction& transaction) {
                        const absl::Status locked =
                            transaction.Run({"lock", "SELECT pg_advisory_xact_lock(7)"}).status();
                        held_.Notify();
                        release_.WaitForNotification();
                        return locked;
                      }),
                  IsOk());
    }
    Pool pool_;
    absl::Notification held_;
    absl::Notification release_;
    std::thread thread_;
  };

  static inline std::string admin_dsn_;
  static inline std::string service_dsn_;
  const Scope town_{{"421221"}, {"421221106"}};
  const Scope towns_{{"421221"}, {"421221106", "421221107"}};
};

TEST_F(GroupReaderTest, GivesTheRowOfTheKey) {
  GroupReader reader(Options(1));
  EXPECT_EQ(Word(ReadNow(reader, towns_, kSelect, Id(1))), "one");
  EXPECT_EQ(Word(ReadNow(reader, towns_, kSelect, Id(2))), "two");
}

TEST_F(GroupReaderTest, GivesNothingWhereThereIsNone) {
  GroupReader reader(Options(1));
  EXPECT_EQ(Word(ReadNow(reader, towns_, kSelect, Id(9))), "nothing");
}

TEST_F(GroupReaderTest, SeesNoMoreThanTheScope) {
  GroupReader reader(Options(1));
  EXPECT_EQ(Word(ReadNow(reader, town_, kSelect, Id(2))), "nothing");
  EXPECT_EQ(Word(ReadNow(reader, towns_, kSelect, Id(3))), "nothing");
}

// While the only connection is busy, the others gather.
TEST_F(GroupReaderTest, WhatGathersUnderOneScopeIsReadInOneTransaction) {
  GroupReader reader(Options(1));
  std::vector<std::string> words(4);
  absl::BlockingCounter left(4);
  {
    const Lock lock;
    const auto ask = [&](size_t place, const Scope& scope, absl::string_view select, int id) {
      reader.Read(scope, select, Id(id), Soon(), [&, place](const Answer& answer) {
        words[place] = Word(answer);
        left.DecrementCount();
      });
    };
    ask(0, towns_, kSelectSlowly, 1);
    ask(1, towns_, kSelectTransaction, 1);
    ask(2, towns_, kSelectTransaction, 2);
    ask(3, town_, kSelectTransaction, 1);
  }
  left.Wait();
  EXPECT_EQ(words[0], "one");
  EXPECT_EQ(words[1], words[2]);
  EXPECT_NE(words[1], words[3]);
}

// Also when the database is still being asked.
TEST_F(GroupReaderTest, TellsWhoWaitedUntilTheDeadline) {
  GroupReader reader(Options(1));
  absl::Notification finished;
  absl::Status status;
  const Lock lock;
  reader.Read(towns_, kSelectSlowly, Id(1), absl::Now() + absl::Milliseconds(50),
              [&](const Answer& answer) {
                status = answer.status();
                finished.Notify();
              });
  finished.WaitForNotification();
  EXPECT_THAT(status, AllOf(StatusIs(absl::StatusCode::kDeadlineExceeded),
                            HasReason("REASON_DEADLINE_EXCEEDED")));
}

TEST_F(GroupReaderTest, RefusesMoreThanMayWait) {
  ReaderOptions options = Options(1);
  options.queue_limit = 1;
  GroupReader reader(options);
  absl::Notification finished;
  auto lock = std::make_unique<Lock>();
  reader.Read(towns_, kSelectSlowly, Id(1), Soon(), [&](const Answer&) { finished.Notify(); });
  EXPECT_THAT(
      ReadNow(reader, towns_, kSelect, Id(1)).status(),
      AllOf(StatusIs(absl::StatusCode::kResourceExhausted), HasReason("REASON_OVERLOADED")));
  lock.reset();
  finished.WaitForNotification();
}

TEST_F(GroupReaderTest, AConnectionThatDiedIsReplaced) {
  GroupReader reader(Options(1));
  const std::string session = Word(ReadNow(reader, towns_, kSelectSession, Id(1)));
  Admin(absl::StrCat("SELECT pg_terminate_backend(", session, ", 10000)"));
  EXPECT_EQ(Word(ReadNow(reader, towns_, kSelect, Id(1))), "one");
}

TEST_F(GroupReaderTest, SaysUnavailableWhenNoDatabaseAnswers) {
  ReaderOptions options = Options(1);
  options.dsn = WithDsn(options.dsn, "host", "/nowhere");
  GroupReader reader(options);
  EXPECT_THAT(ReadNow(reader, towns_, kSelect, Id(1)).status(),
              AllOf(StatusIs(absl::StatusCode::kUnavailable), HasReason("REASON_UNAVAILABLE")));
}

// A code is digits; anything else could end the literal.
TEST_F(GroupReaderTest, AScopeThatIsNoCodeIsNotSent) {
  const Scope scope{{"421221"}, {"1'; DROP TABLE note; --"}};
  EXPECT_DEATH(
      {
        GroupReader reader(Options(1));
        (void)ReadNow(reader, scope, kSelect, Id(1));
      },
      "scope");
}

TEST_F(GroupReaderTest, WhatWaitsWhenItEndsIsAnswered) {
  std::vector<absl::Status> answers;
  {
    const Lock lock;
    auto reader = std::make_unique<GroupReader>(Options(0));  // nobody reads
    reader->Read(towns_, kSelect, Id(1), Soon(),
                 [&](const Answer& answer) { answers.push_back(answer.status()); });
    EXPECT_EQ(reader->queued(), 1u);
  }
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_THAT(answers[0], HasReason("REASON_UNAVAILABLE"));
}

}  // namespace
}  // namespace fadu::db
