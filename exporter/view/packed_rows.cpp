#include "exporter/view/packed_rows.h"

#include <algorithm>
#include <array>
#include <bit>
#include <bitset>
#include <cmath>
#include <iterator>
#include <limits>
#include <optional>
#include <span>

#include "base/check.h"

namespace wk::exporter {
namespace {

constexpr std::uint32_t kUnknown = std::bit_cast<std::uint32_t>(std::numeric_limits<float>::quiet_NaN());
using Patterns = std::array<std::uint32_t, PackedRows::kChunkRows>;

/// `value` as it is kept: rounded to 9 bits of mantissa unless it is a whole number.
std::uint32_t pattern_of(float value) {
  constexpr std::uint32_t kDropped = 0x3FFF;
  if (std::isnan(value)) return kUnknown;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (!std::isfinite(value) || std::trunc(value) == value) return bits;
  const auto rounded = (bits + (kDropped >> 1)) & ~kDropped;
  return std::isfinite(std::bit_cast<float>(rounded)) ? rounded : bits & ~kDropped;
}

/// Appends numbers of any count of bits; the first one is in the lowest bits of the first byte.
class BitWriter {
 public:
  void put(std::uint64_t number, unsigned bits) {
    while (bits > 0) {
      if (free_ == 0) {
        bytes_.push_back(0);
        free_ = 8;
      }
      const unsigned now = std::min(bits, free_);
      bytes_.back() = static_cast<std::uint8_t>(bytes_.back() | (number & ((1U << now) - 1)) << (8 - free_));
      number >>= now;
      bits -= now;
      free_ -= now;
    }
  }
  /// What was written, in exactly the room it needs.
  [[nodiscard]] std::vector<std::uint8_t> bytes() const { return {bytes_.begin(), bytes_.end()}; }

 private:
  std::vector<std::uint8_t> bytes_;
  unsigned free_ = 0;  ///< bits of the last byte that nothing was written to
};

class BitReader {
 public:
  explicit BitReader(const std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}

  std::uint64_t take(unsigned bits) {
    std::uint64_t number = 0;
    for (unsigned taken = 0; taken < bits;) {
      const unsigned used = at_ % 8, now = std::min(bits - taken, 8 - used);
      const std::uint64_t part = bytes_[at_ / 8] >> used & ((1U << now) - 1);
      number |= part << taken;
      taken += now;
      at_ += now;
    }
    return number;
  }
  void skip(std::size_t bits) { at_ += bits; }

 private:
  const std::vector<std::uint8_t>& bytes_;
  std::size_t at_ = 0;
};

// A chunk is its columns one after the other. A column begins with its ColumnKind; the pattern that most of
// its numbers have and a bit for each row that has it follow where the kind says so, then the codes of the
// others.
enum class ColumnKind : std::uint8_t {
  kAlike,   ///< all numbers have the pattern that follows
  kMostly,  ///< so do those whose bit is set
  kCoded,   ///< every number has a code
};
constexpr unsigned kKindBits = 2, kPatternBits = 32, kWidthBits = 6, kShiftBits = 5;

/// What precedes codes. Code 0 is an unknown number and the next code zero, if there are any; the further
/// ones are the other patterns, counted from the least. Patterns of floats rise with the (positive) number,
/// so that numbers of like size differ in few bits; zero is apart since its pattern is far from those of
/// small numbers.
struct CodeHead {
  unsigned width = 0;  ///< bits a code
  unsigned shift = 0;  ///< low bits that no pattern has, left out of codes and `least`
  bool has_unknown = false, has_zero = false;
  std::uint32_t least = 0;

  [[nodiscard]] unsigned first_code() const { return unsigned{has_unknown} + unsigned{has_zero}; }
};

CodeHead head_of(std::span<const std::uint32_t> patterns) {
  CodeHead head;
  std::uint32_t any = 0;
  std::optional<std::uint32_t> least, most;
  for (const std::uint32_t pattern : patterns) {
    head.has_unknown |= pattern == kUnknown;
    head.has_zero |= pattern == 0;
    if (pattern == kUnknown || pattern == 0) continue;
    any |= pattern;
    least = std::min(least.value_or(pattern), pattern);
    most = std::max(most.value_or(pattern), pattern);
  }
  std::uint64_t codes = head.first_code();
  if (least) {
    head.shift = static_cast<unsigned>(std::countr_zero(any));
    head.least = *least >> head.shift;
    codes += std::uint64_t{(*most >> head.shift) - head.least} + 1;
  }
  head.width = static_cast<unsigned>(std::bit_width(codes - 1));
  return head;
}

void put_codes(const CodeHead& head, std::span<const std::uint32_t> patterns, BitWriter& writer) {
  writer.put(head.width, kWidthBits);
  writer.put(head.shift, kShiftBits);
  writer.put(head.has_unknown, 1);
  writer.put(head.has_zero, 1);
  writer.put(head.least, kPatternBits);
  for (const std::uint32_t pattern : patterns) {
    std::uint64_t code = 0;
    if (pattern == 0)
      code = head.has_unknown;
    else if (pattern != kUnknown)
      code = std::uint64_t{(pattern >> head.shift) - head.least} + head.first_code();
    writer.put(code, head.width);
  }
}

CodeHead take_head(BitReader& reader) {
  CodeHead head;
  head.width = static_cast<unsigned>(reader.take(kWidthBits));
  head.shift = static_cast<unsigned>(reader.take(kShiftBits));
  head.has_unknown = reader.take(1) != 0;
  head.has_zero = reader.take(1) != 0;
  head.least = static_cast<std::uint32_t>(reader.take(kPatternBits));
  return head;
}

std::uint32_t take_pattern(BitReader& reader, const CodeHead& head) {
  const std::uint64_t code = reader.take(head.width);
  if (head.has_unknown && code == 0) return kUnknown;
  if (code < head.first_code()) return 0;
  return static_cast<std::uint32_t>(code - head.first_code() + head.least) << head.shift;
}

std::uint32_t most_frequent(Patterns patterns) {
  std::ranges::sort(patterns);
  std::uint32_t found = patterns.front();
  std::ptrdiff_t most = 0;
  for (auto first = patterns.begin(); first != patterns.end();) {
    const auto end =
        std::find_if(first, patterns.end(), [first](std::uint32_t one) { return one != *first; });
    if (end - first > most) {
      most = end - first;
      found = *first;
    }
    first = end;
  }
  return found;
}

void put_column(const Patterns& patterns, BitWriter& writer) {
  const std::uint32_t common = most_frequent(patterns);
  std::vector<std::uint32_t> others;
  std::ranges::copy_if(patterns, std::back_inserter(others),
                       [common](std::uint32_t one) { return one != common; });
  if (others.empty()) {
    writer.put(static_cast<unsigned>(ColumnKind::kAlike), kKindBits);
    writer.put(common, kPatternBits);
    return;
  }
  const CodeHead all = head_of(patterns), apart = head_of(others);
  if (kPatternBits + patterns.size() + others.size() * apart.width >= patterns.size() * all.width) {
    writer.put(static_cast<unsigned>(ColumnKind::kCoded), kKindBits);
    put_codes(all, patterns, writer);
    return;
  }
  writer.put(static_cast<unsigned>(ColumnKind::kMostly), kKindBits);
  writer.put(common, kPatternBits);
  for (const std::uint32_t pattern : patterns) writer.put(pattern == common, 1);
  put_codes(apart, others, writer);
}

Patterns take_column(BitReader& reader) {
  Patterns patterns;
  std::bitset<PackedRows::kChunkRows> is_common;
  const auto kind = static_cast<ColumnKind>(reader.take(kKindBits));
  if (kind != ColumnKind::kCoded) {
    patterns.fill(static_cast<std::uint32_t>(reader.take(kPatternBits)));
    if (kind == ColumnKind::kAlike) return patterns;
    for (std::size_t row = 0; row < is_common.size(); ++row) is_common[row] = reader.take(1) != 0;
  }
  const CodeHead head = take_head(reader);
  for (std::size_t row = 0; row < patterns.size(); ++row)
    if (!is_common[row]) patterns[row] = take_pattern(reader, head);
  return patterns;
}

void skip_column(BitReader& reader) {
  std::size_t codes = PackedRows::kChunkRows;
  const auto kind = static_cast<ColumnKind>(reader.take(kKindBits));
  if (kind != ColumnKind::kCoded) {
    reader.skip(kPatternBits);
    if (kind == ColumnKind::kAlike) return;
    for (std::size_t row = 0; row < PackedRows::kChunkRows; ++row) codes -= reader.take(1);
  }
  const CodeHead head = take_head(reader);
  reader.skip(codes * head.width);
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
    if (!chunks_.empty() && stored - size_ >= kChunkRows) chunks_.erase(chunks_.begin());
  }
}

void PackedRows::replace_newest(const float* row) {
  WK_CHECK(!newest_.empty(), "there is no row to replace");
  std::copy(row, row + width_, newest_.end() - static_cast<std::ptrdiff_t>(width_));
}

void PackedRows::pack() {
  BitWriter writer;
  for (std::size_t column = 0; column < width_; ++column) {
    Patterns patterns;
    for (std::size_t row = 0; row < kChunkRows; ++row)
      patterns[row] = pattern_of(newest_[row * width_ + column]);
    put_column(patterns, writer);
  }
  newest_.clear();
  chunks_.push_back(writer.bytes());
}

std::vector<float> PackedRows::read(std::size_t column, std::size_t first) const {
  WK_CHECK(column < width_, "no such column");
  std::vector<float> values;
  if (first >= size_) return values;
  values.reserve(size_ - first);
  const std::size_t stored = chunks_.size() * kChunkRows + newest_.size() / width_;
  const std::size_t from = stored - size_ + first;  // Rows before it are stored and not wanted.
  for (std::size_t chunk = from / kChunkRows; chunk < chunks_.size(); ++chunk) {
    BitReader reader(chunks_[chunk]);
    for (std::size_t before = 0; before < column; ++before) skip_column(reader);
    const Patterns patterns = take_column(reader);
    for (std::size_t row = 0; row < kChunkRows; ++row)
      if (chunk * kChunkRows + row >= from) values.push_back(std::bit_cast<float>(patterns[row]));
  }
  const std::size_t packed_rows = chunks_.size() * kChunkRows;
  for (std::size_t row = std::max(from, packed_rows) - packed_rows; row < newest_.size() / width_; ++row)
    values.push_back(newest_[row * width_ + column]);
  return values;
}

std::size_t PackedRows::bytes() const {
  std::size_t total = sizeof(*this) + newest_.capacity() * sizeof(float) + chunks_.capacity() * sizeof(Chunk);
  for (const Chunk& chunk : chunks_) total += chunk.capacity();
  return total;
}

}  // namespace wk::exporter
