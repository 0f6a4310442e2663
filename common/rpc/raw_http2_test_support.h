// common/rpc/raw_http2_test_support.h
//
// An HTTP/2 client that does what gRPC's would not: pings all day, never reads, sends too much. It
// writes frames by hand and reads their heads.
#ifndef FADU_COMMON_RPC_RAW_HTTP2_TEST_SUPPORT_H_
#define FADU_COMMON_RPC_RAW_HTTP2_TEST_SUPPORT_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"

namespace fadu::rpc {

class RawHttp2 {
 public:
  enum Type : uint8_t {
    kData = 0,
    kHeaders = 1,
    kRstStream = 3,
    kSettings = 4,
    kPing = 6,
    kGoAway = 7,
    kWindowUpdate = 8,
  };
  struct Frame {
    uint8_t type = 0;
    uint8_t flags = 0;
    uint32_t stream = 0;
    std::string payload;
    bool ends_stream() const { return (type == kData || type == kHeaders) && (flags & 1) != 0; }
  };
  using Metadata = std::vector<std::pair<std::string, std::string>>;

  explicit RawHttp2(int port) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    if (connected_) Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    Send(kSettings, 0, 0, "");
  }
  ~RawHttp2() { close(fd_); }
  RawHttp2(const RawHttp2&) = delete;
  RawHttp2& operator=(const RawHttp2&) = delete;

  bool connected() const { return connected_; }

  // False when the other side has closed, or takes nothing for five seconds.
  bool Write(absl::string_view bytes) {
    while (connected_ && !bytes.empty()) {
      pollfd ready{fd_, POLLOUT, 0};
      const ssize_t wrote =
          poll(&ready, 1, 5000) == 1 ? send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) : -1;
      if (wrote <= 0) connected_ = false;
      if (wrote > 0) bytes.remove_prefix(static_cast<size_t>(wrote));
    }
    return connected_;
  }

  bool Send(Type type, uint8_t flags, uint32_t stream, absl::string_view payload) {
    std::string frame;
    for (const int shift : {16, 8, 0}) frame.push_back(static_cast<char>(payload.size() >> shift));
    frame.push_back(static_cast<char>(type));
    frame.push_back(static_cast<char>(flags));
    for (const int shift : {24, 16, 8, 0}) frame.push_back(static_cast<char>(stream >> shift));
    return Write(absl::StrCat(frame, payload));
  }

  // Begins a call; `stream` is odd and grows.
  bool Begin(uint32_t stream, absl::string_view method, const Metadata& metadata) {
    std::string block;
    const auto add = [&block](absl::string_view name, absl::string_view value) {
      block.push_back(0);  // literal, not indexed, with a new name
      AddText(block, name);
      AddText(block, value);
    };
    add(":method", "POST");
    add(":scheme", "http");
    add(":path", method);
    add(":authority", "localhost");
    add("te", "trailers");
    add("content-type", "application/grpc");
    for (const auto& [name, value] : metadata) add(name, value);
    // One frame holds 16 KiB; the rest continues.
    constexpr size_t kFrame = 16384;
    constexpr uint8_t kEndHeaders = 4;
    constexpr uint8_t kContinuation = 9;
    const bool whole = block.size() <= kFrame;
    bool sent = Send(kHeaders, whole ? kEndHeaders : 0, stream, block.substr(0, kFrame));
    for (size_t at = kFrame; at < block.size(); at += kFrame) {
      const bool last = at + kFrame >= block.size();
      sent = Send(static_cast<Type>(kContinuation), last ? kEndHeaders : 0, stream,
                  block.substr(at, kFrame));
    }
    return sent;
  }

  // A whole call: its headers and one message.
  bool Call(uint32_t stream, absl::string_view method, const Metadata& metadata,
            absl::string_view message) {
    std::string data(1, '\0');
    for (const int shift : {24, 16, 8, 0})
      data.push_back(static_cast<char>(message.size() >> shift));
    absl::StrAppend(&data, message);
    return Begin(stream, method, metadata) && Send(kData, 1, stream, data);
  }

  // The next frame; nullopt when the other side has closed or says nothing until `deadline`.
  absl::optional<Frame> Next(absl::Time deadline) {
    std::string head;
    if (!Read(9, deadline, head)) return absl::nullopt;
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(head[i]); };
    Frame frame;
    frame.type = byte(3);
    frame.flags = byte(4);
    frame.stream = (byte(5) & 0x7FU) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8);
    const size_t size = static_cast<size_t>(byte(0)) << 16 | byte(1) << 8 | byte(2);
    if (!Read(size, deadline, frame.payload)) return absl::nullopt;
    return frame;
  }

  // Takes the other side's limits: they bind it only from then on.
  bool AcceptSettings(absl::Time deadline) {
    return Await(kSettings, deadline).has_value() && Send(kSettings, 1, 0, "");
  }

  // The first frame of a type; nullopt as above.
  absl::optional<Frame> Await(Type type, absl::Time deadline) {
    while (true) {
      absl::optional<Frame> frame = Next(deadline);
      if (!frame.has_value() || frame->type == type) return frame;
    }
  }

 private:
  static void AddText(std::string& block, absl::string_view text) {
    constexpr size_t kPrefix = 127;  // a length of seven bits, then seven more each
    size_t size = text.size();
    if (size < kPrefix) {
      block.push_back(static_cast<char>(size));
    } else {
      block.push_back(static_cast<char>(kPrefix));
      for (size -= kPrefix; size >= 128; size /= 128) {
        block.push_back(static_cast<char>(size % 128 + 128));
      }
      block.push_back(static_cast<char>(size));
    }
    absl::StrAppend(&block, text);
  }

  bool Read(size_t size, absl::Time deadline, std::string& into) {
    into.clear();
    while (into.size() < size) {
      const auto wait = static_cast<int>(absl::ToInt64Milliseconds(deadline - absl::Now()));
      pollfd ready{fd_, POLLIN, 0};
      char buffer[16384];
      if (wait <= 0 || poll(&ready, 1, wait) != 1) return false;
      const ssize_t got = recv(fd_, buffer, std::min(sizeof buffer, size - into.size()), 0);
      if (got <= 0) {
        connected_ = false;
        return false;
      }
      into.append(buffer, static_cast<size_t>(got));
    }
    return true;
  }

  int fd_ = -1;
  bool connected_ = false;
};

}  // namespace fadu::rpc

#endif  // FADU_COMMON_RPC_RAW_HTTP2_TEST_SUPPORT_H_
