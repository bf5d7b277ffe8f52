#include "exporter/poll/schedule.h"

#include <gtest/gtest.h>

#include <set>

namespace wk::exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
constexpr std::chrono::steady_clock::time_point kStart{std::chrono::hours{5}};

TEST(NextTurn, FollowsTheGridWhenTheTimerIsLate) {
  const Turn turn = next_turn(kStart, seconds{1}, kStart + milliseconds{3});
  EXPECT_EQ(turn.at, kStart + seconds{1});
  EXPECT_EQ(turn.missed, 0U);
}

TEST(NextTurn, ExactlyOnTimeIsTheNextTurn) {
  EXPECT_EQ(next_turn(kStart, seconds{1}, kStart).at, kStart + seconds{1});
}

TEST(NextTurn, SkipsAndCountsTurnsAfterAPauseInsteadOfABurst) {
  const Turn turn = next_turn(kStart, milliseconds{20}, kStart + seconds{10} + milliseconds{1});
  EXPECT_EQ(turn.at, kStart + seconds{10} + milliseconds{20});
  EXPECT_EQ(turn.missed, 500U);
}

TEST(NextTurn, BeforeTheTurnKeepsIt) {
  const Turn turn = next_turn(kStart, seconds{1}, kStart - milliseconds{1});
  EXPECT_EQ(turn.at, kStart);
  EXPECT_EQ(turn.missed, 0U);
}

TEST(Stagger, HundredMembersStartAtHundredMomentsWithinTheSpread) {
  std::set<nanoseconds> moments;
  for (std::size_t i = 0; i < 100; ++i) moments.insert(stagger("default", i, 100, seconds{1}));
  EXPECT_EQ(moments.size(), 100U);
  EXPECT_GE(*moments.begin(), nanoseconds{0});
  EXPECT_LE(*moments.rbegin(), kSpreadMax);
}

TEST(Stagger, ShortIntervalsSpreadOverAQuarter) {
  for (std::size_t i = 0; i < 5; ++i) EXPECT_LE(stagger("default", i, 5, milliseconds{20}), milliseconds{5});
}

TEST(Stagger, EnsemblesDoNotCoincide) {
  EXPECT_NE(stagger("orders", 0, 3, seconds{1}), stagger("payments", 0, 3, seconds{1}));
}

TEST(Schedule, AVisitThatEndsLongAfterItsDeadlineWasHeldUp) {
  const std::chrono::steady_clock::time_point deadline{std::chrono::hours{1}};
  EXPECT_FALSE(was_held_up(deadline, deadline - std::chrono::seconds{9}));
  EXPECT_FALSE(was_held_up(deadline, deadline + std::chrono::seconds{1}));
  EXPECT_TRUE(was_held_up(deadline, deadline + std::chrono::milliseconds{1001}));
}

}  // namespace
}  // namespace wk::exporter
