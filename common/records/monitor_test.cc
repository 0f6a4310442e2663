#include "common/records/monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "common/records/store_test_support.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "fadu/fixture/v1/fixture.pb.h"

namespace fadu::records {
namespace {

namespace v1 = ::fadu::common::v1;
namespace fixture = ::fadu::fixture::v1;
using ::testing::HasSubstr;

constexpr char kOtherCounty[] = "420101";

const RecordTypes& Types() {
  static const RecordTypes* const types =
      RecordTypes::FromDescriptors({fixture::Widget::descriptor()})->release();
  return *types;
}

// The fake clock says that it is Tuesday, 24 November 2026.
class MonitorTest : public ::testing::Test {
 protected:
  Change Created(const std::string& made, bool submit, const std::string& village = kVillage) {
    auto widget = std::make_shared<fixture::Widget>();
    widget->set_area_code(village);
    widget->set_made_date(made);
    widget->set_title("样品");
    widget->set_colour(fixture::COLOUR_RED);
    Change change;
    change.type = Types().FindByCollection("widgets");
    change.message = std::move(widget);
    change.submit = submit;
    return change;
  }

  // Writes as the village's clerk.
  StoredRecord Write(Change change, absl::Time now = absl::FromUnixSeconds(1700000000),
                     const std::string& village = kVillage) {
    CallContext call = CallAs(PrincipalWith({v1::ROLE_VILLAGE_CLERK}, village));
    call.now = now;
    WriteRequest request;
    request.county = village.substr(0, 6);
    request.request_id = store_.ids().NewId();
    request.request_hash = "hash";
    request.changes.push_back(std::move(change));
    const absl::StatusOr<WriteResult> written = store_->WriteAndWait(call, std::move(request));
    EXPECT_THAT(written, IsOk());
    return written.ok() ? written->records[0] : StoredRecord{};
  }

  StoredRecord Then(const StoredRecord& record, Operation operation) {
    Change change;
    change.type = record.type;
    change.id = record.id;
    change.operation = operation;
    return Write(std::move(change));
  }

  Monitor& Make(int64_t chain_step = 5000, absl::Duration whole_check = absl::Hours(24)) {
    MonitorOptions options;
    options.service = "conformance";
    options.types = &Types();
    options.interval = absl::ZeroDuration();  // chains: one step a round
    options.chain_step = chain_step;
    options.whole_check = whole_check;
    monitor_ = std::make_unique<Monitor>(std::move(options), pool_, sealer_, clock_, metrics_);
    return *monitor_;
  }

  // The line of one series.
  static std::string Records(const std::string& state, int count) {
    return absl::StrCat("fadu_records{collection=\"widgets\",review_state=\"", state,
                        "\",service=\"conformance\"} ", count, "\n");
  }
  static std::string Oldest(const std::string& state, int64_t seconds) {
    return absl::StrCat(
        "fadu_backlog_oldest_timestamp_seconds{collection=\"widgets\",review_state=\"", state,
        "\",service=\"conformance\"} ", seconds, "\n");
  }
  static std::string Missed(int count) {
    return absl::StrCat(
        "fadu_deadlines_missed{collection=\"widgets\",deadline=\"sell\",service=\"conformance\"} ",
        count, "\n");
  }
  static std::string Broken(int count) {
    return absl::StrCat("fadu_audit_broken{service=\"conformance\"} ", count, "\n");
  }
  bool Is(const std::string& name, double seconds) const {
    return absl::StrContains(metrics_.Scrape(),
                             absl::StrCat(name, "{service=\"conformance\"} ", seconds, "\n"));
  }
  bool WasVerified() const { return !Is("fadu_audit_verified_timestamp_seconds", 0); }

  TestStore store_{Types()};
  db::Pool pool_{db::PoolOptions{store_.dsn(), 2, "test monitor"}};
  Sealer sealer_{std::string(32, 'k')};
  FakeClock clock_;
  rpc::Metrics metrics_;
  std::unique_ptr<Monitor> monitor_;
};

TEST_F(MonitorTest, SeriesAreThereBeforeTheFirstRound) {
  Make();
  const std::string text = metrics_.Scrape();
  for (const char* state : {"DRAFT", "SUBMITTED", "RETURNED", "CONFIRMED", "WITHDRAWN"}) {
    EXPECT_THAT(text, HasSubstr(Records(state, 0)));
  }
  EXPECT_THAT(text, HasSubstr(Oldest("SUBMITTED", 0)));
  EXPECT_THAT(text, HasSubstr(Missed(0)));
  EXPECT_THAT(text, HasSubstr(Broken(0)));
  EXPECT_TRUE(Is("fadu_audit_verified_timestamp_seconds", 0));
  EXPECT_TRUE(Is("fadu_monitor_last_success_timestamp_seconds", 0));
}

TEST_F(MonitorTest, CountsRecordsByReviewStateOverAllCounties) {
  Write(Created("2024-05-01", /*submit=*/true));
  Write(Created("2024-05-01", /*submit=*/true, "420101001001"), absl::FromUnixSeconds(1700000000),
        "420101001001");
  Write(Created("2024-05-01", /*submit=*/false));
  Then(Write(Created("2024-05-01", /*submit=*/false)), Operation::kWithdraw);
  Then(Write(Created("2024-05-01", /*submit=*/false)), Operation::kDelete);
  ASSERT_THAT(Make().Round(), IsOk());
  const std::string text = metrics_.Scrape();
  EXPECT_THAT(text, HasSubstr(Records("SUBMITTED", 2)));
  EXPECT_THAT(text, HasSubstr(Records("DRAFT", 1)));
  EXPECT_THAT(text, HasSubstr(Records("WITHDRAWN", 1)));
  EXPECT_THAT(text, HasSubstr(Records("CONFIRMED", 0)));
  EXPECT_FALSE(Is("fadu_monitor_last_success_timestamp_seconds", 0));
}

TEST_F(MonitorTest, SaysSinceWhenTheOldestWaits) {
  Write(Created("2024-05-01", /*submit=*/true), absl::FromUnixSeconds(1700000500));
  Write(Created("2024-05-01", /*submit=*/true), absl::FromUnixSeconds(1700000100));
  ASSERT_THAT(Make().Round(), IsOk());
  EXPECT_THAT(metrics_.Scrape(), HasSubstr(Oldest("SUBMITTED", 1700000100)));
  EXPECT_THAT(metrics_.Scrape(), HasSubstr(Oldest("DRAFT", 0)));
}

// A widget is to be sold within ten working days. From Monday, 9 November 2026 the tenth is Monday
// the 23rd, yesterday; from Tuesday the 10th it is today.
TEST_F(MonitorTest, CountsOpenRecordsPastTheirDeadline) {
  Write(Created("2026-11-09", /*submit=*/true));
  Write(Created("2026-11-10", /*submit=*/true));
  Change sold = Created("2026-11-09", /*submit=*/true);
  static_cast<fixture::Widget&>(*sold.message).set_sold_date("2026-11-20");
  Write(std::move(sold));
  Then(Write(Created("2026-11-09", /*submit=*/false)), Operation::kWithdraw);
  Then(Write(Created("2026-11-09", /*submit=*/false)), Operation::kDelete);
  Monitor& monitor = Make();
  ASSERT_THAT(monitor.Round(), IsOk());
  EXPECT_THAT(metrics_.Scrape(), HasSubstr(Missed(1)));
  clock_.Advance(absl::Hours(24));
  ASSERT_THAT(monitor.Round(), IsOk());
  EXPECT_THAT(metrics_.Scrape(), HasSubstr(Missed(2)));
}

TEST_F(MonitorTest, AChainIsVerifiedInStepsAndThenWithEachNewEvent) {
  for (int i = 0; i < 5; ++i) Write(Created("2024-05-01", /*submit=*/false));
  Monitor& monitor = Make(/*chain_step=*/2);
  ASSERT_THAT(monitor.Round(), IsOk());
  ASSERT_THAT(monitor.Round(), IsOk());
  EXPECT_FALSE(WasVerified());
  ASSERT_THAT(monitor.Round(), IsOk());
  EXPECT_TRUE(WasVerified());
  Write(Created("2024-05-01", /*submit=*/false));
  ASSERT_THAT(store_.Admin("UPDATE conformance.event SET entry = entry || '\\x00' WHERE seq = 6"),
              IsOk());
  ASSERT_THAT(monitor.Round(), IsOk());
  EXPECT_THAT(metrics_.Scrape(), HasSubstr(Broken(1)));
}

// What was verified once may be changed later: all of it is read again after a day, here at once.
TEST_F(MonitorTest, ABrokenChainIsCountedUntilItVerifiesAgain) {
  for (int i = 0; i < 3; ++i) Write(Created("2024-05-01", /*submit=*/false));
  Write(Created("2024-05-01", /*submit=*/false, "420101001001"), absl::FromUnixSeconds(1700000000),
        "420101001001");
  Monitor& monitor = Make(5000, /*whole_check=*/absl::ZeroDuration());
  const auto rounds = [&] {
    for (int i = 0; i < 3; ++i) ASSERT_THAT(monitor.Round(), IsOk());
  };
  rounds();
  EXPECT_THAT(metrics_.Scrape(), HasSubstr(Broken(0)));
  ASSERT_THAT(
      store_.Admin("UPDATE conformance.event SET entry = entry || '\\x00' WHERE seq = 2 AND "
                   "county_code = '421221'"),
      IsOk());
  rounds();
  EXPECT_THAT(metrics_.Scrape(), HasSubstr(Broken(1)));
  ASSERT_THAT(store_.Admin("UPDATE conformance.event SET entry = substr(entry, 1, length(entry) - "
                           "1) WHERE seq = 2 AND county_code = '421221'"),
              IsOk());
  rounds();
  EXPECT_THAT(metrics_.Scrape(), HasSubstr(Broken(0)));
}

TEST_F(MonitorTest, ARoundThatFailsIsNoSuccess) {
  Monitor& monitor = Make();
  ASSERT_THAT(store_.Admin("REVOKE SELECT ON conformance.known_county FROM fadu_conformance"),
              IsOk());
  EXPECT_FALSE(monitor.Round().ok());
  EXPECT_TRUE(Is("fadu_monitor_last_success_timestamp_seconds", 0));
}

TEST_F(MonitorTest, StartedItReadsUntilItIsStopped) {
  Write(Created("2024-05-01", /*submit=*/true));
  Monitor& monitor = Make();
  monitor.Start();
  while (Is("fadu_monitor_last_success_timestamp_seconds", 0)) {
    absl::SleepFor(absl::Milliseconds(1));
  }
  monitor.Stop();
  monitor.Stop();
  EXPECT_THAT(metrics_.Scrape(), HasSubstr(Records("SUBMITTED", 1)));
}

}  // namespace
}  // namespace fadu::records
