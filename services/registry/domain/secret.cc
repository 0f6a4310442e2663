#include "services/registry/domain/secret.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
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
