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
  std::string organisation;  // id of the one whose records it is for; empty: all, and nobody's
  std::vector<std::string> collections{};  // of the record types it is for; empty: all

  // It covers some of the area's records only.
  bool IsLimited() const { return !organisation.empty() || !collections.empty(); }
  // It is for records of this type.
  bool IsFor(absl::string_view collection) const;
};

// A part of a county's records: an area subtree, of every organisation or of one.
struct Reach {
  std::string area_code;
  std::string organisation;  // empty: every one
  // A record that lies in `area` and is `owner`'s (empty: nobody's) belongs to it.
  bool Covers(absl::string_view area, absl::string_view owner) const;
  friend bool operator==(const Reach&, const Reach&) = default;
};

// Who is asking. A grant that is limited covers the records it is for and nothing else: MayIn and
// AreasOf leave it out.
struct Principal {
  std::string subject;  // accounts/{uuid} or services/{name}
  std::string display_name;
  std::vector<RoleGrant> grants;
  bool is_service = false;

  bool HasRole(int role) const;
  // Some grant holds one of `roles` and is for records of this type.
  bool HasRoleFor(absl::string_view collection, const std::vector<int>& roles) const;
  // Some grant with one of `roles` covers all of `area_code`.
  bool MayIn(absl::string_view area_code, const std::vector<int>& roles) const;
  // Some grant with one of `roles` covers a record of `collection` and `owner` (empty: nobody's) in
  // `area_code`.
  bool MayTouch(absl::string_view collection, absl::string_view area_code, absl::string_view owner,
                const std::vector<int>& roles) const;
  // The area subtrees in which one of `roles` is held, none inside another, sorted.
  std::vector<std::string> AreasOf(const std::vector<int>& roles) const;
  // What one of `roles` covers of the records of `collection`: area subtrees, none inside another,
  // sorted, then what is limited to an organisation and not inside one of them.
  std::vector<Reach> ReachesOf(absl::string_view collection, const std::vector<int>& roles) const;
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
