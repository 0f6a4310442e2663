// Records disputes through the public RPCs while others kill things, and says afterwards whether
// every acknowledged write is there exactly once.
//
//   recorder record --data DIR --log FILE --seconds N --callers N
//   recorder verify --data DIR --log FILE
//
// The log is fsynced before an acknowledgement is used. `verify` prints one JSON line:
// {"acknowledged":…,"lost":…,"duplicated":…,"gaps":…} and exits 1 when any but the first is not 0.

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "fadu/common/v1/record_service.pb.h"
#include "fadu/mediation/v1/dispute.pb.h"
#include "services/fadu/client.h"

namespace fadu {
namespace {

namespace v1 = ::fadu::common::v1;
constexpr char kTitle[] = "故障演练 ";

class AckLog {
 public:
  explicit AckLog(const std::string& path)
      : fd_(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {}
  ~AckLog() { close(fd_); }
  // Durable when this returns.
  void Append(const std::string& line) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const std::string text = line + "\n";
    if (write(fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        fdatasync(fd_) != 0) {
      std::abort();
    }
  }

 private:
  std::mutex mutex_;
  const int fd_;
};

cli::Args ArgsFor(const std::string& data) {
  cli::Args args;
  args.flags["data"] = data;
  args.flags["as"] = "421221106";
  args.flags["timeout"] = "5";
  return args;
}

// A client of whoever serves the folder now; waits while nobody does. Never starts a suite itself.
std::unique_ptr<cli::Client> Connect(const std::string& data, absl::Time give_up) {
  while (absl::Now() < give_up) {
    cli::Args args = ArgsFor(data);
    if (std::ifstream(cli::EndpointsFile(data)).good()) {
      args.flags["endpoints"] = cli::EndpointsFile(data);
      args.flags["token-file"] = absl::StrCat(data, "/client/recorder.secret");
      auto client = cli::Client::Connect(args);
      if (client.ok()) return *std::move(client);
    }
    absl::SleepFor(absl::Milliseconds(20));
  }
  return nullptr;
}

v1::CreateRecordRequest Wish(const std::string& request_id) {
  fadu::mediation::v1::Dispute dispute;
  dispute.set_area_code("421221106200");
  dispute.set_found_date("2024-06-01");
  dispute.set_title(kTitle + request_id);
  dispute.set_category(fadu::mediation::v1::DISPUTE_CATEGORY_OTHER);
  v1::CreateRecordRequest request;
  request.set_parent("counties/421221");
  request.mutable_record()->PackFrom(dispute);
  request.set_request_id(request_id);
  request.set_submit(true);
  return request;
}

int Record(const std::string& data, const std::string& log_path, int seconds, int callers) {
  AckLog log(log_path);
  const absl::Time end = absl::Now() + absl::Seconds(seconds);
  // What is begun is retried with its id until it is answered, also after the end.
  const absl::Time give_up = end + absl::Seconds(60);
  std::atomic<int64_t> acknowledged{0};
  std::atomic<int64_t> retries{0};
  std::atomic<int64_t> abandoned{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < callers; ++i) {
    threads.emplace_back([&] {
      const std::unique_ptr<IdSource> ids = NewUuidV7Source(SystemClock());
      std::unique_ptr<cli::Client> client;
      while (absl::Now() < end) {
        const std::string id = ids->NewId().ToString();
        while (true) {
          if (absl::Now() > give_up) {
            ++abandoned;
            break;
          }
          if (client == nullptr) client = Connect(data, give_up);
          if (client == nullptr) continue;
          v1::Record record;
          const absl::Status status = client->Call(
              "mediation", "/fadu.common.v1.RecordService/CreateRecord", Wish(id), &record);
          if (status.ok()) {
            log.Append(absl::StrCat(id, " ", record.name()));
            ++acknowledged;
            break;
          }
          ++retries;
          client.reset();
          absl::SleepFor(absl::Milliseconds(20));
        }
        // Every seventh wish is repeated after its answer, as a caller that lost it would.
        if (client != nullptr && acknowledged % 7 == 0) {
          v1::Record again;
          if (!client
                   ->Call("mediation", "/fadu.common.v1.RecordService/CreateRecord", Wish(id),
                          &again)
                   .ok()) {
            client.reset();
          }
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::printf("{\"acknowledged\":%lld,\"retries\":%lld,\"abandoned\":%lld}\n",
              static_cast<long long>(acknowledged), static_cast<long long>(retries),
              static_cast<long long>(abandoned));
  return abandoned == 0 ? 0 : 1;
}

absl::Status VerifyOn(cli::Client& client, const std::string& log_path, int64_t* acknowledged,
                      int64_t* lost, int64_t* duplicated, int64_t* gaps) {
  std::map<std::string, int> stored;         // by title
  std::map<std::string, std::string> names;  // title → name
  v1::ListRecordsRequest list;
  list.set_parent("counties/421221");
  list.set_collection("disputes");
  list.set_page_size(200);
  do {
    v1::ListRecordsResponse page;
    FADU_RETURN_IF_ERROR(
        client.Call("mediation", "/fadu.common.v1.RecordService/ListRecords", list, &page));
    for (const v1::Record& record : page.records()) {
      fadu::mediation::v1::Dispute dispute;
      if (!record.record().UnpackTo(&dispute)) continue;
      if (++stored[dispute.title()] > 1) ++*duplicated;
      names[dispute.title()] = record.name();
    }
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());

  std::ifstream in(log_path);
  std::string line;
  while (std::getline(in, line)) {
    const std::vector<std::string> parts = absl::StrSplit(line, ' ');
    if (parts.size() != 2) continue;
    ++*acknowledged;
    const auto found = names.find(kTitle + parts[0]);
    if (found == names.end() || found->second != parts[1]) ++*lost;
  }

  // The audit log: 1, 2, 3 … with a chain that holds.
  FADU_RETURN_IF_ERROR(client.SignInAs("admin"));
  v1::ListEventsRequest events;
  events.set_parent("counties/421221");
  events.set_page_size(200);
  int64_t expected = 1;
  do {
    v1::ListEventsResponse page;
    FADU_RETURN_IF_ERROR(
        client.Call("mediation", "/fadu.common.v1.RecordService/ListEvents", events, &page));
    for (const v1::Event& event : page.events()) {
      if (event.seq() != expected) ++*gaps;
      expected = event.seq() + 1;
    }
    events.set_page_token(page.next_page_token());
  } while (!events.page_token().empty());
  v1::VerifyEventsRequest verify;
  verify.set_parent("counties/421221");
  v1::VerifyEventsResponse verified;
  return client.Call("mediation", "/fadu.common.v1.RecordService/VerifyEvents", verify, &verified);
}

int Verify(const std::string& data, const std::string& log_path) {
  cli::Args args = ArgsFor(data);
  auto client = cli::Client::Connect(args);
  int64_t acknowledged = 0, lost = 0, duplicated = 0, gaps = 0;
  absl::Status status = client.status();
  if (client.ok()) {
    status = VerifyOn(**client, log_path, &acknowledged, &lost, &duplicated, &gaps);
  }
  if (!status.ok()) std::fprintf(stderr, "verify: %s\n", status.ToString().c_str());
  std::printf(
      "{\"acknowledged\":%lld,\"lost\":%lld,\"duplicated\":%lld,\"gaps\":%lld,\"chain\":%s}\n",
      static_cast<long long>(acknowledged), static_cast<long long>(lost),
      static_cast<long long>(duplicated), static_cast<long long>(gaps),
      status.ok() ? "true" : "false");
  return status.ok() && acknowledged > 0 && lost == 0 && duplicated == 0 && gaps == 0 ? 0 : 1;
}

}  // namespace
}  // namespace fadu

int main(int argc, char** argv) {
  std::map<std::string, std::string> flags;
  for (int i = 2; i + 1 < argc; i += 2) flags[argv[i]] = argv[i + 1];
  const std::string verb = argc > 1 ? argv[1] : "";
  int seconds = 5;
  int callers = 8;
  (void)absl::SimpleAtoi(flags["--seconds"], &seconds);
  (void)absl::SimpleAtoi(flags["--callers"], &callers);
  if (verb == "record") return fadu::Record(flags["--data"], flags["--log"], seconds, callers);
  if (verb == "verify") return fadu::Verify(flags["--data"], flags["--log"]);
  std::fprintf(stderr,
               "recorder record|verify --data DIR --log FILE [--seconds N] [--callers N]\n");
  return 64;
}
