// services/registry/domain/secret.h
//
// Secrets: how they look, what is stored of them, and how fast they may be guessed.
#ifndef FADU_SERVICES_REGISTRY_DOMAIN_SECRET_H_
#define FADU_SERVICES_REGISTRY_DOMAIN_SECRET_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

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
