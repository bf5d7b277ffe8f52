// Memory for many small blocks of any size whose owner remembers the size: no header, little rounding.
//
// Sizes up to 256 bytes are rounded up to the next multiple of 8, up to 1,024 to the next of 32; blocks of
// one rounded size share pages of 64 KiB, and a page without blocks serves any size again. Larger blocks come
// from malloc. Pages stay with the pool. Built with the address sanitizer, every block comes from malloc, so
// that it can watch them. Thread: one owner.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "server/tree/arena.h"

namespace wk::tree {

class BlockPool {
 public:
  /// Larger blocks come from malloc.
  static constexpr std::size_t kMaxPooledBytes = 1'024;

  BlockPool() = default;
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  /// \param bytes  at least 1. Throws std::bad_alloc, as operator new does.
  char* allocate(std::size_t bytes);
  /// \param bytes  as allocated
  void release(char* block, std::size_t bytes);
  /// True when a block of `before` bytes can serve as one of `after` bytes, and the other way round.
  [[nodiscard]] static bool same_room(std::size_t before, std::size_t after);

  /// Bytes taken from the system for pages, and the sizes of the blocks that came from malloc.
  [[nodiscard]] std::size_t allocated_bytes() const { return arena_.allocated_bytes() + large_bytes_; }

 private:
  static constexpr std::size_t kPageBytes = std::size_t{64} << 10;
  static constexpr std::size_t kClasses = 256 / 8 + (kMaxPooledBytes - 256) / 32;

  /// What a freed block holds.
  struct FreeBlock {
    FreeBlock* next = nullptr;
  };
  /// At the start of each page.
  struct Page {
    Page* previous = nullptr;  ///< in the list of its class' pages with room, or of pages without blocks
    Page* next = nullptr;
    FreeBlock* free = nullptr;
    std::uint32_t used = 0;       ///< blocks handed out
    std::uint32_t untouched = 0;  ///< offset of the part that was never handed out
  };

  static std::size_t class_of(std::size_t bytes);
  static std::size_t class_bytes(std::size_t index);
  static bool has_room(const Page& page, std::size_t block_bytes);
  static void push(Page*& list, Page* page);
  static void unlink(Page*& list, Page* page);

  Arena arena_;
  std::array<Page*, kClasses> with_room_{};
  Page* empty_ = nullptr;
  std::size_t large_bytes_ = 0;
};

}  // namespace wk::tree
