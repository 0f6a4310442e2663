#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/civil_day.h"
#include "common/base/status.h"
#include "fadu/enforcement/v1/certificate.pb.h"
#include "fadu/enforcement/v1/officer.pb.h"
#include "fadu/enforcement/v1/training.pb.h"
#include "services/fadu/sample_records.h"

namespace fadu::cli {
namespace {

namespace v1 = ::fadu::enforcement::v1;

constexpr char kService[] = "enforcement";

}  // namespace

absl::StatusOr<int64_t> RecordEnforcement(const SampleArea& town, uint64_t seed,
                                          const Recorder& record) {
  Dice dice(seed * 104729 + static_cast<uint64_t>(std::stoull(town.code)));
  const int diligence = DiligenceOf(town.code);
  const int officers = dice.Between(5, 9);
  Messages messages;
  std::vector<bool> qualified;
  for (int i = 0; i < officers; ++i) {
    v1::EnforcementOfficer officer;
    officer.set_area_code(town.code);
    officer.set_posted_date(FormatDay(absl::CivilDay(2020, 3, 1) + dice.Below(900)));
    officer.set_unit(absl::StrCat(town.name, "综合执法中心"));
    officer.set_post("执法人员");
    const bool formal = i < officers - 1;  // the last one assists
    officer.set_staff_kind(formal ? v1::STAFF_KIND_PUBLIC_INSTITUTION : v1::STAFF_KIND_AUXILIARY);
    officer.add_fields(v1::ENFORCEMENT_FIELD_COMPREHENSIVE);
    officer.set_name(absl::StrCat("示例执法员", i + 1));
    const bool passed = formal && dice.Chance(60 + 12 * diligence);
    if (passed) {
      officer.set_general_exam_date("2022-09-10");
      officer.set_special_exam_date("2022-09-20");
    }
    qualified.push_back(passed);
    messages.push_back(std::make_unique<v1::EnforcementOfficer>(std::move(officer)));
  }
  int64_t count = officers;
  FADU_ASSIGN_OR_RETURN(const std::vector<std::string> ids, record(kService, "officers", messages));

  // Before the post, and the year's hours: 60 a year are wanted, not all towns get there.
  messages.clear();
  for (int i = 0; i < officers; ++i) {
    for (const bool before : {true, false}) {
      v1::OfficerTraining training;
      training.set_area_code(town.code);
      training.set_officer_id(ids[static_cast<size_t>(i)]);
      training.set_held_date(
          before ? "2022-08-30" : FormatDay(absl::CivilDay(kSampleYear, 6, 3 + dice.Below(20))));
      training.set_kind(before ? v1::TRAINING_KIND_PRE_POST : v1::TRAINING_KIND_LAW);
      training.set_hours(before ? 60 : 40 + 8 * diligence + dice.Below(9));
      training.set_online(!before);
      training.set_organiser("示例县司法局");
      messages.push_back(std::make_unique<v1::OfficerTraining>(std::move(training)));
    }
  }
  count += static_cast<int64_t>(messages.size());
  FADU_RETURN_IF_ERROR(record(kService, "trainings", messages).status());

  messages.clear();
  for (int i = 0; i < officers; ++i) {
    if (!qualified[static_cast<size_t>(i)]) continue;
    v1::EnforcementCertificate certificate;
    certificate.set_area_code(town.code);
    certificate.set_issue_date("2022-11-01");
    certificate.set_expire_date("2027-10-31");
    certificate.set_number(absl::StrCat("示例", town.code, "-", i + 1));
    certificate.set_officer_id(ids[static_cast<size_t>(i)]);
    certificate.add_fields(v1::ENFORCEMENT_FIELD_COMPREHENSIVE);
    certificate.set_issuer("示例县人民政府");
    if (dice.Chance(80)) certificate.set_check_date(FormatDay(absl::CivilDay(kSampleYear, 4, 20)));
    messages.push_back(std::make_unique<v1::EnforcementCertificate>(std::move(certificate)));
  }
  count += static_cast<int64_t>(messages.size());
  FADU_RETURN_IF_ERROR(record(kService, "certificates", messages).status());
  return count;
}

}  // namespace fadu::cli
