#include "exporter/view/history.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/exporter/view/ensemble_story.h"

namespace wk::exporter {
namespace {

using std::chrono::seconds;
using Wall = std::chrono::system_clock::time_point;

const Wall kStart{std::chrono::hours(24 * 365 * 50)};

TEST(SeriesRing, ReturnsPointsFromSinceToTheNewest) {
  SeriesRing ring(2);
  for (int i = 0; i < 5; ++i) ring.append(kStart + seconds(i), {static_cast<float>(i), -1.0F});
  const SeriesPoints points = ring.query(0, seconds(1), kStart + seconds(2));
  EXPECT_EQ(points.first, kStart + seconds(2));
  ASSERT_EQ(points.points.size(), 3U);
  EXPECT_EQ(points.points[0], 2.0F);
  EXPECT_EQ(points.points[2], 4.0F);
}

TEST(SeriesRing, GapsStayGaps) {
  SeriesRing ring(1);
  ring.append(kStart, {1.0F});
  ring.append(kStart + seconds(3), {4.0F});
  const SeriesPoints points = ring.query(0, seconds(1), kStart);
  ASSERT_EQ(points.points.size(), 4U);
  EXPECT_FALSE(points.points[1].has_value());
  EXPECT_FALSE(points.points[2].has_value());
  EXPECT_EQ(points.points[3], 4.0F);
}

TEST(SeriesRing, OldPointsLeaveAndMemoryStaysBounded) {
  SeriesRing ring(3);
  const std::size_t before = ring.bytes();
  for (int i = 0; i < 4000; ++i) ring.append(kStart + seconds(i), {static_cast<float>(i), 0.0F, 0.0F});
  EXPECT_EQ(ring.bytes(), before);
  const SeriesPoints points = ring.query(0, seconds(1), Wall{});
  ASSERT_EQ(points.points.size(), 3600U);
  EXPECT_EQ(points.points.front(), 400.0F);
  EXPECT_EQ(points.points.back(), 3999.0F);
  EXPECT_EQ(points.first, kStart + seconds(400));
}

TEST(SeriesRing, CoarserPointsAreMeansOfTheKnownOnes) {
  SeriesRing ring(1);
  for (int i = 0; i < 20; ++i)
    ring.append(kStart + seconds(i), {i % 2 == 0 ? static_cast<float>(i) : std::nanf("")});
  const SeriesPoints points = ring.query(0, seconds(10), Wall{});
  ASSERT_EQ(points.points.size(), 2U);
  EXPECT_EQ(points.points[0], 4.0F);   // 0 2 4 6 8
  EXPECT_EQ(points.points[1], 14.0F);  // 10 12 14 16 18
}

TEST(SeriesRing, AClockThatWentBackAddsNothing) {
  SeriesRing ring(1);
  ring.append(kStart, {1.0F});
  ring.append(kStart - seconds(100), {9.0F});
  EXPECT_EQ(ring.query(0, seconds(1), Wall{}).points.size(), 1U);
}

TEST(SeriesRing, AClockThatJumpedFarForwardFillsAtMostTheRing) {
  SeriesRing ring(1);
  ring.append(kStart, {1.0F});
  ring.append(kStart + std::chrono::hours(24 * 365), {2.0F});
  const SeriesPoints points = ring.query(0, seconds(1), Wall{});
  EXPECT_EQ(points.points.size(), 3600U);
  EXPECT_EQ(points.points.back(), 2.0F);
}

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

}  // namespace
}  // namespace wk::exporter
