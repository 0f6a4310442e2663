// What HTTP costs: the same call through the gateway as JSON and straight to the service by gRPC.
//
//   bench_gateway --fadu PROGRAM [--pairs 5] [--seconds 3] [--smoke]
//
// Starts `fadu up` in a process of its own, its gateway with one thread, and asks one service for
// its record types, which touches no database: what differs is the way. Latency is measured with
// one caller, throughput with 16 connections, in pairs whose order alternates; the figures are
// medians of the pairs' differences and ratios. Goals: at most 200 µs more per call, at least 4,000
// requests/s. Exit status 0 says that every call was answered rightly, whatever the figures are.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/rpc/identity.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/common/v1/record_service.pb.h"
#include "services/fadu/suite.h"
#include "tests/bench/load.h"
#include "tests/bench/machine.h"

namespace fadu::bench {
namespace {

namespace fs = std::filesystem;
namespace v1 = ::fadu::common::v1;

constexpr char kMethod[] = "/fadu.common.v1.RecordService/ListRecordTypes";
constexpr int kConnections = 16;

struct Settings {
  std::string fadu;
  int pairs = 5;
  double seconds = 3;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

// One connection that stays open.
class HttpConnection {
 public:
  HttpConnection(const std::string& address, std::string request) : request_(std::move(request)) {
    const std::vector<std::string> parts = absl::StrSplit(address, ':');
    sockaddr_in end{};
    end.sin_family = AF_INET;
    end.sin_port = htons(static_cast<uint16_t>(std::stoi(parts.at(1))));
    inet_pton(AF_INET, parts[0].c_str(), &end.sin_addr);
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    const int yes = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&end), sizeof end) != 0) Die("cannot connect");
  }
  ~HttpConnection() { close(fd_); }

  // Sends the request and reads the answer; false when it is not 200 with the record type.
  bool Call() {
    if (write(fd_, request_.data(), request_.size()) != static_cast<ssize_t>(request_.size())) {
      return false;
    }
    std::string answer;
    size_t whole = 0;
    char buffer[16384];
    while (whole == 0 || answer.size() < whole) {
      const ssize_t got = read(fd_, buffer, sizeof buffer);
      if (got <= 0) return false;
      answer.append(buffer, static_cast<size_t>(got));
      const size_t head = answer.find("\r\n\r\n");
      if (whole != 0 || head == std::string::npos) continue;
      const size_t length = answer.find("Content-Length: ");
      if (length == std::string::npos) return false;
      whole = head + 4 + static_cast<size_t>(std::stoul(answer.substr(length + 16)));
    }
    return absl::StartsWith(answer, "HTTP/1.1 200") && absl::StrContains(answer, "\"disputes\"");
  }

 private:
  const std::string request_;
  int fd_ = -1;
};

class Bench {
 public:
  explicit Bench(const Settings& settings) : settings_(settings) {
    std::string name = (fs::temp_directory_path() / "fadu-bench-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    fs::permissions(folder_,
                    fs::perms::owner_all | fs::perms::others_exec | fs::perms::others_read);
    const std::string config = folder_ + "/config.json";
    std::ofstream(config) << "{\"data_folder\":\"" << folder_
                          << "/data\",\"log_level\":\"warning\",\"gateway\":{\"threads\":1,"
                             "\"user_calls_per_second\":10000}}";
    server_ = std::make_unique<Background>(
        std::vector<std::string>{settings.fadu, "up", "--config", config}, folder_ + "/fadu.log");
    BeforeDeath([this] { server_.reset(); });
    const std::string endpoints = cli::EndpointsFile(folder_ + "/data");
    for (int i = 0; i < 600 && server_->Running() && !fs::exists(endpoints); ++i) {
      absl::SleepFor(absl::Milliseconds(50));
    }
    const auto read = cli::ReadEndpoints(endpoints);
    if (!read.ok()) Die(absl::StrCat("fadu did not start; see ", folder_, "/fadu.log"));
    endpoints_ = *read;
    const auto signer = rpc::Signer::Load(folder_ + "/data/keys", "registry");
    if (!signer.ok()) Die(signer.status().ToString());
    // Users enough that none meets the limit of calls.
    for (int i = 0; i < kConnections; ++i) {
      v1::Identity identity;
      identity.set_subject(absl::StrFormat("accounts/018f0000-0000-7000-8000-%012d", i));
      v1::Grant& grant = *identity.add_grants();
      grant.set_role(v1::ROLE_TOWN_CLERK);
      grant.set_area_code("421221106");
      identity.set_expire_seconds(absl::ToUnixSeconds(absl::Now() + absl::Minutes(15)));
      const auto token = (*signer)->Sign(std::move(identity));
      if (!token.ok()) Die(token.status().ToString());
      bearers_.push_back(*token);
    }
  }
  ~Bench() {
    BeforeDeath(nullptr);
    server_.reset();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  LoadResult Grpc(int callers) {
    const v1::ListRecordTypesRequest request;
    const v1::ListRecordTypesResponse response;
    LoadOptions options;
    options.target = endpoints_.at("mediation");
    options.method = kMethod;
    options.channels = callers;
    options.callers = callers;
    options.warm_up = absl::Milliseconds(200);
    options.measure = absl::Seconds(settings_.seconds);
    options.request = &request;
    options.response = &response;
    options.next = [](int, google::protobuf::Message&, const google::protobuf::Message*) {};
    options.bearer = [this](int caller) { return bearers_.at(static_cast<size_t>(caller)); };
    LoadResult result = RunLoad(options);
    if (!result.failure.empty()) Die(result.failure);
    return result;
  }

  LoadResult Http(int callers) {
    const absl::Time begin = absl::Now() + absl::Milliseconds(200);
    const absl::Time end = begin + absl::Seconds(settings_.seconds);
    std::vector<std::vector<double>> took(static_cast<size_t>(callers));
    std::atomic<bool> wrong{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < callers; ++i) {
      threads.emplace_back([&, i] {
        HttpConnection connection(
            endpoints_.at("gateway"),
            absl::StrCat("POST /mediation", kMethod,
                         " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                         "Authorization: Bearer ",
                         bearers_[static_cast<size_t>(i)], "\r\nContent-Length: 2\r\n\r\n{}"));
        for (absl::Time now = absl::Now(); now < end;) {
          if (!connection.Call()) {
            wrong = true;
            return;
          }
          const absl::Time then = absl::Now();
          if (now >= begin) {
            took[static_cast<size_t>(i)].push_back(absl::ToDoubleMilliseconds(then - now));
          }
          now = then;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    if (wrong) Die("an answer through the gateway was wrong");
    LoadResult result;
    for (const auto& one : took) {
      result.milliseconds.insert(result.milliseconds.end(), one.begin(), one.end());
    }
    std::sort(result.milliseconds.begin(), result.milliseconds.end());
    result.measured = static_cast<int64_t>(result.milliseconds.size());
    result.seconds = absl::ToDoubleSeconds(absl::Now() - begin);
    return result;
  }

  void Measure(int callers) {
    std::vector<double> more, ratios, rates, direct, p50s, p99s;
    for (int pair = 0; pair < settings_.pairs; ++pair) {
      LoadResult http, grpc;
      if (pair % 2 == 0) {
        http = Http(callers);
        grpc = Grpc(callers);
      } else {
        grpc = Grpc(callers);
        http = Http(callers);
      }
      more.push_back(1000 * (http.percentile(0.5) - grpc.percentile(0.5)));
      ratios.push_back(http.rate() / grpc.rate());
      rates.push_back(http.rate());
      direct.push_back(grpc.rate());
      p50s.push_back(1000 * http.percentile(0.5));
      p99s.push_back(1000 * http.percentile(0.99));
    }
    std::printf(
        "%2d connection(s): HTTP %6.0f/s (p50 %.0f us, p99 %.0f us), gRPC %6.0f/s, "
        "HTTP / gRPC %.2f, p50 %+.0f us\n",
        callers, Median(rates), Median(p50s), Median(p99s), Median(direct), Median(ratios),
        Median(more));
  }

 private:
  const Settings settings_;
  std::string folder_;
  std::unique_ptr<Background> server_;
  std::map<std::string, std::string> endpoints_;
  std::vector<std::string> bearers_;
};

int Main(const std::vector<std::string>& words) {
  Settings settings;
  for (size_t i = 1; i < words.size(); ++i) {
    const bool more = i + 1 < words.size();
    if (words[i] == "--fadu" && more) {
      settings.fadu = words[++i];
    } else if (words[i] == "--pairs" && more) {
      settings.pairs = std::stoi(words[++i]);
    } else if (words[i] == "--seconds" && more) {
      settings.seconds = std::stod(words[++i]);
    } else if (words[i] == "--smoke") {
      settings.pairs = 1;
      settings.seconds = 0.3;
    } else {
      Die(absl::StrCat("unknown word: ", words[i]));
    }
  }
  if (settings.fadu.empty()) Die("--fadu PROGRAM is missing");
  Bench bench(settings);
  bench.Measure(1);
  bench.Measure(kConnections);
  std::printf("goals: p50 at most +200 us with one connection; at least 4,000/s with 16\n");
  return 0;
}

}  // namespace
}  // namespace fadu::bench

int main(int count, char** words) {
  return fadu::bench::Main(std::vector<std::string>(words, words + count));
}
