#include "common/base/log.h"

#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/base/clock.h"

namespace fadu {
namespace {

constexpr size_t kMaxTextBytes = 2000;
std::atomic<int> g_level{static_cast<int>(LogLevel::kInfo)};
std::atomic<int> g_descriptor{2};

absl::string_view NameOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

// Cuts at a character's start, so that what is left is UTF-8 when the whole was.
absl::string_view Cut(absl::string_view text) {
  if (text.size() <= kMaxTextBytes) return text;
  size_t end = kMaxTextBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

// The length of the UTF-8 character at the start of `text` (RFC 3629 §4); 0 when there is none.
size_t CharacterSize(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return 1;
  size_t size = 0;
  unsigned char low = 0x80;  // bounds of the second byte: no overlong form, surrogate or > U+10FFFF
  unsigned char high = 0xBF;
  if (byte(0) >= 0xC2 && byte(0) <= 0xDF) {
    size = 2;
  } else if (byte(0) >= 0xE0 && byte(0) <= 0xEF) {
    size = 3;
    if (byte(0) == 0xE0) low = 0xA0;
    if (byte(0) == 0xED) high = 0x9F;
  } else if (byte(0) >= 0xF0 && byte(0) <= 0xF4) {
    size = 4;
    if (byte(0) == 0xF0) low = 0x90;
    if (byte(0) == 0xF4) high = 0x8F;
  }
  if (size == 0 || text.size() < size || byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return size;
}

// Of printable ASCII that needs no escape: most of what is logged.
size_t PlainSize(absl::string_view text) {
  size_t size = 0;
  while (size < text.size() && text[size] >= 0x20 && text[size] < 0x7f && text[size] != '"' &&
         text[size] != '\\') {
    ++size;
  }
  return size;
}

void AppendQuoted(std::string& out, absl::string_view text) {
  out.push_back('"');
  for (text = Cut(text); !text.empty();) {
    const size_t plain = PlainSize(text);
    out.append(text.data(), plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const char c = text.front();
    const size_t size = CharacterSize(text);
    if (size != 1) {
      // JSON is UTF-8: a stray byte becomes U+FFFD, or no reader would take the line.
      absl::StrAppend(&out, size == 0 ? absl::string_view("\xEF\xBF\xBD") : text.substr(0, size));
      text.remove_prefix(size == 0 ? 1 : size);
      continue;
    }
    text.remove_prefix(1);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          absl::StrAppendFormat(&out, "\\u%04x", c);
        } else {
          out.push_back(c);
        }
    }
  }
  out.push_back('"');
}

// 2026-11-22T17:29:00.123456+08:00. Date and time of day are spelled out once a second.
std::string TimeText(absl::Time at) {
  struct Second {
    int64_t number = -1;
    std::string before;  // 2026-11-22T17:29:00
    std::string after;   // +08:00
  };
  thread_local Second second;
  const int64_t micros = absl::ToUnixMicros(at);
  const int64_t number = absl::ToUnixSeconds(at);
  if (number != second.number) {
    second = {number, absl::FormatTime("%Y-%m-%d%ET%H:%M:%S", at, LegalTimeZone()),
              absl::FormatTime("%Ez", at, LegalTimeZone())};
  }
  return absl::StrCat(second.before, ".", absl::Dec(micros - number * 1000000, absl::kZeroPad6),
                      second.after);
}

std::string Body(LogLevel level, absl::string_view message, const std::vector<LogField>& fields) {
  std::string out;
  out.reserve(512);
  out += "\"level\":";
  AppendQuoted(out, NameOf(level));
  out += ",\"message\":";
  AppendQuoted(out, message);
  for (const LogField& field : fields) {
    out.push_back(',');
    AppendQuoted(out, field.key);
    out.push_back(':');
    if (field.number) {
      out += field.value;
    } else {
      AppendQuoted(out, field.value);
    }
  }
  out.push_back('}');
  return out;
}

}  // namespace

std::string FormatLogLine(LogLevel level, absl::string_view message,
                          const std::vector<LogField>& fields) {
  return absl::StrCat("{", Body(level, message, fields));
}

void Log(LogLevel level, absl::string_view message, const std::vector<LogField>& fields) {
  if (static_cast<int>(level) < g_level.load(std::memory_order_relaxed)) return;
  const int descriptor = g_descriptor.load(std::memory_order_relaxed);
  if (descriptor < 0) return;
  const std::string line = absl::StrCat("{\"time\":\"", TimeText(absl::Now()), "\",",
                                        Body(level, message, fields), "\n");
  // One write is one line, also among processes that share the file; a full disk must not stop us.
  if (write(descriptor, line.data(), line.size()) < 0) return;
}

void SetLogLevel(LogLevel level) { g_level.store(static_cast<int>(level)); }

void SetLogDescriptor(int fd) { g_descriptor.store(fd); }

}  // namespace fadu
