#include "services/gateway/domain/target.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/status.h"

namespace fadu::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(ParseTarget, TakesPathVerbAndQueryApart) {
  const auto target =
      ParseTarget("/v1/counties/421221/%E6%BD%98:review?filter=a+%3D+%22b%22&x&y=1=2");
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_THAT(target->segments, ElementsAre("v1", "counties", "421221", "潘"));
  EXPECT_EQ(target->verb, "review");
  EXPECT_THAT(target->query,
              ElementsAre(Pair("filter", "a = \"b\""), Pair("x", ""), Pair("y", "1=2")));
  EXPECT_EQ(target->path(), "/v1/counties/421221/潘:review");
  EXPECT_EQ(target->Query("filter"), "a = \"b\"");
  EXPECT_EQ(target->Query("none"), "");
}

TEST(ParseTarget, TheRootHasNoSegments) {
  EXPECT_THAT(ParseTarget("/")->segments, IsEmpty());
  EXPECT_EQ(ParseTarget("/")->path(), "/");
}

TEST(ParseTarget, OddPathsAreRefused) {
  for (const char* raw : {"",
                          "v1",
                          "*",
                          "http://other/v1",
                          "/../etc/passwd",
                          "/a/../b",
                          "/a/%2e%2e/b",
                          "/%2E",
                          "/a/./b",
                          "/a%2fb",
                          "/a%5cb",
                          "/a\\b",
                          "/a%00",
                          "/a%0d%0aSet-Cookie:x",
                          "/a%",
                          "/a%2",
                          "/a%zz",
                          "//a",
                          "/a//b",
                          "/%ff",
                          "/%c0%af",
                          "/a#b",
                          "/a?x=%00",
                          "/a?x=%",
                          "/a?x=%0a"}) {
    const auto target = ParseTarget(raw);
    EXPECT_FALSE(target.ok()) << raw;
    EXPECT_EQ(ReasonOf(target.status()), "REASON_REQUEST_MALFORMED") << raw;
  }
}

TEST(ParseTarget, LengthAndParametersAreBounded) {
  EXPECT_TRUE(ParseTarget("/" + std::string(8191, 'a')).ok());
  EXPECT_FALSE(ParseTarget("/" + std::string(8192, 'a')).ok());
  std::string many = "/a?";
  for (int i = 0; i < 100; ++i) many += "x=1&";
  EXPECT_TRUE(ParseTarget(many).ok());
  EXPECT_FALSE(ParseTarget(many + "x=1").ok());
}

}  // namespace
}  // namespace fadu::gateway
