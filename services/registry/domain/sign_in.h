// services/registry/domain/sign_in.h
//
// Signing in: what a password must be, when a login is locked, how long a session lasts.
#ifndef FADU_SERVICES_REGISTRY_DOMAIN_SIGN_IN_H_
#define FADU_SERVICES_REGISTRY_DOMAIN_SIGN_IN_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace fadu::registry {

// How long a one-time secret for setting a password holds.
inline constexpr absl::Duration kPasswordSecretLife = absl::Hours(24 * 7);
// A session that nobody used for so long has ended; every session ends after the second.
inline constexpr absl::Duration kSessionIdle = absl::Hours(1);
inline constexpr absl::Duration kSessionLife = absl::Hours(12);
// So many failures within the time lock a login for the time.
inline constexpr int64_t kMaxFailures = 5;
inline constexpr absl::Duration kLockTime = absl::Minutes(15);

// "fadu-once_" and 43 characters of base64url. `random` is 32 random bytes.
std::string PasswordSecret(absl::string_view random);
// "fadu-session_" and the same.
std::string SessionSecret(absl::string_view random);

// INVALID_ARGUMENT / REASON_PASSWORD_WEAK with `problem`: under 10 characters; under 16 and fewer
// than three kinds of lower-case letters, upper-case letters, digits and others; over 200 bytes;
// the login in it; one character or pair over and over.
absl::Status CheckPassword(absl::string_view password, absl::string_view login);

// How often a login failed of late.
struct Failures {
  int64_t count = 0;
  absl::Time last_at = absl::InfinitePast();
};

// What becomes of an attempt.
struct Attempt {
  Failures after;  // to be stored before the password is looked at
  absl::Duration locked_for = absl::ZeroDuration();  // zero: it may be tried
};

// An attempt counts as a failure until it has succeeded, so that many at once are no more than
// five. Attempts on a locked login change nothing: the lock ends 15 minutes after the fifth
// failure.
Attempt Attempted(const Failures& before, absl::Time now);

// The session goes on.
bool SessionHolds(absl::Time created_at, absl::Time seen_at, absl::Time now);

}  // namespace fadu::registry

#endif  // FADU_SERVICES_REGISTRY_DOMAIN_SIGN_IN_H_
