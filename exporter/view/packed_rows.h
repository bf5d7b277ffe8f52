// A ring of rows of numbers that takes little memory: full chunks of rows are packed column by column, the
// newest rows are plain.
//
// A day of a member's history is 6,120 rows of 12 numbers, 294 kB if each were kept whole. Most columns keep
// one value through a chunk and take five bytes of it; of the others only the bits are kept in which their
// numbers differ, and of numbers that are mostly one value only the others. Numbers with a fraction keep
// three significant digits once they are packed (9 bits of their mantissa), as many as the page shows, so
// that the noise of a measured latency takes 10 to 12 bits; whole numbers keep all that a float has. Thread:
// one owner; const functions from any thread while nobody writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace wk::exporter {

class PackedRows {
 public:
  /// Rows that are packed together.
  static constexpr std::size_t kChunkRows = 60;

  /// \param width     numbers a row, at least 1
  /// \param rows_max  rows held, at least 1; the oldest leave
  PackedRows(std::size_t width, std::size_t rows_max);

  /// Adds a row of `width` numbers; NaN = unknown.
  void push(const float* row);
  /// Puts `row` in place of the newest, which must exist.
  void replace_newest(const float* row);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// The numbers of `column` from row `first` (0 = the oldest held) to the newest.
  [[nodiscard]] std::vector<float> read(std::size_t column, std::size_t first) const;
  /// Bytes held now, without what the allocator adds.
  [[nodiscard]] std::size_t bytes() const;

 private:
  using Chunk = std::vector<std::uint8_t>;
  void pack();

  std::size_t width_, rows_max_;
  std::size_t size_ = 0;
  std::vector<Chunk> chunks_;  ///< oldest first, each of kChunkRows rows; at most rows_max / kChunkRows + 2
  std::vector<float> newest_;  ///< the rows after the chunks, fewer than kChunkRows + 1
};

}  // namespace wk::exporter
