#include "services/governance/domain/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/status.h"

namespace fadu::governance {
namespace {

using ::testing::ElementsAre;

const absl::CivilDay kToday(2024, 12, 31);

v1::Session Meeting(std::initializer_list<v1::AgendaKind> kinds) {
  v1::Session session;
  session.set_area_code("421221106");
  session.set_held_date("2024-03-05");
  session.set_title("示例镇党委会");
  session.set_kind(v1::SESSION_KIND_MEETING);
  session.add_bodies(v1::BODY_PARTY_COMMITTEE);
  for (const v1::AgendaKind kind : kinds) {
    v1::AgendaItem& item = *session.add_agenda();
    item.set_kind(kind);
    item.set_title("示例议题");
  }
  return session;
}

std::string ReasonFor(v1::Session session) { return ReasonOf(DecideSession(session, kToday)); }

TEST(Session, KnowsTheKindsOfItsAgendaOnceEach) {
  v1::Session session =
      Meeting({v1::AGENDA_KIND_HEAR_REPORT, v1::AGENDA_KIND_STUDY, v1::AGENDA_KIND_HEAR_REPORT});
  ASSERT_TRUE(DecideSession(session, kToday).ok());
  EXPECT_THAT(session.agenda_kinds(),
              ElementsAre(v1::AGENDA_KIND_STUDY, v1::AGENDA_KIND_HEAR_REPORT));
}

// Ten reports write "会议4次，研究解决问题12项": the number stands on the session.
TEST(Session, AddsUpTheIssuesOfItsAgenda) {
  v1::Session session = Meeting({v1::AGENDA_KIND_DISCUSS, v1::AGENDA_KIND_DEPLOY});
  session.mutable_agenda(0)->set_issues_studied(3);
  session.mutable_agenda(0)->set_issues_solved(2);
  session.mutable_agenda(1)->set_issues_studied(1);
  session.mutable_agenda(1)->set_issues_solved(1);
  ASSERT_TRUE(DecideSession(session, kToday).ok());
  EXPECT_EQ(session.issues_studied(), 4);
  EXPECT_EQ(session.issues_solved(), 3);
}

TEST(Session, SolvesNoMoreThanItStudies) {
  v1::Session session = Meeting({v1::AGENDA_KIND_DISCUSS});
  session.mutable_agenda(0)->set_issues_solved(1);
  EXPECT_EQ(ReasonFor(session), "REASON_AGENDA_INCOMPLETE");
}

TEST(Session, AFirstItemAndAStudyBeforeTheMeetingAreStudies) {
  v1::Session session = Meeting({v1::AGENDA_KIND_DEPLOY});
  session.set_first_item(true);
  EXPECT_EQ(ReasonFor(session), "REASON_AGENDA_INCOMPLETE");
  session.set_first_item(false);
  session.set_before_meeting(true);
  EXPECT_EQ(ReasonFor(session), "REASON_AGENDA_INCOMPLETE");
  session = Meeting({v1::AGENDA_KIND_STUDY, v1::AGENDA_KIND_DEPLOY});
  session.set_first_item(true);
  EXPECT_EQ(ReasonFor(session), "");
}

TEST(Session, NamesABodyOnce) {
  v1::Session session = Meeting({v1::AGENDA_KIND_STUDY});
  session.add_bodies(v1::BODY_STUDY_GROUP);
  EXPECT_EQ(ReasonFor(session), "");
  session.add_bodies(v1::BODY_PARTY_COMMITTEE);
  EXPECT_EQ(ReasonFor(session), "REASON_AGENDA_INCOMPLETE");
}

TEST(Session, WasHeldByTodayInATownOrVillage) {
  v1::Session session = Meeting({v1::AGENDA_KIND_STUDY});
  session.set_held_date("2025-01-01");
  EXPECT_EQ(ReasonFor(session), "REASON_GOVERNANCE_DATES");
  session = Meeting({v1::AGENDA_KIND_STUDY});
  session.set_area_code("421221");
  EXPECT_EQ(ReasonFor(session), "REASON_FIELD_INVALID");
}

v1::DutyAct Act(v1::DutyKind kind) {
  v1::DutyAct act;
  act.set_area_code("421221106");
  act.set_done_date("2024-03-05");
  act.set_principal(v1::PRINCIPAL_PARTY_HEAD);
  act.set_kind(kind);
  act.set_content("示例内容");
  return act;
}

TEST(DutyAct, ADeploymentReportOrStudyNeedsItsSession) {
  for (const v1::DutyKind kind :
       {v1::DUTY_KIND_DEPLOY, v1::DUTY_KIND_HEAR_REPORT, v1::DUTY_KIND_LEAD_STUDY}) {
    v1::DutyAct act = Act(kind);
    EXPECT_EQ(ReasonOf(DecideDutyAct(act, kToday)), "REASON_DUTY_UNPROVEN");
    act.set_session_id("018f0000-0000-7000-8000-000000000001");
    EXPECT_EQ(ReasonOf(DecideDutyAct(act, kToday)), "");
  }
}

TEST(DutyAct, AnAnnotationOrStatementNeedsItsDocument) {
  for (const v1::DutyKind kind : {v1::DUTY_KIND_INSTRUCT, v1::DUTY_KIND_STATEMENT}) {
    v1::DutyAct act = Act(kind);
    EXPECT_EQ(ReasonOf(DecideDutyAct(act, kToday)), "REASON_DUTY_UNPROVEN");
    act.set_document_number("示例发〔2024〕1号");
    EXPECT_EQ(ReasonOf(DecideDutyAct(act, kToday)), "");
  }
  EXPECT_EQ(ReasonOf(DecideDutyAct(Act(v1::DUTY_KIND_SUPERVISE), kToday)), "");
}

// domain §8.1: one meeting evidences both only if both agenda items exist.
TEST(DutyAct, OneMeetingProvesADeploymentAndAReportOnlyWithAnItemOfEach) {
  v1::Session one = Meeting({v1::AGENDA_KIND_DEPLOY});
  ASSERT_TRUE(DecideSession(one, kToday).ok());
  EXPECT_EQ(ReasonOf(CheckProof(Act(v1::DUTY_KIND_DEPLOY), one)), "");
  EXPECT_EQ(ReasonOf(CheckProof(Act(v1::DUTY_KIND_HEAR_REPORT), one)), "REASON_DUTY_UNPROVEN");
  v1::Session both = Meeting({v1::AGENDA_KIND_DEPLOY, v1::AGENDA_KIND_HEAR_REPORT});
  ASSERT_TRUE(DecideSession(both, kToday).ok());
  EXPECT_EQ(ReasonOf(CheckProof(Act(v1::DUTY_KIND_HEAR_REPORT), both)), "");
}

TEST(DutyAct, HappensOnTheDayOfItsSession) {
  v1::Session session = Meeting({v1::AGENDA_KIND_DEPLOY});
  ASSERT_TRUE(DecideSession(session, kToday).ok());
  session.set_held_date("2024-03-06");
  EXPECT_EQ(ReasonOf(CheckProof(Act(v1::DUTY_KIND_DEPLOY), session)), "REASON_DUTY_UNPROVEN");
}

}  // namespace
}  // namespace fadu::governance
