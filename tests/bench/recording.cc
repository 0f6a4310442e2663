// How fast recording and reading are, beside what PostgreSQL itself does with the same rows.
//
//   bench_recording --fadu PROGRAM [--pairs 5] [--seconds 3] [--only NAME,…] [--json FILE]
//   [--smoke]
//
// Starts a private PostgreSQL with durable defaults and `fadu serve --services=mediation` in a
// process of its own, and calls it through gRPC. Every scenario is measured in pairs, Fadu then
// PostgreSQL or the other way round, and the figure is the median of the pairs' ratios: what else
// runs on the machine changes minute by minute, and both halves of a pair meet about the same. What
// was acknowledged is counted in the database afterwards, on both sides. Exit status 0 says that
// the counts hold, whatever the ratios are; with --smoke the run is too short for ratios to mean
// anything.

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/db/migrate.h"
#include "common/db/private_cluster.h"
#include "common/host/host.h"
#include "common/rpc/channel.h"
#include "common/rpc/identity.h"
#include "common/schema/record_type.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/common/v1/record_service.pb.h"
#include "fadu/mediation/v1/dispute.pb.h"
#include "services/fadu/modules.h"
#include "tests/bench/baseline.h"
#include "tests/bench/load.h"
#include "tests/bench/machine.h"

namespace fadu::bench {
namespace {

namespace fs = std::filesystem;
namespace v1 = ::fadu::common::v1;
namespace mediation = ::fadu::mediation::v1;

constexpr char kService[] = "mediation";
constexpr char kCreate[] = "/fadu.common.v1.RecordService/CreateRecord";
constexpr char kBatchCreate[] = "/fadu.common.v1.RecordService/BatchCreateRecords";
constexpr char kUpdate[] = "/fadu.common.v1.RecordService/UpdateRecord";
constexpr char kGet[] = "/fadu.common.v1.RecordService/GetRecord";
constexpr char kList[] = "/fadu.common.v1.RecordService/ListRecords";
constexpr int kBatchRecords = 200;  // the most a batch may hold
constexpr int kBatchCallers = 4;
constexpr int kSpread = 32;  // counties of the scenario without group commits

struct Settings {
  std::string fadu;
  std::string json;
  std::string only;
  int pairs = 5;
  double seconds = 3;
  double warm_up = 0.5;
  bool smoke = false;
  std::string keep;  // folder; empty: a temporary one
};

// Nobody's county, one for each purpose.
std::string County(int number) { return absl::StrCat(421000 + number); }

mediation::Dispute MakeDispute(const std::string& county, int salt) {
  mediation::Dispute dispute;
  dispute.set_area_code(absl::StrCat(county, "106200"));
  dispute.set_found_date(absl::StrFormat("2024-%02d-%02d", 1 + salt % 12, 1 + salt % 28));
  dispute.set_title(absl::StrCat("相邻排水纠纷（示例", salt, "）"));
  dispute.set_category(mediation::DISPUTE_CATEGORY_NEIGHBOUR);
  dispute.set_people_count(2 + salt % 5);
  dispute.set_amount_e4(10000LL * (1 + salt % 300));
  for (int i = 0; i < 2; ++i) {
    mediation::Party& party = *dispute.add_parties();
    party.set_name(absl::StrCat("示例当事人", i == 0 ? "甲" : "乙", salt));
    party.set_phone(absl::StrCat("100", 10000000 + salt * 2 + i));
  }
  return dispute;
}

// Fadu in a process of its own beside a durable PostgreSQL.
class Suite {
 public:
  Suite(const Settings& settings, const std::string& folder) : folder_(folder) {
    auto started = db::PrivateCluster::Start({folder});
    if (!started.ok()) Die(started.status().ToString());
    cluster_ = *std::move(started);
    BeforeDeath([this] {
      server_.reset();
      cluster_.reset();
    });
    keys_ = absl::StrCat(folder, "/keys");
    if (const absl::Status made = host::EnsureKeys(keys_, cli::AllServices()); !made.ok()) {
      Die(made.ToString());
    }
    // Peers get addresses at which nobody answers: recording calls none.
    std::vector<std::string> peers;
    for (const std::string& name : cli::AllServices()) {
      if (name == kService) continue;
      peers.push_back(absl::StrCat("\"", name, "\": {\"address\": \"127.0.0.1:1\"}"));
    }
    Write("admin.dsn", cluster_->admin_dsn());
    const std::string config = Write(
        "fadu.json",
        absl::StrCat("{\"database_dsn\": \"",
                     absl::StrReplaceAll(cluster_->admin_dsn(), {{"\\", "\\\\"}}),
                     "\", \"admin_dsn_file\": \"", folder, "/admin.dsn\", ", "\"keys_folder\": \"",
                     keys_, "\", \"services\": {", absl::StrJoin(peers, ", "), "}}\n"));
    (void)Run({settings.fadu, "migrate", "--config", config});
    const std::string log = absl::StrCat(folder, "/fadu.log");
    server_ =
        std::make_unique<Background>(std::vector<std::string>{settings.fadu, "serve", "--services",
                                                              kService, "--config", config},
                                     log);
    target_ = AddressIn(log);
    auto signer = rpc::Signer::Load(keys_, "registry");
    if (!signer.ok()) Die(signer.status().ToString());
    signer_ = *std::move(signer);
  }
  ~Suite() {
    BeforeDeath(nullptr);
    server_.reset();
  }

  // Somebody who records in one county, is its auditor and nothing more; good for an hour.
  std::string Bearer(const std::string& county, int number) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::string& bearer = bearers_[{county, number}];
    if (!bearer.empty()) return bearer;
    v1::Identity identity;
    identity.set_subject(absl::StrFormat("accounts/018f0000-0000-7000-8000-%012d", number));
    identity.set_display_name(absl::StrCat("压测员（示例", number, "）"));
    for (const v1::Role role : {v1::ROLE_TOWN_REVIEWER, v1::ROLE_AUDITOR}) {
      v1::Grant& grant = *identity.add_grants();
      grant.set_role(role);
      grant.set_area_code(county);
    }
    identity.set_expire_seconds(absl::ToUnixSeconds(absl::Now() + absl::Hours(1)));
    const absl::StatusOr<std::string> token = signer_->Sign(std::move(identity));
    if (!token.ok()) Die(token.status().ToString());
    return bearer = *token;
  }

  void Call(const std::string& county, const char* method, const google::protobuf::Message& request,
            google::protobuf::Message* response) {
    rpc::CallOptions options;
    options.deadline = absl::Now() + absl::Seconds(29);
    options.bearer = Bearer(county, 0);
    const absl::Status status =
        rpc::Channel::ToAddress(target_)->Call(method, request, response, options);
    if (!status.ok()) Die(absl::StrCat(method, ": ", status.ToString()));
  }

  Cpu ReadCpuNow() const { return ReadCpu(server_->pid(), cluster_->postmaster_pid()); }
  const std::string& target() const { return target_; }
  const std::string& admin_dsn() const { return cluster_->admin_dsn(); }
  std::string service_dsn() const {
    std::ifstream in(absl::StrCat(keys_, "/", kService, ".dbpass"));
    const std::string password((std::istreambuf_iterator<char>(in)),
                               std::istreambuf_iterator<char>());
    return db::WithDsn(db::WithDsn(cluster_->admin_dsn(), "user", absl::StrCat("fadu_", kService)),
                       "password", password);
  }

 private:
  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = absl::StrCat(folder_, "/", name);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
    return path;
  }

  std::string AddressIn(const std::string& log) const {
    for (int i = 0; i < 600 && server_->Running(); ++i) {
      std::ifstream in(log);
      std::string line;
      while (std::getline(in, line)) {
        const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
        if (words.size() == 2 && words[0] == kService) return words[1];
      }
      absl::SleepFor(absl::Milliseconds(50));
    }
    Die(absl::StrCat("fadu did not start; see ", log));
  }

  const std::string folder_;
  std::string keys_;
  std::unique_ptr<db::PrivateCluster> cluster_;
  std::unique_ptr<Background> server_;
  std::string target_;
  std::unique_ptr<rpc::Signer> signer_;
  std::mutex mutex_;
  std::map<std::pair<std::string, int>, std::string> bearers_;
};

// ---- what is compared --------------------------------------------------------------------------

// One side of a pair.
struct Half {
  double rate = 0;     // records or reads per second
  double mean_ms = 0;  // of a call or transaction; 0: not said
  double p50_ms = 0;
  double p99_ms = 0;
  int64_t count = 0;  // records or reads, warm-up and all
  Cpu cpu;
};

struct Pair {
  Half fadu;
  Half baseline;
};

struct Scenario {
  std::string name;
  std::string title;
  double goal = 0;             // least ratio; 0: none
  double latency_goal = 0;     // most p99 ÷ the baseline's mean; 0: none
  std::string baseline_title;  // empty: none
  std::function<Half()> fadu;
  std::function<Half()> baseline;
  std::vector<Pair> pairs;
};

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

class Bench {
 public:
  Bench(const Settings& settings, const std::string& folder)
      : settings_(settings),
        suite_(settings, folder),
        type_(RecordType::FromDescriptor(mediation::Dispute::descriptor())->release()),
        baseline_(suite_.admin_dsn(), suite_.service_dsn(), kService, *type_, folder),
        ids_(NewUuidV7Source(SystemClock())) {
    v1::CreateRecordRequest request;
    request.set_parent(absl::StrCat("counties/", County(0)));
    request.set_request_id(ids_->NewId().ToString());
    request.mutable_record()->PackFrom(MakeDispute(County(0), 1));
    request.set_submit(true);
    v1::Record record;
    suite_.Call(County(0), kCreate, request, &record);
    pattern_ = record.name();
    ++expected_[County(0)];
    baseline_.Learn(County(0), pattern_.substr(pattern_.rfind('/') + 1));
    Define();
  }

  // Nothing else: the pairs.
  void Measure() {
    const std::vector<std::string> only = absl::StrSplit(settings_.only, ',', absl::SkipEmpty());
    std::erase_if(scenarios_, [&only](const Scenario& scenario) {
      return !only.empty() && std::find(only.begin(), only.end(), scenario.name) == only.end();
    });
    if (scenarios_.empty()) Die("--only names no scenario");
    for (int i = 0; i < settings_.pairs; ++i) {
      for (Scenario& scenario : scenarios_) {
        Pair pair;
        const auto fadu = [&] { pair.fadu = Timed(scenario.fadu); };
        const auto baseline = [&] {
          if (scenario.baseline) pair.baseline = Timed(scenario.baseline);
        };
        // Copying needs the rows that were just written, so that its baseline never comes first.
        if (i % 2 == 0 || scenario.name == "batch") {
          fadu();
          baseline();
        } else {
          baseline();
          fadu();
        }
        scenario.pairs.push_back(pair);
        std::fprintf(stderr, "pair %d of %d: %-14s %9.0f/s", i + 1, settings_.pairs,
                     scenario.name.c_str(), pair.fadu.rate);
        if (scenario.baseline) {
          std::fprintf(stderr, " against %9.0f/s = %.2f", pair.baseline.rate,
                       pair.fadu.rate / pair.baseline.rate);
        }
        std::fprintf(stderr, "\n");
      }
    }
  }

  // Everything acknowledged is there once, and the chain of every county holds.
  void Verify() {
    for (const auto& [county, count] : expected_) {
      const auto rows = [&, name = county](const std::string& table) {
        return baseline_.Ask(absl::StrCat("SELECT count(*)::text FROM mediation.", table,
                                          " WHERE county_code = '", name, "'"));
      };
      const int64_t events = rows("event");
      const int64_t records = rows("dispute");
      const int64_t seq = baseline_.Ask(absl::StrCat(
          "SELECT seq::text FROM mediation.counter WHERE county_code = '", county, "'"));
      if (events != count || seq != count || records != count - updates_[county]) {
        Die(absl::StrCat("county ", county, ": acknowledged ", count, ", events ", events, ", seq ",
                         seq, ", records ", records, " beside updates ", updates_[county]));
      }
      verified_ += count;
    }
    v1::VerifyEventsRequest request;
    v1::VerifyEventsResponse response;
    const std::string county = County(kSpread + 40);
    if (expected_.count(county) == 0) return;
    request.set_parent(absl::StrCat("counties/", county));
    suite_.Call(county, "/fadu.common.v1.RecordService/VerifyEvents", request, &response);
  }

  std::string Table() const {
    std::string text = absl::StrFormat("%-56s %10s %10s %6s %13s %5s  %s\n", "", "Fadu/s",
                                       "baseline/s", "ratio", "(from - to)", "goal", "");
    for (const Scenario& scenario : scenarios_) {
      const Summary sum = Summarise(scenario);
      absl::StrAppendFormat(&text, "%-56s %10.0f ", scenario.title, sum.fadu_rate);
      if (scenario.baseline) {
        absl::StrAppendFormat(&text, "%10.0f %6.2f %13s %5s  %s\n", sum.baseline_rate, sum.ratio,
                              absl::StrFormat("(%.2f - %.2f)", sum.low, sum.high),
                              scenario.goal > 0 ? absl::StrFormat("%.1f", scenario.goal) : "",
                              scenario.goal == 0           ? ""
                              : sum.ratio >= scenario.goal ? "reached"
                                                           : "MISSED");
      } else {
        absl::StrAppend(&text, "\n");
      }
      absl::StrAppendFormat(&text, "    p50 %.2f ms, p99 %.2f ms", sum.p50, sum.p99);
      if (scenario.latency_goal > 0) {
        absl::StrAppendFormat(&text, " = %.2f x baseline's mean (goal at most %.1f: %s)",
                              sum.latency, scenario.latency_goal,
                              sum.latency <= scenario.latency_goal ? "reached" : "MISSED");
      }
      absl::StrAppendFormat(&text, "\n    CPU us each: client %.0f, server %.0f, PostgreSQL %.0f",
                            sum.client_us, sum.server_us, sum.database_us);
      if (scenario.baseline) {
        absl::StrAppendFormat(&text, "; baseline %.0f + %.0f", sum.baseline_client_us,
                              sum.baseline_database_us);
      }
      absl::StrAppend(&text, "\n");
    }
    return text;
  }

  // What the machine was while this ran: how much of it others had.
  std::string Noise() const {
    double others = 0, stolen = 0, seconds = 0;
    for (const Scenario& scenario : scenarios_) {
      for (const Pair& pair : scenario.pairs) {
        for (const Half* half : {&pair.fadu, &pair.baseline}) {
          others += half->cpu.others();
          stolen += half->cpu.stolen;
        }
      }
    }
    seconds = measured_seconds_;
    const auto cores = static_cast<double>(std::thread::hardware_concurrency());
    return absl::StrFormat(
        "Machine: %.0f cores; while this was measured, other programs had %.2f and the host took "
        "%.2f of them.\nWith more than about 0.2 of either, trust only ratios whose spread is "
        "narrow.\n",
        cores, others / seconds, stolen / seconds);
  }

  std::string Json() const {
    std::vector<std::string> items;
    for (const Scenario& scenario : scenarios_) {
      const Summary sum = Summarise(scenario);
      std::vector<std::string> ratios;
      for (const double ratio : sum.ratios) ratios.push_back(absl::StrFormat("%.3f", ratio));
      items.push_back(absl::StrFormat(
          "  {\"name\": \"%s\", \"fadu_per_second\": %.1f, \"baseline_per_second\": %.1f, "
          "\"ratio\": %.3f, \"ratios\": [%s], \"goal\": %.2f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, "
          "\"p99_over_baseline_mean\": %.3f, \"cpu_us_client\": %.1f, \"cpu_us_server\": %.1f, "
          "\"cpu_us_postgresql\": %.1f}",
          scenario.name, sum.fadu_rate, sum.baseline_rate, sum.ratio, absl::StrJoin(ratios, ", "),
          scenario.goal, sum.p50, sum.p99, sum.latency, sum.client_us, sum.server_us,
          sum.database_us));
    }
    return absl::StrCat("{\"verified_events\": ", verified_, ", \"scenarios\": [\n",
                        absl::StrJoin(items, ",\n"), "\n]}\n");
  }

  std::string Server() {
    std::vector<std::string> settings;
    for (const char* name : {"server_version", "fsync", "synchronous_commit", "full_page_writes",
                             "data_checksums", "shared_buffers"}) {
      settings.push_back(absl::StrCat(
          name, " ", baseline_.AskText(absl::StrCat("SELECT current_setting('", name, "')"))));
    }
    return absl::StrCat("PostgreSQL: ", absl::StrJoin(settings, ", "), "\n");
  }

  int64_t verified() const { return verified_; }

 private:
  struct Summary {
    double fadu_rate = 0, baseline_rate = 0, ratio = 0, low = 0, high = 0;
    double p50 = 0, p99 = 0, latency = 0;
    double client_us = 0, server_us = 0, database_us = 0;
    double baseline_client_us = 0, baseline_database_us = 0;
    std::vector<double> ratios;
  };

  static Summary Summarise(const Scenario& scenario) {
    const auto median = [&](const std::function<double(const Pair&)>& of) {
      std::vector<double> values;
      for (const Pair& pair : scenario.pairs) values.push_back(of(pair));
      return Median(std::move(values));
    };
    const auto each = [](double seconds, int64_t count) {
      return count > 0 ? 1e6 * seconds / static_cast<double>(count) : 0;
    };
    Summary sum;
    for (const Pair& pair : scenario.pairs) {
      sum.ratios.push_back(pair.baseline.rate > 0 ? pair.fadu.rate / pair.baseline.rate : 0);
    }
    sum.ratio = Median(sum.ratios);
    sum.low = *std::min_element(sum.ratios.begin(), sum.ratios.end());
    sum.high = *std::max_element(sum.ratios.begin(), sum.ratios.end());
    sum.fadu_rate = median([](const Pair& pair) { return pair.fadu.rate; });
    sum.baseline_rate = median([](const Pair& pair) { return pair.baseline.rate; });
    sum.p50 = median([](const Pair& pair) { return pair.fadu.p50_ms; });
    sum.p99 = median([](const Pair& pair) { return pair.fadu.p99_ms; });
    sum.latency = median([](const Pair& pair) {
      return pair.baseline.mean_ms > 0 ? pair.fadu.p99_ms / pair.baseline.mean_ms : 0;
    });
    sum.client_us =
        median([&](const Pair& pair) { return each(pair.fadu.cpu.client, pair.fadu.count); });
    sum.server_us =
        median([&](const Pair& pair) { return each(pair.fadu.cpu.server, pair.fadu.count); });
    sum.database_us =
        median([&](const Pair& pair) { return each(pair.fadu.cpu.database, pair.fadu.count); });
    sum.baseline_client_us = median(
        [&](const Pair& pair) { return each(pair.baseline.cpu.client, pair.baseline.count); });
    sum.baseline_database_us = median(
        [&](const Pair& pair) { return each(pair.baseline.cpu.database, pair.baseline.count); });
    return sum;
  }

  // A half, from a checkpoint on, so that neither side pays for the other's.
  Half Timed(const std::function<Half()>& run) {
    baseline_.Order("CHECKPOINT");
    const absl::Time begin = absl::Now();
    const Cpu before = suite_.ReadCpuNow();
    Half half = run();
    half.cpu = suite_.ReadCpuNow() - before;
    measured_seconds_ += absl::ToDoubleSeconds(absl::Now() - begin);
    return half;
  }

  LoadOptions Base(const char* method, int callers) {
    LoadOptions options;
    options.target = suite_.target();
    options.method = method;
    options.callers = callers;
    options.warm_up = absl::Seconds(settings_.warm_up);
    options.measure = absl::Seconds(settings_.seconds);
    return options;
  }

  static Half HalfOf(const LoadResult& result, int per_call) {
    if (!result.failure.empty()) Die(absl::StrCat("a call failed: ", result.failure));
    Half half;
    half.rate = result.rate() * per_call;
    half.mean_ms = result.mean();
    half.p50_ms = result.percentile(0.5);
    half.p99_ms = result.percentile(0.99);
    half.count = result.answered * per_call;
    return half;
  }

  static Half HalfOf(const PgbenchResult& result) {
    Half half;
    half.rate = result.rate;
    half.mean_ms = result.mean_ms;
    half.count = result.transactions;
    return half;
  }

  // `county` of a caller.
  Half Creates(int callers, const std::function<std::string(int)>& county) {
    LoadOptions options = Base(kCreate, callers);
    const v1::CreateRecordRequest request;
    const v1::Record response;
    options.request = &request;
    options.response = &response;
    std::vector<std::atomic<int64_t>> sent(static_cast<size_t>(callers));
    options.next = [&](int caller, google::protobuf::Message& message,
                       const google::protobuf::Message*) {
      auto& create = static_cast<v1::CreateRecordRequest&>(message);
      if (create.parent().empty()) {
        create.set_parent(absl::StrCat("counties/", county(caller)));
        create.mutable_record()->PackFrom(MakeDispute(county(caller), caller));
        create.set_submit(true);
      }
      create.set_request_id(ids_->NewId().ToString());
      ++sent[static_cast<size_t>(caller)];
    };
    options.bearer = [&](int caller) { return suite_.Bearer(county(caller), caller); };
    const LoadResult result = RunLoad(options);
    for (int i = 0; i < callers; ++i) expected_[county(i)] += sent[static_cast<size_t>(i)];
    return HalfOf(result, 1);
  }

  // Every caller edits a record of its own, each time with the etag that it was answered.
  Half Updates(int callers, const std::string& county) {
    std::vector<v1::Record> records(static_cast<size_t>(callers));
    for (int i = 0; i < callers; ++i) {
      v1::CreateRecordRequest create;
      create.set_parent(absl::StrCat("counties/", county));
      create.set_request_id(ids_->NewId().ToString());
      create.mutable_record()->PackFrom(MakeDispute(county, i));
      suite_.Call(county, kCreate, create, &records[static_cast<size_t>(i)]);
      ++expected_[county];
    }
    LoadOptions options = Base(kUpdate, callers);
    const v1::UpdateRecordRequest request;
    const v1::Record response;
    options.request = &request;
    options.response = &response;
    std::atomic<int64_t> sent{0};
    options.next = [&](int caller, google::protobuf::Message& message,
                       const google::protobuf::Message* answer) {
      auto& update = static_cast<v1::UpdateRecordRequest&>(message);
      const v1::Record& last = answer == nullptr ? records[static_cast<size_t>(caller)]
                                                 : static_cast<const v1::Record&>(*answer);
      update.set_name(last.name());
      update.set_etag(last.etag());
      update.set_request_id(ids_->NewId().ToString());
      mediation::Dispute dispute = MakeDispute(county, caller);
      dispute.set_people_count(static_cast<int>(last.revision() % 1000));
      update.mutable_record()->PackFrom(dispute);
      update.mutable_update_mask()->Clear();
      update.mutable_update_mask()->add_paths("people_count");
      ++sent;
    };
    options.bearer = [&](int caller) { return suite_.Bearer(county, caller); };
    const LoadResult result = RunLoad(options);
    expected_[county] += sent;
    updates_[county] += sent;
    return HalfOf(result, 1);
  }

  Half Gets(int callers) {
    LoadOptions options = Base(kGet, callers);
    v1::GetRecordRequest request;
    request.set_name(pattern_);
    const v1::Record response;
    options.request = &request;
    options.response = &response;
    options.next = [](int, google::protobuf::Message&, const google::protobuf::Message*) {};
    options.bearer = [&](int caller) { return suite_.Bearer(County(0), caller); };
    return HalfOf(RunLoad(options), 1);
  }

  // Pages of fifty, the newest first.
  Half Lists(int callers, const std::string& county) {
    LoadOptions options = Base(kList, callers);
    v1::ListRecordsRequest request;
    request.set_parent(absl::StrCat("counties/", county));
    request.set_collection("disputes");
    const v1::ListRecordsResponse response;
    options.request = &request;
    options.response = &response;
    options.next = [](int, google::protobuf::Message&, const google::protobuf::Message*) {};
    options.bearer = [&](int caller) { return suite_.Bearer(county, caller); };
    return HalfOf(RunLoad(options), 50);
  }

  Half Batches() {
    const std::string county = County(kSpread + 100 + batches_++);
    LoadOptions options = Base(kBatchCreate, kBatchCallers);
    v1::BatchCreateRecordsRequest request;
    request.set_parent(absl::StrCat("counties/", county));
    for (int i = 0; i < kBatchRecords; ++i) {
      request.add_records()->PackFrom(MakeDispute(county, i));
    }
    request.set_submit(true);
    const v1::BatchCreateRecordsResponse response;
    options.request = &request;
    options.response = &response;
    std::atomic<int64_t> sent{0};
    options.next = [&](int, google::protobuf::Message& message, const google::protobuf::Message*) {
      static_cast<v1::BatchCreateRecordsRequest&>(message).set_request_id(ids_->NewId().ToString());
      ++sent;
    };
    options.bearer = [&](int caller) { return suite_.Bearer(county, caller); };
    const LoadResult result = RunLoad(options);
    expected_[county] += sent * kBatchRecords;
    last_batch_county_ = county;
    return HalfOf(result, kBatchRecords);
  }

  Half Copies() {
    const Baseline::Copied copied = baseline_.Copy(last_batch_county_);
    if (copied.rows != expected_[last_batch_county_]) Die("COPY did not write every row");
    Half half;
    half.count = copied.rows;
    half.rate = static_cast<double>(copied.rows) / copied.seconds;
    return half;
  }

  void Define() {
    const std::string one = County(kSpread + 40);
    const auto in_one = [one](int) { return one; };
    const double seconds = settings_.seconds;
    const int many = settings_.smoke ? 32 : 128;
    const int few = settings_.smoke ? 8 : 32;
    const auto writes = [this, seconds](int clients) {
      return [this, seconds, clients] { return HalfOf(baseline_.Write(clients, seconds)); };
    };
    scenarios_.push_back({"create-32",
                          absl::StrCat("create, ", few, " callers in one county"),
                          1.3,
                          2.5,
                          "pgbench",
                          [=, this] { return Creates(few, in_one); },
                          writes(few),
                          {}});
    scenarios_.push_back({"create-128",
                          absl::StrCat("create, ", many, " callers in one county"),
                          1.3,
                          2.5,
                          "pgbench",
                          [=, this] { return Creates(many, in_one); },
                          writes(many),
                          {}});
    scenarios_.push_back(
        {"create-spread",
         absl::StrCat("create, ", kSpread, " callers in ", kSpread, " counties"),
         0.6,
         0,
         "pgbench",
         [=, this] { return Creates(kSpread, [](int caller) { return County(1 + caller); }); },
         writes(kSpread),
         {}});
    scenarios_.push_back({"update-32",
                          absl::StrCat("update with etag, ", few, " callers in one county"),
                          0,
                          0,
                          "",
                          [=, this] { return Updates(few, County(kSpread + 41)); },
                          nullptr,
                          {}});
    scenarios_.push_back(
        {"get-32",
         absl::StrCat("get, ", few, " callers; pgbench: one round trip a statement"),
         0.5,
         0,
         "pgbench",
         [=, this] { return Gets(few); },
         [=, this] { return HalfOf(baseline_.Read(few, seconds, /*pipelined=*/false)); },
         {}});
    scenarios_.push_back(
        {"get-32-trip",
         absl::StrCat("get, ", few, " callers; pgbench: one round trip in all"),
         0,
         0,
         "pgbench",
         [=, this] { return Gets(few); },
         [=, this] { return HalfOf(baseline_.Read(few, seconds, /*pipelined=*/true)); },
         {}});
    scenarios_.push_back({"list-8",
                          "list, 8 callers, pages of 50 (records/s)",
                          0,
                          0,
                          "",
                          [=, this] { return Lists(8, one); },
                          nullptr,
                          {}});
    scenarios_.push_back({"batch",
                          absl::StrCat("batch create, ", kBatchCallers, " callers, ", kBatchRecords,
                                       " records a call; COPY"),
                          0.5,
                          0,
                          "COPY",
                          [this] { return Batches(); },
                          [this] { return Copies(); },
                          {}});
  }

  const Settings settings_;
  Suite suite_;
  const std::unique_ptr<RecordType> type_;
  Baseline baseline_;
  const std::unique_ptr<IdSource> ids_;
  std::string pattern_;  // name of the record whose rows are the pattern
  std::vector<Scenario> scenarios_;
  std::map<std::string, int64_t> expected_;  // events acknowledged, by county
  std::map<std::string, int64_t> updates_;   // of them, those that made no record
  std::string last_batch_county_;
  int batches_ = 0;
  int64_t verified_ = 0;
  double measured_seconds_ = 0;
};

int Main(const Settings& settings) {
  char made[] = "/tmp/fadu-bench-XXXXXX";
  const std::string folder = !settings.keep.empty()     ? settings.keep
                             : mkdtemp(made) == nullptr ? ""
                                                        : made;
  if (folder.empty()) Die("cannot make a temporary folder");
  std::error_code error;
  fs::create_directories(folder, error);
  fs::permissions(folder, fs::perms(0755), error);
  {
    Bench bench(settings, folder);
    const std::string server = bench.Server();
    bench.Measure();
    bench.Verify();
    std::printf("%s%s%sVerified: %lld acknowledged events are stored once; the chain holds.\n",
                server.c_str(), bench.Table().c_str(), bench.Noise().c_str(),
                static_cast<long long>(bench.verified()));
    const std::string json = bench.Json();
    if (settings.json.empty()) {
      std::printf("%s", json.c_str());
    } else {
      std::ofstream(settings.json, std::ios::trunc) << json;
    }
  }
  if (settings.keep.empty()) fs::remove_all(folder, error);
  return 0;
}

}  // namespace
}  // namespace fadu::bench

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // as fadu itself
  fadu::bench::Settings settings;
  std::map<std::string, std::string> flags;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--smoke") {
      settings.smoke = true;
      settings.pairs = 1;
      settings.seconds = 1;
      settings.warm_up = 0.1;
    } else if (absl::StartsWith(word, "--") && i + 1 < argc) {
      flags[word.substr(2)] = argv[++i];
    } else {
      std::fprintf(stderr,
                   "bench_recording --fadu PROGRAM [--pairs 5] [--seconds 3] [--only NAME,...] "
                   "[--json FILE] [--keep FOLDER] [--smoke]\n");
      return 64;
    }
  }
  settings.fadu = flags["fadu"];
  settings.json = flags["json"];
  settings.only = flags["only"];
  settings.keep = flags["keep"];
  if (flags.count("pairs") > 0) (void)absl::SimpleAtoi(flags["pairs"], &settings.pairs);
  if (flags.count("seconds") > 0) (void)absl::SimpleAtod(flags["seconds"], &settings.seconds);
  return fadu::bench::Main(settings);
}
