#include "services/fadu/suite.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/db/migrate.h"
#include "common/schema/reason.h"
#include "common/schema/rules.h"
#include "fadu/config/v1/reason.pb.h"
#include "services/fadu/args.h"
#include "services/fadu/files.h"
#include "services/fadu/modules.h"

namespace fadu::cli {
namespace {

namespace fs = std::filesystem;

sigset_t StopSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

bool SetLevel(const std::string& name) {
  if (name.empty() || name == "info") {
    SetLogLevel(LogLevel::kInfo);
  } else if (name == "debug") {
    SetLogLevel(LogLevel::kDebug);
  } else if (name == "warning") {
    SetLogLevel(LogLevel::kWarning);
  } else if (name == "error") {
    SetLogLevel(LogLevel::kError);
  } else {
    return false;
  }
  return true;
}

// What is said of the limits; 0 leaves the default.
rpc::ServerLimits LimitsOf(const fadu::config::v1::Limits& said) {
  rpc::ServerLimits limits;
  if (said.message_bytes() > 0) limits.message_bytes = said.message_bytes();
  if (said.metadata_bytes() > 0) limits.metadata_bytes = said.metadata_bytes();
  if (said.streams_per_connection() > 0) limits.streams = said.streams_per_connection();
  if (said.deadline_seconds() > 0) limits.deadline = absl::Seconds(said.deadline_seconds());
  if (said.buffer_mebibytes() > 0) {
    limits.buffer_bytes = static_cast<int64_t>(said.buffer_mebibytes()) << 20;
  }
  if (said.connection_idle_seconds() > 0) {
    limits.connection_idle = absl::Seconds(said.connection_idle_seconds());
  }
  if (said.connection_age_seconds() > 0) {
    limits.connection_age = absl::Seconds(said.connection_age_seconds());
  }
  return limits;
}

}  // namespace

void BlockStopSignals() {
  const sigset_t set = StopSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

void WaitForStopSignal() {
  const sigset_t set = StopSignals();
  int signal_number = 0;
  sigwait(&set, &signal_number);
}

absl::StatusOr<fadu::config::v1::Config> ReadConfig(const std::string& path) {
  fadu::config::v1::Config config;
  if (path.empty()) return config;
  FADU_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = false;
  const auto parsed = google::protobuf::util::JsonStringToMessage(text, &config, options);
  if (!parsed.ok()) {
    return Fail(absl::StatusCode::kInvalidArgument, fadu::config::v1::REASON_CONFIG_INVALID,
                "the configuration does not parse",
                {{"path", path}, {"problem", std::string(parsed.message())}});
  }
  FADU_RETURN_IF_ERROR(CheckRules(config));
  const std::vector<std::string> known = AllServices();
  for (const auto& [name, unused] : config.services()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, T("：services 中没有 ", ": services has no "), name,
                       T("，可用：", "; known: "), absl::StrJoin(known, ", ")));
    }
  }
  return config;
}

absl::StatusOr<std::unique_ptr<FolderLock>> FolderLock::Try(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  const std::string path = absl::StrCat(folder, "/fadu.lock");
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        T("无法使用数据目录 ", "cannot use the data folder "), folder, ": ", strerror(errno)));
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    close(fd);
    return std::unique_ptr<FolderLock>();
  }
  return std::unique_ptr<FolderLock>(new FolderLock(fd));
}

FolderLock::~FolderLock() { close(fd_); }

std::string EndpointsFile(const std::string& folder) {
  return absl::StrCat(folder, "/run/endpoints.json");
}

absl::StatusOr<std::map<std::string, std::string>> ReadEndpoints(const std::string& file) {
  FADU_ASSIGN_OR_RETURN(const std::string text, ReadFile(file));
  google::protobuf::Struct fields;
  if (!google::protobuf::util::JsonStringToMessage(text, &fields).ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, T("：不是服务地址文件", ": not a file of endpoints")));
  }
  std::map<std::string, std::string> endpoints;
  for (const auto& [name, value] : fields.fields()) endpoints[name] = value.string_value();
  return endpoints;
}

absl::Status Suite::WriteEndpoints() const {
  std::vector<std::string> lines;
  for (const auto& [name, port] : host_->ports()) {
    lines.push_back(absl::StrCat("  \"", name, "\": \"127.0.0.1:", port, "\""));
  }
  const std::string path = EndpointsFile(folder_);
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  const std::string temporary = absl::StrCat(path, ".new");
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  out << "{\n" << absl::StrJoin(lines, ",\n") << "\n}\n";
  out.close();
  if (!out || rename(temporary.c_str(), path.c_str()) != 0) {
    return absl::FailedPreconditionError(absl::StrCat("cannot write ", path));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Suite>> Suite::Start(const fadu::config::v1::Config& config,
                                                    const std::vector<std::string>& services) {
  if (!SetLevel(config.log_level())) {
    return absl::InvalidArgumentError("log_level: debug, info, warning, error");
  }
  std::unique_ptr<Suite> suite(new Suite);
  suite->folder_ = config.data_folder();
  suite->ids_ = NewUuidV7Source(SystemClock());
  host::HostOptions options;
  options.services = AllServices();
  for (host::Module& module : AllModules(config)) {
    const bool wanted = services.empty() ||
                        std::find(services.begin(), services.end(), module.name) != services.end();
    const bool off = module.name == "gateway" && config.gateway().listen() == "off";
    if (wanted && !off) options.modules.push_back(std::move(module));
  }
  options.reflection = config.reflection();
  options.limits = LimitsOf(config.limits());
  if (config.pool_connections() > 0) options.pool_connections = config.pool_connections();
  if (config.drain_seconds() > 0) options.drain = absl::Seconds(config.drain_seconds());
  if (config.monitor_seconds() > 0) {
    options.monitor_interval = absl::Seconds(config.monitor_seconds());
  }
  options.metrics_listen =
      config.metrics_listen().empty() ? "127.0.0.1:0" : config.metrics_listen();
  if (options.metrics_listen == "off") options.metrics_listen.clear();
  for (const auto& [name, service] : config.services()) {
    if (!service.listen().empty()) options.listen[name] = service.listen();
    if (!service.address().empty()) options.peers[name] = service.address();
  }
  options.keys_folder = config.keys_folder();
  if (options.keys_folder.empty()) {
    if (suite->folder_.empty()) {
      return absl::FailedPreconditionError("keys_folder or data_folder must be set");
    }
    options.keys_folder = absl::StrCat(suite->folder_, "/keys");
  }

  if (config.database_dsn().empty()) {
    if (suite->folder_.empty()) {
      return absl::FailedPreconditionError(
          T("请用 --data 指定数据目录", "name a data folder with --data"));
    }
    FADU_ASSIGN_OR_RETURN(suite->lock_, FolderLock::Try(suite->folder_));
    if (suite->lock_ == nullptr) {
      return absl::AlreadyExistsError(
          absl::StrCat(T("已有 fadu 进程在使用数据目录 ", "another fadu serves the data folder "),
                       suite->folder_));
    }
    FADU_ASSIGN_OR_RETURN(suite->cluster_, db::PrivateCluster::Start({suite->folder_}));
    options.admin_dsn = suite->cluster_->admin_dsn();
    options.dsn = suite->cluster_->admin_dsn();
  } else {
    options.dsn = config.database_dsn();
  }
  FADU_ASSIGN_OR_RETURN(suite->host_,
                        host::Host::Start(std::move(options), SystemClock(), *suite->ids_));
  if (suite->cluster_ != nullptr) {
    FADU_RETURN_IF_ERROR(suite->WriteEndpoints());
    suite->watchdog_ = std::thread([raw = suite.get()] { raw->WatchDatabase(); });
  }
  return suite;
}

void Suite::WatchDatabase() {
  while (!stopping_.WaitForNotificationWithTimeout(absl::Milliseconds(200))) {
    if (cluster_->alive()) continue;
    Log(LogLevel::kError, "the database has died; starting it again");
    // The new server belongs to the folder; cluster_ stops it by its pid file like the first.
    const auto started =
        db::PrivateCluster::Start({folder_, /*durable=*/true, /*stop_on_close=*/false});
    if (!started.ok()) {
      Log(LogLevel::kError, "the database did not start", {{"why", started.status().message()}});
    }
  }
}

Suite::~Suite() {
  if (watchdog_.joinable()) {
    stopping_.Notify();
    watchdog_.join();
  }
  if (cluster_ != nullptr) unlink(EndpointsFile(folder_).c_str());
  host_.reset();
  cluster_.reset();
}

std::string Suite::admin_dsn() const { return cluster_ == nullptr ? "" : cluster_->admin_dsn(); }

}  // namespace fadu::cli
