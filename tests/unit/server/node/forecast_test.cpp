#include "server/node/forecast.h"

#include <gtest/gtest.h>

namespace wk::node {
namespace {

using namespace std::chrono_literals;

const Forecast::Time kBegin{1'000s};

/// What a gauge shows that was `used(minute)` at each minute up to `minutes`.
template <typename Used>
std::optional<Forecast::Seconds> left_after(int minutes, double bound, Used used) {
  Forecast forecast;
  for (int minute = 0; minute <= minutes; ++minute) forecast.add(used(minute), kBegin + minute * 1min);
  return forecast.left(used(minutes), bound, kBegin + minutes * 1min);
}

TEST(Forecast, OfSteadyGrowth) {
  // 2 a minute, from 100: 120 after ten minutes, 80 before the bound.
  const auto left = left_after(10, 200, [](int minute) { return 100 + 2.0 * minute; });
  ASSERT_TRUE(left);
  EXPECT_DOUBLE_EQ(left->count(), 40 * 60);
}

TEST(Forecast, NothingIsSaidInTheFirstTenMinutes) {
  EXPECT_FALSE(left_after(9, 200, [](int minute) { return 2.0 * minute; }));
}

TEST(Forecast, WhatDoesNotGrowHasNoEnd) {
  EXPECT_FALSE(left_after(30, 200, [](int) { return 199.0; }));
  EXPECT_FALSE(left_after(30, 200, [](int minute) { return 199.0 - minute; }));
}

TEST(Forecast, AJumpThatEndedIsNoGrowth) {
  EXPECT_FALSE(left_after(30, 200, [](int minute) { return minute < 5 ? 0.0 : 150.0; }));
}

TEST(Forecast, TheSlowerOfWholeAndHalfCounts) {
  // 10 a minute for half an hour, then 1 a minute: half of the window tells 1 a minute.
  const auto left =
      left_after(60, 1'000, [](int minute) { return minute <= 30 ? 10.0 * minute : 300.0 + (minute - 30); });
  ASSERT_TRUE(left);
  EXPECT_DOUBLE_EQ(left->count(), (1'000 - 330) * 60);
}

TEST(Forecast, ForgetsWhatIsOlderThanTheWindow) {
  // Falls for an hour, grows by 1 a minute for the next one.
  const auto left =
      left_after(120, 1'000, [](int minute) { return minute <= 60 ? 600.0 - 10 * minute : minute - 60.0; });
  ASSERT_TRUE(left);
  EXPECT_DOUBLE_EQ(left->count(), (1'000 - 60) * 60);
}

TEST(Forecast, ReachedIsZeroEvenWithoutHistory) {
  EXPECT_EQ(Forecast().left(5, 5, kBegin), Forecast::Seconds(0));
  EXPECT_FALSE(Forecast().left(4, 5, kBegin));
}

TEST(Forecast, WhatIsFartherThanAYearIsNone) {
  EXPECT_FALSE(left_after(60, 1e9, [](int minute) { return 1.0 * minute; }));
}

TEST(Forecast, LooksBetweenSamplesAreNotKept) {
  Forecast forecast;
  for (int second = 0; second <= 600; ++second) forecast.add(second, kBegin + second * 1s);
  // Samples at each minute: growth since the oldest and since the one in the middle is 1 a second.
  EXPECT_EQ(forecast.left(630, 930, kBegin + 630s), Forecast::Seconds(300));
}

}  // namespace
}  // namespace wk::node
