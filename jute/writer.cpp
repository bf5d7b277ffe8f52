#include "jute/writer.h"

#include <fmt/format.h>

#include <array>
#include <limits>

namespace wk::jute {

void Writer::write_big_endian(std::uint64_t value, std::size_t size) {
  if (too_large_) return;
  std::array<std::byte, 8> bytes;
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(value >> (8 * (size - 1 - i)));
  output_.insert(output_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
}

void Writer::write_int(std::int32_t value) { write_big_endian(static_cast<std::uint32_t>(value), 4); }

void Writer::write_long(std::int64_t value) { write_big_endian(static_cast<std::uint64_t>(value), 8); }

void Writer::write_bool(bool value) { write_big_endian(value ? 1 : 0, 1); }

void Writer::write_string(std::optional<std::string_view> value) {
  if (!value) return write_int(-1);
  if (value->size() > max_string_bytes_) too_large_ = true;
  if (too_large_) return;
  write_int(static_cast<std::int32_t>(value->size()));
  const auto bytes = std::as_bytes(std::span(value->data(), value->size()));
  output_.insert(output_.end(), bytes.begin(), bytes.end());
}

void Writer::write_count(std::optional<std::size_t> count) {
  if (!count) return write_int(-1);
  if (*count > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) too_large_ = true;
  if (too_large_) return;
  write_int(static_cast<std::int32_t>(*count));
}

void Writer::write_encoded(std::span<const std::byte> bytes) {
  if (!too_large_) output_.insert(output_.end(), bytes.begin(), bytes.end());
}

Result<void> Writer::status() const {
  if (!too_large_) return {};
  return Error{Errc::kTooLarge,
               fmt::format("a string is longer than the limit of {} bytes", max_string_bytes_)};
}

}  // namespace wk::jute
