#include "common/base/area_code.h"

#include <algorithm>

namespace fadu {

bool IsAreaCode(absl::string_view code) {
  switch (code.size()) {
    case 2:
    case 4:
    case 6:
    case 9:
    case 12:
      return std::all_of(code.begin(), code.end(), [](char c) { return c >= '0' && c <= '9'; });
    default:
      return false;
  }
}

AreaLevel LevelOf(absl::string_view code) {
  if (code.size() <= 2) return AreaLevel::kProvince;
  if (code.size() <= 4) return AreaLevel::kCity;
  if (code.size() <= 6) return AreaLevel::kCounty;
  return code.size() <= 9 ? AreaLevel::kTown : AreaLevel::kVillage;
}

std::string ParentOf(absl::string_view code) {
  switch (LevelOf(code)) {
    case AreaLevel::kProvince:
      return "";
    case AreaLevel::kCity:
      return std::string(code.substr(0, 2));
    case AreaLevel::kCounty:
      return std::string(code.substr(0, 4));
    case AreaLevel::kTown:
      return std::string(code.substr(0, 6));
    case AreaLevel::kVillage:
      return std::string(code.substr(0, 9));
  }
  return "";
}

std::string AfterSubtree(absl::string_view code) {
  // ':' follows '9', so a code that ends in 9 needs no carry: bytewise, 42122110: is after all of
  // 421221109….
  std::string after(code);
  if (!after.empty()) ++after.back();
  return after;
}

}  // namespace fadu
