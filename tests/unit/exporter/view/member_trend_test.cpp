#include "exporter/view/member_trend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/exporter/view/view_parts.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;

/// A status with this one number.
StatusAnswer with(std::string_view metric, double value) {
  return status_of(Role::kFollower, {{metric, value}});
}

TEST(Counting, IsRestartedByACounterThatWentBackWhereNoUptimeIsTold) {
  struct Row {
    std::string_view counter;
    double before, after;
    bool was_unreachable, expected;
  };
  for (const Row& row : std::vector<Row>{{"looking_count", 2, 1, false, true},
                                         {"connection_request_count", 2, 1, false, true},
                                         {"bytes_received_count", 1e18, 0, false, true},
                                         {"response_bytes", 2, 1, false, true},
                                         {"looking_count", 1, 1, true, false},
                                         {"looking_count", 1, 2, true, false},
                                         {"packets_received", 2, 1, false, false},
                                         {"packets_received", 2, 1, true, true},
                                         {"packets_received", 2, 2, true, false},
                                         {"num_alive_connections", 2, 1, true, false}})
    EXPECT_EQ(counting(with(row.counter, row.before), with(row.counter, row.after), 1s, row.was_unreachable),
              row.expected ? Counting::kRestarted : Counting::kGoesOn)
        << row.counter << " from " << row.before << " to " << row.after;
  const StatusAnswer none = status_of(Role::kFollower);
  EXPECT_EQ(counting(with("looking_count", 2), none, 1s, true), Counting::kGoesOn) << "not told any more";
  EXPECT_EQ(counting(none, with("looking_count", 2), 1s, true), Counting::kGoesOn);
}

TEST(Counting, IsResetWhereTheUptimeGrewAsTimePassed) {
  struct Row {
    double before_ms, after_ms;
    std::chrono::nanoseconds elapsed;
    Counting expected;
  };
  const auto status = [](double uptime_ms, double requests, double packets) {
    return status_of(
        Role::kFollower,
        {{"uptime", uptime_ms}, {"connection_request_count", requests}, {"packets_received", packets}});
  };
  for (const Row& row : std::vector<Row>{{900'000, 901'000, 1s, Counting::kReset},
                                         {900'000, 900'500, 1s, Counting::kReset},  // A visit was slow.
                                         {900'000, 900, 1s, Counting::kRestarted},
                                         {900'000, 900'000, 1s, Counting::kRestarted},
                                         {700, 900, 1s, Counting::kRestarted},  // It crashes again and again.
                                         {900'000, 4'500'000, 1h, Counting::kReset},
                                         {900'000, 4'440'000, 1h, Counting::kReset},
                                         {900'000, 4'439'999, 1h, Counting::kRestarted},
                                         {900'000, 900'000, 0s, Counting::kReset}})
    for (const bool unreachable : {false, true})
      EXPECT_EQ(counting(status(row.before_ms, 50, 9), status(row.after_ms, 1, 1), row.elapsed, unreachable),
                row.expected)
          << row.before_ms << " to " << row.after_ms << " ms in " << row.elapsed.count() << " ns";
  // A new role takes a new uptime, and nothing went back that would survive it.
  EXPECT_EQ(counting(status(900'000, 50, 9), status(100, 51, 1), 1s, false), Counting::kGoesOn);
  // Of one uptime nothing can be concluded.
  EXPECT_EQ(counting(with("looking_count", 2),
                     status_of(Role::kFollower, {{"looking_count", 1}, {"uptime", 9'000}}), 1s, false),
            Counting::kRestarted);
}

class MemberTrendTest : public testing::Test {
 protected:
  /// Probe srvr goes from one state to another; what is told of it.
  std::vector<EventType> source_goes(SourceState from, SourceState to) {
    MemberTrend fresh;
    return source_goes(fresh, from, to, 0s);
  }
  std::vector<EventType> source_goes(MemberTrend& of, SourceState from, SourceState to,
                                     std::chrono::nanoseconds now) {
    SourceStatuses before, after_it;
    before.of(Probe::kSrvr).state = from;
    after_it.of(Probe::kSrvr).state = to;
    after_it.of(Probe::kSrvr).detail = "in detail";
    EventSink events = ear.at(after(now));
    const std::size_t first = ear.events.size();
    of.tell_sources("zk1:2181", before, after_it, events);
    std::vector<EventType> result;
    for (std::size_t i = first; i < ear.events.size(); ++i) result.push_back(ear.events[i].type);
    return result;
  }

  void grow(const StatusAnswer& before, const StatusAnswer& now, std::chrono::nanoseconds elapsed = 1s,
            std::chrono::nanoseconds at = 0s) {
    EventSink events = ear.at(after(at));
    trend.take_growth("zk1:2181", before, now, elapsed, events);
  }
  void grow(std::string_view metric, double before, double now, std::chrono::nanoseconds elapsed = 1s,
            std::chrono::nanoseconds at = 0s) {
    grow(with(metric, before), with(metric, now), elapsed, at);
  }
  static StatusAnswer flushes(OptionalNumber count, OptionalNumber sum) {
    StatusAnswer status;
    SummaryValue fsync;
    fsync.count = count;
    fsync.sum = sum;
    status.measurements.push_back({find_zk_metric("fsynctime"), {}, fsync});
    return status;
  }

  MemberTrend trend;
  Ear ear;
};

TEST_F(MemberTrendTest, SourcesFailAndRecoverUnlessTheMemberOnlyStoppedServing) {
  using S = SourceState;
  const std::vector<EventType> failed{EventType::kSourceFailed}, recovered{EventType::kSourceRecovered}, none;
  EXPECT_EQ(source_goes(S::kOk, S::kTimedOut), failed);
  EXPECT_EQ(source_goes(S::kOk, S::kNotServing), none);
  EXPECT_EQ(source_goes(S::kOk, S::kOk), none);
  EXPECT_EQ(source_goes(S::kTimedOut, S::kOk), recovered);
  EXPECT_EQ(source_goes(S::kNotServing, S::kOk), none);
  EXPECT_EQ(source_goes(S::kNotTried, S::kOk), none);
  EXPECT_EQ(source_goes(S::kNotTried, S::kRefused), none);
  EXPECT_EQ(source_goes(S::kRefused, S::kTimedOut), none);
  EXPECT_THAT(ear.texts(), testing::ElementsAre("zk1:2181: srvr no longer answers (timed_out): in detail",
                                                "zk1:2181: srvr answers again (it was timed_out)"));
  EXPECT_EQ(ear.events[0].severity, Severity::kWarning);
  EXPECT_EQ(ear.events[1].severity, Severity::kInfo);
  EXPECT_EQ(ear.events[0].member, "zk1:2181");
}

TEST_F(MemberTrendTest, AFlappingSourceIsToldOnceAMinuteEachWay) {
  const auto flap = [&](std::chrono::nanoseconds now) {
    return source_goes(trend, SourceState::kOk, SourceState::kClosed, now).size() +
           source_goes(trend, SourceState::kClosed, SourceState::kOk, now).size();
  };
  EXPECT_EQ(flap(0s), 2U);
  EXPECT_EQ(flap(60s - 1ns), 0U);
  EXPECT_EQ(flap(60s), 2U);
  EXPECT_EQ(flap(61s), 0U);
}

TEST_F(MemberTrendTest, EachSourceThatFailsInOneVisitIsTold) {
  SourceStatuses ok, silent;
  for (const Probe probe : {Probe::kMntr, Probe::kAdminMonitor}) {
    ok.of(probe).state = SourceState::kOk;
    silent.of(probe).state = SourceState::kTimedOut;
  }
  EventSink events = ear.at(after(0s));
  trend.tell_sources("zk1:2181", ok, silent, events);
  trend.tell_sources("zk1:2181", silent, ok, events);
  trend.tell_sources("zk1:2181", ok, silent, events);
  EXPECT_THAT(ear.texts(), testing::ElementsAre("zk1:2181: mntr no longer answers (timed_out): ",
                                                "zk1:2181: admin_monitor no longer answers (timed_out): ",
                                                "zk1:2181: mntr answers again (it was timed_out)",
                                                "zk1:2181: admin_monitor answers again (it was timed_out)"));
}

TEST_F(MemberTrendTest, SessionsThatExpireFasterThanTenASecondAreAStorm) {
  grow("stale_sessions_expired", 5, 15);
  grow("stale_sessions_expired", 0, 100, 10s);
  grow("stale_sessions_expired", 1e6, 0);
  EXPECT_TRUE(ear.events.empty());
  grow("stale_sessions_expired", 0, 21, 2s);
  EXPECT_THAT(ear.texts(), testing::ElementsAre("sessions expire at 10/s on zk1:2181"));
  grow("stale_sessions_expired", 0, 1e9, 1s, 59s);
  EXPECT_EQ(ear.events.size(), 1U);
  grow("stale_sessions_expired", 0, 1e9, 1s, 60s);
  EXPECT_EQ(ear.texts().back(), "sessions expire at 1000000000/s on zk1:2181");
}

TEST_F(MemberTrendTest, ConnectionsThatRiseFasterThanAHundredASecondAreAStorm) {
  grow("num_alive_connections", 10, 110);
  grow("num_alive_connections", 0, 1000, 10s);
  grow("num_alive_connections", 5000, 0);
  grow(status_of(Role::kFollower), with("num_alive_connections", 5000));
  EXPECT_TRUE(ear.events.empty());
  grow("num_alive_connections", 10, 111);
  EXPECT_THAT(ear.texts(), testing::ElementsAre("connections of zk1:2181 rose from 10 to 111 within 1.0 s"));
  EXPECT_EQ(ear.events[0].type, EventType::kConnectionStorm);
}

TEST_F(MemberTrendTest, EachSignOfThrottlingCountsAndEndsWithTheNextIntervalWithoutIt) {
  for (const std::string_view counter :
       {"request_throttle_wait_count", "throttled_ops", "large_requests_rejected", "stale_requests_dropped",
        "connection_rejected"}) {
    grow(counter, 3, 4);
    EXPECT_TRUE(trend.throttling()) << counter;
    grow(counter, 4, 4);
    EXPECT_FALSE(trend.throttling()) << counter;
    grow(counter, 4, 1);
    EXPECT_FALSE(trend.throttling()) << counter << " went back";
  }
  EXPECT_EQ(ear.events.size(), 1U);
}

TEST_F(MemberTrendTest, ThrottledRequestsAddUpBesideRefusedConnections) {
  grow(status_of(Role::kFollower, {{"throttled_ops", 0},
                                   {"stale_requests_dropped", 1},
                                   {"large_requests_rejected", 0},
                                   {"request_throttle_wait_count", 0},
                                   {"connection_rejected", 5}}),
       status_of(Role::kFollower, {{"throttled_ops", 1},
                                   {"stale_requests_dropped", 3},
                                   {"large_requests_rejected", 4},
                                   {"request_throttle_wait_count", 8},
                                   {"connection_rejected", 12}}),
       2s);
  EXPECT_THAT(ear.texts(),
              testing::ElementsAre("zk1:2181 throttled 15 requests and refused 7 connections within 2.0 s"));
}

TEST_F(MemberTrendTest, NothingIsConcludedUnlessTimePassed) {
  grow("throttled_ops", 0, 1);
  for (const std::chrono::nanoseconds elapsed : {0ns, -1ns}) {
    grow("throttled_ops", 0, 0, elapsed);
    EXPECT_TRUE(trend.throttling());
    grow("stale_sessions_expired", 0, 1e9, elapsed);
    grow(flushes(0, 0), flushes(1, 500), elapsed);
  }
  EXPECT_EQ(ear.events.size(), 1U);
  EXPECT_EQ(trend.fsync_mean_ms(after(0s)), 0);
}

TEST_F(MemberTrendTest, TheMeanFlushIsOfTheNewestIntervalThatHadOne) {
  grow(flushes(10, 1000), flushes(14, 1100));
  EXPECT_EQ(trend.fsync_mean_ms(after(0s)), 25);
  grow(flushes(14, 1100), flushes(14, 1100));
  EXPECT_EQ(trend.fsync_mean_ms(after(0s)), 25) << "no flush in between";
  grow(flushes(14, 1100), flushes(2, 9000));
  EXPECT_EQ(trend.fsync_mean_ms(after(0s)), 25) << "the counter began anew";
  grow(flushes(14, 1100), flushes(16, 40));
  EXPECT_EQ(trend.fsync_mean_ms(after(0s)), 25) << "it began anew and is past where it was";
  grow(flushes(14, std::nullopt), flushes(15, 9000));
  grow(flushes(14, 0), flushes(15, std::nullopt));
  grow(flushes(std::nullopt, 0), flushes(15, 9000));
  grow(flushes(14, 0), flushes(std::nullopt, 9000));
  grow(flushes(14, 0), status_of(Role::kFollower));
  grow(status_of(Role::kFollower), flushes(15, 9000));
  EXPECT_EQ(trend.fsync_mean_ms(after(0s)), 25) << "a part was not told";
  EXPECT_EQ(trend.fsync_mean_ms(after(60s)), 25);
  EXPECT_EQ(trend.fsync_mean_ms(after(60s + 1ns)), 0) << "it says nothing of now";
  grow(flushes(14, 1100), flushes(16, 1100));
  EXPECT_EQ(trend.fsync_mean_ms(after(0s)), 0);
  EXPECT_TRUE(ear.events.empty());
}

TEST_F(MemberTrendTest, FlushesAboveAHundredMillisecondsAreToldOnceAMinute) {
  grow(flushes(0, 0), flushes(2, 200));
  EXPECT_TRUE(ear.events.empty());
  grow(flushes(0, 0), flushes(2, 202));
  grow(flushes(0, 0), flushes(2, 9000), 1s, 59s);
  EXPECT_THAT(ear.texts(),
              testing::ElementsAre("a flush of the transaction log took 101 ms on zk1:2181 (mean "
                                   "of 2 within 1.0 s)"));
  EXPECT_EQ(trend.fsync_mean_ms(after(59s)), 4500) << "what is not told is still known";
  grow(flushes(0, 0), flushes(1, 500), 1s, 60s);
  EXPECT_EQ(ear.events.size(), 2U);
}

}  // namespace
}  // namespace wk::exporter
