// what the suite's own process may come to weigh. `fadu up` runs by itself, with limits set
// low, is attacked over TCP, and its high-water mark is read before and after.

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/time/clock.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "common/rpc/channel.h"
#include "common/rpc/identity.h"
#include "common/rpc/raw_http2_test_support.h"
#include "common/testing/status_matchers.h"
#include "common/testing/test_database.h"
#include "fadu/assessment/v1/assessment_service.pb.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/common/v1/record_service.pb.h"
#include "fadu/common/v1/token.pb.h"
#include "fadu/mediation/v1/dispute.pb.h"
#include "fadu/registry/v1/registry_service.pb.h"
#include "tests/guard/guard_suite.h"

namespace fadu::guard {
namespace {

namespace v1 = ::fadu::common::v1;
using rpc::RawHttp2;

constexpr int64_t kMebi = 1 << 20;
constexpr char kRecords[] = "/fadu.common.v1.RecordService/";
// The limits under which it runs.
constexpr int64_t kBuffer = 64 * kMebi;
constexpr int kDeadlineSeconds = 5;
// The stated bound. Of one server: 64 MiB of requests and answers on their way, and as much again
// in gRPC's hands (its quota is twice the buffer). Parsed, and in the allocator's, they weigh about
// as much once more: 4 × 64. The rest, 128, is a thousand connections at some 64 KiB and what eight
// handlers hold while they run.
constexpr int64_t kBound = 4 * kBuffer + 128 * kMebi;

// `fadu up` on a folder of its own.
class Program {
 public:
  Program() {
    const std::string config = folder_.path() + "/fadu.json";
    std::ofstream(config) << "{\"data_folder\":\"" << data()
                          << "\",\"limits\":{\"buffer_mebibytes\":" << kBuffer / kMebi
                          << ",\"deadline_seconds\":" << kDeadlineSeconds << "}}";
    pid_ = fork();
    if (pid_ == 0) {
      const int log = open(log_path().c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
      dup2(log, 1);
      dup2(log, 2);
      execl(FADU_PROGRAM, FADU_PROGRAM, "up", "--config", config.c_str(), nullptr);
      _exit(127);
    }
    const absl::Time give_up = absl::Now() + absl::Seconds(60);
    while (!std::filesystem::exists(endpoints()) && absl::Now() < give_up) {
      absl::SleepFor(absl::Milliseconds(10));
    }
    google::protobuf::Struct ports;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(SourceFile(endpoints()), &ports).ok())
        << SourceFile(log_path());
    for (const auto& [name, address] : ports.fields()) addresses_[name] = address.string_value();
  }
  ~Program() {
    kill(pid_, SIGTERM);
    int state = 0;
    waitpid(pid_, &state, 0);
    EXPECT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == 0) << state << SourceFile(log_path());
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  std::string data() const { return folder_.path() + "/data"; }
  std::string log_path() const { return folder_.path() + "/fadu.log"; }
  const std::string& address(const std::string& service) const { return addresses_.at(service); }
  int port(const std::string& service) const {
    int port = 0;
    EXPECT_TRUE(absl::SimpleAtoi(address(service).substr(address(service).rfind(':') + 1), &port));
    return port;
  }
  bool running() const { return waitpid(pid_, nullptr, WNOHANG) == 0; }

  // Bytes, of /proc's VmHWM and VmRSS.
  int64_t HighWater() const { return Status("VmHWM:"); }
  int64_t Resident() const { return Status("VmRSS:"); }

 private:
  std::string endpoints() const { return data() + "/run/endpoints.json"; }
  int64_t Status(const std::string& key) const {
    std::ifstream in(absl::StrCat("/proc/", pid_, "/status"));
    std::string word;
    int64_t kibi = 0;
    while (in >> word) {
      if (word == key && in >> kibi) return kibi * 1024;
    }
    ADD_FAILURE() << key;
    return 0;
  }

  testing::TempFolder folder_;
  pid_t pid_ = -1;
  std::map<std::string, std::string> addresses_;
};

// One program for all tests: what they leave behind counts too.
class Memory : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    rlimit files{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = std::min<rlim_t>(files.rlim_max, 8192);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
    ids_ = NewUuidV7Source(SystemClock());
    program_ = std::make_unique<Program>();
    Populate();
    before_ = program_->HighWater();
  }
  static void TearDownTestSuite() {
    program_.reset();
    ids_.reset();
  }

  Memory() : reviewer_(Bearer(v1::ROLE_TOWN_REVIEWER, kTown)), list_(WholePage()) {}
  // Within the bound since the beginning, and still serving.
  ~Memory() override {
    Served();
    std::cout << "high water " << program_->HighWater() / kMebi << " MiB, resident "
              << program_->Resident() / kMebi << " MiB, before " << before_ / kMebi << " MiB"
              << std::endl;
    EXPECT_LT(program_->HighWater() - before_, kBound);
  }

  static std::string Parent() { return absl::StrCat("counties/", kCounty); }

  static std::string Bearer(v1::Role role, const std::string& area) {
    v1::Identity identity;
    identity.set_subject("accounts/018f0000-0000-7000-8000-0000000000aa");
    identity.set_expire_seconds(absl::ToUnixSeconds(absl::Now() + absl::Minutes(14)));
    identity.add_grants()->set_role(role);
    identity.mutable_grants(0)->set_area_code(area);
    const auto registry = rpc::Signer::Load(program_->data() + "/keys", "registry");
    EXPECT_THAT(registry.status(), IsOk());
    return *(*registry)->Sign(identity);
  }

  static rpc::CallOptions Options(const std::string& bearer) {
    rpc::CallOptions options;
    options.bearer = bearer;
    options.deadline = absl::Now() + absl::Seconds(60);
    return options;
  }

  static std::shared_ptr<rpc::Channel> Connect(const std::string& service) {
    return rpc::Channel::ToAddress(program_->address(service));
  }

  static std::string NewId() { return ids_->NewId().ToString(); }

  // Areas, and four hundred disputes with long titles: some 200 KiB a page.
  static void Populate() {
    fadu::registry::v1::ImportAreasRequest areas;
    areas.set_parent(Parent());
    areas.set_tsv(SourceFile("deploy/sample/jiayu-2024/areas.tsv"));
    areas.set_as_of_date("2023-06-30");
    areas.set_source("test");
    fadu::registry::v1::ImportAreasResponse imported;
    ASSERT_THAT(Connect("registry")
                    ->Call("/fadu.registry.v1.RegistryService/ImportAreas", areas, &imported,
                           Options(Bearer(v1::ROLE_COUNTY_ADMIN, kCounty))),
                IsOk());
    ASSERT_TRUE(imported.imported());
    std::string title;
    for (int i = 0; i < 200; ++i) title += "长";
    for (int batch = 0; batch < 4; ++batch) {
      v1::BatchCreateRecordsRequest create;
      create.set_parent(Parent());
      create.set_request_id(NewId());
      for (int i = 0; i < 100; ++i) {
        fadu::mediation::v1::Dispute dispute;
        FillRequired(dispute, kVillage, "示范");
        dispute.set_title(title);
        create.add_records()->PackFrom(dispute);
      }
      v1::BatchCreateRecordsResponse created;
      ASSERT_THAT(Connect("mediation")
                      ->Call(absl::StrCat(kRecords, "BatchCreateRecords"), create, &created,
                             Options(Bearer(v1::ROLE_TOWN_REVIEWER, kTown))),
                  IsOk());
    }
  }

  static v1::ListRecordsRequest WholePage() {
    v1::ListRecordsRequest list;
    list.set_parent(Parent());
    list.set_collection("disputes");
    list.set_page_size(200);
    return list;
  }

  // Whoever asks nicely gets a whole page, once there is room again.
  void Served() {
    const auto channel = Connect("mediation");
    absl::Status status;
    v1::ListRecordsResponse page;
    const absl::Time give_up = absl::Now() + absl::Seconds(60);
    do {
      status =
          channel->Call(absl::StrCat(kRecords, "ListRecords"), list_, &page, Options(reviewer_));
    } while (!status.ok() && ReasonOf(status) == "REASON_OVERLOADED" && absl::Now() < give_up);
    EXPECT_THAT(status, IsOk());
    EXPECT_EQ(page.records_size(), 200);
    EXPECT_TRUE(program_->running());
  }

  RawHttp2::Metadata Raw() const { return {{"authorization", "Bearer " + reviewer_}}; }

  static inline std::unique_ptr<IdSource> ids_;
  static inline std::unique_ptr<Program> program_;
  static inline int64_t before_ = 0;
  const std::string reviewer_;
  const v1::ListRecordsRequest list_;
};

// Sixty-four messages of nearly four mebibytes at once over eight connections, four times: a
// gibibyte in all, a quarter of one at a time.
TEST_F(Memory, AGibibyteOfRequestsIsHeldInPartOnly) {
  v1::CreateRecordRequest request;
  request.set_parent(Parent());
  request.set_request_id(NewId());
  fadu::mediation::v1::Dispute dispute;
  dispute.set_title(std::string(4 * kMebi - 200, 'x'));
  request.mutable_record()->PackFrom(dispute);
  ASSERT_LT(request.ByteSizeLong(), static_cast<size_t>(4 * kMebi));
  std::vector<std::shared_ptr<rpc::Channel>> channels;
  for (int i = 0; i < 8; ++i) channels.push_back(Connect("mediation"));
  std::map<std::string, int> reasons;
  for (int round = 0; round < 4; ++round) {
    std::mutex mutex;
    absl::BlockingCounter left(64);
    std::vector<v1::Record> answers(64);
    for (size_t i = 0; i < answers.size(); ++i) {
      channels[i % channels.size()]->CallAsync(absl::StrCat(kRecords, "CreateRecord"), request,
                                               &answers[i], Options(reviewer_),
                                               [&](const absl::Status& status) {
                                                 {
                                                   const std::lock_guard<std::mutex> lock(mutex);
                                                   ++reasons[ReasonOf(status)];
                                                 }
                                                 left.DecrementCount();
                                               });
    }
    left.Wait();
  }
  // Some were read, and said to be wrong; others found no room, or no time.
  for (const auto& [reason, count] : reasons) std::cout << count << " × " << reason << std::endl;
  EXPECT_GT(reasons["REASON_FIELD_INVALID"], 0);
  for (const auto& [reason, count] : reasons) {
    EXPECT_THAT(reason, ::testing::AnyOf("REASON_FIELD_INVALID", "REASON_OVERLOADED",
                                         "REASON_UNAVAILABLE", "REASON_DEADLINE_EXCEEDED"));
  }
}

// A hundred callers ask for the largest page twenty times each and never read: some 400 MiB.
TEST_F(Memory, AnswersThatNobodyReadsAreHeldInPartOnly) {
  const std::string message = list_.SerializeAsString();
  std::vector<std::unique_ptr<RawHttp2>> lazy;
  for (int i = 0; i < 100; ++i) {
    lazy.push_back(std::make_unique<RawHttp2>(program_->port("mediation")));
    for (uint32_t j = 0; j < 20; ++j) {
      ASSERT_TRUE(
          lazy.back()->Call(2 * j + 1, absl::StrCat(kRecords, "ListRecords"), Raw(), message));
    }
  }
  // With the connections still there, and unread: their time passes, and the room is free again.
  Served();
}

// One byte at a time, for as long as the server stands it.
TEST_F(Memory, ASlowReaderIsGivenUp) {
  const std::string message = list_.SerializeAsString();
  std::vector<std::unique_ptr<RawHttp2>> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(std::make_unique<RawHttp2>(program_->port("mediation")));
    // SETTINGS_INITIAL_WINDOW_SIZE = 1.
    ASSERT_TRUE(slow.back()->Send(RawHttp2::kSettings, 0, 0, std::string("\0\4\0\0\0\1", 6)));
    ASSERT_TRUE(slow.back()->Call(1, absl::StrCat(kRecords, "ListRecords"), Raw(), message));
  }
  // Meanwhile others are served at once.
  Served();
  for (const auto& client : slow) {
    bool given_up = false;
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    while (!given_up && absl::Now() < deadline) {
      const auto frame = client->Next(absl::Now() + absl::Milliseconds(200));
      given_up =
          !client->connected() ||
          (frame.has_value() && (frame->type == RawHttp2::kRstStream || frame->ends_stream()));
      if (frame.has_value() && frame->type == RawHttp2::kData) {
        client->Send(RawHttp2::kWindowUpdate, 0, 1, std::string("\0\0\0\1", 4));
      }
    }
    EXPECT_TRUE(given_up);
  }
}

TEST_F(Memory, AThousandConnectionsAreHeld) {
  std::vector<std::unique_ptr<RawHttp2>> crowd;
  for (int i = 0; i < 1000; ++i) {
    crowd.push_back(std::make_unique<RawHttp2>(program_->port("mediation")));
    ASSERT_TRUE(crowd.back()->connected()) << i;
  }
  for (const auto& client : crowd) {
    ASSERT_TRUE(client->AcceptSettings(absl::Now() + absl::Seconds(20)));
  }
  Served();
}

// Rubrics that grow when they are read, a hundred of them, eight at once.
TEST_F(Memory, ARubricThatIsABombTakesNoMoreThanItsBytes) {
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 20; ++i) {
    absl::StrAppend(&laughs, "a", i, ": &a", i, " [*a", i - 1);
    for (int j = 0; j < 9; ++j) absl::StrAppend(&laughs, ", *a", i - 1);
    absl::StrAppend(&laughs, "]\n");
  }
  std::string wide = "lines:\n";
  while (wide.size() < 380000) absl::StrAppend(&wide, "  - {x: 1}\n");
  const std::vector<std::string> sources = {laughs, wide, "lines: " + std::string(380000, '['),
                                            "lines: " + std::string(380000, '{')};
  std::vector<std::thread> callers;
  for (size_t i = 0; i < 8; ++i) {
    callers.emplace_back([&, i] {
      const auto channel = Connect("assessment");
      for (size_t j = 0; j < 12; ++j) {
        fadu::assessment::v1::CheckRubricRequest request;
        request.set_source(sources[(i + j) % sources.size()]);
        fadu::assessment::v1::CheckRubricResponse response;
        const absl::Status status =
            channel->Call("/fadu.assessment.v1.AssessmentService/CheckRubric", request, &response,
                          Options(reviewer_));
        EXPECT_TRUE(!status.ok() || response.findings_size() > 0);
        EXPECT_NE(status.code(), absl::StatusCode::kInternal) << status;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

}  // namespace
}  // namespace fadu::guard
