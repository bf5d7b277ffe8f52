// A ring of rows of numbers that takes little memory: full chunks of rows are compressed, the newest rows are
// plain.
//
// A day of a member's history is 6,120 rows of 12 numbers. Most of them repeat the number before, so that
// deflate packs 294 kB into about 40. Numbers with a fraction keep four significant digits once they are
// packed (12 bits of their mantissa); whole numbers keep all that a float has. Thread: one owner; const
// functions from any thread while nobody writes.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

namespace wk::exporter {

class PackedRows {
 public:
  /// Rows that are compressed together.
  static constexpr std::size_t kChunkRows = 120;

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
  void pack();

  std::size_t width_, rows_max_;
  std::size_t size_ = 0;
  std::deque<std::string> chunks_;  ///< oldest first, each of kChunkRows rows
  std::vector<float> newest_;       ///< the rows after the chunks, fewer than kChunkRows + 1
};

}  // namespace wk::exporter
