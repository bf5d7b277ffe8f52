// Decoder of Jute's binary encoding over bytes that are already in memory.
//
// The input is hostile: nothing is read past its end, no length is believed before it is compared with the
// bytes that are left and with the limit, and nothing is thrown. The first fault sticks; from then on every
// read answers zero or empty, so a caller may read a whole record and ask status() once. Thread: one owner.
// Pure. Source: BinaryInputArchive.java; reference "Jute encoding".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace wk::jute {

/// jute.maxbuffer's default: the longest frame that a server accepts from a client, in bytes.
inline constexpr std::size_t kMaxBuffer = 0xfffff;
/// Longest single string or buffer that is decoded or encoded: maxbuffer plus Apache's default extra size.
inline constexpr std::size_t kMaxStringBytes = 2 * kMaxBuffer;

class Reader {
 public:
  /// \param input             must stay alive and unchanged while the reader is used
  /// \param max_string_bytes  longest string or buffer to accept
  explicit Reader(std::span<const std::byte> input, std::size_t max_string_bytes = kMaxStringBytes)
      : input_(input), max_string_bytes_(max_string_bytes) {}

  std::int32_t read_int();
  std::int64_t read_long();
  /// Any non-zero byte is true.
  bool read_bool();
  /// A ustring or buffer; null (length -1) is nullopt and differs from empty. The bytes are not checked for
  /// UTF-8.
  std::optional<std::string> read_string();
  /// The same without a copy: the view lives as long as the input.
  std::optional<std::string_view> read_string_view();
  /// The count in front of a vector: nullopt for null (-1), 0 for any other negative count, as Java decodes
  /// it. \param min_element_bytes  smallest encoding of one element, at least 1; a count that cannot fit is a
  /// fault
  std::optional<std::size_t> read_count(std::size_t min_element_bytes);

  [[nodiscard]] std::size_t remaining() const { return input_.size() - position_; }
  /// Bytes read so far.
  [[nodiscard]] std::size_t position() const { return position_; }
  /// The input from `start`, an earlier position(), up to here.
  [[nodiscard]] std::span<const std::byte> read_since(std::size_t start) const {
    return input_.subspan(start, position_ - start);
  }
  [[nodiscard]] bool ok() const { return !fault_.has_value(); }

  /// Makes the reader fail at the current place, for what a record forbids (a null path). A first fault
  /// stays.
  void fail(Errc code, const char* what);
  /// Nothing, or the first fault: kTruncated, kTooLarge, or kInvalidInput, with the offset in the message.
  [[nodiscard]] Result<void> status() const;

 private:
  struct Fault {
    Errc code;
    const char* what;
    std::size_t offset;
  };

  std::uint64_t read_big_endian(std::size_t size);

  std::span<const std::byte> input_;
  std::size_t max_string_bytes_;
  std::size_t position_ = 0;
  std::optional<Fault> fault_;
};

}  // namespace wk::jute
