#include "common/rpc/status_wire.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/rpc/rpc_test_support.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace fadu::rpc {
namespace {

namespace v1 = ::fadu::common::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using Code = absl::StatusCode;

// The detail of one type; it must be there at most once (AIP-193).
template <typename Detail>
std::vector<Detail> DetailsIn(const grpc::Status& status) {
  google::rpc::Status wire;
  EXPECT_TRUE(wire.ParseFromString(status.error_details()));
  std::vector<Detail> found;
  for (const auto& any : wire.details()) {
    Detail detail;
    if (any.UnpackTo(&detail)) found.push_back(detail);
  }
  return found;
}

absl::Status NotFound() {
  return Fail(Code::kNotFound, v1::REASON_NOT_FOUND, "no such record", {{"name", "areas/42"}});
}

// Two failures that a caller must not tell apart are the same bytes: a map has no order of its own.
TEST(StatusWire, TheSameFailureIsTheSameBytes) {
  const absl::Status status =
      Fail(Code::kNotFound, v1::REASON_NOT_FOUND, "no such record",
           {{"name", "x"}, {"area", "421221"}, {"item", "3"}, {"outcome", "unknown"}});
  const std::string first = ToWire(status, "zh").error_details();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ToWire(status, "zh").error_details(), first);
}

TEST(StatusWire, AFailureComesBackAsItWas) {
  const absl::Status sent =
      Fail(Code::kInvalidArgument, v1::REASON_FIELD_INVALID, "two fields are wrong",
           {{"field", "record.title"}, {"problem", "不能为空"}},
           {{"record.title", "不能为空"}, {"record.area_code", "格式不正确"}});
  const absl::Status back = FromWire(ToWire(Outward(sent, "r-1"), "zh"));
  EXPECT_EQ(back.code(), sent.code());
  EXPECT_EQ(back.message(), sent.message());
  const ErrorDetail detail = DetailOf(back);
  EXPECT_EQ(detail.domain, "fadu.common.v1");
  EXPECT_EQ(detail.reason, "REASON_FIELD_INVALID");
  EXPECT_THAT(detail.metadata,
              ElementsAre(Pair("field", "record.title"), Pair("problem", "不能为空")));
  ASSERT_EQ(detail.violations.size(), 2u);
  EXPECT_EQ(detail.violations[1].field, "record.area_code");
  EXPECT_EQ(detail.violations[1].description, "格式不正确");
}

TEST(StatusWire, OkStaysOk) {
  EXPECT_TRUE(Outward(absl::OkStatus(), "r-1").ok());
  EXPECT_TRUE(ToWire(absl::OkStatus(), "zh").ok());
  EXPECT_TRUE(FromWire(grpc::Status::OK).ok());
}

TEST(StatusWire, PeopleReadTheirOwnLanguage) {
  const auto zh = DetailsIn<google::rpc::LocalizedMessage>(ToWire(NotFound(), "zh"));
  ASSERT_EQ(zh.size(), 1u);
  EXPECT_EQ(zh[0].locale(), "zh-CN");
  EXPECT_EQ(zh[0].message(), "未找到 areas/42，或不在您的权限范围内");
  const auto en = DetailsIn<google::rpc::LocalizedMessage>(ToWire(NotFound(), "en"));
  ASSERT_EQ(en.size(), 1u);
  EXPECT_EQ(en[0].locale(), "en");
  EXPECT_EQ(en[0].message(), "areas/42 does not exist or is not visible to you");
}

TEST(StatusWire, OnlyABusyServerSaysWhenToComeBack) {
  const absl::Status busy = Fail(Code::kResourceExhausted, v1::REASON_OVERLOADED, "busy");
  const auto retry = DetailsIn<google::rpc::RetryInfo>(ToWire(busy, "zh"));
  ASSERT_EQ(retry.size(), 1u);
  EXPECT_GT(retry[0].retry_delay().seconds(), 0);
  EXPECT_THAT(DetailsIn<google::rpc::RetryInfo>(ToWire(NotFound(), "zh")), IsEmpty());
}

TEST(StatusWire, InternalErrorsKeepTheirSecrets) {
  const absl::Status bug =
      Fail(Code::kInternal, v1::REASON_INTERNAL, "relation \"dispute\" does not exist",
           {{"table", "dispute"}}, {{"secret", "secret"}});
  const absl::Status outward = Outward(bug, "r-1");
  EXPECT_EQ(outward.message(), "internal error, request r-1");
  EXPECT_THAT(DetailOf(outward).metadata, ElementsAre(Pair("request", "r-1")));
  EXPECT_THAT(DetailOf(outward).violations, IsEmpty());
  EXPECT_THAT(ToWire(outward, "zh").error_details(), ::testing::Not(HasSubstr("dispute")));
}

TEST(StatusWire, WhatIsOurBugByItsCodeIsInternal) {
  for (const Code code : {Code::kUnknown, Code::kDataLoss, Code::kOutOfRange}) {
    EXPECT_THAT(Outward(absl::Status(code, "driver text"), "r-1"),
                FailsWith(Code::kInternal, "REASON_INTERNAL"));
  }
}

TEST(StatusWire, EveryFailureLeavesWithAReason) {
  for (int code = 1; code <= 16; ++code) {
    EXPECT_NE(ReasonOf(Outward(absl::Status(static_cast<Code>(code), "x"), "r-1")), "") << code;
  }
}

TEST(StatusWire, FailuresOfGrpcGetTheReasonThatFits) {
  EXPECT_THAT(FromWire(grpc::Status(grpc::UNAVAILABLE, "connect")),
              FailsWith(Code::kUnavailable, "REASON_UNAVAILABLE"));
  EXPECT_THAT(FromWire(grpc::Status(grpc::CANCELLED, "drained")),
              FailsWith(Code::kUnavailable, "REASON_UNAVAILABLE"));
  EXPECT_THAT(FromWire(grpc::Status(grpc::DEADLINE_EXCEEDED, "")),
              FailsWith(Code::kDeadlineExceeded, "REASON_DEADLINE_EXCEEDED"));
  EXPECT_THAT(FromWire(grpc::Status(grpc::RESOURCE_EXHAUSTED, "larger than max")),
              FailsWith(Code::kResourceExhausted, "REASON_TOO_LARGE"));
}

// Trailers over 8 KiB make the client drop the call with another failure than ours.
TEST(StatusWire, AHundredViolationsFitIntoTheTrailers) {
  std::vector<FieldViolation> violations;
  for (int i = 0; i < 100; ++i) {
    violations.push_back({absl::StrCat("record.parties[", i, "].identity_number"),
                          "长度不能超过十八个字符，并且只能包含数字和字母"});
  }
  std::string filter;
  for (int i = 0; i < 5000; ++i) filter += "错";
  const grpc::Status wire = ToWire(Fail(Code::kInvalidArgument, v1::REASON_FIELD_INVALID, filter,
                                        {{"problem", filter}}, violations),
                                   "zh");
  const size_t details = absl::Base64Escape(wire.error_details()).size();
  EXPECT_LT(details + 3 * wire.error_message().size(), 8000u);
  EXPECT_GT(DetailOf(FromWire(wire)).violations.size(), 10u);
}

TEST(StatusWire, TextThatIsNotUtf8IsMendedBeforeItTravels) {
  const grpc::Status wire = ToWire(
      Fail(Code::kNotFound, v1::REASON_NOT_FOUND, "bad \xff text", {{"name", "\xed\xa0\x80"}}),
      "zh");
  EXPECT_EQ(wire.error_message(), "bad ? text");
  EXPECT_THAT(DetailOf(FromWire(wire)).metadata, ElementsAre(Pair("name", "???")));
}

}  // namespace
}  // namespace fadu::rpc
