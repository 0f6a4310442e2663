// services/registry/accounts.h
//
// What the handlers of accounts and of signing in share.
#ifndef FADU_SERVICES_REGISTRY_ACCOUNTS_H_
#define FADU_SERVICES_REGISTRY_ACCOUNTS_H_

#include <string>

#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/base/call.h"
#include "common/records/store.h"
#include "fadu/registry/v1/records.pb.h"

namespace fadu::registry {

// NOT_FOUND / REASON_NOT_FOUND: no such account, or not the caller's.
absl::Status NotFound(absl::string_view name);

// The digest under which a request is known again.
std::string HashOf(const google::protobuf::Message& request);

// The message of an account's record.
v1::Account AccountOf(const records::StoredRecord& record);

// The registry itself, within one county: what it may read and confirm on its own account.
CallContext AsRegistry(const CallContext& call, const std::string& county);

}  // namespace fadu::registry

#endif  // FADU_SERVICES_REGISTRY_ACCOUNTS_H_
