#include "base/log_end.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>

#include "base/check.h"
#include "base/log.h"

namespace wk {
namespace {

/// Makes standard error a pipe that is full and that nobody reads.
void fill_standard_error() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::_Exit(9);
  ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
  const std::array<char, 4096> page{};
  while (::write(ends[1], page.data(), page.size()) > 0) {
  }
  ::fcntl(ends[1], F_SETFL, 0);
  ::dup2(ends[1], STDERR_FILENO);
}

TEST(LogEndDeathTest, WhatIsQueuedIsWritten) {
  EXPECT_EXIT(
      {
        if (start_logging("info", LogFormat::kText).has_error()) std::_Exit(9);
        spdlog::info("the last line");
        std::_Exit(end_logging() ? 3 : 4);
      },
      testing::ExitedWithCode(3), "the last line");
  EXPECT_EXIT(
      {
        if (start_logging("info", LogFormat::kText).has_error()) std::_Exit(9);
        spdlog::info("the last line");
        leave(5);
      },
      testing::ExitedWithCode(5), "the last line");
}

// A second each, which is what is promised.
TEST(LogEndDeathTest, NobodyWaitsForAReaderThatDoesNotRead) {
  EXPECT_EXIT(
      {
        fill_standard_error();
        if (start_logging("info", LogFormat::kText).has_error()) std::_Exit(9);
        spdlog::info("a line that waits for ever");
        say("and one that does not wait");
        leave(5);
      },
      testing::ExitedWithCode(5), "");
  EXPECT_EXIT(
      {
        fill_standard_error();
        if (start_logging("info", LogFormat::kText).has_error()) std::_Exit(9);
        spdlog::info("a line that waits for ever");
        check_failed("left == right", "view/history.cpp", 41, "7 against 8");
      },
      testing::KilledBySignal(SIGABRT), "");
}

TEST(LogEndDeathTest, WhoCannotLogSays) {
  EXPECT_EXIT(
      {
        say("something\n");
        std::_Exit(3);
      },
      testing::ExitedWithCode(3), "something");
}

}  // namespace
}  // namespace wk
