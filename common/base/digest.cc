#include "common/base/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <cstdlib>

#include "absl/strings/escaping.h"

namespace fadu {
namespace {

// Never null: OpenSSL takes a null key or null data for a mistake.
const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.empty() ? "" : text.data());
}

}  // namespace

std::string Sha256(absl::string_view data) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  // A digest that failed leaves zeros, which no caller may take for a digest or a key.
  if (SHA256(Bytes(data), data.size(), reinterpret_cast<unsigned char*>(out.data())) == nullptr) {
    std::abort();
  }
  return out;
}

std::string StoredDigest(absl::string_view data) { return kDigestSha256 + Sha256(data); }

std::string Hex(absl::string_view bytes) { return absl::BytesToHexString(bytes); }

std::string HmacSha256(absl::string_view key, absl::string_view data) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), Bytes(key), static_cast<int>(key.size()), Bytes(data), data.size(),
           reinterpret_cast<unsigned char*>(out.data()), &size) == nullptr) {
    std::abort();
  }
  return out;
}

}  // namespace fadu
