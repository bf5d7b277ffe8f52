#include "bench/load/ping_pace.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <vector>

namespace wk::bench {
namespace {

using std::chrono::milliseconds;

std::vector<std::size_t> due(PingPace& pace, Clock::time_point now) {
  std::vector<std::size_t> members;
  while (const auto member = pace.take_due(now)) members.push_back(*member);
  return members;
}

TEST(PingPace, EverybodyOnceAnIntervalInTurn) {
  const Clock::time_point begin{};
  PingPace pace(4, milliseconds{100}, begin);
  EXPECT_EQ(due(pace, begin), std::vector<std::size_t>{});
  EXPECT_EQ(pace.next(), begin + milliseconds{25});
  EXPECT_EQ(due(pace, begin + milliseconds{24}), std::vector<std::size_t>{});
  EXPECT_EQ(due(pace, begin + milliseconds{25}), std::vector<std::size_t>{0});
  EXPECT_EQ(due(pace, begin + milliseconds{80}), (std::vector<std::size_t>{1, 2}));
  EXPECT_EQ(due(pace, begin + milliseconds{200}), (std::vector<std::size_t>{3, 0, 1, 2, 3}));
  EXPECT_EQ(pace.next(), begin + milliseconds{225});
}

TEST(PingPace, ALongPauseIsMadeUpForOnce) {
  const Clock::time_point begin{};
  PingPace pace(4, milliseconds{100}, begin);
  EXPECT_EQ(due(pace, begin + std::chrono::hours{1}).size(), 5U) << "one round, and what is due just now";
  EXPECT_EQ(pace.next(), begin + std::chrono::hours{1} + milliseconds{25});
}

}  // namespace
}  // namespace wk::bench
