// common/records/sealer.h
//
// Personal fields at rest: AES-256-GCM under a key per record, wrapped by the county's key, which
// comes from the service's root key. Destroying the record's wrapped key erases it.
#ifndef FADU_COMMON_RECORDS_SEALER_H_
#define FADU_COMMON_RECORDS_SEALER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fadu::records {

// Thread-safe.
class Sealer {
 public:
  // `root_key` is 32 bytes.
  explicit Sealer(std::string root_key);
  ~Sealer();

  // Reads {folder}/{service}.root (32 bytes, mode 0400), making it when missing and `create`.
  // FAILED_PRECONDITION when it is missing, of another size, or open to others.
  static absl::StatusOr<std::unique_ptr<Sealer>> Load(absl::string_view folder,
                                                      absl::string_view service, bool create);

  // A new record key, wrapped: what the record row stores. `aad` is county|table|id.
  absl::StatusOr<std::string> NewWrappedKey(absl::string_view county, absl::string_view aad) const;
  // version(1) algorithm(1) nonce(12) ciphertext tag(16).
  absl::StatusOr<std::string> Seal(absl::string_view county, absl::string_view wrapped_key,
                                   absl::string_view aad, absl::string_view clear) const;
  // FAILED_PRECONDITION / REASON_INTEGRITY_BROKEN when key, aad or bytes are not those sealed.
  absl::StatusOr<std::string> Open(absl::string_view county, absl::string_view wrapped_key,
                                   absl::string_view aad, absl::string_view sealed) const;
  // 16 bytes: HMAC-SHA-256 over the normalised value (NFC is the caller's; spaces and hyphens
  // dropped, ASCII upper-cased, full-width digits folded), key per county and field.
  std::string BlindIndex(absl::string_view county, absl::string_view field,
                         absl::string_view value) const;
  // 32 bytes by which a request's body is known again; nobody without the key can try bodies out.
  std::string RequestMac(absl::string_view digest) const;
  // Signs page tokens: HMAC under a key of its own, 16 bytes.
  std::string TokenMac(absl::string_view token) const;

 private:
  std::string root_key_;
};

}  // namespace fadu::records

#endif  // FADU_COMMON_RECORDS_SEALER_H_
