#include "base/duration_histogram.h"

#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>

namespace wk {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::chrono::milliseconds, 2> kBounds{10ms, 100ms};
using Histogram = DurationHistogram<kBounds>;

TEST(DurationHistogram, StartsEmpty) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.sum(), 0ns);
  for (std::size_t index = 0; index <= kBounds.size(); ++index) EXPECT_EQ(histogram.bucket(index), 0U);
}

TEST(DurationHistogram, UpperBoundsAreInclusive) {
  Histogram histogram;
  histogram.record(10ms);
  EXPECT_EQ(histogram.bucket(0), 1U);
  histogram.record(10ms + 1ns);
  EXPECT_EQ(histogram.bucket(0), 1U);
  EXPECT_EQ(histogram.bucket(1), 1U);
  histogram.record(100ms);
  EXPECT_EQ(histogram.bucket(1), 2U);
  EXPECT_EQ(histogram.bucket(2), 0U);
}

TEST(DurationHistogram, OneDurationCountsAsOftenAsItHappened) {
  Histogram histogram;
  histogram.record(20ms, 3);
  EXPECT_EQ(histogram.bucket(1), 3U);
  EXPECT_EQ(histogram.count(), 3U);
  EXPECT_EQ(histogram.sum(), 60ms);
  histogram.record(20ms, 0);
  EXPECT_EQ(histogram.count(), 3U);
}

TEST(DurationHistogram, WhatPassesTheLastBoundIsInTheUnboundedBucket) {
  Histogram histogram;
  histogram.record(100ms + 1ns);
  histogram.record(24h);
  EXPECT_EQ(histogram.bucket(0), 0U);
  EXPECT_EQ(histogram.bucket(1), 0U);
  EXPECT_EQ(histogram.bucket(2), 2U);
  EXPECT_EQ(histogram.count(), 2U);
}

TEST(DurationHistogram, NegativeCountsAsZero) {
  Histogram histogram;
  histogram.record(-5s);
  histogram.record(3ms);
  EXPECT_EQ(histogram.bucket(0), 2U);
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.sum(), 3ms);
}

TEST(DurationHistogram, SumKeepsNanoseconds) {
  Histogram histogram;
  histogram.record(1ns);
  histogram.record(20ms);
  histogram.record(1s);
  EXPECT_EQ(histogram.sum(), 1'020'000'001ns);
  EXPECT_EQ(histogram.count(), 3U);
}

TEST(DurationHistogram, BucketBehindTheLastOneThrows) {
  const Histogram histogram;
  EXPECT_THROW((void)histogram.bucket(3), std::out_of_range);
}

// Both go out as `le` labels; a changed bound breaks recorded queries.
TEST(DurationHistogram, PublishedBoundsRise) {
  EXPECT_EQ(kLatencyBounds.front(), 50us);
  EXPECT_EQ(kLatencyBounds.back(), 10s);
  EXPECT_EQ(std::adjacent_find(kLatencyBounds.begin(), kLatencyBounds.end(), std::greater_equal<>()),
            kLatencyBounds.end());
  EXPECT_EQ(kElectionBounds.front(), 100ms);
  EXPECT_EQ(kElectionBounds.back(), 10min);
  EXPECT_EQ(std::adjacent_find(kElectionBounds.begin(), kElectionBounds.end(), std::greater_equal<>()),
            kElectionBounds.end());
}

}  // namespace
}  // namespace wk
