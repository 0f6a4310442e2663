#include "common/records/page_token.h"

#include <openssl/crypto.h>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/digest.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"

namespace fadu::records {
namespace {

absl::Status Invalid() {
  return Fail(absl::StatusCode::kInvalidArgument, ::fadu::common::v1::REASON_PAGE_TOKEN_INVALID,
              "page token does not belong here");
}

constexpr size_t kQueryBytes = 8;
constexpr size_t kMacBytes = 16;

}  // namespace

std::string MakePageToken(const Sealer& sealer, absl::string_view query,
                          const std::vector<std::string>& parts) {
  std::string body = Sha256(query).substr(0, kQueryBytes);
  for (const std::string& part : parts) absl::StrAppend(&body, part.size(), ":", part);
  return absl::WebSafeBase64Escape(sealer.TokenMac(body) + body);
}

absl::StatusOr<std::vector<std::string>> ReadPageToken(const Sealer& sealer,
                                                       absl::string_view query,
                                                       absl::string_view token, size_t count) {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(token, &bytes) || bytes.size() < kMacBytes + kQueryBytes) {
    return Invalid();
  }
  absl::string_view body = absl::string_view(bytes).substr(kMacBytes);
  if (CRYPTO_memcmp(sealer.TokenMac(body).data(), bytes.data(), kMacBytes) != 0 ||
      body.substr(0, kQueryBytes) != Sha256(query).substr(0, kQueryBytes)) {
    return Invalid();
  }
  body.remove_prefix(kQueryBytes);
  std::vector<std::string> parts;
  while (!body.empty()) {
    const size_t colon = body.find(':');
    size_t size = 0;
    if (colon == absl::string_view::npos || !absl::SimpleAtoi(body.substr(0, colon), &size) ||
        body.size() - colon - 1 < size) {
      return Invalid();
    }
    parts.emplace_back(body.substr(colon + 1, size));
    body.remove_prefix(colon + 1 + size);
  }
  if (parts.size() != count) return Invalid();
  return parts;
}

}  // namespace fadu::records
