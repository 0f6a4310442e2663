// services/gateway/domain/target.h
//
// What a request asks for: path and query, decoded once and refused when they are odd.
#ifndef FADU_SERVICES_GATEWAY_DOMAIN_TARGET_H_
#define FADU_SERVICES_GATEWAY_DOMAIN_TARGET_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fadu::gateway {

struct Target {
  std::vector<std::string> segments;                       // of the path, decoded: {"v1", "areas"}
  std::string verb;                                        // after the last colon: "review"
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order

  // "/" and the segments, with the verb.
  std::string path() const;
  // The first value of a query parameter; "" when it is absent.
  std::string Query(absl::string_view name) const;
};

// A target in origin form. A `+` in the query is a space.
//
// INVALID_ARGUMENT / REASON_REQUEST_MALFORMED with `problem`: not beginning with a slash, over 8
// KiB, a wrong escape, a segment that is "." or ".." or empty (but the last) or holds a slash,
// backslash or control character once decoded, text that is not UTF-8, over 100 parameters.
absl::StatusOr<Target> ParseTarget(absl::string_view raw);

// Decodes %XX. REASON_REQUEST_MALFORMED for a wrong escape, a control character, or no UTF-8.
absl::StatusOr<std::string> PercentDecode(absl::string_view text, bool plus_is_space);

}  // namespace fadu::gateway

#endif  // FADU_SERVICES_GATEWAY_DOMAIN_TARGET_H_
