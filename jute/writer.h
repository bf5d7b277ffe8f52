// Encoder of Jute's binary encoding to the end of a byte vector.
//
// The first fault sticks and nothing more is appended; what was appended before it stays and is the caller's
// to remove. Thread: one owner. Pure. Source: BinaryOutputArchive.java; reference "Jute encoding".
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "jute/reader.h"

namespace wk::jute {

/// The longest string that the encoding can hold: for what is stored already, whatever the limit for requests
/// is now.
inline constexpr auto kLongestString = static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max());

class Writer {
 public:
  /// \param output  appended to; must outlive the writer
  explicit Writer(std::vector<std::byte>& output, std::size_t max_string_bytes = kMaxStringBytes)
      : output_(output), max_string_bytes_(max_string_bytes) {}

  void write_int(std::int32_t value);
  void write_long(std::int64_t value);
  void write_bool(bool value);
  /// A ustring or buffer; nullopt is written as null.
  void write_string(std::optional<std::string_view> value);
  /// The count in front of a vector; nullopt announces a null vector.
  void write_count(std::optional<std::size_t> count);
  /// Bytes that are encoded already.
  void write_encoded(std::span<const std::byte> bytes);

  [[nodiscard]] bool ok() const { return !too_large_; }
  /// Nothing, or Errc::kTooLarge when a string or count passed its limit.
  [[nodiscard]] Result<void> status() const;

 private:
  void write_big_endian(std::uint64_t value, std::size_t size);

  std::vector<std::byte>& output_;
  std::size_t max_string_bytes_;
  bool too_large_ = false;
};

}  // namespace wk::jute
