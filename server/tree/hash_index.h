// Hash table of slab records that carry their own hash and chain: four bytes a record beside them.
//
// Linear hashing: the table grows by one bucket with each record, so there is never a pause in which all of
// them are moved. It does not shrink. Thread: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "server/tree/arena.h"

namespace wk::tree {

/// 32-bit hash of a string. The seed keeps clients, who choose paths, from aiming at one bucket.
[[nodiscard]] std::uint32_t hash_string(std::string_view text, std::uint64_t seed);

/// \tparam Records  a Slab whose records have the members `std::uint32_t hash` (unchanged while in the index)
/// and
///                  `std::uint32_t chain` (the index's own)
template <typename Records>
class HashIndex {
 public:
  using Id = typename Records::Id;

  HashIndex() { grow_to_hold(0); }

  /// The record with that hash for which `matches(id)` is true, or kNone.
  template <typename Matches>
  [[nodiscard]] Id find(const Records& records, std::uint32_t hash, Matches&& matches) const {
    for (Id id = bucket(slot_of(hash)); id != Records::kNone; id = records[id].chain)
      if (records[id].hash == hash && matches(id)) return id;
    return Records::kNone;
  }

  /// Makes an empty index as wide as one that has grown to that many records, so that filling it moves none.
  void widen(std::size_t records) {
    if (size_ > 0) return;
    while (buckets_ < records) {
      grow_to_hold(buckets_);
      if (buckets_ > mask_) mask_ = mask_ << 1 | 1;
      ++buckets_;
    }
  }

  /// Tells the processor that records with that hash are about to be looked for or added. Called for many
  /// hashes in a row, it makes the cache misses of all of them one wait: first all buckets, then their
  /// records.
  void prefetch_bucket(std::uint32_t hash) const { __builtin_prefetch(&bucket(slot_of(hash)), 1); }
  void prefetch_records(const Records& records, std::uint32_t hash) const {
    if (const Id id = bucket(slot_of(hash)); id != Records::kNone) __builtin_prefetch(&records[id].chain);
  }

  /// Adds a record that is not in the index.
  void insert(Records& records, Id id) {
    ++size_;
    split(records);
    Id& head = bucket(slot_of(records[id].hash));
    records[id].chain = head;
    head = id;
  }

  /// Removes a record that is in the index.
  void erase(Records& records, Id id) {
    Id* link = &bucket(slot_of(records[id].hash));
    while (*link != id) link = &records[*link].chain;
    *link = records[id].chain;
    --size_;
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t allocated_bytes() const { return arena_.allocated_bytes(); }

 private:
  static constexpr unsigned kSegmentBits = 10;
  static constexpr std::size_t kSegmentBuckets = std::size_t{1} << kSegmentBits;
  static constexpr std::size_t kSegmentMask = kSegmentBuckets - 1;

  [[nodiscard]] Id& bucket(std::size_t slot) { return segments_[slot >> kSegmentBits][slot & kSegmentMask]; }
  [[nodiscard]] const Id& bucket(std::size_t slot) const {
    return segments_[slot >> kSegmentBits][slot & kSegmentMask];
  }

  /// Buckets below buckets_ exist; those that the wider mask names beyond are still folded onto the narrower
  /// one.
  [[nodiscard]] std::size_t slot_of(std::uint32_t hash) const {
    const std::size_t slot = hash & mask_;
    return slot < buckets_ ? slot : slot & (mask_ >> 1);
  }

  void grow_to_hold(std::size_t slot) {
    if (slot >> kSegmentBits == segments_.size())
      segments_.push_back(new (arena_.allocate(kSegmentBuckets * sizeof(Id), alignof(Id)))
                              Id[kSegmentBuckets]());
  }

  /// Adds the next bucket when there are fewer than records, and moves its share out of the one it was folded
  /// onto.
  void split(Records& records) {
    if (size_ <= buckets_) return;
    const std::size_t added = buckets_;
    grow_to_hold(added);
    if (added > mask_) mask_ = mask_ << 1 | 1;
    ++buckets_;
    Id id = std::exchange(bucket(added & (mask_ >> 1)), Records::kNone);
    while (id != Records::kNone) {
      const Id next = records[id].chain;
      Id& head = bucket(slot_of(records[id].hash));
      records[id].chain = head;
      head = id;
      id = next;
    }
  }

  Arena arena_;
  std::vector<Id*> segments_;
  std::size_t buckets_ = 1;
  std::size_t mask_ = 0;  ///< all ones; at least buckets_ - 1, less than 2 * buckets_
  std::size_t size_ = 0;
};

}  // namespace wk::tree
