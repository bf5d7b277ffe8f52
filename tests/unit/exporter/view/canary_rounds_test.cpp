#include "exporter/view/canary_rounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/unit/exporter/view/view_parts.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;

class CanaryRoundsTest : public testing::Test {
 protected:
  void report(std::size_t member, std::uint64_t round, bool ok, std::chrono::nanoseconds finished = 0s) {
    CanaryReport report;
    report.member = member;
    report.round = round;
    report.finished = after(finished);
    report.round_ok = ok;
    report.totals.last_error = ok ? "" : "sync timed out";
    EventSink events = ear.at(report.finished);
    rounds.take(report, view, events);
  }
  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> ok_and_failed() const {
    return {view.canary_rounds_ok, view.canary_rounds_failed};
  }
  using Counts = std::pair<std::uint64_t, std::uint64_t>;

  EnsembleView view = ensemble_of(3);
  CanaryRounds rounds{3};
  Ear ear;
};

TEST_F(CanaryRoundsTest, ARoundSucceedsWithItsFirstSuccessAndFailsWithItsLastReport) {
  report(0, 1, false);
  EXPECT_EQ(ok_and_failed(), Counts(0, 0));
  report(1, 1, true);
  EXPECT_EQ(ok_and_failed(), Counts(1, 0));
  report(2, 1, true);
  EXPECT_EQ(ok_and_failed(), Counts(1, 0));
  constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max();
  report(0, kLast, false);
  report(1, kLast, false);
  EXPECT_EQ(ok_and_failed(), Counts(1, 0));
  report(2, kLast, false);
  EXPECT_EQ(ok_and_failed(), Counts(1, 1));
}

TEST_F(CanaryRoundsTest, RoundsThatOverlapAreKeptApart) {
  report(0, 1, false);
  report(0, 2, true);
  report(1, 1, false);
  report(1, 2, false);
  report(2, 1, false);
  EXPECT_EQ(ok_and_failed(), Counts(1, 1));
  report(2, 2, false);
  EXPECT_EQ(ok_and_failed(), Counts(1, 1));
}

TEST_F(CanaryRoundsTest, TheOldestOfTooManyOpenRoundsIsClosedAsItStands) {
  static_assert(CanaryRounds::kOpenRounds == 8);
  report(0, 1, false);
  report(0, 2, true);
  for (std::uint64_t round = 3; round <= 8; ++round) report(0, round, false);
  EXPECT_EQ(ok_and_failed(), Counts(1, 0));
  report(0, 9, false);
  EXPECT_EQ(ok_and_failed(), Counts(1, 1)) << "the first one failed";
  report(0, 10, false);
  EXPECT_EQ(ok_and_failed(), Counts(1, 1)) << "the second one had succeeded";
  report(0, 11, false);
  EXPECT_EQ(ok_and_failed(), Counts(1, 2));
}

TEST_F(CanaryRoundsTest, AMemberThatFailsForThreeSecondsIsToldOnceAndItsRecoveryToo) {
  report(0, 1, false, 10s);
  report(0, 2, false, 13s - 1ns);
  EXPECT_TRUE(ear.events.empty());
  report(0, 3, false, 13s);
  EXPECT_EQ(ear.events.size(), 1U);
  report(0, 4, false, 20s);
  report(0, 5, true, 21s);
  report(0, 6, true, 22s);
  ASSERT_THAT(ear.texts(), testing::ElementsAre("client operations through zk1:2181 fail: sync timed out",
                                                "client operations through zk1:2181 succeed again"));
  EXPECT_EQ(ear.events[0].type, EventType::kCanaryFailed);
  EXPECT_EQ(ear.events[1].type, EventType::kCanaryRecovered);
  EXPECT_EQ(ear.events[1].duration, std::chrono::nanoseconds(11s));
  EXPECT_EQ(ear.events[1].member, "zk1:2181");
}

TEST_F(CanaryRoundsTest, AShortFailureIsNotTold) {
  report(0, 1, false, 0s);
  report(0, 2, true, 2s);
  report(0, 3, false, 4s);
  report(0, 4, true, 6s);
  EXPECT_TRUE(ear.events.empty());
}

TEST_F(CanaryRoundsTest, AllFailSinceTheLastOfThemBegan) {
  report(0, 1, false, 1s);
  report(2, 1, false, 2s);
  EXPECT_FALSE(rounds.all_failing_since().has_value()) << "one has not reported yet";
  report(1, 1, false, 3s);
  report(0, 2, false, 4s);
  ASSERT_TRUE(rounds.all_failing_since().has_value());
  EXPECT_EQ(*rounds.all_failing_since() - after(0s), 3s);
  report(1, 2, true, 5s);
  EXPECT_FALSE(rounds.all_failing_since().has_value());
  report(1, 3, false, 6s);
  EXPECT_EQ(*rounds.all_failing_since() - after(0s), 6s);
}

TEST_F(CanaryRoundsTest, TheTotalsAreThoseOfTheReportsMember) {
  report(1, 1, false);
  EXPECT_EQ(view.members[0].canary.last_error, "");
  EXPECT_EQ(view.members[1].canary.last_error, "sync timed out");
}

}  // namespace
}  // namespace wk::exporter
