#include "common/base/call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fadu {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kClerk = 3;
constexpr int kSecretary = 5;
constexpr int kAuditor = 7;

Principal With(std::vector<RoleGrant> grants) {
  Principal principal;
  principal.subject = "accounts/00000000-0000-7000-8000-000000000001";
  principal.grants = std::move(grants);
  return principal;
}

TEST(Principal, HasTheRolesOfItsGrants) {
  const Principal clerk = With({{kClerk, "421221106", ""}});
  EXPECT_TRUE(clerk.HasRole(kClerk));
  EXPECT_FALSE(clerk.HasRole(kSecretary));
}

TEST(Principal, MayActInItsAreaAndBeneath) {
  const Principal clerk = With({{kClerk, "421221106", ""}});
  EXPECT_TRUE(clerk.MayIn("421221106", {kClerk}));
  EXPECT_TRUE(clerk.MayIn("421221106200", {kSecretary, kClerk}));
}

TEST(Principal, MayNotActAboveOrBesideItsArea) {
  const Principal clerk = With({{kClerk, "421221106", ""}});
  EXPECT_FALSE(clerk.MayIn("421221", {kClerk}));
  EXPECT_FALSE(clerk.MayIn("421221107", {kClerk}));
  EXPECT_FALSE(clerk.MayIn("", {kClerk}));
}

// Two half-fitting grants do not add up to a fitting one.
TEST(Principal, NeedsRoleAndAreaInOneGrant) {
  const Principal both = With({{kClerk, "421221106", ""}, {kSecretary, "421221107", ""}});
  EXPECT_FALSE(both.MayIn("421221107", {kClerk}));
  EXPECT_FALSE(both.MayIn("421221106", {kSecretary}));
}

TEST(Principal, MayDoNothingWithoutARoleOrAnArea) {
  EXPECT_FALSE(With({}).MayIn("421221106", {kClerk}));
  EXPECT_FALSE(With({{kClerk, "421221106", ""}}).MayIn("421221106", {}));
  // A grant that lost its area is not a grant of the whole country.
  EXPECT_FALSE(With({{kClerk, "", ""}}).MayIn("421221106", {kClerk}));
}

TEST(Principal, ListsItsOutermostAreasInOrder) {
  const Principal principal = With({{kClerk, "421221107", ""},
                                    {kClerk, "421221106200", ""},
                                    {kSecretary, "421221106", ""},
                                    {kClerk, "421221107", ""},
                                    {kAuditor, "421221", ""}});
  EXPECT_THAT(principal.AreasOf({kClerk, kSecretary}), ElementsAre("421221106", "421221107"));
  EXPECT_THAT(principal.AreasOf({kClerk}), ElementsAre("421221106200", "421221107"));
  EXPECT_THAT(principal.AreasOf({kClerk, kAuditor}), ElementsAre("421221"));
}

TEST(Principal, ListsNoAreaForARoleItLacks) {
  EXPECT_THAT(With({{kClerk, "421221106", ""}}).AreasOf({kAuditor}), IsEmpty());
  EXPECT_THAT(With({{kClerk, "", ""}}).AreasOf({kClerk}), IsEmpty());
}

// A department's program, for one organisation's records.
TEST(Principal, LimitedToAnOrganisationTouchesItsRecordsAndNoOthers) {
  const Principal principal = With({{kClerk, "421221106", "org-a"}});
  const auto may = [&](const char* area, const char* owner, int role = kClerk) {
    return principal.MayTouch("widgets", area, owner, {role});
  };
  EXPECT_TRUE(principal.HasRole(kClerk));
  EXPECT_TRUE(may("421221106200", "org-a"));
  EXPECT_FALSE(may("421221106200", "org-b"));
  EXPECT_FALSE(may("421221106200", ""));
  EXPECT_FALSE(may("421221107200", "org-a"));
  EXPECT_FALSE(may("421221106200", "org-a", kAuditor));
}

TEST(Principal, LimitedToRecordTypesTouchesThoseAndNoOthers) {
  const Principal principal = With({{kClerk, "421221106", "", {"widgets", "gadgets"}}});
  EXPECT_TRUE(principal.MayTouch("gadgets", "421221106200", "", {kClerk}));
  EXPECT_FALSE(principal.MayTouch("gizmos", "421221106200", "", {kClerk}));
  EXPECT_TRUE(principal.HasRoleFor("widgets", {kClerk}));
  EXPECT_FALSE(principal.HasRoleFor("gizmos", {kClerk}));
  EXPECT_FALSE(principal.HasRoleFor("widgets", {kAuditor}));
  EXPECT_THAT(principal.ReachesOf("widgets", {kClerk}), ElementsAre(Reach{"421221106", ""}));
  EXPECT_THAT(principal.ReachesOf("gizmos", {kClerk}), IsEmpty());
}

// What is not about one record (a measure, a run, an audit log) is about everybody's.
TEST(Principal, LimitedHasNoArea) {
  for (const RoleGrant& grant :
       {RoleGrant{kClerk, "421221106", "org-a"}, RoleGrant{kClerk, "421221106", "", {"widgets"}}}) {
    EXPECT_FALSE(With({grant}).MayIn("421221106200", {kClerk}));
    EXPECT_THAT(With({grant}).AreasOf({kClerk}), IsEmpty());
  }
}

TEST(Principal, NotLimitedTouchesTheRecordsOfAllOrganisationsAndOfNone) {
  const Principal principal = With({{kClerk, "421221106", ""}});
  EXPECT_TRUE(principal.MayTouch("widgets", "421221106200", "org-a", {kClerk}));
  EXPECT_TRUE(principal.MayTouch("widgets", "421221106200", "", {kClerk}));
}

TEST(Principal, ReachesAreasThenOrganisationsOutsideOfThem) {
  const Principal principal = With({{kClerk, "421221106200", "org-a"},
                                    {kClerk, "421221107", "org-a"},
                                    {kClerk, "421221107", "org-a"},
                                    {kClerk, "421221107", "org-b", {"gizmos"}},
                                    {kAuditor, "421221108", "org-a"},
                                    {kClerk, "421221106", ""}});
  EXPECT_THAT(principal.ReachesOf("widgets", {kClerk}),
              ElementsAre(Reach{"421221106", ""}, Reach{"421221107", "org-a"}));
}

}  // namespace
}  // namespace fadu
