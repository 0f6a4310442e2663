// common/records/store.h
//
// The one repository of every record type (architecture §2): storage, review, history, audit, feed,
// sealing, scope. What is special about a type is its message and its law; everything else is here.
#ifndef FADU_COMMON_RECORDS_STORE_H_
#define FADU_COMMON_RECORDS_STORE_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/base/call.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/db/group_reader.h"
#include "common/db/group_writer.h"
#include "common/db/pool.h"
#include "common/records/sealer.h"
#include "common/schema/record_type.h"
#include "fadu/common/v1/fact_feed.pb.h"
#include "fadu/common/v1/record_service.pb.h"

namespace fadu::records {

// A record as stored, opened.
struct StoredRecord {
  const RecordType* type = nullptr;
  std::string county;
  Uuid id;
  int64_t revision = 0;
  std::string area_code;
  fadu::common::v1::ReviewState review_state = fadu::common::v1::REVIEW_STATE_UNSPECIFIED;
  std::shared_ptr<google::protobuf::Message> message;  // without sealed fields
  std::shared_ptr<google::protobuf::Message>
      sealed;  // sealed fields in clear; null: none or erased
  absl::Time created_at;
  absl::Time updated_at;
  absl::optional<absl::Time> deleted_at;
  std::string review_comment;
  std::string Name() const;  // counties/{county}/{collection}/{id}
};

enum class Operation {
  kCreate,
  kUpdate,
  kSubmit,
  kConfirm,
  kReturn,
  kWithdraw,
  kDelete,
  kUndelete,
  kErase,
  kUnmask,  // an audited read: an event, no change
};

// What a law may know about the moment of a decision.
struct LawContext {
  absl::Time now;
  absl::CivilDay today;  // in the legal time zone
  const Principal* principal = nullptr;
  Operation operation = Operation::kCreate;
};

// The law of one type: decides whether `after` may be (given `before`, null on create) and sets its
// output-only fields. Both hold sealed fields in clear. Pure: no clock, no SQL. Runs for create and
// update.
using Law = std::function<absl::Status(const google::protobuf::Message* before,
                                       google::protobuf::Message& after, const LawContext&)>;

struct Change;

// The county's rows under the counter lock, for a decision: what is read here cannot change before
// the commit.
class LockedView {
 public:
  virtual ~LockedView() = default;
  // Records that satisfy a List filter, oldest first, deleted ones not; at most `limit`.
  virtual absl::StatusOr<std::vector<StoredRecord>> Find(const RecordType& type,
                                                         absl::string_view filter, int limit) = 0;
  // One record; nullopt when there is none.
  virtual absl::StatusOr<absl::optional<StoredRecord>> Get(const RecordType& type,
                                                           const Uuid& id) = 0;
  // Makes another change too, because it follows by law from the one being decided: right after
  // it, in the same operation, all or none, with an event of its own. Its own type's laws decide
  // it; it may set output-only fields that its mask names, roles and areas are not asked again, and
  // the record keeps its review state. For laws, of changes that were asked for: nothing follows
  // from what follows, at most 16 from one change (FADU_BUG).
  virtual absl::Status Also(Change change) = 0;
  // Plain statements of the same service in the same transaction (credentials, numbers). Undone
  // when the operation is refused, or only validated.
  virtual db::Transaction& sql() = 0;
};

// The law of one type that depends on other rows of the county: numbers, uniqueness, caps, what a
// record refers to. Runs after the type's Law, under the counter lock, for every change but audited
// reads and erasure. `before` and `after` are as for Law; what it sets in `after` is kept on create
// and update and ignored otherwise, where `after` equals `before`. `id` is the record's.
using LockedLaw =
    std::function<absl::Status(LockedView&, const Uuid& id, const google::protobuf::Message* before,
                               google::protobuf::Message& after, const LawContext&)>;

// One change to one record.
struct Change {
  Operation operation = Operation::kCreate;
  const RecordType* type = nullptr;
  Uuid id;                                             // kCreate: nil means a new one
  std::shared_ptr<google::protobuf::Message> message;  // kCreate, kUpdate: as the caller sent it
  std::vector<std::string> mask;     // kUpdate: top-level fields; empty: populated
                                     // ones; "*": all
  absl::optional<int64_t> revision;  // the etag that was read
  std::string comment;               // reason, purpose, return comment
  bool submit = false;               // kCreate: submit at once
  bool follows = false;              // set by LockedView::Also
};

// One wish: one or more changes in one county, all or none.
struct WriteRequest {
  std::string county;
  Uuid request_id;
  std::string request_hash;  // StoredDigest of the request's deterministic bytes; who asks is added
  std::vector<Change> changes;
  bool validate_only = false;
  // The service itself asks: access by role and area is not checked, managed types may be written.
  bool trusted = false;
  // Runs first under the counter lock and may replace `changes` (numbers, caps, uniqueness, create
  // or update). Pure beside the view; may run again after a retry with the original changes.
  std::function<absl::Status(LockedView&, std::vector<Change>&)> decide;
};

struct WriteResult {
  std::vector<StoredRecord> records;  // in the order of the changes
  bool replayed = false;              // answered from an earlier call with this request id
  int64_t last_seq = 0;               // of the county's event log
};

struct ListQuery {
  std::string county;
  const RecordType* type = nullptr;
  int page_size = 0;  // 0: 50; more than 200: 200
  std::string page_token;
  std::string filter;
  std::string order_by;
  bool show_deleted = false;
  std::string area;  // subtree; empty: all the caller may see
  fadu::common::v1::ReviewState review_state = fadu::common::v1::REVIEW_STATE_UNSPECIFIED;
};

struct ListPage {
  std::vector<StoredRecord> records;
  std::string next_page_token;
};

struct StoreOptions {
  std::string service;  // schema and name: "mediation"
  const RecordTypes* types = nullptr;
  std::map<std::string, Law> laws;  // by full message name; a type without a law obeys Rules only
  std::map<std::string, LockedLaw> locked_laws;  // by full message name
  db::WriterOptions writer;
  db::ReaderOptions reader;  // without a dsn: as the writer
  // Rows looked at per window of a List without an index.
  int window = 5000;
};

// Thread-safe.
class Store {
 public:
  Store(StoreOptions options, db::Pool& pool, std::unique_ptr<Sealer> sealer, IdSource& ids);
  ~Store();

  // Records. `done` runs once, on a writer thread or, when refused at once, on this one.
  //
  // Checked before the queue: Rules, law of creation, role and area of the caller (NOT_FOUND /
  // REASON_NOT_FOUND for what it may not see, PERMISSION_DENIED / REASON_AREA_DENIED,
  // REASON_ROLE_DENIED). Under the lock: request id (replay, or INVALID_ARGUMENT /
  // REASON_REQUEST_ID_REUSED for another body or caller), existence, etag (ABORTED /
  // REASON_ETAG_MISMATCH), review state, law of change. The rest: db::GroupWriter.
  void Write(const CallContext& call, WriteRequest request,
             std::function<void(absl::StatusOr<WriteResult>)> done);
  // The same, waiting. Not on a gRPC callback thread.
  absl::StatusOr<WriteResult> WriteAndWait(const CallContext& call, WriteRequest request);

  // NOT_FOUND / REASON_NOT_FOUND when it does not exist or lies outside the caller's areas or
  // roles. `done` runs once, on a reader's thread or, when refused at once, on this one; the rest:
  // db::GroupReader.
  void Get(const CallContext& call, absl::string_view name,
           std::function<void(absl::StatusOr<StoredRecord>)> done);
  // The same, waiting. Not on a gRPC callback thread.
  absl::StatusOr<StoredRecord> Get(const CallContext& call, absl::string_view name);
  // Complete over its pages: a page may be short, never the list.
  absl::StatusOr<ListPage> List(const CallContext& call, const ListQuery& query);

  absl::StatusOr<fadu::common::v1::ListRecordRevisionsResponse> ListRevisions(
      const CallContext& call, const fadu::common::v1::ListRecordRevisionsRequest& request);
  absl::StatusOr<fadu::common::v1::ListEventsResponse> ListEvents(
      const CallContext& call, const fadu::common::v1::ListEventsRequest& request);
  absl::StatusOr<fadu::common::v1::VerifyEventsResponse> VerifyEvents(const CallContext& call,
                                                                      absl::string_view county);
  absl::StatusOr<fadu::common::v1::PullFactsResponse> PullFacts(
      const CallContext& call, const fadu::common::v1::PullFactsRequest& request);

  const RecordTypes& types() const { return *options_.types; }
  const std::string& service() const { return options_.service; }
  db::GroupWriter& writer();
  const db::GroupReader& reader() const;
  const Sealer& sealer() const;

 private:
  friend class BatchWriter;
  struct Impl;
  StoreOptions options_;
  std::unique_ptr<Impl> impl_;
};

// The wire form: personal fields masked unless `unmask`.
fadu::common::v1::Record ToProto(const StoredRecord& record, bool unmask = false);

}  // namespace fadu::records

#endif  // FADU_COMMON_RECORDS_STORE_H_
