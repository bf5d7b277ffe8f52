// Cuts frames out of a stream and keeps only the head of each: what follows is skipped without being looked
// at.
//
// Invariant: `held_size_` is below the head's size between two calls, or `skip_` bytes of a frame are still
// to come. Thread: one owner. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/error.h"

namespace wk::bench {

/// Big-endian number of the wire.
template <typename T>
T big_endian(const std::byte* at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value = value << 8U | std::to_integer<std::uint64_t>(at[i]);
  return static_cast<T>(value);
}

/// \tparam kHeadBytes  bytes of a frame that its owner wants to see, the length in front included; above 4
template <std::size_t kHeadBytes>
class FrameSkimmer {
 public:
  static constexpr std::size_t kLengthBytes = 4;
  /// Longest payload that is believed.
  static constexpr std::size_t kPayloadMaxBytes = std::size_t{64} << 20U;
  static_assert(kHeadBytes > kLengthBytes);

  /// Calls take(head) for every frame whose head is complete now: the payload's first kHeadBytes - 4 bytes,
  /// or all of it when it is shorter. The head lives during the call. \param take  returns Result<bool>;
  /// false: look at nothing more, the owner has given the stream up \return  an error of `take`, or kTooLarge
  /// for a length that nobody sends
  template <typename Take>
  Result<void> feed(std::span<const std::byte> bytes, Take&& take) {
    while (!bytes.empty()) {
      if (skip_ > 0) {
        const std::size_t skipped = std::min(skip_, bytes.size());
        skip_ -= skipped;
        bytes = bytes.subspan(skipped);
        continue;
      }
      const std::size_t wanted = std::min(head_size() - held_size_, bytes.size());
      std::memcpy(held_.data() + held_size_, bytes.data(), wanted);
      held_size_ += wanted;
      bytes = bytes.subspan(wanted);
      if (held_size_ < kLengthBytes) continue;
      const std::size_t size = big_endian<std::uint32_t>(held_.data());
      if (size > kPayloadMaxBytes) return Error{Errc::kTooLarge, "a frame of more than 64 MiB"};
      if (held_size_ < head_size()) continue;
      const std::span<const std::byte> head(held_.data() + kLengthBytes, held_size_ - kLengthBytes);
      skip_ = size - head.size();
      held_size_ = 0;
      const Result<bool> go_on = take(head);
      if (!go_on) return go_on.error();
      if (!*go_on) return {};
    }
    return {};
  }

  /// Forgets what has come: another stream begins.
  void reset() {
    held_size_ = 0;
    skip_ = 0;
  }

 private:
  /// Bytes of the head of the frame that is coming in, as far as its length is known.
  [[nodiscard]] std::size_t head_size() const {
    if (held_size_ < kLengthBytes) return kLengthBytes;
    return std::min(kHeadBytes, kLengthBytes + std::size_t{big_endian<std::uint32_t>(held_.data())});
  }

  std::array<std::byte, kHeadBytes> held_{};
  std::size_t held_size_ = 0;
  std::size_t skip_ = 0;
};

}  // namespace wk::bench
