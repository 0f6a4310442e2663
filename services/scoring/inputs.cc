#include "services/scoring/inputs.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "common/base/civil_day.h"
#include "common/base/digest.h"
#include "common/base/status.h"
#include "common/base/working_calendar.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"
#include "fadu/scoring/v1/scoring_service.pb.h"

namespace fadu::scoring {
namespace {

namespace assessment_v1 = ::fadu::assessment::v1;
namespace common_v1 = ::fadu::common::v1;
using google::protobuf::internal::WireFormatLite;

absl::Status Broken(absl::string_view service, const common_v1::Fact& fact) {
  return Fail(
      absl::StatusCode::kFailedPrecondition, common_v1::REASON_INTEGRITY_BROKEN,
      "a stored fact does not parse",
      {{"where", absl::StrCat(service, "/", fact.type(), "/", fact.id(), "/", fact.revision())}});
}

// The bytes of the field `rubric` within a serialised RubricVersion, as they stand there: a digest
// is over bytes that were taken, never over what this program would write.
absl::optional<std::string> RubricBytesIn(const std::string& values) {
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(values.data()),
                                            static_cast<int>(values.size()));
  absl::optional<std::string> found;
  while (const uint32_t tag = in.ReadTag()) {
    if (WireFormatLite::GetTagFieldNumber(tag) ==
            assessment_v1::RubricVersion::kRubricFieldNumber &&
        WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      uint32_t size = 0;
      std::string bytes;
      if (found.has_value() || !in.ReadVarint32(&size) ||
          !in.ReadString(&bytes, static_cast<int>(size))) {
        return absl::nullopt;
      }
      found = std::move(bytes);
    } else if (!WireFormatLite::SkipField(&in, tag)) {
      return absl::nullopt;
    }
  }
  return found;
}

}  // namespace

absl::Status VerifyFailed(absl::string_view where) {
  return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_VERIFY_FAILED,
              absl::StrCat("verification failed: ", where), {{"where", std::string(where)}});
}

std::string FactPlace(absl::string_view service, absl::string_view type, const Uuid& id,
                      int64_t revision) {
  return absl::StrCat(service, "/", type, "/", id.ToString(), "/", revision);
}

absl::Status FactCollector::Add(absl::string_view service, const common_v1::Fact& fact,
                                absl::string_view digest) {
  absl::optional<absl::CivilDay> counted_on;
  if (!fact.counted_date().empty()) {
    const absl::StatusOr<absl::CivilDay> day = ParseDay(fact.counted_date());
    if (!day.ok()) return Broken(service, fact);
    counted_on = *day;
  }
  const int year = counted_on.has_value() ? static_cast<int>(counted_on->year()) : 0;
  absl::StrAppend(&digests_[std::string(service)][year], digest);
  if (service == kAssessment) return AddAssessment(fact);
  const RecordType* type = MeasurableTypes().FindByName(fact.type());
  // Not every record is there to be measured (accounts); the digest covers it all the same.
  if (type == nullptr || !counted_on.has_value()) return absl::OkStatus();
  std::shared_ptr<google::protobuf::Message> values = type->New();
  if (!values->ParseFromString(fact.values())) return Broken(service, fact);
  FactView view;
  view.service = std::string(service);
  view.type = type;
  view.id = fact.id();
  view.revision = fact.revision();
  view.area_code = fact.area_code();
  view.counted_on = *counted_on;
  view.confirmed = fact.review_state() == common_v1::REVIEW_STATE_CONFIRMED;
  view.values = std::move(values);
  facts_.push_back(std::move(view));
  return absl::OkStatus();
}

absl::Status FactCollector::AddAssessment(const common_v1::Fact& fact) {
  const auto keep = [&](auto& list) {
    auto& kept = list.emplace_back();
    kept.seq = fact.seq();
    kept.id = fact.id();
    if (!kept.message.ParseFromString(fact.values())) return Broken(kAssessment, fact);
    return absl::OkStatus();
  };
  const auto is = [&](const google::protobuf::Descriptor* type) {
    return fact.type() == type->full_name();
  };
  if (is(assessment_v1::Cycle::descriptor())) return keep(cycles_);
  if (is(assessment_v1::Mark::descriptor())) return keep(marks_);
  if (is(assessment_v1::RubricVersion::descriptor())) {
    FADU_RETURN_IF_ERROR(keep(rubrics_));
    absl::optional<std::string> bytes = RubricBytesIn(fact.values());
    if (!bytes.has_value()) return Broken(kAssessment, fact);
    rubrics_.back().bytes = *std::move(bytes);
    return absl::OkStatus();
  }
  // Signed by whoever records it, and nothing before it is confirmed.
  if (fact.review_state() != common_v1::REVIEW_STATE_CONFIRMED) return absl::OkStatus();
  if (is(assessment_v1::Ruling::descriptor())) return keep(rulings_);
  if (is(assessment_v1::Adjustment::descriptor())) return keep(adjustments_);
  if (is(assessment_v1::ImportedResult::descriptor())) return keep(results_);
  if (is(assessment_v1::ExternalFigure::descriptor())) return keep(figures_);
  if (is(assessment_v1::ResponsibilitySplit::descriptor())) return keep(splits_);
  if (is(assessment_v1::Sample::descriptor())) return keep(samples_);
  return absl::OkStatus();
}

v1::FeedPosition FactCollector::Feed(absl::string_view service, int64_t seq) const {
  static const size_t digest_size = StoredDigest("").size();
  v1::FeedPosition feed;
  feed.set_service(std::string(service));
  feed.set_seq(seq);
  std::string digests;
  if (const auto years = digests_.find(service); years != digests_.end()) {
    for (const auto& [year, joined] : years->second) {
      v1::FeedYear& entry = *feed.add_years();
      entry.set_year(year);
      entry.set_digest(StoredDigest(joined));
      entry.set_facts(static_cast<int64_t>(joined.size() / digest_size));
      feed.set_facts(feed.facts() + entry.facts());
      absl::StrAppend(&digests, entry.digest());
    }
  }
  feed.set_digest(StoredDigest(digests));
  return feed;
}

absl::StatusOr<FactCollector::CycleAndRubric> FactCollector::FindCycle(int year) const {
  const Kept<assessment_v1::Cycle>* newest = nullptr;
  for (const auto& cycle : cycles_) {
    if (cycle.message.year() != year) continue;
    if (newest == nullptr || cycle.seq > newest->seq) newest = &cycle;
  }
  if (newest != nullptr) {
    for (const auto& rubric : rubrics_) {
      if (rubric.id != newest->message.rubric_id() ||
          rubric.message.state() != assessment_v1::RUBRIC_STATE_PUBLISHED) {
        continue;
      }
      return CycleAndRubric{newest->id, rubric.id, StoredDigest(rubric.bytes),
                            newest->message.state() == assessment_v1::CYCLE_STATE_CLOSED,
                            rubric.message.rubric()};
    }
  }
  return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_CYCLE_MISSING,
              newest == nullptr ? "no cycle for the year" : "the cycle's rubric is not published",
              {{"year", absl::StrCat(year)}});
}

absl::StatusOr<assessment_v1::Rubric> FactCollector::RubricOf(const v1::Snapshot& snapshot) const {
  for (const auto& rubric : rubrics_) {
    if (rubric.id == snapshot.rubric_id() &&
        StoredDigest(rubric.bytes) == snapshot.rubric_digest()) {
      return rubric.message.rubric();
    }
  }
  return VerifyFailed(absl::StrCat("rubric ", snapshot.rubric_id()));
}

void FactCollector::HandIn(absl::string_view cycle_id, RunInputs& inputs) const {
  std::map<std::tuple<std::string, std::string, int, std::string, std::string, std::string>,
           const Kept<assessment_v1::Mark>*>
      newest;
  for (const auto& kept : marks_) {
    const assessment_v1::Mark& mark = kept.message;
    if (mark.cycle_id() != cycle_id) continue;
    auto& place = newest[{mark.area_code(), mark.line_id(), mark.clause(), mark.period(),
                          mark.item(), mark.assessor()}];
    if (place == nullptr || kept.seq > place->seq) place = &kept;
  }
  inputs.marks.clear();
  for (const auto& [key, mark] : newest) inputs.marks.push_back(mark->message);
  const auto in_order = [](const auto& kept, auto& messages) {
    std::map<int64_t, const typename std::decay_t<decltype(kept)>::value_type*> by_seq;
    for (const auto& each : kept) by_seq[each.seq] = &each;
    messages.clear();
    for (const auto& [seq, each] : by_seq) messages.push_back(each->message);
  };
  in_order(rulings_, inputs.rulings);
  in_order(adjustments_, inputs.adjustments);
  in_order(results_, inputs.results);
  in_order(figures_, inputs.figures);
  in_order(splits_, inputs.splits);
  in_order(samples_, inputs.samples);
}

FactSet FactCollector::TakeFacts(FactContext context) {
  return FactSet::Build(std::exchange(facts_, {}), std::move(context));
}

FactContext FactContextOf(const v1::Snapshot& snapshot) {
  FactContext context;
  context.areas.assign(snapshot.areas().begin(), snapshot.areas().end());
  context.frozen.assign(snapshot.frozen_areas().begin(), snapshot.frozen_areas().end());
  const absl::StatusOr<absl::CivilDay> as_of = ParseDay(snapshot.as_of_date());
  if (as_of.ok()) context.as_of = *as_of;
  return context;
}

absl::Status CheckVersions(const v1::Snapshot& snapshot) {
  if (snapshot.engine_version() != kEngineVersion) {
    return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_ENGINE_VERSION,
                "the run was made by another engine",
                {{"made_by", snapshot.engine_version()}, {"engine", kEngineVersion}});
  }
  const std::string& calendar = WorkingCalendar::Shipped().version();
  if (snapshot.calendar_version() != calendar) {
    return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_CALENDAR_VERSION,
                "the run was made with another calendar",
                {{"made_by", snapshot.calendar_version()}, {"calendar", calendar}});
  }
  return absl::OkStatus();
}

absl::StatusOr<FactCollector> CollectFacts(Store& store, absl::string_view county,
                                           const Positions& positions, absl::Time deadline) {
  FactCollector collector;
  for (const auto& [service, seq] : positions) {
    const std::string& name = service;
    FADU_RETURN_IF_ERROR(store.ForEachHeld(county, name, seq, absl::nullopt, deadline,
                                           [&](const StoredFact& stored) -> absl::Status {
                                             common_v1::Fact fact;
                                             if (!fact.ParseFromString(stored.bytes)) {
                                               fact.set_id(stored.id.ToString());
                                               fact.set_revision(stored.revision);
                                               return Broken(name, fact);
                                             }
                                             return collector.Add(name, fact, stored.digest);
                                           }));
  }
  return collector;
}

absl::StatusOr<RunInputs> LoadInputs(Store& store, const v1::Snapshot& snapshot,
                                     absl::Time deadline) {
  Positions positions;
  for (const v1::FeedPosition& feed : snapshot.feeds()) positions[feed.service()] = feed.seq();
  FADU_ASSIGN_OR_RETURN(FactCollector collector,
                        CollectFacts(store, snapshot.county_code(), positions, deadline));
  for (const v1::FeedPosition& feed : snapshot.feeds()) {
    if (collector.Feed(feed.service(), feed.seq()).digest() != feed.digest()) {
      return VerifyFailed(absl::StrCat("feed ", feed.service()));
    }
  }
  RunInputs inputs;
  inputs.snapshot = snapshot;
  FADU_ASSIGN_OR_RETURN(inputs.rubric, collector.RubricOf(snapshot));
  collector.HandIn(snapshot.cycle_id(), inputs);
  inputs.facts = collector.TakeFacts(FactContextOf(snapshot));
  return inputs;
}

std::shared_ptr<const RunInputs> InputsCache::Find(absl::string_view key) {
  absl::MutexLock lock(&mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (entry->key != key) continue;
    entries_.splice(entries_.begin(), entries_, entry);
    return entries_.front().inputs;
  }
  return nullptr;
}

void InputsCache::Keep(absl::string_view key, std::shared_ptr<const RunInputs> inputs) {
  absl::MutexLock lock(&mutex_);
  entries_.remove_if([&](const Entry& entry) { return entry.key == key; });
  entries_.push_front(Entry{std::string(key), std::move(inputs)});
  size_t facts = 0;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    facts += entry->inputs->facts.size();
    entry =
        entry != entries_.begin() && facts > max_facts_ ? entries_.erase(entry) : std::next(entry);
  }
}

}  // namespace fadu::scoring
