#include "services/registry/domain/sign_in.h"

#include <gtest/gtest.h>

#include "common/base/status.h"

namespace fadu::registry {
namespace {

const absl::Time kNoon = absl::FromUnixSeconds(1717214400);

// What is wrong with it; "" when nothing is.
std::string Problem(absl::string_view password, absl::string_view login = "zhang") {
  const absl::Status status = CheckPassword(password, login);
  if (status.ok()) return "";
  EXPECT_EQ(ReasonOf(status), "REASON_PASSWORD_WEAK");
  return DetailOf(status).metadata.at("problem");
}

TEST(CheckPassword, TakesTenCharactersOfThreeKindsOrSixteenOfAny) {
  EXPECT_EQ(Problem("Abcdefg123"), "");
  EXPECT_EQ(Problem("abc-efg123"), "");
  EXPECT_EQ(Problem("correct horse battery"), "");
  EXPECT_EQ(Problem("春风又绿江南岸明月何时照我还"),
            "少于 16 个字符时，须含小写字母、大写字母、数字、其他字符中的三类");
  EXPECT_EQ(Problem("春风又绿江南岸明月何时照我还也。"), "");
  EXPECT_NE(Problem("Abcdef123"), "");
  EXPECT_NE(Problem("abcdefghi1"), "");
}

TEST(CheckPassword, RefusesWhatIsEasilyGuessed) {
  EXPECT_EQ(Problem("Zhang-12345"), "不能包含登录名");
  EXPECT_EQ(Problem("aA1aA1aA1aA1"), "重复的字符过多");
  EXPECT_EQ(Problem(std::string(201, 'a')), "超过 200 字节");
}

// 5 failures / 15 min.
TEST(Attempted, TheSixthWithinFifteenMinutesIsLocked) {
  Failures failures;
  for (int i = 0; i < 5; ++i) {
    const Attempt attempt = Attempted(failures, kNoon + absl::Minutes(i));
    EXPECT_EQ(attempt.locked_for, absl::ZeroDuration()) << i;
    failures = attempt.after;
  }
  // The fifth was at 12:04: locked until 12:19, however often it is tried.
  const Attempt sixth = Attempted(failures, kNoon + absl::Minutes(5));
  EXPECT_EQ(sixth.locked_for, absl::Minutes(14));
  EXPECT_EQ(sixth.after.last_at, failures.last_at);
  EXPECT_GT(Attempted(failures, kNoon + absl::Minutes(19) - absl::Seconds(1)).locked_for,
            absl::ZeroDuration());
  const Attempt later = Attempted(failures, kNoon + absl::Minutes(19));
  EXPECT_EQ(later.locked_for, absl::ZeroDuration());
  EXPECT_EQ(later.after.count, 1);
}

TEST(Attempted, FailuresFarApartNeverLock) {
  Failures failures;
  for (int i = 0; i < 20; ++i) {
    const Attempt attempt = Attempted(failures, kNoon + i * absl::Minutes(15));
    EXPECT_EQ(attempt.locked_for, absl::ZeroDuration());
    failures = attempt.after;
  }
}

TEST(SessionHolds, ForAnHourWithoutUseAndTwelveInAll) {
  EXPECT_TRUE(SessionHolds(kNoon, kNoon, kNoon + absl::Minutes(59)));
  EXPECT_FALSE(SessionHolds(kNoon, kNoon, kNoon + absl::Minutes(60)));
  const absl::Time late = kNoon + absl::Hours(12);
  EXPECT_TRUE(SessionHolds(kNoon, late - absl::Minutes(1), late - absl::Seconds(1)));
  EXPECT_FALSE(SessionHolds(kNoon, late - absl::Minutes(1), late));
}

}  // namespace
}  // namespace fadu::registry
