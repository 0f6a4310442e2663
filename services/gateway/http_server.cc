#include "services/gateway/http_server.h"

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/rpc/server.h"

namespace fadu::gateway {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using net::ip::tcp;

constexpr size_t kPiece = 65536;          // read and written at once
constexpr size_t kWriteUnit = 256 << 10;  // for which write_time is given
constexpr size_t kMaxQueued = 1 << 20;    // bytes of a stream that the other end has not taken
constexpr size_t kMaxLinger = 1 << 20;    // bytes read and dropped after a refusal
constexpr size_t kBodyBytesPerSecond = 64 << 10;

constexpr auto kTuple = net::as_tuple(net::use_awaitable);
using Error = boost::system::error_code;

std::chrono::nanoseconds Chrono(absl::Duration duration) {
  return absl::ToChronoNanoseconds(duration);
}

// What was sent is not HTTP; the other end has neither gone nor stopped in the middle.
bool IsMalformed(const Error& error) {
  return error.category() == http::make_error_code(http::error::bad_method).category() &&
         error != http::error::end_of_stream && error != http::error::partial_message;
}

// A header that cannot end its line, whatever it was made from.
void AppendHeader(absl::string_view name, absl::string_view value, std::string& out) {
  const auto plain = [](absl::string_view text, std::string& to) {
    for (const char c : text) {
      if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) to.push_back(c);
    }
  };
  plain(name, out);
  out.append(": ");
  plain(value, out);
  out.append("\r\n");
}

std::string StatusLine(int status) {
  const auto text = http::obsolete_reason(http::int_to_status(static_cast<unsigned>(status)));
  return absl::StrCat("HTTP/1.1 ", status, " ",
                      status == 499 ? absl::string_view("Client Closed Request")
                                    : absl::string_view(text.data(), text.size()),
                      "\r\n");
}

// One answer on its way from the handler to the connection.
class Answer {
 public:
  explicit Answer(const net::any_io_executor& executor)
      : executor_(executor), wake_(std::in_place, executor, net::steady_timer::time_point::max()) {}

  // ---- Any thread. ----

  void Send(HttpResponse response) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (answered_ || closed_) return;
    answered_ = ended_ = true;
    response_ = std::make_unique<HttpResponse>(std::move(response));
    Wake();
  }

  void Begin(int status, HttpHeaders headers) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (answered_ || closed_) return;
    answered_ = streaming_ = true;
    response_ = std::make_unique<HttpResponse>();
    response_->status = status;
    response_->headers = std::move(headers);
    Wake();
  }

  bool Write(std::string piece) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_ || draining_ || ended_ || queued_ > kMaxQueued) return false;
    queued_ += piece.size();
    pieces_.push_back(std::move(piece));
    Wake();
    return true;
  }

  void End() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_ || ended_) return;
    ended_ = true;
    Wake();
  }

  bool gone() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return closed_ || draining_ || queued_ > kMaxQueued;
  }

  // The server stops: streams shall end.
  void Drain() {
    const std::lock_guard<std::mutex> lock(mutex_);
    draining_ = true;
  }

  // ---- The connection's strand. ----

  // The connection has ended. A handler may hold this longer than the server lives, so nothing of
  // the server's is kept.
  void Close() {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
    wake_.reset();
    executor_.reset();
  }

  // Waits until there is something to write, or nothing will come.
  net::awaitable<void> Wait() {
    while (!Ready()) co_await wake_->async_wait(kTuple);
  }

  void Interrupt() {
    interrupted_ = true;
    if (wake_.has_value()) wake_->cancel();
  }

  std::unique_ptr<HttpResponse> TakeResponse() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::move(response_);
  }

  // Everything queued; false at the end.
  bool TakePieces(std::string& out) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const std::string& piece : pieces_) out.append(piece);
    pieces_.clear();
    queued_ = 0;
    return !ended_;
  }

  bool streaming() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return streaming_;
  }

 private:
  bool Ready() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return interrupted_ || response_ != nullptr || !pieces_.empty() || ended_;
  }

  void Wake() {
    if (std::exchange(woken_, true)) return;
    net::post(*executor_, [self = self_.lock()] {
      const std::lock_guard<std::mutex> lock(self->mutex_);
      self->woken_ = false;
      if (self->wake_.has_value()) self->wake_->cancel();
    });
  }

 public:
  std::weak_ptr<Answer> self_;  // set once by whoever made it

 private:
  std::optional<net::any_io_executor> executor_;
  std::optional<net::steady_timer> wake_;
  std::atomic<bool> interrupted_{false};
  mutable std::mutex mutex_;
  bool answered_ = false;
  bool streaming_ = false;
  bool ended_ = false;
  bool closed_ = false;
  bool draining_ = false;
  bool woken_ = false;
  std::unique_ptr<HttpResponse> response_;
  std::deque<std::string> pieces_;
  size_t queued_ = 0;
};

// What the handler holds of an answer.
class Handle final : public HttpReply {
 public:
  Handle(std::shared_ptr<Answer> answer, HttpHandler& handler)
      : answer_(std::move(answer)), handler_(handler) {}
  ~Handle() override {
    // Ignored when it was answered.
    answer_->Send(handler_.Refuse(nullptr, 500, "no answer"));
    answer_->End();
  }
  void Send(HttpResponse response) override { answer_->Send(std::move(response)); }
  void Begin(int status, HttpHeaders headers) override {
    answer_->Begin(status, std::move(headers));
  }
  bool Write(std::string piece) override { return answer_->Write(std::move(piece)); }
  void End() override { answer_->End(); }
  bool gone() const override { return answer_->gone(); }

 private:
  const std::shared_ptr<Answer> answer_;
  HttpHandler& handler_;
};

class Connection;

// What the connections of a server share.
struct Shared {
  Shared(const HttpServerOptions& server_options, HttpHandler& server_handler)
      : options(server_options), handler(server_handler) {}
  const HttpServerOptions options;
  HttpHandler& handler;
  std::atomic<bool> draining{false};
  std::atomic<int> streams{0};
  std::atomic<size_t> held{0};
  std::mutex mutex;
  std::condition_variable empty;
  std::set<Connection*> connections;  // guarded by mutex
};

// Bytes of a body, given back when it goes.
class Held {
 public:
  explicit Held(Shared& shared) : shared_(shared) {}
  ~Held() { shared_.held.fetch_sub(bytes_); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  bool Add(size_t bytes) {
    bytes_ += bytes;
    return shared_.held.fetch_add(bytes) + bytes <= shared_.options.max_held_bytes;
  }

 private:
  Shared& shared_;
  size_t bytes_ = 0;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, Shared& shared)
      : stream_(std::move(socket)), shared_(shared), executor_(stream_.get_executor()) {
    Error ignored;
    stream_.socket().set_option(tcp::no_delay(true), ignored);
    const auto end = stream_.socket().remote_endpoint(ignored);
    if (!ignored) remote_ = end.address().to_string();
  }

  ~Connection() {
    const std::lock_guard<std::mutex> lock(shared_.mutex);
    shared_.connections.erase(this);
    if (shared_.connections.empty()) shared_.empty.notify_all();
  }

  void Run() {
    net::co_spawn(
        executor_, [self = shared_from_this()] { return self->Serve(); }, net::detached);
  }

  // From any thread: the server stops. `now`: whatever goes on is cut off.
  void Stop(bool now) {
    net::post(executor_, [weak = weak_from_this(), now] {
      const std::shared_ptr<Connection> self = weak.lock();
      if (self == nullptr) return;
      if (self->answer_ != nullptr) self->answer_->Drain();
      if (!now && !self->idle_) return;
      self->stream_.close();
      if (self->answer_ != nullptr) self->answer_->Interrupt();
    });
  }

 private:
  // Serves requests until one side has enough.
  net::awaitable<void> Serve() {
    try {
      bool more = true;
      for (bool first = true; more && !shared_.draining; first = false) {
        more = co_await ServeOne(first);
      }
    } catch (const std::exception& error) {
      Log(LogLevel::kError, "a connection failed", {{"error", error.what()}});
    }
    if (answer_ != nullptr) answer_->Close();
    Error ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    if (linger_) co_await Linger();
    stream_.close();
  }

  // One request. True when another may follow.
  net::awaitable<bool> ServeOne(bool first) {
    if (buffer_.size() == 0) {
      const bool began = co_await AwaitFirstByte(first);
      if (!began) co_return false;
    }
    http::request_parser<http::buffer_body> parser;
    parser.header_limit(static_cast<uint32_t>(shared_.options.max_head_bytes));
    parser.body_limit(boost::none);
    stream_.expires_after(Chrono(shared_.options.head_time));
    const auto [error, unused] = co_await http::async_read_header(stream_, buffer_, parser, kTuple);
    if (error) {
      // What timed out is closed already; what has ended wants nothing.
      int status = 0;
      if (error == http::error::header_limit) {
        status = 431;
      } else if (IsMalformed(error)) {
        status = 400;
      }
      if (status == 0) co_return false;
      std::string problem = error.message();
      co_return co_await Refuse(nullptr, status, std::move(problem));
    }
    HttpRequest request;
    request.head = HeadOf(parser.get());
    const bool http11 = parser.get().version() >= 11;
    if (http11 && parser.get().count(http::field::host) != 1) {
      co_return co_await Refuse(&request.head, 400, std::string("Host"));
    }
    // Of encodings only "chunked" alone: a body that two readers would end elsewhere is none.
    if (parser.get().count(http::field::transfer_encoding) > 0 &&
        !absl::EqualsIgnoreCase(request.head.Header("transfer-encoding"), "chunked")) {
      co_return co_await Refuse(&request.head, 400, std::string("Transfer-Encoding"));
    }
    keep_alive_ = parser.keep_alive();
    BodyPlan plan = shared_.handler.Plan(request.head);
    if (plan.refusal.has_value()) {
      linger_ = true;
      keep_alive_ = false;
      const bool no_body = request.head.method == "HEAD";
      co_return co_await Write(*std::move(plan.refusal), no_body);
    }
    const auto length = parser.content_length();
    if (length && *length > plan.max_bytes) {
      std::string limit = absl::StrCat(plan.max_bytes, " bytes");
      co_return co_await Refuse(&request.head, 413, std::move(limit));
    }
    Held held(shared_);
    if (!parser.is_done()) {
      if (absl::EqualsIgnoreCase(request.head.Header("expect"), "100-continue")) {
        const bool went = co_await WriteRaw("HTTP/1.1 100 Continue\r\n\r\n");
        if (!went) co_return false;
      }
      const int refused = co_await ReadBody(parser, plan, held, request.body);
      if (refused < 0) co_return false;
      if (refused > 0) {
        std::string limit;
        if (refused == 413) limit = absl::StrCat(plan.max_bytes, " bytes");
        co_return co_await Refuse(&request.head, refused, std::move(limit));
      }
    }
    request.sink = std::move(plan.sink);
    const bool head_only = request.head.method == "HEAD";
    answer_ = std::make_shared<Answer>(executor_);
    answer_->self_ = answer_;
    if (shared_.draining) answer_->Drain();
    shared_.handler.Serve(std::move(request), std::make_shared<Handle>(answer_, shared_.handler));
    stream_.expires_never();
    co_await answer_->Wait();
    std::unique_ptr<HttpResponse> response = answer_->TakeResponse();
    if (response == nullptr) co_return false;
    bool more = false;
    if (answer_->streaming()) {
      shared_.streams.fetch_add(1);
      co_await Stream(*response, http11);
      shared_.streams.fetch_sub(1);
    } else {
      more = co_await Write(std::move(*response), head_only);
    }
    answer_->Close();
    answer_ = nullptr;
    co_return more;
  }

  net::awaitable<bool> AwaitFirstByte(bool first) {
    idle_ = true;
    stream_.expires_after(Chrono(first ? shared_.options.head_time : shared_.options.idle_time));
    const auto [error, size] = co_await stream_.async_read_some(buffer_.prepare(4096), kTuple);
    idle_ = false;
    if (error) co_return false;
    buffer_.commit(size);
    co_return true;
  }

  HttpHead HeadOf(const http::request<http::buffer_body>& message) const {
    HttpHead head;
    head.arrived_at = absl::Now();
    head.remote = remote_;
    head.method.assign(message.method_string().data(), message.method_string().size());
    head.target.assign(message.target().data(), message.target().size());
    for (const auto& field : message) {
      head.headers.emplace_back(absl::AsciiStrToLower(absl::string_view(
                                    field.name_string().data(), field.name_string().size())),
                                std::string(field.value().data(), field.value().size()));
    }
    return head;
  }

  // 0: read whole. Above: the status to refuse it with. Below: the other end is gone.
  net::awaitable<int> ReadBody(http::request_parser<http::buffer_body>& parser,
                               const BodyPlan& plan, Held& held, std::string& body) {
    std::vector<char> piece(kPiece);
    size_t total = 0;
    const auto begin = std::chrono::steady_clock::now();
    while (!parser.is_done()) {
      parser.get().body().data = piece.data();
      parser.get().body().size = piece.size();
      parser.get().body().more = true;
      stream_.expires_at(begin + Chrono(shared_.options.body_time) +
                         std::chrono::seconds(total / kBodyBytesPerSecond));
      auto [error, unused] = co_await http::async_read(stream_, buffer_, parser, kTuple);
      if (error == http::error::need_buffer) error = {};
      if (error) {
        co_return IsMalformed(error) ? 400 : -1;
      }
      const size_t got = piece.size() - parser.get().body().size;
      total += got;
      if (total > plan.max_bytes) co_return 413;
      if (plan.sink != nullptr) {
        if (!plan.sink->Write(absl::string_view(piece.data(), got)).ok()) co_return 507;
        continue;
      }
      if (!held.Add(got)) co_return 503;
      body.append(piece.data(), got);
    }
    co_return 0;
  }

  net::awaitable<bool> Refuse(const HttpHead* head, int status, std::string problem) {
    linger_ = true;
    keep_alive_ = false;
    HttpResponse response = shared_.handler.Refuse(head, status, problem);
    const bool head_only = head != nullptr && head->method == "HEAD";
    co_return co_await Write(std::move(response), head_only);
  }

  // The head of an answer, without the empty line.
  std::string HeadText(const HttpResponse& response, bool keep_alive) const {
    std::string text = StatusLine(response.status);
    for (const auto& [name, value] : response.headers) AppendHeader(name, value, text);
    AppendHeader("Date",
                 absl::FormatTime("%a, %d %b %E4Y %H:%M:%S GMT", absl::Now(), absl::UTCTimeZone()),
                 text);
    AppendHeader("Connection", keep_alive ? "keep-alive" : "close", text);
    return text;
  }

  // A whole answer. True when the connection may go on.
  net::awaitable<bool> Write(HttpResponse response, bool head_only) {
    const bool keep_alive = keep_alive_ && !shared_.draining;
    std::string head = HeadText(response, keep_alive);
    const absl::string_view body =
        response.shared_body != nullptr ? absl::string_view(*response.shared_body) : response.body;
    const uint64_t size = response.source != nullptr ? response.source_size : body.size();
    if (response.status != 204 && response.status != 304) {
      AppendHeader("Content-Length", absl::StrCat(size), head);
    }
    head.append("\r\n");
    const bool no_body = head_only || response.status == 204 || response.status == 304;
    // One segment instead of two, where it fits.
    const bool together = !no_body && response.source == nullptr && body.size() <= kWriteUnit;
    if (together) head.append(body.data(), body.size());
    bool went = co_await WriteRaw(head);
    if (!went || no_body || together) co_return went&& keep_alive;
    if (response.source == nullptr) {
      went = co_await WriteRaw(body);
      co_return went&& keep_alive;
    }
    std::vector<char> piece(kPiece);
    uint64_t left = size;
    while (left > 0) {
      const absl::StatusOr<size_t> got = response.source->Read(
          piece.data(), static_cast<size_t>(std::min<uint64_t>(left, piece.size())));
      // The length is promised: nothing can be said any more.
      if (!got.ok() || *got == 0) co_return false;
      went = co_await WriteRaw(absl::string_view(piece.data(), *got));
      if (!went) co_return false;
      left -= *got;
    }
    co_return keep_alive;
  }

  // An answer without a known end; the connection ends with it.
  net::awaitable<void> Stream(const HttpResponse& response, bool chunked) {
    std::string head = HeadText(response, /*keep_alive=*/false);
    if (chunked) AppendHeader("Transfer-Encoding", "chunked", head);
    head.append("\r\n");
    bool went = co_await WriteRaw(head);
    if (!went) co_return;
    bool more = true;
    while (more) {
      co_await answer_->Wait();
      std::string pieces;
      more = answer_->TakePieces(pieces);
      if (pieces.empty()) {
        if (more && !stream_.socket().is_open()) co_return;
        continue;
      }
      const std::string text =
          chunked ? absl::StrCat(absl::Hex(pieces.size()), "\r\n", pieces, "\r\n") : pieces;
      went = co_await WriteRaw(text);
      if (!went) co_return;
    }
    if (chunked) co_await WriteRaw("0\r\n\r\n");
  }

  net::awaitable<bool> WriteRaw(absl::string_view text) {
    while (!text.empty()) {
      const absl::string_view unit = text.substr(0, kWriteUnit);
      stream_.expires_after(Chrono(shared_.options.write_time));
      const auto [error, unused] =
          co_await net::async_write(stream_, net::buffer(unit.data(), unit.size()), kTuple);
      if (error) co_return false;
      text.remove_prefix(unit.size());
    }
    stream_.expires_never();
    co_return true;
  }

  // Takes what the other end still sends for a moment: closing with unread bytes would reset the
  // connection, and the answer could be lost.
  net::awaitable<void> Linger() {
    std::array<char, 4096> sink;
    size_t total = 0;
    stream_.expires_after(std::chrono::seconds(1));
    while (total < kMaxLinger) {
      const auto [error, size] = co_await stream_.async_read_some(net::buffer(sink), kTuple);
      if (error) co_return;
      total += size;
    }
  }

  beast::tcp_stream stream_;
  Shared& shared_;
  const net::any_io_executor executor_;
  std::string remote_;
  beast::flat_buffer buffer_;
  std::shared_ptr<Answer> answer_;
  bool keep_alive_ = false;
  bool linger_ = false;
  bool idle_ = false;
};

class BeastServer final : public HttpServer {
 public:
  BeastServer(const HttpServerOptions& options, HttpHandler& handler)
      : shared_(options, handler), acceptor_(context_), work_(context_.get_executor()) {}

  ~BeastServer() override { BeastServer::Drain(absl::ZeroDuration()); }

  absl::Status Bind() {
    const std::string& listen = shared_.options.listen;
    FADU_RETURN_IF_ERROR(rpc::CheckListen(listen));
    const size_t colon = listen.rfind(':');
    absl::string_view host = absl::string_view(listen).substr(0, colon);
    int port = 0;
    if (!absl::SimpleAtoi(listen.substr(colon + 1), &port) || port < 0 || port > 65535) {
      return absl::FailedPreconditionError(absl::StrCat(listen, " is not host:port"));
    }
    if (host == "localhost") host = "127.0.0.1";
    if (host == "[::1]") host = "::1";
    Error error;
    const auto address = net::ip::make_address(std::string(host), error);
    const tcp::endpoint end(address, static_cast<uint16_t>(port));
    if (!error) acceptor_.open(end.protocol(), error);
    // Only for what lingers of a server that was here before: nobody else's port is shared.
    if (!error) acceptor_.set_option(net::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(end, error);
    if (!error) acceptor_.listen(net::socket_base::max_listen_connections, error);
    if (!error) port_ = acceptor_.local_endpoint(error).port();
    if (!error) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("cannot listen on ", listen, ": taken or not an address of ours"));
  }

  int port() const override { return port_; }

  void Start() override {
    net::co_spawn(context_, Accept(), net::detached);
    for (int i = 0; i < shared_.options.threads; ++i) {
      threads_.emplace_back([this] { context_.run(); });
    }
  }

  void Drain(absl::Duration grace) override {
    if (drained_.exchange(true)) return;
    shared_.draining = true;
    net::post(context_, [this] {
      Error ignored;
      acceptor_.close(ignored);
    });
    StopConnections(/*now=*/false);
    if (!threads_.empty()) {
      WaitUntilEmpty(grace);
      StopConnections(/*now=*/true);
      WaitUntilEmpty(absl::Seconds(5));
    }
    work_.reset();
    for (std::thread& thread : threads_) thread.join();
  }

  HttpServerState state() const override {
    HttpServerState state;
    {
      const std::lock_guard<std::mutex> lock(shared_.mutex);
      state.connections = static_cast<int>(shared_.connections.size());
    }
    state.streams = shared_.streams;
    state.held_bytes = shared_.held;
    return state;
  }

 private:
  net::awaitable<void> Accept() {
    while (acceptor_.is_open()) {
      auto [error, socket] = co_await acceptor_.async_accept(net::make_strand(context_), kTuple);
      if (error == net::error::operation_aborted || !acceptor_.is_open()) co_return;
      if (error) {
        // Out of descriptors and the like: not at full speed.
        net::steady_timer pause(context_, std::chrono::milliseconds(50));
        co_await pause.async_wait(kTuple);
        continue;
      }
      auto connection = std::make_shared<Connection>(std::move(socket), shared_);
      {
        const std::lock_guard<std::mutex> lock(shared_.mutex);
        const auto limit = static_cast<size_t>(shared_.options.max_connections);
        if (shared_.draining || shared_.connections.size() >= limit) continue;
        shared_.connections.insert(connection.get());
      }
      connection->Run();
    }
  }

  void StopConnections(bool now) {
    const std::lock_guard<std::mutex> lock(shared_.mutex);
    for (Connection* connection : shared_.connections) connection->Stop(now);
  }

  void WaitUntilEmpty(absl::Duration at_most) {
    std::unique_lock<std::mutex> lock(shared_.mutex);
    shared_.empty.wait_for(lock, Chrono(std::min(at_most, absl::Hours(1))),
                           [this] { return shared_.connections.empty(); });
  }

  mutable Shared shared_;
  net::io_context context_;
  tcp::acceptor acceptor_;
  net::executor_work_guard<net::io_context::executor_type> work_;
  std::vector<std::thread> threads_;
  std::atomic<bool> drained_{false};
  int port_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Listen(const HttpServerOptions& options,
                                                               HttpHandler& handler) {
  auto server = std::make_unique<BeastServer>(options, handler);
  FADU_RETURN_IF_ERROR(server->Bind());
  return server;
}

}  // namespace fadu::gateway
