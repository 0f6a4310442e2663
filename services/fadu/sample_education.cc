#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/civil_day.h"
#include "common/base/points.h"
#include "common/base/status.h"
#include "fadu/education/v1/education_event.pb.h"
#include "fadu/education/v1/exam.pb.h"
#include "services/fadu/sample_records.h"

namespace fadu::cli {
namespace {

namespace v1 = ::fadu::education::v1;

constexpr char kService[] = "education";
// The founding report says 参考率100%，合格率100% and no head-count; these are ours.
constexpr int kRoster = 58;
constexpr int kExempted = 2;

// An exam from its roster to its scores: `sat` of those who had to came, `passed` of them passed.
v1::Exam MakeExam(const std::string& area, absl::CivilDay held, const std::string& title,
                  int roster, int exempted, int sat, int passed, Dice& dice) {
  v1::Exam exam;
  exam.set_area_code(area);
  exam.set_held_date(FormatDay(held));
  exam.set_title(absl::StrCat(title, "（示例）"));
  exam.set_purpose(v1::EXAM_PURPOSE_ANNUAL);
  exam.set_platform("在线考试平台（示例）");
  exam.set_frozen_date(FormatDay(held - 5));
  exam.set_pass_mark_e4(Points::FromWhole(60).units());
  exam.set_roster_count(roster);
  if (exempted > 0) {
    v1::Exemption& exemption = *exam.add_exemptions();
    exemption.set_reason(v1::EXEMPTION_REASON_SICK_LEAVE);
    exemption.set_approved_date(FormatDay(held - 7));
    exemption.set_people_count(exempted);
  }
  exam.set_closed_date(FormatDay(held));
  exam.set_sat_count(sat);
  exam.set_scored_date(FormatDay(held + 4));
  exam.set_passed_count(passed);
  if (sat > 0) exam.set_average_score_e4(Points::FromWhole(dice.Between(78, 94)).units());
  return exam;
}

// The town's yearly exam; the founding report: 全镇全年共组织法律知识考试一次.
v1::Exam MakeTownExam(const SampleArea& town, Dice& dice) {
  const bool founding = town.code == kSampleTown;
  const int slack = 3 - DiligenceOf(town.code);
  const int roster = founding ? kRoster : dice.Between(45, 70);
  const int required = roster - kExempted;
  const int sat = founding ? required : required - dice.Below(1 + 2 * slack);
  const int passed = founding ? sat : sat - dice.Below(1 + 2 * slack);
  const absl::CivilDay held = absl::CivilDay(kSampleYear, 11, 11) + dice.Below(10);
  v1::Exam exam =
      MakeExam(town.code, held, "年度法律知识考试", roster, kExempted, sat, passed, dice);
  exam.add_audiences(v1::EXAM_AUDIENCE_STATE_EMPLOYEES);
  exam.add_audiences(v1::EXAM_AUDIENCE_ENFORCEMENT_OFFICERS);
  exam.set_organiser(absl::StrCat(town.name, "司法所（示例）"));
  exam.set_organiser_level(v1::ORGANISER_LEVEL_OWN);
  const int again = required - passed;
  if (again > 0 && slack < 3) {
    exam.set_makeup_date(FormatDay(held + 18));
    exam.set_makeup_sat_count(again);
    exam.set_makeup_passed_count(again - dice.Below(2));
  }
  // Names are the town's choice: the founding town keeps them.
  for (int i = 0; founding && i < roster; ++i) {
    v1::Examinee& one = *exam.add_roster();
    one.set_name(absl::StrCat("示例考生", i + 1));
    one.set_exempted(i >= required);
    one.set_sat(i < sat);
    one.set_passed(i < passed);
  }
  return exam;
}

// The county's exam for village cadres, as one village's people sat it.
v1::Exam MakeVillageExam(const std::string& village, int diligence, Dice& dice) {
  const int roster = dice.Between(5, 9);
  const int sat = roster - dice.Below(4 - diligence);
  const int passed = sat - (dice.Chance(20) ? 1 : 0);
  v1::Exam exam = MakeExam(village, absl::CivilDay(kSampleYear, 9, 18),
                           "村（社区）干部法律知识考试", roster, /*exempted=*/0, sat, passed, dice);
  exam.add_audiences(v1::EXAM_AUDIENCE_VILLAGE_CADRES);
  exam.set_organiser("县司法局（示例）");
  exam.set_organiser_level(v1::ORGANISER_LEVEL_COUNTY);
  return exam;
}

}  // namespace

absl::StatusOr<int64_t> RecordEducation(const SampleArea& town,
                                        const std::vector<SampleArea>& villages,
                                        const std::vector<v1::EducationEvent>& events,
                                        uint64_t seed, const Recorder& record) {
  Dice dice(seed * 32452843 + static_cast<uint64_t>(std::stoull(town.code)));
  FADU_RETURN_IF_ERROR(record(kService, "events", CopiesOf(events)).status());
  Messages exams;
  // A weak town may hold none, and some villages send nobody.
  if (town.code == kSampleTown || DiligenceOf(town.code) > 0 || dice.Chance(50)) {
    exams.push_back(std::make_unique<v1::Exam>(MakeTownExam(town, dice)));
  }
  for (const SampleArea& village : villages) {
    const int diligence = DiligenceOf(village.code);
    if (!dice.Chance(55 + 15 * diligence)) continue;
    exams.push_back(std::make_unique<v1::Exam>(MakeVillageExam(village.code, diligence, dice)));
  }
  FADU_RETURN_IF_ERROR(record(kService, "exams", exams).status());
  return static_cast<int64_t>(events.size() + exams.size());
}

}  // namespace fadu::cli
