#include "services/registry/domain/account.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/area_code.h"
#include "common/base/civil_day.h"
#include "common/base/clock.h"
#include "common/schema/reason.h"

namespace fadu::registry {
namespace {

using fadu::common::v1::ROLE_COUNTY_ADMIN;
using fadu::common::v1::ROLE_COUNTY_REVIEWER;
using fadu::common::v1::ROLE_DEPARTMENT;
using fadu::common::v1::ROLE_SERVICE;
using fadu::common::v1::ROLE_UNSPECIFIED;

constexpr size_t kCountyDigits = 6;

// Why the caller may not give the grant, in Chinese; empty when it may.
std::string ProblemOf(const Principal& caller, absl::string_view county, v1::AccountKind kind,
                      const v1::AccountGrant& grant) {
  const std::string& area = grant.area_code();
  if (grant.role() == ROLE_SERVICE || grant.role() == ROLE_UNSPECIFIED) {
    return "该角色只属于系统内部服务";
  }
  // A program does what its department may, and confirms or administers nothing.
  if (kind == v1::ACCOUNT_KIND_CLIENT && grant.role() != ROLE_DEPARTMENT) {
    return "接口客户端只能授予部门接口角色（DEPARTMENT）";
  }
  if (area.size() < kCountyDigits || !IsWithin(area, county)) return "区划不在本县";
  if (!caller.MayIn(area, {ROLE_COUNTY_ADMIN})) return "超出您自己的管理范围";
  const bool of_county = grant.role() == ROLE_COUNTY_ADMIN || grant.role() == ROLE_COUNTY_REVIEWER;
  if (of_county && area.size() != kCountyDigits) return "县级角色只能授予全县";
  // An administrator of one organisation could give rights in all others.
  if (grant.role() == ROLE_COUNTY_ADMIN &&
      (!grant.organisation().empty() || !grant.collections().empty())) {
    return "管理员角色不能限定单位或记录类型";
  }
  return "";
}

bool IsLogin(absl::string_view login) {
  return absl::ascii_islower(static_cast<unsigned char>(login[0])) &&
         std::all_of(login.begin(), login.end(), [](char c) {
           const auto u = static_cast<unsigned char>(c);
           return absl::ascii_islower(u) || absl::ascii_isdigit(u) || c == '.' || c == '_' ||
                  c == '-';
         });
}

// The last day of use, when there is one. The text passed Rules.
bool HasEnded(const v1::Account& account, absl::CivilDay today) {
  if (account.expire_date().empty()) return false;
  const absl::StatusOr<absl::CivilDay> last = ParseDay(account.expire_date());
  return !last.ok() || *last < today;
}

}  // namespace

absl::StatusOr<v1::Account> NewAccount(const Principal& caller, absl::string_view county,
                                       const v1::CreateAccountRequest& wish, absl::CivilDay today) {
  for (int i = 0; i < wish.grants_size(); ++i) {
    const std::string problem = ProblemOf(caller, county, wish.kind(), wish.grants(i));
    if (problem.empty()) continue;
    return Fail(absl::StatusCode::kPermissionDenied, v1::REASON_GRANT_DENIED,
                "the caller may not give this grant",
                {{"item", absl::StrCat(i + 1)},
                 {"area", wish.grants(i).area_code()},
                 {"problem", problem}});
  }
  if (!wish.login().empty() && !IsLogin(wish.login())) {
    return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_LOGIN_INVALID,
                "a login of other characters", {{"login", wish.login()}});
  }
  v1::Account account;
  account.set_area_code(std::string(county));
  account.set_created_date(FormatDay(today));
  account.set_display_name(wish.display_name());
  account.set_kind(wish.kind());
  *account.mutable_grants() = wish.grants();
  account.set_login(wish.login());
  account.set_expire_date(wish.expire_date());
  account.set_secret_date(FormatDay(today));
  if (HasEnded(account, today)) {
    return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_ACCOUNT_EXPIRED,
                "the account would have expired already", {{"date", wish.expire_date()}});
  }
  if (wish.kind() == v1::ACCOUNT_KIND_CLIENT) {
    const absl::StatusOr<absl::CivilDay> last = ParseDay(wish.expire_date());
    if (!last.ok() || *last > today + kClientDays) {
      return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_CLIENT_EXPIRY,
                  "a client needs a last day within two years",
                  {{"latest", FormatDay(today + kClientDays)}});
    }
  }
  return account;
}

v1::Account FirstAdministrator(absl::string_view county, absl::string_view display_name,
                               absl::CivilDay today) {
  v1::Account account;
  account.set_area_code(std::string(county));
  account.set_created_date(FormatDay(today));
  account.set_display_name(std::string(display_name));
  account.set_kind(v1::ACCOUNT_KIND_USER);
  v1::AccountGrant& grant = *account.add_grants();
  grant.set_role(ROLE_COUNTY_ADMIN);
  grant.set_area_code(std::string(county));
  account.set_secret_date(FormatDay(today));
  return account;
}

v1::AccountState StateOf(const v1::Account& account, absl::CivilDay today) {
  if (account.disabled()) return v1::ACCOUNT_STATE_DISABLED;
  return HasEnded(account, today) ? v1::ACCOUNT_STATE_EXPIRED : v1::ACCOUNT_STATE_USABLE;
}

bool IsUsable(const v1::Account& account, absl::CivilDay today) {
  return StateOf(account, today) == v1::ACCOUNT_STATE_USABLE;
}

bool Administers(const v1::Account& account, absl::string_view county, absl::CivilDay today) {
  return IsUsable(account, today) && std::any_of(account.grants().begin(), account.grants().end(),
                                                 [&](const v1::AccountGrant& grant) {
                                                   return grant.role() == ROLE_COUNTY_ADMIN &&
                                                          grant.area_code() == county;
                                                 });
}

fadu::common::v1::Identity IdentityOf(const v1::Account& account, const Uuid& id, absl::Time now) {
  fadu::common::v1::Identity identity;
  identity.set_subject(SubjectOf(id));
  identity.set_display_name(account.display_name());
  for (const v1::AccountGrant& held : account.grants()) {
    fadu::common::v1::Grant& grant = *identity.add_grants();
    grant.set_role(held.role());
    grant.set_area_code(held.area_code());
    grant.set_organisation(held.organisation());
    *grant.mutable_collections() = held.collections();
  }
  absl::Time expires = now + kTokenLife;
  const absl::StatusOr<absl::CivilDay> last = ParseDay(account.expire_date());
  if (last.ok()) expires = std::min(expires, absl::FromCivil(*last + 1, LegalTimeZone()));
  identity.set_expire_seconds(absl::ToUnixSeconds(expires));
  return identity;
}

std::string SubjectOf(const Uuid& id) { return absl::StrCat("accounts/", id.ToString()); }

}  // namespace fadu::registry
