#include "common/records/sealer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <openssl/evp.h>

#include "absl/strings/str_cat.h"
#include "common/base/digest.h"
#include "common/base/id.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"

namespace fadu::records {
namespace {

namespace v1 = ::fadu::common::v1;
constexpr char kVersion = 1;
constexpr char kAes256Gcm = 1;
constexpr size_t kNonce = 12;
constexpr size_t kTag = 16;
constexpr size_t kHeader = 2 + kNonce;

absl::Status Broken(absl::string_view where) {
  return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_INTEGRITY_BROKEN,
              "sealed bytes do not open", {{"where", std::string(where)}});
}

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

// The cipher is fetched once and the context kept by each thread: looking them up costs more than
// sealing a record. Null when there is none.
EVP_CIPHER_CTX* Context() {
  thread_local const std::unique_ptr<EVP_CIPHER_CTX, FreeContext> context(EVP_CIPHER_CTX_new());
  return context.get();
}

const EVP_CIPHER* Cipher() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return cipher;
}

absl::StatusOr<std::string> Encrypt(absl::string_view key, absl::string_view aad,
                                    absl::string_view clear) {
  const std::string nonce = RandomBytes(kNonce);
  std::string out;
  out.push_back(kVersion);
  out.push_back(kAes256Gcm);
  out += nonce;
  out.resize(kHeader + clear.size() + kTag);
  auto* cipher = reinterpret_cast<unsigned char*>(out.data()) + kHeader;
  EVP_CIPHER_CTX* const context = Context();
  int length = 0;
  int tail = 0;
  const bool done =
      context != nullptr && Cipher() != nullptr &&
      EVP_EncryptInit_ex2(context, Cipher(), Bytes(key), Bytes(nonce), nullptr) == 1 &&
      EVP_EncryptUpdate(context, nullptr, &length, Bytes(aad), static_cast<int>(aad.size())) == 1 &&
      EVP_EncryptUpdate(context, cipher, &length, Bytes(clear), static_cast<int>(clear.size())) ==
          1 &&
      EVP_EncryptFinal_ex(context, cipher + length, &tail) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, kTag, cipher + clear.size()) == 1;
  // No key stays in it.
  if (context != nullptr) EVP_CIPHER_CTX_reset(context);
  if (!done) return FADU_BUG("AES-256-GCM is not available");
  return out;
}

absl::StatusOr<std::string> Decrypt(absl::string_view key, absl::string_view aad,
                                    absl::string_view sealed) {
  if (sealed.size() < kHeader + kTag || sealed[0] != kVersion || sealed[1] != kAes256Gcm) {
    return Broken(aad);
  }
  const absl::string_view nonce = sealed.substr(2, kNonce);
  const absl::string_view body = sealed.substr(kHeader, sealed.size() - kHeader - kTag);
  std::string tag(sealed.substr(sealed.size() - kTag));
  std::string clear(body.size(), '\0');
  auto* out = reinterpret_cast<unsigned char*>(clear.data());
  EVP_CIPHER_CTX* const context = Context();
  int length = 0;
  int tail = 0;
  const bool done =
      context != nullptr && Cipher() != nullptr &&
      EVP_DecryptInit_ex2(context, Cipher(), Bytes(key), Bytes(nonce), nullptr) == 1 &&
      EVP_DecryptUpdate(context, nullptr, &length, Bytes(aad), static_cast<int>(aad.size())) == 1 &&
      EVP_DecryptUpdate(context, out, &length, Bytes(body), static_cast<int>(body.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, kTag, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context, out + length, &tail) == 1;
  if (context != nullptr) EVP_CIPHER_CTX_reset(context);
  if (!done) return Broken(aad);
  return clear;
}

// What a person may write in several ways and means as one value.
std::string Normalise(absl::string_view value) {
  std::string out;
  for (size_t i = 0; i < value.size(); ++i) {
    const auto byte = static_cast<unsigned char>(value[i]);
    // Full-width ASCII, U+FF01 to U+FF5E: EF BC 81 … EF BD 9E.
    if (byte == 0xEF && i + 2 < value.size()) {
      const auto second = static_cast<unsigned char>(value[i + 1]);
      const auto third = static_cast<unsigned char>(value[i + 2]);
      const int code = ((byte & 0x0F) << 12) | ((second & 0x3F) << 6) | (third & 0x3F);
      if (code >= 0xFF01 && code <= 0xFF5E) {
        out += Normalise(std::string(1, static_cast<char>(code - 0xFF01 + 0x21)));
        i += 2;
        continue;
      }
    }
    if (value[i] == ' ' || value[i] == '-' || value[i] == '\t') continue;
    const bool lower = value[i] >= 'a' && value[i] <= 'z';
    out.push_back(lower ? static_cast<char>(value[i] - 'a' + 'A') : value[i]);
  }
  return out;
}

}  // namespace

Sealer::Sealer(std::string root_key) : root_key_(std::move(root_key)) {}

Sealer::~Sealer() {
  volatile char* bytes = root_key_.data();
  for (size_t i = 0; i < root_key_.size(); ++i) bytes[i] = 0;
}

absl::StatusOr<std::unique_ptr<Sealer>> Sealer::Load(absl::string_view folder,
                                                     absl::string_view service, bool create) {
  const std::string path = absl::StrCat(folder, "/", service, ".root");
  if (create && access(path.c_str(), F_OK) != 0) {
    const std::string temporary = absl::StrCat(path, ".", getpid());
    const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    const std::string key = RandomBytes(32);
    const bool written = fd >= 0 && write(fd, key.data(), key.size()) == 32 && fsync(fd) == 0;
    if (fd >= 0) close(fd);
    // link, not rename: whoever comes second keeps the first one's key.
    const bool placed = written && (link(temporary.c_str(), path.c_str()) == 0 || errno == EEXIST);
    unlink(temporary.c_str());
    if (!placed) {
      return absl::FailedPreconditionError(
          absl::StrCat("cannot make the key file ", path, ": ", strerror(errno)));
    }
  }
  struct stat info {};
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &info) != 0) {
    if (fd >= 0) close(fd);
    return absl::FailedPreconditionError(
        absl::StrCat("cannot read the key file ", path, ": ", strerror(errno)));
  }
  char key[33];
  const ssize_t size = read(fd, key, sizeof key);
  close(fd);
  if ((info.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("the key file ", path, " is open to others; chmod 0400 it"));
  }
  if (size != 32) {
    return absl::FailedPreconditionError(absl::StrCat("the key file ", path, " is not 32 bytes"));
  }
  return std::make_unique<Sealer>(std::string(key, 32));
}

absl::StatusOr<std::string> Sealer::NewWrappedKey(absl::string_view county,
                                                  absl::string_view aad) const {
  const std::string county_key = HmacSha256(root_key_, absl::StrCat("county|", county));
  return Encrypt(county_key, aad, RandomBytes(32));
}

absl::StatusOr<std::string> Sealer::Seal(absl::string_view county, absl::string_view wrapped_key,
                                         absl::string_view aad, absl::string_view clear) const {
  const std::string county_key = HmacSha256(root_key_, absl::StrCat("county|", county));
  FADU_ASSIGN_OR_RETURN(const std::string key, Decrypt(county_key, aad, wrapped_key));
  return Encrypt(key, aad, clear);
}

absl::StatusOr<std::string> Sealer::Open(absl::string_view county, absl::string_view wrapped_key,
                                         absl::string_view aad, absl::string_view sealed) const {
  const std::string county_key = HmacSha256(root_key_, absl::StrCat("county|", county));
  FADU_ASSIGN_OR_RETURN(const std::string key, Decrypt(county_key, aad, wrapped_key));
  return Decrypt(key, aad, sealed);
}

std::string Sealer::BlindIndex(absl::string_view county, absl::string_view field,
                               absl::string_view value) const {
  const std::string key = HmacSha256(root_key_, absl::StrCat("blind|", county, "|", field));
  return HmacSha256(key, Normalise(value)).substr(0, 16);
}

std::string Sealer::RequestMac(absl::string_view digest) const {
  return HmacSha256(HmacSha256(root_key_, "request"), digest);
}

std::string Sealer::TokenMac(absl::string_view token) const {
  return HmacSha256(HmacSha256(root_key_, "page token"), token).substr(0, 16);
}

}  // namespace fadu::records
