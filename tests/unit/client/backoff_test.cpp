#include "client/backoff.h"

#include <gtest/gtest.h>

namespace wk::client {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, DoublesUpToTheLongest) {
  Backoff backoff({.first = 100ms, .longest = 500ms});
  EXPECT_EQ(backoff.next(1.0), 100ms);
  EXPECT_EQ(backoff.next(1.0), 200ms);
  EXPECT_EQ(backoff.next(1.0), 400ms);
  EXPECT_EQ(backoff.next(1.0), 500ms);
  EXPECT_EQ(backoff.next(1.0), 500ms);
}

TEST(Backoff, JitterTakesAwayAtMostHalf) {
  Backoff backoff({.first = 100ms, .longest = 100ms});
  EXPECT_EQ(backoff.next(0.0), 50ms);
  EXPECT_EQ(backoff.next(0.5), 75ms);
  EXPECT_EQ(backoff.next(-3.0), 50ms);
  EXPECT_EQ(backoff.next(3.0), 100ms);
}

TEST(Backoff, ResetStartsOver) {
  Backoff backoff({.first = 100ms, .longest = 1600ms});
  backoff.next(1.0);
  backoff.next(1.0);
  backoff.reset();
  EXPECT_EQ(backoff.next(1.0), 100ms);
}

}  // namespace
}  // namespace wk::client
