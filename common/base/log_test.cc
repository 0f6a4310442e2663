#include "common/base/log.h"

#include <unistd.h>

#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace fadu {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

std::string Line(absl::string_view text) { return FormatLogLine(LogLevel::kInfo, text, {}); }

TEST(LogLine, IsOneJsonObject) {
  EXPECT_EQ(FormatLogLine(LogLevel::kWarning, "call", {{"method", "FileAppeal"}, {"millis", 12}}),
            R"({"level":"warning","message":"call","method":"FileAppeal","millis":12})");
}

TEST(LogLine, NamesEachLevel) {
  EXPECT_THAT(FormatLogLine(LogLevel::kDebug, "", {}), HasSubstr(R"("level":"debug")"));
  EXPECT_THAT(FormatLogLine(LogLevel::kInfo, "", {}), HasSubstr(R"("level":"info")"));
  EXPECT_THAT(FormatLogLine(LogLevel::kWarning, "", {}), HasSubstr(R"("level":"warning")"));
  EXPECT_THAT(FormatLogLine(LogLevel::kError, "", {}), HasSubstr(R"("level":"error")"));
}

// RFC 8259 §7: quotation mark, reverse solidus and the control characters must be escaped.
TEST(LogLine, EscapesWhatJsonForbids) {
  EXPECT_EQ(Line("a\"b\\c\nd\re\tf"), R"({"level":"info","message":"a\"b\\c\nd\re\tf"})");
  EXPECT_EQ(Line(absl::string_view("\0\x01\x1f", 3)),
            R"({"level":"info","message":"\u0000\u0001\u001f"})");
  EXPECT_EQ(FormatLogLine(LogLevel::kInfo, "", {{"a\"b", "c\nd"}}),
            R"({"level":"info","message":"","a\"b":"c\nd"})");
}

TEST(LogLine, KeepsChineseAsItIs) {
  EXPECT_EQ(Line("法度 é 𠮷"), R"({"level":"info","message":"法度 é 𠮷"})");
}

// RFC 8259 §8.1 and RFC 3629 §3: JSON is UTF-8, without stray bytes, overlong forms, surrogates or
// code points beyond U+10FFFF.
TEST(LogLine, IsUtf8WhateverItIsGiven) {
  EXPECT_EQ(Line("a\xFFz"), "{\"level\":\"info\",\"message\":\"a\uFFFDz\"}");
  EXPECT_EQ(Line("a\x80z"), "{\"level\":\"info\",\"message\":\"a\uFFFDz\"}");
  EXPECT_EQ(Line("\xE6\xB3"), "{\"level\":\"info\",\"message\":\"\uFFFD\uFFFD\"}");
  EXPECT_EQ(Line("\xC0\xAF"), "{\"level\":\"info\",\"message\":\"\uFFFD\uFFFD\"}");
  EXPECT_EQ(Line("\xE0\x80\xAF"), "{\"level\":\"info\",\"message\":\"\uFFFD\uFFFD\uFFFD\"}");
  EXPECT_EQ(Line("\xED\xA0\x80"), "{\"level\":\"info\",\"message\":\"\uFFFD\uFFFD\uFFFD\"}");
  EXPECT_EQ(Line("\xF4\x90\x80\x80"),
            "{\"level\":\"info\",\"message\":\"\uFFFD\uFFFD\uFFFD\uFFFD\"}");
}

TEST(LogLine, CutsTextAtTwoThousandBytes) {
  EXPECT_EQ(Line(std::string(2000, 'x')),
            absl::StrCat(R"({"level":"info","message":")", std::string(2000, 'x'), R"("})"));
  EXPECT_EQ(Line(std::string(2001, 'x')),
            absl::StrCat(R"({"level":"info","message":")", std::string(2000, 'x'), R"("})"));
}

// 法 is three bytes long: 666 of them are 1,998 bytes, the 667th would be cut in two.
TEST(LogLine, DoesNotCutACharacterInTwo) {
  std::string given;
  std::string kept;
  for (int i = 0; i < 700; ++i) given += "法";
  for (int i = 0; i < 666; ++i) kept += "法";
  EXPECT_EQ(Line(given), absl::StrCat(R"({"level":"info","message":")", kept, R"("})"));
}

// The log goes into a pipe, and back to standard error afterwards.
class LogTest : public ::testing::Test {
 protected:
  LogTest() {
    EXPECT_EQ(pipe(ends_), 0);
    SetLogDescriptor(ends_[1]);
  }
  ~LogTest() override {
    SetLogDescriptor(2);
    SetLogLevel(LogLevel::kInfo);
    close(ends_[0]);
  }

  // All that was written; the last thing a test does with the pipe.
  std::string Written() {
    SetLogDescriptor(2);
    close(ends_[1]);
    std::string text;
    char buffer[4096];
    for (ssize_t size; (size = read(ends_[0], buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<size_t>(size));
    }
    return text;
  }

 private:
  int ends_[2] = {-1, -1};
};

TEST_F(LogTest, WritesTheTimeFirstInTheLegalTimeZone) {
  Log(LogLevel::kInfo, "ready", {{"port", 8443}});
  EXPECT_THAT(Written(),
              MatchesRegex(R"(\{"time":"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})"
                           R"(\.[0-9]{6}\+08:00","level":"info","message":"ready","port":8443\})"
                           "\n"));
}

TEST_F(LogTest, DropsDebugUnlessAskedFor) {
  Log(LogLevel::kDebug, "first");
  SetLogLevel(LogLevel::kDebug);
  Log(LogLevel::kDebug, "second");
  SetLogLevel(LogLevel::kError);
  Log(LogLevel::kWarning, "third");
  Log(LogLevel::kError, "fourth");
  const std::string written = Written();
  EXPECT_THAT(written, ::testing::Not(HasSubstr("first")));
  EXPECT_THAT(written, HasSubstr("second"));
  EXPECT_THAT(written, ::testing::Not(HasSubstr("third")));
  EXPECT_THAT(written, HasSubstr("fourth"));
}

TEST_F(LogTest, WritesNothingToNoDescriptor) {
  SetLogDescriptor(-1);
  Log(LogLevel::kError, "lost");
  EXPECT_EQ(Written(), "");
}

TEST_F(LogTest, KeepsLinesWholeAmongThreads) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int j = 0; j < 50; ++j) Log(LogLevel::kInfo, "a line", {{"n", 1}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<std::string> lines = absl::StrSplit(Written(), '\n', absl::SkipEmpty());
  EXPECT_THAT(lines, SizeIs(200));
  EXPECT_THAT(lines, Each(MatchesRegex(R"(\{"time":"[^"]*","level":"info",.*"n":1\})")));
}

}  // namespace
}  // namespace fadu
