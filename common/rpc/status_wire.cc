#include "common/rpc/status_wire.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/rpc/wire_status.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace fadu::rpc {
namespace {

namespace v1 = ::fadu::common::v1;

// A client drops a call whose trailers pass 8 KiB. Details travel in base64, texts percent-encoded.
constexpr size_t kMaxMessageBytes = 500;
constexpr size_t kMaxValueBytes = 200;
constexpr size_t kMaxMetadataBytes = 1200;
constexpr size_t kMaxDetailsBytes = 4000;
constexpr int64_t kRetrySeconds = 1;

struct CodeAndReason {
  absl::StatusCode code;
  v1::Reason reason;  // where the failure carries none
};

// UNKNOWN, DATA_LOSS, OUT_OF_RANGE and CANCELLED never leave: the first three are ours to explain,
// and nobody but the caller cancels.
CodeAndReason OutwardOf(absl::StatusCode code) {
  using Code = absl::StatusCode;
  switch (code) {
    case Code::kOk:
      return {Code::kOk, v1::REASON_UNSPECIFIED};
    case Code::kInvalidArgument:
      return {Code::kInvalidArgument, v1::REASON_FIELD_INVALID};
    case Code::kNotFound:
      return {Code::kNotFound, v1::REASON_NOT_FOUND};
    case Code::kAlreadyExists:
      return {Code::kAlreadyExists, v1::REASON_ALREADY_EXISTS};
    case Code::kPermissionDenied:
      return {Code::kPermissionDenied, v1::REASON_ROLE_DENIED};
    case Code::kUnauthenticated:
      return {Code::kUnauthenticated, v1::REASON_IDENTITY_MISSING};
    case Code::kResourceExhausted:
      return {Code::kResourceExhausted, v1::REASON_OVERLOADED};
    case Code::kFailedPrecondition:
      return {Code::kFailedPrecondition, v1::REASON_INTERNAL};
    case Code::kAborted:
      return {Code::kAborted, v1::REASON_CONFLICT};
    case Code::kUnimplemented:
      return {Code::kUnimplemented, v1::REASON_INTERNAL};
    case Code::kUnavailable:
    case Code::kCancelled:
      return {Code::kUnavailable, v1::REASON_UNAVAILABLE};
    case Code::kDeadlineExceeded:
      return {Code::kDeadlineExceeded, v1::REASON_DEADLINE_EXCEEDED};
    case Code::kInternal:
    case Code::kUnknown:
    case Code::kOutOfRange:
    case Code::kDataLoss:
    case Code::kDoNotUseReservedForFutureExpansionUseDefaultInSwitchInstead_:
      return {Code::kInternal, v1::REASON_INTERNAL};
  }
  return {Code::kInternal, v1::REASON_INTERNAL};
}

// The same numbers on both sides, so a code is cast once it is known.
static_assert(static_cast<int>(absl::StatusCode::kUnauthenticated) ==
              static_cast<int>(grpc::StatusCode::UNAUTHENTICATED));
static_assert(static_cast<int>(absl::StatusCode::kInternal) ==
              static_cast<int>(grpc::StatusCode::INTERNAL));

// The length of the UTF-8 character at the front of `text`; 0 when there is none.
size_t CharacterSize(absl::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  const size_t size = byte(0) < 0x80                       ? 1
                      : byte(0) >= 0xC2 && byte(0) < 0xE0  ? 2
                      : byte(0) >= 0xE0 && byte(0) < 0xF0  ? 3
                      : byte(0) >= 0xF0 && byte(0) <= 0xF4 ? 4
                                                           : 0;
  if (size == 0 || size > text.size()) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what lies beyond Unicode.
  if (size >= 3) {
    const unsigned pair = byte(0) << 8U | byte(1);
    if (pair < 0xE0A0 || (pair >= 0xEDA0 && pair < 0xEE00) || (pair >= 0xF000 && pair < 0xF090) ||
        pair >= 0xF490) {
      return 0;
    }
  }
  return size;
}

// `text` as proto3 can carry it: valid UTF-8, at most `max_bytes`.
std::string Fit(absl::string_view text, size_t max_bytes) {
  std::string result;
  while (!text.empty()) {
    const size_t size = CharacterSize(text);
    if (result.size() + std::max<size_t>(size, 1) > max_bytes) break;
    absl::StrAppend(&result, size == 0 ? absl::string_view("?") : text.substr(0, size));
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  return result;
}

google::rpc::ErrorInfo InfoOf(const ErrorDetail& detail) {
  google::rpc::ErrorInfo info;
  info.set_domain(Fit(detail.domain, kMaxValueBytes));
  info.set_reason(Fit(detail.reason, kMaxValueBytes));
  size_t used = 0;
  for (const auto& [key, value] : detail.metadata) {
    const std::string name = Fit(key, kMaxValueBytes);
    std::string text = Fit(value, kMaxValueBytes);
    used += name.size() + text.size();
    if (used > kMaxMetadataBytes) break;
    (*info.mutable_metadata())[name] = std::move(text);
  }
  return info;
}

// As many violations as `room` holds; a form shows the rest after these are mended.
google::rpc::BadRequest BadRequestOf(const ErrorDetail& detail, size_t room) {
  google::rpc::BadRequest bad_request;
  size_t used = 0;
  for (const FieldViolation& violation : detail.violations) {
    google::rpc::BadRequest::FieldViolation next;
    next.set_field(Fit(violation.field, kMaxValueBytes));
    next.set_description(Fit(violation.description, kMaxValueBytes));
    used += next.ByteSizeLong() + 4;
    if (used > room) break;
    *bad_request.add_field_violations() = std::move(next);
  }
  return bad_request;
}

// The bytes of a detail are the same for the same failure: a map has no order of its own, and
// whoever may not tell two failures apart must not be able to by their bytes.
void AddDetail(google::rpc::Status& wire, const google::protobuf::Message& detail) {
  google::protobuf::Any& any = *wire.add_details();
  any.set_type_url(absl::StrCat("type.googleapis.com/", detail.GetDescriptor()->full_name()));
  google::protobuf::io::StringOutputStream stream(any.mutable_value());
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  detail.SerializeToCodedStream(&coded);
}

ErrorDetail DetailOfWire(const google::rpc::Status& wire) {
  ErrorDetail detail;
  for (const google::protobuf::Any& any : wire.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad_request;
    if (any.UnpackTo(&info)) {
      detail.domain = info.domain();
      detail.reason = info.reason();
      detail.metadata = Metadata(info.metadata().begin(), info.metadata().end());
    } else if (any.UnpackTo(&bad_request)) {
      for (const auto& violation : bad_request.field_violations()) {
        detail.violations.push_back({violation.field(), violation.description()});
      }
    }
  }
  return detail;
}

}  // namespace

absl::Status Outward(const absl::Status& status, absl::string_view request_id) {
  if (status.ok()) return status;
  const CodeAndReason outward = OutwardOf(status.code());
  if (outward.code == absl::StatusCode::kInternal) {
    return Fail(outward.code, v1::REASON_INTERNAL,
                absl::StrCat("internal error, request ", request_id),
                {{"request", std::string(request_id)}});
  }
  ErrorDetail detail = DetailOf(status);
  if (detail.reason.empty()) {
    return Fail(outward.code, outward.reason, status.message(),
                {{"request", std::string(request_id)}});
  }
  return MakeError(outward.code, std::move(detail), status.message());
}

google::rpc::Status ToStatusProto(const absl::Status& status, absl::string_view language) {
  google::rpc::Status wire;
  if (status.ok()) return wire;
  const ErrorDetail detail = DetailOf(status);
  wire.set_code(static_cast<int>(status.code()));
  wire.set_message(Fit(status.message(), kMaxMessageBytes));
  AddDetail(wire, InfoOf(detail));

  google::rpc::LocalizedMessage text;
  text.set_locale(language == "en" ? "en" : "zh-CN");
  text.set_message(Fit(LocalizedText(status, language), kMaxMessageBytes));
  AddDetail(wire, text);

  if (status.code() == absl::StatusCode::kResourceExhausted) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(kRetrySeconds);
    AddDetail(wire, retry);
  }
  if (!detail.violations.empty()) {
    const size_t used = wire.ByteSizeLong() + 100;  // the type's name
    const size_t room = used < kMaxDetailsBytes ? kMaxDetailsBytes - used : 0;
    AddDetail(wire, BadRequestOf(detail, room));
  }
  return wire;
}

grpc::Status ToWire(const absl::Status& status, absl::string_view language) {
  if (status.ok()) return grpc::Status::OK;
  const google::rpc::Status wire = ToStatusProto(status, language);
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), wire.message(),
                      wire.SerializeAsString());
}

absl::Status FromWire(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  google::rpc::Status wire;
  if (!status.error_details().empty() && wire.ParseFromString(status.error_details())) {
    ErrorDetail detail = DetailOfWire(wire);
    if (!detail.reason.empty()) return MakeError(code, std::move(detail), status.error_message());
  }
  if (code == absl::StatusCode::kResourceExhausted) {
    // gRPC itself exhausts only the size of a message.
    return Fail(code, v1::REASON_TOO_LARGE, status.error_message(), {{"limit", "message"}});
  }
  const CodeAndReason outward = OutwardOf(code);
  return Fail(outward.code, outward.reason, status.error_message());
}

}  // namespace fadu::rpc
