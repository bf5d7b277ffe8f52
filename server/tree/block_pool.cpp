#include "server/tree/block_pool.h"

#include <cstdlib>
#include <new>

namespace wk::tree {
namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr bool kPooling = false;
#else
constexpr bool kPooling = true;
#endif

}  // namespace

std::size_t BlockPool::class_of(std::size_t bytes) {
  return bytes <= 256 ? (bytes - 1) / 8 : 256 / 8 + (bytes - 257) / 32;
}

std::size_t BlockPool::class_bytes(std::size_t index) {
  return index < 256 / 8 ? (index + 1) * 8 : 256 + (index - 256 / 8 + 1) * 32;
}

bool BlockPool::has_room(const Page& page, std::size_t block_bytes) {
  return page.free != nullptr || page.untouched + block_bytes <= kPageBytes;
}

void BlockPool::push(Page*& list, Page* page) {
  page->previous = nullptr;
  page->next = list;
  if (list != nullptr) list->previous = page;
  list = page;
}

void BlockPool::unlink(Page*& list, Page* page) {
  (page->previous == nullptr ? list : page->previous->next) = page->next;
  if (page->next != nullptr) page->next->previous = page->previous;
}

bool BlockPool::same_room(std::size_t before, std::size_t after) {
  if (before == after) return true;
  if (!kPooling || before == 0 || after == 0 || before > kMaxPooledBytes || after > kMaxPooledBytes)
    return false;
  return class_of(before) == class_of(after);
}

char* BlockPool::allocate(std::size_t bytes) {
  if (!kPooling || bytes > kMaxPooledBytes) {
    void* block = std::malloc(bytes);
    if (block == nullptr) throw std::bad_alloc();
    large_bytes_ += bytes;
    return static_cast<char*>(block);
  }
  const std::size_t index = class_of(bytes);
  const std::size_t block_bytes = class_bytes(index);
  Page* page = with_room_[index];
  if (page == nullptr) {
    page = empty_;
    if (page != nullptr)
      unlink(empty_, page);
    else
      page = static_cast<Page*>(arena_.allocate(kPageBytes, kPageBytes));
    *new (page) Page{} = {.untouched = sizeof(Page)};
    push(with_room_[index], page);
  }
  char* block = nullptr;
  if (page->free != nullptr) {
    block = reinterpret_cast<char*>(page->free);
    page->free = page->free->next;
  } else {
    block = reinterpret_cast<char*>(page) + page->untouched;
    page->untouched += static_cast<std::uint32_t>(block_bytes);
  }
  ++page->used;
  if (!has_room(*page, block_bytes)) unlink(with_room_[index], page);
  return block;
}

void BlockPool::release(char* block, std::size_t bytes) {
  if (!kPooling || bytes > kMaxPooledBytes) {
    std::free(block);
    large_bytes_ -= bytes;
    return;
  }
  const std::size_t index = class_of(bytes);
  const std::uintptr_t in_page = reinterpret_cast<std::uintptr_t>(block) % kPageBytes;
  Page* const page = reinterpret_cast<Page*>(block - in_page);
  const bool had_room = has_room(*page, class_bytes(index));
  page->free = new (block) FreeBlock{page->free};
  --page->used;
  if (!had_room) push(with_room_[index], page);
  if (page->used == 0) {
    unlink(with_room_[index], page);
    push(empty_, page);
  }
}

}  // namespace wk::tree
