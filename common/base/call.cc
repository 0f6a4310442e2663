#include "common/base/call.h"

#include <algorithm>

#include "common/base/area_code.h"

namespace fadu {
namespace {

bool Contains(const std::vector<int>& roles, int role) {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

}  // namespace

bool Reach::Covers(absl::string_view area, absl::string_view owner) const {
  return !area_code.empty() && IsWithin(area, area_code) &&
         (organisation.empty() || organisation == owner);
}

bool Principal::HasRole(int role) const {
  return std::any_of(grants.begin(), grants.end(),
                     [&](const RoleGrant& grant) { return grant.role == role; });
}

bool Principal::MayIn(absl::string_view area_code, const std::vector<int>& roles) const {
  return std::any_of(grants.begin(), grants.end(), [&](const RoleGrant& grant) {
    return Contains(roles, grant.role) && grant.organisation.empty() && !grant.area_code.empty() &&
           IsWithin(area_code, grant.area_code);
  });
}

bool Principal::MayTouch(absl::string_view area_code, absl::string_view owner,
                         const std::vector<int>& roles) const {
  return std::any_of(grants.begin(), grants.end(), [&](const RoleGrant& grant) {
    return Contains(roles, grant.role) &&
           Reach{grant.area_code, grant.organisation}.Covers(area_code, owner);
  });
}

std::vector<std::string> Principal::AreasOf(const std::vector<int>& roles) const {
  std::vector<std::string> areas;
  for (const RoleGrant& grant : grants) {
    if (Contains(roles, grant.role) && grant.organisation.empty() && !grant.area_code.empty()) {
      areas.push_back(grant.area_code);
    }
  }
  // Sorted, an area stands before all that lies in it.
  std::sort(areas.begin(), areas.end());
  std::vector<std::string> outermost;
  for (const std::string& area : areas) {
    if (outermost.empty() || !IsWithin(area, outermost.back())) outermost.push_back(area);
  }
  return outermost;
}

std::vector<Reach> Principal::ReachesOf(const std::vector<int>& roles) const {
  std::vector<Reach> reaches;
  for (std::string& area : AreasOf(roles)) reaches.push_back(Reach{std::move(area), ""});
  const size_t unlimited = reaches.size();
  for (const RoleGrant& grant : grants) {
    if (!Contains(roles, grant.role) || grant.organisation.empty() || grant.area_code.empty()) {
      continue;
    }
    const Reach reach{grant.area_code, grant.organisation};
    const auto end = reaches.begin() + static_cast<std::ptrdiff_t>(unlimited);
    const bool inside = std::any_of(reaches.begin(), end, [&](const Reach& outer) {
      return IsWithin(reach.area_code, outer.area_code);
    });
    if (!inside && std::find(reaches.begin(), reaches.end(), reach) == reaches.end()) {
      reaches.push_back(reach);
    }
  }
  return reaches;
}

}  // namespace fadu
