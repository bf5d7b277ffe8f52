// Fixed-size records under 32-bit ids, in chunks that never move.
//
// Half the size of pointers, and none of malloc's overhead a record. Freed records are used again, last freed
// first; chunks are given back only with the slab. Invariant: id 0 is never handed out, so 0 can mean "none".
// Thread: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "server/tree/arena.h"

namespace wk::tree {

/// \tparam T      trivially copyable and destructible
/// \tparam kLink  a member that a freed record need not keep
template <typename T, std::uint32_t T::*kLink>
class Slab {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  using Id = std::uint32_t;
  static constexpr Id kNone = 0;

  [[nodiscard]] T& operator[](Id id) { return chunks_[id >> kChunkBits][id & kChunkMask]; }
  [[nodiscard]] const T& operator[](Id id) const { return chunks_[id >> kChunkBits][id & kChunkMask]; }

  /// A record set to T{}.
  Id allocate() {
    Id id = first_free_;
    if (id != kNone) {
      first_free_ = (*this)[id].*kLink;
    } else {
      WK_CHECK(used_ < kMaxRecords, "more records than 32 bits can number");
      if (used_ >> kChunkBits == chunks_.size())
        chunks_.push_back(static_cast<T*>(arena_.allocate(kChunkRecords * sizeof(T), alignof(T))));
      id = used_++;
    }
    new (&(*this)[id]) T{};
    ++size_;
    return id;
  }

  void release(Id id) {
    (*this)[id].*kLink = first_free_;
    first_free_ = id;
    --size_;
  }

  /// Records in use.
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Ids handed out so far are below this; freed ones among them.
  [[nodiscard]] Id end() const { return used_; }
  [[nodiscard]] std::size_t allocated_bytes() const { return arena_.allocated_bytes(); }

 private:
  static constexpr unsigned kChunkBits = 9;
  static constexpr std::uint32_t kChunkRecords = 1U << kChunkBits;
  static constexpr std::uint32_t kChunkMask = kChunkRecords - 1;
  static constexpr std::uint32_t kMaxRecords = UINT32_MAX;

  Arena arena_;
  std::vector<T*> chunks_;
  Id used_ = 1;
  Id first_free_ = kNone;
  std::size_t size_ = 0;
};

}  // namespace wk::tree
