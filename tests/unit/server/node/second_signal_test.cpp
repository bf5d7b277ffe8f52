#include "server/node/second_signal.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "base/log.h"

namespace wk::node {
namespace {

TEST(SecondSignalDeathTest, EndsTheProcessWithALine) {
  for (const int number : {SIGTERM, SIGINT})
    EXPECT_EXIT(
        {
          if (start_logging("info", LogFormat::kText).has_error()) std::_Exit(9);
          const SecondSignal second(7);
          ::kill(::getpid(), number);
          while (true) ::pause();
        },
        testing::ExitedWithCode(7), number == SIGTERM ? "SIGTERM again: leaving" : "SIGINT again: leaving");
}

TEST(SecondSignal, EndsUnused) { const SecondSignal second(7); }

}  // namespace
}  // namespace wk::node
