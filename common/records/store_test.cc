// What the store does beyond one type's conformance: the writer's promises, review, windows, scope,
// audit.

#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/records/store_test_support.h"
#include "common/testing/status_matchers.h"
#include "fadu/fixture/v1/fixture.pb.h"

namespace fadu::records {
namespace {

namespace v1 = ::fadu::common::v1;
namespace fixture = ::fadu::fixture::v1;
using ::testing::HasSubstr;

const RecordTypes& Types() {
  static const RecordTypes* const types =
      RecordTypes::FromDescriptors({fixture::Widget::descriptor()})->release();
  return *types;
}
const RecordType& Widgets() { return *Types().FindByCollection("widgets"); }

Principal VillageClerk(const std::string& village = kVillage) {
  return PrincipalWith({v1::ROLE_VILLAGE_CLERK}, village);
}
Principal TownReviewer(const std::string& town = kTown) {
  return PrincipalWith({v1::ROLE_TOWN_REVIEWER}, town);
}
Principal Auditor() { return PrincipalWith({v1::ROLE_AUDITOR}, kCounty); }

class StoreTest : public ::testing::Test {
 protected:
  explicit StoreTest(std::map<std::string, LockedLaw> locked_laws = {})
      : store_(Types(), {}, /*window=*/7, std::move(locked_laws)) {}

  static fixture::Widget Widget(int salt, const std::string& village = kVillage) {
    fixture::Widget widget;
    widget.set_area_code(village);
    widget.set_made_date("2024-05-01");
    widget.set_title(absl::StrCat("样品", salt));
    widget.set_colour(salt % 2 == 0 ? fixture::COLOUR_RED : fixture::COLOUR_BLUE);
    widget.set_weight(salt);
    widget.set_broken(salt % 10 == 0);
    return widget;
  }

  WriteRequest Create(const fixture::Widget& widget, bool submit = false) {
    Change change;
    change.type = &Widgets();
    change.message = std::make_shared<fixture::Widget>(widget);
    change.submit = submit;
    return Wish(std::move(change));
  }

  WriteRequest Wish(Change change) {
    WriteRequest request;
    request.county = kCounty;
    request.request_id = store_.ids().NewId();
    request.request_hash = "hash";
    request.changes.push_back(std::move(change));
    return request;
  }

  WriteRequest On(const StoredRecord& record, Operation operation,
                  const std::string& comment = "") {
    Change change;
    change.operation = operation;
    change.type = &Widgets();
    change.id = record.id;
    change.comment = comment;
    return Wish(std::move(change));
  }

  absl::StatusOr<StoredRecord> Write(Principal principal, WriteRequest request) {
    const auto result = store_->WriteAndWait(CallAs(std::move(principal)), std::move(request));
    if (!result.ok()) return result.status();
    return result->records.at(0);
  }

  // Every record a query gives, over all its pages; `pages` counts them.
  std::vector<StoredRecord> ListAll(ListQuery query, Principal principal, int* pages = nullptr) {
    query.county = kCounty;
    query.type = &Widgets();
    std::vector<StoredRecord> all;
    do {
      const auto page = store_->List(CallAs(principal), query);
      EXPECT_THAT(page, IsOk());
      if (!page.ok()) break;
      all.insert(all.end(), page->records.begin(), page->records.end());
      query.page_token = page->next_page_token;
      if (pages != nullptr) ++*pages;
    } while (!query.page_token.empty());
    return all;
  }

  void Fill(int count) {
    WriteRequest request = Create(Widget(1));
    request.changes.clear();
    for (int i = 1; i <= count; ++i) request.changes.push_back(Create(Widget(i)).changes[0]);
    ASSERT_THAT(store_->WriteAndWait(CallAs(TownReviewer()), request), IsOk());
  }

  TestStore store_;
};

// ---- review -----------------------------------------------------------------------------------

TEST_F(StoreTest, AVillagesSubmissionWaitsForItsTown) {
  const auto record = Write(VillageClerk(), Create(Widget(1), /*submit=*/true));
  ASSERT_THAT(record, IsOk());
  EXPECT_EQ(record->review_state, v1::REVIEW_STATE_SUBMITTED);
  const auto confirmed = Write(TownReviewer(), On(*record, Operation::kConfirm));
  ASSERT_THAT(confirmed, IsOk());
  EXPECT_EQ(confirmed->review_state, v1::REVIEW_STATE_CONFIRMED);
}

TEST_F(StoreTest, WhatTheConfirmingLevelEntersIsConfirmedOnSubmit) {
  const auto record = Write(TownReviewer(), Create(Widget(1), /*submit=*/true));
  ASSERT_THAT(record, IsOk());
  EXPECT_EQ(record->review_state, v1::REVIEW_STATE_CONFIRMED);
}

TEST_F(StoreTest, AVillageDoesNotConfirmItsOwnRecord) {
  const auto record = Write(VillageClerk(), Create(Widget(1), /*submit=*/true));
  EXPECT_THAT(Write(VillageClerk(), On(*record, Operation::kConfirm)),
              HasReason("REASON_REVIEW_LEVEL_DENIED"));
}

TEST_F(StoreTest, AnotherTownDoesNotSeeItToConfirm) {
  const auto record = Write(VillageClerk(), Create(Widget(1), /*submit=*/true));
  EXPECT_THAT(Write(TownReviewer("421221107"), On(*record, Operation::kConfirm)),
              HasReason("REASON_NOT_FOUND"));
}

TEST_F(StoreTest, SubmittedContentIsNotEditedByTheVillage) {
  const auto record = Write(VillageClerk(), Create(Widget(1), /*submit=*/true));
  WriteRequest edit = On(*record, Operation::kUpdate);
  edit.changes[0].message = std::make_shared<fixture::Widget>(Widget(2));
  EXPECT_THAT(Write(VillageClerk(), edit), HasReason("REASON_CONTENT_LOCKED"));
}

TEST_F(StoreTest, AConfirmedRecordEditedByTheVillageIsConfirmedAgain) {
  const auto record = Write(VillageClerk(), Create(Widget(1), /*submit=*/true));
  ASSERT_THAT(Write(TownReviewer(), On(*record, Operation::kConfirm)), IsOk());
  WriteRequest edit = On(*record, Operation::kUpdate);
  edit.changes[0].message = std::make_shared<fixture::Widget>(Widget(2));
  const auto edited = Write(VillageClerk(), edit);
  ASSERT_THAT(edited, IsOk());
  EXPECT_EQ(edited->review_state, v1::REVIEW_STATE_SUBMITTED);
  EXPECT_EQ(edited->revision, 3);
}

TEST_F(StoreTest, AReturnNeedsACommentAndKeepsIt) {
  const auto record = Write(VillageClerk(), Create(Widget(1), /*submit=*/true));
  EXPECT_THAT(Write(TownReviewer(), On(*record, Operation::kReturn)),
              HasReason("REASON_FIELD_INVALID"));
  const auto returned = Write(TownReviewer(), On(*record, Operation::kReturn, "缺少日期"));
  ASSERT_THAT(returned, IsOk());
  EXPECT_EQ(returned->review_state, v1::REVIEW_STATE_RETURNED);
  EXPECT_EQ(returned->review_comment, "缺少日期");
}

TEST_F(StoreTest, AWithdrawnRecordIsATombstone) {
  const auto record = Write(VillageClerk(), Create(Widget(1), /*submit=*/true));
  ASSERT_THAT(Write(VillageClerk(), On(*record, Operation::kWithdraw)), IsOk());
  v1::PullFactsRequest request;
  request.set_county_code(kCounty);
  const auto facts = store_->PullFacts(CallAs(Auditor()), request);
  ASSERT_THAT(facts, IsOk());
  EXPECT_TRUE(facts->facts().rbegin()->tombstone());
}

// ---- the writer -------------------------------------------------------------------------------

TEST_F(StoreTest, TwentyEqualRequestsAtOnceHaveOneEffect) {
  const WriteRequest request = Create(Widget(1));
  std::vector<std::future<absl::StatusOr<WriteResult>>> answers;
  for (int i = 0; i < 20; ++i) {
    answers.push_back(std::async(
        std::launch::async, [&] { return store_->WriteAndWait(CallAs(TownReviewer()), request); }));
  }
  std::set<Uuid> ids;
  for (auto& answer : answers) {
    const auto result = answer.get();
    ASSERT_THAT(result, IsOk());
    ids.insert(result->records[0].id);
  }
  EXPECT_EQ(ids.size(), 1U);
  EXPECT_EQ(ListAll({}, TownReviewer()).size(), 1U);
}

// An unmasked answer must not be had by repeating the request of someone who may see it.
TEST_F(StoreTest, ARequestIdOfAnotherCallerIsRefused) {
  Principal other = TownReviewer();
  other.subject = "accounts/018f0000-0000-7000-8000-0000000000bb";
  const WriteRequest request = Create(Widget(1));
  ASSERT_THAT(Write(TownReviewer(), request), IsOk());
  EXPECT_THAT(Write(other, request), HasReason("REASON_REQUEST_ID_REUSED"));
  EXPECT_THAT(Write(TownReviewer(), request), IsOk());
}

TEST_F(StoreTest, OfThirtyUpdatesWithOneEtagOneWins) {
  const auto record = Write(TownReviewer(), Create(Widget(1)));
  std::vector<std::future<absl::StatusOr<StoredRecord>>> answers;
  for (int i = 0; i < 30; ++i) {
    WriteRequest edit = On(*record, Operation::kUpdate);
    edit.changes[0].message = std::make_shared<fixture::Widget>(Widget(i + 2));
    edit.changes[0].revision = 1;
    answers.push_back(
        std::async(std::launch::async, [this, edit] { return Write(TownReviewer(), edit); }));
  }
  int won = 0;
  int aborted = 0;
  for (auto& answer : answers) {
    const auto result = answer.get();
    if (result.ok()) ++won;
    if (absl::IsAborted(result.status())) ++aborted;
  }
  EXPECT_EQ(won, 1);
  EXPECT_EQ(aborted, 29);
}

// A statement of one caller that the database refuses must not cost its neighbours anything.
TEST_F(StoreTest, ABadRowNeverFailsItsNeighbours) {
  std::promise<void> gate;
  std::shared_future<void> open = gate.get_future().share();
  // Holds the county's lane, so that all that follows lands in one batch.
  WriteRequest slow = Create(Widget(100));
  slow.decide = [open](LockedView&, std::vector<Change>&) {
    open.wait();
    return absl::OkStatus();
  };
  auto first = std::async(std::launch::async, [&] { return Write(TownReviewer(), slow); });
  std::vector<std::future<absl::StatusOr<StoredRecord>>> answers;
  for (int i = 0; i < 20; ++i) {
    WriteRequest request = Create(Widget(i));
    if (i == 7) {
      request.decide = [](LockedView& view, std::vector<Change>&) {
        return view.sql().Run(db::Statement{"bad", "SELECT 1 / 0"}).status();
      };
    }
    answers.push_back(
        std::async(std::launch::async, [this, request] { return Write(TownReviewer(), request); }));
  }
  gate.set_value();
  ASSERT_THAT(first.get(), IsOk());
  int failed = 0;
  for (size_t i = 0; i < answers.size(); ++i) {
    const auto result = answers[i].get();
    if (!result.ok()) {
      ++failed;
      EXPECT_EQ(i, 7U);
      EXPECT_THAT(result, HasReason("REASON_DATA_REFUSED"));
      EXPECT_THAT(std::string(result.status().message()), ::testing::Not(HasSubstr("division")));
    }
  }
  EXPECT_EQ(failed, 1);
  EXPECT_THAT(store_->VerifyEvents(CallAs(Auditor()), kCounty), IsOk());
}

TEST_F(StoreTest, ADecisionReadsTheRowsUnderTheLock) {
  // A cap of three red widgets, kept by eight callers at once.
  std::vector<std::future<absl::StatusOr<StoredRecord>>> answers;
  for (int i = 0; i < 8; ++i) {
    WriteRequest request = Create(Widget(2 * i));
    request.decide = [](LockedView& view, std::vector<Change>&) -> absl::Status {
      FADU_ASSIGN_OR_RETURN(const std::vector<StoredRecord> red,
                            view.Find(Widgets(), "colour = RED", 10));
      return red.size() < 3 ? absl::OkStatus() : absl::FailedPreconditionError("enough");
    };
    answers.push_back(
        std::async(std::launch::async, [this, request] { return Write(TownReviewer(), request); }));
  }
  int made = 0;
  for (auto& answer : answers) made += answer.get().ok() ? 1 : 0;
  EXPECT_EQ(made, 3);
}

TEST_F(StoreTest, WhatARefusedDecisionWroteIsUndone) {
  WriteRequest refused = Create(Widget(1));
  refused.decide = [](LockedView& view, std::vector<Change>&) -> absl::Status {
    FADU_RETURN_IF_ERROR(view.sql()
                             .Execute(db::Statement{"spoil",
                                                    "UPDATE counter SET head = 'x' "
                                                    "WHERE county_code = '421221'"})
                             .status());
    return absl::FailedPreconditionError("no");
  };
  ASSERT_THAT(Write(TownReviewer(), Create(Widget(0))), IsOk());
  EXPECT_THAT(Write(TownReviewer(), refused), StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_THAT(Write(TownReviewer(), Create(Widget(2))), IsOk());
  EXPECT_THAT(store_->VerifyEvents(CallAs(Auditor()), kCounty), IsOk());
}

// A type whose law reads the county's rows: at most three red widgets, and none is deleted.
class LockedLawTest : public StoreTest {
 protected:
  LockedLawTest()
      : StoreTest(
            {{Widgets().full_name(),
              [](LockedView& view, const Uuid& id, const google::protobuf::Message*,
                 google::protobuf::Message& after, const LawContext& context) -> absl::Status {
                if (context.operation == Operation::kDelete) {
                  return absl::FailedPreconditionError("kept");
                }
                auto& widget = static_cast<fixture::Widget&>(after);
                if (widget.colour() != fixture::COLOUR_RED) return absl::OkStatus();
                FADU_ASSIGN_OR_RETURN(const std::vector<StoredRecord> red,
                                      view.Find(Widgets(), "colour = RED", 10));
                int others = 0;
                for (const StoredRecord& record : red) others += record.id == id ? 0 : 1;
                widget.set_title(absl::StrCat("红", others + 1));
                return others < 3 ? absl::OkStatus() : absl::FailedPreconditionError("enough");
              }}}) {}

  absl::StatusOr<WriteResult> Batch(const std::vector<int>& salts) {
    WriteRequest request = Create(Widget(salts[0]));
    for (size_t i = 1; i < salts.size(); ++i) {
      request.changes.push_back(Create(Widget(salts[i])).changes[0]);
    }
    return store_->WriteAndWait(CallAs(TownReviewer()), request);
  }
};

TEST_F(LockedLawTest, HoldsForEveryWriterAndSetsTheRecord) {
  for (int i = 1; i <= 3; ++i) {
    const auto made = Write(TownReviewer(), Create(Widget(2 * i)));
    ASSERT_THAT(made, IsOk());
    EXPECT_EQ(static_cast<const fixture::Widget&>(*made->message).title(), absl::StrCat("红", i));
  }
  EXPECT_THAT(Write(TownReviewer(), Create(Widget(8))),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

// A law that reads the county's rows would otherwise tell of those in areas that are not the
// caller's.
TEST_F(LockedLawTest, IsNotAskedAboutAnAreaThatIsNotTheCallers) {
  ASSERT_THAT(Batch({2, 4, 6}), IsOk());
  const auto record = Write(VillageClerk(), Create(Widget(1)));
  ASSERT_THAT(record, IsOk());
  WriteRequest move = On(*record, Operation::kUpdate);
  move.changes[0].message = std::make_shared<fixture::Widget>(Widget(8, kOtherVillage));
  EXPECT_THAT(Write(VillageClerk(), move), HasReason("REASON_AREA_DENIED"));
}

TEST_F(LockedLawTest, SeesTheEarlierChangesOfItsOwnBatchAndUndoesThemAll) {
  // The fourth red widget of one batch is one too many: none of the batch is written.
  EXPECT_THAT(Batch({2, 4, 6, 8}), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_TRUE(ListAll({}, TownReviewer()).empty());
  ASSERT_THAT(Batch({2, 4, 6}), IsOk());
  EXPECT_EQ(ListAll({}, TownReviewer()).size(), 3U);
  EXPECT_THAT(store_->VerifyEvents(CallAs(Auditor()), kCounty), IsOk());
}

TEST_F(LockedLawTest, MayForbidAMoveThatKeepsTheContent) {
  const auto made = Write(TownReviewer(), Create(Widget(1)));
  ASSERT_THAT(made, IsOk());
  Change change;
  change.operation = Operation::kDelete;
  change.type = &Widgets();
  change.id = made->id;
  EXPECT_THAT(Write(TownReviewer(), Wish(change)), StatusIs(absl::StatusCode::kFailedPrecondition));
}

// A type whose law brings another change about: a blue widget that names another in its title turns
// that one blue too, whoever may write it.
class FollowingTest : public StoreTest {
 protected:
  FollowingTest()
      : StoreTest({{Widgets().full_name(),
                    [](LockedView& view, const Uuid&, const google::protobuf::Message*,
                       google::protobuf::Message& after, const LawContext&) -> absl::Status {
                      const auto& widget = static_cast<fixture::Widget&>(after);
                      const auto other = Uuid::Parse(widget.title());
                      if (widget.colour() != fixture::COLOUR_BLUE || !other.ok()) {
                        return absl::OkStatus();
                      }
                      Change change;
                      change.operation = Operation::kUpdate;
                      change.type = &Widgets();
                      change.id = *other;
                      auto blue = std::make_shared<fixture::Widget>();
                      blue->set_colour(fixture::COLOUR_BLUE);
                      blue->set_weight(widget.weight());
                      change.message = blue;
                      change.mask = {"colour", "weight"};
                      change.comment = "followed";
                      return view.Also(change);
                    }}}) {}

  // A confirmed red widget of another village.
  StoredRecord Red() {
    return *Write(TownReviewer(), Create(Widget(2, kOtherVillage), /*submit=*/true));
  }
  WriteRequest BlueNaming(const StoredRecord& other, int weight) {
    fixture::Widget widget = Widget(1);
    widget.set_title(other.id.ToString());
    widget.set_weight(weight);
    return Create(widget);
  }
  fixture::Widget Now(const StoredRecord& record) {
    fixture::Widget widget;
    widget.CopyFrom(*store_->Get(CallAs(TownReviewer()), record.Name())->message);
    return widget;
  }
};

TEST_F(FollowingTest, WhatFollowsIsWrittenWithWhatItFollowsFrom) {
  const StoredRecord red = Red();
  const auto written = store_->WriteAndWait(CallAs(VillageClerk()), BlueNaming(red, 30));
  ASSERT_THAT(written, IsOk());
  EXPECT_EQ(written->records.size(), 1U);
  EXPECT_EQ(Now(red).colour(), fixture::COLOUR_BLUE);
  EXPECT_EQ(Now(red).weight(), 30);
  // The village may not even see it; it stays as it was reviewed.
  const auto read = store_->Get(CallAs(TownReviewer()), red.Name());
  EXPECT_EQ(read->review_state, v1::REVIEW_STATE_CONFIRMED);
  EXPECT_EQ(read->revision, 2);
  v1::ListEventsRequest request;
  request.set_parent("counties/421221");
  const auto events = store_->ListEvents(CallAs(Auditor()), request);
  ASSERT_EQ(events->events_size(), 3);
  EXPECT_FALSE(events->events(1).entry().follows());
  EXPECT_TRUE(events->events(2).entry().follows());
  EXPECT_EQ(events->events(2).entry().comment(), "followed");
  EXPECT_THAT(store_->VerifyEvents(CallAs(Auditor()), kCounty), IsOk());
}

// What follows is known only under the lock: such a type is never foreseen and written in one trip,
// alone or beside other changes (ADR 25).
TEST_F(FollowingTest, IsDecidedUnderTheLockAndNeverInOneTrip) {
  const StoredRecord red = Red();
  ASSERT_THAT(store_->WriteAndWait(CallAs(VillageClerk()), BlueNaming(red, 30)), IsOk());
  WriteRequest both = BlueNaming(red, 40);
  both.changes.push_back(Create(Widget(5)).changes[0]);
  ASSERT_THAT(store_->WriteAndWait(CallAs(VillageClerk()), both), IsOk());
  EXPECT_EQ(store_->writer().stats().trips, 0);
  EXPECT_EQ(store_->writer().stats().refused_trips, 0);
  EXPECT_EQ(store_->writer().stats().looks, 3);
  EXPECT_EQ(Now(red).weight(), 40);
}

TEST_F(FollowingTest, ARepeatedRequestIsAnsweredWithWhatWasAskedOnly) {
  const StoredRecord red = Red();
  const WriteRequest request = BlueNaming(red, 30);
  ASSERT_THAT(store_->WriteAndWait(CallAs(TownReviewer()), request), IsOk());
  const auto again = store_->WriteAndWait(CallAs(TownReviewer()), request);
  ASSERT_THAT(again, IsOk());
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->records.size(), 1U);
  EXPECT_EQ(again->last_seq, 3);
  EXPECT_EQ(store_->Get(CallAs(TownReviewer()), red.Name())->revision, 2);
}

// What it would change is deleted: neither is written.
TEST_F(FollowingTest, IfWhatFollowsIsRefusedSoIsWhatItFollowsFrom) {
  const StoredRecord red = Red();
  ASSERT_THAT(Write(TownReviewer(), On(red, Operation::kDelete)), IsOk());
  EXPECT_THAT(store_->WriteAndWait(CallAs(TownReviewer()), BlueNaming(red, 30)),
              HasReason("REASON_REVIEW_STATE_DENIED"));
  EXPECT_TRUE(ListAll({}, TownReviewer()).empty());
}

TEST_F(FollowingTest, ARefusalNamesTheCallersOwnItem) {
  const StoredRecord red = Red();
  WriteRequest request = BlueNaming(red, 30);
  request.changes.push_back(BlueNaming(red, 31).changes[0]);
  fixture::Widget bad = Widget(3);
  bad.set_area_code("420101001001");
  request.changes.push_back(Create(bad).changes[0]);
  const auto refused =
      store_->WriteAndWait(CallAs(PrincipalWith({v1::ROLE_TOWN_REVIEWER}, "42")), request);
  EXPECT_EQ(DetailOf(refused.status()).metadata.at("item"), "2");
  EXPECT_EQ(Now(red).colour(), fixture::COLOUR_RED);
}

TEST_F(StoreTest, ADeadlineThatPassedWroteNothing) {
  CallContext call = CallAs(TownReviewer());
  call.deadline = absl::Now() - absl::Seconds(1);
  EXPECT_THAT(store_->WriteAndWait(call, Create(Widget(1))),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_TRUE(ListAll({}, TownReviewer()).empty());
}

TEST_F(StoreTest, AQueuedCallersDeadlineIsToldWhileTheLaneIsHeld) {
  std::promise<void> gate;
  std::shared_future<void> open = gate.get_future().share();
  std::promise<void> held;
  WriteRequest slow = Create(Widget(1));
  slow.decide = [open, &held](LockedView&, std::vector<Change>&) {
    held.set_value();
    open.wait();
    return absl::OkStatus();
  };
  auto first = std::async(std::launch::async, [&] { return Write(TownReviewer(), slow); });
  held.get_future().wait();
  CallContext call = CallAs(TownReviewer());
  call.deadline = absl::Now() + absl::Milliseconds(100);
  // Answered while the lane is still held, or this would wait for ever.
  EXPECT_THAT(store_->WriteAndWait(call, Create(Widget(2))),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  gate.set_value();
  ASSERT_THAT(first.get(), IsOk());
  EXPECT_EQ(ListAll({}, TownReviewer()).size(), 1U);
}

TEST_F(StoreTest, AKilledBackendIsNotNoticedByCallers) {
  ASSERT_THAT(Write(TownReviewer(), Create(Widget(1))), IsOk());
  ASSERT_THAT(store_.Admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                           "WHERE usename = 'fadu_conformance'"),
              IsOk());
  EXPECT_THAT(Write(TownReviewer(), Create(Widget(2))), IsOk());
  EXPECT_EQ(ListAll({}, TownReviewer()).size(), 2U);
}

// ---- lists ------------------------------------------------------------------------------------

TEST_F(StoreTest, AWindowedListIsCompleteOverItsShortPages) {
  Fill(40);  // windows of seven
  ListQuery query;
  query.filter = "broken = true";  // no index: 10, 20, 30, 40
  query.page_size = 3;
  int pages = 0;
  const std::vector<StoredRecord> found = ListAll(query, TownReviewer(), &pages);
  EXPECT_EQ(found.size(), 4U);
  EXPECT_GT(pages, 2);
}

TEST_F(StoreTest, PagesHoldEachRecordOnceNewestFirst) {
  Fill(25);
  ListQuery query;
  query.page_size = 10;
  const std::vector<StoredRecord> found = ListAll(query, TownReviewer());
  ASSERT_EQ(found.size(), 25U);
  for (size_t i = 1; i < found.size(); ++i) EXPECT_GT(found[i - 1].id, found[i].id);
}

TEST_F(StoreTest, OrderByAnIndexedFieldGoesThroughItsPages) {
  Fill(25);
  ListQuery query;
  query.page_size = 4;
  query.order_by = "weight";
  const std::vector<StoredRecord> found = ListAll(query, TownReviewer());
  ASSERT_EQ(found.size(), 25U);
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(static_cast<const fixture::Widget&>(*found[i].message).weight(),
              static_cast<int>(i + 1));
  }
}

TEST_F(StoreTest, APageTokenBelongsToItsQuery) {
  Fill(10);
  ListQuery query;
  query.county = kCounty;
  query.type = &Widgets();
  query.page_size = 3;
  const auto page = store_->List(CallAs(TownReviewer()), query);
  ASSERT_THAT(page, IsOk());
  query.page_token = page->next_page_token;
  query.filter = "colour = RED";
  EXPECT_THAT(store_->List(CallAs(TownReviewer()), query), HasReason("REASON_PAGE_TOKEN_INVALID"));
  query.filter.clear();
  query.page_token[5] = query.page_token[5] == 'A' ? 'B' : 'A';
  EXPECT_THAT(store_->List(CallAs(TownReviewer()), query), HasReason("REASON_PAGE_TOKEN_INVALID"));
}

// ---- organisations -----------------------------------------------------------------------------

constexpr char kOurs[] = "018f0000-0000-7000-8000-00000000000a";
constexpr char kTheirs[] = "018f0000-0000-7000-8000-00000000000b";

// May write for one organisation of the town, and read its records.
Principal ClerkOf(const std::string& organisation) {
  Principal clerk = PrincipalWith({v1::ROLE_TOWN_CLERK}, kTown);
  clerk.subject = absl::StrCat("accounts/", organisation);
  clerk.grants[0].organisation = organisation;
  return clerk;
}

fixture::Widget Owned(fixture::Widget widget, const std::string& organisation) {
  widget.set_organisation_id(organisation);
  return widget;
}

TEST_F(StoreTest, AGrantForAnOrganisationWritesItsRecordsOnly) {
  EXPECT_THAT(Write(ClerkOf(kOurs), Create(Owned(Widget(1), kOurs))), IsOk());
  EXPECT_THAT(Write(ClerkOf(kOurs), Create(Owned(Widget(1), kTheirs))),
              HasReason("REASON_ORGANISATION_DENIED"));
  EXPECT_THAT(Write(ClerkOf(kOurs), Create(Widget(1))), HasReason("REASON_ORGANISATION_DENIED"));
  EXPECT_THAT(Write(ClerkOf(kOurs), Create(Owned(Widget(1, "421221107200"), kOurs))),
              HasReason("REASON_AREA_DENIED"));
}

TEST_F(StoreTest, AGrantForAnOrganisationReadsItsRecordsOnly) {
  const auto ours = Write(TownReviewer(), Create(Owned(Widget(1), kOurs)));
  const auto theirs = Write(TownReviewer(), Create(Owned(Widget(2), kTheirs)));
  const auto nobodys = Write(TownReviewer(), Create(Widget(3)));
  ASSERT_THAT(ours, IsOk());
  EXPECT_THAT(store_->Get(CallAs(ClerkOf(kOurs)), ours->Name()), IsOk());
  EXPECT_THAT(store_->Get(CallAs(ClerkOf(kOurs)), theirs->Name()), HasReason("REASON_NOT_FOUND"));
  EXPECT_THAT(store_->Get(CallAs(ClerkOf(kOurs)), nobodys->Name()), HasReason("REASON_NOT_FOUND"));
  ListQuery query;
  query.county = kCounty;
  query.type = &Widgets();
  const auto listed = [&](const Principal& principal) {
    const auto page = store_->List(CallAs(principal), query);
    EXPECT_THAT(page, IsOk());
    return page.ok() ? page->records.size() : 99;
  };
  EXPECT_EQ(listed(ClerkOf(kOurs)), 1U);
  EXPECT_EQ(listed(TownReviewer()), 3U);
  query.area = kVillage;
  EXPECT_EQ(listed(ClerkOf(kOurs)), 1U);
  query.area = kOtherVillage;
  EXPECT_EQ(listed(ClerkOf(kOurs)), 0U);
  v1::ListRecordRevisionsRequest history;
  history.set_name(ours->Name());
  EXPECT_EQ(store_->ListRevisions(CallAs(ClerkOf(kOurs)), history)->revisions_size(), 1);
  history.set_name(theirs->Name());
  EXPECT_THAT(store_->ListRevisions(CallAs(ClerkOf(kOurs)), history),
              HasReason("REASON_NOT_FOUND"));
}

TEST_F(StoreTest, AGrantForAnOrganisationNeitherTakesNorGivesRecordsAway) {
  const auto ours = Write(ClerkOf(kOurs), Create(Owned(Widget(1), kOurs)));
  const auto theirs = Write(ClerkOf(kTheirs), Create(Owned(Widget(2), kTheirs)));
  ASSERT_THAT(ours, IsOk());
  ASSERT_THAT(theirs, IsOk());
  const auto update = [&](const StoredRecord& record, const std::string& organisation) {
    Change change;
    change.operation = Operation::kUpdate;
    change.type = &Widgets();
    change.id = record.id;
    change.message = std::make_shared<fixture::Widget>(Owned({}, organisation));
    change.mask = {"organisation_id"};
    return Write(ClerkOf(kOurs), Wish(std::move(change)));
  };
  EXPECT_THAT(update(*ours, kTheirs), HasReason("REASON_ORGANISATION_DENIED"));
  EXPECT_THAT(update(*theirs, kOurs), HasReason("REASON_NOT_FOUND"));
  EXPECT_THAT(update(*ours, kOurs), IsOk());
}

TEST_F(StoreTest, AGrantForRecordTypesIsForThose) {
  Principal clerk = PrincipalWith({v1::ROLE_TOWN_CLERK}, kTown);
  clerk.grants[0].collections = {"gadgets"};
  EXPECT_THAT(Write(clerk, Create(Widget(1))), HasReason("REASON_ROLE_DENIED"));
  const auto written = Write(TownReviewer(), Create(Widget(1)));
  ASSERT_THAT(written, IsOk());
  EXPECT_THAT(store_->Get(CallAs(clerk), written->Name()), HasReason("REASON_NOT_FOUND"));
  ListQuery query;
  query.county = kCounty;
  query.type = &Widgets();
  EXPECT_THAT(store_->List(CallAs(clerk), query), HasReason("REASON_ROLE_DENIED"));
  clerk.grants[0].collections = {"gadgets", "widgets"};
  EXPECT_THAT(Write(clerk, Create(Widget(2))), IsOk());
  EXPECT_THAT(store_->Get(CallAs(clerk), written->Name()), IsOk());
}

// A reviewer of one organisation who also reads all others confirms no more for it.
TEST_F(StoreTest, ConfirmingIsLimitedToTheOrganisationToo) {
  const auto submitted = Write(VillageClerk(), Create(Owned(Widget(1), kTheirs), /*submit=*/true));
  ASSERT_THAT(submitted, IsOk());
  Principal both = PrincipalWith({v1::ROLE_TOWN_CLERK, v1::ROLE_TOWN_REVIEWER}, kTown);
  both.grants[1].organisation = kOurs;
  Change confirm;
  confirm.operation = Operation::kConfirm;
  confirm.type = &Widgets();
  confirm.id = submitted->id;
  EXPECT_THAT(Write(both, Wish(confirm)), HasReason("REASON_REVIEW_LEVEL_DENIED"));
  both.grants[1].organisation = kTheirs;
  EXPECT_THAT(Write(both, Wish(confirm)), IsOk());
}

// ---- the second wall --------------------------------------------------------------------------

TEST_F(StoreTest, WithoutAScopeNoRowIsSeen) {
  ASSERT_THAT(Write(TownReviewer(), Create(Widget(1))), IsOk());
  for (const char* table : {"widget", "event", "counter"}) {
    const auto rows = store_.AsService(db::Scope{}, absl::StrCat("SELECT 1 FROM ", table));
    ASSERT_THAT(rows, IsOk());
    EXPECT_TRUE(rows->empty()) << table;
  }
}

TEST_F(StoreTest, RowLevelSecurityAloneKeepsAreasApart) {
  ASSERT_THAT(Write(TownReviewer(), Create(Widget(1, kVillage))), IsOk());
  ASSERT_THAT(Write(TownReviewer(), Create(Widget(2, kOtherVillage))), IsOk());
  const auto rows =
      store_.AsService(db::Scope{{kCounty}, {kVillage}}, "SELECT area_code FROM widget");
  ASSERT_THAT(rows, IsOk());
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ((*rows)[0].Text(0), kVillage);
  EXPECT_TRUE(store_.AsService(db::Scope{{"420101"}, {kVillage}}, "SELECT 1 FROM widget")->empty());
}

// Nobody locks, or makes the counter of, a county where it has nothing to say.
TEST_F(StoreTest, AnotherCountysWriterIsNotReached) {
  WriteRequest elsewhere = Create(Widget(1));
  elsewhere.county = "421222";
  EXPECT_THAT(Write(TownReviewer(), elsewhere), HasReason("REASON_AREA_DENIED"));
  WriteRequest change = Create(Widget(1));
  change.county = "421222";
  change.changes[0].operation = Operation::kDelete;
  change.changes[0].id = store_.ids().NewId();
  EXPECT_THAT(Write(TownReviewer(), change), HasReason("REASON_NOT_FOUND"));
  EXPECT_TRUE(store_.Admin("SELECT 1 FROM conformance.counter")->empty());
}

// the log is append-only by grant.
TEST_F(StoreTest, TheServiceCannotChangeTheEventLog) {
  ASSERT_THAT(Write(TownReviewer(), Create(Widget(1))), IsOk());
  const db::Scope scope = db::Scope::WholeCounty(kCounty);
  EXPECT_FALSE(store_.AsService(scope, "UPDATE event SET revision = 2").ok());
  EXPECT_FALSE(store_.AsService(scope, "DELETE FROM event").ok());
  EXPECT_FALSE(store_.AsService(scope, "DELETE FROM widget").ok());
}

TEST_F(StoreTest, AChangedEventBreaksTheChainAtItsPlace) {
  for (int i = 0; i < 5; ++i) ASSERT_THAT(Write(TownReviewer(), Create(Widget(i))), IsOk());
  ASSERT_THAT(
      store_.Admin("UPDATE conformance.event SET entry = entry || '\\x00'::bytea WHERE seq = 3"),
      IsOk());
  const auto verified = store_->VerifyEvents(CallAs(Auditor()), kCounty);
  ASSERT_THAT(verified, HasReason("REASON_INTEGRITY_BROKEN"));
  EXPECT_THAT(DetailOf(verified.status()).metadata.at("where"), HasSubstr("第 3 条"));
}

TEST_F(StoreTest, AMissingEventIsFound) {
  for (int i = 0; i < 5; ++i) ASSERT_THAT(Write(TownReviewer(), Create(Widget(i))), IsOk());
  ASSERT_THAT(store_.Admin("DELETE FROM conformance.event WHERE seq = 5"), IsOk());
  EXPECT_THAT(store_->VerifyEvents(CallAs(Auditor()), kCounty),
              HasReason("REASON_INTEGRITY_BROKEN"));
}

TEST_F(StoreTest, SealedBytesDoNotOpenInAnotherRow) {
  fixture::Widget one = Widget(1);
  one.add_people()->set_name("示例甲");
  fixture::Widget two = Widget(2);
  two.add_people()->set_name("示例乙");
  const auto first = Write(TownReviewer(), Create(one));
  const auto second = Write(TownReviewer(), Create(two));
  ASSERT_THAT(
      store_.Admin(absl::StrCat(
          "UPDATE conformance.widget SET (sealed, record_key) = (SELECT sealed, record_key FROM "
          "conformance.widget WHERE id = '",
          first->id.ToString(), "') WHERE id = '", second->id.ToString(), "'")),
      IsOk());
  EXPECT_THAT(store_->Get(CallAs(TownReviewer()), second->Name()),
              HasReason("REASON_INTEGRITY_BROKEN"));
}

TEST_F(StoreTest, ARequestIsNotAnsweredAgainWhereTheCallerHasNothingToSayAnyMore) {
  const auto record = Write(VillageClerk(), Create(Widget(1)));
  const WriteRequest wish = On(*record, Operation::kDelete);
  ASSERT_THAT(Write(VillageClerk(), wish), IsOk());
  EXPECT_THAT(Write(VillageClerk(kOtherVillage), wish), HasReason("REASON_NOT_FOUND"));
}

// A second look is a second entry; only an answer that was lost is given again without one.
TEST_F(StoreTest, AnUnmaskingIsAnsweredAgainForTenMinutes) {
  const auto record = Write(TownReviewer(), Create(Widget(1)));
  const WriteRequest look = On(*record, Operation::kUnmask, "核对身份");
  CallContext call = CallAs(TownReviewer());
  ASSERT_THAT(store_->WriteAndWait(call, look), IsOk());
  call.now += absl::Minutes(10);
  EXPECT_THAT(store_->WriteAndWait(call, look), IsOk());
  call.now += absl::Microseconds(1);
  EXPECT_THAT(store_->WriteAndWait(call, look), HasReason("REASON_REQUEST_ID_REUSED"));
}

TEST_F(StoreTest, OnlyReadersSeeInClear) {
  const auto record = Write(TownReviewer(), Create(Widget(1)));
  EXPECT_THAT(Write(PrincipalWith({v1::ROLE_DEPARTMENT}, kCounty),
                    On(*record, Operation::kUnmask, "核对身份")),
              HasReason("REASON_NOT_FOUND"));
}

// a digest of a body with an identity number in it, tried out offline, would tell the number.
TEST_F(StoreTest, RequestsAreKnownAgainByAKeyedDigest) {
  const WriteRequest wish = Create(Widget(1));
  ASSERT_THAT(Write(TownReviewer(), wish), IsOk());
  const auto rows = store_.Admin("SELECT request_hash FROM conformance.event");
  ASSERT_THAT(rows, IsOk());
  const std::string stored = (*rows)[0].Bytes(0);
  EXPECT_NE(stored, wish.request_hash);
  EXPECT_EQ(stored, Sealer(std::string(32, 'k'))
                        .RequestMac(absl::StrCat(TownReviewer().subject, "\n", wish.request_hash)));
}

TEST_F(StoreTest, AnUnmaskingIsAnEventWithItsPurpose) {
  fixture::Widget widget = Widget(1);
  widget.add_people()->set_name("示例甲");
  const auto record = Write(TownReviewer(), Create(widget));
  ASSERT_THAT(Write(TownReviewer(), On(*record, Operation::kUnmask, "核对身份")), IsOk());
  v1::ListEventsRequest request;
  request.set_parent("counties/421221");
  const auto events = store_->ListEvents(CallAs(Auditor()), request);
  ASSERT_THAT(events, IsOk());
  ASSERT_EQ(events->events_size(), 2);
  EXPECT_EQ(events->events(1).entry().operation(), "unmask");
  EXPECT_EQ(events->events(1).entry().comment(), "核对身份");
}

// ---- the tables -------------------------------------------------------------------------------

TEST_F(StoreTest, SyncingTheTablesAgainChangesNothing) {
  ASSERT_THAT(Write(TownReviewer(), Create(Widget(1))), IsOk());
  EXPECT_THAT(SyncRecordTables(store_.admin_dsn(), "conformance", "fadu_conformance", Types()),
              IsOk());
  EXPECT_EQ(ListAll({}, TownReviewer()).size(), 1U);
}

TEST_F(StoreTest, AColumnThatCameLaterIsFilledFromTheMessages) {
  ASSERT_THAT(Write(TownReviewer(), Create(Widget(12))), IsOk());
  ASSERT_THAT(store_.Admin("DROP VIEW conformance.widget_view"), IsOk());
  ASSERT_THAT(store_.Admin("CREATE VIEW conformance.widget_view AS SELECT 1 AS one"), IsOk());
  ASSERT_THAT(
      store_.Admin("ALTER TABLE conformance.widget DROP COLUMN weight, DROP COLUMN stripes"),
      IsOk());
  ASSERT_THAT(SyncRecordTables(store_.admin_dsn(), "conformance", "fadu_conformance", Types()),
              IsOk());
  ListQuery query;
  query.filter = "weight = 12";
  EXPECT_EQ(ListAll(query, TownReviewer()).size(), 1U);
}

// S-26 and the issue: on 100,000 rows, as the service's role under row-level security, every filter
// on an indexed column uses its index.
TEST_F(StoreTest, EveryIndexedFilterUsesItsIndexOnAHundredThousandRows) {
  fixture::Widget widget = Widget(1);
  const std::string bytes = Hex(widget.SerializeAsString());
  ASSERT_THAT(
      store_.Admin(absl::StrCat(
          "INSERT INTO conformance.widget (county_code, id, revision, area_code, counted_on, "
          "review_state, created_at, updated_at, message, title, colour, stripes, weight, broken, "
          "price_e4, sold_date, people_phone_blind) SELECT '421221', "
          "('018f0000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, 1, "
          "'421221106' || lpad((200 + i % 13)::text, 3, '0'), date '2024-01-01' + i % 366, "
          "'CONFIRMED', "
          "timestamptz '2024-01-01', timestamptz '2024-01-01', '\\x",
          bytes,
          "'::bytea, '样品' || i, CASE WHEN i % 50 = 0 THEN 'BLUE' ELSE 'RED' END, '{}', i % 1000, "
          "false, 0, NULL, '{}' FROM generate_series(1, 100000) AS i")),
      IsOk());
  ASSERT_THAT(store_.Admin("ANALYZE conformance.widget"), IsOk());
  const struct {
    const char* predicate;
    const char* index;
  } cases[] = {{"title = '样品77'", "widget_title_idx"},
               {"colour = 'BLUE'", "widget_colour_idx"},
               {"weight = 500", "widget_weight_idx"},
               {"weight >= 998", "widget_weight_idx"},
               {"counted_on = date '2024-05-05'", "widget_counted_on_idx"},
               {"counted_on >= date '2024-12-30'", "widget_counted_on_idx"},
               {"area_code >= '421221106207' AND area_code < '421221106208'", "widget_area_idx"}};
  for (const auto& [predicate, index] : cases) {
    const auto plan = store_.AsService(
        db::Scope::WholeCounty(kCounty),
        absl::StrCat(
            "EXPLAIN SELECT id FROM widget WHERE county_code = '421221' AND deleted_at IS NULL "
            "AND (",
            predicate, ") ORDER BY id DESC LIMIT 51"));
    ASSERT_THAT(plan, IsOk());
    std::string text;
    for (const db::Row& row : *plan) absl::StrAppend(&text, row.Text(0), "\n");
    EXPECT_THAT(text, HasSubstr(index)) << predicate;
    EXPECT_THAT(text, HasSubstr("Index Cond")) << predicate;
  }
}

}  // namespace
}  // namespace fadu::records
