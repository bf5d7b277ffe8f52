#include "exporter/view/packed_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

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
    EXPECT_NEAR(read[i], value(i), value(i) / 1000) << i;
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
      EXPECT_NEAR(read[i], wanted, 2e-41F) << i;  // below the smallest normal number the digits are fewer
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

/// Bytes of one more chunk of numbers value(i), in a ring that already has four.
template <typename Value>
std::size_t chunk_bytes(Value value) {
  const std::size_t before = rows_of(4 * kChunk + 1, 100 * kChunk, value).bytes();
  // Four further chunks: the ring's own table grows in powers of two.
  const std::size_t after = rows_of(8 * kChunk + 1, 100 * kChunk, value).bytes();
  return (after - before) / 4 - sizeof(std::vector<std::uint8_t>);
}

TEST(PackedRows, AColumnTakesTheBitsInWhichItsNumbersDiffer) {
  const auto bytes = [](std::size_t bits) { return (bits + 7) / 8; };
  constexpr std::size_t kCodedHead = 2 + 45, kMostlyHead = 2 + 32 + kChunk + 45;
  EXPECT_EQ(chunk_bytes([](std::size_t) { return 12'345'678.0F; }), bytes(2 + 32));
  EXPECT_EQ(chunk_bytes([](std::size_t) { return kUnknown; }), bytes(2 + 32));
  EXPECT_EQ(chunk_bytes([](std::size_t i) { return i % 2 == 0 ? 0.0F : 1.0F; }), bytes(kCodedHead + kChunk));
  EXPECT_EQ(chunk_bytes([](std::size_t i) { return i % 2 == 0 ? kUnknown : 12'345'678.0F; }),
            bytes(kCodedHead + kChunk));
  EXPECT_EQ(chunk_bytes([](std::size_t i) {
              return std::array{0.0F, kUnknown, 0.25F}[i % 3];
            }),
            bytes(kCodedHead + 2 * kChunk));
  EXPECT_EQ(chunk_bytes([](std::size_t i) { return static_cast<float>(10'000'000 + i % kChunk); }),
            bytes(kCodedHead + 6 * kChunk));
  // Up to 512 patterns lie between one number and its double.
  const auto noise = [](std::size_t i) { return 1.001F + static_cast<float>(i * 7919 % 997) / 1000; };
  EXPECT_EQ(chunk_bytes(noise), bytes(kCodedHead + 9 * kChunk));
  EXPECT_EQ(chunk_bytes([&](std::size_t i) { return i % 10 == 0 ? noise(i) : kUnknown; }),
            bytes(kMostlyHead + 9 * kChunk / 10));
  EXPECT_EQ(chunk_bytes([&](std::size_t i) { return i % 10 == 0 ? 0.3F : 1000.0F; }), bytes(kMostlyHead));
}

TEST(PackedRows, ColumnsOfEveryKindStandBesideEachOther) {
  const auto number = [](std::size_t row, std::size_t column) {
    switch (column) {
      case 0:
        return row % 7 == 0 ? 0.5F * static_cast<float>(row) : kUnknown;
      case 1:
        return 42.0F;
      case 2:
        return static_cast<float>(row * 7919 % 997);
      case 3:
        return row % 20 == 0 ? 0.3125F : 1000.0F;
      default:
        return static_cast<float>(row);
    }
  };
  constexpr std::size_t kWidth = 5, kRows = 3 * kChunk + 7;
  PackedRows rows(kWidth, kRows);
  for (std::size_t row = 0; row < kRows; ++row) {
    std::array<float, kWidth> one{};
    for (std::size_t column = 0; column < kWidth; ++column) one[column] = number(row, column);
    rows.push(one.data());
  }
  for (std::size_t column = 0; column < kWidth; ++column) {
    const auto read = rows.read(column, 0);
    ASSERT_EQ(read.size(), kRows);
    for (std::size_t row = 0; row < kRows; ++row) {
      const float wanted = number(row, column);
      EXPECT_TRUE(read[row] == wanted || (std::isnan(read[row]) && std::isnan(wanted)))
          << "row " << row << ", column " << column << ": " << read[row] << " instead of " << wanted;
    }
  }
}

TEST(PackedRows, PatternsAsFarApartAsCanBeComeBack) {
  constexpr std::array<float, 6> kFar{-std::numeric_limits<float>::infinity(),
                                      std::bit_cast<float>(1U),
                                      0.0F,
                                      kUnknown,
                                      16'777'215.0F,
                                      -16'777'215.0F};
  const auto read =
      rows_of(2 * kChunk, 4 * kChunk, [&](std::size_t i) { return kFar[i % kFar.size()]; }).read(0, 0);
  for (std::size_t i = 0; i < kChunk; ++i) {
    if (i % kFar.size() == 1)
      EXPECT_EQ(read[i], 0.0F) << i;  // the smallest of all fractions, rounded
    else if (i % kFar.size() == 3)
      EXPECT_TRUE(std::isnan(read[i])) << i;
    else
      EXPECT_EQ(read[i], kFar[i % kFar.size()]) << i;
  }
}

TEST(PackedRows, ReadingBeyondTheNewestGivesNothing) {
  const PackedRows rows = rows_of(3, 10, [](std::size_t) { return 1.0F; });
  EXPECT_TRUE(rows.read(0, 3).empty());
  EXPECT_TRUE(PackedRows(1, 10).read(0, 0).empty());
}

}  // namespace
}  // namespace wk::exporter
