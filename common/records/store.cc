#include "common/records/store.h"

#include <algorithm>
#include <limits>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/notification.h"
#include "common/base/area_code.h"
#include "common/base/digest.h"
#include "common/records/chain.h"
#include "common/records/heads.h"
#include "common/records/page_token.h"
#include "common/records/store_impl.h"
#include "common/schema/filter.h"
#include "common/schema/names.h"
#include "common/schema/reason.h"
#include "common/schema/rules.h"
#include "fadu/common/v1/reason.pb.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/util/time_util.h"

namespace fadu::records {
namespace {

namespace v1 = ::fadu::common::v1;
using google::protobuf::Message;

constexpr int kDefaultPage = 50;
constexpr int kMaxPage = 200;
constexpr int kMaxFacts = 500;

constexpr db::Statement kListRevisions{
    "list_revisions",
    "SELECT seq, revision, entry, message FROM event WHERE county_code = $1 AND id = $2 "
    "AND type = $3 AND seq > $4 ORDER BY seq LIMIT $5"};
constexpr db::Statement kListEvents{
    "list_events",
    "SELECT seq, entry, hash FROM event WHERE county_code = $1 AND seq > $2 ORDER BY seq LIMIT $3"};
constexpr db::Statement kPullFacts{
    "pull_facts",
    "SELECT seq, fact FROM event WHERE county_code = $1 AND seq > $2 ORDER BY seq LIMIT $3"};
constexpr db::Statement kReadCounter{"read_counter",
                                     "SELECT seq, head FROM counter WHERE county_code = $1"};

google::protobuf::Timestamp ToTimestamp(absl::Time at) {
  return google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(at));
}

int PageSize(int wanted) { return wanted <= 0 ? kDefaultPage : std::min(wanted, kMaxPage); }

bool Covers(const std::vector<std::string>& areas, absl::string_view code) {
  return std::any_of(areas.begin(), areas.end(),
                     [&](const std::string& area) { return IsWithin(code, area); });
}

std::vector<int> Roles(const google::protobuf::RepeatedField<int>& roles) {
  return std::vector<int>(roles.begin(), roles.end());
}

}  // namespace

// ---- shared with batch.cc ----------------------------------------------------------------------

std::string StoredRecord::Name() const {
  return RecordName{county, type->collection(), id}.ToString();
}

std::string AadOf(absl::string_view county, const RecordType& type, const Uuid& id) {
  return absl::StrCat(county, "|", type.table(), "|", id.ToString());
}

std::string BytesOf(const Message& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  return bytes;
}

std::string ReviewCode(v1::ReviewState state) {
  return EnumCode(v1::ReviewState_descriptor()->FindValueByNumber(state));
}

absl::Status NotFound(absl::string_view name) {
  return Fail(absl::StatusCode::kNotFound, v1::REASON_NOT_FOUND, "no such record, or not visible",
              {{"name", std::string(name)}});
}

std::vector<int> WritersOf(const RecordType& type) { return Roles(type.options().writers()); }
std::vector<int> ReadersOf(const RecordType& type) { return Roles(type.options().readers()); }

std::vector<std::string> ReadableAreas(const Principal& principal, const RecordType& type,
                                       absl::string_view county) {
  if (principal.is_service) {
    const std::vector<int> readers = ReadersOf(type);
    const bool allowed =
        std::find(readers.begin(), readers.end(), v1::ROLE_SERVICE) != readers.end();
    return allowed ? std::vector<std::string>{std::string(county)} : std::vector<std::string>{};
  }
  std::vector<std::string> areas;
  for (const std::string& area : principal.AreasOf(ReadersOf(type))) {
    if (area.size() >= 6 && CountyOf(area) == county) areas.push_back(area);
  }
  if (!areas.empty() && type.options().shared()) return {std::string(county)};
  return areas;
}

absl::StatusOr<RecordRow> ReadRow(const db::Row& row, const RecordType& type,
                                  absl::string_view county, const Sealer& sealer, bool open) {
  RecordRow read;
  StoredRecord& record = read.record;
  record.type = &type;
  record.county = std::string(county);
  record.id = row.Id(0);
  record.revision = row.Int(1);
  record.area_code = row.Text(2);
  const auto* state = FindEnumCode(v1::ReviewState_descriptor(), row.Text(4));
  if (state == nullptr) return FADU_BUG("a stored review state is unknown");
  record.review_state = static_cast<v1::ReviewState>(state->number());
  if (!row.IsNull(5)) record.review_comment = row.Text(5);
  record.created_at = row.Time(6);
  record.updated_at = row.Time(7);
  if (!row.IsNull(8)) record.deleted_at = row.Time(8);
  read.message_bytes = row.Bytes(9);
  if (!row.IsNull(10)) read.sealed_bytes = row.Bytes(10);
  if (!row.IsNull(11)) read.wrapped_key = row.Bytes(11);
  std::shared_ptr<Message> message = type.New();
  if (!message->ParseFromString(read.message_bytes)) {
    return FADU_BUG("a stored message does not parse");
  }
  record.message = std::move(message);
  if (open && !read.sealed_bytes.empty() && !read.wrapped_key.empty()) {
    FADU_ASSIGN_OR_RETURN(
        const std::string clear,
        sealer.Open(county, read.wrapped_key, AadOf(county, type, record.id), read.sealed_bytes));
    std::shared_ptr<Message> sealed = type.New();
    if (!sealed->ParseFromString(clear)) return FADU_BUG("a sealed message does not parse");
    record.sealed = std::move(sealed);
  }
  return read;
}

RecordOperation::RecordOperation(CallContext call, WriteRequest request,
                                 std::function<void(absl::StatusOr<WriteResult>)> done)
    : call_(std::move(call)),
      request_(std::move(request)),
      done_(std::move(done)),
      decided_(absl::UnknownError("never decided")) {
  keys_.push_back(absl::StrCat("request ", request_.request_id.ToString()));
  for (const Change& change : request_.changes) {
    if (!change.id.IsNil()) keys_.push_back(absl::StrCat("record ", change.id.ToString()));
  }
}

void RecordOperation::Finish(const absl::Status& outcome) {
  // The writer may let go of this operation while the caller's function runs.
  const std::function<void(absl::StatusOr<WriteResult>)> done = std::move(done_);
  if (!outcome.ok()) return done(outcome);
  done(std::move(decided_));
}

Store::Impl::Impl(const StoreOptions& store_options, db::Pool& store_pool,
                  std::unique_ptr<Sealer> store_sealer, IdSource& id_source)
    : options(store_options),
      pool(store_pool),
      sealer(std::move(store_sealer)),
      ids(id_source),
      heads(std::make_unique<Heads>()) {
  for (const auto& type : options.types->all()) {
    writes[type.get()] = WriteSqlOf(*type);
    selects[type.get()] = SelectByIdsSql(*type);
  }
  db::ReaderOptions reading = options.reader;
  if (reading.dsn.empty()) {
    reading.dsn = options.writer.dsn;
    reading.application = options.writer.application;
  }
  reader = std::make_unique<db::GroupReader>(std::move(reading));
  db::BatchWork work;
  work.attempt = [this](db::WriterTransaction& transaction, const std::string& county,
                        const Operations& operations) {
    return Attempt(transaction, county, operations);
  };
  work.compose = [this](const std::string& county, const Operations& operations) {
    return Compose(county, operations);
  };
  work.read = [this](db::TripReader& from, const std::string& county,
                     const Operations& operations) { return Read(from, county, operations); };
  work.settle = [this](const std::string& county, bool committed) { Settle(county, committed); };
  writer = std::make_unique<db::GroupWriter>(options.writer, std::move(work));
}

Store::Impl::~Impl() = default;

const Law* Store::Impl::LawOf(const RecordType& type) const {
  const auto law = options.laws.find(type.full_name());
  return law == options.laws.end() ? nullptr : &law->second;
}

const LockedLaw* Store::Impl::LockedLawOf(const RecordType& type) const {
  const auto law = options.locked_laws.find(type.full_name());
  return law == options.locked_laws.end() ? nullptr : &law->second;
}

// ---- writing -----------------------------------------------------------------------------------

Store::Store(StoreOptions options, db::Pool& pool, std::unique_ptr<Sealer> sealer, IdSource& ids)
    : options_(std::move(options)),
      impl_(std::make_unique<Impl>(options_, pool, std::move(sealer), ids)) {}

Store::~Store() = default;

db::GroupWriter& Store::writer() { return *impl_->writer; }

const db::GroupReader& Store::reader() const { return *impl_->reader; }

const Sealer& Store::sealer() const { return *impl_->sealer; }

namespace {

// Some grant of the caller lies in the county.
bool HoldsIn(const Principal& principal, absl::string_view county) {
  return std::any_of(principal.grants.begin(), principal.grants.end(), [&](const RoleGrant& grant) {
    return grant.area_code.size() >= 6 && CountyOf(grant.area_code) == county;
  });
}

// What can be refused without looking at the county's rows. The messages of creations as rules and
// law left them, by item; null for other changes.
absl::StatusOr<std::vector<std::shared_ptr<Message>>> CheckBeforeQueue(
    const CallContext& call, const WriteRequest& request, const std::map<std::string, Law>& laws) {
  if (request.request_id.IsNil()) return FADU_BUG("a write without a request id");
  std::set<Uuid> seen;
  std::vector<std::shared_ptr<Message>> lawful(request.changes.size());
  int64_t item = 0;
  for (const Change& change : request.changes) {
    const auto fail = [&](const absl::Status& status) {
      return request.changes.size() > 1 ? WithMetadata(status, "item", absl::StrCat(item)) : status;
    };
    if (!change.id.IsNil() && !seen.insert(change.id).second) {
      return FADU_BUG("one request changes a record twice");
    }
    if (!request.trusted) {
      const std::vector<int> writers = WritersOf(*change.type);
      const bool content = change.operation == Operation::kCreate ||
                           change.operation == Operation::kUpdate ||
                           change.operation == Operation::kSubmit;
      const bool writes = std::any_of(writers.begin(), writers.end(),
                                      [&](int role) { return call.principal.HasRole(role); });
      // Looking at personal data, and erasing it, is the same for every type.
      const bool personal =
          change.operation == Operation::kUnmask || change.operation == Operation::kErase;
      if ((change.type->options().managed() && !personal) || (content && !writes)) {
        return Fail(absl::StatusCode::kPermissionDenied, v1::REASON_ROLE_DENIED,
                    "the caller may not write this record type");
      }
    }
    if (change.operation == Operation::kReturn && change.comment.empty()) {
      return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_FIELD_INVALID,
                  "a return needs a comment",
                  {{"field", "comment"}, {"problem", "退回时必须填写意见"}},
                  {{"comment", "退回时必须填写意见"}});
    }
    if (change.operation == Operation::kCreate) {
      std::shared_ptr<Message> copy(change.message->New());
      copy->CopyFrom(*change.message);
      change.type->ClearOutputOnly(*copy);
      // Before all else: elsewhere nothing is said about the content.
      const std::string area = change.type->AreaOf(*copy);
      if (!request.trusted && IsAreaCode(area) &&
          !call.principal.MayIn(area, WritersOf(*change.type))) {
        return fail(Fail(absl::StatusCode::kPermissionDenied, v1::REASON_AREA_DENIED,
                         "the area is outside the caller's scope", {{"area", area}}));
      }
      if (const absl::Status rules = CheckRules(*copy, "record"); !rules.ok()) return fail(rules);
      if (area.size() < 6 || CountyOf(area) != request.county) {
        return fail(Fail(absl::StatusCode::kInvalidArgument, v1::REASON_AREA_DENIED,
                         "the area is not in the county", {{"area", area}}));
      }
      if (const auto law = laws.find(change.type->full_name()); law != laws.end()) {
        const LawContext context{call.now, DayOf(call.now), &call.principal, change.operation};
        absl::Status decided = law->second(nullptr, *copy, context);
        if (decided.ok()) decided = CheckRules(*copy, "record");
        if (!decided.ok()) return fail(decided);
      }
      lawful[static_cast<size_t>(item)] = std::move(copy);
    } else if (!request.trusted && !HoldsIn(call.principal, request.county)) {
      // Nobody queues in, or locks, a county where it has nothing to say.
      return NotFound(RecordName{request.county, change.type->collection(), change.id}.ToString());
    }
    ++item;
  }
  return lawful;
}

}  // namespace

void Store::Write(const CallContext& call, WriteRequest request,
                  std::function<void(absl::StatusOr<WriteResult>)> done) {
  absl::StatusOr<std::vector<std::shared_ptr<Message>>> lawful =
      CheckBeforeQueue(call, request, options_.laws);
  if (!lawful.ok()) return done(lawful.status());
  // Who asks is part of the wish: nobody gets another's answer by repeating what he asked. Keyed: a
  // plain digest of a body with an identity number in it could be tried out offline, also after the
  // number's erasure.
  request.request_hash =
      impl_->sealer->RequestMac(absl::StrCat(call.principal.subject, "\n", request.request_hash));
  // shared_ptr: the queue and the batch that has it.
  const auto operation =
      std::make_shared<RecordOperation>(call, std::move(request), std::move(done));
  impl_->Route(*operation, *std::move(lawful));
  impl_->writer->Submit(operation);
}

absl::StatusOr<WriteResult> Store::WriteAndWait(const CallContext& call, WriteRequest request) {
  absl::Notification finished;
  absl::StatusOr<WriteResult> result = absl::UnknownError("never answered");
  Write(call, std::move(request), [&](absl::StatusOr<WriteResult> answer) {
    result = std::move(answer);
    finished.Notify();
  });
  finished.WaitForNotification();
  return result;
}

// ---- reading -----------------------------------------------------------------------------------

void Store::Get(const CallContext& call, absl::string_view name,
                std::function<void(absl::StatusOr<StoredRecord>)> done) {
  const absl::StatusOr<RecordName> parsed = ParseRecordName(name);
  if (!parsed.ok()) return done(parsed.status());
  const RecordType* type = options_.types->FindByCollection(parsed->collection);
  if (type == nullptr) return done(NotFound(name));
  std::vector<std::string> areas = ReadableAreas(call.principal, *type, parsed->county);
  if (areas.empty()) return done(NotFound(name));
  const db::Scope scope{{parsed->county}, areas};
  impl_->reader->Read(scope, impl_->selects.at(type), parsed->id, call.deadline,
                      [impl = impl_.get(), type, name = std::string(name), county = parsed->county,
                       areas = std::move(areas),
                       done = std::move(done)](absl::StatusOr<absl::optional<db::Row>> row) {
                        if (!row.ok()) return done(row.status());
                        if (!row->has_value()) return done(NotFound(name));
                        absl::StatusOr<RecordRow> read =
                            ReadRow(**row, *type, county, *impl->sealer, /*open=*/true);
                        if (!read.ok()) return done(read.status());
                        // The second wall is row-level security; this is the first.
                        if (!Covers(areas, read->record.area_code)) return done(NotFound(name));
                        done(std::move(read->record));
                      });
}

absl::StatusOr<StoredRecord> Store::Get(const CallContext& call, absl::string_view name) {
  absl::Notification finished;
  absl::StatusOr<StoredRecord> result = absl::UnknownError("never answered");
  Get(call, name, [&](absl::StatusOr<StoredRecord> answer) {
    result = std::move(answer);
    finished.Notify();
  });
  finished.WaitForNotification();
  return result;
}

absl::StatusOr<ListPage> Store::List(const CallContext& call, const ListQuery& query) {
  ListPage page;
  const RecordType& type = *query.type;
  std::vector<std::string> areas = ReadableAreas(call.principal, type, query.county);
  if (areas.empty()) {
    // Another county is an empty, complete list; a role that never reads this type is told so.
    const std::vector<int> readers = ReadersOf(type);
    const bool reads = std::any_of(readers.begin(), readers.end(),
                                   [&](int role) { return call.principal.HasRole(role); });
    if (reads) return page;
    return Fail(absl::StatusCode::kPermissionDenied, v1::REASON_ROLE_DENIED,
                "the caller's roles do not read this record type");
  }
  if (!query.area.empty()) {
    std::vector<std::string> cut;
    for (const std::string& area : areas) {
      if (IsWithin(query.area, area)) {
        cut = {query.area};
        break;
      }
      if (IsWithin(area, query.area)) cut.push_back(area);
    }
    if (cut.empty()) return page;
    areas = std::move(cut);
  }
  FADU_ASSIGN_OR_RETURN(const FilterNode filter, ParseFilter(query.filter, type, FilterUse::kList));
  FADU_ASSIGN_OR_RETURN(const ListOrder order, ParseOrder(query.order_by, type));
  const int size = PageSize(query.page_size);
  const std::string identity =
      absl::StrCat(query.county, "|", type.full_name(), "|", query.filter, "|", query.order_by, "|",
                   query.show_deleted, "|", query.review_state, "|", absl::StrJoin(areas, ","));

  ListSelection selection;
  selection.county = query.county;
  selection.type = &type;
  selection.filter = &filter;
  selection.order = order;
  selection.show_deleted = query.show_deleted;
  if (query.review_state != v1::REVIEW_STATE_UNSPECIFIED) {
    selection.review_state = ReviewCode(query.review_state);
  }
  // A caller of the whole county needs no predicate beside the county's.
  if (areas.size() != 1 || areas[0] != query.county) selection.areas = areas;
  selection.limit = size + 1;
  if (!query.page_token.empty()) {
    FADU_ASSIGN_OR_RETURN(const std::vector<std::string> parts,
                          ReadPageToken(*impl_->sealer, identity, query.page_token, 2));
    FADU_ASSIGN_OR_RETURN(selection.after_id, Uuid::Parse(parts[0]));
    selection.after_value = parts[1];
  }
  // Newest first with a filter that no index answers: a bounded window at a time, so a page may be
  // short while there is more.
  const bool everything = filter.type == FilterNode::Type::kAnd && filter.children.empty();
  const bool windowed = order.field == nullptr && !everything && !UsesIndex(filter, type);

  FADU_RETURN_IF_ERROR(impl_->pool.Read(
      db::Scope{{query.county}, areas}, call.deadline,
      [&](db::Transaction& transaction) -> absl::Status {
        page = ListPage();
        absl::optional<Uuid> window_end;
        selection.not_below.reset();
        if (windowed) {
          const BoundSql end = SelectWindowEnd(selection, options_.window);
          FADU_ASSIGN_OR_RETURN(const db::Rows rows,
                                transaction.Run(db::Statement{"list_window", end.sql}, end.params));
          if (!rows.empty()) window_end = rows[0].Id(0);
          selection.not_below = window_end;
        }
        const BoundSql bound = SelectPage(selection, *impl_->sealer);
        FADU_ASSIGN_OR_RETURN(
            const db::Rows rows,
            transaction.Run(db::Statement{"list_records", bound.sql}, bound.params));
        const auto count = static_cast<int>(rows.size());
        for (int i = 0; i < std::min(count, size); ++i) {
          FADU_ASSIGN_OR_RETURN(RecordRow row, ReadRow(rows[static_cast<size_t>(i)], type,
                                                       query.county, *impl_->sealer, true));
          page.records.push_back(std::move(row.record));
        }
        if (count > size) {
          const db::Row& last = rows[static_cast<size_t>(size - 1)];
          page.next_page_token = MakePageToken(
              *impl_->sealer, identity,
              {last.Id(0).ToString(), order.field == nullptr ? "" : last.Text(kRecordColumnCount)});
        } else if (window_end.has_value()) {
          page.next_page_token =
              MakePageToken(*impl_->sealer, identity, {window_end->ToString(), ""});
        }
        return absl::OkStatus();
      }));
  return page;
}

absl::StatusOr<v1::ListRecordRevisionsResponse> Store::ListRevisions(
    const CallContext& call, const v1::ListRecordRevisionsRequest& request) {
  FADU_ASSIGN_OR_RETURN(const RecordName name, ParseRecordName(request.name()));
  const RecordType* type = options_.types->FindByCollection(name.collection);
  if (type == nullptr) return NotFound(request.name());
  // An auditor reads every type's history, without content.
  const std::vector<std::string> readable = ReadableAreas(call.principal, *type, name.county);
  const bool auditor = call.principal.MayIn(name.county, {v1::ROLE_AUDITOR});
  const std::vector<std::string> areas = auditor ? std::vector<std::string>{name.county} : readable;
  if (areas.empty()) return NotFound(request.name());
  const int size = PageSize(request.page_size());
  int64_t after = 0;
  if (!request.page_token().empty()) {
    FADU_ASSIGN_OR_RETURN(const std::vector<std::string> parts,
                          ReadPageToken(*impl_->sealer, request.name(), request.page_token(), 1));
    if (!absl::SimpleAtoi(parts[0], &after)) return FADU_BUG("a page token of ours has no number");
  }
  v1::ListRecordRevisionsResponse response;
  FADU_RETURN_IF_ERROR(impl_->pool.Read(
      db::Scope{{name.county}, areas}, call.deadline,
      [&](db::Transaction& transaction) -> absl::Status {
        response.Clear();
        FADU_ASSIGN_OR_RETURN(const db::Rows rows,
                              transaction.Run(kListRevisions, db::Params()
                                                                  .Text(name.county)
                                                                  .Id(name.id)
                                                                  .Text(type->full_name())
                                                                  .Int(after)
                                                                  .Int(size + 1)));
        for (size_t i = 0; i < rows.size() && i < static_cast<size_t>(size); ++i) {
          v1::Entry entry;
          if (!entry.ParseFromString(rows[i].Bytes(2))) return FADU_BUG("an entry does not parse");
          // The second wall is row-level security; this is the first.
          if (!Covers(areas, entry.area_code())) continue;
          v1::RecordRevision& revision = *response.add_revisions();
          revision.set_actor(entry.actor());
          revision.set_operation(entry.operation());
          revision.set_comment(entry.comment());
          revision.set_seq(rows[i].Int(0));
          v1::Record& snapshot = *revision.mutable_snapshot();
          snapshot.set_name(request.name());
          snapshot.set_revision(rows[i].Int(1));
          snapshot.set_etag(absl::StrCat("\"", rows[i].Int(1), "\""));
          snapshot.set_review_state(entry.review_state());
          *snapshot.mutable_update_time() = entry.time();
          if (!rows[i].IsNull(3) && Covers(readable, entry.area_code())) {
            std::unique_ptr<Message> message = type->New();
            if (message->ParseFromString(rows[i].Bytes(3))) {
              snapshot.mutable_record()->PackFrom(*message);
            }
          }
        }
        if (rows.size() > static_cast<size_t>(size)) {
          response.set_next_page_token(
              MakePageToken(*impl_->sealer, request.name(),
                            {absl::StrCat(rows[static_cast<size_t>(size) - 1].Int(0))}));
        }
        return absl::OkStatus();
      }));
  if (response.revisions().empty() && after == 0) return NotFound(request.name());
  return response;
}

absl::StatusOr<v1::ListEventsResponse> Store::ListEvents(const CallContext& call,
                                                         const v1::ListEventsRequest& request) {
  FADU_ASSIGN_OR_RETURN(const std::string county, ParseCountyName(request.parent()));
  if (!call.principal.MayIn(county, {v1::ROLE_AUDITOR, v1::ROLE_COUNTY_ADMIN})) {
    return NotFound(request.parent());
  }
  const int size = PageSize(request.page_size());
  const std::string identity = absl::StrCat("events|", county);
  int64_t after = 0;
  if (!request.page_token().empty()) {
    FADU_ASSIGN_OR_RETURN(const std::vector<std::string> parts,
                          ReadPageToken(*impl_->sealer, identity, request.page_token(), 1));
    if (!absl::SimpleAtoi(parts[0], &after)) return FADU_BUG("a page token of ours has no number");
  }
  v1::ListEventsResponse response;
  FADU_RETURN_IF_ERROR(impl_->pool.Read(
      db::Scope::WholeCounty(county), call.deadline,
      [&](db::Transaction& transaction) -> absl::Status {
        response.Clear();
        FADU_ASSIGN_OR_RETURN(
            const db::Rows rows,
            transaction.Run(kListEvents, db::Params().Text(county).Int(after).Int(size + 1)));
        for (size_t i = 0; i < rows.size() && i < static_cast<size_t>(size); ++i) {
          v1::Event& event = *response.add_events();
          event.set_seq(rows[i].Int(0));
          if (!event.mutable_entry()->ParseFromString(rows[i].Bytes(1))) {
            return FADU_BUG("an entry does not parse");
          }
          event.set_hash(rows[i].Bytes(2));
        }
        if (rows.size() > static_cast<size_t>(size)) {
          response.set_next_page_token(MakePageToken(
              *impl_->sealer, identity, {absl::StrCat(response.events().rbegin()->seq())}));
        }
        return absl::OkStatus();
      }));
  return response;
}

absl::StatusOr<v1::VerifyEventsResponse> Store::VerifyEvents(const CallContext& call,
                                                             absl::string_view county) {
  if (!call.principal.MayIn(county, {v1::ROLE_AUDITOR, v1::ROLE_COUNTY_ADMIN})) {
    return NotFound(absl::StrCat("counties/", county));
  }
  ChainPlace place;
  FADU_RETURN_IF_ERROR(CheckChain(impl_->pool, options_.service, county,
                                  std::numeric_limits<int64_t>::max(), call.deadline, place)
                           .status());
  v1::VerifyEventsResponse response;
  response.set_events(place.seq);
  response.set_head(place.head);
  return response;
}

absl::StatusOr<v1::PullFactsResponse> Store::PullFacts(const CallContext& call,
                                                       const v1::PullFactsRequest& request) {
  const std::string& county = request.county_code();
  const int64_t limit =
      request.max_facts() <= 0 ? kMaxFacts : std::min(request.max_facts(), kMaxFacts);
  v1::PullFactsResponse response;
  FADU_RETURN_IF_ERROR(impl_->pool.Read(
      db::Scope::WholeCounty(county), call.deadline,
      [&](db::Transaction& transaction) -> absl::Status {
        response.Clear();
        FADU_ASSIGN_OR_RETURN(const db::Rows counter,
                              transaction.Run(kReadCounter, db::Params().Text(county)));
        response.set_head_seq(counter.empty() ? 0 : counter[0].Int(0));
        FADU_ASSIGN_OR_RETURN(
            const db::Rows rows,
            transaction.Run(kPullFacts,
                            db::Params().Text(county).Int(request.after_seq()).Int(limit)));
        for (const db::Row& row : rows) {
          v1::Fact& fact = *response.add_facts();
          if (!row.IsNull(1) && !fact.ParseFromString(row.Bytes(1))) {
            return FADU_BUG("a stored fact does not parse");
          }
          fact.set_seq(row.Int(0));
        }
        // Events that came between the two statements: the head is at least the last of them.
        if (!response.facts().empty()) {
          response.set_head_seq(std::max(response.head_seq(), response.facts().rbegin()->seq()));
        }
        return absl::OkStatus();
      }));
  return response;
}

v1::Record ToProto(const StoredRecord& record, bool unmask) {
  v1::Record proto;
  proto.set_name(record.Name());
  google::protobuf::Any& whole = *proto.mutable_record();
  whole.set_type_url(absl::StrCat("type.googleapis.com/", record.type->full_name()));
  // The bytes of two messages one after another are those of both merged: no field is in both.
  record.message->AppendToString(whole.mutable_value());
  if (record.sealed != nullptr) {
    std::unique_ptr<Message> sealed(record.sealed->New());
    sealed->CopyFrom(*record.sealed);
    if (!unmask) record.type->MaskSealed(*sealed);
    sealed->AppendToString(whole.mutable_value());
  }
  proto.set_review_state(record.review_state);
  proto.set_revision(record.revision);
  proto.set_etag(absl::StrCat("\"", record.revision, "\""));
  *proto.mutable_create_time() = ToTimestamp(record.created_at);
  *proto.mutable_update_time() = ToTimestamp(record.updated_at);
  if (record.deleted_at.has_value()) *proto.mutable_delete_time() = ToTimestamp(*record.deleted_at);
  proto.set_review_comment(record.review_comment);
  return proto;
}

}  // namespace fadu::records
