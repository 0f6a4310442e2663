#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "common/base/civil_day.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/schema/record_type.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/registry/v1/registry_service.pb.h"
#include "services/fadu/commands.h"
#include "services/fadu/files.h"
#include "services/fadu/modules.h"
#include "services/fadu/output.h"

namespace fadu::cli {
namespace {

namespace registry = ::fadu::registry::v1;
constexpr char kRegistry[] = "/fadu.registry.v1.RegistryService/";

int Bootstrap(const Args& args) {
  return WithClient(args, [&](Client& client, Format) -> absl::Status {
    FADU_RETURN_IF_ERROR(BootstrapFolder(client));
    Say(absl::StrCat(T("管理员账户已保存在 ", "the administrator's account is saved in "),
                     client.folder(), "/client/credentials.json"));
    return absl::OkStatus();
  });
}

int ImportAreas(const Args& args) {
  return WithClient(args, [&](Client& client, Format format) -> absl::Status {
    registry::ImportAreasRequest request;
    request.set_parent(client.parent());
    FADU_ASSIGN_OR_RETURN(*request.mutable_tsv(), ReadFile(args.words[0]));
    request.set_as_of_date(args.Get("as-of", FormatDay(DayOf(SystemClock().Now()))));
    request.set_source(args.Get("source", args.words[0]));
    request.set_dry_run(args.Has("dry-run"));
    registry::ImportAreasResponse response;
    FADU_RETURN_IF_ERROR(
        client.Call("registry", absl::StrCat(kRegistry, "ImportAreas"), request, &response));
    for (const registry::AreaFinding& finding : response.warnings()) {
      Say(absl::StrCat(T("注意 第 ", "warning line "), finding.line(), T(" 行：", ": "),
                       finding.message()));
    }
    if (!response.errors().empty()) {
      Table table{{T("行", "line"), T("列", "column"), T("问题", "problem")}, {}, {}};
      for (const registry::AreaFinding& finding : response.errors()) {
        table.rows.push_back(
            {absl::StrCat(finding.line()), absl::StrCat(finding.column()), finding.message()});
        table.json.push_back(ToJson(finding, false));
      }
      Print(table, format);
      return absl::InvalidArgumentError(
          absl::StrCat(T("文件有 ", "the file has "), response.errors_size(),
                       T(" 处错误，未导入", " errors; nothing was imported")));
    }
    Table table{{T("新增", "added"), T("更名", "renamed"), T("撤销", "ended"), T("变更", "moved"),
                 T("不变", "unchanged")},
                {},
                {}};
    table.rows.push_back({absl::StrCat(response.added()), absl::StrCat(response.renamed()),
                          absl::StrCat(response.ended()), absl::StrCat(response.moved()),
                          absl::StrCat(response.unchanged())});
    table.json.push_back(ToJson(response, false));
    Print(table, format);
    return absl::OkStatus();
  });
}

// A value of an enum as people call it.
std::string LabelOf(const google::protobuf::EnumValueDescriptor* value) {
  if (value == nullptr) return "?";
  const fadu::common::v1::Label& label = value->options().GetExtension(fadu::common::v1::label);
  return Language() == "en" ? label.en() : label.zh();
}

std::vector<std::string> ListOf(const Args& args, const char* flag) {
  return absl::StrSplit(args.Get(flag), ',', absl::SkipEmpty());
}

// What the flags of `account create` grant: --grants, or for a client the department's role in each
// area of --area. All of them are limited to --organisation and --records.
absl::Status GrantsOf(const Args& args, registry::CreateAccountRequest& request) {
  std::vector<std::string> grants = ListOf(args, "grants");
  if (args.Has("area")) {
    if (!args.Has("client") || args.Has("grants")) {
      return absl::InvalidArgumentError(T("--area 与 --client 一起使用，不与 --grants 同用",
                                          "--area goes with --client and without --grants"));
    }
    for (const std::string& area : ListOf(args, "area")) {
      grants.push_back(absl::StrCat("DEPARTMENT@", area));
    }
  }
  const std::vector<std::string> collections = ListOf(args, "records");
  for (const std::string& collection : collections) {
    if (!ServiceOfCollection(collection).empty()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(T("--records 中没有这种记录类型（用 fadu record types 查看）：",
                       "--records: no such record type (see `fadu record types`): "),
                     collection));
  }
  for (const std::string& grant : grants) {
    const std::vector<std::string> parts = absl::StrSplit(grant, '@');
    const auto* role =
        parts.size() == 2 ? FindEnumCode(fadu::common::v1::Role_descriptor(), parts[0]) : nullptr;
    if (role == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat(T("--grants 写作 角色@区划，如 TOWN_REVIEWER@421221106；有误：",
                         "--grants is ROLE@AREA; wrong: "),
                       grant));
    }
    registry::AccountGrant& entry = *request.add_grants();
    entry.set_role(static_cast<fadu::common::v1::Role>(role->number()));
    entry.set_area_code(parts[1]);
    entry.set_organisation(args.Get("organisation"));
    *entry.mutable_collections() = {collections.begin(), collections.end()};
  }
  if (!grants.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      T("请写明权限：--grants 角色@区划，接口客户端可写 --area 区划",
        "say what it may do: --grants ROLE@AREA, or for a client --area CODE"));
}

// Makes the file for a secret, for its owner only; it must not be there yet. Before the call, so
// that no secret is lost for want of a place.
absl::StatusOr<int> MakeSecretFile(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0) return fd;
  const std::string problem =
      errno == EEXIST ? T("文件已存在，不会覆盖", "it is there already") : std::strerror(errno);
  return absl::FailedPreconditionError(
      absl::StrCat(T("不能创建密钥文件 ", "cannot make "), path, T("：", ": "), problem));
}

absl::Status WriteSecretFile(int fd, const std::string& path, const std::string& secret) {
  const std::string line = absl::StrCat(secret, "\n");
  const bool written =
      write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && fsync(fd) == 0;
  close(fd);
  if (written) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(T("密钥未能写入，请用 fadu account rotate 更换：",
                     "the secret was not written; make another with `fadu account rotate`: "),
                   path));
}

// Calls a method that makes a secret, and shows the secret this once: in a file of --secret-file,
// else on the screen.
absl::Status MakeSecret(Client& client, const Args& args, Format format, const char* method,
                        const google::protobuf::Message& request) {
  const std::string path = args.Get("secret-file");
  int fd = -1;
  if (!path.empty()) {
    FADU_ASSIGN_OR_RETURN(fd, MakeSecretFile(path));
  }
  registry::AccountSecret response;
  const absl::Status made =
      client.Call("registry", absl::StrCat(kRegistry, method), request, &response);
  if (!made.ok()) {
    if (fd >= 0) close(fd);
    if (fd >= 0) unlink(path.c_str());
    return made;
  }
  if (fd >= 0) {
    FADU_RETURN_IF_ERROR(WriteSecretFile(fd, path, response.secret()));
  }
  if (args.Has("save")) {
    FADU_RETURN_IF_ERROR(client.SaveSecret(args.Get("save"), response.secret()));
  }
  Table table{{T("账户", "account"), T("密钥（只显示一次）", "secret (shown once)")}, {}, {}};
  if (fd >= 0) {
    response.clear_secret();
    table.columns[1] = T("密钥文件（0600）", "secret file (0600)");
  }
  table.rows.push_back({response.name(), fd >= 0 ? path : response.secret()});
  table.json.push_back(ToJson(response, false));
  Print(table, format);
  return absl::OkStatus();
}

int CreateAccount(const Args& args) {
  return WithClient(args, [&](Client& client, Format format) -> absl::Status {
    registry::CreateAccountRequest request;
    request.set_parent(client.parent());
    request.set_display_name(args.words[0]);
    request.set_kind(args.Has("client") ? registry::ACCOUNT_KIND_CLIENT
                                        : registry::ACCOUNT_KIND_USER);
    request.set_expire_date(args.Get("expires"));
    request.set_request_id(client.NewRequestId());
    FADU_RETURN_IF_ERROR(GrantsOf(args, request));
    return MakeSecret(client, args, format, "CreateAccount", request);
  });
}

// counties/{county}/accounts/{uuid} of what was typed: the whole name, or its end.
std::string AccountName(const Client& client, const std::string& typed) {
  if (absl::StartsWith(typed, "counties/")) return typed;
  return absl::StrCat(client.parent(), "/accounts/", absl::StripPrefix(typed, "accounts/"));
}

// "DEPARTMENT@421221106（单位 …；disputes）", one after another.
std::string GrantsText(const registry::Account& account) {
  return absl::StrJoin(
      account.grants(), ", ", [](std::string* out, const registry::AccountGrant& grant) {
        absl::StrAppend(
            out, EnumCode(fadu::common::v1::Role_descriptor()->FindValueByNumber(grant.role())),
            "@", grant.area_code());
        std::vector<std::string> limits = {grant.collections().begin(), grant.collections().end()};
        if (!grant.organisation().empty()) {
          limits.insert(limits.begin(),
                        absl::StrCat(T("单位 ", "organisation "), grant.organisation()));
        }
        if (!limits.empty()) absl::StrAppend(out, " [", absl::StrJoin(limits, " "), "]");
      });
}

std::string WhenOf(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M", absl::FromUnixSeconds(time.seconds()), LegalTimeZone());
}

int ListAccounts(const Args& args) {
  return WithClient(args, [&](Client& client, Format format) -> absl::Status {
    registry::ListAccountsRequest request;
    request.set_parent(client.parent());
    request.set_page_size(200);
    if (args.Has("client")) request.set_kind(registry::ACCOUNT_KIND_CLIENT);
    Table table{{T("账户", "account"), T("名称", "name"), T("类别", "kind"), T("授权", "grants"),
                 T("有效期至", "expires"), T("最近使用", "last used"), T("状态", "state")},
                {},
                {}};
    do {
      registry::ListAccountsResponse page;
      FADU_RETURN_IF_ERROR(
          client.Call("registry", absl::StrCat(kRegistry, "ListAccounts"), request, &page));
      for (const registry::AccountInfo& info : page.accounts()) {
        const registry::Account& account = info.account();
        std::string state =
            LabelOf(registry::AccountState_descriptor()->FindValueByNumber(info.state()));
        if (info.has_lock_expire_time()) {
          absl::StrAppend(&state, T("至 ", " until "), WhenOf(info.lock_expire_time()));
        }
        table.rows.push_back(
            {info.name(), account.display_name(),
             LabelOf(registry::AccountKind_descriptor()->FindValueByNumber(account.kind())),
             GrantsText(account), account.expire_date(),
             info.has_last_used_time() ? WhenOf(info.last_used_time()) : T("从未", "never"),
             state});
        table.json.push_back(ToJson(info, false));
      }
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    Print(table, format);
    return absl::OkStatus();
  });
}

int DisableAccount(const Args& args) {
  return WithClient(args, [&](Client& client, Format format) -> absl::Status {
    registry::DisableAccountRequest request;
    request.set_name(AccountName(client, args.words[0]));
    request.set_reason(args.Get("reason"));
    request.set_request_id(client.NewRequestId());
    registry::AccountInfo response;
    FADU_RETURN_IF_ERROR(
        client.Call("registry", absl::StrCat(kRegistry, "DisableAccount"), request, &response));
    Table table{{T("账户", "account"), T("状态", "state")}, {}, {}};
    table.rows.push_back({response.name(), T("已停用", "disabled")});
    table.json.push_back(ToJson(response, false));
    Print(table, format);
    return absl::OkStatus();
  });
}

int RotateSecret(const Args& args) {
  return WithClient(args, [&](Client& client, Format format) -> absl::Status {
    registry::RotateSecretRequest request;
    request.set_name(AccountName(client, args.words[0]));
    request.set_request_id(client.NewRequestId());
    return MakeSecret(client, args, format, "RotateSecret", request);
  });
}

}  // namespace

absl::Status BootstrapFolder(Client& client) {
  if (client.SavedSecret("admin").ok()) return absl::OkStatus();
  const std::string path = absl::StrCat(client.folder(), "/keys/bootstrap.secret");
  const absl::StatusOr<std::string> secret = ReadFile(path);
  if (!secret.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat(T("没有初始密钥，管理员已经创建过：",
                       "no bootstrap secret; an administrator was created before: "),
                     path));
  }
  registry::BootstrapRequest request;
  request.set_secret(std::string(absl::StripAsciiWhitespace(*secret)));
  request.set_parent(client.parent());
  request.set_display_name("县级管理员");
  request.set_request_id(client.NewRequestId());
  registry::AccountSecret response;
  FADU_RETURN_IF_ERROR(
      client.CallAnonymous("registry", absl::StrCat(kRegistry, "Bootstrap"), request, &response));
  return client.SaveSecret("admin", response.secret());
}

std::vector<Command> SetupCommands() {
  const Flag secret_file{"secret-file", "FILE",
                         T("将密钥写入新文件（仅本人可读，0600），不显示",
                           "write the secret to a new file (0600) and do not show it")};
  const Flag save{
      "save", "NAME",
      T("将密钥以此名保存在数据目录", "save the secret in the data folder under this name")};
  return {
      {"bootstrap",
       "",
       T("用一次性初始密钥创建第一个管理员",
         "creates the first administrator with the one-time secret"),
       {"fadu bootstrap --data ./fadu-data"},
       {},
       0,
       0,
       true,
       Bootstrap},
      {"import areas",
       "FILE",
       T("导入区划（制表符分隔：code、name、parent）",
         "imports areas (tab-separated: code, name, parent)"),
       {"fadu import areas deploy/sample/jiayu-2024/areas.tsv --data ./fadu-data --as-of "
        "2023-06-30"},
       {{"as-of", "DATE", T("自哪天起有效（默认今天）", "valid from (default today)")},
        {"source", "TEXT", T("数据来源", "where it comes from")},
        {"dry-run", "", T("只检查，不导入", "check only")}},
       1,
       1,
       true,
       ImportAreas},
      {"account create",
       "NAME",
       T("创建账户或接口客户端", "creates an account or API client"),
       {"fadu account create 潘家湾司法所 --grants TOWN_REVIEWER@421221106 --data ./fadu-data "
        "--save panjiawan",
        "fadu account create 县公安局接口 --client --area 421221 --organisation UUID --records "
        "disputes --expires 2027-12-31 --secret-file ./police.secret --data ./fadu-data"},
       {{"grants", "ROLE@AREA,…", T("角色与区划", "roles and areas")},
        {"client", "",
         T("接口客户端（部门程序），须填有效期，最长两年",
           "an API client (a department's program); expires within two years")},
        {"area", "CODE,…", T("接口客户端可用的区划", "a client's areas")},
        {"organisation", "UUID",
         T("只限于该单位的记录（单位记录的编号）", "only the records of this organisation")},
        {"records", "TYPE,…",
         T("只限于这些记录类型，如 disputes", "only records of these types, such as disputes")},
        {"expires", "DATE", T("有效期至", "last day")},
        secret_file,
        save},
       1,
       1,
       true,
       CreateAccount},
      {"account list",
       "",
       T("列出账户：授权、有效期、最近使用、状态",
         "lists accounts: grants, last day, last use, state"),
       {"fadu account list --data ./fadu-data", "fadu account list --client --data ./fadu-data"},
       {{"client", "", T("只列接口客户端", "API clients only")}},
       0,
       0,
       true,
       ListAccounts},
      {"account disable",
       "ACCOUNT",
       T("永久停用账户并吊销其密钥", "disables an account for good and revokes its secret"),
       {"fadu account disable counties/421221/accounts/UUID --reason 项目结束 --data ./fadu-data"},
       {{"reason", "TEXT", T("原因，记入审计日志", "why, for the audit log")}},
       1,
       1,
       true,
       DisableAccount},
      {"account rotate",
       "ACCOUNT",
       T("更换账户密钥，旧密钥即时失效", "gives an account a new secret; the old one is revoked"),
       {"fadu account rotate counties/421221/accounts/UUID --data ./fadu-data"},
       {secret_file, save},
       1,
       1,
       true,
       RotateSecret},
  };
}

}  // namespace fadu::cli
