#include "services/mediation/module.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/area_code.h"
#include "common/base/status.h"
#include "common/base/working_calendar.h"
#include "common/records/module.h"
#include "common/schema/names.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/review_state.pb.h"
#include "fadu/mediation/v1/dispute.pb.h"
#include "fadu/mediation/v1/follow_up_visit.pb.h"
#include "fadu/mediation/v1/team.pb.h"
#include "services/mediation/domain/dispute.h"
#include "services/mediation/domain/follow_up_visit.h"
#include "services/mediation/domain/team.h"

namespace fadu::mediation {
namespace {

namespace common = ::fadu::common::v1;
using google::protobuf::Message;
using records::LawContext;
using records::LockedView;
using records::Operation;
using records::StoredRecord;

constexpr int kMostVisits = 1000;

const RecordTypes& Types() {
  static const RecordTypes* const types = [] {
    auto made =
        RecordTypes::FromDescriptors({v1::Dispute::descriptor(), v1::FollowUpVisit::descriptor(),
                                      v1::SafetyGroup::descriptor(), v1::TaskForce::descriptor()});
    if (!made.ok()) (void)FADU_BUG(made.status().message());
    return made.ok() ? made->release() : new RecordTypes;
  }();
  return *types;
}

template <typename Record>
const RecordType& TypeOf() {
  return *Types().FindByName(Record::descriptor()->full_name());
}

template <typename Record>
std::pair<const std::string, records::Law> LawOf(absl::Status (*decide)(const Record*, Record&,
                                                                        absl::CivilDay)) {
  return {Record::descriptor()->full_name(),
          [decide](const Message* before, Message& after, const LawContext& context) {
            return decide(static_cast<const Record*>(before), static_cast<Record&>(after),
                          context.today);
          }};
}

absl::Status LawOfVisit(const v1::FollowUpVisit* before, v1::FollowUpVisit& after,
                        absl::CivilDay today) {
  return DecideVisit(before, after, today);
}

// The dispute that a visit names, if it is there.
absl::StatusOr<absl::optional<StoredRecord>> DisputeOf(LockedView& view,
                                                       const v1::FollowUpVisit& visit) {
  const RecordType& type = TypeOf<v1::Dispute>();
  const absl::StatusOr<RecordName> name = ParseRecordName(visit.dispute());
  if (!name.ok() || name->collection != type.collection() ||
      name->county != CountyOf(visit.area_code())) {
    return absl::optional<StoredRecord>();
  }
  FADU_ASSIGN_OR_RETURN(absl::optional<StoredRecord> record, view.Get(type, name->id));
  if (record.has_value() &&
      (record->deleted_at.has_value() || record->review_state == common::REVIEW_STATE_WITHDRAWN)) {
    record.reset();
  }
  return record;
}

// One more than the last visit of the dispute had: a deleted visit's place is not taken again.
absl::StatusOr<int> NextOrdinal(LockedView& view, const v1::FollowUpVisit& visit) {
  FADU_ASSIGN_OR_RETURN(
      const std::vector<StoredRecord> visits,
      view.Find(TypeOf<v1::FollowUpVisit>(), absl::StrCat("dispute = \"", visit.dispute(), "\""),
                kMostVisits));
  int last = 0;
  for (const StoredRecord& record : visits) {
    last = std::max(last, static_cast<const v1::FollowUpVisit&>(*record.message).ordinal());
  }
  return last + 1;
}

// A breach reopens the dispute, in the same transaction (domain §4.2).
absl::Status Reopen(LockedView& view, const Uuid& visit_id, const StoredRecord& dispute,
                    const v1::FollowUpVisit& visit) {
  v1::Dispute now;
  now.CopyFrom(*dispute.message);
  records::Change change;
  change.operation = Operation::kUpdate;
  change.type = dispute.type;
  change.id = dispute.id;
  change.message = std::make_shared<v1::Dispute>(Reopened(now, visit.visited_date()));
  change.mask = {"reopened_date", "breach_count", "further_outcome", "further_outcome_date"};
  change.comment =
      RecordName{dispute.county, TypeOf<v1::FollowUpVisit>().collection(), visit_id}.ToString();
  return view.Also(std::move(change));
}

absl::Status LockedLawOfVisit(LockedView& view, const Uuid& id, const Message* before,
                              Message& after, const LawContext& context) {
  auto& visit = static_cast<v1::FollowUpVisit&>(after);
  const auto* old = static_cast<const v1::FollowUpVisit*>(before);
  const bool breached = visit.performance() == v1::PERFORMANCE_BREACHED;
  const bool leaves =
      context.operation == Operation::kDelete || context.operation == Operation::kWithdraw;
  if (leaves && breached) {
    return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_VISIT_BREACH,
                "the dispute was reopened by this visit",
                {{"problem", "已使纠纷重新进入处理，不能删除或撤回"}});
  }
  if (context.operation != Operation::kCreate && context.operation != Operation::kUpdate) {
    return absl::OkStatus();
  }
  FADU_ASSIGN_OR_RETURN(const absl::optional<StoredRecord> dispute, DisputeOf(view, visit));
  int ordinal = visit.ordinal();
  if (old == nullptr) {
    FADU_ASSIGN_OR_RETURN(ordinal, NextOrdinal(view, visit));
  }
  const Message* found = dispute.has_value() ? dispute->message.get() : nullptr;
  FADU_RETURN_IF_ERROR(DecideVisitOf(static_cast<const v1::Dispute*>(found), ordinal, visit,
                                     WorkingCalendar::Shipped()));
  const bool was_breached = old != nullptr && old->performance() == v1::PERFORMANCE_BREACHED;
  return breached && !was_breached ? Reopen(view, id, *dispute, visit) : absl::OkStatus();
}

}  // namespace

host::Module MakeModule() {
  records::RecordModuleOptions options;
  options.name = "mediation";
  options.types = &Types();
  options.laws = {LawOf(&DecideDispute), LawOf(&LawOfVisit), LawOf(&DecideSafetyGroup),
                  LawOf(&DecideTaskForce)};
  // Disputes have none: they are many, and what reads rows takes them one by one.
  options.locked_laws = {{v1::FollowUpVisit::descriptor()->full_name(), LockedLawOfVisit}};
  return records::MakeRecordModule(std::move(options));
}

}  // namespace fadu::mediation
