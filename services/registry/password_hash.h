// services/registry/password_hash.h
//
// Passwords as argon2id strings, 64 MiB, three passes, one lane.
#ifndef FADU_SERVICES_REGISTRY_PASSWORD_HASH_H_
#define FADU_SERVICES_REGISTRY_PASSWORD_HASH_H_

#include <semaphore>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace fadu::registry {

// At most four at once, as each takes 64 MiB and some 200 ms of a processor. Thread-safe.
class PasswordHasher {
 public:
  // "$argon2id$v=19$m=65536,t=3,p=1$…" with 16 random bytes of salt. RESOURCE_EXHAUSTED /
  // REASON_OVERLOADED when no turn comes before `deadline` (of the machine's clock).
  absl::StatusOr<std::string> Hash(absl::string_view password, absl::Time deadline);

  // Does the password belong to the string? With an empty string it takes as long and is false, so
  // that nobody can tell who has a password. RESOURCE_EXHAUSTED as above.
  absl::StatusOr<bool> Matches(absl::string_view hash, absl::string_view password,
                               absl::Time deadline);

 private:
  absl::Status Enter(absl::Time deadline);
  std::counting_semaphore<4> turns_{4};
};

}  // namespace fadu::registry

#endif  // FADU_SERVICES_REGISTRY_PASSWORD_HASH_H_
