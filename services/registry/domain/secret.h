// services/registry/domain/secret.h
//
// Secrets: how they look, what is stored of them, and how fast they may be guessed.
#ifndef FADU_SERVICES_REGISTRY_DOMAIN_SECRET_H_
#define FADU_SERVICES_REGISTRY_DOMAIN_SECRET_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"

namespace fadu::registry {

// Bytes of randomness in a secret.
inline constexpr size_t kSecretBytes = 32;

// "fadu_" and 43 characters of base64url. `random` is 32 random bytes.
std::string AccountSecret(absl::string_view random);
// "fadu-bootstrap_" and the same.
std::string BootstrapSecret(absl::string_view random);

// By its form alone, which everybody knows, it is a bootstrap secret.
bool LooksLikeBootstrap(absl::string_view secret);

// What is stored of a secret, and looked up: algorithm byte and SHA-256, 33 bytes. A secret has 256
// random bits, so neither salt nor stretching would add anything, and how long a look-up by
// digest takes tells nothing about secrets that exist.
std::string SecretDigest(absl::string_view secret);

// The first eight characters after the prefix: by them a wrong secret is told to be meant for one
// that exists, and 208 of the 256 bits stay unknown. Empty when it has no such form.
std::string HandleOf(absl::string_view secret);

// Wrong secrets within kFailureWindow of the first, after which the one they were meant for is
// locked, and for how long.
inline constexpr int64_t kMaxFailures = 5;
inline constexpr absl::Duration kFailureWindow = absl::Minutes(15);
inline constexpr absl::Duration kLockedFor = absl::Minutes(15);

// Wrong secrets meant for one that exists.
struct Failures {
  int64_t count = 0;
  absl::optional<absl::Time> since;         // the first of them
  absl::optional<absl::Time> locked_until;  // when they last were too many
  bool IsLocked(absl::Time now) const { return locked_until.has_value() && now < *locked_until; }
};

// After one more, of a secret that is not locked. What lies before the window is forgotten, and
// after a lock counting begins anew; the right secret in between changes nothing.
Failures AfterFailure(const Failures& before, absl::Time now);

// So many at once, then one per `interval`. Starts full. Not thread-safe.
class TokenBucket {
 public:
  TokenBucket(int capacity, absl::Duration interval)
      : capacity_(capacity), interval_(interval), tokens_(capacity) {}
  // Takes one when there is one. A clock that steps back gives nothing.
  bool Take(absl::Time now);

 private:
  const int capacity_;
  const absl::Duration interval_;
  double tokens_;
  absl::Time last_ = absl::InfinitePast();
};

}  // namespace fadu::registry

#endif  // FADU_SERVICES_REGISTRY_DOMAIN_SECRET_H_
