#include "exporter/view/limits.h"

#include <gtest/gtest.h>

#include "tests/unit/exporter/view/view_parts.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;

class PerformanceLimit : public testing::Test {
 protected:
  PerformanceLimit() { view.serving = true; }

  void grow(std::size_t member, const StatusAnswer& before, const StatusAnswer& now) {
    EventSink events = ear.at(after(0s));
    trends[member].take_growth(view.members[member].name, before, now, 1s, events);
  }
  void throttle(std::size_t member) {
    grow(member, status_of(Role::kFollower, {{"throttled_ops", 0}}),
         status_of(Role::kFollower, {{"throttled_ops", 1}}));
  }
  void flush(std::size_t member, double milliseconds) {
    const auto flushes = [](double count, double sum) {
      StatusAnswer status;
      SummaryValue fsync;
      fsync.count = count;
      fsync.sum = sum;
      status.measurements.push_back({find_zk_metric("fsynctime"), {}, fsync});
      return status;
    };
    grow(member, flushes(0, 0), flushes(1, milliseconds));
  }
  void queue(std::size_t member, double requests) {
    view.members[member].last_poll = Moment{};
    learn(view.members[member], [&](MemberFacts& facts) {
      facts.status.value = status_of(Role::kFollower, {{"outstanding_requests", requests}});
    });
  }
  [[nodiscard]] Limit limit() const { return performance_limit(view, trends, true, after(0s)); }

  EnsembleView view = ensemble_of(3);
  std::vector<MemberTrend> trends{3};
  Ear ear;
};

TEST_F(PerformanceLimit, TheFirstThatShowsIsNamedWithItsNumbers) {
  EXPECT_EQ(limit().what, "nothing");
  EXPECT_EQ(limit().reason, "no limit shows in the members' numbers");

  queue(2, 0);
  view.members[2].lag_transactions = 12'345;
  EXPECT_EQ(limit().what, "replication to zk3:2181");
  EXPECT_EQ(limit().reason, "it is 12,345 transactions behind");
  queue(2, 11);
  EXPECT_EQ(limit().what, "request queue of zk3:2181");
  EXPECT_EQ(limit().reason, "11 requests are outstanding");
  flush(2, 21);
  EXPECT_EQ(limit().what, "disk of zk3:2181");
  EXPECT_EQ(limit().reason, "a flush of its transaction log takes 21 ms");
  throttle(2);
  EXPECT_EQ(limit().what, "limits of zk3:2181");
  EXPECT_EQ(limit().reason, "the member throttles requests or refuses connections");

  view.serving = false;
  view.voters_in_sync = 1;
  view.quorum_margin = -1;
  EXPECT_EQ(limit().what, "no quorum");
  EXPECT_EQ(limit().reason, "1 of 3 voters in sync, 2 are needed");
  EXPECT_EQ(performance_limit(view, trends, false, after(0s)).what, "unknown");
}

TEST_F(PerformanceLimit, WithoutServiceInSpiteOfAQuorumItIsNotTheQuorum) {
  view.serving = false;
  view.voters_in_sync = 2;
  view.quorum_margin = 0;
  EXPECT_EQ(limit().what, "no service");
  EXPECT_EQ(limit().reason, "no client operation succeeds, though the members claim 2 of 3 voters in sync");
}

TEST_F(PerformanceLimit, ADiskOfAnyMemberComesBeforeAQueue) {
  queue(0, 1e9);
  flush(2, 21);
  EXPECT_EQ(limit().what, "disk of zk3:2181");
}

TEST_F(PerformanceLimit, TheThresholdsThemselvesAreNoLimit) {
  flush(0, 20);
  queue(1, 10);
  queue(2, -1e300);
  view.members[1].lag_transactions = 1000;
  EXPECT_EQ(limit().what, "nothing");
  view.members[1].lag_transactions = 1001;
  EXPECT_EQ(limit().what, "replication to zk2:2181");
}

TEST_F(PerformanceLimit, AQueueThatTheNewestVisitDoesNotTellAndAFlushOfLongAgoAreNone) {
  queue(0, 500);
  EXPECT_EQ(limit().what, "request queue of zk1:2181");
  view.members[0].last_poll = Moment{} + 1s;
  EXPECT_EQ(limit().what, "nothing");
  flush(1, 500);
  EXPECT_EQ(limit().what, "disk of zk2:2181");
  EXPECT_EQ(performance_limit(view, trends, true, after(1h)).what, "nothing");
}

TEST_F(PerformanceLimit, AMemberThatDoesNotServeLimitsNothing) {
  throttle(0);
  flush(0, 500);
  queue(0, 500);
  view.members[0].lag_transactions = 5000;
  for (const ServingState state : {ServingState::kReadOnly, ServingState::kLooking, ServingState::kSyncing,
                                   ServingState::kNotServing, ServingState::kUnreachable}) {
    view.members[0].state = state;
    EXPECT_EQ(limit().what, "nothing") << name(state);
  }
}

}  // namespace
}  // namespace wk::exporter
