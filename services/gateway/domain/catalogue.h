// services/gateway/domain/catalogue.h
//
// What can be called over HTTP, as the contracts tell it: RPCs by name, REST paths by
// google.api.http, collections by record type. No code per method.
#ifndef FADU_SERVICES_GATEWAY_DOMAIN_CATALOGUE_H_
#define FADU_SERVICES_GATEWAY_DOMAIN_CATALOGUE_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "fadu/common/v1/options.pb.h"
#include "services/gateway/domain/target.h"

namespace fadu::gateway {

// One RPC.
struct Rpc {
  const google::protobuf::MethodDescriptor* method = nullptr;
  std::string path;     // "/fadu.scoring.v1.ScoringService/GetRun"
  std::string service;  // who serves it; empty: every service with records
  bool reads = false;   // NO_SIDE_EFFECTS: GET is allowed
  bool anonymous = false;
  fadu::common::v1::Rate rate;  // of its own; no calls: what holds for all
};

// One segment of a REST path.
struct PathPart {
  std::string literal;  // empty: any one segment
  int variable = -1;    // index of the variable it belongs to
};

// One way to call an RPC by REST.
struct Binding {
  const Rpc* rpc = nullptr;
  std::string http_method;  // "GET"
  std::vector<PathPart> parts;
  std::vector<std::string> variables;  // field paths: "name"
  std::string verb;                    // "review"
  std::string body;                    // a field, "*" or nothing
  std::string path;                    // as the contract writes it
};

// A binding that fits, with what its variables stand for.
struct Match {
  const Binding* binding = nullptr;
  std::vector<std::pair<std::string, std::string>> variables;
};

// A record type and who owns it.
struct Collection {
  std::string service;
  const google::protobuf::Descriptor* type = nullptr;
};

// Immutable once made.
class Catalogue {
 public:
  // Of the contracts of `services` that are linked in. INTERNAL for a path that is not one of the
  // forms in use: literals, *, {field}, {field=a/*/b}, one verb.
  static absl::StatusOr<std::unique_ptr<Catalogue>> Make(const std::vector<std::string>& services);

  // Null when there is none that people may call.
  const Rpc* FindRpc(absl::string_view service, absl::string_view method) const;
  const std::vector<std::unique_ptr<Rpc>>& rpcs() const { return rpcs_; }
  const std::vector<Binding>& bindings() const { return bindings_; }

  // The most literal binding of that HTTP method; without one, `allowed` gets the methods that the
  // path has.
  absl::optional<Match> FindBinding(absl::string_view http_method, const Target& target,
                                    std::set<std::string>* allowed) const;

  const Collection* FindCollection(absl::string_view name) const;
  const std::map<std::string, Collection>& collections() const { return collections_; }
  bool IsService(absl::string_view name) const { return services_.count(std::string(name)) > 0; }
  const std::set<std::string>& services() const { return services_; }

  // The service that owns what a request of a shared RPC is about: by its collection, the
  // collection in its name, or the type of its record. Empty when it does not say.
  std::string OwnerOf(const google::protobuf::Message& request) const;

 private:
  Catalogue() = default;
  std::set<std::string> services_;
  std::vector<std::unique_ptr<Rpc>> rpcs_;
  std::map<std::string, const Rpc*> by_path_;
  std::vector<Binding> bindings_;
  std::map<std::string, Collection> collections_;
  std::map<std::string, std::string> owner_of_type_;
};

// The request that a REST call means: `json` where the binding takes a body, variables, then query
// parameters, none of them twice. `any_type` is the type of a record that does not say its own.
//
// INVALID_ARGUMENT as JsonToMessage and SetField.
absl::StatusOr<std::unique_ptr<google::protobuf::Message>> BuildRequest(
    const Match& match, const Target& target, absl::string_view json,
    const google::protobuf::Descriptor* any_type);

}  // namespace fadu::gateway

#endif  // FADU_SERVICES_GATEWAY_DOMAIN_CATALOGUE_H_
