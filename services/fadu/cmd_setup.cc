#include <unistd.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/civil_day.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/schema/record_type.h"
#include "fadu/registry/v1/registry_service.pb.h"
#include "services/fadu/commands.h"
#include "services/fadu/files.h"
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

int CreateAccount(const Args& args) {
  return WithClient(args, [&](Client& client, Format format) -> absl::Status {
    registry::CreateAccountRequest request;
    request.set_parent(client.parent());
    request.set_display_name(args.words[0]);
    request.set_kind(args.Has("client") ? registry::ACCOUNT_KIND_CLIENT
                                        : registry::ACCOUNT_KIND_USER);
    request.set_expire_date(args.Get("expires"));
    request.set_request_id(client.NewRequestId());
    for (const absl::string_view grant :
         absl::StrSplit(args.Get("grants"), ',', absl::SkipEmpty())) {
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
    }
    registry::AccountSecret response;
    FADU_RETURN_IF_ERROR(
        client.Call("registry", absl::StrCat(kRegistry, "CreateAccount"), request, &response));
    if (args.Has("save")) {
      FADU_RETURN_IF_ERROR(client.SaveSecret(args.Get("save"), response.secret()));
    }
    Table table{{T("账户", "account"), T("密钥（只显示一次）", "secret (shown once)")}, {}, {}};
    table.rows.push_back({response.name(), response.secret()});
    table.json.push_back(ToJson(response, false));
    Print(table, format);
    return absl::OkStatus();
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
        "--save panjiawan"},
       {{"grants", "ROLE@AREA,…", T("角色与区划", "roles and areas")},
        {"client", "", T("接口客户端", "an API client")},
        {"expires", "DATE", T("有效期至", "last day")},
        {"save", "NAME",
         T("将密钥以此名保存在数据目录", "save the secret in the data folder under this name")}},
       1,
       1,
       true,
       CreateAccount},
  };
}

}  // namespace fadu::cli
