#include "bench/load/latency_histogram.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>

namespace wk::bench {
namespace {

using std::chrono::nanoseconds;

TEST(LatencyHistogram, EmptyTellsZero) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.mean(), nanoseconds{0});
  EXPECT_EQ(histogram.quantile(0.99), nanoseconds{0});
}

TEST(LatencyHistogram, SmallLatenciesAreExact) {
  LatencyHistogram histogram;
  for (std::int64_t latency = 1; latency <= 100; ++latency) histogram.record(nanoseconds{latency});
  EXPECT_EQ(histogram.quantile(0.5), nanoseconds{50});
  EXPECT_EQ(histogram.quantile(0.99), nanoseconds{99});
  EXPECT_EQ(histogram.quantile(0.991), nanoseconds{100});
  EXPECT_EQ(histogram.quantile(1), nanoseconds{100});
  EXPECT_EQ(histogram.mean(), nanoseconds{50});
}

TEST(LatencyHistogram, QuantilesAreWithinOnePercentAtEverySize) {
  for (std::int64_t latency = 1; latency < std::int64_t{1} << 46; latency = latency * 5 / 3 + 1) {
    LatencyHistogram histogram;
    histogram.record(nanoseconds{latency});
    histogram.record(nanoseconds{latency * 4});
    const auto found = histogram.quantile(0.5).count();
    EXPECT_GE(found, latency);
    EXPECT_LE(static_cast<double>(found), static_cast<double>(latency) * 1.01);
  }
}

TEST(LatencyHistogram, HugeAndNegativeLatenciesAreCounted) {
  LatencyHistogram histogram;
  histogram.record(std::chrono::hours{200});
  histogram.record(nanoseconds{-5});
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.max(), std::chrono::hours{200});
  EXPECT_EQ(histogram.quantile(0.5), nanoseconds{0});
}

TEST(LatencyHistogram, MergingAddsUp) {
  LatencyHistogram one;
  LatencyHistogram other;
  for (int i = 0; i < 90; ++i) one.record(nanoseconds{10});
  for (int i = 0; i < 10; ++i) other.record(nanoseconds{100});
  one.merge(other);
  EXPECT_EQ(one.count(), 100U);
  EXPECT_EQ(one.mean(), nanoseconds{19});
  EXPECT_EQ(one.quantile(0.9), nanoseconds{10});
  EXPECT_EQ(one.quantile(0.91), nanoseconds{100});
  EXPECT_EQ(one.max(), nanoseconds{100});
}

}  // namespace
}  // namespace wk::bench
