// common/records/page_token.h
//
// Opaque, signed page tokens. They carry the place in the order and a digest of the query they
// belong to.
#ifndef FADU_COMMON_RECORDS_PAGE_TOKEN_H_
#define FADU_COMMON_RECORDS_PAGE_TOKEN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/records/sealer.h"

namespace fadu::records {

// `parts` say where the next page begins; `query` is everything that must be the same.
std::string MakePageToken(const Sealer& sealer, absl::string_view query,
                          const std::vector<std::string>& parts);

// The parts. INVALID_ARGUMENT / REASON_PAGE_TOKEN_INVALID: not ours, altered, of another query, or
// not `count` parts.
absl::StatusOr<std::vector<std::string>> ReadPageToken(const Sealer& sealer,
                                                       absl::string_view query,
                                                       absl::string_view token, size_t count);

}  // namespace fadu::records

#endif  // FADU_COMMON_RECORDS_PAGE_TOKEN_H_
