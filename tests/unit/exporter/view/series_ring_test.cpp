#include "exporter/view/series_ring.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

namespace wk::exporter {
namespace {

using std::chrono::seconds;
using Wall = std::chrono::system_clock::time_point;

const Wall kStart{std::chrono::hours(24 * 365 * 50)};

TEST(SeriesRing, ReturnsPointsFromSinceToTheNewest) {
  SeriesRing ring({Fold::kMean, Fold::kMean});
  for (int i = 0; i < 5; ++i) ring.append(kStart + seconds(i), {static_cast<float>(i), -1.0F});
  const SeriesPoints points = ring.query(0, seconds(1), kStart + seconds(2));
  EXPECT_EQ(points.first, kStart + seconds(2));
  ASSERT_EQ(points.points.size(), 3U);
  EXPECT_EQ(points.points[0], 2.0F);
  EXPECT_EQ(points.points[2], 4.0F);
}

TEST(SeriesRing, GapsStayGaps) {
  SeriesRing ring({Fold::kMean});
  ring.append(kStart, {1.0F});
  ring.append(kStart + seconds(3), {4.0F});
  const SeriesPoints points = ring.query(0, seconds(1), kStart);
  ASSERT_EQ(points.points.size(), 4U);
  EXPECT_FALSE(points.points[1].has_value());
  EXPECT_FALSE(points.points[2].has_value());
  EXPECT_EQ(points.points[3], 4.0F);
}

TEST(SeriesRing, OldPointsLeaveAndMemoryStaysBounded) {
  SeriesRing ring({Fold::kMean, Fold::kLargest, Fold::kSmallest});
  const auto fill = [&ring](int from, int to) {
    for (int i = from; i < to; ++i) ring.append(kStart + seconds(i), {static_cast<float>(i), 0.0F, 0.0F});
  };
  fill(0, 90'000);  // More than a day: all resolutions are full.
  const std::size_t full = ring.bytes();
  fill(90'000, 100'000);
  EXPECT_LT(ring.bytes(), full + full / 20);
  EXPECT_LT(full, 60'000U);  // 6,120 rows of three plain floats are 73,440 bytes.
  const SeriesPoints points = ring.query(0, seconds(1), Wall{});
  ASSERT_EQ(points.points.size(), 3600U);
  EXPECT_EQ(points.points.front(), 96'400.0F);
  EXPECT_EQ(points.points.back(), 99'999.0F);
  EXPECT_EQ(points.first, kStart + seconds(96'400));
}

TEST(SeriesRing, CoarserPointsAreMeansOfTheKnownOnes) {
  SeriesRing ring({Fold::kMean});
  for (int i = 0; i < 20; ++i)
    ring.append(kStart + seconds(i), {i % 2 == 0 ? static_cast<float>(i) : std::nanf("")});
  const SeriesPoints points = ring.query(0, seconds(10), Wall{});
  ASSERT_EQ(points.points.size(), 2U);
  EXPECT_EQ(points.points[0], 4.0F);   // 0 2 4 6 8
  EXPECT_EQ(points.points[1], 14.0F);  // 10 12 14 16 18
}

TEST(SeriesRing, CoarserPointsOfAStateAreItsWorst) {
  SeriesRing ring({Fold::kLargest, Fold::kSmallest});
  for (int i = 0; i < 120; ++i)
    ring.append(kStart + seconds(i), {i == 33 ? 5.0F : 0.0F, i == 70 ? -1.0F : 1.0F});
  for (const auto& [column, worst] : {std::pair(std::size_t{0}, std::vector{5.0F, 0.0F}),
                                      std::pair(std::size_t{1}, std::vector{1.0F, -1.0F})}) {
    const SeriesPoints points = ring.query(column, seconds(60), Wall{});
    ASSERT_EQ(points.points.size(), 2U);
    EXPECT_EQ(points.points[0], worst[0]);
    EXPECT_EQ(points.points[1], worst[1]);
  }
  // A slot begins anew: what was worst before is not carried on.
  EXPECT_EQ(ring.query(0, seconds(10), Wall{}).points[4], 0.0F);
}

TEST(SeriesRing, ASlotWithoutAKnownSecondIsUnknown) {
  SeriesRing ring({Fold::kLargest});
  ring.append(kStart, {3.0F});
  ring.append(kStart + seconds(10), {std::nanf("")});
  const SeriesPoints points = ring.query(0, seconds(10), Wall{});
  ASSERT_EQ(points.points.size(), 2U);
  EXPECT_EQ(points.points[0], 3.0F);
  EXPECT_FALSE(points.points[1].has_value());
}

TEST(SeriesRing, AClockThatWentBackAddsNothing) {
  SeriesRing ring({Fold::kMean});
  ring.append(kStart, {1.0F});
  ring.append(kStart - seconds(60), {9.0F});
  EXPECT_EQ(ring.query(0, seconds(1), Wall{}).points.size(), 1U);
}

TEST(SeriesRing, AClockThatWentFarBackBeginsAnew) {
  SeriesRing ring({Fold::kMean});
  const Wall ahead = kStart + std::chrono::hours(3);
  for (int i = 0; i < 120; ++i) ring.append(ahead + seconds(i), {1.0F});
  ring.append(ahead + seconds(59), {2.0F});  // A minute back: the newest stays.
  EXPECT_EQ(ring.query(0, seconds(1), Wall{}).points.size(), 120U);
  for (int i = 0; i < 120; ++i) ring.append(kStart + seconds(i), {3.0F});
  for (const seconds step : {seconds(1), seconds(10), seconds(60)}) {
    const SeriesPoints points = ring.query(0, step, Wall{});
    EXPECT_EQ(points.first, kStart);
    ASSERT_EQ(points.points.size(), static_cast<std::size_t>(seconds(120) / step));
    for (const auto& point : points.points) EXPECT_EQ(point, 3.0F);
  }
}

TEST(SeriesRing, AClockThatJumpedFarForwardFillsAtMostTheRing) {
  SeriesRing ring({Fold::kMean});
  ring.append(kStart, {1.0F});
  ring.append(kStart + std::chrono::hours(24 * 365), {2.0F});
  const SeriesPoints points = ring.query(0, seconds(1), Wall{});
  EXPECT_EQ(points.points.size(), 3600U);
  EXPECT_EQ(points.points.back(), 2.0F);
}

}  // namespace
}  // namespace wk::exporter
