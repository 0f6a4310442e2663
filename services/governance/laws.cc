#include "services/governance/laws.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/records/references.h"
#include "common/schema/reason.h"
#include "common/schema/record_type.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/governance/v1/duty_act.pb.h"
#include "fadu/governance/v1/honour.pb.h"
#include "fadu/governance/v1/plan_item.pb.h"
#include "fadu/governance/v1/reason.pb.h"
#include "fadu/governance/v1/session.pb.h"
#include "fadu/governance/v1/shortcoming.pb.h"
#include "services/governance/domain/honour.h"
#include "services/governance/domain/session.h"
#include "services/governance/domain/shortcoming.h"

namespace fadu::governance {
namespace {

using google::protobuf::Message;
using records::LawContext;
using records::LockedView;
using records::StoredRecord;

// More acts than one session ever proves.
constexpr int kMostActs = 200;

const RecordTypes& Types() {
  static const RecordTypes* const types = [] {
    auto made = RecordTypes::FromDescriptors(
        {v1::Session::descriptor(), v1::DutyAct::descriptor(), v1::Honour::descriptor(),
         v1::Shortcoming::descriptor(), v1::PlanItem::descriptor()});
    if (!made.ok()) (void)FADU_BUG(made.status().message());
    return made.ok() ? made->release() : new RecordTypes;
  }();
  return *types;
}

template <typename Record>
const RecordType& TypeOf() {
  return *Types().FindByName(Record::descriptor()->full_name());
}

absl::Status Unknown(const RecordType& type, const std::string& id) {
  return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_REFERENCE_UNKNOWN,
              "what it refers to is not recorded in the town",
              {{"what", type.options().zh()}, {"id", id}});
}

absl::Status Referenced(const RecordType& by) {
  return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_REFERENCED,
              "another record refers to it", {{"what", by.options().zh()}});
}

// The session stays while an act rests on it, and keeps the day and the items that prove it.
absl::Status LawOfSession(LockedView& view, const Uuid& id, const Message* before, Message& after,
                          const LawContext& context) {
  if (before == nullptr) return absl::OkStatus();  // new: nothing rests on it
  const auto& session = static_cast<const v1::Session&>(after);
  FADU_ASSIGN_OR_RETURN(
      const std::vector<StoredRecord> acts,
      view.Find(TypeOf<v1::DutyAct>(),
                absl::StrCat("session_id = ", records::FilterLiteral(id.ToString())), kMostActs));
  for (const StoredRecord& record : acts) {
    if (record.review_state == fadu::common::v1::REVIEW_STATE_WITHDRAWN) continue;
    if (records::TakesAway(context)) return Referenced(TypeOf<v1::DutyAct>());
    FADU_RETURN_IF_ERROR(CheckProof(static_cast<const v1::DutyAct&>(*record.message), session));
  }
  return absl::OkStatus();
}

absl::Status LawOfDutyAct(LockedView& view, const Uuid& id, const Message*, Message& after,
                          const LawContext& context) {
  const auto& act = static_cast<const v1::DutyAct&>(after);
  if (records::TakesAway(context) || act.session_id().empty()) return absl::OkStatus();
  const RecordType& sessions = TypeOf<v1::Session>();
  FADU_ASSIGN_OR_RETURN(const absl::optional<StoredRecord> session,
                        records::FindReferred(view, sessions, act.session_id(), act.area_code()));
  if (!session.has_value()) return Unknown(sessions, act.session_id());
  FADU_RETURN_IF_ERROR(CheckProof(act, static_cast<const v1::Session&>(*session->message)));
  // One act of a kind a day, in however many sessions it was named (domain §8.1).
  FADU_ASSIGN_OR_RETURN(
      const std::vector<StoredRecord> others,
      view.Find(TypeOf<v1::DutyAct>(),
                absl::StrCat("done_date = ", act.done_date(), " AND kind = ",
                             EnumCode(v1::DutyKind_descriptor()->FindValueByNumber(act.kind()))),
                kMostActs));
  for (const StoredRecord& record : others) {
    const auto& other = static_cast<const v1::DutyAct&>(*record.message);
    if (record.id == id || other.principal() != act.principal() ||
        other.area_code().substr(0, 9) != act.area_code().substr(0, 9) ||
        record.review_state == fadu::common::v1::REVIEW_STATE_WITHDRAWN) {
      continue;
    }
    const auto& label = v1::DutyKind_descriptor()
                            ->FindValueByNumber(act.kind())
                            ->options()
                            .GetExtension(::fadu::common::v1::label);
    return Fail(absl::StatusCode::kAlreadyExists, v1::REASON_DUTY_COUNTED_TWICE,
                "the act of this principal on this day is recorded already",
                {{"kind", label.zh()}});
  }
  return absl::OkStatus();
}

absl::Status LawOfShortcoming(LockedView& view, const Uuid& id, const Message* before,
                              Message& after, const LawContext& context) {
  const bool moves =
      before != nullptr && static_cast<const v1::Shortcoming&>(*before).area_code().substr(0, 9) !=
                               static_cast<const v1::Shortcoming&>(after).area_code().substr(0, 9);
  if (!moves && !records::TakesAway(context)) return absl::OkStatus();
  const RecordType& plans = TypeOf<v1::PlanItem>();
  FADU_ASSIGN_OR_RETURN(const bool planned,
                        records::IsReferredTo(view, plans, "shortcoming_ids", ":", id));
  return planned ? Referenced(plans) : absl::OkStatus();
}

absl::Status LawOfPlanItem(LockedView& view, const Uuid&, const Message*, Message& after,
                           const LawContext& context) {
  if (records::TakesAway(context)) return absl::OkStatus();
  const auto& item = static_cast<const v1::PlanItem&>(after);
  const RecordType& shortcomings = TypeOf<v1::Shortcoming>();
  for (const std::string& id : item.shortcoming_ids()) {
    FADU_ASSIGN_OR_RETURN(const absl::optional<StoredRecord> found,
                          records::FindReferred(view, shortcomings, id, item.area_code()));
    if (!found.has_value()) return Unknown(shortcomings, id);
  }
  return absl::OkStatus();
}

}  // namespace

records::RecordModuleOptions Options() {
  records::RecordModuleOptions options;
  options.name = "governance";
  options.types = &Types();
  options.laws = {{v1::Session::descriptor()->full_name(),
                   [](const Message*, Message& after, const LawContext& context) {
                     return DecideSession(static_cast<v1::Session&>(after), context.today);
                   }},
                  {v1::DutyAct::descriptor()->full_name(),
                   [](const Message*, Message& after, const LawContext& context) {
                     return DecideDutyAct(static_cast<const v1::DutyAct&>(after), context.today);
                   }},
                  {v1::Honour::descriptor()->full_name(),
                   [](const Message*, Message& after, const LawContext& context) {
                     return DecideHonour(static_cast<const v1::Honour&>(after), context.today);
                   }},
                  {v1::Shortcoming::descriptor()->full_name(),
                   [](const Message* before, Message& after, const LawContext& context) {
                     return DecideShortcoming(static_cast<const v1::Shortcoming*>(before),
                                              static_cast<v1::Shortcoming&>(after), context.today);
                   }},
                  {v1::PlanItem::descriptor()->full_name(),
                   [](const Message* before, Message& after, const LawContext& context) {
                     return DecidePlanItem(static_cast<const v1::PlanItem*>(before),
                                           static_cast<v1::PlanItem&>(after), context.today);
                   }}};
  options.locked_laws = {{v1::Session::descriptor()->full_name(), LawOfSession},
                         {v1::DutyAct::descriptor()->full_name(), LawOfDutyAct},
                         {v1::Shortcoming::descriptor()->full_name(), LawOfShortcoming},
                         {v1::PlanItem::descriptor()->full_name(), LawOfPlanItem}};
  return options;
}

}  // namespace fadu::governance
