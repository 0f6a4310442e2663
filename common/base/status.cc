#include "common/base/status.h"

#include <cstdlib>
#include <cstring>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/log.h"

namespace fadu {
namespace {

constexpr char kPayload[] = "fadu/error";

// "<length>:<text>" for each text, in order; counts stand as texts.
void Append(std::string& out, absl::string_view text) {
  absl::StrAppend(&out, text.size(), ":", text);
}

absl::string_view Take(absl::string_view& in) {
  const size_t colon = in.find(':');
  size_t size = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(in.substr(0, colon), &size) ||
      in.size() - colon - 1 < size) {
    in = absl::string_view();
    return in;
  }
  const absl::string_view text = in.substr(colon + 1, size);
  in.remove_prefix(colon + 1 + size);
  return text;
}

size_t TakeCount(absl::string_view& in) {
  size_t count = 0;
  return absl::SimpleAtoi(Take(in), &count) ? count : 0;
}

std::string Encode(const ErrorDetail& detail) {
  std::string out;
  Append(out, detail.domain);
  Append(out, detail.reason);
  Append(out, absl::StrCat(detail.metadata.size()));
  for (const auto& [key, value] : detail.metadata) {
    Append(out, key);
    Append(out, value);
  }
  Append(out, absl::StrCat(detail.violations.size()));
  for (const FieldViolation& violation : detail.violations) {
    Append(out, violation.field);
    Append(out, violation.description);
  }
  return out;
}

ErrorDetail Decode(absl::string_view in) {
  ErrorDetail detail;
  detail.domain = std::string(Take(in));
  detail.reason = std::string(Take(in));
  for (size_t left = TakeCount(in); left > 0; --left) {
    const std::string key(Take(in));
    detail.metadata[key] = std::string(Take(in));
  }
  for (size_t left = TakeCount(in); left > 0; --left) {
    FieldViolation violation;
    violation.field = std::string(Take(in));
    violation.description = std::string(Take(in));
    detail.violations.push_back(std::move(violation));
  }
  return detail;
}

}  // namespace

absl::Status MakeError(absl::StatusCode code, ErrorDetail detail, absl::string_view message) {
  absl::Status status(code, message);
  status.SetPayload(kPayload, absl::Cord(Encode(detail)));
  return status;
}

ErrorDetail DetailOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kPayload);
  return payload.has_value() ? Decode(std::string(*payload)) : ErrorDetail{};
}

std::string ReasonOf(const absl::Status& status) { return DetailOf(status).reason; }

absl::Status WithMetadata(const absl::Status& status, absl::string_view key,
                          absl::string_view value) {
  if (status.ok()) return status;
  ErrorDetail detail = DetailOf(status);
  detail.metadata[std::string(key)] = std::string(value);
  absl::Status with = status;
  with.SetPayload(kPayload, absl::Cord(Encode(detail)));
  return with;
}

absl::Status Bug(const char* file, int line, absl::string_view message) {
  Log(LogLevel::kError, "bug", {{"what", message}, {"file", file}, {"line", line}});
  const char* abort_wanted = std::getenv("FADU_BUG_ABORT");
  if (abort_wanted != nullptr && std::strcmp(abort_wanted, "1") == 0) std::abort();
  return MakeError(absl::StatusCode::kInternal,
                   ErrorDetail{"fadu.common.v1", "REASON_INTERNAL", {}, {}}, message);
}

}  // namespace fadu
