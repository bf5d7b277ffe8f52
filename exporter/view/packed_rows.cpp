#include "exporter/view/packed_rows.h"

#include <libdeflate.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>

#include "base/check.h"

namespace wk::exporter {
namespace {

constexpr int kLevel = 6;
constexpr std::size_t kPlanes = sizeof(float);

struct Free {
  void operator()(libdeflate_compressor* compressor) const { libdeflate_free_compressor(compressor); }
  void operator()(libdeflate_decompressor* decompressor) const { libdeflate_free_decompressor(decompressor); }
};

/// `value` as it is kept: rounded to 12 bits of mantissa unless it is a whole number.
std::uint32_t kept_bits(float value) {
  constexpr std::uint32_t kDropped = 0x7FF;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (!std::isfinite(value) || std::trunc(value) == value) return bits;
  const auto rounded = (bits + (kDropped >> 1)) & ~kDropped;
  return std::isfinite(std::bit_cast<float>(rounded)) ? rounded : bits & ~kDropped;
}

}  // namespace

PackedRows::PackedRows(std::size_t width, std::size_t rows_max) : width_(width), rows_max_(rows_max) {
  WK_CHECK(width > 0 && rows_max > 0, "a ring needs a column and a row");
}

void PackedRows::push(const float* row) {
  // Packed only when a further row comes: the newest row may yet be replaced.
  if (newest_.size() == kChunkRows * width_) pack();
  newest_.insert(newest_.end(), row, row + width_);
  ++size_;
  if (size_ > rows_max_) {
    size_ = rows_max_;
    // The oldest chunk goes once none of its rows is held any more.
    const std::size_t stored = chunks_.size() * kChunkRows + newest_.size() / width_;
    if (!chunks_.empty() && stored - size_ >= kChunkRows) chunks_.pop_front();
  }
}

void PackedRows::replace_newest(const float* row) {
  WK_CHECK(!newest_.empty(), "there is no row to replace");
  std::copy(row, row + width_, newest_.end() - static_cast<std::ptrdiff_t>(width_));
}

// Column by column, each number as its difference (exclusive or) from the one before, and the bytes of equal
// weight together: what repeats becomes runs of zeros.
void PackedRows::pack() {
  std::vector<unsigned char> plain(width_ * kChunkRows * kPlanes);
  for (std::size_t column = 0; column < width_; ++column) {
    std::uint32_t before = 0;
    for (std::size_t row = 0; row < kChunkRows; ++row) {
      const std::uint32_t bits = kept_bits(newest_[row * width_ + column]);
      const std::uint32_t difference = bits ^ before;
      before = bits;
      for (std::size_t plane = 0; plane < kPlanes; ++plane)
        plain[(plane * width_ + column) * kChunkRows + row] =
            static_cast<unsigned char>(difference >> (8 * plane));
    }
  }
  newest_.clear();
  const std::unique_ptr<libdeflate_compressor, Free> compressor(libdeflate_alloc_compressor(kLevel));
  WK_CHECK(compressor != nullptr, "no memory for a compressor");
  std::string packed(libdeflate_deflate_compress_bound(compressor.get(), plain.size()), '\0');
  const std::size_t size =
      libdeflate_deflate_compress(compressor.get(), plain.data(), plain.size(), packed.data(), packed.size());
  WK_CHECK(size > 0, "the bound of the compressed size was none");
  chunks_.emplace_back(packed.data(), size);
}

std::vector<float> PackedRows::read(std::size_t column, std::size_t first) const {
  WK_CHECK(column < width_, "no such column");
  std::vector<float> values;
  if (first >= size_) return values;
  values.reserve(size_ - first);
  const std::size_t stored = chunks_.size() * kChunkRows + newest_.size() / width_;
  const std::size_t from = stored - size_ + first;  // Rows before it are stored and not wanted.
  std::unique_ptr<libdeflate_decompressor, Free> decompressor;
  std::vector<unsigned char> plain;
  for (std::size_t chunk = from / kChunkRows; chunk < chunks_.size(); ++chunk) {
    if (!decompressor) {
      decompressor.reset(libdeflate_alloc_decompressor());
      WK_CHECK(decompressor != nullptr, "no memory for a decompressor");
      plain.resize(width_ * kChunkRows * kPlanes);
    }
    const auto outcome =
        libdeflate_deflate_decompress(decompressor.get(), chunks_[chunk].data(), chunks_[chunk].size(),
                                      plain.data(), plain.size(), nullptr);
    WK_CHECK(outcome == LIBDEFLATE_SUCCESS, "a chunk of the history does not unpack");
    std::uint32_t bits = 0;
    for (std::size_t row = 0; row < kChunkRows; ++row) {
      for (std::size_t plane = 0; plane < kPlanes; ++plane)
        bits ^= std::uint32_t{plain[(plane * width_ + column) * kChunkRows + row]} << (8 * plane);
      if (chunk * kChunkRows + row >= from) values.push_back(std::bit_cast<float>(bits));
    }
  }
  const std::size_t packed_rows = chunks_.size() * kChunkRows;
  for (std::size_t row = std::max(from, packed_rows) - packed_rows; row < newest_.size() / width_; ++row)
    values.push_back(newest_[row * width_ + column]);
  return values;
}

std::size_t PackedRows::bytes() const {
  std::size_t total = sizeof(*this) + newest_.capacity() * sizeof(float);
  for (const std::string& chunk : chunks_) total += sizeof(chunk) + chunk.capacity();
  return total;
}

}  // namespace wk::exporter
