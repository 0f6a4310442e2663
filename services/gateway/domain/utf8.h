// services/gateway/domain/utf8.h
//
// UTF-8, strictly: no overlong forms, no surrogates, nothing beyond Unicode.
#ifndef FADU_SERVICES_GATEWAY_DOMAIN_UTF8_H_
#define FADU_SERVICES_GATEWAY_DOMAIN_UTF8_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace fadu::gateway {

// The length in bytes of the character at the front of `text`, which is not empty; 0 when there is
// none.
size_t CharacterSize(absl::string_view text);

bool IsUtf8(absl::string_view text);

}  // namespace fadu::gateway

#endif  // FADU_SERVICES_GATEWAY_DOMAIN_UTF8_H_
