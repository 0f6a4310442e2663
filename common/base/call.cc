#include "common/base/call.h"

#include <algorithm>

#include "common/base/area_code.h"

namespace fadu {
namespace {

bool Contains(const std::vector<int>& roles, int role) {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

}  // namespace

bool Principal::HasRole(int role) const {
  return std::any_of(grants.begin(), grants.end(),
                     [&](const RoleGrant& grant) { return grant.role == role; });
}

bool Principal::MayIn(absl::string_view area_code, const std::vector<int>& roles) const {
  return std::any_of(grants.begin(), grants.end(), [&](const RoleGrant& grant) {
    return Contains(roles, grant.role) && !grant.area_code.empty() &&
           IsWithin(area_code, grant.area_code);
  });
}

std::vector<std::string> Principal::AreasOf(const std::vector<int>& roles) const {
  std::vector<std::string> areas;
  for (const RoleGrant& grant : grants) {
    if (Contains(roles, grant.role) && !grant.area_code.empty()) areas.push_back(grant.area_code);
  }
  // Sorted, an area stands before all that lies in it.
  std::sort(areas.begin(), areas.end());
  std::vector<std::string> outermost;
  for (const std::string& area : areas) {
    if (outermost.empty() || !IsWithin(area, outermost.back())) outermost.push_back(area);
  }
  return outermost;
}

}  // namespace fadu
