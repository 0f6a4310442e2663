// common/base/call.h
//
// Who is asking, what they may do and where, until when. Made once per call by rpc::Serve.
#ifndef FADU_COMMON_BASE_CALL_H_
#define FADU_COMMON_BASE_CALL_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace fadu {

// One role in one area subtree. `role` is the number of fadu.common.v1.Role.
struct RoleGrant {
  int role = 0;
  std::string area_code;     // 6, 9 or 12 digits; the subtree beneath is included
  std::string organisation;  // empty: any
};

// Who is asking.
struct Principal {
  std::string subject;  // accounts/{uuid} or services/{name}
  std::string display_name;
  std::vector<RoleGrant> grants;
  bool is_service = false;

  bool HasRole(int role) const;
  // Some grant with one of `roles` covers `area_code`.
  bool MayIn(absl::string_view area_code, const std::vector<int>& roles) const;
  // The area subtrees in which one of `roles` is held, none inside another, sorted.
  std::vector<std::string> AreasOf(const std::vector<int>& roles) const;
};

// One call.
struct CallContext {
  Principal principal;
  absl::Time now;           // when the call arrived; every time a handler writes is this one
  absl::Time deadline;      // never InfiniteFuture inside a handler
  std::string request_id;   // of the call, for the log; not the caller's idempotency key
  std::string traceparent;  // W3C, passed on to peers
  std::string bearer;       // the user's own token, passed on when a service calls for the user
  std::string language = "zh";
};

}  // namespace fadu

#endif  // FADU_COMMON_BASE_CALL_H_
