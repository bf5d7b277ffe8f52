#include "base/time.h"

#include <gtest/gtest.h>

namespace wk {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using std::chrono::system_clock;

const Moment kNoon{steady_clock::time_point(100s), system_clock::time_point(5'000s)};

TEST(Moment, AdditionMovesBothClocks) {
  const Moment later = kNoon + 1'500ms;
  EXPECT_EQ(later.steady, steady_clock::time_point(101'500ms));
  EXPECT_EQ(later.wall, system_clock::time_point(5'001'500ms));
  const Moment earlier = kNoon + -2s;
  EXPECT_EQ(earlier.steady, steady_clock::time_point(98s));
  EXPECT_EQ(earlier.wall, system_clock::time_point(4'998s));
}

TEST(Moment, DifferenceIsThatOfTheSteadyClock) {
  Moment later = kNoon + 3s;
  later.wall -= 1h;  // somebody set the clock back
  EXPECT_EQ(later - kNoon, 3s);
  EXPECT_EQ(kNoon - later, -3s);
  EXPECT_EQ(kNoon - kNoon, 0s);
}

TEST(Seconds, KeepsFractionsAndSign) {
  EXPECT_DOUBLE_EQ(seconds(1'250ms), 1.25);
  EXPECT_DOUBLE_EQ(seconds(-1ns), -1e-9);
  EXPECT_DOUBLE_EQ(seconds(0ns), 0.0);
}

}  // namespace
}  // namespace wk
