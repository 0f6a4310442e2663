#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/civil_day.h"
#include "common/base/status.h"
#include "fadu/governance/v1/duty_act.pb.h"
#include "fadu/governance/v1/honour.pb.h"
#include "fadu/governance/v1/plan_item.pb.h"
#include "fadu/governance/v1/session.pb.h"
#include "fadu/governance/v1/shortcoming.pb.h"
#include "services/fadu/sample_records.h"

namespace fadu::cli {
namespace {

namespace v1 = ::fadu::governance::v1;

constexpr char kService[] = "governance";
constexpr int kStudies = 50;     // founding report: 组织学习活动50场次
constexpr int kDeployments = 4;  // founding report: 研究部署4次, 听取汇报4次

constexpr std::pair<v1::Topic, const char*> kTopics[] = {
    {v1::TOPIC_XI_THOUGHT, "习近平法治思想"},
    {v1::TOPIC_PLENUM, "党的二十届三中全会精神"},
    {v1::TOPIC_CONSTITUTION, "宪法"},
    {v1::TOPIC_CIVIL_CODE, "民法典"},
    {v1::TOPIC_ADMINISTRATIVE_LAW, "行政处罚法"},
    {v1::TOPIC_PARTY_RULES, "党内法规"},
    {v1::TOPIC_SAFETY, "安全生产法"}};

v1::Session MakeSession(const std::string& area, absl::CivilDay held, v1::SessionKind kind,
                        const std::string& title) {
  v1::Session session;
  session.set_area_code(area);
  session.set_held_date(FormatDay(held));
  session.set_kind(kind);
  session.set_title(absl::StrCat(title, "（示例）"));
  return session;
}

void AddItem(v1::Session& session, v1::AgendaKind kind, const std::string& title, int studied = 0,
             int solved = 0) {
  v1::AgendaItem& item = *session.add_agenda();
  item.set_kind(kind);
  item.set_title(title);
  item.set_issues_studied(studied);
  item.set_issues_solved(solved);
}

// A study by the town: the study group's sessions are the Party committee's too.
v1::Session MakeStudy(const std::string& town, absl::CivilDay held, Dice& dice) {
  const auto& [topic, name] = kTopics[dice.Below(7)];
  const int form = dice.Below(10);
  v1::Session session =
      MakeSession(town, held, form < 8 ? v1::SESSION_KIND_STUDY : v1::SESSION_KIND_READING_CLASS,
                  absl::StrCat("集中学习", name));
  if (form < 4) {
    session.add_bodies(v1::BODY_STUDY_GROUP);
    session.add_bodies(v1::BODY_PARTY_COMMITTEE);
    session.add_audiences(v1::AUDIENCE_LEADERS);
    session.set_chair_role(v1::POST_ROLE_PARTY_HEAD);
  } else {
    session.add_bodies(form < 7 ? v1::BODY_ALL_STAFF : v1::BODY_BRANCH);
    session.add_audiences(v1::AUDIENCE_OFFICIALS);
    session.set_chair_role(v1::POST_ROLE_DEPUTY);
  }
  session.set_speaker_role(form < 2 ? v1::POST_ROLE_LEGAL_ADVISER : v1::POST_ROLE_DEPUTY);
  session.add_topics(topic);
  session.set_first_item(form < 2);
  session.set_attendance(form < 4 ? dice.Between(9, 15) : dice.Between(30, 80));
  AddItem(session, v1::AGENDA_KIND_STUDY, absl::StrCat("学习", name));
  return session;
}

// A meeting that deploys the work and hears a report on it: two agenda items, so it counts for
// each.
v1::Session MakeDeployment(const std::string& town, absl::CivilDay held, bool deploys, bool hears,
                           Dice& dice) {
  v1::Session session =
      MakeSession(town, held, v1::SESSION_KIND_MEETING, "党委会专题研究法治政府建设");
  session.add_bodies(v1::BODY_PARTY_COMMITTEE);
  session.add_topics(v1::TOPIC_LAW_GOVERNMENT);
  session.add_audiences(v1::AUDIENCE_LEADERS);
  session.set_chair_role(v1::POST_ROLE_PARTY_HEAD);
  session.set_attendance(dice.Between(9, 13));
  session.set_minutes_number(
      absl::StrCat("示例纪要〔", kSampleYear, "〕", absl::GetYearDay(held), "号"));
  const int studied = dice.Between(1, 4);
  if (deploys) {
    AddItem(session, v1::AGENDA_KIND_DEPLOY, "研究部署法治政府建设工作", studied,
            dice.Between(0, studied));
  }
  if (hears) AddItem(session, v1::AGENDA_KIND_HEAR_REPORT, "听取法治政府建设工作汇报");
  return session;
}

v1::Session MakeVillageStudy(const std::string& village, absl::CivilDay held, Dice& dice) {
  const auto& [topic, name] = kTopics[dice.Below(5)];
  v1::Session session =
      MakeSession(village, held, v1::SESSION_KIND_STUDY, absl::StrCat("村（社区）两委学习", name));
  session.add_bodies(v1::BODY_VILLAGE_COMMITTEES);
  session.add_topics(topic);
  session.add_audiences(v1::AUDIENCE_VILLAGE_OFFICIALS);
  session.set_chair_role(v1::POST_ROLE_VILLAGE_SECRETARY);
  session.set_attendance(dice.Between(5, 12));
  AddItem(session, v1::AGENDA_KIND_STUDY, absl::StrCat("学习", name));
  return session;
}

template <typename Record>
void Add(Messages& messages, Record record) {
  messages.push_back(std::make_unique<Record>(std::move(record)));
}

v1::DutyAct MakeAct(const v1::Session& session, const std::string& id, v1::DutyKind kind) {
  v1::DutyAct act;
  act.set_area_code(session.area_code());
  act.set_done_date(session.held_date());
  act.set_principal(v1::PRINCIPAL_PARTY_HEAD);
  act.set_kind(kind);
  act.set_session_id(id);
  act.set_content(kind == v1::DUTY_KIND_DEPLOY ? "部署法治政府建设工作（示例）"
                                               : "听取法治政府建设工作汇报（示例）");
  return act;
}

struct Weakness {
  const char* statement;
  const char* cause;
  const char* owner;
};
constexpr Weakness kWeaknesses[] = {
    {"重大行政决策程序的监督和落实机制存在缺失", "监督人员业务不熟、不精", "镇党政办公室"},
    {"法律宣传不够全面，存在死角", "进机关、进企业、下基层落实不够", "镇司法所"},
    {"法治队伍建设有待加强", "缺乏专业人员，干部学法热情不高", "镇党群综合服务中心"}};
struct Block {
  const char* heading;
  const char* goal;
  const char* owner;
  int answers;  // index of the shortcoming; -1: none
};
constexpr Block kBlocks[] = {
    {"聚焦法治政府，狠抓政务服务", "深化政府信息公开，完善保密审查", "镇党政办公室", -1},
    {"聚焦重点人群，狠抓法治教育", "定期组织干部和村组干部法律知识培训", "镇党群综合服务中心", 2},
    {"聚焦基层治理，狠抓法治宣传", "落实“谁执法谁普法”责任制", "镇司法所", 1},
    {"聚焦执法流程，狠抓队伍建设", "加强执法人员思想和职业道德教育", "镇综合执法中心", 2}};

v1::Shortcoming MakeShortcoming(const std::string& area, const Weakness& weakness,
                                absl::CivilDay found) {
  v1::Shortcoming shortcoming;
  shortcoming.set_area_code(area);
  shortcoming.set_found_date(FormatDay(found));
  shortcoming.set_statement(weakness.statement);
  shortcoming.set_source(v1::SHORTCOMING_SOURCE_REPORT);
  shortcoming.set_cause(weakness.cause);
  shortcoming.set_owner(weakness.owner);
  shortcoming.set_due_date(FormatDay(absl::CivilDay(kSampleYear + 1, 6, 30)));
  return shortcoming;
}

// A village's shortcoming of the spring: put right by the diligent, open with the others.
v1::Shortcoming MakeVillageShortcoming(const std::string& village, int diligence, Dice& dice) {
  v1::Shortcoming shortcoming =
      MakeShortcoming(village, {"村务公开栏更新不及时", "专人负责未落实", "村（社区）监督委员会"},
                      absl::CivilDay(kSampleYear, 3, 1) + dice.Below(60));
  shortcoming.set_source(v1::SHORTCOMING_SOURCE_INSPECTION);
  const int roll = dice.Below(20);
  shortcoming.set_severity(roll == 0  ? v1::SEVERITY_SEVERE
                           : roll < 6 ? v1::SEVERITY_MAJOR
                                      : v1::SEVERITY_MINOR);
  shortcoming.set_due_date(FormatDay(absl::CivilDay(kSampleYear, 9, 30)));
  if (!dice.Chance(30 + 20 * diligence)) return shortcoming;
  const absl::CivilDay started = absl::CivilDay(kSampleYear, 5, 10) + dice.Below(20);
  shortcoming.set_started_date(FormatDay(started));
  shortcoming.set_checked_date(FormatDay(started + 40));
  shortcoming.set_verified_date(FormatDay(started + 60));
  shortcoming.set_verifier("镇司法所");
  shortcoming.set_closed_date(FormatDay(started + 61));
  return shortcoming;
}

}  // namespace

absl::StatusOr<int64_t> RecordGovernance(const SampleArea& town,
                                         const std::vector<SampleArea>& villages, uint64_t seed,
                                         const Recorder& record) {
  Dice dice(seed * 7919 + static_cast<uint64_t>(std::stoull(town.code)));
  const bool founding = town.code == kSampleTown;
  const int diligence = DiligenceOf(town.code);
  std::vector<v1::Session> sessions;
  const int studies = founding ? kStudies : 6 + 6 * diligence + dice.Below(8);
  for (int i = 0; i < studies; ++i) {
    sessions.push_back(
        MakeStudy(town.code, absl::CivilDay(kSampleYear, 1, 8) + i * 350 / studies, dice));
  }
  const size_t first_meeting = sessions.size();
  for (int quarter = 0; quarter < kDeployments; ++quarter) {
    const bool deploys = founding || dice.Chance(55 + 15 * diligence);
    const bool hears = founding || dice.Chance(40 + 15 * diligence);
    if (!deploys && !hears) continue;
    sessions.push_back(
        MakeDeployment(town.code, absl::CivilDay(kSampleYear, quarter * 3 + 2, 5 + dice.Below(15)),
                       deploys, hears, dice));
  }
  const size_t end_of_meetings = sessions.size();
  for (const SampleArea& village : villages) {
    const int meetings = dice.Between(0, 2) + DiligenceOf(village.code);
    for (int i = 0; i < meetings; ++i) {
      sessions.push_back(MakeVillageStudy(
          village.code, absl::CivilDay(kSampleYear, 1, 15) + (i * 340 / meetings + dice.Below(10)),
          dice));
    }
  }
  Messages messages;
  for (const v1::Session& session : sessions) Add(messages, session);
  int64_t count = static_cast<int64_t>(messages.size());
  FADU_ASSIGN_OR_RETURN(const std::vector<std::string> ids, record(kService, "sessions", messages));

  messages.clear();
  for (size_t i = first_meeting; i < end_of_meetings; ++i) {
    for (const v1::AgendaItem& item : sessions[i].agenda()) {
      Add(messages, MakeAct(sessions[i], ids[i],
                            item.kind() == v1::AGENDA_KIND_DEPLOY ? v1::DUTY_KIND_DEPLOY
                                                                  : v1::DUTY_KIND_HEAR_REPORT));
    }
  }
  if (founding || dice.Chance(30)) {
    v1::Honour honour;
    honour.set_area_code(town.code);
    honour.set_award_date(FormatDay(absl::CivilDay(kSampleYear, 11, 20)));
    honour.set_title(founding ? "“枫桥经验”典型：交通事故“稳、调、帮、访”四步工作法"
                              : "平安建设先进乡镇（示例）");
    honour.set_level(founding ? v1::HONOUR_LEVEL_PROVINCIAL : v1::HONOUR_LEVEL_COUNTY);
    honour.set_object(founding ? v1::HONOUR_OBJECT_CASE : v1::HONOUR_OBJECT_UNIT);
    honour.set_issuer(founding ? "省级主管单位（示例）" : "县级主管单位（示例）");
    honour.set_document_number(absl::StrCat("示例〔", kSampleYear, "〕", founding ? 9 : 31, "号"));
    Add(messages, std::move(honour));
  }
  for (const SampleArea& village : villages) {
    if (!dice.Chance(3 + 4 * DiligenceOf(village.code))) continue;
    v1::Honour honour;
    honour.set_area_code(village.code);
    honour.set_award_date(FormatDay(absl::CivilDay(kSampleYear, 10, 15)));
    honour.set_title("民主法治示范村（社区）（示例）");
    honour.set_level(dice.Chance(25) ? v1::HONOUR_LEVEL_CITY : v1::HONOUR_LEVEL_COUNTY);
    honour.set_object(v1::HONOUR_OBJECT_VILLAGE);
    honour.set_issuer("示例表彰单位");
    honour.set_document_number(
        absl::StrCat("示例〔", kSampleYear, "〕", dice.Between(40, 99), "号"));
    Add(messages, std::move(honour));
  }
  count += static_cast<int64_t>(messages.size());
  FADU_RETURN_IF_ERROR(record(kService, "acts and honours", messages).status());

  messages.clear();
  const int weaknesses = founding ? 3 : dice.Between(1, 3);
  for (int i = 0; i < weaknesses; ++i) {
    Add(messages, MakeShortcoming(town.code, kWeaknesses[i], absl::CivilDay(kSampleYear, 12, 10)));
  }
  for (const SampleArea& village : villages) {
    const int care = DiligenceOf(village.code);
    if (dice.Chance(45 - 10 * care)) {
      Add(messages, MakeVillageShortcoming(village.code, care, dice));
    }
  }
  count += static_cast<int64_t>(messages.size());
  FADU_ASSIGN_OR_RETURN(const std::vector<std::string> found,
                        record(kService, "shortcomings", messages));

  messages.clear();
  for (const Block& block : kBlocks) {
    v1::PlanItem item;
    item.set_area_code(town.code);
    item.set_adopted_date(FormatDay(absl::CivilDay(kSampleYear, 12, 20)));
    item.set_year(kSampleYear + 1);
    item.set_block(block.heading);
    item.set_goal(block.goal);
    item.set_owner(block.owner);
    item.set_due_date(FormatDay(absl::CivilDay(kSampleYear + 1, 12, 20)));
    if (block.answers >= 0 && block.answers < weaknesses) {
      item.add_shortcoming_ids(found[static_cast<size_t>(block.answers)]);
    }
    if (founding || dice.Chance(85)) Add(messages, std::move(item));
  }
  count += static_cast<int64_t>(messages.size());
  FADU_RETURN_IF_ERROR(record(kService, "plan", messages).status());
  return count;
}

}  // namespace fadu::cli
