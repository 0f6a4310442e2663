#include "common/base/status.h"

#include <cstdlib>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/cord.h"
#include "common/testing/status_matchers.h"

namespace fadu {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::Pointee;

absl::Status Stale() {
  return MakeError(absl::StatusCode::kAborted,
                   {"fadu.common.v1", "REASON_ETAG_MISMATCH", {{"etag", "7"}}, {}}, "stale etag");
}

TEST(Error, CarriesItsDetail) {
  const absl::Status status =
      MakeError(absl::StatusCode::kInvalidArgument,
                {"fadu.common.v1",
                 "REASON_FIELD_INVALID",
                 {{"field", "name"}, {"limit", "200"}},
                 {{"dispute.title", "不能为空"}, {"dispute.parties[0].name", "太长"}}},
                "two fields are wrong");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(status.message(), "two fields are wrong");
  const ErrorDetail detail = DetailOf(status);
  EXPECT_EQ(detail.domain, "fadu.common.v1");
  EXPECT_EQ(detail.reason, "REASON_FIELD_INVALID");
  EXPECT_THAT(detail.metadata, ElementsAre(Pair("field", "name"), Pair("limit", "200")));
  ASSERT_EQ(detail.violations.size(), 2u);
  EXPECT_EQ(detail.violations[0].field, "dispute.title");
  EXPECT_EQ(detail.violations[0].description, "不能为空");
  EXPECT_EQ(detail.violations[1].field, "dispute.parties[0].name");
  EXPECT_EQ(detail.violations[1].description, "太长");
}

// Lengths, not separators, part the texts: nothing in a text can be taken for an end.
TEST(Error, KeepsEveryByteOfItsTexts) {
  const std::string odd("3:a\0b\n12:\"\\:", 12);
  const absl::Status status =
      MakeError(absl::StatusCode::kNotFound, {odd, odd, {{"", ""}, {odd, odd}}, {{"", odd}}}, "x");
  const ErrorDetail detail = DetailOf(status);
  EXPECT_EQ(detail.domain, odd);
  EXPECT_EQ(detail.reason, odd);
  EXPECT_THAT(detail.metadata, ElementsAre(Pair("", ""), Pair(odd, odd)));
  ASSERT_EQ(detail.violations.size(), 1u);
  EXPECT_EQ(detail.violations[0].field, "");
  EXPECT_EQ(detail.violations[0].description, odd);
}

TEST(Error, StandsUnderItsOwnPayload) { EXPECT_TRUE(Stale().GetPayload("fadu/error").has_value()); }

TEST(Error, OfSomeoneElseHasAnEmptyDetail) {
  EXPECT_EQ(ReasonOf(absl::NotFoundError("x")), "");
  EXPECT_EQ(ReasonOf(absl::OkStatus()), "");
  EXPECT_THAT(DetailOf(absl::NotFoundError("x")).metadata, IsEmpty());
}

TEST(WithMetadata, AddsOneValueAndKeepsTheRest) {
  const absl::Status status = WithMetadata(Stale(), "item", "3");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(status, HasReason("REASON_ETAG_MISMATCH"));
  EXPECT_EQ(status.message(), "stale etag");
  EXPECT_THAT(DetailOf(status).metadata, ElementsAre(Pair("etag", "7"), Pair("item", "3")));
}

TEST(WithMetadata, ReplacesAValueOfTheSameKey) {
  EXPECT_THAT(DetailOf(WithMetadata(Stale(), "etag", "8")).metadata,
              ElementsAre(Pair("etag", "8")));
}

TEST(WithMetadata, LeavesOkAlone) { EXPECT_THAT(WithMetadata(absl::OkStatus(), "a", "b"), IsOk()); }

TEST(WithMetadata, KeepsPayloadsOfOthers) {
  absl::Status status = Stale();
  status.SetPayload("example.com/other", absl::Cord("kept"));
  EXPECT_EQ(WithMetadata(status, "a", "b").GetPayload("example.com/other"), absl::Cord("kept"));
}

// Sets FADU_BUG_ABORT for one test: ctest runs us with 1.
class BugTest : public ::testing::Test {
 protected:
  BugTest() {
    const char* now = std::getenv("FADU_BUG_ABORT");
    if (now != nullptr) before_ = std::make_unique<std::string>(now);
    unsetenv("FADU_BUG_ABORT");
  }
  ~BugTest() override {
    if (before_ != nullptr) {
      setenv("FADU_BUG_ABORT", before_->c_str(), 1);
    } else {
      unsetenv("FADU_BUG_ABORT");
    }
  }

 private:
  std::unique_ptr<std::string> before_;
};
using BugDeathTest = BugTest;

TEST_F(BugTest, IsAnInternalErrorInProduction) {
  EXPECT_THAT(FADU_BUG("an unchecked rule"), StatusIs(absl::StatusCode::kInternal));
  setenv("FADU_BUG_ABORT", "0", 1);
  EXPECT_THAT(FADU_BUG("an unchecked rule"), StatusIs(absl::StatusCode::kInternal));
}

TEST_F(BugDeathTest, AbortsInTestsAndLogsWhere) {
  EXPECT_DEATH(
      {
        setenv("FADU_BUG_ABORT", "1", 1);
        (void)FADU_BUG("an unchecked rule");
      },
      "an unchecked rule.*status_test.cc");
}

absl::Status Twice(const absl::Status& first, int& calls) {
  FADU_RETURN_IF_ERROR(first);
  ++calls;
  FADU_RETURN_IF_ERROR(absl::OkStatus());
  ++calls;
  return absl::OkStatus();
}

TEST(ReturnIfError, ReturnsTheFailureWithItsDetail) {
  int calls = 0;
  EXPECT_THAT(Twice(Stale(), calls), HasReason("REASON_ETAG_MISMATCH"));
  EXPECT_EQ(calls, 0);
  EXPECT_THAT(Twice(absl::OkStatus(), calls), IsOk());
  EXPECT_EQ(calls, 2);
}

template <typename F>
absl::Status Call(F function) {
  return function();
}

// Did not compile under -Wshadow -Werror while both temporaries had one name.
TEST(ReturnIfError, MayStandInALambdaInsideAnother) {
  const auto outer = []() -> absl::Status {
    FADU_RETURN_IF_ERROR(Call([]() -> absl::Status {
      FADU_RETURN_IF_ERROR(Stale());
      return absl::OkStatus();
    }));
    return absl::OkStatus();
  };
  EXPECT_THAT(outer(), HasReason("REASON_ETAG_MISMATCH"));
}

absl::StatusOr<int> Sum(absl::StatusOr<int> a, absl::StatusOr<std::unique_ptr<int>> b) {
  FADU_ASSIGN_OR_RETURN(const int left, a);
  FADU_ASSIGN_OR_RETURN(const std::unique_ptr<int> right, std::move(b));
  return left + *right;
}

TEST(AssignOrReturn, GivesTheValueOrReturnsTheFailure) {
  EXPECT_THAT(Sum(1, std::make_unique<int>(2)), IsOkAndHolds(3));
  EXPECT_THAT(Sum(Stale(), std::make_unique<int>(2)), HasReason("REASON_ETAG_MISMATCH"));
  EXPECT_THAT(Sum(1, absl::NotFoundError("x")), StatusIs(absl::StatusCode::kNotFound));
}

TEST(StatusMatchers, TellFailureFromSuccess) {
  EXPECT_THAT(absl::OkStatus(), IsOk());
  EXPECT_THAT(absl::StatusOr<int>(1), IsOk());
  EXPECT_THAT(Stale(), Not(IsOk()));
  EXPECT_THAT(absl::StatusOr<int>(Stale()), Not(IsOk()));
  EXPECT_THAT(absl::OkStatus(), StatusIs(absl::StatusCode::kOk));
  EXPECT_THAT(Stale(), Not(StatusIs(absl::StatusCode::kNotFound)));
}

TEST(StatusMatchers, LookAtTheValueOnlyOfASuccess) {
  EXPECT_THAT(absl::StatusOr<int>(1), IsOkAndHolds(::testing::Gt(0)));
  EXPECT_THAT(absl::StatusOr<int>(1), Not(IsOkAndHolds(2)));
  EXPECT_THAT(absl::StatusOr<int>(Stale()), Not(IsOkAndHolds(::testing::_)));
  EXPECT_THAT(absl::StatusOr<std::unique_ptr<int>>(std::make_unique<int>(4)),
              IsOkAndHolds(Pointee(4)));
}

TEST(StatusMatchers, FindNoReasonInSuccess) {
  EXPECT_THAT(absl::OkStatus(), Not(HasReason("")));
  EXPECT_THAT(absl::NotFoundError("x"), HasReason(""));
  EXPECT_THAT(Stale(), Not(HasReason("REASON_OTHER")));
  EXPECT_THAT(absl::StatusOr<int>(Stale()), HasReason("REASON_ETAG_MISMATCH"));
}

}  // namespace
}  // namespace fadu
