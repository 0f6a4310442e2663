#include "services/governance/domain/honour.h"

#include <gtest/gtest.h>

#include "common/base/status.h"

namespace fadu::governance {
namespace {

const absl::CivilDay kToday(2024, 12, 31);

v1::Honour Typical() {
  v1::Honour honour;
  honour.set_area_code("421221106");
  honour.set_award_date("2024-11-20");
  honour.set_title("“枫桥经验”典型");
  honour.set_level(v1::HONOUR_LEVEL_PROVINCIAL);
  honour.set_object(v1::HONOUR_OBJECT_CASE);
  honour.set_issuer("示例省级单位");
  honour.set_document_number("示例〔2024〕9号");
  return honour;
}

TEST(Honour, IsFoundByItsDocumentOrItsAnnouncement) {
  v1::Honour honour = Typical();
  EXPECT_EQ(ReasonOf(DecideHonour(honour, kToday)), "");
  honour.clear_document_number();
  EXPECT_EQ(ReasonOf(DecideHonour(honour, kToday)), "REASON_HONOUR_EVIDENCE");
  honour.set_announced_at("示例省级网站2024年11月通报");
  EXPECT_EQ(ReasonOf(DecideHonour(honour, kToday)), "");
}

TEST(Honour, WasGivenByTodayToATownOrVillage) {
  v1::Honour honour = Typical();
  honour.set_award_date("2025-01-01");
  EXPECT_EQ(ReasonOf(DecideHonour(honour, kToday)), "REASON_GOVERNANCE_DATES");
  honour = Typical();
  honour.set_area_code("4212");
  EXPECT_EQ(ReasonOf(DecideHonour(honour, kToday)), "REASON_FIELD_INVALID");
}

}  // namespace
}  // namespace fadu::governance
