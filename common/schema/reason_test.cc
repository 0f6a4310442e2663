#include "common/schema/reason.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/testing/status_matchers.h"
#include "fadu/common/v1/reason.pb.h"

namespace fadu {
namespace {

namespace v1 = ::fadu::common::v1;
using ::testing::ElementsAre;
using ::testing::Pair;

absl::Status FilterFailure() {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_FILTER_INVALID, "does not parse",
              {{"position", "7"}, {"problem", "缺少右括号"}});
}

TEST(Fail, CarriesThePackageAndTheNameOfTheReason) {
  const absl::Status status = FilterFailure();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(DetailOf(status).domain, "fadu.common.v1");
  EXPECT_EQ(DetailOf(status).reason, "REASON_FILTER_INVALID");
}

TEST(Fail, CarriesMetadataAndViolations) {
  const ErrorDetail detail =
      DetailOf(Fail(absl::StatusCode::kInvalidArgument, v1::REASON_FIELD_INVALID, "wrong",
                    {{"field", "title"}}, {{"title", "不能为空"}}));
  EXPECT_THAT(detail.metadata, ElementsAre(Pair("field", "title")));
  ASSERT_EQ(detail.violations.size(), 1U);
  EXPECT_EQ(detail.violations[0].description, "不能为空");
}

TEST(LocalizedText, FillsTheChineseLabel) {
  EXPECT_EQ(LocalizedText(FilterFailure(), "zh"), "筛选条件有误（第 7 个字符附近）：缺少右括号");
}

TEST(LocalizedText, FillsTheEnglishLabel) {
  EXPECT_EQ(LocalizedText(FilterFailure(), "en"), "filter, near character 7: 缺少右括号");
}

// What a caller typed may look like a place of ours.
TEST(LocalizedText, DoesNotFillPlacesInsideMetadata) {
  const absl::Status status =
      Fail(absl::StatusCode::kInvalidArgument, v1::REASON_FILTER_INVALID, "does not parse",
           {{"position", "{problem}"}, {"problem", "{position}"}});
  EXPECT_EQ(LocalizedText(status, "en"), "filter, near character {problem}: {position}");
}

TEST(LocalizedText, LeavesAPlaceThatNothingFills) {
  EXPECT_EQ(LocalizedText(Fail(absl::StatusCode::kNotFound, v1::REASON_NOT_FOUND, "gone"), "en"),
            "{name} does not exist or is not visible to you");
}

TEST(LocalizedText, IsTheMessageWhenTheReasonIsUnknown) {
  for (const char* domain : {"fadu.common.v1", "fadu.nowhere.v1", ""}) {
    const absl::Status status =
        MakeError(absl::StatusCode::kNotFound, ErrorDetail{domain, "REASON_NEWER_THAN_US", {}, {}},
                  "the message");
    EXPECT_EQ(LocalizedText(status, "zh"), "the message") << domain;
  }
}

TEST(LocalizedText, IsTheMessageWhenThereIsNoReasonOrNoLabel) {
  EXPECT_EQ(LocalizedText(absl::NotFoundError("plain"), "zh"), "plain");
  EXPECT_EQ(
      LocalizedText(Fail(absl::StatusCode::kNotFound, v1::REASON_UNSPECIFIED, "no label"), "zh"),
      "no label");
}

}  // namespace
}  // namespace fadu
