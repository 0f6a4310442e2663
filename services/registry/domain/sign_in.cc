#include "services/registry/domain/sign_in.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/registry/v1/registry_service.pb.h"

namespace fadu::registry {
namespace {

constexpr size_t kLeast = 10;       // characters, with three kinds
constexpr size_t kLeastOfAny = 16;  // characters, of any kind
constexpr size_t kMostBytes = 200;
constexpr int kKinds = 3;
constexpr size_t kLeastDifferent = 5;

absl::Status Weak(absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_PASSWORD_WEAK,
              "the password is too weak", {{"problem", std::string(problem)}});
}

}  // namespace

std::string PasswordSecret(absl::string_view random) {
  return absl::StrCat("fadu-once_", absl::WebSafeBase64Escape(random));
}

std::string SessionSecret(absl::string_view random) {
  return absl::StrCat("fadu-session_", absl::WebSafeBase64Escape(random));
}

absl::Status CheckPassword(absl::string_view password, absl::string_view login) {
  if (password.size() > kMostBytes) return Weak("超过 200 字节");
  bool lower = false;
  bool upper = false;
  bool digit = false;
  bool other = false;
  size_t characters = 0;
  std::set<char> different;
  for (const char c : password) {
    const auto u = static_cast<unsigned char>(c);
    if ((u & 0xC0) != 0x80) ++characters;  // a character's first byte
    different.insert(c);
    lower = lower || absl::ascii_islower(u);
    upper = upper || absl::ascii_isupper(u);
    digit = digit || absl::ascii_isdigit(u);
    other = other || !absl::ascii_isalnum(u);
  }
  const int kinds = lower + upper + digit + other;
  if (characters < kLeast) return Weak("至少 10 个字符");
  if (characters < kLeastOfAny && kinds < kKinds) {
    return Weak("少于 16 个字符时，须含小写字母、大写字母、数字、其他字符中的三类");
  }
  if (different.size() < kLeastDifferent) return Weak("重复的字符过多");
  if (login.size() >= 3 &&
      absl::StrContains(absl::AsciiStrToLower(password), absl::AsciiStrToLower(login))) {
    return Weak("不能包含登录名");
  }
  return absl::OkStatus();
}

Attempt Attempted(const Failures& before, absl::Time now) {
  const bool recent = now < before.last_at + kLockTime;
  if (recent && before.count >= kMaxFailures) {
    return Attempt{before, before.last_at + kLockTime - now};
  }
  return Attempt{Failures{recent ? before.count + 1 : 1, now}, absl::ZeroDuration()};
}

bool SessionHolds(absl::Time created_at, absl::Time seen_at, absl::Time now) {
  return now < created_at + kSessionLife && now < seen_at + kSessionIdle;
}

}  // namespace fadu::registry
