#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

namespace wk {
namespace {

using testing::AllOf;
using testing::ExitedWithCode;
using testing::HasSubstr;
using testing::Matcher;
using testing::MatchesRegex;
using testing::Not;

TEST(Printable, LeavesPrintableAsciiAlone) {
  EXPECT_EQ(printable(""), "");
  EXPECT_EQ(printable("zk1:2181 ~ \"ok\""), "zk1:2181 ~ \"ok\"");
}

TEST(Printable, EscapesControlCharactersAndBytesOutsideAscii) {
  EXPECT_EQ(printable("a\r\nb\tc"), "a\\x0d\\x0ab\\x09c");
  EXPECT_EQ(printable(std::string_view("\0\x1b[31m\x7f", 7)), "\\x00\\x1b[31m\\x7f");
  EXPECT_EQ(printable("\xc3\xa4\xff"), "\\xc3\\xa4\\xff");
}

TEST(Printable, TextOfTheLimitStaysWholeAndLongerIsCut) {
  EXPECT_EQ(printable("abcd", 4), "abcd");
  EXPECT_EQ(printable("abcde", 4), "abcd…");
  EXPECT_EQ(printable("a", 0), "…");
  EXPECT_EQ(printable("", 0), "");
}

TEST(Printable, LimitIs256UnlessTold) {
  EXPECT_EQ(printable(std::string(256, 'x')), std::string(256, 'x'));
  EXPECT_EQ(printable(std::string(1'000'000, 'x')), std::string(256, 'x') + "…");
}

TEST(StartLogging, UnknownLevelIsRefusedWithTheWordsThatAreKnown) {
  for (const char* level : {"loud", "", "INFO", "warning"}) {
    const auto started = start_logging(level, LogFormat::kText);
    ASSERT_TRUE(started.has_error()) << level;
    EXPECT_EQ(started.error().code, Errc::kInvalidInput);
    EXPECT_EQ(started.error().message, "unknown log level \"" + std::string(level) +
                                           "\"; use trace, debug, info, warn, error or critical");
  }
}

/// Runs in a process of its own: logs one line a level, and exits with 0.
[[noreturn]] void log_all_levels(const char* level, LogFormat format) {
  if (start_logging(level, format).has_error()) std::exit(1);
  spdlog::trace("line 1");
  spdlog::debug("line 2");
  spdlog::info("line 3");
  spdlog::warn("line 4");
  spdlog::error("line 5");
  spdlog::critical("line 6");
  spdlog::shutdown();
  std::exit(0);
}

TEST(StartLoggingDeathTest, LevelIsTheLowestThatIsWritten) {
  EXPECT_EXIT(log_all_levels("trace", LogFormat::kText), ExitedWithCode(0),
              Matcher<const std::string&>(AllOf(HasSubstr("trace    line 1"), HasSubstr("critical line 6"))));
  EXPECT_EXIT(log_all_levels("warn", LogFormat::kText), ExitedWithCode(0),
              Matcher<const std::string&>(AllOf(Not(HasSubstr("line 3")), HasSubstr("warning  line 4"))));
  EXPECT_EXIT(log_all_levels("critical", LogFormat::kText), ExitedWithCode(0),
              Matcher<const std::string&>(AllOf(Not(HasSubstr("line 5")), HasSubstr("critical line 6"))));
}

TEST(StartLoggingDeathTest, TextLineHasTimeLevelAndMessage) {
  EXPECT_EXIT(log_all_levels("critical", LogFormat::kText), ExitedWithCode(0),
              Matcher<const std::string&>(
                  MatchesRegex("[0-9-]{10}T[0-9:]{8}\\.[0-9]{3}[+-][0-9]{2}:[0-9]{2} critical line 6\n")));
}

TEST(StartLoggingDeathTest, JsonLineStaysOneObjectWhateverTheMessage) {
  EXPECT_EXIT(
      {
        if (start_logging("info", LogFormat::kJson).has_error()) std::exit(1);
        spdlog::info("say \"hi\" \\ to\nzk1\x01");
        spdlog::shutdown();
        std::exit(0);
      },
      ExitedWithCode(0),
      Matcher<const std::string&>(
          AllOf(HasSubstr(R"(","level":"info","message":"say \"hi\" \\ to\u000azk1\u0001"})"),
                MatchesRegex("\\{\"time\":\"[0-9-]{10}T[0-9:]{8}\\.[0-9]{3}[+-][0-9]{2}:[0-9]{2}\",\"level\":"
                             "[^\n]*\\}\n"))));
}

TEST(StartLoggingDeathTest, JsonIsUtf8WhateverTheMessage) {
  EXPECT_EXIT(
      {
        if (start_logging("info", LogFormat::kJson).has_error()) std::exit(1);
        // Whole characters of two to four bytes; then a stray byte, one cut short, an overlong one, a
        // surrogate.
        spdlog::info("ü€😀 \xff \xe2\x82 \xc0\xaf \xed\xa0\x80.");
        spdlog::shutdown();
        std::exit(0);
      },
      ExitedWithCode(0),
      Matcher<const std::string&>(
          HasSubstr(R"("message":"ü€😀 \ufffd \ufffd\ufffd \ufffd\ufffd \ufffd\ufffd\ufffd."})")));
}

}  // namespace
}  // namespace wk
