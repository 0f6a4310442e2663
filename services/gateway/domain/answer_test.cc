#include "services/gateway/domain/answer.h"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"
#include "fadu/gateway/v1/reason.pb.h"
#include "google/rpc/error_details.pb.h"

namespace fadu::gateway {
namespace {

// The table of google/rpc/code.proto and of Connect's protocol page, row by row.
struct Row {
  int code;
  int http;
  const char* connect;
};
constexpr Row kRows[] = {
    {1, 499, "canceled"},
    {2, 500, "unknown"},
    {3, 400, "invalid_argument"},
    {4, 504, "deadline_exceeded"},
    {5, 404, "not_found"},
    {6, 409, "already_exists"},
    {7, 403, "permission_denied"},
    {8, 429, "resource_exhausted"},
    {9, 400, "failed_precondition"},
    {10, 409, "aborted"},
    {11, 400, "out_of_range"},
    {12, 501, "unimplemented"},
    {13, 500, "internal"},
    {14, 503, "unavailable"},
    {15, 500, "data_loss"},
    {16, 401, "unauthenticated"},
};

TEST(HttpStatusOf, FollowsTheTableForAllSixteenCodes) {
  std::set<int> codes;
  for (const Row& row : kRows) {
    const auto code = static_cast<absl::StatusCode>(row.code);
    EXPECT_EQ(HttpStatusOf(code), row.http) << row.connect;
    EXPECT_EQ(ConnectCodeOf(code), row.connect);
    codes.insert(row.code);
  }
  EXPECT_EQ(codes.size(), 16U);
}

// A service of a later release may send a code that there is not yet: it is no success.
TEST(HttpStatusOf, NoFailureIs200) {
  for (int code = 1; code < 100; ++code) {
    EXPECT_GE(HttpStatusOf(static_cast<absl::StatusCode>(code)), 400) << code;
  }
}

TEST(HttpStatusOf, WhereHttpHasAWordOfItsOwnItIsUsed) {
  const auto status = [](auto reason) {
    return HttpStatusOf(fadu::Fail(absl::StatusCode::kInvalidArgument, reason, ""));
  };
  EXPECT_EQ(status(v1::REASON_PATH_UNKNOWN), 404);
  EXPECT_EQ(status(v1::REASON_METHOD_UNKNOWN), 405);
  EXPECT_EQ(status(v1::REASON_MEDIA_TYPE), 415);
  EXPECT_EQ(status(common::v1::REASON_TOO_LARGE), 413);
  EXPECT_EQ(status(common::v1::REASON_FIELD_INVALID), 400);
}

google::rpc::Status Sample() {
  google::rpc::Status status;
  status.set_code(3);
  status.set_message("a \"field\"");
  google::rpc::ErrorInfo info;
  info.set_reason("REASON_X");
  info.set_domain("fadu.x.v1");
  status.add_details()->PackFrom(info);
  google::rpc::LocalizedMessage text;
  text.set_locale("zh-CN");
  text.set_message("填写有误");
  status.add_details()->PackFrom(text);
  return status;
}

TEST(StatusJson, IsGoogleRpcStatus) {
  EXPECT_EQ(StatusJson(Sample()),
            "{\"code\":3,\"message\":\"a \\\"field\\\"\",\"details\":["
            "{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"REASON_X\","
            "\"domain\":\"fadu.x.v1\"},"
            "{\"@type\":\"type.googleapis.com/google.rpc.LocalizedMessage\",\"locale\":\"zh-CN\","
            "\"message\":\"填写有误\"}]}");
}

TEST(StatusJson, ADetailOfAnUnknownTypeIsLeftOut) {
  google::rpc::Status status;
  status.set_code(5);
  status.add_details()->set_type_url("type.googleapis.com/no.Such");
  EXPECT_EQ(StatusJson(status), "{\"code\":5,\"message\":\"\",\"details\":[]}");
}

// base64 of 0a 08 "REASON_X" 12 09 "fadu.x.v1", without padding, by hand:
// 0a0852 454153 4f4e5f 581209 666164 752e78 2e7631
TEST(ConnectErrorJson, CarriesDetailsInBase64WithoutPadding) {
  google::rpc::Status status = Sample();
  status.mutable_details()->RemoveLast();
  EXPECT_EQ(ConnectErrorJson(status),
            "{\"code\":\"invalid_argument\",\"message\":\"a \\\"field\\\"\",\"details\":["
            "{\"type\":\"google.rpc.ErrorInfo\",\"value\":\"CghSRUFTT05fWBIJZmFkdS54LnYx\","
            "\"debug\":{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\","
            "\"reason\":\"REASON_X\",\"domain\":\"fadu.x.v1\"}}]}");
}

TEST(TextOf, IsWhatAPersonReads) { EXPECT_EQ(TextOf(Sample()), "填写有误"); }

}  // namespace
}  // namespace fadu::gateway
