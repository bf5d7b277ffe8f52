// A set of 32-bit numbers that costs five bytes a member when large and nothing beside itself for one.
//
// A member is a key (above 0) with a few bits of payload below it. Sets of up to kSmall members are plain
// arrays; larger ones are hash tables with linear probing that grow by a third. Trivially copyable so that
// records in a Slab can hold one: the owner calls clear() before it forgets a set. Thread: one owner.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wk::tree {

/// \tparam kPayloadBits  low bits of a member that are not part of its key
template <unsigned kPayloadBits>
class IdSet {
 public:
  static constexpr std::uint32_t kSmall = 10;
  static constexpr std::uint32_t kPayloadMask = (1U << kPayloadBits) - 1;
  static constexpr std::uint32_t kMaxKey = UINT32_MAX >> kPayloadBits;

  [[nodiscard]] std::uint32_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  /// Payload of a key, 0 when it is not in the set (or has none).
  [[nodiscard]] std::uint32_t payload(std::uint32_t key) const;
  [[nodiscard]] bool contains(std::uint32_t key) const;
  /// Adds a key or replaces its payload.
  void put(std::uint32_t key, std::uint32_t payload);
  /// Removes a key; nothing happens when it is not there.
  void erase(std::uint32_t key);
  /// Removes all and frees the memory.
  void clear();

  /// Calls visit(key, payload) for every member, in no particular order. The set must not change meanwhile.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    const std::uint32_t* slots = begin();
    for (std::uint32_t i = 0; i < capacity_or_one(); ++i)
      if (slots[i] != 0) visit(slots[i] >> kPayloadBits, slots[i] & kPayloadMask);
  }

 private:
  [[nodiscard]] const std::uint32_t* begin() const { return capacity_ == 0 ? &one_ : many_; }
  [[nodiscard]] std::uint32_t* begin() { return capacity_ == 0 ? &one_ : many_; }
  [[nodiscard]] std::uint32_t capacity_or_one() const { return capacity_ == 0 ? 1 : capacity_; }
  [[nodiscard]] std::uint32_t home(std::uint32_t key) const;
  [[nodiscard]] std::uint32_t* find(std::uint32_t key);
  [[nodiscard]] const std::uint32_t* find(std::uint32_t key) const;
  void insert(std::uint32_t member);
  void resize(std::uint32_t capacity);

  union {
    std::uint32_t one_ = 0;  ///< while capacity_ is 0; 0 when the set is empty
    std::uint32_t* many_;    ///< capacity_ slots, 0 in the free ones
  };
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;
};

extern template class IdSet<0>;
extern template class IdSet<3>;

}  // namespace wk::tree
