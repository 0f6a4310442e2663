// services/gateway/http_server.h
//
// HTTP/1.1 over Boost.Beast, which is in http_server.cc and nowhere else. Everything is bounded:
// connections, heads, bodies, bytes held for all of them, time.
#ifndef FADU_SERVICES_GATEWAY_HTTP_SERVER_H_
#define FADU_SERVICES_GATEWAY_HTTP_SERVER_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/gateway/http.h"

namespace fadu::gateway {

struct HttpServerOptions {
  std::string listen = "127.0.0.1:0";  // host:port; loopback, as there is no TLS
  int threads = 1;
  int max_connections = 1000;
  size_t max_head_bytes = 16384;
  size_t max_held_bytes = 64 << 20;               // collected bodies of all connections
  absl::Duration head_time = absl::Seconds(10);   // from its first byte to the end of a head
  absl::Duration idle_time = absl::Seconds(75);   // between requests of one connection
  absl::Duration body_time = absl::Seconds(30);   // for a body, and longer by its size at 64 KiB/s
  absl::Duration write_time = absl::Seconds(30);  // for each 256 KiB of an answer
};

// What goes on now.
struct HttpServerState {
  int connections = 0;
  int streams = 0;        // answers that were begun and have not ended
  size_t held_bytes = 0;  // of bodies
};

class HttpServer {
 public:
  // Binds and listens; nothing is served before Start. FAILED_PRECONDITION in one sentence when the
  // address is taken or not loopback. `handler` outlives the server.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Listen(const HttpServerOptions& options,
                                                            HttpHandler& handler);
  virtual ~HttpServer() = default;

  virtual int port() const = 0;
  virtual void Start() = 0;
  // No new connections; idle ones are closed, streams are told to end, what runs gets `grace`.
  // Once.
  virtual void Drain(absl::Duration grace) = 0;
  virtual HttpServerState state() const = 0;
};

}  // namespace fadu::gateway

#endif  // FADU_SERVICES_GATEWAY_HTTP_SERVER_H_
