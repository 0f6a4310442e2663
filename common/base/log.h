// common/base/log.h
//
// The log: one JSON object per line on standard error. No names, numbers or texts of parties:
// only fields of the shapes below are ever written.
#ifndef FADU_COMMON_BASE_LOG_H_
#define FADU_COMMON_BASE_LOG_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace fadu {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// One field of a line. Text is JSON-escaped and cut at 2,000 bytes.
struct LogField {
  std::string key;
  std::string value;
  bool number = false;

  LogField(absl::string_view k, absl::string_view v) : key(k), value(v) {}
  LogField(absl::string_view k, int64_t v) : key(k), value(std::to_string(v)), number(true) {}
  LogField(absl::string_view k, int v) : LogField(k, static_cast<int64_t>(v)) {}
  LogField(absl::string_view k, const char* v) : LogField(k, absl::string_view(v)) {}
};

// Writes a line: {"time":…,"level":…,"message":…, fields…}. Thread-safe; a line is written whole.
void Log(LogLevel level, absl::string_view message, const std::vector<LogField>& fields = {});

// Lines below `level` are dropped. Default kInfo. May change while running.
void SetLogLevel(LogLevel level);

// Lines go to this file descriptor instead of 2 (a log file of `fadu up`). -1 drops them.
void SetLogDescriptor(int fd);

// The line as it would be written, without the time; for tests.
std::string FormatLogLine(LogLevel level, absl::string_view message,
                          const std::vector<LogField>& fields);

}  // namespace fadu

#endif  // FADU_COMMON_BASE_LOG_H_
