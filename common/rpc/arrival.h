// common/rpc/arrival.h
//
// What a call brings along beside its body, by whatever protocol: believed only when it has its
// form.
#ifndef FADU_COMMON_RPC_ARRIVAL_H_
#define FADU_COMMON_RPC_ARRIVAL_H_

#include <string>

#include "absl/strings/string_view.h"
#include "common/base/id.h"

namespace fadu::rpc {

// A W3C traceparent of version 00 with ids that are not zero.
bool IsTraceparent(absl::string_view text);
// A new one, not sampled.
std::string NewTraceparent(IdSource& ids);

// Letters, digits and hyphens, 1 to 64.
bool IsRequestId(absl::string_view text);

// "en" when the caller wants English first, else "zh".
absl::string_view LanguageOf(absl::string_view accept_language);

}  // namespace fadu::rpc

#endif  // FADU_COMMON_RPC_ARRIVAL_H_
