// Cuts a stream of bytes into frames: a 32-bit big-endian length, then that many bytes.
//
// Frames that lie whole in what was read are handed out where they lie; only a frame that spans two reads is
// copied, each byte once. Memory for such a frame grows with what arrived, not with what its length promises.
// Thread: one owner; pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace wk::net {

class FrameCutter {
 public:
  /// What a connection without a frame under way may keep.
  static constexpr std::size_t kKeptBytes = 1024;

  /// \param payload_max  longer frames are an error; at least 0
  explicit FrameCutter(std::int32_t payload_max) : payload_max_(payload_max) {}

  /// Takes the next bytes of the stream and calls `on_frame(std::span<const std::byte> payload)` for every
  /// frame that is complete now, in order; the payload lives during the call. When `on_frame` returns false,
  /// what is behind that frame is not taken. \param rest  gets what was not taken; nullptr: it is dropped
  /// \return  the length of a frame that is negative or above the limit; nothing follows it, ever
  template <typename OnFrame>
  [[nodiscard]] std::optional<std::int32_t> feed(std::span<const std::byte> bytes, OnFrame&& on_frame,
                                                 std::span<const std::byte>* rest = nullptr) {
    const auto refused = take(bytes, on_frame);
    if (rest != nullptr) *rest = bytes;
    return refused;
  }

  /// Bytes of a frame that is not complete.
  [[nodiscard]] std::size_t partial_bytes() const { return partial_.size(); }

 private:
  static constexpr std::size_t kPrefix = 4;

  template <typename OnFrame>
  std::optional<std::int32_t> take(std::span<const std::byte>& bytes, OnFrame& on_frame) {
    while (!partial_.empty() && !bytes.empty()) {
      const bool length_known = partial_.size() >= kPrefix;
      const std::size_t wanted =
          (length_known ? kPrefix + static_cast<std::size_t>(length_at(partial_)) : kPrefix) -
          partial_.size();
      const std::size_t taken = std::min(wanted, bytes.size());
      partial_.insert(partial_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
      bytes = bytes.subspan(taken);
      if (partial_.size() < kPrefix) return std::nullopt;
      const std::int32_t length = length_at(partial_);
      if (!allowed(length)) return length;
      if (partial_.size() == kPrefix + static_cast<std::size_t>(length)) {
        const bool go_on = on_frame(std::span<const std::byte>(partial_).subspan(kPrefix));
        clear_partial();
        if (!go_on) return std::nullopt;
      }
    }
    while (bytes.size() >= kPrefix) {
      const std::int32_t length = length_at(bytes);
      if (!allowed(length)) return length;
      const std::size_t whole = kPrefix + static_cast<std::size_t>(length);
      if (bytes.size() < whole) break;
      const std::span<const std::byte> payload = bytes.subspan(kPrefix, whole - kPrefix);
      bytes = bytes.subspan(whole);
      if (!on_frame(payload)) return std::nullopt;
    }
    partial_.insert(partial_.end(), bytes.begin(), bytes.end());
    bytes = {};
    return std::nullopt;
  }

  static std::int32_t length_at(std::span<const std::byte> bytes) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < kPrefix; ++i) value = value << 8 | static_cast<std::uint32_t>(bytes[i]);
    return static_cast<std::int32_t>(value);
  }
  [[nodiscard]] bool allowed(std::int32_t length) const { return length >= 0 && length <= payload_max_; }

  void clear_partial() {
    if (partial_.capacity() > kKeptBytes) {
      partial_ = {};
    } else {
      partial_.clear();
    }
  }

  std::int32_t payload_max_;
  std::vector<std::byte> partial_;
};

}  // namespace wk::net
