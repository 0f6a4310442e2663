#include "common/db/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/status.h"
#include "common/testing/status_matchers.h"

namespace fadu::db {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

TEST(SqlstateClass, LostRacesAreTriedAgain) {
  EXPECT_EQ(ClassOf("40001"), ErrorClass::kRetry);
  EXPECT_EQ(ClassOf("40P01"), ErrorClass::kRetry);
  EXPECT_EQ(ClassOf("55P03"), ErrorClass::kRetry);
}

TEST(SqlstateClass, AUniqueKeyIsNotLikeTheOtherConstraints) {
  EXPECT_EQ(ClassOf("23505"), ErrorClass::kUnique);
  EXPECT_EQ(ClassOf("23503"), ErrorClass::kConstraint);
  EXPECT_EQ(ClassOf("23514"), ErrorClass::kConstraint);
  EXPECT_EQ(ClassOf("22001"), ErrorClass::kData);
}

TEST(SqlstateClass, AGoneConnectionLeavesTheOutcomeUnknown) {
  EXPECT_EQ(ClassOf("08006"), ErrorClass::kOutcomeUnknown);
  EXPECT_EQ(ClassOf("57P01"), ErrorClass::kOutcomeUnknown);
  EXPECT_EQ(ClassOf("XX000"), ErrorClass::kOutcomeUnknown);
  EXPECT_EQ(ClassOf(""), ErrorClass::kOutcomeUnknown);
}

// 57014 begins like 57P01 but is the statement's timeout: the transaction is known to be over.
TEST(SqlstateClass, ATimeoutIsNoLostConnection) {
  EXPECT_EQ(ClassOf("57014"), ErrorClass::kTimeout);
}

TEST(SqlstateClass, AFullDiskIsAResourceAndAMissingTableIsABug) {
  EXPECT_EQ(ClassOf("53100"), ErrorClass::kResource);
  EXPECT_EQ(ClassOf("42P01"), ErrorClass::kBug);
  EXPECT_EQ(ClassOf("42501"), ErrorClass::kBug);
  EXPECT_EQ(ClassOf("P0001"), ErrorClass::kBug);
}

TEST(SqlstateError, EachClassHasItsCodeAndReason) {
  const struct {
    const char* sqlstate;
    absl::StatusCode code;
    const char* reason;
  } cases[] = {
      {"40001", absl::StatusCode::kAborted, "REASON_CONFLICT"},
      {"23505", absl::StatusCode::kAlreadyExists, "REASON_ALREADY_EXISTS"},
      {"23514", absl::StatusCode::kInvalidArgument, "REASON_DATA_REFUSED"},
      {"22001", absl::StatusCode::kInvalidArgument, "REASON_DATA_REFUSED"},
      {"57014", absl::StatusCode::kDeadlineExceeded, "REASON_DEADLINE_EXCEEDED"},
      {"57P01", absl::StatusCode::kUnavailable, "REASON_UNAVAILABLE"},
      {"53300", absl::StatusCode::kResourceExhausted, "REASON_OVERLOADED"},
      {"42P01", absl::StatusCode::kInternal, "REASON_INTERNAL"},
  };
  for (const auto& expected : cases) {
    const absl::Status status = ErrorOf(expected.sqlstate, "", "s", "detail");
    EXPECT_THAT(status, StatusIs(expected.code)) << expected.sqlstate;
    EXPECT_THAT(status, HasReason(expected.reason)) << expected.sqlstate;
  }
}

TEST(SqlstateError, OnlyAnUnknownOutcomeSaysSo) {
  EXPECT_THAT(DetailOf(ErrorOf("08006", "", "s", "d")).metadata,
              Contains(Pair("outcome", "unknown")));
  EXPECT_THAT(DetailOf(ErrorOf("57014", "", "s", "d")).metadata, IsEmpty());
}

// Citus names the shard's constraint, which no table of constraints could know.
TEST(SqlstateError, TheConstraintLosesAShardNumberAndNothingElse) {
  const auto constraint = [](absl::string_view name) {
    return DetailOf(ErrorOf("23505", name, "s", "d")).metadata["constraint"];
  };
  EXPECT_EQ(constraint("case_no_key_102068"), "case_no_key");
  EXPECT_EQ(constraint("case_no_key"), "case_no_key");
  EXPECT_EQ(constraint("case_v2"), "case_v2");
}

TEST(SqlstateError, TheDriversTextStaysHere) {
  const absl::Status status =
      ErrorOf("23505", "person_key", "add_person", "Key (name)=(张三) exists");
  EXPECT_THAT(status.ToString(), Not(HasSubstr("张三")));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("add_person")));
}

// Not even the log may hold the values a refused row had.
TEST(SqlstateError, TheLogHoldsNoRefusedValue) {
  ::testing::internal::CaptureStderr();
  (void)ErrorOf("23505", "person_key", "add_person",
                "ERROR:  23505: duplicate key\nDETAIL:  Key (name)=(张三) exists");
  (void)ErrorOf("22P02", "", "add_person", "ERROR:  22P02: invalid input syntax: \"张三\"");
  (void)ErrorOf("42804", "", "add_person", "ERROR:  42804: wrong type\nLINE 1: … '张三'");
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, Not(HasSubstr("张三")));
  EXPECT_THAT(log, HasSubstr("wrong type"));
  EXPECT_THAT(log, HasSubstr("person_key"));
}

}  // namespace
}  // namespace fadu::db
