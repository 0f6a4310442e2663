// What every record type must do, run over every record type there is, from its descriptor. A type
// of the test fixture is among them: it needs no other line of code.

#include <set>

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "common/base/points.h"
#include "common/records/store_test_support.h"
#include "common/schema/names.h"
#include "common/testing/status_matchers.h"
#include "fadu/assessment/v1/records.pb.h"
#include "fadu/education/v1/education_event.pb.h"
#include "fadu/education/v1/exam.pb.h"
#include "fadu/enforcement/v1/certificate.pb.h"
#include "fadu/enforcement/v1/officer.pb.h"
#include "fadu/enforcement/v1/training.pb.h"
#include "fadu/fixture/v1/fixture.pb.h"
#include "fadu/governance/v1/duty_act.pb.h"
#include "fadu/governance/v1/honour.pb.h"
#include "fadu/governance/v1/plan_item.pb.h"
#include "fadu/governance/v1/session.pb.h"
#include "fadu/governance/v1/shortcoming.pb.h"
#include "fadu/legality/v1/legality_review.pb.h"
#include "fadu/legality/v1/local_term.pb.h"
#include "fadu/legality/v1/normative_document.pb.h"
#include "fadu/mediation/v1/dispute.pb.h"
#include "fadu/mediation/v1/follow_up_visit.pb.h"
#include "fadu/mediation/v1/team.pb.h"
#include "fadu/registry/v1/records.pb.h"

namespace fadu::records {
namespace {

namespace v1 = ::fadu::common::v1;
using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;

const RecordTypes& AllTypes() {
  static const RecordTypes* const types = [] {
    // Named once, so that the linker keeps them.
    (void)fadu::fixture::v1::Widget::descriptor();
    (void)fadu::mediation::v1::Dispute::descriptor();
    (void)fadu::mediation::v1::FollowUpVisit::descriptor();
    (void)fadu::mediation::v1::TaskForce::descriptor();
    (void)fadu::education::v1::EducationEvent::descriptor();
    (void)fadu::education::v1::Exam::descriptor();
    (void)fadu::legality::v1::LegalityReview::descriptor();
    (void)fadu::legality::v1::LocalTerm::descriptor();
    (void)fadu::legality::v1::NormativeDocument::descriptor();
    (void)fadu::enforcement::v1::EnforcementOfficer::descriptor();
    (void)fadu::enforcement::v1::OfficerTraining::descriptor();
    (void)fadu::enforcement::v1::EnforcementCertificate::descriptor();
    (void)fadu::governance::v1::DutyAct::descriptor();
    (void)fadu::governance::v1::Honour::descriptor();
    (void)fadu::governance::v1::PlanItem::descriptor();
    (void)fadu::governance::v1::Session::descriptor();
    (void)fadu::governance::v1::Shortcoming::descriptor();
    (void)fadu::assessment::v1::Mark::descriptor();
    (void)fadu::registry::v1::Organisation::descriptor();
    return RecordTypes::FromPackages({"fadu.fixture.v1", "fadu.mediation.v1", "fadu.education.v1",
                                      "fadu.enforcement.v1", "fadu.governance.v1",
                                      "fadu.legality.v1", "fadu.assessment.v1", "fadu.registry.v1"})
        ->release();
  }();
  return *types;
}

TestStore& SharedStore() {
  static TestStore* const store = new TestStore(AllTypes());
  return *store;
}

// Everybody who may do anything, in one area.
Principal Everybody(const std::string& area) {
  return PrincipalWith(
      {v1::ROLE_VILLAGE_CLERK, v1::ROLE_TOWN_CLERK, v1::ROLE_TOWN_REVIEWER,
       v1::ROLE_COUNTY_REVIEWER, v1::ROLE_COUNTY_ADMIN, v1::ROLE_DEPARTMENT, v1::ROLE_AUDITOR},
      area);
}

class Conformance : public ::testing::TestWithParam<const RecordType*> {
 protected:
  const RecordType& type() const { return *GetParam(); }
  TestStore& store() { return SharedStore(); }

  std::shared_ptr<Message> Make(int salt, const std::string& area = kVillage) {
    std::shared_ptr<Message> message = type().New();
    FillMessage(*message, area, salt);
    return message;
  }

  WriteRequest Wish(Change change) {
    WriteRequest request;
    request.county = kCounty;
    request.request_id = store().ids().NewId();
    request.request_hash = "hash";
    // Managed types are written by their services only.
    request.trusted = type().options().managed();
    request.changes.push_back(std::move(change));
    return request;
  }

  WriteRequest CreateWish(int salt, bool submit = false, const std::string& area = kVillage) {
    Change change;
    change.type = &type();
    change.message = Make(salt, area);
    change.submit = submit;
    return Wish(std::move(change));
  }

  Change On(const StoredRecord& record, Operation operation) {
    Change change;
    change.operation = operation;
    change.type = &type();
    change.id = record.id;
    return change;
  }

  absl::StatusOr<StoredRecord> Write(WriteRequest request, const std::string& area = kCounty) {
    const auto result = store()->WriteAndWait(CallAs(Everybody(area)), std::move(request));
    if (!result.ok()) return result.status();
    return result->records.at(0);
  }

  StoredRecord Created(int salt) {
    const auto record = Write(CreateWish(salt));
    EXPECT_THAT(record, IsOk());
    return *record;
  }

  std::vector<StoredRecord> List(ListQuery query, const std::string& area = kCounty) {
    query.county = kCounty;
    query.type = &type();
    std::vector<StoredRecord> all;
    do {
      const auto page = store()->List(CallAs(Everybody(area)), query);
      EXPECT_THAT(page, IsOk());
      if (!page.ok()) break;
      all.insert(all.end(), page->records.begin(), page->records.end());
      query.page_token = page->next_page_token;
    } while (!query.page_token.empty());
    return all;
  }

  bool Lists(const ListQuery& query, const StoredRecord& record,
             const std::string& area = kCounty) {
    for (const StoredRecord& found : List(query, area)) {
      if (found.id == record.id) return true;
    }
    return false;
  }
};

TEST_P(Conformance, WhatWasCreatedIsReadBackWhole) {
  const StoredRecord record = Created(1);
  const auto read = store()->Get(CallAs(Everybody(kCounty)), record.Name());
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->revision, 1);
  EXPECT_EQ(read->review_state, v1::REVIEW_STATE_DRAFT);
  std::unique_ptr<Message> expected = type().New();
  expected->CopyFrom(*Make(1));
  type().ClearOutputOnly(*expected);
  std::unique_ptr<Message> whole(read->message->New());
  whole->CopyFrom(*read->message);
  if (read->sealed != nullptr) type().MergeSealed(*read->sealed, *whole);
  EXPECT_TRUE(MessageDifferencer::Equals(*expected, *whole))
      << expected->DebugString() << whole->DebugString();
}

TEST_P(Conformance, ARepeatedRequestGivesTheFirstAnswer) {
  const WriteRequest request = CreateWish(2);
  const auto first = store()->WriteAndWait(CallAs(Everybody(kCounty)), request);
  const auto second = store()->WriteAndWait(CallAs(Everybody(kCounty)), request);
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  EXPECT_FALSE(first->replayed);
  EXPECT_TRUE(second->replayed);
  EXPECT_EQ(first->records[0].id, second->records[0].id);
}

TEST_P(Conformance, ARequestIdWithAnotherBodyIsRefused) {
  WriteRequest request = CreateWish(2);
  ASSERT_THAT(store()->WriteAndWait(CallAs(Everybody(kCounty)), request), IsOk());
  request.request_hash = "another";
  EXPECT_THAT(store()->WriteAndWait(CallAs(Everybody(kCounty)), request),
              HasReason("REASON_REQUEST_ID_REUSED"));
}

TEST_P(Conformance, ValidateOnlyStoresNothing) {
  WriteRequest request = CreateWish(3);
  request.validate_only = true;
  const auto record = Write(request);
  ASSERT_THAT(record, IsOk());
  EXPECT_THAT(store()->Get(CallAs(Everybody(kCounty)), record->Name()),
              HasReason("REASON_NOT_FOUND"));
}

TEST_P(Conformance, AStaleEtagIsAborted) {
  const StoredRecord record = Created(1);
  Change change = On(record, Operation::kUpdate);
  change.message = Make(2);
  change.revision = 1;
  ASSERT_THAT(Write(Wish(change)), IsOk());
  EXPECT_THAT(Write(Wish(change)), StatusIs(absl::StatusCode::kAborted));
}

TEST_P(Conformance, AnUpdateMakesARevisionAndHistoryKeepsBoth) {
  const StoredRecord record = Created(1);
  Change change = On(record, Operation::kUpdate);
  change.message = Make(2);
  change.mask = {"*"};
  const auto updated = Write(Wish(change));
  ASSERT_THAT(updated, IsOk());
  EXPECT_EQ(updated->revision, 2);
  v1::ListRecordRevisionsRequest request;
  request.set_name(record.Name());
  const auto history =
      store()->ListRevisions(CallAs(PrincipalWith({v1::ROLE_AUDITOR}, kCounty)), request);
  ASSERT_THAT(history, IsOk());
  ASSERT_EQ(history->revisions_size(), 2);
  EXPECT_EQ(history->revisions(0).operation(), "create");
  EXPECT_EQ(history->revisions(1).operation(), "update");
}

// A type that everybody reads must not be the way to the history of one that few read.
TEST_P(Conformance, HistoryIsFoundUnderItsOwnCollectionOnly) {
  const StoredRecord record = Created(1);
  for (const auto& other : AllTypes().all()) {
    if (other.get() == &type()) continue;
    v1::ListRecordRevisionsRequest request;
    request.set_name(RecordName{kCounty, other->collection(), record.id}.ToString());
    EXPECT_THAT(store()->ListRevisions(CallAs(Everybody(kCounty)), request),
                HasReason("REASON_NOT_FOUND"))
        << request.name();
  }
}

// Invariant 61: what lies outside the caller's areas does not exist for it.
TEST_P(Conformance, AnotherVillagesRecordIsNotFound) {
  if (type().options().shared()) GTEST_SKIP() << "readable throughout the county by its option";
  const StoredRecord record = Created(1);
  EXPECT_THAT(store()->Get(CallAs(Everybody(kOtherVillage)), record.Name()),
              HasReason("REASON_NOT_FOUND"));
  EXPECT_FALSE(Lists({}, record, kOtherVillage));
  EXPECT_TRUE(Lists({}, record, kVillage));
}

TEST_P(Conformance, AnotherVillagesRecordIsNotChanged) {
  if (type().options().managed()) GTEST_SKIP() << "written by its service only";
  const StoredRecord record = Created(1);
  Change change = On(record, Operation::kDelete);
  EXPECT_THAT(Write(Wish(change), kOtherVillage), HasReason("REASON_NOT_FOUND"));
}

// Both where it lies and where it shall lie must be the caller's.
TEST_P(Conformance, ARecordIsMovedOnlyWithinTheCallersAreas) {
  if (type().options().managed()) GTEST_SKIP() << "written by its service only";
  const StoredRecord record = Created(1);
  Change out = On(record, Operation::kUpdate);
  out.message = Make(1, kOtherVillage);
  out.mask = {"area_code"};
  EXPECT_THAT(Write(Wish(out), kVillage), HasReason("REASON_AREA_DENIED"));
  EXPECT_THAT(Write(Wish(out), kOtherVillage), HasReason("REASON_NOT_FOUND"));
  Change in = On(record, Operation::kUpdate);
  in.message = Make(1, kVillage);
  in.mask = {"area_code"};
  EXPECT_THAT(Write(Wish(in), kOtherVillage), HasReason("REASON_NOT_FOUND"));
  EXPECT_THAT(Write(Wish(out), kTown), IsOk());
}

TEST_P(Conformance, CreatingInAnotherVillageIsDenied) {
  if (type().options().managed()) GTEST_SKIP() << "written by its service only";
  EXPECT_THAT(Write(CreateWish(1), kOtherVillage), HasReason("REASON_AREA_DENIED"));
}

TEST_P(Conformance, ManagedTypesAreRefusedToEverybody) {
  if (!type().options().managed()) GTEST_SKIP() << "not managed";
  WriteRequest request = CreateWish(1);
  request.trusted = false;
  EXPECT_THAT(Write(request), HasReason("REASON_ROLE_DENIED"));
}

TEST_P(Conformance, DeletingHidesAndUndeletingShows) {
  const StoredRecord record = Created(1);
  ASSERT_THAT(Write(Wish(On(record, Operation::kDelete))), IsOk());
  ListQuery with_deleted;
  with_deleted.show_deleted = true;
  EXPECT_FALSE(Lists({}, record));
  EXPECT_TRUE(Lists(with_deleted, record));
  ASSERT_THAT(Write(Wish(On(record, Operation::kUndelete))), IsOk());
  EXPECT_TRUE(Lists({}, record));
}

// Each filterable field: its own value finds the record, NOT of it does not.
TEST_P(Conformance, EveryFilterFindsWhatItSays) {
  const StoredRecord record = Created(4);
  for (const RecordField& field : type().fields()) {
    if (!field.options.filter()) continue;
    const std::vector<Value> values = type().ValuesOf(*record.message, field);
    if (values.empty()) continue;
    std::string text;
    switch (field.kind) {
      case ValueKind::kText:
        for (const char c : values[0].text) {
          if (c == '"' || c == '\\') text.push_back('\\');
          text.push_back(c);
        }
        text = absl::StrCat("\"", text, "\"");
        break;
      case ValueKind::kCode:
      case ValueKind::kDate:
        text = values[0].text;
        break;
      case ValueKind::kInt:
        text = absl::StrCat(values[0].number);
        break;
      case ValueKind::kPoints:
        text = Points::FromUnits(values[0].number).ToString();
        break;
      case ValueKind::kBool:
        text = values[0].number != 0 ? "true" : "false";
        break;
    }
    ListQuery query;
    query.filter = absl::StrCat(field.name(), field.repeated() ? ":" : " = ", text);
    EXPECT_TRUE(Lists(query, record)) << query.filter;
    query.filter = absl::StrCat("NOT ", query.filter);
    EXPECT_FALSE(Lists(query, record)) << query.filter;
  }
}

TEST_P(Conformance, SealedFieldsAreFoundByBlindIndexOnly) {
  const StoredRecord record = Created(5);
  for (const BlindIndexField& blind : type().blind_indexes()) {
    const std::vector<std::string> clear = type().BlindValuesOf(*record.sealed, blind);
    ASSERT_FALSE(clear.empty());
    std::string quoted;
    for (const char c : clear[0]) {
      if (c == '"' || c == '\\') quoted.push_back('\\');
      quoted.push_back(c);
    }
    ListQuery query;
    query.filter = absl::StrCat(blind.filter_name, " = \"", quoted, "\"");
    EXPECT_TRUE(Lists(query, record)) << query.filter;
    query.filter = absl::StrCat(blind.filter_name, " = \"somebody else\"");
    EXPECT_FALSE(Lists(query, record));
  }
}

// what is sealed stands nowhere in the clear.
TEST_P(Conformance, NothingSealedStandsInAnyColumn) {
  std::shared_ptr<Message> message = Make(6);
  std::unique_ptr<Message> sealed = type().TakeSealed(*message);
  if (sealed->ByteSizeLong() == 0) GTEST_SKIP() << "nothing is sealed in this type";
  const StoredRecord record = Created(6);
  const auto fact = store().Admin(
      absl::StrCat("SELECT fact FROM conformance.event WHERE id = '", record.id.ToString(), "'"));
  v1::Fact parsed;
  ASSERT_TRUE(parsed.ParseFromString((*fact)[0].Bytes(0)));
  std::unique_ptr<Message> values = type().New();
  ASSERT_TRUE(values->ParseFromString(parsed.values()));
  EXPECT_EQ(type().TakeSealed(*values)->ByteSizeLong(), 0U);
  const auto stored = store().Admin(absl::StrCat("SELECT message FROM conformance.", type().table(),
                                                 " WHERE id = '", record.id.ToString(), "'"));
  std::unique_ptr<Message> plain = type().New();
  ASSERT_TRUE(plain->ParseFromString((*stored)[0].Bytes(0)));
  EXPECT_EQ(type().TakeSealed(*plain)->ByteSizeLong(), 0U);
}

TEST_P(Conformance, AnswersMaskWhatIsSealed) {
  const StoredRecord record = Created(7);
  if (record.sealed == nullptr) GTEST_SKIP() << "nothing is sealed in this type";
  const v1::Record masked = ToProto(record);
  const v1::Record clear = ToProto(record, /*unmask=*/true);
  EXPECT_NE(masked.record().value(), clear.record().value());
}

// the key destroyed, the fields are gone; the chain still verifies.
TEST_P(Conformance, ErasureLeavesNothingSealedToRead) {
  const StoredRecord record = Created(8);
  ASSERT_THAT(Write(Wish(On(record, Operation::kDelete))), IsOk());
  ASSERT_THAT(Write(Wish(On(record, Operation::kErase))), IsOk());
  const auto read = store()->Get(CallAs(Everybody(kCounty)), record.Name());
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->sealed, nullptr);
  EXPECT_THAT(store()->VerifyEvents(CallAs(Everybody(kCounty)), kCounty), IsOk());
}

TEST_P(Conformance, EveryWriteIsAFactInAGaplessFeed) {
  const StoredRecord record = Created(1);
  ASSERT_THAT(Write(Wish(On(record, Operation::kDelete))), IsOk());
  v1::PullFactsRequest request;
  request.set_county_code(kCounty);
  int64_t expected = 1;
  std::vector<v1::Fact> ours;
  while (true) {
    const auto page = store()->PullFacts(CallAs(Everybody(kCounty)), request);
    ASSERT_THAT(page, IsOk());
    if (page->facts().empty()) break;
    for (const v1::Fact& fact : page->facts()) {
      ASSERT_EQ(fact.seq(), expected++);
      if (fact.id() == record.id.ToString()) ours.push_back(fact);
    }
    request.set_after_seq(page->facts().rbegin()->seq());
  }
  ASSERT_EQ(ours.size(), 2U);
  EXPECT_FALSE(ours[0].tombstone());
  EXPECT_TRUE(ours[1].tombstone());
  EXPECT_EQ(ours[0].area_code(), kVillage);
}

TEST_P(Conformance, ABatchIsAllOrNone) {
  WriteRequest request = CreateWish(1);
  request.changes.push_back(CreateWish(2).changes[0]);
  request.changes.push_back(CreateWish(3).changes[0]);
  const RecordField* area = type().FindField("area_code");
  Message& bad = *request.changes[2].message;
  bad.GetReflection()->SetString(&bad, area->descriptor, "420101001001");
  const size_t before = List({}).size();
  const auto result = store()->WriteAndWait(CallAs(Everybody("42")), request);
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(List({}).size(), before);
  bad.GetReflection()->SetString(&bad, area->descriptor, kVillage);
  ASSERT_THAT(store()->WriteAndWait(CallAs(Everybody(kCounty)), request), IsOk());
  EXPECT_EQ(List({}).size(), before + 3);
}

TEST_P(Conformance, AFieldThatBreaksItsRulesIsNamed) {
  WriteRequest request = CreateWish(1);
  Message& message = *request.changes[0].message;
  const auto* date = type().FindField(type().options().counting_date())->descriptor;
  message.GetReflection()->SetString(&message, date, "2024-02-30");
  const auto result = Write(request);
  ASSERT_THAT(result, HasReason("REASON_FIELD_INVALID"));
  EXPECT_EQ(DetailOf(result.status()).violations.at(0).field,
            absl::StrCat("record.", date->name()));
}

INSTANTIATE_TEST_SUITE_P(EveryType, Conformance, ::testing::ValuesIn([] {
                           std::vector<const RecordType*> types;
                           for (const auto& type : AllTypes().all()) types.push_back(type.get());
                           return types;
                         }()),
                         [](const ::testing::TestParamInfo<const RecordType*>& type) {
                           return type.param->collection();
                         });

}  // namespace
}  // namespace fadu::records
