#include "services/fadu/sample.h"

#include <condition_variable>
#include <map>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/civil_day.h"
#include "common/base/digest.h"
#include "common/base/points.h"
#include "common/base/status.h"
#include "fadu/assessment/v1/assessment_service.pb.h"
#include "fadu/common/v1/record_service.pb.h"
#include "fadu/registry/v1/registry_service.pb.h"
#include "services/fadu/output.h"
#include "services/fadu/sample_data.h"
#include "services/fadu/sample_records.h"

namespace fadu::cli {
namespace {

namespace assessment = ::fadu::assessment::v1;
namespace common = ::fadu::common::v1;
namespace education = ::fadu::education::v1;
namespace mediation = ::fadu::mediation::v1;
namespace registry = ::fadu::registry::v1;

constexpr uint64_t kSeed = 2024;
constexpr int kBatch = 200;
constexpr int kSampleFound = 382;    // founding report
constexpr int kSampleSettled = 375;  // founding report

// A UUIDv8 that follows from what it is for, so that a second run repeats the same wishes.
std::string StableId(absl::string_view purpose) {
  const std::string digest = Sha256(absl::StrCat("fadu sample ", kSeed, " ", purpose));
  std::array<uint8_t, 16> bytes{};
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(digest[i]);
  bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0f) | 0x80);
  bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3f) | 0x80);
  return Uuid(bytes).ToString();
}

constexpr const char* kTitles[] = {"宅基地界址纠纷", "相邻排水纠纷", "彩礼返还纠纷",
                                   "土地流转费纠纷", "务工报酬纠纷", "道路通行纠纷",
                                   "赡养纠纷",       "农资质量纠纷", "交通事故赔偿纠纷"};
constexpr mediation::DisputeCategory kCategories[] = {
    mediation::DISPUTE_CATEGORY_HOMESTEAD, mediation::DISPUTE_CATEGORY_NEIGHBOUR,
    mediation::DISPUTE_CATEGORY_FAMILY,    mediation::DISPUTE_CATEGORY_CONTRACT,
    mediation::DISPUTE_CATEGORY_LABOUR,    mediation::DISPUTE_CATEGORY_NEIGHBOUR,
    mediation::DISPUTE_CATEGORY_FAMILY,    mediation::DISPUTE_CATEGORY_CONSUMER,
    mediation::DISPUTE_CATEGORY_TRAFFIC};

enum class Ending { kSettled, kTerminated, kTransferred, kWithdrawn, kOngoing };

mediation::Dispute MakeDispute(const std::string& village, int number, Ending ending, Dice& dice) {
  mediation::Dispute dispute;
  const int kind = dice.Below(9);
  // Early enough in the year that it can end within it.
  const absl::CivilDay found = absl::CivilDay(kSampleYear, 1, 2) + dice.Below(330);
  const absl::CivilDay accepted = found + dice.Between(0, 3);
  const absl::CivilDay concluded = accepted + dice.Between(1, 25);
  dispute.set_area_code(village);
  dispute.set_found_date(FormatDay(found));
  dispute.set_title(absl::StrCat(kTitles[kind], "（示例", number, "）"));
  dispute.set_category(kCategories[kind]);
  dispute.set_people_count(dice.Between(2, 6));
  if (dice.Chance(40)) dispute.set_amount_e4(Points::FromWhole(dice.Between(2, 300) * 100).units());
  // Nobody's name, number or telephone: 示例 names, a test area code that is not in use.
  for (int i = 0; i < 2; ++i) {
    mediation::Party& party = *dispute.add_parties();
    party.set_name(absl::StrCat("示例当事人", i == 0 ? "甲" : "乙", number));
    party.set_phone(absl::StrCat("100", 10000000 + number * 2 + i));
  }
  const auto accept = [&] {
    dispute.set_accepted_date(FormatDay(accepted));
    const int source = dice.Below(10);
    dispute.set_source(source < 5   ? mediation::DISPUTE_SOURCE_INITIATED
                       : source < 9 ? mediation::DISPUTE_SOURCE_APPLIED
                                    : mediation::DISPUTE_SOURCE_TRANSFERRED);
  };
  const auto conclude = [&](mediation::Outcome outcome) {
    dispute.set_outcome(outcome);
    dispute.set_concluded_date(FormatDay(concluded));
  };
  switch (ending) {
    case Ending::kSettled: {
      accept();
      conclude(mediation::OUTCOME_SETTLED);
      const int form = dice.Below(10);
      dispute.set_agreement_form(form < 5   ? mediation::AGREEMENT_FORM_WRITTEN
                                 : form < 8 ? mediation::AGREEMENT_FORM_ORAL
                                            : mediation::AGREEMENT_FORM_ON_SPOT);
      if (form < 5) dispute.set_performance_date(FormatDay(concluded + 30));
      break;
    }
    case Ending::kTerminated:
      accept();
      conclude(mediation::OUTCOME_TERMINATED);
      dispute.set_remedy_notice(true);
      break;
    case Ending::kTransferred:
      conclude(mediation::OUTCOME_TRANSFERRED);
      break;
    case Ending::kWithdrawn:
      accept();
      conclude(mediation::OUTCOME_WITHDRAWN);
      break;
    case Ending::kOngoing:
      accept();
      break;
  }
  return dispute;
}

education::EducationEvent MakeEvent(const std::string& area, absl::CivilDay held,
                                    const std::string& title, education::Campaign campaign,
                                    education::Venue venue, education::Form form, Dice& dice) {
  education::EducationEvent event;
  event.set_area_code(area);
  event.set_held_date(FormatDay(held));
  event.set_title(absl::StrCat(title, "（示例）"));
  event.set_campaign(campaign);
  event.add_venues(venue);
  event.add_forms(form);
  event.add_laws(campaign == education::CAMPAIGN_CONSTITUTION_DAY ? "中华人民共和国宪法"
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
  education::Campaign campaign;
  const char* title;
};
constexpr KeyDate kKeyDates[] = {
    {3, 15, education::CAMPAIGN_CONSUMER_DAY, "3·15消费者权益保护宣传"},
    {4, 15, education::CAMPAIGN_SECURITY_DAY, "4·15国家安全教育宣传"},
    {12, 4, education::CAMPAIGN_CONSTITUTION_DAY, "12·4国家宪法日宣传"}};

void AddEvents(const std::string& village, Dice& dice,
               std::vector<education::EducationEvent>& events) {
  const int diligence = DiligenceOf(village);
  constexpr education::Form kForms[] = {education::FORM_BOARD, education::FORM_LEAFLET,
                                        education::FORM_CONSULTATION, education::FORM_LECTURE};
  // Weak villages leave quarters out; strong ones hold several events in each.
  for (int quarter = 0; quarter < 4; ++quarter) {
    const int wanted = diligence == 0 ? dice.Below(2) : diligence == 1 ? dice.Below(3) : diligence;
    for (int i = 0; i < wanted; ++i) {
      const absl::CivilDay held = absl::CivilDay(kSampleYear, quarter * 3 + 1, 3) + dice.Below(80);
      events.push_back(MakeEvent(village, held, "法治宣传进乡村", education::CAMPAIGN_UNSPECIFIED,
                                 education::VENUE_VILLAGE, kForms[dice.Below(4)], dice));
    }
  }
  for (const KeyDate& date : kKeyDates) {
    if (!dice.Chance(diligence == 0 ? 30 : diligence == 1 ? 65 : 95)) continue;
    events.push_back(MakeEvent(
        village, absl::CivilDay(kSampleYear, date.month, date.day) + dice.Between(-2, 2),
        date.title, date.campaign, education::VENUE_VILLAGE, kForms[dice.Below(3)], dice));
  }
}

// Waits until everything sent has been answered; keeps the first failure.
class InFlight {
 public:
  explicit InFlight(int limit) : limit_(limit) {}
  void Begin() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return running_ < limit_; });
    ++running_;
  }
  void End(const absl::Status& status) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (first_.ok()) first_ = status;
    --running_;
    changed_.notify_all();
  }
  absl::Status Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return running_ == 0; });
    return first_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  const int limit_;
  int running_ = 0;
  absl::Status first_;
};

absl::Status LoadAreas(Client& client) {
  registry::ImportAreasRequest request;
  request.set_parent(client.parent());
  request.set_tsv(kSampleAreasTsv);
  request.set_as_of_date("2023-06-30");
  request.set_source("国家统计局统计用区划代码（2023-06-30），经 china-division 2.7.0");
  registry::ImportAreasResponse response;
  FADU_RETURN_IF_ERROR(
      client.Call("registry", "/fadu.registry.v1.RegistryService/ImportAreas", request, &response));
  if (response.errors().empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(response.errors(0).message());
}

// An account with one role in one area, its secret saved in the data folder under `saved_as`.
absl::Status MakeAccount(Client& client, const std::string& saved_as, const std::string& title,
                         common::Role role, const std::string& area_code) {
  if (client.SavedSecret(saved_as).ok()) return absl::OkStatus();
  registry::CreateAccountRequest request;
  request.set_parent(client.parent());
  request.set_display_name(title);
  request.set_kind(registry::ACCOUNT_KIND_USER);
  request.set_request_id(client.NewRequestId());
  registry::AccountGrant& grant = *request.add_grants();
  grant.set_role(role);
  grant.set_area_code(area_code);
  registry::AccountSecret response;
  FADU_RETURN_IF_ERROR(client.Call("registry", "/fadu.registry.v1.RegistryService/CreateAccount",
                                   request, &response));
  return client.SaveSecret(saved_as, response.secret());
}

// The village rubric, published, and the year's cycle.
absl::StatusOr<assessment::CycleInfo> OpenCycle(Client& client, assessment::Rubric* rubric) {
  assessment::ImportRubricRequest import;
  import.set_parent(client.parent());
  import.set_source(kSampleRubricYaml);
  import.set_request_id(StableId("rubric"));
  assessment::RubricInfo info;
  FADU_RETURN_IF_ERROR(client.Call(
      "assessment", "/fadu.assessment.v1.AssessmentService/ImportRubric", import, &info));
  assessment::PublishRubricRequest publish;
  publish.set_name(info.name());
  publish.set_request_id(StableId("publish"));
  FADU_RETURN_IF_ERROR(client.Call(
      "assessment", "/fadu.assessment.v1.AssessmentService/PublishRubric", publish, &info));
  *rubric = info.rubric().rubric();
  assessment::OpenCycleRequest open;
  open.set_parent(client.parent());
  open.set_year(kSampleYear);
  open.set_rubric(info.name());
  open.set_request_id(StableId("cycle"));
  assessment::CycleInfo cycle;
  FADU_RETURN_IF_ERROR(
      client.Call("assessment", "/fadu.assessment.v1.AssessmentService/OpenCycle", open, &cycle));
  return cycle;
}

// Marks of one town's villages. About one village in eight has a line that nobody has judged yet.
absl::Status GiveMarks(Client& client, const std::string& cycle, const assessment::Rubric& rubric,
                       const std::vector<SampleArea>& villages) {
  InFlight in_flight(32);
  std::vector<std::unique_ptr<assessment::MarkInfo>> answers;
  for (const SampleArea& village : villages) {
    const std::string digest = Sha256(absl::StrCat("marks ", village.code));
    int judged = 0;
    for (const assessment::Line& line : rubric.lines()) {
      for (int clause = 0; clause < line.clauses_size(); ++clause) {
        if (!line.clauses(clause).has_judged()) continue;
        const assessment::Judged& form = line.clauses(clause).judged();
        const auto byte = static_cast<uint8_t>(digest[static_cast<size_t>(judged++)]);
        if (judged == 1 && static_cast<uint8_t>(digest[20]) < 32) continue;
        // 70 to 100 % of the range for the diligent, less for the others, on the form's steps.
        const int64_t percent = 55 + 11 * DiligenceOf(village.code) + byte % 12;
        const int64_t step = form.step_e4() > 0 ? form.step_e4() : Points::kScale / 10;
        const int64_t range = form.max_e4() - form.min_e4();
        const int64_t points = form.min_e4() + range * percent / 100 / step * step;
        assessment::GiveMarkRequest request;
        request.set_cycle(cycle);
        request.set_area_code(village.code);
        request.set_line_id(line.id());
        request.set_clause(clause);
        request.set_points(Points::FromUnits(points).ToString());
        request.set_reason("示例：查阅台账并实地走访后评定");
        request.set_request_id(
            StableId(absl::StrCat("mark ", village.code, " ", line.id(), " ", clause)));
        answers.push_back(std::make_unique<assessment::MarkInfo>());
        in_flight.Begin();
        client.CallAsync("assessment", "/fadu.assessment.v1.AssessmentService/GiveMark", request,
                         answers.back().get(),
                         [&in_flight](const absl::Status& status) { in_flight.End(status); });
      }
    }
  }
  return in_flight.Wait();
}

// Records for a town as `Recorder` says, submitted at once, in batches, each record its own event.
Recorder RecorderFor(Client& client, const std::string& town) {
  return [&client, town](const std::string& service, absl::string_view what,
                         const Messages& messages) -> absl::StatusOr<std::vector<std::string>> {
    std::vector<std::string> ids;
    for (size_t begin = 0; begin < messages.size(); begin += kBatch) {
      common::BatchCreateRecordsRequest request;
      request.set_parent(client.parent());
      request.set_request_id(StableId(absl::StrCat(service, " ", town, " ", what, " ", begin)));
      request.set_submit(true);
      for (size_t i = begin; i < messages.size() && i < begin + kBatch; ++i) {
        request.add_records()->PackFrom(*messages[i]);
      }
      common::BatchCreateRecordsResponse response;
      FADU_RETURN_IF_ERROR(client.Call(service, "/fadu.common.v1.RecordService/BatchCreateRecords",
                                       request, &response));
      for (const common::Record& record : response.records()) {
        ids.push_back(record.name().substr(record.name().rfind('/') + 1));
      }
    }
    return ids;
  };
}

}  // namespace

int DiligenceOf(const std::string& area_code) {
  const auto byte = static_cast<uint8_t>(Sha256(absl::StrCat("diligence ", area_code))[0]);
  return byte < 40 ? 0 : byte < 100 ? 1 : byte < 190 ? 2 : 3;
}

std::vector<SampleArea> SampleAreas() {
  std::vector<SampleArea> areas;
  for (const absl::string_view line : absl::StrSplit(kSampleAreasTsv, '\n', absl::SkipEmpty())) {
    const std::vector<std::string> cells = absl::StrSplit(line, '\t');
    if (cells.size() == 3 && (cells[0].size() == 9 || cells[0].size() == 12)) {
      areas.push_back({cells[0], cells[1]});
    }
  }
  return areas;
}

SampleTown MakeSampleTown(const SampleArea& town, const std::vector<SampleArea>& villages,
                          uint64_t seed) {
  SampleTown made;
  Dice dice(seed * 1000003 + static_cast<uint64_t>(std::stoull(town.code)));
  const bool founding = town.code == kSampleTown;
  // The founding report's town: its 7 unsettled disputes each have a state of their own, and none
  // of them is counted as settled.
  std::vector<Ending> endings;
  if (founding) {
    endings.assign(kSampleSettled, Ending::kSettled);
    for (const Ending ending :
         {Ending::kTerminated, Ending::kTerminated, Ending::kTerminated, Ending::kTransferred,
          Ending::kTransferred, Ending::kWithdrawn, Ending::kOngoing}) {
      endings.insert(endings.begin() + dice.Below(static_cast<int>(endings.size())), ending);
    }
    static_assert(kSampleFound == kSampleSettled + 7, "the founding report: 382 and 375");
  }
  int number = 0;
  for (size_t v = 0; v < villages.size(); ++v) {
    const std::string& village = villages[v].code;
    const int diligence = DiligenceOf(village);
    int count = dice.Between(14, 38);
    if (founding) {
      // Shared out evenly; the first villages take what is left over.
      count = kSampleFound / static_cast<int>(villages.size()) +
              (v < kSampleFound % villages.size() ? 1 : 0);
    }
    for (int i = 0; i < count; ++i) {
      Ending ending = Ending::kSettled;
      if (founding) {
        ending = endings[static_cast<size_t>(number)];
      } else if (dice.Chance(12 - 3 * diligence)) {
        constexpr Ending kOthers[] = {Ending::kTerminated, Ending::kTransferred, Ending::kWithdrawn,
                                      Ending::kOngoing};
        ending = kOthers[dice.Below(4)];
      }
      made.disputes.push_back(MakeDispute(village, ++number, ending, dice));
    }
    AddEvents(village, dice, made.events);
  }
  // The town's own events: each key date in offices, enterprises, schools and the countryside.
  constexpr education::Venue kVenues[] = {education::VENUE_OFFICE, education::VENUE_ENTERPRISE,
                                          education::VENUE_SCHOOL, education::VENUE_VILLAGE};
  for (const KeyDate& date : kKeyDates) {
    for (const education::Venue venue : kVenues) {
      if (!founding && !dice.Chance(60)) continue;
      made.events.push_back(MakeEvent(town.code, absl::CivilDay(kSampleYear, date.month, date.day),
                                      date.title, date.campaign, venue, education::FORM_LEAFLET,
                                      dice));
    }
  }
  return made;
}

absl::Status LoadSample(Client& client) {
  const std::vector<SampleArea> areas = SampleAreas();
  std::vector<SampleArea> towns;
  std::map<std::string, std::vector<SampleArea>> villages;
  for (const SampleArea& area : areas) {
    if (area.code.size() == 9) {
      towns.push_back(area);
    } else {
      villages[area.code.substr(0, 9)].push_back(area);
    }
  }
  Progress(T("导入区划…", "importing areas…"));
  FADU_RETURN_IF_ERROR(LoadAreas(client));
  FADU_RETURN_IF_ERROR(MakeAccount(client, "reviewer", "县司法局（示例）",
                                   common::ROLE_COUNTY_REVIEWER, client.county()));
  // Each town's judicial office records and confirms what its villages hand in.
  for (const SampleArea& town : towns) {
    FADU_RETURN_IF_ERROR(MakeAccount(client, town.code, absl::StrCat(town.name, "司法所（示例）"),
                                     common::ROLE_TOWN_REVIEWER, town.code));
  }
  int64_t records = 0;
  for (size_t i = 0; i < towns.size(); ++i) {
    Progress(absl::StrCat(T("登记示例记录 ", "recording "), i + 1, "/", towns.size(), " ",
                          towns[i].name));
    FADU_RETURN_IF_ERROR(client.SignInAs(towns[i].code));
    const SampleTown made = MakeSampleTown(towns[i], villages[towns[i].code], kSeed);
    const std::vector<SampleArea>& own = villages[towns[i].code];
    const Recorder record = RecorderFor(client, towns[i].code);
    FADU_ASSIGN_OR_RETURN(const int64_t mediation,
                          RecordMediation(towns[i], own, made.disputes, kSeed, record));
    FADU_ASSIGN_OR_RETURN(const int64_t education,
                          RecordEducation(towns[i], own, made.events, kSeed, record));
    FADU_ASSIGN_OR_RETURN(const int64_t governance, RecordGovernance(towns[i], own, kSeed, record));
    FADU_ASSIGN_OR_RETURN(const int64_t enforcement, RecordEnforcement(towns[i], kSeed, record));
    FADU_ASSIGN_OR_RETURN(const int64_t legality, RecordLegality(towns[i], own, kSeed, record));
    records += mediation + education + governance + enforcement + legality;
  }
  FADU_RETURN_IF_ERROR(client.SignInAs("admin"));
  Progress(T("导入细则、开启周期…", "importing the rubric, opening the cycle…"));
  assessment::Rubric rubric;
  FADU_ASSIGN_OR_RETURN(const assessment::CycleInfo cycle, OpenCycle(client, &rubric));
  for (const SampleArea& town : towns) {
    Progress(absl::StrCat(T("人工评分 ", "marks "), town.name));
    FADU_RETURN_IF_ERROR(client.SignInAs(town.code));
    FADU_RETURN_IF_ERROR(GiveMarks(client, cycle.name(), rubric, villages[town.code]));
  }
  FADU_RETURN_IF_ERROR(client.SignInAs("admin"));
  EndProgress();
  Say(absl::StrCat(T("示例县：", "sample county: "), towns.size(), T(" 个乡镇、", " towns, "),
                   areas.size() - towns.size(), T(" 个村（社区），登记记录 ", " villages, "),
                   records, T(" 条", " records")));
  return absl::OkStatus();
}

}  // namespace fadu::cli
