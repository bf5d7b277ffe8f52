// Text that is written piece by piece: as a std::string without zeroed room and with little to do for each
// piece.
//
// Thread: one owner.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace wk::exporter {

class TextBuffer {
 public:
  TextBuffer() = default;
  TextBuffer(TextBuffer&& other) noexcept { swap(other); }
  TextBuffer& operator=(TextBuffer&& other) noexcept {
    TextBuffer taken(std::move(other));
    swap(taken);
    return *this;
  }

  /// Makes room for `bytes` in all.
  void reserve(std::size_t bytes) {
    if (bytes > capacity_) grow(bytes);
  }
  /// Where the next `bytes` may be written; what is written counts once it is committed.
  [[nodiscard]] char* room(std::size_t bytes) {
    if (capacity_ - size_ < bytes) grow(std::max(size_ + bytes, capacity_ + capacity_ / 2));
    return bytes_.get() + size_;
  }
  /// \param end  behind the last byte written into room()
  void commit(const char* end) { size_ = static_cast<std::size_t>(end - bytes_.get()); }

  void append(std::string_view text) {
    if (text.empty()) return;
    char* const at = room(text.size());
    std::memcpy(at, text.data(), text.size());
    commit(at + text.size());
  }
  void append(char c) {
    char* const at = room(1);
    *at = c;
    commit(at + 1);
  }
  /// Drops what lies behind the first `size` bytes.
  void truncate(std::size_t size) { size_ = std::min(size_, size); }

  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

 private:
  void swap(TextBuffer& other) {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }
  void grow(std::size_t capacity) {
    auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
    if (size_ > 0) std::memcpy(bytes.get(), bytes_.get(), size_);
    bytes_ = std::move(bytes);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace wk::exporter
