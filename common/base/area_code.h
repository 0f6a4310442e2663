// common/base/area_code.h
//
// Division codes (统计用区划代码): 2 province, 4 city, 6 county, 9 town, 12 village digits.
#ifndef FADU_COMMON_BASE_AREA_CODE_H_
#define FADU_COMMON_BASE_AREA_CODE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace fadu {

enum class AreaLevel { kProvince, kCity, kCounty, kTown, kVillage };

// Only digits, and 2, 4, 6, 9 or 12 of them.
bool IsAreaCode(absl::string_view code);

// The level of a valid code.
AreaLevel LevelOf(absl::string_view code);

// The code of the area above a valid code: 421221106200 → 421221106 → 421221 → 4212 → 42 → "".
std::string ParentOf(absl::string_view code);

// `code` is `area` or lies under it.
inline bool IsWithin(absl::string_view code, absl::string_view area) {
  return code.substr(0, area.size()) == area;
}

// The first six digits of a code of at least six: the unit of transaction and distribution.
inline std::string CountyOf(absl::string_view code) { return std::string(code.substr(0, 6)); }

// The first code after the subtree of `code`: a subtree is [code, AfterSubtree(code)) in
// bytewise order: 421221106 → 421221107.
std::string AfterSubtree(absl::string_view code);

}  // namespace fadu

#endif  // FADU_COMMON_BASE_AREA_CODE_H_
