// Big-endian numbers in byte ranges, for the fixed layouts of log and snapshot files.
//
// Thread: any; pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace wk::storage {

/// \param bytes  at least sizeof(T)
template <typename T>
T load_big_endian(std::span<const std::byte> bytes) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>(value << 8 | static_cast<T>(bytes[i]));
  return value;
}

inline std::uint32_t load_u32(std::span<const std::byte> bytes) {
  return load_big_endian<std::uint32_t>(bytes);
}
inline std::uint64_t load_u64(std::span<const std::byte> bytes) {
  return load_big_endian<std::uint64_t>(bytes);
}

/// Stores at `to`, which has room, and returns the place behind.
template <typename T>
std::byte* store_big_endian(std::byte* to, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i)
    to[i] = static_cast<std::byte>(value >> (8 * (sizeof(T) - 1 - i)));
  return to + sizeof(T);
}

template <typename T>
void append_big_endian(std::vector<std::byte>& out, T value) {
  std::array<std::byte, sizeof(T)> bytes;
  store_big_endian(bytes.data(), value);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

inline void append_u32(std::vector<std::byte>& out, std::uint32_t value) { append_big_endian(out, value); }
inline void append_u64(std::vector<std::byte>& out, std::uint64_t value) { append_big_endian(out, value); }

}  // namespace wk::storage
