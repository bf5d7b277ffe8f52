#include "base/count_histogram.h"

#include <gtest/gtest.h>

namespace wk {
namespace {

constexpr std::array<std::uint64_t, 3> kBounds{1, 5, 100};

TEST(CountHistogram, UpperBoundsAreInclusiveAndTheLastBucketHasNone) {
  CountHistogram<kBounds> histogram;
  for (const std::uint64_t value : {0U, 1U, 2U, 5U, 6U, 100U, 101U, 1'000'000U}) histogram.record(value);
  EXPECT_EQ(histogram.bucket(0), 2U);
  EXPECT_EQ(histogram.bucket(1), 2U);
  EXPECT_EQ(histogram.bucket(2), 2U);
  EXPECT_EQ(histogram.bucket(3), 2U);
  EXPECT_EQ(histogram.count(), 8U);
  EXPECT_EQ(histogram.sum(), 1'000'215U);
}

TEST(CountHistogram, BoundsOfCrowdsRise) {
  EXPECT_TRUE(std::is_sorted(kCrowdBounds.begin(), kCrowdBounds.end()));
  EXPECT_EQ(kCrowdBounds.front(), 1U);
  EXPECT_EQ(kCrowdBounds.back(), 100'000U);
}

}  // namespace
}  // namespace wk
