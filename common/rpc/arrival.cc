#include "common/rpc/arrival.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/digest.h"

namespace fadu::rpc {
namespace {

constexpr size_t kTraceparentSize = 55;  // 00-{32}-{16}-{2}

bool IsLowerHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c)) || (c >= 'a' && c <= 'f');
  });
}

}  // namespace

bool IsTraceparent(absl::string_view text) {
  if (text.size() != kTraceparentSize || text.substr(0, 3) != "00-" || text[35] != '-' ||
      text[52] != '-') {
    return false;
  }
  const absl::string_view trace = text.substr(3, 32);
  const absl::string_view parent = text.substr(36, 16);
  return IsLowerHex(trace) && IsLowerHex(parent) && IsLowerHex(text.substr(53)) &&
         trace.find_first_not_of('0') != absl::string_view::npos &&
         parent.find_first_not_of('0') != absl::string_view::npos;
}

std::string NewTraceparent(IdSource& ids) {
  const std::string trace = absl::StrReplaceAll(ids.NewId().ToString(), {{"-", ""}});
  const std::string parent = Hex(ids.NewId().view().substr(8));
  return absl::StrCat("00-", trace, "-", parent, "-00");
}

bool IsRequestId(absl::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-';
  });
}

absl::string_view LanguageOf(absl::string_view accept_language) {
  return absl::StartsWithIgnoreCase(absl::StripAsciiWhitespace(accept_language), "en") ? "en"
                                                                                       : "zh";
}

}  // namespace fadu::rpc
