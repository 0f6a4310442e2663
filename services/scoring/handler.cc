#include "services/scoring/handler.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/optional.h"
#include "common/base/area_code.h"
#include "common/base/civil_day.h"
#include "common/base/clock.h"
#include "common/base/digest.h"
#include "common/base/points.h"
#include "common/base/status.h"
#include "common/base/working_calendar.h"
#include "common/schema/names.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/common/v1/reason.pb.h"
#include "fadu/registry/v1/registry_service.pb.h"
#include "services/scoring/domain/engine.h"
#include "services/scoring/domain/measure.h"
#include "services/scoring/verify.h"

namespace fadu::scoring {
namespace {

namespace common_v1 = ::fadu::common::v1;
namespace registry_v1 = ::fadu::registry::v1;

constexpr char kService[] = "fadu.scoring.v1.ScoringService";
constexpr char kListAreas[] = "/fadu.registry.v1.RegistryService/ListAreas";
constexpr int kAreaPage = 2000;
constexpr int kDefaultPage = 50;
constexpr int kMaxPage = 200;

absl::Status NotFound(absl::string_view name) {
  return Fail(absl::StatusCode::kNotFound, common_v1::REASON_NOT_FOUND,
              "no such thing, or not visible to the caller", {{"name", std::string(name)}});
}

absl::Status InvalidField(absl::string_view field, absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, common_v1::REASON_FIELD_INVALID, "invalid field",
              {{"field", std::string(field)}, {"problem", std::string(problem)}},
              {{std::string(field), std::string(problem)}});
}

absl::Status AreaUnknown(absl::string_view area) {
  return Fail(absl::StatusCode::kNotFound, v1::REASON_AREA_UNKNOWN, "the area is not in the run",
              {{"area", std::string(area)}});
}

// ---- who may see what --------------------------------------------------------------------------

// The roles that the contract lets call the method.
std::vector<int> RolesOf(absl::string_view method) {
  const google::protobuf::MethodDescriptor* descriptor =
      google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
          absl::StrCat(kService, ".", method));
  if (descriptor == nullptr) return {};
  const common_v1::Access& access = descriptor->options().GetExtension(common_v1::access);
  return std::vector<int>(access.roles().begin(), access.roles().end());
}

// The areas in which the caller may use the method.
std::vector<std::string> AreasOf(const CallContext& call, absl::string_view method) {
  return call.principal.AreasOf(RolesOf(method));
}

bool Covers(const std::vector<std::string>& areas, absl::string_view code) {
  return std::any_of(areas.begin(), areas.end(),
                     [&](const std::string& area) { return IsWithin(code, area); });
}

// Some of the county is the caller's.
bool Touches(const std::vector<std::string>& areas, absl::string_view county) {
  return Covers(areas, county) ||
         std::any_of(areas.begin(), areas.end(),
                     [&](const std::string& area) { return IsWithin(area, county); });
}

// The county of counties/{county}, if the caller may use the method in some of it.
absl::StatusOr<std::string> CountyFor(const CallContext& call, absl::string_view method,
                                      absl::string_view parent) {
  FADU_ASSIGN_OR_RETURN(std::string county, ParseCountyName(parent));
  if (!Touches(AreasOf(call, method), county)) return NotFound(parent);
  return county;
}

// What the caller's areas cover of a result.
v1::RunResult Visible(const v1::RunResult& result, const std::vector<std::string>& areas) {
  v1::RunResult visible;
  for (const v1::ScoreSheet& sheet : result.villages()) {
    if (Covers(areas, sheet.area_code())) *visible.add_villages() = sheet;
  }
  for (const v1::Rollup& town : result.towns()) {
    if (Covers(areas, town.area_code())) *visible.add_towns() = town;
  }
  if (result.has_county() && Covers(areas, result.county().area_code())) {
    *visible.mutable_county() = result.county();
  }
  return visible;
}

// ---- runs --------------------------------------------------------------------------------------

v1::Run ToProto(const std::string& county, const StoredRun& run) {
  v1::Run proto;
  proto.set_name(RecordName{county, "runs", run.id}.ToString());
  proto.set_year(run.year);
  *proto.mutable_create_time() =
      google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(run.created_at));
  proto.set_snapshot_digest(Hex(run.snapshot_digest));
  proto.set_result_digest(Hex(run.result_digest));
  proto.set_actor(run.actor);
  proto.set_rubric_title(run.rubric_title);
  return proto;
}

absl::Status IntegrityBroken(absl::string_view where) {
  return Fail(absl::StatusCode::kFailedPrecondition, common_v1::REASON_INTEGRITY_BROKEN,
              "stored bytes do not match their digest", {{"where", std::string(where)}});
}

absl::StatusOr<v1::RunResult> ResultOf(const StoredRun& run) {
  v1::RunResult result;
  if (StoredDigest(run.result) != run.result_digest || !result.ParseFromString(run.result)) {
    return IntegrityBroken(absl::StrCat("runs/", run.id.ToString(), " result"));
  }
  return result;
}

absl::StatusOr<v1::Snapshot> SnapshotOf(const StoredRun& run) {
  v1::Snapshot snapshot;
  if (StoredDigest(run.snapshot) != run.snapshot_digest ||
      !snapshot.ParseFromString(run.snapshot)) {
    return IntegrityBroken(absl::StrCat("runs/", run.id.ToString(), " snapshot"));
  }
  return snapshot;
}

absl::StatusOr<StoredRun> RunOf(const CallContext& call, const Uuid& id, const RunInputs& inputs) {
  FADU_ASSIGN_OR_RETURN(const v1::RunResult result, ComputeRun(inputs, MeasurableTypes()));
  StoredRun run;
  run.id = id;
  run.year = inputs.snapshot.year();
  run.created_at = absl::FromUnixMicros(absl::ToUnixMicros(call.now));
  run.actor = call.principal.subject;
  run.rubric_title = inputs.rubric.title();
  run.snapshot = BytesOf(inputs.snapshot);
  run.snapshot_digest = StoredDigest(run.snapshot);
  run.result = ResultBytes(result);
  run.result_digest = StoredDigest(run.result);
  return run;
}

// ---- pages -------------------------------------------------------------------------------------

// Where the next page of runs begins. Tokens hold nothing that the page itself does not show.
struct RunPlace {
  absl::Time created_at;
  Uuid id;
};

std::string PageTokenOf(absl::string_view county, const StoredRun& run) {
  return absl::WebSafeBase64Escape(
      absl::StrCat(county, ":", absl::ToUnixMicros(run.created_at), ":", run.id.ToString()));
}

absl::StatusOr<RunPlace> PlaceOf(absl::string_view county, absl::string_view token) {
  if (token.empty()) {
    std::array<uint8_t, 16> last;
    last.fill(0xff);
    return RunPlace{absl::FromCivil(absl::CivilDay(9999, 1, 1), absl::UTCTimeZone()), Uuid(last)};
  }
  std::string text;
  int64_t micros = 0;
  if (absl::WebSafeBase64Unescape(token, &text)) {
    const std::vector<std::string> parts = absl::StrSplit(text, ':');
    if (parts.size() == 3 && parts[0] == county && absl::SimpleAtoi(parts[1], &micros) &&
        micros >= 0 && micros < 253370764800000000) {  // the year 9999
      const absl::StatusOr<Uuid> id = Uuid::Parse(parts[2]);
      if (id.ok()) return RunPlace{absl::FromUnixMicros(micros), *id};
    }
  }
  return Fail(absl::StatusCode::kInvalidArgument, common_v1::REASON_PAGE_TOKEN_INVALID,
              "page token does not belong here");
}

// ---- measures and explanations -----------------------------------------------------------------

std::string KeyOf(absl::string_view county, const Positions& positions) {
  std::string key = absl::StrCat("facts/", county);
  for (const auto& [service, seq] : positions) absl::StrAppend(&key, "/", service, ":", seq);
  return key;
}

// The last day of the year, or today when that is earlier.
absl::CivilDay LastKnownDay(int year, absl::Time now) {
  return std::min(YearRange(year).last, DayOf(now));
}

const v1::ScoreSheet* SheetOf(const v1::RunResult& result, absl::string_view area) {
  for (const v1::ScoreSheet& sheet : result.villages()) {
    if (sheet.area_code() == area) return &sheet;
  }
  return nullptr;
}

// An explanation that does not end in the stored points would explain another score.
absl::Status CheckExplained(const v1::ScoreSheet& sheet, const v1::SheetExplanation& explanation) {
  for (const v1::LineExplanation& line : explanation.lines()) {
    const auto stored = std::find_if(
        sheet.lines().begin(), sheet.lines().end(),
        [&](const v1::LineScore& score) { return score.line_id() == line.score().line_id(); });
    if (stored == sheet.lines().end() || BytesOf(*stored) != BytesOf(line.score())) {
      return VerifyFailed(absl::StrCat(sheet.area_code(), "/", line.score().line_id()));
    }
  }
  return absl::OkStatus();
}

}  // namespace

// ---- facts -------------------------------------------------------------------------------------

absl::StatusOr<v1::PutFactsResponse> ScoringHandler::PutFacts(const CallContext& call,
                                                              const v1::PutFactsRequest& request) {
  const std::string& county = request.county_code();
  if (county.size() != 6 || !IsAreaCode(county)) {
    return InvalidField("county_code", "应为六位区划代码");
  }
  const std::vector<common_v1::Fact> facts(request.facts().begin(), request.facts().end());
  v1::PutFactsResponse response;
  FADU_ASSIGN_OR_RETURN(const int64_t seq,
                        store_.TakeFacts(county, kAssessment, facts, call.deadline));
  response.set_seq(seq);
  return response;
}

absl::StatusOr<v1::CheckRubricResponse> ScoringHandler::CheckRubric(
    const CallContext&, const v1::CheckRubricRequest& request) {
  v1::CheckRubricResponse response;
  for (fadu::assessment::v1::Finding& finding :
       scoring::CheckRubric(request.rubric(), MeasurableTypes())) {
    *response.add_findings() = std::move(finding);
  }
  return response;
}

absl::StatusOr<Positions> ScoringHandler::SyncedPositions(const std::string& county,
                                                          absl::Time deadline) {
  FADU_RETURN_IF_ERROR(feeds_.Sync(county, deadline));
  FADU_ASSIGN_OR_RETURN(Positions positions, store_.PositionsOf(county, deadline));
  positions.try_emplace(kAssessment, 0);
  return positions;
}

absl::StatusOr<v1::SyncFactsResponse> ScoringHandler::SyncFacts(
    const CallContext& call, const v1::SyncFactsRequest& request) {
  FADU_ASSIGN_OR_RETURN(const std::string county, CountyFor(call, "SyncFacts", request.parent()));
  FADU_ASSIGN_OR_RETURN(const Positions positions, SyncedPositions(county, call.deadline));
  FADU_ASSIGN_OR_RETURN(auto counts, store_.CountHeld(county, call.deadline));
  v1::SyncFactsResponse response;
  for (const auto& [service, seq] : positions) {
    v1::FeedPosition& feed = *response.add_feeds();
    feed.set_service(service);
    feed.set_seq(seq);
    feed.set_facts(counts[service]);
  }
  return response;
}

absl::StatusOr<std::shared_ptr<const RunInputs>> ScoringHandler::FactsAt(const std::string& county,
                                                                         const Positions& positions,
                                                                         absl::Time deadline) {
  const std::string key = KeyOf(county, positions);
  if (auto known = cache_.Find(key); known != nullptr) return known;
  FADU_ASSIGN_OR_RETURN(FactCollector collector, CollectFacts(store_, county, positions, deadline));
  auto inputs = std::make_shared<RunInputs>();
  for (const auto& [service, seq] : positions) {
    *inputs->snapshot.add_feeds() = collector.Feed(service, seq);
  }
  inputs->facts = collector.TakeFacts({});
  cache_.Keep(key, inputs);
  return inputs;
}

absl::StatusOr<v1::EvaluateMeasureResponse> ScoringHandler::EvaluateMeasure(
    const CallContext& call, const v1::EvaluateMeasureRequest& request) {
  FADU_ASSIGN_OR_RETURN(const std::string county,
                        CountyFor(call, "EvaluateMeasure", request.parent()));
  if (!IsWithin(request.area_code(), county) ||
      !Covers(AreasOf(call, "EvaluateMeasure"), request.area_code())) {
    return NotFound(absl::StrCat("areas/", request.area_code()));
  }
  std::vector<Measure> measures;
  bool needs_areas = false;
  for (const std::string& expression : request.expressions()) {
    FADU_ASSIGN_OR_RETURN(Measure measure, ParseMeasure(expression, MeasurableTypes()));
    needs_areas = needs_areas || NeedsAreas(measure);
    measures.push_back(std::move(measure));
  }
  EvalScope scope;
  scope.area_code = request.area_code();
  scope.year = request.year();
  scope.include_unconfirmed = request.include_unconfirmed();
  scope.records = false;
  if (!request.period().empty()) {
    const absl::optional<Period> period = Period::Parse(request.period());
    if (!period.has_value()) {
      return InvalidField("period", "应为 H1、H2、Q1 至 Q4 或 M01 至 M12");
    }
    scope.within = period->In(scope.year);
  }
  FADU_ASSIGN_OR_RETURN(Positions positions, SyncedPositions(county, call.deadline));
  positions.erase(kAssessment);  // rubrics and marks are not measured
  FADU_ASSIGN_OR_RETURN(const std::shared_ptr<const RunInputs> inputs,
                        FactsAt(county, positions, call.deadline));
  FactContext context;
  context.as_of = LastKnownDay(request.year(), call.now);
  if (needs_areas) {
    FADU_ASSIGN_OR_RETURN(context.areas, AreasFor(call, county, request.year()));
  }
  const FactSet facts = inputs->facts.With(std::move(context));
  v1::EvaluateMeasureResponse response;
  for (const Measure& measure : measures) {
    *response.add_values() = Evaluate(measure, facts, scope, call.language).value;
  }
  *response.mutable_feeds() = inputs->snapshot.feeds();
  return response;
}

// ---- making a run ------------------------------------------------------------------------------

absl::StatusOr<std::map<std::string, ScoringHandler::AreaSpan>> ScoringHandler::TreeAsOf(
    const CallContext& call, const std::string& county, absl::CivilDay day) {
  registry_v1::ListAreasRequest request;
  request.set_parent(absl::StrCat("counties/", county));
  request.set_as_of_date(FormatDay(day));
  request.set_area(county);
  request.set_page_size(kAreaPage);
  std::map<std::string, AreaSpan> tree;
  do {
    registry_v1::ListAreasResponse response;
    // On our own account: a run does not depend on who asks for it.
    FADU_RETURN_IF_ERROR(peers_.Call(call.deadline, "registry", kListAreas, request, &response));
    for (const registry_v1::Area& area : response.areas()) {
      if (area.code().size() < 6 || !IsWithin(area.code(), county)) continue;
      AreaSpan& span = tree[area.code()];
      span.title = area.title();
      const absl::StatusOr<absl::CivilDay> from = ParseDay(area.valid_from_date());
      if (from.ok()) span.from = *from;
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return tree;
}

// A new name begins a new span of the same area; an area is new only where nothing bore its code
// the day before and the county was there already.
absl::Status ScoringHandler::TraceBack(const CallContext& call, const std::string& county,
                                       std::map<std::string, AreaSpan>& tree) {
  while (true) {
    absl::optional<absl::CivilDay> latest;
    for (const auto& [code, span] : tree) {
      if (span.open && span.from.has_value() && (!latest.has_value() || *span.from > *latest)) {
        latest = span.from;
      }
    }
    if (!latest.has_value()) return absl::OkStatus();
    using Tree = std::map<std::string, AreaSpan>;
    FADU_ASSIGN_OR_RETURN(const Tree before, TreeAsOf(call, county, *latest - 1));
    const bool recorded = before.count(county) > 0;
    for (auto& [code, span] : tree) {
      if (!span.open || span.from != latest) continue;
      const auto earlier = before.find(code);
      if (!recorded) {
        span.from = absl::nullopt;
      } else if (earlier == before.end() || earlier->second.from >= latest) {
        span.open = false;
      } else {
        span.from = earlier->second.from;
      }
    }
  }
}

absl::StatusOr<std::vector<v1::AreaNode>> ScoringHandler::AreasFor(const CallContext& call,
                                                                   const std::string& county,
                                                                   int year) {
  using Tree = std::map<std::string, AreaSpan>;
  FADU_ASSIGN_OR_RETURN(Tree tree, TreeAsOf(call, county, LastKnownDay(year, call.now)));
  if (tree.count(county) == 0) return AreaUnknown(county);
  FADU_RETURN_IF_ERROR(TraceBack(call, county, tree));
  std::vector<v1::AreaNode> areas;
  for (const auto& [code, span] : tree) {
    v1::AreaNode& area = areas.emplace_back();
    area.set_code(code);
    area.set_name(span.title);
    if (span.from.has_value()) area.set_valid_from_date(FormatDay(*span.from));
  }
  return areas;
}

absl::StatusOr<RunInputs> ScoringHandler::PinInputs(const CallContext& call,
                                                    const std::string& county, int year) {
  FADU_ASSIGN_OR_RETURN(const Positions positions, SyncedPositions(county, call.deadline));
  FADU_ASSIGN_OR_RETURN(FactCollector collector,
                        CollectFacts(store_, county, positions, call.deadline));
  FADU_ASSIGN_OR_RETURN(FactCollector::CycleAndRubric cycle, collector.FindCycle(year));
  FADU_ASSIGN_OR_RETURN(const std::vector<v1::AreaNode> areas, AreasFor(call, county, year));
  RunInputs inputs;
  v1::Snapshot& snapshot = inputs.snapshot;
  snapshot.set_county_code(county);
  snapshot.set_year(year);
  for (const auto& [service, seq] : positions) *snapshot.add_feeds() = collector.Feed(service, seq);
  snapshot.set_cycle_id(cycle.cycle_id);
  snapshot.set_rubric_id(cycle.rubric_id);
  snapshot.set_rubric_digest(cycle.rubric_digest);
  *snapshot.mutable_areas() = {areas.begin(), areas.end()};
  snapshot.set_calendar_version(WorkingCalendar::Shipped().version());
  snapshot.set_engine_version(kEngineVersion);
  snapshot.set_as_of_date(FormatDay(LastKnownDay(year, call.now)));
  if (cycle.closed) snapshot.add_frozen_areas(county);
  inputs.rubric = std::move(cycle.rubric);
  collector.HandIn(snapshot.cycle_id(), inputs);
  inputs.facts = collector.TakeFacts(FactContextOf(snapshot));
  return inputs;
}

absl::StatusOr<absl::optional<StoredRun>> ScoringHandler::FirstRunOf(const std::string& county,
                                                                     const Uuid& id, int year,
                                                                     absl::Time deadline) {
  FADU_ASSIGN_OR_RETURN(absl::optional<StoredRun> run, store_.FindRun(county, id, deadline));
  if (run.has_value() && run->year != year) {
    return Fail(absl::StatusCode::kInvalidArgument, common_v1::REASON_REQUEST_ID_REUSED,
                "the request_id made a run of another year");
  }
  return run;
}

absl::StatusOr<v1::CreateRunResponse> ScoringHandler::CreateRun(
    const CallContext& call, const v1::CreateRunRequest& request) {
  FADU_ASSIGN_OR_RETURN(const std::string county, CountyFor(call, "CreateRun", request.parent()));
  if (!Covers(AreasOf(call, "CreateRun"), county)) return NotFound(request.parent());
  const absl::StatusOr<Uuid> id = Uuid::Parse(request.request_id());
  if (!id.ok()) return InvalidField("request_id", "应为小写 UUID");
  FADU_ASSIGN_OR_RETURN(absl::optional<StoredRun> run,
                        FirstRunOf(county, *id, request.year(), call.deadline));
  if (!run.has_value()) {
    FADU_ASSIGN_OR_RETURN(const RunInputs inputs, PinInputs(call, county, request.year()));
    FADU_ASSIGN_OR_RETURN(run, RunOf(call, *id, inputs));
    const absl::StatusOr<bool> inserted = store_.InsertRun(county, *run, call.deadline);
    // Another call with this request_id was first, or the outcome of the COMMIT is not known
    // (S-17).
    if (!inserted.ok() || !*inserted) {
      FADU_ASSIGN_OR_RETURN(run, FirstRunOf(county, *id, request.year(), call.deadline));
      if (!run.has_value()) {
        return inserted.ok() ? FADU_BUG("a run is neither new nor there") : inserted.status();
      }
    }
  }
  v1::CreateRunResponse response;
  *response.mutable_run() = ToProto(county, *run);
  return response;
}

// ---- reading runs ------------------------------------------------------------------------------

absl::StatusOr<v1::ListRunsResponse> ScoringHandler::ListRuns(const CallContext& call,
                                                              const v1::ListRunsRequest& request) {
  FADU_ASSIGN_OR_RETURN(const std::string county, CountyFor(call, "ListRuns", request.parent()));
  FADU_ASSIGN_OR_RETURN(const RunPlace place, PlaceOf(county, request.page_token()));
  const int size =
      request.page_size() <= 0 ? kDefaultPage : std::min(request.page_size(), kMaxPage);
  FADU_ASSIGN_OR_RETURN(
      std::vector<StoredRun> runs,
      store_.ListRuns(county, place.created_at, place.id, size + 1, call.deadline));
  v1::ListRunsResponse response;
  if (static_cast<int>(runs.size()) > size) {
    runs.pop_back();
    response.set_next_page_token(PageTokenOf(county, runs.back()));
  }
  for (const StoredRun& run : runs) *response.add_runs() = ToProto(county, run);
  return response;
}

absl::StatusOr<ScoringHandler::Found> ScoringHandler::FindNamed(const CallContext& call,
                                                                absl::string_view method,
                                                                absl::string_view name) {
  const std::vector<std::string> parts = absl::StrSplit(name, '/');
  if (parts.size() != 4 || parts[2] != "runs") {
    return InvalidField("name",
                        "应形如 counties/421221/runs/{uuid} 或 counties/421221/runs/latest");
  }
  FADU_ASSIGN_OR_RETURN(const std::string county,
                        ParseCountyName(absl::StrCat(parts[0], "/", parts[1])));
  if (!Touches(AreasOf(call, method), county)) return NotFound(name);
  absl::optional<StoredRun> run;
  if (parts[3] == "latest") {
    FADU_ASSIGN_OR_RETURN(run, store_.FindLatestRun(county, call.deadline));
  } else {
    FADU_ASSIGN_OR_RETURN(const RecordName parsed, ParseRecordName(name));
    FADU_ASSIGN_OR_RETURN(run, store_.FindRun(county, parsed.id, call.deadline));
  }
  if (!run.has_value()) return NotFound(name);
  return Found{county, *std::move(run)};
}

absl::StatusOr<v1::GetRunResponse> ScoringHandler::GetRun(const CallContext& call,
                                                          const v1::GetRunRequest& request) {
  FADU_ASSIGN_OR_RETURN(const Found found, FindNamed(call, "GetRun", request.name()));
  FADU_ASSIGN_OR_RETURN(const v1::RunResult result, ResultOf(found.run));
  FADU_ASSIGN_OR_RETURN(const v1::Snapshot snapshot, SnapshotOf(found.run));
  v1::GetRunResponse response;
  *response.mutable_run() = ToProto(found.county, found.run);
  *response.mutable_result() = Visible(result, AreasOf(call, "GetRun"));
  std::set<std::string> shown;
  for (const v1::ScoreSheet& sheet : response.result().villages()) shown.insert(sheet.area_code());
  for (const v1::Rollup& town : response.result().towns()) shown.insert(town.area_code());
  if (response.result().has_county()) shown.insert(response.result().county().area_code());
  for (const v1::AreaNode& area : snapshot.areas()) {
    if (shown.count(area.code()) > 0) *response.add_areas() = area;
  }
  return response;
}

absl::StatusOr<std::shared_ptr<const RunInputs>> ScoringHandler::InputsOf(const Found& found,
                                                                          absl::Time deadline) {
  // The digest names the whole snapshot, and the snapshot all that the inputs depend on.
  const std::string key = absl::StrCat("run/", found.county, "/", Hex(found.run.snapshot_digest));
  if (auto known = cache_.Find(key); known != nullptr) return known;
  FADU_ASSIGN_OR_RETURN(const v1::Snapshot snapshot, SnapshotOf(found.run));
  FADU_ASSIGN_OR_RETURN(RunInputs inputs, LoadInputs(store_, snapshot, deadline));
  auto shared = std::make_shared<const RunInputs>(std::move(inputs));
  cache_.Keep(key, shared);
  return shared;
}

absl::StatusOr<v1::ExplainScoreResponse> ScoringHandler::ExplainScore(
    const CallContext& call, const v1::ExplainScoreRequest& request) {
  FADU_ASSIGN_OR_RETURN(const Found found, FindNamed(call, "ExplainScore", request.name()));
  if (!Covers(AreasOf(call, "ExplainScore"), request.area_code())) {
    return NotFound(absl::StrCat("areas/", request.area_code()));
  }
  FADU_ASSIGN_OR_RETURN(const v1::RunResult result, ResultOf(found.run));
  const v1::ScoreSheet* sheet = SheetOf(result, request.area_code());
  if (sheet == nullptr) return AreaUnknown(request.area_code());
  FADU_ASSIGN_OR_RETURN(const v1::Snapshot snapshot, SnapshotOf(found.run));
  FADU_RETURN_IF_ERROR(CheckVersions(snapshot));
  FADU_ASSIGN_OR_RETURN(const std::shared_ptr<const RunInputs> inputs,
                        InputsOf(found, call.deadline));
  FADU_ASSIGN_OR_RETURN(
      v1::SheetExplanation explanation,
      Explain(*inputs, MeasurableTypes(), request.area_code(), request.line_id(), call.language));
  if (explanation.lines().empty()) return NotFound(request.line_id());
  FADU_RETURN_IF_ERROR(CheckExplained(*sheet, explanation));
  v1::ExplainScoreResponse response;
  *response.mutable_run() = ToProto(found.county, found.run);
  for (const v1::AreaNode& area : snapshot.areas()) {
    if (area.code() == request.area_code()) *response.mutable_area() = area;
  }
  *response.mutable_sheet() = *sheet;
  response.mutable_lines()->Swap(explanation.mutable_lines());
  response.mutable_gates()->Swap(explanation.mutable_gates());
  response.set_text(explanation.text());
  response.mutable_groups()->Swap(explanation.mutable_groups());
  response.mutable_shared()->Swap(explanation.mutable_shared());
  response.mutable_decisions()->Swap(explanation.mutable_decisions());
  response.set_total(Points::FromUnits(sheet->total_e4()).ToString());
  return response;
}

absl::StatusOr<v1::VerifyRunResponse> ScoringHandler::VerifyRun(
    const CallContext& call, const v1::VerifyRunRequest& request) {
  FADU_ASSIGN_OR_RETURN(const Found found, FindNamed(call, "VerifyRun", request.name()));
  FADU_ASSIGN_OR_RETURN(const Verified verified,
                        VerifyStoredRun(store_, found.county, found.run, call.deadline));
  v1::VerifyRunResponse response;
  *response.mutable_run() = ToProto(found.county, found.run);
  response.set_facts(verified.facts);
  response.set_result_bytes(verified.result_bytes);
  return response;
}

std::unique_ptr<rpc::Service> MakeScoringService(ScoringHandler& handler) {
  auto service = std::make_unique<rpc::Service>(kService);
  const auto handle =
      [&]<typename Request, typename Response>(
          absl::string_view method,
          absl::StatusOr<Response> (ScoringHandler::*member)(const CallContext&, const Request&)) {
        service->Handle<Request, Response>(
            method, [&handler, member](const CallContext& call, const Request& request) {
              return (handler.*member)(call, request);
            });
      };
  handle("PutFacts", &ScoringHandler::PutFacts);
  handle("CheckRubric", &ScoringHandler::CheckRubric);
  handle("SyncFacts", &ScoringHandler::SyncFacts);
  handle("EvaluateMeasure", &ScoringHandler::EvaluateMeasure);
  handle("CreateRun", &ScoringHandler::CreateRun);
  handle("ListRuns", &ScoringHandler::ListRuns);
  handle("GetRun", &ScoringHandler::GetRun);
  handle("ExplainScore", &ScoringHandler::ExplainScore);
  handle("VerifyRun", &ScoringHandler::VerifyRun);
  return service;
}

}  // namespace fadu::scoring
