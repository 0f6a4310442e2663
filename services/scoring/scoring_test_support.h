// services/scoring/scoring_test_support.h
//
// What the tests of the scoring service share: a migrated database of their own, and another
// service with a feed that does as it is told.
#ifndef FADU_SERVICES_SCORING_SCORING_TEST_SUPPORT_H_
#define FADU_SERVICES_SCORING_SCORING_TEST_SUPPORT_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/base/clock.h"
#include "common/base/digest.h"
#include "common/base/status.h"
#include "common/db/migrate.h"
#include "common/db/pool.h"
#include "common/rpc/channel.h"
#include "common/rpc/identity.h"
#include "common/rpc/metrics.h"
#include "common/testing/test_database.h"
#include "fadu/common/v1/fact_feed.pb.h"
#include "fadu/mediation/v1/dispute.pb.h"
#include "fadu/registry/v1/registry_service.pb.h"
#include "services/scoring/module.h"
#include "services/scoring/store.h"

namespace fadu::scoring {

inline constexpr char kCounty[] = "421221";
inline constexpr char kTown[] = "421221106";
inline constexpr char kVillage[] = "421221106200";
inline constexpr char kOtherVillage[] = "421221106201";

inline absl::Time Soon() { return absl::Now() + absl::Seconds(20); }

// 00000000-0000-7000-8000-00000000000n
inline Uuid IdOf(int n) {
  return *Uuid::Parse(absl::StrFormat("00000000-0000-7000-8000-%012d", n));
}

// A failure with that code and reason.
MATCHER_P2(FailsWith, code, reason,
           absl::StrCat("fails with ", absl::StatusCodeToString(code), " / ", reason)) {
  *result_listener << arg << " / " << ReasonOf(arg);
  return arg.code() == code && ReasonOf(arg) == reason;
}

inline std::string Where(const absl::Status& status) { return DetailOf(status).metadata["where"]; }

// A confirmed dispute as a fact, without a seq.
inline fadu::common::v1::Fact DisputeFact(int id, int64_t revision,
                                          const std::string& area = kVillage,
                                          const std::string& found_date = "2026-03-05") {
  fadu::mediation::v1::Dispute dispute;
  dispute.set_area_code(area);
  dispute.set_found_date(found_date);
  dispute.set_outcome(fadu::mediation::v1::OUTCOME_SETTLED);
  fadu::common::v1::Fact fact;
  fact.set_type(dispute.GetDescriptor()->full_name());
  fact.set_id(IdOf(id).ToString());
  fact.set_revision(revision);
  fact.set_area_code(area);
  fact.set_counted_date(found_date);
  fact.set_review_state(fadu::common::v1::REVIEW_STATE_CONFIRMED);
  fact.set_values(BytesOf(dispute));
  return fact;
}

inline fadu::common::v1::Fact Withdrawn(fadu::common::v1::Fact fact) {
  fact.set_revision(fact.revision() + 1);
  fact.set_review_state(fadu::common::v1::REVIEW_STATE_WITHDRAWN);
  fact.set_tombstone(true);
  return fact;
}

inline std::vector<fadu::common::v1::Fact> Numbered(std::vector<fadu::common::v1::Fact> facts,
                                                    int64_t first_seq) {
  for (fadu::common::v1::Fact& fact : facts) fact.set_seq(first_seq++);
  return facts;
}

// A migrated database, a pool as the service's role, and a way in as its administrator.
class ScoringDatabase {
 public:
  ScoringDatabase() : admin_dsn_(testing::TestCluster::Get().CreateDatabase()) {
    db::ServiceSchema schema = *MakeModule().schema();
    schema.role_password = "secret";
    const auto migrated = db::Migrate(admin_dsn_, schema, SystemClock(), Soon());
    EXPECT_TRUE(migrated.ok()) << migrated.status();
    std::string dsn = db::WithDsn(admin_dsn_, "user", "fadu_scoring");
    dsn = db::WithDsn(dsn, "password", schema.role_password);
    pool_ = std::make_unique<db::Pool>(db::PoolOptions{dsn, 4, "scoring test"});
  }

  db::Pool& pool() { return *pool_; }

  // Runs as administrator; the first cell of the first row, if any. Expects `rows` to be touched.
  std::string Admin(const std::string& sql, int rows = 1) {
    PGconn* connection = PQconnectdb(admin_dsn_.c_str());
    PGresult* result = PQexec(connection, sql.c_str());
    EXPECT_EQ(std::to_string(rows), PQcmdTuples(result)) << sql << PQerrorMessage(connection);
    const std::string cell = PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "";
    PQclear(result);
    PQfinish(connection);
    return cell;
  }

 private:
  std::string admin_dsn_;
  std::unique_ptr<db::Pool> pool_;
};

// Another service: its feed, and the areas when it is the registry. Thread-safe.
class FakeService : public rpc::Channel {
 public:
  void Record(std::vector<fadu::common::v1::Fact> facts) {
    absl::MutexLock lock(&mutex_);
    taken_ = false;
    for (fadu::common::v1::Fact& fact : facts) {
      fact.set_seq(static_cast<int64_t>(facts_.size()) + 1);
      facts_.push_back(std::move(fact));
    }
  }
  void AddArea(const std::string& code, const std::string& title) {
    absl::MutexLock lock(&mutex_);
    areas_.push_back({code, title, "", ""});
  }
  // An area that goes by this name from one day to another, both "2024-03-15" or empty.
  void AddSpan(const std::string& code, const std::string& title, const std::string& from,
               const std::string& to) {
    absl::MutexLock lock(&mutex_);
    areas_.push_back({code, title, from, to});
  }
  // Every answer passes here and may be altered or refused.
  void Meddle(std::function<absl::Status(fadu::common::v1::PullFactsResponse&)> meddle) {
    absl::MutexLock lock(&mutex_);
    meddle_ = std::move(meddle);
  }
  void Truncate(size_t size) {
    absl::MutexLock lock(&mutex_);
    facts_.resize(size);
  }
  int pulls() {
    absl::MutexLock lock(&mutex_);
    return pulls_;
  }
  std::string as_of_date() {
    absl::MutexLock lock(&mutex_);
    return as_of_date_;
  }
  // Waits until somebody asked for what comes after the last fact.
  bool WaitUntilTaken() {
    absl::MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(absl::Condition(&taken_), absl::Seconds(10));
  }

  absl::Status Call(absl::string_view method, const google::protobuf::Message& request,
                    google::protobuf::Message* response, const rpc::CallOptions&) override {
    absl::MutexLock lock(&mutex_);
    if (absl::EndsWith(method, "/PullFacts")) {
      return Pull(static_cast<const fadu::common::v1::PullFactsRequest&>(request),
                  static_cast<fadu::common::v1::PullFactsResponse&>(*response));
    }
    as_of_date_ = static_cast<const fadu::registry::v1::ListAreasRequest&>(request).as_of_date();
    auto& list = static_cast<fadu::registry::v1::ListAreasResponse&>(*response);
    for (const auto& [code, title, from, to] : areas_) {
      if (from > as_of_date_ || (!to.empty() && as_of_date_ > to)) continue;
      fadu::registry::v1::Area& area = *list.add_areas();
      area.set_code(code);
      area.set_title(title);
      area.set_valid_from_date(from);
    }
    return absl::OkStatus();
  }

  void CallAsync(absl::string_view method, const google::protobuf::Message& request,
                 google::protobuf::Message* response, const rpc::CallOptions& options,
                 std::function<void(absl::Status)> done) override {
    done(Call(method, request, response, options));
  }

 private:
  absl::Status Pull(const fadu::common::v1::PullFactsRequest& request,
                    fadu::common::v1::PullFactsResponse& response)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    ++pulls_;
    response.set_head_seq(static_cast<int64_t>(facts_.size()));
    for (const fadu::common::v1::Fact& fact : facts_) {
      if (fact.seq() > request.after_seq() && response.facts_size() < request.max_facts()) {
        *response.add_facts() = fact;
      }
    }
    taken_ = taken_ || request.after_seq() >= response.head_seq();
    return meddle_ ? meddle_(response) : absl::OkStatus();
  }

  absl::Mutex mutex_;
  std::vector<fadu::common::v1::Fact> facts_ ABSL_GUARDED_BY(mutex_);
  struct Span {
    std::string code, title, from, to;
  };
  std::vector<Span> areas_ ABSL_GUARDED_BY(mutex_);
  std::function<absl::Status(fadu::common::v1::PullFactsResponse&)> meddle_ ABSL_GUARDED_BY(mutex_);
  int pulls_ ABSL_GUARDED_BY(mutex_) = 0;
  bool taken_ ABSL_GUARDED_BY(mutex_) = false;
  std::string as_of_date_ ABSL_GUARDED_BY(mutex_);
};

// Peers of the scoring service, with a key of their own.
class TestPeers {
 public:
  TestPeers() {
    EXPECT_TRUE(rpc::EnsureKeyPair(folder_.path(), "scoring").ok());
    auto signer = rpc::Signer::Load(folder_.path(), "scoring");
    EXPECT_TRUE(signer.ok()) << signer.status();
    peers_ = std::make_unique<rpc::Peers>(*std::move(signer), SystemClock(), &metrics_);
  }
  std::shared_ptr<FakeService> Add(const std::string& service) {
    auto fake = std::make_shared<FakeService>();
    peers_->Add(service, fake);
    return fake;
  }
  rpc::Peers& peers() { return *peers_; }
  rpc::Metrics& metrics() { return metrics_; }

 private:
  testing::TempFolder folder_;
  rpc::Metrics metrics_;
  std::unique_ptr<rpc::Peers> peers_;
};

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_SCORING_TEST_SUPPORT_H_
