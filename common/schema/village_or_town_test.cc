#include "common/schema/village_or_town.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/status.h"

namespace fadu {
namespace {

// GB/T 2260 and the statistical division codes: 2, 4, 6, 9 and 12 digits.
TEST(VillageOrTown, OnlyTheseTwoLevelsAreTaken) {
  EXPECT_TRUE(CheckVillageOrTown("421221106201").ok());
  EXPECT_TRUE(CheckVillageOrTown("421221106").ok());
  for (const char* code : {"42", "4212", "421221", "", "42122110620", "4212211062011", "乡镇"}) {
    const absl::Status status = CheckVillageOrTown(code);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << code;
    EXPECT_EQ(ReasonOf(status), "REASON_FIELD_INVALID") << code;
  }
}

}  // namespace
}  // namespace fadu
