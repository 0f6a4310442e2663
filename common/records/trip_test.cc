// Recording in one round trip: what it assumes, what becomes of it when that does not hold, and
// that nobody can tell it from recording after a look.

#include <atomic>
#include <future>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "common/records/store_test_support.h"
#include "common/testing/status_matchers.h"
#include "fadu/fixture/v1/fixture.pb.h"

namespace fadu::records {
namespace {

namespace v1 = ::fadu::common::v1;
namespace fixture = ::fadu::fixture::v1;
using ::testing::ElementsAre;
using Answer = absl::StatusOr<WriteResult>;

const RecordTypes& Types() {
  static const RecordTypes* const types =
      RecordTypes::FromDescriptors({fixture::Widget::descriptor()})->release();
  return *types;
}
const RecordType& Widgets() { return *Types().FindByCollection("widgets"); }

Principal TownReviewer() { return PrincipalWith({v1::ROLE_TOWN_REVIEWER}, kTown); }
Principal Auditor() { return PrincipalWith({v1::ROLE_AUDITOR}, kCounty); }

fixture::Widget Widget(int salt) {
  fixture::Widget widget;
  widget.set_area_code(kVillage);
  widget.set_made_date("2024-05-01");
  widget.set_title(absl::StrCat("样品", salt));
  widget.set_colour(fixture::COLOUR_RED);
  widget.set_weight(salt);
  widget.add_people()->set_name(absl::StrCat("示例", salt));
  return widget;
}

Change Creation(int salt) {
  Change change;
  change.type = &Widgets();
  change.message = std::make_shared<fixture::Widget>(Widget(salt));
  return change;
}

Change On(const Uuid& id, Operation operation) {
  Change change;
  change.operation = operation;
  change.type = &Widgets();
  change.id = id;
  if (operation == Operation::kReturn) change.comment = "缺少日期";
  return change;
}

Change Weighing(const Uuid& id, int weight) {
  Change change = On(id, Operation::kUpdate);
  change.message = std::make_shared<fixture::Widget>(Widget(weight));
  change.mask = {"weight"};
  return change;
}

int WeightOf(const StoredRecord& record) {
  return static_cast<const fixture::Widget&>(*record.message).weight();
}

class TripTest : public ::testing::Test {
 protected:
  explicit TripTest(bool trips = true) : store_(Types(), {}, 5000, {}, trips) {}

  WriteRequest Wish(std::vector<Change> changes) {
    WriteRequest request;
    request.county = kCounty;
    request.request_id = store_.ids().NewId();
    request.request_hash = "hash";
    request.changes = std::move(changes);
    return request;
  }
  WriteRequest Wish(Change change) { return Wish(std::vector<Change>{std::move(change)}); }

  std::future<Answer> Start(Store& store, WriteRequest request) {
    // shared_ptr: std::function must be copyable.
    auto answer = std::make_shared<std::promise<Answer>>();
    std::future<Answer> future = answer->get_future();
    store.Write(CallAs(TownReviewer()), std::move(request),
                [answer](Answer result) { answer->set_value(std::move(result)); });
    return future;
  }

  Answer Write(WriteRequest request) {
    return store_->WriteAndWait(CallAs(TownReviewer()), std::move(request));
  }
  StoredRecord Written(Change change) {
    const Answer answer = Write(Wish(std::move(change)));
    EXPECT_THAT(answer, IsOk());
    return answer.ok() ? answer->records.at(0) : StoredRecord();
  }

  // Answers of wishes that lie in the queue together, in this order, when the writer comes to them.
  std::vector<Answer> Together(std::vector<WriteRequest> requests) {
    std::promise<void> gate, held;
    WriteRequest holder = Wish(Creation(0));
    holder.validate_only = true;
    holder.decide = [open = gate.get_future().share(), &held](LockedView&, std::vector<Change>&) {
      held.set_value();
      open.wait();
      return absl::OkStatus();
    };
    std::future<Answer> first = Start(*store_, std::move(holder));
    held.get_future().wait();
    std::vector<std::future<Answer>> futures;
    for (WriteRequest& request : requests) futures.push_back(Start(*store_, std::move(request)));
    gate.set_value();
    EXPECT_THAT(first.get(), IsOk());
    std::vector<Answer> answers;
    for (auto& future : futures) answers.push_back(future.get());
    return answers;
  }

  db::GroupWriter::Stats Stats() { return store_->writer().stats(); }

  // The county's events, when each is there once and their chain holds.
  int64_t Events() {
    const auto verified = store_->VerifyEvents(CallAs(Auditor()), kCounty);
    EXPECT_THAT(verified, IsOk());
    return verified.ok() ? verified->events() : -1;
  }
  int64_t Records() {
    const auto rows = store_.Admin("SELECT count(*)::text FROM conformance.widget");
    return rows.ok() ? (*rows)[0].Int(0) : -1;
  }

  TestStore store_;
};

// ---- which way ---------------------------------------------------------------------------------

TEST_F(TripTest, TheFirstBatchOfACountyLooksAndTheNextOnesDoNot) {
  for (int i = 0; i < 5; ++i) Written(Creation(i));
  EXPECT_EQ(Stats().looks, 1);
  EXPECT_EQ(Stats().trips, 4);
  EXPECT_EQ(Events(), 5);
}

TEST_F(TripTest, EveryChangeOfOneRecordTakesTheTripButALookAtPersonalData) {
  const Uuid id = Written(Creation(1)).id;
  Written(Weighing(id, 2));
  for (const Operation operation : {Operation::kSubmit, Operation::kReturn, Operation::kDelete,
                                    Operation::kUndelete, Operation::kDelete, Operation::kErase}) {
    Written(On(id, operation));
  }
  EXPECT_EQ(Stats().trips, 7);
  Written(On(id, Operation::kUnmask));
  EXPECT_EQ(Stats().trips, 7);
  EXPECT_EQ(Stats().refused_trips, 0);
  EXPECT_EQ(Events(), 9);
}

TEST_F(TripTest, WishesThatWaitTogetherAreOneBatch) {
  Written(Creation(0));
  std::vector<WriteRequest> wishes;
  for (int i = 1; i <= 60; ++i) wishes.push_back(Wish(Creation(i)));
  for (const Answer& answer : Together(std::move(wishes))) EXPECT_THAT(answer, IsOk());
  EXPECT_EQ(Stats().trips, 1);
  EXPECT_EQ(Stats().trip_operations, 60);
  EXPECT_EQ(Events(), 61);
}

TEST_F(TripTest, ABatchIsBoundedByTheRecordsInIt) {
  Written(Creation(0));
  std::vector<WriteRequest> wishes;
  for (int i = 0; i < 6; ++i) {
    std::vector<Change> changes;
    for (int j = 0; j < 50; ++j) changes.push_back(Creation(j));
    wishes.push_back(Wish(std::move(changes)));
  }
  // 256 records at most: five wishes of 50, then the sixth.
  for (const Answer& answer : Together(std::move(wishes))) EXPECT_THAT(answer, IsOk());
  EXPECT_EQ(Stats().trips, 2);
  EXPECT_EQ(Events(), 301);
}

TEST_F(TripTest, ALawThatReadsTheCountysRowsLooks) {
  Written(Creation(0));
  WriteRequest wish = Wish(Creation(1));
  wish.decide = [](LockedView&, std::vector<Change>&) { return absl::OkStatus(); };
  EXPECT_THAT(Write(wish), IsOk());
  EXPECT_EQ(Stats().looks, 2);
  EXPECT_EQ(Stats().trips, 0);
}

// ---- what was assumed does not hold ------------------------------------------------------------

TEST_F(TripTest, AnotherProcessMovedTheHead) {
  Written(Creation(1));
  Written(Creation(2));
  const std::unique_ptr<Store> other = store_.Another();
  EXPECT_THAT(Start(*other, Wish(Creation(3))).get(), IsOk());
  Written(Creation(4));
  EXPECT_EQ(Stats().refused_trips, 1);
  Written(Creation(5));
  EXPECT_EQ(Stats().refused_trips, 1);
  EXPECT_EQ(Events(), 5);
}

// A head with another hash is not ours, also at the same seq: after a restore, say.
TEST_F(TripTest, AnotherHashAtTheSameSeqIsAMovedHead) {
  Written(Creation(1));
  ASSERT_THAT(store_.Admin("UPDATE conformance.counter SET head = head || '\\x00'::bytea"), IsOk());
  Written(Creation(2));
  EXPECT_EQ(Stats().refused_trips, 1);
}

TEST_F(TripTest, TwoProcessesOnOneCountyLoseAndDoubleNothing) {
  const std::unique_ptr<Store> other = store_.Another();
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < 300; ++i) {
    answers.push_back(Start(i % 2 == 0 ? *store_ : *other, Wish(Creation(i))));
    // Some in each other's way, some together.
    if (i % 7 == 0) answers.back().wait();
  }
  std::set<Uuid> ids;
  for (auto& answer : answers) {
    const Answer got = answer.get();
    ASSERT_THAT(got, IsOk());
    ids.insert(got->records[0].id);
  }
  EXPECT_EQ(ids.size(), 300U);
  EXPECT_EQ(Records(), 300);
  EXPECT_EQ(Events(), 300);
}

TEST_F(TripTest, AKnownRequestIsAnsweredAgainAndItsNeighboursAreWritten) {
  const WriteRequest known = Wish(Creation(1));
  const Answer first = Write(known);
  ASSERT_THAT(first, IsOk());
  WriteRequest other_body = known;
  other_body.request_hash = "another";
  const std::vector<Answer> answers =
      Together({Wish(Creation(2)), known, Wish(Creation(3)), other_body});
  EXPECT_THAT(answers[0], IsOk());
  ASSERT_THAT(answers[1], IsOk());
  EXPECT_TRUE(answers[1]->replayed);
  EXPECT_EQ(answers[1]->records[0].id, first->records[0].id);
  EXPECT_THAT(answers[2], IsOk());
  EXPECT_THAT(answers[3], HasReason("REASON_REQUEST_ID_REUSED"));
  EXPECT_EQ(Events(), 3);
}

TEST_F(TripTest, ARecordThatIsThereIsNotMadeAgain) {
  Change change = Creation(1);
  change.id = store_.ids().NewId();
  Written(change);
  change.message = std::make_shared<fixture::Widget>(Widget(2));
  EXPECT_THAT(Write(Wish(change)), HasReason("REASON_ALREADY_EXISTS"));
  EXPECT_EQ(Stats().refused_trips, 1);
  EXPECT_EQ(Events(), 1);
}

// The read sees the record as it was; the batch must not write what follows from that.
TEST_F(TripTest, ARecordChangedSinceItWasReadIsDecidedAgain) {
  const Uuid id = Written(Creation(1)).id;
  const std::unique_ptr<Store> other = store_.Another();
  std::atomic<int> once{0};
  store_->writer().SetFaultPoint([&](absl::string_view step) {
    if (step == "read_done" && once.fetch_add(1) == 0) {
      EXPECT_THAT(Start(*other, Wish(Weighing(id, 70))).get(), IsOk());
    }
    return false;
  });
  Change change = Weighing(id, 80);
  change.revision = 1;
  EXPECT_THAT(Write(Wish(change)), StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(Stats().refused_trips, 1);
  EXPECT_EQ(WeightOf(Written(Weighing(id, 90))), 90);
  EXPECT_EQ(Events(), 3);
}

// The same within one process, whose head holds: the read came before another batch's commit, the
// trip after it.
TEST_F(TripTest, ARecordChangedBetweenItsReadAndItsTripIsDecidedAgain) {
  const Uuid id = Written(Creation(1)).id;
  std::promise<void> composed, read, go_on, write;
  std::atomic<int> trips{0}, reads{0};
  store_->writer().SetFaultPoint([&](absl::string_view step) {
    if (step == "trip_composed" && trips.fetch_add(1) == 0) {
      composed.set_value();
      go_on.get_future().wait();
    }
    if (step == "read_done" && reads.fetch_add(1) == 1) {
      read.set_value();
      write.get_future().wait();
    }
    return false;
  });
  std::future<Answer> first = Start(*store_, Wish(Weighing(id, 2)));
  composed.get_future().wait();
  Change change = Weighing(id, 3);
  change.revision = 1;
  std::future<Answer> second = Start(*store_, Wish(change));
  read.get_future().wait();
  go_on.set_value();
  EXPECT_THAT(first.get(), IsOk());
  write.set_value();
  EXPECT_THAT(second.get(), StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(Stats().refused_trips, 1);
  EXPECT_EQ(Events(), 2);
}

// A check of the database's own that no rule of ours foresees.
TEST_F(TripTest, OfSixtyWishesTwoThatTheDatabaseRefusesAreRefusedAlone) {
  Written(Creation(0));
  ASSERT_THAT(store_.Admin("ALTER TABLE conformance.widget ADD CONSTRAINT widget_weight_check "
                           "CHECK (weight NOT IN (17, 42))"),
              IsOk());
  std::vector<WriteRequest> wishes;
  for (int i = 1; i <= 60; ++i) wishes.push_back(Wish(Creation(i)));
  const std::vector<Answer> answers = Together(std::move(wishes));
  for (int i = 1; i <= 60; ++i) {
    const Answer& answer = answers[static_cast<size_t>(i - 1)];
    if (i == 17 || i == 42) {
      EXPECT_THAT(answer, HasReason("REASON_DATA_REFUSED")) << i;
    } else {
      EXPECT_THAT(answer, IsOk()) << i;
    }
  }
  EXPECT_EQ(Stats().refused_trips, 1);
  EXPECT_GT(Stats().bisections, 0);
  // Bisected, not one by one: two bad rows of sixty cost at most a dozen splits (2 × log2 60).
  EXPECT_LE(Stats().bisections, 12);
  EXPECT_EQ(Events(), 59);
}

TEST_F(TripTest, OfThirtyUpdatesWithOneEtagThatWaitTogetherTheFirstWins) {
  const Uuid id = Written(Creation(1)).id;
  std::vector<WriteRequest> wishes;
  for (int i = 0; i < 30; ++i) {
    Change change = Weighing(id, 100 + i);
    change.revision = 1;
    wishes.push_back(Wish(std::move(change)));
  }
  const std::vector<Answer> answers = Together(std::move(wishes));
  EXPECT_THAT(answers[0], IsOk());
  for (size_t i = 1; i < answers.size(); ++i) {
    EXPECT_THAT(answers[i], StatusIs(absl::StatusCode::kAborted)) << i;
  }
  EXPECT_EQ(Events(), 2);
}

// ---- order -------------------------------------------------------------------------------------

TEST_F(TripTest, WhatIsAskedOfOneRecordIsDoneInThatOrder) {
  Change creation = Creation(1);
  creation.id = store_.ids().NewId();
  const Uuid id = creation.id;
  Written(Creation(0));
  // A creation needs no read, the changes do, a validation looks: none may overtake another.
  WriteRequest validation = Wish(Weighing(id, 7));
  validation.validate_only = true;
  const std::vector<Answer> answers =
      Together({Wish(creation), Wish(Weighing(id, 2)), validation, Wish(Weighing(id, 3)),
                Wish(On(id, Operation::kDelete)), Wish(Weighing(id, 4))});
  std::vector<int64_t> revisions;
  for (size_t i = 0; i < 5; ++i) {
    ASSERT_THAT(answers[i], IsOk()) << i;
    revisions.push_back(answers[i]->records[0].revision);
  }
  EXPECT_THAT(revisions, ElementsAre(1, 2, 3, 3, 4));
  EXPECT_THAT(answers[5], HasReason("REASON_REVIEW_STATE_DENIED"));
  EXPECT_EQ(WeightOf(answers[4]->records[0]), 3);
}

// The second waits for the first, so that the third, which shares nothing with the first, must wait
// for the second.
TEST_F(TripTest, WhatWaitsIsNotOvertakenByWhatSharesARecordWithIt) {
  const Uuid one = Written(Creation(1)).id;
  const Uuid two = Written(Creation(2)).id;
  const std::vector<Answer> answers =
      Together({Wish(Weighing(one, 10)), Wish({Weighing(one, 20), Weighing(two, 20)}),
                Wish(Weighing(two, 30))});
  EXPECT_THAT(answers[0], IsOk());
  ASSERT_THAT(answers[1], IsOk());
  EXPECT_EQ(answers[1]->records[1].revision, 2);
  ASSERT_THAT(answers[2], IsOk());
  EXPECT_EQ(answers[2]->records[0].revision, 3);
}

TEST_F(TripTest, WhatComesBackFromTheReadDoesNotOvertakeWhatWaitsBehindIt) {
  const Uuid id = Written(Creation(1)).id;
  std::promise<void> gate, reading;
  std::atomic<int> once{0};
  store_->writer().SetFaultPoint([&](absl::string_view step) {
    if (step == "read_done" && once.fetch_add(1) == 0) {
      reading.set_value();
      gate.get_future().wait();
    }
    return false;
  });
  std::future<Answer> update = Start(*store_, Wish(Weighing(id, 2)));
  reading.get_future().wait();
  // A creation under the id of the record that is being read: it needs no read itself.
  Change creation = Creation(3);
  creation.id = id;
  std::future<Answer> again = Start(*store_, Wish(creation));
  WriteRequest look = Wish(Weighing(id, 4));
  look.decide = [](LockedView&, std::vector<Change>&) { return absl::OkStatus(); };
  std::future<Answer> third = Start(*store_, look);
  gate.set_value();
  ASSERT_THAT(update.get(), IsOk());
  EXPECT_THAT(again.get(), HasReason("REASON_ALREADY_EXISTS"));
  const Answer last = third.get();
  ASSERT_THAT(last, IsOk());
  EXPECT_EQ(last->records[0].revision, 3);
}

// ---- deadlines ---------------------------------------------------------------------------------

TEST_F(TripTest, ADeadlineThatPassesDuringTheReadIsToldAtOnceAndNothingIsWritten) {
  const Uuid id = Written(Creation(1)).id;
  std::promise<void> gate;
  std::shared_future<void> open = gate.get_future().share();
  store_->writer().SetFaultPoint([&](absl::string_view step) {
    if (step == "read_done") open.wait();
    return false;
  });
  CallContext call = CallAs(TownReviewer());
  call.deadline = absl::Now() + absl::Milliseconds(100);
  // Answered while the read is still held, or this would wait for ever.
  EXPECT_THAT(store_->WriteAndWait(call, Wish(Weighing(id, 2))),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  gate.set_value();
  EXPECT_EQ(Written(Weighing(id, 3)).revision, 2);
  EXPECT_EQ(Events(), 2);
}

TEST_F(TripTest, AFullQueueCountsWhatIsBeingRead) {
  const Uuid id = Written(Creation(1)).id;
  std::promise<void> gate, reading;
  std::atomic<int> once{0};
  store_->writer().SetFaultPoint([&](absl::string_view step) {
    if (step == "read_done" && once.fetch_add(1) == 0) {
      reading.set_value();
      gate.get_future().wait();
    }
    return false;
  });
  std::future<Answer> update = Start(*store_, Wish(Weighing(id, 2)));
  reading.get_future().wait();
  EXPECT_EQ(store_->writer().queued(), 1U);
  gate.set_value();
  EXPECT_THAT(update.get(), IsOk());
  EXPECT_EQ(store_->writer().queued(), 0U);
}

// ---- faults at each step ------------------------------------------------------------------

struct Step {
  const char* name;
  bool trips;  // a step of trips; else of looks
};

class FaultedStep : public TripTest, public ::testing::WithParamInterface<Step> {
 protected:
  FaultedStep() : TripTest(GetParam().trips) {}
};

TEST_P(FaultedStep, ACutConnectionLosesAndDoublesNothing) {
  std::atomic<int> cuts{0};
  store_->writer().SetFaultPoint([&](absl::string_view step) {
    return step == GetParam().name && cuts.fetch_add(1) % 2 == 0;
  });
  for (int i = 0; i < 10; ++i) {
    const StoredRecord made = Written(Creation(i));
    EXPECT_EQ(Written(Weighing(made.id, 100 + i)).revision, 2);
  }
  EXPECT_GT(cuts.load(), 4);
  EXPECT_EQ(Records(), 10);
  EXPECT_EQ(Events(), 20);
}

INSTANTIATE_TEST_SUITE_P(EveryStep, FaultedStep,
                         ::testing::Values(Step{"read_begun", true}, Step{"read_done", true},
                                           Step{"trip_composed", true}, Step{"trip_sent", true},
                                           Step{"trip_answered", true}, Step{"begun", false},
                                           Step{"before_commit", false}, Step{"committed", false}),
                         [](const ::testing::TestParamInfo<Step>& step) {
                           return std::string(step.param.name);
                         });

class CutTrip : public TripTest, public ::testing::WithParamInterface<const char*> {};

// What was thought of the head is forgotten with the connection: the batch after a cut looks.
TEST_P(CutTrip, ForgetsTheHead) {
  Written(Creation(1));
  std::atomic<bool> cut{true};
  store_->writer().SetFaultPoint(
      [&](absl::string_view step) { return step == GetParam() && cut.exchange(false); });
  Written(Creation(2));
  EXPECT_EQ(Stats().refused_trips, 1);
  EXPECT_EQ(Stats().looks, 2);
  Written(Creation(3));
  EXPECT_EQ(Stats().trips, 1);
  EXPECT_EQ(Events(), 3);
}

INSTANTIATE_TEST_SUITE_P(EveryStep, CutTrip,
                         ::testing::Values("trip_composed", "trip_sent", "trip_answered"));

// Also when nobody could look: the trip may have moved the head, or not.
TEST_F(TripTest, AnUnknownOutcomeForgetsTheHead) {
  Written(Creation(1));
  std::atomic<bool> cut{true};
  store_->writer().SetFaultPoint([&](absl::string_view step) {
    return cut.load() && (step == "trip_sent" || step == "begun");
  });
  CallContext call = CallAs(TownReviewer());
  call.deadline = absl::Now() + absl::Milliseconds(300);
  WriteRequest lost = Wish(Creation(2));
  const Answer unknown = store_->WriteAndWait(call, lost);
  EXPECT_THAT(unknown, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(DetailOf(unknown.status()).metadata["outcome"], "unknown");
  cut = false;
  Written(Creation(3));
  EXPECT_EQ(Stats().refused_trips, 1);
  EXPECT_THAT(Write(lost), IsOk());
  EXPECT_EQ(Records(), 3);
  EXPECT_EQ(Events(), 3);
}

TEST_F(TripTest, ARefusedTripForgetsTheHead) {
  Written(Creation(1));
  WriteRequest known = Wish(Creation(2));
  ASSERT_THAT(Write(known), IsOk());
  EXPECT_EQ(Stats().trips, 1);
  // The look that follows the refusal learns the head again, and commits: the next one trips.
  EXPECT_THAT(Write(known), IsOk());
  EXPECT_EQ(Stats().refused_trips, 1);
  EXPECT_EQ(Stats().looks, 2);
  Written(Creation(3));
  EXPECT_EQ(Stats().trips, 2);
  EXPECT_EQ(Events(), 3);
}

// ---- plans -------------------------------------------------------------------------------------

// A plan kept from when the table was empty would scan it for ever.
TEST_F(TripTest, TheCounterIsFoundByItsKeyAlsoInAPlanMadeOnAnEmptyTable) {
  db::Pool pool(db::PoolOptions{store_.dsn(), 1, "plan"});
  std::string text;
  ASSERT_THAT(
      pool.InTransaction(
          db::Scope::WholeCounty(kCounty), absl::Now() + absl::Seconds(20),
          [&](db::Transaction& transaction) -> absl::Status {
            const auto run = [&](const std::string& sql) {
              return transaction.Run(db::Statement{"plan", sql});
            };
            FADU_RETURN_IF_ERROR(run("SET LOCAL plan_cache_mode = force_generic_plan").status());
            FADU_RETURN_IF_ERROR(run("PREPARE move (bigint, bytea, text, bigint, bytea) AS "
                                     "UPDATE counter SET seq = $1, head = $2 WHERE "
                                     "county_code = $3 AND seq = $4 AND head = $5")
                                     .status());
            FADU_ASSIGN_OR_RETURN(const db::Rows rows,
                                  run("EXPLAIN EXECUTE move (1, '\\x01', '421221', 0, '\\x')"));
            for (const db::Row& row : rows) absl::StrAppend(&text, row.Text(0), "\n");
            return absl::OkStatus();
          }),
      IsOk());
  EXPECT_THAT(text, ::testing::HasSubstr("Index Scan using counter_pkey"));
}

// ---- nobody can tell ---------------------------------------------------------------------------

// Random wishes, the same for a store that trips and for one that always looks: the same answers,
// the same records and the same events, but for ids and times.
class Twin {
 public:
  explicit Twin(bool trips) : store_(Types(), {}, 5000, {}, trips) {}

  TestStore& store() { return store_; }

  // What a store answers, in words. Records are named by the order of their creation.
  std::string Say(const Answer& answer) {
    if (!answer.ok()) {
      const auto detail = DetailOf(answer.status());
      const auto item = detail.metadata.find("item");
      return absl::StrCat(absl::StatusCodeToString(answer.status().code()), " ",
                          ReasonOf(answer.status()),
                          item == detail.metadata.end() ? "" : " item " + item->second);
    }
    std::string text = absl::StrCat("seq ", answer->last_seq, answer->replayed ? " again" : "");
    for (const StoredRecord& record : answer->records) absl::StrAppend(&text, "\n", Say(record));
    return text;
  }

  std::string Say(const StoredRecord& record) {
    std::string sealed = record.sealed == nullptr ? "" : record.sealed->ShortDebugString();
    return absl::StrCat(Number(record.id), " r", record.revision, " ", record.area_code, " ",
                        record.review_state, record.deleted_at.has_value() ? " deleted" : "", " [",
                        record.review_comment, "] ", record.message->ShortDebugString(), " | ",
                        sealed);
  }

  // Every record and event, in words.
  std::string Everything() {
    std::string text;
    ListQuery query;
    query.county = kCounty;
    query.type = &Widgets();
    query.show_deleted = true;
    do {
      const auto page = store_->List(CallAs(TownReviewer()), query);
      EXPECT_THAT(page, IsOk());
      for (const StoredRecord& record : page->records) absl::StrAppend(&text, Say(record), "\n");
      query.page_token = page->next_page_token;
    } while (!query.page_token.empty());
    const auto rows = store_.Admin(
        "SELECT seq::text, type, id::text, revision::text, area_code, item::text, "
        "encode(request_hash, 'hex'), entry, encode(fact, 'hex'), encode(message, 'hex'), "
        "sealed IS NULL FROM conformance.event ORDER BY seq");
    EXPECT_THAT(rows, IsOk());
    for (const db::Row& row : *rows) {
      v1::Entry entry;
      EXPECT_TRUE(entry.ParseFromString(row.Bytes(7)));
      entry.clear_id();
      entry.clear_time();
      entry.clear_request_id();
      entry.clear_sealed_digest();  // of another nonce
      entry.clear_fact_digest();    // of another id
      v1::Fact fact;
      if (!row.IsNull(8)) {
        EXPECT_TRUE(fact.ParseFromString(absl::HexStringToBytes(row.Text(8))));
        fact.clear_id();
      }
      absl::StrAppend(&text, row.Text(0), " ", row.Text(1), " ", Number(*Uuid::Parse(row.Text(2))),
                      " r", row.Text(3), " ", row.Text(4), " ", row.Text(5), " ", row.Text(6), " ",
                      entry.ShortDebugString(), " ", fact.ShortDebugString(), " ",
                      row.IsNull(9) ? "" : row.Text(9), " ", row.Bool(10), "\n");
    }
    const auto verified = store_->VerifyEvents(CallAs(Auditor()), kCounty);
    EXPECT_THAT(verified, IsOk());
    return text;
  }

  // The id of the n-th record.
  Uuid Id(size_t number) const { return ids_.at(number); }
  size_t known() const { return ids_.size(); }

 private:
  size_t Number(const Uuid& id) {
    const auto [found, is_new] = numbers_.emplace(id, ids_.size());
    if (is_new) ids_.push_back(id);
    return found->second;
  }

  TestStore store_;
  std::map<Uuid, size_t> numbers_;
  std::vector<Uuid> ids_;
};

// A wish without ids, so that both twins can be asked the same.
struct PlannedChange {
  Operation operation = Operation::kCreate;
  size_t record = 0;
  int salt = 0;
  bool submit = false;
  bool invalid = false;
  int64_t revision = 0;  // 0: none
};
struct Planned {
  std::vector<PlannedChange> changes;
  int principal = 0;
  bool validate_only = false;
  bool decide = false;
  size_t repeats = 0;  // 0: new; else the wish so many before
  bool other_body = false;
};

Principal PlannedPrincipal(int number) {
  switch (number) {
    case 0:
      return PrincipalWith({v1::ROLE_VILLAGE_CLERK}, kVillage);
    case 1:
      return PrincipalWith({v1::ROLE_VILLAGE_CLERK}, kOtherVillage);
    default:
      return TownReviewer();
  }
}

WriteRequest Make(const Planned& planned, const Uuid& request_id, const Twin& twin) {
  WriteRequest request;
  request.county = kCounty;
  request.request_id = request_id;
  request.request_hash = planned.other_body ? "other" : "hash";
  request.validate_only = planned.validate_only;
  for (const PlannedChange& plan : planned.changes) {
    Change change;
    if (plan.operation == Operation::kCreate) {
      change = Creation(plan.salt);
      if (plan.invalid) static_cast<fixture::Widget&>(*change.message).clear_title();
      change.submit = plan.submit;
    } else if (plan.operation == Operation::kUpdate) {
      change = Weighing(twin.Id(plan.record), plan.salt);
    } else {
      change = On(twin.Id(plan.record), plan.operation);
    }
    if (plan.revision != 0) change.revision = plan.revision;
    request.changes.push_back(std::move(change));
  }
  if (planned.decide) {
    request.decide = [](LockedView& view, std::vector<Change>&) -> absl::Status {
      FADU_ASSIGN_OR_RETURN(const auto found, view.Find(Widgets(), "weight > 500", 100));
      return found.size() % 2 == 0 ? absl::OkStatus() : absl::FailedPreconditionError("odd");
    };
  }
  return request;
}

class Twins : public ::testing::TestWithParam<uint32_t> {};

TEST_P(Twins, AnswerAndStoreTheSame) {
  std::mt19937 random(GetParam());
  const auto below = [&](size_t bound) { return random() % bound; };
  Twin tripping(true), looking(false);
  std::vector<std::pair<Planned, std::array<Uuid, 2>>> history;
  constexpr Operation kMoves[] = {Operation::kUpdate,  Operation::kUpdate,   Operation::kSubmit,
                                  Operation::kConfirm, Operation::kReturn,   Operation::kWithdraw,
                                  Operation::kDelete,  Operation::kUndelete, Operation::kErase,
                                  Operation::kUnmask};
  for (int step = 0; step < 250; ++step) {
    Planned planned;
    std::array<Uuid, 2> request_ids = {tripping.store().ids().NewId(),
                                       looking.store().ids().NewId()};
    if (!history.empty() && below(10) == 0) {
      const auto& [earlier, ids] = history[below(history.size())];
      planned = earlier;
      planned.other_body = below(3) == 0;
      request_ids = ids;
    } else {
      planned.principal = static_cast<int>(below(6));
      planned.validate_only = below(15) == 0;
      planned.decide = below(15) == 0;
      const size_t count = below(4) == 0 ? 1 + below(5) : 1;
      std::set<size_t> used;
      for (size_t i = 0; i < count; ++i) {
        PlannedChange plan;
        plan.salt = static_cast<int>(below(1000));
        plan.submit = below(2) == 0;
        plan.invalid = below(20) == 0;
        if (tripping.known() > 0 && below(3) != 0) {
          plan.operation = kMoves[below(std::size(kMoves))];
          plan.record = below(tripping.known());
          plan.revision = below(3) == 0 ? static_cast<int64_t>(1 + below(4)) : 0;
          // One request changes a record once.
          if (!used.insert(plan.record).second) continue;
        }
        planned.changes.push_back(plan);
      }
    }
    std::array<std::string, 2> said;
    for (size_t i = 0; i < 2; ++i) {
      Twin& twin = i == 0 ? tripping : looking;
      CallContext call = CallAs(PlannedPrincipal(planned.principal));
      said[i] = twin.Say(twin.store()->WriteAndWait(call, Make(planned, request_ids[i], twin)));
    }
    ASSERT_EQ(said[0], said[1]) << "step " << step;
    history.emplace_back(planned, request_ids);
  }
  EXPECT_EQ(tripping.Everything(), looking.Everything());
  EXPECT_GT(tripping.store()->writer().stats().trips, 50);
  EXPECT_EQ(looking.store()->writer().stats().trips, 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Twins, ::testing::Values(1U, 2U, 3U, 4U));

}  // namespace
}  // namespace fadu::records
