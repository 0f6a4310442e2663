#include "services/gateway/domain/target.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/gateway/v1/reason.pb.h"
#include "services/gateway/domain/utf8.h"

namespace fadu::gateway {
namespace {

constexpr size_t kMaxTarget = 8192;
constexpr size_t kMaxParameters = 100;

absl::Status Malformed(absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_REQUEST_MALFORMED, "malformed target",
              {{"problem", std::string(problem)}});
}

int HexValue(char c) {
  if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return -1;
  return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

}  // namespace

std::string Target::path() const {
  return absl::StrCat("/", absl::StrJoin(segments, "/"), verb.empty() ? "" : ":", verb);
}

std::string Target::Query(absl::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return "";
}

absl::StatusOr<std::string> PercentDecode(absl::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus_is_space) c = ' ';
    if (c == '%') {
      const bool whole = i + 2 < text.size();
      const int high = whole ? HexValue(text[i + 1]) : -1;
      const int low = whole ? HexValue(text[i + 2]) : -1;
      if (high < 0 || low < 0) return Malformed("网址中有无效的 % 转义");
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return Malformed("网址中有控制字符");
    out.push_back(c);
  }
  if (!IsUtf8(out)) return Malformed("网址不是有效的 UTF-8");
  return out;
}

absl::StatusOr<Target> ParseTarget(absl::string_view raw) {
  if (raw.empty() || raw[0] != '/') return Malformed("路径应以 / 开头");
  if (raw.size() > kMaxTarget) return Malformed("网址过长");
  Target target;
  const size_t mark = raw.find('?');
  absl::string_view path = raw.substr(0, mark);
  // A fragment never travels; one that does is part of no path.
  if (path.find('#') != absl::string_view::npos) return Malformed("路径中有 #");
  path.remove_prefix(1);
  std::vector<absl::string_view> parts;
  if (!path.empty()) parts = absl::StrSplit(path, '/');
  for (size_t i = 0; i < parts.size(); ++i) {
    absl::string_view part = parts[i];
    const bool last = i + 1 == parts.size();
    if (part.empty() && !last) return Malformed("路径中有空段");
    if (last) {
      const size_t colon = part.rfind(':');
      if (colon != absl::string_view::npos && colon > 0) {
        FADU_ASSIGN_OR_RETURN(target.verb, PercentDecode(part.substr(colon + 1), false));
        part = part.substr(0, colon);
      }
    }
    FADU_ASSIGN_OR_RETURN(target.segments.emplace_back(), PercentDecode(part, false));
    const absl::string_view segment = target.segments.back();
    if (segment == "." || segment == ".." || segment.find_first_of("/\\") != segment.npos) {
      return Malformed("路径中有不允许的段");
    }
  }
  if (mark == absl::string_view::npos) return target;
  for (const absl::string_view pair :
       absl::StrSplit(raw.substr(mark + 1), '&', absl::SkipEmpty())) {
    if (target.query.size() == kMaxParameters) return Malformed("参数过多");
    const std::pair<absl::string_view, absl::string_view> halves =
        absl::StrSplit(pair, absl::MaxSplits('=', 1));
    FADU_ASSIGN_OR_RETURN(std::string name, PercentDecode(halves.first, true));
    FADU_ASSIGN_OR_RETURN(std::string value, PercentDecode(halves.second, true));
    target.query.emplace_back(std::move(name), std::move(value));
  }
  return target;
}

}  // namespace fadu::gateway
