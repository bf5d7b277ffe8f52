#include "exporter/view/packed_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace wk::exporter {
namespace {

constexpr std::size_t kChunk = PackedRows::kChunkRows;
constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();

/// Rows of one number each: row i holds value(i).
template <typename Value>
PackedRows rows_of(std::size_t count, std::size_t rows_max, Value value) {
  PackedRows rows(1, rows_max);
  for (std::size_t i = 0; i < count; ++i) {
    const float number = value(i);
    rows.push(&number);
  }
  return rows;
}

TEST(PackedRows, WholeNumbersAndGapsComeBackExactly) {
  const auto value = [](std::size_t i) { return i % 7 == 3 ? kUnknown : static_cast<float>(16'000'000 + i); };
  const PackedRows rows = rows_of(5 * kChunk + 17, 10 * kChunk, value);
  ASSERT_EQ(rows.size(), 5 * kChunk + 17);
  const auto read = rows.read(0, 0);
  ASSERT_EQ(read.size(), rows.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (i % 7 == 3)
      EXPECT_TRUE(std::isnan(read[i])) << i;
    else
      EXPECT_EQ(read[i], value(i)) << i;
  }
}

TEST(PackedRows, FractionsKeepFourDigits) {
  const auto value = [](std::size_t i) { return 0.001234567F * static_cast<float>(i + 1); };
  const PackedRows rows = rows_of(2 * kChunk, 10 * kChunk, value);
  const auto read = rows.read(0, 0);
  ASSERT_EQ(read.size(), 2 * kChunk);
  bool any_rounded = false;
  for (std::size_t i = 0; i < read.size(); ++i) {
    EXPECT_NEAR(read[i], value(i), value(i) / 4000) << i;
    any_rounded |= read[i] != value(i);
  }
  EXPECT_TRUE(any_rounded);
}

TEST(PackedRows, ExtremesSurvivePacking) {
  constexpr std::array<float, 6> kExtremes{std::numeric_limits<float>::max(),
                                           std::numeric_limits<float>::lowest(),
                                           std::numeric_limits<float>::infinity(),
                                           0.0F,
                                           -0.5F,
                                           1e-40F};
  const PackedRows rows =
      rows_of(2 * kChunk, 4 * kChunk, [&](std::size_t i) { return kExtremes[i % kExtremes.size()]; });
  const auto read = rows.read(0, 0);
  for (std::size_t i = 0; i < kChunk; ++i) {
    const float wanted = kExtremes[i % kExtremes.size()];
    if (wanted == 1e-40F)
      EXPECT_NEAR(read[i], wanted, 1e-41F) << i;  // below the smallest normal number the digits are fewer
    else
      EXPECT_EQ(read[i], wanted) << i;
  }
}

TEST(PackedRows, ColumnsDoNotMix) {
  PackedRows rows(3, 1000);
  for (std::size_t i = 0; i < 300; ++i) {
    const std::array<float, 3> row{static_cast<float>(i), -static_cast<float>(i), 7.0F};
    rows.push(row.data());
  }
  EXPECT_EQ(rows.read(0, 250).front(), 250.0F);
  EXPECT_EQ(rows.read(1, 10).front(), -10.0F);
  EXPECT_EQ(std::ranges::count(rows.read(2, 0), 7.0F), 300);
}

TEST(PackedRows, OldRowsLeaveOneByOneAndChunksWithThem) {
  constexpr std::size_t kMax = 3 * kChunk + 5;
  PackedRows rows(1, kMax);
  std::size_t most = 0;
  for (std::size_t i = 0; i < 20 * kChunk; ++i) {
    const float number = static_cast<float>(i);
    rows.push(&number);
    ASSERT_EQ(rows.size(), std::min(i + 1, kMax));
    const auto read = rows.read(0, 0);
    ASSERT_EQ(read.size(), rows.size());
    ASSERT_EQ(read.front(), static_cast<float>(i + 1 - rows.size()));
    ASSERT_EQ(read.back(), number);
    if (i > 10 * kChunk) most = std::max(most, rows.bytes());
  }
  EXPECT_LT(most, 4 * kChunk * sizeof(float));
}

TEST(PackedRows, TheNewestRowCanBeReplacedAlsoAtTheEndOfAChunk) {
  for (const std::size_t count : {std::size_t{1}, kChunk - 1, kChunk, kChunk + 1}) {
    PackedRows rows = rows_of(count, 4 * kChunk, [](std::size_t) { return 1.0F; });
    const float better = 2.0F;
    rows.replace_newest(&better);
    rows.push(&better);
    const auto read = rows.read(0, 0);
    ASSERT_EQ(read.size(), count + 1) << count;
    EXPECT_EQ(read[count - 1], 2.0F) << count;
    if (count > 1) {
      EXPECT_EQ(read[count - 2], 1.0F) << count;
    }
  }
}

TEST(PackedRows, ReadingBeyondTheNewestGivesNothing) {
  const PackedRows rows = rows_of(3, 10, [](std::size_t) { return 1.0F; });
  EXPECT_TRUE(rows.read(0, 3).empty());
  EXPECT_TRUE(PackedRows(1, 10).read(0, 0).empty());
}

}  // namespace
}  // namespace wk::exporter
