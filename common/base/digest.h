// common/base/digest.h
//
// Digests as they are stored: an algorithm byte, then the digest. SHA-256 is algorithm 1.
#ifndef FADU_COMMON_BASE_DIGEST_H_
#define FADU_COMMON_BASE_DIGEST_H_

#include <string>

#include "absl/strings/string_view.h"

namespace fadu {

inline constexpr char kDigestSha256 = 1;

// 32 bytes.
std::string Sha256(absl::string_view data);

// Algorithm byte and SHA-256: 33 bytes.
std::string StoredDigest(absl::string_view data);

// Lower-case hex.
std::string Hex(absl::string_view bytes);

// HMAC-SHA-256, 32 bytes.
std::string HmacSha256(absl::string_view key, absl::string_view data);

}  // namespace fadu

#endif  // FADU_COMMON_BASE_DIGEST_H_
