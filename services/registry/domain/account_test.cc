#include "services/registry/domain/account.h"

#include <string>

#include "common/base/civil_day.h"
#include "common/base/status.h"
#include "fadu/common/v1/options.pb.h"
#include "gtest/gtest.h"

namespace fadu::registry {
namespace {

using namespace fadu::common::v1;  // NOLINT: the roles

const absl::CivilDay kToday(2024, 6, 1);

Principal Admin(const std::string& area) {
  Principal principal;
  principal.subject = "accounts/01900000-0000-7000-8000-000000000001";
  principal.grants = {RoleGrant{ROLE_COUNTY_ADMIN, area, ""}};
  return principal;
}

v1::CreateAccountRequest Wish(Role role, const std::string& area) {
  v1::CreateAccountRequest wish;
  wish.set_display_name("潘家湾镇经办人");
  wish.set_kind(v1::ACCOUNT_KIND_USER);
  v1::AccountGrant& grant = *wish.add_grants();
  grant.set_role(role);
  grant.set_area_code(area);
  return wish;
}

std::string ReasonFor(const Principal& caller, const v1::CreateAccountRequest& wish) {
  return ReasonOf(NewAccount(caller, "421221", wish, kToday).status());
}

TEST(NewAccount, GivesRolesWithinTheCounty) {
  const auto account =
      NewAccount(Admin("421221"), "421221", Wish(ROLE_TOWN_CLERK, "421221106"), kToday);
  ASSERT_TRUE(account.ok()) << account.status();
  EXPECT_EQ(account->area_code(), "421221");
  EXPECT_EQ(account->created_date(), "2024-06-01");
  EXPECT_FALSE(account->disabled());
}

TEST(NewAccount, GivesNothingInAnotherCounty) {
  EXPECT_EQ(ReasonFor(Admin("421221"), Wish(ROLE_TOWN_CLERK, "421222106")), "REASON_GRANT_DENIED");
  EXPECT_EQ(ReasonFor(Admin("421222"), Wish(ROLE_TOWN_CLERK, "421222106")), "REASON_GRANT_DENIED");
}

TEST(NewAccount, GivesNoMoreAreaThanTheCallerHas) {
  EXPECT_EQ(ReasonFor(Admin("421221106"), Wish(ROLE_TOWN_CLERK, "421221107")),
            "REASON_GRANT_DENIED");
  EXPECT_EQ(ReasonFor(Admin("421221106"), Wish(ROLE_AUDITOR, "421221")), "REASON_GRANT_DENIED");
  EXPECT_EQ(ReasonFor(Admin("421221"), Wish(ROLE_AUDITOR, "4212")), "REASON_GRANT_DENIED");
}

TEST(NewAccount, NeverGivesTheRoleOfAService) {
  EXPECT_EQ(ReasonFor(Admin("421221"), Wish(ROLE_SERVICE, "421221")), "REASON_GRANT_DENIED");
}

TEST(NewAccount, NamesTheGrantThatIsRefused) {
  v1::CreateAccountRequest wish = Wish(ROLE_TOWN_CLERK, "421221106");
  *wish.add_grants() = Wish(ROLE_COUNTY_ADMIN, "421221106").grants(0);
  const absl::Status status = NewAccount(Admin("421221"), "421221", wish, kToday).status();
  EXPECT_EQ(DetailOf(status).metadata.at("item"), "2");
  EXPECT_EQ(DetailOf(status).metadata.at("problem"), "县级角色只能授予全县");
}

TEST(NewAccount, LimitsNoAdministratorToAnOrganisation) {
  v1::CreateAccountRequest wish = Wish(ROLE_COUNTY_ADMIN, "421221");
  wish.mutable_grants(0)->set_organisation("01900000-0000-7000-8000-000000000001");
  EXPECT_EQ(ReasonFor(Admin("421221"), wish), "REASON_GRANT_DENIED");
}

TEST(NewAccount, ChecksTheLogin) {
  for (const std::string login : {"Panjiawan", "1st", "张三", "a b"}) {
    v1::CreateAccountRequest wish = Wish(ROLE_TOWN_CLERK, "421221106");
    wish.set_login(login);
    EXPECT_EQ(ReasonFor(Admin("421221"), wish), "REASON_LOGIN_INVALID") << login;
  }
  v1::CreateAccountRequest wish = Wish(ROLE_TOWN_CLERK, "421221106");
  wish.set_login("panjiawan.clerk-2");
  EXPECT_EQ(ReasonFor(Admin("421221"), wish), "");
}

TEST(NewAccount, MayEndTodayButNotYesterday) {
  v1::CreateAccountRequest wish = Wish(ROLE_TOWN_CLERK, "421221106");
  wish.set_expire_date("2024-06-01");
  EXPECT_EQ(ReasonFor(Admin("421221"), wish), "");
  wish.set_expire_date("2024-05-31");
  EXPECT_EQ(ReasonFor(Admin("421221"), wish), "REASON_ACCOUNT_EXPIRED");
}

v1::CreateAccountRequest Client(const std::string& expire_date) {
  v1::CreateAccountRequest wish = Wish(ROLE_DEPARTMENT, "421221106");
  wish.set_kind(v1::ACCOUNT_KIND_CLIENT);
  wish.set_expire_date(expire_date);
  return wish;
}

// From 1 June 2024 two years, with the 365 days to 1 June 2025 and again to 2026, are 730 days and
// one more: 2 June 2026.
TEST(NewAccount, GivesAClientTwoYearsAtMost) {
  EXPECT_EQ(ReasonFor(Admin("421221"), Client("2026-06-02")), "");
  EXPECT_EQ(ReasonFor(Admin("421221"), Client("2026-06-03")), "REASON_CLIENT_EXPIRY");
  EXPECT_EQ(ReasonFor(Admin("421221"), Client("")), "REASON_CLIENT_EXPIRY");
  EXPECT_EQ(ReasonFor(Admin("421221"), Client("2024-05-31")), "REASON_ACCOUNT_EXPIRED");
}

TEST(NewAccount, GivesAClientNoRoleButTheDepartments) {
  for (const Role role : {ROLE_TOWN_CLERK, ROLE_TOWN_REVIEWER, ROLE_AUDITOR}) {
    v1::CreateAccountRequest wish = Client("2025-06-01");
    wish.mutable_grants(0)->set_role(role);
    EXPECT_EQ(ReasonFor(Admin("421221"), wish), "REASON_GRANT_DENIED") << role;
  }
}

TEST(NewAccount, GivesNoLimitedAdministrator) {
  v1::CreateAccountRequest wish = Wish(ROLE_COUNTY_ADMIN, "421221");
  wish.mutable_grants(0)->add_collections("disputes");
  EXPECT_EQ(ReasonFor(Admin("421221"), wish), "REASON_GRANT_DENIED");
}

TEST(NewAccount, KeepsTheLimitsOfAGrant) {
  v1::CreateAccountRequest wish = Client("2025-06-01");
  wish.mutable_grants(0)->set_organisation("01900000-0000-7000-8000-000000000001");
  wish.mutable_grants(0)->add_collections("disputes");
  const auto account = NewAccount(Admin("421221"), "421221", wish, kToday);
  ASSERT_TRUE(account.ok()) << account.status();
  const auto identity = IdentityOf(*account, Uuid(), absl::FromUnixSeconds(1717257000));
  EXPECT_EQ(identity.grants(0).organisation(), "01900000-0000-7000-8000-000000000001");
  EXPECT_EQ(identity.grants(0).collections(0), "disputes");
}

TEST(Account, IsUsableUntilTheEndOfItsLastDay) {
  v1::Account account = FirstAdministrator("421221", "县司法局管理员", kToday);
  EXPECT_TRUE(Administers(account, "421221", kToday));
  EXPECT_FALSE(Administers(account, "421222", kToday));
  account.set_expire_date("2024-06-01");
  EXPECT_TRUE(IsUsable(account, kToday));
  EXPECT_FALSE(IsUsable(account, kToday + 1));
  account.set_expire_date("");
  account.set_disabled(true);
  EXPECT_FALSE(IsUsable(account, kToday));
}

// 2024-06-01 23:50 in Beijing is 15:50 UTC: 1717257000. Midnight there is 1717257600.
TEST(Account, HasATokenOfFifteenMinutesAtMost) {
  v1::Account account = FirstAdministrator("421221", "县司法局管理员", kToday);
  const absl::Time now = absl::FromUnixSeconds(1717257000);
  const Identity identity = IdentityOf(account, Uuid(), now);
  EXPECT_EQ(identity.expire_seconds(), 1717257000 + 900);
  EXPECT_EQ(identity.subject(), "accounts/00000000-0000-0000-0000-000000000000");
  ASSERT_EQ(identity.grants_size(), 1);
  EXPECT_EQ(identity.grants(0).role(), ROLE_COUNTY_ADMIN);
  account.set_expire_date("2024-06-01");
  EXPECT_EQ(IdentityOf(account, Uuid(), now).expire_seconds(), 1717257600);
}

}  // namespace
}  // namespace fadu::registry
