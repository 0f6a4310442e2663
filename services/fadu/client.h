// services/fadu/client.h
//
// A client command's way to the suite: the one that serves the data folder, else one started for
// the length of the command, or addresses and an account's secret.
#ifndef FADU_SERVICES_FADU_CLIENT_H_
#define FADU_SERVICES_FADU_CLIENT_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/id.h"
#include "common/rpc/channel.h"
#include "services/fadu/args.h"
#include "services/fadu/output.h"
#include "services/fadu/suite.h"

namespace fadu::cli {

class Client {
 public:
  // FAILED_PRECONDITION in one sentence when there is nothing to connect to and nothing can start.
  static absl::StatusOr<std::unique_ptr<Client>> Connect(const Args& args);
  // On a suite that runs in this process.
  static std::unique_ptr<Client> On(Suite& suite, const Args& args);

  // Calls "fadu.mediation.v1…/Method" style methods; `service` is the suite's service that serves
  // it. Signs in first when needed.
  absl::Status Call(absl::string_view service, absl::string_view method,
                    const google::protobuf::Message& request, google::protobuf::Message* response);
  void CallAsync(absl::string_view service, absl::string_view method,
                 const google::protobuf::Message& request, google::protobuf::Message* response,
                 std::function<void(absl::Status)> done);
  // Without an identity.
  absl::Status CallAnonymous(absl::string_view service, absl::string_view method,
                             const google::protobuf::Message& request,
                             google::protobuf::Message* response);

  // Uses another saved account, or a secret, from here on.
  absl::Status SignInAs(const std::string& account);
  absl::Status SignIn(const std::string& secret);

  // Accounts' secrets saved in the data folder (0600).
  absl::StatusOr<std::string> SavedSecret(const std::string& account) const;
  absl::Status SaveSecret(const std::string& account, const std::string& secret);

  // "counties/421221".
  std::string parent() const { return "counties/" + county_; }
  const std::string& county() const { return county_; }
  std::string NewRequestId() { return ids_->NewId().ToString(); }
  const std::string& folder() const { return folder_; }
  // Host:port of a service, for messages; empty in process.
  std::map<std::string, std::string> endpoints() const { return endpoints_; }

 private:
  Client() = default;
  absl::StatusOr<std::shared_ptr<rpc::Channel>> ChannelTo(absl::string_view service);
  absl::Status EnsureSignedIn();
  rpc::CallOptions Options(bool anonymous) const;

  std::unique_ptr<Suite> own_suite_;
  Suite* suite_ = nullptr;
  std::map<std::string, std::string> endpoints_;
  std::map<std::string, std::shared_ptr<rpc::Channel>> channels_;
  std::string folder_;
  std::string account_ = "admin";
  std::string secret_;
  std::string bearer_;
  absl::Time bearer_until_;
  std::string county_ = "421221";
  absl::Duration timeout_ = absl::Seconds(30);
  std::unique_ptr<IdSource> ids_;
};

// Connects, runs `body` and returns the exit code; every failure is told here. What the command
// line itself got wrong is kUsage, a suite that cannot start kCannotStart.
int WithClient(const Args& args, const std::function<absl::Status(Client&, Format)>& body);

}  // namespace fadu::cli

#endif  // FADU_SERVICES_FADU_CLIENT_H_
