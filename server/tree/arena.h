// Memory that is taken piece by piece and given back only as a whole, on huge pages once there is much of it.
//
// A tree of a million znodes is read at random, and on small pages nearly every access would miss the TLB as
// well as the cache. Regions grow from 64 KiB to 2 MiB, so an idle server stays small. Thread: one owner.
// Format: none. Source: none; Linux' transparent huge pages (madvise(2)).
#pragma once

#include <cstddef>
#include <vector>

namespace wk::tree {

class Arena {
 public:
  static constexpr std::size_t kFirstRegionBytes = std::size_t{64} << 10;
  /// The size of a huge page; no piece is larger.
  static constexpr std::size_t kRegionBytes = std::size_t{2} << 20;

  Arena() = default;
  ~Arena();
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;

  /// \param bytes      1 … kRegionBytes; the memory's content is undefined
  /// \param alignment  a power of two, at most kFirstRegionBytes
  /// Throws std::bad_alloc, as operator new does, when the system has no more memory.
  void* allocate(std::size_t bytes, std::size_t alignment);

  /// Bytes taken from the system.
  [[nodiscard]] std::size_t allocated_bytes() const { return allocated_bytes_; }

 private:
  struct Region {
    char* start = nullptr;
    std::size_t bytes = 0;
  };

  void add_region(std::size_t at_least);

  std::vector<Region> regions_;
  std::size_t used_ = 0;  ///< bytes of the last region
  std::size_t allocated_bytes_ = 0;
};

}  // namespace wk::tree
