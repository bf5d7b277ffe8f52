#include "server/tree/id_set.h"

#include <algorithm>
#include <utility>

namespace wk::tree {

template <unsigned kPayloadBits>
std::uint32_t IdSet<kPayloadBits>::home(std::uint32_t key) const {
  // Keys are consecutive numbers; the factor spreads neighbours, the product scales them onto any capacity.
  constexpr std::uint32_t kFactor = 0x9e3779b1U;
  return static_cast<std::uint32_t>((std::uint64_t{key * kFactor} * capacity_) >> 32);
}

template <unsigned kPayloadBits>
const std::uint32_t* IdSet<kPayloadBits>::find(std::uint32_t key) const {
  const std::uint32_t* slots = begin();
  if (capacity_ <= kSmall) {
    for (std::uint32_t i = 0; i < capacity_or_one(); ++i)
      if (slots[i] != 0 && slots[i] >> kPayloadBits == key) return &slots[i];
    return nullptr;
  }
  for (std::uint32_t i = home(key); slots[i] != 0; i = i + 1 == capacity_ ? 0 : i + 1)
    if (slots[i] >> kPayloadBits == key) return &slots[i];
  return nullptr;
}

template <unsigned kPayloadBits>
std::uint32_t* IdSet<kPayloadBits>::find(std::uint32_t key) {
  return const_cast<std::uint32_t*>(std::as_const(*this).find(key));
}

template <unsigned kPayloadBits>
std::uint32_t IdSet<kPayloadBits>::payload(std::uint32_t key) const {
  const std::uint32_t* found = find(key);
  return found == nullptr ? 0 : *found & kPayloadMask;
}

template <unsigned kPayloadBits>
bool IdSet<kPayloadBits>::contains(std::uint32_t key) const {
  return find(key) != nullptr;
}

template <unsigned kPayloadBits>
void IdSet<kPayloadBits>::put(std::uint32_t key, std::uint32_t payload) {
  const std::uint32_t member = key << kPayloadBits | payload;
  if (std::uint32_t* found = find(key)) {
    *found = member;
    return;
  }
  const std::uint32_t capacity = capacity_or_one();
  if (size_ == capacity && capacity < kSmall)
    resize(capacity == 1 ? kSmall / 2 + 1 : kSmall);  // 6 and 10 fill what malloc hands out anyway
  else if (capacity >= kSmall && size_ >= capacity - capacity / 8)
    resize(capacity + capacity / 3);
  insert(member);
  ++size_;
}

/// Puts a member that is not there where a free slot is.
template <unsigned kPayloadBits>
void IdSet<kPayloadBits>::insert(std::uint32_t member) {
  std::uint32_t* slots = begin();
  std::uint32_t i = capacity_ <= kSmall ? 0 : home(member >> kPayloadBits);
  while (slots[i] != 0) i = i + 1 == capacity_ ? 0 : i + 1;
  slots[i] = member;
}

template <unsigned kPayloadBits>
void IdSet<kPayloadBits>::erase(std::uint32_t key) {
  std::uint32_t* found = find(key);
  if (found == nullptr) return;
  *found = 0;
  --size_;
  if (capacity_ > kSmall) {
    // Members behind the hole move into it unless their home lies behind it, so that no search stops too
    // early.
    auto hole = static_cast<std::uint32_t>(found - many_);
    for (std::uint32_t i = hole;;) {
      i = i + 1 == capacity_ ? 0 : i + 1;
      if (many_[i] == 0) break;
      const std::uint32_t at_home = home(many_[i] >> kPayloadBits);
      const bool reaches_over_hole =
          hole <= i ? at_home <= hole || at_home > i : at_home <= hole && at_home > i;
      if (!reaches_over_hole) continue;
      many_[hole] = std::exchange(many_[i], 0);
      hole = i;
    }
  }
  if (size_ <= 1 && capacity_ != 0)
    resize(0);
  else if (size_ < capacity_ / 4)
    resize(std::max(kSmall, size_ + size_ / 2));
}

template <unsigned kPayloadBits>
void IdSet<kPayloadBits>::resize(std::uint32_t capacity) {
  IdSet resized;
  if (capacity > 1) {
    resized.many_ = new std::uint32_t[capacity]();
    resized.capacity_ = capacity;
  }
  resized.size_ = size_;
  for_each([&](std::uint32_t key, std::uint32_t payload) { resized.insert(key << kPayloadBits | payload); });
  clear();
  *this = resized;
}

template <unsigned kPayloadBits>
void IdSet<kPayloadBits>::clear() {
  if (capacity_ != 0) delete[] many_;
  *this = IdSet{};
}

template class IdSet<0>;
template class IdSet<3>;

}  // namespace wk::tree
