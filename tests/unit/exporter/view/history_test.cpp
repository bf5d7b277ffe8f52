#include "exporter/view/history.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "tests/unit/exporter/view/view_parts.h"

namespace wk::exporter {
namespace {

using std::chrono::seconds;
using Points = std::vector<std::optional<float>>;
using Wall = std::chrono::system_clock::time_point;

const Wall kStart{std::chrono::hours(24 * 365 * 50)};

TEST(History, RatesComeFromTwoVisitsAndAnOutageIsAGap) {
  EnsembleStory story;
  History history(3);
  for (int i = 0; i < 4; ++i) {
    story.second();
    story.answering[0].packets += 50;
    history.append(story.view(), story.now);
  }
  const auto column = static_cast<std::size_t>(MemberSeries::kRequestsPerSecond);
  const SeriesPoints points = history.member(0).query(column, seconds(1), Wall{});
  ASSERT_EQ(points.points.size(), 4U);
  EXPECT_FALSE(points.points[0].has_value());
  EXPECT_EQ(points.points[3], 50.0F);
  story.answering[0].state = SourceState::kTimedOut;
  story.second();
  history.append(story.view(), story.now);
  EXPECT_FALSE(history.member(0).query(column, seconds(1), Wall{}).points.back().has_value());
  const SeriesPoints margin =
      history.ensemble().query(static_cast<std::size_t>(EnsembleSeries::kQuorumMargin), seconds(1), Wall{});
  EXPECT_EQ(margin.points.back(), 0.0F);
}

TEST(History, SessionsThatNobodyTellsAnyMoreAreAGap) {
  EnsembleStory story;
  History history(3);
  ConnectionsAnswer connections;
  connections.with_session = 7;
  story.report_extra(0, {.probe = Probe::kCons,
                         .state = SourceState::kOk,
                         .detail = {},
                         .duration = {},
                         .answer = connections});
  const auto newest = [&] {
    history.append(story.view(), story.now);
    return history.member(0)
        .query(static_cast<std::size_t>(MemberSeries::kSessions), seconds(1), Wall{})
        .points.back();
  };
  story.seconds(30);
  EXPECT_EQ(newest(), 7.0F);
  story.seconds(10);
  EXPECT_FALSE(newest().has_value());
}

/// The one member's answer at second `second`.
EnsembleView told(int second, double packets, double count, double sum) {
  EnsembleView view = ensemble_of(1);
  MemberView& member = view.members[0];
  const Moment at = after(seconds(second));
  member.last_poll = at;
  learn(member, [&](MemberFacts& facts) {
    StatusAnswer status;
    SummaryValue summary;
    summary.count = count;
    summary.sum = sum;
    status.measurements.push_back({find_zk_metric("fsynctime"), {}, summary});
    status.measurements.push_back({find_zk_metric("num_alive_connections"), {}, 9.0});
    status.measurements.push_back({find_zk_metric("packets_received"), {}, packets});
    status.measurements.push_back({find_zk_metric("readlatency"), {}, summary});
    facts.status = {std::move(status), at};
  });
  return view;
}

Points points(const History& history, MemberSeries series) {
  return history.member(0).query(static_cast<std::size_t>(series), seconds(1), Wall{}).points;
}

TEST(History, OneBadSecondIsSeenInTheMinute) {
  History history(1);
  for (int second = 0; second < 60; ++second) {
    EnsembleView view = told(second, 100.0 * second, 0, 0);
    view.serving = second != 20;
    view.quorum_margin = second == 20 ? -1 : 1;
    view.members[0].state = second == 20 ? ServingState::kUnreachable : ServingState::kServing;
    history.append(view, after(seconds(second)));
  }
  const auto minutes = [&](const SeriesRing& ring, auto series) {
    return ring.query(static_cast<std::size_t>(series), seconds(60), Wall{}).points.back();
  };
  EXPECT_EQ(minutes(history.member(0), MemberSeries::kState), static_cast<float>(ServingState::kUnreachable));
  EXPECT_EQ(minutes(history.member(0), MemberSeries::kConnections), 9.0F);
  EXPECT_EQ(minutes(history.ensemble(), EnsembleSeries::kQuorumMargin), -1.0F);
  EXPECT_EQ(minutes(history.ensemble(), EnsembleSeries::kServing), 0.0F);
}

TEST(History, StatisticsThatWereResetGiveNoRate) {
  History history(1);
  int second = 0;
  const auto add = [&](double packets, double count, double sum) {
    history.append(told(second, packets, count, sum), after(seconds(second)));
    ++second;
  };
  add(100, 10, 500);
  add(150, 20, 600);  // 10 ms each
  add(5, 25, 40);     // reset: more of them than before, in less time
  add(55, 35, 140);
  add(80, 40, 90);  // the sums alone were reset
  for (const MemberSeries series : {MemberSeries::kFsyncMs, MemberSeries::kLatencyAverageMs})
    EXPECT_EQ(points(history, series), (Points{std::nullopt, 10.0F, std::nullopt, 10.0F, std::nullopt}))
        << name(series);
  EXPECT_EQ(points(history, MemberSeries::kRequestsPerSecond),
            (Points{std::nullopt, 50.0F, std::nullopt, 50.0F, 25.0F}));
}

TEST(History, WhatAMemberThatIsNotHeardOfSaidLastIsNotWhatItDoesNow) {
  History history(1);
  EnsembleView view = told(0, 100, 10, 500);
  history.append(view, after(seconds(0)));
  view.members[0].state = ServingState::kUnreachable;
  history.append(view, after(seconds(1)));
  EXPECT_EQ(points(history, MemberSeries::kConnections), (Points{9.0F, std::nullopt}));
}

}  // namespace
}  // namespace wk::exporter
