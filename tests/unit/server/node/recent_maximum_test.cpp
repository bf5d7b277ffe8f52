#include "server/node/recent_maximum.h"

#include <gtest/gtest.h>

namespace wk::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Time = RecentMaximum::Time;

Time at(int s) { return Time{seconds{1'000 + s}}; }

TEST(RecentMaximum, IsForgottenAfterOneToTwoMinutes) {
  RecentMaximum maximum;
  EXPECT_EQ(maximum.value(at(0)), milliseconds{0});
  maximum.record(milliseconds{5}, at(0));
  maximum.record(milliseconds{900}, at(50));
  maximum.record(milliseconds{7}, at(51));
  EXPECT_EQ(maximum.value(at(59)), milliseconds{900});
  for (int s = 60; s < 120; ++s) {
    maximum.record(milliseconds{7}, at(s));
    EXPECT_EQ(maximum.value(at(s)), milliseconds{900}) << s;
  }
  maximum.record(milliseconds{6}, at(120));
  EXPECT_EQ(maximum.value(at(120)), milliseconds{7});
}

TEST(RecentMaximum, NothingLastsWhenNothingIsRecorded) {
  RecentMaximum maximum;
  maximum.record(milliseconds{900}, at(0));
  EXPECT_EQ(maximum.value(at(119)), milliseconds{900});
  EXPECT_EQ(maximum.value(at(120)), milliseconds{0});
  maximum.record(milliseconds{3}, at(500));
  EXPECT_EQ(maximum.value(at(500)), milliseconds{3});
}

}  // namespace
}  // namespace wk::node
