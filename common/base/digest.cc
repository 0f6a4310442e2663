#include "common/base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <memory>

#include "absl/strings/escaping.h"

namespace fadu {
namespace {

constexpr size_t kSize = 32;
constexpr size_t kBlock = 64;

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// SHA-256 of the parts one after another. The algorithm is fetched once and the context kept by
// each thread: looking them up costs more than hashing a record.
void Hash(std::initializer_list<absl::string_view> parts, unsigned char* out) {
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  bool done = algorithm != nullptr && context != nullptr &&
              EVP_DigestInit_ex2(context.get(), algorithm, nullptr) == 1;
  for (const absl::string_view part : parts) {
    done = done && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
  }
  // A digest that failed leaves zeros, which no caller may take for a digest or a key.
  if (!done || EVP_DigestFinal_ex(context.get(), out, nullptr) != 1) std::abort();
}

absl::string_view View(const unsigned char* bytes, size_t size) {
  return absl::string_view(reinterpret_cast<const char*>(bytes), size);
}

}  // namespace

std::string Sha256(absl::string_view data) {
  std::string out(kSize, '\0');
  Hash({data}, reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

std::string StoredDigest(absl::string_view data) { return kDigestSha256 + Sha256(data); }

std::string Hex(absl::string_view bytes) { return absl::BytesToHexString(bytes); }

// RFC 2104, over Hash: OpenSSL's own looks its algorithms up anew each time.
std::string HmacSha256(absl::string_view key, absl::string_view data) {
  unsigned char block[kBlock] = {};
  if (key.size() > kBlock) {
    Hash({key}, block);
  } else if (!key.empty()) {
    std::memcpy(block, key.data(), key.size());
  }
  unsigned char pad[kBlock];
  unsigned char inner[kSize];
  for (size_t i = 0; i < kBlock; ++i) pad[i] = block[i] ^ 0x36;
  Hash({View(pad, kBlock), data}, inner);
  for (size_t i = 0; i < kBlock; ++i) pad[i] = block[i] ^ 0x5c;
  std::string out(kSize, '\0');
  Hash({View(pad, kBlock), View(inner, kSize)}, reinterpret_cast<unsigned char*>(out.data()));
  OPENSSL_cleanse(block, sizeof block);
  OPENSSL_cleanse(pad, sizeof pad);
  return out;
}

}  // namespace fadu
