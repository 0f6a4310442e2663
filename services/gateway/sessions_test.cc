#include "services/gateway/sessions.h"

#include <gtest/gtest.h>

namespace fadu::gateway {
namespace {

TEST(SessionIn, FindsOurCookieAmongOthers) {
  EXPECT_EQ(SessionIn("a=b; __Host-fadu=fadu-session_x; c=d"), "fadu-session_x");
  EXPECT_EQ(SessionIn("a=b"), "");
  EXPECT_EQ(SessionIn(""), "");
  EXPECT_EQ(SessionIn("__Host-fadu2=x; fadu=y; x__Host-fadu=z"), "");
}

// Two of one name: one of them was planted.
TEST(SessionIn, TwoCookiesAreNone) { EXPECT_EQ(SessionIn("__Host-fadu=a; __Host-fadu=b"), ""); }

TEST(SessionCookie, IsForThisHostAloneAndForNoScript) {
  EXPECT_EQ(SessionCookie("s"), "__Host-fadu=s; Path=/; Secure; HttpOnly; SameSite=Strict");
  EXPECT_EQ(SessionCookie(""),
            "__Host-fadu=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
}

TEST(CsrfTokenOf, BelongsToOneSessionAndDoesNotTellItsSecret) {
  EXPECT_EQ(CsrfTokenOf("a").size(), 32U);
  EXPECT_EQ(CsrfTokenOf("a"), CsrfTokenOf("a"));
  EXPECT_NE(CsrfTokenOf("a"), CsrfTokenOf("b"));
}

TEST(SameText, ComparesAll) {
  EXPECT_TRUE(SameText("abc", "abc"));
  EXPECT_FALSE(SameText("abc", "abd"));
  EXPECT_FALSE(SameText("abc", "ab"));
  EXPECT_TRUE(SameText("", ""));
}

}  // namespace
}  // namespace fadu::gateway
