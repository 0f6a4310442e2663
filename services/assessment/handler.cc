#include "services/assessment/handler.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/area_code.h"
#include "common/base/civil_day.h"
#include "common/base/clock.h"
#include "common/base/digest.h"
#include "common/base/points.h"
#include "common/base/status.h"
#include "common/schema/names.h"
#include "common/schema/reason.h"
#include "fadu/assessment/v1/records.pb.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/common/v1/reason.pb.h"
#include "fadu/scoring/v1/scoring_service.pb.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "services/assessment/domain/cycle.h"
#include "services/assessment/domain/mark.h"
#include "services/assessment/domain/rubric_yaml.h"
#include "services/assessment/sql.h"

namespace fadu::assessment {
namespace {

namespace common = ::fadu::common::v1;
namespace scoring = ::fadu::scoring::v1;
using records::Change;
using records::LockedView;
using records::StoredRecord;
using records::WriteRequest;

constexpr char kCheckRubric[] = "/fadu.scoring.v1.ScoringService/CheckRubric";
constexpr size_t kMaxFindings = 1000;

absl::Status InvalidField(absl::string_view field, absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, common::REASON_FIELD_INVALID, "invalid field",
              {{"field", std::string(field)}, {"problem", std::string(problem)}},
              {{std::string(field), std::string(problem)}});
}

absl::Status NotFound(absl::string_view name) {
  return Fail(absl::StatusCode::kNotFound, common::REASON_NOT_FOUND,
              "no such record, or not visible", {{"name", std::string(name)}});
}

absl::Status AreaDenied(absl::string_view area) {
  return Fail(absl::StatusCode::kPermissionDenied, common::REASON_AREA_DENIED,
              "the area is outside the caller's scope", {{"area", std::string(area)}});
}

const std::vector<int>& Scorers() {
  static const auto* const roles = new std::vector<int>{
      common::ROLE_TOWN_REVIEWER, common::ROLE_COUNTY_REVIEWER, common::ROLE_COUNTY_ADMIN};
  return *roles;
}

absl::Status MayAdminister(const CallContext& call, absl::string_view county) {
  if (call.principal.MayIn(county, {common::ROLE_COUNTY_ADMIN})) return absl::OkStatus();
  return AreaDenied(county);
}

// The digest under which a request is known again.
std::string HashOf(const google::protobuf::Message& request) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    request.SerializeToCodedStream(&coded);
  }
  return StoredDigest(bytes);
}

// A wish of this service about its own records.
template <typename Request>
absl::StatusOr<WriteRequest> WishFor(const Request& request, const std::string& county) {
  WriteRequest wish;
  const absl::StatusOr<Uuid> id = Uuid::Parse(request.request_id());
  if (!id.ok()) return InvalidField("request_id", "不是 UUID");
  wish.county = county;
  wish.request_id = *id;
  wish.request_hash = HashOf(request);
  wish.trusted = true;
  return wish;
}

template <typename Message>
Change Creation(const RecordType& type, Message message) {
  Change change;
  change.type = &type;
  change.message = std::make_shared<Message>(std::move(message));
  change.submit = true;
  return change;
}

template <typename Message>
Change Update(const RecordType& type, const Uuid& id, Message message,
              std::vector<std::string> mask) {
  Change change;
  change.operation = records::Operation::kUpdate;
  change.type = &type;
  change.id = id;
  change.message = std::make_shared<Message>(std::move(message));
  change.mask = std::move(mask);
  return change;
}

// A record's own message.
template <typename Message>
Message MessageOf(const StoredRecord& record) {
  Message message;
  message.CopyFrom(*record.message);
  return message;
}

// A name within `type`'s collection.
absl::StatusOr<RecordName> NameOf(absl::string_view name, const RecordType& type) {
  FADU_ASSIGN_OR_RETURN(RecordName parsed, ParseRecordName(name));
  if (parsed.collection != type.collection()) return NotFound(name);
  return parsed;
}

// A record that must be there, under the lock.
absl::StatusOr<StoredRecord> Load(LockedView& view, const RecordType& type, const Uuid& id,
                                  absl::string_view name) {
  FADU_ASSIGN_OR_RETURN(absl::optional<StoredRecord> record, view.Get(type, id));
  if (!record.has_value() || record->deleted_at.has_value()) return NotFound(name);
  return *std::move(record);
}

v1::RubricInfo RubricAnswer(const StoredRecord& record, const std::vector<v1::Finding>& findings) {
  v1::RubricInfo info;
  info.set_name(record.Name());
  *info.mutable_rubric() = MessageOf<v1::RubricVersion>(record);
  *info.mutable_findings() = {findings.begin(), findings.end()};
  return info;
}

v1::CycleInfo CycleAnswer(const StoredRecord& record) {
  v1::CycleInfo info;
  info.set_name(record.Name());
  *info.mutable_cycle() = MessageOf<v1::Cycle>(record);
  return info;
}

v1::MarkInfo MarkAnswer(const StoredRecord& record) {
  v1::MarkInfo info;
  info.set_name(record.Name());
  *info.mutable_mark() = MessageOf<v1::Mark>(record);
  return info;
}

absl::StatusOr<StoredRecord> OneOf(const absl::StatusOr<records::WriteResult>& result,
                                   const absl::optional<StoredRecord>& unchanged) {
  if (!result.ok()) return result.status();
  if (!result->records.empty()) return result->records[0];
  if (unchanged.has_value()) return *unchanged;
  return FADU_BUG("a write without a record");
}

// The rubric as scoring accepts it, with everything there is to say about it.
absl::StatusOr<CompiledRubric> CompileAndCheck(rpc::Peers& peers, const CallContext& call,
                                               absl::string_view source) {
  CompiledRubric compiled = CompileRubric(source);
  if (compiled.rubric.has_value()) {
    scoring::CheckRubricRequest request;
    *request.mutable_rubric() = *compiled.rubric;
    scoring::CheckRubricResponse response;
    FADU_RETURN_IF_ERROR(peers.Call(call, "scoring", kCheckRubric, request, &response));
    compiled.findings.insert(compiled.findings.end(), response.findings().begin(),
                             response.findings().end());
    PlaceFindings(compiled.places, compiled.findings);
  }
  SortFindings(compiled.findings);
  if (compiled.findings.size() > kMaxFindings) compiled.findings.resize(kMaxFindings);
  return compiled;
}

// Decides whether an import is a new draft, or one that is there.
absl::Status DecideImport(LockedView& view, const RecordType& type, const std::string& county,
                          const v1::RubricVersion& draft, std::vector<Change>& changes,
                          absl::optional<StoredRecord>& unchanged) {
  // Nothing is recorded in a county before its first rubric.
  FADU_RETURN_IF_ERROR(view.sql().Execute(sql::kAddCounty, db::Params().Text(county)).status());
  // Code and version are plain words (CompileRubric).
  const std::string same =
      absl::StrCat("code = \"", draft.code(), "\" AND version = \"", draft.version(), "\"");
  FADU_ASSIGN_OR_RETURN(const std::vector<StoredRecord> found, view.Find(type, same, 1));
  if (found.empty()) return absl::OkStatus();
  if (MessageOf<v1::RubricVersion>(found[0]).source() != draft.source()) {
    return Fail(absl::StatusCode::kAlreadyExists, v1::REASON_RUBRIC_EXISTS,
                "this version exists with another text",
                {{"code", draft.code()}, {"version", draft.version()}});
  }
  unchanged = found[0];
  changes.clear();
  return absl::OkStatus();
}

// Marks of one clause for one unit: cases, sampled items, parts of the year, assessors.
constexpr int kMaxMarksOfClause = 1000;

// Decides a mark under the lock: cycle open, clause judged, points within limits; then whether it
// is the first of its place or replaces one.
absl::Status DecideMark(LockedView& view, const records::Store& store, const RecordName& cycle_name,
                        const v1::Mark& mark, std::vector<Change>& changes) {
  const RecordType& cycles = *store.types().FindByName(v1::Cycle::descriptor()->full_name());
  const RecordType& rubrics =
      *store.types().FindByName(v1::RubricVersion::descriptor()->full_name());
  const RecordType& marks = *store.types().FindByName(v1::Mark::descriptor()->full_name());
  FADU_ASSIGN_OR_RETURN(const StoredRecord stored,
                        Load(view, cycles, cycle_name.id, cycle_name.ToString()));
  const auto cycle = MessageOf<v1::Cycle>(stored);
  FADU_RETURN_IF_ERROR(CheckOpen(cycle));
  FADU_ASSIGN_OR_RETURN(const Uuid rubric_id, Uuid::Parse(cycle.rubric_id()));
  FADU_ASSIGN_OR_RETURN(
      const StoredRecord rubric,
      Load(view, rubrics, rubric_id,
           RecordName{cycle_name.county, rubrics.collection(), rubric_id}.ToString()));
  const v1::Rubric content = MessageOf<v1::RubricVersion>(rubric).rubric();
  FADU_ASSIGN_OR_RETURN(const MarkLimits limits, LimitsOf(content, mark.line_id(), mark.clause()));
  FADU_RETURN_IF_ERROR(CheckPlace(content, mark));
  FADU_RETURN_IF_ERROR(CheckPoints(limits, Points::FromUnits(mark.points_e4())));
  // The line is one of the rubric's, so its id is a plain word.
  const std::string place =
      absl::StrCat("area_code = \"", mark.area_code(), "\" AND cycle_id = \"", mark.cycle_id(),
                   "\" AND line_id = \"", mark.line_id(), "\" AND clause = ", mark.clause());
  FADU_ASSIGN_OR_RETURN(const std::vector<StoredRecord> earlier,
                        view.Find(marks, place, kMaxMarksOfClause));
  for (const StoredRecord& record : earlier) {
    const auto before = MessageOf<v1::Mark>(record);
    // Items and assessors are any words, so they are compared here and not in a filter.
    if (before.item() != mark.item() || before.period() != mark.period() ||
        before.assessor() != mark.assessor()) {
      continue;
    }
    changes = {Update(marks, record.id, Replace(before, mark, limits),
                      {"marked_date", "points_e4", "reason", "scorer", "second_scorer"})};
    return absl::OkStatus();
  }
  if (earlier.size() < static_cast<size_t>(kMaxMarksOfClause)) return absl::OkStatus();
  return InvalidField("item", "该款的评分已达上限");
}

template <typename Record>
std::pair<const std::string, records::Law> LawOf(absl::Status (*decide)(const Record*,
                                                                        const Record&)) {
  return {Record::descriptor()->full_name(),
          [decide](const google::protobuf::Message* before, google::protobuf::Message& after,
                   const records::LawContext&) {
            return decide(static_cast<const Record*>(before), static_cast<const Record&>(after));
          }};
}

}  // namespace

std::map<std::string, records::Law> Laws() { return {LawOf(&DecideRubric), LawOf(&DecideCycle)}; }

AssessmentHandler::AssessmentHandler(HandlerParts parts)
    : parts_(parts),
      rubric_type_(parts_.store.types().FindByName(v1::RubricVersion::descriptor()->full_name())),
      cycle_type_(parts_.store.types().FindByName(v1::Cycle::descriptor()->full_name())),
      mark_type_(parts_.store.types().FindByName(v1::Mark::descriptor()->full_name())),
      service_("fadu.assessment.v1.AssessmentService") {
  service_.Handle<v1::CheckRubricRequest, v1::CheckRubricResponse>(
      "CheckRubric", [this](const CallContext& call, const v1::CheckRubricRequest& request) {
        return CheckRubric(call, request);
      });
  service_.Handle<v1::ImportRubricRequest, v1::RubricInfo>(
      "ImportRubric", [this](const CallContext& call, const v1::ImportRubricRequest& request) {
        return ImportRubric(call, request);
      });
  service_.Handle<v1::HandOverRequest, v1::HandOverResponse>(
      "HandOver", [this](const CallContext& call, const v1::HandOverRequest& request) {
        return HandOver(call, request);
      });
  service_.HandleRecording<v1::PublishRubricRequest, v1::RubricInfo>(
      "PublishRubric", [this](const CallContext& call, const v1::PublishRubricRequest& request,
                              RubricDone done) { PublishRubric(call, request, std::move(done)); });
  service_.HandleRecording<v1::OpenCycleRequest, v1::CycleInfo>(
      "OpenCycle", [this](const CallContext& call, const v1::OpenCycleRequest& request,
                          CycleDone done) { OpenCycle(call, request, std::move(done)); });
  service_.HandleRecording<v1::CloseCycleRequest, v1::CycleInfo>(
      "CloseCycle", [this](const CallContext& call, const v1::CloseCycleRequest& request,
                           CycleDone done) { CloseCycle(call, request, std::move(done)); });
  service_.HandleRecording<v1::GiveMarkRequest, v1::MarkInfo>(
      "GiveMark", [this](const CallContext& call, const v1::GiveMarkRequest& request,
                         MarkDone done) { GiveMark(call, request, std::move(done)); });
}

void AssessmentHandler::Write(const CallContext& call, WriteRequest wish,
                              std::shared_ptr<absl::optional<StoredRecord>> unchanged,
                              std::function<void(absl::StatusOr<StoredRecord>)> done) {
  const std::string county = wish.county;
  parts_.store.Write(call, std::move(wish),
                     [this, county, unchanged = std::move(unchanged),
                      done = std::move(done)](absl::StatusOr<records::WriteResult> result) {
                       if (result.ok()) parts_.forwarder.Wake(county);
                       done(OneOf(result, unchanged == nullptr ? absl::nullopt : *unchanged));
                     });
}

// ---- Rubrics -----------------------------------------------------------------------------------

absl::StatusOr<v1::CheckRubricResponse> AssessmentHandler::CheckRubric(
    const CallContext& call, const v1::CheckRubricRequest& request) {
  FADU_ASSIGN_OR_RETURN(const CompiledRubric compiled,
                        CompileAndCheck(parts_.peers, call, request.source()));
  v1::CheckRubricResponse response;
  *response.mutable_findings() = {compiled.findings.begin(), compiled.findings.end()};
  if (compiled.rubric.has_value()) *response.mutable_rubric() = *compiled.rubric;
  return response;
}

// Not a recording method: it asks scoring first.
absl::StatusOr<v1::RubricInfo> AssessmentHandler::ImportRubric(
    const CallContext& call, const v1::ImportRubricRequest& request) {
  FADU_ASSIGN_OR_RETURN(const std::string county, ParseCountyName(request.parent()));
  FADU_RETURN_IF_ERROR(MayAdminister(call, county));
  FADU_ASSIGN_OR_RETURN(const CompiledRubric compiled,
                        CompileAndCheck(parts_.peers, call, request.source()));
  if (const v1::Finding* error = FirstError(compiled.findings); error != nullptr) {
    return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_RUBRIC_INVALID,
                "the rubric has errors",
                {{"line", absl::StrCat(error->yaml_line())}, {"problem", error->message()}});
  }
  const v1::RubricVersion draft = NewRubricVersion(county, *compiled.rubric, request.source());
  FADU_ASSIGN_OR_RETURN(WriteRequest wish, WishFor(request, county));
  wish.changes.push_back(Creation(*rubric_type_, draft));
  absl::optional<StoredRecord> unchanged;
  wish.decide = [&](LockedView& view, std::vector<Change>& changes) {
    unchanged.reset();
    return DecideImport(view, *rubric_type_, county, draft, changes, unchanged);
  };
  const absl::StatusOr<records::WriteResult> result =
      parts_.store.WriteAndWait(call, std::move(wish));
  if (result.ok()) parts_.forwarder.Wake(county);
  FADU_ASSIGN_OR_RETURN(const StoredRecord record, OneOf(result, unchanged));
  return RubricAnswer(record, compiled.findings);
}

void AssessmentHandler::PublishRubric(const CallContext& call,
                                      const v1::PublishRubricRequest& request, RubricDone done) {
  auto unchanged = std::make_shared<absl::optional<StoredRecord>>();
  const auto wish = [&]() -> absl::StatusOr<WriteRequest> {
    FADU_ASSIGN_OR_RETURN(const RecordName name, NameOf(request.name(), *rubric_type_));
    if (!MayAdminister(call, name.county).ok()) return NotFound(request.name());
    FADU_ASSIGN_OR_RETURN(WriteRequest write, WishFor(request, name.county));
    v1::RubricVersion published;
    published.set_state(v1::RUBRIC_STATE_PUBLISHED);
    write.changes.push_back(Update(*rubric_type_, name.id, published, {"state"}));
    write.decide = [type = rubric_type_, id = name.id, text = request.name(), unchanged](
                       LockedView& view, std::vector<Change>& changes) -> absl::Status {
      unchanged->reset();
      FADU_ASSIGN_OR_RETURN(StoredRecord record, Load(view, *type, id, text));
      if (MessageOf<v1::RubricVersion>(record).state() == v1::RUBRIC_STATE_PUBLISHED) {
        *unchanged = std::move(record);
        changes.clear();
      }
      return absl::OkStatus();
    };
    return write;
  };
  absl::StatusOr<WriteRequest> write = wish();
  if (!write.ok()) return done(write.status());
  Write(call, *std::move(write), unchanged,
        [done = std::move(done)](const absl::StatusOr<StoredRecord>& record) {
          if (!record.ok()) return done(record.status());
          done(RubricAnswer(*record, {}));
        });
}

// ---- Cycles ------------------------------------------------------------------------------------

void AssessmentHandler::OpenCycle(const CallContext& call, const v1::OpenCycleRequest& request,
                                  CycleDone done) {
  const auto wish = [&]() -> absl::StatusOr<WriteRequest> {
    FADU_ASSIGN_OR_RETURN(const std::string county, ParseCountyName(request.parent()));
    FADU_RETURN_IF_ERROR(MayAdminister(call, county));
    FADU_ASSIGN_OR_RETURN(const RecordName rubric, NameOf(request.rubric(), *rubric_type_));
    if (rubric.county != county) return NotFound(request.rubric());
    FADU_ASSIGN_OR_RETURN(WriteRequest write, WishFor(request, county));
    write.changes.push_back(
        Creation(*cycle_type_, NewCycle(county, request.year(), rubric.id.ToString())));
    write.decide = [rubrics = rubric_type_, cycles = cycle_type_, rubric, year = request.year()](
                       LockedView& view, std::vector<Change>&) -> absl::Status {
      FADU_ASSIGN_OR_RETURN(const StoredRecord record,
                            Load(view, *rubrics, rubric.id, rubric.ToString()));
      FADU_RETURN_IF_ERROR(CheckCarries(MessageOf<v1::RubricVersion>(record), year));
      FADU_ASSIGN_OR_RETURN(const std::vector<StoredRecord> others,
                            view.Find(*cycles, absl::StrCat("year = ", year), 1));
      if (others.empty()) return absl::OkStatus();
      return Fail(absl::StatusCode::kAlreadyExists, v1::REASON_CYCLE_EXISTS,
                  "there is a cycle for the year", {{"year", absl::StrCat(year)}});
    };
    return write;
  };
  absl::StatusOr<WriteRequest> write = wish();
  if (!write.ok()) return done(write.status());
  Write(call, *std::move(write), nullptr,
        [done = std::move(done)](const absl::StatusOr<StoredRecord>& record) {
          if (!record.ok()) return done(record.status());
          done(CycleAnswer(*record));
        });
}

void AssessmentHandler::CloseCycle(const CallContext& call, const v1::CloseCycleRequest& request,
                                   CycleDone done) {
  auto unchanged = std::make_shared<absl::optional<StoredRecord>>();
  const auto wish = [&]() -> absl::StatusOr<WriteRequest> {
    FADU_ASSIGN_OR_RETURN(const RecordName name, NameOf(request.name(), *cycle_type_));
    if (!MayAdminister(call, name.county).ok()) return NotFound(request.name());
    FADU_ASSIGN_OR_RETURN(WriteRequest write, WishFor(request, name.county));
    v1::Cycle closed;
    closed.set_state(v1::CYCLE_STATE_CLOSED);
    write.changes.push_back(Update(*cycle_type_, name.id, closed, {"state"}));
    write.decide = [type = cycle_type_, id = name.id, text = request.name(), unchanged](
                       LockedView& view, std::vector<Change>& changes) -> absl::Status {
      unchanged->reset();
      FADU_ASSIGN_OR_RETURN(StoredRecord record, Load(view, *type, id, text));
      if (!CheckOpen(MessageOf<v1::Cycle>(record)).ok()) {
        *unchanged = std::move(record);
        changes.clear();
      }
      return absl::OkStatus();
    };
    return write;
  };
  absl::StatusOr<WriteRequest> write = wish();
  if (!write.ok()) return done(write.status());
  Write(call, *std::move(write), unchanged,
        [done = std::move(done)](const absl::StatusOr<StoredRecord>& record) {
          if (!record.ok()) return done(record.status());
          done(CycleAnswer(*record));
        });
}

// ---- Marks -------------------------------------------------------------------------------------

void AssessmentHandler::GiveMark(const CallContext& call, const v1::GiveMarkRequest& request,
                                 MarkDone done) {
  const auto wish = [&]() -> absl::StatusOr<WriteRequest> {
    FADU_ASSIGN_OR_RETURN(const RecordName cycle, NameOf(request.cycle(), *cycle_type_));
    const std::string& area = request.area_code();
    if (!IsAreaCode(area) || LevelOf(area) < AreaLevel::kTown || CountyOf(area) != cycle.county) {
      return InvalidField("area_code", "应为本县村（社区）或乡镇的区划代码");
    }
    if (!call.principal.MayIn(area, Scorers())) return AreaDenied(area);
    const absl::StatusOr<Points> points = Points::Parse(request.points());
    if (!points.ok()) return InvalidField("points", "应为最多四位小数的数字");
    FADU_ASSIGN_OR_RETURN(WriteRequest write, WishFor(request, cycle.county));
    v1::Mark mark;
    mark.set_area_code(area);
    mark.set_marked_date(FormatDay(DayOf(call.now)));
    mark.set_cycle_id(cycle.id.ToString());
    mark.set_line_id(request.line_id());
    mark.set_clause(request.clause());
    mark.set_points_e4(points->units());
    mark.set_reason(request.reason());
    mark.set_scorer(call.principal.subject);
    mark.set_item(request.item());
    mark.set_period(request.period());
    mark.set_assessor(request.assessor());
    write.changes.push_back(Creation(*mark_type_, mark));
    write.decide = [store = &parts_.store, cycle, mark](LockedView& view,
                                                        std::vector<Change>& changes) {
      return DecideMark(view, *store, cycle, mark, changes);
    };
    return write;
  };
  absl::StatusOr<WriteRequest> write = wish();
  if (!write.ok()) return done(write.status());
  Write(call, *std::move(write), nullptr,
        [done = std::move(done)](const absl::StatusOr<StoredRecord>& record) {
          if (!record.ok()) return done(record.status());
          done(MarkAnswer(*record));
        });
}

absl::StatusOr<v1::HandOverResponse> AssessmentHandler::HandOver(
    const CallContext& call, const v1::HandOverRequest& request) {
  FADU_ASSIGN_OR_RETURN(const std::string county, ParseCountyName(request.parent()));
  const std::vector<std::string> areas = call.principal.AreasOf(Scorers());
  const bool inside = std::any_of(areas.begin(), areas.end(), [&](const std::string& area) {
    return IsWithin(area, county) || IsWithin(county, area);
  });
  if (!inside) return AreaDenied(county);
  v1::HandOverResponse response;
  FADU_ASSIGN_OR_RETURN(const int64_t seq, parts_.forwarder.Flush(county, call.deadline));
  response.set_seq(seq);
  return response;
}

}  // namespace fadu::assessment
