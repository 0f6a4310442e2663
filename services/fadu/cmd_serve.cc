#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/host/host.h"
#include "fadu/common/v1/record_service.pb.h"
#include "services/fadu/commands.h"
#include "services/fadu/files.h"
#include "services/fadu/modules.h"
#include "services/fadu/output.h"

namespace fadu::cli {
namespace {

namespace fs = std::filesystem;

int CannotStart(const absl::Status& status) {
  Say(absl::StrCat(T("无法启动：", "cannot start: "), status.message()));
  return status.code() == absl::StatusCode::kInvalidArgument ? kConfig : kCannotStart;
}

absl::StatusOr<fadu::config::v1::Config> ConfigOf(const Args& args) {
  FADU_ASSIGN_OR_RETURN(fadu::config::v1::Config config, ReadConfig(args.Get("config")));
  if (args.Has("data")) {
    std::error_code error;
    config.set_data_folder(fs::absolute(args.Get("data"), error).lexically_normal().string());
  }
  return config;
}

void SayEndpoints(const host::Host& host) {
  for (const auto& [name, port] : host.ports()) {
    const bool http = name == "metrics" || name == "gateway";
    Say(absl::StrCat("  ", name, std::string(12 - std::min<size_t>(name.size(), 11), ' '),
                     http ? "http://" : "", "127.0.0.1:", port,
                     name == "metrics"   ? "/metrics"
                     : name == "gateway" ? "/"
                                         : ""));
  }
}

int RunSuite(const fadu::config::v1::Config& config, const std::vector<std::string>& services) {
  const absl::Time begin = absl::Now();
  absl::StatusOr<std::unique_ptr<Suite>> suite = Suite::Start(config, services);
  if (!suite.ok()) return CannotStart(suite.status());
  Say(absl::StrCat(T("法度已就绪（", "Fadu is ready ("),
                   absl::ToInt64Milliseconds(absl::Now() - begin), T(" 毫秒）", " ms)")));
  SayEndpoints((*suite)->host());
  if (config.database_dsn().empty()) {
    const std::string secret = absl::StrCat(config.data_folder(), "/keys/bootstrap.secret");
    if (fs::exists(secret)) {
      Say(absl::StrCat(T("首次使用，请创建管理员：fadu bootstrap --data ",
                         "first use; create the administrator: fadu bootstrap --data "),
                       config.data_folder()));
    }
  }
  Say(T("按 Ctrl-C 停止", "Ctrl-C stops it"));
  WaitForStopSignal();
  Say(T("正在停止…", "stopping…"));
  suite->reset();
  return kOk;
}

int Up(const Args& args) {
  const absl::StatusOr<fadu::config::v1::Config> config = ConfigOf(args);
  if (!config.ok()) return CannotStart(config.status());
  return RunSuite(*config, {});
}

int Serve(const Args& args) {
  const absl::StatusOr<fadu::config::v1::Config> config = ConfigOf(args);
  if (!config.ok()) return CannotStart(config.status());
  const std::vector<std::string> services =
      absl::StrSplit(args.Get("services"), ',', absl::SkipWhitespace());
  const std::vector<std::string> known = AllServices();
  for (const std::string& service : services) {
    if (std::find(known.begin(), known.end(), service) == known.end()) {
      Say(absl::StrCat(T("没有服务 ", "there is no service "), service, T("；可用：", "; known: "),
                       absl::StrJoin(known, ", ")));
      return kUsage;
    }
  }
  if (services.empty()) {
    Say(absl::StrCat(
        T("请用 --services 指定服务，可用：", "name services with --services; known: "),
        absl::StrJoin(known, ", ")));
    return kUsage;
  }
  return RunSuite(*config, services);
}

int MigrateCommand(const Args& args) {
  const absl::StatusOr<fadu::config::v1::Config> config = ConfigOf(args);
  if (!config.ok()) return CannotStart(config.status());
  std::unique_ptr<FolderLock> lock;
  std::unique_ptr<db::PrivateCluster> cluster;
  std::string admin_dsn;
  std::string keys = config->keys_folder();
  if (keys.empty()) keys = absl::StrCat(config->data_folder(), "/keys");
  if (config->database_dsn().empty()) {
    if (config->data_folder().empty()) {
      Say(T("请用 --data 指定数据目录", "name a data folder with --data"));
      return kUsage;
    }
    absl::StatusOr<std::unique_ptr<db::PrivateCluster>> started =
        db::PrivateCluster::Start({config->data_folder()});
    if (!started.ok()) return CannotStart(started.status());
    cluster = *std::move(started);
    admin_dsn = cluster->admin_dsn();
  } else {
    const absl::StatusOr<std::string> text = ReadFile(config->admin_dsn_file());
    if (text.ok()) admin_dsn = std::string(absl::StripAsciiWhitespace(*text));
    if (admin_dsn.empty()) {
      Say(T("配置项 admin_dsn_file 缺失或文件为空", "admin_dsn_file is missing or empty"));
      return kConfig;
    }
  }
  if (const absl::Status made = host::EnsureKeys(keys, AllServices()); !made.ok()) {
    return CannotStart(made);
  }
  const absl::StatusOr<int> applied =
      host::MigrateModules(AllModules(), admin_dsn, keys, SystemClock());
  if (!applied.ok()) return Complain(applied.status());
  Say(*applied == 0 ? T("数据库结构已是最新", "the schemas are up to date")
                    : absl::StrCat(T("已执行迁移步骤：", "steps applied: "), *applied));
  return kOk;
}

// One check of `doctor`.
struct Check {
  std::string name;
  std::string verdict;  // ok, warn, fail
  std::string detail;
};

Check CheckPostgres() {
  const bool there = access("/usr/lib/postgresql/15/bin/postgres", X_OK) == 0;
  return {
      T("PostgreSQL 15", "PostgreSQL 15"), there ? "ok" : "fail",
      there ? "/usr/lib/postgresql/15/bin"
            : T("未安装：apt-get install postgresql-15", "missing: apt-get install postgresql-15")};
}

Check CheckSpace(const std::string& folder) {
  std::error_code error;
  fs::path path = fs::absolute(folder.empty() ? "." : folder, error);
  while (!fs::exists(path) && path.has_parent_path() && path != path.root_path()) {
    path = path.parent_path();
  }
  struct statvfs info {};
  if (statvfs(path.c_str(), &info) != 0)
    return {T("磁盘空间", "disk space"), "fail", path.string()};
  const double gib =
      static_cast<double>(info.f_bavail) * static_cast<double>(info.f_frsize) / (1 << 30);
  return {T("磁盘空间", "disk space"),
          gib < 1   ? "fail"
          : gib < 5 ? "warn"
                    : "ok",
          absl::StrCat(static_cast<int64_t>(gib), " GiB")};
}

Check CheckKeys(const std::string& folder) {
  const std::string keys = absl::StrCat(folder, "/keys");
  std::error_code error;
  if (!fs::exists(keys))
    return {T("密钥目录", "key folder"), "warn", T("尚未创建", "not made yet")};
  for (const auto& entry : fs::directory_iterator(keys, error)) {
    const bool open_to_others = (entry.status().permissions() &
                                 (fs::perms::group_all | fs::perms::others_all)) != fs::perms::none;
    if (open_to_others && entry.path().extension() != ".pub") {
      return {T("密钥目录", "key folder"), "fail",
              absl::StrCat(entry.path().string(), T(" 对他人可读", " is open to others"))};
    }
  }
  return {T("密钥目录", "key folder"), "ok", keys};
}

void CheckSuite(const Args& args, std::vector<Check>& checks) {
  absl::StatusOr<std::unique_ptr<Client>> client = Client::Connect(args);
  if (!client.ok()) {
    checks.push_back({T("启动", "start"), "fail", std::string(client.status().message())});
    return;
  }
  checks.push_back({T("启动", "start"), "ok", args.Get("data")});
  for (const std::string& service : RecordServices()) {
    fadu::common::v1::ListRecordTypesRequest request;
    fadu::common::v1::ListRecordTypesResponse response;
    const absl::Status status = (*client)->Call(
        service, "/fadu.common.v1.RecordService/ListRecordTypes", request, &response);
    checks.push_back(
        {service, status.ok() ? "ok" : "fail",
         status.ok() ? absl::StrCat(response.record_types_size(), T(" 种记录", " record types"))
                     : std::string(status.message())});
    if (!status.ok()) continue;
    fadu::common::v1::VerifyEventsRequest verify;
    verify.set_parent((*client)->parent());
    fadu::common::v1::VerifyEventsResponse verified;
    const absl::Status chain =
        (*client)->Call(service, "/fadu.common.v1.RecordService/VerifyEvents", verify, &verified);
    checks.push_back(
        {absl::StrCat(service, T(" 审计链", " audit chain")), chain.ok() ? "ok" : "fail",
         chain.ok() ? absl::StrCat(verified.events(), T(" 条，校验通过", " events verified"))
                    : std::string(chain.message())});
  }
}

int Doctor(const Args& args) {
  const absl::StatusOr<Format> format = FormatOf(args);
  if (!format.ok()) {
    Say(format.status().message());
    return kUsage;
  }
  std::vector<Check> checks = {CheckPostgres(), CheckSpace(args.Get("data"))};
  if (args.Has("data")) {
    checks.push_back(CheckKeys(args.Get("data")));
    CheckSuite(args, checks);
  }
  Table table{{T("检查项", "check"), T("结果", "verdict"), T("说明", "detail")}, {}, {}};
  bool failed = false;
  for (const Check& check : checks) {
    failed = failed || check.verdict == "fail";
    const std::string word = check.verdict == "ok"     ? T("正常", "ok")
                             : check.verdict == "warn" ? T("注意", "warn")
                                                       : T("失败", "fail");
    table.rows.push_back({check.name, word, check.detail});
    table.json.push_back(absl::StrCat("{\"check\":", JsonText(check.name),
                                      ",\"verdict\":", JsonText(check.verdict),
                                      ",\"detail\":", JsonText(check.detail), "}"));
  }
  Print(table, *format);
  return failed ? kFailed : kOk;
}

}  // namespace

std::vector<Command> ServeCommands() {
  const Flag config{"config", "FILE", T("配置文件（JSON）", "configuration file (JSON)")};
  const Flag data{"data", "DIR", T("数据目录", "data folder")};
  return {
      {"up",
       "",
       T("在一个进程中启动全部服务及其数据库",
         "starts all services and their database in one process"),
       {"fadu up --data /var/lib/fadu"},
       {data, config},
       0,
       0,
       false,
       Up},
      {"serve",
       "",
       T("启动指定的服务，其余服务按配置中的地址访问",
         "starts some services beside others elsewhere"),
       {"fadu serve --services=mediation --config mediation.json"},
       {{"services", "A,B", T("服务名", "services")}, config, data},
       0,
       0,
       false,
       Serve},
      {"migrate",
       "",
       T("将数据库结构升级到本程序的版本", "brings the schemas up to date"),
       {"fadu migrate --data /var/lib/fadu", "fadu migrate --config fadu.json"},
       {data, config},
       0,
       0,
       false,
       MigrateCommand},
      {"doctor",
       "",
       T("检查运行环境、服务与审计链", "checks the machine, the services and the audit chains"),
       {"fadu doctor --data ./fadu-data"},
       {},
       0,
       0,
       true,
       Doctor},
  };
}

}  // namespace fadu::cli
