// The bytes of one answer while they come, up to a limit.
//
// While nothing has come there is room for a word only: members are visited side by side, and each visit
// waits most of its time. With the first bytes it grows to kFirstBytes, which holds the whole of what a
// member usually says, then by doubling; nothing is zeroed. Lines that nobody needs may be taken out on the
// way, so that an answer may be longer than what is kept of it. Thread: one owner.
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

  /// Takes out each whole line that `needless(line)` is true of, the line without its LF; what stands behind
  /// the last LF stays.
  /// \return how many lines that were
  template <typename Predicate>
  std::size_t take_out_lines(Predicate needless) {
    const std::string_view before = text();
    std::size_t kept = 0, taken = 0;
    for (std::size_t begin = 0; begin < before.size();) {
      const std::size_t feed = before.find('\n', begin);
      const bool whole = feed != std::string_view::npos;
      const std::size_t end = whole ? feed + 1 : before.size();
      if (whole && needless(before.substr(begin, feed - begin))) {
        ++taken;
      } else {
        std::memmove(bytes_.get() + kept, bytes_.get() + begin, end - begin);
        kept += end - begin;
      }
      begin = end;
    }
    used_ = kept;
    return taken;
  }

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
