#include "common/schema/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/testing/status_matchers.h"

namespace fadu {
namespace {

constexpr char kName[] = "counties/421221/disputes/018f3c1e-0000-7000-8000-00000000000a";

TEST(RecordName, IsReadInItsParts) {
  const absl::StatusOr<RecordName> name = ParseRecordName(kName);
  ASSERT_THAT(name, IsOk());
  EXPECT_EQ(name->county, "421221");
  EXPECT_EQ(name->collection, "disputes");
  EXPECT_EQ(name->id.ToString(), "018f3c1e-0000-7000-8000-00000000000a");
}

TEST(RecordName, IsWrittenAsItWasRead) {
  const absl::StatusOr<RecordName> name = ParseRecordName(kName);
  ASSERT_THAT(name, IsOk());
  EXPECT_EQ(name->ToString(), kName);
}

TEST(RecordName, MayHaveACamelCaseCollection) {
  EXPECT_THAT(
      ParseRecordName("counties/421221/educationEvents/018f3c1e-0000-7000-8000-00000000000a"),
      IsOk());
}

TEST(RecordName, RefusesEveryOtherForm) {
  const std::string id = "018f3c1e-0000-7000-8000-00000000000a";
  for (const std::string& text :
       {std::string(), std::string("counties"), std::string("counties/421221"),
        std::string("counties/421221/disputes"), "counties/421221/disputes/" + id + "/",
        "/counties/421221/disputes/" + id, "counties/421221/disputes/" + id + "/x",
        "counties/42122/disputes/" + id, "counties/421221106/disputes/" + id,
        "counties/42122x/disputes/" + id, "areas/421221/disputes/" + id, "counties/421221//" + id,
        "counties/421221/Disputes/" + id, "counties/421221/dis putes/" + id,
        "counties/421221/纠纷/" + id, std::string("counties/421221/disputes/latest"),
        std::string("counties/421221/disputes/018F3C1E-0000-7000-8000-00000000000A")}) {
    EXPECT_THAT(ParseRecordName(text), HasReason("REASON_FIELD_INVALID")) << text;
  }
}

TEST(RecordName, IsRefusedAsTheFieldName) {
  const absl::Status status = ParseRecordName("x").status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(DetailOf(status).metadata.at("field"), "name");
}

TEST(CountyName, IsReadAsItsCode) {
  EXPECT_THAT(ParseCountyName("counties/421221"), IsOkAndHolds(std::string("421221")));
}

TEST(CountyName, RefusesEveryOtherForm) {
  for (const char* text :
       {"", "counties/", "counties/4212", "counties/421221106", "counties/42122a",
        "counties/421221/", "areas/421221", "421221", "counties//421221"}) {
    EXPECT_THAT(ParseCountyName(text), HasReason("REASON_FIELD_INVALID")) << text;
  }
}

TEST(CountyName, IsRefusedAsTheFieldParent) {
  const absl::Status status = ParseCountyName("x").status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(DetailOf(status).metadata.at("field"), "parent");
}

}  // namespace
}  // namespace fadu
