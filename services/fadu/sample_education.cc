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

v1::EducationEvent MakeEvent(const std::string& area, absl::CivilDay held, const std::string& title,
                             v1::Campaign campaign, v1::Venue venue, v1::Form form, Dice& dice) {
  v1::EducationEvent event;
  event.set_area_code(area);
  event.set_held_date(FormatDay(held));
  event.set_title(absl::StrCat(title, "（示例）"));
  event.set_campaign(campaign);
  event.add_venues(venue);
  event.add_forms(form);
  event.add_laws(campaign == v1::CAMPAIGN_CONSTITUTION_DAY ? "中华人民共和国宪法"
                                                           : "中华人民共和国民法典");
  event.set_participants(dice.Between(20, 120));
  event.set_materials(dice.Between(30, 300));
  event.set_consultations(dice.Between(0, 20));
  event.set_organiser("示例组织单位");
  return event;
}

struct KeyDate {
  int month;
  int day;
  v1::Campaign campaign;
  const char* title;
};
constexpr KeyDate kKeyDates[] = {{3, 15, v1::CAMPAIGN_CONSUMER_DAY, "3·15消费者权益保护宣传"},
                                 {4, 15, v1::CAMPAIGN_SECURITY_DAY, "4·15国家安全教育宣传"},
                                 {12, 4, v1::CAMPAIGN_CONSTITUTION_DAY, "12·4国家宪法日宣传"}};

// The yearly exam. The founding report: once, 参考率100%，合格率100%; the head-counts are ours.
v1::Exam MakeExam(const SampleArea& town, int diligence, Dice& dice) {
  const bool founding = town.code == kSampleTown;
  const absl::CivilDay held = absl::CivilDay(kSampleYear, 11, 11) + dice.Below(10);
  v1::Exam exam;
  exam.set_area_code(town.code);
  exam.set_held_date(FormatDay(held));
  exam.set_title("年度法律知识考试（示例）");
  exam.set_purpose(v1::EXAM_PURPOSE_ANNUAL);
  exam.add_audiences(v1::EXAM_AUDIENCE_STATE_EMPLOYEES);
  exam.add_audiences(v1::EXAM_AUDIENCE_ENFORCEMENT_OFFICERS);
  exam.set_organiser(absl::StrCat(town.name, "司法所"));
  exam.set_organiser_level(v1::ORGANISER_LEVEL_OWN);
  exam.set_platform("在线考试平台（示例）");
  exam.set_frozen_date(FormatDay(held - 5));
  exam.set_pass_mark_e4(Points::FromWhole(60).units());
  const int roster = dice.Between(45, 70);
  exam.set_roster_count(roster);
  v1::Exemption& exemption = *exam.add_exemptions();
  exemption.set_reason(v1::EXEMPTION_REASON_SICK_LEAVE);
  exemption.set_approved_date(FormatDay(held - 7));
  exemption.set_people_count(2);
  const int required = roster - 2;
  const int sat = founding ? required : required - dice.Below(1 + 2 * (3 - diligence));
  const int passed = founding ? sat : sat - dice.Below(1 + 2 * (3 - diligence));
  exam.set_closed_date(FormatDay(held));
  exam.set_sat_count(sat);
  exam.set_scored_date(FormatDay(held + 4));
  exam.set_passed_count(passed);
  exam.set_average_score_e4(Points::FromWhole(dice.Between(78, 94)).units());
  const int again = required - passed;
  if (again > 0 && diligence > 0) {
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

}  // namespace

void AddVillageEvents(const std::string& village, Dice& dice,
                      std::vector<v1::EducationEvent>& events) {
  const int diligence = DiligenceOf(village);
  constexpr v1::Form kForms[] = {v1::FORM_BOARD, v1::FORM_LEAFLET, v1::FORM_CONSULTATION,
                                 v1::FORM_LECTURE};
  // Weak villages leave quarters out; strong ones hold several events in each.
  for (int quarter = 0; quarter < 4; ++quarter) {
    const int wanted = diligence == 0 ? dice.Below(2) : diligence == 1 ? dice.Below(3) : diligence;
    for (int i = 0; i < wanted; ++i) {
      const absl::CivilDay held = absl::CivilDay(kSampleYear, quarter * 3 + 1, 3) + dice.Below(80);
      events.push_back(MakeEvent(village, held, "法治宣传进乡村", v1::CAMPAIGN_UNSPECIFIED,
                                 v1::VENUE_VILLAGE, kForms[dice.Below(4)], dice));
    }
  }
  for (const KeyDate& date : kKeyDates) {
    if (!dice.Chance(diligence == 0 ? 30 : diligence == 1 ? 65 : 95)) continue;
    events.push_back(
        MakeEvent(village, absl::CivilDay(kSampleYear, date.month, date.day) + dice.Between(-2, 2),
                  date.title, date.campaign, v1::VENUE_VILLAGE, kForms[dice.Below(3)], dice));
  }
}

void AddTownEvents(const std::string& town, Dice& dice, std::vector<v1::EducationEvent>& events) {
  // Each key date in offices, enterprises, schools and the countryside.
  constexpr v1::Venue kVenues[] = {v1::VENUE_OFFICE, v1::VENUE_ENTERPRISE, v1::VENUE_SCHOOL,
                                   v1::VENUE_VILLAGE};
  for (const KeyDate& date : kKeyDates) {
    for (const v1::Venue venue : kVenues) {
      if (town != kSampleTown && !dice.Chance(60)) continue;
      events.push_back(MakeEvent(town, absl::CivilDay(kSampleYear, date.month, date.day),
                                 date.title, date.campaign, venue, v1::FORM_LEAFLET, dice));
    }
  }
}

absl::StatusOr<int64_t> RecordEducation(const SampleArea& town,
                                        const std::vector<v1::EducationEvent>& events,
                                        uint64_t seed, const Recorder& record) {
  Dice dice(seed * 32452843 + static_cast<uint64_t>(std::stoull(town.code)));
  FADU_RETURN_IF_ERROR(record(kService, "events", CopiesOf(events)).status());
  const int diligence = DiligenceOf(town.code);
  Messages exams;
  // A weak town may hold none.
  if (town.code == kSampleTown || diligence > 0 || dice.Chance(50)) {
    exams.push_back(std::make_unique<v1::Exam>(MakeExam(town, diligence, dice)));
  }
  FADU_RETURN_IF_ERROR(record(kService, "exams", exams).status());
  return static_cast<int64_t>(events.size() + exams.size());
}

}  // namespace fadu::cli
