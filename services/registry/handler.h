// services/registry/handler.h
//
// The handlers of fadu.registry.v1.RegistryService: load, decide, save.
#ifndef FADU_SERVICES_REGISTRY_HANDLER_H_
#define FADU_SERVICES_REGISTRY_HANDLER_H_

#include <functional>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/call.h"
#include "common/base/id.h"
#include "common/db/pool.h"
#include "common/records/sealer.h"
#include "common/records/store.h"
#include "common/rpc/identity.h"
#include "common/rpc/service.h"
#include "fadu/registry/v1/registry_service.pb.h"
#include "services/registry/domain/secret.h"
#include "services/registry/store.h"

namespace fadu::registry {

// What the handlers work with. Everything outlives them.
struct HandlerParts {
  records::Store& store;
  db::Pool& pool;
  IdSource& ids;
  const rpc::Signer& signer;
  const records::Sealer& sealer;  // signs page tokens
  std::string keys_folder;        // where bootstrap.secret lies
};

// Thread-safe.
class RegistryHandler {
 public:
  explicit RegistryHandler(HandlerParts parts);
  const rpc::Service& service() const { return service_; }

 private:
  using SecretDone = std::function<void(absl::StatusOr<v1::AccountSecret>)>;
  using InfoDone = std::function<void(absl::StatusOr<v1::AccountInfo>)>;

  absl::StatusOr<v1::ImportAreasResponse> ImportAreas(const CallContext& call,
                                                      const v1::ImportAreasRequest& request);
  absl::StatusOr<v1::ListAreasResponse> ListAreas(const CallContext& call,
                                                  const v1::ListAreasRequest& request);
  absl::StatusOr<v1::Area> GetArea(const CallContext& call, const v1::GetAreaRequest& request);
  absl::StatusOr<v1::Area> AddAreaAlias(const CallContext& call,
                                        const v1::AddAreaAliasRequest& request);
  absl::StatusOr<v1::ExchangeTokenResponse> ExchangeToken(const CallContext& call,
                                                          const v1::ExchangeTokenRequest& request);
  absl::StatusOr<v1::AccountSecret> Bootstrap(const CallContext& call,
                                              const v1::BootstrapRequest& request);
  void CreateAccount(const CallContext& call, const v1::CreateAccountRequest& request,
                     SecretDone done);
  absl::StatusOr<v1::ListAccountsResponse> ListAccounts(const CallContext& call,
                                                        const v1::ListAccountsRequest& request);
  void RotateSecret(const CallContext& call, const v1::RotateSecretRequest& request,
                    SecretDone done);
  void DisableAccount(const CallContext& call, const v1::DisableAccountRequest& request,
                      InfoDone done);

  // One area as it last was, with its names.
  absl::StatusOr<v1::Area> ReadArea(db::Transaction& transaction, const std::string& code) const;
  // A failed attempt at a secret: `status`, or RESOURCE_EXHAUSTED when there were too many.
  absl::Status Refuse(absl::Time now, absl::Status status);
  // A secret that no account has: counts it against the one it was meant for.
  absl::Status WrongSecret(const CallContext& call, absl::string_view secret);
  // A change of one account that gives it `secret` and revokes its others.
  records::WriteRequest Rotation(absl::Time now, const Credential& credential,
                                 const Uuid& request_id, const std::string& secret) const;

  const HandlerParts parts_;
  const RecordType* const account_type_;
  const RecordType* const organisation_type_;
  std::mutex mutex_;
  TokenBucket failures_;  // guarded by mutex_
  rpc::Service service_;
};

}  // namespace fadu::registry

#endif  // FADU_SERVICES_REGISTRY_HANDLER_H_
