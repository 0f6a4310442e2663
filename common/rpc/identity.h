// common/rpc/identity.h
//
// Signed, short-lived identities (Ed25519). The registry signs users and clients; each service
// signs itself, for the one service it calls; every server verifies with the public keys in the key
// folder.
#ifndef FADU_COMMON_RPC_IDENTITY_H_
#define FADU_COMMON_RPC_IDENTITY_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/call.h"
#include "fadu/common/v1/token.pb.h"

namespace fadu::rpc {

// The longest that an identity may live, whoever signed it. What would expire later is refused: who
// got hold of a key for a moment has nothing for longer. Clocks may differ by a minute.
inline constexpr absl::Duration kAccountLife = absl::Minutes(15);
inline constexpr absl::Duration kServiceLife = absl::Minutes(5);
inline constexpr absl::Duration kClockDifference = absl::Minutes(1);

// Makes {folder}/{name}.key (PEM, mode 0400) and {folder}/{name}.pub when they are missing.
absl::Status EnsureKeyPair(absl::string_view folder, absl::string_view name);

// Signs identities with one private key. Thread-safe.
class Signer {
 public:
  // Reads {folder}/{name}.key. FAILED_PRECONDITION when it is missing, unreadable, or open to
  // others than its owner.
  static absl::StatusOr<std::unique_ptr<Signer>> Load(absl::string_view folder,
                                                      absl::string_view name);
  ~Signer();
  // The bearer token: base64url of a SignedIdentity. Sets `issuer` to this key's name.
  absl::StatusOr<std::string> Sign(fadu::common::v1::Identity identity) const;
  const std::string& name() const { return name_; }

 private:
  struct Key;
  Signer() = default;
  std::string name_;
  std::unique_ptr<Key> key_;
};

// Verifies bearer tokens. Thread-safe.
class Verifier {
 public:
  // Reads every {folder}/*.pub.
  static absl::StatusOr<std::unique_ptr<Verifier>> Load(absl::string_view folder);
  ~Verifier();
  // `audience` is the service that was called.
  // UNAUTHENTICATED / REASON_IDENTITY_MISSING: not ours, altered, a service key that signs anything
  // but services/{its own name}, meant for another service, a service's for none, or living longer
  // than may be. UNAUTHENTICATED / REASON_IDENTITY_EXPIRED.
  // A service's principal has is_service, no grants, and subject services/{name}.
  absl::StatusOr<Principal> Verify(absl::string_view bearer, absl::string_view audience,
                                   absl::Time now) const;

 private:
  struct Keys;
  Verifier() = default;
  std::unique_ptr<Keys> keys_;
};

}  // namespace fadu::rpc

#endif  // FADU_COMMON_RPC_IDENTITY_H_
