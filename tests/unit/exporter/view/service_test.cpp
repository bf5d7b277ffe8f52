#include "exporter/view/service.h"

#include <gtest/gtest.h>

#include "tests/unit/exporter/view/view_parts.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

class ServiceTest : public testing::Test {
 protected:
  ServiceTest() {
    view.canary_mode = CanaryMode::kRead;
    view.members[1].canary.last_ok = after(0s);
  }
  void serve(bool on) {
    view.leader = on ? std::optional<std::size_t>(2) : std::nullopt;
    view.quorum_margin = on ? 1 : -3;
  }
  /// Lets time pass to `now`; returns whether clients are served.
  bool at(nanoseconds now) {
    service.derive(view, canaries_fail_since, leaderless_since, judged, after(previous), after(now));
    previous = now;
    return view.serving;
  }

  EnsembleView view = ensemble_of(3);
  Service service;
  std::optional<Moment> canaries_fail_since, leaderless_since;
  bool judged = true;
  nanoseconds previous{0};
};

TEST_F(ServiceTest, NeedsALeaderAndAQuorum) {
  struct Row {
    bool leader, inferred;
    int margin;
    bool expected;
  };
  for (const Row row : {Row{true, false, 0, true}, Row{false, true, 0, true}, Row{true, false, -1, false},
                        Row{false, true, -1, false}, Row{false, false, 2, false}}) {
    view.leader = row.leader ? std::optional<std::size_t>(0) : std::nullopt;
    view.leader_inferred = row.inferred;
    view.quorum_margin = row.margin;
    EXPECT_EQ(at(1s), row.expected) << row.leader << row.inferred << row.margin;
  }
}

TEST_F(ServiceTest, CanariesOutweighTheMembersWordAfterThreeSecondsIfOneEverWorked) {
  serve(true);
  canaries_fail_since = after(10s);
  EXPECT_TRUE(at(13s));
  EXPECT_FALSE(at(13s + 1ns));
  view.canary_mode = CanaryMode::kOff;
  EXPECT_TRUE(at(14s));
  view.canary_mode = CanaryMode::kWrite;
  EXPECT_FALSE(at(14s));
  view.members[1].canary.last_ok.reset();
  EXPECT_TRUE(at(14s));
}

TEST_F(ServiceTest, AnOutageBeganWhenNobodyLedAndGrowsUntilItEnds) {
  serve(true);
  at(1s);
  serve(false);
  leaderless_since = after(4s);
  at(7s);
  ASSERT_TRUE(view.unserved_since.has_value());
  EXPECT_EQ(*view.unserved_since - after(0s), 4s);
  EXPECT_EQ(view.unserved, 3s);
  leaderless_since = after(6s);
  at(8s);
  EXPECT_EQ(*view.unserved_since - after(0s), 4s) << "it began once";
  EXPECT_EQ(view.unserved, 4s);
  at(7s);
  EXPECT_EQ(view.unserved, 4s) << "a clock that went back takes nothing away";
  serve(true);
  at(9s);
  EXPECT_FALSE(view.unserved_since.has_value());
  EXPECT_EQ(view.unserved, 6s);
  at(20s);
  EXPECT_EQ(view.unserved, 6s);
}

TEST_F(ServiceTest, AnOutageThatOnlyTheCanariesShowBeganWithThem) {
  serve(true);
  at(1s);
  canaries_fail_since = after(5s);
  leaderless_since = after(2s);
  at(9s);
  EXPECT_EQ(*view.unserved_since - after(0s), 5s);
  EXPECT_EQ(view.unserved, 4s);
}

TEST_F(ServiceTest, ALostQuorumUnderALeaderBeganNow) {
  serve(true);
  at(1s);
  view.quorum_margin = -1;
  leaderless_since = after(2s);
  canaries_fail_since = after(2s);
  at(9s);
  EXPECT_EQ(*view.unserved_since - after(0s), 9s);
  EXPECT_EQ(view.unserved, 0s);
}

TEST_F(ServiceTest, AnOutageNeverReachesBackIntoTheOneBefore) {
  serve(false);
  at(1s);
  serve(true);
  at(5s);
  EXPECT_EQ(view.unserved, 4s);
  serve(false);
  leaderless_since = after(2s);
  at(8s);
  EXPECT_EQ(*view.unserved_since - after(0s), 5s);
  EXPECT_EQ(view.unserved, 7s);
}

TEST_F(ServiceTest, NothingIsCountedBeforeEveryMemberWasVisited) {
  judged = false;
  EXPECT_FALSE(at(1s));
  EXPECT_FALSE(at(50s));
  EXPECT_FALSE(view.unserved_since.has_value());
  judged = true;
  at(51s);
  EXPECT_EQ(*view.unserved_since - after(0s), 51s);
  at(52s);
  EXPECT_EQ(view.unserved, 1s);
}

}  // namespace
}  // namespace wk::exporter
