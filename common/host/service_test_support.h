// common/host/service_test_support.h
//
// One service of records on a real database, called through its RPCs by whoever a test says.
#ifndef FADU_COMMON_HOST_SERVICE_TEST_SUPPORT_H_
#define FADU_COMMON_HOST_SERVICE_TEST_SUPPORT_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/db/pool.h"
#include "common/host/host.h"
#include "common/rpc/channel.h"
#include "common/rpc/identity.h"
#include "common/testing/fake_clock.h"
#include "common/testing/test_database.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/common/v1/record_service.pb.h"
#include "fadu/common/v1/token.pb.h"

namespace fadu::host {

class ServiceUnderTest {
 public:
  // Runs `module`; its clock stands at `now`. Calls come from a town reviewer of 421221106.
  explicit ServiceUnderTest(Module module, absl::Time now) : name_(module.name) {
    SetLogDescriptor(-1);
    dsn_ = testing::TestCluster::Get().CreateDatabase();
    HostOptions options;
    options.modules.push_back(std::move(module));
    options.services = {name_, "registry"};  // registry's key signs identities
    options.admin_dsn = dsn_;
    options.dsn = dsn_;
    options.keys_folder = keys();
    options.metrics_listen = "";
    options.pool_connections = 4;
    clock_.Set(absl::Now());  // migrations have a deadline of the machine's clock
    auto started = Host::Start(std::move(options), clock_, *ids_);
    EXPECT_TRUE(started.ok()) << started.status();
    if (started.ok()) host_ = *std::move(started);
    clock_.Set(now);
    As(fadu::common::v1::ROLE_TOWN_REVIEWER, "421221106");
  }

  FakeClock& clock() { return clock_; }
  RunningModule* module() { return host_->module(name_); }

  // Calls come from an account with this role in this area from here on.
  void As(fadu::common::v1::Role role, const std::string& area) {
    identity_.Clear();
    identity_.set_subject("accounts/00000000-0000-7000-8000-0000000000aa");
    fadu::common::v1::Grant& grant = *identity_.add_grants();
    grant.set_role(role);
    grant.set_area_code(area);
  }

  template <typename Response>
  absl::StatusOr<Response> Call(absl::string_view method,
                                const google::protobuf::Message& request) {
    Response response;
    const absl::Status status = host_->channel(name_)->Call(
        absl::StrCat("/fadu.common.v1.RecordService/", method), request, &response, Options());
    if (!status.ok()) return status;
    return response;
  }

  // Creates and submits; what comes back holds the record as stored.
  absl::StatusOr<fadu::common::v1::Record> Create(const google::protobuf::Message& record) {
    fadu::common::v1::CreateRecordRequest request;
    request.set_parent("counties/421221");
    request.set_request_id(NewRequestId());
    request.set_submit(true);
    request.mutable_record()->PackFrom(record);
    return Call<fadu::common::v1::Record>("CreateRecord", request);
  }

  // Sets the fields named to those of `record`.
  absl::StatusOr<fadu::common::v1::Record> Update(const std::string& name,
                                                  const google::protobuf::Message& record,
                                                  const std::vector<std::string>& fields) {
    fadu::common::v1::UpdateRecordRequest request;
    request.set_name(name);
    request.set_request_id(NewRequestId());
    request.mutable_record()->PackFrom(record);
    for (const std::string& field : fields) request.mutable_update_mask()->add_paths(field);
    return Call<fadu::common::v1::Record>("UpdateRecord", request);
  }

  absl::StatusOr<fadu::common::v1::Record> Review(const std::string& name,
                                                  fadu::common::v1::ReviewAction action) {
    fadu::common::v1::ReviewRecordRequest request;
    request.set_name(name);
    request.set_request_id(NewRequestId());
    request.set_action(action);
    request.set_comment("示例意见");
    return Call<fadu::common::v1::Record>("ReviewRecord", request);
  }

  absl::StatusOr<fadu::common::v1::Record> Delete(const std::string& name) {
    fadu::common::v1::DeleteRecordRequest request;
    request.set_name(name);
    request.set_request_id(NewRequestId());
    request.set_reason("示例原因");
    return Call<fadu::common::v1::Record>("DeleteRecord", request);
  }

  absl::StatusOr<fadu::common::v1::Record> Get(const std::string& name) {
    fadu::common::v1::GetRecordRequest request;
    request.set_name(name);
    return Call<fadu::common::v1::Record>("GetRecord", request);
  }

  // Records of a collection that satisfy a filter, at most 200.
  std::vector<fadu::common::v1::Record> List(const std::string& collection,
                                             const std::string& filter) {
    fadu::common::v1::ListRecordsRequest request;
    request.set_parent("counties/421221");
    request.set_collection(collection);
    request.set_filter(filter);
    request.set_page_size(200);
    const auto listed = Call<fadu::common::v1::ListRecordsResponse>("ListRecords", request);
    EXPECT_TRUE(listed.ok()) << listed.status();
    if (!listed.ok()) return {};
    return {listed->records().begin(), listed->records().end()};
  }

  // Rows of a statement as the administrator, who sees all.
  db::Rows Admin(const std::string& sql) {
    db::Pool admin(db::PoolOptions{dsn_, 1, "test"});
    db::Rows rows;
    const absl::Status status = admin.InTransaction(
        db::Scope{}, absl::Now() + absl::Seconds(20), [&](db::Transaction& transaction) {
          auto result = transaction.Run(db::Statement{"test", sql});
          if (result.ok()) rows = *std::move(result);
          return result.status();
        });
    EXPECT_TRUE(status.ok()) << status;
    return rows;
  }

  std::string NewRequestId() { return ids_->NewId().ToString(); }

 private:
  std::string keys() const { return absl::StrCat(folder_.path(), "/keys"); }

  rpc::CallOptions Options() const {
    rpc::CallOptions options;
    options.deadline = absl::Now() + absl::Seconds(30);
    // Signed anew each time: the clock of a test moves by days.
    fadu::common::v1::Identity identity = identity_;
    identity.set_expire_seconds(absl::ToUnixSeconds(clock_.Now() + absl::Minutes(15)));
    options.bearer = *(*rpc::Signer::Load(keys(), "registry"))->Sign(identity);
    return options;
  }

  const std::string name_;
  testing::TempFolder folder_;
  std::string dsn_;
  FakeClock clock_;
  std::unique_ptr<IdSource> ids_ = NewUuidV7Source(SystemClock());
  std::unique_ptr<Host> host_;
  fadu::common::v1::Identity identity_;  // of who calls
};

// The message inside an answer.
template <typename Record>
Record RecordIn(const absl::StatusOr<fadu::common::v1::Record>& answer) {
  Record record;
  EXPECT_TRUE(answer.ok()) << answer.status();
  EXPECT_TRUE(answer.ok() && answer->record().UnpackTo(&record));
  return record;
}

}  // namespace fadu::host

#endif  // FADU_COMMON_HOST_SERVICE_TEST_SUPPORT_H_
