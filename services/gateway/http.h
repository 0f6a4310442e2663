// services/gateway/http.h
//
// HTTP as the gateway sees it: requests, answers, and what takes the one and gives the other. Knows
// no sockets; http_server.h brings them.
#ifndef FADU_SERVICES_GATEWAY_HTTP_H_
#define FADU_SERVICES_GATEWAY_HTTP_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"

namespace fadu::gateway {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// The head of a request.
struct HttpHead {
  std::string method;   // "GET"
  std::string target;   // as sent: path and query
  HttpHeaders headers;  // names in lower case
  std::string remote;   // the address of the other end
  absl::Time arrived_at;

  // The value of a header; several joined by ", "; "" when it is absent.
  std::string Header(absl::string_view name) const;
};

// Gives a body piece by piece, on the server's thread.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // Up to `size` bytes into `buffer`; 0 only at the end.
  virtual absl::StatusOr<size_t> Read(char* buffer, size_t size) = 0;
};

// Takes a body piece by piece, on the server's thread.
class BodySink {
 public:
  virtual ~BodySink() = default;
  virtual absl::Status Write(absl::string_view piece) = 0;
};

struct HttpResponse {
  int status = 200;
  HttpHeaders headers;
  std::string body;
  std::shared_ptr<const std::string> shared_body;  // instead of `body`: not copied
  std::unique_ptr<BodySource> source;              // instead of both, `source_size` bytes
  uint64_t source_size = 0;
};

struct HttpRequest {
  HttpHead head;
  std::string body;                // unless a sink took it
  std::shared_ptr<BodySink> sink;  // the one that took it
};

// What becomes of a request's body, decided when its head has arrived.
struct BodyPlan {
  size_t max_bytes = 0;
  std::shared_ptr<BodySink> sink;        // null: it is collected
  absl::optional<HttpResponse> refusal;  // answered at once, nothing is read
};

// The way back to the other end. Thread-safe. Exactly one of Send and Begin, once; an answer that
// is dropped without either is 500.
class HttpReply {
 public:
  virtual ~HttpReply() = default;
  virtual void Send(HttpResponse response) = 0;
  // Begins an answer whose end is not known: the head, then pieces, then End.
  virtual void Begin(int status, HttpHeaders headers) = 0;
  // False when the other end is gone, takes nothing, or the server stops: then End it.
  virtual bool Write(std::string piece) = 0;
  virtual void End() = 0;
  // Writes would be false.
  virtual bool gone() const = 0;
};

// Serves requests. Called on the server's threads; must not block.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  virtual BodyPlan Plan(const HttpHead& head) = 0;
  virtual void Serve(HttpRequest request, std::shared_ptr<HttpReply> reply) = 0;
  // The answer to what never became a request (400, 408, 413, 431, 503). `head` may be null.
  virtual HttpResponse Refuse(const HttpHead* head, int status, absl::string_view problem) = 0;
};

}  // namespace fadu::gateway

#endif  // FADU_SERVICES_GATEWAY_HTTP_H_
