// services/registry/sign_in.h
//
// The handlers of fadu.registry.v1.SignInService: load, decide, save.
#ifndef FADU_SERVICES_REGISTRY_SIGN_IN_H_
#define FADU_SERVICES_REGISTRY_SIGN_IN_H_

#include <functional>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/rpc/service.h"
#include "fadu/registry/v1/sign_in_service.pb.h"
#include "services/registry/domain/secret.h"
#include "services/registry/handler.h"
#include "services/registry/password_hash.h"
#include "services/registry/store.h"

namespace fadu::registry {

// Thread-safe.
class SignInHandler {
 public:
  explicit SignInHandler(HandlerParts parts);
  const rpc::Service& service() const { return service_; }

 private:
  // Who signs in: an account that may, with its password's hash.
  struct Person {
    Credential credential;
    v1::Account account;
    std::string hash;
  };

  void CreatePasswordSecret(const CallContext& call, const v1::CreatePasswordSecretRequest& request,
                            std::function<void(absl::StatusOr<v1::PasswordSecret>)> done);
  absl::StatusOr<v1::SetPasswordResponse> SetPassword(const CallContext& call,
                                                      const v1::SetPasswordRequest& request);
  absl::StatusOr<v1::Session> SignIn(const CallContext& call, const v1::SignInRequest& request);
  absl::StatusOr<v1::Session> RefreshSession(const CallContext& call,
                                             const v1::RefreshSessionRequest& request);
  absl::StatusOr<v1::SignOutResponse> SignOut(const CallContext& call,
                                              const v1::SignOutRequest& request);

  // Name and password belong together, and the login is not locked. UNAUTHENTICATED /
  // REASON_SIGN_IN_REFUSED, RESOURCE_EXHAUSTED / REASON_SIGN_IN_LOCKED.
  absl::StatusOr<Person> Prove(const CallContext& call, const std::string& county,
                               const std::string& login, const std::string& password);
  // The account behind a secret for setting a password.
  absl::StatusOr<Person> ProveBySecret(const CallContext& call, const std::string& secret);
  absl::StatusOr<Person> FindPerson(const CallContext& call, const std::string& county,
                                    const std::string& login);
  absl::StatusOr<v1::Account> ReadAccount(const CallContext& call, const Credential& credential);
  absl::StatusOr<v1::Session> SessionOf(const CallContext& call, const Person& person,
                                        absl::Time created_at) const;
  std::string NameOf(const Credential& credential) const;

  const HandlerParts parts_;
  const RecordType* const account_type_;
  PasswordHasher hasher_;
  std::mutex mutex_;
  TokenBucket wrong_secrets_;  // guarded by mutex_
  rpc::Service service_;
};

}  // namespace fadu::registry

#endif  // FADU_SERVICES_REGISTRY_SIGN_IN_H_
