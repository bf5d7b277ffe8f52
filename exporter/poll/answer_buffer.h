// The bytes of one answer while they come, up to a limit.
//
// While nothing has come there is room for a word only: members are visited side by side, and each visit
// waits most of its time. With the first bytes it grows to kFirstBytes, which holds the whole of what a
// member usually says, then by doubling; nothing is zeroed. Thread: one owner.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace wk::exporter {

class AnswerBuffer {
 public:
  static constexpr std::size_t kWaitingBytes = 512;
  static constexpr std::size_t kFirstBytes = std::size_t{32} << 10;

  /// \param limit  longest answer in bytes; one byte more is kept, to tell "full" from "more to come"
  explicit AnswerBuffer(std::size_t limit) : limit_(limit) {}

  /// Room for the next read; not empty while !overflown().
  [[nodiscard]] std::span<char> room() {
    if (used_ == capacity_) grow();
    return {bytes_.get() + used_, capacity_ - used_};
  }
  /// `count` bytes of room() were filled.
  void commit(std::size_t count) { used_ += count; }

  [[nodiscard]] std::string_view text() const { return {bytes_.get(), used_}; }
  [[nodiscard]] bool overflown() const { return used_ > limit_; }

 private:
  void grow() {
    const std::size_t wanted = capacity_ == 0 ? kWaitingBytes : std::max(kFirstBytes, capacity_ * 2);
    const std::size_t capacity = std::min(limit_ + 1, wanted);
    std::unique_ptr<char[]> bytes(new char[capacity]);
    if (used_ > 0) std::memcpy(bytes.get(), bytes_.get(), used_);
    bytes_ = std::move(bytes);
    capacity_ = capacity;
  }

  std::size_t limit_;
  std::unique_ptr<char[]> bytes_;
  std::size_t used_ = 0, capacity_ = 0;
};

}  // namespace wk::exporter
