// The governance service through its RPCs, over a real database: what one record demands of
// another.

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/host/service_test_support.h"
#include "common/testing/status_matchers.h"
#include "fadu/governance/v1/duty_act.pb.h"
#include "fadu/governance/v1/plan_item.pb.h"
#include "fadu/governance/v1/session.pb.h"
#include "fadu/governance/v1/shortcoming.pb.h"
#include "services/governance/module.h"

namespace fadu::governance {
namespace {

namespace common = ::fadu::common::v1;
using host::RecordIn;
using ::testing::SizeIs;

constexpr char kTown[] = "421221106";
// 28 June 2024, 10:00 in Beijing.
const absl::Time kNow = absl::FromCivil(absl::CivilHour(2024, 6, 28, 10), LegalTimeZone());

class GovernanceTest : public ::testing::Test {
 protected:
  static std::string IdOf(const absl::StatusOr<common::Record>& answer) {
    EXPECT_THAT(answer, IsOk());
    return answer.ok() ? answer->name().substr(answer->name().rfind('/') + 1) : "";
  }

  static v1::Session Meeting(std::initializer_list<v1::AgendaKind> kinds) {
    v1::Session session;
    session.set_area_code(kTown);
    session.set_held_date("2024-03-05");
    session.set_title("示例镇党委会");
    session.set_kind(v1::SESSION_KIND_MEETING);
    session.add_bodies(v1::BODY_PARTY_COMMITTEE);
    session.add_bodies(v1::BODY_STUDY_GROUP);
    for (const v1::AgendaKind kind : kinds) {
      v1::AgendaItem& item = *session.add_agenda();
      item.set_kind(kind);
      item.set_title("示例议题");
    }
    return session;
  }

  static v1::DutyAct Act(v1::DutyKind kind, const std::string& session_id) {
    v1::DutyAct act;
    act.set_area_code(kTown);
    act.set_done_date("2024-03-05");
    act.set_principal(v1::PRINCIPAL_PARTY_HEAD);
    act.set_kind(kind);
    act.set_session_id(session_id);
    act.set_content("示例内容");
    return act;
  }

  static v1::Shortcoming Found() {
    v1::Shortcoming shortcoming;
    shortcoming.set_area_code(kTown);
    shortcoming.set_found_date("2024-02-01");
    shortcoming.set_statement("法律宣传存在死角");
    shortcoming.set_source(v1::SHORTCOMING_SOURCE_REPORT);
    return shortcoming;
  }

  static v1::PlanItem Answering(const std::string& shortcoming_id) {
    v1::PlanItem item;
    item.set_area_code(kTown);
    item.set_adopted_date("2024-06-20");
    item.set_year(2025);
    item.set_block("狠抓法治宣传");
    item.set_goal("示例任务");
    item.set_owner("示例司法所");
    item.set_due_date("2025-12-31");
    item.add_shortcoming_ids(shortcoming_id);
    return item;
  }

  host::ServiceUnderTest service_{MakeModule(), kNow};
};

// 党工委会学法与中心组学习可以是同一场: each body counts it, the total once.
TEST_F(GovernanceTest, ASessionOfTwoBodiesIsFoundUnderEachAndIsOne) {
  ASSERT_THAT(service_.Create(Meeting({v1::AGENDA_KIND_STUDY})), IsOk());
  EXPECT_THAT(service_.List("sessions", "bodies:STUDY_GROUP"), SizeIs(1));
  EXPECT_THAT(service_.List("sessions", "bodies:PARTY_COMMITTEE AND agenda_kinds:STUDY"),
              SizeIs(1));
  EXPECT_THAT(service_.List("sessions", ""), SizeIs(1));
}

TEST_F(GovernanceTest, AnActRestsOnAnItemOfItsSession) {
  const auto session = service_.Create(Meeting({v1::AGENDA_KIND_DEPLOY}));
  const std::string id = IdOf(session);
  EXPECT_THAT(service_.Create(Act(v1::DUTY_KIND_DEPLOY, id)), IsOk());
  EXPECT_THAT(service_.Create(Act(v1::DUTY_KIND_HEAR_REPORT, id)),
              HasReason("REASON_DUTY_UNPROVEN"));
  EXPECT_THAT(service_.Create(Act(v1::DUTY_KIND_DEPLOY, "018f0000-0000-7000-8000-0000000000ff")),
              HasReason("REASON_REFERENCE_UNKNOWN"));
}

TEST_F(GovernanceTest, AnActIsCountedOnce) {
  const std::string id = IdOf(service_.Create(Meeting({v1::AGENDA_KIND_DEPLOY})));
  const auto first = service_.Create(Act(v1::DUTY_KIND_DEPLOY, id));
  ASSERT_THAT(first, IsOk());
  EXPECT_THAT(service_.Create(Act(v1::DUTY_KIND_DEPLOY, id)),
              HasReason("REASON_DUTY_COUNTED_TWICE"));
  v1::DutyAct other = Act(v1::DUTY_KIND_DEPLOY, id);
  other.set_principal(v1::PRINCIPAL_GOVERNMENT_HEAD);
  EXPECT_THAT(service_.Create(other), IsOk());
  // Another session of the same day is no other act.
  const std::string later = IdOf(service_.Create(Meeting({v1::AGENDA_KIND_DEPLOY})));
  EXPECT_THAT(service_.Create(Act(v1::DUTY_KIND_DEPLOY, later)),
              HasReason("REASON_DUTY_COUNTED_TWICE"));
  // Deleted, it may be recorded anew.
  ASSERT_THAT(service_.Delete(first->name()), IsOk());
  EXPECT_THAT(service_.Create(Act(v1::DUTY_KIND_DEPLOY, id)), IsOk());
}

TEST_F(GovernanceTest, ASessionKeepsWhatItProves) {
  const auto session = service_.Create(Meeting({v1::AGENDA_KIND_DEPLOY}));
  const auto act = service_.Create(Act(v1::DUTY_KIND_DEPLOY, IdOf(session)));
  ASSERT_THAT(act, IsOk());
  EXPECT_THAT(service_.Delete(session->name()), HasReason("REASON_REFERENCED"));
  EXPECT_THAT(service_.Update(session->name(), Meeting({v1::AGENDA_KIND_STUDY}), {"agenda"}),
              HasReason("REASON_DUTY_UNPROVEN"));
  ASSERT_THAT(service_.Delete(act->name()), IsOk());
  EXPECT_THAT(service_.Delete(session->name()), IsOk());
}

TEST_F(GovernanceTest, APlanItemAnswersShortcomingsOfItsTown) {
  const auto shortcoming = service_.Create(Found());
  const auto item = service_.Create(Answering(IdOf(shortcoming)));
  ASSERT_THAT(item, IsOk());
  EXPECT_THAT(service_.Delete(shortcoming->name()), HasReason("REASON_REFERENCED"));
  ASSERT_THAT(service_.Delete(item->name()), IsOk());
  EXPECT_THAT(service_.Delete(shortcoming->name()), IsOk());
  EXPECT_THAT(service_.Create(Answering(IdOf(shortcoming))), HasReason("REASON_REFERENCE_UNKNOWN"));
}

TEST_F(GovernanceTest, AnotherTownsShortcomingIsUnknown) {
  service_.As(common::ROLE_COUNTY_REVIEWER, "421221");
  const auto planned = service_.Create(Found());
  ASSERT_THAT(service_.Create(Answering(IdOf(planned))), IsOk());
  v1::Shortcoming elsewhere = Found();
  elsewhere.set_area_code("421221103");
  EXPECT_THAT(service_.Create(Answering(IdOf(service_.Create(elsewhere)))),
              HasReason("REASON_REFERENCE_UNKNOWN"));
  EXPECT_THAT(service_.Update(planned->name(), elsewhere, {"area_code"}),
              HasReason("REASON_REFERENCED"));
}

TEST_F(GovernanceTest, AShortcomingGoesThroughItsSteps) {
  const auto made = service_.Create(Found());
  v1::Shortcoming step;
  step.set_cause("人手不足");
  step.set_owner("示例司法所");
  step.set_due_date("2024-09-30");
  auto answer = service_.Update(made->name(), step, {"cause", "owner", "due_date"});
  EXPECT_EQ(RecordIn<v1::Shortcoming>(answer).state(), v1::SHORTCOMING_STATE_ASSIGNED);
  step.set_closed_date("2024-06-01");
  EXPECT_THAT(service_.Update(made->name(), step, {"closed_date"}),
              HasReason("REASON_SHORTCOMING_INCOMPLETE"));
  step.set_started_date("2024-03-01");
  step.set_checked_date("2024-05-01");
  step.set_verified_date("2024-05-20");
  step.set_verifier("示例县司法局");
  answer =
      service_.Update(made->name(), step,
                      {"started_date", "checked_date", "verified_date", "verifier", "closed_date"});
  EXPECT_EQ(RecordIn<v1::Shortcoming>(answer).state(), v1::SHORTCOMING_STATE_CLOSED);
  EXPECT_THAT(service_.List("shortcomings", "state = CLOSED"), SizeIs(1));
}

}  // namespace
}  // namespace fadu::governance
