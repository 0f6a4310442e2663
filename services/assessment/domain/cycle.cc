#include "services/assessment/domain/cycle.h"

#include <google/protobuf/util/message_differencer.h>

#include "absl/strings/str_cat.h"
#include "common/base/civil_day.h"
#include "common/base/digest.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/assessment/v1/assessment_service.pb.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/common/v1/reason.pb.h"

namespace fadu::assessment {
namespace {

using google::protobuf::util::MessageDifferencer;

absl::Status RubricState(v1::RubricState state) {
  const std::string& label = v1::RubricState_descriptor()
                                 ->FindValueByNumber(state)
                                 ->options()
                                 .GetExtension(::fadu::common::v1::label)
                                 .zh();
  return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_RUBRIC_STATE,
              "the rubric's state does not allow this", {{"state", label}});
}

absl::Status Closed() {
  return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_CYCLE_CLOSED,
              "the cycle is closed");
}

}  // namespace

v1::RubricVersion NewRubricVersion(absl::string_view county, const v1::Rubric& rubric,
                                   absl::string_view source) {
  v1::RubricVersion version;
  version.set_area_code(std::string(county));
  version.set_effective_date(FormatDay(YearRange(rubric.year()).first));
  version.set_code(rubric.code());
  version.set_version(rubric.version());
  version.set_year(rubric.year());
  version.set_state(v1::RUBRIC_STATE_DRAFT);
  *version.mutable_rubric() = rubric;
  version.set_source(std::string(source));
  version.set_source_digest(Hex(StoredDigest(source)));
  return version;
}

v1::Cycle NewCycle(absl::string_view county, int year, absl::string_view rubric_id) {
  const DayRange days = YearRange(year);
  v1::Cycle cycle;
  cycle.set_area_code(std::string(county));
  cycle.set_start_date(FormatDay(days.first));
  cycle.set_end_date(FormatDay(days.last));
  cycle.set_year(year);
  cycle.set_rubric_id(std::string(rubric_id));
  cycle.set_state(v1::CYCLE_STATE_OPEN);
  return cycle;
}

absl::Status DecideRubric(const v1::RubricVersion* before, const v1::RubricVersion& after) {
  if (before == nullptr) {
    return after.state() == v1::RUBRIC_STATE_DRAFT ? absl::OkStatus() : RubricState(after.state());
  }
  if (before->state() == v1::RUBRIC_STATE_PUBLISHED &&
      after.state() != v1::RUBRIC_STATE_PUBLISHED) {
    return RubricState(before->state());
  }
  v1::RubricVersion same = after;
  same.set_state(before->state());
  return MessageDifferencer::Equals(*before, same) ? absl::OkStatus()
                                                   : RubricState(before->state());
}

absl::Status DecideCycle(const v1::Cycle* before, const v1::Cycle& after) {
  if (before == nullptr) {
    return after.state() == v1::CYCLE_STATE_OPEN ? absl::OkStatus() : Closed();
  }
  if (before->state() == v1::CYCLE_STATE_CLOSED && after.state() != v1::CYCLE_STATE_CLOSED) {
    return Closed();
  }
  v1::Cycle same = after;
  same.set_state(before->state());
  return MessageDifferencer::Equals(*before, same) ? absl::OkStatus()
                                                   : FADU_BUG("a cycle's content does not change");
}

absl::Status CheckCarries(const v1::RubricVersion& rubric, int year) {
  if (rubric.state() != v1::RUBRIC_STATE_PUBLISHED) return RubricState(rubric.state());
  if (rubric.year() == year) return absl::OkStatus();
  const std::string problem = absl::StrCat("细则适用于 ", rubric.year(), " 年度");
  return Fail(absl::StatusCode::kInvalidArgument, ::fadu::common::v1::REASON_FIELD_INVALID,
              "the rubric scores another year", {{"field", "year"}, {"problem", problem}},
              {{"year", problem}});
}

absl::Status CheckOpen(const v1::Cycle& cycle) {
  return cycle.state() == v1::CYCLE_STATE_OPEN ? absl::OkStatus() : Closed();
}

}  // namespace fadu::assessment
