#include "services/gateway/gateway.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/rpc/arrival.h"
#include "common/rpc/wire_status.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/common/v1/reason.pb.h"
#include "fadu/gateway/v1/reason.pb.h"
#include "google/rpc/error_details.pb.h"
#include "services/gateway/domain/answer.h"
#include "services/gateway/domain/json.h"
#include "services/gateway/domain/target.h"

namespace fadu::gateway {
namespace {

namespace common = ::fadu::common::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;

constexpr char kJson[] = "application/json";
constexpr char kProto[] = "application/proto";
constexpr size_t kMaxDeadlineDigits = 10;

std::unique_ptr<Message> NewMessage(const google::protobuf::Descriptor* type) {
  return std::unique_ptr<Message>(MessageFactory::generated_factory()->GetPrototype(type)->New());
}

// "application/json" of "Application/JSON; charset=utf-8"; "" for another charset than UTF-8.
std::string MediaType(absl::string_view header) {
  const std::vector<absl::string_view> parts = absl::StrSplit(header, ';');
  for (size_t i = 1; i < parts.size(); ++i) {
    const std::string parameter = absl::AsciiStrToLower(absl::StripAsciiWhitespace(parts[i]));
    if (absl::StartsWith(parameter, "charset=") && parameter != "charset=utf-8" &&
        parameter != "charset=\"utf-8\"") {
      return "";
    }
  }
  return absl::AsciiStrToLower(absl::StripAsciiWhitespace(parts[0]));
}

absl::Status Malformed(absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_REQUEST_MALFORMED, "malformed request",
              {{"problem", std::string(problem)}});
}

absl::Status WrongMediaType(absl::string_view type, absl::string_view wanted) {
  return Fail(
      absl::StatusCode::kInvalidArgument, v1::REASON_MEDIA_TYPE, "wrong content type",
      {{"type", type.empty() ? "（无）" : std::string(type)}, {"wanted", std::string(wanted)}});
}

absl::Status WrongMethod(const std::string& method, const std::set<std::string>& allowed) {
  return Fail(absl::StatusCode::kUnimplemented, v1::REASON_METHOD_UNKNOWN, "wrong HTTP method",
              {{"method", method}, {"allowed", absl::StrJoin(allowed, ", ")}});
}

// Headers of every answer: nothing may frame, sniff, cache or refer to it. What a page may load is
// said anew for pages.
void AddSecurityHeaders(HttpHeaders& headers) {
  const auto add = [&headers](absl::string_view name, absl::string_view value) {
    const bool there = std::any_of(headers.begin(), headers.end(), [name](const auto& header) {
      return absl::EqualsIgnoreCase(header.first, name);
    });
    if (!there) headers.emplace_back(std::string(name), std::string(value));
  };
  add("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  add("X-Content-Type-Options", "nosniff");
  add("X-Frame-Options", "DENY");
  add("Referrer-Policy", "no-referrer");
  add("Cross-Origin-Opener-Policy", "same-origin");
  add("Cross-Origin-Resource-Policy", "same-origin");
  add("Permissions-Policy", "camera=(), geolocation=(), microphone=()");
  add("Cache-Control", "no-store");
}

// For pages of the console: everything from here, nothing inline, no plug-ins.
constexpr char kPagePolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

bool IsText(const FieldDescriptor* field) {
  return field != nullptr && field->type() == FieldDescriptor::TYPE_STRING && !field->is_repeated();
}

// Fills a text field that the request left empty.
void Default(Message& request, const char* name, const std::string& value) {
  const FieldDescriptor* field = request.GetDescriptor()->FindFieldByName(name);
  if (!IsText(field) || value.empty()) return;
  const auto* reflection = request.GetReflection();
  if (reflection->GetString(request, field).empty()) reflection->SetString(&request, field, value);
}

// The type of the records a REST path is about; null when it names no collection.
const google::protobuf::Descriptor* TypeOf(const Catalogue& catalogue, const Match& match) {
  for (const auto& [variable, value] : match.variables) {
    const std::vector<absl::string_view> parts = absl::StrSplit(value, '/');
    const absl::string_view name = variable == "collection" ? absl::string_view(value)
                                   : parts.size() == 4      ? parts[2]
                                                            : absl::string_view();
    if (const Collection* collection = catalogue.FindCollection(name)) return collection->type;
  }
  return nullptr;
}

}  // namespace

// One request until its answer has left.
struct Gateway::Exchange {
  HttpRequest request;
  std::shared_ptr<HttpReply> reply;
  std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
  Target target;
  std::string service;          // the first segment of the path, where it names one
  bool connect = false;         // failures are told as Connect tells them
  bool proto = false;           // the answer is binary
  std::string route = "other";  // for log and metrics
  std::string request_id;
  std::string traceparent;
  std::string language;
  std::string remote;
  std::string actor;  // accounts/{uuid}
  std::string bearer;
  absl::Time deadline;
};

Gateway::Gateway(GatewayOptions options, GatewayParts parts)
    : options_(std::move(options)), parts_(parts) {}

Gateway::~Gateway() = default;

absl::StatusOr<std::unique_ptr<Gateway>> Gateway::Make(GatewayOptions options, GatewayParts parts) {
  std::unique_ptr<Gateway> gateway(new Gateway(std::move(options), parts));
  FADU_ASSIGN_OR_RETURN(gateway->catalogue_, Catalogue::Make(gateway->options_.services));
  FADU_ASSIGN_OR_RETURN(gateway->files_, StaticFiles::Load(gateway->options_.static_folder));
  return gateway;
}

BodyPlan Gateway::Plan(const HttpHead&) {
  BodyPlan plan;
  plan.max_bytes = options_.max_body_bytes;
  return plan;
}

void Gateway::Serve(HttpRequest request, std::shared_ptr<HttpReply> reply) {
  auto exchange = std::make_shared<Exchange>();
  exchange->request = std::move(request);
  exchange->reply = std::move(reply);
  const HttpHead& head = exchange->request.head;
  const std::string request_id = head.Header("x-request-id");
  exchange->request_id = rpc::IsRequestId(request_id) ? request_id : parts_.ids.NewId().ToString();
  const std::string traceparent = head.Header("traceparent");
  exchange->traceparent =
      rpc::IsTraceparent(traceparent) ? traceparent : rpc::NewTraceparent(parts_.ids);
  exchange->language = std::string(rpc::LanguageOf(head.Header("accept-language")));
  exchange->remote = head.remote;
  if (options_.behind_proxy) {
    // The last address is the proxy's own word; those before it are whatever the client said.
    const std::vector<std::string> hops =
        absl::StrSplit(head.Header("x-forwarded-for"), ',', absl::SkipWhitespace());
    if (!hops.empty()) exchange->remote = std::string(absl::StripAsciiWhitespace(hops.back()));
  }
  exchange->deadline = absl::Now() + options_.max_time;
  Route(exchange);
}

void Gateway::Route(const ExchangePtr& exchange) {
  absl::StatusOr<Target> target = ParseTarget(exchange->request.head.target);
  if (!target.ok()) return Fail(exchange, target.status());
  exchange->target = *std::move(target);
  std::vector<std::string>& segments = exchange->target.segments;
  if (segments.size() > 1 && catalogue_->IsService(segments[0])) {
    exchange->service = segments[0];
    segments.erase(segments.begin());
  }
  if (segments.size() == 2 && absl::StartsWith(segments[0], "fadu.")) {
    exchange->connect = true;
    const Rpc* rpc = catalogue_->FindRpc(segments[0], segments[1]);
    if (rpc != nullptr) return ServeConnect(exchange, *rpc);
  } else if (!segments.empty() && segments[0] == "v1") {
    return ServeRest(exchange);
  }
  ServeOther(exchange);
}

// ---- Connect: https://connectrpc.com/docs/protocol, unary ----

void Gateway::ServeConnect(const ExchangePtr& exchange, const Rpc& rpc) {
  Exchange& own = *exchange;
  const HttpHead& head = own.request.head;
  own.route = rpc.path.substr(1);
  const bool get = head.method == "GET";
  if (!get && head.method != "POST") {
    return Fail(exchange, WrongMethod(head.method, rpc.reads ? std::set<std::string>{"GET", "POST"}
                                                             : std::set<std::string>{"POST"}));
  }
  if (get && !rpc.reads) return Fail(exchange, WrongMethod("GET", {"POST"}));
  const std::string version = get ? std::string(absl::StripPrefix(own.target.Query("connect"), "v"))
                                  : head.Header("connect-protocol-version");
  if (!version.empty() && version != "1")
    return Fail(exchange, Malformed("Connect 协议版本应为 1"));
  const std::string compression =
      get ? own.target.Query("compression") : head.Header("content-encoding");
  if (!compression.empty() && compression != "identity") {
    return Fail(exchange, WrongMediaType(compression, "identity"));
  }
  if (const std::string timeout = head.Header("connect-timeout-ms"); !timeout.empty()) {
    int64_t millis = 0;
    if (timeout.size() > kMaxDeadlineDigits || !absl::SimpleAtoi(timeout, &millis) || millis < 0) {
      return Fail(exchange, Malformed("Connect-Timeout-Ms 应为至多 10 位的整数"));
    }
    own.deadline = std::min(own.deadline, absl::Now() + absl::Milliseconds(millis));
  }
  const std::string type = get ? absl::StrCat("application/", own.target.Query("encoding"))
                               : MediaType(head.Header("content-type"));
  own.proto = type == kProto;
  if (type != kJson && !own.proto) {
    return Fail(exchange, WrongMediaType(type, absl::StrCat(kJson, ", ", kProto)));
  }
  std::string body = std::move(own.request.body);
  if (get) {
    body = own.target.Query("message");
    if (own.target.Query("base64") == "1") {
      std::string bytes;
      if (!absl::WebSafeBase64Unescape(body, &bytes) && !absl::Base64Unescape(body, &bytes)) {
        return Fail(exchange, Malformed("message 不是 base64"));
      }
      body = std::move(bytes);
    }
  }
  if (const absl::Status admitted = Admit(own, rpc); !admitted.ok()) {
    return Fail(exchange, admitted);
  }
  // A binary request is passed on unread, unless it alone says whose it is.
  const bool unread = own.proto && (!rpc.service.empty() || !own.service.empty());
  if (!unread) {
    const std::unique_ptr<Message> message = NewMessage(rpc.method->input_type());
    absl::Status read = absl::OkStatus();
    if (!own.proto) {
      read = JsonToMessage(body.empty() ? "{}" : body, *message);
    } else if (!message->ParseFromString(body)) {
      read = Malformed("正文不是该方法的消息");
    }
    if (!read.ok()) return Fail(exchange, read);
    const absl::StatusOr<std::string> service = ServiceOf(own, rpc, *message);
    if (!service.ok()) return Fail(exchange, service.status());
    own.service = *service;
    if (!own.proto) body = message->SerializeAsString();
  }
  Call(exchange, rpc, std::move(body));
}

// ---- REST by google.api.http ----

void Gateway::ServeRest(const ExchangePtr& exchange) {
  Exchange& own = *exchange;
  const HttpHead& head = own.request.head;
  std::set<std::string> allowed;
  const absl::optional<Match> match = catalogue_->FindBinding(head.method, own.target, &allowed);
  if (!match && !allowed.empty()) return Fail(exchange, WrongMethod(head.method, allowed));
  if (!match) return ServeOther(exchange);
  const Rpc& rpc = *match->binding->rpc;
  own.route = rpc.path.substr(1);
  const std::string type = MediaType(head.Header("content-type"));
  if (match->binding->body.empty() ? !own.request.body.empty() : type != kJson) {
    return Fail(exchange,
                WrongMediaType(type, match->binding->body.empty() ? "（无正文）" : kJson));
  }
  if (const absl::Status admitted = Admit(own, rpc); !admitted.ok()) {
    return Fail(exchange, admitted);
  }
  absl::StatusOr<std::unique_ptr<Message>> message =
      BuildRequest(*match, own.target, own.request.body, TypeOf(*catalogue_, *match));
  if (!message.ok()) return Fail(exchange, message.status());
  Default(**message, "etag", head.Header("if-match"));
  Default(**message, "request_id", head.Header("idempotency-key"));
  const absl::StatusOr<std::string> service = ServiceOf(own, rpc, **message);
  if (!service.ok()) return Fail(exchange, service.status());
  own.service = *service;
  Call(exchange, rpc, (*message)->SerializeAsString());
}

// ---- What is neither ----

void Gateway::ServeOther(const ExchangePtr& exchange) {
  const HttpHead& head = exchange->request.head;
  const bool get = head.method == "GET" || head.method == "HEAD";
  const std::string path = exchange->target.path();
  if (exchange->service.empty() && path == "/healthz" && get) {
    exchange->route = "health";
    HttpResponse response;
    response.headers = {{"Content-Type", "text/plain; charset=utf-8"}};
    response.body = "ok\n";
    return Finish(exchange, std::move(response));
  }
  // An application's paths have no page of their own under the interfaces.
  const bool interface = exchange->connect || !exchange->service.empty() ||
                         absl::StartsWith(path, "/v1/") || path == "/v1";
  if (get && !interface) {
    exchange->route = "static";
    if (std::unique_ptr<HttpResponse> file = files_.Get(path, head); file != nullptr) {
      file->headers.emplace_back("Content-Security-Policy", kPagePolicy);
      return Finish(exchange, std::move(*file));
    }
  }
  exchange->route = "other";
  Fail(exchange, fadu::Fail(absl::StatusCode::kNotFound, v1::REASON_PATH_UNKNOWN, "no such path",
                            {{"path", path.substr(0, 100)}}));
}

// ---- The steps of a call ----

absl::Status Gateway::Admit(Exchange& exchange, const Rpc& rpc) {
  const std::string header = exchange.request.head.Header("authorization");
  if (absl::StartsWithIgnoreCase(header, "bearer ")) {
    exchange.bearer = std::string(absl::StripAsciiWhitespace(absl::string_view(header).substr(7)));
  } else if (!header.empty()) {
    return fadu::Fail(absl::StatusCode::kUnauthenticated, common::REASON_IDENTITY_MISSING,
                      "authorization is not a bearer token");
  }
  RateRule rule = options_.user_rate;
  std::string caller = absl::StrCat("from ", exchange.remote);
  if (!exchange.bearer.empty() || !rpc.anonymous) {
    // The service verifies it too; here it says whose calls are counted.
    FADU_ASSIGN_OR_RETURN(const Principal principal,
                          parts_.verifier.Verify(exchange.bearer, "gateway", parts_.clock.Now()));
    if (principal.is_service) {
      return fadu::Fail(absl::StatusCode::kPermissionDenied, common::REASON_ROLE_DENIED,
                        "services do not call through the gateway");
    }
    exchange.actor = caller = principal.subject;
    if (principal.HasRole(common::ROLE_DEPARTMENT)) rule = options_.client_rate;
  }
  if (rpc.rate.calls() > 0) {
    rule = RateRule{static_cast<double>(rpc.rate.calls()), absl::Seconds(rpc.rate.seconds())};
  }
  const absl::Duration wait =
      limiter_.Take(absl::StrCat(caller, " ", rpc.path), rule, parts_.clock.Now());
  if (wait <= absl::ZeroDuration()) return absl::OkStatus();
  return fadu::Fail(
      absl::StatusCode::kResourceExhausted, v1::REASON_RATE_LIMITED, "too many calls",
      {{"seconds", absl::StrCat(absl::ToInt64Seconds(absl::Ceil(wait, absl::Seconds(1))))}});
}

absl::StatusOr<std::string> Gateway::ServiceOf(const Exchange& exchange, const Rpc& rpc,
                                               const Message& request) const {
  const std::string owner = rpc.service.empty() ? catalogue_->OwnerOf(request) : rpc.service;
  if (!owner.empty() && !exchange.service.empty() && owner != exchange.service) {
    return Malformed(absl::StrCat("该请求属于服务 ", owner, "，不属于 ", exchange.service));
  }
  if (!owner.empty()) return owner;
  if (!exchange.service.empty()) return exchange.service;
  return fadu::Fail(absl::StatusCode::kInvalidArgument, v1::REASON_SERVICE_UNNAMED,
                    "several services serve this",
                    {{"path", exchange.target.path()},
                     {"services", absl::StrJoin(catalogue_->services(), ", ")}});
}

void Gateway::Call(const ExchangePtr& exchange, const Rpc& rpc, std::string request) {
  rpc::CallOptions options;
  options.deadline = exchange->deadline;
  options.bearer = exchange->bearer;
  options.traceparent = exchange->traceparent;
  options.request_id = exchange->request_id;
  options.language = exchange->language;
  const std::string& service = rpc.service.empty() ? exchange->service : rpc.service;
  parts_.peers.Forward(
      service, rpc.path, request, options,
      [this, exchange, &rpc](const rpc::BytesReply& reply) { Answer(exchange, rpc, reply); });
}

void Gateway::Answer(const ExchangePtr& exchange, const Rpc& rpc, const rpc::BytesReply& reply) {
  if (!reply.status.ok()) {
    google::rpc::Status details;
    if (reply.details.empty() || !details.ParseFromString(reply.details)) {
      details = rpc::ToStatusProto(reply.status, exchange->language);
    }
    return FailWith(exchange, HttpStatusOf(reply.status), details);
  }
  HttpResponse response;
  if (exchange->proto) {
    response.headers = {{"Content-Type", kProto}};
    response.body = reply.bytes;
    return Finish(exchange, std::move(response));
  }
  const std::unique_ptr<Message> message = NewMessage(rpc.method->output_type());
  absl::StatusOr<std::string> json = absl::InternalError("the answer does not parse");
  if (message->ParseFromString(reply.bytes)) json = MessageToJson(*message);
  if (!json.ok()) {
    Log(LogLevel::kError, "an answer could not be written as JSON",
        {{"rpc", exchange->route},
         {"request_id", exchange->request_id},
         {"error", json.status().message()}});
    return Fail(exchange, fadu::Fail(absl::StatusCode::kInternal, common::REASON_INTERNAL,
                                     absl::StrCat("internal error, request ", exchange->request_id),
                                     {{"request", exchange->request_id}}));
  }
  response.headers = {{"Content-Type", kJson}};
  if (const FieldDescriptor* etag = rpc.method->output_type()->FindFieldByName("etag");
      IsText(etag) && !exchange->connect) {
    const std::string value = message->GetReflection()->GetString(*message, etag);
    if (!value.empty()) response.headers.emplace_back("ETag", value);
  }
  response.body = *std::move(json);
  Finish(exchange, std::move(response));
}

void Gateway::Fail(const ExchangePtr& exchange, const absl::Status& status) {
  FailWith(exchange, HttpStatusOf(status), rpc::ToStatusProto(status, exchange->language));
}

void Gateway::FailWith(const ExchangePtr& exchange, int http, const google::rpc::Status& status) {
  HttpResponse response;
  response.status = http;
  response.headers = {{"Content-Type", kJson}};
  if (http == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  for (const google::protobuf::Any& any : status.details()) {
    google::rpc::ErrorInfo info;
    if (!any.UnpackTo(&info)) continue;
    const auto seconds = info.metadata().find("seconds");
    if (http == 429) {
      response.headers.emplace_back("Retry-After",
                                    seconds == info.metadata().end() ? "1" : seconds->second);
    }
    const auto allowed = info.metadata().find("allowed");
    if (http == 405 && allowed != info.metadata().end()) {
      response.headers.emplace_back("Allow", allowed->second);
    }
  }
  response.body = exchange->connect ? ConnectErrorJson(status) : StatusJson(status);
  Finish(exchange, std::move(response));
}

void Gateway::Finish(const ExchangePtr& exchange, HttpResponse response) {
  AddSecurityHeaders(response.headers);
  response.headers.emplace_back("X-Request-Id", exchange->request_id);
  const absl::Duration took = absl::FromChrono(std::chrono::steady_clock::now() - exchange->begin);
  const size_t size =
      response.shared_body != nullptr ? response.shared_body->size() : response.body.size();
  Log(LogLevel::kInfo, "http",
      {{"method", exchange->request.head.method.substr(0, 10)},
       {"route", exchange->route},
       {"service", exchange->service},
       {"status", response.status},
       {"duration_us", absl::ToInt64Microseconds(took)},
       {"bytes", static_cast<int64_t>(size)},
       {"request_id", exchange->request_id},
       {"trace_id", absl::string_view(exchange->traceparent).substr(3, 32)},
       {"actor", exchange->actor},
       {"remote", exchange->remote}});
  parts_.metrics.HttpRequestFinished(exchange->route, response.status, took);
  exchange->reply->Send(std::move(response));
}

HttpResponse Gateway::Refuse(const HttpHead* head, int status, absl::string_view problem) {
  const std::string language(
      rpc::LanguageOf(head == nullptr ? std::string() : head->Header("accept-language")));
  absl::Status failure = Malformed(problem);
  if (status == 413) {
    failure = fadu::Fail(absl::StatusCode::kInvalidArgument, common::REASON_TOO_LARGE,
                         "the body is too large", {{"limit", std::string(problem)}});
  } else if (status == 431) {
    failure = Malformed("请求头过大");
  } else if (status == 503 || status == 507) {
    failure = fadu::Fail(absl::StatusCode::kUnavailable, v1::REASON_GATEWAY_BUSY, "busy");
  } else if (status == 500) {
    failure = fadu::Fail(absl::StatusCode::kInternal, common::REASON_INTERNAL, "internal error",
                         {{"request", ""}});
  }
  HttpResponse response;
  response.status = status;
  response.headers = {{"Content-Type", kJson}};
  AddSecurityHeaders(response.headers);
  response.body = StatusJson(rpc::ToStatusProto(failure, language));
  parts_.metrics.HttpRequestFinished("refused", status, absl::ZeroDuration());
  return response;
}

}  // namespace fadu::gateway
