#include "services/registry/password_hash.h"

#include <array>

#include <argon2.h>

#include "absl/time/clock.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"

namespace fadu::registry {
namespace {

constexpr uint32_t kPasses = 3;
constexpr uint32_t kKibibytes = 65536;
constexpr uint32_t kLanes = 1;
constexpr size_t kSaltBytes = 16;
constexpr size_t kHashBytes = 32;
constexpr size_t kMaxText = 128;

// Of no password: what is compared with where there is no account.
constexpr char kNobody[] =
    "$argon2id$v=19$m=65536,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

}  // namespace

absl::Status PasswordHasher::Enter(absl::Time deadline) {
  if (turns_.try_acquire_for(absl::ToChronoNanoseconds(deadline - absl::Now()))) {
    return absl::OkStatus();
  }
  return Fail(absl::StatusCode::kResourceExhausted, fadu::common::v1::REASON_OVERLOADED,
              "too many passwords at once");
}

absl::StatusOr<std::string> PasswordHasher::Hash(absl::string_view password, absl::Time deadline) {
  FADU_RETURN_IF_ERROR(Enter(deadline));
  const std::string salt = RandomBytes(kSaltBytes);
  std::array<char, kMaxText> text{};
  const int result =
      argon2id_hash_encoded(kPasses, kKibibytes, kLanes, password.data(), password.size(),
                            salt.data(), salt.size(), kHashBytes, text.data(), text.size());
  turns_.release();
  if (result != ARGON2_OK) return absl::InternalError(argon2_error_message(result));
  return std::string(text.data());
}

absl::StatusOr<bool> PasswordHasher::Matches(absl::string_view hash, absl::string_view password,
                                             absl::Time deadline) {
  FADU_RETURN_IF_ERROR(Enter(deadline));
  const std::string text(hash.empty() ? absl::string_view(kNobody) : hash);
  const int result = argon2id_verify(text.c_str(), password.data(), password.size());
  turns_.release();
  if (result == ARGON2_OK) return !hash.empty();
  if (result == ARGON2_VERIFY_MISMATCH) return false;
  return absl::InternalError(argon2_error_message(result));
}

}  // namespace fadu::registry
