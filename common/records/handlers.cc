#include "common/records/handlers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/area_code.h"
#include "common/base/digest.h"
#include "common/records/store_impl.h"
#include "common/schema/names.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/fact_feed.pb.h"
#include "fadu/common/v1/reason.pb.h"
#include "fadu/common/v1/record_service.pb.h"

namespace fadu::records {
namespace {

namespace v1 = ::fadu::common::v1;
using google::protobuf::Message;
using RecordDone = std::function<void(absl::StatusOr<v1::Record>)>;

absl::Status UnknownType(absl::string_view type) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_RECORD_TYPE_UNKNOWN,
              "no such record type here", {{"type", std::string(type)}});
}

absl::Status InvalidField(absl::string_view field, absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_FIELD_INVALID, "invalid field",
              {{"field", std::string(field)}, {"problem", std::string(problem)}},
              {{std::string(field), std::string(problem)}});
}

absl::StatusOr<std::pair<const RecordType*, std::shared_ptr<Message>>> Unpack(
    const Store& store, const google::protobuf::Any& any) {
  absl::string_view name = any.type_url();
  const size_t slash = name.rfind('/');
  if (slash != absl::string_view::npos) name.remove_prefix(slash + 1);
  const RecordType* type = store.types().FindByName(name);
  if (type == nullptr) return UnknownType(name);
  std::shared_ptr<Message> message = type->New();
  if (!message->ParseFromString(any.value())) {
    return InvalidField("record", "内容无法解析");
  }
  return std::make_pair(type, std::move(message));
}

// The collection of a path, when there is one, is that of the record.
absl::Status CheckCollection(absl::string_view collection, const RecordType& type) {
  if (collection.empty() || collection == type.collection()) return absl::OkStatus();
  return InvalidField("collection", absl::StrCat("与记录类型不符，应为 ", type.collection()));
}

// An etag is the revision in quotes, as it was given out.
absl::StatusOr<absl::optional<int64_t>> RevisionOf(absl::string_view etag) {
  if (etag.empty()) return absl::optional<int64_t>();
  int64_t revision = 0;
  if (!absl::ConsumePrefix(&etag, "\"") || !absl::ConsumeSuffix(&etag, "\"") ||
      !absl::SimpleAtoi(etag, &revision)) {
    return InvalidField("etag", "不是读取记录时得到的 etag");
  }
  return absl::optional<int64_t>(revision);
}

absl::StatusOr<Uuid> RequestIdOf(absl::string_view text) {
  const absl::StatusOr<Uuid> id = Uuid::Parse(text);
  if (!id.ok()) return InvalidField("request_id", "不是 UUID");
  return *id;
}

// A wish about one existing record.
absl::StatusOr<WriteRequest> WishFor(const Store& store, const Message& request,
                                     absl::string_view name, absl::string_view request_id,
                                     Operation operation) {
  FADU_ASSIGN_OR_RETURN(const RecordName parsed, ParseRecordName(name));
  const RecordType* type = store.types().FindByCollection(parsed.collection);
  if (type == nullptr) return NotFound(name);
  WriteRequest wish;
  wish.county = parsed.county;
  FADU_ASSIGN_OR_RETURN(wish.request_id, RequestIdOf(request_id));
  wish.request_hash = StoredDigest(BytesOf(request));
  Change change;
  change.operation = operation;
  change.type = type;
  change.id = parsed.id;
  wish.changes.push_back(std::move(change));
  return wish;
}

// The answer to a write: without its content for who may write the type but not read it.
v1::Record Answer(const Principal& principal, const StoredRecord& stored, bool replayed,
                  bool unmask = false) {
  v1::Record record = ToProto(stored, unmask);
  const std::vector<std::string> areas = ReadableAreas(principal, *stored.type, stored.county);
  const bool readable = std::any_of(areas.begin(), areas.end(), [&](const std::string& area) {
    return IsWithin(stored.area_code, area);
  });
  if (!readable) record.clear_record();
  record.set_replayed(replayed);
  return record;
}

// Writes a wish of one record, or refuses it when it could not be made.
void WriteOne(Store& store, const CallContext& call, absl::StatusOr<WriteRequest> wish,
              const RecordDone& done, bool unmask = false) {
  if (!wish.ok()) return done(wish.status());
  store.Write(call, *std::move(wish),
              [done, unmask, principal = call.principal](absl::StatusOr<WriteResult> result) {
                if (!result.ok()) return done(result.status());
                if (result->records.empty()) return done(FADU_BUG("a write without a record"));
                done(Answer(principal, result->records[0], result->replayed, unmask));
              });
}

absl::StatusOr<WriteRequest> CreateWish(const Store& store,
                                        const v1::CreateRecordRequest& request) {
  WriteRequest wish;
  FADU_ASSIGN_OR_RETURN(wish.county, ParseCountyName(request.parent()));
  FADU_ASSIGN_OR_RETURN(wish.request_id, RequestIdOf(request.request_id()));
  wish.request_hash = StoredDigest(BytesOf(request));
  wish.validate_only = request.validate_only();
  FADU_ASSIGN_OR_RETURN(auto unpacked, Unpack(store, request.record()));
  FADU_RETURN_IF_ERROR(CheckCollection(request.collection(), *unpacked.first));
  Change change;
  change.type = unpacked.first;
  change.message = std::move(unpacked.second);
  change.submit = request.submit();
  wish.changes.push_back(std::move(change));
  return wish;
}

absl::StatusOr<WriteRequest> BatchWish(const Store& store,
                                       const v1::BatchCreateRecordsRequest& request) {
  WriteRequest wish;
  FADU_ASSIGN_OR_RETURN(wish.county, ParseCountyName(request.parent()));
  FADU_ASSIGN_OR_RETURN(wish.request_id, RequestIdOf(request.request_id()));
  wish.request_hash = StoredDigest(BytesOf(request));
  wish.validate_only = request.validate_only();
  for (const auto& record : request.records()) {
    FADU_ASSIGN_OR_RETURN(auto unpacked, Unpack(store, record));
    FADU_RETURN_IF_ERROR(CheckCollection(request.collection(), *unpacked.first));
    Change change;
    change.type = unpacked.first;
    change.message = std::move(unpacked.second);
    change.submit = request.submit();
    wish.changes.push_back(std::move(change));
  }
  return wish;
}

absl::StatusOr<WriteRequest> UpdateWish(const Store& store,
                                        const v1::UpdateRecordRequest& request) {
  FADU_ASSIGN_OR_RETURN(WriteRequest wish, WishFor(store, request, request.name(),
                                                   request.request_id(), Operation::kUpdate));
  wish.validate_only = request.validate_only();
  FADU_ASSIGN_OR_RETURN(auto unpacked, Unpack(store, request.record()));
  Change& change = wish.changes[0];
  if (unpacked.first != change.type) return UnknownType(unpacked.first->full_name());
  change.message = std::move(unpacked.second);
  change.mask.assign(request.update_mask().paths().begin(), request.update_mask().paths().end());
  FADU_ASSIGN_OR_RETURN(change.revision, RevisionOf(request.etag()));
  return wish;
}

absl::StatusOr<WriteRequest> ReviewWish(const Store& store,
                                        const v1::ReviewRecordRequest& request) {
  Operation operation = Operation::kSubmit;
  switch (request.action()) {
    case v1::REVIEW_ACTION_SUBMIT:
      operation = Operation::kSubmit;
      break;
    case v1::REVIEW_ACTION_CONFIRM:
      operation = Operation::kConfirm;
      break;
    case v1::REVIEW_ACTION_RETURN:
      operation = Operation::kReturn;
      break;
    case v1::REVIEW_ACTION_WITHDRAW:
      operation = Operation::kWithdraw;
      break;
    default:
      return InvalidField("action", "未知的审核操作");
  }
  FADU_ASSIGN_OR_RETURN(WriteRequest wish,
                        WishFor(store, request, request.name(), request.request_id(), operation));
  wish.validate_only = request.validate_only();
  wish.changes[0].comment = request.comment();
  FADU_ASSIGN_OR_RETURN(wish.changes[0].revision, RevisionOf(request.etag()));
  return wish;
}

}  // namespace

std::unique_ptr<rpc::Service> MakeRecordService(Store& store) {
  auto service = std::make_unique<rpc::Service>("fadu.common.v1.RecordService");
  service->Handle<v1::ListRecordTypesRequest, v1::ListRecordTypesResponse>(
      "ListRecordTypes",
      [&store](const CallContext&,
               const v1::ListRecordTypesRequest&) -> absl::StatusOr<v1::ListRecordTypesResponse> {
        v1::ListRecordTypesResponse response;
        for (const auto& type : store.types().all()) {
          v1::RecordType& entry = *response.add_record_types();
          entry.set_type(type->full_name());
          entry.set_collection(type->collection());
          entry.mutable_label()->set_zh(type->options().zh());
          entry.mutable_label()->set_en(type->options().en());
          for (const RecordField& field : type->fields()) {
            if (field.options.filter()) entry.add_filter_fields(field.name());
            if (field.options.measure()) entry.add_measure_fields(field.name());
          }
          for (const BlindIndexField& blind : type->blind_indexes()) {
            entry.add_filter_fields(blind.filter_name);
          }
        }
        return response;
      });
  service->HandleRecording<v1::CreateRecordRequest, v1::Record>(
      "CreateRecord",
      [&store](const CallContext& call, const v1::CreateRecordRequest& request, RecordDone done) {
        WriteOne(store, call, CreateWish(store, request), done);
      });
  service->HandleRecording<v1::BatchCreateRecordsRequest, v1::BatchCreateRecordsResponse>(
      "BatchCreateRecords",
      [&store](const CallContext& call, const v1::BatchCreateRecordsRequest& request,
               std::function<void(absl::StatusOr<v1::BatchCreateRecordsResponse>)> done) {
        absl::StatusOr<WriteRequest> wish = BatchWish(store, request);
        if (!wish.ok()) return done(wish.status());
        store.Write(call, *std::move(wish),
                    [done, principal = call.principal](absl::StatusOr<WriteResult> result) {
                      if (!result.ok()) return done(result.status());
                      v1::BatchCreateRecordsResponse response;
                      for (const StoredRecord& record : result->records) {
                        *response.add_records() = Answer(principal, record, result->replayed);
                      }
                      done(std::move(response));
                    });
      });
  service->HandleQueued<v1::GetRecordRequest, v1::Record>(
      "GetRecord",
      [&store](const CallContext& call, const v1::GetRecordRequest& request, RecordDone done) {
        store.Get(call, request.name(), [done](const absl::StatusOr<StoredRecord>& record) {
          if (!record.ok()) return done(record.status());
          done(ToProto(*record));
        });
      });
  service->Handle<v1::ListRecordsRequest, v1::ListRecordsResponse>(
      "ListRecords",
      [&store](const CallContext& call,
               const v1::ListRecordsRequest& request) -> absl::StatusOr<v1::ListRecordsResponse> {
        ListQuery query;
        FADU_ASSIGN_OR_RETURN(query.county, ParseCountyName(request.parent()));
        query.type = store.types().FindByCollection(request.collection());
        if (query.type == nullptr) return UnknownType(request.collection());
        query.page_size = request.page_size();
        query.page_token = request.page_token();
        query.filter = request.filter();
        query.order_by = request.order_by();
        query.show_deleted = request.show_deleted();
        query.area = request.area();
        query.review_state = request.review_state();
        FADU_ASSIGN_OR_RETURN(const ListPage page, store.List(call, query));
        v1::ListRecordsResponse response;
        for (const StoredRecord& record : page.records) *response.add_records() = ToProto(record);
        response.set_next_page_token(page.next_page_token);
        return response;
      });
  service->HandleRecording<v1::UpdateRecordRequest, v1::Record>(
      "UpdateRecord",
      [&store](const CallContext& call, const v1::UpdateRecordRequest& request, RecordDone done) {
        WriteOne(store, call, UpdateWish(store, request), done);
      });
  service->HandleRecording<v1::ReviewRecordRequest, v1::Record>(
      "ReviewRecord",
      [&store](const CallContext& call, const v1::ReviewRecordRequest& request, RecordDone done) {
        WriteOne(store, call, ReviewWish(store, request), done);
      });
  service->HandleRecording<v1::DeleteRecordRequest, v1::Record>(
      "DeleteRecord",
      [&store](const CallContext& call, const v1::DeleteRecordRequest& request, RecordDone done) {
        absl::StatusOr<WriteRequest> wish =
            WishFor(store, request, request.name(), request.request_id(), Operation::kDelete);
        if (wish.ok()) {
          const auto revision = RevisionOf(request.etag());
          if (!revision.ok()) return done(revision.status());
          wish->changes[0].revision = *revision;
          wish->changes[0].comment = request.reason();
          wish->validate_only = request.validate_only();
        }
        WriteOne(store, call, std::move(wish), done);
      });
  service->HandleRecording<v1::UndeleteRecordRequest, v1::Record>(
      "UndeleteRecord",
      [&store](const CallContext& call, const v1::UndeleteRecordRequest& request, RecordDone done) {
        WriteOne(
            store, call,
            WishFor(store, request, request.name(), request.request_id(), Operation::kUndelete),
            done);
      });
  service->HandleRecording<v1::UnmaskRecordRequest, v1::Record>(
      "UnmaskRecord",
      [&store](const CallContext& call, const v1::UnmaskRecordRequest& request, RecordDone done) {
        absl::StatusOr<WriteRequest> wish =
            WishFor(store, request, request.name(), request.request_id(), Operation::kUnmask);
        if (wish.ok()) wish->changes[0].comment = request.purpose();
        WriteOne(store, call, std::move(wish), done, /*unmask=*/true);
      });
  service->HandleRecording<v1::EraseRecordRequest, v1::Record>(
      "EraseRecord",
      [&store](const CallContext& call, const v1::EraseRecordRequest& request, RecordDone done) {
        absl::StatusOr<WriteRequest> wish =
            WishFor(store, request, request.name(), request.request_id(), Operation::kErase);
        if (wish.ok()) wish->changes[0].comment = request.reason();
        WriteOne(store, call, std::move(wish), done);
      });
  service->Handle<v1::ListRecordRevisionsRequest, v1::ListRecordRevisionsResponse>(
      "ListRecordRevisions",
      [&store](const CallContext& call, const v1::ListRecordRevisionsRequest& request) {
        return store.ListRevisions(call, request);
      });
  service->Handle<v1::ListEventsRequest, v1::ListEventsResponse>(
      "ListEvents", [&store](const CallContext& call, const v1::ListEventsRequest& request) {
        return store.ListEvents(call, request);
      });
  service->Handle<v1::VerifyEventsRequest, v1::VerifyEventsResponse>(
      "VerifyEvents",
      [&store](const CallContext& call,
               const v1::VerifyEventsRequest& request) -> absl::StatusOr<v1::VerifyEventsResponse> {
        FADU_ASSIGN_OR_RETURN(const std::string county, ParseCountyName(request.parent()));
        return store.VerifyEvents(call, county);
      });
  return service;
}

std::unique_ptr<rpc::Service> MakeFactFeedService(Store& store) {
  auto service = std::make_unique<rpc::Service>("fadu.common.v1.FactFeedService");
  service->Handle<v1::PullFactsRequest, v1::PullFactsResponse>(
      "PullFacts", [&store](const CallContext& call, const v1::PullFactsRequest& request) {
        return store.PullFacts(call, request);
      });
  return service;
}

}  // namespace fadu::records
