
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/points.h"
#include "common/base/status.h"
#include "common/schema/names.h"
#include "common/schema/record_type.h"
#include "fadu/common/v1/record_service.pb.h"
#include "services/fadu/commands.h"
#include "services/fadu/files.h"
#include "services/fadu/modules.h"
#include "services/fadu/output.h"

namespace fadu::cli {
namespace {

namespace v1 = ::fadu::common::v1;
constexpr char kService[] = "/fadu.common.v1.RecordService/";

const RecordTypes& Types() {
  static const RecordTypes* const types = [] {
    std::vector<std::string> packages;
    for (const std::string& service : AllServices()) {
      packages.push_back(absl::StrCat("fadu.", service, ".v1"));
    }
    auto made = RecordTypes::FromPackages(packages);
    return made.ok() ? made->release() : new RecordTypes;
  }();
  return *types;
}

// A failure of the command line itself.
int Usage(absl::string_view text) {
  Say(absl::StrCat(T("错误：", "error: "), text));
  return kUsage;
}

absl::StatusOr<const RecordType*> TypeOf(const std::string& collection) {
  const RecordType* type = Types().FindByCollection(collection);
  if (type != nullptr) return type;
  std::vector<std::string> names;
  for (const auto& known : Types().all()) names.push_back(known->collection());
  return absl::NotFoundError(absl::StrCat(T("没有记录类型 ", "no record type "), collection,
                                          T("；可用：", "; known: "), absl::StrJoin(names, ", ")));
}

std::string CellOf(const RecordType& type, const google::protobuf::Message& message,
                   const RecordField& field) {
  std::vector<std::string> texts;
  for (const Value& value : type.ValuesOf(message, field)) {
    switch (value.kind) {
      case ValueKind::kCode: {
        const auto* entry = FindEnumCode(field.descriptor->enum_type(), value.text);
        const v1::Label& label = entry->options().GetExtension(v1::label);
        texts.push_back(Language() == "en" ? label.en() : label.zh());
        break;
      }
      case ValueKind::kPoints:
        texts.push_back(Points::FromUnits(value.number).ToString());
        break;
      case ValueKind::kInt:
        texts.push_back(absl::StrCat(value.number));
        break;
      case ValueKind::kBool:
        texts.push_back(value.number != 0 ? T("是", "yes") : T("否", "no"));
        break;
      case ValueKind::kText:
      case ValueKind::kDate:
        texts.push_back(value.text);
        break;
    }
  }
  return absl::StrJoin(texts, "、");
}

std::string StateLabel(v1::ReviewState state) {
  const auto* value = v1::ReviewState_descriptor()->FindValueByNumber(state);
  const v1::Label& label = value->options().GetExtension(v1::label);
  return Language() == "en" ? label.en() : label.zh();
}

Table TableOf(const RecordType& type, const std::vector<v1::Record>& records) {
  Table table;
  table.columns = {T("编号", "id"), T("审核状态", "review")};
  std::vector<const RecordField*> fields;
  for (const RecordField& field : type.fields()) {
    if (!field.options.filter()) continue;
    fields.push_back(&field);
    table.columns.push_back(Language() == "en" ? field.options.en() : field.options.zh());
  }
  for (const v1::Record& record : records) {
    std::unique_ptr<google::protobuf::Message> message = type.New();
    (void)record.record().UnpackTo(message.get());
    std::vector<std::string> row = {record.name().substr(record.name().rfind('/') + 1),
                                    StateLabel(record.review_state())};
    for (const RecordField* field : fields) row.push_back(CellOf(type, *message, *field));
    table.rows.push_back(std::move(row));
    table.json.push_back(ToJson(record, /*indented=*/false));
  }
  return table;
}

// A record's name, or collection/id under the county.
absl::StatusOr<RecordName> NameOf(const Client& client, const std::string& word) {
  const std::vector<std::string> parts = absl::StrSplit(word, '/');
  return ParseRecordName(parts.size() == 2 ? absl::StrCat(client.parent(), "/", word) : word);
}

int ListTypes(const Args& args) {
  const absl::StatusOr<Format> format = FormatOf(args);
  if (!format.ok()) return Usage(format.status().message());
  Table table{
      {T("类型", "type"), T("名称", "label"), T("服务", "service"), T("筛选字段", "filter fields")},
      {},
      {}};
  for (const auto& type : Types().all()) {
    std::vector<std::string> fields;
    for (const RecordField& field : type->fields()) {
      if (field.options.filter()) fields.push_back(field.name());
    }
    for (const BlindIndexField& blind : type->blind_indexes()) fields.push_back(blind.filter_name);
    const std::string label = Language() == "en" ? type->options().en() : type->options().zh();
    const std::string service = ServiceOfCollection(type->collection());
    table.rows.push_back({type->collection(), label, service, absl::StrJoin(fields, " ")});
    std::vector<std::string> quoted;
    for (const std::string& field : fields) quoted.push_back(JsonText(field));
    table.json.push_back(absl::StrCat(
        "{\"collection\":", JsonText(type->collection()), ",\"type\":", JsonText(type->full_name()),
        ",\"label\":", JsonText(label), ",\"service\":", JsonText(service), ",\"filter_fields\":[",
        absl::StrJoin(quoted, ","), "]}"));
  }
  Print(table, *format);
  return kOk;
}

int List(const Args& args) {
  return WithClient(args, [&](Client& client, Format format) -> absl::Status {
    FADU_ASSIGN_OR_RETURN(const RecordType* type, TypeOf(args.words[0]));
    int64_t limit = 50;
    if (!absl::SimpleAtoi(args.Get("limit", "50"), &limit) || limit < 1) {
      return absl::InvalidArgumentError(T("--limit 应为正整数", "--limit is a positive number"));
    }
    v1::ListRecordsRequest request;
    request.set_parent(client.parent());
    request.set_collection(type->collection());
    request.set_filter(args.Get("filter"));
    request.set_order_by(args.Get("order-by"));
    request.set_area(args.Get("area"));
    request.set_show_deleted(args.Has("show-deleted"));
    if (args.Has("state")) {
      const auto* state = FindEnumCode(v1::ReviewState_descriptor(), args.Get("state"));
      if (state == nullptr) {
        return absl::InvalidArgumentError(
            T("--state 只能是 DRAFT、SUBMITTED、RETURNED、CONFIRMED、WITHDRAWN",
              "--state is DRAFT, SUBMITTED, RETURNED, CONFIRMED or WITHDRAWN"));
      }
      request.set_review_state(static_cast<v1::ReviewState>(state->number()));
    }
    std::vector<v1::Record> records;
    const std::string service = ServiceOfCollection(type->collection());
    bool more = true;
    while (more && static_cast<int64_t>(records.size()) < limit) {
      request.set_page_size(
          static_cast<int>(std::min<int64_t>(200, limit - static_cast<int64_t>(records.size()))));
      v1::ListRecordsResponse response;
      FADU_RETURN_IF_ERROR(
          client.Call(service, absl::StrCat(kService, "ListRecords"), request, &response));
      for (v1::Record& record : *response.mutable_records()) records.push_back(std::move(record));
      request.set_page_token(response.next_page_token());
      more = !response.next_page_token().empty();
    }
    Print(TableOf(*type, records), format);
    if (more) {
      Say(absl::StrCat(
          T("已列出前 ", "the first "), records.size(),
          T(" 条，还有更多；用 --limit 调整", " are listed, there are more; see --limit")));
    }
    return absl::OkStatus();
  });
}

int Get(const Args& args) {
  return WithClient(args, [&](Client& client, Format format) -> absl::Status {
    FADU_ASSIGN_OR_RETURN(const RecordName name, NameOf(client, args.words[0]));
    FADU_ASSIGN_OR_RETURN(const RecordType* type, TypeOf(name.collection));
    v1::GetRecordRequest request;
    request.set_name(name.ToString());
    v1::Record record;
    FADU_RETURN_IF_ERROR(client.Call(ServiceOfCollection(name.collection),
                                     absl::StrCat(kService, "GetRecord"), request, &record));
    if (format != Format::kTable) {
      Print(TableOf(*type, {record}), format);
      return absl::OkStatus();
    }
    // For people: a line per field, with labels.
    std::unique_ptr<google::protobuf::Message> message = type->New();
    (void)record.record().UnpackTo(message.get());
    Table table{{T("字段", "field"), T("内容", "content")}, {}, {}};
    table.rows.push_back({T("编号", "name"), record.name()});
    table.rows.push_back({T("审核状态", "review"), StateLabel(record.review_state())});
    table.rows.push_back({T("版本", "revision"), absl::StrCat(record.revision())});
    if (!record.review_comment().empty()) {
      table.rows.push_back({T("审核意见", "comment"), record.review_comment()});
    }
    for (const RecordField& field : type->fields()) {
      const std::string label = Language() == "en" ? field.options.en() : field.options.zh();
      std::string text = CellOf(*type, *message, field);
      if (!field.comparable && message->GetReflection() != nullptr) {
        std::vector<std::string> parts;
        const auto* reflection = message->GetReflection();
        if (field.repeated()) {
          for (int i = 0; i < reflection->FieldSize(*message, field.descriptor); ++i) {
            parts.push_back(
                ToJson(reflection->GetRepeatedMessage(*message, field.descriptor, i), false));
          }
        } else if (reflection->HasField(*message, field.descriptor)) {
          parts.push_back(ToJson(reflection->GetMessage(*message, field.descriptor), false));
        }
        text = absl::StrJoin(parts, " ");
      }
      if (!text.empty()) table.rows.push_back({label, text});
    }
    Print(table, Format::kTable);
    return absl::OkStatus();
  });
}

int Create(const Args& args) {
  return WithClient(args, [&](Client& client, Format format) -> absl::Status {
    FADU_ASSIGN_OR_RETURN(const RecordType* type, TypeOf(args.words[0]));
    std::string json = args.Get("json");
    if (json.empty()) {
      FADU_ASSIGN_OR_RETURN(json, ReadFile(args.Get("file", "-")));
    }
    std::unique_ptr<google::protobuf::Message> message = type->New();
    const auto parsed = google::protobuf::util::JsonStringToMessage(json, message.get());
    if (!parsed.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(T("JSON 有误：", "JSON: "), std::string(parsed.message())));
    }
    v1::CreateRecordRequest request;
    request.set_parent(client.parent());
    request.mutable_record()->PackFrom(*message);
    request.set_request_id(args.Get("request-id", client.NewRequestId()));
    request.set_submit(args.Has("submit"));
    request.set_validate_only(args.Has("dry-run"));
    v1::Record record;
    FADU_RETURN_IF_ERROR(client.Call(ServiceOfCollection(type->collection()),
                                     absl::StrCat(kService, "CreateRecord"), request, &record));
    Print(TableOf(*type, {record}), format);
    if (args.Has("dry-run")) Say(T("检查通过，未保存", "it holds; nothing was stored"));
    return absl::OkStatus();
  });
}

int ReviewOne(const Args& args, v1::ReviewAction action) {
  return WithClient(args, [&](Client& client, Format format) -> absl::Status {
    FADU_ASSIGN_OR_RETURN(const RecordName name, NameOf(client, args.words[0]));
    FADU_ASSIGN_OR_RETURN(const RecordType* type, TypeOf(name.collection));
    v1::ReviewRecordRequest request;
    request.set_name(name.ToString());
    request.set_action(action);
    request.set_comment(args.Get("comment"));
    request.set_request_id(client.NewRequestId());
    v1::Record record;
    FADU_RETURN_IF_ERROR(client.Call(ServiceOfCollection(name.collection),
                                     absl::StrCat(kService, "ReviewRecord"), request, &record));
    Print(TableOf(*type, {record}), format);
    return absl::OkStatus();
  });
}

int History(const Args& args) {
  return WithClient(args, [&](Client& client, Format format) -> absl::Status {
    FADU_ASSIGN_OR_RETURN(const RecordName name, NameOf(client, args.words[0]));
    v1::ListRecordRevisionsRequest request;
    request.set_name(name.ToString());
    Table table{{T("序号", "seq"), T("版本", "revision"), T("操作", "operation"),
                 T("操作人", "actor"), T("审核状态", "review"), T("说明", "comment")},
                {},
                {}};
    do {
      v1::ListRecordRevisionsResponse response;
      FADU_RETURN_IF_ERROR(client.Call(ServiceOfCollection(name.collection),
                                       absl::StrCat(kService, "ListRecordRevisions"), request,
                                       &response));
      for (const v1::RecordRevision& revision : response.revisions()) {
        table.rows.push_back({absl::StrCat(revision.seq()),
                              absl::StrCat(revision.snapshot().revision()), revision.operation(),
                              revision.actor(), StateLabel(revision.snapshot().review_state()),
                              revision.comment()});
        table.json.push_back(ToJson(revision, false));
      }
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    Print(table, format);
    return absl::OkStatus();
  });
}

}  // namespace

std::vector<Command> RecordCommands() {
  const Flag comment{"comment", "TEXT", T("意见", "comment")};
  return {
      {"record types",
       "",
       T("列出全部记录类型及可筛选字段", "lists the record types and their filter fields"),
       {"fadu record types"},
       {},
       0,
       0,
       true,
       ListTypes},
      {"record list",
       "COLLECTION",
       T("列出记录", "lists records"),
       {"fadu record list disputes --data ./fadu-data --filter 'outcome = SETTLED' --area "
        "421221106",
        "fadu record list educationEvents --data ./fadu-data --filter 'venues:SCHOOL' -o csv > "
        "events.csv"},
       {{"filter", "FILTER",
         T("筛选条件，如 outcome = SETTLED AND found_date >= 2024-03-01", "AIP-160 filter")},
        {"order-by", "FIELD", T("排序字段，可加 desc", "order, optionally with desc")},
        {"area", "CODE", T("仅该区划及其下级", "only this area and beneath")},
        {"state", "STATE", T("仅该审核状态", "only this review state")},
        {"show-deleted", "", T("包括已删除的记录", "deleted records too")},
        {"limit", "N", T("最多列出多少条（默认 50）", "at most so many (default 50)")}},
       1,
       1,
       true,
       List},
      {"record get",
       "NAME",
       T("查看一条记录", "shows a record"),
       {"fadu record get disputes/0193… --data ./fadu-data"},
       {},
       1,
       1,
       true,
       Get},
      {"record create",
       "COLLECTION",
       T("新建一条记录（JSON）", "creates a record from JSON"),
       {"fadu record create disputes --data ./fadu-data --file dispute.json --submit",
        "echo '{\"area_code\":\"421221106200\",…}' | fadu record create disputes --data "
        "./fadu-data --dry-run"},
       {{"file", "FILE",
         T("JSON 文件，- 为标准输入（默认）", "JSON file, - for standard input (default)")},
        {"json", "JSON", T("直接给出 JSON", "the JSON itself")},
        {"submit", "", T("保存并提交", "submit it at once")},
        {"dry-run", "", T("只检查，不保存", "check, store nothing")},
        {"request-id", "UUID", T("请求编号，重试时沿用", "request id, kept over retries")}},
       1,
       1,
       true,
       Create},
      {"record submit",
       "NAME",
       T("提交记录", "submits a record"),
       {"fadu record submit disputes/0193… --data ./fadu-data"},
       {},
       1,
       1,
       true,
       [](const Args& args) { return ReviewOne(args, v1::REVIEW_ACTION_SUBMIT); }},
      {"record confirm",
       "NAME",
       T("确认记录", "confirms a record"),
       {"fadu record confirm disputes/0193… --data ./fadu-data"},
       {},
       1,
       1,
       true,
       [](const Args& args) { return ReviewOne(args, v1::REVIEW_ACTION_CONFIRM); }},
      {"record return",
       "NAME",
       T("退回记录", "returns a record"),
       {"fadu record return disputes/0193… --data ./fadu-data --comment '缺受理日期'"},
       {comment},
       1,
       1,
       true,
       [](const Args& args) { return ReviewOne(args, v1::REVIEW_ACTION_RETURN); }},
      {"record withdraw",
       "NAME",
       T("撤回记录", "withdraws a record"),
       {"fadu record withdraw disputes/0193… --data ./fadu-data"},
       {},
       1,
       1,
       true,
       [](const Args& args) { return ReviewOne(args, v1::REVIEW_ACTION_WITHDRAW); }},
      {"record history",
       "NAME",
       T("查看记录的全部版本", "shows a record's revisions"),
       {"fadu record history disputes/0193… --data ./fadu-data"},
       {},
       1,
       1,
       true,
       History},
  };
}

}  // namespace fadu::cli
