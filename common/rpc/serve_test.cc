// A real server, in process and over TCP, with handlers of a few lines.
#include "common/rpc/serve.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/base/log.h"
#include "common/rpc/channel.h"
#include "common/rpc/rpc_test_support.h"
#include "common/rpc/status_wire.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/fact_feed.pb.h"
#include "fadu/common/v1/reason.pb.h"
#include "fadu/common/v1/record_service.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace fadu::rpc {
namespace {

namespace v1 = ::fadu::common::v1;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Code = absl::StatusCode;

constexpr char kGet[] = "/fadu.common.v1.RecordService/GetRecord";
constexpr char kCreate[] = "/fadu.common.v1.RecordService/CreateRecord";
constexpr char kFacts[] = "/fadu.common.v1.FactFeedService/PullFacts";
constexpr char kName[] = "counties/421221/disputes/0190a5b0-0000-7000-8000-000000000002";

using Recorded = std::function<void(absl::StatusOr<v1::Record>)>;

// What the two methods of interest do; a test sets it before its first call.
struct Handlers {
  std::function<absl::StatusOr<v1::Record>(const CallContext&, const v1::GetRecordRequest&)> get =
      [](const CallContext&, const v1::GetRecordRequest& request) {
        v1::Record record;
        record.set_name(request.name());
        return record;
      };
  std::function<void(const CallContext&, const v1::CreateRecordRequest&, Recorded)> create =
      [](const CallContext&, const v1::CreateRecordRequest& request, const Recorded& done) {
        v1::Record record;
        record.set_name(request.parent());
        done(record);
      };
};

// A handler for a method that no test calls with success.
template <typename Request, typename Response>
void Fill(Service& service, const char* method) {
  service.Handle<Request, Response>(method,
                                    [](const CallContext&, const Request&) { return Response(); });
}
template <typename Request>
void FillRecording(Service& service, const char* method) {
  service.HandleRecording<Request, v1::Record>(
      method, [](const CallContext&, const Request&, const Recorded& done) { done(v1::Record()); });
}

std::unique_ptr<Service> RecordServiceOf(const Handlers& handlers) {
  auto service = std::make_unique<Service>("fadu.common.v1.RecordService");
  service->HandleQueued<v1::ListRecordTypesRequest, v1::ListRecordTypesResponse>(
      "ListRecordTypes", [](const CallContext&, const v1::ListRecordTypesRequest&,
                            const auto& done) { done(v1::ListRecordTypesResponse()); });
  service->HandleRecording<v1::CreateRecordRequest, v1::Record>(
      "CreateRecord", [&handlers](const CallContext& call, const v1::CreateRecordRequest& request,
                                  const Recorded& done) { handlers.create(call, request, done); });
  service->HandleRecording<v1::BatchCreateRecordsRequest, v1::BatchCreateRecordsResponse>(
      "BatchCreateRecords", [](const CallContext&, const v1::BatchCreateRecordsRequest&,
                               const auto& done) { done(v1::BatchCreateRecordsResponse()); });
  service->Handle<v1::GetRecordRequest, v1::Record>(
      "GetRecord", [&handlers](const CallContext& call, const v1::GetRecordRequest& request) {
        return handlers.get(call, request);
      });
  Fill<v1::ListRecordsRequest, v1::ListRecordsResponse>(*service, "ListRecords");
  FillRecording<v1::UpdateRecordRequest>(*service, "UpdateRecord");
  FillRecording<v1::ReviewRecordRequest>(*service, "ReviewRecord");
  FillRecording<v1::DeleteRecordRequest>(*service, "DeleteRecord");
  FillRecording<v1::UndeleteRecordRequest>(*service, "UndeleteRecord");
  Fill<v1::ListRecordRevisionsRequest, v1::ListRecordRevisionsResponse>(*service,
                                                                        "ListRecordRevisions");
  FillRecording<v1::UnmaskRecordRequest>(*service, "UnmaskRecord");
  FillRecording<v1::EraseRecordRequest>(*service, "EraseRecord");
  Fill<v1::ListEventsRequest, v1::ListEventsResponse>(*service, "ListEvents");
  Fill<v1::VerifyEventsRequest, v1::VerifyEventsResponse>(*service, "VerifyEvents");
  return service;
}

v1::GetRecordRequest GetRequest() {
  v1::GetRecordRequest request;
  request.set_name(kName);
  return request;
}

v1::CreateRecordRequest CreateRequest() {
  v1::CreateRecordRequest request;
  request.set_parent("counties/421221");
  request.mutable_record()->PackFrom(v1::Grant());
  request.set_request_id("0190a5b0-0000-7000-8000-000000000003");
  return request;
}

absl::Time Soon() { return absl::Now() + absl::Seconds(20); }

// gRPC without Channel: for what only the wire shows, and for calls that Channel would not make.
template <typename Message>
grpc::ByteBuffer BytesOf(const Message& message) {
  grpc::ByteBuffer bytes;
  bool own = false;
  const grpc::Status written =
      grpc::GenericSerialize<grpc::ProtoBufferWriter, Message>(message, &bytes, &own);
  EXPECT_TRUE(written.ok());
  return bytes;
}

std::string TextOf(const grpc::ByteBuffer& bytes) {
  std::vector<grpc::Slice> slices;
  EXPECT_TRUE(bytes.Dump(&slices).ok());
  std::string text;
  for (const grpc::Slice& slice : slices) {
    text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return text;
}

class ServeTest : public ::testing::Test {
 protected:
  ServeTest() {
    registry_ = SignerOf(keys_.path(), "registry");
    scoring_ = SignerOf(keys_.path(), "scoring");
    other_ = SignerOf(keys_.path(), "mediation");
    verifier_ = *Verifier::Load(keys_.path());
    ids_ = NewUuidV7Source(clock_);
    options_.name = "mediation";
    records_ = RecordServiceOf(handlers_);
    Fill<v1::PullFactsRequest, v1::PullFactsResponse>(feed_, "PullFacts");
    SetLogDescriptor(-1);
  }
  ~ServeTest() override {
    server_.reset();
    SetLogDescriptor(2);
  }

  absl::StatusOr<std::unique_ptr<Server>> TryStart() {
    return Server::Start(options_, {records_.get(), &feed_}, *verifier_, clock_, *ids_, metrics_);
  }

  void Start() {
    auto server = TryStart();
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = in_process_ ? server_->InProcess() : Channel::ToAddress(Address());
  }

  std::string Address() const { return absl::StrCat("127.0.0.1:", server_->port()); }

  std::string User(v1::Role role) { return *registry_->Sign(UserIdentity(role, clock_.Now())); }
  std::string ServiceToken(const Signer& signer) {
    return *signer.Sign(ServiceIdentity(signer.name(), clock_.Now()));
  }

  CallOptions As(std::string bearer) {
    CallOptions options;
    options.deadline = Soon();
    options.bearer = std::move(bearer);
    return options;
  }
  CallOptions AsClerk() { return As(User(v1::ROLE_TOWN_CLERK)); }

  absl::Status Get(const CallOptions& options) {
    v1::Record record;
    return channel_->Call(kGet, GetRequest(), &record, options);
  }
  absl::Status Create(const CallOptions& options) {
    v1::Record record;
    return channel_->Call(kCreate, CreateRequest(), &record, options);
  }

  // A call whose answer comes later.
  std::future<absl::Status> GetLater(const CallOptions& options) {
    auto result = std::make_shared<std::promise<absl::Status>>();
    auto record = std::make_shared<v1::Record>();
    channel_->CallAsync(kGet, GetRequest(), record.get(), options,
                        [result, record](absl::Status status) { result->set_value(status); });
    return result->get_future();
  }

  // Makes `get` wait for `release_`, and say in `running_` that it does.
  void BlockGet() {
    handlers_.get = [this](const CallContext&, const v1::GetRecordRequest&) {
      if (++gets_ == 1) running_.Notify();
      release_.WaitForNotification();
      return v1::Record();
    };
  }

  // A call as bytes, with any metadata and without Channel's rules.
  struct Raw {
    grpc::Status status;
    std::string answer;
    std::multimap<std::string, std::string> trailers;
  };
  Raw CallRaw(const std::string& method, grpc::ByteBuffer request,
              const std::multimap<std::string, std::string>& metadata,
              absl::Time deadline = Soon()) {
    grpc::GenericStub stub(grpc::CreateChannel(Address(), grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    if (deadline != absl::InfiniteFuture()) context.set_deadline(absl::ToChronoTime(deadline));
    for (const auto& [key, value] : metadata) context.AddMetadata(key, value);
    grpc::ByteBuffer answer;
    Raw raw;
    absl::Notification finished;
    stub.UnaryCall(&context, method, grpc::StubOptions(), &request, &answer,
                   [&](const grpc::Status& status) {
                     raw.status = status;
                     finished.Notify();
                   });
    finished.WaitForNotification();
    if (raw.status.ok()) raw.answer = TextOf(answer);
    for (const auto& [key, value] : context.GetServerTrailingMetadata()) {
      raw.trailers.emplace(std::string(key.data(), key.size()),
                           std::string(value.data(), value.size()));
    }
    return raw;
  }

  // The log from here on, until Lines().
  void WatchLog() {
    log_ = keys_.path() + "/log";
    log_fd_ = open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    SetLogDescriptor(log_fd_);
  }
  std::string Lines() {
    SetLogDescriptor(-1);
    close(log_fd_);
    std::ostringstream text;
    text << std::ifstream(log_).rdbuf();
    return text.str();
  }

  TemporaryFolder keys_;
  StandingClock clock_;
  Metrics metrics_;
  std::unique_ptr<IdSource> ids_;
  std::unique_ptr<Signer> registry_;
  std::unique_ptr<Signer> scoring_;
  std::unique_ptr<Signer> other_;
  std::unique_ptr<Verifier> verifier_;
  ServerOptions options_;
  bool in_process_ = false;
  Handlers handlers_;
  std::unique_ptr<Service> records_;
  Service feed_{"fadu.common.v1.FactFeedService"};
  absl::Notification running_;
  absl::Notification release_;
  std::atomic<int> gets_{0};
  std::string log_;
  int log_fd_ = -1;
  std::shared_ptr<Channel> channel_;
  std::unique_ptr<Server> server_;  // goes first
};

// ---- The same over both ways in. ----

class BothWays : public ServeTest, public ::testing::WithParamInterface<bool> {
 protected:
  BothWays() {
    in_process_ = GetParam();
    if (in_process_) options_.listen = "";
  }
};
INSTANTIATE_TEST_SUITE_P(Serve, BothWays, ::testing::Bool(),
                         [](const auto& way) { return way.param ? "InProcess" : "OverTcp"; });

TEST_P(BothWays, ACallIsAnswered) {
  Start();
  v1::Record record;
  ASSERT_TRUE(channel_->Call(kGet, GetRequest(), &record, AsClerk()).ok());
  EXPECT_EQ(record.name(), kName);
}

TEST_P(BothWays, TheHandlerSeesWhoAsksAndUntilWhen) {
  CallContext seen;
  handlers_.get = [&seen](const CallContext& call, const v1::GetRecordRequest&) {
    seen = call;
    return v1::Record();
  };
  Start();
  CallOptions options = AsClerk();
  options.language = "en";
  options.request_id = "request-7";
  options.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  ASSERT_TRUE(Get(options).ok());
  EXPECT_EQ(seen.principal.subject, "accounts/0190a5b0-0000-7000-8000-000000000001");
  EXPECT_TRUE(seen.principal.HasRole(v1::ROLE_TOWN_CLERK));
  EXPECT_EQ(seen.now, clock_.Now());
  EXPECT_LE(seen.deadline, options.deadline + absl::Seconds(1));  // gRPC rounds up
  EXPECT_GT(seen.deadline, absl::Now());
  EXPECT_EQ(seen.language, "en");
  EXPECT_EQ(seen.request_id, "request-7");
  EXPECT_EQ(seen.traceparent, options.traceparent);
}

TEST_P(BothWays, ACallWithoutIdentityIsRefused) {
  Start();
  EXPECT_THAT(Get(As("")), FailsWith(Code::kUnauthenticated, "REASON_IDENTITY_MISSING"));
  EXPECT_THAT(Get(As("nonsense")), FailsWith(Code::kUnauthenticated, "REASON_IDENTITY_MISSING"));
}

TEST_P(BothWays, AnExpiredIdentityIsRefused) {
  Start();
  const CallOptions options = AsClerk();
  clock_.Advance(absl::Minutes(10));
  EXPECT_THAT(Get(options), FailsWith(Code::kUnauthenticated, "REASON_IDENTITY_EXPIRED"));
}

TEST_P(BothWays, ARoleThatTheMethodDoesNotNameIsRefused) {
  Start();
  EXPECT_THAT(Get(As(User(v1::ROLE_AUDITOR))),
              FailsWith(Code::kPermissionDenied, "REASON_ROLE_DENIED"));
}

// Auditor of the county and clerk of one town: the clerk's method is the town's.
TEST_P(BothWays, OnlyTheGrantsThatAllowTheMethodReachTheHandler) {
  Principal seen;
  handlers_.get = [&seen](const CallContext& call, const v1::GetRecordRequest&) {
    seen = call.principal;
    return v1::Record();
  };
  Start();
  v1::Identity identity = UserIdentity(v1::ROLE_TOWN_CLERK, clock_.Now());
  v1::Grant* grant = identity.add_grants();
  grant->set_role(v1::ROLE_AUDITOR);
  grant->set_area_code("421221");
  ASSERT_TRUE(Get(As(*registry_->Sign(identity))).ok());
  ASSERT_EQ(seen.grants.size(), 1u);
  EXPECT_EQ(seen.grants[0].role, v1::ROLE_TOWN_CLERK);
  EXPECT_EQ(seen.grants[0].area_code, "421221106");
}

TEST_P(BothWays, AServiceIsAllowedByName) {
  Start();
  v1::PullFactsRequest request;
  request.set_county_code("421221");
  v1::PullFactsResponse response;
  EXPECT_TRUE(channel_->Call(kFacts, request, &response, As(ServiceToken(*scoring_))).ok());
  EXPECT_THAT(channel_->Call(kFacts, request, &response, As(ServiceToken(*other_))),
              FailsWith(Code::kPermissionDenied, "REASON_ROLE_DENIED"));
  EXPECT_THAT(channel_->Call(kFacts, request, &response, As(User(v1::ROLE_COUNTY_ADMIN))),
              FailsWith(Code::kPermissionDenied, "REASON_ROLE_DENIED"));
}

TEST_P(BothWays, AnyServiceHoldsTheRoleOfServices) {
  Start();
  EXPECT_TRUE(Get(As(ServiceToken(*other_))).ok());
}

// Permission comes before validation, so that a refusal tells nothing about the request.
TEST_P(BothWays, WhoMayNotCallIsNotToldWhatIsWrong) {
  Start();
  v1::Record record;
  EXPECT_THAT(channel_->Call(kGet, v1::GetRecordRequest(), &record, As(User(v1::ROLE_AUDITOR))),
              FailsWith(Code::kPermissionDenied, "REASON_ROLE_DENIED"));
}

TEST_P(BothWays, WhatBreaksTheRulesIsNamed) {
  Start();
  v1::Record record;
  const absl::Status status = channel_->Call(kGet, v1::GetRecordRequest(), &record, AsClerk());
  EXPECT_THAT(status, FailsWith(Code::kInvalidArgument, "REASON_FIELD_INVALID"));
  ASSERT_EQ(DetailOf(status).violations.size(), 1u);
  EXPECT_EQ(DetailOf(status).violations[0].field, "name");
}

TEST_P(BothWays, TheHandlersFailureComesBackAsItWas) {
  handlers_.get = [](const CallContext&, const v1::GetRecordRequest&) {
    return Fail(Code::kNotFound, v1::REASON_NOT_FOUND, "no such record", {{"name", "x"}});
  };
  Start();
  const absl::Status status = Get(AsClerk());
  EXPECT_THAT(status, FailsWith(Code::kNotFound, "REASON_NOT_FOUND"));
  EXPECT_EQ(status.message(), "no such record");
  EXPECT_EQ(DetailOf(status).metadata["name"], "x");
}

TEST_P(BothWays, WhatAHandlerThrowsIsInternal) {
  handlers_.get = [](const CallContext&,
                     const v1::GetRecordRequest&) -> absl::StatusOr<v1::Record> {
    throw std::runtime_error("secret of the driver");
  };
  Start();
  WatchLog();
  CallOptions options = AsClerk();
  options.request_id = "request-8";
  const absl::Status status = Get(options);
  EXPECT_THAT(status, FailsWith(Code::kInternal, "REASON_INTERNAL"));
  EXPECT_EQ(status.message(), "internal error, request request-8");
  EXPECT_EQ(DetailOf(status).metadata["request"], "request-8");
  EXPECT_THAT(Lines(), HasSubstr("secret of the driver"));
}

TEST_P(BothWays, ARecordingCallIsFinishedFromAnotherThread) {
  std::promise<Recorded> handed;
  handlers_.create = [&handed](const CallContext&, const v1::CreateRecordRequest&,
                               const Recorded& done) { handed.set_value(done); };
  Start();
  std::thread writer([&handed] {
    v1::Record record;
    record.set_revision(7);
    handed.get_future().get()(record);
  });
  v1::Record record;
  EXPECT_TRUE(channel_->Call(kCreate, CreateRequest(), &record, AsClerk()).ok());
  EXPECT_EQ(record.revision(), 7);
  writer.join();
}

TEST_P(BothWays, ASecondAnswerIsIgnored) {
  handlers_.create = [](const CallContext&, const v1::CreateRecordRequest&, const Recorded& done) {
    done(v1::Record());
    done(v1::Record());
    done(absl::InternalError("third"));
  };
  Start();
  WatchLog();
  EXPECT_TRUE(Create(AsClerk()).ok());
  server_->Drain(absl::Seconds(10));
  const std::string lines = Lines();
  EXPECT_EQ(lines.find("answered twice"), lines.rfind("answered twice"));
  EXPECT_THAT(lines, HasSubstr("answered twice"));
}

TEST_P(BothWays, ADroppedCallIsInternal) {
  handlers_.create = [](const CallContext&, const v1::CreateRecordRequest&, const Recorded&) {};
  Start();
  EXPECT_THAT(Create(AsClerk()), FailsWith(Code::kInternal, "REASON_INTERNAL"));
}

TEST_P(BothWays, TooManyCallsAreRefused) {
  options_.running = 1;
  options_.waiting = 0;
  BlockGet();
  Start();
  std::future<absl::Status> first = GetLater(AsClerk());
  running_.WaitForNotification();
  EXPECT_THAT(Get(AsClerk()), FailsWith(Code::kResourceExhausted, "REASON_OVERLOADED"));
  release_.Notify();
  EXPECT_TRUE(first.get().ok());
}

TEST_P(BothWays, AQueuedCallNeedsNoPlaceAmongThoseThatRun) {
  options_.running = 1;
  options_.waiting = 0;
  BlockGet();
  Start();
  std::future<absl::Status> first = GetLater(AsClerk());
  running_.WaitForNotification();
  v1::ListRecordTypesResponse types;
  EXPECT_EQ(channel_->Call("/fadu.common.v1.RecordService/ListRecordTypes",
                           v1::ListRecordTypesRequest(), &types, AsClerk()),
            absl::OkStatus());
  release_.Notify();
  EXPECT_TRUE(first.get().ok());
}

TEST_P(BothWays, TooManyRecordingCallsAreRefused) {
  options_.recording = 1;
  std::promise<Recorded> handed;
  handlers_.create = [&handed](const CallContext&, const v1::CreateRecordRequest&,
                               const Recorded& done) { handed.set_value(done); };
  Start();
  auto record = std::make_shared<v1::Record>();
  std::promise<absl::Status> first;
  channel_->CallAsync(kCreate, CreateRequest(), record.get(), AsClerk(),
                      [&first](absl::Status status) { first.set_value(status); });
  const Recorded done = handed.get_future().get();
  EXPECT_THAT(Create(AsClerk()), FailsWith(Code::kResourceExhausted, "REASON_OVERLOADED"));
  done(v1::Record());
  EXPECT_TRUE(first.get_future().get().ok());
}

// The callers allow twenty seconds; the server's own limit is what passes.
TEST_P(BothWays, ADeadlineThatPassesInTheQueueIsToldWithoutRunning) {
  options_.running = 1;
  options_.max_deadline = absl::Milliseconds(200);
  BlockGet();
  Start();
  std::future<absl::Status> first = GetLater(AsClerk());
  running_.WaitForNotification();
  const absl::Status second = Get(AsClerk());
  EXPECT_THAT(second, FailsWith(Code::kDeadlineExceeded, "REASON_DEADLINE_EXCEEDED"));
  EXPECT_THAT(std::string(second.message()), HasSubstr("while the call waited"));
  release_.Notify();
  EXPECT_TRUE(first.get().ok());
  EXPECT_EQ(gets_, 1);
}

TEST_P(BothWays, TheCallersOwnDeadlineEndsItsWait) {
  BlockGet();
  Start();
  CallOptions options = AsClerk();
  options.deadline = absl::Now() + absl::Milliseconds(50);
  EXPECT_THAT(Get(options), FailsWith(Code::kDeadlineExceeded, "REASON_DEADLINE_EXCEEDED"));
  release_.Notify();
}

TEST_P(BothWays, DrainLetsARunningCallFinish) {
  BlockGet();
  Start();
  std::future<absl::Status> first = GetLater(AsClerk());
  running_.WaitForNotification();
  std::thread drain([this] { server_->Drain(absl::Seconds(30)); });
  // A new call is refused once draining has begun; until then it waits, so it gets little time.
  CallOptions hasty = AsClerk();
  absl::Status refused;
  do {
    hasty.deadline = absl::Now() + absl::Milliseconds(50);
    refused = Get(hasty);
  } while (refused.code() == Code::kDeadlineExceeded);
  EXPECT_THAT(refused, FailsWith(Code::kUnavailable, "REASON_UNAVAILABLE"));
  release_.Notify();
  EXPECT_TRUE(first.get().ok());
  drain.join();
}

TEST_P(BothWays, DrainCancelsWhatDoesNotFinishInTime) {
  options_.running = 1;
  BlockGet();
  Start();
  std::future<absl::Status> running = GetLater(AsClerk());
  running_.WaitForNotification();
  std::thread drain([this] { server_->Drain(absl::ZeroDuration()); });
  EXPECT_THAT(running.get(), FailsWith(Code::kUnavailable, "REASON_UNAVAILABLE"));
  release_.Notify();  // the server waits for the handler, or its memory would be gone
  drain.join();
}

TEST_P(BothWays, AServerThatIsGoneIsUnavailable) {
  Start();
  server_.reset();
  EXPECT_THAT(Get(AsClerk()), FailsWith(Code::kUnavailable, "REASON_UNAVAILABLE"));
}

TEST_P(BothWays, AServiceCallsForAUser) {
  CallContext seen;
  handlers_.get = [&seen](const CallContext& call, const v1::GetRecordRequest&) {
    seen = call;
    return v1::Record();
  };
  Start();
  CallOptions options = As(ServiceToken(*other_));
  options.actor = User(v1::ROLE_TOWN_CLERK);
  ASSERT_TRUE(Get(options).ok());
  EXPECT_EQ(seen.principal.subject, "accounts/0190a5b0-0000-7000-8000-000000000001");
  EXPECT_FALSE(seen.principal.is_service);
}

// GetRecord is open to every service, but that must not open it to every user of a service.
TEST_P(BothWays, AUserGetsNothingByTheServiceThatCalls) {
  Start();
  CallOptions options = As(ServiceToken(*other_));
  options.actor = User(v1::ROLE_AUDITOR);
  EXPECT_THAT(Get(options), FailsWith(Code::kPermissionDenied, "REASON_ROLE_DENIED"));
}

TEST_P(BothWays, AServiceThatTheMethodNamesMayCallForAnyUser) {
  Start();
  v1::PullFactsRequest request;
  request.set_county_code("421221");
  v1::PullFactsResponse response;
  CallOptions options = As(ServiceToken(*scoring_));
  options.actor = User(v1::ROLE_TOWN_CLERK);
  EXPECT_TRUE(channel_->Call(kFacts, request, &response, options).ok());
}

TEST_P(BothWays, AnActorMustBeGenuineToo) {
  Start();
  CallOptions options = As(ServiceToken(*other_));
  options.actor = "nonsense";
  EXPECT_THAT(Get(options), FailsWith(Code::kUnauthenticated, "REASON_IDENTITY_MISSING"));
  options.actor = ServiceToken(*scoring_);
  EXPECT_THAT(Get(options), FailsWith(Code::kPermissionDenied, "REASON_ROLE_DENIED"));
}

TEST_P(BothWays, AnExpiredActorIsRefused) {
  Start();
  CallOptions options;
  options.deadline = Soon();
  options.actor = User(v1::ROLE_TOWN_CLERK);
  clock_.Advance(absl::Minutes(10));
  options.bearer = ServiceToken(*other_);
  EXPECT_THAT(Get(options), FailsWith(Code::kUnauthenticated, "REASON_IDENTITY_EXPIRED"));
}

TEST_P(BothWays, AUserCannotCallForAnother) {
  Start();
  CallOptions options = As(User(v1::ROLE_TOWN_CLERK));
  options.actor = User(v1::ROLE_COUNTY_ADMIN);
  EXPECT_THAT(Get(options), FailsWith(Code::kPermissionDenied, "REASON_ROLE_DENIED"));
}

TEST_P(BothWays, AMessageOverTheLimitIsRefused) {
  options_.max_message_bytes = 1000;
  Start();
  v1::GetRecordRequest request;
  request.set_name(std::string(5000, 'x'));
  v1::Record record;
  EXPECT_THAT(channel_->Call(kGet, request, &record, AsClerk()),
              FailsWith(Code::kResourceExhausted, "REASON_TOO_LARGE"));
}

// ---- Over TCP only: what the wire shows. ----

std::multimap<std::string, std::string> Bearer(const std::string& token) {
  return {{"authorization", "Bearer " + token}};
}

TEST_F(ServeTest, ARecordingCallNeedsADeadline) {
  Start();
  const Raw raw = CallRaw(kCreate, BytesOf(CreateRequest()), Bearer(User(v1::ROLE_TOWN_CLERK)),
                          absl::InfiniteFuture());
  EXPECT_THAT(FromWire(raw.status), FailsWith(Code::kInvalidArgument, "REASON_DEADLINE_REQUIRED"));
}

TEST_F(ServeTest, AnyOtherCallGetsTheLongestDeadline) {
  absl::Time deadline;
  handlers_.get = [&deadline](const CallContext& call, const v1::GetRecordRequest&) {
    deadline = call.deadline;
    return v1::Record();
  };
  Start();
  const Raw raw = CallRaw(kGet, BytesOf(GetRequest()), Bearer(User(v1::ROLE_TOWN_CLERK)),
                          absl::InfiniteFuture());
  ASSERT_TRUE(raw.status.ok());
  EXPECT_LE(deadline, absl::Now() + options_.max_deadline);
  EXPECT_GT(deadline, absl::Now());
}

TEST_F(ServeTest, ALongDeadlineIsClamped) {
  options_.max_deadline = absl::Seconds(5);
  absl::Time deadline;
  handlers_.get = [&deadline](const CallContext& call, const v1::GetRecordRequest&) {
    deadline = call.deadline;
    return v1::Record();
  };
  Start();
  ASSERT_TRUE(Get(AsClerk()).ok());
  EXPECT_LE(deadline, absl::Now() + absl::Seconds(5));
}

TEST_F(ServeTest, BytesThatAreNoRequestAreRefused) {
  Start();
  const grpc::Slice slice("\x0a\xff\xff");
  const Raw raw = CallRaw(kGet, grpc::ByteBuffer(&slice, 1), Bearer(User(v1::ROLE_TOWN_CLERK)));
  EXPECT_THAT(FromWire(raw.status), FailsWith(Code::kInvalidArgument, "REASON_FIELD_INVALID"));
}

// A client that ends its side without a message.
TEST_F(ServeTest, ACallWithoutAMessageIsRefused) {
  Start();
  grpc::GenericStub stub(grpc::CreateChannel(Address(), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(Soon()));
  context.AddMetadata("authorization", "Bearer " + User(v1::ROLE_TOWN_CLERK));
  grpc::CompletionQueue queue;
  void* tag = nullptr;
  bool ok = false;
  auto call = stub.PrepareCall(&context, kGet, &queue);
  call->StartCall(nullptr);
  queue.Next(&tag, &ok);
  call->WritesDone(nullptr);
  queue.Next(&tag, &ok);
  grpc::Status status;
  call->Finish(&status, nullptr);
  queue.Next(&tag, &ok);
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(Get(AsClerk()).ok());
}

// Which of two tokens was meant is not for us to guess.
TEST_F(ServeTest, TwoTokensAreNone) {
  Start();
  auto metadata = Bearer(User(v1::ROLE_TOWN_CLERK));
  metadata.emplace("authorization", "Bearer " + User(v1::ROLE_COUNTY_ADMIN));
  const Raw raw = CallRaw(kGet, BytesOf(GetRequest()), metadata);
  EXPECT_THAT(FromWire(raw.status), FailsWith(Code::kUnauthenticated, "REASON_IDENTITY_MISSING"));
}

google::rpc::LocalizedMessage TextFor(const grpc::Status& status) {
  google::rpc::Status wire;
  EXPECT_TRUE(wire.ParseFromString(status.error_details()));
  google::rpc::LocalizedMessage text;
  for (const auto& any : wire.details()) {
    if (any.UnpackTo(&text)) break;
  }
  return text;
}

TEST_F(ServeTest, PeopleReadChineseUnlessTheyAskForEnglish) {
  Start();
  const Raw zh = CallRaw(kGet, BytesOf(GetRequest()), {});
  EXPECT_EQ(TextFor(zh.status).locale(), "zh-CN");
  EXPECT_EQ(TextFor(zh.status).message(), "未登录或身份凭证无效，请重新获取令牌");
  const Raw en = CallRaw(kGet, BytesOf(GetRequest()), {{"accept-language", "en-GB,en;q=0.9"}});
  EXPECT_EQ(TextFor(en.status).locale(), "en");
  EXPECT_EQ(TextFor(en.status).message(), "sign in first: the token is missing or not valid");
}

TEST_F(ServeTest, TheRequestIdComesBack) {
  Start();
  const Raw kept = CallRaw(kGet, BytesOf(GetRequest()), {{"x-request-id", "my-id-1"}});
  EXPECT_THAT(kept.trailers, ::testing::Contains(::testing::Pair("x-request-id", "my-id-1")));
  const Raw replaced =
      CallRaw(kGet, BytesOf(GetRequest()), {{"x-request-id", "not an id; drop table"}});
  EXPECT_THAT(replaced.trailers,
              ::testing::Contains(::testing::Pair("x-request-id", ::testing::SizeIs(36))));
}

TEST_F(ServeTest, ATraceparentThatIsNoneIsReplaced) {
  std::string seen;
  handlers_.get = [&seen](const CallContext& call, const v1::GetRecordRequest&) {
    seen = call.traceparent;
    return v1::Record();
  };
  Start();
  for (const char* wrong : {"", "junk", "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}) {
    CallOptions options = AsClerk();
    options.traceparent = wrong;
    ASSERT_TRUE(Get(options).ok());
    EXPECT_NE(seen, wrong);
    EXPECT_THAT(seen, ::testing::MatchesRegex("00-[0-9a-f]+-[0-9a-f]+-00"));
    EXPECT_EQ(seen.size(), 55u);
  }
}

TEST_F(ServeTest, AnUnknownMethodIsUnimplemented) {
  Start();
  EXPECT_EQ(
      CallRaw("/fadu.common.v1.RecordService/No", BytesOf(GetRequest()), {}).status.error_code(),
      grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(ServeTest, ACallThatItsCallerCancelsFinishesCleanly) {
  BlockGet();
  Start();
  {
    grpc::GenericStub stub(grpc::CreateChannel(Address(), grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(Soon()));
    context.AddMetadata("authorization", "Bearer " + User(v1::ROLE_TOWN_CLERK));
    grpc::ByteBuffer request = BytesOf(GetRequest());
    grpc::ByteBuffer answer;
    absl::Notification finished;
    stub.UnaryCall(&context, kGet, grpc::StubOptions(), &request, &answer,
                   [&finished](const grpc::Status& status) {
                     EXPECT_EQ(status.error_code(), grpc::StatusCode::CANCELLED);
                     finished.Notify();
                   });
    running_.WaitForNotification();
    context.TryCancel();
    finished.WaitForNotification();
  }
  release_.Notify();
  EXPECT_TRUE(Get(AsClerk()).ok());
  server_->Drain(absl::Seconds(10));
}

TEST_F(ServeTest, ACallLeavesOneLineWithoutNames) {
  Start();
  WatchLog();
  CallOptions options = AsClerk();
  options.request_id = "request-9";
  ASSERT_TRUE(Get(options).ok());
  const std::string lines = Lines();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 1);
  EXPECT_THAT(lines, AllOf(HasSubstr("\"rpc\":\"fadu.common.v1.RecordService/GetRecord\""),
                           HasSubstr("\"service\":\"mediation\""),
                           HasSubstr("\"request_id\":\"request-9\""),
                           HasSubstr("\"actor\":\"accounts/0190a5b0"), HasSubstr("\"code\":\"OK\""),
                           HasSubstr("\"duration_us\":"), Not(HasSubstr("张三"))));
}

TEST_F(ServeTest, CallsAreMeasured) {
  Start();
  ASSERT_TRUE(Get(AsClerk()).ok());
  ASSERT_FALSE(Get(As("")).ok());
  EXPECT_THAT(metrics_.Scrape(),
              AllOf(HasSubstr("grpc_server_call_started_total{"
                              "grpc_method=\"fadu.common.v1.RecordService/GetRecord\","
                              "service=\"mediation\"} 2"),
                    HasSubstr("grpc_status=\"UNAUTHENTICATED\",service=\"mediation\"} 1")));
}

// grpc.health.v1.Health/Check: field 1 of the request is the service, of the answer the status.
std::string HealthRequest(absl::string_view service) {
  if (service.empty()) return std::string();
  return absl::StrCat("\x0a", std::string(1, static_cast<char>(service.size())), service);
}

TEST_F(ServeTest, HealthKnowsTheServerAndItsServices) {
  Start();
  for (const char* name :
       {"", "mediation", "fadu.common.v1.RecordService", "fadu.common.v1.FactFeedService"}) {
    const grpc::Slice slice(HealthRequest(name));
    const Raw raw = CallRaw("/grpc.health.v1.Health/Check", grpc::ByteBuffer(&slice, 1), {});
    EXPECT_TRUE(raw.status.ok()) << name << raw.status.error_message();
    EXPECT_EQ(raw.answer, "\x08\x01") << name;  // SERVING
  }
}

// The names that reflection lists, as one text; empty when it is off.
std::string Reflected(const std::string& address) {
  grpc::GenericStub stub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(Soon()));
  grpc::CompletionQueue queue;
  void* tag = nullptr;
  bool ok = false;
  auto call = stub.PrepareCall(
      &context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
  call->StartCall(nullptr);
  queue.Next(&tag, &ok);
  const grpc::Slice slice(std::string("\x3a\x00", 2));  // list_services: ""
  call->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), nullptr);
  queue.Next(&tag, &ok);
  grpc::ByteBuffer answer;
  call->Read(&answer, nullptr);
  queue.Next(&tag, &ok);
  const std::string text = ok ? TextOf(answer) : std::string();
  grpc::Status status;
  call->Finish(&status, nullptr);
  queue.Next(&tag, &ok);
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  return text;
}

TEST_F(ServeTest, ReflectionListsTheServicesWhenAsked) {
  options_.reflection = true;
  Start();
  EXPECT_THAT(Reflected(Address()), AllOf(HasSubstr("fadu.common.v1.RecordService"),
                                          HasSubstr("fadu.common.v1.FactFeedService")));
}

TEST_F(ServeTest, ReflectionIsOffOtherwise) {
  Start();
  EXPECT_EQ(Reflected(Address()), "");
}

// ---- Start. ----

TEST_F(ServeTest, AnIncompleteServiceIsRefused) {
  const Service empty("fadu.common.v1.FactFeedService");
  const auto server = Server::Start(options_, {&empty}, *verifier_, clock_, *ids_, metrics_);
  EXPECT_EQ(server.status().code(), Code::kFailedPrecondition);
  EXPECT_EQ(server.status().message(), "fadu.common.v1.FactFeedService.PullFacts has no handler");
}

TEST_F(ServeTest, ARecordingMethodMustBeHandledAsSuch) {
  Service service("fadu.common.v1.RecordService");
  Fill<v1::ListRecordTypesRequest, v1::ListRecordTypesResponse>(service, "ListRecordTypes");
  Fill<v1::CreateRecordRequest, v1::Record>(service, "CreateRecord");
  EXPECT_THAT(std::string(service.CheckComplete().message()),
              HasSubstr("CreateRecord is recording"));
}

TEST_F(ServeTest, AListenerThatIsNotLoopbackIsRefused) {
  for (const char* listen : {"0.0.0.0:0", "[::]:0", "10.0.0.1:0", "example.org:443", "127.0.0.1",
                             "127.0.0.1.example.org:0", ":0"}) {
    options_.listen = listen;
    EXPECT_EQ(TryStart().status().code(), Code::kFailedPrecondition) << listen;
  }
}

TEST_F(ServeTest, APortInUseIsRefused) {
  Start();
  options_.listen = Address();
  EXPECT_EQ(TryStart().status().code(), Code::kFailedPrecondition);
}

// ---- Peers. ----

TEST_F(ServeTest, APeerIsCalledOnTheServicesOwnAccount) {
  std::string subject;
  handlers_.get = [&subject](const CallContext& call, const v1::GetRecordRequest&) {
    subject = call.principal.subject;
    return v1::Record();
  };
  Start();
  Peers peers(SignerOf(keys_.path(), "scoring"), clock_, &metrics_);
  peers.Add("mediation", channel_);
  v1::Record record;
  EXPECT_TRUE(peers.Call(Soon(), "mediation", kGet, GetRequest(), &record).ok());
  EXPECT_EQ(subject, "services/scoring");
  EXPECT_THAT(metrics_.Scrape(),
              HasSubstr("grpc_client_attempt_duration_seconds_count{grpc_method="
                        "\"fadu.common.v1.RecordService/GetRecord\",grpc_status=\"OK\"} 1"));
}

TEST_F(ServeTest, APeersIdentityIsRenewedInTime) {
  Start();
  Peers peers(SignerOf(keys_.path(), "scoring"), clock_, nullptr);
  peers.Add("mediation", channel_);
  v1::Record record;
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(peers.Call(Soon(), "mediation", kGet, GetRequest(), &record).ok());
    clock_.Advance(absl::Seconds(29));
  }
}

TEST_F(ServeTest, APeerThatIsNotKnownIsSaid) {
  Peers peers(nullptr, clock_, nullptr);
  v1::Record record;
  EXPECT_FALSE(peers.Has("mediation"));
  EXPECT_THAT(peers.Call(Soon(), "mediation", kGet, GetRequest(), &record),
              FailsWith(Code::kFailedPrecondition, "REASON_UNAVAILABLE"));
}

TEST_F(ServeTest, APeerThatDoesNotAnswerIsUnavailable) {
  Start();
  const std::string address = Address();
  server_.reset();
  v1::Record record;
  EXPECT_THAT(Channel::ToAddress(address)->Call(kGet, GetRequest(), &record, AsClerk()),
              FailsWith(Code::kUnavailable, "REASON_UNAVAILABLE"));
}

// On its own account the service might be given what the user may not see.
TEST_F(ServeTest, AUsersCallIsNotPassedOnWithoutTheUser) {
  Start();
  Peers peers(SignerOf(keys_.path(), "scoring"), clock_, nullptr);
  peers.Add("mediation", channel_);
  CallContext call;
  call.principal.subject = "accounts/0190a5b0-0000-7000-8000-000000000001";
  call.deadline = Soon();
  v1::Record record;
  EXPECT_THAT(peers.Call(call, "mediation", kGet, GetRequest(), &record),
              FailsWith(Code::kUnauthenticated, "REASON_IDENTITY_MISSING"));
}

// The first call's context is what the second is made with, as a service would.
TEST_F(ServeTest, AUsersCallIsPassedOnWithTheUser) {
  std::vector<CallContext> seen;
  std::mutex mutex;
  handlers_.get = [&](const CallContext& call, const v1::GetRecordRequest&) {
    const std::lock_guard<std::mutex> lock(mutex);
    seen.push_back(call);
    return v1::Record();
  };
  Start();
  CallOptions options = AsClerk();
  options.language = "en";
  ASSERT_TRUE(Get(options).ok());

  Peers peers(SignerOf(keys_.path(), "scoring"), clock_, nullptr);
  peers.Add("mediation", channel_);
  v1::Record record;
  ASSERT_TRUE(peers.Call(seen[0], "mediation", kGet, GetRequest(), &record).ok());
  EXPECT_EQ(seen[1].principal.subject, seen[0].principal.subject);
  EXPECT_EQ(seen[1].request_id, seen[0].request_id);
  EXPECT_EQ(seen[1].traceparent, seen[0].traceparent);
  EXPECT_EQ(seen[1].language, "en");
  EXPECT_LT(seen[1].deadline, seen[0].deadline + absl::Seconds(1));  // gRPC rounds up
}

TEST_F(ServeTest, ATokenThatHttpCannotCarryIsRefusedHere) {
  Start();
  EXPECT_THAT(Get(As("a\nb")), FailsWith(Code::kUnauthenticated, "REASON_IDENTITY_MISSING"));
}

}  // namespace
}  // namespace fadu::rpc
