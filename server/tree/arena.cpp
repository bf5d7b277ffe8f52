#include "server/tree/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

#include "base/check.h"

namespace wk::tree {
namespace {

/// A region of its own mapping, aligned as huge pages are: what lies beside it is given back at once.
char* map_huge() {
  constexpr std::size_t kBytes = Arena::kRegionBytes;
  void* mapped = mmap(nullptr, 2 * kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  char* const begin = static_cast<char*>(mapped);
  const std::size_t before = (kBytes - reinterpret_cast<std::uintptr_t>(begin) % kBytes) % kBytes;
  if (before > 0) munmap(begin, before);
  if (kBytes > before) munmap(begin + before + kBytes, kBytes - before);
  madvise(begin + before, kBytes, MADV_HUGEPAGE);  // a kernel without huge pages serves as well, only slower
  return begin + before;
}

}  // namespace

Arena::~Arena() {
  for (const Region& region : regions_) {
    if (region.bytes == kRegionBytes)
      munmap(region.start, region.bytes);
    else
      std::free(region.start);
  }
}

Arena::Arena(Arena&& other) noexcept
    : regions_(std::exchange(other.regions_, {})),
      used_(std::exchange(other.used_, 0)),
      allocated_bytes_(std::exchange(other.allocated_bytes_, 0)) {}

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(regions_, other.regions_);
  std::swap(used_, other.used_);
  std::swap(allocated_bytes_, other.allocated_bytes_);
  return *this;
}

void Arena::add_region(std::size_t at_least) {
  std::size_t bytes =
      regions_.empty() ? kFirstRegionBytes : std::min(kRegionBytes, 2 * regions_.back().bytes);
  while (bytes < at_least) bytes *= 2;
  char* const start =
      bytes == kRegionBytes ? map_huge() : static_cast<char*>(std::aligned_alloc(kFirstRegionBytes, bytes));
  if (start == nullptr) throw std::bad_alloc();
  regions_.push_back({start, bytes});
  used_ = 0;
  allocated_bytes_ += bytes;
}

void* Arena::allocate(std::size_t bytes, std::size_t alignment) {
  WK_CHECK(bytes > 0 && bytes <= kRegionBytes, "a piece of an arena has an impossible size");
  used_ = (used_ + alignment - 1) & ~(alignment - 1);
  if (regions_.empty() || regions_.back().bytes - std::min(used_, regions_.back().bytes) < bytes)
    add_region(bytes);
  char* const piece = regions_.back().start + used_;
  used_ += bytes;
  return piece;
}

}  // namespace wk::tree
