#include "common/base/call.h"

#include <algorithm>
#include <utility>

#include "common/base/area_code.h"

namespace fadu {
namespace {

bool Contains(const std::vector<int>& roles, int role) {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

// Those inside no other of them, sorted.
std::vector<std::string> Outermost(std::vector<std::string> areas) {
  // Sorted, an area stands before all that lies in it.
  std::sort(areas.begin(), areas.end());
  std::vector<std::string> outermost;
  for (std::string& area : areas) {
    if (outermost.empty() || !IsWithin(area, outermost.back()))
      outermost.push_back(std::move(area));
  }
  return outermost;
}

}  // namespace

bool RoleGrant::IsFor(absl::string_view collection) const {
  return collections.empty() ||
         std::find(collections.begin(), collections.end(), collection) != collections.end();
}

bool Reach::Covers(absl::string_view area, absl::string_view owner) const {
  return !area_code.empty() && IsWithin(area, area_code) &&
         (organisation.empty() || organisation == owner);
}

bool Principal::HasRole(int role) const {
  return std::any_of(grants.begin(), grants.end(),
                     [&](const RoleGrant& grant) { return grant.role == role; });
}

bool Principal::HasRoleFor(absl::string_view collection, const std::vector<int>& roles) const {
  return std::any_of(grants.begin(), grants.end(), [&](const RoleGrant& grant) {
    return Contains(roles, grant.role) && grant.IsFor(collection);
  });
}

bool Principal::MayIn(absl::string_view area_code, const std::vector<int>& roles) const {
  return std::any_of(grants.begin(), grants.end(), [&](const RoleGrant& grant) {
    return Contains(roles, grant.role) && !grant.IsLimited() && !grant.area_code.empty() &&
           IsWithin(area_code, grant.area_code);
  });
}

bool Principal::MayTouch(absl::string_view collection, absl::string_view area_code,
                         absl::string_view owner, const std::vector<int>& roles) const {
  return std::any_of(grants.begin(), grants.end(), [&](const RoleGrant& grant) {
    return Contains(roles, grant.role) && grant.IsFor(collection) &&
           Reach{grant.area_code, grant.organisation}.Covers(area_code, owner);
  });
}

std::vector<std::string> Principal::AreasOf(const std::vector<int>& roles) const {
  std::vector<std::string> areas;
  for (const RoleGrant& grant : grants) {
    if (Contains(roles, grant.role) && !grant.IsLimited() && !grant.area_code.empty()) {
      areas.push_back(grant.area_code);
    }
  }
  return Outermost(std::move(areas));
}

std::vector<Reach> Principal::ReachesOf(absl::string_view collection,
                                        const std::vector<int>& roles) const {
  std::vector<std::string> areas;
  std::vector<Reach> limited;
  for (const RoleGrant& grant : grants) {
    if (!Contains(roles, grant.role) || !grant.IsFor(collection) || grant.area_code.empty()) {
      continue;
    }
    if (grant.organisation.empty()) {
      areas.push_back(grant.area_code);
    } else {
      limited.push_back(Reach{grant.area_code, grant.organisation});
    }
  }
  std::vector<Reach> reaches;
  for (std::string& area : Outermost(std::move(areas))) {
    reaches.push_back(Reach{std::move(area), ""});
  }
  for (const Reach& reach : limited) {
    const bool inside = std::any_of(reaches.begin(), reaches.end(), [&](const Reach& outer) {
      return outer.Covers(reach.area_code, reach.organisation);
    });
    if (!inside) reaches.push_back(reach);
  }
  return reaches;
}

}  // namespace fadu
