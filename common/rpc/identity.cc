#include "common/rpc/identity.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <utility>
#include <vector>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/area_code.h"
#include "common/base/digest.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/common/v1/reason.pb.h"

namespace fadu::rpc {
namespace {

namespace v1 = ::fadu::common::v1;

constexpr absl::string_view kAccountPrefix = "accounts/";
constexpr absl::string_view kServicePrefix = "services/";
constexpr absl::string_view kRegistry = "registry";  // the only issuer of users and clients
constexpr size_t kSignatureSize = 64;
constexpr size_t kMaxBearerSize = 90000;  // a SignedIdentity at its limits, in base64
constexpr size_t kMaxVerified = 4096;     // verified tokens kept, of some hundred bytes each

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeKey>;
using BioPtr = std::unique_ptr<BIO, FreeBio>;
using DigestPtr = std::unique_ptr<EVP_MD_CTX, FreeDigest>;

bool IsKeyName(absl::string_view name) {
  if (name.empty() || name.size() > 40) return false;
  for (const char c : name) {
    if (!absl::ascii_islower(static_cast<unsigned char>(c)) &&
        !absl::ascii_isdigit(static_cast<unsigned char>(c)) && c != '-' && c != '_') {
      return false;
    }
  }
  return true;
}

std::string PathOf(absl::string_view folder, absl::string_view name, absl::string_view suffix) {
  return absl::StrCat(folder, "/", name, suffix);
}

absl::Status FileError(absl::string_view path, absl::string_view problem) {
  return absl::FailedPreconditionError(absl::StrCat(path, ": ", problem));
}

absl::Status SystemError(absl::string_view path) { return FileError(path, std::strerror(errno)); }

struct FileText {
  std::string text;
  mode_t mode = 0;
};

absl::StatusOr<FileText> ReadFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return SystemError(path);
  FileText file;
  struct stat info {};
  char buffer[4096];
  ssize_t got = fstat(fd, &info) == 0 ? 1 : -1;
  while (got > 0 && file.text.size() < 65536) {
    got = read(fd, buffer, sizeof(buffer));
    if (got > 0) file.text.append(buffer, static_cast<size_t>(got));
  }
  const absl::Status status = got < 0 ? SystemError(path) : absl::OkStatus();
  close(fd);
  if (!status.ok()) return status;
  file.mode = info.st_mode;
  return file;
}

// Writes a file of that name beside `path`; returns the temporary's name.
absl::StatusOr<std::string> WriteBeside(const std::string& path, absl::string_view text,
                                        mode_t mode) {
  const std::string temporary = absl::StrCat(path, ".tmp-", Hex(RandomBytes(8)));
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return SystemError(temporary);
  size_t done = 0;
  bool ok = true;
  while (ok && done < text.size()) {
    const ssize_t wrote = write(fd, text.data() + done, text.size() - done);
    ok = wrote > 0;
    if (ok) done += static_cast<size_t>(wrote);
  }
  ok = ok && fchmod(fd, mode) == 0 && fsync(fd) == 0;
  const absl::Status status = ok ? absl::OkStatus() : SystemError(temporary);
  close(fd);
  if (status.ok()) return temporary;
  unlink(temporary.c_str());
  return status;
}

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

absl::StatusOr<KeyPtr> ParseKey(const std::string& path, absl::string_view pem, bool is_private) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // An empty pass phrase, so that an encrypted file is refused instead of asked for.
  char none[] = "";
  KeyPtr key(is_private ? PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, none)
                        : PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, none));
  ERR_clear_error();
  if (key == nullptr || EVP_PKEY_id(key.get()) != EVP_PKEY_ED25519) {
    return FileError(path, "not an Ed25519 key in PEM");
  }
  return key;
}

absl::StatusOr<KeyPtr> LoadPrivateKey(const std::string& path) {
  FADU_ASSIGN_OR_RETURN(const FileText file, ReadFile(path));
  if ((file.mode & 077) != 0) return FileError(path, "open to others than its owner");
  return ParseKey(path, file.text, /*is_private=*/true);
}

// Makes a new private key at `path`. Never replaces one: link(2) fails where another process was
// faster, and then that one's key stands.
absl::Status MakePrivateKey(const std::string& path) {
  const KeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (key == nullptr || PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0,
                                                      nullptr, nullptr) != 1) {
    return FADU_BUG("OpenSSL made no Ed25519 key");
  }
  FADU_ASSIGN_OR_RETURN(const std::string temporary, WriteBeside(path, TextOf(bio.get()), 0400));
  const bool linked = link(temporary.c_str(), path.c_str()) == 0 || errno == EEXIST;
  const absl::Status status = linked ? absl::OkStatus() : SystemError(path);
  unlink(temporary.c_str());
  return status;
}

absl::Status WritePublicKey(const std::string& path, EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PUBKEY(bio.get(), key) != 1) return FADU_BUG("OpenSSL wrote no public key");
  FADU_ASSIGN_OR_RETURN(const std::string temporary, WriteBeside(path, TextOf(bio.get()), 0444));
  if (rename(temporary.c_str(), path.c_str()) == 0) return absl::OkStatus();
  const absl::Status status = SystemError(path);
  unlink(temporary.c_str());
  return status;
}

absl::Status NotOurs(absl::string_view why) {
  return Fail(absl::StatusCode::kUnauthenticated, v1::REASON_IDENTITY_MISSING, why);
}

// What a verified identity may be, by whose key signed it.
absl::StatusOr<Principal> PrincipalOf(const v1::Identity& identity) {
  Principal principal;
  principal.subject = identity.subject();
  principal.display_name = identity.display_name();
  if (identity.subject() == absl::StrCat(kServicePrefix, identity.issuer())) {
    principal.is_service = true;
    return principal;
  }
  const absl::string_view subject = identity.subject();
  if (identity.issuer() != kRegistry || !absl::StartsWith(subject, kAccountPrefix) ||
      subject.size() == kAccountPrefix.size()) {
    return NotOurs("the issuer may not sign this subject");
  }
  for (const v1::Grant& grant : identity.grants()) {
    // An empty area would cover everything, and no person is a service.
    if (!IsAreaCode(grant.area_code()) || grant.area_code().size() < 6 ||
        !v1::Role_IsValid(grant.role()) || grant.role() == v1::ROLE_UNSPECIFIED ||
        grant.role() == v1::ROLE_SERVICE) {
      return NotOurs("the identity holds a grant that cannot be");
    }
    principal.grants.push_back(RoleGrant{grant.role(),
                                         grant.area_code(),
                                         grant.organisation(),
                                         {grant.collections().begin(), grant.collections().end()}});
  }
  return principal;
}

}  // namespace

absl::Status EnsureKeyPair(absl::string_view folder, absl::string_view name) {
  if (!IsKeyName(name)) return FileError(name, "not a name for a key");
  const std::string private_path = PathOf(folder, name, ".key");
  const std::string public_path = PathOf(folder, name, ".pub");
  const bool has_public = access(public_path.c_str(), F_OK) == 0;
  if (access(private_path.c_str(), F_OK) != 0) {
    // A new key beside an old public key would silently become another identity.
    if (has_public) return FileError(private_path, "missing, while its public key is there");
    if (mkdir(std::string(folder).c_str(), 0700) != 0 && errno != EEXIST) {
      return SystemError(folder);
    }
    FADU_RETURN_IF_ERROR(MakePrivateKey(private_path));
  }
  if (has_public) return absl::OkStatus();
  FADU_ASSIGN_OR_RETURN(const KeyPtr key, LoadPrivateKey(private_path));
  return WritePublicKey(public_path, key.get());
}

struct Signer::Key {
  KeyPtr pkey;
};

Signer::~Signer() = default;

absl::StatusOr<std::unique_ptr<Signer>> Signer::Load(absl::string_view folder,
                                                     absl::string_view name) {
  if (!IsKeyName(name)) return FileError(name, "not a name for a key");
  FADU_ASSIGN_OR_RETURN(KeyPtr key, LoadPrivateKey(PathOf(folder, name, ".key")));
  std::unique_ptr<Signer> signer(new Signer());
  signer->name_ = std::string(name);
  signer->key_ = std::make_unique<Key>(Key{std::move(key)});
  return signer;
}

absl::StatusOr<std::string> Signer::Sign(v1::Identity identity) const {
  identity.set_issuer(name_);
  v1::SignedIdentity token;
  token.set_identity(identity.SerializeAsString());
  std::string signature(kSignatureSize, '\0');
  size_t size = signature.size();
  const DigestPtr digest(EVP_MD_CTX_new());
  if (digest == nullptr ||
      EVP_DigestSignInit(digest.get(), nullptr, nullptr, nullptr, key_->pkey.get()) != 1 ||
      EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     reinterpret_cast<const unsigned char*>(token.identity().data()),
                     token.identity().size()) != 1 ||
      size != kSignatureSize) {
    return FADU_BUG("OpenSSL did not sign");
  }
  token.set_signature(std::move(signature));
  return absl::WebSafeBase64Escape(token.SerializeAsString());
}

struct Verifier::Keys {
  struct Verified {
    Principal principal;
    absl::Time expires_at;
    std::string audience;
  };
  // The principal of a token, whenever it expires and whomever it is for.
  absl::StatusOr<Verified> Check(absl::string_view bearer) const;

  absl::flat_hash_map<std::string, KeyPtr> by_name;
  // Ed25519 costs a tenth of a millisecond, and a caller sends the same token many times.
  std::mutex mutex;
  absl::flat_hash_map<std::string, Verified> verified;  // by token
};

Verifier::~Verifier() = default;

absl::StatusOr<std::unique_ptr<Verifier>> Verifier::Load(absl::string_view folder) {
  std::unique_ptr<Verifier> verifier(new Verifier());
  verifier->keys_ = std::make_unique<Keys>();
  std::error_code error;
  std::filesystem::directory_iterator entry(std::string(folder), error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (entry->path().extension() != ".pub") continue;
    const std::string path = entry->path().string();
    const std::string name = entry->path().stem().string();
    if (!IsKeyName(name)) return FileError(path, "not a name for a key");
    FADU_ASSIGN_OR_RETURN(const FileText file, ReadFile(path));
    FADU_ASSIGN_OR_RETURN(KeyPtr key, ParseKey(path, file.text, /*is_private=*/false));
    verifier->keys_->by_name.emplace(name, std::move(key));
  }
  if (error) return FileError(folder, error.message());
  return verifier;
}

absl::StatusOr<Verifier::Keys::Verified> Verifier::Keys::Check(absl::string_view bearer) const {
  std::string bytes;
  v1::SignedIdentity token;
  v1::Identity identity;
  if (bearer.empty() || bearer.size() > kMaxBearerSize ||
      !absl::WebSafeBase64Unescape(bearer, &bytes) || !token.ParseFromString(bytes) ||
      !identity.ParseFromString(token.identity())) {
    return NotOurs("the bearer token is not a signed identity");
  }
  const auto key = by_name.find(identity.issuer());
  if (key == by_name.end()) return NotOurs("the issuer of the bearer token is unknown");
  const DigestPtr digest(EVP_MD_CTX_new());
  const bool genuine =
      digest != nullptr && token.signature().size() == kSignatureSize &&
      EVP_DigestVerifyInit(digest.get(), nullptr, nullptr, nullptr, key->second.get()) == 1 &&
      EVP_DigestVerify(
          digest.get(), reinterpret_cast<const unsigned char*>(token.signature().data()),
          token.signature().size(), reinterpret_cast<const unsigned char*>(token.identity().data()),
          token.identity().size()) == 1;
  ERR_clear_error();
  if (!genuine) return NotOurs("the signature of the bearer token does not fit");
  FADU_ASSIGN_OR_RETURN(Principal principal, PrincipalOf(identity));
  return Verified{std::move(principal), absl::FromUnixSeconds(identity.expire_seconds()),
                  identity.audience()};
}

absl::StatusOr<Principal> Verifier::Verify(absl::string_view bearer, absl::string_view audience,
                                           absl::Time now) const {
  Keys::Verified verified;
  bool known = false;
  {
    const std::lock_guard<std::mutex> lock(keys_->mutex);
    const auto found = keys_->verified.find(bearer);
    known = found != keys_->verified.end();
    if (known) verified = found->second;
  }
  if (!known) {
    FADU_ASSIGN_OR_RETURN(verified, keys_->Check(bearer));
  }
  if (verified.expires_at <= now) {
    return Fail(absl::StatusCode::kUnauthenticated, v1::REASON_IDENTITY_EXPIRED,
                "the identity has expired");
  }
  const bool is_service = verified.principal.is_service;
  if (verified.audience != audience && (is_service || !verified.audience.empty())) {
    return NotOurs("the identity is for another service");
  }
  if (verified.expires_at > now + (is_service ? kServiceLife : kAccountLife) + kClockDifference) {
    return NotOurs("the identity lives longer than it may");
  }
  if (!known) {
    const std::lock_guard<std::mutex> lock(keys_->mutex);
    if (keys_->verified.size() >= kMaxVerified) keys_->verified.clear();
    keys_->verified.emplace(bearer, verified);
  }
  return std::move(verified.principal);
}

}  // namespace fadu::rpc
