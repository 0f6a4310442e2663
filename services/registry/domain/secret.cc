#include "services/registry/domain/secret.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/digest.h"

namespace fadu::registry {
namespace {

constexpr absl::string_view kAccountPrefix = "fadu_";
constexpr absl::string_view kBootstrapPrefix = "fadu-bootstrap_";

}  // namespace

std::string AccountSecret(absl::string_view random) {
  return absl::StrCat(kAccountPrefix, absl::WebSafeBase64Escape(random));
}

std::string BootstrapSecret(absl::string_view random) {
  return absl::StrCat(kBootstrapPrefix, absl::WebSafeBase64Escape(random));
}

bool LooksLikeBootstrap(absl::string_view secret) {
  return absl::StartsWith(secret, kBootstrapPrefix);
}

std::string SecretDigest(absl::string_view secret) { return StoredDigest(secret); }

std::string HandleOf(absl::string_view secret) {
  constexpr size_t kCharacters = 8;
  if (!absl::ConsumePrefix(&secret, kAccountPrefix) || secret.size() < kCharacters) return "";
  return std::string(secret.substr(0, kCharacters));
}

Failures AfterFailure(const Failures& before, absl::Time now) {
  const bool counts = before.since.has_value() && now < *before.since + kFailureWindow;
  Failures after{counts ? before.count + 1 : 1, counts ? before.since : now, before.locked_until};
  if (after.count >= kMaxFailures) after = Failures{0, absl::nullopt, now + kLockedFor};
  return after;
}

bool TokenBucket::Take(absl::Time now) {
  if (last_ == absl::InfinitePast()) last_ = now;
  if (now > last_) {
    tokens_ = std::min<double>(capacity_, tokens_ + absl::FDivDuration(now - last_, interval_));
    last_ = now;
  }
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

}  // namespace fadu::registry
