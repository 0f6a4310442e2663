#include "services/gateway/domain/answer.h"

#include <map>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/status.h"
#include "google/rpc/error_details.pb.h"
#include "services/gateway/domain/json.h"

namespace fadu::gateway {
namespace {

struct CodeRow {
  int http;
  absl::string_view connect;
};

CodeRow RowOf(absl::StatusCode code) {
  using Code = absl::StatusCode;
  switch (code) {
    case Code::kOk:
      return {200, ""};
    case Code::kCancelled:
      return {499, "canceled"};
    case Code::kUnknown:
      return {500, "unknown"};
    case Code::kInvalidArgument:
      return {400, "invalid_argument"};
    case Code::kDeadlineExceeded:
      return {504, "deadline_exceeded"};
    case Code::kNotFound:
      return {404, "not_found"};
    case Code::kAlreadyExists:
      return {409, "already_exists"};
    case Code::kPermissionDenied:
      return {403, "permission_denied"};
    case Code::kResourceExhausted:
      return {429, "resource_exhausted"};
    case Code::kFailedPrecondition:
      return {400, "failed_precondition"};
    case Code::kAborted:
      return {409, "aborted"};
    case Code::kOutOfRange:
      return {400, "out_of_range"};
    case Code::kUnimplemented:
      return {501, "unimplemented"};
    case Code::kInternal:
      return {500, "internal"};
    case Code::kUnavailable:
      return {503, "unavailable"};
    case Code::kDataLoss:
      return {500, "data_loss"};
    case Code::kUnauthenticated:
      return {401, "unauthenticated"};
    case Code::kDoNotUseReservedForFutureExpansionUseDefaultInSwitchInstead_:
      return {500, "unknown"};
  }
  return {500, "unknown"};  // a code that a newer service sends
}

// Details that this program can read, as their JSON inside or as bytes.
std::string DetailsJson(const google::rpc::Status& status, bool connect) {
  std::string out = "[";
  for (const google::protobuf::Any& detail : status.details()) {
    const absl::StatusOr<std::string> json = MessageToJson(detail);
    if (!json.ok()) continue;
    if (out.size() > 1) out.push_back(',');
    if (!connect) {
      out.append(*json);
      continue;
    }
    std::string value;
    absl::Base64Escape(detail.value(), &value);
    out.append("{\"type\":");
    AppendJsonString(absl::StripPrefix(detail.type_url(), "type.googleapis.com/"), out);
    absl::StrAppend(&out, ",\"value\":\"", absl::StripSuffix(absl::StripSuffix(value, "="), "="),
                    "\",\"debug\":", *json, "}");
  }
  out.push_back(']');
  return out;
}

}  // namespace

int HttpStatusOf(absl::StatusCode code) { return RowOf(code).http; }

int HttpStatusOf(const absl::Status& status) {
  static const auto* const by_reason = new std::map<std::string, int>{
      {"REASON_PATH_UNKNOWN", 404}, {"REASON_METHOD_UNKNOWN", 405}, {"REASON_REQUEST_SLOW", 408},
      {"REASON_TOO_LARGE", 413},    {"REASON_MEDIA_TYPE", 415},     {"REASON_RATE_LIMITED", 429},
      {"REASON_GATEWAY_BUSY", 503},
  };
  const auto row = by_reason->find(ReasonOf(status));
  return row == by_reason->end() || status.ok() ? HttpStatusOf(status.code()) : row->second;
}

absl::string_view ConnectCodeOf(absl::StatusCode code) { return RowOf(code).connect; }

std::string StatusJson(const google::rpc::Status& status) {
  std::string out = absl::StrCat("{\"code\":", status.code(), ",\"message\":");
  AppendJsonString(status.message(), out);
  absl::StrAppend(&out, ",\"details\":", DetailsJson(status, /*connect=*/false), "}");
  return out;
}

std::string ConnectErrorJson(const google::rpc::Status& status) {
  std::string out = "{\"code\":";
  AppendJsonString(ConnectCodeOf(static_cast<absl::StatusCode>(status.code())), out);
  out.append(",\"message\":");
  AppendJsonString(status.message(), out);
  absl::StrAppend(&out, ",\"details\":", DetailsJson(status, /*connect=*/true), "}");
  return out;
}

std::string TextOf(const google::rpc::Status& status) {
  for (const google::protobuf::Any& detail : status.details()) {
    google::rpc::LocalizedMessage text;
    if (detail.UnpackTo(&text)) return text.message();
  }
  return status.message();
}

}  // namespace fadu::gateway
