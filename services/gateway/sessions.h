// services/gateway/sessions.h
//
// Who a browser's cookie stands for. The registry owns sessions; here lie, for at most a minute,
// the tokens it gave for them.
#ifndef FADU_SERVICES_GATEWAY_SESSIONS_H_
#define FADU_SERVICES_GATEWAY_SESSIONS_H_

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/rpc/channel.h"
#include "fadu/registry/v1/sign_in_service.pb.h"

namespace fadu::gateway {

// Only over TLS or on this machine, for this host alone, on every path.
inline constexpr absl::string_view kSessionCookie = "__Host-fadu";

// The session's secret in a Cookie header; "" when there is none, or two.
std::string SessionIn(absl::string_view cookie_header);

// The Set-Cookie value that keeps a secret, or with "" forgets it. Not to be read by scripts, never
// sent along from another site.
std::string SessionCookie(absl::string_view secret);

// What a page must say with each call that changes something: known to whoever may read the answer
// to GET /session, which no other site can.
std::string CsrfTokenOf(absl::string_view secret);

// Equal, in time that does not tell where they differ.
bool SameText(absl::string_view a, absl::string_view b);

// Thread-safe.
class Sessions {
 public:
  using Done = std::function<void(absl::StatusOr<fadu::registry::v1::Session>)>;

  Sessions(rpc::Peers& peers, const Clock& clock) : peers_(peers), clock_(clock) {}

  // Begins a session; the answer has its secret.
  void SignIn(const fadu::registry::v1::SignInRequest& request, absl::Time deadline, Done done);
  // The session of a secret, without the secret; at most a minute old. `done` runs here when it is
  // known.
  void Find(const std::string& secret, absl::Time deadline, Done done);
  // Ends it.
  void SignOut(const std::string& secret, absl::Time deadline,
               std::function<void(absl::Status)> done);

 private:
  struct Known {
    fadu::registry::v1::Session session;
    absl::Time until;
  };

  rpc::Peers& peers_;
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Known> known_;  // by digest of the secret
};

}  // namespace fadu::gateway

#endif  // FADU_SERVICES_GATEWAY_SESSIONS_H_
