// A batch of one county: look, decide, write (architecture §4). Everything here runs inside the
// transaction that holds the county's counter row, and may run again from the start.

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/area_code.h"
#include "common/base/civil_day.h"
#include "common/base/digest.h"
#include "common/records/heads.h"
#include "common/records/rows.h"
#include "common/records/store_impl.h"
#include "common/schema/filter.h"
#include "common/schema/names.h"
#include "common/schema/reason.h"
#include "common/schema/rules.h"
#include "fadu/common/v1/reason.pb.h"
#include "google/protobuf/util/time_util.h"

namespace fadu::records {
namespace {

namespace v1 = ::fadu::common::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr db::Statement kMakeCounter{
    "make_counter",
    "INSERT INTO counter (county_code, seq, head) VALUES ($1, 0, ''::bytea) "
    "ON CONFLICT (county_code) DO NOTHING"};
constexpr db::Statement kAddKnownCounty{"add_known_county",
                                        "INSERT INTO known_county (county_code) VALUES ($1) "
                                        "ON CONFLICT ON CONSTRAINT known_county_pkey DO NOTHING"};
constexpr db::Statement kLockCounter{
    "lock_counter", "SELECT seq, head FROM counter WHERE county_code = $1 FOR UPDATE"};
constexpr db::Statement kMoveCounter{
    "move_counter", "UPDATE counter SET seq = $2, head = $3 WHERE county_code = $1 AND seq = $4"};
constexpr db::Statement kFindRequests{
    "find_requests",
    "SELECT request_id, item, request_hash, type, id, revision, seq, entry, message, sealed "
    "FROM event WHERE county_code = $1 AND request_id = ANY ($2::uuid[]) ORDER BY request_id, "
    "item"};
// Around an operation that reads the county's rows, so that a refusal undoes what it wrote.
constexpr db::Statement kBeginOperation{"begin_operation", "SAVEPOINT operation"};
constexpr db::Statement kUndoOperation{"undo_operation", "ROLLBACK TO SAVEPOINT operation"};
constexpr db::Statement kEndOperation{"end_operation", "RELEASE SAVEPOINT operation"};
// Changes that may follow by law from one.
constexpr size_t kMostFollowing = 16;
// How long a repeated look at personal data is taken for one whose answer was lost.
constexpr absl::Duration kUnmaskRetry = absl::Minutes(10);

const char* NameOf(Operation operation) {
  switch (operation) {
    case Operation::kCreate:
      return "create";
    case Operation::kUpdate:
      return "update";
    case Operation::kSubmit:
      return "submit";
    case Operation::kConfirm:
      return "confirm";
    case Operation::kReturn:
      return "return";
    case Operation::kWithdraw:
      return "withdraw";
    case Operation::kDelete:
      return "delete";
    case Operation::kUndelete:
      return "undelete";
    case Operation::kErase:
      return "erase";
    case Operation::kUnmask:
      return "unmask";
  }
  return "";
}

std::string LabelOf(Operation operation) {
  switch (operation) {
    case Operation::kCreate:
      return "新建";
    case Operation::kUpdate:
      return "修改";
    case Operation::kSubmit:
      return "提交";
    case Operation::kConfirm:
      return "确认";
    case Operation::kReturn:
      return "退回";
    case Operation::kWithdraw:
      return "撤回";
    case Operation::kDelete:
      return "删除";
    case Operation::kUndelete:
      return "恢复";
    case Operation::kErase:
      return "清除个人信息";
    case Operation::kUnmask:
      return "查看个人信息";
  }
  return "";
}

const std::string& ZhLabel(v1::ReviewState state) {
  return v1::ReviewState_descriptor()
      ->FindValueByNumber(state)
      ->options()
      .GetExtension(v1::label)
      .zh();
}

absl::Status StateDenied(Operation operation, absl::string_view state) {
  return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_REVIEW_STATE_DENIED,
              absl::StrCat("cannot ", NameOf(operation), " from here"),
              {{"action", LabelOf(operation)}, {"state", std::string(state)}});
}

// Digits of the area level that confirms a type.
size_t ConfirmingDigits(const RecordType& type) {
  switch (type.options().confirmed_by()) {
    case v1::LEVEL_COUNTY:
      return 6;
    case v1::LEVEL_TOWN:
      return 9;
    default:
      return 12;
  }
}

// The caller acts at the level that confirms the type, or above it, over this area.
bool ActsAtConfirmingLevel(const Principal& principal, const RecordType& type,
                           absl::string_view area_code) {
  static const std::vector<int> reviewers = {v1::ROLE_TOWN_REVIEWER, v1::ROLE_COUNTY_REVIEWER,
                                             v1::ROLE_COUNTY_ADMIN};
  static const std::vector<int> anyone = {v1::ROLE_VILLAGE_CLERK, v1::ROLE_TOWN_CLERK,
                                          v1::ROLE_TOWN_REVIEWER, v1::ROLE_COUNTY_REVIEWER,
                                          v1::ROLE_COUNTY_ADMIN};
  const size_t digits = ConfirmingDigits(type);
  const std::vector<int>& roles = digits == 12 ? anyone : reviewers;
  return std::any_of(principal.grants.begin(), principal.grants.end(), [&](const RoleGrant& grant) {
    return std::find(roles.begin(), roles.end(), grant.role) != roles.end() &&
           grant.area_code.size() <= digits && !grant.area_code.empty() &&
           IsWithin(area_code, grant.area_code);
  });
}

std::string LevelLabel(const RecordType& type) {
  switch (type.options().confirmed_by()) {
    case v1::LEVEL_COUNTY:
      return "县级";
    case v1::LEVEL_TOWN:
      return "乡镇（司法所）";
    default:
      return "村级";
  }
}

// One record as the batch sees it now: as read, then as changed by earlier operations.
struct State {
  bool exists = false;
  RecordRow row;
  bool dirty = false;
  bool created = false;
};

using RecordKey = std::pair<const RecordType*, Uuid>;

// Where nothing may be read or written.
class NoTransaction : public db::WriterTransaction {
 public:
  absl::StatusOr<db::Rows> Run(const db::Statement& statement, const db::Params&) override {
    return FADU_BUG(absl::StrCat(statement.name, " outside of a transaction"));
  }
  absl::StatusOr<int64_t> Execute(const db::Statement& statement, const db::Params&) override {
    return FADU_BUG(absl::StrCat(statement.name, " outside of a transaction"));
  }
  absl::StatusOr<int64_t> WriteArrays(absl::string_view name, absl::string_view, absl::string_view,
                                      const std::vector<std::string>&) override {
    return FADU_BUG(absl::StrCat(name, " outside of a transaction"));
  }
  bool failed() const override { return false; }
};

}  // namespace

// One attempt at one batch.
class BatchWriter : public LockedView {
 public:
  BatchWriter(Store::Impl& store, db::WriterTransaction& transaction, const std::string& county)
      : store_(store), transaction_(transaction), county_(county) {}

  absl::Status Run(const std::vector<std::shared_ptr<db::WriteOperation>>& operations) {
    FADU_RETURN_IF_ERROR(LockCounter());
    std::vector<RecordOperation*> ours;
    for (const auto& operation : operations) {
      ours.push_back(static_cast<RecordOperation*>(operation.get()));
    }
    FADU_RETURN_IF_ERROR(FindRequests(ours));
    FADU_RETURN_IF_ERROR(LoadRecords(ours));
    for (RecordOperation* operation : ours) {
      FADU_RETURN_IF_ERROR(RunOne(*operation));
    }
    FADU_RETURN_IF_ERROR(Flush());
    return MoveCounter();
  }

  // Decides one operation, which reads nothing but `read`; writes nothing.
  absl::StatusOr<Forecast> Foresee(const RecordOperation& operation, std::vector<RecordRow> read,
                                   std::vector<std::shared_ptr<Message>> lawful) {
    for (RecordRow& row : read) {
      State& state = states_[RecordKey(row.record.type, row.record.id)];
      state.exists = true;
      state.row = std::move(row);
    }
    Forecast forecast;
    std::vector<NewEvent> events;
    lawful.resize(operation.request().changes.size());
    size_t item = 0;
    for (Change change : operation.request().changes) {
      if (change.id.IsNil()) change.id = store_.ids.NewId();
      State& state = states_[RecordKey(change.type, change.id)];
      lawful_ = std::move(lawful[item]);
      FADU_RETURN_IF_ERROR(Apply(operation, change, static_cast<int64_t>(item++), state, events));
      forecast.result.records.push_back(state.row.record);
    }
    for (const RecordKey& key : order_) {
      const State& state = states_.at(key);
      FADU_ASSIGN_OR_RETURN(db::WireRow row,
                            RowOf(state.row, store_.writes.at(key.first), *store_.sealer));
      forecast.records.push_back({key.first, state.created, std::move(row)});
    }
    for (NewEvent& event : events) {
      db::WireRow row = RowOf(event);
      forecast.events.push_back({std::move(event.entry), std::move(row)});
    }
    return forecast;
  }

  absl::StatusOr<std::vector<StoredRecord>> Find(const RecordType& type, absl::string_view filter,
                                                 int limit) override {
    FADU_RETURN_IF_ERROR(Flush());
    FADU_ASSIGN_OR_RETURN(const FilterNode tree, ParseFilter(filter, type, FilterUse::kList));
    ListSelection selection;
    selection.county = county_;
    selection.type = &type;
    selection.filter = &tree;
    selection.limit = limit;
    const BoundSql bound = SelectPage(selection, *store_.sealer);
    FADU_ASSIGN_OR_RETURN(const db::Rows rows,
                          transaction_.Run(db::Statement{"find_locked", bound.sql}, bound.params));
    std::vector<StoredRecord> found;
    for (const db::Row& row : rows) {
      FADU_ASSIGN_OR_RETURN(RecordRow read, ReadRow(row, type, county_, *store_.sealer, true));
      found.push_back(std::move(read.record));
    }
    std::reverse(found.begin(), found.end());  // oldest first
    return found;
  }

  absl::StatusOr<absl::optional<StoredRecord>> Get(const RecordType& type,
                                                   const Uuid& id) override {
    FADU_ASSIGN_OR_RETURN(State * state, StateOf(type, id));
    if (!state->exists) return absl::optional<StoredRecord>();
    return absl::optional<StoredRecord>(state->row.record);
  }

  absl::Status Also(Change change) override {
    if (!may_follow_) return FADU_BUG("nothing may follow from this");
    if (following_.size() >= kMostFollowing) return FADU_BUG("too many changes follow from one");
    change.follows = true;
    following_.push_back(std::move(change));
    return absl::OkStatus();
  }

  db::Transaction& sql() override { return transaction_; }

 private:
  struct Earlier {
    std::string request_hash;
    std::vector<db::Row> rows;
  };

  absl::Status LockCounter() {
    FADU_ASSIGN_OR_RETURN(db::Rows rows,
                          transaction_.Run(kLockCounter, db::Params().Text(county_)));
    if (rows.empty()) {
      FADU_RETURN_IF_ERROR(transaction_.Execute(kMakeCounter, db::Params().Text(county_)).status());
      FADU_RETURN_IF_ERROR(
          transaction_.Execute(kAddKnownCounty, db::Params().Text(county_)).status());
      FADU_ASSIGN_OR_RETURN(rows, transaction_.Run(kLockCounter, db::Params().Text(county_)));
      if (rows.empty()) return FADU_BUG("the counter row is not visible");
    }
    head_ = {rows[0].Int(0), rows[0].Bytes(1)};
    first_seq_ = head_.seq;
    return absl::OkStatus();
  }

  absl::Status MoveCounter() {
    store_.heads->Propose(county_, head_);
    if (head_.seq == first_seq_) return absl::OkStatus();
    FADU_ASSIGN_OR_RETURN(
        const int64_t moved,
        transaction_.Execute(
            kMoveCounter,
            db::Params().Text(county_).Int(head_.seq).Bytes(head_.hash).Int(first_seq_)));
    return moved == 1 ? absl::OkStatus() : FADU_BUG("the counter moved under its lock");
  }

  absl::Status FindRequests(const std::vector<RecordOperation*>& operations) {
    std::vector<Uuid> ids;
    for (const RecordOperation* operation : operations) {
      if (!operation->request().validate_only) ids.push_back(operation->request().request_id);
    }
    if (ids.empty()) return absl::OkStatus();
    FADU_ASSIGN_OR_RETURN(const db::Rows rows,
                          transaction_.Run(kFindRequests, db::Params().Text(county_).IdArray(ids)));
    for (const db::Row& row : rows) {
      Earlier& earlier = earlier_[row.Id(0)];
      earlier.request_hash = row.Bytes(2);
      earlier.rows.push_back(row);
    }
    return absl::OkStatus();
  }

  absl::Status LoadRecords(const std::vector<RecordOperation*>& operations) {
    std::map<const RecordType*, std::vector<Uuid>> wanted;
    for (const RecordOperation* operation : operations) {
      for (const Change& change : operation->request().changes) {
        if (!change.id.IsNil()) wanted[change.type].push_back(change.id);
      }
    }
    for (const auto& [type, ids] : wanted) FADU_RETURN_IF_ERROR(Load(*type, ids));
    return absl::OkStatus();
  }

  absl::Status Load(const RecordType& type, const std::vector<Uuid>& ids) {
    for (const Uuid& id : ids) states_[RecordKey(&type, id)];
    FADU_ASSIGN_OR_RETURN(const db::Rows rows,
                          transaction_.Run(db::Statement{"find_records", store_.selects.at(&type)},
                                           db::Params().Text(county_).IdArray(ids)));
    for (const db::Row& row : rows) {
      FADU_ASSIGN_OR_RETURN(RecordRow read, ReadRow(row, type, county_, *store_.sealer, true));
      State& state = states_[RecordKey(&type, read.record.id)];
      state.exists = true;
      state.row = std::move(read);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<State*> StateOf(const RecordType& type, const Uuid& id) {
    const RecordKey key(&type, id);
    if (states_.find(key) == states_.end()) FADU_RETURN_IF_ERROR(Load(type, {id}));
    return &states_[key];
  }

  // Decides one operation. An error returned here is the transaction's; the operation's own goes
  // into it.
  absl::Status RunOne(RecordOperation& operation) {
    const WriteRequest& request = operation.request();
    if (!request.validate_only) {
      const auto earlier = earlier_.find(request.request_id);
      if (earlier != earlier_.end()) {
        operation.Decide(Replay(operation, earlier->second));
        return absl::OkStatus();
      }
    }
    std::vector<Change> changes = request.changes;
    const bool looks = LooksAtRows(request);
    if (looks) {
      // What it reads is what the operations before it wrote.
      FADU_RETURN_IF_ERROR(Flush());
      FADU_RETURN_IF_ERROR(transaction_.Execute(kBeginOperation).status());
    }
    if (request.decide) {
      const absl::Status decided = request.decide(*this, changes);
      if (!decided.ok()) {
        if (transaction_.failed() || IsTransactionError(decided)) return decided;
        operation.Decide(decided);
        return transaction_.Execute(kUndoOperation).status();
      }
    }
    // All or none: an operation's records and events join the batch only when every change holds.
    std::map<RecordKey, State> before;
    std::vector<NewEvent> events;
    WriteResult result;
    int64_t item = 0;
    absl::Status failed;
    const bool several = changes.size() > 1;
    for (size_t i = 0; i < changes.size(); ++i) {
      Change& change = changes[i];
      if (change.operation == Operation::kCreate && change.id.IsNil()) {
        change.id = store_.ids.NewId();
        states_[RecordKey(change.type, change.id)];
      }
      absl::StatusOr<State*> state = StateOf(*change.type, change.id);
      if (!state.ok()) return state.status();
      before.emplace(RecordKey(change.type, change.id), **state);
      following_.clear();
      may_follow_ = !change.follows;
      failed = Apply(operation, change, item, **state, events);
      may_follow_ = false;
      if (!failed.ok()) {
        // The caller's own change, or the one that this follows from.
        const size_t asked = result.records.size() - (change.follows ? 1 : 0);
        if (several) failed = WithMetadata(failed, "item", absl::StrCat(asked));
        break;
      }
      if (!change.follows) result.records.push_back((*state)->row.record);
      ++item;
      changes.insert(changes.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                     std::make_move_iterator(following_.begin()),
                     std::make_move_iterator(following_.end()));
    }
    if (!failed.ok() || request.validate_only) {
      for (auto& [key, state] : before) states_[key] = std::move(state);
      if (!failed.ok() && (transaction_.failed() || IsTransactionError(failed))) return failed;
      if (failed.ok()) {
        operation.Decide(std::move(result));
      } else {
        operation.Decide(failed);
      }
      return looks ? transaction_.Execute(kUndoOperation).status() : absl::OkStatus();
    }
    if (looks) FADU_RETURN_IF_ERROR(transaction_.Execute(kEndOperation).status());
    for (const NewEvent& event : events) Chain(event);
    result.last_seq = head_.seq;
    operation.Decide(std::move(result));
    return absl::OkStatus();
  }

  bool LooksAtRows(const WriteRequest& request) const {
    return request.decide ||
           std::any_of(request.changes.begin(), request.changes.end(), [&](const Change& change) {
             return store_.LockedLawOf(*change.type) != nullptr;
           });
  }

  // A failure of the database inside a decision is not the caller's fault: the batch runs again.
  static bool IsTransactionError(const absl::Status& status) {
    switch (status.code()) {
      case absl::StatusCode::kUnavailable:
      case absl::StatusCode::kInternal:
        return true;
      case absl::StatusCode::kAborted:
        return ReasonOf(status) == "REASON_CONFLICT";
      default:
        return false;
    }
  }

  void Chain(const NewEvent& event) {
    head_.Chain(event.entry);
    events_.push_back(RowOf(event).Int(head_.seq).Bytes(head_.hash));
  }

  static absl::Status RequestIdReused() {
    return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_REQUEST_ID_REUSED,
                "request_id was used with another body");
  }

  // Who asks is part of the hash. The first answer is given again as long as the record is still
  // the caller's; a look at personal data only to a caller whose first answer may have been lost.
  absl::StatusOr<WriteResult> Replay(const RecordOperation& operation, const Earlier& earlier) {
    const WriteRequest& request = operation.request();
    if (earlier.request_hash != request.request_hash) return RequestIdReused();
    WriteResult result;
    result.replayed = true;
    for (const db::Row& row : earlier.rows) {
      const RecordType* type = store_.options.types->FindByName(row.Text(3));
      if (type == nullptr) return FADU_BUG("an event of an unknown type");
      // The answer is the event's own: the record as that call left it.
      v1::Entry entry;
      if (!entry.ParseFromString(row.Bytes(7))) return FADU_BUG("an entry does not parse");
      result.last_seq = row.Int(6);
      if (entry.follows()) continue;
      FADU_ASSIGN_OR_RETURN(State * state, StateOf(*type, row.Id(4)));
      StoredRecord record = state->row.record;
      record.revision = row.Int(5);
      record.review_state = entry.review_state();
      record.updated_at = absl::FromUnixMicros(
          google::protobuf::util::TimeUtil::TimestampToMicroseconds(entry.time()));
      FADU_RETURN_IF_ERROR(MayHearAgain(operation, record, entry));
      if (!row.IsNull(8)) {
        std::shared_ptr<Message> message = type->New();
        if (!message->ParseFromString(row.Bytes(8))) return FADU_BUG("a message does not parse");
        record.message = std::move(message);
        record.sealed = nullptr;
        if (!row.IsNull(9) && !state->row.wrapped_key.empty()) {
          FADU_ASSIGN_OR_RETURN(
              const std::string clear,
              store_.sealer->Open(county_, state->row.wrapped_key, AadOf(county_, *type, record.id),
                                  row.Bytes(9)));
          std::shared_ptr<Message> sealed = type->New();
          if (sealed->ParseFromString(clear)) record.sealed = std::move(sealed);
        }
      }
      result.records.push_back(std::move(record));
    }
    return result;
  }

  static absl::Status MayHearAgain(const RecordOperation& operation, const StoredRecord& record,
                                   const v1::Entry& entry) {
    const CallContext& call = operation.call();
    if (entry.operation() == NameOf(Operation::kUnmask) &&
        call.now - record.updated_at > kUnmaskRetry) {
      return RequestIdReused();
    }
    // What a caller asks for in one request is of one kind.
    const WriteRequest& request = operation.request();
    if (request.trusted || request.changes.empty() ||
        MayWrite(call.principal, *record.type, record.area_code, request.changes[0].operation)) {
      return absl::OkStatus();
    }
    return NotFound(record.Name());
  }

  // ---- one change ------------------------------------------------------------------------------

  absl::Status Apply(const RecordOperation& operation, const Change& change, int64_t item,
                     State& state, std::vector<NewEvent>& events) {
    const CallContext& call = operation.call();
    const WriteRequest& request = operation.request();
    const bool creating = change.operation == Operation::kCreate;
    const RecordName name{county_, change.type->collection(), change.id};
    if (creating && state.exists) {
      return Fail(absl::StatusCode::kAlreadyExists, v1::REASON_ALREADY_EXISTS,
                  "a record with this id exists", {{"what", name.ToString()}});
    }
    if (!creating) {
      if (!state.exists ||
          (!request.trusted && !change.follows &&
           !MayWrite(call.principal, *change.type, state.row.record.area_code, change.operation))) {
        return NotFound(name.ToString());
      }
      if (change.revision.has_value() && *change.revision != state.row.record.revision) {
        return Fail(absl::StatusCode::kAborted, v1::REASON_ETAG_MISMATCH, "etag does not match");
      }
    }
    RecordRow next = state.row;
    StoredRecord& record = next.record;
    switch (change.operation) {
      case Operation::kCreate:
        FADU_RETURN_IF_ERROR(Create(operation, change, next));
        break;
      case Operation::kUpdate:
        FADU_RETURN_IF_ERROR(Update(operation, change, next));
        break;
      case Operation::kSubmit:
      case Operation::kConfirm:
      case Operation::kReturn:
      case Operation::kWithdraw:
        FADU_RETURN_IF_ERROR(Review(operation, change, record));
        break;
      case Operation::kDelete:
        if (record.deleted_at.has_value()) return StateDenied(change.operation, "已删除");
        record.deleted_at = call.now;
        break;
      case Operation::kUndelete:
        if (!record.deleted_at.has_value()) return StateDenied(change.operation, "未删除");
        record.deleted_at.reset();
        break;
      case Operation::kErase:
        if (!record.deleted_at.has_value()) return StateDenied(change.operation, "未删除");
        next.wrapped_key.clear();
        next.sealed_bytes.clear();
        record.sealed = nullptr;
        break;
      case Operation::kUnmask:
        break;
    }
    const bool reads = change.operation == Operation::kUnmask;
    const bool content =
        change.operation == Operation::kCreate || change.operation == Operation::kUpdate;
    // Erasing personal data is nobody's to refuse but the state's.
    const bool moves = !reads && !content && change.operation != Operation::kErase;
    if (moves) FADU_RETURN_IF_ERROR(RunLockedLaw(operation, change, record));
    if (!reads) {
      record.revision = creating ? 1 : record.revision + 1;
      record.updated_at = call.now;
    }
    // What the row now says, and what the event keeps of it.
    if (content) FADU_RETURN_IF_ERROR(SealInto(next));
    state.row = std::move(next);
    state.exists = true;
    if (!reads) {
      state.dirty = true;
      state.created = state.created || creating;
      if (dirty_.insert(RecordKey(change.type, change.id)).second) {
        order_.push_back(RecordKey(change.type, change.id));
      }
    }
    events.push_back(MakeEvent(operation, change, item, state.row, reads));
    return absl::OkStatus();
  }

  // The caller may change, review or look into a record that lies there.
  static bool MayWrite(const Principal& principal, const RecordType& type,
                       absl::string_view area_code, Operation operation) {
    std::vector<int> roles;
    switch (operation) {
      case Operation::kUnmask:
        // Nobody sees in clear what it may not see masked.
        roles = ReadersOf(type);
        break;
      case Operation::kConfirm:
      case Operation::kReturn:
      case Operation::kErase: {
        // Whoever may read it is answered about level and state, not with NOT_FOUND.
        roles = ReadersOf(type);
        const std::vector<int> writers = WritersOf(type);
        roles.insert(roles.end(), writers.begin(), writers.end());
        // Erasure is the county's duty, also of what its administrator does not read.
        if (operation == Operation::kErase) roles.push_back(v1::ROLE_COUNTY_ADMIN);
        break;
      }
      case Operation::kCreate:
      case Operation::kUpdate:
      case Operation::kSubmit:
      case Operation::kWithdraw:
      case Operation::kDelete:
      case Operation::kUndelete:
        roles = WritersOf(type);
        break;
    }
    return principal.MayIn(area_code, roles);
  }

  static LawContext ContextOf(const RecordOperation& operation, const Change& change) {
    return LawContext{operation.call().now, DayOf(operation.call().now),
                      &operation.call().principal, change.operation};
  }

  // The law of the content, then that of the county's rows.
  absl::Status RunLaw(const RecordOperation& operation, const Change& change, const Message* before,
                      Message& after) {
    const LawContext context = ContextOf(operation, change);
    if (const Law* law = store_.LawOf(*change.type); law != nullptr) {
      FADU_RETURN_IF_ERROR((*law)(before, after, context));
    }
    if (const LockedLaw* law = store_.LockedLawOf(*change.type); law != nullptr) {
      FADU_RETURN_IF_ERROR((*law)(*this, change.id, before, after, context));
    }
    return CheckRules(after, "record");
  }

  // A move that keeps the content (review, deletion).
  absl::Status RunLockedLaw(const RecordOperation& operation, const Change& change,
                            const StoredRecord& record) {
    const LockedLaw* law = store_.LockedLawOf(*change.type);
    if (law == nullptr) return absl::OkStatus();
    std::unique_ptr<Message> before(record.message->New());
    before->CopyFrom(*record.message);
    if (record.sealed != nullptr) change.type->MergeSealed(*record.sealed, *before);
    std::unique_ptr<Message> after(before->New());
    after->CopyFrom(*before);
    return (*law)(*this, change.id, before.get(), *after, ContextOf(operation, change));
  }

  absl::Status Create(const RecordOperation& operation, const Change& change, RecordRow& next) {
    const CallContext& call = operation.call();
    StoredRecord& record = next.record;
    std::shared_ptr<Message> whole = std::move(lawful_);
    if (whole == nullptr) {
      whole.reset(change.message->New());
      whole->CopyFrom(*change.message);
      change.type->ClearOutputOnly(*whole);
      FADU_RETURN_IF_ERROR(CheckArea(operation, *change.type, change.type->AreaOf(*whole)));
      FADU_RETURN_IF_ERROR(RunLaw(operation, change, nullptr, *whole));
    }
    record.type = change.type;
    record.county = county_;
    record.id = change.id;
    record.created_at = call.now;
    record.message = std::move(whole);
    record.sealed = nullptr;
    record.area_code = change.type->AreaOf(*record.message);
    record.review_state = v1::REVIEW_STATE_DRAFT;
    if (change.submit) {
      const bool confirmed = operation.request().trusted ||
                             ActsAtConfirmingLevel(call.principal, *change.type, record.area_code);
      record.review_state = confirmed ? v1::REVIEW_STATE_CONFIRMED : v1::REVIEW_STATE_SUBMITTED;
    }
    return CheckArea(operation, *change.type, record.area_code);
  }

  absl::Status CheckArea(const RecordOperation& operation, const RecordType& type,
                         absl::string_view area_code) {
    if (area_code.size() < 6 || CountyOf(area_code) != county_) {
      return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_AREA_DENIED,
                  "the area is not in the county", {{"area", std::string(area_code)}});
    }
    if (!operation.request().trusted &&
        !operation.call().principal.MayIn(area_code, WritersOf(type))) {
      return Fail(absl::StatusCode::kPermissionDenied, v1::REASON_AREA_DENIED,
                  "the area is outside the caller's scope", {{"area", std::string(area_code)}});
    }
    return absl::OkStatus();
  }

  absl::Status Update(const RecordOperation& operation, const Change& change, RecordRow& next) {
    StoredRecord& record = next.record;
    const bool trusted = operation.request().trusted || change.follows;
    const bool at_level = trusted || ActsAtConfirmingLevel(operation.call().principal, *change.type,
                                                           record.area_code);
    if (record.deleted_at.has_value()) return StateDenied(change.operation, "已删除");
    switch (record.review_state) {
      case v1::REVIEW_STATE_DRAFT:
      case v1::REVIEW_STATE_RETURNED:
        break;
      case v1::REVIEW_STATE_SUBMITTED:
        if (!at_level) {
          return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_CONTENT_LOCKED,
                      "submitted content waits for review");
        }
        break;
      case v1::REVIEW_STATE_CONFIRMED:
        // A new revision is confirmed again, by whoever may.
        if (!at_level) record.review_state = v1::REVIEW_STATE_SUBMITTED;
        break;
      default:
        return StateDenied(change.operation, ZhLabel(record.review_state));
    }
    std::shared_ptr<Message> before(record.message->New());
    before->CopyFrom(*record.message);
    if (record.sealed != nullptr) change.type->MergeSealed(*record.sealed, *before);
    std::shared_ptr<Message> after(before->New());
    after->CopyFrom(*before);
    FADU_RETURN_IF_ERROR(ApplyMask(change, *after));
    // A law may rely on the rules.
    FADU_RETURN_IF_ERROR(CheckRules(*after, "record"));
    // Before the law: one that reads the county's rows must not tell of those elsewhere.
    if (!change.follows) {
      FADU_RETURN_IF_ERROR(CheckArea(operation, *change.type, change.type->AreaOf(*after)));
    }
    FADU_RETURN_IF_ERROR(RunLaw(operation, change, before.get(), *after));
    record.message = std::move(after);
    record.sealed = nullptr;
    record.area_code = change.type->AreaOf(*record.message);
    return change.follows ? absl::OkStatus() : CheckArea(operation, *change.type, record.area_code);
  }

  static absl::Status ApplyMask(const Change& change, Message& after) {
    const auto* reflection = after.GetReflection();
    const Message& wish = *change.message;
    std::vector<const FieldDescriptor*> fields;
    const bool all = change.mask.size() == 1 && change.mask[0] == "*";
    if (all || change.mask.empty()) {
      for (const RecordField& field : change.type->fields()) {
        if (field.options.output_only()) continue;
        const bool populated = field.repeated() ? reflection->FieldSize(wish, field.descriptor) > 0
                                                : reflection->HasField(wish, field.descriptor);
        if (all || populated) fields.push_back(field.descriptor);
      }
    } else {
      for (const std::string& path : change.mask) {
        const RecordField* field = change.type->FindField(path);
        if (field == nullptr || (field->options.output_only() && !change.follows)) {
          return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_FIELD_IMMUTABLE,
                      "update_mask names a field that cannot be changed", {{"field", path}});
        }
        fields.push_back(field->descriptor);
      }
    }
    for (const FieldDescriptor* field : fields) {
      reflection->ClearField(&after, field);
    }
    std::unique_ptr<Message> chosen(wish.New());
    chosen->CopyFrom(wish);
    for (const RecordField& field : change.type->fields()) {
      if (std::find(fields.begin(), fields.end(), field.descriptor) == fields.end()) {
        reflection->ClearField(chosen.get(), field.descriptor);
      }
    }
    after.MergeFrom(*chosen);
    return absl::OkStatus();
  }

  absl::Status Review(const RecordOperation& operation, const Change& change,
                      StoredRecord& record) {
    const v1::ReviewState state = record.review_state;
    const bool at_level =
        operation.request().trusted ||
        ActsAtConfirmingLevel(operation.call().principal, *change.type, record.area_code);
    if (record.deleted_at.has_value()) return StateDenied(change.operation, "已删除");
    const auto level_denied = [&] {
      return Fail(absl::StatusCode::kPermissionDenied, v1::REASON_REVIEW_LEVEL_DENIED,
                  "another level reviews this record", {{"level", LevelLabel(*change.type)}});
    };
    switch (change.operation) {
      case Operation::kSubmit:
        if (state != v1::REVIEW_STATE_DRAFT && state != v1::REVIEW_STATE_RETURNED) break;
        record.review_state = at_level ? v1::REVIEW_STATE_CONFIRMED : v1::REVIEW_STATE_SUBMITTED;
        record.review_comment.clear();
        return absl::OkStatus();
      case Operation::kConfirm:
        if (!at_level) return level_denied();
        if (state != v1::REVIEW_STATE_SUBMITTED) break;
        record.review_state = v1::REVIEW_STATE_CONFIRMED;
        record.review_comment.clear();
        return absl::OkStatus();
      case Operation::kReturn:
        if (!at_level) return level_denied();
        if (state != v1::REVIEW_STATE_SUBMITTED && state != v1::REVIEW_STATE_CONFIRMED) break;
        record.review_state = v1::REVIEW_STATE_RETURNED;
        record.review_comment = change.comment;
        return absl::OkStatus();
      case Operation::kWithdraw:
        if (state != v1::REVIEW_STATE_DRAFT && state != v1::REVIEW_STATE_SUBMITTED &&
            state != v1::REVIEW_STATE_RETURNED) {
          break;
        }
        record.review_state = v1::REVIEW_STATE_WITHDRAWN;
        return absl::OkStatus();
      default:
        break;
    }
    return StateDenied(change.operation, ZhLabel(state));
  }

  // Splits the whole message into what is stored plain and what is sealed.
  absl::Status SealInto(RecordRow& next) {
    StoredRecord& record = next.record;
    const RecordType& type = *record.type;
    std::shared_ptr<Message> sealed = type.TakeSealed(*record.message);
    next.message_bytes = BytesOf(*record.message);
    const std::string clear = BytesOf(*sealed);
    if (clear.empty()) {
      next.sealed_bytes.clear();
      record.sealed = nullptr;
      return absl::OkStatus();
    }
    const std::string aad = AadOf(county_, type, record.id);
    if (next.wrapped_key.empty()) {
      FADU_ASSIGN_OR_RETURN(next.wrapped_key, store_.sealer->NewWrappedKey(county_, aad));
    }
    FADU_ASSIGN_OR_RETURN(next.sealed_bytes,
                          store_.sealer->Seal(county_, next.wrapped_key, aad, clear));
    record.sealed = std::move(sealed);
    return absl::OkStatus();
  }

  NewEvent MakeEvent(const RecordOperation& operation, const Change& change, int64_t item,
                     const RecordRow& row, bool reads) {
    const StoredRecord& record = row.record;
    NewEvent event;
    event.type = change.type->full_name();
    event.id = record.id;
    event.revision = record.revision;
    event.area_code = record.area_code;
    event.request_id = operation.request().request_id;
    event.item = item;
    event.request_hash = operation.request().request_hash;
    event.happened_at = operation.call().now;
    v1::Entry entry;
    entry.set_actor(operation.call().principal.subject);
    entry.set_operation(NameOf(change.operation));
    entry.set_comment(change.comment);
    entry.set_collection(change.type->collection());
    entry.set_id(record.id.ToString());
    entry.set_revision(record.revision);
    *entry.mutable_time() = google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(
        absl::ToUnixMicros(operation.call().now));
    entry.set_area_code(record.area_code);
    entry.set_review_state(record.review_state);
    entry.set_request_id(event.request_id.ToString());
    entry.set_deleted(record.deleted_at.has_value());
    entry.set_follows(change.follows);
    if (!reads) {
      v1::Fact fact;
      fact.set_type(event.type);
      fact.set_id(entry.id());
      fact.set_revision(record.revision);
      fact.set_area_code(record.area_code);
      fact.set_counted_date(change.type->CountingDateOf(*record.message));
      fact.set_review_state(record.review_state);
      fact.set_tombstone(record.deleted_at.has_value() ||
                         record.review_state == v1::REVIEW_STATE_WITHDRAWN);
      fact.set_values(change.type->FactOf(*record.message));
      event.fact = BytesOf(fact);
      event.message = row.message_bytes;
      if (!row.sealed_bytes.empty()) event.sealed = row.sealed_bytes;
      entry.set_fact_digest(StoredDigest(*event.fact));
      entry.set_message_digest(StoredDigest(*event.message));
      if (event.sealed.has_value()) entry.set_sealed_digest(StoredDigest(*event.sealed));
    }
    event.entry = BytesOf(entry);
    return event;
  }

  // ---- writing ---------------------------------------------------------------------------------

  // Writes what has been decided so far, so that the next decision reads it.
  absl::Status Flush() {
    std::map<const RecordType*, std::vector<const State*>> by_type;
    std::vector<const RecordType*> types;
    for (const RecordKey& key : order_) {
      const State& state = states_.at(key);
      // An operation that failed after touching it has put it back.
      if (!state.exists || !state.dirty) continue;
      if (by_type[key.first].empty()) types.push_back(key.first);
      by_type[key.first].push_back(&state);
    }
    for (const RecordType* type : types) {
      FADU_RETURN_IF_ERROR(WriteRecords(*type, by_type[type]));
    }
    for (const RecordKey& key : order_) states_.at(key).dirty = false;
    order_.clear();
    dirty_.clear();
    return WriteEvents();
  }

  absl::Status WriteRecords(const RecordType& type, const std::vector<const State*>& states) {
    const WriteSql& sql = store_.writes.at(&type);
    std::vector<db::WireRow> rows;
    std::vector<const db::WireRow*> pointers;
    rows.reserve(states.size());
    for (const State* state : states) {
      FADU_ASSIGN_OR_RETURN(db::WireRow row, RowOf(state->row, sql, *store_.sealer));
      rows.push_back(std::move(row));
      pointers.push_back(&rows.back());
    }
    FADU_ASSIGN_OR_RETURN(
        const int64_t written,
        transaction_.WriteArrays(absl::StrCat("upsert_", type.table()), sql.upsert, county_,
                                 RecordArrays(sql, pointers)));
    if (written != static_cast<int64_t>(states.size())) {
      return FADU_BUG("a record's revision moved under the counter lock");
    }
    return absl::OkStatus();
  }

  absl::Status WriteEvents() {
    if (events_.empty()) return absl::OkStatus();
    std::vector<const db::WireRow*> pointers;
    for (const db::WireRow& row : events_) pointers.push_back(&row);
    FADU_ASSIGN_OR_RETURN(
        const int64_t written,
        transaction_.WriteArrays("insert_events", kInsertEvents, county_, EventArrays(pointers)));
    const size_t expected = events_.size();
    events_.clear();
    return written == static_cast<int64_t>(expected) ? absl::OkStatus()
                                                     : FADU_BUG("an event was not written");
  }

  Store::Impl& store_;
  db::WriterTransaction& transaction_;
  const std::string& county_;
  Head head_;
  int64_t first_seq_ = 0;
  std::map<Uuid, Earlier> earlier_;
  std::map<RecordKey, State> states_;
  std::vector<RecordKey> order_;  // touched records, first touch first
  std::set<RecordKey> dirty_;
  std::vector<db::WireRow> events_;
  std::vector<Change> following_;    // of the change being decided
  bool may_follow_ = false;          // the caller's own change is being decided
  std::shared_ptr<Message> lawful_;  // of the creation that is foreseen: rules and law passed it
};

absl::Status Store::Impl::Attempt(db::WriterTransaction& transaction, const std::string& county,
                                  const Operations& operations) {
  return BatchWriter(*this, transaction, county).Run(operations);
}

absl::StatusOr<Forecast> Store::Impl::Foresee(const RecordOperation& operation,
                                              std::vector<RecordRow> read,
                                              std::vector<std::shared_ptr<Message>> lawful) {
  NoTransaction none;
  return BatchWriter(*this, none, operation.county())
      .Foresee(operation, std::move(read), std::move(lawful));
}

}  // namespace fadu::records
